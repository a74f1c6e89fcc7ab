/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/start/extras.h"

#include "milter/control/control.h"
#include "milter/daemon/daemon.h"
#include "milter/base/endpoint.h"
#include "milter/record/factlog.h"
#include "milter/base/loop.h"
#include "milter/base/privilege.h"
#include "milter/mta/socketmap.h"
#include "milter/base/sockets.h"
#include "milter/daemon/trouble.h"
#include "milter/web/http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/base/banned.h"

static struct {
	const struct config *first; /* whose sockets they are; NULL: not started */
	struct http *http;	    /* the loop thread's, as the next two are */
	struct control *control;
	struct socketmap *socketmap;
	struct loop_job again;
	atomic_bool again_waits;
} extras;

/* ---- one by one */

static bool extras_open_socketmap(const struct config *config, char *error, size_t error_size)
{
	const struct settings *set = &config->set;
	struct socket_form form = { .mode = privilege_mode(set->milter_socket_mode),
				    .group = set->milter_socket_group };
	if (set->socketmap_listen[0] == '\0')
		return true;
	if (!endpoint_parse(set->socketmap_listen, &form.endpoint, error, error_size))
		return false;
	int fd = sockets_listen(&form, error, error_size);
	if (fd < 0)
		return false;
	extras.socketmap = socketmap_start(loop_base(the_daemon.loop), fd);
	if (extras.socketmap == NULL)
		snprintf(error, error_size, "no memory");
	else
		sockets_watch(SOCKET_SOCKETMAP, &form, fd, socketmap_listener(extras.socketmap));
	return extras.socketmap != NULL;
}

static bool open_control(const struct config *config, char *error, size_t error_size)
{
	extras.control = control_start(loop_base(the_daemon.loop), config->set.control_socket, error, error_size);
	return extras.control != NULL;
}

static bool extras_open_http(const struct config *config, char *error, size_t error_size)
{
	if (config->set.http_listen[0] == '\0')
		return true;
	extras.http = http_start(loop_base(the_daemon.loop), config->set.http_listen, error, error_size);
	return extras.http != NULL;
}

struct extra {
	enum trouble trouble;
	bool (*open)(const struct config *config, char *error, size_t error_size);
	const char *meanwhile;
};

static const struct extra listening[] = {
	{ TROUBLE_CONTROL, open_control, "penstockctl has no answer" },
	{ TROUBLE_SOCKETMAP, extras_open_socketmap, "Postfix's look-ups fail, and it defers mail that needs them" },
	{ TROUBLE_HTTP, extras_open_http, "/health and /metrics have no answer" },
};
static const struct extra facts[] = { { TROUBLE_FACTS, factlog_open, "no facts are written" } };

#define COUNT_OF(rows) (sizeof(rows) / sizeof(rows)[0])

static void extras_open_rows(const struct extra *rows, size_t count, const struct config *config, bool again)
{
	for (size_t i = 0; i < count; i++) {
		char why[500];
		if (again && !trouble_is(rows[i].trouble, NULL))
			continue;
		if (rows[i].open(config, why, sizeof why))
			trouble_clear(rows[i].trouble);
		else
			trouble_set(rows[i].trouble,
				    "%s: %s; %s until it can be opened, which is tried every %d seconds",
				    trouble_word(rows[i].trouble), why, rows[i].meanwhile, EXTRAS_AGAIN_S);
	}
}

/* ---- all */

void extras_start(const struct config *first)
{
	extras.first = first;
	extras_open_rows(listening, COUNT_OF(listening), first, false);
}

void extras_open_facts(const struct config *config)
{
	extras_open_rows(facts, COUNT_OF(facts), config, false);
}

bool extras_control(void)
{
	return extras.control != NULL;
}

static void open_sockets_again(struct loop_job *job)
{
	(void)job;
	extras_open_rows(listening, COUNT_OF(listening), extras.first, true);
	atomic_store(&extras.again_waits, false);
}

void extras_try_again(void)
{
	struct setup *setup = setup_hold();
	extras_open_rows(facts, COUNT_OF(facts), setup->config, true);
	setup_drop(&setup);
	if (atomic_exchange(&extras.again_waits, true))
		return;
	extras.again.run = open_sockets_again;
	loop_post(the_daemon.loop, &extras.again);
}

void extras_stop(void)
{
	http_stop(&extras.http);
	control_stop(&extras.control);
	socketmap_stop(&extras.socketmap);
	factlog_close();
	extras.first = NULL;
}
