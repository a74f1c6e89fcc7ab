/* SPDX-License-Identifier: BSD-2-Clause
 *
 * session_fixture: lines of a log in short: "SECONDS PID PROGRAM: MESSAGE".
 */
#ifndef PENSTOCK_SESSION_FIXTURE_H
#define PENSTOCK_SESSION_FIXTURE_H

#include "milter/follow/log_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_S INT64_C(1790000000)

/* The head points into `line`. */
__attribute__((unused)) static struct log_head head_of(const char *line)
{
	char *rest;
	struct log_head head = { .time_us = (FIRST_S + strtoll(line, &rest, 10)) * 1000000 };
	head.pid = strtoll(rest, &rest, 10);
	const char *program = rest + 1, *colon = strchr(program, ':');
	head.program = (struct span){ program, (size_t)(colon - program) };
	head.message = (struct span){ colon + 2, strlen(colon + 2) };
	return head;
}

#endif
