/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as the lines of a mail log: sessions, mail that waits for their end and notes of clients stay within their
 * bounds, and a restart behind any line changes nothing.
 */
#include "milter/follow/behaviour.h"
#include "milter/follow/checkpoint.h"
#include "milter/follow/quits.h"
#include "t/fuzz/fuzz.h"

enum { NOW = 1767225600, MESSAGES = 8, DUE = 16 };

struct parts {
	struct sessions *sessions;
	struct quits *quits;
	uint64_t hash; /* of all that came of the lines */
};

static void begin(struct parts *parts)
{
	*parts = (struct parts){ sessions_new(), quits_new(MESSAGES), 0 };
	MUST(parts->sessions != NULL && parts->quits != NULL);
}

static void end(struct parts *parts)
{
	sessions_free(&parts->sessions);
	quits_free(&parts->quits);
}

static void hash_text(struct parts *parts, const char *text)
{
	for (; *text != '\0'; text++)
		parts->hash = parts->hash * 1099511628211U + (unsigned char)*text;
}

static void check_note(const struct client_note *note)
{
	struct client_note read;
	char row[CLIENT_NOTE_ROW_MAX], error[200];
	size_t length = client_note_write(note, row);
	if (note->time_s > 0 && note->time_s < INT64_C(4102444800))
		MUST(client_note_read(row, length, &read, error, sizeof error) && strcmp(read.name, note->name) == 0);
}

static void hear(struct parts *parts, struct span line)
{
	struct log_head head;
	struct log_event event;
	struct session_news news;
	struct client_note notes[BEHAVIOUR_MOST];
	struct quits_due due[DUE];
	char row[CLIENT_NOTE_ROW_MAX];
	if (!line_head(line.at, line.length, NOW, &head))
		return;
	log_event_read(&head, &event);
	sessions_hear(parts->sessions, &head, &event, &news);
	quits_hear(parts->quits, &event, &news);
	int count = behaviour_of(&head, &event, &news, notes);
	for (int i = 0; i < count; i++) {
		check_note(&notes[i]);
		client_note_write(&notes[i], row);
		hash_text(parts, row);
	}
	MUST(quits_counts(parts->quits).messages <= (size_t)2 * MESSAGES);
	for (int deletes = 0; deletes < 2; deletes++) {
		int found = quits_due(parts->quits, deletes != 0, DUE, due);
		for (int i = 0; i < found; i++) {
			MUST(quits_why_deletes(due[i].why) == (deletes != 0));
			hash_text(parts, due[i].queue_id);
			hash_text(parts, due[i].listed);
		}
	}
}

static bool take(void *arg, const struct checkpoint_row *row)
{
	const struct parts *parts = arg;
	return sessions_load(parts->sessions, row) || quits_load(parts->quits, row);
}

static void restart(struct parts *parts, const char *file)
{
	char error[300];
	bool found;
	uint64_t hash = parts->hash;
	struct checkpoint *to = checkpoint_begin(file, error, sizeof error);
	MUST(to != NULL);
	sessions_save(parts->sessions, to);
	quits_save(parts->quits, to);
	MUST(checkpoint_commit(&to, error, sizeof error));
	end(parts);
	begin(parts);
	MUST(checkpoint_load(file, take, parts, &found, error, sizeof error) && found);
	parts->hash = hash;
}

static uint64_t hash_lines(const uint8_t *data, size_t size, const char *file)
{
	static struct line_split split;
	struct span chunk = { (const char *)data, size }, line;
	struct parts parts;
	int count = 0;
	memset(&split, 0, sizeof split);
	begin(&parts);
	while (line_split(&split, &chunk, &line)) {
		hear(&parts, line);
		if (file != NULL && ++count % 7 == 0)
			restart(&parts, file);
	}
	end(&parts);
	return parts.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char file[60];
	setenv("TZ", "UTC", 1);
	snprintf(file, sizeof file, "/tmp/penstock-fuzz-sessions-%d", (int)getpid());
	uint64_t whole = hash_lines(data, size, NULL);
	MUST(hash_lines(data, size, file) == whole);
	unlink(file);
	return 0;
}
