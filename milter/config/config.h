/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config: the configuration file, libconfig's syntax. One row per option: the check, the sample in etc/ and the
 * manual page are printed from the rows.
 *
 * A configuration is immutable and counted. A reload builds a new one; a session keeps the one it began with.
 */
#ifndef PENSTOCK_CONFIG_H
#define PENSTOCK_CONFIG_H

#include "milter/content/scan.h"
#include "milter/base/log.h"
#include "milter/config/outgoing.h"
#include "policy/judge.h"
#include "policy/netaddr.h"

#include <stdio.h>

/* Options that are one of a few words: id, word. Each enum has the member's name below; log.h has two more. */
#define REDIS_ON_FAILURE_ROWS(ROW) ROW(REDIS_FAILED_LOCAL, "local") ROW(REDIS_FAILED_DEFER, "defer")
#define DNS_ON_FAILURE_ROWS(ROW) ROW(DNS_FAILED_UNKNOWN, "unknown") ROW(DNS_FAILED_DEFER, "defer")
#define SPF_CLIENT_ROWS(ROW) \
	ROW(SPF_CLIENT_OFF, "off") ROW(SPF_CLIENT_SIGNAL, "signal") ROW(SPF_CLIENT_REFUSE, "refuse")
#define REPUTATION_BLOCKED_ACTION_ROWS(ROW) \
	ROW(BLOCKED_REJECT, "reject") ROW(BLOCKED_DEFER, "defer") ROW(BLOCKED_HOLD, "hold")
#define FACTS_ACCOUNTS_ROWS(ROW) ROW(FACTS_CLEAR, "clear") ROW(FACTS_HASHED, "hashed")
#define FOLLOW_TRACE_RECIPIENTS_ROWS(ROW) ROW(TRACE_RECIPIENTS_CLEAR, "clear") ROW(TRACE_RECIPIENTS_HASHED, "hashed")
#define CLIENTS_HIDE_STARTTLS_ROWS(ROW) \
	ROW(HIDE_FROM_UNKNOWN, "unknown") \
	ROW(HIDE_FROM_NEUTRAL, "neutral") ROW(HIDE_FROM_POOR, "poor") ROW(HIDE_FROM_BAD, "bad")

#define WORD_ID(id, word) id,
enum redis_on_failure { REDIS_ON_FAILURE_ROWS(WORD_ID) };
enum dns_on_failure { DNS_ON_FAILURE_ROWS(WORD_ID) };
enum spf_client { SPF_CLIENT_ROWS(WORD_ID) };
enum reputation_blocked_action { REPUTATION_BLOCKED_ACTION_ROWS(WORD_ID) };
enum clients_hide_starttls { CLIENTS_HIDE_STARTTLS_ROWS(WORD_ID) };
enum follow_trace_recipients { FOLLOW_TRACE_RECIPIENTS_ROWS(WORD_ID) };
enum facts_accounts { FACTS_ACCOUNTS_ROWS(WORD_ID) };
#undef WORD_ID

/* path in the file, member, type, default, least, most (strings: bytes), help. Rare: hardly anybody needs to set it;
 * the sample leaves it out, and the manual page has it under a heading of its own. */
