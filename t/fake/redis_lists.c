/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams and sorted sets of the Redis in memory, as far as the daemon uses them. One row holds one entry of either.
 */
#include "t/fake/redis_lists.h"

#include "t/fake/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { WORDS_MAX = 16 };

struct row {
	struct row *next; /* a stream's newest first; a set's least score first */
	char *key, *words[WORDS_MAX];
	int word_count;
	double score; /* of a set */
	char id[32];  /* of a stream; "" : a set's */
};

static struct row *rows;
static int64_t last_ms, last_number;

static char *copy(const char *string)
{
	char *made = strdup(string);
	if (made == NULL)
		abort();
	return made;
}

static void add_number(struct fake_reply *reply, long long number)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", number);
	fake_reply_add(reply, text);
}

static struct row *row_new(const char *key, int count, const char *const *words)
{
	struct row *row = calloc(1, sizeof *row);
	if (row == NULL || count > WORDS_MAX)
		abort();
	row->key = copy(key);
	for (; row->word_count < count; row->word_count++)
		row->words[row->word_count] = copy(words[row->word_count]);
	return row;
}

static void row_remove(struct row **at)
{
	struct row *gone = *at;
	*at = gone->next;
	for (int i = 0; i < gone->word_count; i++)
		free(gone->words[i]);
	free(gone->key);
	free(gone);
}

static void do_xadd(int argc, const char *const *argv, struct fake_reply *reply)
{
	int at = 2;
	while (at < argc && strcmp(argv[at], "*") != 0)
		at++;
	struct row *row = row_new(argv[1], argc - at - 1, argv + at + 1);
	last_number = last_ms == fake_clock_redis_ms() ? last_number + 1 : 0;
	last_ms = fake_clock_redis_ms();
	snprintf(row->id, sizeof row->id, "%lld-%lld", (long long)last_ms, (long long)last_number);
	row->next = rows;
	rows = row;
	fake_reply_add(reply, row->id);
}

/* Below 0: `a` is older. */
static int compare_ids(const char *a, const char *b)
{
	long long first[2] = { 0, 0 }, second[2] = { 0, 0 };
	first[0] = strtoll(a, NULL, 10);
	second[0] = strtoll(b, NULL, 10);
	if (strchr(a, '-') != NULL)
		first[1] = strtoll(strchr(a, '-') + 1, NULL, 10);
	if (strchr(b, '-') != NULL)
		second[1] = strtoll(strchr(b, '-') + 1, NULL, 10);
	int at = first[0] == second[0];
	return first[at] < second[at] ? -1 : first[at] > second[at];
}

/* XREVRANGE key end start COUNT n */
static void do_xrevrange(int argc, const char *const *argv, struct fake_reply *reply)
{
	long long most = argc > 5 ? strtoll(argv[5], NULL, 10) : 1000000;
	bool open = argv[2][0] == '(';
	for (struct row *row = rows; row != NULL && most > 0; row = row->next) {
		int to_end = argv[2][0] == '+' ? -1 : compare_ids(row->id, argv[2] + open);
		if (row->id[0] == '\0' || strcmp(row->key, argv[1]) != 0 || to_end > 0 || (open && to_end == 0) ||
		    (argv[3][0] != '-' && compare_ids(row->id, argv[3]) < 0))
			continue;
		most--;
		fake_reply_add(reply, row->id);
		for (int i = 0; i < row->word_count; i++)
			fake_reply_add(reply, row->words[i]);
	}
}

static struct row **member_of(const char *key, const char *member)
{
	struct row **at = &rows;
	while (*at != NULL &&
	       ((*at)->id[0] != '\0' || strcmp((*at)->key, key) != 0 || strcmp((*at)->words[0], member) != 0))
		at = &(*at)->next;
	return at;
}

static void do_zadd(int argc, const char *const *argv, struct fake_reply *reply)
{
	(void)argc;
	struct row **at = member_of(argv[1], argv[3]);
	if (*at != NULL)
		row_remove(at);
	struct row *row = row_new(argv[1], 1, argv + 3);
	row->score = strtod(argv[2], NULL);
	at = &rows;
	while (*at != NULL && (*at)->score <= row->score)
		at = &(*at)->next;
	row->next = *at;
	*at = row;
	add_number(reply, 1);
}

static void do_zrem(int argc, const char *const *argv, struct fake_reply *reply)
{
	int removed = 0;
	for (int i = 2; i < argc; i++) {
		struct row **at = member_of(argv[1], argv[i]);
		removed += *at != NULL;
		if (*at != NULL)
			row_remove(at);
	}
	add_number(reply, removed);
}

/* ZRANGEBYSCORE key least most [WITHSCORES] [LIMIT offset count] */
static void do_zrange(int argc, const char *const *argv, struct fake_reply *reply)
{
	bool scores = argc > 4 && strcmp(argv[4], "WITHSCORES") == 0;
	long long skip = 0, most = 1000000;
	if (argc >= 7) {
		skip = strtoll(argv[argc - 2], NULL, 10);
		most = strtoll(argv[argc - 1], NULL, 10);
	}
	for (const struct row *row = rows; row != NULL && most > 0; row = row->next) {
		if (row->id[0] != '\0' || strcmp(row->key, argv[1]) != 0 || row->score < strtod(argv[2], NULL) ||
		    row->score > strtod(argv[3], NULL) || skip-- > 0)
			continue;
		most--;
		fake_reply_add(reply, row->words[0]);
		if (scores) {
			char score[400];
			snprintf(score, sizeof score, "%.17g", row->score);
			fake_reply_add(reply, score);
		}
	}
}

static void do_card(int argc, const char *const *argv, struct fake_reply *reply)
{
	int count = 0;
	(void)argc;
	for (const struct row *row = rows; row != NULL; row = row->next)
		count += strcmp(row->key, argv[1]) == 0;
	add_number(reply, count);
}

/* clang-format off */
static const struct {
	const char *word;
	int least;
	void (*run)(int argc, const char *const *argv, struct fake_reply *reply);
} commands[] = {
	{ "XADD", 5, do_xadd }, { "XREVRANGE", 4, do_xrevrange }, { "XLEN", 2, do_card },
	{ "ZADD", 4, do_zadd }, { "ZREM", 3, do_zrem },	       { "ZCARD", 2, do_card },
	{ "ZRANGEBYSCORE", 4, do_zrange },
};
/* clang-format on */

bool fake_lists_command(int argc, const char *const *argv, struct fake_reply *reply)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcasecmp(argv[0], commands[i].word) == 0 && argc >= commands[i].least) {
			commands[i].run(argc, argv, reply);
			return true;
		}
	return false;
}

void fake_lists_clear(void)
{
	while (rows != NULL)
		row_remove(&rows);
}
