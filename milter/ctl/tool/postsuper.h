/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postsuper: Postfix's program of that name, without a shell. It wants root.
 */
#ifndef PENSTOCK_POSTSUPER_H
#define PENSTOCK_POSTSUPER_H

#include "milter/ctl/tool/call.h"

enum { POSTSUPER_IDS_MOST = 500 };

/* `option` (-h, -H, -d) for each of `ids`, which queue_id_fine() holds of and of which there are POSTSUPER_IDS_MOST at
 * most, in `queue` alone; NULL: in those of the option. --postfix names another instance. False with the complaint
 * made, which ends with `otherwise`. */
bool postsuper_run(const struct call *call, const char *option, const char *const *ids, int count, const char *queue,
		   const char *otherwise);

#endif
