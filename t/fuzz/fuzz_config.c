/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration file: whatever stands in it, the answer is a configuration or one sentence.
 */
#include "milter/config.h"

#include "policy/base/panic.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* libconfig 1.5 leaks a string that stands where the grammar wants none; it is read once a reload. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[40], error[CONFIG_ERROR_MAX];
	int fd = memfd_create("config", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	struct config *config = config_load(name, error);
	MUST(config != NULL || strlen(error) > 0);
	if (config != NULL) {
		MUST(config_plan(config, "default") != NULL);
		config_drop(&config);
	}
	close(fd);
	return 0;
}
