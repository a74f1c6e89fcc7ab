/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table as bytes, in the order of its places, so that what is read goes on exactly as what was written. Numbers
 * have eight bytes, least first; texts a byte of length.
 */
#include "milter/follow/receivers_inside.h"

#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#define FORM "penstock receivers 1\n"
#define TIME_MOST 1000000000000000 /* ms: sums of such times are times */

enum { NUMBER_BYTES = 8 };

/* ---- writing */

static void bytes_put_number(FILE *to, uint64_t number)
{
	for (int i = 0; i < NUMBER_BYTES; i++)
		putc((int)(number >> (8 * i) & 0xff), to);
}

static void bytes_put_real(FILE *to, double real)
{
	uint64_t number;
	memcpy(&number, &real, sizeof number);
	bytes_put_number(to, number);
}

static void bytes_put_text(FILE *to, const char *text)
{
	putc((int)strlen(text), to);
	fputs(text, to);
}

static void receivers_bytes_put_row(FILE *to, const char *name, const struct receiver_row *row)
{
	bytes_put_text(to, name);
	bytes_put_text(to, row->wording);
	bytes_put_number(to, (uint64_t)row->at_ms);
	bytes_put_number(to, (uint64_t)row->worded_ms);
	bytes_put_number(to, (uint64_t)row->since_ms);
	bytes_put_number(to, (uint64_t)row->until_ms);
	bytes_put_number(to, (uint64_t)row->state);
	bytes_put_number(to, (uint64_t)row->rests);
	for (int i = 0; i < RECEIVER_COUNTS; i++)
		bytes_put_real(to, row->counts[i]);
	bytes_put_real(to, row->against);
	bytes_put_real(to, row->for_it);
	bytes_put_real(to, row->tried);
	bytes_put_real(to, row->refused);
	for (int i = 0; i < RECEIVER_SENDERS; i++) {
		bytes_put_number(to, row->senders[i].who);
		bytes_put_number(to, (uint64_t)row->senders[i].heard_ms);
		bytes_put_number(to, (uint64_t)row->senders[i].refused_ms);
	}
}

