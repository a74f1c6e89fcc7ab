/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A text, in one piece and cut at the place that its first byte says: its links name the same hosts. The byte's lowest
 * bit says whether it is HTML.
 */
#include "milter/message/links.h"

#include "policy/base/panic.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t key[2] = { 1, 2 };
	static struct links whole, cut;
	struct facts one = { 0 }, other = { 0 };
	if (size == 0)
		return 0;
	const char *text = (const char *)data + 1;
	size_t length = size - 1, at = length * (data[0] / 2) / 127;
	links_begin(&whole, key);
	links_part(&whole, data[0] % 2 != 0);
	links_add(&whole, text, length);
	links_begin(&cut, key);
	links_part(&cut, data[0] % 2 != 0);
	links_add(&cut, text, at);
	links_add(&cut, text + at, length - at);
	MUST(cut.host_length <= LINKS_HOST_MAX && cut.entity.length <= LINKS_ENTITY_MAX);
	links_end(&whole, &one);
	links_end(&cut, &other);
	MUST(one.host_count >= 0 && one.host_count <= FACT_HOSTS_MAX + 1 && one.host_count == other.host_count);
	MUST(memcmp(one.hosts, other.hosts, sizeof one.hosts) == 0);
	for (int i = 0; i < FACT_HOSTS_MAX; i++)
		MUST((one.hosts[i] != 0) == (i < one.host_count));
	return 0;
}
