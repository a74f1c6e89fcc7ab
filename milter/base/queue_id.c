/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/queue_id.h"

#include <string.h>

#include "policy/base/banned.h"

bool queue_id_fine(const char *queue_id)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t length = strlen(queue_id);
	return length >= QUEUE_ID_LEAST && length <= QUEUE_ID_MOST && strspn(queue_id, digits) == length;
}
