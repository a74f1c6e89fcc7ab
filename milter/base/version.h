/* SPDX-License-Identifier: BSD-2-Clause
 *
 * version: PENSTOCK_VERSION, as configure.ac has it.
 */
#ifndef PENSTOCK_VERSION_H
#define PENSTOCK_VERSION_H

#ifdef HAVE_CONFIG_H
#include <config.h> /* in brackets: in quotes the compiler would look beside the file that includes this one */
#define PENSTOCK_VERSION PACKAGE_VERSION
#else
#define PENSTOCK_VERSION "unknown"
#endif

#endif
