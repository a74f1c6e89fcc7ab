/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/replay/replay_command.h"

#include "milter/ctl/tool/call.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/progress.h"
#include "milter/ctl/replay/replay_accounts.h"
#include "milter/ctl/replay/replay_show.h"
#include "policy/base/text.h"
#include "policy/replay/factline.h"
#include "policy/plan.h"
#include "policy/replay/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { BUFFER = 1 << 20, LIST_STANDS_MAX = 256, LINES_BETWEEN = 8192, LIMIT_MOST = 1000000 };

/* One call of the command. */
struct replay {
	const struct call *call;
	struct config *config[2];	      /* --config, --against; the second may be NULL */
	struct list *stands[LIST_STANDS_MAX]; /* lists that the configuration does not have; owned */
	int stand_count;
	struct factline line;
	struct replay_totals totals;
	struct replay_accounts accounts;
	struct progress progress;
};

/* The list as the new configuration has it; where it has none of that name, as it was. */
static const struct list *replay_command_find_list(void *arg, const char *name, enum list_kind kind, double weight,
						   enum list_action action)
{
	struct replay *replay = arg;
	const struct config *config = replay->config[0];
	for (int i = 0; i < config->list_count; i++)
		if (strcmp(config->lists[i].name, name) == 0)
			return &config->lists[i];
	for (int i = 0; i < replay->stand_count; i++)
		if (strcmp(replay->stands[i]->name, name) == 0)
			return replay->stands[i];
	if (replay->stand_count == LIST_STANDS_MAX)
		return NULL;
	struct list *list = have_memory(calloc(1, sizeof *list));
	text_copy(list->name, sizeof list->name, name);
	text_copy(list->zone, sizeof list->zone, name);
	list->kind = kind;
	list->weight = weight;
	list->action = action;
	replay->stands[replay->stand_count++] = list;
	return list;
}

/* Plans of the file alone: Redis is not asked. */
static bool replay_command_fill_plan(const void *arg, const char *name, struct limits *limits)
{
	const struct limits *plan = config_plan(arg, name);
	if (plan != NULL)
		limits_fill(limits, plan);
	return plan != NULL;
}

/* The line was read with the lists of the new configuration. */
static void replay_command_take_lists(const struct config *config, struct listings *listings)
{
	for (int i = 0; i < listings->hit_count; i++)
		for (int k = 0; k < config->list_count; k++)
			if (strcmp(config->lists[k].name, listings->hits[i].list->name) == 0)
				listings->hits[i].list = &config->lists[k];
}

static struct replay_outcome replay_command_judge_under(struct replay *replay, int which, struct facts *facts,
							struct replayed *memory)
{
	const struct config *config = replay->config[which];
	if (which > 0)
		replay_command_take_lists(config, &facts->listings);
	facts->state.history = memory->history;
	plan_limits(facts->account, &facts->state, facts->now_ms, replay_command_fill_plan, config, &facts->limits);
	struct verdict verdict = replay_message(&config->policy, replay->line.stage, facts, memory);
	bool leaves = verdict.pool != NULL && verdict.action <= ACTION_HOLD;
	return (struct replay_outcome){ (unsigned char)verdict.action, (unsigned char)verdict.level,
					leaves ? replay_pool(&replay->totals, verdict.pool->name) : 0 };
}

static struct replay_outcome replay_command_as_it_was(struct replay *replay)
{
	const struct factline_was *was = &replay->line.was;
	bool leaves = was->pool[0] != '\0' && was->action <= ACTION_HOLD;
	return (struct replay_outcome){ (unsigned char)was->action, (unsigned char)was->level,
					leaves ? replay_pool(&replay->totals, was->pool) : 0 };
}

static void replay_command_message(struct replay *replay, struct replay_account *account)
{
	struct facts *facts = &replay->line.facts, *other = facts;
	struct facts copy;
	struct replay_outcome from, to;
	if (replay->config[1] != NULL) {
		copy = *facts;
		other = &copy;
		from = replay_command_judge_under(replay, 1, other, account->memory + 1);
	} else {
		from = replay_command_as_it_was(replay);
	}
	to = replay_command_judge_under(replay, 0, facts, account->memory);
	replay_count(&replay->totals, account, facts->now_ms, from, to);
}

static void replay_command_take_line(struct replay *replay)
{
	struct factline *line = &replay->line;
	bool new;
	struct replay_account *account = replay_account(&replay->accounts, line->facts.account, &new);
	for (int i = 0; i < replay->accounts.histories; i++)
		if (line->kind == FACTLINE_STATE && new)
			account->memory[i].history = line->facts.state.history;
		else if (line->kind == FACTLINE_FEEDBACK)
			replay_feedback(&account->memory[i], line->counter, line->count, line->facts.now_ms);
	if (line->kind == FACTLINE_MESSAGE)
		replay_command_message(replay, account);
}

/* ---- reading */

struct facts_file {
	const char *name;
	int fd;
	char *bytes;	 /* BUFFER of them */
	uint64_t number; /* of the line */
};

