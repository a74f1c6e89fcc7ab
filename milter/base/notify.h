/* SPDX-License-Identifier: BSD-2-Clause
 *
 * notify: what systemd and the daemon tell each other: sd_notify(3) and sd_listen_fds(3), whose protocol is a datagram
 * and three environment variables. Without systemd all do nothing.
 */
#ifndef PENSTOCK_NOTIFY_H
#define PENSTOCK_NOTIFY_H

#include <stdint.h>

/* "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1" ... */
void notify_send(const char *state);

/* Milliseconds between two signs of life that systemd asks for, halved; 0: none. */
int64_t notify_watchdog_ms(void);

/* The first socket that systemd opened for us; -1: none. */
int notify_listen_fd(void);

#endif
