#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# charge.lua has the counters of policy/reputation.h: as many, with the same half-lives and caps, in the same order; and
# group.lua has the limits of policy/limit.h.
use strict;
use warnings;
use Test::More;

my $top = $ENV{srcdir} // '.';

sub text_of {
	my ($name) = @_;
	open my $file, '<', "$top/$name" or die "$top/$name: $!\n";
	local $/;
	return scalar <$file>;
}

# The fields of each row of an X-macro.
sub rows_of {
	my ($text, $macro) = @_;
	my ($body) = $text =~ /#define \Q$macro\E\(ROW\)((?:[^\n]*\\\n)*[^\n]*\n)/ or die "no rows $macro\n";
	$body =~ s{/\*.*?\*/}{}gs;
	return map { [ map { s/^\s*"?|"?\s*$//gr } split /,/ ] } $body =~ /ROW\(([^)]*)\)/g;
}

my ($reputation, $limit) = map { text_of("policy/$_.h") } qw(reputation limit);
my ($charge, $group, $windows) = map { text_of("redis-schema/$_.lua") } qw(charge group windows);
my @counters = rows_of($reputation, 'COUNTER_ROWS');

for ([ 'HALF_LIFE', 2 ], [ 'CAP', 3 ]) {
	my ($name, $field) = @$_;
	my ($list) = $charge =~ /^local $name = \{([^}]*)\}/m;
	is_deeply([ map { $_ + 0 } split /,/, $list ], [ map { $_->[$field] + 0 } @counters ], "$name of charge.lua");
}
my ($rep, $count) = $charge =~ /^local REP, COUNTERS = (\d+), (\d+)/m;
my ($first_of_sig) = $reputation =~ /COUNTERS_REP = COUNTER_(\w+)/;
is($count, scalar @counters, 'as many counters');
is($counters[$rep][0], $first_of_sig, 'as many in the field rep');
my ($of_rep, $of_sig) = $charge =~ /struct\.pack\('<(f+)'/g;
is(length $of_rep, $rep, '... as it is written');
is(length $of_sig, $count - $rep, 'and in sig');

my @windows = rows_of($limit, 'WINDOW_ROWS');
my ($rows) = $group =~ /local ROW = \{([^}]*)\}/;
my %row = $rows =~ /(\w+) = (\d+)/g;
is_deeply([ sort { $row{$a} <=> $row{$b} } keys %row ], [ map { $_->[1] } @windows ], 'limits of group.lua, in their order');
my ($first_distinct) = $limit =~ /WINDOW_SUMS = WINDOW_(\w+)/;
my ($sums) = grep { $windows[$_][0] eq $first_distinct } 0 .. $#windows;
my ($span) = $windows =~ /^local SPAN = \{([^}]*)\}/m;
is(scalar(split /,/, $span), $sums, 'as many sums in windows.lua');
done_testing();
