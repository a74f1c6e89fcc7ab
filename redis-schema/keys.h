/* SPDX-License-Identifier: BSD-2-Clause
 *
 * keys: every key of the schema, spelt once. See README.md beside this file.
 */
#ifndef PENSTOCK_KEYS_H
#define PENSTOCK_KEYS_H

#define KEY_OF_ACCOUNT "%s:{%s}:%s" /* prefix, account, part */
#define KEY_PART_LIMITS "limits"
#define KEY_PART_BLOCK "block"
#define KEY_PART_EXEMPT "exempt"
#define KEY_PART_STATE "state"
#define KEY_PART_KNOWN "known"
#define KEY_PART_PLACES "places"
#define KEY_OF_ALL "%s:%s"	   /* prefix, part */
#define KEY_PLANS "%s:plans"	   /* prefix */
#define KEY_NETWORKS "%s:networks" /* prefix */

#define KEY_SECRET "%s:secret" /* prefix */

#define KEY_CAMPAIGN "%s:campaign:%u" /* prefix, bucket */

#define STATE_VERSION "3" /* field `v` of the state; a state of another one is left alone */

enum { CAMPAIGN_BUCKETS = 4096 };
enum { KEY_MAX = 400 };

#endif
