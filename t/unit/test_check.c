/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole checks against a DNS server of the test's own on loopback, as the lines that people get.
 */
#include "milter/lookup/check.h"

#include "milter/dns/engine.h"
#include "milter/base/loop.h"
#include "milter/report/report_check.h"
#include "t/fake/dns_server.h"
#include "t/unit/tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { LISTS = 100, LINES_MAX = 20000, DONE_S = 30, TIMEOUT_MS = 500 };

#define NINETY "=========|=========|=========|=========|=========|=========|=========|=========|=========|"
#define HUNDRED NINETY "=========|"
/* clang-format off */
#define M(last) { "many.example", 1, "192.0.3." #last }
/* clang-format on */

/* Lists 0 to 96 know nothing of most addresses; 97 is an allow list, 98 gives no answer, 99 knows names only. */
/* clang-format off */
static const struct dns_row rows[] = {
	{ "l96.test", 0, "slow" },
	{ "l98.test", 0, "silent" },
	{ "gone.example", 0, "no" },
	{ "lost.example", 0, "silent" },
	/* 8.8.8.1 */
	{ "1.8.8.8.l3.test", 1, "127.0.0.2" },
	{ "1.8.8.8.l3.test", 16, "See https://l3.test/?q=8.8.8.1 \001" },
	{ "1.8.8.8.l4.test", 1, "127.0.0.9" },
	{ "1.8.8.8.l4.test", 1, "127.0.0.4" },
	{ "1.8.8.8.0123456789abcdef.l5.test", 1, "127.0.0.2" },
	{ "1.8.8.8.0123456789abcdef.l5.test", 16, "0123456789abcdef asked" },
	{ "7.8.8.8.0123456789abcdef.l5.test", 1, "127.0.0.2" },
	{ "7.8.8.8.0123456789abcdef.l5.test", 16, "0123456789ABCDEF asked" },
	{ "8.8.8.8.0123456789abcdef.l5.test", 1, "127.0.0.2" },
	{ "8.8.8.8.0123456789abcdef.l5.test", 16, HUNDRED },
	{ "8.8.8.8.0123456789abcdef.l5.test", 16, NINETY },
	{ "8.8.8.8.0123456789abcdef.l5.test", 16, NINETY "0123456789abcdef" },
	{ "9.8.8.8.0123456789abcdef.l5.test", 1, "127.0.0.2" },
	{ "9.8.8.8.0123456789abcdef.l5.test", 16, "a good text" },
	{ "10.8.8.8.0123456789abcdef.l5.test", 1, "127.0.0.2" },
	{ "10.8.8.8.0123456789abcdef.l5.test", 16, "a good text" },
	{ "1.8.8.8.l9.test", 1, "127.0.0.2" },	/* a part of l3 */
	{ "1.8.8.8.l6.test", 1, "127.255.255.254" },
	{ "1.8.8.8.l7.test", 1, "203.0.113.7" },
	{ "1.8.8.8.l97.test", 1, "127.0.0.2" },
	{ "1.8.8.8.origin.test", 16, "64496 | 8.8.8.0/24 | DE | ripencc |" },
	{ "1.8.8.8.origin.test", 16, "64497 | 8.8.0.0/16 | DE | ripencc |" },
	{ "AS64496.names.test", 16, "64496 | DE | ripencc | | EXAMPLE, DE" },
	{ "as64496.names.test", 16, "64496 | DE | ripencc | | EXAMPLE, DE" },
	{ "1.8.8.8.in-addr.arpa", 12, "mx1.example.com" },
	{ "1.8.8.8.in-addr.arpa", 12, "other.example.com" },
	{ "mx1.example.com", 1, "8.8.8.1" },
	{ "other.example.com", 1, "8.8.8.99" },
	{ "2.8.8.8.in-addr.arpa", 12, "other.example.com" },
	/* example.com: an address of its own, two MX hosts, one of them twice */
	{ "example.com", 1, "8.8.8.2" },
	{ "example.com", 28, "2001:db8::2" },
	{ "example.com", 15, "mx1.example.com" },
	{ "example.com", 15, "mx2.example.com" },
	{ "mx2.example.com", 1, "8.8.8.2" },
	{ "mx2.example.com", 28, "2001:db8::3" },
	{ "mx2.example.com", 1, "10.1.1.1" },
	{ "example.com.l99.test", 1, "127.0.0.2" },
	{ "textonly.example", 16, "nothing else" },
	{ "textonly.example.l99.test", 1, "127.0.0.2" },
	{ "nomail.example", 15, "" },
	{ "5.8.8.8.in-addr.arpa", 12, "f1.t" }, { "5.8.8.8.in-addr.arpa", 12, "f2.t" },
	{ "5.8.8.8.in-addr.arpa", 12, "f3.t" }, { "5.8.8.8.in-addr.arpa", 12, "f4.t" },
	{ "5.8.8.8.in-addr.arpa", 12, "f5.t" }, { "5.8.8.8.in-addr.arpa", 12, "f6.t" },
	{ "5.8.8.8.in-addr.arpa", 12, "f7.t" }, { "5.8.8.8.in-addr.arpa", 12, "f8.t" },
	{ "5.8.8.8.in-addr.arpa", 12, "f9.t" }, { "5.8.8.8.in-addr.arpa", 12, "f10.t" },
	{ "f9.t", 1, "8.8.8.5" },
	{ "6.8.8.8.in-addr.arpa", 12, "silent.lost.example" },
	M(10), M(11), M(12), M(13), M(14), M(15), M(16), M(17), M(18), M(19), M(20), M(21), M(22), M(23), M(24), M(25), M(26),
	M(27), M(28), M(29), M(30), M(31), M(32), M(33), M(34), M(35), M(36), M(37), M(38), M(39), M(40), M(41), M(42),
	/* in the network 8.8.8.16/28 */
	{ "23.8.8.8.l8.test", 1, "127.0.0.2" },
	{ "23.8.8.8.l10.test", 1, "127.0.0.2" },
	{ "24.8.8.8.l10.test", 1, "127.0.0.2" },	/* which weighs nothing */
	{ "16.8.8.8.origin.test", 16, "64496 | 8.8.8.0/24 | DE | ripencc |" },
	{ NULL, 0, NULL },
};
/* clang-format on */

