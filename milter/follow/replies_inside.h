/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What replies_read.c writes and replies.c asks, with replies_words.c and replies_vocabulary.c; for these alone.
 */
#ifndef PENSTOCK_REPLIES_INSIDE_H
#define PENSTOCK_REPLIES_INSIDE_H

#include "milter/follow/replies.h"

#define REPLIES_ANY (-1)

enum {
	REPLIES_WORDS_MAX = 1500, /* bytes of a row's words */
	REPLIES_PIECES_MAX = 8,	  /* of them, between "..." */
	REPLIES_CODES_MAX = 6,	  /* of a row */
	REPLIES_TEXT_MAX = 2048,  /* bytes of a reply; Postfix cuts at about 2,000 */
	REPLIES_WHERE_MAX = 63,	  /* bytes of "replies.conf:17" */
	REPLIES_HOSTS_MAX = 1000, /* of all receivers */
	REPLIES_GRAM_BITS = 4096,
	REPLIES_GATES_MAX = 120,
	REPLIES_VOCABULARY_MAX = 2000, /* words */
	REPLIES_WORD_MAX = 23,	       /* bytes of one */
	REPLIES_TURNS_MAX = 8,
};

enum replies_stage { STAGE_OF_ANY, STAGE_OF_GREETING, STAGE_OF_DOT, STAGES_OF_REPLY };

struct reply_row {
	enum outcome outcome;
	enum replies_stage stage;
	bool own;			    /* words of our own MTA: no reply */
	bool general;			    /* asked where no other row fits */
	unsigned char codes, pieces, gates; /* how many of each; no codes: any */
	char code[REPLIES_CODES_MAX][3];    /* digits, and 'x' for any */
	int class, subject, detail;	    /* of the enhanced code; or REPLIES_ANY */
	uint16_t piece[REPLIES_PIECES_MAX]; /* where in `words` each begins */
	uint16_t gate[REPLIES_GATES_MAX]; /* how many, so many hashes of three letters of which one must be there, ...,
					     0 */
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

/* One word of what turns a class, or is plain. */
struct replies_word {
	enum outcome outcome; /* whose meaning it turns; OUTCOME_COUNT: it is plain */
	bool stem;	      /* and all words that begin so */
	unsigned char length;
	char word[REPLIES_WORD_MAX + 1];
};

struct replies {
	struct reply_row *rows; /* owned; the general ones last, of each part those of a receiver first */
	uint16_t *gates; /* owned; those of all rows behind each other, so that most are passed over in the cache */
	uint32_t *gate;	 /* owned; where those of a row begin */
	size_t count, size;
	struct replies_word *vocabulary; /* owned; by their bytes */
	size_t word_count, word_size;
	uint16_t first[257];	    /* of the vocabulary's words that begin with a byte, and those behind */
	struct replies_host *hosts; /* owned */
	size_t host_count, host_size;
};

/* A hash of three letters. */
uint16_t replies_gram(const char *three);

/* The words' pieces and gates into the row; false: they are not written as such. */
bool replies_words_read(struct reply_row *row, const char *words);

/* Where the row's words end in the folded text, which has these grams (a bit each); NULL: they are not there. */
const char *replies_words_end(const struct reply_row *row, struct span text, const uint64_t *grams);

/* The gates of all rows, once they are in their order; false: no memory. */
bool replies_gates_build(struct replies *replies);

/* A test is written as Postfix's log has a reply. */
void replies_gates_event(const struct reply_row *row, const char *text, struct log_event *event_out);

/* Words of a text that turn an outcome; asked once a text and outcome. */
struct replies_turns {
	enum outcome outcome; /* OUTCOME_COUNT: not asked yet */
	int count;	      /* REPLIES_TURNS_MAX + 1: more than fit */
	struct span turn[REPLIES_TURNS_MAX];
};

/* False: it is no word of letters in lower case, with or without '*' behind it. */
bool replies_vocabulary_word(struct replies_word *word_out, const char *from, enum outcome outcome);
void replies_vocabulary_sort(struct replies *replies);

/* Whether a text (folded) has nothing but plain words. */
bool replies_vocabulary_is_plain(const struct replies *replies, const char *text);

/* Whether a word of the text turns what the row says; a word that the row has itself does not. */
bool replies_vocabulary_turns(const struct replies *replies, const struct reply_row *row, const char *text,
			      struct replies_turns *turns);

/* The row that classes this text; NULL: none does. */
const struct reply_row *replies_find(const struct replies *replies, const char *receiver, const struct log_event *event,
				     struct reply_class *class_out);

#endif
