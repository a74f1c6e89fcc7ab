/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of Dovecot 2.3.19 as it wrote them, names and addresses changed; of 2.4 and of Asterisk as their documentation
 * and public logs have them.
 */
#include "milter/follow/service_log.h"

#include "t/unit/tap.h"

#include <stdlib.h>

enum { NOW = 1796021500 }; /* 2026-11-30 06:51:40 UTC */

/* "TIME-NOW ADDRESS EVENT SERVICE NAME MORE", "-" for nothing, "?" for unclear. */
static void show(enum service_log log, const char *line, char shown[300])
{
	struct service_login login;
	char address[NETADDR_TEXT_MAX];
	size_t length = strlen(line);
	char *copy = malloc(length + 1); /* without a NUL, so that a read behind its end shows */
	memcpy(copy, line, length);
	copy[length] = 'x';
	enum service_said said = service_log_read(log, (struct span){ copy, length }, NOW, &login);
	netaddr_text(&login.note.client, address);
	if (said == SERVICE_TOLD)
		snprintf(shown, 300, "%lld %s %s %s <%s> %d", (long long)login.note.time_s, address,
			 client_event_word(login.note.event), client_service_word(login.note.service), login.note.name,
			 login.more);
	else
		snprintf(shown, 300, "%s", said == SERVICE_UNCLEAR ? "?" : "-");
	free(copy);
}

#define HEAD "2026-11-30T06:31:13.5+00:00 mail dovecot[17]: "
#define SAID ": Disconnected: Connection closed (auth failed, 1 attempts in 1 secs): "
#define TAIL ", lip=192.0.2.1, TLS, session=<qBlbjnhhvq1/AAAB>"

static const struct {
	const char *line, *want;
} dovecot[] = {
	{ HEAD "imap-login" SAID "user=<bob>, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 auth_failure imap <bob> 0" },
	{ "2026-11-30T06:31:13+0000 mail dovecot[17]: imap-login" SAID "user=<bob>, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 auth_failure imap <bob> 0" },
	{ "Nov 30 06:31:13 imap-login: Info: Disconnected: Connection closed (auth failed, 3 attempts in 6 secs): "
	  "user=<bob>, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 auth_failure imap <bob> 2" },
	{ HEAD "pop3-login: Disconnected: Inactivity (auth failed, 99 attempts in 9 secs): user=<bob>, method=PLAIN, "
	       "rip=2001:db8::7" TAIL,
	  "1796020273 2001:db8::7 auth_failure pop3 <bob> 20" },
	{ HEAD "imap-login: Login aborted: Connection closed (auth failed, 1 attempts in 1 secs) (auth_failed): "
	       "user=<bob>, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 auth_failure imap <bob> 0" },
	{ HEAD "imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, mpid=27919, TLS, "
	       "session=<T+F>",
	  "1796020273 192.0.2.7 login imap <alice> 0" },
	{ HEAD "imap-login: Logged in: user=<alice>, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 login imap <alice> 0" },
	{ HEAD "imap-login" SAID "user=<>, rip=192.0.2.7" TAIL, "1796020273 192.0.2.7 auth_failure imap <> 0" },
	/* what strangers typed, as it was written */
	{ HEAD "imap-login" SAID "user=<alice, rip=9.9.9.9>, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 auth_failure imap <alice, rip=9.9.9.9> 0" },
	{ HEAD "imap-login" SAID "user=<ev?il?foo>, method=PLAIN, rip=192.0.2.9>, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 auth_failure imap <ev?il?foo>, method=PLAIN, rip=192.0.2.9> 0" },
	{ HEAD "imap-login" SAID "user=<x> , rip=1.2.3.4, lip=\">, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 auth_failure imap <x> , rip=1.2.3.4, lip=\"> 0" },
	{ HEAD "imap-login" SAID "user=<Login: user=<alice>, method=PLAIN, rip=1.2.3.4" TAIL
	       ">, method=PLAIN, rip=192.0.2.7" TAIL,
	  "1796020273 192.0.2.7 auth_failure imap <Login: user=<alice>, method=PLAIN, rip=1.2.3.4, lip=192.0.2.1, T> "
	  "0" },
	{ HEAD "auth: passwd-file(x imap-login" SAID "user=<bob>, method=PLAIN, rip=1.2.3.4" TAIL, "-" },
	{ HEAD "imap(imap-login: Login: user=<a>, rip=1.2.3.4" TAIL, "-" },
	{ "2026-11-30T06:31:13+00:00 mail sshd[17]: imap-login: Login: user=<a>, rip=1.2.3.4" TAIL, "-" },
	/* nothing */
	{ HEAD "imap-login: Disconnected: Connection closed (no auth attempts in 0 secs): user=<>, rip=192.0.2.7" TAIL,
	  "-" },
	{ HEAD "imap-login: Disconnected: Connection closed (sent invalid base64 in response): user=<>, method=PLAIN, "
	       "rip=192.0.2.7" TAIL,
	  "-" },
	{ HEAD "imap(alice)<27919><T+F>: Disconnected: Logged out in=8 out=468", "-" },
	{ HEAD "imap-login" SAID "user=<bob>, method=PLAIN, rip=nonsense" TAIL, "-" },
	{ HEAD "imap-login" SAID "user=<bob>, method=PLAIN, rip=192.0.2", "-" },
	{ "", "-" },
};

