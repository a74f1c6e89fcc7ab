/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_milters.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_element.h"
#include "milter/ctl/postfix/postfix_sockets.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#define WHY_UNJUDGED "mail by this service is neither judged nor counted nor marked"
#define WHY_UNSIGNED \
	"it signs before our marks are there (feedback.header): RFC 9477 and Gmail do not believe marks that no DKIM " \
	"signature covers"
#define WHY_PAST_FILTER \
	"mail that our header marks leaves by our transport and never sees this filter (no virus scan, no signature)"

/* A service that asks milters. */
struct asker {
	const struct postfix_service *service;
	const struct postfix_service *entry; /* the one by which its mail comes in: pickup's for cleanup, else itself */
	const char *own;		     /* its path where the list is its own; NULL: main.cf's */
	const char *list;		     /* not NULL */
	const char *filter_name, *filter;    /* what takes its mail and gives it back; "": nothing */
	bool blocked;			     /* receive_override_options says no_milters */
	bool right, named; /* our socket is in the list: where the service finds it, or would without chroot */
	struct milter_element element;
};

/* One of the two lists: smtpd_milters of smtpd, non_smtpd_milters of cleanup. */
struct side {
	const struct postfix_line *line;
	struct asker *askers; /* owned */
	size_t count;
	bool through;	       /* main.cf's list takes what smtpd_milters has, which some smtpd looks to */
	bool by_rows;	       /* main.cf's list is for services before a filter: ours stands in rows of master.cf */
	bool signer_said;      /* of main.cf's list: a DKIM signer stands before us */
	bool said, block_said; /* of main.cf's list, and of its receive_override_options */
};

/* ---- reading */

static bool milters_has_word(const char *list, const char *word)
{
	char element[ELEMENT_MAX];
	while (list != NULL && postfix_next_element(&list, element) != NULL)
		if (strcmp(element, word) == 0)
			return true;
	return false;
}

static void milters_read_filter(const struct postfix_check *check, struct asker *asker)
{
	static const char *const names[] = { "content_filter", "smtpd_proxy_filter" };
	bool smtpd = asker->service == asker->entry;
	asker->filter = "";
	for (size_t i = 0; i < (smtpd ? 2 : 1) && *asker->filter == '\0'; i++) {
		const char *found = postfix_get(check->postfix, asker->entry->path, names[i]);
		asker->filter_name = names[i];
		asker->filter = found == NULL ? "" : found;
	}
}

static void milters_add_asker(struct postfix_check *check, struct side *side, const char *ours,
			      const struct postfix_service *service, const struct postfix_service *entry)
{
	side->askers = have_memory(realloc(side->askers, (side->count + 1) * sizeof *side->askers));
	struct asker *asker = &side->askers[side->count++];
	const char *name = side->line->name;
	*asker = (struct asker){ .service = service, .entry = entry };
	asker->own = postfix_override(check->postfix, service->path, name) != NULL ? service->path : NULL;
	asker->list = postfix_get(check->postfix, asker->own, name);
	asker->list = asker->list == NULL ? "" : asker->list;
	asker->blocked =
		milters_has_word(postfix_get(check->postfix, entry->path, "receive_override_options"), "no_milters");
	milters_read_filter(check, asker);
	asker->right = element_find(check, asker->list, ours, service->chroot, &asker->element);
	asker->named = asker->right || element_find(check, asker->list, ours, !service->chroot, &asker->element);
}

static void read_smtpds(struct postfix_check *check, struct side *side, const char *ours)
{
	const struct postfix_service *service;
	for (size_t at = 0; (service = check_next_service(check, "smtpd", &at)) != NULL;)
		milters_add_asker(check, side, ours, service, service);
}

/* The cleanup(8) that pickup(8) hands sendmail(1)'s mail to. */
static void milters_read_cleanups(struct postfix_check *check, struct side *side, const char *ours)
{
	const struct postfix_service *service, *pickup;
	size_t first = 0;
	pickup = check_next_service(check, "pickup", &first);
	const char *name = pickup == NULL ? NULL : postfix_get(check->postfix, pickup->path, "cleanup_service_name");
	for (size_t at = 0; (service = check_next_service(check, "cleanup", &at)) != NULL;)
		if (strcmp(service->name, name != NULL ? name : "cleanup") == 0)
			milters_add_asker(check, side, ours, service, pickup != NULL ? pickup : service);
}

