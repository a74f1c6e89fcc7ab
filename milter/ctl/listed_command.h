/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listed_command: penstockctl client list: who is on our own block list, for people, for programs, and for a firewall.
 */
#ifndef PENSTOCK_LISTED_COMMAND_H
#define PENSTOCK_LISTED_COMMAND_H

#include "milter/ctl/tool/call.h"

/* Where the daemon does not tell all of it, nothing is printed but a complaint. With --nft and --plain nothing comes
 * out that the daemon wrote: addresses are read and spelt anew, times are numbers. Root hands it to nft(8). */
int listed_command_run(const struct call *call);

/* The whole list, rows as client.list gives them. */
void listed_command_nft(const json_t *rows, int64_t now_s, FILE *to);
void listed_command_plain(const json_t *rows, FILE *to);

#endif
