/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of a fact line, a row each. They are read in the order in which they are written: the reader looks at the
 * next row first, and only for a word out of its place at all others.
 */
#include "policy/replay/factline.h"

#include "policy/replay/factline_inside.h"
#include "policy/hash.h"

#include <string.h>

#include "policy/base/banned.h"

enum factline_form {
	FORM_INT,
	FORM_HEX,
	FORM_HEX32,
	FORM_REAL,
	FORM_TEXT,
	FORM_WORD,
	FORM_FLAGS,
	FORM_PARTS,
	FORM_LISTINGS
};
enum { M = 1 << FACTLINE_MESSAGE, F = 1 << FACTLINE_FEEDBACK, S = 1 << FACTLINE_STATE };

typedef const char *word_of(int number);

/* ---- words of enums. A number of 0 is unknown and is not written. */

#define WORDS(name, type, function) \
	static const char *name(int number) \
	{ \
		return function((enum type)number); \
	}
WORDS(source_at, source, source_word)
WORDS(class_at, mail_class, mail_class_word)
WORDS(spf_at, spf_answer, spf_answer_word)
WORDS(action_at, action, action_word)
WORDS(cause_at, reason_id, reason_word)
WORDS(standing_at, client_standing, client_standing_word)
WORDS(level_at, level, level_word)
WORDS(counter_at, counter, counter_word)
#undef WORDS

static const char *stage_at(int number)
{
	return number == STAGE_MAIL ? "mail" : number == STAGE_RCPT ? "rcpt" : number == STAGE_MESSAGE ? "eom" : "";
}

static const char *client_at(int number)
{
	static const char *const words[CLIENT_KIND_COUNT] = { "unknown", "stranger", "own_network", "authenticated" };
	return words[number];
}

static const char *knowledge_at(int number)
{
	static const char *const words[] = { "none", "local", "full" };
	return words[number];
}

static const char *ours_at(int number)
{
	static const char *const words[] = { "unknown", "fine", "none_passes" };
	return words[number];
}

/* ---- letters of yes and no. A reason of an admin's is not written: "x" stands for it. */

#define FLAG_ROWS(ROW) \
	ROW('a', facts.authenticated) \
	ROW('c', facts.content.spam) \
	ROW('f', facts.forwarder) \
	ROW('g', facts.breach.blocked) \
	ROW('i', facts.injected) \
	ROW('k', facts.client_known) \
	ROW('l', facts.listings.asked) \
	ROW('m', facts.memory_spent) \
	ROW('n', facts.rcpts_new_known) \
	ROW('o', facts.overloaded) \
	ROW('q', facts.quit_watched) \
	ROW('r', facts.tried_again) \
	ROW('u', facts.client_ours) \
	ROW('s', facts.sender_own) \
	ROW('b', facts.state.block[0]) \
	ROW('x', facts.state.exempt[0])

static void factline_write_flags(struct text *text, const struct factline *line)
{
#define FLAG_WRITE(letter, member) \
	if (line->member) \
		text_add_bytes(text, (const char[]){ letter }, 1);
	FLAG_ROWS(FLAG_WRITE)
#undef FLAG_WRITE
}

static bool factline_read_flags(struct value value, struct factline *line)
{
	for (const char *at = value.at; at < value.end; at++)
		switch (*at) {
#define FLAG_READ(letter, member) \
	case letter: \
		line->member = true; \
		break;
			FLAG_ROWS(FLAG_READ)
#undef FLAG_READ
		default:
			break;
		}
	return true;
}

/* ---- the rows */