/* ---- content filters */

static bool on_loopback(const char *name)
{
	return strncmp(name, "127.", 4) == 0 || strncmp(name, "localhost:", 10) == 0 ||
	       strncmp(name, "[::1]", 5) == 0 || strncmp(name, "::1:", 4) == 0;
}

/* Does a filter give its mail back to this smtpd? It says that it has no filter, or is there for this host alone. */
static bool milters_is_behind(const struct postfix_check *check, const struct asker *asker)
{
	const char *path = asker->service->path;
	return *asker->filter == '\0' &&
	       (on_loopback(asker->service->name) || postfix_override(check->postfix, path, "content_filter") != NULL ||
		postfix_override(check->postfix, path, "smtpd_proxy_filter") != NULL);
}

/* "filter:dummy" of FILTER_README: a program that gives mail back by sendmail(1). */
static bool milters_is_program(const struct postfix_check *check, const char *filter)
{
	const struct postfix_service *service;
	size_t at = 0, length = strcspn(filter, ":");
	while ((service = check_next_service(check, "pipe", &at)) != NULL)
		if (strlen(service->name) == length && strncmp(service->name, filter, length) == 0)
			return true;
	return false;
}

static const struct asker *milters_find_behind(const struct postfix_check *check, const struct side *smtpds,
					       const struct side *cleanups)
{
	bool program = false;
	for (size_t i = 0; i < smtpds->count; i++) {
		if (milters_is_behind(check, &smtpds->askers[i]))
			return &smtpds->askers[i];
		program |= milters_is_program(check, smtpds->askers[i].filter);
	}
	return program && cleanups->count > 0 && *cleanups->askers[0].filter == '\0' ? &cleanups->askers[0] : NULL;
}

/* A list without ours, or "" where nothing is left. */
static char *milters_fix_without(struct postfix_check *check, const struct asker *asker, const char *name,
				 const char *ours)
{
	char value[3000];
	struct milter_element raw;
	const char *list = check_raw(check, asker->own, name);
	if (!element_find(check, list, ours, false, &raw) && !element_find(check, list, ours, true, &raw)) {
		list = asker->list; /* by a $name of another parameter */
		raw = asker->element;
	}
	return check_cut(value, sizeof value, list, raw.at, raw.end) ? check_fix_set(check, asker->own, name, value)
								     : NULL;
}

/* It asks us, and a filter takes its mail afterwards. */
static void milters_report_before_filter(struct postfix_check *check, struct side *side, struct asker *asker,
					 const struct asker *behind, const char *ours)
{
	char what[300], why[1200], expected[300];
	bool twice = behind != NULL && behind->named && !behind->blocked;
	if (behind == NULL && side->said)
		return;
	side->said |= behind == NULL;
	check_name_setting(what, sizeof what, asker->entry->path, asker->filter_name);
	if (behind == NULL)
		snprintf(why, sizeof why,
			 WHY_PAST_FILTER "; no service of master.cf is known to be behind it: that one should ask our "
					 "milter (-o content_filter= -o smtpd_milters=%s), and this one not",
			 side->line->value);
	else
		snprintf(why, sizeof why,
			 WHY_PAST_FILTER
			 ", and what the filter gives back to %s %s: put the milter there alone. No login is seen "
			 "there: accounts.own_networks needs 127.0.0.0/8, and accounts.sources sender",
			 behind->service->path,
			 twice ? "asks us twice: it is judged and counted again" : "is not judged again");
	snprintf(expected, sizeof expected, "our milter behind it, not in %s of %s", side->line->name,
		 asker->service->path);
	check_report(check,
		     (struct finding){ DIFFERENCE, twice ? GRAVITY_MISJUDGED : GRAVITY_ASTRAY, what, asker->filter,
				       expected, check_file_of(asker->own), NULL, why },
		     behind == NULL ? NULL : milters_fix_without(check, asker, side->line->name, ours));
}

/* ---- who does not ask */

