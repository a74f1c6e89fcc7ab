/* SPDX-License-Identifier: BSD-2-Clause
 *
 * queue_id: by what name the MTA keeps a message.
 */
#ifndef PENSTOCK_QUEUE_ID_H
#define PENSTOCK_QUEUE_ID_H

#include <stdbool.h>

/* The one bound on a queue id. Postfix's tools take up to 100 bytes (mail_queue_id_ok() of its mail_queue.c). What it
 * makes is shorter: a long one is the second and the microsecond in base 52 (6 digits at least, and 4), 'z', and the
 * inode in base 51, which is 12 digits of 64 bits: 23 bytes today, 29 where time has 64 bits; a short one is 5
 * hexadecimal digits and up to 16 of the inode. Sendmail's have 14. */
enum { QUEUE_ID_LEAST = 5, QUEUE_ID_MOST = 100 };

/* Letters and digits alone, which Postfix's short and long ones and Sendmail's are made of: it becomes an argument of
 * postsuper(1), to which ALL and - mean more than one message. */
bool queue_id_fine(const char *queue_id);

#endif
