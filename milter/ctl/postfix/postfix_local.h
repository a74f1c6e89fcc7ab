/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_local: are the domains of this host's mailboxes those that postfix.local_domains names? By it alone mail of
 * sendmail(1) is known to stay, since Postfix names no mailer there.
 */
#ifndef PENSTOCK_POSTFIX_LOCAL_H
#define PENSTOCK_POSTFIX_LOCAL_H

struct postfix_check;

void check_local_domains(struct postfix_check *check);

#endif
