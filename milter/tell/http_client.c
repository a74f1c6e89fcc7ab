/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/http_client.h"

#include "policy/base/text.h"

#include <curl/curl.h>
#include <string.h>

#include "policy/base/banned.h"

enum { ANSWER_MAX = 65536 };

/* One exchange under way. */
struct transfer {
	const struct http_client_request *post;
	size_t sent, read;
};

static size_t http_client_on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	(void)bytes;
	transfer->read += size * count;
	return transfer->read <= ANSWER_MAX ? size * count : 0;
}

static size_t http_client_on_want(char *to, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t left = transfer->post->length - transfer->sent, room = size * count;
	size_t length = left < room ? left : room;
	memcpy(to, transfer->post->body + transfer->sent, length);
	transfer->sent += length;
	return length;
}

/* libcurl calls it once a second at least, whatever the server does. */
static int http_client_on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct transfer *transfer = arg;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(transfer->post->stop);
}

/* False: no memory. */
static bool http_client_list_of(const char *const *words, struct curl_slist **list_out)
{
	*list_out = NULL;
	for (; words != NULL && *words != NULL; words++) {
		struct curl_slist *more = curl_slist_append(*list_out, *words);
		if (more == NULL)
			return false;
		*list_out = more;
	}
	return true;
}

static void http_client_set_common(CURL *curl, struct transfer *transfer)
{
	const struct http_client_request *post = transfer->post;
	curl_easy_setopt(curl, CURLOPT_URL, post->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, post->mail_to != NULL ? "smtp" : "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)post->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* a resolver that hangs does not hold up the end */
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_client_on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, http_client_on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	if (post->ca_file[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_CAINFO, post->ca_file);
}

static void http_client_set(CURL *curl, struct transfer *transfer, const struct curl_slist *headers)
{
	const struct http_client_request *post = transfer->post;
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, http_client_on_bytes); /* they count as well */
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->length);
}

static void http_client_set_smtp(CURL *curl, struct transfer *transfer, struct curl_slist *to)
{
	const struct http_client_request *post = transfer->post;
	if (post->mail_from[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_MAIL_FROM, post->mail_from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* one wrong address does not silence the others */
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, http_client_on_want);
	curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
}

bool http_client_open(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

void http_client_send(const struct http_client_request *post, struct http_client_answer *answer_out)
{
	struct transfer transfer = { .post = post };
	*answer_out = (struct http_client_answer){ .status = 0 };
	CURL *curl = curl_easy_init();
	struct curl_slist *list = NULL;
	if (curl == NULL || !http_client_list_of(post->mail_to != NULL ? post->mail_to : post->headers, &list)) {
		text_copy(answer_out->error, sizeof answer_out->error, "no memory");
		curl_easy_cleanup(curl);
		curl_slist_free_all(list);
		return;
	}
	http_client_set_common(curl, &transfer);
	if (post->mail_to != NULL)
		http_client_set_smtp(curl, &transfer, list);
	else
		http_client_set(curl, &transfer, list);
	CURLcode code = curl_easy_perform(curl);
	curl_off_t retry_after = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer_out->status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
	answer_out->retry_after_s = (int64_t)retry_after;
	answer_out->whole = code == CURLE_OK;
	if (code != CURLE_OK)
		text_copy(answer_out->error, sizeof answer_out->error,
			  transfer.read > ANSWER_MAX ? "Its answer is longer than 64 KiB" : curl_easy_strerror(code));
	curl_easy_cleanup(curl);
	curl_slist_free_all(list);
}
