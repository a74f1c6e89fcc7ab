/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What replies_read.c writes and replies.c asks; for these alone.
 */
#ifndef PENSTOCK_REPLIES_INSIDE_H
#define PENSTOCK_REPLIES_INSIDE_H

#include "milter/follow/replies.h"

#define REPLIES_ANY (-1)

enum {
	REPLIES_WORDS_MAX = 200,  /* bytes of a row's words */
	REPLIES_PIECES_MAX = 8,	  /* of them, between "..." */
	REPLIES_CODES_MAX = 6,	  /* of a row */
	REPLIES_TEXT_MAX = 2048,  /* bytes of a reply; Postfix cuts at about 2,000 */
	REPLIES_WHERE_MAX = 63,	  /* bytes of "replies.conf:17" */
	REPLIES_HOSTS_MAX = 1000, /* of all receivers */
	REPLIES_GRAM_BITS = 4096,
	REPLIES_GRAMS_MAX = 8,
};

enum replies_stage { STAGE_OF_ANY, STAGE_OF_GREETING, STAGE_OF_DOT, STAGES_OF_REPLY };

struct reply_row {
	enum outcome outcome;
	enum replies_stage stage;
	bool own;			    /* words of our own MTA: no reply */
	unsigned char codes, pieces, grams; /* how many of each; no codes: any */
	char code[REPLIES_CODES_MAX][3];    /* digits, and 'x' for any */
	int class, subject, detail;	    /* of the enhanced code; or REPLIES_ANY */
	uint16_t gram[REPLIES_GRAMS_MAX];   /* three letters that must be there, each hashed */
	uint16_t piece[REPLIES_PIECES_MAX]; /* where in `words` each begins */
	char words[REPLIES_WORDS_MAX + 1];
	char where[REPLIES_WHERE_MAX + 1];
	int line;
	char list[REPLIES_LIST_MAX +
		  1]; /* of OUTCOME_LISTED, where the words name it by another name; "": as they say */
	char receiver[RECEIVER_NAME_MAX + 1]; /* "": any */
};

struct replies_host {
	char name[RECEIVER_NAME_MAX + 1]; /* of the receiver */
	char host[64];			  /* and all below it */
	size_t length;			  /* of `host` */
};

struct replies {
	struct reply_row *rows; /* owned; those of a receiver first */
	size_t count, size, of_receivers;
	struct replies_host *hosts; /* owned */
	size_t host_count, host_size;
};

/* A hash of three letters. */
uint16_t replies_gram(const char *three);

/* The row that classes this text; NULL: none does. */
const struct reply_row *replies_find(const struct replies *replies, const char *receiver, const struct log_event *event,
				     struct reply_class *class_out);

#endif