/* clang-format off */
#define SETTING_ROWS(ROW, RARE)                                                                     \
	ROW("user", user, STRING, "penstock", 0, 63,                                               \
	    "The daemon runs as this account when root starts it.")                         \
	ROW("node", node, STRING, "", 0, 16,                                                       \
	    "Name of this daemon among those that share one Redis, [a-z0-9]; empty: made from the host's name.") \
	ROW("milter.socket", milter_socket, STRING, "unix:/run/penstock/milter.sock", 1, 255,      \
	    "Where the MTA connects: unix:/path, inet:port@address, address:port or [v6]:port. A unix socket is faster: " \
	    "over TCP libmilter stalls 40 ms a message.") \
	ROW("milter.socket_group", milter_socket_group, STRING, "", 0, 63,                         \
	    "Group that may use the unix sockets of milter and socketmap; for Postfix: postfix. Empty: unchanged.") \
	ROW("milter.socket_mode", milter_socket_mode, STRING, "660", 3, 4,                         \
	    "Permissions of the unix sockets, octal.")                                             \
	ROW("milter.max_sessions", milter_max_sessions, INT, "10000", 10, 100000,                  \
	    "At most this many sessions at once; beyond nine tenths of them new messages are deferred.")             \
	ROW("milter.timeout_s", milter_timeout_s, INT, "7210", 10, 86400,                          \
	    "A silent MTA connection is closed after this many seconds.")                            \
	ROW("milter.deadline_ms", milter_deadline_ms, INT, "5000", 50, 60000,                      \
	    "All waiting in one step of a message ends after this long; answers that have not come by then are " \
	    "unknown.") \
	ROW("milter.drain_s", milter_drain_s, INT, "10", 0, 300,                                   \
	    "When the daemon ends, messages in progress have this many seconds to finish; open sessions too, where " \
	    "systemd holds the milter's socket.") \
	ROW("log.target", log_target, WORD, "syslog", 0, 0, \
	    "syslog, or stderr where the daemon stays in the foreground (-f).") \
	ROW("log.facility", log_facility, WORD, "mail", 0, 0, "syslog facility: mail, daemon, local0 ... local7.") \
	ROW("http.listen", http_listen, STRING, "127.0.0.1:8494", 0, 255,                          \
	    "Address and port of /health and /metrics, and of /rbl; empty: none.")                 \
	ROW("http.quiet_minutes", http_quiet_minutes, INT, "0", 0, 10080,                          \
	    "/health warns when no message has come for this many minutes; 0: never.")                  \
	ROW("http.rbl", http_rbl, BOOL, "true", 0, 0, \
	    "Serve /rbl, /api/v1/rbl and /openapi.json: look-ups in block lists for anybody who asks.") \
	ROW("http.rbl_per_minute", http_rbl_per_minute, INT, "60", 1, 1000000,                     \
	    "Addresses that one client may look up in a minute; a /64 is one client.")     \
	ROW("http.rbl_burst", http_rbl_burst, INT, "300", 1, 1000000,                              \
	    "Addresses that one client may look up at once after a pause; a network of more addresses is refused.")      \
	ROW("http.rbl_total_per_minute", http_rbl_total_per_minute, INT, "1000", 1, 10000000,                \
	    "The same for all clients together, who have ten times the burst.")                    \
	ROW("control.socket", control_socket, STRING, "/run/penstock/control.sock", 1, 100,        \
	    "Unix socket of penstockctl; only root and the daemon's account can use it.")          \
	ROW("socketmap.listen", socketmap_listen, STRING, "unix:/run/penstock/socketmap.sock", 0, 255, \
	    "Socket at which Postfix asks for a sender's transport: unix:PATH or inet:ADDRESS:PORT; empty: none.") \
	ROW("socketmap.throttle_s", socketmap_throttle_s, INT, "5", 0, 60,                         \
	    "Seconds that Postfix, where it is set up to ask, makes strangers and clients of slowed accounts wait at each " \
	    "recipient; 0: never.") \
	ROW("redis.server", redis_server, STRING, "127.0.0.1:6379", 1, 255,                        \
	    "Where Redis listens: unix:/path, address:port or [v6]:port.")                                              \
	ROW("redis.username", redis_username, STRING, "", 0, 255, "User name for AUTH, where Redis has users; empty: none is named.")    \
	ROW("redis.password", redis_password, STRING, "", 0, 255, \
	    "Password for AUTH; others must not be able to read this file: root:penstock, mode 640.") \
	ROW("redis.database", redis_database, INT, "0", 0, 1000000, "Number of the database.")                 \
	ROW("redis.prefix", redis_prefix, STRING, "penstock", 1, 40, "Prefix of every key.")   \
	ROW("redis.timeout_ms", redis_timeout_ms, INT, "250", 5, 10000, \
	    "A request without an answer after this long has failed.") \
	ROW("redis.on_failure", redis_on_failure, WORD, "local", 0, 0,                          \
	    "local: limits go on from the table of recent accounts; defer: mail is deferred.")     \
	RARE("redis.breaker_failures", redis_breaker_failures, INT, "3", 1, 1000,                   \
	    "Failures in a row after which Redis is left alone for a while.")                      \
	RARE("redis.retry_ms", redis_retry_ms, INT, "500", 10, 60000, \
	    "First wait before Redis is tried again; doubles up to 30 s.") \
	RARE("redis.recent_accounts", redis_recent_accounts, INT, "20000", 16, 10000000,            \
	    "Rows of the local table of recent accounts.")                                         \
	ROW("redis.state_days", redis_state_days, INT, "35", 2, 3650, \
	    "An account that sends nothing for this many days is forgotten.") \
	ROW("dns.timeout_ms", dns_timeout_ms, INT, "2000", 50, 30000, \
	    "A block list that has not answered after this long is unknown.") \
	ROW("dns.on_failure", dns_on_failure, WORD, "unknown", 0, 0,                            \
	    "Without an answer: unknown (the list says nothing), or defer, for clients without login only.") \
	ROW("dns.cache_bytes", dns_cache_bytes, INT, "33554432", 65536, 17179869184.0,             \
	    "Memory for cached DNS answers; a client address takes about 150 bytes, and 130 more for each block list.") \
	ROW("dns.inflight", dns_inflight, INT, "4096", 1, 8192, \
	    "Questions in progress at once; more wait for their turn.") \
	RARE("dns.breaker_failures", dns_breaker_failures, INT, "5", 1, 1000,                       \
	    "Failures in a row after which a block list is left alone for a while.")               \
	RARE("dns.retry_ms", dns_retry_ms, INT, "2000", 10, 300000,                               \
	     "First wait before a block list that failed is tried again; doubles up to 5 min.")     \
	ROW("catalogue.file", catalogue_file, STRING, "blocklists.conf", 0, 255,                   \
	    "Catalogue of well-known block lists; relative: beside this file. The default may be missing; empty: none.") \
	ROW("origin.zone4", origin_zone4, STRING, "origin.asn.cymru.com", 0, 180,                  \
	    "DNS zone with the AS number, prefix and country of an IPv4 address; empty: not asked.") \
	ROW("origin.zone6", origin_zone6, STRING, "origin6.asn.cymru.com", 0, 180, "The same for IPv6 addresses.") \
	ROW("origin.names", origin_names, STRING, "asn.cymru.com", 0, 180, \
	    "DNS zone with the names of ASes; empty: not asked.") \
	ROW("origin.clients", origin_clients, BOOL, "true", 0, 0,                                  \
	    "Also ask these zones about the clients of accounts, whose AS is one of the places that an account sends from, " \
	    "and of strangers who come again. The zones see the clients' addresses: penstock(7), PRIVACY.") \
	ROW("origin.budget", origin_budget, INT, "100000", 0, 1000000000,                          \
	    "Questions a day (UTC) that each zone may be asked about clients; 0: no end.") \
	ROW("traps.file", traps_file, STRING, "", 0, 255,                                          \
	    "Spam-trap addresses, one address or @domain a line, # begins a comment; read at start and at reload. " \
	    "Empty: none.") \
	ROW("traps.delay_minutes", traps_delay_minutes, INT, "60", 0, 1440,                        \
	    "A trap hit counts after a random time up to this, so that no sender can find out which address is a trap; " \
	    "0: at once.")                                                                         \
	ROW("limits.domain_plan", limits_domain_plan, STRING, "", 0, 63,                           \
	    "Plan of each domain of accounts as a whole; empty: domains are not counted.")         \
	ROW("limits.customer_plan", limits_customer_plan, STRING, "", 0, 63,                       \
	    "Plan of each customer as a whole: all accounts whose limits name the customer; empty: only its own key limits it.") \
	ROW("limits.server_plan", limits_server_plan, STRING, "", 0, 63,                           \
	    "Plan for all mail of all daemons that share one Redis; empty: it is not counted.")     \
	ROW("limits.client_plan", limits_client_plan, STRING, "", 0, 63,                           \
	    "Plan of each client address whose accounts are named only by source sender, all its senders together; " \
	    "empty: only its own key limits it.") \
	ROW("monitor.interval_minutes", monitor_interval_minutes, FLOAT, "60", 0, 10080,           \
	    "Minutes between look-ups of the transports' addresses in the block lists, give or take a fifth; 0: never.") \
	ROW("monitor.weight", monitor_weight, FLOAT, "1.0", 0.01, 1000,                            \
	    "A transport leaves its pool when the lists that name its address have this weight together.") \
	ROW("monitor.return_hours", monitor_return_hours, FLOAT, "24", 0, 8760,                    \
	    "It begins to return when they have weighed less for this many hours.")                       \
	ROW("monitor.return_days", monitor_return_days, FLOAT, "3", 0, 365, \
	    "It has its full share again this many days after it begins to return.") \
	ROW("spf.client", spf_client, WORD, "signal", 0, 0,                                     \
	    "SPF of clients without login: off, signal (a reason in the log) or refuse (5xx where it fails).") \
	ROW("spf.transports", spf_transports, BOOL, "true", 0, 0,                                  \
	    "Prefer a transport by whose address the sender's domain passes SPF.")                 \
	ROW("spf.timeout_ms", spf_timeout_ms, INT, "2000", 10, 30000, \
	    "An SPF answer that takes longer counts as unknown.") \
	ROW("accounts.cut_tag", accounts_cut_tag, BOOL, "true", 0, 0, \
	    "Treat user+tag@domain as the account user@domain.") \
	ROW("accounts.passwd", accounts_passwd, STRING, "/etc/passwd", 0, 255, \
	    "File with the login names for source uid, read at start and at reload.") \
	ROW("reputation.prior_new", reputation_prior_new, FLOAT, "-2.5", -10, 10,                  \
	    "Log-odds that a new account sends abuse, before anything is seen.")                   \
	ROW("reputation.prior_good", reputation_prior_good, FLOAT, "-4.5", -10, 10, \
	    "The same for an account with a history.") \
	ROW("reputation.suspect_enter", reputation_suspect_enter, FLOAT, "0.5", -20, 20, \
	    "Score from which an account is suspect.") \
	RARE("reputation.suspect_leave", reputation_suspect_leave, FLOAT, "-0.5", -20, 20,        \
	     "Score below which a suspect account is no longer one.")                               \
	ROW("reputation.blocked_enter", reputation_blocked_enter, FLOAT, "3.0", -20, 20, \
	    "Score from which an account is blocked; 3.5 of it have to be of what only abuse brings.") \
	RARE("reputation.blocked_leave", reputation_blocked_leave, FLOAT, "1.5", -20, 20,         \
	     "Score below which an account that its score blocked is no longer blocked.")           \
	ROW("reputation.minimum_stay_s", reputation_minimum_stay_s, INT, "3600", 0, 2592000,       \
	    "An account stays suspect or blocked for at least this many seconds.")                              \
	ROW("reputation.new_days", reputation_new_days, FLOAT, "7", 0, 365, \
	    "An account is new for at least this many days, and until it behaves on three (or as many, if fewer); at four times as many it " \
	    "is new no more, however little it sent.") \
	ROW("reputation.new_messages", reputation_new_messages, INT, "10", 0, 1000000, \
	    "An account is also new until it has sent this many messages, of which half are forgotten after 7 days.") \
	ROW("reputation.blocked_action", reputation_blocked_action, WORD, "reject", 0, 0,       \
	    "What happens to a blocked account's mail: reject, defer or hold.")                    \
	ROW("content.tag_score", content_tag_score, FLOAT, "5", -1000, 100000, \
	    "Scanner score from which on a message is tagged (X-Penstock-Spam).") \
	ROW("content.slow_score", content_slow_score, FLOAT, "8", -1000, 100000, "Scanner score from which on a message leaves by the suspect pool.") \
	ROW("content.hold_score", content_hold_score, FLOAT, "100000", -1000, 100000, \
	    "Scanner score from which on a message goes to the MTA's hold queue.") \
	ROW("content.reject_score", content_reject_score, FLOAT, "100000", -1000, 100000, "Scanner score from which on a message is rejected.") \
	ROW("explain.keep", explain_keep, INT, "20000", 0, 10000000,                               \
	    "About how many entries Redis keeps for penstockctl explain; each takes 1 to 2 KiB. 0: none are written.") \
	ROW("explain.days", explain_days, FLOAT, "30", 0, 3650, \
	    "Days after which entries are removed; 0: only their number limits them.") \
	ROW("facts.file", facts_file, STRING, "", 0, 255,                                          \
	    "File for the facts of each message, one line each, for penstockctl replay; under systemd below " \
	    "/var/log/penstock. Empty: none.") \
	ROW("facts.accounts", facts_accounts, WORD, "clear", 0, 0,                              \
	    "clear, or hashed with facts.salt: accounts, clients, domains, texts and hosts of links are then numbers " \
	    "that do not reveal who they are.") \
	ROW("facts.salt", facts_salt, STRING, "", 0, 255, \
	    "A secret of at least 16 bytes, the same on all hosts whose facts are replayed together.") \
	ROW("reputation.hold_hours", reputation_hold_hours, FLOAT, "24", 0, 8760,                  \
	    "Hours after which held mail is released; 0: only an admin releases it.")        \
	ROW("events.keep", events_keep, INT, "10000", 0, 10000000,                                 \
	    "How many events are kept in Redis, in the stream PREFIX:events; 0: none.")    \
	ROW("webhook.url", webhook_url, STRING, "", 0, 1000,                                       \
	    "http:// or https:// address that each event is posted to as JSON; empty: none.")      \
	ROW("webhook.secret", webhook_secret, STRING, "", 0, 255,                                  \
	    "Key of the signature of each request (HMAC-SHA256); empty: they are not signed.")     \
	ROW("webhook.kinds", webhook_kinds, STRING, "", 0, 200,                                    \
	    "Kinds of events that are posted, such as \"block limit\"; empty: all.")             \
	RARE("webhook.timeout_ms", webhook_timeout_ms, INT, "10000", 100, 300000, \
	    "A request without a complete answer after this long has failed.") \
	RARE("webhook.queue", webhook_queue, INT, "1000", 1, 100000,                                \
	    "How many events may wait for a webhook that fails; beyond that the oldest is given up.")          \
	ROW("webhook.ca_file", webhook_ca_file, STRING, "", 0, 255,                                \
	    "Certificates (PEM) that vouch for the webhook's server; empty: the system's.")        \
	ROW("admin.mail_to", admin_mail_to, STRING, "", 0, 1000,                                   \
	    "Addresses that events are mailed to, separated by commas, 8 at most; empty: none.")      \
	ROW("admin.mail_from", admin_mail_from, STRING, "", 0, 254,                                \
	    "Sender of this mail; empty: <> in the envelope, and penstock at this host's name in the header.") \
	ROW("admin.mail_kinds", admin_mail_kinds, STRING, "", 0, 200, "Kinds of events that are mailed; empty: all.") \
	ROW("admin.mail_period_hours", admin_mail_period_hours, FLOAT, "4", 0, 8760,               \
	    "At most one mail for each account and kind in this many hours, from all daemons of one Redis; 0: one " \
	    "for each event.") \
	ROW("admin.smtp", admin_smtp, STRING, "127.0.0.1:25", 1, 255, \
	    "Server that accepts this mail: address:port or [v6]:port.") \
	ROW("follow.source", follow_source, STRING, "journal", 1, 255,                             \
	    "Where penstock-follow reads the mail log: journal, journal:FOLDER, the path of a file, or - for standard " \
	    "input. Anybody on the host can write lines into a file; into the journal nobody but the units' own users.")  \
	ROW("follow.units", follow_units, STRING,                                                  \
	    "postfix.service postfix@-.service sendmail.service penstock.service _UID=postfix", 1, 900,         \
	    "Units of the journal that are read, or fields of journald's own, such as _UID=0 or _UID=postfix.")    \
	ROW("follow.state", follow_state, STRING, "/var/lib/penstock-follow", 1, 200,              \
	    "Folder of penstock-follow: how far it has read, and what it has to know of mail in the queue.") \
	ROW("follow.replies", follow_replies, STRING, "replies.conf", 1, 255,                      \
	    "What servers' refusals mean; relative: beside this file.")                            \
	ROW("follow.trace_days", follow_trace_days, INT, "31", 0, 3650,                            \
	    "Days for which penstock-follow keeps what became of each message, for penstockctl trace; 0: it keeps none.") \
	ROW("follow.trace_recipients", follow_trace_recipients, WORD, "clear", 0, 0,               \
	    "clear, or hashed: recipients are then numbers that do not reveal who they are.")      \
	ROW("follow.hold_blocked", follow_hold_blocked, BOOL, "true", 0, 0,                        \
	    "Mail in the queue is put on hold within seconds while its account is blocked, and released when that ends.") \
	ROW("follow.hold_hours", follow_hold_hours, FLOAT, "0", 0, 8760,                           \
	    "Hours after which mail that is held so is deleted if its account is still blocked; 0: it stays until an " \
	    "admin decides.") \
	ROW("follow.queue_socket", follow_queue_socket, STRING, "/run/penstock-queue.sock", 1, 100, \
	    "Socket of penstock-queue, which does that.")                                          \
	ROW("clients.most", clients_most, INT, "65536", 1024, 4194304,                             \
	    "Clients of SMTP sessions that are remembered, some 200 bytes each; beyond that the least worth knowing is " \
	    "forgotten.")                                                                          \
	ROW("clients.state", clients_state, STRING, "/var/lib/penstock", 0, 200,                   \
	    "Folder in which they outlive a restart, with the history of throttling; empty: they do not.") \
	ROW("clients.history_days", clients_history_days, INT, "0", 0, 3660,                       \
	    "Days for which it is kept who was refused, slowed, and gave up, for penstockctl throttle report, 16 bytes a " \
	    "time; 0: it is not.")                                                                 \
	ROW("clients.slow_most", clients_slow_most, INT, "30", 0, 10000,                           \
	    "Sessions that wait at one time because of the map throttle; each takes one of Postfix's smtpd processes.") \
	ROW("clients.hide_starttls", clients_hide_starttls, WORD, "poor", 0, 0,                    \
	    "To clients of which standing, and of a worse one, the map starttls does not offer it: unknown, neutral, " \
	    "poor or bad.")                                                                        \
	ROW("clients.require_quit", clients_require_quit, BOOL, "false", 0, 0,                     \
	    "Hold mail of strangers of poor or bad standing until their session ended with QUIT, and delete it where it " \
	    "ended without. Needs penstock-follow and penstock-queue.")                            \
	ROW("clients.zone", clients_zone, STRING, "", 0, 200,                                      \
	    "Folder in which clients of bad standing are written as zones for rbldnsd; empty: they are not.") \
	ROW("clients.zone_hours", clients_zone_hours, FLOAT, "24", 0.1, 8760,                      \
	    "How long a client stays in the zone after it was last found bad.")                    \
	ROW("clients.zone_text", clients_zone_text, STRING, "Client of bad standing, reference $", 0, 200, \
	    "TXT record of the zone; $ stands for the reference that penstockctl client show explains.") \
	ROW("clients.abuse_contacts", clients_abuse_contacts, STRING, "", 0, 200,                  \
	    "DNS zone that knows each network's abuse address, as abuse-contacts.abusix.zone; with it, reports of bad " \
	    "clients are mailed there; empty: none.")                                              \
	ROW("clients.abuse_from", clients_abuse_from, STRING, "", 0, 254,                          \
	    "Sender of these reports, an address that people read.")                               \
	ROW("clients.abuse_a_day", clients_abuse_a_day, INT, "20", 1, 10000,                       \
	    "Reports in a day at most; of one network there is one a day.")                        \
	ROW("feedback.header", feedback_header, STRING, "CFBL-Feedback-ID", 0, 60, \
	    "Header that bears the token by which a complaint is known again, in accounts' mail that leaves; empty: none.") \
	ROW("feedback.envid", feedback_envid, BOOL, "true", 0, 0, \
	    "Give the token to the envelope (ENVID, RFC 3461) where the client gave none, so that bounces bring it back.") \
	ROW("feedback.address", feedback_address, STRING, "", 0, 254, \
	    "Address that takes complaints (CFBL-Address, RFC 9477), whose mail penstockctl feedback reads; empty: none is told.") \
	ROW("feedback.feedback_id", feedback_id, STRING, "", 0, 15, \
	    "Your SenderId in Gmail's header Feedback-ID, 5 to 15 characters [A-Za-z0-9]; empty: the header is not added.") \
	ROW("postfix.myorigin", postfix_myorigin, STRING, "/etc/mailname", 0, 255,                 \
	    "Postfix's myorigin, the domain that sendmail(1) gives this host's users: a name, or a file whose first " \
	    "word is the name. The host's own name and its domain are known without it. The default file may be " \
	    "missing; empty: none.") \
	ROW("postfix.header", postfix_header, STRING, "X-Penstock-Pool", 12, 60, \
	    "Header that carries the transport; begins with X-Penstock-.")
