/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/receivers.h"

#include "milter/config/config.h"
#include "milter/follow/shelf.h"
#include "t/unit/tap.h"

#include <jansson.h>
#include <stdlib.h>

enum { MINUTE = 60 * 1000 };

#define START 1764000000000LL

static const char *sender; /* of the answers */

static struct transport transports[] = { { .name = "clean-1" }, { .name = "clean-2", .index = 1 } };

static const struct config *a_config(void)
{
	static struct config config;
	config.pool_count = 1;
	config.pools[0] = (struct pool){ .name = "clean", .transports = transports, .transport_count = 2 };
	return &config;
}

static bool hear(struct receivers *receivers, const char *transport, const char *receiver, const char *domain,
		 enum receiver_count count, int64_t time_ms)
{
	const struct receivers_answer answer = {
		.transport = transport,
		.receiver = receiver,
		.domain = domain,
		.count = count,
		.final = true,
		.sender = sender,
		.wording = "550 5.7.1 \"no\"",
		.wording_length = 14,
		.time_ms = time_ms,
	};
	return receivers_hear(receivers, &answer);
}

/* What the daemons are told; the caller drops it. */
static json_t *told(const struct receivers *receivers, int64_t now_ms)
{
	const struct follow_head head = {
		.number = 7, .at_ms = now_ms, .lines = 1000, .unknown = 3, .lost = 2, .lag_s = 1
	};
	struct follow_head again = { 0 };
	const char *const troubles[] = { "it is full", "it is away", NULL };
	char *value = receivers_value(receivers, &head, troubles, false, now_ms);
	size_t length = follow_head_read(value, strlen(value), &again);
	ok(length > 0 && memcmp(&head, &again, sizeof head) == 0, "the head is read as it was written");
	json_t *json = json_loads(value + length, 0, NULL);
	ok(json != NULL, "JSON follows it");
	is_str(json_string_value(json_array_get(json_object_get(json, "troubles"), 1)), "it is away", "with troubles");
	free(value);
	return json;
}

