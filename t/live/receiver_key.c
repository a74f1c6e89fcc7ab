/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Prints the value of the key follow:NODE as penstock-follow writes it, from lines "TRANSPORT RECEIVER DOMAIN COUNT" of
 * standard input, one an answer; COUNT
 * "trouble" is one of the follower's own. Arguments: the value's number, and the transports.
 */
#include "milter/config/config.h"
#include "milter/follow/receivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static enum receiver_count count_of(const char *word)
{
	int i = 0;
	while (i < RECEIVER_COUNTS && strcmp(word, receiver_count_word((enum receiver_count)i)) != 0)
		i++;
	return (enum receiver_count)i;
}

int main(int argc, char **argv)
{
	static struct transport transports[TRANSPORTS_MAX];
	static struct config config = { .pool_count = 1, .pools = { { .name = "all", .transports = transports } } };
	const char *troubles[2] = { NULL, NULL };
	static const char *const senders[] = { "alice@example.com", "bob@example.net", "carol@example.org" };
	char transport[64], receiver[64], domain[128], count[32];
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	if (argc < 3)
		return 64;
	for (int i = 2; i < argc; i++)
		snprintf(transports[config.pools[0].transport_count++].name, TRANSPORT_NAME_MAX + 1, "%s", argv[i]);
	struct receivers *receivers = receivers_new(&config);
	struct follow_head head = { .number = atoi(argv[1]), .at_ms = now_ms };
	while (scanf("%63s %63s %127s %31s", transport, receiver, domain, count) == 4) {
		struct receivers_answer answer = {
			.transport = transport,
			.receiver = receiver,
			.domain = domain,
			.count = count_of(count),
			.final = true,
			.sender = senders[head.lines % 3],
			.wording = "550 5.7.1 Client host blocked",
			.wording_length = strlen("550 5.7.1 Client host blocked"),
			.time_ms = now_ms,
		};
		if (strcmp(count, "trouble") == 0)
			troubles[0] = "the mail log is not there";
		else if (answer.count == RECEIVER_COUNTS)
			return 64;
		receivers_hear(receivers, &answer);
		head.lines++;
	}
	char *value = receivers_value(receivers, &head, troubles, true, now_ms);
	fputs(value, stdout);
	free(value);
	receivers_free(&receivers);
	return 0;
}
