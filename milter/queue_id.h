/* SPDX-License-Identifier: BSD-2-Clause
 *
 * queue_id: by what name the MTA keeps a message.
 */
#ifndef PENSTOCK_QUEUE_ID_H
#define PENSTOCK_QUEUE_ID_H

#include <stdbool.h>

enum { QUEUE_ID_LEAST = 5, QUEUE_ID_MOST = 20 };

/* Letters and digits alone, which Postfix's short and long ones and Sendmail's are made of: it becomes an argument of
 * postsuper(1), to which ALL and - mean more than one message. */
bool queue_id_fine(const char *queue_id);

#endif