static const char *member(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static void test_table(void)
{
	struct receivers *receivers = receivers_new(a_config());
	int64_t now_ms = START;
	bool changed = false;
	hear(receivers, "clean-1", "google", "Gmail.com", RECEIVER_DELIVERED, now_ms);
	hear(receivers, "clean-1", "other.example", "other.example", RECEIVER_DELIVERED, now_ms);
	ok(!hear(receivers, "smtp", "google", "googlemail.com", RECEIVER_REPUTATION, now_ms),
	   "not a transport of ours");
	ok(!hear(receivers, "clean-1", "", "x.example", RECEIVER_REPUTATION, now_ms), "no receiver");
	ok(!hear(receivers, "clean-1", "a b", "x.example", RECEIVER_REPUTATION, now_ms), "no name of one");
	for (int i = 0; i < 12 && !changed; i++)
		changed = hear(receivers, "clean-1", "google", "gmail.com", RECEIVER_REPUTATION, now_ms += MINUTE);
	ok(changed, "it rests");
	json_t *json = told(receivers, now_ms), *rows = json_object_get(json, "rows"), *row = json_array_get(rows, 0);
	is_int((long long)json_array_size(rows), 2, "rows");
	is_str(member(row, "transport"), "clean-1", "the one that rests comes first");
	is_str(member(row, "receiver"), "google", "for whom");
	is_str(member(row, "state"), "rests", "its state");
	is_str(member(row, "wording"), "550 5.7.1 \"no\"", "the newest wording");
	is_int(json_integer_value(json_object_get(row, "since_ms")), now_ms, "since");
	is_int(json_integer_value(json_object_get(row, "until_ms")), now_ms + 60 * MINUTE, "until");
	json_t *domains = json_object_get(json_object_get(json, "domains"), "google");
	is_int((long long)json_array_size(domains), 2, "its domains, of any transport");
	ok(json_object_get(json_object_get(json, "domains"), "other.example") == NULL, "and nobody else's");
	json_decref(json);
	ok(!receivers_pass(receivers, now_ms + 59 * MINUTE), "an hour is not over");
	ok(receivers_pass(receivers, now_ms + 60 * MINUTE), "it is");
	receivers_free(&receivers);
	ok(receivers == NULL, "gone");
}

static char *written(const struct receivers *receivers, size_t *length)
{
	char *bytes = receivers_write(receivers, length);
	if (bytes == NULL)
		exit(1);
	return bytes;
}

/* Reading the rest of the log from a checkpoint ends as reading all of it. */
static void test_bytes(void)
{
	struct receivers *one = receivers_new(a_config()), *other = receivers_new(a_config());
	char name[64], error[200];
	size_t length, other_length;
	for (int i = 0; i < 9000; i++) {
		snprintf(name, sizeof name, "mx%d.example", i % 4300);
		hear(one, i % 3 == 0 ? "clean-1" : "clean-2", name, name,
		     i % 5 == 0 ? RECEIVER_REPUTATION : RECEIVER_DELIVERED, START + i);
		if (i != 6000)
			continue;
		char *bytes = written(one, &length);
		ok(receivers_read(other, bytes, length, error, sizeof error), "read again");
		for (size_t cut = 0; cut < 3000; cut++) {
			struct receivers *damaged = receivers_new(a_config());
			bool read = receivers_read(damaged, bytes, cut * 7, error, sizeof error);
			receivers_free(&damaged);
			if (read)
				ok(false, "cut at %zu it is damaged", cut * 7);
			cut += 200;
		}
		free(bytes);
	}
	for (int i = 6001; i < 9000; i++) {
		snprintf(name, sizeof name, "mx%d.example", i % 4300);
		hear(other, i % 3 == 0 ? "clean-1" : "clean-2", name, name,
		     i % 5 == 0 ? RECEIVER_REPUTATION : RECEIVER_DELIVERED, START + i);
	}
	char *bytes = written(one, &length), *other_bytes = written(other, &other_length);
	ok(length == other_length && memcmp(bytes, other_bytes, length) == 0, "the same to the last bit");
	ok(!receivers_read(other, "nonsense", 8, error, sizeof error), "nonsense");
	is_str(error, "it does not begin with \"penstock receivers 1\"", "what is wrong");
	free(bytes);
	free(other_bytes);
	const struct follow_head head = { .number = 1 };
	char *value = receivers_value(one, &head, NULL, false, START);
	ok(value != NULL && strlen(value) < FOLLOW_VALUE_MAX, "what is told is bounded");
	free(value);
	receivers_free(&one);
	receivers_free(&other);
}

/* All of the table's rows rest, with the longest of names. */
static void test_largest(void)
{
	struct receivers *receivers = receivers_new(a_config());
	char name[RECEIVER_NAME_MAX + 1], domain[RECEIVERS_DOMAIN_MAX + 2];
	const struct follow_head head = { .number = 1 };
	memset(domain, 'x', sizeof domain - 1);
	domain[sizeof domain - 1] = '\0';
	for (int i = 0; i < RECEIVERS_ROWS_MAX + 100; i++) {
		snprintf(name, sizeof name, "%060d", i);
		for (int j = 0; j < 3; j++)
			hear(receivers, "clean-1", name, NULL, RECEIVER_LISTED, START);
		snprintf(domain, sizeof domain, "%0127d", i);
		hear(receivers, "clean-1", name, domain, RECEIVER_LISTED, START);
	}
	char *value = receivers_value(receivers, &head, NULL, false, START);
	ok(value != NULL && strlen(value) < FOLLOW_VALUE_MAX, "what is told is bounded");
	free(value);
	receivers_free(&receivers);
}

/* A stranger with a name server makes receivers and domains up; what two others write to is still known. */
static void test_flood(void)
{
	static const char *const many[] = { "alice@example.com", "bob@example.net" };
	struct receivers *receivers = receivers_new(a_config());
	const struct follow_head head = { .number = 1 };
	char name[64];
	for (int i = 0; i < 2; i++) {
		sender = many[i];
		hear(receivers, "clean-1", "google", "gmail.com", RECEIVER_DELIVERED, START);
	}
	sender = "mallory@example.org";
	for (int i = 0; i < 40000; i++) {
		snprintf(name, sizeof name, "mx%d.example", i / 4);
		hear(receivers, "clean-1", name, name, RECEIVER_LISTED, START + i);
	}
	bool rests = false;
	for (int i = 0; i < 40; i++) {
		sender = many[i % 2];
		rests |= hear(receivers, "clean-1", "google", "googlemail.com", RECEIVER_LISTED, START + 40000 + i);
	}
	ok(rests, "it rests");
	char *value = receivers_value(receivers, &head, NULL, false, START + 40040);
	ok(strstr(value, "\"receiver\":\"google\"") != NULL, "the receiver is told");
	ok(strstr(value, "\"gmail.com\"") != NULL, "so is its domain");
	ok(strstr(value, "\"senders\":2") != NULL && strstr(value, "\"senders\":1") != NULL,
	   "and how many write to each");
	free(value);
	receivers_free(&receivers);
	sender = NULL;
}

/* A line from a hundred years on, and then the right time again. */
static void test_wrong_time(void)
{
	struct receivers *receivers = receivers_new(a_config());
	for (int i = 0; i < 5; i++)
		hear(receivers, "clean-1", "google", "gmail.com", RECEIVER_LISTED, START + 3153600000000LL);
	for (int i = 0; i < 5; i++)
		hear(receivers, "clean-1", "other.example", "other.example", RECEIVER_LISTED, START);
	receivers_pass(receivers, START);
	json_t *json = told(receivers, START), *row;
	size_t i;
	json_array_foreach(json_object_get(json, "rows"), i, row)
		ok(json_integer_value(json_object_get(row, "until_ms")) <= START + 60 * MINUTE, "it ends in time");
	json_decref(json);
	receivers_free(&receivers);
}

static double worth(const void *arg, int place)
{
	return ((const int *)arg)[place];
}

static void test_shelf(void)
{
	struct shelf *shelf = shelf_new(3);
	int worths[3] = { 5, 2, 9 };
	bool new;
	is_int(shelf_put(shelf, "a", worth, worths, &new), 0, "the first place");
	ok(new, "which is new");
	shelf_put(shelf, "b", worth, worths, &new);
	shelf_put(shelf, "c", worth, worths, &new);
	is_int(shelf_put(shelf, "a", worth, worths, &new), 0, "known");
	ok(!new, "and not new");
	is_int(shelf_put(shelf, "d", worth, worths, &new), 1, "the least one gives way");
	is_int(shelf_put(shelf, "c", worth, worths, &new), 2, "the others stay");
	shelf_put(shelf, "b", worth, worths, &new);
	ok(new, "and it is gone");
	is_int(shelf_count(shelf), 3, "no more than there are places");
	shelf_free(&shelf);
}

static void test_head(void)
{
	static const char *const wrong[] = {
		"",
		"penstock-follow 2 1 2 3 4 5 6\n",
		"penstock-follow 1 1 2 3 4 5\n",
		"penstock-follow 1 0 2 3 4 5 6\n",
		"penstock-follow 1 1 2 3 4 5 6",
		"penstock-follow 1 1 2 3 4 5 6 7\n",
		"penstock-follow 1 -1 2 3 4 5 6\n",
		"penstock-follow 1 1 99999999999999999999 3 4 5 6\n",
		"penstock-follow 1 1  3 4 5 6\n",
	};
	struct follow_head head;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		is_int((long long)follow_head_read(wrong[i], strlen(wrong[i]), &head), 0, "no head: %s", wrong[i]);
	is_int((long long)follow_head_read("penstock-follow 1 1 2 3 4 5 6\n{}", 32, &head), 30, "a head");
	is_int(head.lag_s, 6, "its last number");
}

int main(void)
{
	test_shelf();
	test_head();
	test_table();
	test_bytes();
	test_flood();
	test_wrong_time();
	test_largest();
	return done_testing();
}
