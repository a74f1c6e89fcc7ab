/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/rbl/rbl_show.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/rbl/rbl_picture.h"
#include "milter/ctl/rbl/rbl_text.h"
#include "policy/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	SENTENCE_MAX = 4000, /* bytes */
	HANG = 10,	     /* columns: where the text behind a label begins */
	ADDRESS_HANG = 20,
	SUM_HANG = 2,
	REASONS_MAX = 12, /* told apart */
};

struct rbl_show {
	const char *target;	     /* borrowed */
	bool verbose, network, many; /* many: other than one address, so that a line must say of whom it is */
	json_t *subjects;	     /* owned: what was kept of each until all of it is there: from, origin, ptr, by */
	json_t *unknown, *skipped;   /* owned: reason -> lists */
	json_t *by;		     /* owned, of a network: list -> its first listing, with "count" */
	int64_t answers, missing, unasked; /* of a network: of all lists about all addresses */
	json_t *sums;			   /* owned, of one address; NULL: not there yet */
	char *last;		     /* owned: subject and list of the listing that stands last on the paper; or NULL */
	struct rbl_picture *picture; /* owned; NULL: none */
};

struct rbl_show *rbl_show_new(const char *target, bool verbose)
{
	struct rbl_show *show = have_memory(calloc(1, sizeof *show));
	show->target = target;
	show->verbose = verbose;
	show->subjects = have_memory(json_object());
	show->unknown = have_memory(json_object());
	show->skipped = have_memory(json_object());
	show->by = have_memory(json_object());
	return show;
}

void rbl_show_free(struct rbl_show **show)
{
	if (*show == NULL)
		return;
	json_decref((*show)->subjects);
	json_decref((*show)->unknown);
	json_decref((*show)->skipped);
	json_decref((*show)->by);
	json_decref((*show)->sums);
	rbl_picture_free(&(*show)->picture);
	free((*show)->last);
	free(*show);
	*show = NULL;
}

/* What is kept of the subject of a line; made where there is none yet. */
static json_t *rbl_show_subject_of(struct rbl_show *show, const json_t *line)
{
	const char *subject = text_of(line, "subject");
	json_t *kept = json_object_get(show->subjects, subject);
	if (kept == NULL) {
		kept = have_memory(json_object());
		json_object_set_new(show->subjects, subject, kept);
	}
	return kept;
}

/* Forgets which listing stands last: something else was printed. */
static void print_row(struct rbl_show *show, const struct paper *paper, const char *label, enum tone tone, size_t hang,
		      const char *text)
{
	print_labelled(paper, label, tone, hang, text);
	free(show->last);
	show->last = NULL;
}

/* ---- parts ---- */

static void rbl_show_print_known(struct rbl_show *show, const json_t *kept, const char *indent,
				 const struct paper *paper)
{
	static const struct {
		const char *member, *label;
		void (*add)(struct text *text, const json_t *line);
	} rows[] = {
		{ "origin", "origin", rbl_add_origin },
		{ "ptr", "PTR", rbl_add_names },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char memory[SENTENCE_MAX], label[40];
		struct text text = text_over(memory, sizeof memory);
		const json_t *line = json_object_get(kept, rows[i].member);
		if (line == NULL)
			continue;
		rows[i].add(&text, line);
		snprintf(label, sizeof label, "%s%s", indent, rows[i].label);
		print_row(show, paper, label, TONE_PLAIN, strlen(indent) + HANG - 2, memory);
	}
}

/* "2 lists: timed out", "3 lists: timed out (2), refused us (1)" */
static void rbl_show_print_reasons(struct rbl_show *show, const json_t *reasons, const char *label,
				   const struct paper *paper)
{
	char memory[SENTENCE_MAX];
	struct text text = text_over(memory, sizeof memory);
	const char *why, *before = ": ";
	json_t *count;
	int64_t sum = 0;
	json_object_foreach((json_t *)(uintptr_t)reasons, why, count) sum += json_integer_value(count);
	if (sum == 0)
		return;
	text_addf(&text, "%" PRId64 " %s", sum, show->many ? "answers" : sum == 1 ? "list" : "lists");
	json_object_foreach((json_t *)(uintptr_t)reasons, why, count)
	{
		text_addf(&text, "%s%s", before, why);
		if (json_object_size(reasons) > 1)
			text_addf(&text, " (%" JSON_INTEGER_FORMAT ")", json_integer_value(count));
		before = ", ";
	}
	print_row(show, paper, label, TONE_DOUBT, HANG, memory);
}