/* The list of receive_override_options without no_milters. */
static char *milters_fix_blocked(struct postfix_check *check, const char *own)
{
	static const char name[] = "receive_override_options";
	char element[ELEMENT_MAX], value[3000];
	const char *list = check_raw(check, own, name), *rest = list, *at;
	while ((at = postfix_next_element(&rest, element)) != NULL)
		if (strcmp(element, "no_milters") == 0)
			return check_cut(value, sizeof value, list, at, rest) ? check_fix_set(check, own, name, value)
									      : NULL;
	return NULL;
}

static void milters_report_blocked(struct postfix_check *check, struct side *side, const struct asker *asker)
{
	static const char name[] = "receive_override_options";
	const char *own =
		postfix_override(check->postfix, asker->entry->path, name) != NULL ? asker->entry->path : NULL;
	char what[300];
	if (own == NULL && side->block_said)
		return;
	side->block_said |= own == NULL;
	check_name_setting(what, sizeof what, own, name);
	check_report(check,
		     (struct finding){ DIFFERENCE, GRAVITY_UNJUDGED, what, postfix_get(check->postfix, own, name),
				       "no_milters not among them", check_file_of(own), NULL, WHY_UNJUDGED },
		     milters_fix_blocked(check, own));
}

/* Port 25 may be for mail that comes in, and another for users. */
static bool milters_may_be_meant(const struct asker *asker)
{
	const char *colon = strrchr(asker->service->name, ':'),
		   *port = colon == NULL ? asker->service->name : colon + 1;
	return asker->service == asker->entry &&
	       (strcmp(port, "smtp") == 0 || strcmp(port, "25") == 0 || strcmp(port, "smtpd") == 0);
}

static void milters_report_not_asked(struct postfix_check *check, struct side *side, const struct asker *asker)
{
	const char *name = side->line->name, *ours = side->line->value, *list = check_raw(check, asker->own, name);
	char what[300], value[3000], element[ELEMENT_MAX];
	bool own = asker->own != NULL || side->by_rows;
	const char *path = own ? asker->service->path : NULL;
	if (!own && (side->said || side->through))
		return; /* once; what the other list is told holds here, too */
	side->said |= !own;
	check_name_setting(what, sizeof what, path, name);
	element_make(check, asker->service, ours, element, sizeof element);
	check_append(value, sizeof value, asker->named ? "" : list, asker->named ? list : element);
	check_report(check,
		     (struct finding){ own && milters_may_be_meant(asker) ? WARNING : DIFFERENCE, GRAVITY_UNJUDGED,
				       what, asker->list, ours, check_file_of(path), NULL,
				       !own		    ? "no service asks our milter: " WHY_UNJUDGED
				       : asker->own != NULL ? WHY_UNJUDGED
							    : "this service is to ask our milter, and main.cf's list "
							      "is for those before the filter" },
		     check_fix_setting(check, path, name, value));
}

/* A milter that signs, as its socket is commonly named: OpenDKIM, dkimpy-milter, rspamd. */
static bool milters_is_signer(const char *element)
{
	static const char *const marks[] = { "dkim", "rspamd", ":8891", ":8892", ":12301", ":11332" };
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (strstr(element, marks[i]) != NULL)
			return true;
	return false;
}

/* Milters see what those before them in the list have added. */
static void milters_check_signer(struct postfix_check *check, struct side *side, const struct asker *asker)
{
	char signer[ELEMENT_MAX], setting[300], what[320];
	const char *rest = asker->list, *at;
	if (*check->wish.config->set.feedback_header == '\0' || (asker->own == NULL && side->signer_said))
		return;
	while ((at = postfix_next_element(&rest, signer)) != NULL && at < asker->element.at)
		if (milters_is_signer(signer)) {
			side->signer_said |= asker->own == NULL;
			check_name_setting(setting, sizeof setting, asker->own, side->line->name);
			snprintf(what, sizeof what, "order of %s", setting);
			check_report(check,
				     (struct finding){ WARNING, GRAVITY_LEAK, what, asker->list,
						       "our milter before the one that signs",
						       check_file_of(asker->own), NULL, WHY_UNSIGNED },
				     NULL);
			return;
		}
}

