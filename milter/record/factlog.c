/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/record/factlog.h"

#include "milter/base/log.h"
#include "milter/base/own_hash.h"
#include "milter/base/plain_file.h"
#include "milter/base/wait.h"
#include "policy/base/text.h"
#include "policy/replay/factline.h"
#include "policy/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	BUFFER = 1 << 20,
	WAKE_AT = BUFFER / 4,
	WRITE_MS = 500,
	SEEN_ROWS = 65536, /* accounts whose state was written not long ago */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool runs, stops;
	int fd;	     /* -1: off */
	int next_fd; /* takes its place before the next write; -1: none */
	bool reopened, off;
	bool hashed;
	uint64_t key[2];
	char *bytes;	       /* BUFFER; lines that wait ... */
	size_t length, before; /* ... of which the first bytes are the file's before `next_fd` */
	struct factlog_stats stats;
	uint64_t said;	/* lost, as the log has it */
	uint64_t *seen; /* hash and day of an account whose state was written, by its hash */
} facts = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .fd = -1, .next_fd = -1 };

/* ---- the thread */

static void factlog_take_file(void)
{
	if (!facts.reopened)
		return;
	if (facts.fd >= 0)
		close(facts.fd);
	facts.fd = facts.next_fd;
	facts.next_fd = -1;
	facts.reopened = false;
}

