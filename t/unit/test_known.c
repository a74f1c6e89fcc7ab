/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/known.h"

#include "t/unit/tap.h"

#include "policy/hash.h"

#include <string.h>

enum { MOST = 12000 };

static uint32_t rcpts[MOST];
static unsigned char room[2][KNOWN_MAP_BYTES];

/* The next of the two rooms gets what is known with `count` more, from `from` on. */
static struct known add(const struct known *known, int from, int count)
{
	unsigned char *to = known->bytes == room[0] ? room[1] : room[0];
	size_t length = known_add(known, rcpts + from, count, to);
	return (struct known){ to, length };
}

static int count_known(const struct known *known, int from, int to)
{
	int count = 0;
	for (int i = from; i < to; i++)
		count += known_has(known, rcpts[i]);
	return count;
}

static void test_list(void)
{
	struct known known = { NULL, 0 };
	known = add(&known, 0, 0);
	is_int((long long)known.length, 0, "nobody more is nobody");
	known = add(&known, 0, 3);
	is_int((long long)known.length, 12, "three recipients, four bytes each");
	ok(known.bytes[0] == rcpts[0] >> 24 && known.bytes[3] == (rcpts[0] & 0xff), "the highest byte first");
	known = add(&known, 1, 3);
	is_int((long long)known.length, 16, "who is there is not added again");
	is_int(count_known(&known, 0, 4), 4, "all four are known");
	is_int(count_known(&known, 4, MOST), 0, "and nobody else");
	rcpts[5] = rcpts[4];
	known = add(&known, 4, 2);
	is_int((long long)known.length, 20, "nor one that comes twice at once");
	rcpts[5] = (uint32_t)hash_string("five", 1);
	const uint32_t nought = 0;
	known = (struct known){ room[0], known_add(&(struct known){ NULL, 0 }, &nought, 1, room[0]) };
	ok(known.length == 4 && known_has(&known, 0), "a hash that is nought is a hash");
}

static void test_map(void)
{
	struct known known = { NULL, 0 };
	known = add(&known, 0, KNOWN_LIST_MAX);
	is_int((long long)known.length, 4 * KNOWN_LIST_MAX, "so many are a list");
	known = add(&known, 0, KNOWN_LIST_MAX);
	is_int((long long)known.length, 4 * KNOWN_LIST_MAX, "all of them again change nothing");
	known = add(&known, KNOWN_LIST_MAX, 1);
	is_int((long long)known.length, KNOWN_MAP_BYTES, "one more makes it a map");
	is_int(count_known(&known, 0, KNOWN_LIST_MAX + 1), KNOWN_LIST_MAX + 1, "which knows all of them");
	ok(count_known(&known, 6000, MOST) <= 6, "and of 6,000 others hardly one: %d", count_known(&known, 6000, MOST));
	known = add(&known, KNOWN_LIST_MAX + 1, 1999);
	is_int((long long)known.length, KNOWN_MAP_BYTES, "a map stays one");
	is_int(count_known(&known, 0, 4000), 4000, "with more in it");
	int count = count_known(&known, 6000, MOST);
	ok(count <= 60, "of 6,000 others it takes 1 of 200 for known at most: %d", count);
	struct known at_once = { NULL, 0 };
	at_once = add(&at_once, 0, 4000);
	struct known slowly = { NULL, 0 };
	static unsigned char kept[KNOWN_MAP_BYTES];
	memcpy(kept, at_once.bytes, sizeof kept);
	for (int i = 0; i < 4000; i += 100)
		slowly = add(&slowly, i, 100);
	ok(slowly.length == sizeof kept && memcmp(slowly.bytes, kept, sizeof kept) == 0, "in whatever steps they came");
}

static void test_broken(void)
{
	static unsigned char odd[KNOWN_MAP_BYTES + 4];
	static const size_t lengths[] = { 1, 7, 4 * KNOWN_LIST_MAX + 4, KNOWN_MAP_BYTES - 1, KNOWN_MAP_BYTES + 4 };
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct known known = { odd, lengths[i] };
		ok(!known_fits(lengths[i]), "%zu bytes are neither list nor map", lengths[i]);
		known = add(&known, 0, 2);
		ok(known.length == 8 && count_known(&known, 0, 2) == 2, "they begin anew");
	}
}

int main(void)
{
	for (int i = 0; i < MOST; i++)
		rcpts[i] = (uint32_t)hash_bytes(&i, sizeof i, 7);
	test_list();
	test_map();
	test_broken();
	return done_testing();
}
