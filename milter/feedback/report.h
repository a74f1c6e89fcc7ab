/* SPDX-License-Identifier: BSD-2-Clause
 *
 * report: what a message that came back says of one that left: a complaint (ARF, RFC 5965 and 6650; Microsoft's JMRP,
 * thin and old; CFBL, RFC 9477), a bounce (RFC 3464), or a message that somebody forwards. Of ours it is by our token,
 * which is looked for in the report's own fields and in the header of the message that it holds, of the first such part
 * alone: what that message holds in its turn is its author's.
 *
 * Strangers write this. It is read as it comes, in any pieces, without allocation; only the parts of the first level
 * are looked at, at most REPORT_PARTS_MAX of them and REPORT_BYTES_MAX of all.
 */
#ifndef PENSTOCK_REPORT_READER_H
#define PENSTOCK_REPORT_READER_H

#include "policy/account.h"

enum {
	REPORT_BYTES_MAX = 50 << 20, /* what is behind it is not looked at */
	REPORT_PARTS_MAX = 50,
	REPORT_LINE_MAX = 2000,	   /* bytes; of a longer line this beginning */
	REPORT_FIELD_MAX = 2000,   /* of an unfolded header field likewise */
	REPORT_BOUNDARY_MAX = 100, /* RFC 2046 section 5.1.1 allows 70 */
	REPORT_TOKEN_MAX = 600,	   /* of a longer one this beginning, which is none then */
	REPORT_WORD_MAX = 31,	   /* of a type */
	REPORT_SOURCE_MAX = 120,
	REPORT_STATUS_MAX = 11,	  /* "5.1.1"; RFC 3463 allows 3 digits each */
	REPORT_STATUSES_MAX = 16, /* recipients of a bounce that are looked at */
};

enum report_form {
	REPORT_JUNK,	  /* no report, and no message that might be ours */
	REPORT_COMPLAINT, /* with a part message/feedback-report: `type` is its Feedback-Type */
	REPORT_BOUNCE,	  /* with message/delivery-status: `type` is "failed", or the last other Action */
	REPORT_FORWARDED, /* a person's, or the old JMRP's: a message is attached or quoted, and nothing else is said */
	REPORT_AUTOMATIC, /* a reply of a machine, a read receipt: no complaint */
};

struct feedback_report {
	enum report_form form;
	bool nested;			    /* the message that it holds is a report itself */
	char type[REPORT_WORD_MAX + 1];	    /* in lower case; "": it does not say */
	char token[REPORT_TOKEN_MAX + 1];   /* as it came: of a header, else of the envelope; "": none */
	char rcpt[ADDRESS_MAX + 1];	    /* who complains, or does not exist; "": it does not say */
	char source[REPORT_SOURCE_MAX + 1]; /* who reports: a program, a host or an address; "": it does not say */
	int status_count;
	char status[REPORT_STATUSES_MAX][REPORT_STATUS_MAX + 1]; /* of recipients whose Action is failed */
};

enum report_section { SECTION_TOP, SECTION_PART, SECTION_BODY, SECTION_SKIP };
enum report_part { PART_TEXT, PART_COMPLAINT, PART_BOUNCE, PART_MESSAGE, PART_OTHER };
enum report_encoding { ENCODING_NONE, ENCODING_BASE64, ENCODING_QUOTED };

struct report_line {
	size_t length;
	char text[REPORT_LINE_MAX + 1];
};

/* Plain, for whoever reads one to have room for it; its members are report.c's. */
struct report_reader {
	struct feedback_report report;
	const char *header; /* borrowed: the name of the field that bears our token */
	size_t bytes;
	int parts;
	enum report_section section;
	enum report_part part;
	enum report_encoding encoding;
	bool several, receipt, automatic;     /* of the message's own header */
	bool saw_complaint, saw_bounce, held; /* held: a message; */
	bool inside_ended, failed;
	unsigned bits, bit_count; /* of base64 */
	size_t field_length;
	char field[REPORT_FIELD_MAX + 1];
	char boundary[REPORT_BOUNDARY_MAX + 1];
	char from[REPORT_SOURCE_MAX + 1], status[REPORT_STATUS_MAX + 1], envelope[REPORT_TOKEN_MAX + 1];
	struct report_line line, inside; /* of the message, and of the decoded part */
};

/* `header` is borrowed until report_end(). */
void report_begin(struct report_reader *reader, const char *header);
void report_add(struct report_reader *reader, const char *bytes, size_t length);
const struct feedback_report *report_end(struct report_reader *reader);

#endif
