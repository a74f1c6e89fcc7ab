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
	my ($status, $out, $error) = run({ seconds => 20 }, $program, '-f', '-t', '-c', $file);
	return ($status, $out . $error);
}

# text of the file -> what the error names besides file and line
my $pool = '{ name = "p"; levels = ["good"]; transports = ( { name = "t1"; } ); }';
my @broken = (
	['redis_typo: { server = "x"; };', qr/unknown option "redis_typo"; see/, 1],
	['dns: { timeout = 5; };', qr/unknown option "timeout" in section dns; did you mean "timeout_ms"\?/, 1],
	['dns: { timeout_ms = "5"; };', qr/dns\.timeout_ms is a string, expected a whole number/, 1],
	['dns: { timeout_ms = 5; };', qr/dns\.timeout_ms is 5, expected 50 to 30000/, 1],
	['dns: { timeout_ms = 99999999999999999999; };', qr/99999999999999999999 is too large/, 1],
	['webhook: { secret = 99999999999999999999; };', qr/:8: secret: it is too large: expected/, 1],
	['dns: { timeout_ms = 4294967396; };', qr/4294967396 is too large/, 1],
	['accounts: { cut_tag = 1; };', qr/accounts\.cut_tag is a whole number, expected true or false/, 1],
	['accounts: { sources = ["auth", "guess"]; };', qr/sources\[1\] is "guess", expected auth/, 1],
	["pools = ( $pool, { name = \"q\"; levels = [\"good\"]; transports = ( { name = \"t2\"; } ); } );",
		qr/pools\[1\] is pool "q" with level good, which pool "p" of line 8 has/, 1],
	["pools = ( $pool, { name = \"q\"; levels = [\"new\"]; transports = ( { name = \"t1\"; } ); } );",
		qr/pools\[1\]\.transports\[0\] is a second transport "t1"/, 1],
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
	($status, undef, my $error) = run({ seconds => 20 }, $program, '-f', '-t', '-c', "$folder/sample.conf");
	is $status, 0, "the sample passes: $error";
	$sample =~ s/^(\s*)#(\w+ = )/$1$2/mg;
	File::Copy::copy("$FindBin::Bin/../../etc/blocklists.conf", $folder) or die "the catalogue: $!\n";
	write_file("$folder/sample.conf", $sample);
	($status, undef, $error) = run({ seconds => 20 }, $program, '-f', '-t', '-c', "$folder/sample.conf");
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
	my ($status, undef, $error) = run({ seconds => 20 }, $program, '-f', '-t', '-c', $file);
	is $status, 0, 'fine all the same';
	like $error, qr/^penstock: warning: \Q$folder\E\/$_ .*0666/m, "$_ is warned of" for qw(traps passwd ca facts blocklists.conf);
	unlink "$folder/blocklists.conf";
};

# what the file has besides -> what is said of this host, exit status
my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1) or die "listen: $!\n";
my $other = $taken->sockport;
my @tried = (
	['milter: { socket_group = "no-such-group"; };', qr/^penstock: milter\.socket_group is "no-such-group": there is no such group/m, 1],
	["milter: { socket = \"unix:$folder/none/m\"; };", qr/^penstock: milter\.socket: its folder \Q$folder\E\/none cannot be used .*: No such file/m, 1],
	["socketmap: { listen = \"unix:$folder/none/m\"; };", qr/^penstock: socketmap\.listen: its folder \Q$folder\E\/none cannot be used/m, 1],
	["control: { socket = \"$folder/none/m\"; };", qr/^penstock: control\.socket: its folder \Q$folder\E\/none cannot be used/m, 1],
	['control: { socket = "/run/penstock/control.sock"; };', undef, 0],	# which the unit makes
	["http: { listen = \"127.0.0.1:$other\"; };", qr/^penstock: http\.listen is 127\.0\.0\.1:$other, .*: Address already in use; no Penstock/m, 1],
	["milter: { socket = \"inet:$other\@127.0.0.1\"; };", qr/^penstock: milter\.socket is 127\.0\.0\.1:$other, .*already in use/m, 1],
	["socketmap: { listen = \"inet:127.0.0.1:$other\"; };", qr/^penstock: socketmap\.listen is 127\.0\.0\.1:$other, .*already in use/m, 1],
	['http: { listen = "192.0.2.1:8494"; };', qr/^penstock: http\.listen is 192\.0\.2\.1:8494, .*Cannot assign/m, 1],
	["traps: { file = \"$folder/none\"; };", qr/^penstock: traps\.file: .*No such file/m, 1],
	["accounts: { passwd = \"$folder/none\"; };", qr/^penstock: accounts\.passwd: .*No such file/m, 1],
	["facts: { file = \"$folder/none/facts\"; };", qr/^penstock: facts\.file: its folder \Q$folder\E\/none cannot be used/m, 1],
	['pools = ( { name = "p"; levels = ["good"]; transports = ( { name = "t1"; address = "192.0.2.11"; } ); } );',
		qr/^penstock: warning: pool "p", transport "t1": address is "192\.0\.2\.11", from which this host cannot send: Cannot assign/m, 0],
	['pools = ( { name = "p"; levels = ["good"]; transports = ( { name = "t1"; address = "127.0.0.11"; } ); } );', undef, 0],
	['limits: { client_plan = "nope"; };', qr/^penstock: warning: limits\.client_plan is "nope": no plan of this file .* Redis \(penstock:plans\)/m, 0],
	['limits: { domain_plan = "default"; };', undef, 0],
	['plans = ( { name = "forward"; msgs_per_day = 5; } );', qr/^penstock: warning: plan "forward" limits nothing: .*accounts\.forwarders/m, 0],
);

