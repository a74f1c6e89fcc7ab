/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients: what is remembered of the hosts that connect, of their networks and ASes, and how they stand. One table of
 * clients.most rows for the process, with a lock: any thread, but where it says otherwise. What is judged of it is
 * policy/client.h.
 *
 * A client is its IPv4 address or its IPv6 /64; a network is an IPv4 /24 or an IPv6 /48. A full table forgets the
 * client of least worth (of a few that are looked at), never in order of arrival alone: a flood of addresses pushes
 * out its own.
 */
#ifndef PENSTOCK_CLIENTS_H
#define PENSTOCK_CLIENTS_H

#include "milter/config/config.h"
#include "redis-schema/client_note.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;

/* Loop thread or before it runs. Reads what was saved; false with a sentence in `error`. */
bool clients_start(struct event_base *base, const struct config *config, char *error, size_t error_size);
/* With the loop stopped: saves. */
void clients_stop(void);
/* Another configuration is in force: own networks, how long clients wait and how many. */
void clients_reload(const struct config *config);

/* It did that: counts it for the client, its network, its AS and in total by hour, writes it into the history, notes
 * that it gave up where it was slowed and its session ended without mail, and tells of attacks. Of our own clients
 * (clients_ours) logins alone are counted. */
void clients_note(const struct client_note *note);
/* In which AS it is (a hash as facts.client_as, with the number where it is known; 0: not). */
void clients_note_as(const struct netaddr *client, uint32_t as_number);
/* A session of the milter without login ended: encrypted or not, by standing at its end. */
void clients_note_session(const struct netaddr *client, bool encrypted);
/* A message without login was judged, `spam` by a scanner's word: notes MAIL or SPAM, too. But what a forwarder of the
 * admin's passes on was written by others: it is no SPAM of his. */
void clients_note_message(const struct netaddr *client, bool encrypted, bool spam, bool forwarder);

/* How it stands now. `ours`: it is in one of our own networks, or on this host. */
struct client_verdict clients_judge(const struct netaddr *client, bool ours);
/* The same with all that it came of. False: nothing is known of it (facts_out is zero but for its time). */
bool clients_look(const struct netaddr *client, bool ours, struct client_facts *facts_out);

/* What is told of a login that works now: how many different names failed from this client within about a day, this one
 * not counted. */
double clients_guesses(const struct netaddr *client, const char *login);

/* Reply `sleep` to it? Takes one of clients.slow_most places for `seconds`, and notes that it was SLOWED, but not where
 * it waits `again` in the session in which it waited just now, nor where the client is UNKNOWN: an account waits. False
 * where no place is left, which is counted, and a line, a metric and a reason in /health where it lasts. */
bool clients_slow(const struct netaddr *client, int64_t seconds, bool again);

#endif
