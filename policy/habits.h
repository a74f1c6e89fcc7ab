/* SPDX-License-Identifier: BSD-2-Clause
 *
 * habits: what an account usually does, in few bytes: where it sends from, as whom, with what program, what, to whom,
 * at which hours and how much. Sketches, not records: keyed hashes of 16 bits (recipients: 32), newest first, and
 * logarithms in a byte. They are kept in Redis as they are written here; of two messages at once the later one holds,
 * and the next message mends it, but for the day's distinct things: those of both count.
 *
 * A thing that is seen for the first time is not yet the account's: a thief's first message would make the next ones
 * look at home. Each carries its age in its two low bits, in half-days of UTC, and is one of the account's when it has
 * been there for two of their ends (12 to 24 hours) while the account behaved. What is that young never pushes out more
 * than half of a list, and goes when the account misbehaves.
 *
 * Distinct things are counted by linear counting (Whang, Vander-Zanden, Taylor 1990): a hash sets one bit of a day's
 * map; n is -m ln(part of the bits that is clear). Good to a few per cent up to some 200.
 */
#ifndef PENSTOCK_HABITS_H
#define PENSTOCK_HABITS_H

#include "policy/limit.h"

enum {
	HABIT_NETWORKS = 7,
	HABIT_ASES = 4,
	HABIT_WIDES = 4,
	HABIT_SENDERS = 3,
	HABIT_MAILERS = 4,
	HABIT_TEXTS = 16,
	HABIT_HOSTS = 14,
	HABIT_KNOWN_MAX = 16, /* recipients; of more those of an account stand in a key of their own, policy/known.h */
	DISTINCT_COUNT = COUNTED_COUNT - COUNTED_SUMS, /* by counted - COUNTED_SUMS: addresses, networks, ASes */
};

/* The parts of an account's record that hold them. */
enum habit_part {
	HABIT_PLACES = 1, /* day, days, distinct, networks, ases, senders, mailers */
	HABIT_WEEK = 2,	  /* hours and weekdays */
	HABIT_KNOWN = 4,  /* known */
	HABIT_TEXT = 8,	  /* wides, texts, hosts, reach, last_text */
};
enum { HABIT_BYTES_MAX = 92 };

/* A text that the account sent: fingerprint, age, how often (as far as it matters), how long. */
struct habit_text {
	uint16_t entry; /* as the lists below */
	uint8_t form;	/* times in the two low bits, above them the length in steps of a quarter of a doubling */
};

struct habits {
	uint16_t day; /* days since 1970 (UTC) of `distinct` */
	bool half;    /* the second half of that day has begun */
	uint8_t days; /* days on which it sent and behaved, what the ramp counts; 255: and more */
	struct {
		uint64_t today;	   /* bits; of ASes the lower 32 */
		uint8_t yesterday; /* how many there were */
	} distinct[DISTINCT_COUNT];
	/* newest first; 0: none; the two low bits: half-days until it is the account's */
	uint16_t networks[HABIT_NETWORKS], ases[HABIT_ASES];
	uint16_t senders[HABIT_SENDERS], mailers[HABIT_MAILERS];
	uint8_t hours[24],
		weekdays[7]; /* of local time: log2(1 + messages an hour) in steps of 1/20, smoothed; 0: never */
	uint16_t wides[HABIT_WIDES]; /* networks of /16 (IPv6: /32) */
	uint16_t hosts[HABIT_HOSTS]; /* that its links name */
	struct habit_text texts[HABIT_TEXTS];
	uint8_t reach;			 /* most recipients in an hour, in steps of hours[]; fades */
	uint32_t known[HABIT_KNOWN_MAX]; /* recipients, newest first; 0: none */
	uint16_t last_text;		 /* of its last message, whoever wrote it, without an age; 0: none */
	bool many;			 /* more recipients than `known` holds: they stand in the other key */
};