/* A list that has ours, in the words in which it is written where these have ours. */
static void check_own_element(struct postfix_check *check, struct side *side, struct asker *asker, const char *ours)
{
	bool chroot = asker->service->chroot, reachable = !chroot || !socket_outside(side->line);
	struct milter_element raw;
	const char *list = check_raw(check, asker->own, side->line->name);
	if (!element_find(check, list, ours, asker->right ? chroot : !chroot, &raw)) {
		list = asker->list;
		raw = asker->element;
	}
	if (asker->own != NULL || (!side->said && !side->through))
		side->said |= element_check(check, &raw, list, asker->service, asker->own, side->line,
					    !asker->right && reachable ? side->line->value : NULL) &&
			      asker->own == NULL;
	if (!asker->right && !reachable)
		socket_report_chroot(check, asker->service, side->line);
	if (asker->right || reachable)
		socket_check_access(check, side->line->name, ours);
}

static void check_asker(struct postfix_check *check, struct side *side, struct asker *asker, const struct asker *behind,
			const char *ours)
{
	if (*asker->filter != '\0') {
		if (asker->named && !asker->blocked)
			milters_report_before_filter(check, side, asker, behind, ours);
		return;
	}
	if (asker->blocked)
		milters_report_blocked(check, side, asker);
	if (!asker->named || (side->by_rows && asker->own == NULL))
		milters_report_not_asked(check, side, asker);
	else {
		milters_check_signer(check, side, asker);
		check_own_element(check, side, asker, ours);
	}
	if (!asker->named && asker->service->chroot && socket_outside(side->line))
		socket_report_chroot(check, asker->service, side->line);
}

static void check_side(struct postfix_check *check, struct side *side, const struct asker *behind, const char *ours)
{
	for (size_t i = 0; i < side->count && behind != NULL; i++)
		side->by_rows |= *side->askers[i].filter != '\0' && side->askers[i].own == NULL;
	for (size_t i = 0; i < side->count; i++)
		check_asker(check, side, &side->askers[i], behind, ours);
	if (side->count == 0)
		check_report(check,
			     (struct finding){ DIFFERENCE, GRAVITY_UNJUDGED, side->line->name, NULL, side->line->value,
					       "master.cf", NULL, "no service of master.cf would ask our milter" },
			     NULL);
	free(side->askers);
}

/* non_smtpd_milters = $smtpd_milters: what is said of the one holds for the other, unless ours moves into rows. */
static void milters_read_through(const struct postfix_check *check, const struct side *smtpds, struct side *cleanups)
{
	const char *list = check_raw(check, NULL, cleanups->line->name);
	bool looked_to = false, moves = false;
	for (size_t i = 0; i < smtpds->count; i++) {
		looked_to |= smtpds->askers[i].own == NULL;
		moves |= smtpds->askers[i].own == NULL && *smtpds->askers[i].filter != '\0';
	}
	bool refers = strstr(list, "$smtpd_milters") != NULL || strstr(list, "${smtpd_milters}") != NULL;
	cleanups->through = refers && looked_to && !moves;
	for (size_t i = 0; refers && moves && i < cleanups->count; i++)
		if (cleanups->askers[i].own == NULL)
			cleanups->askers[i].right = cleanups->askers[i].named = false;
}

void check_milters(struct postfix_check *check)
{
	struct side smtpds = { .line = check_wanted(check, "smtpd_milters") };
	struct side cleanups = { .line = check_wanted(check, "non_smtpd_milters") };
	char ours[200];
	postfix_socket(check->wish.config->set.milter_socket, "", ours, sizeof ours); /* as the daemon names it */
	read_smtpds(check, &smtpds, ours);
	milters_read_cleanups(check, &cleanups, ours);
	milters_read_through(check, &smtpds, &cleanups);
	const struct asker *found = milters_find_behind(check, &smtpds, &cleanups);
	struct asker behind = found == NULL ? (struct asker){ 0 } : *found;
	check_side(check, &smtpds, found == NULL ? NULL : &behind, ours);
	check_side(check, &cleanups, found == NULL ? NULL : &behind, ours);
}
