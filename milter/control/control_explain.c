/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_explain.h"

#include "milter/base/clock.h"
#include "milter/control/control_request.h"
#include "milter/daemon/daemon.h"
#include "milter/base/exchange.h"
#include "milter/base/idn.h"
#include "milter/base/json_read.h"
#include "milter/base/queue_id.h"
#include "milter/message/reference.h"
#include "milter/report/report.h"
#include "milter/base/json.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	ID_MAX = 47,
	AROUND_BEFORE_S = 60, /* two clocks, and a queue of entries */
	AROUND_AFTER_S = 300,
};

/* How an entry was found; the least number is shown. */
enum match { MATCH_REFERENCE, MATCH_QUEUE_ID, MATCH_ACCOUNT, MATCH_NONE };

static const char *const match_words[] = { "reference", "queue_id", "account" };

enum { FIELDS_MOST = 4 };

/* What is read of Redis: "1767225600123-0" r REFERENCE q QUEUEID a ACCOUNT e JSON, in pieces of so many entries. */
static const struct control_explain_stream {
	const char *key;
	int piece;
	int fields;
	const char *names[FIELDS_MOST];
} of_entries = { "explain", 200, 4, { "r", "q", "a", "e" } }, of_ids = { "explain_ids", 1000, 2, { "q", "r" } };

struct control_explain {
	struct exchange_call *call; /* owes exchange_answer */
	char what[ACCOUNT_MAX + 1], reference[REFERENCE_MAX + 1], account[ACCOUNT_MAX + 1];
	const char *expected;			     /* of an account's name, where it is none; NULL: it is one */
	int64_t around_s;			     /* second of the reference; 0: all is read */
	char newest[ID_MAX + 2], oldest[ID_MAX + 2]; /* what is read next, and how far back */
	char seen[ID_MAX + 1];			     /* the last one that was read ... */
	int64_t seen_s;				     /* ... and its time, of the entries */
	long long read, strange;		     /* entries */
	enum match match;
	const struct control_explain_stream *stream;
	bool ids_asked, alike; /* of_ids was asked; `reference` is from there */
	json_t *entries;       /* owned */
};

static int under_way; /* the loop thread's */

/* Takes `json`; NULL: no memory. */
static void control_explain_finish(struct control_explain *explaining, json_t *json)
{
	if (json != NULL && json_object_get(json, "error") == NULL)
		json_object_set_new(json, "ok", json_true());
	control_send(explaining->call, json);
	json_decref(explaining->entries);
	free(explaining);
	under_way--;
}

static void finish_error(struct control_explain *explaining, const char *error)
{
	control_explain_finish(explaining, json_pack("{s:o}", "error", json_text(error)));
}

static json_t *control_explain_result(const struct control_explain *explaining)
{
	int64_t seen_s = explaining->seen_s;
	return json_pack("{s:o, s:s, s:O, s:I, s:I}", "what", json_text(explaining->what), "kind",
			 explaining->alike ? "alike" : match_words[explaining->match], "entries", explaining->entries,
			 "read", (json_int_t)explaining->read, "reaches_back_s",
			 (json_int_t)(seen_s > 0 ? clock_now_ms() / 1000 - seen_s : 0));
}

static void control_explain_say_kept(struct text *text)
{
	struct setup *setup = setup_hold();
	const struct settings *set = &setup->config->set;
	text_add(text, " A message that left as usual has no explanation, unless its account is suspect.");
	if (set->explain_keep == 0)
		text_add(text, " No other has one either, since explain.keep is 0.");
	else
		text_addf(text, " The last %lld or so are kept", (long long)set->explain_keep);
	if (set->explain_keep > 0 && set->explain_days > 0)
		text_addf(text, ", for %g %s at most", set->explain_days, set->explain_days == 1 ? "day" : "days");
	if (set->explain_keep > 0)
		text_add(text, " (explain.keep, explain.days).");
	setup_drop(&setup);
}

