/* SPDX-License-Identifier: BSD-2-Clause
 *
 * node: by what name this host is known among those that share one Redis. All programs of one host have the same.
 */
#ifndef PENSTOCK_NODE_H
#define PENSTOCK_NODE_H

enum { NODE_MAX = 16 };

/* `set` is the option "node"; "": four letters that are made from the host's name. */
void node_name(const char *set, char node[NODE_MAX + 1]);

#endif
