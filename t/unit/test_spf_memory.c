/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SPF without memory for libspf2's answers: a temperror, and the next one is as ever. libspf2 itself would abort.
 */
#include "t/unit/spf_fixture.h"

#include <dlfcn.h>
#include <stdatomic.h>

static atomic_bool no_answers, no_bytes;

/* In place of libspf2's, which are called where there is memory. */
void *SPF_dns_rr_new_init(void *server, const char *domain, int type, int ttl, int herrno);
int SPF_dns_rr_buf_realloc(void *rr, int index, size_t length);

void *SPF_dns_rr_new_init(void *server, const char *domain, int type, int ttl, int herrno)
{
	void *(*real)(void *, const char *, int, int, int);
	void *found = dlsym(RTLD_NEXT, "SPF_dns_rr_new_init");
	memcpy(&real, &found, sizeof real);
	return atomic_load(&no_answers) ? NULL : real(server, domain, type, ttl, herrno);
}

int SPF_dns_rr_buf_realloc(void *rr, int index, size_t length)
{
	enum { SPF_E_NO_MEMORY = 1 };
	int (*real)(void *, int, size_t);
	void *found = dlsym(RTLD_NEXT, "SPF_dns_rr_buf_realloc");
	memcpy(&real, &found, sizeof real);
	return atomic_load(&no_bytes) ? SPF_E_NO_MEMORY : real(rr, index, length);
}

static const char *says(const char *domain)
{
	char sender[80];
	snprintf(sender, sizeof sender, "u@%s", domain);
	return spf_answer_word(check("192.0.2.1", sender, "h.test"));
}

int main(void)
{
	open_engine(TIMEOUT_MS);
	for (const char *domain = "a.test\0b.test\0c.test\0d.test\0e.test\0"; *domain != '\0';
	     domain += strlen(domain) + 1) {
		add(domain, TXT, "v=spf1 ptr mx a -all");
		add(domain, A, "192.0.2.1");
	}
	is_str(says("a.test"), "pass", "with memory");
	atomic_store(&no_answers, true);
	is_str(says("b.test"), "temperror", "no memory for an answer");
	is_str(says("c.test"), "temperror", "and none to lay answers aside");
	atomic_store(&no_answers, false);
	atomic_store(&no_bytes, true);
	is_str(says("d.test"), "temperror", "no memory for an address");
	atomic_store(&no_bytes, false);
	is_str(says("e.test"), "pass", "with memory again");
	close_engine();
	return done_testing();
}
