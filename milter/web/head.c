/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/head.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

static const char not_a_line[] = "The request does not begin with METHOD TARGET HTTP/1.1 (RFC 9112 section 3).";

/* RFC 9110 section 5.6.2 */
static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static void go_to(struct head *head, enum head_part part)
{
	head->part = part;
	head->length = 0;
}

static const char *head_in_method(struct head *head, char c)
{
	if (c == ' ' && head->length > 0)
		go_to(head, HEAD_TARGET);
	else if (is_token(c))
		head->length++;
	else
		return not_a_line;
	return NULL;
}

static const char *head_in_target(struct head *head, char c)
{
	if (c == ' ' && head->length > 0)
		go_to(head, HEAD_VERSION);
	else if (c != ' ' && c != '\t')
		head->length++;
	else
		return not_a_line;
	return NULL;
}

static const char *head_in_version(struct head *head, char c)
{
	static const char version[] = "HTTP/1.";
	size_t at = head->length++;
	bool last = at == sizeof version - 1;
	head->old = c == '0';
	return last					 ? c == '0' || c == '1' ? NULL : not_a_line
	       : at < sizeof version && c == version[at] ? NULL
							 : not_a_line;
}

static const char *head_in_name(struct head *head, char c)
{
	static const char host[] = "host";
	if (head->length == 0 && (c == ' ' || c == '\t'))
		return "The request has a header line that goes on in the next one (RFC 9112 section 5.2).";
	if (c == ':' && head->length > 0) {
		head->hosts += head->is_host && head->length == sizeof host - 1;
		go_to(head, HEAD_VALUE);
		return NULL;
	}
	if (!is_token(c))
		return "The request has a header name with a blank or another byte that no name has (RFC 9112 section "
		       "5.1).";
	head->is_host = head->length < sizeof host - 1
				? (head->is_host || head->length == 0) && text_lower(c) == host[head->length]
				: head->is_host;
	head->length++;
	return NULL;
}

/* The empty line behind the headers. */
static const char *head_at_end(struct head *head)
{
	int hosts = head->hosts;
	bool old = head->old;
	*head = (struct head){ .wrong = NULL };
	if (hosts > 1)
		return "The request has more than one Host (RFC 9112 section 3.2).";
	return hosts == 0 && !old ? "The request is HTTP/1.1 and has no Host (RFC 9112 section 3.2)." : NULL;
}

static const char *head_at_line_end(struct head *head)
{
	static const size_t version_length = sizeof "HTTP/1.1" - 1;
	if (head->part == HEAD_NAME && head->length == 0)
		return head_at_end(head);
	if (head->part == HEAD_NAME)
		return "The request has a header line without a colon (RFC 9112 section 5).";
	if (head->part != HEAD_VALUE && (head->part != HEAD_VERSION || head->length != version_length))
		return not_a_line;
	go_to(head, HEAD_NAME);
	return NULL;
}

static const char *head_look(struct head *head, char c)
{
	static const char *(*const parts[])(struct head * head, char c) = {
		[HEAD_METHOD] = head_in_method,
		[HEAD_TARGET] = head_in_target,
		[HEAD_VERSION] = head_in_version,
		[HEAD_NAME] = head_in_name,
		[HEAD_VALUE] = NULL,
	};
	bool cr = head->cr;
	head->cr = c == '\r';
	if (cr != (c == '\n'))
		return "The request has a CR without LF, or a LF without CR (RFC 9112 section 2.2).";
	if (cr)
		return head_at_line_end(head);
	if (c == '\r')
		return NULL;
	if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
		return "The request has a control character (RFC 9110 section 5.5).";
	return parts[head->part] == NULL ? NULL : parts[head->part](head, c);
}

void head_read(struct head *head, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && head->wrong == NULL; i++)
		head->wrong = head_look(head, bytes[i]);
}
