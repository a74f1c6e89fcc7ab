/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/answer.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { HEADER_BYTES = 12, WIRE_NAME_MAX = 255, LABEL_MAX = 63, POINTERS_MAX = 127 };
enum { TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_OPT = 41, CLASS_IN = 1 };
enum { RCODE_NOERROR = 0, RCODE_NXDOMAIN = 3 };

/* A name as it stands on the wire, without compression, in lower case: two names are equal if their bytes are. */
struct name {
	size_t length; /* with the empty label at the end */
	uint8_t bytes[WIRE_NAME_MAX];
};

struct answer_message {
	const uint8_t *bytes;
	size_t length;
	size_t at; /* what is read next */
};

struct record {
	struct name owner;
	unsigned type, class;
	uint32_t ttl;
	size_t data, data_length; /* where its data lies in the message */
};

static bool answer_add_label(struct name *name, const uint8_t *label, size_t length)
{
	if (length > LABEL_MAX || name->length + 1 + length > WIRE_NAME_MAX)
		return false;
	name->bytes[name->length++] = (uint8_t)length;
	for (size_t i = 0; i < length; i++)
		name->bytes[name->length++] = (uint8_t)text_lower((char)label[i]);
	return true;
}

static bool answer_name_of_text(const char *text, struct name *name)
{
	name->length = 0;
	while (*text != '\0') {
		size_t length = strcspn(text, ".");
		if (length == 0 || !answer_add_label(name, (const uint8_t *)text, length))
			return false;
		text += length + (text[length] == '.' ? 1 : 0);
	}
	return answer_add_label(name, NULL, 0);
}

static bool answer_is_below(const struct name *name, const struct name *ancestor)
{
	size_t at = 0;
	while (name->length - at > ancestor->length)
		at += 1U + name->bytes[at];
	return name->length - at == ancestor->length &&
	       memcmp(name->bytes + at, ancestor->bytes, ancestor->length) == 0;
}

