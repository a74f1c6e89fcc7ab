/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fake: the strings behind the scenes. Each fake here takes the place of one file of the daemon at link time
 * (clock.c, log.c, resolver.c, scan.c), but for Redis, which is a server at a socket (redis_server.c); a scenario pulls
 * at them by these functions. Any thread.
 */
#ifndef PENSTOCK_FAKE_H
#define PENSTOCK_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- clock: Unix time stands still but for what a scenario lets pass; the monotonic clock runs on as well, so that
 * deadlines end. */
void fake_clock_set(int64_t unix_ms);
void fake_clock_pass(int64_t ms);
void fake_clock_redis(int64_t ahead_ms); /* how far Redis' clock is ahead of the daemon's; negative: behind */
int64_t fake_clock_redis_ms(void);

/* ---- log: kept, not written */
void fake_log_mark(void); /* a new message begins: fake_log_find looks at lines from here on */
bool fake_log_find(const char *part);
int fake_log_count(const char *part);	/* lines since the start */
void fake_log_show(const char *before); /* the last lines since the mark, each behind `before`, to stdout */

/* ---- DNS */
enum fake_dns {
	FAKE_DNS_LISTS,	    /* what fake_dns_list was told, and the test entry 127.0.0.2; nothing else */
	FAKE_DNS_EMPTY,	    /* nothing */
	FAKE_DNS_LISTS_ALL, /* each name is 127.0.0.2 */
	FAKE_DNS_SILENT,
	FAKE_DNS_ERROR,
	FAKE_DNS_HIJACKED, /* each name is 203.0.113.7 */
	FAKE_DNS_REFUSES,  /* each name is 127.255.255.254 */
};
void fake_dns_zone(const char *zone, enum fake_dns how);
/* False where `address` or `code` is no address. */
bool fake_dns_list(const char *zone, const char *address, const char *code);
void fake_dns_delist(const char *zone, const char *address);
bool fake_dns_text(const char *name, const char *text); /* a TXT record */
int fake_dns_questions(void);				/* tests of the lists are not counted */

/* ---- content scanner */
enum fake_scanner {
	FAKE_SCANNER_ANSWERS,
	FAKE_SCANNER_AWAY, /* says at once that it is not there */
	FAKE_SCANNER_SILENT,
};
/* `scanner` "" : all that are not named */
void fake_scanner_is(const char *scanner, enum fake_scanner how, double score);
/* Does the text that was scanned last hold `part`? */
bool fake_scanner_saw(const char *part);
size_t fake_scanner_length(void);

/* ---- webhook and mail to the admin (http_client.c) */
/* What each request is answered from now on; 0: no connection, -1: nothing. */
void fake_post_says(bool mail, long status);
int fake_post_tried(bool mail);
/* How many of those that were taken hold each of the parts. */
int fake_post_count(bool mail, const char *const *parts, int part_count);

/* ---- Redis: its keys, as a panel reaches them (redis_server.c) */
struct fake_reply {
	char error[200]; /* "" : none */
	int count;	 /* a nested list is flat */
	char **items;	 /* owned, each with a NUL behind it; NULL: nil */
	size_t *lengths; /* owned */
};
void fake_redis_command(int argc, const char *const *argv, struct fake_reply *reply_out);
void fake_reply_free(struct fake_reply *reply);
void fake_redis_set(const char *key, const void *bytes, size_t length);

/* ---- Redis: its socket, and how it fails there (redis_server.c) */
enum fake_redis {
	FAKE_REDIS_FINE,
	FAKE_REDIS_AWAY,	 /* no connection can be made */
	FAKE_REDIS_SILENT,	 /* takes requests, does nothing */
	FAKE_REDIS_SLOW,	 /* does what it is asked, and does not answer */
	FAKE_REDIS_LAGS,	 /* does what it is asked, and answers after a while */
	FAKE_REDIS_LOSES_DONE,	 /* the next script is done, and the connection ends instead of an answer */
	FAKE_REDIS_LOSES_UNDONE, /* the same, and it is not done */
	FAKE_REDIS_ERROR,	 /* each command that writes is answered with an error, and not done */
	FAKE_REDIS_LOADING,	 /* it has begun anew, and each command is answered with an error */
};
/* Listens at the unix socket `path`, which may be borrowed, by a thread of its own. False: it cannot. */
bool fake_redis_open(const char *path);
void fake_redis_close(void); /* its keys are gone with it */
/* What was sent before is done before, as Redis was then. SILENT and SLOW end with FINE: what was asked meanwhile is
 * done, in its order, and answered, even where nobody listens any more. AWAY and LOADING end the connections. */
void fake_redis_is(enum fake_redis how, const char *error);
/* Takes all that was sent so far, does and answers what can be done and answered. How many requests it has taken. */
int fake_redis_catch_up(void);
int fake_redis_plans_read(void); /* how often the plans were asked for and answered */
int fake_redis_in_flight(void);	 /* requests that it has taken and not answered */

#endif
