/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many sessions at once, each on a thread of its own, as libmilter runs them.
 */
#include "t/scenario/play.h"

#include "policy/base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "policy/base/banned.h"

enum { CROWD_MAX = 64 };

struct member {
	pthread_t thread;
	const struct line *line; /* accounts from the fourth word on */
	int index;
	int64_t messages;
	char complaint[200];
};

static void say_one(SMFICTX *mta, const char *account, int64_t number)
{
	mta_macro(mta, "{auth_authen}", account);
	if (mta_mail(mta, account).status != SMFIS_CONTINUE)
		return;
	mta_rcpt(mta, "<bob@example.net>", "smtp");
	mta_rcpt(mta, "<carol@example.net>", number % 3 == 0 ? "local" : "smtp");
	mta_header(mta, "Subject", "one of many");
	mta_header(mta, "X-Penstock-Pool", "forged");
	if (number % 7 == 6) {
		mta_abort(mta);
		return;
	}
	mta_body(mta, 2000);
	mta_end(mta);
}

static void *speak(void *arg)
{
	struct member *member = arg;
	int accounts = member->line->count - 3;
	for (int64_t i = 0; i < member->messages; i++) {
		SMFICTX *mta = mta_open(true);
		mta_connect(mta, member->index % 2 == 0 ? "192.0.2.20" : "2001:db8::20");
		mta_helo(mta, "many.example.net");
		say_one(mta, member->line->words[3 + (member->index + (int)i) % accounts], i);
		if (mta_complaint(mta)[0] != '\0')
			text_copy(member->complaint, sizeof member->complaint, mta_complaint(mta));
		mta_close(&mta);
	}
	return NULL;
}

bool command_crowd(struct play *play, const struct line *line)
{
	struct member members[CROWD_MAX] = { 0 };
	int64_t sessions, messages;
	if (!text_to_int(line->words[1], 1, CROWD_MAX, &sessions) || !text_to_int(line->words[2], 1, 100000, &messages))
		return play_fail(play, "expected: crowd SESSIONS MESSAGES ACCOUNT...");
	if (!play_start(play))
		return false;
	for (int i = 0; i < (int)sessions; i++) {
		members[i].line = line;
		members[i].index = i;
		members[i].messages = messages;
		if (pthread_create(&members[i].thread, NULL, speak, &members[i]) != 0)
			return play_fail(play, "no thread");
	}
	for (int i = 0; i < (int)sessions; i++)
		pthread_join(members[i].thread, NULL);
	for (int i = 0; i < (int)sessions; i++)
		if (members[i].complaint[0] != '\0')
			return play_fail(play, "libmilter complains: %s", members[i].complaint);
	return true;
}