static bool is_same(const struct name *a, const struct name *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* Each pointer must lead to before the place that the last one led to, so that no chain of them is endless; and no
 * name of 127 labels needs more of them than labels. */
static bool answer_read_name(struct answer_message *message, struct name *name)
{
	size_t at = message->at, lowest = message->at;
	int pointers = 0;
	name->length = 0;
	while (at < message->length) {
		unsigned length = message->bytes[at];
		if (length >= 0xc0) {
			if (message->length - at < 2)
				return false;
			size_t target = (size_t)(length & 0x3f) << 8 | message->bytes[at + 1];
			if (pointers++ == 0)
				message->at = at + 2;
			if (target >= lowest || pointers > POINTERS_MAX)
				return false;
			at = lowest = target;
			continue;
		}
		if (length > LABEL_MAX || length >= message->length - at ||
		    !answer_add_label(name, message->bytes + at + 1, length))
			return false;
		at += 1 + length;
		if (length == 0) {
			if (pointers == 0)
				message->at = at;
			return true;
		}
	}
	return false;
}

/* The callers have checked that the bytes are there. */
static unsigned get_16(const struct answer_message *message, size_t at)
{
	return (unsigned)message->bytes[at] << 8 | message->bytes[at + 1];
}

static uint32_t get_32(const struct answer_message *message, size_t at)
{
	return (uint32_t)get_16(message, at) << 16 | get_16(message, at + 2);
}

static bool answer_read_record(struct answer_message *message, struct record *record)
{
	if (!answer_read_name(message, &record->owner) || message->length - message->at < 10)
		return false;
	record->type = get_16(message, message->at);
	record->class = get_16(message, message->at + 2);
	record->ttl = get_32(message, message->at + 4);
	if (record->ttl > INT32_MAX)
		record->ttl = 0; /* RFC 2181 section 8 */
	record->data_length = get_16(message, message->at + 8);
	record->data = message->at + 10;
	if (record->data_length > message->length - record->data)
		return false;
	message->at = record->data + record->data_length;
	return true;
}

/* A name that fills a record's data exactly. */
static bool read_data_name(const struct answer_message *message, const struct record *record, struct name *name)
{
	struct answer_message data = { message->bytes, message->length, record->data };
	return answer_read_name(&data, name) && data.at == record->data + record->data_length;
}

static int64_t shorter(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- what is kept: for each record two bytes of length, its bytes, and a NUL */

struct keeper {
	struct dns_data *data;
	struct dns_answer *answer;
};

static void answer_keep(struct keeper *keeper, const void *bytes, size_t length)
{
	struct dns_answer *answer = keeper->answer;
	if (answer->count == DNS_KEPT_MAX || length + 3 > DNS_DATA_MAX - answer->size) {
		answer->partial = true;
		return;
	}
	uint8_t *to = keeper->data->bytes + answer->size;
	to[0] = (uint8_t)(length >> 8);
	to[1] = (uint8_t)length;
	memcpy(to + 2, bytes, length);
	to[2 + length] = '\0';
	answer->size += length + 3;
	answer->count++;
}

static bool answer_keep_address(struct keeper *keeper, const struct answer_message *message,
				const struct record *record, size_t bytes)
{
	if (record->data_length != bytes)
		return false;
	answer_keep(keeper, message->bytes + record->data, bytes);
	return true;
}

/* False: a label that would not read as one, or that no host's name has. */
static bool answer_text_of_name(const struct name *name, struct text *text)
{
	for (size_t at = 0; name->bytes[at] != 0; at += 1U + name->bytes[at]) {
		if (at > 0)
			text_add_bytes(text, ".", 1);
		for (size_t i = 1; i <= name->bytes[at]; i++) {
			char c = (char)name->bytes[at + i];
			if (c <= ' ' || c >= 0x7f || c == '.' || c == '\\' || c == '"')
				return false;
			text_add_bytes(text, &c, 1);
		}
	}
	return !text->cut;
}

/* PTR; MX has two bytes of preference before the name. */
static bool answer_keep_name(struct keeper *keeper, const struct answer_message *message, const struct record *record,
			     size_t before)
{
	char bytes[2 + DNS_NAME_MAX + 1];
	struct record rest = *record;
	struct name name;
	if (record->data_length < before)
		return false;
	rest.data += before;
	rest.data_length -= before;
	if (!read_data_name(message, &rest, &name))
		return false;
	memcpy(bytes, message->bytes + record->data, before);
	struct text text = text_over(bytes + before, sizeof bytes - before);
	if (answer_text_of_name(&name, &text))
		answer_keep(keeper, bytes, before + text.length);
	else
		keeper->answer->partial = true;
	return true;
}

/* RFC 7208 section 3.3: the strings are joined without a space. */
static bool answer_keep_text(struct keeper *keeper, const struct answer_message *message, const struct record *record)
{
	char bytes[DNS_TEXT_MAX];
	size_t at = record->data, end = record->data + record->data_length, length = 0;
	bool fits = true;
	while (at < end) {
		size_t string = message->bytes[at];
		if (string > end - at - 1)
			return false;
		fits = fits && string <= sizeof bytes - length;
		if (fits) {
			memcpy(bytes + length, message->bytes + at + 1, string);
			length += string;
		}
		at += 1 + string;
	}
	if (fits)
		answer_keep(keeper, bytes, length);
	else
		keeper->answer->partial = true;
	return record->data_length > 0;
}

static bool answer_keep_record(struct keeper *keeper, const struct answer_message *message, const struct record *record)
{
	switch (keeper->answer->type) {
	case DNS_A:
		return answer_keep_address(keeper, message, record, 4);
	case DNS_AAAA:
		return answer_keep_address(keeper, message, record, 16);
	case DNS_PTR:
		return answer_keep_name(keeper, message, record, 0);
	case DNS_MX:
		return answer_keep_name(keeper, message, record, 2);
	case DNS_TXT:
		return answer_keep_text(keeper, message, record);
	}
	return false;
}

/* ---- the sections */

/* What one pass over the answer section says of one name. */
struct answer_finding {
	bool found;
	bool alias;
	struct name target;
};

static bool answer_look_up(const struct answer_message *start, unsigned records, const struct name *owner,
			   struct keeper *keeper, struct answer_finding *finding)
{
	struct answer_message message = *start;
	struct dns_answer *answer = keeper->answer;
	struct record record;
	finding->alias = finding->found = false;
	for (unsigned i = 0; i < records; i++) {
		if (!answer_read_record(&message, &record))
			return false;
		if (record.class != CLASS_IN || !is_same(&record.owner, owner))
			continue;
		if (record.type == TYPE_CNAME) {
			if (!read_data_name(&message, &record, &finding->target))
				return false;
			answer->ttl_s = shorter(answer->ttl_s, record.ttl);
			finding->alias = true;
			return true;
		}
		if (record.type != answer->type)
			continue;
		if (!answer_keep_record(keeper, &message, &record))
			return false;
		answer->ttl_s = shorter(answer->ttl_s, record.ttl);
		finding->found = true;
	}
	return true;
}

/* From the question's name along the aliases to the records. `name` ends as the last name of the chain. */
static bool answer_follow(const struct answer_message *start, unsigned records, struct name *name,
			  struct keeper *keeper, bool *found_out)
{
	struct answer_finding finding;
	for (int aliases = 0; aliases <= DNS_CNAME_MAX; aliases++) {
		if (!answer_look_up(start, records, name, keeper, &finding))
			return false;
		*found_out = finding.found;
		if (!finding.alias)
			return true;
		keeper->answer->count = 0;
		keeper->answer->size = 0;
		keeper->answer->partial = false;
		*name = finding.target;
	}
	return false;
}

struct authority {
	bool soa, ns;
	int64_t ttl_s; /* RFC 2308 section 5: the lesser of the SOA's own TTL and its minimum */
};

static bool answer_read_soa(const struct answer_message *message, const struct record *record, int64_t *ttl_s_out)
{
	enum { SOA_NUMBERS = 20 };
	struct answer_message data = { message->bytes, message->length, record->data };
	struct name ignored;
	size_t end = record->data + record->data_length;
	if (!answer_read_name(&data, &ignored) || !answer_read_name(&data, &ignored) || data.at + SOA_NUMBERS != end)
		return false;
	*ttl_s_out = shorter(record->ttl, get_32(message, end - 4));
	return true;
}

static bool answer_read_authority(struct answer_message *message, unsigned records, const struct name *name,
				  struct authority *out)
{
	struct record record;
	for (unsigned i = 0; i < records; i++) {
		if (!answer_read_record(message, &record))
			return false;
		if (record.class != CLASS_IN || !answer_is_below(name, &record.owner))
			continue;
		out->ns |= record.type == TYPE_NS;
		if (record.type == TYPE_SOA && !answer_read_soa(message, &record, &out->ttl_s))
			return false;
		out->soa |= record.type == TYPE_SOA;
	}
	return true;
}

/* The upper bits of the rcode, RFC 6891 section 6.1.3. */
static bool answer_read_additional(struct answer_message *message, unsigned records, int *rcode)
{
	struct record record;
	for (unsigned i = 0; i < records; i++) {
		if (!answer_read_record(message, &record))
			return false;
		if (record.type == TYPE_OPT)
			*rcode |= (int)(get_32(message, record.data - 6) >> 24) << 4;
	}
	return true;
}

static bool answer_read_question(struct answer_message *message, const struct name *wanted, enum dns_type type)
{
	struct name name;
	if (!answer_read_name(message, &name) || message->length - message->at < 4 || !is_same(&name, wanted))
		return false;
	message->at += 4;
	return get_16(message, message->at - 4) == (unsigned)type && get_16(message, message->at - 2) == CLASS_IN;
}

/* Name servers without an SOA record: "ask those", RFC 2308 section 2.2. */
static bool is_nothing(const struct dns_answer *answer, const struct authority *authority)
{
	bool referral = authority->ns && !authority->soa;
	return answer->rcode == RCODE_NXDOMAIN || (answer->rcode == RCODE_NOERROR && !referral);
}

static bool answer_read(struct answer_message *message, struct name *name, struct keeper *keeper)
{
	struct dns_answer *answer = keeper->answer;
	struct authority authority = { .ttl_s = DNS_TTL_LEAST };
	struct record record;
	unsigned flags = get_16(message, 2);
	unsigned answers = get_16(message, 6), authorities = get_16(message, 8), more = get_16(message, 10);
	bool response = flags >> 15 == 1, query = (flags >> 11 & 15U) == 0, cut = (flags >> 9 & 1U) == 1, found;
	answer->rcode = (int)(flags & 15U);
	if (!response || !query || cut || get_16(message, 4) != 1 || answers + authorities + more > DNS_RECORDS_MAX)
		return false;
	message->at = HEADER_BYTES;
	if (!answer_read_question(message, name, answer->type))
		return false;
	struct answer_message start = *message;
	for (unsigned i = 0; i < answers; i++)
		if (!answer_read_record(message, &record))
			return false;
	answer->ttl_s = DNS_TTL_MOST;
	if (!answer_follow(&start, answers, name, keeper, &found) ||
	    !answer_read_authority(message, authorities, name, &authority) ||
	    !answer_read_additional(message, more, &answer->rcode))
		return false;
	if (answer->rcode == RCODE_NOERROR && found) {
		answer->outcome = DNS_FOUND;
		return true;
	}
	if (!is_nothing(answer, &authority))
		return false;
	*answer = (struct dns_answer){
		.outcome = DNS_NONE,
		.type = answer->type,
		.rcode = answer->rcode,
		.ttl_s = shorter(answer->ttl_s, authority.ttl_s),
	};
	return true;
}

void dns_answer_parse(const uint8_t *bytes, size_t length, const char *name, enum dns_type type, struct dns_data *data,
		      struct dns_answer *answer_out)
{
	struct answer_message message = { bytes, length, 0 };
	struct keeper keeper = { data, answer_out };
	struct name wire;
	*answer_out = (struct dns_answer){ .type = type, .rcode = DNS_RCODE_NONE };
	if (length >= HEADER_BYTES && answer_name_of_text(name, &wire) && answer_read(&message, &wire, &keeper)) {
		answer_out->ttl_s = answer_out->ttl_s < DNS_TTL_LEAST ? DNS_TTL_LEAST : answer_out->ttl_s;
		answer_out->data = data->bytes;
		return;
	}
	*answer_out = (struct dns_answer){ .type = type, .rcode = answer_out->rcode };
}

bool dns_answer_next(const struct dns_answer *answer, size_t *at, struct dns_record *record_out)
{
	if (*at >= answer->size)
		return false;
	const uint8_t *bytes = answer->data + *at;
	size_t length = (size_t)bytes[0] << 8 | bytes[1];
	size_t before = answer->type == DNS_MX ? 2 : 0;
	bool address = answer->type == DNS_A || answer->type == DNS_AAAA;
	*record_out = (struct dns_record){
		.address = address ? bytes + 2 : NULL,
		.text = address ? NULL : (const char *)bytes + 2 + before,
		.length = address ? 0 : length - before,
		.preference = before > 0 ? (unsigned)bytes[2] << 8 | bytes[3] : 0,
	};
	*at += 2 + length + 1;
	return true;
}

int dns_answer_addresses(const struct dns_answer *answer, uint32_t *addresses, int most)
{
	struct dns_record record;
	size_t at = 0;
	int count = 0;
	while (answer->type == DNS_A && count < most && dns_answer_next(answer, &at, &record)) {
		const uint8_t *b = record.address;
		addresses[count++] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	}
	return count;
}
