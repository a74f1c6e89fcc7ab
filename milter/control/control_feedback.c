/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_feedback.h"

#include "milter/base/clock.h"
#include "milter/base/json.h"
#include "milter/base/log.h"
#include "milter/daemon/stats.h"
#include "milter/feedback/token.h"
#include "milter/record/factlog.h"
#include "milter/tell/event.h"
#include "policy/base/text.h"
#include "policy/complaint.h"
#include "redis-schema/store/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { LINE_MAX_BYTES = 1600, STATUSES_MAX = 16, PART_MAX = 64 };

/* One report, from its request to its answer. */
struct feedback_ask {
	struct control_request *request;
	struct token token;
	enum complaint complaint;
	struct complaint_worth worth;
	int times;	     /* how often it is to be counted: of a bounce one a recipient */
	int taken;	     /* ... and may be, see complaint_most() */
	char part[PART_MAX]; /* of the key that counts its reports */
	char number[16], life[16];
};

static const char *control_feedback_text(const struct control_request *request, const char *member)
{
	const char *text = json_string_value(json_object_get(request->json, member));
	return text != NULL ? text : "";
}

/* Everything that can be said of one report, in one line of the log. */
static void control_feedback_log(const struct feedback_ask *ask, enum feedback result)
{
	const struct control_request *request = ask->request;
	char memory[LINE_MAX_BYTES];
	struct text line = text_over(memory, sizeof memory);
	text_addf(&line, "feedback: result=%s type=%s account=", stats_feedback_word(result),
		  complaint_word(ask->complaint));
	text_add_word(&line, ask->token.account[0] != '\0' ? ask->token.account : "-");
	text_add(&line, " transport=");
	text_add_word(&line, ask->token.transport[0] != '\0' ? ask->token.transport : "-");
	if (ask->token.time_ms > 0)
		text_addf(&line, " age_s=%lld", (long long)((clock_now_ms() - ask->token.time_ms) / 1000));
	text_add(&line, " form=");
	text_add_word(&line, control_feedback_text(request, "form"));
	text_add(&line, " said=");
	text_add_word(&line, control_feedback_text(request, "type"));
	text_add(&line, " rcpt=<");
	text_add_word(&line, control_feedback_text(request, "rcpt"));
	text_add(&line, "> source=");
	text_add_word(&line, control_feedback_text(request, "source"));
	log_line(SEVERITY_INFO, "%s", memory);
}

static void control_feedback_end(struct feedback_ask *ask, enum feedback result)
{
	stats_feedback(result);
	control_feedback_log(ask, result);
	json_t *json = json_object();
	json_set_text(json, "result", stats_feedback_word(result));
	json_set_text(json, "type", complaint_word(ask->complaint));
	json_set_text(json, "account", ask->token.account[0] != '\0' ? ask->token.account : NULL);
	control_ok(ask->request, json);
	free(ask);
}

/* ---- what it does to the account */

static void control_feedback_tell(const struct feedback_ask *ask, const struct counters *before,
				  const struct counters *after)
{
	struct notice notice;
	enum complaint_step step = complaint_step(after);
	const char *rcpt = control_feedback_text(ask->request, "rcpt"),
		   *source = control_feedback_text(ask->request, "source");
	if (!ask->worth.told)
		return;
	notice_init(&notice, complaint_opts_out(ask->complaint) ? EVENT_OPT_OUT : EVENT_COMPLAINT, ask->token.account);
	text_copy(notice.recipient, sizeof notice.recipient, rcpt);
	text_copy(notice.transport, sizeof notice.transport, ask->token.transport);
	struct text reason = text_over(notice.reason, sizeof notice.reason);
	text_addf(&reason, "%s %s (%s)", *rcpt != '\0' ? rcpt : "a recipient", complaint_says(ask->complaint),
		  *source != '\0' ? source : "no source is named");
	if (complaint_passed(before, after))
		text_addf(&reason, "; its complaint rate of %.2g %% is %s now", complaint_share(after) * 100,
			  complaint_step_word(step));
	event_tell(&notice);
}

/* How it stands before the report: what that changes is what is told. */
static void control_feedback_on_account(void *arg, const struct account_state *state, const struct known *known)
{
	struct feedback_ask *ask = arg;
	int64_t now_ms = clock_now_ms();
	struct counters before = state->history.counters, after;
	double counts[COUNTER_COUNT] = { 0 }, count = ask->worth.count * ask->taken;
	(void)known;
	counters_decay(&before, now_ms);
	after = before;
	if (ask->worth.counter != COUNTER_COUNT) {
		counts[ask->worth.counter] = count;
		counters_add(&after, counts);
		store_feedback(the_daemon.store, ask->token.account, ask->worth.counter, count, now_ms);
		factlog_feedback(ask->token.account, ask->worth.counter, count, now_ms);
	}
	control_feedback_tell(ask, &before, &after);
	control_feedback_end(ask, FEEDBACK_COUNTED);
}

/* ---- each token as often as complaint_most() allows */

