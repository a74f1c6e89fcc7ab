#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Redis' clock is set while somebody credits accounts, and his connection stays: what he credits then has the new time. (It
# had that of the connection's beginning, and a record that daemons had written two hours later lost its windows.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use Penstock::Process qw(free_port slurp start_program wait_for write_file);
use Penstock::Record;
use Penstock::Servers;
use POSIX ();
use Test::More;

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my ($program, $shim) = ("$build/t/live/store_credits", "$build/t/eval/clock_shim.so");
-e $_ or die "$_ is not built: make it\n" for $program, $shim;
my $folder = File::Temp::tempdir('penstock-clock-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});

# Milliseconds; the file is in the server's memory.
open my $clock, '+>', "$folder/clock" or die "$folder/clock: $!\n";
sub set_clock { sysseek $clock, 0, 0; syswrite $clock, pack 'q', $_[0] }

my $begun_ms = 1000 * (time + 86400);
set_clock($begun_ms);
my $redis = do {
	local @ENV{qw(LD_PRELOAD PENSTOCK_EVAL_CLOCK)} = ($shim, "$folder/clock");
	Penstock::Redis->start(folder => $folder, port => free_port('tcp'));
};

sub checkpoint { return -e "$folder/checkpoint" ? 0 + slurp("$folder/checkpoint") : 0 }

my ($lines, $later_ms) = (20_000, 90 * 60_000);
my $pid = start_program('follower', "$folder/follower.log", $program, 'follow', "unix:$redis->{socket}", $folder, $lines);
wait_for(20, 'some credits', sub { checkpoint() >= 200 });
kill 'STOP', $pid;
my $before = checkpoint();
cmp_ok $before, '<', $lines / 2, "at line $before of $lines";
set_clock($begun_ms + $later_ms);
kill 'CONT', $pid;
wait_for(60, 'the end of the log', sub { waitpid($pid, POSIX::WNOHANG) == $pid });
is checkpoint(), $lines, 'it reads to the end';
my @late = grep { my $record = Penstock::Record::unpack_record($redis->ask('GET', "penstock:{user$_\@example.com}:record")); $record->{at_ms} < $begun_ms + $later_ms } 0 .. 49;
is "@late", '', 'all records have the time that Redis has now';
done_testing();