static void control_explain_say_nothing_found(struct control_explain *explaining)
{
	char error[1000], shown[200];
	struct text text = text_over(error, sizeof error);
	int64_t minutes = (clock_now_ms() / 1000 - explaining->seen_s + 59) / 60;
	text_copy(shown, sizeof shown, explaining->what);
	text_addf(&text, "explain: nothing is known of \"%s\", as %sa queue id or an account.", shown,
		  explaining->reference[0] != '\0' && !explaining->alike ? "a reference, " : "");
	if (explaining->expected != NULL)
		text_addf(&text, " It is no name of an account: expected %s.", explaining->expected);
	if (explaining->read == 0)
		text_add(&text, " There are no explanations.");
	else
		text_addf(&text, " %lld %s read, back to %lld %s ago.", explaining->read,
			  text_noun(explaining->read, "explanation was", "explanations were"), (long long)minutes,
			  text_noun(minutes, "minute", "minutes"));
	if (explaining->strange > 0)
		text_addf(&text, " %lld %s of another form than ours.", explaining->strange,
			  text_noun(explaining->strange, "entry is", "entries are"));
	control_explain_say_kept(&text);
	finish_error(explaining, error);
}

/* The account as it stands now, behind what was found in the stream. */
static void control_explain_on_fetched(void *arg, const struct account_state *state, const struct known *rcpts)
{
	struct control_explain *explaining = arg;
	(void)rcpts;
	bool known = state->known != KNOWLEDGE_NONE && account_noted(state);
	if (!known && json_array_size(explaining->entries) == 0) {
		control_explain_say_nothing_found(explaining);
		return;
	}
	explaining->match = MATCH_ACCOUNT;
	explaining->alike = false;
	json_t *json = control_explain_result(explaining);
	if (json != NULL)
		json_object_set_new(json, "account", report_account(explaining->account, state));
	control_explain_finish(explaining, json);
}

static void control_explain_read_piece(struct control_explain *explaining);

static void control_explain_read_anew(struct control_explain *explaining, const struct control_explain_stream *stream)
{
	explaining->stream = stream;
	explaining->read = stream == &of_entries ? 0 : explaining->read;
	text_copy(explaining->newest, sizeof explaining->newest, "+");
	text_copy(explaining->oldest, sizeof explaining->oldest, "-");
	control_explain_read_piece(explaining);
}

/* Only the time of the reference is read at first. */
static void control_explain_look_around(struct control_explain *explaining)
{
	int64_t at_s = explaining->around_s;
	snprintf(explaining->newest, sizeof explaining->newest, "%lld", (long long)(at_s + AROUND_AFTER_S) * 1000);
	snprintf(explaining->oldest, sizeof explaining->oldest, "%lld",
		 (long long)(at_s > AROUND_BEFORE_S ? at_s - AROUND_BEFORE_S : 0) * 1000);
}

/* The entries have no such queue id: does one of them stand for it? */
static void control_explain_take_alike(struct control_explain *explaining)
{
	explaining->stream = &of_entries;
	explaining->read = 0;
	control_explain_look_around(explaining);
	control_explain_read_piece(explaining);
}

/* All was read, or enough was found. */
static void control_explain_read_all(struct control_explain *explaining)
{
	bool none = explaining->match == MATCH_NONE;
	if (explaining->stream == &of_ids && explaining->alike) {
		control_explain_take_alike(explaining);
	} else if (explaining->match == MATCH_REFERENCE || explaining->match == MATCH_QUEUE_ID) {
		control_explain_finish(explaining, control_explain_result(explaining));
	} else if (none && explaining->around_s != 0) {
		explaining->around_s = 0;
		control_explain_read_anew(explaining, &of_entries);
	} else if (none && !explaining->ids_asked && queue_id_fine(explaining->what)) {
		explaining->ids_asked = true;
		control_explain_read_anew(explaining, &of_ids);
	} else if (explaining->account[0] != '\0') {
		store_look(the_daemon.store, explaining->account, control_explain_on_fetched, explaining);
	} else {
		control_explain_say_nothing_found(explaining);
	}
}

static enum match control_explain_match_of(const struct control_explain *explaining, const char *const *words)
{
	if (explaining->reference[0] != '\0' && strcmp(words[2], explaining->reference) == 0)
		return MATCH_REFERENCE;
	if (strcmp(words[4], explaining->what) == 0)
		return MATCH_QUEUE_ID;
	bool same = explaining->account[0] != '\0' && strcmp(words[6], explaining->account) == 0;
	return same ? MATCH_ACCOUNT : MATCH_NONE;
}

static bool control_explain_is_ours(const struct control_explain_stream *stream, const char *const *words)
{
	for (int i = 0; i < 1 + 2 * stream->fields; i++)
		if (words[i] == NULL)
			return false;
	for (int i = 0; i < stream->fields; i++)
		if (strcmp(words[1 + 2 * i], stream->names[i]) != 0)
			return false;
	return strspn(words[0], "0123456789-") == strlen(words[0]) && strlen(words[0]) <= ID_MAX;
}

