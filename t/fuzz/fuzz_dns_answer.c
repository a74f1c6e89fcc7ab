/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whatever a DNS server answers to a question of any type: no crash, no endless loop, and the outcome's fields are
 * sane. An odd first byte: the rest is the whole message; else it follows a header and a question that fit. The rest of
 * that byte is the type.
 */
#include "milter/dns/answer.h"
#include "policy/base/panic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_records(const struct dns_answer *answer)
{
	struct dns_record record;
	size_t at = 0;
	int records = 0;
	bool address = answer->type == DNS_A || answer->type == DNS_AAAA;
	while (dns_answer_next(answer, &at, &record)) {
		records++;
		MUST((record.address != NULL) == address && (record.text != NULL) == !address);
		MUST(address || record.text[record.length] == '\0');
		MUST(record.length <= (answer->type == DNS_TXT ? DNS_TEXT_MAX : DNS_NAME_MAX));
		MUST(answer->type == DNS_TXT || address || strlen(record.text) == record.length);
	}
	MUST(records == answer->count && at == answer->size);
}

static void check(const uint8_t *bytes, size_t length, enum dns_type type)
{
	static struct dns_data data;
	struct dns_answer answer;
	dns_answer_parse(bytes, length, "2.0.bl.test", type, &data, &answer);
	MUST(answer.count >= 0 && answer.count <= DNS_KEPT_MAX && answer.size <= DNS_DATA_MAX);
	MUST((answer.outcome == DNS_FOUND) == (answer.count > 0 || answer.partial));
	bool known = answer.outcome == DNS_FOUND || answer.outcome == DNS_NONE;
	MUST(known ? answer.ttl_s >= DNS_TTL_LEAST && answer.ttl_s <= DNS_TTL_MOST : answer.ttl_s == 0);
	check_records(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t question[] = "\1"
					  "2"
					  "\1"
					  "0"
					  "\2"
					  "bl"
					  "\4"
					  "test"
					  "\0"
					  "\0\1"
					  "\0\1";
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_TXT, DNS_MX, DNS_PTR };
	enum { HEADER = 12, QUESTION = sizeof question - 1, TAKEN = 5 };
	if (size < TAKEN)
		return 0;
	enum dns_type type = types[(data[0] >> 1) % (sizeof types / sizeof types[0])];
	if ((data[0] & 1) != 0) {
		check(data + 1, size - 1, type);
		return 0;
	}
	size_t length = HEADER + QUESTION + size - TAKEN;
	uint8_t *message = calloc(1, length);
	if (message == NULL)
		return 0;
	message[2] = 0x81;
	message[3] = data[1] & 0x83;
	message[5] = 1;
	message[7] = data[2];
	message[9] = data[3];
	message[11] = data[4];
	memcpy(message + HEADER, question, QUESTION);
	message[HEADER + QUESTION - 3] = (uint8_t)type;
	memcpy(message + HEADER + QUESTION, data + TAKEN, size - TAKEN);
	check(message, length, type);
	free(message);
	return 0;
}
