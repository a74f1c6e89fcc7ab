/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/notes.h"

#include "milter/base/log.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	NOTES_NAME_MAX = 64, /* "NODE:WRITER:" */
	NOTES_ASKED = 100,   /* entries of the stream that are looked at in one answer */
};

struct notes_item {
	struct notes_item *next;
	uint64_t ordinal;
	struct client_note note;
};

struct notes {
	struct store *store;
	char name[NOTES_NAME_MAX];
	notes_eased *eased;
	void *arg;
	struct notes_item *first, **last; /* owned; what is under way is their beginning */
	int under_way;			  /* notes of the batch that was sent and has no answer; 0: none was */
	bool asking, knows;		  /* up to which line the stream has them */
	char behind[48];		  /* where the next question about that begins; "" at the end of the stream */
	int asked;			  /* entries so far */
	bool paused;			  /* Redis did not take something: until the next tick nothing is sent */
	bool said_lost;			  /* ... until all have gone */
	int64_t sent_ms;
	int batch; /* notes that `rows` has; a batch stays what it is until Redis has it */
	char rows[CLIENT_NOTE_BATCH_MAX * CLIENT_NOTE_ROW_MAX];
	char number[NOTES_NAME_MAX + 24];
	struct notes_counts counts;
};

/* ---- what waits */

static void notes_drop_first(struct notes *notes)
{
	struct notes_item *item = notes->first;
	notes->first = item->next;
	if (notes->first == NULL)
		notes->last = &notes->first;
	notes->counts.pending--;
	free(item);
}

static void notes_lose(struct notes *notes, const char *why)
{
	notes->counts.lost++;
	if (!notes->said_lost)
		log_line(SEVERITY_WARNING,
			 "clients: what the log says of clients is lost, the oldest first, until Redis takes it: %s",
			 why);
	notes->said_lost = true;
	text_copy(notes->counts.why, sizeof notes->counts.why, why);
}

void notes_add(struct notes *notes, uint64_t ordinal, const struct client_note *note)
{
	struct notes_item *item = malloc(sizeof *item);
	if (item == NULL) {
		notes_lose(notes, "there is no memory");
		return;
	}
	if (notes->counts.pending >= NOTES_MOST && notes->batch == 0) { /* what may be there already stays first */
		notes_drop_first(notes);
		notes_lose(notes, "too many wait");
	} else if (notes->counts.pending >= NOTES_MOST) {
		free(item);
		notes_lose(notes, "too many wait");
		return;
	}
	*item = (struct notes_item){ .ordinal = ordinal, .note = *note };
	*notes->last = item;
	notes->last = &item->next;
	notes->counts.pending++;
}

/* ---- the next batch */

/* A line's notes go together, so a batch may have fewer than the most. */
static void notes_fill(struct notes *notes)
{
	char row[CLIENT_NOTE_ROW_MAX];
	struct text rows = text_over(notes->rows, sizeof notes->rows);
	uint64_t last = notes->first->ordinal;
	int count = 0, whole = 0;
	size_t whole_length = 0;
	for (const struct notes_item *item = notes->first; item != NULL && count < CLIENT_NOTE_BATCH_MAX;
	     item = item->next) {
		client_note_write(&item->note, row);
		text_add(&rows, row);
		count++;
		bool full = count == CLIENT_NOTE_BATCH_MAX && whole == 0; /* no line makes so many; it is cut */
		if (item->next != NULL && item->next->ordinal == item->ordinal && !full)
			continue;
		whole = count;
		whole_length = rows.length;
		last = item->ordinal;
	}
	notes->rows[whole_length] = '\0';
	notes->batch = whole;
	snprintf(notes->number, sizeof notes->number, "%s%" PRIu64, notes->name, last);
}

/* What it says of the command and not of this moment. */
static bool notes_is_final(const char *error)
{
	return strncmp(error, "NOPERM", 6) == 0 || strncmp(error, "WRONGTYPE", 9) == 0 ||
	       strncmp(error, "ERR ", 4) == 0;
}

static void notes_settle(struct notes *notes)
{
	for (; notes->batch > 0; notes->batch--)
		notes_drop_first(notes);
}

static void notes_on_added(void *arg, const char *error, int count, const char *const *items)
{
	struct notes *notes = arg;
	(void)count;
	(void)items;
	notes->under_way = 0;
	if (error == NULL) {
		notes->counts.sent += (uint64_t)notes->batch;
		notes_settle(notes);
		if (notes->counts.pending == 0) {
			notes->said_lost = false;
			notes->counts.why[0] = '\0';
		}
	} else if (notes_is_final(error)) {
		for (int i = 0; i < notes->batch; i++)
			notes_lose(notes, error);
		notes_settle(notes);
	} else {
		notes->paused = true;
	}
	if (notes->eased != NULL)
		notes->eased(notes->arg);
}

