/* SPDX-License-Identifier: BSD-2-Clause
 *
 * links: the hosts that the links of a text name, as keyed hashes. The text is decoded from its transfer encoding and
 * comes in pieces of any length.
 *
 * Found is what a reader of mail makes a link of: a scheme and slashes, "www." in front of a name, and in HTML an
 * attribute that begins with two slashes; likewise the hosts of mailto:. A host is read as a browser reads it (WHATWG
 * URL): what stands before '@' and behind ':' is not of it, a backslash is a slash, tabs and ends of lines in an
 * attribute are nothing, entities (in HTML) and percent signs are undone. What cannot be undone stays as it is: a host
 * that nobody knows, and never none. Where two readings are possible, both are hosts.
 */
#ifndef PENSTOCK_LINKS_H
#define PENSTOCK_LINKS_H

#include "milter/message/links_entity.h"
#include "policy/facts.h"

enum {
	LINKS_HOST_MAX = 255,	 /* a longer one is hashed in pieces of so many bytes */
	LINKS_STRETCH_MAX = 512, /* bytes that are looked over at once */
};

/* Plain data, links.c's. */
struct links {
	uint64_t key[2];
	uint64_t hosts[FACT_HOSTS_MAX];
	int count; /* FACT_HOSTS_MAX + 1: there are more */
	bool html; /* of the part at hand */
	enum links_state {
		LINKS_OUTSIDE,
		LINKS_COLON,   /* behind a scheme */
		LINKS_SLASH,   /* behind the first of two slashes */
		LINKS_SLASHES, /* behind what begins a host */
		LINKS_HOST,
		LINKS_REST, /* behind a host: it may have been a user's name */
		LINKS_MAIL, /* in a mailto:, before an '@' */
	} state;
	bool mail;	 /* the host is one of mailto: */
	char quote;	 /* in which the attribute stands; '\0': none is */
	int at_sign;	 /* how much of "%40" was read */
	uint64_t before; /* the last eight bytes outside, in HTML of those that are no blanks, the newest lowest */
	struct links_entity entity;
	size_t host_length, cut; /* cut: where the first byte stands that seldom is one of a host; 0: nowhere */
	char host[LINKS_HOST_MAX];
};

void links_begin(struct links *links, const uint64_t key[2]);
/* A part begins; the one before ends. */
void links_part(struct links *links, bool html);
void links_add(struct links *links, const char *text, size_t length);
/* A host that stands elsewhere. */
void links_add_host(struct links *links, const char *host);
/* The last part ends. Fills hosts and host_count. */
void links_end(struct links *links, struct facts *facts);

#endif
