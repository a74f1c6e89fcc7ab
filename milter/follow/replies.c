/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A reply is folded once: lower case, its codes taken out, each address in it one '@', so that nobody's name is taken
 * for a word. Then the rows are asked in their order; most are passed over by three letters that are not there.
 */
#include "milter/follow/replies.h"
#include "milter/follow/replies_inside.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct folded {
	struct outcome_code code;
	size_t length;
	char text[REPLIES_TEXT_MAX + 1];
	uint64_t grams[REPLIES_GRAM_BITS / 64];
	struct replies_turns turns;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* -- folding -- */

/* "550-" or "550 ", and what ends there; 0 where it is none. */
static size_t replies_read_code(const char *at, size_t length, int *code_out)
{
	if (length < 3 || at[0] < '2' || at[0] > '5' || !is_digit(at[1]) || !is_digit(at[2]))
		return 0;
	if (length > 3 && at[3] != ' ' && at[3] != '-')
		return 0;
	*code_out = (at[0] - '0') * 100 + (at[1] - '0') * 10 + at[2] - '0';
	return length > 3 ? 4 : 3;
}

/* "5.7.26 ", also "#5.7.26 "; 0 where it is none. RFC 3463 section 2: at most three digits each. */
static size_t replies_read_enhanced(const char *at, size_t length, int part_out[3])
{
	size_t used = length > 0 && at[0] == '#' ? 1 : 0;
	for (int part = 0; part < 3; part++) {
		int digits = 0;
		part_out[part] = 0;
		for (; used < length && is_digit(at[used]) && digits < 3; digits++)
			part_out[part] = part_out[part] * 10 + at[used++] - '0';
		if (digits == 0 || (part < 2 && (used == length || at[used++] != '.')))
			return 0;
	}
	if ((part_out[0] != 4 && part_out[0] != 5) || (used < length && (is_digit(at[used]) || at[used] == '.')))
		return 0;
	return used < length && at[used] == ' ' ? used + 1 : used;
}

static bool ends_address(char c)
{
	return (unsigned char)c <= ' ' || strchr("<>()[],;:\"'=", c) != NULL;
}

/* What stands before an '@' is part of an address: it goes. */
static void replies_drop_word(struct folded *folded)
{
	while (folded->length > 0 && !ends_address(folded->text[folded->length - 1]))
		folded->length--;
}

/* The codes of one line of the reply, which the log has behind each other. The first that are said count. */
static size_t replies_fold_codes(struct folded *folded, const char *at, size_t length, bool first)
{
	int code, part[3];
	size_t used = replies_read_code(at, length, &code);
	if (used == 0 || (!first && code != folded->code.code))
		return 0;
	folded->code.code = code;
	size_t more = replies_read_enhanced(at + used, length - used, part);
	if (more > 0 && folded->code.class == 0) {
		folded->code.class = part[0];
		folded->code.subject = part[1];
		folded->code.detail = part[2];
	}
	return used + more;
}

/* A letter of Latin with its accent (UTF-8's 0xC3 and a byte) without it, and the apostrophe of typesetters; how many
 * bytes that is, 0: it is none. */
static size_t replies_fold_letter(const char *at, size_t length, char *letter_out)
{
	static const char letters[] = "aaaaaaaceeeeiiiidnoooooxouuuuyts"
				      "aaaaaaaceeeeiiiidnooooo-ouuuuyty";
	const unsigned char *bytes = (const unsigned char *)at;
	if (length >= 2 && bytes[0] == 0xC3 && bytes[1] >= 0x80 && bytes[1] < 0xC0) {
		*letter_out = letters[bytes[1] - 0x80];
		return 2;
	}
	if (length >= 3 && memcmp(at, "\xE2\x80\x99", 3) == 0) {
		*letter_out = '\'';
		return 3;
	}
	return 0;
}

