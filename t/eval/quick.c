/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quick: the policy alone over a dump of a world, in seconds: each event as milter/mta/callbacks.c, milter/message and
 * the store would have it, without any of them. See README.
 * usage: quick [options] FOLDER
 */
#include "t/eval/quick.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { NOTED_MS = 10 * 60 * 1000 };

struct quick_options quick_options;
const uint64_t quick_key[2] = { 0x7065636b696e6721, 0x73746f636b2e3031 };

/* What Daemon.pm gives the daemon, as far as the policy sees it. */
static const char built_in[] =
	"user = \"\";\n"
	"plans = ( { name = \"default\"; msgs_per_hour = 2000; rcpts_per_hour = 3000; rcpts_per_day = 10000; "
	"rcpts_per_message = 100; over = \"defer\"; } );\n"
	"pools = ( { name = \"clean\"; levels = [\"good\"]; transports = ( { name = \"clean-1\"; address = "
	"\"127.0.0.11\"; helo = \"clean.example.com\"; } ); },\n"
	"{ name = \"warm\"; levels = [\"new\"]; transports = ( { name = \"warm-1\"; address = \"127.0.0.21\"; helo = "
	"\"warm.example.com\"; } ); },\n"
	"{ name = \"suspect\"; levels = [\"suspect\"]; transports = ( { name = \"suspect-1\"; address = "
	"\"127.0.0.31\"; helo = \"suspect.example.com\"; } ); } );\n";

