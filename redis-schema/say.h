/* SPDX-License-Identifier: BSD-2-Clause
 *
 * say: how the parts of the schema reach the log, of which they know nothing.
 */
#ifndef PENSTOCK_SAY_H
#define PENSTOCK_SAY_H

/* A line for the log: the state of Redis changed, or a panel's value is of no use. May be called on the loop thread
 * at any time. */
typedef void store_say(void *arg, const char *line);

#endif
