/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Redis of the model: the one in memory, its clock and its troubles.
 */
#include "redis-schema/wire/alarm.h"
#include "t/fake/redis_call.h"
#include "t/model/books.h"
#include "t/model/lot.h"
#include "t/model/model.h"
#include "t/model/net.h"
#include "t/model/panel.h"

#include <string.h>

#include "policy/base/banned.h"

struct redis_data server_data;
struct trouble server_trouble;
static int64_t ahead_ms;

int64_t server_now_ms(void)
{
	return alarm_clock_ms() + ahead_ms;
}

void server_begin(int64_t wall_ms)
{
	redis_data_clear(&server_data);
	server_data.now_ms = server_now_ms;
	server_trouble = (struct trouble){ .error = NULL };
	ahead_ms = wall_ms - alarm_clock_ms();
}

void server_step_clock(int64_t ms)
{
	ahead_ms += ms;
}

static bool server_refuses(const struct redis_session *session)
{
	const struct redis_command *command = redis_command_find(session->request.argv[0]);
	if (server_trouble.error == NULL || command == NULL)
		return false;
	if (strncmp(server_trouble.error, "NOSCRIPT", 8) == 0)
		return redis_word_is(session->request.argv[0], "EVALSHA") && (!server_trouble.seldom || lot_once_in(3));
	return (server_trouble.reads || command->writes) && (!server_trouble.seldom || lot_once_in(3));
}

/* What is counted of groups and accounts. */
static void server_say(const struct link *link)
{
	const struct redis_request *request = &link->session.request;
	const char *word = request->argv[0].at;
	if (!model.talks)
		return;
	if (strcmp(word, "HINCRBY") == 0 && request->argc == 4 && strstr(request->argv[1].at, ":day:") != NULL)
		model_say("... of daemon %d: HINCRBY %s %s %s", link->daemon, request->argv[1].at, request->argv[2].at,
			  request->argv[3].at);
	else if (strncmp(word, "EVAL", 4) == 0 && request->argc > 3)
		model_say("... of daemon %d: %s on %s", link->daemon, word, request->argv[3].at);
}

static void server_run_one(struct link *link)
{
	struct redis_session *session = &link->session;
	char record[400] = "";
	if (server_refuses(session)) {
		model_say("... Redis says %s to %s", server_trouble.error, session->request.argv[0].at);
		fake_bytes_addf(&session->out, "-%s\r\n", server_trouble.error);
		redis_session_skip(session);
		return;
	}
	bool writes = session->request.argc > 3 && strncmp(session->request.argv[0].at, "EVAL", 4) == 0;
	if (writes && session->request.argv[3].length < sizeof record)
		memcpy(record, session->request.argv[3].at, session->request.argv[3].length + 1);
	server_say(link);
	if (redis_word_is(session->request.argv[0], "DEL") && session->request.argc > 1)
		panel_removed(session->request.argv[1].at);
	redis_session_do(session);
	if (writes)
		books_written(link->daemon, record);
}

void server_run(struct link *link)
{
	while (redis_session_next(&link->session))
		server_run_one(link);
}

void server_do(int argc, const char *const *argv)
{
	struct redis_session session;
	redis_session_open(&session, &server_data);
	fake_bytes_addf(&session.in, "*%d\r\n", argc);
	for (int i = 0; i < argc; i++)
		fake_bytes_addf(&session.in, "$%zu\r\n%s\r\n", strlen(argv[i]), argv[i]);
	while (redis_session_next(&session))
		redis_session_do(&session);
	redis_session_close(&session);
}

void server_flush_scripts(void)
{
	server_do(2, (const char *[]){ "SCRIPT", "FLUSH" });
}
