/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client: the host at the other end of an SMTP session, by its address (IPv6: its /64), what is remembered of it, and
 * how it stands. One sum of log-odds over decayed counts of what it did, of what its network did and its AS; the sum
 * can be printed, and that is the explanation. Asked by the maps that slow a client or hide STARTTLS from it, by the
 * rule of sessions without QUIT, by the signal of messages without login, and by the block list.
 *
 * Clients of our own networks, and those who have shown a login, stand apart: nothing is held against them here.
 */
#ifndef PENSTOCK_POLICY_CLIENT_H
#define PENSTOCK_POLICY_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

/* What a client did once. id, word (in notes, metrics and commands), half-life of its count in seconds, what it is.
 * In files they go by their place: new ones go to the end. */
#define CLIENT_EVENT_ROWS(ROW) \
	ROW(QUIT, "quit", 1209600, "sessions that ended with QUIT") \
	ROW(NO_QUIT, "no_quit", 1209600, "sessions that ended without QUIT") \
	ROW(SLOWED, "slowed", 604800, "sessions that were made to wait") \
	ROW(GAVE_UP, "gave_up", 604800, "... of which it hung up meanwhile") \
	ROW(LISTED, "listed", 604800, "refused since a block list has it") \
	ROW(REFUSED, "refused", 604800, "commands refused for another reason") \
	ROW(PROTOCOL, "protocol", 604800, "it spoke before its turn, or no SMTP") \
	ROW(AUTH_FAILURE, "auth_failure", 86400, "failed logins, here and as other services told") \
	ROW(LOGIN, "login", 604800, "logins that worked") \
	ROW(MAIL, "mail", 1209600, "messages that no scanner called spam") \
	ROW(SPAM, "spam", 1209600, "messages that a scanner called spam") \
	ROW(UNPROVEN, "unproven", 86400, "failed logins whose sender may be forged, as of SIP over UDP")

/* How it stands, from the best to the worst. */
#define CLIENT_STANDING_ROWS(ROW) \
	ROW(GOOD, "good") \
	ROW(NEUTRAL, "neutral") \
	ROW(UNKNOWN, "unknown") /* nothing is known of it */ \
	ROW(POOR, "poor") \
	ROW(BAD, "bad") /* it is put on the block list */

/* The terms of the sum: id, word. */
#define CLIENT_TERM_ROWS(ROW) \
	ROW(HANGUPS, "hang_ups") \
	ROW(GAVE_UP, "gave_up") \
	ROW(LISTED, "listed") \
	ROW(REFUSED, "refused") \
	ROW(PROTOCOL, "protocol") \
	ROW(LOGINS, "failed_logins") \
	ROW(SPAM, "spam") \
	ROW(MAIL, "mail") /* of good behaviour: never above 0 */ \
	ROW(NETWORK, "network") \
	ROW(AS, "as")

/* Where a session was when its client hung up. id, word (report, metric), the words of Postfix's line. */
#define CLIENT_STAGE_ROWS(ROW) \
	ROW(NONE, "-") \
	ROW(CONNECT, "connect") \
	ROW(HELO, "helo") /* after EHLO or HELO */ \
	ROW(STARTTLS, "starttls") \
	ROW(AUTH, "auth") \
	ROW(MAIL, "mail") \
	ROW(RCPT, "rcpt") \
	ROW(DATA, "data")	   /* while it sent the message */ \
	ROW(DOT, "end_of_message") /* behind the last dot */ \
	ROW(RSET, "rset") \
	ROW(OTHER, "other")

/* Who tells of it. A datagram's source can be forged: "sip" is any SIP, and "sip_proven" what came over TCP or TLS, or
 * bore an answer to a challenge that was sent to its address. */
#define CLIENT_SERVICE_ROWS(ROW) \
	ROW(SMTP, "smtp") \
	ROW(SUBMISSION, "submission") \
	ROW(IMAP, "imap") \
	ROW(POP3, "pop3") \
	ROW(SIP, "sip") \
	ROW(SIP_PROVEN, "sip_proven") \
	ROW(WEB, "web") \
	ROW(SSH, "ssh") \
	ROW(OTHER, "other")