static void rbl_show_count_reason(json_t *reasons, const char *why)
{
	if (*why == '\0')
		why = "no reason given";
	json_t *count = json_object_get(reasons, why);
	if (count == NULL && json_object_size(reasons) >= REASONS_MAX)
		count = json_object_get(reasons, why = "other reasons");
	json_object_set_new(reasons, why, json_integer(json_integer_value(count) + 1));
}

/* ---- a network ---- */

static void rbl_show_keep_listing(struct rbl_show *show, const json_t *line)
{
	const char *name = text_of(line, "list");
	json_t *kept = rbl_show_subject_of(show, line), *names = json_object_get(kept, "by");
	json_t *first = json_object_get(show->by, name);
	if (names == NULL)
		json_object_set_new(kept, "by", names = have_memory(json_array()));
	if (!rbl_is_noted(line))
		json_array_append_new(names, json_string(name));
	if (first == NULL)
		json_object_set_new(show->by, name, first = have_memory(json_deep_copy(line)));
	json_object_set_new(first, "count", json_integer(whole_of(first, "count") + 1));
}

/* The names in one line of `columns`: "a, b, and 3 more" where they do not fit. */
static void rbl_show_add_names_cut(struct text *text, const json_t *names, size_t columns)
{
	size_t i, used = 0, count = json_array_size(names);
	json_t *item;
	json_array_foreach(names, i, item)
	{
		const char *name = json_string_value(item);
		size_t wide = (i == 0 ? 0 : 2) + text_columns(name),
		       behind = i + 1 < count ? sizeof ", and 99 more" - 1 : 0;
		if (i > 0 && used + wide + behind > columns) {
			text_addf(text, ", and %zu more", count - i);
			return;
		}
		text_addf(text, "%s%s", i == 0 ? "" : ", ", name);
		used += wide;
	}
}

static void rbl_show_print_address(struct rbl_show *show, const char *subject, const json_t *kept,
				   const struct paper *paper)
{
	char memory[SENTENCE_MAX], label[100];
	struct text text = text_over(memory, sizeof memory);
	const json_t *names = json_object_get(kept, "by");
	if (json_array_size(names) == 0)
		return;
	if (paper->width > ADDRESS_HANG + 1 && !show->verbose)
		rbl_show_add_names_cut(&text, names, (size_t)paper->width - ADDRESS_HANG - 1);
	else
		rbl_add_items(&text, names);
	snprintf(label, sizeof label, "  %.90s", subject);
	print_row(show, paper, label, TONE_BAD, ADDRESS_HANG, memory);
}

/* Which lists these are is not told of each address: too much of it. */
static void rbl_show_print_missing(struct rbl_show *show, const struct paper *paper)
{
	char memory[SENTENCE_MAX];
	if (show->missing > 0) {
		snprintf(memory, sizeof memory, "%" PRId64 " of %" PRId64 " answers did not come", show->missing,
			 show->answers);
		print_row(show, paper, "  unknown", TONE_DOUBT, HANG, memory);
	}
	if (show->unasked > 0) {
		snprintf(memory, sizeof memory, "%" PRId64 " questions were not asked", show->unasked);
		print_row(show, paper, "  skipped", TONE_DOUBT, HANG, memory);
	}
}

static void rbl_show_count_address(struct rbl_show *show, const json_t *line)
{
	int64_t listed = whole_of(line, "listed"), clean = whole_of(line, "clean"), unknown = whole_of(line, "unknown");
	show->answers += listed + clean + unknown;
	show->missing += unknown;
	show->unasked += whole_of(line, "skipped");
	if (show->picture != NULL)
		rbl_picture_mark(show->picture, text_of(line, "subject"),
				 listed > 0		       ? '#'
				 : whole_of(line, "noted") > 0 ? '+'
				 : clean > 0		       ? '.'
				 : unknown > 0		       ? '?'
							       : ' ');
}

/* Each list that lists something here, and where one asks to be taken off. */
static void rbl_show_print_lists(struct rbl_show *show, const struct paper *paper)
{
	const char *name;
	json_t *first;
	json_object_foreach(show->by, name, first)
	{
		char memory[SENTENCE_MAX];
		struct text text = text_over(memory, sizeof memory);
		const char *page = text_of(first, "removal");
		int64_t count = whole_of(first, "count");
		rbl_add_list(&text, first);
		text_addf(&text, "%s: %" PRId64 " %s", rbl_is_noted(first) ? ", without weight" : "", count,
			  count == 1 ? "address" : "addresses");
		if (*page != '\0')
			text_addf(&text, "; removal: %s", page);
		print_row(show, paper, "  list", TONE_TITLE, HANG, memory);
	}
}

/* ---- the lines ---- */

