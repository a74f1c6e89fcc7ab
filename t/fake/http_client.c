/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes the place of milter/tell/http_client.c: a webhook and a mail server that keep what they were sent, and answer
 * what the scenario wants.
 */
#include "milter/tell/http_client.h"

#include "policy/base/text.h"
#include "t/fake/fake.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { KEPT_MAX = 200, KEPT_BYTES = 8192 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept {
	bool mail;
	char text[KEPT_BYTES]; /* headers or envelope, then the body */
} * kept[KEPT_MAX];	       /* those that were taken */
static int kept_count;
static int tried[2];			/* [mail] */
static long statuses[2] = { 200, 250 }; /* 0: no connection; -1: hangs until it is told to stop, or says otherwise */

void fake_post_says(bool mail, long status)
{
	pthread_mutex_lock(&lock);
	statuses[mail] = status;
	pthread_mutex_unlock(&lock);
}

int fake_post_tried(bool mail)
{
	pthread_mutex_lock(&lock);
	int count = tried[mail];
	pthread_mutex_unlock(&lock);
	return count;
}

int fake_post_count(bool mail, const char *const *parts, int part_count)
{
	int count = 0;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < kept_count; i++) {
		bool has = kept[i]->mail == mail;
		for (int j = 0; j < part_count; j++)
			has = has && strstr(kept[i]->text, parts[j]) != NULL;
		count += has;
	}
	pthread_mutex_unlock(&lock);
	return count;
}

static void keep(const struct http_client_request *post, bool mail)
{
	struct kept *one = kept_count < KEPT_MAX ? calloc(1, sizeof *one) : NULL;
	if (one == NULL)
		return;
	struct text text = text_over(one->text, sizeof one->text);
	one->mail = mail;
	if (mail)
		text_addf(&text, "FROM:<%s>\n", post->mail_from);
	for (const char *const *word = mail ? post->mail_to : post->headers; *word != NULL; word++)
		text_addf(&text, mail ? "TO:<%s>\n" : "%s\n", *word);
	text_add_bytes(&text, post->body, post->length);
	kept[kept_count++] = one;
}

static long status_now(bool mail)
{
	pthread_mutex_lock(&lock);
	long status = statuses[mail];
	pthread_mutex_unlock(&lock);
	return status;
}

bool http_client_open(void)
{
	return true;
}

void http_client_send(const struct http_client_request *post, struct http_client_answer *answer_out)
{
	bool mail = post->mail_to != NULL;
	*answer_out = (struct http_client_answer){ .status = 0 };
	pthread_mutex_lock(&lock);
	tried[mail]++;
	pthread_mutex_unlock(&lock);
	while (status_now(mail) < 0 && !atomic_load(post->stop))
		usleep(1000);
	long status = status_now(mail);
	if (status <= 0) {
		text_copy(answer_out->error, sizeof answer_out->error, "Couldn't connect to server");
		return;
	}
	pthread_mutex_lock(&lock);
	answer_out->status = status;
	answer_out->whole = !mail || status < 400;
	if (status >= 200 && status < 300)
		keep(post, mail);
	pthread_mutex_unlock(&lock);
}
