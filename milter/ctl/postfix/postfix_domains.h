/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_domains: which domains are whose, to a Postfix: what its lists mydestination, virtual_alias_domains and
 * virtual_mailbox_domains say of some domains. A list may name tables; each is asked once, for all domains.
 */
#ifndef PENSTOCK_POSTFIX_DOMAINS_H
#define PENSTOCK_POSTFIX_DOMAINS_H

#include <stddef.h>

struct postfix_check;
struct domains;
struct postfix;

/* In the order in which Postfix looks. */
enum domain_class {
	DOMAIN_OUTSIDE,
	DOMAIN_LOCAL,	/* of local(8) */
	DOMAIN_ALIAS,	/* has aliases and no mailbox */
	DOMAIN_MAILBOX, /* of virtual_transport */
};

struct domain {
	char *name; /* owned, lower case */
	enum domain_class class;
	size_t count;  /* for whoever looks at them */
	char *example; /* owned; NULL: none */
};

enum { DOMAIN_MAX = 255 };

/* What stands for "this host" in an address without a domain: myorigin. "" where that is no name. */
void postfix_origin(const struct postfix *postfix, char origin[DOMAIN_MAX + 1]);

struct domains *domains_new(void);
void domains_free(struct domains **domains);
/* In any case; more than once is once. Before domains_classify. */
void domains_add(struct domains *domains, const char *name);
/* What stands in mydestination as a name. */
void domains_add_local(struct domains *domains, const struct postfix *postfix);
/* Asks Postfix's lists; a table that gives no answer is a warning of the check. */
void domains_classify(struct domains *domains, struct postfix_check *check);
/* After it. NULL: it was never added. */
struct domain *domains_find(const struct domains *domains, const char *name);
/* In order of their names; NULL behind the last one. */
struct domain *domains_at(const struct domains *domains, size_t index);

#endif
