/* SPDX-License-Identifier: BSD-2-Clause
 *
 * anomaly: what is read of HELO and of the header fields that matter: anomalies of bulk mailers (policy/facts.h), the
 * program's name, and the marks of forwarded mail. Bounded: of a value at most ODDITY_VALUE_MAX bytes are
 * looked at, of its addresses ODDITY_ADDRESSES_MAX.
 */
#ifndef PENSTOCK_ANOMALY_H
#define PENSTOCK_ANOMALY_H

#include "milter/message/rcpts.h"

enum { ANOMALY_VALUE_MAX = 8000, ANOMALY_ADDRESSES_MAX = 200, ANOMALY_DOMAIN_MAX = 253, MANY_RCPTS = 10 };

struct anomaly_reader {
	bool date, from, message_id;
	bool named;		      /* a recipient of the envelope stands in To or Cc */
	bool bulk;		      /* a bulk mailer's name */
	bool forwarded;		      /* a forwarder left his mark */
	bool replied;		      /* an automatic reply, RFC 3834 */
	int authors;		      /* addresses of all From fields, of mail without a sender alone; 2: or more */
	char author[ACCOUNT_MAX + 1]; /* the first of them, in idn_address()'s form */
	char from_domain[ANOMALY_DOMAIN_MAX + 1], reply_domain[ANOMALY_DOMAIN_MAX + 1]; /* lower case; "": none */
	uint64_t mailer; /* keyed hash of the program's name without its version; 0: none */
};

/* One header field. `rcpts` are all there are by now. */
void anomaly_header(struct anomaly_reader *reader, const char *name, const char *value, const struct rcpts *rcpts,
		    const struct facts *facts);

/* The domain of Reply-To where it has nothing to do with From's; NULL: it has, or there is none. */
const char *anomaly_reply_elsewhere(const struct anomaly_reader *reader);

struct anomaly_client {
	const char *helo; /* NULL: not told */
	bool ours;	  /* in our own networks, or on this host: its HELO says nothing */
};

/* At the end: a set of 1 << enum anomaly. `from` is the envelope sender. */
unsigned anomaly_sum(const struct anomaly_reader *reader, const struct anomaly_client *client, const char *from,
		     const struct facts *facts);

#endif
