/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/mail_class.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const words[MAIL_CLASS_COUNT] = {
#define MAIL_CLASS_ROW(id, word) [MAIL_CLASS_##id] = word,
	MAIL_CLASS_ROWS(MAIL_CLASS_ROW)
#undef MAIL_CLASS_ROW
};

const char *mail_class_word(enum mail_class class)
{
	return words[class];
}

enum scope mail_class_scope(enum mail_class class)
{
	static const enum scope scopes[MAIL_CLASS_COUNT] = {
		[MAIL_CLASS_BOUNCE] = SCOPE_BOUNCE, [MAIL_CLASS_FORWARD] = SCOPE_FORWARD
	};
	return scopes[class];
}

enum mail_class mail_class_find(const char *word)
{
	for (int i = 0; i < MAIL_CLASS_COUNT; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum mail_class)i;
	return MAIL_CLASS_ACCOUNT;
}
