/* SPDX-License-Identifier: BSD-2-Clause
 *
 * answer: what a DNS server's answer to one A question says (RFC 1035, RFC 2308, RFC 6891). No I/O.
 *
 * Only records that belong to the question count: c-ares hands out A records without looking at their owners. An
 * answer that is cut, malformed, to another question, a referral, or of an rcode other than NOERROR and NXDOMAIN is
 * unknown, never "no".
 */
#ifndef PENSTOCK_DNS_ANSWER_H
#define PENSTOCK_DNS_ANSWER_H

#include <stddef.h>
#include <stdint.h>

enum dns_outcome {
	DNS_UNKNOWN,	/* an error, or nonsense */
	DNS_TIMEOUT,	/* unknown too: nothing came in time (the resolver's word, never the parser's) */
	DNS_NONE,	/* the name does not exist, or has no address */
	DNS_FOUND,
};

enum {
	DNS_NAME_MAX = 253,	/* bytes of a name as text, without its NUL */
	DNS_A_MAX = 16,		/* addresses kept; the rest is dropped */
	DNS_CNAME_MAX = 8,	/* followed inside one answer; a longer chain is nonsense */
	DNS_RECORDS_MAX = 256,	/* in one answer; more are nonsense */
	DNS_RCODE_NONE = -1,	/* no rcode could be read */
};

/* Seconds */
enum { DNS_TTL_LEAST = 30, DNS_TTL_MOST = 3600 };

struct dns_answer {
	enum dns_outcome outcome;
	int rcode;		/* with the upper bits of EDNS, or DNS_RCODE_NONE */
	int64_t ttl_s;		/* how long the outcome holds, DNS_TTL_LEAST..DNS_TTL_MOST; 0 where unknown */
	int count;
	uint32_t addresses[DNS_A_MAX];	/* host order */
};

/* `name` is the question's, dotted, without escapes; case does not matter. */
void dns_answer_parse(const uint8_t *bytes, size_t length, const char *name, struct dns_answer *answer_out);

#endif
