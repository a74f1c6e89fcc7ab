/* SPDX-License-Identifier: BSD-2-Clause
 *
 * panel: who else writes in Redis: panels and admins, and in some schedules whoever has no business there.
 */
#ifndef PENSTOCK_MODEL_PANEL_H
#define PENSTOCK_MODEL_PANEL_H

void panel_begin(void);
/* Limits, a block or an exemption of a group are written, or go. */
void panel_step(void);
/* In schedules that are not exact: a record that is none of ours, a reset, Redis forgets all, or its clock is set. */
void panel_step_foreign(void);
/* A daemon removes the key. */
void panel_removed(const char *key);
/* Is what is not ours still there? */
void panel_check(void);

#endif
