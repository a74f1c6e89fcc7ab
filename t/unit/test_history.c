/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The history of throttling as it is written: each row to its own day, whole rows after a crash and on a full disk,
 * clocks that jump, old files removed one by one, and settings that change.
 */
#include "milter/clients/history.h"

#include "t/fake/fake.h"
#include "t/unit/tap.h"