/* clang-format on */

#define SETTING_MEMBER_STRING(member) const char *member
#define SETTING_MEMBER_INT(member) int64_t member
#define SETTING_MEMBER_FLOAT(member) double member
#define SETTING_MEMBER_BOOL(member) bool member
#define SETTING_MEMBER_WORD(member) enum member member

struct settings {
#define SETTING_MEMBER(path, member, type, text, least, most, help) SETTING_MEMBER_##type(member);
	SETTING_ROWS(SETTING_MEMBER, SETTING_MEMBER)
#undef SETTING_MEMBER
};

enum {
	PLANS_MAX = 256,
	SERVERS_MAX = 8,
	MAILERS_MAX = 32,
	NETWORKS_MAX = 64,
	HOSTS_MAX = 32,
	HOST_NAME_MOST = 253,
	DOMAINS_MAX = 10000,
	TAGGED_DOMAINS_MAX = 64,
};

struct plan {
	char name[PLAN_NAME_MAX + 1];
	struct limits limits;
};

/* Who forwards others' mail: a network, or an account. */
struct forwarder {
	struct netblock network;
	const char *account; /* NULL: the network */
};

struct mailer_list {
	const char *words[MAILERS_MAX];
	int count;
};

struct domain_list {
	const char *names[DOMAINS_MAX]; /* lower case, sorted */
	int count;
};

