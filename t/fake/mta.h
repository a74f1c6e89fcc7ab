/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mta: an MTA that calls the daemon's callbacks as libmilter does, and takes what they say. It is also all of
 * libmilter that the daemon uses. One thread at a time for each session.
 */
#ifndef PENSTOCK_FAKE_MTA_H
#define PENSTOCK_FAKE_MTA_H

#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mta_answer {
	sfsistat status;			/* SMFIS_CONTINUE, _TEMPFAIL, _REJECT */
	char code[4], enhanced[12], text[1000]; /* of a refusal: what the client hears */
};

/* `no_reply`: it offers to do without answers, as Postfix does. NULL without memory. */
SMFICTX *mta_open(bool no_reply);
/* Ends the session: only xxfi_close is called. Clears the pointer; NULL is fine. */
void mta_close(SMFICTX **mta);

/* A macro holds until it is set again; NULL takes it away. */
void mta_macro(SMFICTX *mta, const char *name, const char *value);

/* `address` as text; "injected" is Postfix's way of saying sendmail(1), "none" no address at all. False: none of
 * these. */
bool mta_connect(SMFICTX *mta, const char *address);
void mta_helo(SMFICTX *mta, const char *name);
struct mta_answer mta_mail(SMFICTX *mta, const char *from);
struct mta_answer mta_rcpt(SMFICTX *mta, const char *rcpt, const char *mailer);
void mta_header(SMFICTX *mta, const char *name, const char *value);
void mta_body(SMFICTX *mta, size_t bytes);
void mta_body_text(SMFICTX *mta, const char *text);
/* End of headers where it has not been, and end of message. */
void mta_headers_end(SMFICTX *mta);
struct mta_answer mta_end(SMFICTX *mta);
void mta_abort(SMFICTX *mta);

/* What became of the message at hand. The value of the header `name`, and how often it is there. */
const char *mta_find_header(const SMFICTX *mta, const char *name, int *count_out);
const char *mta_quarantine(const SMFICTX *mta); /* NULL: none */

/* What the daemon did against libmilter's rules; "" : nothing. */
const char *mta_complaint(const SMFICTX *mta);

#endif
