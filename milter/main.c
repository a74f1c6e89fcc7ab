/* SPDX-License-Identifier: BSD-2-Clause
 *
 * penstock(8): options, signals, exit status.
 */
#include "milter/config/config.h"
#include "milter/spf/spf.h"
#include "milter/start/extras.h"
#include "milter/base/log.h"
#include "milter/base/notify.h"
#include "milter/base/wait.h"
#include "milter/base/version.h"
#include "milter/start/permission.h"
#include "milter/server.h"
#include "milter/start/trial.h"

#include <getopt.h>
#include <libmilter/mfapi.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

static const char usage[] = "usage: penstock [-c FILE] [-f] [-t]\n"
			    "  -c, --config FILE   configuration, default " SYSCONFDIR "/penstock/penstock.conf\n"
			    "  -f, --foreground    stay in the foreground\n"
			    "  -t, --test          check the configuration and exit: 0 fine, 1 not\n"
			    "      --sample        print a sample configuration with all defaults\n"
			    "      --man-options   print the options in the form of penstock.conf(5)\n"
			    "  -h, --help\n"
			    "  -V, --version\n"
			    "Signals: HUP reads the configuration again, TERM ends after the messages in\n"
			    "progress.\n";

struct options {
	const char *file;
	bool foreground, test;
};

static void print_version(void)
{
	unsigned major, minor, patch;
	smfi_version(&major, &minor, &patch);
	printf("penstock %s\nlibmilter %u.%u.%u, libspf2 %s\n", PENSTOCK_VERSION, major, minor, patch, spf_library());
}

/* Returns the status to exit with; -1: go on. */
static int main_read_options(int argc, char **argv, struct options *options)
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
static int main_go_to_background(void)
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

static void main_report_ready(int parent)
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

/* What the handlers leave for the main thread. */
static sem_t signalled;
static volatile sig_atomic_t hang_ups, ends;

static void main_on_signal(int number)
{
	if (number == SIGHUP)
		hang_ups = 1;
	else if (number != SIGUSR1)
		ends = 1;
	sem_post(&signalled);
}

/* libmilter has a thread of its own that takes HUP and TERM by sigwait and stops at either. The kernel gives a
 * process's signal to the main thread as long as that one does not block it; so it never does from before libmilter
 * runs, not even in the handler (SA_NODEFER). */
static void main_take_signals(const sigset_t *signals)
{
	struct sigaction action = { .sa_handler = main_on_signal, .sa_flags = SA_RESTART | SA_NODEFER };
	sem_init(&signalled, 0, 0);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void main_serve(struct server *server)
{
	while (!ends) {
		bool late = !wait_sem(&signalled, EXTRAS_AGAIN_S * 1000); /* or a signal came, which is harmless */
		while (sem_trywait(&signalled) == 0) {			  /* a storm of HUPs is one */
		}
		if (hang_ups && !ends) {
			hang_ups = 0;
			server_reload(server);
		} else if (late && !ends) {
			server_try_again();
		}
	}
}

static int main_run(struct config *config, const struct options *options, const sigset_t *signals)
{
	char error[CONFIG_ERROR_MAX] = "";
	int parent = options->foreground ? -1 : main_go_to_background();
	if (!log_start())
		log_line(SEVERITY_WARNING, "log: its thread cannot be made: mail waits for who takes its lines");
	struct server *server = server_open(config, options->file, error, sizeof error);
	if (server != NULL)
		main_take_signals(signals);
	if (server == NULL || !server_start(server, error, sizeof error)) {
		fprintf(stderr, "penstock: %s\n", error);
		log_line(SEVERITY_ERROR, "cannot start: %s", error);
		if (server != NULL)
			server_stop(&server);
		log_end();
		return 1;
	}
	log_line(SEVERITY_INFO, "penstock %s serves with %s", PENSTOCK_VERSION, options->file);
	main_report_ready(parent);
	main_serve(server);
	bool failed = server_failed(server);
	notify_send("STOPPING=1");
	log_line(SEVERITY_INFO, "ending: no new messages");
	bool whole = server_stop(&server);
	log_line(whole ? SEVERITY_INFO : SEVERITY_WARNING,
		 whole ? "ended" : "ended, but for threads of libmilter that hang");
	log_end();
	if (!whole)
		_exit(failed); /* its threads still use what exit() would free */
	return failed;
}

/* Before anything else makes a thread: all of them inherit it. */
static void main_block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file as large as may be is a full disk */
}

/* Waits are a little longer or shorter by chance, so that several hosts do not come at once: it must not begin alike on
 * all. */
static void main_seed_chance(void)
{
	unsigned seed;
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		seed = (unsigned)getpid();
	srandom(seed);
}

/* In the background standard error is /dev/null. */
static const char *main_log_is_nowhere(const struct config *config, const struct options *options)
{
	return options->foreground || config->set.log_target != LOG_TO_STDERR
		       ? NULL
		       : "log.target is \"stderr\", which the daemon has in the foreground (-f) alone; expected "
			 "\"syslog\", or the option -f";
}

static void warn_line(const char *line)
{
	fprintf(stderr, "penstock: warning: %s\n", line);
}

static bool failed;

static void fail_line(const char *line)
{
	failed = true;
	fprintf(stderr, "penstock: %s\n", line);
}

/* Returns the status to exit with. */
static int main_test(const struct config *config, const char *file)
{
	trial(config, file, fail_line, warn_line);
	permission_check(config, file, warn_line);
	if (!failed)
		printf("%s: fine\n", file);
	return failed;
}

int main(int argc, char **argv)
{
	struct options options = { .file = SYSCONFDIR "/penstock/penstock.conf" };
	char error[CONFIG_ERROR_MAX] = "";
	sigset_t signals;
	int status = main_read_options(argc, argv, &options);
	if (status >= 0)
		return status;
	umask(umask(0) | 027); /* a socket is nobody's until its group and mode are set */
	main_block_signals(&signals);
	main_seed_chance();
	struct config *config = config_load(options.file, error);
	if (config == NULL) {
		fprintf(stderr, "penstock: %s\n", error);
		return 1;
	}
	const char *nowhere = main_log_is_nowhere(config, &options);
	if (options.test) {
		if (nowhere != NULL)
			warn_line(nowhere);
		status = main_test(config, options.file);
		config_drop(&config);
		return status;
	}
	if (nowhere != NULL) {
		fprintf(stderr, "penstock: %s: %s\n", options.file, nowhere);
		config_drop(&config);
		return 1;
	}
	log_open(config->set.log_target, config->set.log_facility);
	return main_run(config, &options, &signals);
}