/* What a full disk took of a line is followed by an end of line, so that the next one is whole. */
static size_t factlog_write_lines(const char *bytes, size_t length)
{
	size_t done = 0;
	while (done < length) {
		ssize_t wrote = write(facts.fd, bytes + done, length - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			break;
		done += (size_t)wrote;
	}
	return done;
}

static uint64_t factlog_lines_in(const char *bytes, size_t length)
{
	uint64_t lines = 0;
	for (const char *end = bytes + length; (bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL; bytes++)
		lines++;
	return lines;
}

/* With the lock held. */
static void factlog_lose(uint64_t lines, const char *why)
{
	facts.stats.lost += lines;
	text_copy(facts.stats.why, sizeof facts.stats.why, why);
	if (!facts.stats.losing)
		log_line(SEVERITY_WARNING, "facts.file: %s; lines are lost until that ends", why);
	facts.stats.losing = true;
}

/* With the lock held. */
static void factlog_end_loss(const char *sentence)
{
	if (facts.stats.losing)
		log_line(SEVERITY_INFO, "facts.file: %s; %llu lines were lost", sentence,
			 (unsigned long long)(facts.stats.lost - facts.said));
	facts.said = facts.stats.lost;
	facts.stats.losing = false;
}

/* The first `length` bytes of those that wait. With the lock held, which is given up while the disk is waited for. */
static void factlog_write_first(char *own, size_t length)
{
	memcpy(own, facts.bytes, length);
	facts.length -= length;
	facts.before -= facts.before < length ? facts.before : length;
	memmove(facts.bytes, facts.bytes + length, facts.length);
	if (facts.fd < 0 || length == 0)
		return;
	pthread_mutex_unlock(&facts.lock);
	size_t done = factlog_write_lines(own, length);
	int why = errno;
	bool cut = done < length && done > 0 && own[done - 1] != '\n';
	if (cut && write(facts.fd, "\n", 1) != 1)
		why = errno;
	pthread_mutex_lock(&facts.lock);
	if (done < length) {
		factlog_lose(factlog_lines_in(own + done, length - done), strerror(why));
	} else if (facts.length < WAKE_AT) {
		factlog_end_loss("it is written again");
	}
}

/* With the lock held. */
static void factlog_flush(char *own)
{
	while (facts.before > 0)
		factlog_write_first(own, facts.before);
	factlog_take_file();
	if (facts.fd < 0)
		factlog_end_loss("none is written any more");
	factlog_write_first(own, facts.length);
}

static void *factlog_writer(void *arg)
{
	char *own = arg;
	pthread_mutex_lock(&facts.lock);
	while (!facts.stops) {
		wait_cond(&facts.wake, &facts.lock, WRITE_MS);
		factlog_flush(own);
	}
	factlog_flush(own);
	pthread_mutex_unlock(&facts.lock);
	free(own);
	return NULL;
}

/* ---- opening */

static void make_key(const char *salt)
{
	for (uint64_t i = 0; i < 2; i++)
		facts.key[i] = hash_keyed((const uint64_t[]){ i, 0x70656e73746f636bU }, salt, strlen(salt));
}

static bool factlog_start_thread(void)
{
	char *own = malloc(BUFFER);
	if (facts.bytes == NULL)
		facts.bytes = malloc(BUFFER);
	if (facts.seen == NULL)
		facts.seen = calloc(SEEN_ROWS, sizeof *facts.seen);
	facts.stops = false;
	facts.runs = own != NULL && facts.bytes != NULL && facts.seen != NULL &&
		     pthread_create(&facts.thread, NULL, factlog_writer, own) == 0;
	if (!facts.runs)
		free(own);
	return facts.runs;
}

/* With the lock held. */
static void factlog_enter(const struct settings *set, int fd)
{
	if (facts.next_fd >= 0)
		close(facts.next_fd);
	facts.next_fd = fd;
	facts.before = facts.length;
	facts.reopened = true;
	if (facts.fd < 0) /* nobody writes */
		factlog_take_file();
	facts.hashed = set->facts_accounts == FACTS_HASHED;
	make_key(set->facts_salt);
	facts.off = fd < 0;
	if (facts.seen != NULL) /* the new file has nobody's state yet */
		memset(facts.seen, 0, SEEN_ROWS * sizeof *facts.seen);
	pthread_cond_signal(&facts.wake);
}

bool factlog_open(const struct config *config, char *error, size_t error_size)
{
	const struct settings *set = &config->set;
	bool wanted = set->facts_file[0] != '\0';
	const char *why = NULL;
	int fd = wanted ? plain_file_open(set->facts_file, O_WRONLY | O_CREAT | O_APPEND, &why) : -1;
	if (wanted && fd < 0) {
		snprintf(error, error_size,
			 "\"%s\" cannot be opened: %s; the systemd unit lets the daemon write below "
			 "/var/log/penstock",
			 set->facts_file, why);
		return false;
	}
	pthread_mutex_lock(&facts.lock);
	bool fine = facts.runs || !wanted || factlog_start_thread();
	if (fine)
		factlog_enter(set, fd);
	pthread_mutex_unlock(&facts.lock);
	if (!fine && fd >= 0)
		close(fd);
	if (!fine)
		snprintf(error, error_size, "its thread cannot be made");
	return fine;
}

void factlog_close(void)
{
	pthread_mutex_lock(&facts.lock);
	bool runs = facts.runs;
	facts.stops = true;
	facts.runs = false;
	pthread_cond_signal(&facts.wake);
	pthread_mutex_unlock(&facts.lock);
	if (runs)
		pthread_join(facts.thread, NULL);
	factlog_take_file();
	if (facts.fd >= 0)
		close(facts.fd);
	facts.fd = -1;
	free(facts.bytes);
	free(facts.seen);
	facts.bytes = NULL;
	facts.seen = NULL;
	facts.length = 0;
}

struct factlog_stats factlog_stats(void)
{
	pthread_mutex_lock(&facts.lock);
	struct factlog_stats stats = facts.stats;
	pthread_mutex_unlock(&facts.lock);
	return stats;
}

/* ---- lines */

/* Who hides the accounts hides what tells of them: addresses of clients, senders, hosts of links, customers and
 * domains. */
static void factlog_hide(struct factline *line)
{
	struct facts *known = &line->facts;
	char hidden[17];
	uint64_t *const hashes[] = {
		&known->client_address, &known->client_network, &known->client_wide, &known->client_as,
		&known->sender,		&known->mailer,		&known->text
	};
	factline_hide(facts.key, known->account, hidden);
	text_copy(known->account, sizeof known->account, hidden);
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
		if (*hashes[i] != 0)
			*hashes[i] = hash_keyed(facts.key, hashes[i], sizeof *hashes[i]);
	for (int i = 0; i < known->host_count && i < FACT_HOSTS_MAX; i++)
		known->hosts[i] = hash_keyed(facts.key, &known->hosts[i], sizeof known->hosts[i]);
	char *const names[] = { known->state.limits.customer, line->spf_domain, known->state.history.unauthorised };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i][0] != '\0') {
			factline_hide(facts.key, names[i], hidden);
			memcpy(names[i], hidden, sizeof hidden);
		}
	/* hashes of another kind than the ones above now are */
	struct habits *habits = &known->state.history.habits;
	memset(habits->networks, 0, sizeof habits->networks);
	memset(habits->ases, 0, sizeof habits->ases);
	memset(habits->senders, 0, sizeof habits->senders);
	memset(habits->mailers, 0, sizeof habits->mailers);
	habits_read(habits, HABIT_TEXT, NULL, 0);
}

