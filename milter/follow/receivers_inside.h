/* SPDX-License-Identifier: BSD-2-Clause
 *
 * receivers_inside: what receivers.c and receivers_bytes.c share. Nobody else includes it.
 */
#ifndef PENSTOCK_RECEIVERS_INSIDE_H
#define PENSTOCK_RECEIVERS_INSIDE_H

#include "milter/follow/receivers.h"
#include "milter/follow/shelf.h"

#define RECEIVERS_BETWEEN "\t" /* of a transport and a receiver in a row's name */

struct receivers {
	struct shelf *row_names, *domain_names; /* owned */
	struct receiver_row *rows;		/* owned; by the place of row_names */
	struct receivers_domain {
		char receiver[RECEIVER_NAME_MAX + 1];
		int64_t time_ms;		    /* when it was heard of last */
		uint64_t sender;		    /* who alone wrote there, a hash; 0: several, or nobody knows */
	} * domains;				    /* owned; by the place of domain_names */
	char (*transports)[TRANSPORT_NAME_MAX + 1]; /* owned */
	int transport_count;
	int64_t now_ms; /* the newest time of the log */
};

bool receivers_is_name(const char *name);
bool receivers_follows(const struct receivers *receivers, const char *transport);
/* NULL: the names are too long together. */
struct receiver_row *receivers_put_row(struct receivers *receivers, const char *transport, const char *receiver);
/* `sender` 0: not known. */
void receivers_put_domain(struct receivers *receivers, const char *domain, const char *receiver, uint64_t sender,
			  int64_t time_ms);

#endif