void quick_die(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("quick: ", stderr);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

void *quick_take(size_t size)
{
	void *memory = calloc(1, size > 0 ? size : 1);
	if (memory == NULL)
		quick_die("no memory");
	return memory;
}

/* ---- limits: milter/message/gather_charge.c notes one in ten minutes */

static bool quick_noted_lately(struct quick_account *account, int64_t now_ms)
{
	bool lately = account->noted_ms != 0 && (quick_options.noted_for_ever || now_ms - account->noted_ms < NOTED_MS);
	if (!lately)
		account->noted_ms = now_ms;
	return lately;
}

static void quick_note_breach(struct quick_account *account, const struct facts *facts)
{
	struct charge charge;
	if (!facts->authenticated || quick_noted_lately(account, facts->now_ms))
		return;
	judge_charge_breach(facts, &charge);
	quick_store_charge(account, &charge);
}

/* ---- the charge: milter/message/gather_charge.c */

static void quick_learn(const struct quick_at_hand *hand, const struct verdict *verdict, const struct charge *charge,
			struct quick_account *account)
{
	uint32_t fresh[HABIT_KNOWN_MAX + RCPTS_KEPT];
	int count = 0;
	const struct facts *facts = &hand->facts;
	const struct habits *before = &facts->state.history.habits;
	bool gets_one = !before->many && (charge->habits_changed & HABIT_KNOWN) != 0 && charge->habits.many;
	if (!charge->quota || !judge_learns(facts, verdict) || !(before->many || gets_one))
		return;
	for (int i = 0; i < HABIT_KNOWN_MAX && gets_one; i++)
		if (before->known[i] != 0)
			fresh[count++] = before->known[i];
	for (int i = 0; i < facts->rcpt_count; i++)
		if (!known_has(&hand->known, facts->rcpts[i]))
			fresh[count++] = facts->rcpts[i];
	quick_store_learn(account, fresh, count);
}

static struct verdict quick_judge(const struct policy *policy, struct quick_at_hand *hand,
				  struct quick_account *account, bool *noted)
{
	struct facts *facts = &hand->facts;
	struct verdict verdict = judge(policy, STAGE_MESSAGE, facts);
	if (*noted || !judge_turned_away(&verdict))
		return verdict;
	*noted = true;
	facts->tried_again = quick_noted_lately(account, facts->now_ms);
	return facts->tried_again ? judge(policy, STAGE_MESSAGE, facts) : verdict;
}

static struct verdict quick_message_end(const struct policy *policy, struct quick_at_hand *hand,
					struct quick_account *account)
{
	struct charge charge, amend;
	struct facts *facts = &hand->facts;
	bool noted = false;
	struct verdict verdict = quick_judge(policy, hand, account, &noted);
	if (facts->rcpts_remote == 0)
		return verdict;
	judge_charge(policy, facts, &verdict, &charge);
	quick_learn(hand, &verdict, &charge, account);
	uint64_t fingerprint = judge_campaigns(facts) ? facts->fingerprint : 0;
	struct campaign campaign = { .known = KNOWLEDGE_NONE };
	if (fingerprint != 0)
		campaign = quick_store_campaign(fingerprint, hash_string(facts->account, 0),
						judge_campaign_bad(policy, facts, &verdict), facts->now_ms / 1000);
	struct breach breach = quick_store_charge(account, &charge);
	if (!charge.quota)
		return verdict;
	facts->campaign = campaign;
	facts->charged = true;
	facts->breach = breach;
	verdict = quick_judge(policy, hand, account, &noted);
	if (judge_amend(policy, facts, &verdict, &charge, &amend))
		quick_store_charge(account, &amend);
	return verdict;
}

/* ---- one event: milter/mta/callbacks.c */

/* Recipients one by one; false: none was taken, and `verdict` says why. */
static bool quick_rcpts(const struct config *config, const struct quick_event *event, struct quick_at_hand *hand,
			struct verdict *verdict)
{
	bool refused = false;
	for (char *rcpt = event->rcpts, *comma; rcpt != NULL; rcpt = comma != NULL ? comma + 1 : NULL) {
		char raw[ADDRESS_MAX + 1];
		comma = strchr(rcpt, ',');
		size_t length = comma != NULL ? (size_t)(comma - rcpt) : strlen(rcpt);
		struct facts before = hand->facts;
		struct rcpts rcpts = hand->rcpts;
		if (length == 0 || length >= sizeof raw)
			continue;
		memcpy(raw, rcpt, length);
		raw[length] = '\0';
		quick_facts_rcpt(hand, raw);
		*verdict = judge(&config->policy, STAGE_RCPT, &hand->facts);
		if (!verdict_refuses(verdict))
			continue;
		if (!refused && verdict->cause != REASON_MEMORY)
			quick_note_breach(event->account, &hand->facts);
		refused = true;
		hand->facts = before;
		hand->rcpts = rcpts;
	}
	return hand->facts.rcpts_remote > 0;
}

/* The level is the account's where a message has none. */
static struct verdict quick_event(const struct config *config, const struct quick_event *event,
				  struct quick_at_hand *hand)
{
	const struct policy *policy = &config->policy;
	quick_facts_mail(config, event, hand);
	struct verdict verdict = judge(policy, STAGE_MAIL, &hand->facts);
	if (verdict_refuses(&verdict)) {
		if (verdict.cause == REASON_LIMIT)
			quick_note_breach(event->account, &hand->facts);
	} else if (quick_rcpts(config, event, hand, &verdict)) {
		quick_facts_message(config, event, hand);
		verdict = quick_message_end(policy, hand, event->account);
	}
	quick_store_round(event->account);
	arena_empty(&hand->arena);
	return verdict;
}

static void quick_run(const struct config *config, const struct quick_dump *dump)
{
	static struct quick_at_hand hand;
	for (size_t i = 0; i < dump->count; i++) {
		const struct quick_event *event = &dump->events[i];
		quick_told_until(event->t);
		struct verdict verdict = quick_event(config, event, &hand);
		if (verdict.action == ACTION_PASS && quick_options.circle != CIRCLE_DEAD)
			quick_told_world(event);
		else if (verdict.action == ACTION_PASS && event->dead)
			quick_told_add(event->t + TOLD_AFTER_S, event->account, COUNTER_DEAD);
		quick_show(event, &hand, &verdict);
	}
}

/* ---- options */

static const char usage[] =
	"usage: quick [options] FOLDER\n"
	"  FOLDER             what run.pl --dump wrote\n"
	"  -c, --config FILE  the policy, plans and pools of this configuration; else the defaults under a wide plan\n"
	"  -s, --set TEXT     more lines for the configuration that stands in for FILE\n"
	"  -v, --verbose      with the terms that are not 0\n"
	"  -e, --explain NAME this account's events alone, with terms, facts and counters\n"
	"  --circle WAY       what the world answers is told: none, report, follow or all, as run.pl --circle has it\n"
	"  --no-as            no address has an AS number\n"
	"  --no-scanner       no message has a score\n"
	"  --no-rounding      histories keep what their records in Redis would round\n"
	"  --noted-for-ever   a refusal for a limit stays noted, as in a daemon whose monotonic clock stands still\n"
	"one line an event: t, account, kind, class, nth, level, action, level of the pool, score, hard evidence, "
	"recipients\n";

static enum quick_circle quick_read_circle(const char *word)
{
	static const char *const words[] = { "none", "report", "follow", "all" };
	for (int i = 0; i < (int)(sizeof words / sizeof words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return CIRCLE_NONE + i;
	quick_die("--circle is \"%s\", expected none, report, follow or all", word);
}

static struct config *quick_config(const char *file, const char *set)
{
	char error[CONFIG_ERROR_MAX], path[64];
	int fd = -1;
	if (file == NULL) {
		fd = memfd_create("quick.conf", 0);
		if (fd < 0 || dprintf(fd, "%s%s\n", built_in, set) < 0)
			quick_die("no memory");
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		file = path;
	}
	struct config *config = config_load(file, error);
	if (config == NULL)
		quick_die("%s", error);
	if (fd >= 0)
		close(fd);
	return config;
}

int main(int count, char **arguments)
{
	enum { NO_AS = 256, NO_SCANNER, NO_ROUNDING, NOTED_FOR_EVER, CIRCLE };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "explain", required_argument, NULL, 'e' },
		{ "no-as", no_argument, NULL, NO_AS },
		{ "no-scanner", no_argument, NULL, NO_SCANNER },
		{ "no-rounding", no_argument, NULL, NO_ROUNDING },
		{ "noted-for-ever", no_argument, NULL, NOTED_FOR_EVER },
		{ "circle", required_argument, NULL, CIRCLE },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL, *set = "";
	struct quick_dump dump;
	for (int option; (option = getopt_long(count, arguments, "c:s:ve:h", options, NULL)) != -1;) {
		quick_options.no_as |= option == NO_AS;
		quick_options.no_scanner |= option == NO_SCANNER;
		quick_options.no_rounding |= option == NO_ROUNDING;
		quick_options.noted_for_ever |= option == NOTED_FOR_EVER;
		quick_options.verbose |= option == 'v';
		if (option == CIRCLE)
			quick_options.circle = quick_read_circle(optarg);
		if (option == 'c')
			file = optarg;
		if (option == 's')
			set = optarg;
		if (option == 'e')
			quick_options.explains = optarg;
		if (option == 'h' || option == '?') {
			fputs(usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	if (optind != count - 1) {
		fputs(usage, stderr);
		return 2;
	}
	struct config *config = quick_config(file, set);
	quick_dump_read(arguments[optind], &dump);
	quick_run(config, &dump);
	config_drop(&config);
	return fflush(stdout) == 0 ? 0 : 2;
}
