/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scripts: the .lua files as text, and their arguments. The build makes scripts_text.h of the .lua files.
 */
#ifndef PENSTOCK_SCRIPTS_H
#define PENSTOCK_SCRIPTS_H

#include "redis-schema/keys.h"
#include "redis-schema/wire/wire.h"

enum script { SCRIPT_FETCH, SCRIPT_CHARGE, SCRIPT_GROUP, SCRIPT_CAMPAIGN, SCRIPT_COUNT };
extern const char *const script_text[SCRIPT_COUNT];

enum { SCRIPT_ARGUMENTS_MAX = 30, SCRIPT_KNOWN_MAX = 2016, /* of a message, and those of its habits */
        SCRIPT_KNOWN_BYTES = 4 };

/* Argument words of one call, behind the command word and the script. */
struct script_arguments {
	int count;
	size_t used;
	const char *word[SCRIPT_ARGUMENTS_MAX];
	size_t length[SCRIPT_ARGUMENTS_MAX];
	char memory[5 * KEY_MAX + SCRIPT_KNOWN_BYTES * SCRIPT_KNOWN_MAX + 1200];
};

void script_fetch_arguments(struct script_arguments *arguments, const char *prefix, const char *account);
/* Of the known recipients the first SCRIPT_KNOWN_MAX are taken. */
void script_charge_arguments(struct script_arguments *arguments, const struct store_settings *settings,
			     const struct wire_charge *charge);
void script_group_arguments(struct script_arguments *arguments, const struct store_settings *settings,
			    const struct wire_charge *charge);
void script_campaign_arguments(struct script_arguments *arguments, const char *prefix, const struct wire_print *print);

#endif
