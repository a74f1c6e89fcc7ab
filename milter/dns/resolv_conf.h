/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resolv_conf: the name servers that the system's resolv.conf(5) names. It is read here and not by c-ares, which takes
 * 127.0.0.1 without a word where it finds none, as where the file is empty or has "nameserver fe80::1%eth0" alone:
 * c-ares 1.18 knows no zones of IPv6 addresses. Reads the file, waits for nobody.
 */
#ifndef PENSTOCK_RESOLV_CONF_H
#define PENSTOCK_RESOLV_CONF_H

#include <stdbool.h>
#include <sys/stat.h>

#define RESOLV_CONF "/etc/resolv.conf"

enum { RESOLV_SERVERS_MAX = 8, RESOLV_SERVER_MAX = 64, RESOLV_TROUBLE_MAX = 400 };

struct resolv_conf {
	int count;					     /* 1 or more */
	char servers[RESOLV_SERVERS_MAX][RESOLV_SERVER_MAX]; /* "address:port", "[v6]:port" */
	bool none; /* it names none that can be asked: `servers` is the one of this host, as resolv.conf(5) has it */
	char trouble[RESOLV_TROUBLE_MAX]; /* a clause that begins with the path: what of it cannot be used; "" : nothing
					   */
	struct stat seen;		  /* the file as it was just before it was read; zeroed: it was not there */
};

/* Lines other than "nameserver ADDRESS" and OpenBSD's "nameserver [ADDRESS]:PORT" say nothing here. */
void resolv_conf_read(const char *path, struct resolv_conf *conf_out);

/* It is another file now, or was written since: renamed over, at another end of its symbolic link, cut and written. */
bool resolv_conf_changed(const char *path, const struct resolv_conf *conf);

bool resolv_conf_same_servers(const struct resolv_conf *a, const struct resolv_conf *b);

#endif
