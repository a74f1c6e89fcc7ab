/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_mailers: do we know what each of Postfix's transports means? {rcpt_mailer} is a transport's name.
 */
#ifndef PENSTOCK_POSTFIX_MAILERS_H
#define PENSTOCK_POSTFIX_MAILERS_H

struct postfix_check;

/* Transports of master.cf that are neither in postfix.remote_mailers nor in postfix.local_mailers, nor of a pool. */
void check_mailers(struct postfix_check *check);

#endif
