/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/webhook.h"

#include "milter/base/clock.h"
#include "milter/base/version.h"
#include "milter/daemon/daemon.h"
#include "milter/base/plain_file.h"
#include "milter/tell/http_client.h"
#include "milter/tell/sign.h"
#include "policy/base/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { HEADER_BYTES = 160 };

void webhook_host(const char *url, char *host, size_t size)
{
	const char *start = strstr(url, "://");
	start = start == NULL ? url : start + 3;
	size_t length = strcspn(start, "/?#");
	for (size_t i = 0; i < length; i++)
		if (start[i] == '@') {
			start += i + 1;
			length -= i + 1;
			i = (size_t)-1;
		}
	size_t name = *start == '[' ? strcspn(start, "]") + 1 : strcspn(start, ":/?#");
	struct text text = text_over(host, size);
	text_add_bytes(&text, start, name < length ? name : length);
}

enum courier_said webhook_meaning(long status, bool whole)
{
	if (status >= 200 && status < 300)
		return COURIER_TAKEN; /* also where the rest of the answer did not come */
	if (whole && status >= 400 && status < 500 && status != 408 && status != 429)
		return COURIER_NEVER;
	return COURIER_LATER;
}

static void webhook_say_why(const struct http_client_answer *answer, struct courier_answer *answer_out)
{
	if (answer->status >= 300 && answer->status < 400)
		snprintf(answer_out->why, sizeof answer_out->why,
			 "answers %ld, a redirection, which is not followed: webhook.url is to name the new place",
			 answer->status);
	else if (answer->whole)
		snprintf(answer_out->why, sizeof answer_out->why, "answers %ld", answer->status);
	else
		snprintf(answer_out->why, sizeof answer_out->why, "does not answer: %s", answer->error);
}

/* libcurl would wait for a FIFO's writer, beyond its time-out and the daemon's end. */
static bool webhook_has_authority(const char *ca_file, struct courier_answer *answer_out)
{
	const char *why;
	int fd = ca_file[0] != '\0' ? plain_file_open(ca_file, O_RDONLY, &why) : -1;
	if (fd >= 0)
		close(fd);
	else if (ca_file[0] != '\0')
		snprintf(answer_out->why, sizeof answer_out->why, "is not asked: webhook.ca_file cannot be read: %s",
			 why);
	return fd >= 0 || ca_file[0] == '\0';
}

static enum courier_said webhook_send_by(const struct settings *set, const struct parcel *parcel,
					 const atomic_bool *stop, struct courier_answer *answer_out)
{
	char event[HEADER_BYTES], id[HEADER_BYTES], signature[HEADER_BYTES], hex[SIGNATURE_HEX + 1];
	int64_t now_s = clock_now_ms() / 1000;
	const char *headers[] = {
		"Content-Type: application/json", "User-Agent: penstock/" PENSTOCK_VERSION, event, id, NULL, NULL
	};
	if (!webhook_has_authority(set->webhook_ca_file, answer_out))
		return COURIER_LATER;
	snprintf(event, sizeof event, "X-Penstock-Event: %s", notice_word(parcel->kind));
	snprintf(id, sizeof id, "X-Penstock-Event-Id: %s", parcel->id);
	if (set->webhook_secret[0] != '\0') {
		if (!sign_body(set->webhook_secret, now_s, parcel->text, parcel->length, hex)) {
			text_copy(answer_out->why, sizeof answer_out->why, "is not asked: no memory to sign");
			return COURIER_LATER;
		}
		snprintf(signature, sizeof signature, "X-Penstock-Signature: t=%" PRId64 ",v1=%s", now_s, hex);
		headers[4] = signature;
	}
	struct http_client_request post = {
		.url = set->webhook_url,
		.ca_file = set->webhook_ca_file,
		.timeout_ms = set->webhook_timeout_ms,
		.headers = headers,
		.body = parcel->text,
		.length = parcel->length,
		.stop = stop,
	};
	struct http_client_answer answer;
	http_client_send(&post, &answer);
	webhook_say_why(&answer, answer_out);
	answer_out->wait_s = answer.retry_after_s;
	return webhook_meaning(answer.status, answer.whole);
}

enum courier_said webhook_send(const struct parcel *parcel, const atomic_bool *stop, struct courier_answer *answer_out)
{
	struct setup *setup = setup_hold(); /* of now: a reload mends a wrong address for what waits, too */
	const struct settings *set = &setup->config->set;
	enum courier_said said = COURIER_NEVER;
	webhook_host(set->webhook_url, answer_out->whom, sizeof answer_out->whom);
	if (set->webhook_url[0] != '\0')
		said = webhook_send_by(set, parcel, stop, answer_out);
	else
		text_copy(answer_out->why, sizeof answer_out->why, "webhook.url is empty now");
	setup_drop(&setup);
	return said;
}
