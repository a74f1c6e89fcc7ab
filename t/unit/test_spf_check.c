/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SPF checks of many clients, what is remembered of them, and how they end.
 */
#include "t/fake/fake.h"
#include "t/unit/spf_fixture.h"

static void test_clients(void)
{
	struct netaddr clients[SPF_CLIENTS_MAX];
	enum spf_answer answers[SPF_CLIENTS_MAX];
	int right = 0;
	for (int i = 0; i < SPF_CLIENTS_MAX; i++)
		clients[i] = netaddr_v4((uint8_t[]){ 192, 0, 2, (uint8_t)i });
	clients[5] = (struct netaddr){ 0 };
	clients[6] = (struct netaddr){ NETADDR_V6, { [10] = 0xff, 0xff, 192, 0, 2, 6 } };
	open_engine(TIMEOUT_MS);
	add(E, TXT, "v=spf1 include:i.test a:a.test -all");
	add("i.test", TXT, "v=spf1 ip4:192.0.2.0/28 ~all");
	add("a.test", A, "192.0.2.33");
	struct spf_check *asked = ask(S, "h.test", clients, SPF_CLIENTS_MAX);
	spf_collect(asked, clock_monotonic_ms() + DONE_MS, answers);
	for (int i = 0; i < SPF_CLIENTS_MAX; i++)
		right += answers[i] == (i == 5		    ? SPF_ANSWER_UNKNOWN
					: i < 16 || i == 33 ? SPF_ANSWER_PASS
							    : SPF_ANSWER_FAIL);
	is_int(right, SPF_CLIENTS_MAX, "64 clients have each their own answer");
	is_int(zone_questions(), 3, "all together ask three questions");
	spf_release(&asked);
	loop_stop(loop);
	asked = ask(S, "h.test", clients, SPF_CLIENTS_MAX);
	memset(answers, 0, sizeof answers);
	spf_collect(asked, 0, answers);
	ok(answers[0] == SPF_ANSWER_PASS && answers[63] == SPF_ANSWER_FAIL, "asked again, without the loop");
	spf_release(&asked);
	clients[0].bytes[0] = 99;
	asked = ask(S, "h.test", clients, SPF_CLIENTS_MAX);
	spf_collect(asked, 0, answers);
	is_str(spf_answer_word(answers[0]), "unknown", "other clients are another question");
	loop_start(loop);
	spf_release(&asked);
	close_engine();
}

/* Some are done early, others have a question of their own on the way; both families. */
static void test_clients_part_and_meet(void)
{
	struct netaddr clients[SPF_CLIENTS_MAX];
	enum spf_answer answers[SPF_CLIENTS_MAX] = { 0 };
	int right = 0;
	open_engine(TIMEOUT_MS);
	add(E, TXT, "v=spf1 include:one.test exists:%{i}.own.test ~include:two.test ?include:three.test -all");
	add("one.test", TXT, "v=spf1 ip4:192.0.2.0/31 ip6:2001:db8::2/127 include:one2.test -all");
	add("one2.test", TXT, "v=spf1 ip4:192.0.2.8/29 -all");
	add("192.0.2.20.own.test", A, "127.0.0.2");
	add("192.0.2.4.own.test", A, "127.0.0.2");
	add("two.test", TXT, "v=spf1 a:two2.test -all");
	add("two2.test", A, "192.0.2.6");
	add("three.test", TXT, "v=spf1 ip6:2001:db8::1f ip4:192.0.2.62 -all");
	for (int i = 0; i < SPF_CLIENTS_MAX; i++)
		clients[i] = i % 2 == 0 ? netaddr_v4((uint8_t[]){ 192, 0, 2, (uint8_t)i })
					: (struct netaddr){ NETADDR_V6, { 0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)i } };
	struct spf_check *asked = ask(S, "h.test", clients, SPF_CLIENTS_MAX);
	spf_collect(asked, clock_monotonic_ms() + DONE_MS, answers);
	for (int i = 0; i < SPF_CLIENTS_MAX; i++) {
		enum spf_answer wanted = i == 6		      ? SPF_ANSWER_SOFTFAIL
					 : i == 31 || i == 62 ? SPF_ANSWER_NEUTRAL
							      : SPF_ANSWER_FAIL;
		if (i == 0 || i == 3 || i == 4 || i == 20 || (i >= 8 && i < 16 && i % 2 == 0))
			wanted = SPF_ANSWER_PASS;
		right += answers[i] == wanted;
	}
	is_int(right, SPF_CLIENTS_MAX, "each has its own answer, however their ways part");
	spf_release(&asked);
	close_engine();
}

