#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The books under random troubles, of Redis itself and of the way to it (lib/Penstock/Between.pm), with one daemon and
# with two. When they are over, what stands in Redis is what the daemons' logs say that left: of an account exactly; of a
# group no less, and no more than what nobody could know to be counted.
#
# PENSTOCK_ROUNDS=50 makes it longer, PENSTOCK_SEED repeats the choice of troubles (not their moments).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use JSON::PP;
use Penstock::Between;
use Penstock::Daemon;
use Penstock::Process qw(free_port need_program slurp start_code start_program stop_process wait_for wait_ready write_file);
use Penstock::Record;
use Penstock::RedisClient;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{PENSTOCK_ROUNDS} // 5;
my $seed = $ENV{PENSTOCK_SEED} // time ^ $$;
my $round_s = 10;
my $timeout_ms = 200;
my $many = 1_000_000_000;
srand $seed;
note "PENSTOCK_ROUNDS=$rounds PENSTOCK_SEED=$seed repeats this run";

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $load = "$build/t/bench/mtaload";
die "$load is not built: make t/bench/mtaload\n" if !-x $load;
my $folder = File::Temp::tempdir('penstock-troubles-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});

sub pick { return $_[rand @_] }
sub between { my ($least, $most) = @_; return $least + rand($most - $least) }

# ---- Redis and the way to it

my $server = need_program('redis-server', 'redis-server');
my $nobody = free_port('tcp');	# a master that never answers
my $redis;

# What it has answered is in its file when it is killed.
sub start_redis {
	$redis = start_program('redis', "$folder/redis.log", $server, '--port', 0, '--unixsocket', "$folder/redis.sock",
		'--dir', $folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--replica-serve-stale-data', 'yes');
	wait_ready($redis, "$folder/redis.log", 60, sub { -S "$folder/redis.sock" && eval { ask('PING') } });
}

# A connection for each command: troubles cut ours, too.
sub ask { return Penstock::RedisClient->connect("$folder/redis.sock")->ask(@_) }

sub kill_redis {
	kill 'KILL', $redis;
	stop_process($redis);
	unlink "$folder/redis.sock";
}

sub stop_redis_for { my ($s) = @_; kill 'STOP', $redis; sleep $s; kill 'CONT', $redis }
sub with_setting { my ($on, $off, $s) = @_; ask(@$on); sleep $s; ask(@$off) }

my @troubles = (
	[killed => sub { kill_redis(); sleep between(0, 1.5); start_redis() }],
	['stopped, and killed before it goes on' => sub { kill 'STOP', $redis; sleep between(0.1, 0.6); kill_redis(); start_redis() }],
	[stopped => sub { stop_redis_for(between(1, 3)) }],
	['stopped for moments' => sub { for (1 .. 4) { stop_redis_for(between(0.05, 0.3)); sleep 0.1 } }],
	['deaf to writes' => sub { ask(qw(CLIENT PAUSE), int between(100, 1500), 'WRITE') }],
	['deaf' => sub { ask(qw(CLIENT PAUSE), int between(100, 1500), 'ALL') }],
	['without its script' => sub { for (1 .. 3) { ask(qw(SCRIPT FLUSH)); sleep 0.1 } }],
	['a replica' => sub { with_setting([ 'REPLICAOF', '127.0.0.1', $nobody ], [qw(REPLICAOF NO ONE)], between(0.1, 1.5)) }],
	['full' => sub { with_setting([qw(CONFIG SET maxmemory 1)], [qw(CONFIG SET maxmemory 0)], between(0.1, 1.5)) }],
	['without its connections' => sub { for (1 .. 3) { ask(qw(CLIENT KILL TYPE normal)); sleep 0.1 } }],
);

my $way = Penstock::Between->new(listen => [ map { "$folder/way.$_" } qw(a b) ], redis => "$folder/redis.sock",
	control => "$folder/way.control", log => "$folder/way.log");

# ---- daemons, and what their logs say

my %daemon;	# by letter: daemon, log (open), counted (so far, /health's)
my %left;	# account => [messages, recipients] that left
my %refused;	# customer => messages that were refused at their end, when they may have been counted
my %logged = map { $_ => 0 } qw(passed eom mail rcpt);	# messages that passed, lines of refusals by their stage

sub daemon_new {
	my ($letter, $name) = @_;
	mkdir "$folder/$name";
	my $daemon = Penstock::Daemon->new(folder => "$folder/$name", build => $build, config => {
		user => '', node => $letter, log => { target => 'stderr' }, milter => { socket => "unix:$folder/$letter.milter" },
		http => { listen => '127.0.0.1:' . free_port('tcp') }, control => { socket => "$folder/$letter.control" },
		socketmap => { listen => '' }, catalogue => { file => '' },
		redis => { server => "unix:$folder/way.$letter", timeout_ms => $timeout_ms, retry_ms => 100 },
		reputation => { suspect_enter => '19.0', suspect_leave => '18.0', blocked_enter => '20.0', blocked_leave => '19.0' },
		limits => { customer_plan => 'group' },
		plans => [ map { { name => $_, msgs_per_day => $many, over => 'defer' } } qw(default group) ],
	});
	unlink "$folder/$letter.milter";
	$daemon->start;
	open my $log, '<', $daemon->{log} or die "$daemon->{log}: $!\n";
	$daemon{$letter} = { letter => $letter, daemon => $daemon, log => $log, met => {}, before => { map { $_ => 0 } qw(conflicts local_answers merged) } };
}

my $first_thief = 100;
my @limited = 8 .. 15;
my @customers = ([ 42 => 16 .. 23, $first_thief ], [ 43 => 12 .. 15 ]);

sub account { return "user$_[0]\@bench.example" }
my %customer_of = map { my ($customer, @numbers) = @$_; map { account($_) => $customer } @numbers } @customers;

sub set_limits {
	for my $number (@limited) {
		ask('HSET', 'penstock:{' . account($number) . '}:limits', $number % 2 ? 'msgs_per_minute' : 'rcpts_per_hour', 20 + 6 * $number, over => 'defer');
	}
	ask('HSET', "penstock:{$_}:limits", customer => $customer_of{$_}) for keys %customer_of;
	ask('HSET', 'penstock:{customer:43}:limits', msgs_per_minute => 200, over => 'defer');
}

sub read_line {
	my ($row, $line) = @_;
	my ($action, $account, $rcpts, $known, $stage) = $line =~ /: action=(\w+) .* account=(\S+) .* rcpts=(\d+) .* redis=(\w+) .* stage=(\w+)$/ or return;
	$row->{met}{$account} = 1 if $known eq 'full';
	if ($action eq 'pass' && $stage eq 'eom') {
		$left{$account}[0]++;
		$left{$account}[1] += $rcpts;
		$logged{passed}++;
		return;
	}
	die "the test expects no such line: $line" if $action ne 'defer';
	$logged{$stage}++;
	$refused{ $customer_of{$account} }++ if $customer_of{$account} && $stage eq 'eom';
}

sub read_log {
	my ($row) = @_;
	my $log = $row->{log};
	for (my $at = tell $log; ; $at = tell $log) {
		seek $log, $at, 0;
		my $line = <$log> // last;
		if ($line !~ /\n\z/) {	# it is being written
			seek $log, $at, 0;
			last;
		}
		read_line($row, $line);
	}
}

# ---- load

# One run of mtaload after the other, until it is told to stop; what they report, a line each.
sub start_load {
	my ($letter, $kind, %option) = @_;
	my $options = join ' ', map { "--$_ $option{$_}" } sort keys %option;
	my $report = "$folder/load.$letter.$kind";
	unlink "$report.json", "$report.end";
	my $pid = start_code('load', sub {
		srand;
		do {
			system "'$load' --socket 'unix:$folder/$letter.milter' $options --json --timeout 60 >> '$report.json' 2>> '$report.errors'";
			write_file("$report.failed", $?) if $?;
			sleep rand 0.3;
		} until -e "$folder/stop";
		write_file("$report.end", '');
	});
	return { pid => $pid, report => $report };
}

# Has each run ended well, and what became of its messages.
sub end_load {
	my (@loads) = @_;
	my %sum = map { $_ => 0 } qw(messages passed deferred lost other errors failed);
	write_file("$folder/stop", '');
	for my $load (@loads) {
		wait_for(80, 'the load to end', sub { -e "$load->{report}.end" });
		stop_process($load->{pid});
		$sum{failed}++ if -e "$load->{report}.failed";
		for my $told (map { decode_json($_) } split /\n/, slurp("$load->{report}.json")) {
			my %outcomes = %{ $told->{outcomes} };
			$sum{messages} += $told->{messages};
			$sum{$_} += delete $outcomes{$_} for qw(passed deferred lost);
			$sum{other} += $_ for values %outcomes;
			$sum{errors} += $told->{protocol_errors} + $told->{connect_failures} + ($told->{timed_out} ? 1 : 0);
		}
	}
	unlink "$folder/stop";
	return \%sum;
}

# ---- a round

my @loses = (0, 0.02, 0.005, 0.05, 0.002);

sub make_troubles {
	my ($number) = @_;
	my %said;
	my $end = time + $round_s;
	$way->does(cut => pick(0.0002, 0.001), lose => $loses[ $number % @loses ], keep => pick(0.001, 0.005), keep_s => 1.2 * $timeout_ms / 1000,
		slow => 0.5, slow_s => 0.5 * $timeout_ms / 1000);
	while (time < $end) {
		sleep between(0.2, 2.5);
		my ($name, $trouble) = @{ pick(@troubles) };
		$trouble->();
		$said{$name}++;
	}
	$way->does;
	return join ', ', map { $said{$_} > 1 ? "$_ ($said{$_})" : $_ } sort keys %said;
}

sub no_troubles { sleep 3; return 'well' }

sub redis_of { my $h = $_[0]{daemon}->health; return $h && $h->{redis} }

sub settle {
	for my $letter (sort keys %daemon) {
		my ($seen, $last) = (0);
		eval { wait_for(60, '', sub { $last = redis_of($daemon{$letter}); $last && $last->{up} && !$last->{pending} }); $seen = 1 };
		ok $seen, "daemon $letter has handed all to Redis" or diag explain $last;
	}
}

# What differs between logs and records. A request that was late may be under way still.
sub differences {
	my @differ;
	read_log($_) for values %daemon;
	for my $account (sort keys %left) {
		my $record = Penstock::Record::unpack_record(ask('GET', "penstock:{$account}:record"));
		my @is = map { Penstock::Record::counted($record, $_) } qw(msgs_per_day rcpts_per_day);
		push @differ, "$account: @is, left @{ $left{$account} }" if "@is" ne "@{ $left{$account} }";
	}
	return @differ;
}

sub check_accounts {
	my @differ;
	eval { wait_for(10, '', sub { !(@differ = differences()) }) };
	is_deeply \@differ, [], 'each account bears what left, exactly';
	return @differ;
}

sub group_sum { return Penstock::Record::group_counted(sub { @{ ask(@_) } }, 'penstock', "customer:$_[0]", 'day')->{messages} }

sub check_groups {
	my $way_did;
	for my $row (@customers) {
		my ($customer, @numbers) = @$row;
		my ($out, $sum, $waited) = (0, 0, time);
		$out += ($left{ account($_) } // [0])->[0] for @numbers;
		eval { wait_for(10, '', sub { $way_did = $way->does; $sum = group_sum($customer); !$way_did->{widows} && $sum >= $out }) };
		$waited = time - $waited;
		my ($sure, $unsure) = map { $way_did->{$_}{"customer:$customer"} // 0 } qw(sure unsure);
		# what is given back is lost with a connection
		my $most = $out + $unsure + ($way_did->{ended} ? $refused{$customer} // 0 : 0);
		cmp_ok $sum, '>=', $out, "customer $customer bears what left";
		cmp_ok $sum, '<=', $most, '... and no more than what nobody could know';
		note sprintf '   customer %s: %d left, %d counted (%d said), %d at most; %.1f s', $customer, $out, $sum, $sure, $most, $waited;
	}
	return $way_did;
}

sub counts_of {
	my ($row) = @_;
	my $now = redis_of($row);
	my %since = map { $_ => $now->{$_} - $row->{before}{$_} } keys %{ $row->{before} };
	$row->{before} = { map { $_ => $now->{$_} } keys %since };
	is $now->{dropped}, 0, 'no charge was dropped';
	return \%since;
}

my ($passed, $deferred) = (0, 0);
my %crowd = (accounts => 24, sessions => 16, messages => 400, rcpts => 2);
my %thief = (accounts => 1, 'first-account' => $first_thief, sessions => 64, messages => 300);

# Of an account that a daemon never met it does not know the customer while Redis is away.
sub meet_all {
	my ($letter) = @_;
	my ($row, $wanted) = ($daemon{$letter}, $crowd{accounts} + $thief{accounts});
	wait_for(60, "daemon $letter to meet all accounts", sub {
		count_told(end_load(map { start_load($letter, @$_) } [ crowd => %crowd, messages => 48 ], [ thief => %thief, messages => 2 ]));
		read_log($row);
		return keys %{ $row->{met} } == $wanted;
	});
}

sub count_told { my ($told) = @_; $passed += $told->{passed}; $deferred += $told->{deferred} }

sub play_round {
	my ($number) = @_;
	my $two = $number % 3 == 2;	# not the first, which has no troubles
	daemon_new('b', "b$number") if $two;
	settle();
	keys %{ $_->{met} } or meet_all($_->{letter}) for @daemon{ sort keys %daemon };
	my @loads = map { (start_load($_, crowd => %crowd), start_load($_, thief => %thief)) } sort keys %daemon;
	my $said = $number ? make_troubles($number) : no_troubles();
	my $told = end_load(@loads);
	count_told($told);
	ok $daemon{$_}{daemon}->lives, "daemon $_ lives" for sort keys %daemon;
	is_deeply [ @$told{qw(lost other errors failed)} ], [ 0, 0, 0, 0 ], 'each message has its answer, and none is lost' or diag explain $told;
	is $told->{messages}, $told->{passed} + $told->{deferred}, '... it passes or is deferred';
	settle();
	my @differ = check_accounts();
	diag join "\n", "round $number, $said", @differ if @differ;
	my $way_did = check_groups();
	is $logged{passed}, $passed, 'the logs have a line for each message that left';
	# one that was refused at its recipients has a line for each of them, and one that passed may have such lines, too
	my $refused = $logged{eom} + $logged{mail};
	ok $refused <= $deferred && $deferred <= $refused + $logged{rcpt}, "... and for each that was refused: $refused and $logged{rcpt}, $deferred";
	my $sum = {};
	for my $counts (map { counts_of($daemon{$_}) } sort keys %daemon) {
		$sum->{$_} += $counts->{$_} for keys %$counts;
	}
	note "round $number", $two ? ', two daemons' : '', ": messages $told->{messages}, deferred $told->{deferred}; Redis was $said; ",
		join(', ', map { "$_ $sum->{$_}" } sort keys %$sum);
	note '   so far on the way: ', join ', ', map { "$_ $way_did->{$_}" } qw(requests answers ended cut delayed kept lost_answers);
	is((delete $daemon{b})->{daemon}->stop, 0, 'the second daemon ends with 0') if $two;
}

start_redis();
set_limits();
daemon_new('a', 'a');
for my $number (0 .. $rounds) {
	subtest "round $number" => sub { play_round($number) };
}
is $daemon{a}{daemon}->stop, 0, 'the daemon ends with 0';
diag "PENSTOCK_ROUNDS=$rounds PENSTOCK_SEED=$seed repeats this run" if !Test::More->builder->is_passing;
done_testing;
