/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_account: the commands about one account.
 */
#ifndef PENSTOCK_CONTROL_ACCOUNT_H
#define PENSTOCK_CONTROL_ACCOUNT_H

#include "milter/control/control_request.h"

command_function control_account_show, control_account_feedback, control_account_limit, control_account_note,
	control_account_delete, control_account_reset;

#endif
