/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fake/redis_session.h"

#include "t/fake/redis_call.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

void redis_session_open(struct redis_session *session, struct redis_data *data)
{
	*session = (struct redis_session){ .data = data };
}

void redis_session_close(struct redis_session *session)
{
	fake_bytes_free(&session->in);
	fake_bytes_free(&session->out);
	free(session->request.argv);
	*session = (struct redis_session){ .broken = true };
}

static bool session_break(struct redis_session *session, const char *why)
{
	fake_bytes_addf(&session->out, "-ERR Protocol error: %s\r\n", why);
	session->broken = true;
	session->in.length = 0;
	return false;
}

enum number_read { NUMBER_MORE, NUMBER_READ, NUMBER_WRONG };

/* A line `*12` or `$3` that begins at *at, which moves behind it. */
static enum number_read session_number(const struct redis_session *session, size_t *at, int64_t *number_out)
{
	const char *begin = session->in.at + *at + 1;
	const char *end = memchr(begin, '\r', session->in.length - *at - 1);
	if (end == NULL || (size_t)(end + 1 - session->in.at) >= session->in.length)
		return NUMBER_MORE;
	*at = (size_t)(end + 2 - session->in.at);
	return redis_to_int((struct fake_word){ begin, (size_t)(end - begin) }, number_out) ? NUMBER_READ
											    : NUMBER_WRONG;
}

static void session_room(struct redis_request *request, int64_t count)
{
	if (count <= request->argv_room)
		return;
	request->argv = realloc(request->argv, (size_t)count * sizeof request->argv[0]);
	if (request->argv == NULL)
		abort();
	request->argv_room = (int)count;
}

/* The word that begins at *at, which moves behind it. */
static bool session_word(struct redis_session *session, size_t *at, struct fake_word *word_out)
{
	int64_t length = 0;
	if (*at >= session->in.length)
		return false;
	if (session->in.at[*at] != '$') {
		char why[] = "expected '$', got '?'";
		*strchr(why, '?') = session->in.at[*at];
		return session_break(session, why);
	}
	enum number_read read = session_number(session, at, &length);
	if (read == NUMBER_WRONG || length < 0 || length > REDIS_BULK_MAX)
		return session_break(session, "invalid bulk length");
	if (read == NUMBER_MORE || session->in.length < *at + (size_t)length + 2)
		return false;
	*word_out = (struct fake_word){ session->in.at + *at, (size_t)length };
	*at += (size_t)length + 2;
	return true;
}

/* Each word gets a NUL in the place of its \r. */
static void session_end_words(struct redis_session *session)
{
	for (int i = 0; i < session->request.argc; i++)
		session->in
			.at[(size_t)(session->request.argv[i].at - session->in.at) + session->request.argv[i].length] =
			'\0';
}

bool redis_session_next(struct redis_session *session)
{
	int64_t count = 0;
	size_t at = 0;
	while (count <= 0) { /* an empty request is none */
		fake_bytes_cut(&session->in, at);
		at = 0;
		if (session->broken || session->in.length == 0)
			return false;
		if (session->in.at[0] != '*')
			return session_break(session, "the fake Redis takes no inline commands");
		enum number_read read = session_number(session, &at, &count);
		if (read == NUMBER_MORE)
			return false;
		if (read == NUMBER_WRONG || count > REDIS_ARGS_MAX)
			return session_break(session, "invalid multibulk length");
	}
	session_room(&session->request, count);
	for (session->request.argc = 0; session->request.argc < count; session->request.argc++)
		if (!session_word(session, &at, &session->request.argv[session->request.argc]))
			return false;
	session->request.whole = at;
	session_end_words(session);
	return true;
}

void redis_session_skip(struct redis_session *session)
{
	fake_bytes_cut(&session->in, session->request.whole);
}

void redis_session_do(struct redis_session *session)
{
	struct redis_call call = { .data = session->data,
				   .database = &session->database,
				   .greeted = &session->greeted,
				   .argc = session->request.argc,
				   .argv = session->request.argv,
				   .out = &session->out };
	redis_call_run(&call);
	redis_session_skip(session);
}

void redis_session_feed(struct redis_session *session, const void *bytes, size_t length)
{
	if (session->broken)
		return;
	fake_bytes_add(&session->in, bytes, length);
	while (redis_session_next(session))
		redis_session_do(session);
}
