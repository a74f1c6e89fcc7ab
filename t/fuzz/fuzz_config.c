/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration file, and what begins with a '#' as the catalogue of block lists too: whatever stands in it, the
 * answer is a configuration or one sentence.
 */
#include "milter/config/config.h"

#include "t/fuzz/fuzz.h"

/* libconfig 1.5 leaks a string that stands where the grammar wants none; it is read once a reload. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static bool is_zone(const char *zone)
{
	return zone[0] != '\0' && strchr(zone, '{') == NULL && strlen(zone) <= LIST_ZONE_MAX;
}

/* No error may hold `secret`; NULL: the input has it too. */
static void load(const char *name, const char *secret)
{
	char error[CONFIG_ERROR_MAX];
	struct config *config = config_load(name, error);
	MUST((config != NULL) == (strlen(error) == 0));
	MUST(secret == NULL || strstr(error, secret) == NULL);
	if (config == NULL)
		return;
	MUST(config_plan(config, "default") != NULL);
	MUST(config->mail_list_count <= config->list_count && config->list_count <= LISTS_MAX);
	for (int i = 0; i < config->list_count; i++) {
		const struct list *list = &config->lists[i];
		MUST(list->mail == (i < config->mail_list_count));
		MUST(is_zone(list->zone) && is_zone(list->asked_zone) && list->name[0] != '\0');
		MUST(list->ipv4 || list->ipv6 || list->domain);
		MUST(list->whole == NULL ||
		     (list->whole >= config->lists && list->whole < config->lists + config->list_count));
		MUST(list->whole != list);
	}
	config_drop(&config);
}

static void load_as_catalogue(const char *file, const char *key, const char *secret)
{
	char name[MEMORY_FILE_NAME], text[200];
	int length = snprintf(text, sizeof text, "catalogue: { file = \"%s\"; keys = ( %s%s%s ); };", file,
			      key != NULL ? "{ lists = \"*\"; key = \"" : "", key != NULL ? key : "",
			      key != NULL ? "\"; }" : "");
	int fd = memory_file(text, (size_t)length, name);
	load(name, secret);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char key[] = "s3cretKey";
	char name[MEMORY_FILE_NAME];
	int fd = memory_file(data, size, name);
	load(name, NULL);
	if (size > 0 && data[0] == '#') {
		load_as_catalogue(name, NULL, NULL);
		load_as_catalogue(name, key, memmem(data, size, key, strlen(key)) == NULL ? key : NULL);
	}
	close(fd);
	return 0;
}
