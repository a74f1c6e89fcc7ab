/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scripts: the .lua files as text, and their arguments. The build makes scripts_text.h of the .lua files.
 */
#ifndef PENSTOCK_SCRIPTS_H
#define PENSTOCK_SCRIPTS_H

#include "policy/facts.h"
#include "redis-schema/keys.h"
#include "redis-schema/settings.h"

enum script { SCRIPT_FETCH, SCRIPT_CHARGE, SCRIPT_GROUP, SCRIPT_CAMPAIGN, SCRIPT_COUNT };
extern const char *const script_text[SCRIPT_COUNT];

enum {
	SCRIPT_ARGUMENTS_MAX = 30,
	SCRIPT_KNOWN_MAX = 2016, /* of a message, and those of its habits */
	SCRIPT_KNOWN_BYTES = 4
};

/* What a charge tells its script. */
struct wire_charge {
	const struct charge
		*charge; /* borrowed until the call returns; its limits.plan: whose limits they are, of a group */
	int64_t number;
	enum scope scope;	   /* not SCOPE_ACCOUNT: checked against the group's own limits too */
	const char *plan;	   /* borrowed as well, of a group: the plan that holds where it names none */
	const uint32_t *new_known; /* borrowed as well: recipients for the account's key of them */
	int new_known_count;
};

/* A body, for the campaigns that it may belong to. */
struct wire_fingerprint {
	uint64_t fingerprint, account; /* of the body; a hash of the account's name */
	bool bad;
};

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
void script_campaign_arguments(struct script_arguments *arguments, const char *prefix,
			       const struct wire_fingerprint *fingerprint);

#endif