/* clang-format off */
static const struct factline_row {
	char word[3];
	unsigned char kinds;
	enum factline_form form;
	size_t offset;
	int count;		/* of TEXT: bytes at the member; of WORD: how many */
	word_of *word_at;
	value_writer *write;
	value_reader *read;
} rows[] = {
#define AT(member) offsetof(struct factline, member)
#define ROOM(member) sizeof(((struct factline *)0)->member)
	{ "t", M | F | S, FORM_INT, AT(facts.now_ms), 0, NULL, NULL, NULL },
	{ "a", M | F | S, FORM_TEXT, AT(facts.account), ROOM(facts.account), NULL, NULL, NULL },
	{ "st", M, FORM_WORD, AT(stage), STAGE_MESSAGE + 1, stage_at, NULL, NULL },
	{ "so", M, FORM_WORD, AT(facts.source), SOURCE_COUNT, source_at, NULL, NULL },
	{ "cl", M, FORM_WORD, AT(facts.client), CLIENT_KIND_COUNT, client_at, NULL, NULL },
	{ "f", M, FORM_FLAGS, 0, 0, NULL, factline_write_flags, factline_read_flags },
	{ "kn", M, FORM_WORD, AT(facts.state.known), KNOWLEDGE_FULL + 1, knowledge_at, NULL, NULL },
	{ "mc", M, FORM_WORD, AT(facts.class), MAIL_CLASS_COUNT, class_at, NULL, NULL },
	{ "ca", M, FORM_HEX, AT(facts.client_address), 0, NULL, NULL, NULL },
	{ "cn", M, FORM_HEX, AT(facts.client_network), 0, NULL, NULL, NULL },
	{ "cw", M, FORM_HEX, AT(facts.client_wide), 0, NULL, NULL, NULL },
	{ "cs", M, FORM_HEX, AT(facts.client_as), 0, NULL, NULL, NULL },
	{ "sg", M, FORM_WORD, AT(facts.client_standing), CLIENT_STANDING_COUNT, standing_at, NULL, NULL },
	{ "gu", M, FORM_REAL, AT(facts.login_guesses), 0, NULL, NULL, NULL },
	{ "se", M, FORM_HEX, AT(facts.sender), 0, NULL, NULL, NULL },
	{ "ma", M, FORM_HEX, AT(facts.mailer), 0, NULL, NULL, NULL },
	{ "an", M, FORM_HEX32, AT(facts.anomalies), 0, NULL, NULL, NULL },
	{ "rr", M, FORM_INT, AT(facts.rcpts_remote), 0, NULL, NULL, NULL },
	{ "rl", M, FORM_INT, AT(facts.rcpts_local), 0, NULL, NULL, NULL },
	{ "ru", M, FORM_INT, AT(facts.rcpts_unknown_mailer), 0, NULL, NULL, NULL },
	{ "ra", M, FORM_INT, AT(facts.rcpts_again), 0, NULL, NULL, NULL },
	{ "rn", M, FORM_INT, AT(facts.rcpts_new), 0, NULL, NULL, NULL },
	{ "rt", M, FORM_INT, AT(facts.rcpts_trapped), 0, NULL, NULL, NULL },
	{ "kb", M, FORM_INT, AT(facts.kbytes), 0, NULL, NULL, NULL },
	{ "tx", M, FORM_HEX, AT(facts.text), 0, NULL, NULL, NULL },
	{ "tw", M, FORM_INT, AT(facts.text_words), 0, NULL, NULL, NULL },
	{ "th", M, FORM_PARTS, 0, 0, NULL, write_link_hosts, read_link_hosts },
	{ "of", M, FORM_INT, AT(facts.local_offset_s), 0, NULL, NULL, NULL },
	{ "lu", M, FORM_WORD, AT(facts.listings.unknown), LISTS_MAX + 1, NULL, NULL, NULL },
	{ "lh", M, FORM_LISTINGS, 0, 0, NULL, write_listings, NULL },
	{ "sc", M, FORM_WORD, AT(facts.spf.client), SPF_ANSWER_COUNT, spf_at, NULL, NULL },
	{ "sp", M, FORM_WORD, AT(facts.spf.ours), SPF_OURS_NONE_PASSES + 1, ours_at, NULL, NULL },
	{ "sd", M, FORM_TEXT, AT(spf_domain), ROOM(spf_domain), NULL, NULL, NULL },
	{ "ck", M, FORM_WORD, AT(facts.content.known), KNOWLEDGE_FULL + 1, knowledge_at, NULL, NULL },
	{ "cc", M, FORM_REAL, AT(facts.content.score), 0, NULL, NULL, NULL },
	{ "ct", M, FORM_REAL, AT(facts.content.threshold), 0, NULL, NULL, NULL },
	{ "cm", M, FORM_PARTS, 0, 0, NULL, write_campaign, read_campaign },
	{ "ow", M, FORM_PARTS, 0, 0, NULL, write_limits, read_limits },
	{ "br", M, FORM_PARTS, 0, 0, NULL, write_breach, read_breach },
	{ "wa", M, FORM_WORD, AT(was.action), ACTION_COUNT, action_at, NULL, NULL },
	{ "wc", M, FORM_WORD, AT(was.cause), REASON_COUNT, cause_at, NULL, NULL },
	{ "wl", M, FORM_WORD, AT(was.level), LEVEL_COUNT, level_at, NULL, NULL },
	{ "wp", M, FORM_TEXT, AT(was.pool), ROOM(was.pool), NULL, NULL, NULL },
	{ "ws", M, FORM_REAL, AT(was.score), 0, NULL, NULL, NULL },
	{ "co", F, FORM_WORD, AT(counter), COUNTER_COUNT, counter_at, NULL, NULL },
	{ "n", F, FORM_REAL, AT(count), 0, NULL, NULL, NULL },
	{ "hr", S, FORM_PARTS, 0, 0, NULL, write_rates, read_rates },
	{ "hc", S, FORM_PARTS, 0, 0, NULL, write_counters, read_counters },
	{ "hl", S, FORM_WORD, AT(facts.state.history.level), LEVEL_COUNT, level_at, NULL, NULL },
	{ "hs", S, FORM_INT, AT(facts.state.history.level_since_s), 0, NULL, NULL, NULL },
	{ "hf", S, FORM_INT, AT(facts.state.history.first_s), 0, NULL, NULL, NULL },
	{ "hp", S, FORM_INT, AT(facts.state.history.pardoned_s), 0, NULL, NULL, NULL },
	{ "hu", S, FORM_TEXT, AT(facts.state.history.unauthorised), ROOM(facts.state.history.unauthorised), NULL, NULL, NULL },
	{ "h1", S, FORM_PARTS, 0, 0, NULL, write_places, read_places },
	{ "h2", S, FORM_PARTS, 0, 0, NULL, write_week, read_week },
	{ "h3", S, FORM_PARTS, 0, 0, NULL, write_known, read_known },
	{ "h4", S, FORM_PARTS, 0, 0, NULL, write_written, read_written },
#undef AT
#undef ROOM
};
/* clang-format on */
enum { ROWS = sizeof rows / sizeof rows[0] };
_Static_assert(ROWS <= 64, "a set of them is a uint64_t");

