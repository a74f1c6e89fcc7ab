/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/history.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/base/plain_file.h"
#include "milter/base/wait.h"
#include "policy/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	WAITING_MOST = 65536, /* rows; 1 MiB */
	WAKE_AT = WAITING_MOST / 4,
	WRITE_MS = 1000,
	FOLDER_MAX = 300,
	TIDY_EVERY_S = 600, /* one old file is removed so often */
};

/* What the thread alone has. */
struct history_writer {
	struct history_row *rows; /* WAITING_MOST */
	unsigned char bytes[WAITING_MOST * HISTORY_ROW];
	char folder[FOLDER_MAX];
	int64_t days;
	int fd; /* of ... */
	int64_t day;
	int64_t tidied_s; /* by the monotonic clock; 0: never */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool runs, stops;
	char folder[FOLDER_MAX];
	int64_t days; /* 0: off */
	struct history_row *rows;
	size_t count;
	uint64_t lost, said; /* said: as the log has it */
	bool losing;
	int64_t strange_s; /* when the newest line of a strange time was written, monotonic; 0: never */
	char why[200];
} history = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.wake = PTHREAD_COND_INITIALIZER,
};

static uint64_t history_client(const struct netaddr *client)
{
	uint64_t number = 0;
	for (int i = 0; i < (client->family == NETADDR_V4 ? 4 : client->family == NETADDR_V6 ? 8 : 0); i++)
		number = number << 8 | client->bytes[i];
	return number;
}

/* ---- what is lost. With the lock held. */

static void history_lose(uint64_t rows, const char *why)
{
	history.lost += rows;
	text_copy(history.why, sizeof history.why, why);
	if (!history.losing)
		log_line(SEVERITY_WARNING, "clients.history_days: %s; rows of the history are lost until that ends",
			 why);
	history.losing = true;
}

static void history_end_loss(void)
{
	if (history.losing)
		log_line(SEVERITY_INFO, "clients.history_days: the history is written again; %llu rows were lost",
			 (unsigned long long)(history.lost - history.said));
	history.said = history.lost;
	history.losing = false;
	history.why[0] = '\0';
}

/* What tells of another time than is kept; a line an hour. */
static void history_lose_strange(void)
{
	int64_t now_s = clock_monotonic_ms() / 1000;
	history.lost++;
	text_copy(history.why, sizeof history.why, "a time is not of the days that are kept");
	if (history.strange_s == 0 || now_s - history.strange_s >= 3600) {
		log_line(SEVERITY_WARNING,
			 "clients.history_days: what is told of a client has a time that is not of the days that are "
			 "kept, and is lost to the history; is a clock wrong?");
		history.strange_s = now_s > 0 ? now_s : 1;
	}
}

/* ---- the thread's files */

static void history_close_file(struct history_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	writer->fd = -1;
}

/* A file that ends within a row, or its head, was cut short by a crash or a full disk: what is left of that row goes,
 * or all behind it would be read wrongly. False with the reason; "": it is none of ours. */
static bool history_mend(int fd, const char **why_out)
{
	struct stat about = { 0 };
	char head[HISTORY_ROW];
	*why_out = "";
	bool fine = fstat(fd, &about) == 0 && (about.st_size % HISTORY_ROW == 0 ||
					       ftruncate(fd, about.st_size - about.st_size % HISTORY_ROW) == 0);
	if (fine && about.st_size >= HISTORY_ROW) {
		fine = pread(fd, head, sizeof head, 0) == sizeof head;
		if (fine)
			return memcmp(head, HISTORY_HEAD, sizeof head) == 0;
	} else if (fine) {
		ssize_t wrote = write(fd, HISTORY_HEAD, HISTORY_ROW);
		if (wrote == HISTORY_ROW)
			return true;
		errno = wrote < 0 ? errno : ENOSPC;
	}
	*why_out = strerror(errno);
	return false;
}

/* The file of `day`, in its place. False with the reason. One that is none of ours makes room, and stays for a person
 * to look at. */
static bool history_open_file(struct history_writer *writer, int64_t day, const char **why_out)
{
	char path[FOLDER_MAX + HISTORY_NAME_MAX], aside[sizeof path + 10], name[HISTORY_NAME_MAX];
	if (writer->fd >= 0 && writer->day == day)
		return true;
	history_close_file(writer);
	history_day_write(day, name);
	snprintf(path, sizeof path, "%s/%s", writer->folder, name);
	writer->day = day;
	for (int tries = 0; tries < 2; tries++) {
		writer->fd = plain_file_open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, why_out);
		if (writer->fd < 0 || history_mend(writer->fd, why_out))
			break;
		history_close_file(writer);
		if (**why_out != '\0')
			break;
		snprintf(aside, sizeof aside, "%s.damaged", path);
		log_line(SEVERITY_WARNING, "%s does not begin as a file of the history does; it is %s.damaged now",
			 path, name);
		*why_out = rename(path, aside) == 0 ? "a damaged file is in its place" : strerror(errno);
	}
	return writer->fd >= 0;
}

