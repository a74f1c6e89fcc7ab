/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scripts: fetch.lua and charge.lua as text, and their arguments. The build makes scripts_text.h of the .lua files.
 */
#ifndef PENSTOCK_SCRIPTS_H
#define PENSTOCK_SCRIPTS_H

#include "redis-schema/wire.h"

enum script { SCRIPT_FETCH, SCRIPT_CHARGE, SCRIPT_COUNT };

extern const char *const script_text[SCRIPT_COUNT];

enum { SCRIPT_ARGUMENTS_MAX = 40, SCRIPT_ARGUMENT_MAX = 400 };

/* Argument words of one call, behind the command word and the script; each at most SCRIPT_ARGUMENT_MAX with its NUL. */
struct script_arguments {
	int count;
	size_t used;
	const char *word[SCRIPT_ARGUMENTS_MAX];
	char memory[SCRIPT_ARGUMENTS_MAX * 26 + 4 * SCRIPT_ARGUMENT_MAX];
};

void script_fetch_arguments(struct script_arguments *arguments, const char *prefix, const char *account);
void script_charge_arguments(struct script_arguments *arguments, const struct store_settings *settings,
			     const struct wire_charge *charge);

#endif
