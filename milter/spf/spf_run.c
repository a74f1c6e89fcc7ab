/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/spf/spf_run.h"

#include "milter/spf/spf_record.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <spf2/spf.h>
#include <spf2/spf_dns.h>
#include <spf2/spf_log.h>

#include "policy/base/banned.h"

enum { MX_MAX = 10, PTR_MAX = 10, UNKNOWN_HOLDS_S = 30, RCODE_NXDOMAIN = 3 };
/* A run without memory may still ask about each host of a ptr. */
enum { SPARES = 2 + PTR_MAX };

enum stop {
	GOING,
	MISSING, /* an answer is not there yet */
	TEMPERROR,
	PERMERROR,
};

/* Whose hosts are looked up. */
enum hosts { HOSTS_OF_PTR, HOSTS_OF_MX };

struct spf_runner {
	SPF_dns_server_t dns; /* hook: the runner */
	SPF_server_t *server; /* owned */
	uint32_t serial;      /* of the run at hand: what it has used bears this number */
	struct spf_run *run;
	enum stop stop; /* other than GOING: it is over, whatever libspf2 makes of it */
	int terms;
	bool first; /* the record asked for is the sender's own, no include or redirect */
	enum hosts hosts;
	int host_bits;
	struct spf_terms scratch;     /* of the record that is read */
	SPF_dns_rr_t *spares[SPARES]; /* owned: answers for when there is no memory; all are there when a run begins */
	int spare_count;
};

static struct spf_runner *runner_of(SPF_dns_server_t *dns)
{
	return dns->hook;
}

static void stop(struct spf_runner *runner, enum stop why)
{
	if (runner->stop == GOING)
		runner->stop = why;
}

/* ---- questions, each counted once in a run */

/* RFC 7208 section 4.6.4 counts terms with a void answer. A host of an mx counts if there is no such name: that it has
 * no address of the client's family is nothing wrong. PTR names and their hosts are not of the domain's choice. */
static bool is_void(const struct spf_fact *fact, bool term)
{
	return fact->answer.outcome == DNS_NONE && (term || fact->answer.rcode == RCODE_NXDOMAIN);
}

/* NULL: there is no such name, or the run is over. */
static struct spf_fact *spf_run_ask(struct spf_runner *runner, const char *text, enum dns_type type, bool term,
				    bool counts)
{
	char name[DNS_NAME_MAX + 1];
	struct spf_run *run = runner->run;
	if (term && ++runner->terms > SPF_TERMS_MAX)
		stop(runner, PERMERROR);
	if (runner->stop != GOING || !spf_name_read(text, name))
		return NULL;
	struct spf_fact *fact = spf_table_get(run->table, name, type);
	if (fact == NULL || (fact->seen != runner->serial && ++run->questions > SPF_QUESTIONS_MAX)) {
		stop(runner, PERMERROR);
		return NULL;
	}
	bool again = fact->seen == runner->serial;
	fact->seen = runner->serial;
	if (fact->state != SPF_FACT_KNOWN) {
		run->missing = fact;
		stop(runner, MISSING);
		return NULL;
	}
	int64_t holds_s = fact->answer.ttl_s > 0 ? fact->answer.ttl_s : UNKNOWN_HOLDS_S;
	if (holds_s < run->holds_s)
		run->holds_s = holds_s;
	if (!again && counts && is_void(fact, term) && ++run->voids > SPF_VOID_MAX) {
		stop(runner, PERMERROR);
		return NULL;
	}
	return fact;
}

/* The value of %{p}, section 7.3: a name of the client's that has its address; best one in the record's domain, but any
 * will do. Its questions count, but it is no term: it is asked for also where a match comes first. */
static const char *spf_run_client_name(void *arg)
{
	struct spf_runner *runner = arg;
	const struct netaddr *client = &runner->run->client;
	bool v6 = client->family == NETADDR_V6;
	char reverse[NETADDR_REVERSE_MAX], name[NETADDR_REVERSE_MAX + sizeof ".in-addr.arpa"];
	struct dns_record record;
	size_t at = 0;
	netaddr_reverse(client, reverse);
	snprintf(name, sizeof name, "%s.%s", reverse, v6 ? "ip6.arpa" : "in-addr.arpa");
	const struct spf_fact *fact = spf_run_ask(runner, name, DNS_PTR, false, false);
	for (int i = 0; fact != NULL && i < PTR_MAX && dns_answer_next(&fact->answer, &at, &record); i++) {
		struct dns_record address;
		size_t address_at = 0;
		const struct spf_fact *host = spf_run_ask(runner, record.text, v6 ? DNS_AAAA : DNS_A, false, false);
		while (host != NULL && dns_answer_next(&host->answer, &address_at, &address))
			if (spf_share_prefix(address.address, client->bytes, v6 ? 128 : 32))
				return record.text;
	}
	return "unknown";
}

