/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/notice.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const words[EVENT_COUNT] = {
#define EVENT_WORD(id, word, quiet_s) [EVENT_##id] = word,
	EVENT_ROWS(EVENT_WORD)
#undef EVENT_WORD
};

const char *notice_word(enum event_kind kind)
{
	return words[kind];
}

static bool notice_add_kind(const char *word, size_t length, unsigned *set)
{
	for (int i = 0; i < EVENT_COUNT; i++)
		if (strlen(words[i]) == length && strncmp(words[i], word, length) == 0) {
			*set |= 1u << i;
			return true;
		}
	return false;
}

bool notice_kinds(const char *list, unsigned *set_out, char wrong_out[32])
{
	static const char marks[] = " ,\t";
	unsigned set = 0;
	for (const char *at = list + strspn(list, marks); *at != '\0'; at += strspn(at, marks)) {
		size_t length = strcspn(at, marks);
		if (!notice_add_kind(at, length, &set)) {
			struct text wrong = text_over(wrong_out, 32);
			text_add_bytes(&wrong, at, length);
			return false;
		}
		at += length;
	}
	*set_out = set != 0 ? set : (1u << EVENT_COUNT) - 1;
	return true;
}

void notice_init(struct notice *notice, enum event_kind kind, const char *account)
{
	*notice = (struct notice){ .kind = kind, .limit = breach_none };
	text_copy(notice->account, sizeof notice->account, account);
}