struct config {
	struct settings set;
	struct policy policy;	    /* points into the arrays below, and to ... */
	struct policy policy_whole; /* ... itself with nothing run in shadow mode */
	struct pool pools[POOLS_MAX];
	int pool_count;
	struct outgoing outgoing;     /* of the pools */
	struct list lists[LISTS_MAX]; /* those of `blocklists` first, then the rest of the catalogue */
	int list_count;		      /* all */
	int mail_list_count;	      /* those of `blocklists`: asked about the clients of messages */
	struct plan plans[PLANS_MAX]; /* one is named "default" */
	int plan_count;
	struct scanner scanners[SCANNERS_MAX];
	int scanner_count;
	enum source sources[SOURCE_COUNT];
	int source_count;
	const char *dns_servers[SERVERS_MAX];
	int dns_server_count;
	struct netblock own_networks[NETWORKS_MAX]; /* accounts.own_networks */
	int own_network_count;
	struct forwarder forwarders[NETWORKS_MAX]; /* accounts.forwarders */
	int forwarder_count;
	const char *tagged_domains[TAGGED_DOMAINS_MAX]; /* accounts.tagged_domains, lower case */
	int tagged_domain_count;
	struct netblock proxies[NETWORKS_MAX]; /* http.proxies: whose X-Forwarded-For is believed */
	int proxy_count;
	const char *hosts[HOSTS_MAX]; /* http.hosts: names by which it is reached */
	int host_count;
	struct mailer_list remote_mailers; /* {rcpt_mailer} words that mean "leaves this host by SMTP" ... */
	struct mailer_list local_mailers;  /* ... and "stays on it" */
	struct domain_list alias_domains, local_domains;
	unsigned webhook_kinds, admin_mail_kinds; /* sets of 1 << enum event_kind */
	const char *origin;			  /* the domain that postfix.myorigin tells, lower case; "": none */
	const char *secret; /* what the file holds that others must not read: "a password", ...; NULL: nothing */
	const char *catalogue_file; /* as it is opened; "": none */
};

