/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/try.h"

#include "milter/base/plain_file.h"
#include "milter/config/config.h"
#include "milter/follow/follow.h"
#include "milter/follow/replies.h"
#include "milter/follow/source.h"
#include "milter/follow/tally.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* ---- -t */

static void try_say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "penstock-follow: warning: %s\n", line);
}

bool try_config(const struct config *config, const char *replies, char *error, size_t error_size)
{
	struct replies *table = replies_load(replies, error, error_size);
	if (table == NULL)
		return false;
	replies_free(&table);
	/* the unit's StateDirectory= */
	bool made = strcmp(config->set.follow_state, "/var/lib/penstock-follow") == 0;
	if (access(config->set.follow_state, W_OK | X_OK) == 0)
		made = false;
	else if (!made || errno != ENOENT) {
		snprintf(error, error_size, "follow.state is \"%s\", expected a folder that this user may write to: %s",
			 config->set.follow_state, strerror(errno));
		return false;
	}
	if (made)
		try_say(NULL, "follow.state is not there yet: penstock-follow.service makes it at its start");
	const struct source_options options = { .name = config->set.follow_source,
						.units = config->set.follow_units,
						.user = config->set.user,
						.say = try_say };
	struct log_source *source = source_open(&options, error, error_size);
	bool opened = source != NULL;
	source_free(&source);
	return opened;
}

/* ---- reading */

static void try_read(struct follow *follow, struct log_source *source)
{
	while (true) {
		struct log_head head = { 0 };
		bool known = false;
		enum source_got got = source->next(source, &head, &known);
		if (got == SOURCE_LINE) {
			follow_line(follow, &head, known);
		} else if (got == SOURCE_NOTHING) {
			struct pollfd more = { .fd = source->fd, .events = POLLIN };
			poll(&more, 1, -1);
		} else {
			break;
		}
	}
	follow_end(follow);
}

/* ---- what it prints */

static void try_show_row(void *arg, const char *row, double count)
{
	(void)arg;
	printf("%.0f\t%s\n", count, row);
}

static void try_show_samples(const char *what, const struct samples *samples)
{
	uint64_t first = samples->kept > SAMPLES_KEPT ? samples->kept - SAMPLES_KEPT : 0;
	for (uint64_t i = first; i < samples->kept; i++)
		printf("%s\t%s\n", what, samples->lines[i % SAMPLES_KEPT]);
}

static void try_show(const struct follow *follow, const struct log_source *source)
{
	const struct follow_counts *counts = &follow->counts;
	printf("# recipients\taccount\toutcome\ttransport\treceiver\n");
	tally_each(follow->parts.accounts, try_show_row, NULL);
	printf("# lines\tkind\n");
	for (int i = 0; i < LOG_KINDS; i++)
		if (counts->kinds[i] > 0)
			printf("%llu\t%s\n", (unsigned long long)counts->kinds[i], log_kind_word((enum log_kind)i));
	printf("# times\twhat clients did\n");
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		if (counts->clients[i] > 0)
			printf("%llu\t%s\n", (unsigned long long)counts->clients[i],
			       client_event_word((enum client_event)i));
	for (int i = 0; i < CLIENT_STAGE_COUNT; i++)
		if (counts->stages[i] > 0)
			printf("%llu\tno_quit at %s\n", (unsigned long long)counts->stages[i],
			       client_stage_word((enum client_stage)i));
	printf("# of %llu lines; %llu cut, %llu lost; %llu messages still in the queue; %llu replies of unknown "
	       "words\n",
	       (unsigned long long)counts->lines, (unsigned long long)source->cut_lines,
	       (unsigned long long)counts->lost, (unsigned long long)queue_map_counts(follow->map).messages,
	       (unsigned long long)counts->wordings);
	try_show_samples("unknown line", &follow->unknown);
	try_show_samples("unknown words", &follow->wordings);
}

static void try_show_rate(const struct follow *follow, clock_t took)
{
	double seconds = (double)took / CLOCKS_PER_SEC;
	printf("%llu lines in %.3f s of processor time", (unsigned long long)follow->counts.lines, seconds);
	if (seconds > 0)
		printf(": %.0f lines/s", (double)follow->counts.lines / seconds);
	putchar('\n');
}

bool try_log(const char *log, const char *replies, bool rate, char *error, size_t error_size)
{
	const char *why;
	struct follow follow;
	struct follow_parts parts = { .replies = replies_load(replies, error, error_size) };
	struct replies *table = (struct replies *)(uintptr_t)parts.replies;
	if (table == NULL)
		return false;
	int fd = strcmp(log, "-") == 0 ? dup(STDIN_FILENO) : plain_file_open(log, O_RDONLY, &why);
	struct log_source *source = fd >= 0 ? source_stdin_open(fd) : NULL;
	if (fd < 0)
		snprintf(error, error_size, "%s: it cannot be read: %s", log, why);
	struct tally *tally = rate ? NULL : tally_new();
	parts.accounts = tally;
	bool begun = source != NULL && follow_init(&follow, &parts);
	if (begun) {
		clock_t began = clock();
		try_read(&follow, source);
		if (rate)
			try_show_rate(&follow, clock() - began);
		else
			try_show(&follow, source);
		follow_release(&follow);
	}
	if (tally != NULL)
		tally_free(&tally);
	source_free(&source);
	replies_free(&table);
	if (fd >= 0)
		close(fd);
	return begun;
}
