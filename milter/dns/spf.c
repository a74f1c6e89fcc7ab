/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/spf.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/types.h>
#include <spf2/spf.h>

#include "policy/base/banned.h"

const char *spf_library(void)
{
	static char version[32];
	int major, minor, patch;
	SPF_get_lib_version(&major, &minor, &patch);
	snprintf(version, sizeof version, "%d.%d.%d", major, minor, patch);
	return version;
}
