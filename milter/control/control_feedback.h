/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket's command about a report of a message that left.
 *
 *   {"do":"feedback","form":"complaint"|"bounce"|"forwarded"|"automatic"|"junk","type":WORD,"token":TEXT,
 *    "rcpt":ADDRESS,"source":TEXT,"nested":true,"status":["5.1.1"]}           all but "form" may be left out
 *
 * The answer is {"ok":true,"result":WORD of FEEDBACK_ROWS,"type":WORD of COMPLAINT_ROWS,"account":A or null}. Whatever
 * a stranger sends is an answer and no error; an error means that it is worth trying again.
 */
#ifndef PENSTOCK_CONTROL_FEEDBACK_H
#define PENSTOCK_CONTROL_FEEDBACK_H

#include "milter/control/control_request.h"

command_function control_feedback;

#endif
