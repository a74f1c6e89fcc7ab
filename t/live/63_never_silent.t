#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What goes wrong around the daemon stops no mail and is said: a log that nobody reads, files of sockets that are
# removed, a full disk, crowds at the socketmap and the control socket, and the last descriptor.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../eval";
use Cwd ();
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use File::Temp;
use HTTP::Tiny;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP;
use Penstock::MilterSession;
use Penstock::Process qw(at_end free_port run slurp wait_for write_file);
use POSIX ();
use Socket qw(SOCK_STREAM);
use Test::More;

use constant F_SETPIPE_SZ => 1031;
use constant LINES => 2000;

my $build = Cwd::abs_path($ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..");
my $program = $ENV{PENSTOCK} // "$build/penstock";
my $tool = $ENV{PENSTOCKCTL} // "$build/penstockctl";
my $folder = File::Temp::tempdir('penstock-silent-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $sockets = "$folder/sockets";
mkdir $sockets or die "$sockets: $!\n";
my $port = free_port('tcp');
my $file = "$folder/penstock.conf";
my $log = "$folder/log";
my $http = HTTP::Tiny->new(timeout => 10, keep_alive => 0);
my $pid;
local $SIG{PIPE} = 'IGNORE';

sub config {
	my ($more) = @_;
	write_file($file, <<"END");
user = "";
milter: { socket = "unix:$sockets/milter.sock"; max_sessions = 100; drain_s = 0; };
log: { target = "stderr"; };
http: { listen = "127.0.0.1:$port"; };
control: { socket = "$sockets/control.sock"; };
socketmap: { listen = "unix:$sockets/socketmap.sock"; };
redis: { server = "unix:$folder/no-redis.sock"; };
catalogue: { file = ""; };
@{[ $more // '' ]}
END
	chmod 0640, $file;
}

sub health {
	my $answer = $http->get("http://127.0.0.1:$port/health");
	return $answer->{status} == 599 ? undef : decode_json($answer->{content});
}

sub reasons { return join "\n", @{ (health() // { reasons => [] })->{reasons} } }

sub metric {
	my ($name) = @_;
	return $http->get("http://127.0.0.1:$port/metrics")->{content} =~ /^penstock_\Q$name\E (\S+)$/m ? $1 : undef;
}

# Its standard error is `to`, a handle, or the file $log; `before` is run in its process.
sub start {
	my (%option) = @_;
	write_file($log, '');
	$pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>>', $log or POSIX::_exit(127) if !$option{to};
		POSIX::dup2(fileno $option{to}, 2) if $option{to};
		open STDIN, '<', '/dev/null' or POSIX::_exit(127);
		exec @{ $option{before} // [] }, $program, '-f', '-c', $file or POSIX::_exit(127);
	}
	wait_for(20, 'penstock', sub { defined health() && ($option{to} || slurp($log) =~ / serves with /) });
}

at_end(sub { kill 'KILL', $pid if $pid });

sub stop {
	kill 'TERM', $pid;
	my $status;
	wait_for(40, "process $pid to end", sub { waitpid($pid, POSIX::WNOHANG) == $pid && do { $status = $?; 1 } });
	undef $pid;
	return $status;
}

sub netstring { return length($_[0]) . ":$_[0]," }

# A part of the test, at whose end nothing runs.
sub part {
	my ($name, $code) = @_;
	subtest $name => sub {
		local $SIG{ALRM} = sub { die "it stands still\n" };
		alarm 90;
		eval { $code->(); 1 } or fail("it goes on: $@");
		alarm 0;
		kill 'KILL', $pid if $pid;
		waitpid $pid, 0 if $pid;
		undef $pid;
	};
	return;
}

sub connect_to { return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$sockets/$_[0].sock") }

# One command by the control socket, without waiting for its answer.
sub begin_command {
	my ($command) = @_;
	my $socket = connect_to('control') or return;
	syswrite $socket, encode_json($command) . "\n";
	return $socket;
}

sub message {
	my ($id) = @_;
	my $session = Penstock::MilterSession->start(path => "$sockets/milter.sock", client => '192.0.2.1', host => 'mx.example.org',
		login => 'alice@example.org');
	$session->mail('alice@example.org');
	$session->rcpt($id, 'bob@example.net', 'smtp');
	$session->data($id);
	$session->header('Subject', 'x');
	$session->header_end;
	$session->body("text\r\n");
	$session->end_said($id);
	my ($what) = $session->end_answer;
	return $what;
}

part 'a log that nobody reads' => sub {
	config();
	pipe my $reads, my $writes or die "pipe: $!\n";
	fcntl $writes, F_SETPIPE_SZ, 4096;
	start(to => $writes);
	close $writes;
	for my $i (1 .. LINES) {
		my $socket = begin_command({ do => 'account.feedback', account => "u$i\@example.org", kind => 'dead' }) or last;
		IO::Select->new($socket)->can_read(5) or last;
	}
	ok defined health(), 'health answers';
	is message('Q1'), 'pass', 'and so does the milter';
	ok wait_for(20, 'a reason', sub { reasons() =~ /^log: its lines have not been taken for \d+ seconds; \d+ wait, 0 are lost\.$/m }),
		'which says that lines wait';
	cmp_ok metric('log_waiting') // 0, '>', LINES / 2, 'there is a metric of it';
	fcntl $reads, F_SETFL, fcntl($reads, F_GETFL, 0) | O_NONBLOCK;
	my $text = '';
	wait_for(20, 'the lines', sub { 1 while sysread $reads, $text, 65536, length $text; $text =~ /^Q1: /m });
	is_deeply [ $text =~ /control: account\.feedback u(\d+)\@/g ], [ 1 .. LINES ], 'all are read later, in order';
	wait_for(20, 'the end of it', sub { reasons() !~ /^log: /m });
	pass 'and then it is no reason any more';
	is stop(), 0, 'it ends';
};

part 'standard error is the log in the foreground alone' => sub {
	config();
	my ($status, $out, $error) = run({ seconds => 20 }, $program, '-c', $file);
	is $status, 1, 'refused in the background';
	like $error, qr/^penstock: \Q$file\E: log\.target is "stderr", .* expected "syslog", or the option -f$/, 'with a sentence';
	($status, $out, $error) = run({ seconds => 20 }, $program, '-t', '-c', $file);
	is $status, 0, 'the test passes, for -f';
	like $error, qr/^penstock: warning: log\.target is "stderr"/, '... and warns';
	($status, $out, $error) = run({ seconds => 20 }, $program, '-f', '-t', '-c', $file);
	is $error, '', '... but where -f is given';
};

part 'files of sockets that are removed' => sub {
	config();
	start();
	for my $name (qw(milter socketmap control)) {
		my $option = { milter => 'milter.socket', socketmap => 'socketmap.listen', control => 'control.socket' }->{$name};
		my $before = (stat "$sockets/$name.sock")[2];
		unlink "$sockets/$name.sock" or die "unlink: $!\n";
		wait_for(20, "$name.sock", sub { connect_to($name) });
		is +(stat "$sockets/$name.sock")[2], $before, "$name.sock is there again, with its mode";
		wait_for(20, 'the log', sub { slurp($log) =~ /^warning: \Q$option\E: the file \Q$sockets\E\/$name\.sock was gone; the daemon has made it again$/m });
		is metric("socket_file_made_again_total{socket=\"$option\"}"), 1, '... and counted';
	}
	is message('Q2'), 'pass', 'the milter serves at the new one';
	like +(run({ seconds => 20 }, $tool, '--socket', "$sockets/control.sock", 'status'))[1], qr/^status/m, 'the control socket too';
	my $map = connect_to('socketmap');
	syswrite $map, netstring('transport <>');
	sysread $map, my $answer, 100;
	is $answer, '9:NOTFOUND ,', 'and the socketmap';
	rename $sockets, "$sockets.away" or die "rename: $!\n";
	wait_for(20, 'a reason', sub { reasons() =~ /^milter\.socket: the file \S+ is gone, and nobody reaches the daemon there: it cannot be made again: .*No such file or directory\.$/m });
	is health()->{status}, 'critical', 'where it cannot be made it is critical';
	is metric('socket_file_missing{socket="milter.socket"}'), 1, '... and a metric';
	rename "$sockets.away", $sockets or die "rename: $!\n";
	wait_for(20, 'the end of it', sub { reasons() !~ /is gone/ });
	unlike slurp($log), qr/(^error: milter\.socket: .*\n).*\1/s, 'each is said once';
	is message('Q3'), 'pass', 'mail goes on';
	unlink "$sockets/milter.sock";
	my $other = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "$sockets/milter.sock", Listen => 5);
	if ($other) {	# else the daemon was quicker
		wait_for(20, 'a reason', sub { reasons() =~ /^milter\.socket: .*another process listens there\.$/m });
		close $other;
		wait_for(20, 'the end of it', sub { reasons() !~ /is gone/ });
	}
	is message('Q4'), 'pass', 'nobody is robbed of his, and what he left behind is taken';
	is stop(), 0, 'it ends';
	ok !-e "$sockets/milter.sock", 'its socket is gone';
};

part 'facts on a full disk' => sub {
	mkdir "$folder/full" or die "$folder/full: $!\n";
	config("facts: { file = \"$folder/full/facts\"; };");
	# of its own, which ends with the daemon
	start(before => [ 'unshare', '--mount', '/bin/sh', '-c', "mount -t tmpfs -o size=4k,mode=777 none $folder/full && exec \"\$@\"", 'sh' ]);
	is message('Q5'), 'pass', 'mail goes on';
	wait_for(40, 'a reason', sub { message('Q5'); reasons() =~ /^facts\.file: lines are lost \(\d+ since the start\): No space left on device\.$/m });
	cmp_ok metric('facts_lost_total'), '>=', 1, 'there is a metric';
	wait_for(20, 'the log', sub { slurp($log) =~ /^warning: facts\.file: No space left on device; lines are lost until that ends$/m });
	config("facts: { file = \"$folder/facts\"; };");
	kill 'HUP', $pid;
	wait_for(20, 'the reload', sub { slurp($log) =~ /is in force/ });
	message('Q6');
	wait_for(20, 'the end of it', sub { reasons() !~ /^facts/m });
	wait_for(20, 'the log', sub { slurp($log) =~ /^facts\.file: it is written again; \d+ lines were lost$/m });
	is stop(), 0, 'it ends';
	config("facts: { file = \"$folder/small\"; };");
	open my $null, '>', '/dev/null' or die "/dev/null: $!\n";
	start(to => $null, before => [ '/bin/sh', '-c', 'ulimit -f 1; exec "$@"', 'sh' ]);
	wait_for(40, 'a reason', sub { message('Q7'); reasons() =~ /^facts\.file: lines are lost .*: File too large\.$/m });
	pass 'a limit of its size is no end of the daemon';
	is stop(), 0, 'it ends';
};

part 'a crowd at the socketmap' => sub {
	config();
	start();
	my @crowd;
	for (1 .. 800) {
		my $socket = connect_to('socketmap') or last;
		push @crowd, $socket;
		syswrite $socket, netstring('transport alice@example.org');	# at once: who is slow to ask gives way to others
	}
	is scalar @crowd, 800, 'all connect';
	my ($answered, $select) = (0, IO::Select->new(@crowd));
	while ($select->count && (my @ready = $select->can_read(10))) {
		for my $socket (@ready) {
			$answered++ if sysread $socket, my $answer, 100;
			$select->remove($socket);
		}
	}
	is $answered, 800, 'and each has its answer';
	wait_for(20, 'a reason', sub { reasons() =~ /^socketmap: connections are closed \(\d+ since \S+\): more want to be open at once than may\.$/m });
	wait_for(20, 'the log', sub { slurp($log) =~ /^warning: socketmap: connections are closed \(\d+ so far\): /m });
	is stop(), 0, 'it ends';
};

part 'a crowd at the control socket' => sub {
	config();
	start();
	for my $row ([ 'that ask nothing', undef ], [ 'that have their answer and stay', { do => 'pools' } ]) {
		my ($name, $command) = @$row;
		my @crowd = map { $command ? begin_command($command) : connect_to('control') } 1 .. 300;
		my ($status, $out) = run({ seconds => 20 }, $tool, '--socket', "$sockets/control.sock", 'status');
		like $out, qr/^status/m, "among 300 $name an admin has his answer";
	}
	is stop(), 0, 'it ends';
};

part 'the last descriptor' => sub {
	config();
	start(before => [ '/bin/sh', '-c', 'ulimit -n 1124; exec "$@"', 'sh' ]);
	my @crowd;
	for (1 .. 1400) {
		my $socket = connect_to('milter') or last;
		push @crowd, $socket;
	}
	cmp_ok scalar @crowd, '>', 1000, 'more connect to the milter than may';
	wait_for(60, 'a reason', sub { reasons() =~ /^files: /m });
	for (1 .. 3) {
		like reasons(), qr/^files: \d+ of 1124 are open; the MTA's new connections wait until there is room\.$/m, 'health answers';
	}
	is health()->{status}, 'critical', 'which is critical';
	like +(run({ seconds => 20 }, $tool, '--socket', "$sockets/control.sock", 'status'))[1], qr/^status +critical/m, 'so does the control socket';
	cmp_ok metric('files_open'), '>', 1000, 'and a metric';
	wait_for(20, 'the log', sub { slurp($log) =~ /^error: files: \d+ of 1124 are open; /m });
	@crowd = ();
	wait_for(20, 'the end of it', sub { reasons() !~ /^files: /m });
	wait_for(20, 'the log', sub { slurp($log) =~ /^files: \d+ of 1124 are open; the MTA is let in again$/m });
	is message('Q8'), 'pass', 'mail goes on';
	is stop(), 0, 'it ends';
};

done_testing;