/* A macro of the client in a name: each client asks on its own. */
static void test_clients_share_a_budget(void)
{
	struct netaddr clients[SPF_CLIENTS_MAX];
	enum spf_answer answers[SPF_CLIENTS_MAX];
	int failed = 0;
	for (int i = 0; i < SPF_CLIENTS_MAX; i++)
		clients[i] = netaddr_v4((uint8_t[]){ 192, 0, 2, (uint8_t)i });
	open_engine(TIMEOUT_MS);
	add(E, TXT,
	    "v=spf1 include:%{i}.a.test include:%{i}.b.test include:%{i}.c.test include:%{i}.d.test "
	    "include:%{i}.e.test include:%{i}.f.test include:%{i}.g.test include:%{i}.h.test "
	    "include:%{i}.i.test -all");
	for (int i = 0; i < SPF_CLIENTS_MAX; i++)
		for (const char *letter = "abcdefghi"; *letter != '\0'; letter++) {
			char name[40];
			snprintf(name, sizeof name, "192.0.2.%d.%c.test", i, *letter);
			add(name, TXT, "v=spf1 -all");
		}
	struct spf_check *asked = ask(S, "h.test", clients, SPF_CLIENTS_MAX);
	spf_collect(asked, clock_monotonic_ms() + DONE_MS, answers);
	for (int i = 0; i < SPF_CLIENTS_MAX; i++)
		failed += answers[i] == SPF_ANSWER_FAIL || answers[i] == SPF_ANSWER_PERMERROR;
	is_int(failed, SPF_CLIENTS_MAX, "all have an answer");
	ok(zone_questions() <= SPF_QUESTIONS_MAX + 8 * (SPF_CLIENTS_MAX - 1), "%d questions", zone_questions());
	spf_release(&asked);
	close_engine();
}

static void test_cache(void)
{
	open_engine(TIMEOUT_MS);
	add(E, TXT, "v=spf1 exists:%{l}.x.test -all");
	add("one.x.test", A, "127.0.0.2");
	is_str(spf_answer_word(check("192.0.2.1", "one@example.com", "h.test")), "pass",
	       "a record about local parts: one passes");
	is_str(spf_answer_word(check("192.0.2.1", "two@example.com", "h.test")), "fail", "and another one fails");
	add("h.test", TXT, "v=spf1 include:i.test -all");
	add("i.test", TXT, "v=spf1 exists:%{h}.x.test -all");
	is_str(spf_answer_word(check("192.0.2.1", "u@h.test", "one")), "pass", "the HELO name in an included record");
	is_str(spf_answer_word(check("192.0.2.1", "u@h.test", "two")), "fail", "and another one");
	add("k.test", TXT, "v=spf1 -all");
	check("192.0.2.1", "u@k.test", "one");
	fake_clock_pass(299000);
	check("192.0.2.1", "u@k.test", "one");
	is_int(zone_asked("k.test", 0), 1, "a result holds as long as the answers do");
	fake_clock_pass(2000);
	check("192.0.2.1", "u@k.test", "one");
	is_int(zone_asked("k.test", 0), 2, "and no longer");
	zone_trouble("t.test", 0, ZONE_SERVFAIL);
	is_str(spf_answer_word(check("192.0.2.1", "u@t.test", "h.test")), "temperror", "an error");
	int before = zone_asked("t.test", 0);
	is_str(spf_answer_word(check("192.0.2.1", "v@T.test", "h.test")), "temperror", "is remembered");
	is_int(zone_asked("t.test", 0), before, "without a question");
	fake_clock_pass(31000);
	check("192.0.2.1", "u@t.test", "h.test");
	is_int(zone_asked("t.test", 0), before + 1, "after 31 seconds it is asked again");
	close_engine();
}

static void test_deadline_and_ends(void)
{
	struct netaddr client = netaddr_v4((uint8_t[]){ 192, 0, 2, 1 });
	enum spf_answer answer = SPF_ANSWER_PASS;
	open_engine(LONG_MS);
	zone_trouble("silent.test", 0, ZONE_SILENT);
	add(E, TXT, "v=spf1 include:silent.test ip4:192.0.2.1");
	struct spf_check *asked = ask(S, "h.test", &client, 1), *released = ask(S, "h2.test", &client, 1);
	spf_collect(asked, 0, &answer);
	is_str(spf_answer_word(answer), "unknown", "the deadline comes first");
	spf_release(&released);
	ok(released == NULL, "another asker has left before the answer");
	while (zone_asked("silent.test", 0) == 0)
		spf_collect(asked, clock_monotonic_ms() + 5, &answer);
	loop_stop(loop);
	answer = SPF_ANSWER_PASS;
	engine_free(&engine);
	spf_collect(asked, clock_monotonic_ms() + DONE_MS, &answer);
	is_str(spf_answer_word(answer), "unknown", "the engine ends under an open check");
	spf_release(&asked);
	spf_collect(NULL, 0, &answer);
	spf_release(&asked);
	close_engine();
}

int main(void)
{
	test_clients();
	test_clients_part_and_meet();
	test_clients_share_a_budget();
	test_cache();
	test_deadline_and_ends();
	return done_testing();
}
