/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/listing.h"

#include "policy/base/text.h"
#include "policy/netaddr.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const kinds[LIST_KIND_COUNT] = {
#define LIST_KIND_ROW(id, word) [LIST_##id] = word,
	LIST_KIND_ROWS(LIST_KIND_ROW)
#undef LIST_KIND_ROW
};

const char *list_kind_word(enum list_kind kind)
{
	return kinds[kind];
}

enum list_kind list_kind_find(const char *word)
{
	for (int i = LIST_EXPLOIT; i < LIST_KIND_COUNT; i++)
		if (strcmp(word, kinds[i]) == 0)
			return (enum list_kind)i;
	return LIST_NONE;
}

static enum list_kind list_code_kind(const struct list *list, uint32_t code)
{
	for (int i = 0; i < list->code_count; i++)
		if (code >= list->codes[i].first && code <= list->codes[i].last)
			return list->codes[i].kind;
	return list->kind;
}

/* ---- too many listings */

_Static_assert((LIST_KIND_COUNT - 1) * LIST_ACTION_COUNT <= LISTING_HITS_MAX,
	       "of more than LISTING_HITS_MAX listings two have one kind and one action");

/* The mildest first. */
static int listing_gravity(enum list_kind kind)
{
	static const int gravities[LIST_KIND_COUNT] = {
		[LIST_REPUTATION] = 1, [LIST_DOMAIN] = 2, [LIST_AUTH] = 3,    [LIST_POLICY] = 4,
		[LIST_SPAM] = 5,       [LIST_ALLOW] = 6,  [LIST_EXPLOIT] = 7,
	};
	return gravities[kind];
}

/* Another does all that this one does. */
static bool listing_has_better(const struct listing *hits, int count, int which)
{
	for (int i = 0; i < count; i++)
		if (i != which && hits[i].kind == hits[which].kind &&
		    hits[i].list->action == hits[which].list->action &&
		    hits[i].list->weight >= hits[which].list->weight)
			return true;
	return false;
}

/* The later one of two that weigh the same, so that the log keeps naming the same lists. */
static int listing_find_spare(const struct listing *hits, int count)
{
	int spare = count - 1;
	bool found = false;
	for (int i = count - 1; i >= 0; i--)
		if (listing_has_better(hits, count, i) &&
		    (!found || listing_gravity(hits[i].kind) < listing_gravity(hits[spare].kind))) {
			spare = i;
			found = true;
		}
	return spare;
}

static void listing_add_hit(struct listings *listings, const struct list *list, enum list_kind kind)
{
	struct listing hits[LISTING_HITS_MAX + 1];
	for (int i = 0; i < listings->hit_count; i++)
		if (listings->hits[i].list == list && listings->hits[i].kind == kind)
			return;
	if (listings->hit_count < LISTING_HITS_MAX) {
		listings->hits[listings->hit_count++] = (struct listing){ list, kind };
		return;
	}
	memcpy(hits, listings->hits, sizeof listings->hits);
	hits[LISTING_HITS_MAX] = (struct listing){ list, kind };
	int spare = listing_find_spare(hits, LISTING_HITS_MAX + 1);
	memmove(hits + spare, hits + spare + 1, (size_t)(LISTING_HITS_MAX - spare) * sizeof hits[0]);
	memcpy(listings->hits, hits, sizeof listings->hits);
}

/* ---- answers */

bool listing_code_lies(uint32_t code)
{
	return code >> 24 != 127;
}

bool list_code_refuses(const struct list *list, uint32_t code)
{
	for (int i = 0; i < list->error_count; i++)
		if (code >= list->errors[i].first && code <= list->errors[i].last)
			return true;
	return code >> 8 == 0x7fffffU;
}

enum list_meaning listings_add(struct listings *listings, const struct list *list, const uint32_t *codes, size_t count)
{
	enum list_meaning answer = ANSWER_CLEAN;
	for (size_t i = 0; i < count; i++) {
		bool lie = listing_code_lies(codes[i]);
		if (lie || list_code_refuses(list, codes[i])) {
			listings->hijacked += lie;
			listings->unknown++;
			return ANSWER_UNKNOWN;
		}
	}
	for (size_t i = 0; i < count; i++) {
		enum list_kind kind = list_code_kind(list, codes[i]);
		if (kind == LIST_NONE)
			continue;
		listing_add_hit(listings, list, kind);
		answer = ANSWER_LISTED;
	}
	return answer;
}

