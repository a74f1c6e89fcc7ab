#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# 20,000 lines of a mail log, each credited once: who reads it is killed at random moments (80 times) and starts from its
# last checkpoint or an older one, while two daemons charge the same 50 accounts, connections end, the script is forgotten,
# and Redis stands still and is stopped. PENSTOCK_SEED repeats the choice of moments, PENSTOCK_KILLS=200 has more of them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use Penstock::Process qw(free_port slurp start_program stop_process wait_for write_file);
use Penstock::Record;
use Penstock::Servers;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my ($lines, $accounts) = (20_000, 50);
my $kills = $ENV{PENSTOCK_KILLS} // 80;
my $seed = srand($ENV{PENSTOCK_SEED} // time);
diag "seed $seed" if $ENV{PENSTOCK_KEEP};
my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $program = "$build/t/live/store_credits";
die "$program is not built: make t/live/store_credits\n" if !-x $program;
my $folder = File::Temp::tempdir('penstock-credits-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
my $redis = Penstock::Redis->start(folder => $folder, port => free_port('tcp'));
my $server = "unix:$redis->{socket}";

# What is there is there again; nothing is done between the two.
sub restart_redis {
	$redis->try('SHUTDOWN', 'SAVE');
	stop_process($redis->{pid});
	sleep rand 0.3;
	$redis->start;
}

sub pause_redis {
	$redis->pause;
	sleep 0.1 + rand 0.4;
	$redis->resume;
}

my @troubles = (\&restart_redis, \&pause_redis, sub { $redis->try(qw(CLIENT KILL TYPE normal)) }, sub { $redis->do(qw(SCRIPT FLUSH)) });

sub checkpoint { return -e "$folder/checkpoint" ? 0 + slurp("$folder/checkpoint") : 0 }

sub follow { return start_program('follower', "$folder/follower.log", $program, 'follow', $server, $folder, $_[0]) }

my %daemon = map { $_ => start_program("daemon $_", "$folder/$_.log", $program, 'charge', $server, $folder, $_) } qw(one two);

my (@saved, $older, $caught);
for my $kill (1 .. $kills) {
	my $from = checkpoint();
	push @saved, $from;
	if (@saved > 5 && rand() < 0.25) {
		$older++;
		$from = $saved[ -2 - int rand 4 ];
		write_file("$folder/checkpoint", "$from\n");
	}
	my $until = int($lines * $kill / ($kills + 1));
	my $pid = follow($until);
	sleep rand 0.1;
	$troubles[ rand @troubles ]->() if $kill % 10 == 0;
	$caught++ if checkpoint() < $until;
	kill 'KILL', $pid;
	stop_process($pid);
}
cmp_ok($older, '>', $kills / 10, "of $kills starts $older are from an older checkpoint");
cmp_ok($caught, '>', $kills / 10, "$caught times it is killed in the midst of its lines");

my $last = follow($lines);
ok(wait_for(120, 'the last follower', sub { waitpid($last, POSIX::WNOHANG) == $last }), 'the last one reads the log to its end');
is(checkpoint(), $lines, 'and says so');
like(slurp("$folder/follower.log"), qr/the end: \d+ done, \d+ refused, 0 given up\n\z/, 'it gave nothing up');
kill 'TERM', $_ for values %daemon;
my %charged;
for my $name (sort keys %daemon) {
	ok(wait_for(120, "what daemon $name charged", sub { -e "$folder/$name" }), "daemon $name has charged all that it let out");
	stop_process($daemon{$name});
	my @counts = split /\n/, slurp("$folder/$name");
	$charged{$_} += $counts[$_] for 0 .. $accounts - 1;
	like(slurp("$folder/$name.log"), qr/ 0 dropped\n/, 'and gave nothing up');
}

my (@credits, @wrong, @wrong_messages);
$credits[ int($_ * $_ / 7) % $accounts ]++ for 1 .. $lines;
for my $account (0 .. $accounts - 1) {
	my $record = Penstock::Record::unpack_record($redis->ask('GET', "penstock:{user$account\@example.com}:record"));
	my $dead = $record->{counters}{dead} // 0;
	my $wants = $credits[$account] // 0;
	push @wrong, "account $account has $dead credits, expected $wants" if abs($dead - $wants) > 0.45;
	my $messages = Penstock::Record::counted($record, 'msgs_per_day');
	push @wrong_messages, "account $account has $messages messages, expected $charged{$account}" if $messages != $charged{$account};
}
is_deeply(\@wrong, [], 'each line counts once');
is_deeply(\@wrong_messages, [], 'and so does each message');
diag "seed $seed" if !Test::More->builder->is_passing;
done_testing();
