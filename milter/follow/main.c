/* SPDX-License-Identifier: BSD-2-Clause
 *
 * penstock-follow(8): options, exit status.
 */
#include "milter/base/log.h"
#include "milter/base/version.h"
#include "milter/config/config.h"
#include "milter/follow/follower.h"
#include "milter/follow/try.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

static const char usage[] = "usage: penstock-follow [-c FILE] [--from-start]\n"
			    "       penstock-follow [-c FILE] -t | --dry-run LOG | --rate LOG\n"
			    "  -c, --config FILE  configuration, default " SYSCONFDIR "/penstock/penstock.conf\n"
			    "      --from-start   where this log was never read before: begin at its first\n"
			    "                     line, not behind its last one\n"
			    "  -t, --test         check the configuration, the table of replies and whether the\n"
			    "                     log can be read, and exit: 0 fine, 1 not\n"
			    "      --dry-run LOG  read a file of the log (-: standard input), write nothing,\n"
			    "                     and print what it says: recipients by account, outcome,\n"
			    "                     transport and receiver, then what is not understood\n"
			    "      --rate LOG     how many of its lines are read in a second of processor\n"
			    "                     time\n"
			    "  -h, --help         this text\n"
			    "  -V, --version      the version\n"
			    "It stays in the foreground. HUP reads the configuration again, TERM ends it.\n";

struct main_words {
	const char *file, *dry_run, *rate;
	bool from_start, test;
};

/* Returns the status to exit with; -1: go on. */
static int main_read_words(int argc, char **argv, struct main_words *options)
{
	enum { FROM_START = 256, DRY_RUN, RATE };
	static const struct option rows[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "test", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "from-start", no_argument, NULL, FROM_START },
		{ "dry-run", required_argument, NULL, DRY_RUN },
		{ "rate", required_argument, NULL, RATE },
		{ NULL, 0, NULL, 0 },
	};
	for (int option; (option = getopt_long(argc, argv, "c:thV", rows, NULL)) != -1;) {
		switch (option) {
		case 'c':
			options->file = optarg;
			break;
		case 't':
			options->test = true;
			break;
		case FROM_START:
			options->from_start = true;
			break;
		case DRY_RUN:
			options->dry_run = optarg;
			break;
		case RATE:
			options->rate = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			printf("penstock-follow %s\n", PENSTOCK_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "penstock-follow: \"%s\": expected options only\n%s", argv[optind], usage);
	return 2;
}

static int main_fail(const char *error)
{
	fprintf(stderr, "penstock-follow: %s\n", error);
	return 1;
}

/* Where it is begun again there is a while without a handler, in which another SIGHUP would end it: it waits. */
static void main_hold_hangup(int how)
{
	sigset_t hangup;
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(how, &hangup, NULL);
}

static int main_follow(const struct config *config, const struct main_words *options, bool *again_out)
{
	char error[1024];
	main_hold_hangup(SIG_BLOCK);
	log_name("penstock-follow"); /* lines of "penstock" are verdicts */
	log_open(config->set.log_target, config->set.log_facility);
	if (!log_start())
		log_line(SEVERITY_WARNING, "log: its thread cannot be made");
	struct follower *follower = follower_open(config, options->file, options->from_start, error, sizeof error);
	if (follower == NULL) {
		log_line(SEVERITY_ERROR, "penstock-follow cannot start: %s", error);
		log_end();
		return config->set.log_target == LOG_TO_SYSLOG && isatty(STDERR_FILENO) ? main_fail(error) : 1;
	}
	main_hold_hangup(SIG_UNBLOCK);
	int status = follower_run(follower);
	main_hold_hangup(SIG_BLOCK);
	*again_out = follower_begins_again(follower);
	follower_free(&follower);
	log_end();
	return status;
}

static int main_work(const struct config *config, const struct main_words *options, bool *again_out)
{
	char error[1024], replies[1024];
	follower_replies_file(config, options->file, replies, sizeof replies);
	if (options->dry_run == NULL && options->rate == NULL && !options->test)
		return main_follow(config, options, again_out);
	if (options->test ? !try_config(config, replies, error, sizeof error)
			  : !try_log(options->dry_run != NULL ? options->dry_run : options->rate, replies,
				     options->dry_run == NULL, error, sizeof error))
		return main_fail(error);
	if (options->test)
		printf("%s: fine\n", options->file);
	return fflush(stdout) == 0 ? 0 : main_fail("standard output cannot be written");
}

int main(int argc, char **argv)
{
	struct main_words options = { .file = SYSCONFDIR "/penstock/penstock.conf" };
	char error[CONFIG_ERROR_MAX] = "";
	int status = main_read_words(argc, argv, &options);
	if (status >= 0)
		return status;
	umask(umask(0) | 027);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file as large as may be is a full disk */
	struct config *config = config_load(options.file, error);
	if (config == NULL)
		return main_fail(error);
	bool again = false;
	status = main_work(config, &options, &again);
	config_drop(&config);
	if (!again)
		return status;
	execvp(argv[0], argv);
	return main_fail("SIGHUP: it cannot be executed again");
}