/* ---- records */

/* Asks early for what the record will lead to, once for each family of addresses. */
static void spf_run_follow(struct spf_runner *runner, struct spf_fact *fact, const struct spf_terms *terms)
{
	uint8_t family = (uint8_t)(1U << runner->run->client.family);
	if ((fact->followed & family) != 0)
		return;
	fact->followed |= family;
	for (int i = 0; i < terms->want_count; i++)
		spf_table_want(runner->run->table, terms->wants[i].name, terms->wants[i].type);
}

/* What libspf2 does not add it leaves out silently; the record's parts are made so that this does not happen. */
static SPF_errcode_t spf_run_compile(struct spf_runner *runner, const struct spf_terms *terms, int part,
				     SPF_record_t **record_out)
{
	SPF_response_t *response = SPF_response_new(NULL);
	if (response == NULL)
		return SPF_E_NO_MEMORY;
	SPF_errcode_t error =
		SPF_record_compile(runner->server, response, record_out, terms->text + terms->parts[part].start);
	SPF_response_free(response);
	if (error == SPF_E_SUCCESS && (*record_out)->num_mech != terms->parts[part].count)
		error = SPF_E_BIG_MECH;
	if (error != SPF_E_SUCCESS && *record_out != NULL) {
		SPF_record_free(*record_out);
		*record_out = NULL;
	}
	return error;
}

static SPF_errcode_t spf_run_read_record(struct spf_runner *runner, struct spf_fact *fact, int part,
					 SPF_record_t **record_out)
{
	struct spf_run *run = runner->run;
	struct spf_values values = { &run->client, run->sender, run->helo, fact->name, spf_run_client_name, runner };
	struct dns_record record;
	size_t at = 0;
	if (!dns_answer_next(&fact->answer, &at, &record))
		return SPF_E_NOT_SPF;
	if (!spf_record_read(record.text, record.length, &values, &runner->scratch) ||
	    part >= runner->scratch.part_count) {
		stop(runner, PERMERROR);
		return SPF_E_SYNTAX;
	}
	if (runner->stop != GOING) /* the client's name is not there yet */
		return SPF_E_DNS_ERROR;
	run->personal |= runner->scratch.personal;
	spf_run_follow(runner, fact, &runner->scratch);
	SPF_errcode_t error = spf_run_compile(runner, &runner->scratch, part, record_out);
	if (error != SPF_E_SUCCESS)
		stop(runner, error == SPF_E_NO_MEMORY ? TEMPERROR : PERMERROR);
	return error;
}

/* In place of libspf2's own, which asks for type 99 first. SPF_E_NOT_SPF: there is none. The domain may be a further
 * part of a record that is being evaluated: SPF_MARK, the part's letter, and its name. */
static SPF_errcode_t spf_run_get_record(SPF_server_t *server, SPF_request_t *request, SPF_response_t *response,
					SPF_record_t **record_out)
{
	struct spf_runner *runner = runner_of(server->resolver);
	const char *domain = request->cur_dom;
	bool further = domain[0] == SPF_MARK && domain[1] != '\0';
	bool term = !runner->first && !further;
	(void)response;
	runner->first = false;
	*record_out = NULL;
	struct spf_fact *fact = spf_run_ask(runner, further ? domain + 2 : domain, DNS_TXT, term, term);
	if (fact == NULL)
		return runner->stop == GOING ? SPF_E_NOT_SPF : SPF_E_DNS_ERROR;
	if (!dns_outcome_tells(fact->answer.outcome)) {
		stop(runner, TEMPERROR);
		return SPF_E_DNS_ERROR;
	}
	/* what was left out of the answer may have been the record, or a second one; and it would be again */
	if (fact->answer.count > 1 || fact->answer.partial) {
		stop(runner, PERMERROR);
		return SPF_E_MULTIPLE_RECORDS;
	}
	return spf_run_read_record(runner, fact, further ? domain[1] - 'a' : 0, record_out);
}

