/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/model/books.h"

#include "t/model/follower.h"
#include "t/model/net.h"
#include "redis-schema/account_record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/text.h"
#include "policy/base/banned.h"

enum { KINDS = 3, ENTRIES_MAX = 1024, WRITES_MAX = 4096, PERIODS_MAX = 256, KNOWN_ROOM = 8 };

/* Sums of one account, in the order of enum counted. */
struct sums {
	double of[KINDS];
};

/* What one daemon charged to one account, and what Redis took of it. */
struct page {
	int entries, writes;
	struct sums entry[ENTRIES_MAX]; /* in their order */
	struct sums write[WRITES_MAX];	/* all that was taken, after each write */
};

/* What was let out of an account within one period of its limit. */
struct period {
	int64_t period;
	double sum;
};

struct ledger {
	struct sums let_out;
	struct sums written; /* of its record, when it was written last */
	double counts[COUNTER_COUNT];
	double given_back; /* messages */
	int known_count;
	uint32_t known[KNOWN_ROOM];
	int periods;
	struct period period[PERIODS_MAX];
};

static struct page pages[MODEL_DAEMONS][MODEL_ACCOUNTS];
static struct ledger ledgers[MODEL_ACCOUNTS];
static struct sums groups[MODEL_GROUPS];
static const enum window days[KINDS] = { WINDOW_MSGS_PER_DAY, WINDOW_RCPTS_PER_DAY, WINDOW_KBYTES_PER_DAY };

void books_begin(void)
{
	memset(ledgers, 0, sizeof ledgers);
	memset(groups, 0, sizeof groups);
	for (int daemon = 0; daemon < MODEL_DAEMONS; daemon++)
		for (int account = 0; account < MODEL_ACCOUNTS; account++)
			pages[daemon][account].entries = pages[daemon][account].writes = 0;
}

/* ---- what users were told */

int books_charged(int daemon, int account)
{
	struct page *page = &pages[daemon][account];
	MODEL_MUST(page->entries < ENTRIES_MAX, "the model has no room for more charges");
	page->entry[page->entries] = (struct sums){ { 0 } };
	return page->entries++;
}

void books_credited(int account, const double counts[COUNTER_COUNT])
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		ledgers[account].counts[i] += counts[i];
}

void books_told(int daemon, int account, int place, const struct amounts *amounts, const double counts[COUNTER_COUNT])
{
	for (int i = 0; i < KINDS; i++) {
		pages[daemon][account].entry[place].of[i] = (double)amounts->of[i];
		ledgers[account].let_out.of[i] += (double)amounts->of[i];
	}
	books_credited(account, counts);
}

void books_given_back(int account)
{
	ledgers[account].given_back++;
}

/* The window that is limited. */
static enum window books_limited(const struct limits *limits)
{
	int window = 0;
	while (window < WINDOW_SUMS && limits->window[window] == LIMIT_UNSET)
		window++;
	return (enum window)window;
}

void books_let_out(int account, const struct amounts *amounts, int64_t at_ms, bool full)
{
	struct ledger *ledger = &ledgers[account];
	const struct limits *limits = &model.account[account].limits;
	enum window window = books_limited(limits);
	if (!full || window == WINDOW_SUMS || model.foreign || !model.checked || limits->over != OVER_DEFER)
		return;
	int64_t period = at_ms / 1000 / window_seconds(window);
	int at = 0;
	while (at < ledger->periods && ledger->period[at].period != period)
		at++;
	if (at == PERIODS_MAX)
		return;
	if (at == ledger->periods)
		ledger->period[ledger->periods++] = (struct period){ period, 0 };
	ledger->period[at].sum += (double)amounts->of[window_counted(window)];
	MODEL_MUST(ledger->period[at].sum <= (double)limits->window[window],
		   "account %d: %g were let out within %s, %lld may be", account, ledger->period[at].sum,
		   window_word(window), (long long)limits->window[window]);
}

void books_known(int account, const uint32_t *rcpts, int count)
{
	struct ledger *ledger = &ledgers[account];
	for (int i = 0; i < count; i++) {
		int at = 0;
		while (at < ledger->known_count && ledger->known[at] != rcpts[i])
			at++;
		if (at == ledger->known_count && at < KNOWN_ROOM)
			ledger->known[ledger->known_count++] = rcpts[i];
	}
}

void books_group_let_out(int group, const struct amounts *amounts)
{
	for (int i = 0; i < KINDS; i++)
		groups[group].of[i] += (double)amounts->of[i];
}

/* ---- what Redis has */

