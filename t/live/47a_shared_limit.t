#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Several daemons share one Redis and one limit, and all of them are hammered at once: never more than the limit leaves.
# Of an account exactly so much does, however often its daemons write at the same time. Of a group, which is counted
# first and given back, some of what comes at once to the edge is refused that had just fitted: when everybody goes on
# trying, the limit is reached.

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

my $daemons = 4;
my $limit = 100;
my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $load = "$build/t/bench/mtaload";
die "$load is not built: make t/bench/mtaload\n" if !-x $load;
my $folder = File::Temp::tempdir('penstock-shared-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});

my $server = start_program('redis', "$folder/redis.log", need_program('redis-server', 'redis-server'), '--port', 0,
	'--unixsocket', "$folder/redis.sock", '--dir', $folder, '--save', '');
my $redis;
wait_ready($server, "$folder/redis.log", 20,
	sub { $redis //= -S "$folder/redis.sock" && eval { Penstock::RedisClient->connect("$folder/redis.sock") } });

my %http = map { $_ => free_port('tcp') } 1 .. $daemons;
my %pid;

sub start_daemon {
	my ($number) = @_;
	write_file("$folder/$number.conf", <<"END");
user = ""; node = "n$number";
milter: { socket = "unix:$folder/$number.milter"; deadline_ms = 30000; };
log: { target = "stderr"; };
http: { listen = "127.0.0.1:$http{$number}"; };
control: { socket = "$folder/$number.control"; };
socketmap: { listen = ""; };
catalogue: { file = ""; };
# what Redis does not count would be each daemon's own limit
redis: { server = "unix:$folder/redis.sock"; timeout_ms = 10000; };
reputation: { suspect_enter = 19.0; suspect_leave = 18.0; blocked_enter = 20.0; blocked_leave = 19.0; };
limits: { customer_plan = "group"; };
plans = ({ name = "default"; msgs_per_day = 1000000; over = "defer"; }, { name = "group"; msgs_per_day = 1000000; over = "defer"; });
END
	$pid{$number} = start_program('penstock', "$folder/$number.log", "$build/penstock", '-f', '-c', "$folder/$number.conf");
	wait_ready($pid{$number}, "$folder/$number.log", 20, sub { health($number) });
}

sub get {
	my ($number, $path) = @_;
	my $answer = HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$http{$number}$path");
	return $answer->{success} ? $answer->{content} : undef;
}

sub health { my $text = get($_[0], '/health'); return defined $text ? decode_json($text) : undef }

sub conflicts {
	my $sum = 0;
	for my $number (1 .. $daemons) {
		$sum += $1 if (get($number, '/metrics') // '') =~ /^penstock_redis_conflicts_total (\d+)/m;
	}
	return $sum;
}

sub figures { return join '; ', map { my $h = health($_)->{redis}; join ' ', map { "$_=$h->{$_}" } qw(conflicts local_answers merged) } 1 .. $daemons }

# So many messages at each daemon at once. Returns how many passed in all; the others have to be deferred.
sub hammer {
	my ($messages, %account) = @_;
	my (%report, %generator);
	for my $number (1 .. $daemons) {
		$report{$number} = "$folder/$number.json";
		unlink $report{$number};
		$generator{$number} = start_program('mtaload', $report{$number}, $load, '--socket', "unix:$folder/$number.milter",
			'--sessions', 8, '--messages', $messages, %account, '--json', '--timeout', 60);
	}
	my ($passed, $deferred) = (0, 0);
	for my $number (1 .. $daemons) {
		wait_for(70, 'the load', sub { slurp($report{$number}) =~ /\}\s*\z/ });
		stop_process($generator{$number});
		my $told = decode_json(slurp($report{$number}));
		$passed += $told->{outcomes}{passed};
		$deferred += $told->{outcomes}{deferred};
	}
	is $passed + $deferred, $daemons * $messages, 'each message passes or is deferred';
	return $passed;
}

# What is given back is under way, maybe.
sub settle {
	wait_for(30, 'Redis to have all', sub { !grep { my $h = health($_); !$h || !$h->{redis}{up} || $h->{redis}{pending} } 1 .. $daemons });
}

sub limit_is { my ($name, @fields) = @_; $redis->ask('HSET', "penstock:{$name}:limits", @fields) }

# The window slides: a test that sees the end of an hour sees a part of the limit freed.
sub same_hour_left { return 3600 - time % 3600 }

start_daemon($_) for 1 .. $daemons;
sleep same_hour_left() + 1 if same_hour_left() < 120;

subtest "one account at $daemons daemons" => sub {
	limit_is('user0@bench.example', msgs_per_hour => $limit);
	my $before = conflicts();
	my $passed = hammer(200, '--accounts' => 1);
	settle();
	is $passed, $limit, 'exactly the limit leaves';
	my $record = Penstock::Record::unpack_record($redis->ask('GET', 'penstock:{user0@bench.example}:record'));
	is Penstock::Record::counted($record, 'msgs_per_hour'), $limit, '... and stands in the record';
	is scalar @{ $record->{writes} }, $daemons, '... which all of them have written';
	my $conflicts = conflicts() - $before;
	note figures();
	note "penstock_redis_conflicts_total: $conflicts writes were judged again";
};

subtest "an account without a limit at $daemons daemons" => sub {
	my $passed = hammer(500, '--accounts' => 1, '--first-account' => 1);
	settle();
	is $passed, $daemons * 500, 'all of it leaves';
	my $record = Penstock::Record::unpack_record($redis->ask('GET', 'penstock:{user1@bench.example}:record'));
	is Penstock::Record::counted($record, 'msgs_per_hour'), $passed, '... and each message is counted once';
	note 'conflicts so far: ', conflicts();
};

subtest "a customer of many accounts at $daemons daemons" => sub {
	my ($first, $accounts) = (100, 40);
	limit_is('customer:42', msgs_per_hour => $limit);
	limit_is("user$_\@bench.example", customer => 42) for $first .. $first + $accounts - 1;
	my ($passed, @early) = (0);
	# a few at once, so that not all is decided in one moment; then everybody goes on trying
	for my $round (1 .. 12) {
		$passed += hammer($round < 4 ? 10 : 60, '--accounts' => $accounts, '--first-account' => $first);
		settle();
		push @early, $limit - $passed;
		cmp_ok $passed, '<=', $limit, "round $round: $passed of $limit have left";
		last if $passed >= $limit;
	}
	cmp_ok $passed, '>=', $limit - 5, 'the limit is reached, or nearly';
	note "of the limit was free after each round: @early";
	my $sums = Penstock::Record::group_counted(sub { @{ $redis->ask(@_) } }, 'penstock', 'customer:42', 'hour');
	is $sums->{messages}, $passed, 'Redis has those that left: the others were given back';
};

subtest 'a burst at the edge' => sub {
	my ($first, $accounts) = (200, 40);
	limit_is('customer:43', msgs_per_hour => $limit);
	limit_is("user$_\@bench.example", customer => 43) for $first .. $first + $accounts - 1;
	my $passed = hammer(200, '--accounts' => $accounts, '--first-account' => $first);
	settle();
	cmp_ok $passed, '<=', $limit, 'never more than the limit';
	note 'of 800 messages at once ', $limit - $passed, ' were refused that had just fitted';
	$passed += hammer(60, '--accounts' => $accounts, '--first-account' => $first);
	settle();
	cmp_ok $passed, '<=', $limit, '... nor when they try again';
	cmp_ok $passed, '>=', $limit - 5, "... when it is reached, or nearly: $passed";
};

is stop_process($pid{$_}), 0, "daemon $_ ends with 0" for 1 .. $daemons;
done_testing;