static void rbl_show_on_begin(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	char memory[SENTENCE_MAX], label[400];
	struct text text = text_over(memory, sizeof memory);
	const char *kind = text_of(line, "kind");
	int64_t lists = whole_of(line, "lists");
	show->network = strcmp(kind, "network") == 0;
	show->many = strcmp(kind, "address") != 0;
	rbl_picture_free(&show->picture); /* a daemon may begin twice */
	if (show->network && paper->width > 0)
		show->picture = rbl_picture_new(whole_of(line, "prefix"));
	text_addf(&text, "asking %" PRId64 " %s", lists, lists == 1 ? "list" : "lists");
	if (show->network)
		text_addf(&text, " about %" PRId64 " addresses", whole_of(line, "subjects"));
	snprintf(label, sizeof label, "%.390s:", show->target);
	print_row(show, paper, label, TONE_TITLE, SUM_HANG, memory);
}

static void rbl_show_on_target(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	char memory[SENTENCE_MAX];
	const char *from = text_of(line, "from");
	if (show->network || *from == '\0')
		return;
	snprintf(memory, sizeof memory, "%s (%s)", text_of(line, "subject"), from);
	print_row(show, paper, "  address", TONE_PLAIN, HANG, memory);
}

static void rbl_show_print_listing(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	char memory[SENTENCE_MAX];
	struct text text = text_over(memory, sizeof memory);
	const char *page = text_of(line, "removal"), *what = "removal";
	bool good = strcmp(text_of(line, "kind"), "allow") == 0, noted = rbl_is_noted(line);
	if (show->many)
		text_addf(&text, "%s ", text_of(line, "subject"));
	text_add(&text, "by ");
	rbl_add_list(&text, line);
	text_addf(&text, ": %s ", text_of(line, "kind"));
	rbl_add_items(&text, json_object_get(line, "codes"));
	if (noted)
		text_add(&text, ", without weight");
	else if (!good)
		text_addf(&text, ", weight %.4g", number_of(line, "weight"));
	print_row(show, paper,
		  good	  ? "  allowed"
		  : noted ? "  named"
			  : "  LISTED",
		  good	  ? TONE_GOOD
		  : noted ? TONE_PLAIN
			  : TONE_BAD,
		  HANG, memory);
	if (*page == '\0') {
		page = text_of(line, "site");
		what = "see";
	}
	if (*page != '\0' && !good) {
		text = text_over(memory, sizeof memory);
		text_addf(&text, "%s: %s", what, page);
		print_row(show, paper, "", TONE_PLAIN, HANG, memory);
	}
	if (asprintf(&show->last, "%s %s", text_of(line, "subject"), text_of(line, "list")) < 0)
		show->last = NULL;
}

static void rbl_show_print_silent(struct rbl_show *show, const json_t *line, const char *label,
				  const struct paper *paper)
{
	char memory[SENTENCE_MAX];
	struct text text = text_over(memory, sizeof memory);
	if (show->many)
		text_addf(&text, "%s: ", text_of(line, "subject"));
	rbl_add_list(&text, line);
	text_addf(&text, ": %s", text_of(line, "why"));
	print_row(show, paper, label, TONE_DOUBT, HANG, memory);
}

static void rbl_show_on_list(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	const char *said = text_of(line, "said");
	bool skipped = strcmp(said, "skipped") == 0;
	if (strcmp(said, "listed") == 0) {
		if (!show->network)
			rbl_show_print_listing(show, line, paper);
		else if (strcmp(text_of(line, "kind"), "allow") != 0)
			rbl_show_keep_listing(show, line);
	} else if (skipped || strcmp(said, "unknown") == 0) {
		rbl_show_count_reason(skipped ? show->skipped : show->unknown, text_of(line, "why"));
		if (show->verbose)
			rbl_show_print_silent(show, line, skipped ? "  skipped" : "  unknown", paper);
	}
}

/* Below its listing where that stands last; other lists may have answered since. */
static void rbl_show_on_text(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	char memory[SENTENCE_MAX], whose[400];
	struct text text = text_over(memory, sizeof memory);
	const char *subject = text_of(line, "subject"), *list = text_of(line, "list");
	if (show->network && !show->verbose)
		return;
	snprintf(whose, sizeof whose, "%s %s", subject, list);
	bool below = show->last != NULL && strcmp(show->last, whose) == 0;
	if (!below && show->many)
		text_addf(&text, "%s: ", subject);
	if (!below)
		text_addf(&text, "%s ", list);
	text_addf(&text, "says: %s", text_of(line, "text"));
	if (below)
		print_labelled(paper, "", TONE_PLAIN, HANG, memory);
	else
		print_row(show, paper, "", TONE_PLAIN, HANG, memory);
}