static void replies_fold_text(struct folded *folded, const char *at, size_t length)
{
	bool word_begins = true;
	for (size_t i = 0; i < length && folded->length < REPLIES_TEXT_MAX;) {
		size_t codes = word_begins && i > 0 && folded->code.code != 0
				       ? replies_fold_codes(folded, at + i, length - i, false)
				       : 0;
		i += codes;
		if (codes > 0 || i == length)
			continue;
		char c = at[i];
		size_t letter = replies_fold_letter(at + i, length - i, &c);
		i += letter > 0 ? letter : 1;
		word_begins = (unsigned char)c <= ' ';
		if (c == '@') {
			replies_drop_word(folded);
			while (i < length && !ends_address(at[i]))
				i++;
		}
		if (!word_begins)
			folded->text[folded->length++] = text_lower(c);
		else if (folded->length > 0 && folded->text[folded->length - 1] != ' ')
			folded->text[folded->length++] = ' ';
	}
	folded->text[folded->length] = '\0';
}

static void replies_fold(struct folded *folded, const struct log_event *event)
{
	const char *at = event->text.at != NULL ? event->text.at : "";
	size_t length = event->text.at != NULL ? event->text.length : 0, used = 0;
	folded->code = (struct outcome_code){ .greeting = event->greeting, .of_sender = event->stage_mail };
	folded->turns.outcome = OUTCOME_COUNT;
	folded->length = 0;
	while (used < length && at[used] == ' ')
		used++;
	if (event->remote)
		used += replies_fold_codes(folded, at + used, length - used, true);
	replies_fold_text(folded, at + used, length - used);
	memset(folded->grams, 0, sizeof folded->grams);
	for (size_t i = 0; i + 3 <= folded->length; i++) {
		uint16_t gram = replies_gram(folded->text + i);
		folded->grams[gram / 64] |= (uint64_t)1 << gram % 64;
	}
}

/* -- rows -- */

static bool replies_code_fits(const struct reply_row *row, const struct outcome_code *code)
{
	char digits[3] = { (char)('0' + code->code / 100), (char)('0' + code->code / 10 % 10),
			   (char)('0' + code->code % 10) };
	for (int i = 0; i < row->codes; i++) {
		const char *mask = row->code[i];
		if ((mask[0] == 'x' || mask[0] == digits[0]) && (mask[1] == 'x' || mask[1] == digits[1]) &&
		    (mask[2] == 'x' || mask[2] == digits[2]))
			return code->code != 0;
	}
	return row->codes == 0;
}

static bool fits(int wanted, int is)
{
	return wanted == REPLIES_ANY || wanted == is;
}

static bool replies_enhanced_fits(const struct reply_row *row, const struct outcome_code *code)
{
	bool any = row->class == REPLIES_ANY && row->subject == REPLIES_ANY && row->detail == REPLIES_ANY;
	return any || (code->class != 0 && fits(row->class, code->class) && fits(row->subject, code->subject) &&
		       fits(row->detail, code->detail));
}

/* Most rows are passed over here. */
static bool replies_gates_are_open(const uint16_t *gate, const struct folded *folded)
{
	for (; *gate != 0; gate += 1 + *gate) {
		uint64_t open = 0;
		for (int i = 1; i <= *gate && open == 0; i++)
			open = folded->grams[gate[i] / 64] >> gate[i] % 64 & 1;
		if (open == 0)
			return false;
	}
	return true;
}

static const char *replies_row_fits(const struct reply_row *row, const struct log_event *event,
				    const struct folded *folded)
{
	if (row->own == event->remote || !replies_code_fits(row, &folded->code) ||
	    !replies_enhanced_fits(row, &folded->code))
		return NULL;
	if ((row->stage == STAGE_OF_GREETING && !event->greeting) || (row->stage == STAGE_OF_DOT && !event->stage_dot))
		return NULL;
	return replies_words_end(row, (struct span){ folded->text, folded->length }, folded->grams);
}

/* -- the list that a reply names -- */

static bool is_of_host(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
}

/* A label of digits in front is of an address that was looked up there, "www." of the list's pages. */
static bool replies_take_list(const char *at, const char *end, char list[REPLIES_LIST_MAX + 1])
{
	while (at < end && (*at == '.' || *at == '-' || *at == '_'))
		at++;
	while (end > at && (end[-1] == '.' || end[-1] == '-' || end[-1] == '_'))
		end--;
	if (end - at > 4 && memcmp(at, "www.", 4) == 0)
		at += 4;
	for (const char *label = at; label < end && (is_digit(*label) || *label == '.') && is_digit(*at); label++)
		if (*label == '.')
			at = label + 1;
	const char *last = end;
	while (last > at && last[-1] >= 'a' && last[-1] <= 'z')
		last--;
	size_t length = (size_t)(end - at);
	if (end - last < 2 || last - at < 2 || last[-1] != '.' || last[-2] == '.' || length > REPLIES_LIST_MAX)
		return false;
	memcpy(list, at, length);
	list[length] = '\0';
	return true;
}

