#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Takes out of the thread sanitizer's reports what is libmilter's own and has no name that t/live/tsan.supp could give: its
# pool of threads destroys its lock and its condition while others wait by them, in a function that a stripped library does
# not name. Out goes a data race where both sides are a pthread_... that libmilter itself called; a suppression cannot ask
# for both, and one for either side would hide races of ours. A file of which nothing is left is removed.
# usage: t/live/tsan_reports.pl FILE...

use strict;
use warnings;

# The frames of each side of a race, without those of what made the threads, the locks and the memory.
sub sides {
	return map { [ /^    #\d+ (.*)$/mg ] } $_[0] =~ /^  (?:Previous )?(?:atomic )?(?:[Ww]rite|[Rr]ead) of size .*\n((?:    #.*\n)+)/mg;
}

sub is_libmilters {
	my ($report) = @_;
	return 0 if $report !~ /^WARNING: ThreadSanitizer: data race /m;
	my @sides = sides($report =~ s/^  Previous atomic /  Previous /mr);
	return @sides == 2 && !grep { @$_ != 2 || $_->[0] !~ /^pthread_(?:mutex|cond)_\w+ / || $_->[1] !~ m{ \(libmilter\.so[.\d]*\+} } @sides;
}

for my $file (@ARGV) {
	open my $in, '<', $file or die "$file: $!\n";
	my @reports = split /^={18}\n/m, do { local $/; <$in> // '' };
	my @left = grep { /\S/ && !/^ThreadSanitizer: (?:reported|Matched) \d+ / && !is_libmilters($_) } @reports;
	if (!@left) {
		unlink $file or die "$file: $!\n";
		next;
	}
	open my $out, '>', $file or die "$file: $!\n";
	print $out join "==================\n", @left;
	close $out or die "$file: $!\n";
}
