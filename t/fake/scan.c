/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes the place of milter/content/scan.c: a scanner that says what the scenario wants.
 */
#include "milter/content/scan.h"

#include "milter/base/clock.h"
#include "policy/base/text.h"
#include "t/fake/fake.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { SAYINGS_MAX = 8 };
#define SPAM_FROM 5.0

struct scan {
	struct content content; /* what it will say */
	enum fake_scanner how;
	int64_t until_ms;
	int saying;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char scanner[SCANNER_NAME_MAX + 1]; /* "" : all that are not named */
	enum fake_scanner how;
	double score;
	uint64_t failures; /* in a row */
} sayings[SAYINGS_MAX] = { { "", FAKE_SCANNER_ANSWERS, -1.0, 0 } };
static int saying_count = 1;
static char *seen;
static size_t seen_length;
static struct scan_stats stats;

void fake_scanner_is(const char *scanner, enum fake_scanner how, double score)
{
	int i = 0;
	pthread_mutex_lock(&lock);
	while (i < saying_count && strcmp(sayings[i].scanner, scanner) != 0)
		i++;
	if (i < SAYINGS_MAX) {
		text_copy(sayings[i].scanner, sizeof sayings[i].scanner, scanner);
		sayings[i].how = how;
		sayings[i].score = score;
		saying_count += i == saying_count;
	}
	pthread_mutex_unlock(&lock);
}

bool fake_scanner_saw(const char *part)
{
	pthread_mutex_lock(&lock);
	bool saw = seen != NULL && memmem(seen, seen_length, part, strlen(part)) != NULL;
	pthread_mutex_unlock(&lock);
	return saw;
}

size_t fake_scanner_length(void)
{
	pthread_mutex_lock(&lock);
	size_t length = seen_length;
	pthread_mutex_unlock(&lock);
	return length;
}

static void remember(const char *message, size_t length)
{
	free(seen);
	seen = malloc(length + 1);
	seen_length = seen != NULL ? length : 0;
	if (seen_length > 0)
		memcpy(seen, message, length);
}

static int saying_of(const struct scanner *scanner)
{
	int row = 0;
	for (int i = 1; i < saying_count; i++)
		if (strcmp(sayings[i].scanner, scanner->name) == 0)
			row = i;
	return row;
}

struct scan *scan_start(struct loop *loop, const struct scanner *scanner, const char *account, const char *message,
			size_t length)
{
	struct scan *scan = calloc(1, sizeof *scan);
	(void)loop;
	(void)account;
	if (scan == NULL)
		return NULL;
	pthread_mutex_lock(&lock);
	int row = saying_of(scanner);
	scan->saying = row;
	double score = sayings[row].score;
	scan->how = sayings[row].how;
	scan->until_ms = clock_monotonic_ms() + scanner->timeout_ms;
	scan->content = (struct content){
		.known = KNOWLEDGE_FULL, .spam = score >= SPAM_FROM, .score = score, .threshold = SPAM_FROM
	};
	text_copy(scan->content.rules, sizeof scan->content.rules, "FAKE_RULE");
	remember(message, length);
	stats.scans++;
	pthread_mutex_unlock(&lock);
	return scan;
}

void scan_collect(struct scan *scan, int64_t deadline_ms, struct content *content_out)
{
	*content_out = (struct content){ .known = KNOWLEDGE_NONE };
	if (scan == NULL)
		return;
	while (scan->how == FAKE_SCANNER_SILENT && clock_monotonic_ms() < deadline_ms &&
	       clock_monotonic_ms() < scan->until_ms)
		usleep(1000);
	pthread_mutex_lock(&lock);
	bool answers = scan->how == FAKE_SCANNER_ANSWERS;
	stats.answers += answers;
	stats.failures += scan->how == FAKE_SCANNER_AWAY;
	stats.timeouts += scan->how == FAKE_SCANNER_SILENT;
	uint64_t *failures = &sayings[scan->saying].failures;
	*failures = answers ? 0 : *failures + 1;
	pthread_mutex_unlock(&lock);
	if (answers)
		*content_out = scan->content;
}

void scan_release(struct scan **scan)
{
	free(*scan);
	*scan = NULL;
}

void scan_end_all(void)
{
	pthread_mutex_lock(&lock);
	free(seen);
	seen = NULL;
	seen_length = 0;
	pthread_mutex_unlock(&lock);
}

struct scan_stats scan_stats(void)
{
	pthread_mutex_lock(&lock);
	struct scan_stats copy = stats;
	pthread_mutex_unlock(&lock);
	return copy;
}

uint64_t scan_failures(const struct scanner *scanner)
{
	pthread_mutex_lock(&lock);
	uint64_t failures = sayings[saying_of(scanner)].failures;
	pthread_mutex_unlock(&lock);
	return failures;
}
