/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reloads: how the last one went, for those who did not look into the log. Any thread.
 */
#ifndef PENSTOCK_RELOADS_H
#define PENSTOCK_RELOADS_H

#include "milter/config/config.h"

/* The sentence that says why it failed, with file and line; NULL: it did not. */
void reloads_note(const char *error);

/* False: the last one went well, or there was none. */
bool reloads_failed(int64_t *unix_s_out, char error_out[CONFIG_ERROR_MAX]);

#endif
