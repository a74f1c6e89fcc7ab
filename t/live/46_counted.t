#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Redis is killed, stopped and started under load: what Redis has counted in the end is what the MTA was let through.
# Nothing is lost and nothing is counted twice. The load generator of the benchmark plays the MTA: accounts that send
# thousands of messages from hundreds of addresses, whom no policy would let through; so the levels are out of reach.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use HTTP::Tiny;
use JSON::PP;
use Penstock::Process qw(free_port need_program slurp start_program stop_process wait_for wait_ready write_file);
use Penstock::Record;
use Penstock::RedisClient;
use Test::More;
use Time::HiRes qw(sleep time);

my $messages = 2500;	# each round
my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $load = "$build/t/bench/mtaload";
die "$load is not built: make t/bench/mtaload\n" if !-x $load;
my $folder = File::Temp::tempdir('penstock-counted-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $http = free_port('tcp');
my ($server, $cli) = (need_program('redis-server', 'redis-server'), need_program('redis-cli', 'redis-tools'));
my $redis;

# What it has answered is in its file when it is killed: with `always`. With `no` it was seen to answer before it wrote.
sub start_redis {
	$redis = start_program('redis', "$folder/redis.log", $server, '--port', 0, '--unixsocket', "$folder/redis.sock",
		'--dir', $folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always');
	wait_ready($redis, "$folder/redis.log", 20, sub { ask('PING') =~ /PONG/ });
}

sub ask {
	my (@words) = @_;
	return '' if !-S "$folder/redis.sock";
	open my $out, '-|', $cli, '-s', "$folder/redis.sock", '--raw', @words or die "redis-cli: $!\n";
	local $/;
	return <$out> // '';
}

sub kill_redis {
	kill 'KILL', $redis;
	stop_process($redis);
	unlink "$folder/redis.sock";
}

write_file("$folder/penstock.conf", <<"END");
user = ""; node = "a";
milter: { socket = "unix:$folder/milter.sock"; };
log: { target = "stderr"; };
http: { listen = "127.0.0.1:$http"; };
control: { socket = "$folder/control.sock"; };
socketmap: { listen = ""; };
redis: { server = "unix:$folder/redis.sock"; timeout_ms = 100; retry_ms = 100; };
reputation: { suspect_enter = 19.0; suspect_leave = 18.0; blocked_enter = 20.0; blocked_leave = 19.0; };
END

sub health {
	my $answer = HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$http/health");
	return $answer->{success} ? decode_json($answer->{content}) : undef;
}

# Messages of all accounts, this day and the one before: the test may pass midnight.
sub counted {
	my $sum = 0;
	my $client = Penstock::RedisClient->connect("$folder/redis.sock");
	for my $key (grep { /:record\z/ } @{ $client->ask('KEYS', '*') }) {
		$sum += Penstock::Record::counted(Penstock::Record::unpack_record($client->ask('GET', $key)), 'msgs_per_day');
	}
	return $sum;
}

my @troubles = (
	[none => sub { }],
	[stopped => sub { kill 'STOP', $redis; sleep 0.6; kill 'CONT', $redis }],
	[killed => sub { kill_redis(); sleep 0.4; start_redis() }],
	['stopped for a moment, three times' => sub { for (1 .. 3) { kill 'STOP', $redis; sleep 0.12; kill 'CONT', $redis; sleep 0.1 } }],
	['stopped, and killed before it goes on' => sub { kill 'STOP', $redis; sleep 0.3; kill_redis(); start_redis() }],
	['without its connections' => sub { for (1 .. 5) { ask(qw(CLIENT KILL TYPE normal)); sleep 0.1 } }],
	['without its scripts' => sub { for (1 .. 5) { ask(qw(SCRIPT FLUSH)); sleep 0.05 } }],
	['deaf for a while' => sub { ask(qw(CLIENT PAUSE 400)); sleep 0.5 }],
);

start_redis();
my $daemon = start_program('penstock', "$folder/penstock.log", "$build/penstock", '-f', '-c', "$folder/penstock.conf");
wait_ready($daemon, "$folder/penstock.log", 20, \&health);
my $passed = 0;
for my $accounts (1, 20) {
	for my $row (@troubles) {
		my ($name, $trouble) = @$row;
		my $report = "$folder/load.json";
		my $generator = start_program('mtaload', $report, $load, '--socket', "unix:$folder/milter.sock", '--sessions', 16,
			'--messages', $messages, '--accounts', $accounts, '--json', '--timeout', 60);
		sleep 0.2;
		$trouble->();
		wait_for(70, 'the load', sub { slurp($report) =~ /\}\s*\z/ });
		stop_process($generator);
		my $told = decode_json(slurp($report));
		unlink $report;
		$passed += $told->{outcomes}{passed} // 0;
		eval { wait_for(20, 'Redis to have all', sub { my $h = health() or return; $h->{redis}{up} && !$h->{redis}{pending} }) }
			or diag $@, JSON::PP->new->canonical->allow_nonref->encode(health()), "\n", slurp("$folder/penstock.log");
		is $told->{outcomes}{passed}, $messages, "Redis $name, $accounts accounts: all mail passed";
		is counted(), $passed, '... and each message is counted once';
	}
}
is stop_process($daemon), 0, 'the daemon ends with 0';
done_testing;
