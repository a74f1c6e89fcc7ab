/* SPDX-License-Identifier: BSD-2-Clause
 *
 * answer: what a DNS server's answer to one question says (RFC 1035, RFC 2308, RFC 6891). No I/O.
 *
 * Only records that belong to the question count: c-ares hands out A records without looking at their owners, and no
 * TTL for TXT. An answer that is cut, malformed, to another question, a referral, or of an rcode other than NOERROR
 * and NXDOMAIN is unknown, never "no".
 */
#ifndef PENSTOCK_DNS_ANSWER_H
#define PENSTOCK_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Those that may be asked for; the numbers are the protocol's. */
enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28 };

enum dns_outcome {
	DNS_UNKNOWN, /* an error, or nonsense */
	DNS_TIMEOUT, /* unknown too: nothing came in time (the resolver's word, never the parser's) */
	DNS_NONE,    /* the name does not exist, or has nothing of that type */
	DNS_FOUND,
};

/* It says yes or no. */
static inline bool dns_outcome_tells(enum dns_outcome outcome)
{
	return outcome == DNS_FOUND || outcome == DNS_NONE;
}

enum {
	DNS_NAME_MAX = 253,    /* bytes of a name as text, without its NUL */
	DNS_TEXT_MAX = 2048,   /* bytes of one TXT record, its strings joined */
	DNS_KEPT_MAX = 64,     /* records kept */
	DNS_DATA_MAX = 8192,   /* bytes of them */
	DNS_CNAME_MAX = 8,     /* followed inside one answer; a longer chain is nonsense */
	DNS_RECORDS_MAX = 256, /* in one answer; more are nonsense */
	DNS_RCODE_NONE = -1,   /* no rcode could be read */
};

/* Seconds */
enum { DNS_TTL_LEAST = 30, DNS_TTL_MOST = 3600 };

struct dns_answer {
	enum dns_outcome outcome;
	enum dns_type type;
	int rcode;	     /* with the upper bits of EDNS, or DNS_RCODE_NONE */
	int64_t ttl_s;	     /* how long the outcome holds, DNS_TTL_LEAST..DNS_TTL_MOST; 0 where unknown */
	bool partial;	     /* records were left out: too many, too long, or with a name that no host has */
	int count;	     /* records; may be 0 where found but left out */
	size_t size;	     /* bytes at `data` */
	const uint8_t *data; /* borrowed; read it with dns_answer_next */
};

/* The memory of one answer's records. */
struct dns_data {
	uint8_t bytes[DNS_DATA_MAX];
};

/* `name` is the question's, dotted, without escapes; case does not matter. */
void dns_answer_parse(const uint8_t *bytes, size_t length, const char *name, enum dns_type type, struct dns_data *data,
		      struct dns_answer *answer_out);

struct dns_record {
	const uint8_t *address; /* A: 4 bytes, AAAA: 16; else NULL */
	const char *text;	/* PTR, MX: a host name, "" the root; TXT: may hold any byte; else NULL */
	size_t length;		/* of `text`; a NUL follows */
	unsigned preference;	/* MX */
};

/* The records one after the other; *at begins with 0. False: no more. The pointers hold as long as answer->data. */
bool dns_answer_next(const struct dns_answer *answer, size_t *at, struct dns_record *record_out);

/* Addresses of an A answer, host order, at most `most`; returns how many. */
int dns_answer_addresses(const struct dns_answer *answer, uint32_t *addresses, int most);

#endif
