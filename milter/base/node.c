/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/node.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <unistd.h>

#include "policy/base/banned.h"

/* Hashed: two daemons that share one Redis must not have one node name. */
void node_name(const char *set, char node[NODE_MAX + 1])
{
	char host[256] = "";
	if (set[0] != '\0') {
		text_copy(node, NODE_MAX + 1, set);
		return;
	}
	gethostname(host, sizeof host - 1);
	uint64_t hash = hash_string(host, 0);
	for (int i = 0; i < 4; i++, hash /= 36)
		node[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[hash % 36];
	node[4] = '\0';
}