/* ---- addresses and names */

static void spf_run_add_bytes(struct spf_runner *runner, SPF_dns_rr_t *rr, const void *bytes, size_t length)
{
	if (SPF_dns_rr_buf_realloc(rr, rr->num_rr, length + 1) != SPF_E_SUCCESS) {
		stop(runner, TEMPERROR);
		return;
	}
	char *to = (char *)rr->rr[rr->num_rr++];
	memcpy(to, bytes, length);
	to[length] = '\0';
	rr->herrno = NETDB_SUCCESS;
}

/* Any address that shares so many bits with the client's stands for the client's own. */
static void spf_run_add_matching(struct spf_runner *runner, const struct dns_answer *answer, int bits, SPF_dns_rr_t *rr)
{
	const struct netaddr *client = &runner->run->client;
	struct dns_record record;
	size_t at = 0;
	while (dns_answer_next(answer, &at, &record))
		if (spf_share_prefix(record.address, client->bytes, bits)) {
			spf_run_add_bytes(runner, rr, client->bytes, client->family == NETADDR_V6 ? 16 : 4);
			return;
		}
	if (answer->partial) /* it may be among what was left out */
		stop(runner, PERMERROR);
}

/* The question of an a, of an exists, or about a host. */
static void spf_run_look_up_addresses(struct spf_runner *runner, const char *name, int mark, enum dns_type type,
				      SPF_dns_rr_t *rr)
{
	static const uint8_t any[4] = { 127, 0, 0, 2 };
	bool skip_errors = mark == 0 && runner->hosts == HOSTS_OF_PTR; /* section 5.5 */
	int bits = mark != 0 ? mark - SPF_MARK_BITS : runner->host_bits;
	const struct spf_fact *fact = spf_run_ask(runner, name, type, mark != 0, !skip_errors);
	if (fact == NULL)
		return;
	if (!dns_outcome_tells(fact->answer.outcome) && !skip_errors)
		stop(runner, TEMPERROR);
	else if (mark == SPF_MARK_EXISTS && fact->answer.outcome == DNS_FOUND)
		spf_run_add_bytes(runner, rr, any, sizeof any);
	else if (mark != SPF_MARK_EXISTS && fact->answer.outcome == DNS_FOUND)
		spf_run_add_matching(runner, &fact->answer, bits, rr);
}

/* All hosts are asked about at once. */
static void spf_run_add_names(struct spf_runner *runner, const struct dns_answer *answer, int most, SPF_dns_rr_t *rr)
{
	enum dns_type type = runner->run->client.family == NETADDR_V6 ? DNS_AAAA : DNS_A;
	char name[DNS_NAME_MAX + 1];
	struct dns_record record;
	size_t at = 0;
	while (runner->stop == GOING && rr->num_rr < most && dns_answer_next(answer, &at, &record)) {
		spf_run_add_bytes(runner, rr, record.text, record.length);
		if (spf_name_read(record.text, name))
			spf_table_want(runner->run->table, name, type);
	}
}

/* Section 5.4: more than ten are permerror. What was left out is more than that, or no host's name. */
static void spf_run_look_up_mx(struct spf_runner *runner, const char *name, int mark, SPF_dns_rr_t *rr)
{
	const struct spf_fact *fact = spf_run_ask(runner, name, DNS_MX, true, true);
	runner->hosts = HOSTS_OF_MX;
	runner->host_bits = mark - SPF_MARK_BITS;
	if (fact == NULL)
		return;
	if (!dns_outcome_tells(fact->answer.outcome))
		stop(runner, TEMPERROR);
	else if (fact->answer.count > MX_MAX || fact->answer.partial)
		stop(runner, PERMERROR);
	else
		spf_run_add_names(runner, &fact->answer, MX_MAX, rr);
}

/* Section 5.5: after ten the rest is ignored, and so are errors: the client's owner has made them, not the sender. */
static void spf_run_look_up_ptr(struct spf_runner *runner, const char *name, SPF_dns_rr_t *rr)
{
	const struct spf_fact *fact = spf_run_ask(runner, name, DNS_PTR, true, true);
	runner->hosts = HOSTS_OF_PTR;
	runner->host_bits = runner->run->client.family == NETADDR_V6 ? 128 : 32;
	if (fact != NULL && fact->answer.outcome == DNS_FOUND)
		spf_run_add_names(runner, &fact->answer, PTR_MAX, rr);
}

