/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What speaks for an account: from a score to the entry of explain, and from there to what an admin reads.
 */
#include "milter/ctl/explain_show.h"
#include "milter/ctl/show.h"

#include "milter/base/json.h"
#include "policy/spoke.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <string.h>

static struct score score;

static void set(enum signal signal, double raw, double term, enum spoke spoke)
{
	score.raw[signal] = raw;
	score.term[signal] = term;
	score.spoke[signal] = (unsigned char)spoke;
}

static const json_t *row_of(const json_t *terms, const char *name)
{
	size_t index;
	json_t *row;
	json_array_foreach(terms, index,
			   row) if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0) return row;
	return NULL;
}

static const char *spoke_of(const json_t *terms, const char *name)
{
	const char *word = json_string_value(json_object_get(row_of(terms, name), "spoke"));
	return word != NULL ? word : "-";
}

static void test_entry(void)
{
	json_t *terms = json_terms(signal_defaults, &score);
	is_int((int64_t)json_array_size(terms), 10, "each signal that has something to say has a row");
	is_near(json_real_value(json_object_get(row_of(terms, "burst"), "value")), 2.1, 1e-9, "with its value");
	is_near(json_real_value(json_object_get(row_of(terms, "burst"), "term")), 0.4, 1e-9, "... and its term");
	is_near(json_real_value(json_object_get(row_of(terms, "burst"), "cap")), 3.5, 1e-9, "... and its cap");
	is_str(spoke_of(terms, "burst"), "to people it knows", "... and what damped it");
	is_str(spoke_of(terms, "new_place"), "as usual for the account", "one without a term says why it has none");
	ok(json_object_get(row_of(terms, "new_place"), "cap") == NULL, "... and nothing else");
	is_str(spoke_of(terms, "spam"), "-", "a plain term needs no word");
	ok(row_of(terms, "traps") == NULL, "what says nothing has no row");
	json_decref(terms);
}

static char *shown(const json_t *terms)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	show_spoke(terms, "term", 2, to);
	fclose(to);
	return text;
}

static void test_shown(void)
{
	json_t *terms = json_terms(signal_defaults, &score);
	char *text = shown(terms);
	is_str(text,
	       "\n"
	       "  WHAT SPEAKS FOR IT        SIGNALS\n"
	       "  to people it knows        burst +0.40, campaign +1.00\n"
	       "  as usual for the account  new_rcpts, new_place, sender_mismatch, header_anomalies,\n"
	       "                            unusual_hour\n"
	       "\n"
	       "  WHAT CANNOT BE JUDGED  SIGNALS\n"
	       "  not known              content, fan_ases\n",
	       "by what was said, once each");
	free(text);
	json_decref(terms);
	terms = json_pack("[{s:s, s:f}, {s:s, s:s}, {s:s, s:i}]", "name", "spam", "term", 1.0, "name", "new_signal",
			  "spoke", "a word of a newer daemon", "name", "odd", "spoke", 7);
	text = shown(terms);
	is_str(text, "\n  WHAT SPEAKS FOR IT        SIGNALS\n  a word of a newer daemon  new_signal\n",
	       "a word that this tool does not know; another kind of value");
	free(text);
	json_decref(terms);
	text = shown(NULL);
	is_str(text, "", "an older daemon says nothing");
	free(text);
}

/* The terms that are shown make up the sum. */
static void test_sum(void)
{
	json_t *answer =
		json_pack("{s:[{s:f, s:f, s:f, s:[{s:s, s:f}, {s:s, s:f}]}]}", "entries", "prior", -4.5, "score", 0.7,
			  "soft_left_out", 1.8, "terms", "name", "burst", "term", 3.0, "name", "away", "term", 4.0);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	show_explain(answer, false, to);
	fclose(to);
	const char *row = strstr(text, "soft signals' cap");
	ok(row != NULL && strstr(row, "-1.80") != NULL, "what soft signals bring beyond their bound is taken off");
	free(text);
	json_decref(answer);
}

static void test_words(void)
{
	is_str(spoke_word(SPOKE_NOTHING), "", "nothing is no word");
	is_str(spoke_word(SPOKE_COUNT), "", "nor is what is none of them");
	for (int i = 1; i < SPOKE_COUNT; i++)
		ok(*spoke_word((enum spoke)i) != '\0', "%d has a word: %s", i, spoke_word((enum spoke)i));
}

int main(void)
{
	set(SIGNAL_CONTENT, 0, 0, SPOKE_UNKNOWN);
	set(SIGNAL_SPAM, 0.7, 0.7, SPOKE_NOTHING);
	set(SIGNAL_BURST, 2.1, 0.4, SPOKE_KNOWN_RCPTS);
	set(SIGNAL_NEW_RCPTS, 0, 0, SPOKE_USUAL);
	set(SIGNAL_FAN_ASES, 0, 0, SPOKE_UNKNOWN);
	set(SIGNAL_NEW_PLACE, 0, 0, SPOKE_USUAL);
	set(SIGNAL_CAMPAIGN, 1, 1, SPOKE_KNOWN_RCPTS);
	set(SIGNAL_SENDER_MISMATCH, 0, 0, SPOKE_USUAL);
	set(SIGNAL_HEADER_ANOMALIES, 0, 0, SPOKE_USUAL);
	set(SIGNAL_UNUSUAL_HOUR, 0, 0, SPOKE_USUAL);
	test_entry();
	test_shown();
	test_sum();
	test_words();
	return done_testing();
}
