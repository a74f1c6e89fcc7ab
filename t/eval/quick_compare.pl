#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# quick_compare.pl: what quick says of a dump against what the daemon logged of the same events (run.pl --log), event by
# event: level, action, pool and score. Ends with 1 where a level or an action differs.
use strict;
use warnings;

my ($log_file, $quick_file, $most) = @ARGV;
die "usage: quick_compare.pl LOG OUTPUT-OF-QUICK [MOST]\n" if !defined $quick_file;
$most //= 20;
my %pool = (clean => 'good', warm => 'new', suspect => 'suspect');
open my $log, '<', $log_file or die "$log_file: $!\n";
open my $quick, '<', $quick_file or die "$quick_file: $!\n";
my ($count, $differ, $pools, $scores, $furthest) = (0, 0, 0, 0, 0);
while (defined(my $line = <$log>)) {
	my $own = <$quick> // die "$quick_file ends after $count events\n";
	chomp(my @own = split /\t/, $own);
	my ($t, $name, undef, undef, undef, $level, $action, $way, $score) = @own;
	my %said = $line =~ /\b(level|account|pool|score)=(\S+)/g;
	my ($did) = $line =~ / (\w+) \S+: action=/;
	die "$log_file and $quick_file are not of the same events: $line$own" if lc($said{account}) ne lc $name;
	$count++;
	my $its_pool = $pool{ $said{pool} // '' } // '-';
	my $other = $did ne $action || ($said{level} ne $level && $said{level} ne 'unknown');
	$differ++ if $other;
	$pools++ if $way ne '-' && $its_pool ne $way;
	my $apart = abs(($said{score} // 0) - $score);
	$scores++ if $apart > 0.05;
	$furthest = $apart if $apart > $furthest;
	print "at $t $name: daemon $said{level} $did $said{score}, quick $level $action $score\n" if ($other || $apart > 0.05) && $most-- > 0;
}
printf "%d events: %d levels or actions differ, %d pools, %d scores by more than 0.05 (at most %.2f)\n", $count, $differ, $pools, $scores, $furthest;
exit($differ ? 1 : 0);
