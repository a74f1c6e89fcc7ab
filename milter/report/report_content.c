/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/report_inside.h"

#include <inttypes.h>

#include "policy/base/banned.h"

uint64_t report_content_failures(const struct config *config)
{
	uint64_t most = 0;
	for (int i = 0; i < config->scanner_count; i++) {
		uint64_t failures = scan_failures(&config->scanners[i]);
		if (failures > most)
			most = failures;
	}
	return most;
}

void report_content_health(const struct config *config, struct health_list *list)
{
	for (int i = 0; i < config->scanner_count; i++) {
		const struct scanner *scanner = &config->scanners[i];
		uint64_t failures = scan_failures(scanner);
		if (failures >= REPORT_CONTENT_FAILING)
			health_add(list, HEALTH_WARNING, "content: the last %" PRIu64 " scans by %s at %s failed; %s.",
				   failures, scanner->name, scanner->address,
				   scanner->must_answer ? "mail is deferred" : "content is unknown");
	}
}