#define SECURITY "[2026-11-30 06:31:13] SECURITY[73]: res_security_log.c:114 security_event_stasis_cb: "
#define TIMED "\",EventTV=\"2026-11-30T00:31:13.182-0600\",Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\","
#define LOCAL "\",SessionID=\"1066330060@x\",LocalAddress=\"IPV4/UDP/192.0.2.1/5060\",RemoteAddress=\""
#define ANSWER "\",Challenge=\"1765426059/0ac8c076\",Response=\"9bad4648\",ExpectedResponse=\"\""

static const struct {
	const char *line, *want;
} asterisk[] = {
	{ SECURITY "SecurityEvent=\"InvalidAccountID" TIMED "AccountID=\"3498" LOCAL "IPV4/UDP/192.0.2.7/58502\"",
	  "1796020273 192.0.2.7 auth_failure sip <3498> 0" },
	{ SECURITY "SecurityEvent=\"InvalidAccountID" TIMED "AccountID=\"3498" LOCAL "IPV4/TLS/192.0.2.7/58502\"",
	  "1796020273 192.0.2.7 auth_failure sip_proven <3498> 0" },
	{ SECURITY "SecurityEvent=\"ChallengeResponseFailed" TIMED "AccountID=\"100" LOCAL
		   "IPV6/TCP/2001:db8::7/5" ANSWER,
	  "1796020273 2001:db8::7 auth_failure sip_proven <100> 0" },
	{ SECURITY "SecurityEvent=\"ChallengeResponseFailed" TIMED "AccountID=\"<unknown>" LOCAL
		   "IPV4/UDP/192.0.2.7/58502" ANSWER,
	  "-" },
	{ "SecurityEvent=\"InvalidAccountID" TIMED "AccountID=\"3498" LOCAL "IPV4/WSS/192.0.2.7/58502\"",
	  "1796020273 192.0.2.7 auth_failure sip_proven <3498> 0" },
	{ "[Feb 11 07:57:03] SECURITY[23736] res_security_log.c: SecurityEvent=\"InvalidPassword\",EventTV=\"1297-4\","
	  "Severity=\"Error\",Service=\"SIP\",EventVersion=\"1\",AccountID=\"100\",SessionID=\"0x8\",LocalAddress="
	  "\"IPV4/"
	  "TCP/192.0.2.1/5060\",RemoteAddress=\"IPV4/TCP/192.0.2.7/1\"",
	  "1796021500 192.0.2.7 auth_failure sip_proven <100> 0" },
	{ SECURITY "SecurityEvent=\"SuccessfulAuth" TIMED "AccountID=\"100" LOCAL
		   "IPV4/UDP/192.0.2.7/1\",UsingPassword=\"1\"",
	  "1796020273 192.0.2.7 login sip <100> 0" },
	{ SECURITY "SecurityEvent=\"SuccessfulAuth" TIMED "AccountID=\"100" LOCAL
		   "IPV4/UDP/192.0.2.7/1\",UsingPassword=\"0\"",
	  "-" },
	{ SECURITY "SecurityEvent=\"ChallengeSent" TIMED "AccountID=\"100" LOCAL
		   "IPV4/UDP/192.0.2.7/1\",Challenge=\"\"",
	  "-" },
	{ SECURITY "SecurityEvent=\"FailedACL" TIMED "AccountID=\"100" LOCAL "IPV4/UDP/192.0.2.7/1\"", "-" },
	/* what a stranger puts into the fields that are his */
	{ SECURITY "SecurityEvent=\"InvalidAccountID" TIMED "AccountID=\"a" LOCAL "IPV4/TCP/203.0.113.1/1\",x=\"" LOCAL
		   "IPV4/TCP/192.0.2.7/1\"",
	  "?" },
	{ SECURITY "SecurityEvent=\"ChallengeResponseFailed" TIMED "AccountID=\"100" LOCAL
		   "IPV4/TCP/192.0.2.7/1\",Challenge=\"x\",RemoteAddress=\"IPV4/TCP/203.0.113.1/1\"",
	  "?" },
	{ SECURITY "SecurityEvent=\"InvalidAccountID" TIMED "AccountID=\"x", "?" }, /* cut by his newline */
	{ SECURITY "SecurityEvent=\"InvalidAccountID" TIMED "AccountID=\"3498" LOCAL "nonsense\"", "?" },
	{ "[2026-11-30 06:31:13] NOTICE[897]: res_pjsip/pjsip_distributor.c:688 log_failed_request: Request 'REGISTER' "
	  "from "
	  "'<sip:SecurityEvent=\"InvalidPassword\"@192.0.2.1>' failed for '192.0.2.7:58502'",
	  "-" },
	{ "[2026-11-30 06:31:13] NOTICE[897]: x: '] SECURITY[1]: y: SecurityEvent=\"InvalidPassword" TIMED
	  "AccountID=\"a" LOCAL "IPV4/TCP/203.0.113.1/1\"",
	  "-" },
	{ "", "-" },
};

int main(void)
{
	char shown[300];
	for (size_t i = 0; i < sizeof dovecot / sizeof dovecot[0]; i++) {
		show(SERVICE_LOG_DOVECOT, dovecot[i].line, shown);
		is_str(shown, dovecot[i].want, "dovecot: %.150s", dovecot[i].line);
	}
	for (size_t i = 0; i < sizeof asterisk / sizeof asterisk[0]; i++) {
		show(SERVICE_LOG_ASTERISK, asterisk[i].line, shown);
		is_str(shown, asterisk[i].want, "asterisk: %.300s", asterisk[i].line);
	}
	is_int(service_log_find("asterisk"), SERVICE_LOG_ASTERISK, "a word");
	is_int(service_log_find("exim"), SERVICE_LOGS, "... that is none");
	return done_testing();
}