/* The host that the row's words end in, or else the first behind them; false: there is none. */
static bool replies_find_list(const char *text, const char *words_end, char list[REPLIES_LIST_MAX + 1])
{
	const char *at = words_end;
	while (at > text && is_of_host(at[-1]))
		at--;
	for (;;) {
		const char *end = at;
		while (is_of_host(*end))
			end++;
		if (replies_take_list(at, end, list))
			return true;
		while (*end != '\0' && !is_of_host(*end))
			end++;
		if (*end == '\0')
			return false;
		at = end;
	}
}

/* -- answers -- */

/* "listed in our directory" is none of a list: who is on one is told which. */
static bool replies_row_takes(const struct replies *replies, const struct reply_row *row, const struct log_event *event,
			      struct folded *folded, struct reply_class *class_out)
{
	const char *words_end = replies_row_fits(row, event, folded);
	if (words_end == NULL || replies_vocabulary_turns(replies, row, folded->text, &folded->turns))
		return false;
	if (row->outcome == OUTCOME_NO_USER && event->greeting) /* nobody was named yet */
		return false;
	if (row->list[0] != '\0')
		text_copy(class_out->list, sizeof class_out->list, row->list);
	else if (row->outcome == OUTCOME_LISTED && !replies_find_list(folded->text, words_end, class_out->list))
		return false;
	class_out->outcome = event->stage_mail ? outcome_of_mail(row->outcome) : row->outcome;
	class_out->row = row->where;
	return true;
}

const struct reply_row *replies_find(const struct replies *replies, const char *receiver, const struct log_event *event,
				     struct reply_class *class_out)
{
	struct folded folded;
	replies_fold(&folded, event);
	for (size_t i = 0; i < replies->count; i++) {
		const struct reply_row *row = &replies->rows[i];
		if (!replies_gates_are_open(replies->gates + replies->gate[i], &folded))
			continue;
		bool asked = row->receiver[0] == '\0' || strcmp(row->receiver, receiver) == 0;
		if (asked && replies_row_takes(replies, row, event, &folded, class_out))
			return row;
	}
	folded.code.plain = replies_vocabulary_is_plain(replies, folded.text);
	folded.code.final = event->status == LOG_STATUS_BOUNCED || event->status == LOG_STATUS_UNDELIVERABLE;
	class_out->outcome = outcome_by_code(&folded.code);
	class_out->unknown_wording = true;
	return NULL;
}

void replies_class(const struct replies *replies, const char *receiver, const struct log_event *event,
		   struct reply_class *class_out)
{
	memset(class_out, 0, sizeof *class_out);
	if (event->kind == LOG_EXPIRED || event->status == LOG_STATUS_EXPIRED)
		class_out->outcome = OUTCOME_EXPIRED;
	else if (event->suspended)
		class_out->outcome = OUTCOME_SUSPENDED;
	else if (event->status == LOG_STATUS_SENT || event->status == LOG_STATUS_DELIVERABLE)
		class_out->outcome = OUTCOME_SENT;
	else
		replies_find(replies, receiver, event, class_out);
}

const char *replies_receiver(const struct replies *replies, const char *host)
{
	size_t length = strlen(host);
	for (size_t i = 0; i < replies->host_count; i++) {
		const struct replies_host *row = &replies->hosts[i];
		if (row->length > length || memcmp(host + length - row->length, row->host, row->length) != 0)
			continue;
		if (row->length == length || host[length - row->length - 1] == '.')
			return row->name;
	}
	return NULL;
}

void replies_free(struct replies **replies)
{
	if (*replies != NULL) {
		free((*replies)->rows);
		free((*replies)->vocabulary);
		free((*replies)->gates);
		free((*replies)->gate);
		free((*replies)->hosts);
	}
	free(*replies);
	*replies = NULL;
}
