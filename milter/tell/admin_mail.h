/* SPDX-License-Identifier: BSD-2-Clause
 *
 * admin_mail: an event as mail to the admin: one of an account and kind in admin.mail_period_hours, whichever daemon
 * sees it first. RFC 5322, RFC 3834.
 */
#ifndef PENSTOCK_ADMIN_MAIL_H
#define PENSTOCK_ADMIN_MAIL_H

#include "milter/tell/courier.h"

struct admin_mail_settings {
	const char *from, *to; /* admin.mail_from, admin.mail_to */
	const char *host;      /* this one's name */
	int64_t now_s;
};

/* The message, lines ended by CRLF, to be freed; NULL: no memory. Nothing in the event can end a line of it or begin a
 * header. */
char *admin_mail_of(const struct notice *event, const struct admin_mail_settings *settings);

/* Does an admin want mail about it? A level that got better is no news for him. */
bool admin_mail_wanted(const struct notice *event);

/* Sends a parcel whose text is the message. */
courier_send admin_mail_send;

#endif