enum { CONFIG_ERROR_MAX = 512 };

/* NULL with one sentence in `error`, naming file, line, option, value and what was expected. */
struct config *config_load(const char *file, char error[CONFIG_ERROR_MAX]);

/* The string of one option, of a file that may have a mistake elsewhere; `otherwise` where the file lacks it. To be
 * freed. NULL: the file cannot be parsed, or this option is wrong. */
char *config_string(const char *file, const char *path, const char *otherwise);
struct config *config_hold(struct config *config);
void config_drop(struct config **config); /* clears the pointer; the last one frees */

/* Limits of a plan of the file; NULL where there is none of that name. */
const struct limits *config_plan(const struct config *config, const char *name);

/* Does mail to a recipient leave this host? */
enum rcpt_way {
	RCPT_WAY_UNKNOWN, /* it counts as leaving, and nobody knows by which mailer */
	RCPT_WAY_STRANGE, /* likewise; the MTA names a mailer that nobody told us of */
	RCPT_WAY_ALIAS,	  /* likewise; where it leaves, an alias of this host sends it on */
	RCPT_WAY_LOCAL,
	RCPT_WAY_REMOTE,
};

/* By {rcpt_mailer}, NULL where the MTA does not say, and by the domain of `rcpt`, as it comes with RCPT. */
enum rcpt_way config_rcpt_way(const struct config *config, const char *mailer, const char *rcpt);

/* In any case. */
bool domain_list_has(const struct domain_list *list, const char *domain);

/* The sample file and the manual page's table, from the rows. */
void config_print_sample(FILE *to);
void config_print_man(FILE *to);

#endif
