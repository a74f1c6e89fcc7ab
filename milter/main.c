/* SPDX-License-Identifier: BSD-2-Clause
 *
 * penstock(8): options, signals, exit status.
 */
#include <config.h>

#include "milter/config.h"
#include "milter/dns/spf.h"
#include "milter/log.h"
#include "milter/notify.h"
#include "milter/privilege.h"
#include "milter/server.h"

#include <getopt.h>
#include <libmilter/mfapi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { FILES_BESIDE_SESSIONS = 1024 };	/* socketmap, HTTP, control, DNS, Redis, scanners */

static const char usage[] =
	"usage: penstock [-c FILE] [-f] [-t]\n"
	"  -c, --config FILE   configuration, default " SYSCONFDIR "/penstock/penstock.conf\n"
	"  -f, --foreground    stay in the foreground\n"
	"  -t, --test          check the configuration and exit: 0 fine, 1 not\n"
	"      --sample        print a sample configuration with all defaults\n"
	"      --man-options   print the options in the form of penstock.conf(5)\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"Signals: HUP reads the configuration again, TERM ends after the messages under way.\n";

struct options {
	const char *file;
	bool foreground, test;
};

static void print_version(void)
{
	unsigned major, minor, patch;
	smfi_version(&major, &minor, &patch);
	printf("penstock %s\nlibmilter %u.%u.%u, libspf2 %s\n", PACKAGE_VERSION, major, minor, patch, spf_library());
}

/* Returns the status to exit with; -1: go on. */
static int read_options(int argc, char **argv, struct options *options)
{
	enum { SAMPLE = 256, MAN };
	static const struct option rows[] = {
		{ "config", required_argument, NULL, 'c' }, { "foreground", no_argument, NULL, 'f' },
		{ "test", no_argument, NULL, 't' },	    { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	    { "sample", no_argument, NULL, SAMPLE },
		{ "man-options", no_argument, NULL, MAN },  { NULL, 0, NULL, 0 },
	};
	for (int option; (option = getopt_long(argc, argv, "c:fthV", rows, NULL)) != -1;) {
		switch (option) {
		case 'c':
			options->file = optarg;
			break;
		case 'f':
			options->foreground = true;
			break;
		case 't':
			options->test = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			print_version();
			return 0;
		case SAMPLE:
			config_print_sample(stdout);
			return 0;
		case MAN:
			config_print_man(stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "penstock: \"%s\": expected options only\n%s", argv[optind], usage);
	return 2;
}

/* The parent waits until the child serves or has failed, so that an init script hears of it. */
static int go_to_background(void)
{
	int ends[2];
	char ready;
	if (pipe(ends) != 0)
		return -1;
	pid_t child = fork();
	if (child < 0)
		return -1;
	if (child == 0) {
		close(ends[0]);
		setsid();
		return ends[1];
	}
	close(ends[1]);
	_exit(read(ends[0], &ready, 1) == 1 ? 0 : 1);
}

static void report_ready(int parent)
{
	notify_send("READY=1");
	if (parent < 0)
		return;
	if (freopen("/dev/null", "r", stdin) == NULL || freopen("/dev/null", "w", stdout) == NULL ||
	    freopen("/dev/null", "w", stderr) == NULL)
		log_line(SEVERITY_WARNING, "the standard files cannot be given up");
	if (write(parent, "", 1) != 1)
		log_line(SEVERITY_WARNING, "who started the daemon is gone");
	close(parent);
}

static void serve(struct server *server, const sigset_t *signals)
{
	for (;;) {
		int number = 0;
		sigwait(signals, &number);
		if (number == SIGHUP)
			server_reload(server);
		else if (number == SIGTERM || number == SIGINT)
			return;
	}
}

static int run(struct config *config, const struct options *options, const sigset_t *signals)
{
	char error[CONFIG_ERROR_MAX] = "";
	int parent = options->foreground ? -1 : go_to_background();
	struct server *server = server_open(config, options->file, error, sizeof error);
	if (server == NULL || !server_start(server, error, sizeof error)) {
		fprintf(stderr, "penstock: %s\n", error);
		log_line(SEVERITY_ERROR, "cannot start: %s", error);
		if (server != NULL)
			server_stop(&server);
		return 1;
	}
	log_line(SEVERITY_INFO, "penstock %s serves with %s", PACKAGE_VERSION, options->file);
	report_ready(parent);
	serve(server, signals);
	notify_send("STOPPING=1");
	log_line(SEVERITY_INFO, "ending: no new messages");
	server_stop(&server);
	log_line(SEVERITY_INFO, "ended");
	return 0;
}

/* Before anything else makes a thread: only the main thread takes these, by sigwait. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	struct options options = { .file = SYSCONFDIR "/penstock/penstock.conf" };
	char error[CONFIG_ERROR_MAX] = "";
	sigset_t signals;
	int status = read_options(argc, argv, &options);
	if (status >= 0)
		return status;
	block_signals(&signals);
	struct config *config = config_load(options.file, error);
	if (config == NULL) {
		fprintf(stderr, "penstock: %s\n", error);
		return 1;
	}
	if (options.test && !privilege_user(config->set.user, error, sizeof error)) {
		fprintf(stderr, "penstock: %s: %s\n", options.file, error);
		config_drop(&config);
		return 1;
	}
	if (options.test) {
		printf("%s: fine\n", options.file);
		config_drop(&config);
		return 0;
	}
	if (!log_open(config->set.log_target, config->set.log_facility) ||
	    !privilege_files((uint64_t)config->set.milter_max_sessions + FILES_BESIDE_SESSIONS, error, sizeof error)) {
		fprintf(stderr, "penstock: %s\n", error[0] != '\0' ? error : "log.target: expected syslog or stderr");
		config_drop(&config);
		return 1;
	}
	return run(config, &options, &signals);
}