/* An entry that is matched better than those before takes their place. */
static void control_explain_take(struct control_explain *explaining, const char *const *words)
{
	enum match match = control_explain_match_of(explaining, words);
	if (match > explaining->match || match == MATCH_NONE ||
	    json_array_size(explaining->entries) == EXPLAIN_ENTRIES_MAX)
		return;
	char why[300];
	json_t *entry = json_read(JSON_OF_STORE, words[8], strlen(words[8]), why, sizeof why);
	if (entry == NULL) {
		explaining->strange++;
		return;
	}
	if (match < explaining->match)
		json_array_clear(explaining->entries);
	explaining->match = match;
	json_array_append_new(explaining->entries, entry);
}

/* The newest of that queue id holds. */
static void take_id(struct control_explain *explaining, const char *const *words)
{
	if (!explaining->alike && strcmp(words[2], explaining->what) == 0)
		explaining->alike = reference_read(words[4], explaining->reference, &explaining->around_s);
}

static void control_explain_on_piece(void *arg, const char *error, int count, const char *const *items)
{
	struct control_explain *explaining = arg;
	int at = 0, read = 0;
	char sentence[300];
	if (error != NULL) {
		control_read_error(sentence, sizeof sentence, "explain", "the explanations", error);
		finish_error(explaining, sentence);
		return;
	}
	const struct control_explain_stream *stream = explaining->stream;
	const int words = 1 + 2 * stream->fields;
	for (; at + words <= count && control_explain_is_ours(stream, items + at); at += words, read++) {
		(stream == &of_ids ? take_id : control_explain_take)(explaining, items + at);
		text_copy(explaining->seen, sizeof explaining->seen, items[at]);
	}
	if (stream == &of_entries && read > 0) {
		explaining->read += read;
		explaining->seen_s = strtoll(explaining->seen, NULL, 10) / 1000;
	}
	explaining->strange += at < count;
	bool enough =
		(stream == &of_ids && explaining->alike) || explaining->match == MATCH_REFERENCE ||
		explaining->match == MATCH_QUEUE_ID ||
		(explaining->match == MATCH_ACCOUNT && json_array_size(explaining->entries) == EXPLAIN_ENTRIES_MAX);
	if (enough || read < stream->piece) {
		control_explain_read_all(explaining);
		return;
	}
	snprintf(explaining->newest, sizeof explaining->newest, "(%s", explaining->seen);
	control_explain_read_piece(explaining);
}

static void control_explain_read_piece(struct control_explain *explaining)
{
	char count[12];
	snprintf(count, sizeof count, "%d", explaining->stream->piece);
	const char *argv[] = { "XREVRANGE", explaining->stream->key, explaining->newest, explaining->oldest, "COUNT",
			       count };
	store_key_command(the_daemon.store, 6, argv, control_explain_on_piece, explaining);
}

bool control_explain_start(struct exchange_call *call, const char *what, char *error, size_t error_size)
{
	struct setup *setup = setup_hold();
	bool cut_tag = setup->config->set.accounts_cut_tag;
	setup_drop(&setup);
	struct control_explain *explaining = under_way < CONTROL_EXPLAINS_MAX ? calloc(1, sizeof *explaining) : NULL;
	if (explaining == NULL || (explaining->entries = json_array()) == NULL) {
		snprintf(error, error_size,
			 "explain: %d are in progress already, or the daemon is out of memory; try again.", under_way);
		free(explaining);
		return false;
	}
	explaining->call = call;
	explaining->stream = &of_entries;
	explaining->match = MATCH_NONE;
	text_copy(explaining->what, sizeof explaining->what, what);
	text_copy(explaining->newest, sizeof explaining->newest, "+");
	text_copy(explaining->oldest, sizeof explaining->oldest, "-");
	explaining->expected = idn_typed(what, cut_tag, explaining->account);
	if (explaining->expected != NULL)
		explaining->account[0] = '\0';
	/* without its dash a queue id may look like one */
	if (reference_read(what, explaining->reference, &explaining->around_s) && strchr(what, '-') != NULL) {
		control_explain_look_around(explaining);
	} else {
		explaining->around_s = 0;
	}
	under_way++;
	control_explain_read_piece(explaining);
	return true;
}
