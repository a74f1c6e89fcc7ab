/* SPDX-License-Identifier: BSD-2-Clause
 *
 * banned: functions that have a bounded or re-entrant sister. Using one does not compile. Include it last.
 */
#ifndef PENSTOCK_BANNED_H
#define PENSTOCK_BANNED_H

/* with clang the C library's checked versions are macros */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atoll
#ifndef PENSTOCK_JSON_READ_INSIDE /* milter/base/json_read.h is the bounded one */
#pragma GCC poison json_loads json_loadb json_loadf json_loadfd json_load_file json_load_callback
#endif
#pragma GCC poison gmtime localtime ctime asctime system popen tmpnam

#endif
