/* SPDX-License-Identifier: BSD-2-Clause
 *
 * nullmilter: the floor that Penstock is measured against. The same libmilter, the same callbacks, the same
 * requests for no reply; at the end of each message it inserts one header, and that is all it does.
 *
 *	nullmilter unix:/path | inet:port@address
 */
#include <libmilter/mfapi.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* as the daemon with block lists: connect is answered, so that the MTA tells it at once */
#define WANTED_NO_REPLY (SMFIP_NR_HELO | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)
#define WANTED_NO_CALL (SMFIP_NODATA | SMFIP_NOUNKNOWN)

static char pool_header[] = "X-Penstock-Pool";
static char pool_value[] = "clean-1";

/* The session's private pointer is no pointer: it carries the flags that were agreed; nothing is allocated. */
static sfsistat answer(SMFICTX *ctx, unsigned long flag)
{
	return ((uintptr_t)smfi_getpriv(ctx) & flag) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps, unsigned long unused_2,
			     unsigned long unused_3, unsigned long *actions_out, unsigned long *steps_out,
			     unsigned long *out_2, unsigned long *out_3)
{
	(void)unused_2;
	(void)unused_3;
	*actions_out = actions & SMFIF_ADDHDRS;
	*steps_out = steps & (WANTED_NO_REPLY | WANTED_NO_CALL);
	*out_2 = 0;
	*out_3 = 0;
	smfi_setpriv(ctx, (void *)(uintptr_t)*steps_out);
	return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	(void)host;
	(void)address;
	return answer(ctx, SMFIP_NR_CONN);
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
	(void)name;
	return answer(ctx, SMFIP_NR_HELO);
}

static sfsistat on_mail(SMFICTX *ctx, char **arguments)
{
	(void)ctx;
	(void)arguments;
	return SMFIS_CONTINUE;
}

static sfsistat on_rcpt(SMFICTX *ctx, char **arguments)
{
	(void)ctx;
	(void)arguments;
	return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)name;
	(void)value;
	return answer(ctx, SMFIP_NR_HDR);
}

static sfsistat on_eoh(SMFICTX *ctx)
{
	return answer(ctx, SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t size)
{
	(void)chunk;
	(void)size;
	return answer(ctx, SMFIP_NR_BODY);
}

static sfsistat on_eom(SMFICTX *ctx)
{
	return smfi_insheader(ctx, 0, pool_header, pool_value) == MI_SUCCESS ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

static sfsistat on_abort(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

static struct smfiDesc describe(void)
{
	static char name[] = "nullmilter";
	struct smfiDesc description;

	memset(&description, 0, sizeof(description));
	description.xxfi_name = name;
	description.xxfi_version = SMFI_VERSION;
	description.xxfi_flags = SMFIF_ADDHDRS;
	description.xxfi_negotiate = on_negotiate;
	description.xxfi_connect = on_connect;
	description.xxfi_helo = on_helo;
	description.xxfi_envfrom = on_mail;
	description.xxfi_envrcpt = on_rcpt;
	description.xxfi_header = on_header;
	description.xxfi_eoh = on_eoh;
	description.xxfi_body = on_body;
	description.xxfi_eom = on_eom;
	description.xxfi_abort = on_abort;
	description.xxfi_close = on_close;
	return description;
}

int main(int argc, char **argv)
{
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: nullmilter unix:/path | inet:port@address\n");
		return EX_USAGE;
	}
	/* A socket file that an earlier run left behind would refuse the bind. */
	if (strncmp(argv[1], "unix:", 5) == 0)
		unlink(argv[1] + 5);
	if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(describe()) != MI_SUCCESS ||
	    smfi_setbacklog(1024) != MI_SUCCESS || smfi_opensocket(0) != MI_SUCCESS) {
		fprintf(stderr, "nullmilter: cannot listen on %s; expected unix:/path or inet:port@address\n", argv[1]);
		return EX_UNAVAILABLE;
	}
	/* TERM is libmilter's own: it ends smfi_main. */
	return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}
