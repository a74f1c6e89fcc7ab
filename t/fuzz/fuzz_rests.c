/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The key follow:NODE of Redis, which anybody who can write there may have written; and the same bytes as a checkpoint
 * of penstock-follow's table.
 */
#include "milter/config/config.h"
#include "milter/follow/receivers.h"
#include "milter/pools/rests_table.h"
#include "policy/base/panic.h"
#include "t/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define CHECKPOINT "penstock receivers "

static void check_name(const char *name)
{
	MUST(*name != '\0');
	for (; *name != '\0'; name++)
		MUST(*name > ' ' && *name <= '~' && *name != '"' && *name != '\\');
}

static void fuzz_value(const char *bytes, size_t size)
{
	char error[300] = "";
	struct rests_table *table = rests_table_read(bytes, size, error, sizeof error);
	if (table == NULL) {
		MUST(error[0] == 'i' && error[1] == 't');
		return;
	}
	MUST(table->row_count <= RESTS_ROWS_MAX && table->domain_count <= RESTS_DOMAINS_MAX);
	for (int i = 0; i < table->row_count; i++) {
		const struct rests_row *row = &table->rows[i];
		check_name(row->transport);
		check_name(row->receiver);
		MUST(row->refused >= 0 && row->refused <= 1);
		MUST(row->row.until_ms <= table->head.at_ms + RESTS_AHEAD_MAX_S * 1000LL);
		for (const char *at = row->row.wording; *at != '\0'; at++)
			MUST(*at >= ' ' && *at <= '~');
		MUST(rests_table_find(table, row->transport, row->receiver) != NULL);
	}
	for (int i = 0; i < table->domain_count; i++)
		MUST(rests_table_receiver(table, table->domains[i].name) != NULL);
	rests_table_drop(&table);
}

/* What was read is written as it is read again. */
static void fuzz_bytes(const char *bytes, size_t size)
{
	static struct transport transports[] = { { .name = "a" }, { .name = "b" } };
	static struct config config = { .pool_count = 1,
					.pools = { { .name = "p", .transports = transports, .transport_count = 2 } } };
	char error[300] = "";
	size_t length, length_again;
	struct receivers *receivers = receivers_new(&config), *again = receivers_new(&config);
	if (receivers_read(receivers, bytes, size, error, sizeof error)) {
		char *one = receivers_write(receivers, &length);
		MUST(receivers_read(again, one, length, error, sizeof error));
		char *other = receivers_write(again, &length_again);
		MUST(length == length_again && memcmp(one, other, length) == 0);
		free(one);
		free(other);
	} else {
		MUST(error[0] == 'i' && error[1] == 't');
	}
	receivers_free(&receivers);
	receivers_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = string_of(data, size);
	if (strncmp(bytes, CHECKPOINT, strlen(CHECKPOINT)) == 0) /* tables are large, and made for these alone */
		fuzz_bytes(bytes, size);
	else
		fuzz_value(bytes, size);
	free(bytes);
	return 0;
}
