#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# C is written as .clang-format says, and no line of it is longer than 120 columns, a tab being 8. Tables stand between
# "clang-format off" and "clang-format on", without a function; their rows are as long as they are.
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';
my $columns_most = 120;

my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.[ch]$/ && !/_text\.h$/ } },
	grep { -d } map { "$top/$_" } qw(policy redis-schema milter t));
@files = sort @files;
ok(scalar @files, 'there is something to look at');

my (@long, @open, @code);
for my $file (@files) {
	open my $in, '<', $file or die "$file: $!\n";
	my $off = 0;
	while (my $line = <$in>) {
		chomp $line;
		my $at = "$file:$.";
		push @open, "$at: is no comment of ours" if $line =~ m{//\s*clang-format (?:off|on)};
		push @open, $at if $line =~ m{/\* clang-format (?:off|on) \*/} && $off == ($line =~ /format off/);
		$off = $1 eq 'off' if $line =~ m{/\* clang-format (off|on) \*/};
		push @code, $at if $off && $line eq '}';
		1 while $line =~ s/^([^\t]*)\t/$1 . ' ' x (8 - length($1) % 8)/e;
		push @long, "$at: " . length($line) . ' columns' if !$off && length $line > $columns_most;
	}
	push @open, "$file: clang-format is off at its end" if $off;
}
ok(!@long, "no line has more than $columns_most columns") or diag(join "\n", @long);
ok(!@open, 'each "clang-format off" is ended by an "on"') or diag(join "\n", @open);
ok(!@code, 'no function ends where "clang-format" is off') or diag(join "\n", @code);

# Other versions format a little otherwise: the one of Debian 12 is the measure.
my ($program) = grep { (`$_ --version 2>/dev/null` // '') =~ /version 14\./ } 'clang-format-14', 'clang-format';
SKIP: {
	skip 'clang-format 14 is not there: the format itself is not looked at', 1 if !defined $program;
	my @wrong;
	while (my @some = splice @files, 0, 50) {
		push @wrong, grep { /error:/ } `$program --dry-run -Werror --style=file @some 2>&1`;
	}
	ok(!@wrong, 'C is written as .clang-format says: to mend a file, run `clang-format-14 -i FILE`') or diag(@wrong);
}
done_testing();
