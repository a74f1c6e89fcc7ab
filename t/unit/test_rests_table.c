/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/rests_table.h"

#include "t/unit/tap.h"

#include <stdlib.h>

#define HEAD "penstock-follow 1 7 1764000000000 10 1 0 2\n"
#define ROW_WITH(transport, state, until, refused, counts) \
	"{\"transport\":" transport ",\"receiver\":\"google\",\"counts\":" counts ",\"state\":" state \
	",\"refused\":" refused ",\"since_ms\":1764000000000,\"until_ms\":" until \
	",\"worded_ms\":1,\"wording\":\"550 n\\u00f6\"}"
#define ROW ROW_WITH("\"clean-1\"", "\"rests\"", "1764003600000", "0.7", "{\"delivered\":3,\"reputation\":9.5}")
#define BODY(rows, domains) "{\"rows\":[" rows "],\"domains\":" domains "}"
#define DOMAINS "{\"google\":[\"gmail.com\",\"googlemail.com\"],\"yahoo\":[\"yahoo.com\"]}"

static struct rests_table *read_of(const char *value, char error[300])
{
	error[0] = '\0';
	return rests_table_read(value, strlen(value), error, 300);
}

static void test_read(void)
{
	char error[300];
	struct rests_table *table = read_of(HEAD BODY(ROW, DOMAINS), error), *again = table;
	is_str(error, "", "no error");
	if (!ok(table != NULL, "read"))
		return;
	is_int(table->head.number, 7, "its number");
	is_int(table->row_count, 1, "a row");
	is_str(table->rows[0].row.wording, "550 n??", "the wording is one line of ASCII");
	is_int(rests_row_state(&table->rows[0], 1764003599999), RECEIVER_RESTS, "it rests");
	is_int(rests_row_state(&table->rows[0], 1764003600000), RECEIVER_TRIES, "it tries");
	is_int(rests_row_state(&table->rows[0], 1764003600000 + 86400000LL), RECEIVER_FREE, "nobody wrote to it");
	is_str(rests_table_receiver(table, "gmail.com"), "google", "whose domain");
	is_str(rests_table_receiver(table, "yahoo.com"), "yahoo", "another's");
	ok(rests_table_receiver(table, "gmail.co") == NULL, "nobody's");
	ok(rests_table_find(table, "clean-1", "google") == &table->rows[0], "its row");
	ok(rests_table_find(table, "clean-2", "google") == NULL, "another one has none");
	rests_table_hold(table);
	rests_table_drop(&again);
	ok(again == NULL && table->row_count == 1, "it is counted");
	rests_table_drop(&table);
	rests_table_drop(&table);
}

static void test_wrong(void)
{
	static const struct {
		const char *value, *error;
	} rows[] = {
		{ "", "it does not begin with \"penstock-follow 1\" and six whole numbers" },
		{ BODY("", "{}"), "it does not begin with \"penstock-follow 1\" and six whole numbers" },
		{ HEAD, "it is not JSON: " },
		{ HEAD "[]", "it is another kind of value than an object" },
		{ HEAD "{\"rows\":[],\"rows\":[],\"domains\":{}}", "it is not JSON: " },
		{ HEAD "{\"domains\":{}}", "it has no \"rows\", an array of at most 1000" },
		{ HEAD "{\"rows\":[]}", "it has no \"domains\", an object of at most 5000" },
		{ HEAD BODY("1", "{}"),
		  "it has in \"rows\", element 0, something else than a transport and a receiver" },
		{ HEAD BODY(ROW "," ROW_WITH("\"a b\"", "\"rests\"", "1764003600000", "0.7", "{}"), "{}"),
		  "it has in \"rows\", element 1, something else than a transport and a receiver" },
		{ HEAD BODY(ROW_WITH("\"\"", "\"rests\"", "1764003600000", "0.7", "{}"), "{}"),
		  "it has in \"rows\", element 0, something else than a transport and a receiver" },
		{ HEAD BODY(ROW_WITH("\"a\"", "\"sleeps\"", "1764003600000", "0.7", "{}"), "{}"),
		  "it has in \"rows\", element 0, something else than a state and its times" },
		{ HEAD BODY(ROW_WITH("\"a\"", "\"rests\"", "1.5", "0.7", "{}"), "{}"),
		  "it has in \"rows\", element 0, something else than a state and its times" },
		{ HEAD BODY(ROW_WITH("\"a\"", "\"rests\"", "1764172800001", "0.7", "{}"), "{}"),
		  "it has in \"rows\", element 0, something else than a state and its times" },
		{ HEAD BODY(ROW_WITH("\"a\"", "\"rests\"", "1764003600000", "1.7", "{}"), "{}"),
		  "it has in \"rows\", element 0, something else than counts and their share" },
		{ HEAD BODY(ROW_WITH("\"a\"", "\"rests\"", "1764003600000", "0.7", "{\"rate\":-1}"), "{}"),
		  "it has in \"rows\", element 0, something else than counts and their share" },
		{ HEAD BODY(ROW_WITH("\"a\"", "\"rests\"", "1764003600000", "0.7", "[]"), "{}"),
		  "it has in \"rows\", element 0, something else than counts and their share" },
		{ HEAD BODY("", "{\"google\":[\"gmail.com\",7]}"),
		  "it has in \"domains\", element 1, something else than a domain" },
		{ HEAD BODY("", "{\"google\":[\"g mail.com\"]}"),
		  "it has in \"domains\", element 0, something else than a domain" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char error[300];
		struct rests_table *table = read_of(rows[i].value, error);
		ok(table == NULL, "damaged: %.60s", rows[i].value);
		rests_table_drop(&table);
		error[strlen(rows[i].error)] = '\0';
		is_str(error, rows[i].error, "what is wrong");
	}
}

static void test_bounds(void)
{
	enum { BYTES = 1 << 20 };
	char *value = malloc(BYTES), error[300];
	size_t length = (size_t)snprintf(value, BYTES, HEAD "{\"domains\":{},\"rows\":[");
	for (int i = 0; i <= RESTS_ROWS_MAX; i++)
		length += (size_t)snprintf(value + length, BYTES - length, "%s1", i == 0 ? "" : ",");
	snprintf(value + length, BYTES - length, "]}");
	struct rests_table *table = read_of(value, error);
	ok(table == NULL, "too many rows");
	is_str(error, "it has no \"rows\", an array of at most 1000", "which is said");
	length = (size_t)snprintf(value, BYTES, HEAD "{\"rows\":[],\"domains\":{\"a\":[");
	for (int i = 0; i <= RESTS_DOMAINS_MAX; i++)
		length += (size_t)snprintf(value + length, BYTES - length, "%s\"d%d.example\"", i == 0 ? "" : ",", i);
	snprintf(value + length, BYTES - length, "]}}");
	table = read_of(value, error);
	ok(table == NULL, "too many domains");
	is_str(error, "it has no \"domains\", an object of at most 5000", "which is said");
	free(value);
}

int main(void)
{
	test_read();
	test_wrong();
	test_bounds();
	return done_testing();
}
