#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What penstock -t finds out about this host, sentence by sentence: t/lint/sentences.t asks that each of trial.c's is here.
# And a FIFO, a folder, a device or a socket where an option names a file: penstock -t says so, and neither it nor a start,
# a reload or an end waits for somebody who writes into it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use HTTP::Tiny;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use Penstock::Process qw(free_port run slurp start_program stop_process wait_for wait_ready write_file);
use POSIX ();
use Test::More;

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $program = $ENV{PENSTOCK} // "$build/penstock";
my $folder = File::Temp::tempdir('penstock-files-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my ($file, $log, $port) = ("$folder/penstock.conf", "$folder/log", free_port('tcp'));

POSIX::mkfifo("$folder/fifo", 0666) or die "mkfifo: $!\n";
mkdir "$folder/folder";
my $socket = IO::Socket::UNIX->new(Local => "$folder/socket", Listen => 1) or die "$folder/socket: $!\n";
my %odd = ("$folder/fifo" => 'a FIFO', "$folder/folder" => 'a folder', '/dev/zero' => 'a device', "$folder/socket" => 'a socket');

my @options = qw(accounts.passwd catalogue.file facts.file postfix.myorigin traps.file webhook.ca_file);

# The file with these lines in place of its own for the same section.
sub write_config {
	my (@lines) = @_;
	my %section = map { (/^(\w+)/ => $_) } 'user = "";', 'log: { target = "stderr"; };', "http: { listen = \"127.0.0.1:$port\"; };",
		"milter: { socket = \"unix:$folder/milter.sock\"; max_sessions = 100; drain_s = 1; };",
		"control: { socket = \"$folder/control.sock\"; };", 'socketmap: { listen = ""; };',
		"redis: { server = \"unix:$folder/no-redis.sock\"; };", @lines;
	write_file($file, join "\n", sort(values %section), '');
}

# With one option at a value.
sub config {
	my ($option, $value) = @_;
	my ($section, $name) = split /\./, $option;
	write_config("$section: { $name = \"$value\"; };");
}

sub health {
	my $answer = HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port/health");
	return $answer->{status} == 599 ? undef : decode_json($answer->{content});
}

# what the file says -> status, whole line; as nobody where that is the user
my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no port: $!\n";
my $taken_port = $taken->sockport;
my $milter = 'max_sessions = 100';
my @found = (
	['limits: { client_plan = "p"; };', 0,
		'warning: limits.client_plan is "p": no plan of this file has that name; without one in Redis (penstock:plans) it limits nothing'],
	['plans = ( { name = "forward"; msgs_per_hour = 5; } );', 0,
		'warning: plan "forward" limits nothing: it is that of accounts.forwarders, which names nobody'],
	['pools = ( { name = "p"; levels = ["good"]; transports = ( { name = "t-1"; address = "192.0.2.1"; } ); } );', 0,
		'warning: pool "p", transport "t-1": address is "192.0.2.1", from which this host cannot send: Cannot assign requested address; expected one of this host\'s (ip addr), behind NAT the inner one, and the outer in public_address'],
	['pools = ( { name = "p"; levels = ["good"]; transports = ( { name = "t-1"; address = "127.0.0.1"; address6 = "2001:db8::1"; } ); } );', 0,
		'warning: pool "p", transport "t-1": address6 is "2001:db8::1", from which this host cannot send: Cannot assign requested address; expected one of this host\'s (ip addr), behind NAT the inner one, and the outer in public_address6'],
	["webhook: { ca_file = \"$folder/none\"; };", 1,
		"webhook.ca_file: $folder/none cannot be read by this account, as which it is read at each reload: No such file or directory"],
	["traps: { file = \"$folder/none\"; };", 1, "traps.file: read as this account: $folder/none cannot be read: No such file or directory"],
	["accounts: { passwd = \"$folder/none\"; };", 1,
		"accounts.passwd: read as this account: $folder/none cannot be read: No such file or directory"],
	["facts: { file = \"$folder/none/facts\"; };", 1,
		"facts.file: its folder $folder/none cannot be used by this account: No such file or directory; expected: install -d -m 750 -o root $folder/none"],
	["milter: { socket = \"unix:$folder/none/sock\"; $milter; };", 1,
		"milter.socket: its folder $folder/none cannot be used by this account: No such file or directory; expected: install -d -m 2750 -o root -g GROUP $folder/none"],
	["milter: { socket = \"unix:$folder/none/sock\"; socket_group = \"daemon\"; $milter; };", 1,
		"milter.socket: its folder $folder/none cannot be used by this account: No such file or directory; expected: install -d -m 2750 -o root -g daemon $folder/none"],
	["facts: { file = \"$folder/penstock.conf/facts\"; };", 1,
		"facts.file: $folder/penstock.conf/facts cannot be written by this account: Not a directory"],
	["milter: { socket = \"unix:$folder/penstock.conf/sock\"; $milter; };", 1, "milter.socket: $folder/penstock.conf is no folder"],
	['user = "nobody";', 1, "milter.socket: nothing can be made in its folder $folder by nobody: Permission denied"],
	['user = "no-such-user";', 1, 'user is "no-such-user": there is no such account; make it (useradd --system no-such-user) or name another'],
	["milter: { socket = \"unix:$folder/milter.sock\"; socket_group = \"no-such-group\"; $milter; };", 1,
		'milter.socket_group is "no-such-group": there is no such group; expected Postfix\'s, "postfix"'],
	["http: { listen = \"127.0.0.1:$taken_port\"; };", 1,
		"http.listen is 127.0.0.1:$taken_port, where this account cannot listen: Address already in use; no Penstock that answers at control.socket has it"],
	['http: { listen = "192.0.2.1:8494"; };', 1,
		'http.listen is 192.0.2.1:8494, where this account cannot listen: Cannot assign requested address'],
	["milter: { socket = \"unix:$folder/socket\"; $milter; };", 0,
		"warning: milter.socket: somebody listens at $folder/socket, and no Penstock answers at control.socket; systemd does so for penstock.socket"],
);

subtest 'penstock -t finds out about this host' => sub {
	for my $row (@found) {
		my ($text, $wanted, $line) = @$row;
		write_config($text);
		my ($status, undef, $error) = run({ seconds => 10 }, $program, '-f', '-t', '-c', $file);
		is $status, $wanted, $text;
		like $error, qr/^\Qpenstock: $line\E$/m, '... and says why';
	}
};

subtest 'only what the running Penstock itself has is free' => sub {
	write_config();
	my $pid = start_program('penstock', $log, $program, '-f', '-c', $file);
	wait_ready($pid, $log, 20, sub { health() });
	is +(run({ seconds => 10 }, $program, '-f', '-t', '-c', $file))[0], 0, 'its own sockets are no mistake';
	write_config("http: { listen = \"0.0.0.0:$port\"; };");
	is +(run({ seconds => 10 }, $program, '-f', '-t', '-c', $file))[0], 0, '... nor is its port at another address';
	write_config("http: { listen = \"127.0.0.1:$taken_port\"; };");
	my ($status, undef, $error) = run({ seconds => 10 }, $program, '-f', '-t', '-c', $file);
	is $status, 1, "another program's port is one";
	like $error, qr/^penstock: http\.listen is 127\.0\.0\.1:$taken_port, where this account cannot listen: Address already in use; /m, '... and says why';
	is stop_process($pid, 10), 0, 'it ends' or diag slurp($log);
};

subtest 'penstock -t says what an odd file is' => sub {
	for my $option (@options) {
		for my $odd (sort keys %odd) {
			config($option, $odd);
			my ($status, $out, $error) = eval { run({ seconds => 10 }, $program, '-f', '-t', '-c', $file) };
			is $status, 1, "$option is $odd{$odd}" or diag $@;
			my $said = $option eq 'postfix.myorigin' ? 'expected a domain name, or a file that begins with one' :
				"it is $odd{$odd}, expected a regular file";
			like $error, qr/^penstock: .*\Q$odd\E.*\Q$said\E$/m, '... and is named';
		}
	}
	my ($status, undef, $error) = eval { run({ seconds => 10 }, $program, '-t', '-c', "$folder/fifo") };
	is $status, 1, 'the configuration is a FIFO' or diag $@;
	is $error, "penstock: $folder/fifo: cannot be read: it is a FIFO, expected a regular file\n", '... and is named';
};

subtest 'a start, a reload and an end do not wait for them' => sub {
	for my $option (grep { !/myorigin|catalogue/ } @options) {
		config($option, "$folder/fifo");
		unlink $log;
		my $pid = start_program('penstock', $log, $program, '-f', '-c', $file);
		my $serves = eval { wait_ready($pid, $log, 10, sub { health() }); 1 };
		ok $serves, "$option: it starts" or diag $@;
		like slurp($log), qr/fifo.*: it is a FIFO, expected a regular file/, '... and says what it lacks' if $option ne 'webhook.ca_file';
		kill 'HUP', $pid;
		my $again = eval { wait_for(10, 'the reload', sub { slurp($log) =~ /reload: .* force$/m }) };
		ok $again, '... and reloads' or diag $@;
		is stop_process($pid, 10), 0, '... and ends' or diag slurp($log);
	}
};

done_testing;