static void notes_begin(struct notes *notes)
{
	char most[12];
	snprintf(most, sizeof most, "%d", CLIENT_NOTE_STREAM_MOST);
	if (notes->batch == 0)
		notes_fill(notes);
	notes->under_way = notes->batch;
	const char *argv[] = {
		"XADD", KEY_PART_CLIENTS, "MAXLEN", "~", most, "*", "n", notes->number, "r", notes->rows
	};
	store_key_command(notes->store, (int)(sizeof argv / sizeof argv[0]), argv, notes_on_added, notes);
}

/* ---- what the stream has already */

static void notes_leave_out(struct notes *notes, uint64_t ordinal)
{
	while (notes->first != NULL && notes->first->ordinal <= ordinal) {
		notes_drop_first(notes);
		notes->counts.left_out++;
	}
	notes->knows = true;
}

/* Newest first: an id, then names and values. The first number of ours is the highest. */
static bool notes_find(const struct notes *notes, int count, const char *const *items, uint64_t *ordinal_out)
{
	size_t length = strlen(notes->name);
	for (int i = 0; i + 1 < count; i++) {
		int64_t ordinal;
		if (items[i] == NULL || items[i + 1] == NULL || strcmp(items[i], "n") != 0 ||
		    strncmp(items[i + 1], notes->name, length) != 0 ||
		    !text_to_int(items[i + 1] + length, 1, INT64_MAX, &ordinal))
			continue;
		*ordinal_out = (uint64_t)ordinal;
		return true;
	}
	return false;
}

/* The id of the last entry; how many there are. */
static int notes_last_id(int count, const char *const *items, const char **id_out)
{
	int entries = 0;
	for (int i = 0; i < count; i++) {
		size_t digits = items[i] != NULL ? strspn(items[i], "0123456789") : 0;
		if (digits == 0 || items[i][digits] != '-' || strlen(items[i]) > 40)
			continue;
		*id_out = items[i];
		entries++;
	}
	return entries;
}

static void notes_on_stream(void *arg, const char *error, int count, const char *const *items)
{
	struct notes *notes = arg;
	uint64_t ordinal = 0;
	const char *last = "";
	notes->asking = false;
	if (error != NULL) {
		if (notes_is_final(error))
			notes->knows = true; /* to add is refused, too, and says so */
		else
			notes->paused = true;
	} else if (notes_find(notes, count, items, &ordinal)) {
		notes_leave_out(notes, ordinal);
	} else {
		int entries = notes_last_id(count, items, &last);
		notes->asked += entries;
		notes->knows = entries < NOTES_ASKED || notes->asked >= 2 * CLIENT_NOTE_STREAM_MOST;
		snprintf(notes->behind, sizeof notes->behind, "(%s", last);
	}
	if (notes->eased != NULL)
		notes->eased(notes->arg);
}

static void notes_ask(struct notes *notes)
{
	char most[12];
	snprintf(most, sizeof most, "%d", NOTES_ASKED);
	notes->asking = true;
	const char *argv[] = { "XREVRANGE", KEY_PART_CLIENTS, notes->behind[0] != '\0' ? notes->behind : "+",
			       "-",	    "COUNT",	      most };
	store_key_command(notes->store, (int)(sizeof argv / sizeof argv[0]), argv, notes_on_stream, notes);
}

/* ---- */

void notes_send(struct notes *notes, int64_t now_ms, bool at_once)
{
	if (notes->paused || notes->asking || notes->under_way > 0 || notes->first == NULL)
		return;
	if (!notes->knows) {
		notes_ask(notes);
		return;
	}
	if (!at_once && notes->batch == 0 && notes->counts.pending < CLIENT_NOTE_BATCH_MAX &&
	    now_ms - notes->sent_ms < NOTES_EVERY_MS)
		return;
	notes->sent_ms = now_ms;
	notes_begin(notes);
}

void notes_tick(struct notes *notes, int64_t now_ms)
{
	notes->paused = false;
	notes_send(notes, now_ms, true);
}

bool notes_idle(const struct notes *notes)
{
	return notes->counts.pending == 0;
}

struct notes_counts notes_counts(const struct notes *notes)
{
	return notes->counts;
}

struct notes *notes_new(struct store *store, const char *node, uint64_t writer, notes_eased *eased, void *arg)
{
	struct notes *notes = calloc(1, sizeof *notes);
	if (notes == NULL)
		return NULL;
	notes->store = store;
	notes->eased = eased;
	notes->arg = arg;
	notes->last = &notes->first;
	snprintf(notes->name, sizeof notes->name, "%s:%010" PRIx64 ":", node, writer);
	return notes;
}

void notes_free(struct notes **notes)
{
	if (*notes == NULL)
		return;
	while ((*notes)->first != NULL)
		notes_drop_first(*notes);
	free(*notes);
	*notes = NULL;
}