static void on_origin(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	(void)paper;
	json_object_set(rbl_show_subject_of(show, line), "origin", (json_t *)(uintptr_t)line);
}

static void on_ptr(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	(void)paper;
	json_object_set(rbl_show_subject_of(show, line), "ptr", (json_t *)(uintptr_t)line);
}

/* Of a network its one origin is kept to its end. */
static void rbl_show_on_subject(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	char memory[SENTENCE_MAX], label[300];
	struct text text = text_over(memory, sizeof memory);
	const char *subject = text_of(line, "subject");
	const json_t *kept = json_object_get(show->subjects, subject);
	if (show->network) {
		rbl_show_count_address(show, line);
		rbl_show_print_address(show, subject, kept, paper);
	} else if (show->many) {
		enum tone tone = rbl_add_sums(&text, line);
		snprintf(label, sizeof label, "  %.290s:", subject);
		print_row(show, paper, label, tone, SUM_HANG + 2, memory);
		rbl_show_print_known(show, kept, "    ", paper);
	} else {
		json_decref(show->sums);
		show->sums = json_deep_copy(line);
		return; /* its origin and names come before the sums, at the end */
	}
	if (json_object_get(kept, "origin") == NULL || !show->network)
		json_object_del(show->subjects, subject);
	else
		json_object_del((json_t *)(uintptr_t)kept, "by");
}

/* "192.0.2.0/24: 3 of 256 addresses listed (weight 4.5), 1 without any answer, in 3210 ms" */
static enum tone rbl_show_add_end(const struct rbl_show *show, struct text *text, const json_t *end)
{
	int64_t listed = whole_of(end, "listed"), subjects = whole_of(end, "subjects");
	int64_t unknown = whole_of(end, "unknown"), skipped = whole_of(end, "skipped"), noted = whole_of(end, "noted");
	const char *what = show->network ? "addresses" : "addresses and names";
	if (listed > 0)
		text_addf(text, "%" PRId64 " of %" PRId64 " %s listed", listed, subjects, what);
	else
		text_addf(text, "none of %" PRId64 " %s listed", subjects, what);
	rbl_add_weight(text, number_of(end, "weight"));
	if (noted > 0)
		text_addf(text, ", %" PRId64 " %snamed by lists without weight", noted, listed > 0 ? "others " : "");
	if (unknown > 0)
		text_addf(text, ", %" PRId64 " without any answer", unknown);
	if (skipped > 0)
		text_addf(text, ", %" PRId64 " not asked about", skipped);
	rbl_add_time(text, end);
	return listed > 0 ? TONE_BAD : unknown > 0 || skipped > 0 ? TONE_DOUBT : TONE_GOOD;
}

static void rbl_show_on_end(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	char memory[SENTENCE_MAX], label[400];
	struct text text = text_over(memory, sizeof memory);
	rbl_show_rest(show, paper);
	if (whole_of(line, "subjects") == 0)
		return; /* nothing was asked, and its error says why */
	rbl_show_print_lists(show, paper);
	if (show->picture != NULL)
		rbl_picture_print(show->picture, paper);
	rbl_show_print_missing(show, paper);
	rbl_show_print_reasons(show, show->unknown, "  unknown", paper);
	rbl_show_print_reasons(show, show->skipped, "  skipped", paper);
	enum tone tone = show->sums != NULL ? rbl_add_sums(&text, show->sums) : rbl_show_add_end(show, &text, line);
	snprintf(label, sizeof label, "%.390s:", show->target);
	print_row(show, paper, label, tone, SUM_HANG, memory);
}

void rbl_show_rest(struct rbl_show *show, const struct paper *paper)
{
	const char *subject;
	json_t *kept;
	json_object_foreach(show->subjects, subject, kept)
	{
		rbl_show_print_address(show, subject, kept, paper);
		rbl_show_print_known(show, kept, "  ", paper);
	}
	json_object_clear(show->subjects);
}

void rbl_show_line(struct rbl_show *show, const json_t *line, const struct paper *paper)
{
	static const struct {
		const char *type;
		void (*on)(struct rbl_show *show, const json_t *line, const struct paper *paper);
	} rows[] = {
		{ "begin", rbl_show_on_begin },	    { "target", rbl_show_on_target }, { "list", rbl_show_on_list },
		{ "text", rbl_show_on_text },	    { "origin", on_origin },	      { "ptr", on_ptr },
		{ "subject", rbl_show_on_subject }, { "end", rbl_show_on_end },
	};
	const char *type = text_of(line, "type");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].type, type) == 0)
			rows[i].on(show, line, paper);
}