/* clang-format off */
#define CLIENT_ENUM(id, word, ...) CLIENT_EVENT_##id,
enum client_event { CLIENT_EVENT_ROWS(CLIENT_ENUM) CLIENT_EVENT_COUNT };
#undef CLIENT_ENUM
#define CLIENT_ENUM(id, word) CLIENT_##id,
enum client_standing { CLIENT_STANDING_ROWS(CLIENT_ENUM) CLIENT_STANDING_COUNT };
#undef CLIENT_ENUM
#define CLIENT_ENUM(id, word) CLIENT_TERM_##id,
enum client_term { CLIENT_TERM_ROWS(CLIENT_ENUM) CLIENT_TERM_COUNT };
#undef CLIENT_ENUM
#define CLIENT_ENUM(id, word) CLIENT_STAGE_##id,
enum client_stage { CLIENT_STAGE_ROWS(CLIENT_ENUM) CLIENT_STAGE_COUNT };
#undef CLIENT_ENUM
#define CLIENT_ENUM(id, word) CLIENT_SERVICE_##id,
enum client_service { CLIENT_SERVICE_ROWS(CLIENT_ENUM) CLIENT_SERVICE_COUNT };
#undef CLIENT_ENUM
/* clang-format on */

const char *client_event_word(enum client_event event);
const char *client_event_help(enum client_event event);
enum client_event client_event_find(const char *word); /* CLIENT_EVENT_COUNT: none */
const char *client_standing_word(enum client_standing standing);
const char *client_term_word(enum client_term term);
const char *client_stage_word(enum client_stage stage);
enum client_stage client_stage_find(const char *word); /* CLIENT_STAGE_COUNT: none */
const char *client_service_word(enum client_service service);
enum client_service client_service_find(const char *word); /* CLIENT_SERVICE_COUNT: none */

/* As what a note is counted: as it says, but a failed login whose sender may be forged is UNPROVEN. Such a one names no
 * names either: what was typed in it is nobody's guess (client_facts.logins, and all that tells of guessers). Whatever
 * anybody writes under somebody else's address, it makes nobody bad, see client_judge(). */
enum client_event client_event_as(enum client_event event, enum client_service service);

/* Decayed counts: of a client, of a network (IPv4 /24, IPv6 /48) or of an AS. */
struct client_counts {
	int64_t at_s;	    /* when they were last decayed, Unix time; 0: never */
	uint16_t mail_day;  /* the day of its last MAIL, since 1970 ... */
	uint16_t mail_days; /* ... and on how many days there was such; begins anew where its MAIL is forgotten */
	float value[CLIENT_EVENT_COUNT];
};

/* Time that goes back decays nothing, and time that leaps ahead no more than all; counts of a time that is more than
 * two hours ahead are of a clock that was wrong, and decay from now on. */
void client_counts_decay(struct client_counts *counts, int64_t now_s);
/* Decays, and adds `count` of `event`; what is not above 0 adds nothing. */
void client_counts_add(struct client_counts *counts, enum client_event event, double count, int64_t now_s);
/* Adds one that was at `seen_s` as what is left of it now; of a time to come: one. */
void client_counts_add_seen(struct client_counts *counts, enum client_event event, int64_t seen_s, int64_t now_s);
/* Takes a part off, as a client's of its network's; both decayed to the same time. Never below 0. */
void client_counts_without(struct client_counts *counts, const struct client_counts *part);

/* All that is known of one client. */
struct client_facts {
	int64_t now_s;
	struct client_counts own, network, as; /* network and AS without its own part; all 0: unknown */
	double logins;			       /* how many different names its failed logins had within about a day */
	bool ours;			       /* in one of our own networks, or on this host */
};

struct client_verdict {
	enum client_standing standing;
	double sum;
	double term[CLIENT_TERM_COUNT];
};

/* The terms add up to the sum. In words, with the numbers in client.c:
 *
 * - ours: good, and no terms.
 * - What innocents do too (hanging up, giving up, refused commands, failed logins of few names or of an address that
 * may be forged), and what only neighbours did (NETWORK, AS), is bounded together below BAD. So is each of LISTED and
 *   PROTOCOL with its neighbours' part: nobody is bad by others' word alone.
 * - bad is who sent spam, guessed at many names, or did two kinds of such things at least.
 * - good is who sent mail on several days and does little else; who shows logins of ours is at once, and is never
 *   worse than poor: what its session does is the account's, and one address may be a whole town's.
 * - unknown is who had fewer than about three sessions that ended well. */
struct client_verdict client_judge(const struct client_facts *facts);

/* Is this client made to wait? Never a good one, nor one of ours. */
bool client_slows(enum client_standing standing);
/* Is STARTTLS hidden from it, where it is hidden from clients of standing `from` and worse? Never from good ones. */
bool client_hides_starttls(enum client_standing standing, enum client_standing from);
/* Does its mail wait for the end of its session? */
bool client_waits_for_quit(enum client_standing standing);
/* Is it put on the block list? */
bool client_is_listed(enum client_standing standing);

/* How much is lost if it is forgotten; the table gives up the least. Someone who came once and did nothing is worth
 * least; who is bad, and who is good, are worth more than who is neither. */
double client_worth(const struct client_facts *facts);

#endif
