/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/model/follower.h"

#include "milter/follow/credit.h"
#include "t/model/books.h"
#include "t/model/lot.h"
#include "t/model/net.h"
#include "t/model/time.h"

#include <stdio.h>

#include "policy/base/banned.h"

enum { LINES_MAX = 1000, SAYS_MOST = 3, WAIT_MOST = 6 };

/* A line of the log says something of some accounts, of one perhaps twice. */
struct log_line {
	int says;
	struct {
		int account;
		enum counter counter;
		double count;
	} say[SAYS_MOST];
};

static struct {
	bool there;
	uint64_t writer;
	struct store_settings settings;
	struct store *store;   /* owned */
	struct credit *credit; /* owned */
	int lines, read, checkpoint;
	struct log_line line[LINES_MAX];
} follower;

static void follower_says(void *arg, const char *line)
{
	(void)arg;
	model_say("... the follower says: %s", line);
}

/* Whatever he knew is gone but for the checkpoint. */
static void follower_start(void)
{
	char error[200];
	follower.store = store_new(NULL, &follower.settings, follower_says, NULL, error, sizeof error);
	MODEL_MUST(follower.store != NULL, "%s", error);
	follower.credit = credit_new(follower.store, follower.writer, WAIT_MOST, NULL, NULL);
	MODEL_MUST(follower.credit != NULL, "no memory for credits");
	follower.read = follower.checkpoint;
}

void follower_begin(void)
{
	static char server[40];
	follower.there = lot_once_in(2);
	follower.lines = follower.checkpoint = 0;
	if (!follower.there)
		return;
	snprintf(server, sizeof server, "127.0.0.1:%d", PORT_FIRST + FOLLOWER);
	follower.settings = model.settings[0];
	follower.settings.server = server;
	follower.settings.recent_accounts = 1;
	follower.writer = (uint64_t)lot(1 << 30);
	follower_start();
}

void follower_free(void)
{
	if (!follower.there)
		return;
	store_free(&follower.store);
	credit_free(&follower.credit);
}

void follower_kill(void)
{
	if (!follower.there || !lot_once_in(2))
		return;
	model_say("the follower is killed at line %d, and starts at line %d", follower.read, follower.checkpoint);
	model_call_all_soon();
	model.ends = true;
	follower_free();
	time_drop_soon();
	model.ends = false;
	follower_start();
}

static void follower_log(void)
{
	static const enum counter learnt[] = { COUNTER_DEAD, COUNTER_COMPLAINTS };
	if (follower.lines == LINES_MAX)
		return;
	struct log_line *line = &follower.line[follower.lines++];
	line->says = lot_between(0, SAYS_MOST);
	for (int i = 0; i < line->says; i++) {
		double counts[COUNTER_COUNT] = { 0 };
		line->say[i].account = lot(model.accounts);
		line->say[i].counter = learnt[lot(2)];
		line->say[i].count = lot_between(1, 3);
		counts[line->say[i].counter] = line->say[i].count;
		books_credited(line->say[i].account, counts);
	}
}

static void follower_read_line(void)
{
	const struct log_line *line = &follower.line[follower.read++];
	for (int i = 0; i < line->says; i++) {
		double counts[COUNTER_COUNT] = { 0 };
		counts[line->say[i].counter] = line->say[i].count;
		credit_add(follower.credit, model.account[line->say[i].account].name, (uint64_t)follower.read, counts);
	}
}

static void follower_read(int most)
{
	int from = follower.read;
	while (follower.read < follower.lines && follower.read < from + most && !credit_full(follower.credit))
		follower_read_line();
	model_say("the follower reads lines %d to %d of %d", from + 1, follower.read, follower.lines);
	credit_send(follower.credit);
}

static void follower_save(void)
{
	if (!credit_idle(follower.credit))
		return;
	follower.checkpoint = follower.read;
	model_say("the follower saves line %d", follower.checkpoint);
}

void follower_step(void)
{
	if (!follower.there)
		return;
	for (int more = lot(4); more > 0; more--)
		follower_log();
	switch (lot(4)) {
	case 0:
		follower_save();
		break;
	case 1:
		credit_tick(follower.credit);
		break;
	default:
		follower_read(lot_between(1, 5));
	}
}

void follower_settle(void)
{
	if (!follower.there)
		return;
	credit_tick(follower.credit);
	follower_read(LINES_MAX);
}

bool follower_is_quiet(void)
{
	if (!follower.there)
		return true;
	struct credit_counts counts = credit_counts(follower.credit);
	MODEL_MUST(model.foreign || counts.given_up == 0, "the follower gave %llu credits up",
		   (unsigned long long)counts.given_up);
	return follower.read == follower.lines && credit_idle(follower.credit) && net_is_connected(FOLLOWER);
}
