#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Which lines of the product the tests have run, by gcov: `contrib/check coverage` builds with --coverage, runs `make check`
# and calls this. A line a file, the worst first, and the total. What is low is to be named in t/README, with its reason.
# usage: t/coverage.pl SOURCE BUILD

use strict;
use warnings;

use constant LOW => 80;	# per cent; a file below it is to be named
use constant DRIFT => 5;	# so much lower, and not named: that is no drift

my ($source, $build) = @ARGV;
die "usage: t/coverage.pl SOURCE BUILD\n" if !defined $build;
my @folders = qw(milter policy redis-schema);

# file => [lines, lines that ran]; a header counts once, with all who include it
sub coverage {
	chdir $build or die "cannot enter $build: $!\n";
	open my $notes, '-|', 'find', @folders, '-name', '*.gcno' or die "cannot run find: $!\n";
	chomp(my @notes = sort <$notes>);
	close $notes;
	die "$build was not built with --coverage\n" if !@notes;
	open my $out, '-|', 'gcov', '--no-output', '--source-prefix', $source, '--relative-only', @notes or die "cannot run gcov: $!\n";
	my (%found, $file);
	while (<$out>) {
		$file = $1 if /^File '(.*)'$/;
		next if !defined $file || !/^Lines executed:([\d.]+)% of (\d+)$/;
		$found{$file} = [ $2, sprintf '%.0f', $1 * $2 / 100 ] if grep { index($file, "$_/") == 0 } @folders;
		undef $file;
	}
	close $out or die "gcov failed\n";
	die "gcov names no file of $source\n" if !%found;
	return %found;
}

# The files that t/README names, each first in its line.
sub named {
	open my $readme, '<', "$source/t/README" or die "$source/t/README: $!\n";
	my $in = join '|', @folders;
	return map { m{^\s+((?:$in)/\S+\.[ch])\s} ? ($1 => 1) : () } <$readme>;
}

sub percent {
	my ($lines, $ran) = @{ $_[0] };
	return 100 * $ran / $lines;
}

my %of = coverage();
my %named = named();
my @total = (0, 0);
for my $file (sort { percent($of{$a}) <=> percent($of{$b}) || $a cmp $b } keys %of) {
	printf "%6.1f %%  %4d of %4d  %s%s\n", percent($of{$file}), reverse(@{ $of{$file} }), $file, $named{$file} ? '  (t/README)' : '';
	$total[$_] += $of{$file}[$_] for 0, 1;
}
printf "%6.1f %%  %d of %d  in all, %d files\n", percent(\@total), reverse(@total), scalar keys %of;

my @unnamed = grep { !$named{$_} && percent($of{$_}) < LOW } sort keys %of;
my @gone = grep { !$of{$_} } sort keys %named;
print "below @{[LOW]} %, and t/README does not say why: $_\n" for @unnamed;
print "no longer below @{[LOW]} %, and t/README need not name it: $_\n" for grep { $of{$_} && percent($of{$_}) >= LOW + DRIFT } sort keys %named;
print "t/README names a file that has no lines: $_\n" for @gone;
exit(@gone || grep({ percent($of{$_}) < LOW - DRIFT } @unnamed) ? 1 : 0);
