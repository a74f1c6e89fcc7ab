/* SPDX-License-Identifier: BSD-2-Clause
 *
 * call: one call of penstockctl as it was typed: command, options, arguments; and what each command does with these:
 * complain, find the configuration and the control socket.
 */
#ifndef PENSTOCK_CALL_H
#define PENSTOCK_CALL_H

#include "milter/config/config.h"

#include <jansson.h>
#include <stdio.h>

/* Exit codes: 0 fine; 1 the daemon refused, Postfix does not fit, an address is listed; 2 used wrongly, or could not
 * ask. */
enum { EXIT_FINE, EXIT_NO, EXIT_USAGE };
enum { CALL_DAYS_MAX = 3650 }; /* that an option may mean */

/* id, long name, letter (0: none), name of its value ("": none), help */
/* clang-format off */
#define OPTION_ROWS(ROW)                                                                           \
	ROW(CONFIG, "config", 'c', "FILE", "configuration file")                                   \
	ROW(SOCKET, "socket", 's', "PATH", "control socket; default: as the configuration says")   \
	ROW(JSON, "json", 0, "", "print JSON")                                                     \
	ROW(HELP, "help", 'h', "", "this text")                                                    \
	ROW(VERSION, "version", 'V', "", "the version")                                            \
	ROW(BY, "by", 0, "WORD", "order of top: rcpts or score; rows of usage: account or customer") \
	ROW(COUNT, "count", 'n', "COUNT", "rows of top, account list, account check and logins report; messages of trace; of client report: how often")                                          \
	ROW(FOR, "for", 0, "TIME", "how long: 90 (seconds), 30m, 2h, 1d; without it: without end")    \
	ROW(VERBOSE, "verbose", 'v', "", "of status, account show, client show and explain: also what is zero; of feedback: whose it was; of rbl: also each list " \
	    "without an answer; nothing is cut") \
	ROW(TIMEOUT, "timeout", 0, "SECONDS", "how long rbl waits for the next answer; default 60") \
	ROW(POSTFIX, "postfix", 'd', "DIR", "Postfix's configuration folder")                      \
	ROW(DIR, "dir", 0, "DIR", "folder of the header check files, /etc/postfix")                \
	ROW(COMMANDS, "commands", 0, "", "of postfix check: the commands alone, for a shell")       \
	ROW(DUE, "due", 0, "", "of held release: all whose date has come")                         \
	ROW(QUEUE, "queue", 0, "DIR", "Postfix's queue directory, /var/spool/postfix")                 \
	ROW(AGAINST, "against", 0, "FILE", "of replay: a configuration instead of the verdicts as they were") \
	ROW(LIMIT, "limit", 0, "COUNT", "accounts that replay and shadow report name; default 20") \
	ROW(DAYS, "days", 0, "COUNT", "of shadow, sessions and throttle report: how many days, with today; default 7, " \
	    "and of throttle report all that there are") \
	ROW(STATE, "state", 0, "FOLDER", "of throttle report: the folder of the history; default: clients.state") \
	ROW(LEVEL, "level", 0, "good|new|suspect|blocked", "accounts of this level")               \
	ROW(BLOCKED, "blocked", 0, "", "accounts that an admin or their level blocks")                        \
	ROW(EXEMPT, "exempt", 0, "", "accounts that are exempt")                                              \
	ROW(LIMITS, "limits", 0, "", "accounts with limits of their own")                                     \
	ROW(ACCOUNT, "account", 0, "ACCOUNT", "of trace: messages of this account")                           \
	ROW(SENDER, "sender", 0, "ADDRESS", "... with this envelope sender; <>: none")                        \
	ROW(RCPT, "rcpt", 0, "ADDRESS|DOMAIN", "... to this recipient, or to anybody at this domain")         \
	ROW(QUEUE_ID, "queue-id", 0, "ID", "... with this queue id")                                          \
	ROW(MESSAGE_ID, "message-id", 0, "ID", "... with this Message-ID")                                    \
	ROW(REF, "ref", 0, "REFERENCE", "... with this reference")                                            \
	ROW(SINCE, "since", 0, "TIME", "... from then on: 2026-10-31, 2026-10-31T12:00:00Z (UTC), or 2h ago") \
	ROW(UNTIL, "until", 0, "TIME", "... before then")                                                     \
	ROW(CSV, "csv", 0, "", "of trace and usage: print CSV, RFC 4180")                                     \
	ROW(MONTH, "month", 0, "MONTH", "of usage: 2026-10 (UTC)") \
	ROW(NFT, "nft", 0, "", "of client list: commands for nft -f -")                                         \
	ROW(PLAIN, "plain", 0, "", "of client list: addresses alone")                                           \
	ROW(SERVICE, "service", 0, "WORD", "of client report: smtp, submission, imap, pop3, sip, sip_proven, web, ssh or other") \
	ROW(NAME, "name", 0, "LOGIN", "... the login that was typed")                                           \
	ROW(LOG, "log", 0, "dovecot|asterisk", "of client report -: what standard input is; without it: rows")

enum option_id {
#define OPTION_ENUM(id, name, letter, value, help) OPTION_##id,
	OPTION_ROWS(OPTION_ENUM)
#undef OPTION_ENUM
	OPTION_COUNT_OF
};
/* clang-format on */

struct command;

struct call {
	const char *words;		     /* of the command, for complaints; NULL: none found yet */
	const struct command *command;	     /* the program's own */
	const char *option[OPTION_COUNT_OF]; /* NULL: not given */
	int count;			     /* of the arguments behind the command */
	char **arguments;
};

/* "90", "30m", "2h", "1d": seconds, at most ten years; -1 for anything else. */
int64_t call_seconds(const char *text);

/* One sentence to standard error, cleaned. Gives EXIT_USAGE back, so that a command can end with it. */
int complain(const struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What --json prints. */
void call_print_json(const json_t *json, FILE *to);

const char *call_config_file(const struct call *call);
/* NULL with the complaint made; else to be dropped. */
struct config *call_config(const struct call *call);
/* The control socket, to be freed. Another mistake in the configuration is not in its way; where its value cannot be
 * told, and the user named the file or the default does not exist: NULL with the complaint made. */
char *call_socket(const struct call *call);

#endif
