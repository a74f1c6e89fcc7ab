/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/rcpts.h"

#include "redis-schema/store/store.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

static struct traps *traps_of(const char *text, char *error, size_t size)
{
	char file[] = "/tmp/penstock-traps-XXXXXX";
	int fd = mkstemp(file);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return NULL;
	close(fd);
	struct traps *traps = traps_read(file, error, size);
	unlink(file);
	return traps;
}

static void test_traps(void)
{
	/* clang-format off */
	static const struct {
		const char *address;
		bool is;
	} rows[] = {
		{ "old@example.net", true },	    { "anybody@trap.example", true },  { "new@example.net", false },
		{ "a@sub.trap.example", false },    { "tagged+x@example.net", true },  { "tagged@example.net", false },
		{ "trap.example", false },	    { "", false },		       { "last@example.net", true },
		{ "b\xc3\xbc" "cher@example.net", true },
		{ "OLD@Example.NET", true },	    { "old+tag@example.net", true },   {
		  "old%example.net@here.example", true },
		{ "example.net!old@here.example", true }, { "old@example.net@here.example", true },
		{ "old%example.net%here.example@here.example", true }, { "anybody%trap.example@here.example", true },
		{ "old%here.example@example.net", false }, { "quoted@example.net", true }, { "dot@example.net", true },
	};
	/* clang-format on */
	char error[300];
	struct traps *traps = traps_of(
		"# bought lists\nOld@Example.NET\n\n  @trap.example \t# a domain\r\ntagged+x@example.net\nb\xc3\xbc"
		"cher@example.net\n\"quoted\"@example.net\ndot@example.net.\nlast@example.net",
		error, sizeof error);
	if (!ok(traps != NULL, "a file of traps is read"))
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(traps_have(traps, rows[i].address), rows[i].is, "%s", rows[i].address);
	traps_free(&traps);
	ok(traps == NULL, "freed");
}

static void test_wrong_traps(void)
{
	static const char *const rows[] = {
		"fine@example.net\nnone\n", "\nname@\n", "\n@\n", "\n@com\n", "#\na b@example.net\n",
		"\na\x01@example.net\n"
	};
	char error[300], *line;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct traps *traps = traps_of(rows[i], error, sizeof error);
		line = strchr(error, ':');
		ok(traps == NULL && line != NULL && strncmp(line, ":2: is not a trap:", 15) == 0,
		   "line 2 of row %zu is no trap", i);
	}
	ok(traps_read("/nowhere/traps", error, sizeof error) == NULL && strstr(error, "cannot be read") != NULL,
	   "a file that is not there: %s", error);
	struct traps *none = traps_read("", error, sizeof error);
	ok(none != NULL && !traps_have(none, "a@example.net"), "no file, no trap");
	traps_free(&none);
}

static const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

struct fixture {
	struct arena arena;
	struct facts facts;
	struct rcpts rcpts;
	struct traps *traps;
	struct known known;
};

static void begin(struct fixture *fixture)
{
	char error[100];
	*fixture = (struct fixture){ .traps = traps_read("", error, sizeof error) };
	fixture->rcpts.key = key;
	fixture->rcpts.keyed = true;
	memcpy(fixture->facts.account, "alice@example.com", 18);
	arena_init(&fixture->arena, 65536);
}

static void end(struct fixture *fixture)
{
	arena_empty(&fixture->arena);
	traps_free(&fixture->traps);
}

static void add(struct fixture *fixture, const char *raw)
{
	fixture->facts.rcpts_remote++;
	rcpts_add(&fixture->rcpts, &fixture->arena, fixture->traps, &fixture->known, raw, true, &fixture->facts);
	rcpts_fill(&fixture->rcpts, true, &fixture->facts);
}

static void test_new(void)
{
	struct fixture fixture;
	begin(&fixture);
	const char *account = fixture.facts.account;
	fixture.facts.state.history.habits.known[0] = rcpt_hash(key, account, "bob@example.net");
	add(&fixture, "<Bob+news@Example.NET>");
	is_int(fixture.facts.rcpts_new, 0, "case and tag make nobody new");
	add(&fixture, "<carol@example.net>");
	is_int(fixture.facts.rcpts_new, 1, "one that it never wrote to");
	struct rcpts before = fixture.rcpts;
	add(&fixture, "carol+1@example.net");
	is_int(fixture.facts.rcpt_count, 2, "twice in one message is once");
	is_int(fixture.facts.rcpts_new, 1, "and new once");
	is_int(fixture.facts.rcpts_again, 1, "that it is named again is said");
	add(&fixture, "<\"ca\\rol\"@example.net.>");
	is_int(fixture.facts.rcpt_count, 2, "quotes, backslashes and a last dot make nobody else");
	fixture.rcpts = before;
	add(&fixture, "<dave@example.net>");
	fixture.rcpts = before;
	fixture.facts.rcpts_remote -= 3;
	rcpts_fill(&fixture.rcpts, true, &fixture.facts);
	is_int(fixture.facts.rcpts_new, 1, "a refused one is taken back");
	ok(rcpts_have(&fixture.rcpts, account, "carol@example.net"), "one that is kept is found");
	ok(!rcpts_have(&fixture.rcpts, account, "dave@example.net"), "one that was taken back is not");
	rcpts_fill(&fixture.rcpts, false, &fixture.facts);
	is_int(fixture.facts.rcpts_new, 0, "where nothing is known of the account none is said to be new");
	ok(!fixture.facts.rcpts_new_known, "and it says so");
	ok(rcpt_hash(key, "other@example.com", "bob@example.net") != rcpt_hash(key, account, "bob@example.net"),
	   "salted");
	add(&fixture, "<>");
	is_int(fixture.facts.rcpt_count, 2, "an empty recipient is nobody");
	end(&fixture);
}

