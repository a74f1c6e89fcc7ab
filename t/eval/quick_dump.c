/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the folder that run.pl --dump writes: its format is in README.
 */
#include "t/eval/quick.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { COLUMNS_MAX = 24 };
#define SPAM_FROM 5.0

int64_t quick_begin_s;

/* ---- files */

struct quick_file {
	char *bytes;
	size_t length;
};

/* With a NUL behind its end, and to be changed as one likes. False: it is not there. */
static bool quick_dump_open(const char *folder, const char *name, struct quick_file *file)
{
	char path[4096];
	struct stat status;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		return false;
	file->length = (size_t)status.st_size;
	file->bytes = quick_take(file->length + 1);
	for (size_t at = 0; at < file->length;) {
		ssize_t got = read(fd, file->bytes + at, file->length - at);
		if (got <= 0)
			quick_die("%s: cannot be read", path);
		at += (size_t)got;
	}
	close(fd);
	return true;
}

/* The next line's columns; those that it lacks are "". Lines that begin with # are skipped. 0: no more. */
static int quick_dump_row(struct quick_file *file, char **at, char *columns[COLUMNS_MAX])
{
	static char empty[1] = "";
	while (*at < file->bytes + file->length) {
		char *line = *at, *stop = strchr(line, '\n');
		int count = 0;
		*at = stop != NULL ? stop + 1 : file->bytes + file->length;
		if (stop != NULL)
			*stop = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		for (; line != NULL && count < COLUMNS_MAX; count++) {
			char *tab = strchr(line, '\t');
			if (tab != NULL)
				*tab = '\0';
			columns[count] = strcmp(line, "-") == 0 ? empty : line;
			line = tab != NULL ? tab + 1 : NULL;
		}
		for (int i = count; i < COLUMNS_MAX; i++)
			columns[i] = empty;
		return count;
	}
	return 0;
}

/* ---- names of accounts and messages */

struct quick_names {
	struct quick_name {
		const char *name;
		void *thing;
	} * slots;
	size_t size, used;
};

static struct quick_name *quick_dump_slot(struct quick_name *slots, size_t size, const char *name)
{
	size_t at = hash_string(name, 0) % size;
	while (slots[at].name != NULL && strcmp(slots[at].name, name) != 0)
		at = (at + 1) % size;
	return &slots[at];
}

/* The place of its thing; NULL is there where it was not known. */
static void **quick_dump_find(struct quick_names *names, const char *name)
{
	if (names->used * 2 >= names->size) {
		size_t size = names->size == 0 ? 1024 : names->size * 2;
		struct quick_name *more = quick_take(size * sizeof *more);
		for (size_t i = 0; i < names->size; i++)
			if (names->slots[i].name != NULL)
				*quick_dump_slot(more, size, names->slots[i].name) = names->slots[i];
		free(names->slots);
		names->slots = more;
		names->size = size;
	}
	struct quick_name *slot = quick_dump_slot(names->slots, names->size, name);
	names->used += slot->name == NULL;
	slot->name = name;
	return &slot->thing;
}

static struct quick_names accounts, messages;

static struct quick_message *quick_dump_message(const char *id)
{
	void **place = quick_dump_find(&messages, id);
	struct quick_message *message = *place;
	if (message == NULL) {
		message = *place = quick_take(sizeof *message);
		message->id = id;
	}
	return message;
}

static struct quick_account *quick_dump_account(struct quick_dump *dump, const char *name)
{
	void **place = quick_dump_find(&accounts, name);
	struct quick_account *account = *place;
	if (account != NULL)
		return account;
	account = *place = quick_take(sizeof *account);
	account->name = name;
	account->kind = account->thief = "";
	if ((dump->account_count & (dump->account_count - 1)) == 0) {
		size_t size = dump->account_count == 0 ? 1 : 2 * dump->account_count;
		dump->accounts = realloc(dump->accounts, size * sizeof(struct quick_account *));
		if (dump->accounts == NULL)
			quick_die("no memory");
	}
	return dump->accounts[dump->account_count++] = account;
}

/* ---- the files of the dump */

static int64_t quick_dump_number(const char *text, int64_t otherwise)
{
	char *end;
	double number = strtod(text, &end);
	return end != text && *end == '\0' ? (int64_t)number : otherwise;
}

static void quick_dump_accounts(const char *folder, struct quick_dump *dump)
{
	struct quick_file file;
	char *columns[COLUMNS_MAX];
	if (!quick_dump_open(folder, "accounts.tsv", &file))
		quick_die("%s: there is no accounts.tsv", folder);
	for (char *at = file.bytes; quick_dump_row(&file, &at, columns) > 0;) {
		struct quick_account *account = quick_dump_account(dump, columns[0]);
		account->kind = columns[1];
		account->created_s = quick_dump_number(columns[2], 0);
		account->thief = columns[4];
	}
}

