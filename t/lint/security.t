#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# SECURITY.md: each claim names a test or says that there is none; each test that it names is there.
use strict;
use warnings;
use Test::More;

my $top = $ENV{srcdir} // '.';
open my $file, '<', "$top/SECURITY.md" or BAIL_OUT("cannot read $top/SECURITY.md: $!");
my (@rows, %named);
while (my $line = <$file>) {
	$named{$1} //= $. while $line =~ m{`(t/[^`]*/[^`]+)`}g;
	push @rows, [ $., $1 ] if $line =~ /^\|(?!---).*\|([^|]*)\|$/ && $line !~ /^\| must not/;
}
cmp_ok(scalar @rows, '>', 30, 'there are claims');
is_deeply([ map { "SECURITY.md:$named{$_}: there is no $_" } grep { !-f "$top/$_" } sort keys %named ], [],
	'each test that is named is there');
is_deeply([ map { "SECURITY.md:$_->[0]: names no test, and does not say \"no test\"" }
	grep { $_->[1] !~ m{`t/(?:unit|scenario|live|lint|fuzz)/} && $_->[1] !~ /\bno test\b/ } @rows ], [],
	'each claim names one, or says that there is none');
done_testing();