static const char letters[FACTLINE_KIND_COUNT + 1] = {
#define KIND_LETTER(id, letter) letter,
	FACTLINE_KIND_ROWS(KIND_LETTER)
#undef KIND_LETTER
};

/* ---- writing */

#define MEMBER(type, line, row) (*(const type *)(const void *)((const char *)(line) + (row)->offset))

/* False where there is nothing to write. */
static bool factline_write_value(struct text *text, const struct factline_row *row, const struct factline *line)
{
	size_t before = text->length;
	const char *string = (const char *)line + row->offset;
	switch (row->form) {
	case FORM_INT:
		if (MEMBER(int64_t, line, row) != 0)
			add_int(text, MEMBER(int64_t, line, row));
		break;
	case FORM_HEX:
		if (MEMBER(uint64_t, line, row) != 0)
			add_hex(text, MEMBER(uint64_t, line, row));
		break;
	case FORM_HEX32:
		if (MEMBER(uint32_t, line, row) != 0)
			add_hex(text, MEMBER(uint32_t, line, row));
		break;
	case FORM_REAL:
		if (MEMBER(uint64_t, line, row) != 0) /* all bits of a nought */
			add_real(text, MEMBER(double, line, row));
		break;
	case FORM_TEXT:
		add_escaped(text, string);
		break;
	case FORM_WORD:
		if (MEMBER(int, line, row) == 0)
			break;
		if (row->word_at != NULL)
			add_escaped(text, row->word_at(MEMBER(int, line, row)));
		else
			add_int(text, MEMBER(int, line, row));
		break;
	default:
		row->write(text, line);
	}
	return text->length > before;
}

size_t factline_write(const struct factline *line, char bytes[FACTLINE_MAX + 1])
{
	struct text text = text_over(bytes, FACTLINE_MAX + 1);
	text_add_bytes(&text, &letters[line->kind], 1);
	add_int(&text, FACTLINE_VERSION);
	for (int i = 0; i < ROWS && !text.cut; i++) {
		const struct factline_row *row = &rows[i];
		size_t before = text.length;
		if ((row->kinds & 1 << line->kind) == 0)
			continue;
		text_add(&text, " ");
		text_add(&text, row->word);
		text_add(&text, "=");
		if (!factline_write_value(&text, row, line)) {
			text.length = before;
			text.at[before] = '\0';
		}
	}
	text_add(&text, " .");
	return text.cut ? 0 : text.length;
}

/* ---- reading */

static bool factline_read_word(const struct factline_row *row, struct value value, int *to)
{
	int64_t number = 0;
	if (row->word_at == NULL) {
		if (!value_int(value, &number) || number < 0 || number >= row->count)
			return false;
		*to = (int)number;
		return true;
	}
	int found = 0;
	while (found < row->count && !value_is(value, row->word_at(found)))
		found++;
	*to = found < row->count ? found : 0; /* a word of a newer daemon */
	return true;
}

static bool factline_read_value(const struct factline_row *row, struct value value, struct factline *line)
{
	char *member = (char *)line + row->offset;
	uint64_t number = 0;
	switch (row->form) {
	case FORM_INT:
		return value_int(value, (int64_t *)(void *)member);
	case FORM_HEX:
		return value_hex(value, (uint64_t *)(void *)member);
	case FORM_HEX32:
		if (!value_hex(value, &number) || number > UINT32_MAX)
			return false;
		*(uint32_t *)(void *)member = (uint32_t)number;
		return true;
	case FORM_REAL:
		return value_real(value, (double *)(void *)member);
	case FORM_TEXT:
		return value_text(value, member, (size_t)row->count);
	case FORM_WORD:
		return factline_read_word(row, value, (int *)(void *)member);
	default:
		return row->read(value, line);
	}
}