static SPF_dns_rr_t *spf_run_new_rr(struct spf_runner *runner, ns_type type)
{
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(&runner->dns, NULL, type, 0, NO_DATA);
	if (rr != NULL)
		return rr;
	stop(runner, TEMPERROR);
	MUST(runner->spare_count > 0);
	return runner->spares[--runner->spare_count];
}

/* False: no memory. */
static bool spf_run_fill_spares(struct spf_runner *runner)
{
	while (runner->spare_count < SPARES) {
		SPF_dns_rr_t *rr = SPF_dns_rr_new_init(&runner->dns, NULL, ns_t_a, 0, NO_DATA);
		if (rr == NULL)
			return false;
		runner->spares[runner->spare_count++] = rr;
	}
	return true;
}

/* libspf2's questions, but for records. Never NULL: libspf2 aborts then. A run that is over gets errors to everything,
 * which ends it soon. */
static SPF_dns_rr_t *spf_run_look_up(SPF_dns_server_t *dns, const char *domain, ns_type type, int should_cache)
{
	struct spf_runner *runner = runner_of(dns);
	SPF_dns_rr_t *rr = spf_run_new_rr(runner, type);
	char *name = strdup(domain);
	(void)should_cache;
	if (name == NULL)
		stop(runner, TEMPERROR);
	if (runner->stop != GOING) {
		free(name);
		rr->herrno = TRY_AGAIN;
		return rr;
	}
	size_t length = strlen(name);
	int mark = length >= 2 && name[length - 2] == SPF_MARK ? (uint8_t)name[length - 1] : 0;
	if (mark != 0)
		name[length - 2] = '\0';
	if (type == ns_t_a || type == ns_t_aaaa)
		spf_run_look_up_addresses(runner, name, mark, (enum dns_type)type, rr);
	else if (type == ns_t_mx)
		spf_run_look_up_mx(runner, name, mark, rr);
	else if (type == ns_t_ptr)
		spf_run_look_up_ptr(runner, name, rr);
	if (runner->stop != GOING) {
		rr->num_rr = 0;
		rr->herrno = TRY_AGAIN;
	}
	free(name);
	return rr;
}

/* No record that libspf2 sees has an exp=; this is for the day when one slips through. */
static SPF_errcode_t spf_run_get_explanation(SPF_server_t *server, const char *domain, char **text, size_t *size)
{
	(void)server;
	(void)domain;
	if (*text != NULL && *size > 0)
		(*text)[0] = '\0';
	return SPF_E_SUCCESS;
}

/* ---- the library */

__attribute__((noreturn)) static void on_error(const char *file, int line, const char *what)
{
	panic_at(file != NULL ? file : "libspf2", line, what);
}

struct spf_runner *spf_runner_new(void)
{
	SPF_response_t *response = NULL;
	struct spf_runner *runner = calloc(1, sizeof *runner);
	if (runner == NULL)
		return NULL;
	SPF_error_handler = on_error;
	SPF_warning_handler = NULL;
	SPF_info_handler = NULL;
	SPF_debug_handler = NULL;
	runner->dns = (SPF_dns_server_t){ .lookup = spf_run_look_up,
					  .get_spf = spf_run_get_record,
					  .get_exp = spf_run_get_explanation,
					  .name = "penstock",
					  .hook = runner };
	runner->server = SPF_server_new_dns(&runner->dns, 0);
	if (runner->server != NULL)
		SPF_server_set_explanation(runner->server, "no", &response); /* the default is long, and has macros */
	if (response != NULL)
		SPF_response_free(response);
	if (runner->server == NULL)
		spf_runner_free(&runner);
	else
		SPF_server_set_max_dns_mech(runner->server, INT_MAX); /* it counts anew in each include; we do it */
	return runner;
}

void spf_runner_free(struct spf_runner **runner)
{
	struct spf_runner *old = *runner;
	*runner = NULL;
	while (old != NULL && old->spare_count > 0)
		SPF_dns_rr_free(old->spares[--old->spare_count]);
	if (old != NULL && old->server != NULL)
		SPF_server_free(old->server);
	free(old);
}