/* With the lock held. */
static void factlog_add_line(struct factline *line, enum factline_kind kind)
{
	char bytes[FACTLINE_MAX + 1];
	line->kind = kind;
	size_t length = factline_write(line, bytes);
	if (length == 0 || facts.length + length + 1 > BUFFER) {
		factlog_lose(1, length == 0 ? "a line is too long" : "the disk does not keep up");
		return;
	}
	memcpy(facts.bytes + facts.length, bytes, length);
	facts.bytes[facts.length + length] = '\n';
	facts.length += length + 1;
	if (facts.length >= WAKE_AT)
		pthread_cond_signal(&facts.wake);
}

/* What was remembered of an account goes before its first line of a day, so that a replay need not begin at its birth.
 */
static bool factlog_state_is_due(const struct facts *known)
{
	if (known->state.known == KNOWLEDGE_NONE || known->state.history.first_s == 0)
		return false;
	uint64_t mark = own_hash_string(known->account, (uint64_t)(known->now_ms / 86400000));
	uint64_t *row = &facts.seen[own_hash_string(known->account, 1) % SEEN_ROWS];
	bool due = *row != mark;
	*row = mark;
	return due;
}

static void factlog_fill_line(struct factline *line, const struct facts *judged, const struct verdict *verdict,
			      enum stage stage)
{
	line->stage = stage;
	line->facts = *judged;
	if (line->facts.spf.domain != NULL)
		text_copy(line->spf_domain, sizeof line->spf_domain, line->facts.spf.domain);
	line->was =
		(struct factline_was){ .action = verdict->action,
				       .level = verdict->level,
				       .score = verdict->score,
				       .cause = verdict->action == ACTION_PASS ? (enum reason_id)0 : verdict->cause };
	if (verdict->pool != NULL)
		text_copy(line->was.pool, sizeof line->was.pool, verdict->pool->name);
}

void factlog_note(const struct facts *judged, const struct verdict *verdict, enum stage stage)
{
	pthread_mutex_lock(&facts.lock);
	bool wanted = facts.runs && !facts.off;
	pthread_mutex_unlock(&facts.lock);
	if (!wanted || judged->account[0] == '\0')
		return;
	struct factline line = { .kind = FACTLINE_MESSAGE };
	factlog_fill_line(&line, judged, verdict, stage);
	pthread_mutex_lock(&facts.lock);
	if (facts.runs) {
		bool due = factlog_state_is_due(&line.facts);
		if (facts.hashed)
			factlog_hide(&line);
		if (due)
			factlog_add_line(&line, FACTLINE_STATE);
		factlog_add_line(&line, FACTLINE_MESSAGE);
	}
	pthread_mutex_unlock(&facts.lock);
}

void factlog_feedback(const char *account, enum counter counter, double count, int64_t now_ms)
{
	struct factline line = { .counter = counter, .count = count };
	line.facts.now_ms = now_ms;
	text_copy(line.facts.account, sizeof line.facts.account, account);
	pthread_mutex_lock(&facts.lock);
	if (facts.runs && !facts.off) {
		if (facts.hashed)
			factlog_hide(&line);
		factlog_add_line(&line, FACTLINE_FEEDBACK);
	}
	pthread_mutex_unlock(&facts.lock);
}
