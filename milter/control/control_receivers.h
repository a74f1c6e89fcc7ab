/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_receivers: how receivers take what transports send: of this host as the daemon knows it, and of the others
 * that share its Redis as their followers have told there.
 *
 * {"nodes":[{"node":..},..],"why":null}: this host's comes first; `why` says why the others are not there.
 */
#ifndef PENSTOCK_CONTROL_RECEIVERS_H
#define PENSTOCK_CONTROL_RECEIVERS_H

#include "milter/control/control_request.h"

command_function control_receivers;

#endif