char *receivers_write(const struct receivers *receivers, size_t *length_out)
{
	char *bytes = NULL;
	FILE *to = open_memstream(&bytes, length_out);
	int rows = shelf_count(receivers->row_names), domains = shelf_count(receivers->domain_names);
	if (to == NULL)
		return NULL;
	fputs(FORM, to);
	bytes_put_number(to, (uint64_t)receivers->now_ms);
	bytes_put_number(to, (uint64_t)rows);
	for (int i = 0; i < rows; i++)
		receivers_bytes_put_row(to, shelf_name(receivers->row_names, i), &receivers->rows[i]);
	bytes_put_number(to, (uint64_t)domains);
	for (int i = 0; i < domains; i++) {
		bytes_put_text(to, shelf_name(receivers->domain_names, i));
		bytes_put_text(to, receivers->domains[i].receiver);
		bytes_put_number(to, receivers->domains[i].sender);
		bytes_put_number(to, (uint64_t)receivers->domains[i].time_ms);
	}
	bool failed = ferror(to) != 0;
	if (fclose(to) != 0 || failed) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

/* ---- reading */

struct receivers_bytes {
	const unsigned char *at, *end;
	bool wrong; /* it ended too soon, or says what cannot be */
};

static uint64_t bytes_take_number(struct receivers_bytes *from, uint64_t most)
{
	uint64_t number = 0;
	if (from->end - from->at < NUMBER_BYTES) {
		from->wrong = true;
		return 0;
	}
	for (int i = 0; i < NUMBER_BYTES; i++)
		number |= (uint64_t)from->at[i] << (8 * i);
	from->at += NUMBER_BYTES;
	from->wrong |= number > most;
	return number <= most ? number : 0;
}

static double bytes_take_real(struct receivers_bytes *from)
{
	uint64_t number = bytes_take_number(from, UINT64_MAX);
	double real;
	memcpy(&real, &number, sizeof real);
	if (!(real >= 0 && real <= 1e15)) {
		from->wrong = true;
		return 0;
	}
	return real;
}

static void receivers_bytes_take_text(struct receivers_bytes *from, char *to, size_t size)
{
	size_t length = from->at < from->end ? *from->at : 0;
	to[0] = '\0';
	if (from->at >= from->end || (size_t)(from->end - from->at) < length + 1 || length >= size ||
	    memchr(from->at + 1, '\0', length) != NULL) {
		from->wrong = true;
		return;
	}
	memcpy(to, from->at + 1, length);
	to[length] = '\0';
	from->at += length + 1;
}

static void receivers_bytes_take_row(struct receivers_bytes *from, struct receivers *receivers)
{
	char name[SHELF_NAME_MAX + 1];
	struct receiver_row row = { .at_ms = 0 };
	receivers_bytes_take_text(from, name, sizeof name);
	receivers_bytes_take_text(from, row.wording, sizeof row.wording);
	row.at_ms = (int64_t)bytes_take_number(from, TIME_MOST);
	row.worded_ms = (int64_t)bytes_take_number(from, TIME_MOST);
	row.since_ms = (int64_t)bytes_take_number(from, TIME_MOST);
	row.until_ms = (int64_t)bytes_take_number(from, TIME_MOST);
	row.state = (enum receiver_state)bytes_take_number(from, RECEIVER_STATES - 1);
	row.rests = (int)bytes_take_number(from, INT32_MAX);
	for (int i = 0; i < RECEIVER_COUNTS; i++)
		row.counts[i] = bytes_take_real(from);
	row.against = bytes_take_real(from);
	row.for_it = bytes_take_real(from);
	row.tried = bytes_take_real(from);
	row.refused = bytes_take_real(from);
	for (int i = 0; i < RECEIVER_SENDERS; i++) {
		row.senders[i].who = bytes_take_number(from, UINT64_MAX);
		row.senders[i].heard_ms = (int64_t)bytes_take_number(from, TIME_MOST);
		row.senders[i].refused_ms = (int64_t)bytes_take_number(from, TIME_MOST);
	}
	char *receiver = strstr(name, RECEIVERS_BETWEEN);
	if (receiver == NULL || from->wrong) {
		from->wrong = true;
		return;
	}
	*receiver = '\0';
	receiver += strlen(RECEIVERS_BETWEEN);
	from->wrong = !receivers_is_name(name) || !receivers_is_name(receiver) || strlen(receiver) > RECEIVER_NAME_MAX;
	struct receiver_row *place = from->wrong || !receivers_follows(receivers, name)
					     ? NULL
					     : receivers_put_row(receivers, name, receiver);
	if (place != NULL)
		*place = row;
}

static void receivers_bytes_take_domain(struct receivers_bytes *from, struct receivers *receivers)
{
	char domain[RECEIVERS_DOMAIN_MAX + 1], receiver[RECEIVER_NAME_MAX + 1];
	receivers_bytes_take_text(from, domain, sizeof domain);
	receivers_bytes_take_text(from, receiver, sizeof receiver);
	uint64_t sender = bytes_take_number(from, UINT64_MAX);
	int64_t time_ms = (int64_t)bytes_take_number(from, TIME_MOST);
	from->wrong = from->wrong || !receivers_is_name(domain) || !receivers_is_name(receiver);
	if (!from->wrong)
		receivers_put_domain(receivers, domain, receiver, sender, time_ms);
}

bool receivers_read(struct receivers *receivers, const char *bytes, size_t length, char *error, size_t error_size)
{
	struct receivers_bytes from = { (const unsigned char *)bytes, (const unsigned char *)bytes + length, false };
	if (length < strlen(FORM) || memcmp(bytes, FORM, strlen(FORM)) != 0) {
		snprintf(error, error_size, "it does not begin with \"penstock receivers 1\"");
		return false;
	}
	from.at += strlen(FORM);
	receivers->now_ms = (int64_t)bytes_take_number(&from, TIME_MOST);
	uint64_t rows = bytes_take_number(&from, RECEIVERS_ROWS_MAX);
	for (uint64_t i = 0; i < rows && !from.wrong; i++)
		receivers_bytes_take_row(&from, receivers);
	uint64_t domains = bytes_take_number(&from, RECEIVERS_DOMAINS_MAX);
	for (uint64_t i = 0; i < domains && !from.wrong; i++)
		receivers_bytes_take_domain(&from, receivers);
	if (!from.wrong && from.at == from.end)
		return true;
	snprintf(error, error_size, "it is damaged at byte %zu of %zu",
		 (size_t)(from.at - (const unsigned char *)bytes), length);
	return false;
}
