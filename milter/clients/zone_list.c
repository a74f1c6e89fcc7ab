/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/zone_list.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static int zone_list_order(const struct netaddr *a, const struct netaddr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->family == NETADDR_V4 ? 4 : 16);
}

static int zone_list_compare(const void *a, const void *b)
{
	return zone_list_order(&((const struct zone_entry *)a)->client, &((const struct zone_entry *)b)->client);
}

void zone_list_add(struct zone_list *list, const struct zone_entry *entry)
{
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 64 : list->room * 2;
		struct zone_entry *more =
			room > ZONE_MOST ? NULL : realloc(list->entries, room * sizeof list->entries[0]);
		if (more == NULL) {
			list->left_out++;
			return;
		}
		list->entries = more;
		list->room = room;
	}
	list->entries[list->count] = *entry;
	if (entry->client.family == NETADDR_V6)
		list->entries[list->count].client = netaddr_network(&entry->client, 64);
	list->count++;
}

void zone_list_sort(struct zone_list *list)
{
	size_t kept = 0;
	if (list->count == 0)
		return;
	qsort(list->entries, list->count, sizeof list->entries[0], zone_list_compare);
	for (size_t i = 1; i < list->count; i++) {
		struct zone_entry *last = &list->entries[kept], *entry = &list->entries[i];
		if (zone_list_compare(last, entry) != 0) {
			list->entries[++kept] = *entry;
			continue;
		}
		last->code = client_code_worse(last->code, entry->code);
		last->since_s = entry->since_s < last->since_s ? entry->since_s : last->since_s;
		last->seen_s = entry->seen_s > last->seen_s ? entry->seen_s : last->seen_s;
	}
	list->count = kept + 1;
}

void zone_list_free(struct zone_list *list)
{
	free(list->entries);
	*list = (struct zone_list){ 0 };
}

size_t zone_list_behind(const struct zone_list *list, const struct netaddr *at)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (zone_list_order(&list->entries[middle].client, at) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct zone_entry *zone_list_find(const struct zone_list *list, const struct netaddr *client)
{
	struct netaddr key = client->family == NETADDR_V6 ? netaddr_network(client, 64) : *client;
	size_t behind = zone_list_behind(list, &key);
	if (behind == 0 || zone_list_order(&list->entries[behind - 1].client, &key) != 0)
		return NULL;
	return &list->entries[behind - 1];
}

/* An IPv6 client is a /64: one of which we own a part is ours. */
static bool zone_list_is_own(const struct config *config, const struct netaddr *client)
{
	for (int i = 0; i < config->own_network_count; i++) {
		const struct netblock *own = &config->own_networks[i];
		struct netblock wide = { .address = *client, .bits = 64 };
		if (netblock_has(own, client) || (client->family == NETADDR_V6 && own->address.family == NETADDR_V6 &&
						  own->bits > 64 && netblock_has(&wide, &own->address)))
			return true;
	}
	return false;
}

/* May it be on the list at all? */
static bool zone_list_may(const struct zone_rules *rules, const struct netaddr *client)
{
	return client_listable(client) && !zone_list_is_own(rules->config, client) &&
	       zone_list_find(rules->exempt, client) == NULL;
}

static int64_t zone_list_past(int64_t time_s, int64_t now_s)
{
	return time_s > now_s ? now_s : time_s;
}

/* `before` or `found` may be NULL. */
static void zone_list_renew_one(struct zone_list *to, const struct zone_entry *before, const struct zone_entry *found,
				const struct zone_rules *rules)
{
	struct zone_entry entry = before != NULL ? *before : *found;
	if (found != NULL) {
		entry.code = found->code;
		entry.seen_s = rules->now_s;
	}
	entry.seen_s = zone_list_past(entry.seen_s, rules->now_s);
	entry.since_s = before == NULL ? rules->now_s : zone_list_past(entry.since_s, entry.seen_s);
	if (rules->now_s - entry.seen_s < rules->keep_s && zone_list_may(rules, &entry.client))
		zone_list_add(to, &entry);
}

bool zone_list_renew(const struct zone_list *list, const struct zone_list *found, const struct zone_rules *rules,
		     struct zone_list *next_out)
{
	struct zone_list next = { 0 };
	size_t a = 0, b = 0;
	while (a < list->count || b < found->count) {
		int order = a == list->count	? 1
			    : b == found->count ? -1
						: zone_list_compare(&list->entries[a], &found->entries[b]);
		zone_list_renew_one(&next, order <= 0 ? &list->entries[a] : NULL,
				    order >= 0 ? &found->entries[b] : NULL, rules);
		a += order <= 0;
		b += order >= 0;
	}
	if (next.left_out > 0 && next.count < ZONE_MOST) {
		zone_list_free(&next);
		return false;
	}
	next.left_out += found->left_out;
	*next_out = next;
	return true;
}

bool zone_list_same(const struct zone_list *a, const struct zone_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (zone_list_compare(&a->entries[i], &b->entries[i]) != 0 ||
		    a->entries[i].code != b->entries[i].code || a->entries[i].since_s != b->entries[i].since_s)
			return false;
	return true;
}