static struct list catalogue[LISTS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct loop *loop;
static struct engine *engine;
static struct lists *lists;

static int64_t spent(int list)
{
	struct lists_report report;
	lists_report(lists, list, &report);
	return report.asked_today;
}

/* One check, on the loop thread but for `over`. */
static struct run {
	struct loop_job job; /* first */
	const char *text;
	bool public_only;
	int end_after, pause_after; /* events; 0: never */
	bool replace;		    /* the engine is freed after 50 events, when a list has not answered yet */
	struct check *check;
	char *lines[LINES_MAX];
	int count;
	int64_t most; /* questions under way at once, as seen when an event came */
	bool over;
} run;

static void over(void)
{
	pthread_mutex_lock(&lock);
	run.over = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static struct loop_job later;

static void resume(struct loop_job *job)
{
	(void)job;
	check_pause(run.check, false);
}

static void replace(struct loop_job *job)
{
	(void)job;
	lists_free(&lists);
	engine_free(&engine);
}

static void on_event(void *arg, const struct check_event *event)
{
	(void)arg;
	int64_t under_way = engine != NULL ? engine_load(engine).under_way : 0;
	if (under_way > run.most)
		run.most = under_way;
	json_t *json = report_check(event, run.text);
	if (run.count < LINES_MAX)
		run.lines[run.count++] = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(json);
	if (run.count == run.pause_after) {
		check_pause(run.check, true);
		later.run = resume;
		loop_post(loop, &later);
	}
	if (run.replace && run.count == 50) {
		later.run = replace;
		loop_post(loop, &later);
	}
	if (run.count == run.end_after || event->kind == CHECK_EVENT_END) {
		check_end(&run.check);
		over();
	}
}

static void start(struct loop_job *job)
{
	(void)job;
	struct check_settings settings = { .engine = engine,
					   .lists = lists,
					   .origin4 = "origin.test",
					   .origin6 = "",
					   .as_names = "names.test",
					   .public_only = run.public_only };
	struct check_target target;
	char error[300];
	if (!check_parse(run.text, false, &target, error, sizeof error)) {
		over();
		return;
	}
	run.check = check_start(loop, &settings, &target, on_event, NULL);
}

static void clear(void)
{
	for (int i = 0; i < run.count; i++)
		free(run.lines[i]);
	run = (struct run){ .job = { .run = start } };
}

static bool check(const char *text)
{
	struct timespec until;
	run.text = text;
	loop_post(loop, &run.job);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DONE_S;
	pthread_mutex_lock(&lock);
	int late = 0;
	while (!run.over && late == 0)
		late = pthread_cond_timedwait(&changed, &lock, &until);
	pthread_mutex_unlock(&lock);
	return ok(late == 0, "the check of %s ends", text);
}

/* Lines that have all of these parts in this order. */
static int count(const char *first, const char *second)
{
	int found = 0;
	for (int i = 0; i < run.count; i++) {
		const char *at = strstr(run.lines[i], first);
		found += at != NULL && strstr(at, second) != NULL;
	}
	return found;
}

static void has(const char *first, const char *second, const char *what)
{
	if (is_int(count(first, second), 1, "%s", what))
		return;
	for (int i = 0; i < run.count; i++)
		if (strstr(run.lines[i], first) != NULL)
			printf("# %s\n", run.lines[i]);
}

static void make_lists(void)
{
	for (int i = 0; i < LISTS; i++) {
		struct list *list = &catalogue[i];
		snprintf(list->name, sizeof list->name, "l%d", i);
		snprintf(list->zone, sizeof list->zone, "l%d.test", i);
		snprintf(list->asked_zone, sizeof list->asked_zone, i == 5 ? "0123456789abcdef.l%d.test" : "l%d.test",
			 i);
		list->kind = i == 97 ? LIST_ALLOW : i == 99 ? LIST_DOMAIN : LIST_SPAM;
		list->weight = 0.5;
		list->ipv4 = list->ipv6 = i != 99;
		list->domain = i == 99;
	}
	catalogue[4].codes[0] = (struct list_code){ 0x7f000004, 0x7f000004, LIST_EXPLOIT };
	catalogue[4].codes[1] = (struct list_code){ 0x7f000009, 0x7f000009, LIST_POLICY };
	catalogue[4].code_count = 2;
	catalogue[9].whole = &catalogue[3];
	catalogue[10].weight = 0;
	snprintf(catalogue[3].removal, sizeof catalogue[3].removal, "https://l3.test/remove");
}

static void open_dns(const struct dns_server *server, int64_t inflight)
{
	static char address[40];
	static const char *const servers[] = { address };
	char error[200] = "";
	snprintf(address, sizeof address, "127.0.0.1:%d", dns_server_port(server));
	struct resolver_settings settings = {
		.servers = servers, .server_count = 1, .timeout_ms = TIMEOUT_MS, .inflight = inflight
	};
	loop = loop_new();
	engine = engine_new(loop, &settings, 1 << 24, error, sizeof error);
	lists = lists_new(loop, &(struct lists_settings){ .engine = engine,
							  .lists = catalogue,
							  .list_count = LISTS,
							  .breaker = { 1000000, 1000, 2000 } });
	ok(engine != NULL && lists != NULL && loop_start(loop), "DNS: %s", error);
}

static void close_dns(void)
{
	loop_stop(loop);
	lists_free(&lists);
	engine_free(&engine);
	loop_free(&loop);
}

static void test_address(void)
{
	clear();
	if (!check("8.8.8.1"))
		return;
	has("\"type\":\"begin\",\"query\":\"8.8.8.1\",\"kind\":\"address\",\"lists\":99,\"subjects\":1}", "", "begin");
	ok(strstr(run.lines[0], "\"begin\"") != NULL && strstr(run.lines[1], "\"target\"") != NULL, "in this order");
	has("\"type\":\"target\",\"subject\":\"8.8.8.1\",\"from\":\"\"", "", "the target");
	is_int(count("\"type\":\"list\"", ""), 99, "each list says something");
	has("\"list\":\"l3\",\"zone\":\"l3.test\",\"said\":\"listed\",\"kind\":\"spam\",\"codes\":[\"127.0.0.2\"],"
	    "\"weight\":0.5",
	    "\"site\":null,\"removal\":\"https://l3.test/remove\",\"terms\":null,\"cached\":false", "a listing");
	has("\"type\":\"text\",\"subject\":\"8.8.8.1\",\"list\":\"l3\",\"text\":\"See https://l3.test/?q=8.8.8.1 ?\"",
	    "", "its text");
	has("\"list\":\"l4\"", "\"kind\":\"exploit\",\"codes\":[", "the worst of two codes");
	has("\"list\":\"l5\",\"zone\":\"l5.test\",\"said\":\"listed\"", "", "a list that is asked with a key");
	is_int(count("0123456789abcdef", ""), 0, "and no line tells the key");
	has("\"list\":\"l6\"", "\"said\":\"unknown\"", "a list that refuses");
	has("\"list\":\"l7\"", "\"said\":\"unknown\"", "an answer that no list gives");
	has("\"list\":\"l97\"", "\"said\":\"listed\",\"kind\":\"allow\"", "an allow list");
	has("\"list\":\"l98\"", "\"said\":\"unknown\"", "a list that is silent");
	has("\"list\":\"l96\"", "\"said\":\"clean\",\"kind\":null,\"codes\":[]", "a slow one");
	has("\"type\":\"origin\",\"subject\":\"8.8.8.1\",\"as\":64496,\"as_name\":\"EXAMPLE, "
	    "DE\",\"prefix\":\"8.8.8.0/24\",\"country\":\"DE\"}",
	    "", "the origin");
	has("\"type\":\"ptr\"", "\"confirmed\":true", "names");
	has("\"names\":[", "\"mx1.example.com\"", "with the one that leads back");
	has("\"type\":\"subject\",\"subject\":\"8.8.8.1\",\"listed\":4,\"clean\":92,\"unknown\":3,\"skipped\":0,"
	    "\"weight\":1.5",
	    "\"why\":null", "its sums; a part does not weigh beside its whole");
	has("\"type\":\"end\",\"subjects\":1,\"listed\":1,\"clean\":0,\"unknown\":0,\"skipped\":0,\"weight\":1.5",
	    "\"error\":null", "the end");
	ok(strstr(run.lines[run.count - 1], "\"end\"") != NULL, "is the end");
	clear();
	check("8.8.8.1");
	ok(count("\"type\":\"list\"", "") == 99 && count("\"type\":\"subject\"", "\"listed\":4,\"clean\":92") == 1,
	   "the same again, from the cache");
}

static void test_names_of_addresses(void)
{
	static const struct {
		const char *address, *names, *confirmed;
	} cases[] = {
		{ "8.8.8.2", "\"names\":[\"other.example.com\"]", "\"confirmed\":false" },
		{ "8.8.8.3", "\"names\":[]", "\"confirmed\":false" },
		{ "8.8.8.6", "\"names\":[\"silent.lost.example\"]", "\"confirmed\":null" },
		{ "8.8.8.5", "\"names\":[\"", "\"confirmed\":false" }, /* f9.t is the ninth */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		clear();
		check(cases[i].address);
		has(cases[i].names, cases[i].confirmed, cases[i].address);
	}
	is_int(count("\"f8.t\"", ""), 1, "eight names are looked at");
	is_int(count("\"f9.t\"", ""), 0, "and no more");
	has("\"type\":\"origin\"", "\"as\":null,\"as_name\":null,\"prefix\":null,\"country\":null",
	    "no origin is known");
}

static void test_name(void)
{
	clear();
	check("Example.com");
	has("\"type\":\"begin\",\"query\":\"Example.com\",\"kind\":\"name\",\"lists\":100,\"subjects\":null}", "",
	    "a name");
	has("\"target\",\"subject\":\"example.com\",\"from\":\"\"", "", "itself");
	has("\"target\",\"subject\":\"8.8.8.2\"", "", "an address that is there twice, once");
	has("\"target\",\"subject\":\"2001:db8::2\",\"from\":\"AAAA\"", "", "an IPv6 address");
	has("\"target\",\"subject\":\"8.8.8.1\",\"from\":\"MX mx1.example.com\"", "", "that of an MX host");
	has("\"target\",\"subject\":\"2001:db8::3\",\"from\":\"MX mx2.example.com\"", "", "that of another one");
	has("\"target\",\"subject\":\"10.1.1.1\"", "", "a private one, for whom may ask for it");
	is_int(count("\"type\":\"target\"", ""), 6, "no more");
	is_int(count("\"type\":\"subject\"", ""), 6, "each has its sums");
	has("\"subject\":\"example.com\",\"list\":\"l99\"", "\"said\":\"listed\",\"kind\":\"domain\"",
	    "its domain is listed");
	has("\"type\":\"end\",\"subjects\":6,\"listed\":2,\"clean\":1", "\"skipped\":3",
	    "those that nobody has are skipped");
	clear();
	run.public_only = true;
	check("example.com");
	has("\"type\":\"subject\",\"subject\":\"10.1.1.1\",\"listed\":0,\"clean\":0,\"unknown\":0,\"skipped\":99",
	    "\"why\":\"private\"", "public only: a private address is not asked");
	is_int(count("\"type\":\"list\",\"subject\":\"10.1.1.1\"", ""), 0, "of any list");
	has("\"type\":\"end\",\"subjects\":6,\"listed\":2,\"clean\":1", "\"skipped\":3", "the end");
}

/* An address that nobody on the Internet has is asked of no list but one that is for such. */
static void test_private(void)
{
	clear();
	check("10.1.1.1");
	has("\"type\":\"subject\",\"subject\":\"10.1.1.1\",\"listed\":0,\"clean\":0,\"unknown\":0,\"skipped\":99",
	    "\"why\":\"private\"", "a private address, with the reason");
	is_int(count("\"type\":\"list\"", ""), 0, "is asked of no list");
	is_int(count("\"type\":\"origin\"", ""), 0, "nor whose it is");
	is_int(count("\"type\":\"ptr\"", ""), 1, "but its names, of whoever knows them");
	clear();
	catalogue[40].private = true;
	check("10.1.1.1");
	has("\"type\":\"subject\",\"subject\":\"10.1.1.1\",\"listed\":0,\"clean\":1,\"unknown\":0,\"skipped\":98",
	    "\"why\":null", "a list for private addresses");
	is_int(count("\"type\":\"list\"", ""), 1, "is asked");
	clear();
	run.public_only = true;
	check("example.com");
	is_int(count("\"type\":\"list\",\"subject\":\"10.1.1.1\"", ""), 0,
	       "but not for whoever may ask for public ones only");
	catalogue[40].private = false;
}

static void test_odd_names(void)
{
	clear();
	check("gone.example");
	is_int(run.count, 2, "a name that does not exist: nothing is asked");
	has("\"type\":\"end\",\"subjects\":0", "\"error\":\"gone.example does not exist in DNS.\"", "and it says so");
	clear();
	check("lost.example");
	has("\"type\":\"subject\",\"subject\":\"lost.example\"", "",
	    "a name without answers: the lists of domains are asked");
	has("\"type\":\"end\"", "\"error\":\"lost.example: DNS did not answer", "and it says so");
	clear();
	check("textonly.example");
	has("\"type\":\"end\",\"subjects\":1,\"listed\":1", "\"error\":null", "a name without addresses");
	clear();
	check("nomail.example");
	has("\"type\":\"end\",\"subjects\":1,\"listed\":0,\"clean\":1", "\"error\":null", "a name that takes no mail");
	clear();
	check("many.example");
	has("\"type\":\"end\",\"subjects\":33", "\"error\":\"many.example has more addresses",
	    "a name with 33 addresses");
}

static void test_network(void)
{
	clear();
	check("8.8.8.20/28");
	has("\"type\":\"begin\"", "\"kind\":\"network\",\"lists\":99,\"subjects\":16,\"prefix\":28}", "a network");
	is_int(count("\"type\":\"subject\"", ""), 16, "each address has its sums");
	is_int(count("\"type\":\"list\"", ""), 3, "only listings are shown");
	has("\"type\":\"list\",\"subject\":\"8.8.8.23\",\"list\":\"l8\"", "\"listed\"", "this one");
	has("\"type\":\"list\",\"subject\":\"8.8.8.24\",\"list\":\"l10\"", "\"weight\":0.0", "and one without weight");
	has("\"type\":\"subject\",\"subject\":\"8.8.8.24\",\"listed\":0,\"clean\":95", "\"noted\":1,",
	    "which is none that counts");
	has("\"type\":\"subject\",\"subject\":\"8.8.8.23\",\"listed\":1,\"clean\":94", "\"noted\":1,",
	    "nor beside another");
	is_int(count("\"type\":\"ptr\"", "") + count("\"type\":\"text\"", ""), 0, "no names, no texts");
	is_int(count("\"type\":\"origin\"", "64496"), 1, "the origin of the first address");
	has("\"type\":\"end\",\"subjects\":16,\"listed\":1,\"clean\":15,\"unknown\":0", "\"weight\":0.5", "the end");
	has("\"type\":\"end\"", "\"noted\":1,", "how many only such lists name");
}

/* The text of a listing is asked of the list as well: it costs a question, and may tell the key that it was asked with.
 */
static void test_texts(void)
{
	static const char text[] = "\"type\":\"text\"";
	int64_t before = spent(5);
	clear();
	check("8.8.8.7");
	has("\"list\":\"l5\"", "listed", "a list that tells the key in capitals");
	is_int(count(text, ""), 0, "... is not repeated");
	is_int(spent(5) - before, 2, "it was asked twice");
	clear();
	check("8.8.8.7");
	is_int(spent(5) - before, 2, "what is cached costs nothing");
	clear();
	check("8.8.8.8");
	is_int(count("0123456789", ""), 0, "nor is a part of it where the text is cut");
	clear();
	check("8.8.8.9");
	has(text, "a good text", "another text is");
	is_int(spent(5) - before, 6, "three listings and their texts");
	int64_t most = spent(5) + 1;
	catalogue[5].budget = 4 * most / 3; /* of which three quarters are for checks: one question is left */
	clear();
	check("8.8.8.10");
	has("\"list\":\"l5\"", "listed", "the last question of the budget");
	is_int(count(text, ""), 0, "... is not followed by one for the text");
	is_int(spent(5) - before, 7, "... which is not asked");
	catalogue[5].budget = 0;
}

static void test_pause(void)
{
	clear();
	run.pause_after = 5;
	check("8.8.8.64/26");
	is_int(count("\"type\":\"subject\"", ""), 64, "a check that is paused goes on");
}

/* Of the DNS server's questions, none is lost for there being many. */
static void test_narrow(const struct dns_server *server)
{
	close_dns();
	open_dns(server, 16);
	clear();
	check("8.8.8.16/30");
	has("\"type\":\"end\",\"subjects\":4,\"listed\":0,\"clean\":4,\"unknown\":0", "", "with little room");
	is_int(count("\"type\":\"subject\"", "\"clean\":98,\"unknown\":1"), 4, "each list is asked of each address");
	ok(run.most <= 16 * 3 / 8, "of 16 questions a network takes six: %d", (int)run.most);
	clear();
	check("8.8.8.3");
	ok(run.most <= 8, "and an address at most eight: %d", (int)run.most);
	close_dns();
	open_dns(server, 1);
	clear();
	check("8.8.8.3");
	is_int(count("\"type\":\"subject\"", "\"clean\":98,\"unknown\":1"), 1, "and with next to none");
	close_dns();
	open_dns(server, 4096);
}

/* The loop goes on after the check has ended, so that its answers still come. */
static void let_pass(void)
{
	struct timespec little = { .tv_nsec = (TIMEOUT_MS + 100) * 1000000L };
	nanosleep(&little, NULL);
}

static void test_end(void)
{
	static const int places[] = { 1, 2, 3, 50, 101 };
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		clear();
		run.end_after = places[i];
		check(i == 3 ? "example.com" : "8.8.8.200");
		if (i == 0)
			let_pass();
		is_int(run.count, places[i], "ended by its listener, no event comes any more");
	}
	let_pass();
	clear();
	run.end_after = 20;
	check("192.0.0.0/20");
	is_int(run.count, 20, "a large network, ended early");
}

static void test_replaced(void)
{
	clear();
	run.replace = true;
	check("8.8.8.210");
	has("\"type\":\"end\"", "\"error\":\"The configuration was replaced", "the engine is freed: an error");
}

int main(void)
{
	struct dns_server *server = dns_server_start_rows(rows);
	ok(server != NULL, "a server on loopback");
	make_lists();
	open_dns(server, 4096);
	test_address();
	test_names_of_addresses();
	test_name();
	test_private();
	test_odd_names();
	test_network();
	test_texts();
	test_pause();
	test_narrow(server);
	test_end();
	test_replaced();
	clear();
	close_dns();
	dns_server_stop(&server);
	return done_testing();
}
