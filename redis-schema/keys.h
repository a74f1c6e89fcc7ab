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
#define KEY_PART_RECORD "record"
#define KEY_PART_STATE "state"
#define KEY_PART_KNOWN "known"
#define KEY_OF_SUMS "%s:{%s}:%s:%lld"	/* prefix, group, span of the windows ("minute", "hour", "day"), period */
#define KEY_OF_PLACES "%s:{%s}:%s:%lld" /* prefix, group, kind of place ("addresses", "networks", "ases"), day */
#define KEY_OF_ALL "%s:%s"		/* prefix, part */
#define KEY_PLANS "%s:plans"		/* prefix */
#define KEY_NETWORKS "%s:networks"	/* prefix */

#define KEY_SECRET "%s:secret" /* prefix */

#define KEY_PART_FOLLOW "follow:%s"	/* part of KEY_OF_ALL: node of the host whose log is followed */
#define KEY_PART_FOLLOWED "followed:%s" /* the same: how the follower is, for people */
#define KEY_PART_FOLLOWERS "followers"
#define KEY_PART_ABUSE "abuse:%lld" /* the same: day since 1970 (UTC) */
#define KEY_PART_CLIENTS "clients"  /* the same: stream of what clients did, from the followers to all daemons */

#define KEY_CAMPAIGN "%s:campaign:%lld:%u"	   /* prefix, period, bucket */
#define KEY_CAMPAIGN_WHO "%s:campaign:%lld:%u:who" /* the same: which accounts were counted */

enum { CAMPAIGN_BUCKETS = 4096 };
enum { KEY_MAX = 400 };

#endif
