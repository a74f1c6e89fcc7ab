/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_clients: the commands about hosts that connect.
 *
 * {"do":"client.show","client":"192.0.2.7"}  an address, or a reference of the block list
 * {"do":"sessions.report","days":7}
 */
#ifndef PENSTOCK_CONTROL_CLIENTS_H
#define PENSTOCK_CONTROL_CLIENTS_H

#include "milter/control/control_request.h"

command_function control_client_show, control_sessions_report;

#endif
