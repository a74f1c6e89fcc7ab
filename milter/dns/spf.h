/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf: the one place that names libspf2. So far it only says which one it is: no record is read yet.
 */
#ifndef PENSTOCK_SPF_H
#define PENSTOCK_SPF_H

/* "1.2.10" */
const char *spf_library(void);

#endif