/* How many of `count` rows of one day were written; they stay whole. */
static size_t history_write_day(struct history_writer *writer, size_t from, size_t count, const char **why_out)
{
	size_t length = count * HISTORY_ROW, done = 0;
	if (!history_open_file(writer, writer->rows[from].time_s / HISTORY_DAY_S, why_out))
		return 0;
	for (size_t i = 0; i < count; i++)
		history_row_write(&writer->rows[from + i], writer->bytes + i * HISTORY_ROW);
	while (done < length) {
		ssize_t wrote = write(writer->fd, writer->bytes + done, length - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			break;
		done += (size_t)wrote;
	}
	if (done == length)
		return count;
	*why_out = strerror(errno);
	history_close_file(writer); /* opened anew it is mended */
	return done / HISTORY_ROW;
}

static int history_compare_days(const void *left, const void *right)
{
	uint32_t a = ((const struct history_row *)left)->time_s / HISTORY_DAY_S,
		 b = ((const struct history_row *)right)->time_s / HISTORY_DAY_S;
	return (a > b) - (a < b);
}

/* All rows, day by day; those that were lost. */
static size_t history_write_rows(struct history_writer *writer, size_t count, const char **why_out)
{
	size_t lost = 0;
	qsort(writer->rows, count, sizeof writer->rows[0], history_compare_days);
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && history_compare_days(&writer->rows[from], &writer->rows[to]) == 0;)
			to++;
		lost += to - from - history_write_day(writer, from, to - from, why_out);
	}
	return lost;
}

/* ---- old files */

/* The oldest day in the folder; -1: none. */
static int64_t history_oldest(const char *folder)
{
	int64_t oldest = -1, day;
	DIR *list = opendir(folder);
	for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;)
		if (history_day_read(entry->d_name, &day) && (oldest < 0 || day < oldest))
			oldest = day;
	if (list != NULL)
		closedir(list);
	return oldest;
}

static void history_tidy(struct history_writer *writer)
{
	char path[FOLDER_MAX + HISTORY_NAME_MAX], name[HISTORY_NAME_MAX];
	int64_t now_s = clock_monotonic_ms() / 1000, today = clock_now_ms() / 1000 / HISTORY_DAY_S;
	if (writer->days == 0 || (writer->tidied_s != 0 && now_s - writer->tidied_s < TIDY_EVERY_S))
		return;
	writer->tidied_s = now_s > 0 ? now_s : 1;
	int64_t oldest = history_oldest(writer->folder);
	if (oldest < 0 || today - oldest < writer->days)
		return;
	if (writer->fd >= 0 && writer->day == oldest)
		history_close_file(writer);
	history_day_write(oldest, name);
	snprintf(path, sizeof path, "%s/%s", writer->folder, name);
	if (unlink(path) != 0 && errno != ENOENT)
		log_line(SEVERITY_WARNING, "clients.history_days: %s is too old and cannot be removed: %s", path,
			 strerror(errno));
}

/* ---- the thread */

static void history_free_writer(struct history_writer *writer)
{
	if (writer == NULL)
		return;
	history_close_file(writer);
	free(writer->rows);
	free(writer);
}

static struct history_writer *history_new_writer(void)
{
	struct history_writer *writer = calloc(1, sizeof *writer);
	if (writer == NULL)
		return NULL;
	writer->fd = -1;
	writer->rows = calloc(WAITING_MOST, sizeof *writer->rows);
	if (writer->rows != NULL)
		return writer;
	history_free_writer(writer);
	return NULL;
}

/* With the lock held, which is given up while the disk is waited for. */
static void history_flush(struct history_writer *writer)
{
	size_t count = history.count;
	const char *why = "";
	struct history_row *rows = history.rows;
	history.rows = writer->rows;
	writer->rows = rows;
	history.count = 0;
	pthread_mutex_unlock(&history.lock);
	size_t lost = count > 0 ? history_write_rows(writer, count, &why) : 0;
	history_tidy(writer);
	pthread_mutex_lock(&history.lock);
	if (lost > 0)
		history_lose(lost, why);
	else if (count > 0 && history.count < WAKE_AT)
		history_end_loss();
}