static const struct redis_key *books_find(int account, const char *part)
{
	char key[ACCOUNT_MAX + 40];
	size_t length = (size_t)snprintf(key, sizeof key, "%s:{%s}:%s", model.settings[0].prefix,
					 model.account[account].name, part);
	return redis_find(&server_data, 0, (struct fake_word){ key, length });
}

static bool books_read(int account, struct account_record *record)
{
	const struct redis_key *found = books_find(account, "record");
	enum record_kind kind =
		record_read(found != NULL ? found->string.at : NULL, found != NULL ? found->string.length : 0, record);
	MODEL_MUST(model.foreign || kind == RECORD_NONE || kind == RECORD_FINE, "the record of %s is broken",
		   model.account[account].name);
	return kind == RECORD_FINE;
}

static struct sums books_sums(const struct rates *rates)
{
	struct sums sums;
	for (int i = 0; i < KINDS; i++)
		sums.of[i] = rates->present[days[i]] + rates->before[days[i]];
	return sums;
}

static int64_t books_crossed(int64_t seconds)
{
	return server_now_ms() / 1000 / seconds - model.begun_ms / 1000 / seconds;
}

static bool books_same(const struct sums *a, const struct sums *b)
{
	return a->of[0] == b->of[0] && a->of[1] == b->of[1] && a->of[2] == b->of[2];
}

void books_written(int daemon, const char *key)
{
	struct account_record record;
	int account = 0;
	char name[ACCOUNT_MAX + 4];
	for (; account < model.accounts; account++) {
		snprintf(name, sizeof name, "{%s}", model.account[account].name);
		if (strstr(key, name) != NULL)
			break;
	}
	if (account == model.accounts || model.foreign || !books_read(account, &record))
		return;
	struct sums now = books_sums(&record.history.rates);
	if (daemon == FOLLOWER) {
		MODEL_MUST(books_crossed(86400) > 1 || books_same(&now, &ledgers[account].written),
			   "account %d: a credit changed more than counters", account);
		ledgers[account].written = now;
		return;
	}
	struct page *page = &pages[daemon][account];
	struct sums taken = page->writes > 0 ? page->write[page->writes - 1] : (struct sums){ { 0 } };
	bool changed = false;
	for (int i = 0; i < KINDS; i++) {
		taken.of[i] += now.of[i] - ledgers[account].written.of[i];
		changed = changed || now.of[i] != ledgers[account].written.of[i];
	}
	ledgers[account].written = now;
	if (!changed || page->writes == WRITES_MAX)
		return;
	page->write[page->writes++] = taken;
	model_say("... account %d has %g messages, %g recipients and %g KiB; of daemon %d: %g, %g, %g", account,
		  now.of[0], now.of[1], now.of[2], daemon, taken.of[0], taken.of[1], taken.of[2]);
}

/* ---- are they the same? */

static uint64_t books_dropped(void)
{
	uint64_t dropped = 0;
	for (int i = 0; i < model.daemons; i++)
		dropped += store_stats(model.store[i]).dropped;
	return dropped;
}

/* Where a period ended between a charge and its giving back, nothing is taken away of the next one. */
static void books_check_sums(int account, const struct account_record *record)
{
	const struct ledger *ledger = &ledgers[account];
	static const enum window first[KINDS] = { WINDOW_MSGS_PER_MINUTE, WINDOW_RCPTS_PER_MINUTE,
						  WINDOW_KBYTES_PER_MINUTE };
	bool dropped = books_dropped() > 0;
	for (int i = 0; i < KINDS; i++)
		for (unsigned j = 0; j < 3; j++) {
			enum window window = (enum window)((unsigned)first[i] + j);
			int64_t crossed = books_crossed(window_seconds(window));
			double has = record->history.rates.present[window] + record->history.rates.before[window];
			double wants = ledger->let_out.of[i];
			bool more = (crossed > 0 || dropped) && ledger->given_back > 0;
			if (crossed > 1)
				continue;
			MODEL_MUST(has <= wants || more, "account %d: %s has %g, of %g that were let out", account,
				   window_word(window), has, wants);
			MODEL_MUST(has >= wants || dropped, "account %d: %s has %g, but %g were let out", account,
				   window_word(window), has, wants);
		}
}

