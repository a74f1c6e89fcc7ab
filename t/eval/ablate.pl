#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# ablate.pl: several ways of judging over several dumped worlds, two at a time, one line of sums a way.
use strict;
use warnings;

use Cwd ();
use File::Basename ();
use File::Temp ();
use Getopt::Long ();

my ($jobs, @ways) = (2);
my $usage = <<'END';
usage: t/eval/ablate.pl [--jobs N] [--try NAME=COMMAND]... FOLDER...
  --try NAME=COMMAND  a program as quick is, and its options, split at blanks outside of '' ("whole=t/eval/quick")
  --jobs N            at once (2)
END
Getopt::Long::GetOptions('jobs=i' => \$jobs, 'try=s' => \@ways) && @ARGV or do { print STDERR $usage; exit 2 };
@ways = ('whole=t/eval/quick', 'no-scanner=t/eval/quick --no-scanner', 'no-as=t/eval/quick --no-as') if !@ways;
my $tally = File::Basename::dirname(Cwd::abs_path(__FILE__)) . '/quick_tally.pl';
my $out = File::Temp->newdir;
my (@todo, %running);
for my $n (0 .. $#ways) {
	my ($name, $command) = $ways[$n] =~ /^([^=]+)=(.+)/s or die $usage;
	my @words = map { s/^'(.*)'$/$1/sr } $command =~ /('[^']*'|[^\s']+)/g;
	push @todo, map { [$n, $_, [@words, $ARGV[$_]]] } 0 .. $#ARGV;
}
while (@todo || %running) {
	start(shift @todo) if @todo && keys %running < $jobs;
	next if @todo && keys %running < $jobs;
	my $pid = wait;
	die "$running{$pid} failed\n" if $?;
	delete $running{$pid};
}
for my $n (0 .. $#ways) {
	my ($name) = $ways[$n] =~ /^([^=]+)/;
	printf '%-12s ', $name;
	STDOUT->flush;
	system($^X, $tally, '--brief', map { ($ARGV[$_], "$out/$n.$_") } 0 .. $#ARGV) == 0 or exit 2;
}

sub start
{
	my ($way, $world, $words) = @{ $_[0] };
	my $pid = fork() // die "cannot fork: $!\n";
	if (!$pid) {
		open STDOUT, '>', "$out/$way.$world" or die "$out: $!\n";
		exec @$words or die "$words->[0]: $!\n";
	}
	$running{$pid} = "@$words";
}