/* Else whoever names his victim three times writes mostly to people whom the account knows. */
static void test_named_again(void)
{
	struct fixture fixture;
	begin(&fixture);
	for (int i = 0; i < 10; i++)
		add(&fixture, "carol@example.net");
	is_int(fixture.facts.rcpts_new, 1, "a new one that is named ten times is one");
	is_int(fixture.facts.rcpts_again, 9, "and no known one");
	end(&fixture);
	begin(&fixture);
	fixture.facts.state.history.habits.known[0] = rcpt_hash(key, fixture.facts.account, "bob@example.net");
	add(&fixture, "carol@example.net");
	for (int i = 0; i < 9; i++)
		add(&fixture, "bob@example.net");
	is_int(fixture.facts.rcpts_new, 1, "beside a known one that is named nine times");
	is_int(fixture.facts.rcpts_remote - fixture.facts.rcpts_again, 2, "it is one of two");
	end(&fixture);
}

static void put(unsigned char *map, uint32_t hash)
{
	for (int i = 0; i < KNOWN_MAP_BITS; i++) {
		unsigned bit = ((hash >> 16) + (unsigned)i * ((hash & 0xffff) | 1)) % (8 * KNOWN_MAP_BYTES);
		map[bit / 8] |= (unsigned char)(0x80U >> bit % 8);
	}
}

static void test_list(void)
{
	struct fixture fixture;
	begin(&fixture);
	uint32_t bob = rcpt_hash(key, fixture.facts.account, "bob@example.net");
	const unsigned char list[] = { 0,
				       0,
				       0,
				       9,
				       (unsigned char)(bob >> 24),
				       (unsigned char)(bob >> 16),
				       (unsigned char)(bob >> 8),
				       (unsigned char)bob };
	fixture.known = (struct known){ list, sizeof list };
	add(&fixture, "bob@example.net");
	add(&fixture, "carol@example.net");
	is_int(fixture.facts.rcpts_new, 1, "a list says whom it knows, all 32 bits");
	fixture.known.length = 7;
	ok(!known_has(&fixture.known, bob) && !known_fits(7) && known_fits(8) && known_fits(KNOWN_MAP_BYTES),
	   "half of a hash is none");
	end(&fixture);
}

/* What an attacker with the source does: looks for victims that collide with somebody's friends. */
static void test_keyed(void)
{
	struct fixture fixture;
	int same = 0;
	char name[60];
	static const uint64_t other[2] = { 1, 2 };
	begin(&fixture);
	ok(rcpt_hash(other, "alice@example.com", "bob@example.net") !=
		   rcpt_hash(key, "alice@example.com", "bob@example.net"),
	   "another secret, another hash");
	uint32_t bob = rcpt_hash(key, "alice@example.com", "bob@example.net");
	for (int i = 0; i < 300000; i++) {
		snprintf(name, sizeof name, "victim%d@example.org", i);
		same += rcpt_hash(key, "alice@example.com", name) == bob;
	}
	is_int(same, 0, "none of 300,000 addresses is taken for one that it knows");
	fixture.rcpts.keyed = false;
	add(&fixture, "bob@example.net");
	is_int(fixture.facts.rcpt_count, 0, "what is hashed by a secret that Redis does not have is not kept");
	end(&fixture);
}

static void test_map(void)
{
	struct fixture fixture;
	unsigned char map[KNOWN_MAP_BYTES] = { 0 };
	begin(&fixture);
	uint32_t hash = rcpt_hash(key, fixture.facts.account, "bob@example.net");
	put(map, hash);
	fixture.known = (struct known){ map, sizeof map };
	add(&fixture, "bob@example.net");
	add(&fixture, "carol@example.net");
	is_int(fixture.facts.rcpts_new, 1, "the account's map says whom it knows");
	end(&fixture);
}

static void test_many(void)
{
	struct fixture fixture;
	unsigned char map[KNOWN_MAP_BYTES] = { 0 };
	begin(&fixture);
	fixture.known = (struct known){ map, sizeof map };
	char address[60];
	for (int i = 0; i < 8000; i++) {
		snprintf(address, sizeof address, "user%d@example.net", i);
		uint32_t hash = rcpt_hash(key, fixture.facts.account, address);
		if (i % 2 == 0)
			put(map, hash);
	}
	for (int i = 0; i < 8000; i++) {
		snprintf(address, sizeof address, "user%d@example.net", i);
		add(&fixture, address);
	}
	is_int(fixture.facts.rcpt_count, RCPTS_KEPT, "so many are kept");
	ok(!fixture.arena.spent, "and fit into the message's arena");
	is_near((double)fixture.facts.rcpts_new, 4000, 400, "how many are new is estimated");
	end(&fixture);
}

int main(void)
{
	test_traps();
	test_wrong_traps();
	test_new();
	test_named_again();
	test_list();
	test_keyed();
	test_map();
	test_many();
	return done_testing();
}