/* One message as habits see it. Hashes are of 64 bits; 0: unknown, or there is none. */
struct habit_facts {
	int64_t now_s, local_offset_s;	     /* Unix time; seconds east of UTC */
	uint64_t address, network, as, wide; /* of the client */
	uint64_t sender, mailer, text;
	const uint64_t *hosts; /* borrowed */
	int host_count;
	int64_t text_words;
	bool behaves;			  /* the account does nothing that only a thief does */
	bool homely;			  /* surely its owner's: what the message shows becomes habit */
	bool suspect;			  /* its text does not, then */
	bool alone;			  /* nobody writes from elsewhere within the hour */
	double hour_messages, hour_rcpts; /* what it sent in the clock hour of its last message ... */
	int64_t last_s;			  /* ... Unix time of that message; 0: none */
};

/* Is it one of the account's? False for 0, which is no thing, and for one that is seen since hours only. */
bool habit_has_network(const struct habits *habits, uint64_t network);
bool habit_has_as(const struct habits *habits, uint64_t as);
bool habit_has_wide(const struct habits *habits, uint64_t wide);
bool habit_has_sender(const struct habits *habits, uint64_t sender);
bool habit_has_mailer(const struct habits *habits, uint64_t mailer);
bool habit_has_host(const struct habits *habits, uint64_t host);
/* It was sent three times, the first time half a day ago and more, and was about as long. */
bool habit_has_text(const struct habits *habits, uint64_t text, int64_t words);
bool habit_knows(const struct habits *habits, uint32_t rcpt);
/* How many of each are the account's: without any there is nothing to hold a new one against. */
int habit_count_networks(const struct habits *habits);
int habit_count_ases(const struct habits *habits);
int habit_count_senders(const struct habits *habits);
int habit_count_mailers(const struct habits *habits);

/* Distinct things of one UTC day and what of the day before reaches back, with this message. As many of both days as
 * can be are taken to be the same. `what` is one of the last COUNTED_*. */
double habit_distinct(const struct habits *habits, enum counted what, const struct habit_facts *facts);

/* How many there were on the day before that of `facts`. */
double habit_distinct_before(const struct habits *habits, enum counted what, const struct habit_facts *facts);

/* Messages that the account sends in such an hour of the week, where it sends in it at all; NAN: nothing is known of
 * it. */
double habit_hour_expected(const struct habits *habits, int64_t now_s, int64_t local_offset_s);
/* It never sent within an hour of this time of day, and is long enough there for that to mean something. */
bool habit_hour_unused(const struct habits *habits, int64_t now_s, int64_t local_offset_s);

/* Texts, half a day old and more, that it did not send again and again: people's letters. */
int habit_count_letters(const struct habits *habits);
/* Is it the text of its last message? */
bool habit_repeats_text(const struct habits *habits, uint64_t text);
/* The most recipients to whom it wrote within an hour. */
double habit_reach(const struct habits *habits);

/* The message becomes habit. Returns the parts that changed, a set of enum habit_part. A clock that went back changes
 * no day; one that is more than two days ahead begins the day's counts anew. */
unsigned habits_note(struct habits *habits, const struct habit_facts *facts);
/* A recipient becomes known; true where it was not. Where `known` is full, `many` is set and the caller puts all of
 * `known` and this one into the other key. */
bool habits_note_rcpt(struct habits *habits, uint32_t rcpt);

/* `habits` are to take the place of `held`, which somebody may have written since they were read: what both counted on
 * the same day stays counted, and the other key of recipients stays in force. */
void habits_keep(struct habits *habits, const struct habits *held);

/* The bytes of one part as Redis holds it; returns how many (0: nothing to keep). */
size_t habits_write(const struct habits *habits, enum habit_part part, char bytes[HABIT_BYTES_MAX]);
/* The other way; bytes of another length or version are read as if there were none: false. */
bool habits_read(struct habits *habits, enum habit_part part, const char *bytes, size_t length);

#endif