/* The row of a word, looked for from the one that is expected next; ROWS: none. */
static int factline_find_row(int next, const char *word, size_t length)
{
	if (length < 1 || length > 2)
		return ROWS;
	char second = length == 2 ? word[1] : '\0';
	for (int i = next; i < ROWS; i++)
		if (rows[i].word[0] == word[0] && rows[i].word[1] == second)
			return i;
	for (int i = 0; i < next && i < ROWS; i++)
		if (rows[i].word[0] == word[0] && rows[i].word[1] == second)
			return i;
	return ROWS;
}

/* All words up to the dot. A word twice is two lines that ran into each other. */
static bool factline_read_words(const char *at, const char *end, factline_list *find_list, void *arg,
				struct factline *line)
{
	uint64_t seen = 0;
	int next = 0;
	if (end - at < 2 || end[-1] != '.' || end[-2] != ' ')
		return false;
	for (end -= 2; at < end;) {
		const char *blank = memchr(at, ' ', (size_t)(end - at)), *stop = blank != NULL ? blank : end;
		const char *equals = memchr(at, '=', (size_t)(stop - at));
		if (equals == NULL || equals == at || equals + 1 == stop)
			return false;
		int found = factline_find_row(next, at, (size_t)(equals - at));
		struct value value = { equals + 1, stop };
		at = stop + 1;
		if (found == ROWS ||
		    (rows[found].kinds & 1 << line->kind) == 0) /* a word of later, or of another kind */
			continue;
		bool fine = (seen & UINT64_C(1) << found) == 0 &&
			    (rows[found].form == FORM_LISTINGS ? read_listings(value, line, find_list, arg)
							       : factline_read_value(&rows[found], value, line));
		if (!fine)
			return false;
		seen |= UINT64_C(1) << found;
		next = found + 1;
	}
	return true;
}

/* What a stranger's hand could have written into the file, and no daemon would. */
static bool factline_plausible(const struct factline *line)
{
	const struct facts *facts = &line->facts;
	enum { MANY = 100000000 };
	return facts->now_ms > 0 && facts->now_ms < INT64_C(100000000000000) && facts->account[0] != '\0' &&
	       facts->rcpts_remote >= 0 && facts->rcpts_remote < MANY && facts->rcpts_local >= 0 &&
	       facts->rcpts_local < MANY && facts->rcpts_again >= 0 && facts->rcpts_again <= facts->rcpts_remote &&
	       facts->rcpts_new >= 0 && facts->rcpts_new < MANY && facts->rcpts_trapped >= 0 &&
	       facts->rcpts_trapped < MANY && facts->kbytes >= 0 && facts->kbytes < MANY && facts->text_words >= 0 &&
	       facts->text_words < MANY && facts->login_guesses >= 0 && facts->login_guesses < MANY &&
	       facts->local_offset_s > -172800 && facts->local_offset_s < 172800;
}

enum factline_end factline_read(const char *bytes, size_t length, factline_list *find_list, void *arg,
				struct factline *line_out)
{
	if (length == 0 || bytes[0] == '#')
		return FACTLINE_SKIPPED;
	if (length > FACTLINE_MAX || bytes[0] < 'A' || bytes[0] > 'Z')
		return FACTLINE_DAMAGED;
	const char *end = bytes + length, *blank = memchr(bytes, ' ', length);
	int64_t version;
	if (blank == NULL || !value_int((struct value){ bytes + 1, blank }, &version) || version < 1)
		return FACTLINE_DAMAGED;
	if (version != FACTLINE_VERSION)
		return FACTLINE_OTHER_VERSION;
	const char *letter = strchr(letters, bytes[0]);
	if (letter == NULL)
		return FACTLINE_SKIPPED;
	memset(line_out, 0, sizeof *line_out);
	line_out->kind = (enum factline_kind)(letter - letters);
	line_out->facts.state.limits = limits_unset;
	line_out->facts.breach = breach_none;
	if (!factline_read_words(blank + 1, end, find_list, arg, line_out) || !factline_plausible(line_out))
		return FACTLINE_DAMAGED;
	if (line_out->spf_domain[0] != '\0' || line_out->facts.spf.ours != SPF_OURS_UNKNOWN)
		line_out->facts.spf.domain = line_out->spf_domain; /* whoever knows our SPF knows whose */
	return FACTLINE_FINE;
}

void factline_hide(const uint64_t key[2], const char *name, char hidden[17])
{
	struct text text = text_over(hidden, 17);
	text_addf(&text, "%016llx", (unsigned long long)hash_keyed(key, name, strlen(name)));
}