static SPF_request_t *spf_run_new_request(struct spf_runner *runner, const struct spf_run *run)
{
	struct in_addr v4;
	struct in6_addr v6;
	SPF_request_t *request = SPF_request_new(runner->server);
	if (request == NULL)
		return NULL;
	memcpy(&v4, run->client.bytes, sizeof v4);
	memcpy(&v6, run->client.bytes, sizeof v6);
	if (run->client.family == NETADDR_V6)
		SPF_request_set_ipv6(request, v6);
	else
		SPF_request_set_ipv4(request, v4);
	if (SPF_request_set_helo_dom(request, run->helo) == SPF_E_SUCCESS &&
	    SPF_request_set_env_from(request, run->sender) == 0)
		return request;
	SPF_request_free(request);
	return NULL;
}

static enum spf_answer spf_run_answer_of(SPF_result_t result)
{
	static const enum spf_answer answers[] = {
		[SPF_RESULT_INVALID] = SPF_ANSWER_PERMERROR,   [SPF_RESULT_NEUTRAL] = SPF_ANSWER_NEUTRAL,
		[SPF_RESULT_PASS] = SPF_ANSWER_PASS,	       [SPF_RESULT_FAIL] = SPF_ANSWER_FAIL,
		[SPF_RESULT_SOFTFAIL] = SPF_ANSWER_SOFTFAIL,   [SPF_RESULT_NONE] = SPF_ANSWER_NONE,
		[SPF_RESULT_TEMPERROR] = SPF_ANSWER_TEMPERROR, [SPF_RESULT_PERMERROR] = SPF_ANSWER_PERMERROR,
	};
	return (size_t)result < sizeof answers / sizeof answers[0] ? answers[result] : SPF_ANSWER_PERMERROR;
}

/* Not by SPF_request_query_mailfrom, which lets every loopback client pass. */
static enum spf_answer spf_run_evaluate(struct spf_runner *runner, SPF_request_t *request, SPF_response_t *response)
{
	SPF_record_t *record;
	request->cur_dom = runner->run->domain;
	SPF_errcode_t error = SPF_server_get_record(runner->server, request, response, &record);
	if (error != SPF_E_SUCCESS)
		return error == SPF_E_NOT_SPF ? SPF_ANSWER_NONE : SPF_ANSWER_PERMERROR;
	response->spf_record_exp = record;
	SPF_record_interpret(record, request, response, 0);
	SPF_record_free(record);
	return spf_run_answer_of(SPF_response_result(response));
}

static void spf_run_begin(struct spf_runner *runner, struct spf_run *run)
{
	run->missing = NULL;
	run->answer = SPF_ANSWER_UNKNOWN;
	run->holds_s = DNS_TTL_MOST;
	run->personal = false;
	run->questions = run->voids = 0;
	runner->run = run;
	runner->serial++;
	runner->stop = GOING;
	runner->terms = 0;
	runner->first = true;
	runner->hosts = HOSTS_OF_PTR;
}

void spf_run(struct spf_runner *runner, struct spf_run *run)
{
	static const enum spf_answer ends[] = {
		[MISSING] = SPF_ANSWER_UNKNOWN, [TEMPERROR] = SPF_ANSWER_TEMPERROR, [PERMERROR] = SPF_ANSWER_PERMERROR
	};
	spf_run_begin(runner, run);
	SPF_request_t *request = spf_run_fill_spares(runner) ? spf_run_new_request(runner, run) : NULL;
	SPF_response_t *response = request != NULL ? SPF_response_new(request) : NULL;
	enum spf_answer answer = response != NULL ? spf_run_evaluate(runner, request, response) : SPF_ANSWER_TEMPERROR;
	run->answer = runner->stop != GOING ? ends[runner->stop] : answer;
	if (run->answer == SPF_ANSWER_TEMPERROR)
		run->holds_s = run->holds_s < UNKNOWN_HOLDS_S ? run->holds_s : UNKNOWN_HOLDS_S;
	if (response != NULL)
		SPF_response_free(response);
	if (request != NULL)
		SPF_request_free(request);
}

const char *spf_library(void)
{
	static char version[32];
	int major, minor, patch;
	SPF_get_lib_version(&major, &minor, &patch);
	snprintf(version, sizeof version, "%d.%d.%d", major, minor, patch);
	return version;
}
