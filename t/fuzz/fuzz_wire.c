/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Redis, or whoever listens in its place, answers, and when: the wire with a channel and a clock of this file,
 * which the linker puts in. The input is a list of steps, each with a piece of what is answered.
 */
#include "redis-schema/wire/wire.h"

#include "redis-schema/wire/alarm.h"
#include "redis-schema/wire/channel.h"
#include "t/fuzz/fuzz.h"

enum { ASKED_MOST = 2000, TIMEOUT_MS = 10 };

struct channel {
	struct channel_events events;
};

struct alarm {
	alarm_rings *rings;
	void *arg;
	bool set;
};

struct asked {
	int count; /* of its commands */
	int told, told_after_all;
	enum wire_end end;
};

static struct channel *the_channel;
static struct alarm *the_alarm;
static int64_t now_ms;
static struct wire *wire;
static bool up;
static int downs, connects;
static struct asked asked[ASKED_MOST];
static int asked_count;

/* ---- in the place of channel.c and alarm.c */

struct channel *channel_open(struct event_base *base, const char *path, const char *host, int port,
			     const struct channel_events *events, char *error, size_t error_size)
{
	(void)base;
	(void)path;
	(void)host;
	(void)port;
	(void)error;
	(void)error_size;
	MUST(the_channel == NULL);
	the_channel = malloc(sizeof *the_channel);
	MUST(the_channel != NULL);
	the_channel->events = *events;
	return the_channel;
}

bool channel_write(struct channel *channel, const char *bytes, size_t length)
{
	MUST(channel == the_channel && length > 0 && bytes[0] == '*' && bytes[length - 1] == '\n');
	return length % 7 != 0;
}

void channel_close(struct channel **channel)
{
	if (*channel == NULL)
		return;
	MUST(*channel == the_channel);
	free(the_channel);
	*channel = the_channel = NULL;
}

int64_t alarm_clock_ms(void)
{
	return now_ms;
}

struct alarm *alarm_new(struct event_base *base, alarm_rings *rings, void *arg)
{
	(void)base;
	the_alarm = malloc(sizeof *the_alarm);
	MUST(the_alarm != NULL);
	*the_alarm = (struct alarm){ .rings = rings, .arg = arg };
	return the_alarm;
}

void alarm_free(struct alarm **alarm)
{
	free(*alarm);
	*alarm = the_alarm = NULL;
}

void alarm_set(struct alarm *alarm, int64_t ms)
{
	MUST(ms >= 0);
	alarm->set = true;
}

void alarm_clear(struct alarm *alarm)
{
	alarm->set = false;
}

bool alarm_soon(struct event_base *base, alarm_rings *rings, void *arg)
{
	(void)base;
	(void)rings;
	(void)arg;
	return false;
}

/* ---- who asks */

static void ask(int how);

static void check_answers(const struct asked *asker, enum wire_end end, int count, const struct wire_answer *answers)
{
	MUST((end == WIRE_OK) == (answers != NULL) && count == (end == WIRE_OK ? asker->count : 0));
	for (int i = 0; i < count; i++) {
		const struct wire_answer *answer = &answers[i];
		MUST((answer->blame == BLAME_NOBODY) == (answer->error == NULL));
		MUST(answer->list || answer->count == 1);
		MUST(answer->error == NULL || (answer->text[0] == NULL && strlen(answer->error) < 1 << 20));
		for (int j = 0; j < answer->count; j++)
			MUST(answer->text[j] == NULL ? answer->length[j] == 0
						     : answer->text[j][answer->length[j]] == '\0');
	}
}

/* Some do something at once, as the first byte of an answer says. */
static void done(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct asked *asker = arg;
	MUST(asker->told++ == 0);
	asker->end = end;
	if (end == WIRE_OK && answers[0].count > 0 && answers[0].text[0] != NULL && answers[0].text[0][0] == 'd')
		wire_disconnect(wire, answers[0].text[0]);
	else if (end != WIRE_LOST && asker->count % 3 == 0)
		ask(asker->count);
	check_answers(asker, end, count, answers);
}

static void late(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct asked *asker = arg;
	MUST(asker->told == 1 && asker->end == WIRE_LATE && asker->told_after_all++ == 0 && end != WIRE_LATE);
	check_answers(asker, end, count, answers);
}

static void ask(int how)
{
	static const char *const words[] = { "GET", "a", "some more" };
	struct wire_command commands[WIRE_COMMANDS_MAX];
	struct asked *asker = &asked[asked_count];
	if (asked_count == ASKED_MOST)
		return;
	*asker = (struct asked){ .count = 1 + how % 5 };
	for (int i = 0; i < asker->count; i++)
		commands[i] = (struct wire_command){ .argc = 1 + (how + i) % 3, .argv = words };
	if (wire_ask_until(wire, now_ms + how % 16, commands, asker->count, done, late, asker))
		asked_count++;
	MUST(asker->told == 0);
}

static void on_up(void *arg)
{
	(void)arg;
	MUST(!up && wire_is_up(wire));
	up = true;
}

static void on_down(void *arg, const char *why)
{
	(void)arg;
	MUST(why[0] != '\0' && !wire_is_up(wire) && the_channel == NULL);
	up = false;
	downs++;
	for (int i = 0; i < asked_count; i++)
		MUST(asked[i].told == 1);
}

static void connect_wire(void)
{
	if (downs < connects)
		return;
	connects++;
	wire_connect(wire);
	MUST(the_channel != NULL);
	the_channel->events.open(the_channel->events.arg);
}

/* One step: what it is, and a number, which is of bytes that are answered. Returns how many of the input it took. */
static size_t step(const uint8_t *data, size_t size)
{
	size_t length = size > 2 ? data[1] : 0;
	length = length < size - 2 ? length : size - 2;
	switch (data[0] % 8) {
	case 0:
		connect_wire();
		return 2;
	case 1:
		wire_disconnect(wire, "the input says so");
		return 2;
	case 2:
		if (the_channel != NULL)
			the_channel->events.closed(the_channel->events.arg, "closed");
		return 2;
	case 3:
		now_ms += data[1] % 16;
		if (the_alarm->set) {
			the_alarm->set = false;
			the_alarm->rings(the_alarm->arg);
		}
		return 2;
	case 4:
		ask(data[1]);
		return 2;
	default:
		if (the_channel != NULL && length > 0)
			the_channel->events.bytes(the_channel->events.arg, (const char *)data + 2, length);
		return 2 + length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_settings settings = {
		.server = "unix:/s", .username = "", .password = "", .timeout_ms = TIMEOUT_MS
	};
	struct wire_events events = { .up = on_up, .down = on_down };
	char error[200];
	asked_count = downs = connects = 0;
	up = false;
	wire = wire_new(NULL, &settings, &events, error, sizeof error);
	MUST(wire != NULL);
	connect_wire();
	if (size % 4 != 0)
		the_channel->events.bytes(the_channel->events.arg, "+OK\r\n", 5);
	while (size >= 2) {
		size_t taken = step(data, size);
		data += taken;
		size -= taken;
	}
	wire_free(&wire);
	MUST(the_channel == NULL && the_alarm == NULL);
	for (int i = 0; i < asked_count; i++)
		MUST(asked[i].told == 1);
	return 0;
}
