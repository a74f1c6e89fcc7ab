/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/group.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const scopes[SCOPE_COUNT] = {
#define SCOPE_ROW(id, word) [SCOPE_##id] = word,
	SCOPE_ROWS(SCOPE_ROW)
#undef SCOPE_ROW
};

const char *scope_word(enum scope scope)
{
	return scopes[scope];
}

enum scope account_scope(const char *name)
{
	for (int scope = SCOPE_ACCOUNT + 1; scope < SCOPE_COUNT; scope++) {
		size_t length = strlen(scope_word((enum scope)scope));
		if (strncmp(name, scope_word((enum scope)scope), length) == 0 && name[length] == ':')
			return (enum scope)scope;
	}
	return SCOPE_ACCOUNT;
}

bool account_is_group(const char *name)
{
	return account_scope(name) != SCOPE_ACCOUNT;
}