/* False with the complaint made: a line of another version. */
static bool replay_command_one_line(struct replay *replay, struct facts_file *source, const char *line, size_t length)
{
	source->number++;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	switch (factline_read(line, length, replay_command_find_list, replay, &replay->line)) {
	case FACTLINE_FINE:
		replay_command_take_line(replay);
		break;
	case FACTLINE_DAMAGED:
		replay_damaged(&replay->totals, source->name, source->number);
		break;
	case FACTLINE_OTHER_VERSION:
		complain(replay->call,
			 "%s:%llu: a line of another version than %d; use the penstockctl that came with the daemon "
			 "which wrote it",
			 source->name, (unsigned long long)source->number, FACTLINE_VERSION);
		return false;
	default:
		break;
	}
	if (source->number % LINES_BETWEEN == 0)
		progress_show(&replay->progress);
	return true;
}

/* Each whole line in the buffer; what is left of the last one goes to its beginning. */
static bool replay_command_lines_of(struct replay *replay, struct facts_file *source, size_t *filled)
{
	char *at = source->bytes, *end = source->bytes + *filled;
	for (char *stop; (stop = memchr(at, '\n', (size_t)(end - at))) != NULL; at = stop + 1)
		if (!replay_command_one_line(replay, source, at, (size_t)(stop - at)))
			return false;
	*filled = (size_t)(end - at);
	memmove(source->bytes, at, *filled);
	if (*filled < BUFFER)
		return true;
	replay_damaged(&replay->totals, source->name, source->number + 1); /* a megabyte without an end of line */
	*filled = 0;
	return true;
}

static bool replay_command_read_source(struct replay *replay, struct facts_file *source)
{
	size_t filled = 0;
	for (;;) {
		ssize_t got = read(source->fd, source->bytes + filled, BUFFER - filled);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			complain(replay->call, "%s: cannot be read: %s", source->name, strerror(errno));
			return false;
		}
		if (got == 0)
			break;
		filled += (size_t)got;
		replay->progress.done += got;
		if (!replay_command_lines_of(replay, source, &filled))
			return false;
	}
	if (filled > 0)
		replay->totals.cut++;
	return true;
}

static bool replay_command_read_file(struct replay *replay, const char *name, char *bytes)
{
	bool standard = strcmp(name, "-") == 0;
	struct facts_file source = { standard ? "standard input" : name,
				     standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC), bytes, 0 };
	if (source.fd < 0) {
		complain(replay->call, "%s: cannot be opened: %s", name, strerror(errno));
		return false;
	}
	bool fine = replay_command_read_source(replay, &source);
	if (!standard)
		close(source.fd);
	return fine;
}

/* 0 where one of them has no size, a pipe. */
static int64_t replay_command_size_of_all(const struct call *call)
{
	int64_t size = 0;
	for (int i = 0; i < call->count; i++) {
		struct stat status;
		bool plain = strcmp(call->arguments[i], "-") == 0 ? fstat(STDIN_FILENO, &status) == 0
								  : stat(call->arguments[i], &status) == 0;
		if (!plain || !S_ISREG(status.st_mode))
			return 0;
		size += status.st_size;
	}
	return size;
}

static bool replay_command_read_all(struct replay *replay)
{
	const struct call *call = replay->call;
	char *bytes = have_memory(malloc(BUFFER));
	bool fine = true;
	replay->progress =
		(struct progress){ .what = "replay", .total = replay_command_size_of_all(call), .unit = "bytes" };
	progress_begin();
	for (int i = 0; i < call->count && fine; i++)
		fine = replay_command_read_file(replay, call->arguments[i], bytes);
	progress_wipe();
	free(bytes);
	return fine;
}

static void replay_command_end(struct replay *replay)
{
	for (int i = 0; i < replay->stand_count; i++)
		free(replay->stands[i]);
	replay_accounts_free(&replay->accounts);
	for (int i = 0; i < 2; i++)
		if (replay->config[i] != NULL)
			config_drop(&replay->config[i]);
	free(replay);
}

int replay_command_run(const struct call *call)
{
	char error[CONFIG_ERROR_MAX];
	int64_t rows = 20;
	const char *against = call->option[OPTION_AGAINST], *given = call->option[OPTION_LIMIT];
	if (given != NULL && !text_to_int(given, 0, LIMIT_MOST, &rows))
		return complain(call, "--limit \"%.100s\": expected a whole number from 0 to %d", given, LIMIT_MOST);
	struct replay *replay = have_memory(calloc(1, sizeof *replay));
	replay->call = call;
	replay->accounts.histories = against != NULL ? 2 : 1;
	replay->config[0] = call_config(call);
	if (replay->config[0] != NULL && against != NULL && (replay->config[1] = config_load(against, error)) == NULL)
		complain(call, "%s", error);
	bool fine = replay->config[0] != NULL && (against == NULL || replay->config[1] != NULL) &&
		    replay_command_read_all(replay);
	if (fine)
		replay_show(&replay->totals, &replay->accounts, (size_t)rows, against,
			    call->option[OPTION_JSON] != NULL, stdout);
	replay_command_end(replay);
	return fine ? EXIT_FINE : EXIT_USAGE;
}
