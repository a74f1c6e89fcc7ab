/* SPDX-License-Identifier: BSD-2-Clause
 *
 * receiver_outcome: as what an outcome at a recipient is counted of the receiver whose server said so.
 */
#ifndef PENSTOCK_RECEIVER_OUTCOME_H
#define PENSTOCK_RECEIVER_OUTCOME_H

#include "policy/outcome.h"
#include "policy/receiver.h"

/* RECEIVER_COUNTS: it is no answer of a receiver. final: it will not be tried again. */
enum receiver_count receiver_count_of(enum outcome outcome, bool final);

#endif
