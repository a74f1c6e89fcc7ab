/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_read: a Postfix as it is set up now, as postconf(1) and postmap(1) say; neither needs a running server.
 */
#ifndef PENSTOCK_POSTFIX_READ_H
#define PENSTOCK_POSTFIX_READ_H

#include <stdbool.h>
#include <stddef.h>

enum { ELEMENT_MAX = 1024 };

struct postfix;

struct postfix_service {
	const char *name, *type, *command;
	char path[200]; /* "smtp/inet" */
	bool chroot;
	int most; /* processes; 0: as many as are needed */
};

/* `dir` is Postfix's configuration folder; NULL: the one that postconf finds. NULL with a sentence in `error`. */
struct postfix *postfix_read(const char *dir, char *error, size_t error_size);
void postfix_free(struct postfix **postfix);

/* A parameter with its $names expanded: as a service ("clean-1/unix") overrides it, else of main.cf; service
 * NULL: of main.cf. NULL where this Postfix does not know it. */
const char *postfix_get(const struct postfix *postfix, const char *service, const char *name);
/* Only what the service says itself; NULL where it says nothing. */
const char *postfix_override(const struct postfix *postfix, const char *service, const char *name);
/* As it is written, without its $names expanded; NULL where main.cf, or the service, says nothing of it. */
const char *postfix_raw(const struct postfix *postfix, const char *service, const char *name);
/* Services of master.cf in order; NULL behind the last one. */
const struct postfix_service *postfix_service(const struct postfix *postfix, size_t index);

/* The next element of a list, where it begins; one in braces is given without them. NULL at the end. `rest` is then its
 * end. */
const char *postfix_next_element(const char **rest, char element[ELEMENT_MAX]);
/* Asks the tables of a list as postmap -q does, up to the first that answers: 1 with the answer, 0 where the key
 * is in none, -1 with what postmap said of a table that it cannot read. */
int postfix_lookup(const struct postfix *postfix, const char *list, const char *key, char answer[ELEMENT_MAX]);

/* All of one table as postmap -s prints it, "key<TAB>value" a line, to be freed. NULL with what postmap said, where it
 * cannot be listed, takes too long or is too large. */
char *postfix_list(const struct postfix *postfix, const char *table, char *said, size_t said_size);
/* What a table says, line by line as it is written: of one that can be listed what postfix_list gives, of regexp, pcre
 * and cidr its file. NULL where it cannot be had. To be freed. */
char *postfix_text(const struct postfix *postfix, const char *table);
/* Can postmap -s list it? Of a table that answers what it is asked, nobody can tell all that it would say. */
bool postfix_listable(const char *table);
/* The same of what one table answers to `keys`, one a line. */
char *postfix_ask_all(const struct postfix *postfix, const char *table, const char *keys, size_t length, char *said,
		      size_t said_size);
/* The next line of such a text, which is cut up; NULL at its end. */
char *postfix_next_line(char **rest);

#endif