static void books_check_counts(int account, const struct account_record *record)
{
	static const enum counter checked[] = { COUNTER_MESSAGES, COUNTER_RCPTS,      COUNTER_SPAM,   COUNTER_BREACHES,
						COUNTER_DEAD,	  COUNTER_COMPLAINTS, COUNTER_REFUSED };
	const struct ledger *ledger = &ledgers[account];
	bool dropped = books_dropped() > 0;
	double seconds = (double)(server_now_ms() - model.begun_ms) / 1000;
	for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++) {
		double has = record->history.counters.value[checked[i]], wants = ledger->counts[checked[i]];
		double left = exp2(-seconds / counter_half_life_s(checked[i]));
		double slack = 0.01 + wants * 1e-5 + 10 * ledger->given_back * (1 - left);
		MODEL_MUST(has <= wants + slack || (dropped && ledger->given_back > 0),
			   "account %d: counter %d has %g, expected at most %g", account, (int)checked[i], has,
			   wants + slack);
		MODEL_MUST(has >= wants * left - slack || dropped, "account %d: counter %d has %g, expected %g to %g",
			   account, (int)checked[i], has, wants * left - slack, wants);
	}
}

/* Was each time a beginning of what the daemon charged taken, and none shorter than before? */
static void books_check_order(int daemon, int account)
{
	const struct page *page = &pages[daemon][account];
	struct sums begun = { { 0 } };
	int entry = 0;
	for (int write = 0; write < page->writes; write++) {
		while (!books_same(&begun, &page->write[write])) {
			MODEL_MUST(
				entry < page->entries,
				"account %d: write %d of daemon %d, with %g messages, %g recipients and %g KiB, is no "
				"beginning of what it charged",
				account, write, daemon, page->write[write].of[0], page->write[write].of[1],
				page->write[write].of[2]);
			for (int i = 0; i < KINDS; i++)
				begun.of[i] += page->entry[entry].of[i];
			entry++;
		}
	}
}

static double books_group_sum(int group, int kind)
{
	static const char *const fields[KINDS] = { "messages", "rcpts", "kbytes" };
	double sum = 0;
	for (int64_t day = model.begun_ms / 86400000; day <= server_now_ms() / 86400000; day++) {
		char key[ACCOUNT_MAX + 60];
		size_t length = (size_t)snprintf(key, sizeof key, "%s:{%s}:day:%lld", model.settings[0].prefix,
						 model.group[group].name, (long long)day);
		struct redis_key *found = redis_find(&server_data, 0, (struct fake_word){ key, length });
		const struct redis_item *item =
			redis_item_find(found, (struct fake_word){ fields[kind], strlen(fields[kind]) });
		int64_t number = 0;
		if (item != NULL)
			text_to_int(item->value.at, INT64_MIN / 2, INT64_MAX / 2, &number);
		sum += (double)number;
	}
	return sum;
}

static uint64_t books_local_answers(void)
{
	uint64_t local = 0;
	for (int i = 0; i < model.daemons; i++)
		local += store_stats(model.store[i]).local_answers;
	return local;
}

static void books_check_group(int group)
{
	enum window window = model.group[group].window;
	int kind = (int)window_counted(window);
	int64_t limit = model.group[group].own != LIMIT_UNSET ? model.group[group].own
							      : model.group[group].limits.window[window];
	double has = books_group_sum(group, kind), wants = groups[group].of[kind];
	MODEL_MUST(has >= wants || books_dropped() > 0, "group %d has %g, but %g were let out", group, has, wants);
	if (model.lost || books_local_answers() > 0)
		return;
	MODEL_MUST(has == wants, "group %d has %g, of %g that were let out", group, has, wants);
	MODEL_MUST(wants <= (double)(limit * (1 + books_crossed(window_seconds(window)))) || !model.checked ||
			   model.panels || model.group[group].limits.over != OVER_DEFER,
		   "group %d: %g were let out, %lld may be", group, wants, (long long)limit);
}

static void books_check_known(int account)
{
	const struct ledger *ledger = &ledgers[account];
	const struct redis_key *found = books_find(account, "known");
	struct known known = { NULL, 0 };
	if (found != NULL)
		known = (struct known){ (const unsigned char *)found->string.at, found->string.length };
	for (int i = 0; i < ledger->known_count; i++)
		MODEL_MUST(known_has(&known, ledger->known[i]), "account %d does not know recipient %u", account,
			   (unsigned)ledger->known[i]);
}

void books_check(void)
{
	struct account_record record;
	for (int account = 0; account < model.accounts; account++) {
		books_read(account, &record);
		books_check_sums(account, &record);
		books_check_counts(account, &record);
		books_check_known(account);
		for (int daemon = 0; daemon < model.daemons && model.in_order; daemon++)
			if (books_dropped() == 0 && (books_crossed(86400) == 0 || ledgers[account].given_back == 0))
				books_check_order(daemon, account);
	}
	for (int group = 0; group < model.groups; group++)
		books_check_group(group);
}
