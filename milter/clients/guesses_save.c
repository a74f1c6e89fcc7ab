/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tables of guesses, as they outlive a restart: a head, the rows in use, a hash of all of it. A file that was cut,
 * or is of another build, is not read; nothing of it is believed before the hash fits.
 */
#include "milter/clients/guesses_inside.h"

#include "policy/hash.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct guesses_head {
	char magic[8];
	uint32_t entry_size, count[GUESS_SIDES], unused;
	uint64_t key[2];
};

static const char magic[8] = "guesses1";

static bool guesses_write(FILE *to, const struct guesses_head *head, const struct guess_entry *entries, size_t count)
{
	uint64_t hash = hash_bytes(entries, count * sizeof *entries, hash_bytes(head, sizeof *head, 0));
	return fwrite(head, sizeof *head, 1, to) == 1 && fwrite(entries, sizeof *entries, count, to) == count &&
	       fwrite(&hash, sizeof hash, 1, to) == 1;
}

bool guesses_save(FILE *to)
{
	struct guesses_head head = { .entry_size = sizeof(struct guess_entry) };
	struct guess_entry *copy = calloc((size_t)GUESS_SIDES * GUESS_ROWS, sizeof *copy);
	size_t count = 0;
	if (copy == NULL)
		return false;
	memcpy(head.magic, magic, sizeof head.magic);
	pthread_mutex_lock(&guesses_lock);
	memcpy(head.key, the_guesses.key, sizeof head.key);
	for (int side = 0; side < GUESS_SIDES; side++)
		for (int i = 0; the_guesses.rows[side] != NULL && i < GUESS_ROWS; i++)
			if (the_guesses.rows[side][i].hash != 0) {
				copy[count++] = the_guesses.rows[side][i];
				head.count[side]++;
			}
	pthread_mutex_unlock(&guesses_lock);
	bool written = guesses_write(to, &head, copy, count);
	free(copy);
	return written;
}

static bool guesses_entry_is_sound(const struct guess_entry *entry)
{
	return entry->hash != 0 && guess_set_is_sound(&entry->others) &&
	       memchr(entry->name, '\0', sizeof entry->name) != NULL && entry->client.family <= NETADDR_V6;
}

/* Each row has a place of its own: they were written from as many. */
static bool guesses_place(enum guess_side side, const struct guess_entry *entry)
{
	struct guess_entry *bucket = guesses_bucket(side, entry->hash);
	for (int i = 0; i < GUESS_WAYS; i++)
		if (bucket[i].hash == 0) {
			bucket[i] = *entry;
			the_guesses.stats.rows[side]++;
			return true;
		}
	return false;
}

static bool guesses_take(const struct guesses_head *head, const struct guess_entry *entries)
{
	bool taken = the_guesses.rows[GUESS_CLIENTS] != NULL;
	memcpy(the_guesses.key, head->key, sizeof the_guesses.key);
	for (size_t i = 0; taken && i < head->count[0] + head->count[1]; i++)
		taken = guesses_entry_is_sound(&entries[i]) &&
			guesses_place(i < head->count[0] ? GUESS_CLIENTS : GUESS_NAMES, &entries[i]);
	return taken;
}

static void guesses_clear(void)
{
	for (int side = 0; side < GUESS_SIDES; side++) {
		if (the_guesses.rows[side] != NULL)
			memset(the_guesses.rows[side], 0, GUESS_ROWS * sizeof *the_guesses.rows[side]);
		the_guesses.stats.rows[side] = 0;
	}
}

static struct guess_entry *guesses_read(FILE *from, struct guesses_head *head_out)
{
	uint64_t hash = 0;
	if (fread(head_out, sizeof *head_out, 1, from) != 1 || memcmp(head_out->magic, magic, sizeof magic) != 0 ||
	    head_out->entry_size != sizeof(struct guess_entry) || head_out->count[0] > GUESS_ROWS ||
	    head_out->count[1] > GUESS_ROWS)
		return NULL;
	size_t count = head_out->count[0] + head_out->count[1];
	struct guess_entry *entries = calloc(count + 1, sizeof *entries);
	if (entries == NULL || fread(entries, sizeof *entries, count, from) != count ||
	    fread(&hash, sizeof hash, 1, from) != 1 ||
	    hash != hash_bytes(entries, count * sizeof *entries, hash_bytes(head_out, sizeof *head_out, 0))) {
		free(entries);
		return NULL;
	}
	return entries;
}

bool guesses_load(FILE *from)
{
	struct guesses_head head;
	struct guess_entry *entries = guesses_read(from, &head);
	pthread_mutex_lock(&guesses_lock);
	guesses_clear();
	bool taken = entries != NULL && guesses_take(&head, entries);
	if (!taken)
		guesses_clear();
	pthread_mutex_unlock(&guesses_lock);
	free(entries);
	return taken;
}