/* messages.tsv: id, where in messages.bin its header begins, bytes of header and of body, score */
static void quick_dump_messages(const char *folder)
{
	struct quick_file index, all;
	char *columns[COLUMNS_MAX];
	if (!quick_dump_open(folder, "messages.tsv", &index) || !quick_dump_open(folder, "messages.bin", &all))
		quick_die("%s: there is no messages.tsv or no messages.bin", folder);
	for (char *at = index.bytes; quick_dump_row(&index, &at, columns) > 0;) {
		struct quick_message *message = quick_dump_message(columns[0]);
		size_t from = (size_t)quick_dump_number(columns[1], 0);
		message->header_length = (size_t)quick_dump_number(columns[2], 0);
		message->length = message->header_length + (size_t)quick_dump_number(columns[3], 0);
		if (from > all.length || message->length > all.length - from)
			quick_die("%s/messages.tsv: %s lies beyond the end", folder, columns[0]);
		message->bytes = all.bytes + from;
		message->scored = columns[4][0] != '\0';
		message->score = round(strtod(columns[4], NULL) * 10) / 10; /* as spamd says it */
		message->spam = strtod(columns[4], NULL) >= SPAM_FROM;
	}
}

static void quick_dump_world(const char *folder)
{
	struct quick_file file;
	char *columns[COLUMNS_MAX];
	if (!quick_dump_open(folder, "world.tsv", &file))
		quick_die("%s: there is no world.tsv", folder);
	for (char *at = file.bytes; quick_dump_row(&file, &at, columns) > 0;)
		if (strcmp(columns[0], "start") == 0)
			quick_begin_s = quick_dump_number(columns[1], 0);
}

static void quick_dump_event(struct quick_dump *dump, char *columns[COLUMNS_MAX])
{
	struct quick_event *event = &dump->events[dump->count++];
	struct quick_message *message = quick_dump_message(columns[10]);
	*event = (struct quick_event){
		.t = quick_dump_number(columns[0], 0) - quick_begin_s,
		.account = quick_dump_account(dump, columns[1]),
		.kind = columns[2],
		.class = columns[3],
		.nth = columns[4],
		.dead = columns[5][0] == '1',
		.client = columns[6],
		.helo = columns[7],
		.from = columns[8],
		.author = columns[9],
		.message = message,
		.mailer = columns[11],
		.rcpts = columns[12],
		.told = columns[13],
	};
	if (message->first_rcpts == NULL)
		message->first_rcpts = event->rcpts;
}

static void quick_dump_events(const char *folder, struct quick_dump *dump)
{
	struct quick_file file;
	char *columns[COLUMNS_MAX];
	size_t lines = 1;
	if (!quick_dump_open(folder, "events.tsv", &file))
		quick_die("%s: there is no events.tsv", folder);
	for (size_t i = 0; i < file.length; i++)
		lines += file.bytes[i] == '\n';
	dump->events = quick_take(lines * sizeof *dump->events);
	for (char *at = file.bytes; quick_dump_row(&file, &at, columns) > 0;)
		quick_dump_event(dump, columns);
}

/* ---- whose addresses are */

enum { ORIGINS = 16384 };

/* Of an IPv4 /16 and of an IPv6 /32; `key` 0: free. */
static struct quick_origin {
	uint64_t key;
	uint32_t as;
} origins[ORIGINS];

static struct quick_origin *quick_dump_origin(const struct netaddr *client)
{
	uint64_t key = (uint64_t)client->family << 32;
	for (int i = 0; i < (client->family == NETADDR_V4 ? 2 : 4); i++)
		key |= (uint64_t)client->bytes[i] << 8 * i;
	size_t at = key * 2654435761U % ORIGINS;
	for (int tries = 0; tries < ORIGINS && origins[at].key != 0 && origins[at].key != key; tries++)
		at = (at + 1) % ORIGINS;
	if (origins[at].key == 0)
		origins[at].key = key;
	return origins[at].key == key ? &origins[at] : NULL;
}

/* networks.tsv: an IPv4 /16 or IPv6 /32, and its AS */
static void quick_dump_networks(const char *folder)
{
	struct quick_file file;
	struct netblock block;
	char *columns[COLUMNS_MAX];
	if (!quick_dump_open(folder, "networks.tsv", &file))
		quick_die("%s: there is no networks.tsv", folder);
	for (char *at = file.bytes; quick_dump_row(&file, &at, columns) > 0;) {
		if (!netblock_parse(columns[0], &block) || block.bits != (block.address.family == NETADDR_V4 ? 16 : 32))
			quick_die("%s/networks.tsv: %s is no /16, and no /32 of IPv6", folder, columns[0]);
		struct quick_origin *origin = quick_dump_origin(&block.address);
		if (origin == NULL)
			quick_die("%s/networks.tsv has too many rows", folder);
		origin->as = (uint32_t)quick_dump_number(columns[1], 0);
	}
}

uint32_t quick_dump_as(const struct netaddr *client)
{
	const struct quick_origin *origin = client->family == NETADDR_UNKNOWN ? NULL : quick_dump_origin(client);
	return origin != NULL ? origin->as : 0;
}

void quick_dump_read(const char *folder, struct quick_dump *dump)
{
	*dump = (struct quick_dump){ 0 };
	quick_dump_world(folder);
	quick_dump_networks(folder);
	quick_dump_accounts(folder, dump);
	quick_dump_messages(folder);
	quick_dump_events(folder, dump);
}
