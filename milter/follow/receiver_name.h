/* SPDX-License-Identifier: BSD-2-Clause
 *
 * receiver_name: by what name a receiver of mail is counted, whatever host of his answers: that of the table for the
 * large ones ("google"), else the relay's registered domain by the Public Suffix List ("example.co.uk"), else "".
 */
#ifndef PENSTOCK_RECEIVER_NAME_H
#define PENSTOCK_RECEIVER_NAME_H

#include "milter/follow/replies.h"

/* "" too for what is no host of the Internet: an address, a local delivery, no relay at all. */
void receiver_name(const struct replies *replies, const struct log_event *event, char name[RECEIVER_NAME_MAX + 1]);

#endif
