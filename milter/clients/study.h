/* SPDX-License-Identifier: BSD-2-Clause
 *
 * study: what the history of throttling (history_file.h) says of all clients: who was refused by a list, who gave up
 * while he was made to wait, and which came first. Read from the files alone.
 *
 * What is remembered of a client is 24 bytes in a hash table that has STUDY_SLOTS at most. More clients than fit are
 * counted in several passes over the files, each of a range of the hash: memory has a bound, and no count is guessed.
 */
#ifndef PENSTOCK_STUDY_H
#define PENSTOCK_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STUDY_SLOTS = 1 << 24 }; /* 400 MB, twice that while it grows */

/* How long it was until the other came. id, word, from how many seconds on. */
#define STUDY_SPAN_ROWS(ROW) \
	ROW(SECONDS, "under 1 minute", 0) \
	ROW(MINUTES, "1 to 10 minutes", 60) \
	ROW(HOUR, "10 to 60 minutes", 600) \
	ROW(HOURS, "1 to 6 hours", 3600) \
	ROW(DAY, "6 to 24 hours", 21600) \
	ROW(DAYS_1, "1 to 2 days", 86400) \
	ROW(DAYS_2, "2 to 4 days", 172800) \
	ROW(DAYS_4, "4 to 8 days", 345600) \
	ROW(DAYS_8, "8 to 16 days", 691200) \
	ROW(DAYS_16, "16 to 32 days", 1382400) \
	ROW(DAYS_32, "32 days or more", 2764800)

/* How often something befell a client. id, word, from how many times on. */
#define STUDY_TIMES_ROWS(ROW) \
	ROW(1, "once", 1) \
	ROW(2, "twice", 2) \
	ROW(3, "3 or 4 times", 3) \
	ROW(5, "5 to 9 times", 5) \
	ROW(10, "10 to 29 times", 10) \
	ROW(30, "30 to 99 times", 30) \
	ROW(100, "100 to 999 times", 100) \
	ROW(1000, "1,000 or more", 1000)

/* clang-format off */
#define STUDY_ENUM(id, word, from) STUDY_SPAN_##id,
enum study_span_row { STUDY_SPAN_ROWS(STUDY_ENUM) STUDY_SPAN_COUNT };
#undef STUDY_ENUM
#define STUDY_ENUM(id, word, from) STUDY_TIMES_##id,
enum study_times_row { STUDY_TIMES_ROWS(STUDY_ENUM) STUDY_TIMES_COUNT };
#undef STUDY_ENUM
/* clang-format on */

const char *study_span_word(enum study_span_row row);
int64_t study_span_from(enum study_span_row row);
const char *study_times_word(enum study_times_row row);
uint64_t study_times_from(enum study_times_row row);

/* Clients of whom one thing came so long before another. */
struct study_span {
	uint64_t clients;
	uint64_t sum_s;
	uint64_t least_s, most_s; /* 0 where there are no clients */
	uint64_t row[STUDY_SPAN_COUNT];
};

/* Clients whom something befell, and how often. */
struct study_times {
	uint64_t clients;
	uint64_t sum, most;
	uint64_t row[STUDY_TIMES_COUNT];
};

struct study {
	/* what was read */
	int files, passes;
	uint64_t rows;		 /* of the period */
	uint64_t other_rows;	 /* of another: their time is not of their day's file, or lies ahead of now */
	uint64_t damaged_rows;	 /* unreadable; they count for nothing else */
	int foreign_files;	 /* that do not begin as ours do; nothing of them was read */
	int cut_files;		 /* that end within a row */
	int64_t first_s, last_s; /* times of the oldest and the newest row; 0: none */
	int missing_days;	 /* between these, without a file */
	uint64_t kind_rows[5];	 /* by enum history_kind */

	/* clients; "refused" is by a list, "slowed" made to wait, "gave up" hung up meanwhile */
	uint64_t clients;
	uint64_t always_refused;     /* and never slowed, nor was mail of it taken */
	uint64_t refused_and_slowed; /* never gave up */
	uint64_t refused_and_taken;  /* never slowed */
	uint64_t slowed_only;	     /* never refused, never gave up */
	uint64_t taken_only;	     /* never refused, never slowed */

	struct study_times refusals; /* of clients refused at all */

	uint64_t gave_up;
	uint64_t gave_up_never_listed;
	uint64_t gave_up_taken;		  /* mail was taken of it, too, before or after */
	struct study_span given_up_first; /* it gave up, and was refused later: by how long */
	struct study_span listed_first;	  /* it was refused, and gave up later or in the same second */

	struct study_times slowed_never_refused;  /* those who gave up, too */
	uint64_t slowed_below_10, slowed_below_5; /* of these, fewer than 10 times; no more than 4 times */
};

struct study_asked {
	const char *folder; /* borrowed */
	int64_t now_s;
	int64_t days;	   /* with today (UTC); 0: all that are there */
	size_t slots_most; /* a power of 2; 0: STUDY_SLOTS */
	/* Called now and then: of `total` parts so many are done. May be NULL. */
	void (*progress)(int64_t done, int64_t total);
};

/* False with a sentence in `error`: the folder or a file cannot be read, or memory does not last. A folder without a
 * history is none: files is 0 then. */
bool study_read(const struct study_asked *asked, struct study *study_out, char *error, size_t error_size);

/* Days (UTC) from the oldest row to the newest, both counted; 0: there is none. */
int64_t study_days(const struct study *study);

#endif
