/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What penstockctl reads over the control socket, where a daemon of another age, or anybody who took its place, may say
 * anything: as one answer that is shown, and as a stream of lines. The first byte picks what shows it; bit 7 puts a
 * line of the greatest length before it.
 *
 * Takes the place of milter/base/endpoint.c.
 */
#include "milter/ctl/tool/client.h"
#include "milter/ctl/explain_show.h"
#include "milter/ctl/held_commands.h"
#include "milter/ctl/rbl/rbl_show.h"
#include "milter/ctl/show.h"
#include "milter/ctl/show_shadow.h"
#include "milter/base/endpoint.h"

#include "t/fuzz/fuzz.h"

enum { SILENCE_MS = 10000 };

static show_answer *const shows[] = {
	show_status, show_top,	  show_pools,	show_monitor_check, show_events,   show_account,    show_explain,
	show_held,   show_shadow, show_blocked, show_unblocked,	    show_exempted, show_unexempted, show_reset,
};

static const char *bytes;
static size_t length;

bool endpoint_parse(const char *text, struct endpoint *endpoint_out, char *error, size_t error_size)
{
	(void)text, (void)error, (void)error_size;
	*endpoint_out = (struct endpoint){ .length = 0 };
	return true;
}

bool endpoint_is_link_local(const struct endpoint *endpoint)
{
	(void)endpoint;
	return false;
}

/* All that the daemon says is there already, and its end. Its own socket stays open for what is asked. */
int endpoint_connect(const struct endpoint *endpoint)
{
	static int daemon = -1;
	int fds[2], size = 1 << 20;
	(void)endpoint;
	if (daemon >= 0)
		close(daemon);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	MUST(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
	MUST(send(fds[1], bytes, length, MSG_DONTWAIT) == (ssize_t)length);
	MUST(shutdown(fds[1], SHUT_WR) == 0);
	daemon = fds[1];
	return fds[0];
}

static void check_shown(show_answer *show, const json_t *answer)
{
	char *shown = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&shown, &size);
	MUST(to != NULL);
	show(answer, true, to);
	fclose(to);
	must_be_clean(shown, size);
	free(shown);
}

static void ask(show_answer *show, const json_t *request)
{
	char error[600] = "";
	json_t *answer = client_ask("/x", request, error, sizeof error);
	MUST((answer == NULL) == (error[0] != '\0') && (answer == NULL || json_is_object(answer)));
	if (answer != NULL)
		check_shown(show, answer);
	json_decref(answer);
}

static struct rbl_show *new_show(struct paper *paper, char **shown_out, size_t *size_out, bool verbose)
{
	*paper = (struct paper){ .to = open_memstream(shown_out, size_out), .width = 80 };
	MUST(paper->to != NULL);
	return rbl_show_new("mail.example.com", verbose);
}

static void take_line(struct rbl_show *show, const struct paper *paper, const char *line, size_t line_length)
{
	json_t *json = json_loadb(line, line_length, 0, NULL);
	if (json_is_object(json))
		rbl_show_line(show, json, paper);
	json_decref(json);
}

/* The lines together are what was said. */
static void stream(const json_t *request, bool verbose)
{
	char error[600] = "", *shown = NULL;
	const char *line;
	size_t line_length, seen = 0, size = 0;
	enum client_said said;
	struct paper paper;
	struct rbl_show *show = new_show(&paper, &shown, &size, verbose);
	struct client_stream *from = client_open("/x", request, SILENCE_MS, error, sizeof error);
	MUST(from != NULL);
	while ((said = client_next(from, 0, &line, &line_length, error, sizeof error)) == CLIENT_LINE) {
		MUST(line_length <= CLIENT_LINE_MAX && line[line_length] == '\0' &&
		     memchr(line, '\n', line_length) == NULL);
		MUST(memcmp(bytes + seen, line, line_length) == 0 && bytes[seen + line_length] == '\n');
		seen += line_length + 1;
		take_line(show, &paper, line, line_length);
	}
	MUST(said == CLIENT_END || said == CLIENT_FAILED);
	MUST((said == CLIENT_END) == (seen == length) && (said == CLIENT_FAILED) == (error[0] != '\0'));
	client_close(&from);
	rbl_show_rest(show, &paper);
	rbl_show_free(&show);
	fclose(paper.to);
	must_be_clean(shown, size);
	free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char said[CLIENT_LINE_MAX + 8000];
	if (size == 0 || size > 4096)
		return 0;
	length = (data[0] & 0x80) != 0 ? CLIENT_LINE_MAX - 1 + (data[0] >> 5 & 3) : 0;
	memset(said, ' ', length);
	memcpy(said + length, data + 1, size - 1);
	length += size - 1;
	bytes = said;
	json_t *request = json_pack("{s:s}", "do", "status");
	ask(shows[(data[0] & 0x1f) % (sizeof shows / sizeof shows[0])], request);
	stream(request, (data[0] & 1) != 0);
	json_decref(request);
	return 0;
}