subtest 'what a start would meet on this host' => sub {
	for my $row (@tried) {
		my ($text, $expected, $status) = @$row;
		config('');
		my ($group) = $text =~ /^(\w+): /;
		my $whole = slurp($file);
		$whole =~ s/^\Q$group\E: .*\n//m if defined $group;
		write_file($file, "$whole$text\n", 0644);
		my ($ended, undef, $error) = run({ seconds => 20 }, $program, '-f', '-t', '-c', $file);
		is $ended, $status, "$text";
		$expected ? like($error, $expected, '... is said') : is($error, '', '... is fine');
	}
};

subtest 'files that the daemon\'s account cannot read' => sub {
	plan skip_all => 'only root can be another account' if $> != 0;
	write_file("$folder/$_", '', 0600) for qw(traps passwd facts);
	File::Copy::copy("$FindBin::Bin/../../etc/blocklists.conf", $folder) or die "the catalogue: $!\n";
	chmod 0600, "$folder/blocklists.conf";
	my %row = (
		'the configuration' => ['', 0600], 'traps.file' => ["traps: { file = \"$folder/traps\"; };"],
		'accounts.passwd' => ["accounts: { passwd = \"$folder/passwd\"; };"], 'catalogue.file' => [''],
		'facts.file' => ["facts: { file = \"$folder/facts\"; };"],
	);
	for my $what (sort keys %row) {
		my ($text, $mode) = @{ $row{$what} };
		config($text, 'nobody');
		chmod $mode // 0644, $file;
		my ($status, undef, $error) = run({ seconds => 20 }, $program, '-f', '-t', '-c', $file);
		is $status, 1, "$what: not fine";
		like $error, qr/^penstock: \Q$what\E: .*\bnobody\b.*: Permission denied/m, '... and why';
	}
	like((run({ seconds => 20 }, $program, '-f', '-t', '-c', $file))[2], qr/^penstock: milter\.socket: nothing can be made in its folder/m,
		'nor can it make its sockets there');
	unlink map { "$folder/$_" } qw(traps passwd facts blocklists.conf);
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

sub health { HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port/health")->{content} // '' }
sub ctl_status { (run({ seconds => 20 }, "$build/penstockctl", '-s', "$folder/control.sock", 'status'))[1] }
sub metrics { HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port/metrics")->{content} // '' }

subtest 'too few open files make fewer sessions, and are said' => sub {
	config('', undef, 60000);
	write_file($log, '');
	my $pid = start(sub {
		exec '/bin/sh', '-c', 'ulimit -n 3000; chmod 777 "$0"; exec setpriv --reuid=65534 --clear-groups "$@"', $folder, $program, '-f', '-c', $file;
	});
	$running{$pid} = 1;
	chmod 0644, $file;
	ok wait_for(20, 'penstock', \&healthy), 'it starts';
	my $said = qr/milter\.max_sessions is 60000, but open files are limited to 3000, expected 61024: 1976 sessions are taken; raise/;
	like slurp($log), qr/^warning: $said/m, 'the log says what to do';
	like health(), $said, 'so does /health';
	like metrics(), qr/^penstock_trouble\{what="milter\.max_sessions"\} 1$/m, 'and a metric';
	is end_of($pid), 0, 'it ends';
	unlink glob "$folder/*.sock";
};

subtest 'a reload that is asked for during the start is done after it' => sub {
	config('');
	for (1 .. 8) {
		write_file($log, '');
		my $pid = start();
		$running{$pid} = 1;
		wait_for(20, 'penstock', \&healthy);	# before it has ended to wait for Redis
		kill 'HUP', $pid;
		ok eval { wait_for(20, 'the reload', sub { slurp($log) =~ /is in force|ended by itself/ }) }, 'it hears it';
		like slurp($log), qr/reload: \S+ is in force/, '... and goes on';
		end_of($pid);
	}
};

# What is not there or taken at a start: the daemon starts, says so, and has it as soon as it can.
my $late = "$folder/late";
my @missing = (
	['facts.file', qr/"\Q$late\E\/facts" cannot be opened: No such file/, "facts: { file = \"$late/facts\"; };"],
	['traps.file', qr/\Q$late\E\/traps cannot be read: No such file/, "traps: { file = \"$late/traps\"; };"],
	['accounts.passwd', qr/"?\Q$late\E\/passwd"? cannot be read: No such file/, "accounts: { passwd = \"$late/passwd\"; };"],
	['socketmap.listen', qr/cannot listen on \Q$late\E\/s: No such file/, "socketmap: { listen = \"unix:$late/s\"; };"],
	['control.socket', qr/cannot listen on \Q$late\E\/c: No such file/, "control: { socket = \"$late/c\"; };"],
	['http.listen', qr/cannot listen on 127\.0\.0\.1:$port: Address already in use/, ''],
);

subtest 'an optional file or socket that cannot be opened does not stop the start' => sub {
	for my $user ($> == 0 ? 'nobody' : '') {
		for my $row (@missing) {
			my ($option, $why, $text) = @$row;
			config('', $user);
			my ($group) = $text =~ /^(\w+): /;
			my $whole = slurp($file);
			$whole =~ s/^\Q$group\E: .*\n//m if defined $group;
			write_file($file, "$whole$text\n", 0644);
			write_file($log, '');
			my $taken = $option eq 'http.listen' ? IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1) : undef;
			my $pid = start();
			$running{$pid} = 1;
			my $name = "$option as " . ($user || 'who started it');
			ok eval { wait_for(20, 'penstock', sub { slurp($log) =~ /serves with/ }) }, "it serves without $name" or do { end_of($pid); next };
			like slurp($log), qr/^warning: \Q$option\E: .*$why/m, '... the log says why';
			like $taken ? ctl_status() : health(), qr/\Q$option\E: /, '... and so does its health';
			ok(IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$folder/milter.sock"), '... mail is taken');
			mkdir $late or die "$late: $!\n";
			chmod 0777, $late;
			write_file("$late/$_", '') for qw(traps passwd);
			close $taken if $taken;
			ok eval { wait_for(40, $option, sub { slurp($log) =~ /^\Q$option\E: it works again/m }) }, '... and it is opened when it can be';
			unlike health(), qr/\Q$option\E: /, '... which ends the reason';
			is end_of($pid), 0, '... it ends';
			unlink glob "$late/*";
			rmdir $late or die "$late: $!\n";
		}
	}
};

subtest 'a file that was refused at reload is a reason until one is in force' => sub {
	config('');
	write_file($log, '');
	my $pid = start();
	$running{$pid} = 1;
	wait_for(20, 'penstock', \&healthy);
	config('nonsense = 1;');
	kill 'HUP', $pid;
	wait_for(20, 'the refusal', sub { slurp($log) =~ /stays in force/ });
	like health(), qr/reload: the one of [-0-9T:]+Z failed: \Q$file\E:8: .*unknown option .*nonsense/, 'it is one';
	like +(run({ seconds => 20 }, "$build/penstockctl", '-c', $file, 'status'))[1], qr/reload.*\Q$file\E:8: .*nonsense/s,
		'... and penstockctl, which reads the same file, tells it';
	config('');
	kill 'HUP', $pid;
	wait_for(20, 'the reload', sub { slurp($log) =~ /is in force/ });
	unlike health(), qr/reload: /, 'then it is none';
	is end_of($pid), 0, 'it ends';
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
	is((run({ seconds => 20 }, $program, '-f', '-t', '-c', $file))[0], 0, 'what it has taken is not in the way of -t');
	ok(IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$folder/milter.sock"), 'nor its milter socket');
	kill 'TERM', $pid;
	wait_for(20, 'its end', sub { !-d "/proc/$pid" });
	delete $running{$pid};
	ok !-e "/proc/$pid", 'TERM ends it';
};

done_testing;
