#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A FIFO, a folder, a device or a socket where an option names a file: penstock -t says so, and neither it nor a start, a
# reload or an end waits for somebody who writes into it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use HTTP::Tiny;
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

sub config {
	my ($option, $value) = @_;
	my ($section, $name) = split /\./, $option // '';
	write_file($file, <<"END" . (defined $value ? "$section: { $name = \"$value\"; };\n" : ''));
user = "";
milter: { socket = "unix:$folder/milter.sock"; max_sessions = 100; drain_s = 1; };
log: { target = "stderr"; };
http: { listen = "127.0.0.1:$port"; };
control: { socket = "$folder/control.sock"; };
socketmap: { listen = ""; };
redis: { server = "unix:$folder/no-redis.sock"; };
END
}

sub health {
	my $answer = HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port/health");
	return $answer->{status} == 599 ? undef : decode_json($answer->{content});
}

subtest 'penstock -t says what it is' => sub {
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
