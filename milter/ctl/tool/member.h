/* SPDX-License-Identifier: BSD-2-Clause
 *
 * member: members of the daemon's objects. One that is missing or of another kind is as none: "" or 0.
 */
#ifndef PENSTOCK_MEMBER_H
#define PENSTOCK_MEMBER_H

#include <jansson.h>
#include <stdint.h>

const char *text_of(const json_t *object, const char *name); /* borrowed from the object */
double number_of(const json_t *object, const char *name);
int64_t whole_of(const json_t *object, const char *name);

#endif