static void control_feedback_fail(struct feedback_ask *ask, const char *error)
{
	char sentence[300];
	control_read_error(sentence, sizeof sentence, "feedback", "earlier reports of this message", error);
	control_error(ask->request, sentence);
	free(ask);
}

static void control_feedback_on_count(void *arg, const char *error, int count, const char *const *items)
{
	struct feedback_ask *ask = arg;
	int64_t now = 0;
	if (error == NULL && (count != 1 || items[0] == NULL || !text_to_int(items[0], 1, INT32_MAX, &now)))
		error = "its count is no number";
	if (error != NULL) {
		control_feedback_fail(ask, error);
		return;
	}
	int64_t room = complaint_most(ask->complaint, ask->token.rcpts) - (now - ask->times);
	ask->taken = (int)(room < ask->times ? room : ask->times);
	if (ask->taken <= 0)
		control_feedback_end(ask, FEEDBACK_REPEATED);
	else
		store_look(the_daemon.store, ask->token.account, control_feedback_on_account, ask);
}

/* Complaints and bounces are counted each by itself. */
static void control_feedback_count(struct feedback_ask *ask)
{
	const char *add[] = { "HINCRBY", ask->part, complaint_group_word(ask->complaint), ask->number };
	const char *end[] = { "EXPIRE", ask->part, ask->life };
	snprintf(ask->number, sizeof ask->number, "%d", ask->times);
	snprintf(ask->life, sizeof ask->life, "%d", TOKEN_LIFE_S);
	store_key_command(the_daemon.store, 4, add, control_feedback_on_count, ask);
	store_key_command(the_daemon.store, 3, end, NULL, NULL);
}

static void control_feedback_take(struct feedback_ask *ask)
{
	char tag[TOKEN_TAG_MAX + 1];
	if (ask->times == 0 || (ask->worth.counter == COUNTER_COUNT && !ask->worth.told)) {
		control_feedback_end(ask, FEEDBACK_NOTHING);
		return;
	}
	token_tag(control_feedback_text(ask->request, "token"), tag);
	snprintf(ask->part, sizeof ask->part, "feedback:%s", tag);
	control_feedback_count(ask);
}

/* ---- what it is about */

/* A bounce is by its recipients' status codes what most of them say: dead ones, where there are any. */
static void control_feedback_read_bounce(struct feedback_ask *ask)
{
	const json_t *statuses = json_object_get(ask->request->json, "status");
	ask->complaint = COMPLAINT_BOUNCED;
	ask->times = 0;
	for (size_t i = 0; i < json_array_size(statuses) && i < STATUSES_MAX; i++) {
		const char *status = json_string_value(json_array_get(statuses, i));
		if (status == NULL || complaint_of_status(status) == COMPLAINT_BOUNCED)
			continue;
		ask->complaint = complaint_of_status(status);
		ask->times++;
	}
	if (ask->times == 0 && strcmp(control_feedback_text(ask->request, "type"), "delayed") == 0)
		ask->complaint = COMPLAINT_DELAYED;
}

/* FEEDBACK_COUNTED: its token is to be looked at. */
static enum feedback control_feedback_read(struct feedback_ask *ask, const char *form)
{
	ask->times = 1;
	if (strcmp(form, "bounce") == 0)
		control_feedback_read_bounce(ask);
	else if (strcmp(form, "complaint") == 0)
		ask->complaint = complaint_find(control_feedback_text(ask->request, "type"));
	else if (strcmp(form, "forwarded") == 0)
		ask->complaint = COMPLAINT_FORWARDED;
	else
		return FEEDBACK_JUNK;
	/* a sender may call his own message a report: what bears our token left here, whatever it is */
	if (*control_feedback_text(ask->request, "token") != '\0')
		return FEEDBACK_COUNTED;
	return json_is_true(json_object_get(ask->request->json, "nested")) ? FEEDBACK_NESTED : FEEDBACK_UNTOLD;
}

bool control_feedback(struct control_request *request, char *error, size_t error_size)
{
	uint64_t secret[2];
	const char *form = json_string_value(json_object_get(request->json, "form"));
	if (form == NULL || !store_secret(the_daemon.store, secret)) {
		if (form != NULL)
			return control_fail(error, error_size,
					    "feedback: Redis has not told the secret yet by which tokens are known.");
		return control_fail_value(request, "form", "complaint, bounce, forwarded, automatic or junk", error,
					  error_size);
	}
	struct feedback_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL)
		return control_fail(error, error_size, "feedback: there is no memory.");
	ask->request = request;
	enum feedback result = control_feedback_read(ask, form);
	ask->worth = complaint_worth(ask->complaint);
	if (result == FEEDBACK_COUNTED) {
		enum token_answer answer =
			token_read(secret, control_feedback_text(request, "token"), clock_now_ms() / 1000, &ask->token);
		result = answer == TOKEN_FORGED	   ? FEEDBACK_FORGED
			 : answer == TOKEN_EXPIRED ? FEEDBACK_EXPIRED
						   : FEEDBACK_COUNTED;
	}
	if (result == FEEDBACK_COUNTED)
		control_feedback_take(ask);
	else
		control_feedback_end(ask, result);
	return true;
}