void listings_close(struct listings *listings, int lists)
{
	if (listings->hijacked == 0)
		return;
	listings->hit_count = 0;
	listings->unknown = lists;
}

/* ---- what they come to */

static bool listing_is_among(const struct list *list, const struct list *const *lists, int count)
{
	for (int i = 0; i < count; i++)
		if (lists[i] == list)
			return true;
	return false;
}

double listings_weight(const struct list *const *lists, int count)
{
	double sum = 0;
	for (int i = 0; i < count; i++)
		if (lists[i]->whole == NULL || !listing_is_among(lists[i]->whole, lists, count))
			sum += lists[i]->weight;
	return sum;
}

/* kind of listing: a stranger, our own network, authenticated. What is not here is nothing. */
/* clang-format off */
static const enum listing_fact meanings[LIST_KIND_COUNT][CLIENT_KIND_COUNT] = {
#define MEANS(kind, stranger, own_network, authenticated)                                          \
	[LIST_##kind] = { [CLIENT_STRANGER] = LISTING_##stranger, [CLIENT_OWN_NETWORK] = LISTING_##own_network, \
			  [CLIENT_AUTHENTICATED] = LISTING_##authenticated },
	MEANS(EXPLOIT,    AGAINST, EXPLOITED, EXPLOITED)
	MEANS(SPAM,       AGAINST, EXPLOITED, NOTHING)
	MEANS(POLICY,     AGAINST, NOTHING,   NOTHING)
	MEANS(AUTH,       AGAINST, NOTHING,   NOTHING)
	MEANS(REPUTATION, SHOWN,   NOTHING,   NOTHING)
	MEANS(ALLOW,      FOR,     NOTHING,   NOTHING)
	MEANS(DOMAIN,     NOTHING, NOTHING,   NOTHING)
#undef MEANS
};
/* clang-format on */

enum listing_fact listing_means(const struct listing *listing, enum client_kind client)
{
	enum listing_fact fact = meanings[listing->kind][client];
	return fact == LISTING_AGAINST && listing->list->action != LIST_ACTION_REFUSE ? LISTING_SHOWN : fact;
}

const struct listing *listings_meaning(const struct listings *listings, enum client_kind client, enum listing_fact fact)
{
	const struct listing *found = NULL;
	for (int i = 0; i < listings->hit_count; i++) {
		const struct listing *hit = &listings->hits[i];
		if (listing_means(hit, client) == fact && (found == NULL || hit->list->weight > found->list->weight))
			found = hit;
	}
	return found;
}

/* ---- as it is written */

static bool listing_parse_code(const char *text, size_t length, uint32_t *code_out)
{
	char copy[16];
	struct netaddr address;
	if (length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (strchr(copy, ':') != NULL)
		return false;
	if (!netaddr_parse(copy, &address) || address.family != NETADDR_V4 || address.bytes[0] != 127)
		return false;
	const uint8_t *b = address.bytes;
	*code_out = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return true;
}

/* The codes alone: the first `length` bytes. */
static bool listing_parse_range(const char *text, size_t length, uint32_t *first_out, uint32_t *last_out)
{
	const char *dash = memchr(text, '-', length);
	size_t first = dash != NULL ? (size_t)(dash - text) : length;
	const char *last = dash != NULL ? dash + 1 : text;
	return listing_parse_code(text, first, first_out) &&
	       listing_parse_code(last, length - (size_t)(last - text), last_out) && *first_out <= *last_out;
}

bool list_code_parse(const char *text, struct list_code *code_out)
{
	size_t codes = strcspn(text, " ");
	struct list_code code;
	if (text[codes] == '\0' || !listing_parse_range(text, codes, &code.first, &code.last))
		return false;
	code.kind = list_kind_find(text + codes + 1);
	if (code.kind != LIST_NONE)
		*code_out = code;
	return code.kind != LIST_NONE;
}

bool list_error_parse(const char *text, struct list_error *error_out)
{
	struct list_error error;
	if (!listing_parse_range(text, strlen(text), &error.first, &error.last))
		return false;
	*error_out = error;
	return true;
}

const struct listing *listings_find(const struct listings *listings, enum list_kind kind)
{
	for (int i = 0; i < listings->hit_count; i++)
		if (listings->hits[i].kind == kind)
			return &listings->hits[i];
	return NULL;
}