/* With the lock held and nothing waiting. */
static void history_follow_settings(struct history_writer *writer)
{
	if (strcmp(writer->folder, history.folder) == 0 && writer->days == history.days)
		return;
	history_close_file(writer);
	text_copy(writer->folder, sizeof writer->folder, history.folder);
	writer->days = history.days;
	writer->tidied_s = 0;
}

static void *history_thread(void *arg)
{
	struct history_writer *writer = arg;
	pthread_mutex_lock(&history.lock);
	while (!history.stops) {
		history_follow_settings(writer);
		history_flush(writer);
		if (!history.stops && history.count < WAKE_AT)
			wait_cond(&history.wake, &history.lock, WRITE_MS);
	}
	history_follow_settings(writer);
	history_flush(writer);
	pthread_mutex_unlock(&history.lock);
	history_free_writer(writer);
	return NULL;
}

/* With the lock held. */
static bool history_start_thread(void)
{
	struct history_writer *writer = history_new_writer();
	if (history.rows == NULL)
		history.rows = calloc(WAITING_MOST, sizeof *history.rows);
	history.stops = false;
	history.runs = writer != NULL && history.rows != NULL &&
		       pthread_create(&history.thread, NULL, history_thread, writer) == 0;
	if (!history.runs)
		history_free_writer(writer);
	return history.runs;
}

/* ---- what others call */

static bool history_check(const char *folder, int64_t days, char *error, size_t error_size)
{
	if (days == 0)
		return true;
	if (*folder == '\0')
		snprintf(error, error_size,
			 "clients.history_days is %lld, and clients.state is empty, expected a folder for the history",
			 (long long)days);
	else if (strlen(folder) >= FOLDER_MAX)
		snprintf(error, error_size, "clients.state has %zu bytes, expected at most %d", strlen(folder),
			 FOLDER_MAX - 1);
	else if (access(folder, W_OK | X_OK) != 0)
		snprintf(error, error_size,
			 "clients.state is \"%s\", in which no history can be written: %s; the systemd unit lets the "
			 "daemon write below /var/lib/penstock",
			 folder, strerror(errno));
	else
		return true;
	return false;
}

bool history_start(const char *folder, int64_t days, char *error, size_t error_size)
{
	if (!history_check(folder, days, error, error_size))
		return false;
	pthread_mutex_lock(&history.lock);
	bool fine = history.runs || days == 0 || history_start_thread();
	if (fine)
		history.days = days;
	if (fine && days > 0)
		text_copy(history.folder, sizeof history.folder, folder);
	pthread_mutex_unlock(&history.lock);
	if (!fine)
		snprintf(error, error_size, "the thread that writes the history of throttling cannot be made");
	return fine;
}

void history_stop(void)
{
	pthread_mutex_lock(&history.lock);
	bool runs = history.runs;
	history.stops = true;
	history.runs = false;
	pthread_cond_signal(&history.wake);
	pthread_mutex_unlock(&history.lock);
	if (runs)
		pthread_join(history.thread, NULL);
	pthread_mutex_lock(&history.lock);
	free(history.rows);
	history.rows = NULL;
	history.count = 0;
	history.days = 0;
	pthread_mutex_unlock(&history.lock);
}

/* A row of a day that is kept; a little ahead of our clock may be another host's. */
static bool history_takes(int64_t day, int64_t today)
{
	return day > 0 && day > today - history.days && day <= today + 1;
}

void history_note(const struct netaddr *client, enum history_kind kind, int64_t time_s)
{
	struct history_row row = { .client = history_client(client), .time_s = (uint32_t)time_s, .kind = kind };
	if (row.client == 0)
		return;
	int64_t today = clock_now_ms() / 1000 / HISTORY_DAY_S;
	pthread_mutex_lock(&history.lock);
	if (history.runs && history.days > 0) {
		if (time_s > UINT32_MAX || !history_takes(time_s / HISTORY_DAY_S, today))
			history_lose_strange();
		else if (history.count == WAITING_MOST)
			history_lose(1, "the disk does not keep up");
		else
			history.rows[history.count++] = row;
		if (history.count >= WAKE_AT)
			pthread_cond_signal(&history.wake);
	}
	pthread_mutex_unlock(&history.lock);
}

uint64_t history_lost(char why[200])
{
	pthread_mutex_lock(&history.lock);
	uint64_t lost = history.lost;
	memcpy(why, history.why, sizeof history.why);
	pthread_mutex_unlock(&history.lock);
	return lost;
}
