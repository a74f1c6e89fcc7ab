/* SPDX-License-Identifier: BSD-2-Clause
 *
 * factline_inside: what the files of factline share among themselves: values of words, in both directions.
 */
#ifndef PENSTOCK_FACTLINE_INSIDE_H
#define PENSTOCK_FACTLINE_INSIDE_H

#include "policy/base/text.h"
#include "policy/replay/factline.h"

/* What stands between '=' and the blank; never empty. */
struct value {
	const char *at, *end;
};

bool value_int(struct value value, int64_t *number_out);
bool value_hex(struct value value, uint64_t *number_out);
bool value_real(struct value value, double *number_out);
/* Undoes %XX. False where it does not fit. */
bool value_text(struct value value, char *to, size_t size);
/* The part up to `mark` or the end; `rest` loses it and the mark. False where nothing is left. */
bool value_part(struct value *rest, char mark, struct value *part_out);
bool value_is(struct value value, const char *word);

void add_int(struct text *text, int64_t number);
void add_hex(struct text *text, uint64_t number);
void add_real(struct text *text, double number);
/* Each byte that parts words or values becomes %XX. */
void add_escaped(struct text *text, const char *string);

/* factline_parts.c: values that have parts. A writer adds nothing where there is nothing to say. */
typedef void value_writer(struct text *text, const struct factline *line);
typedef bool value_reader(struct value value, struct factline *line);

value_writer write_limits, write_breach, write_campaign, write_listings, write_link_hosts;
value_reader read_limits, read_breach, read_campaign, read_link_hosts;
bool read_listings(struct value value, struct factline *line, factline_list *find_list, void *arg);

value_writer write_rates, write_counters, write_places, write_week, write_known, write_written;
value_reader read_rates, read_counters, read_places, read_week, read_known, read_written;

#endif
