/* SPDX-License-Identifier: BSD-2-Clause
 *
 * body: the text of a message, found and decoded as it comes by, for its fingerprint
 * (policy/fingerprint.h) and the hosts of its links, and what kinds of parts there are. MIME (RFC 2045, 2046):
 * text/plain and text/html, base64 and quoted-printable, multiparts within multiparts and messages within them. No
 * allocation, nothing kept but the line at hand.
 *
 * Strangers write this. At most BODY_LOOKED_MAX bytes are looked at and BODY_DEPTH_MAX multiparts deep; what is
 * malformed is read as far as it goes. Where a reader may see what is not looked at here, the text has no hash
 * (facts.text): a link may stand there. A body that is plain text pays for no MIME: its bytes go straight through.
 */
#ifndef PENSTOCK_BODY_H
#define PENSTOCK_BODY_H

#include "milter/message/links.h"
#include "policy/fingerprint.h"

enum {
	BODY_LOOKED_MAX = 131072,
	BODY_DEPTH_MAX = 8,
	BODY_BOUNDARY_MAX = 100, /* RFC 2046 section 5.1.1 allows 70 */
	BODY_LINE_MAX = 1000,	 /* RFC 5322 section 2.1.1: 998 and the line's end */
	BODY_FIELD_MAX = 600,
};

/* word of a type's beginning; each is a kind of part that a text may have beside it. */
#define BODY_KIND_ROWS(ROW) \
	ROW(HTML, "text/html") \
	ROW(IMAGE, "image/") \
	ROW(SOUND, "audio/") \
	ROW(FILM, "video/") \
	ROW(PDF, "application/pdf") \
	ROW(MESSAGE, "message/rfc822") \
	ROW(GLOBAL, "message/global") \
	ROW(REPORT, "message/") \
	ROW(CALENDAR, "text/calendar") \
	ROW(TEXT, "text/") \
	ROW(OTHER, "")

/* clang-format off */
enum body_kind {
#define BODY_KIND_ENUM(id, word) BODY_KIND_##id,
	BODY_KIND_ROWS(BODY_KIND_ENUM)
#undef BODY_KIND_ENUM
	BODY_KIND_COUNT
};
/* clang-format on */

enum body_encoding { BODY_AS_IT_IS, BODY_BASE64, BODY_QUOTED };

struct body {
	uint64_t key[2];
	struct fingerprint_maker fingerprint;
	size_t looked;
	unsigned kinds; /* a set of 1 << enum body_kind; of plain text it is empty */
	bool unseen;	/* something was not looked at that a reader may see */
	enum body_state { BODY_HEADER, BODY_TEXT, BODY_SKIP } state;
	/* of the part at hand */
	bool text, nested;   /* nested: message/rfc822, its header follows */
	bool typed, encoded; /* it said what it is, and how it is encoded */
	bool padded;	     /* '=' was read, with which base64 ends */
	unsigned kind;	     /* a set of one kind, or empty */
	enum body_encoding encoding;
	unsigned held, held_bits; /* base64's; of quoted-printable what stands behind '=' */
	/* open multiparts, outermost first */
	int depth;
	char boundaries[BODY_DEPTH_MAX][BODY_BOUNDARY_MAX + 1];
	/* lines that are not whole yet */
	size_t line_length;
	bool line_goes_on; /* its beginning is gone already */
	char line[BODY_LINE_MAX];
	size_t field_length;
	char field[BODY_FIELD_MAX + 1]; /* an unfolded header field of a part */
	struct links links;
};

/* `key`: of the hashes; its bytes are copied. */
void body_begin(struct body *body, const uint64_t key[2]);
/* A field of the message's own header; those that do not matter are ignored. */
void body_header(struct body *body, const char *name, const char *value);
void body_header_end(struct body *body);
void body_add(struct body *body, const char *bytes, size_t length);
/* Fills what the facts say of the text and its links. `reply`: a host that answers go to, NULL: none of its own. */
void body_end(struct body *body, const char *reply, struct facts *facts);

#endif
