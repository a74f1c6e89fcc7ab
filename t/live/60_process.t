#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The daemon as a process: what a broken configuration is told, systemd's socket and notifications, the loss of root,
# the limit of open files, background start, reload and end.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Cwd ();
use Fcntl qw(F_SETFD);
use File::Copy ();
use File::Temp;
use HTTP::Tiny;
use IO::Socket::UNIX;
use Penstock::Process qw(at_end free_port run slurp wait_for write_file);
use POSIX ();
use Socket qw(SOCK_DGRAM SOCK_STREAM);
use Test::More;

my $build = Cwd::abs_path($ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..");
my $program = $ENV{PENSTOCK} // "$build/penstock";
my $folder = File::Temp::tempdir('penstock-process-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $folder;
my $port = free_port('tcp');
my $file = "$folder/penstock.conf";
my $log = "$folder/log";

sub config {
	my ($more, $user, $sessions) = @_;
	write_file($file, <<"END");
user = "@{[ $user // '' ]}";
milter: { socket = "unix:$folder/milter.sock"; max_sessions = @{[ $sessions // 100 ]}; drain_s = 2; };
log: { target = "stderr"; };
http: { listen = "127.0.0.1:$port"; };
control: { socket = "$folder/control.sock"; };
socketmap: { listen = "unix:$folder/socketmap.sock"; };
redis: { server = "unix:$folder/no-redis.sock"; };
@{[ $more // '' ]}
END
}

sub check {
	my ($text) = @_;
	config($text);
	my ($status, $out, $error) = run({ seconds => 20 }, $program, '-t', '-c', $file);
	return ($status, $out . $error);
}

# text of the file -> what the error names besides file and line
my $pool = '{ name = "p"; levels = ["good"]; transports = ( { name = "t1"; } ); }';
my @broken = (
	['redis_typo: { server = "x"; };', qr/redis_typo is no option/, 1],
	['dns: { timeout = 5; };', qr/dns\.timeout is no option/, 1],
	['dns: { timeout_ms = "5"; };', qr/dns\.timeout_ms is a string, expected a whole number/, 1],
	['dns: { timeout_ms = 5; };', qr/dns\.timeout_ms is 5, expected 50 to 30000/, 1],
	['dns: { timeout_ms = 99999999999999999999; };', qr/99999999999999999999 is too large/, 1],
	['webhook: { secret = 99999999999999999999; };', qr/:8: it is too large: expected/, 1],
	['dns: { timeout_ms = 4294967396; };', qr/4294967396 is too large/, 1],
	['accounts: { cut_tag = 1; };', qr/accounts\.cut_tag is a whole number, expected true or false/, 1],
	['accounts: { sources = ["auth", "guess"]; };', qr/sources\[1\] is "guess", expected auth/, 1],
	["pools = ( $pool, { name = \"q\"; levels = [\"good\"]; transports = ( { name = \"t2\"; } ); } );",
		qr/pools "p" and "q" overlap: both have level good/, 0],
	["pools = ( $pool, { name = \"q\"; levels = [\"new\"]; transports = ( { name = \"t1\"; } ); } );",
		qr/two transports are named "t1"/, 0],
	['pools = ( { name = "p"; levels = ["good"]; transports = ( { name = "a b"; } ); } );', qr/is "a b", expected/, 1],
	['pools = ( { name = "p"; levels = ["fine"]; transports = ( { name = "a"; } ); } );', qr/is "fine", expected good/, 1],
	['blocklists = ( { zone = "bl.test"; codes = ["10.0.0.1 spam"]; } );', qr/is "10\.0\.0\.1 spam", expected/, 1],
	['plans = ( { name = "a"; rcpts_per_hour = -5; } );', qr/rcpts_per_hour is -5, expected/, 1],
	['plans = ( { name = "a"; over = "explode"; } );', qr/over is "explode", expected defer/, 1],
	['plans = ( { rcpts_per_hour = 5; } );', qr/plans\[0\] has no "name"/, 1],
	['scanners = ( { name = "s"; kind = "clam"; address = "127.0.0.1:1"; } );', qr/kind is "clam", expected spamd/, 1],
	['reputation: { suspect_enter = 1.0; suspect_leave = 2.0; };', qr/suspect_leave is 2, expected less/, 1],
	['dns: { timeout_ms = ; };', qr/syntax error/, 1],
	['dns: { servers = ["nonsense"]; };', qr/dns\.servers\[0\] is "nonsense", expected address:port/, 1],
	['dns: { on_failure = "panic"; };', qr/dns\.on_failure is "panic", expected unknown or defer/, 1],
	['scanners = ( { name = "s"; address = "nonsense"; } );', qr/scanners\[0\]\.address is "nonsense": expected/, 1],
);

subtest 'a broken configuration is told where, what and what was expected' => sub {
	for my $row (@broken) {
		my ($text, $expected, $lined) = @$row;
		my ($status, $said) = check($text);
		is $status, 1, "refused: $text";
		like $said, $expected, 'named';
		like $said, $lined ? qr/\Q$file\E:8:/ : qr/\Q$file\E:/, 'with its place';
		is $said =~ tr/\n//, 1, 'in one line';
	}
};

subtest 'a fine one, the sample, help and version' => sub {
	my ($status, $said) = check('');
	is $status, 0, 'fine';
	like $said, qr/fine/, 'and says so';
	my ($ok, $sample) = run({ seconds => 20 }, $program, '--sample');
	$sample =~ s/^#user = .*$/user = "";/m or die "the sample names no user\n";
	write_file("$folder/sample.conf", $sample);
	($status, undef, my $error) = run({ seconds => 20 }, $program, '-t', '-c', "$folder/sample.conf");
	is $status, 0, "the sample passes: $error";
	$sample =~ s/^(\s*)#(\w+ = )/$1$2/mg;
	File::Copy::copy("$FindBin::Bin/../../etc/blocklists.conf", $folder) or die "the catalogue: $!\n";
	write_file("$folder/sample.conf", $sample);
	($status, undef, $error) = run({ seconds => 20 }, $program, '-t', '-c', "$folder/sample.conf");
	is $status, 0, "with all defaults written out too: $error";
	for my $option ('--help', '--version') {
		my ($ended, $out) = run({ seconds => 20 }, $program, $option);
		is $ended, 0, $option;
		like $out, qr/penstock/, 'names itself';
	}
	is((run({ seconds => 20 }, $program, '--nonsense'))[0], 2, 'an option that is none');
	is((run({ seconds => 20 }, $program, '-c', "$folder/nowhere.conf"))[0], 1, 'a file that is none');
};

# what the file has besides, its mode -> what is warned of
my @shown = (
	['', 0644, undef],
	['', 0664, qr/has mode 0664: others than its owner can change it; expected at most 0644: chmod g-w,o-w /],
	['', 0646, qr/has mode 0646: others than its owner can change it/],
	['webhook: { secret = ""; };', 0644, undef],
	['webhook: { secret = "unguessable-word"; };', 0644,
		qr/holds a secret, and its mode is 0644: everybody on this host can read it; expected 0640: chown root:root (\S+); chmod 640 \1$/],
	['webhook: { secret = "unguessable-word"; };', 0640, undef],
	['webhook: { secret = "unguessable-word"; };', 0660, qr/has mode 0660: .* expected at most 0640/],
	['facts: { salt = "unguessable-word-of-16"; };', 0644, qr/holds a salt,/],
	['catalogue: { keys = ( { lists = "spamhaus-*"; key = "unguessableword"; } ); };', 0644, qr/holds a key,/],
	['webhook: { url = "http://user:unguessable-word@127.0.0.1/"; };', 0604, qr/holds a key in webhook\.url, and its mode is 0604/],
);

subtest 'who else may read or change the files is warned of' => sub {
	File::Copy::copy("$FindBin::Bin/../../etc/blocklists.conf", $folder) or die "the catalogue: $!\n";
	for my $row (@shown) {
		my ($text, $mode, $expected) = @$row;
		config($text);
		chmod $mode, $file or die "$file: $!\n";
		my ($status, $out, $error) = run({ seconds => 20 }, $program, '-f', '-t', '-c', $file);
		my $name = sprintf '%04o %s', $mode, $text;
		is $status, 0, "fine all the same: $name";
		like $out, qr/: fine$/m, '... and says so';
		$expected ? like($error, qr/\Apenstock: warning: \Q$file\E .*\n\z/, '... in one line') : is($error, '', '... without a warning');
		like $error, $expected, '... with a warning' if $expected;
		unlike $error, qr/unguessable/, '... that does not show the secret';
	}
	write_file("$folder/$_", '') for qw(traps passwd ca facts);
	chmod 0666, map { "$folder/$_" } qw(traps passwd ca facts blocklists.conf) or die "chmod: $!\n";
	config(join '', map { "$_; " } "traps: { file = \"$folder/traps\"; }", "accounts: { passwd = \"$folder/passwd\"; }",
		"webhook: { ca_file = \"$folder/ca\"; }", "facts: { file = \"$folder/facts\"; }");
	chmod 0640, $file or die "$file: $!\n";
	my ($status, undef, $error) = run({ seconds => 20 }, $program, '-t', '-c', $file);
	is $status, 0, 'fine all the same';
	like $error, qr/^penstock: warning: \Q$folder\E\/$_ .*0666/m, "$_ is warned of" for qw(traps passwd ca facts blocklists.conf);
	unlink "$folder/blocklists.conf";
};

# Starts the daemon in front, with `before` run in its process; returns its pid.
sub start {
	my ($before, @more) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	open STDERR, '>>', $log or POSIX::_exit(127);
	open STDIN, '<', '/dev/null' or POSIX::_exit(127);
	$before->() if $before;
	exec $program, '-f', '-c', $file, @more or POSIX::_exit(127);
}

my %running;
at_end(sub { kill 'KILL', keys %running });

sub healthy { HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port/health")->{status} == 200 }

sub end_of {
	my ($pid) = @_;
	kill 'TERM', $pid;
	my $status;
	wait_for(20, "process $pid to end", sub { waitpid($pid, POSIX::WNOHANG) == $pid && do { $status = $?; 1 } });
	delete $running{$pid};
	return $status;
}

subtest 'systemd: its socket, READY, WATCHDOG, RELOADING, STOPPING' => sub {
	config('');
	my $listen = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "$folder/held.sock", Listen => 5) or die "listen: $!\n";
	my $notify = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$folder/notify.sock") or die "notify: $!\n";
	$notify->blocking(0);
	my $pid = start(sub {
		if (fileno($listen) == 3) {
			fcntl($listen, F_SETFD, 0);
		} else {
			POSIX::dup2(fileno($listen), 3);
		}
		@ENV{qw(LISTEN_FDS LISTEN_PID NOTIFY_SOCKET WATCHDOG_USEC)} = (1, $$, "$folder/notify.sock", 400_000);
	});
	$running{$pid} = 1;
	my $said = '';
	my $hears = sub {
		my ($word) = @_;
		return sub {
			while (defined $notify->recv(my $datagram, 200)) {
				$said .= "$datagram\n";
			}
			return $said =~ /^\Q$word\E$/m;
		};
	};
	ok wait_for(20, 'READY', $hears->('READY=1')), 'it says that it is ready';
	ok wait_for(20, 'WATCHDOG', $hears->('WATCHDOG=1')), 'it gives signs of life';
	my $client = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$folder/held.sock");
	ok $client, 'the socket that systemd holds takes connections';
	# SMFIC_OPTNEG: version 6, all actions, all steps
	print {$client} pack('N a N N N', 13, 'O', 6, 0x1ff, 0x1fffff);
	$client->flush;
	my $length = sysread $client, my $answer, 17;
	is $length && (unpack 'N a', $answer)[1], 'O', 'and libmilter answers on it';
	close $client;
	kill 'HUP', $pid;
	ok wait_for(20, 'RELOADING', $hears->('RELOADING=1')), 'a reload is told';
	is end_of($pid), 0, 'TERM ends it with 0';
	ok $hears->('STOPPING=1')->(), 'and it says that it stops';
	ok -S "$folder/held.sock", 'the socket stays for the next one';
};

subtest 'root is lost, and what needed it was done before' => sub {
	plan skip_all => 'only root can lose root' if $> != 0;
	config('', 'nobody');
	my $pid = start();
	$running{$pid} = 1;
	wait_for(20, 'penstock', \&healthy);
	my $status = slurp("/proc/$pid/status");
	my $nobody = getpwnam 'nobody';
	like $status, qr/^Uid:\s+$nobody\s+$nobody\s+$nobody\s+$nobody$/m, 'no user id is 0 any more';
	is((stat "$folder/milter.sock")[2] & 07777, 0660, 'the socket has its permissions');
	is end_of($pid), 0, 'it ends';
	config('', 'nobody-of-that-name');
	my ($ended, undef, $error) = run({ seconds => 20 }, $program, '-f', '-c', $file);
	is $ended, 1, 'a user that is none';
	like $error, qr/nobody-of-that-name/, 'is named';
};

subtest 'start and reload warn of a secret that all can read; files are no wider than needed' => sub {
	config("webhook: { secret = \"unguessable-word\"; }; facts: { file = \"$folder/new-facts\"; };");
	chmod 0644, $file or die "$file: $!\n";
	write_file($log, '');
	my $pid = start(sub { umask 0 });
	$running{$pid} = 1;
	wait_for(20, 'penstock', \&healthy);
	my $warned = sub { scalar(() = slurp($log) =~ /^warning: \Q$file\E holds a secret, and its mode is 0644: .* chmod 640 /mg) };
	is $warned->(), 1, 'at start';
	kill 'HUP', $pid;
	wait_for(20, 'the reload', sub { slurp($log) =~ /is in force/ });
	is $warned->(), 2, 'at reload';
	unlike slurp($log), qr/unguessable/, 'without the secret';
	my %mode = ('milter.sock' => 0660, 'socketmap.sock' => 0660, 'control.sock' => 0600, 'new-facts' => 0640);
	is((stat "$folder/$_")[2] & 07777, $mode{$_}, sprintf '%s has mode %04o', $_, $mode{$_}) for sort keys %mode;
	like slurp("/proc/$pid/status"), qr/^Umask:\s+0027$/m, 'and nothing is open for all before its mode is set';
	is end_of($pid), 0, 'it ends';
};

subtest 'a user that we cannot become is warned of' => sub {
	plan skip_all => 'only root can start it as somebody else' if $> != 0;
	config('', 'nobody');
	my $other = "$folder/other";
	mkdir $other;
	chmod 0777, $other;
	write_file($file, slurp($file) =~ s{\Q$folder\E/(?=\w+\.sock)}{$other/}gr);
	chmod 0644, $file;
	write_file($log, '');
	my $pid = start(sub { POSIX::setgid(65533); POSIX::setuid(65533) });
	$running{$pid} = 1;
	wait_for(20, 'penstock', \&healthy);
	like slurp($log), qr/^warning: user is "nobody", but the daemon was started by another account/m, 'it is';
	is end_of($pid), 0, 'it ends';
};

subtest 'too few open files are said at start' => sub {
	config('', undef, 60000);
	my ($status, undef, $error) =
		run({ seconds => 20 }, '/bin/sh', '-c', 'ulimit -n 500; exec setpriv --reuid=65534 --clear-groups "$@"', 'sh', $program, '-f', '-c', $file);
	is $status, 1, 'it does not start';
	like $error, qr/limited to 500, expected 61024 for milter\.max_sessions/, 'and says what to do';
};

subtest 'in the background; a second one is refused; reload keeps the old file where the new one is broken' => sub {
	config('');
	write_file($file, slurp($file) =~ s/target = "stderr"/target = "syslog"/r);	# standard error is given up
	my ($status) = run({ seconds => 20 }, '/bin/sh', '-c', "exec \"\$@\" >>$log 2>&1", 'sh', $program, '-c', $file);
	is $status, 0, 'the starter returns when it serves';
	ok healthy(), 'it serves';
	my ($pid) = grep { slurp("/proc/$_/cmdline") =~ /\Q$file\E/ } map { m{/proc/(\d+)$} ? $1 : () } glob '/proc/*';
	ok $pid, "it is process $pid";
	$running{$pid} = 1;
	my ($second, undef, $error) = run({ seconds => 20 }, $program, '-f', '-c', $file);
	is $second, 1, 'a second one does not start';
	like $error, qr/milter\.socket|another process listens|cannot listen/, "and says why: $error";
	ok healthy(), 'the first is not disturbed';
	ok(IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$folder/milter.sock"), 'nor its milter socket');
	kill 'TERM', $pid;
	wait_for(20, 'its end', sub { !-d "/proc/$pid" });
	delete $running{$pid};
	ok !-e "/proc/$pid", 'TERM ends it';
};

done_testing;
