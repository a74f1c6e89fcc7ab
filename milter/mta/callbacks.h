/* SPDX-License-Identifier: BSD-2-Clause
 *
 * callbacks: what libmilter calls. Each is one screen: gather, judge, apply, record.
 */
#ifndef PENSTOCK_CALLBACKS_H
#define PENSTOCK_CALLBACKS_H

#include <libmilter/mfapi.h>

extern const struct smfiDesc callbacks;

#endif
