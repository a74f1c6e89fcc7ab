/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_read: rows that say what may stand in a group of the configuration file, and the reading of a group by its
 * rows. Inside config*.c only.
 */
#ifndef PENSTOCK_CONFIG_READ_H
#define PENSTOCK_CONFIG_READ_H

#include "milter/config/config.h"

#include <libconfig.h>

struct catalogue;

struct reader {
	const char *file;
	const config_setting_t *root; /* of the configuration file, not of the catalogue */
	struct config *config;
	char *error;	/* CONFIG_ERROR_MAX bytes; the first error stays */
	char **strings; /* owned by the configuration, freed with it */
	size_t string_count;
	struct catalogue *catalogue; /* owned by config_load */
	const char *secret;	     /* what others must not read in the file that was opened last; NULL: nothing */
};

/* Parses the reader's file. False with the error; then there is nothing to destroy. */
bool read_open(struct reader *reader, config_t *file_out, bool *missing_out);

enum field_type {
	FIELD_STRING, /* const char *, kept by the configuration; least and most: bytes */
	FIELD_TEXT,   /* char array; most: bytes without its NUL */
	FIELD_INT,    /* int64_t */
	FIELD_FLOAT,  /* double */
	FIELD_BOOL,
	FIELD_OWN, /* read by a function of its own */
};

typedef bool read_function(struct reader *reader, const config_setting_t *setting, void *into);

struct field {
	const char *path; /* word in the group; of scalars of the file "group.word" */
	enum field_type type;
	size_t offset;
	double least, most;
	read_function *own;
	const char *text; /* the default in the file's syntax; NULL: must be there */
	const char *help;
};

/* Reads every row of `fields` from `group` (NULL: take the defaults) into the struct at `into`. A member of the group
 * that no row names is an error. */
bool read_group(struct reader *reader, const config_setting_t *group, const struct field *fields, size_t count,
		void *into);

/* The same without the defaults: what the group does not name stays as it is. */
bool read_given(struct reader *reader, const config_setting_t *group, const struct field *fields, size_t count,
		void *into);

/* One value by its row, for functions of FIELD_OWN that check more. */
bool read_value(struct reader *reader, const config_setting_t *setting, const struct field *field, void *into);

/* Writes "FILE:LINE: PATH " and the rest as the error; returns false. */
bool read_error(struct reader *reader, const config_setting_t *setting, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct text;

/* "FILE:LINE: unknown option ...": no name of `names` is that of `setting`; the nearest is named. */
enum { READ_NAME_MAX = 80 };
typedef bool read_name_function(const void *arg, size_t i,
				char name[READ_NAME_MAX]); /* the i-th name; false behind the last */
bool read_unknown(struct reader *reader, const config_setting_t *setting, read_name_function *names, const void *arg);

/* The name that `word` may be meant for; false: none is near. */
bool read_nearest(const char *word, read_name_function *names, const void *arg, char nearest_out[READ_NAME_MAX]);

/* Where "group.word" stands in the configuration file; NULL: it has its default. */
const config_setting_t *read_option(const struct reader *reader, const char *path);

/* A bound or a value for people: whole numbers without an exponent. */
enum { NUMBER_TEXT_MAX = 40 };
const char *read_number_text(double number, char text[NUMBER_TEXT_MAX]);

/* Which of `words`, which NULL ends, it is; -1 with the error where it is none. */
int read_word(struct reader *reader, const config_setting_t *setting, const char *const *words);

/* NULL with the error where it is none. */
const char *read_text(struct reader *reader, const config_setting_t *setting);

/* A list or array of the file; each element by `read_one`, which gets its index through `into`'s config. */
bool read_each(struct reader *reader, const config_setting_t *list, int most, read_function *read_one, void *into);

/* The lists of the file: pools, blocklists, plans, scanners, and the arrays. */
struct config_list {
	const char *path;
	read_function *read;
	const struct field *fields; /* of one element; NULL: it has none of its own */
	size_t field_count;
	const char *example; /* for the sample file */
	const char *help;
};
extern const struct config_list config_lists[];
extern const size_t config_list_count;

/* Settings of the file that are no list. */
extern const struct field config_fields[];
extern const size_t config_field_count;
/* Is the i-th one that hardly anybody needs to set? */
bool config_is_rare(size_t i);

/* What must hold between settings once all are read. */
bool config_agree(struct reader *reader);
bool config_feedback_agree(struct reader *reader); /* config_feedback.c */
bool config_clients_agree(struct reader *reader);  /* config_clients.c: those of our own block list */
bool config_events_agree(struct reader *reader);   /* config_events.c: those of events, webhook and admin */
bool config_postfix_agree(struct reader *reader);  /* config_postfix.c: what is printed into Postfix's configuration */

/* config_events.c: is it one mail address, and nothing that could end one? */
bool config_is_address(const char *word, size_t length);

/* A name of letters, digits, '-', '_' and '.' of less than `size` bytes. */
bool read_name(struct reader *reader, const config_setting_t *setting, char *name, size_t size);
/* config_postfix.c: `into` is a struct transport */
read_function read_helo, read_transport_name;
/* ... or the struct config */
read_function read_remote_mailers, read_local_mailers, read_alias_domains, read_local_domains, read_tagged_domains;

/* ---- rows and arrays of config_lists: `into` is the struct config */

extern const struct field pool_fields[3], transport_fields[9]; /* config_pools.c */
read_function read_pools;
read_function read_sources, read_servers, read_own_networks, read_forwarders, read_proxies,
	read_hosts; /* config_arrays.c */

/* ---- the policy that the rules read, milter/config/config_policy.c */

extern const struct field level_fields[3], signal_fields[7];
read_function read_level_rows, read_signal_rows, read_shadow;
/* From the settings, once all are read and agree. */
void config_fill_policy(struct config *config);

/* ---- block lists, milter/config/config_blocklist.c: of the file and of the catalogue alike. `into` is a struct list.
 */

read_function read_list_name, read_list_zone, read_list_kind, read_list_codes, read_list_errors;
read_function read_list_site, read_list_removal, read_list_terms;

/* `text` of the setting as a domain name: at most `most` bytes and a NUL go to `to`. */
bool check_domain(struct reader *reader, const config_setting_t *setting, const char *text, char *to, int most);

/* Can it mean anything, and be asked? */
bool check_list(struct reader *reader, const config_setting_t *setting, const struct list *list);

/* ---- the catalogue, milter/config/config_catalogue.c */

/* Reads the file of option catalogue.file. `named`: it has to be there. */
bool catalogue_read(struct reader *reader, bool named);
void catalogue_free(struct catalogue **catalogue);

/* Elements of catalogue.keys and catalogue.skip. */
read_function catalogue_read_key, catalogue_read_skip;

/* The list that `setting` names, for the row of `blocklists` at `into`: a struct list of the configuration. "" is none.
 */
read_function catalogue_take;

/* Behind the lists of `blocklists` comes the rest of the catalogue; and what is part of what. */
bool catalogue_place(struct reader *reader);

struct catalogue_key {
	char lists[LIST_NAME_MAX + 2]; /* a name, or with '*' the beginning of some */
	char key[64];		       /* one label */
};
read_function catalogue_read_key_text; /* `into` is a struct catalogue_key */

/* Owned by the configuration; NULL without memory. */
char *read_keep(struct reader *reader, const char *string);

#endif
