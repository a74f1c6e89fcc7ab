/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/trace_query.h"

#include "milter/base/idn.h"
#include "milter/trace/trace_index.h"
#include "milter/trace/trace_secret.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

static void trace_query_choice(struct trace_term *term, int column, const char *value)
{
	char written[TRACE_VALUE_MAX];
	if (*value == '\0')
		return;
	trace_value(column == TRACE_DOMAIN ? TRACE_RCPT : (enum trace_column)column, value, written);
	for (int i = 0; i < term->count; i++)
		if (term->choices[i].column == column && text_same_nocase(term->choices[i].written, written))
			return;
	if (term->count == TRACE_CHOICES_MAX)
		return;
	struct trace_choice *choice = &term->choices[term->count++];
	choice->column = column;
	choice->hash = trace_index_hash(column, written);
	text_copy(choice->written, sizeof choice->written, written);
}

/* As it was typed, and as Penstock writes it. */
static void trace_query_address(struct trace_term *term, int column, const char *value)
{
	char address[ADDRESS_MAX + 1];
	trace_query_choice(term, column, value);
	if (strcmp(value, "<>") != 0 && idn_address(value, address))
		trace_query_choice(term, column, address);
}

static void trace_query_account(const struct trace_query *query, struct trace_term *term, const char *value)
{
	char name[ACCOUNT_MAX + 1];
	if (idn_typed(value, query->cut_tag, name) == NULL)
		trace_query_choice(term, TRACE_ACCOUNT, name);
	else
		trace_query_choice(term, TRACE_ACCOUNT, value);
}

static void trace_query_rcpt(const struct trace_query *query, struct trace_term *term, const char *value)
{
	char domain[IDN_DOMAIN_MAX + 1], hashed[TRACE_VALUE_MAX];
	const char *bare = *value == '@' ? value + 1 : value;
	if (strchr(bare, '@') == NULL) {
		trace_query_choice(term, TRACE_DOMAIN, bare);
		if (idn_domain(bare, domain))
			trace_query_choice(term, TRACE_DOMAIN, domain);
		return;
	}
	trace_query_address(term, TRACE_RCPT, value);
	for (int i = 0, clear = term->count; i < clear && query->have_key; i++)
		if (term->choices[i].column == TRACE_RCPT) {
			trace_secret_rcpt(query->key, term->choices[i].written, hashed);
			trace_query_choice(term, TRACE_RCPT, hashed);
		}
}

/* "<x@example.com>" and "x@example.com" are one. */
static void trace_query_message_id(struct trace_term *term, const char *value)
{
	char bare[TRACE_VALUE_MAX];
	size_t length = strlen(value);
	if (length >= 2 && value[0] == '<' && value[length - 1] == '>' && length - 2 < sizeof bare) {
		memcpy(bare, value + 1, length - 2);
		bare[length - 2] = '\0';
		value = bare;
	}
	trace_query_choice(term, TRACE_MESSAGE_ID, value);
}

bool trace_query_add(struct trace_query *query, enum trace_what what, const char *value)
{
	static const int ranks[] = {
		[TRACE_WHAT_QUEUE_ID] = 0, [TRACE_WHAT_REFERENCE] = 0, [TRACE_WHAT_MESSAGE_ID] = 1,
		[TRACE_WHAT_RCPT] = 2,	   [TRACE_WHAT_SENDER] = 3,    [TRACE_WHAT_ACCOUNT] = 4,
		[TRACE_WHAT_ANY] = 3,
	};
	if (query->count == TRACE_TERMS_MAX || *value == '\0')
		return false;
	struct trace_term *term = &query->terms[query->count++];
	*term = (struct trace_term){ .rank = ranks[what] };
	term->later = what == TRACE_WHAT_RCPT || what == TRACE_WHAT_QUEUE_ID || what == TRACE_WHAT_ANY;
	bool any = what == TRACE_WHAT_ANY;
	if (any || what == TRACE_WHAT_RCPT)
		trace_query_rcpt(query, term, value);
	if (any || what == TRACE_WHAT_ACCOUNT)
		trace_query_account(query, term, value);
	if (any || what == TRACE_WHAT_SENDER)
		trace_query_address(term, TRACE_SENDER, value);
	if (any || what == TRACE_WHAT_QUEUE_ID)
		trace_query_choice(term, TRACE_QUEUE_ID, value);
	if (any || what == TRACE_WHAT_REFERENCE)
		trace_query_choice(term, TRACE_REFERENCE, value);
	if (any || what == TRACE_WHAT_MESSAGE_ID)
		trace_query_message_id(term, value);
	return term->count > 0;
}

const struct trace_term *trace_query_best(const struct trace_query *query)
{
	const struct trace_term *best = NULL;
	for (int i = 0; i < query->count; i++)
		if (best == NULL || query->terms[i].rank < best->rank)
			best = &query->terms[i];
	return best;
}

static bool trace_query_choice_holds(const struct trace_choice *choice, const struct trace_row *row)
{
	int column = choice->column == TRACE_DOMAIN ? TRACE_RCPT : choice->column;
	const char *value = row->value[column];
	if (choice->column == TRACE_QUEUE_ID && row->value[TRACE_OLD_ID] != NULL &&
	    text_same_nocase(row->value[TRACE_OLD_ID], choice->written))
		return true;
	if (value == NULL || (column == TRACE_ACCOUNT && row->kind != TRACE_MESSAGE)) /* as the index has it */
		return false;
	return text_same_nocase(choice->column == TRACE_DOMAIN ? address_domain(value) : value, choice->written);
}

bool trace_term_holds(const struct trace_term *term, const struct trace_row *row)
{
	for (int i = 0; i < term->count; i++)
		if (trace_query_choice_holds(&term->choices[i], row))
			return true;
	return false;
}
