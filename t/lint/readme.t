#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What README.md says that can be held against something: its contents and links lead somewhere, the metrics that it names
# are there, and its figures are those of the RESULTS files.

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

my $readme = text_of('README.md');

# As GitHub makes them: lower case, without marks, blanks are hyphens.
my %anchor = map { (lc($_) =~ s/[^\w\s-]//gr =~ s/\s/-/gr) => 1 } $readme =~ /^#+ (.*)$/mg;
my @links = $readme =~ /\]\(([^)]+)\)/g;
cmp_ok scalar(@links), '>', 20, 'there are links';
is_deeply [ grep { /^#/ && !$anchor{ substr $_, 1 } } @links ], [], 'each link within the page has its heading';
is_deeply [ grep { !/^#|^https?:/ && !-e "$top/$_" } @links ], [], 'each other one its file';
my ($contents) = $readme =~ /^\*\*Contents:\*\*(.*?)\n\n/ms;
my @missing = grep { my $anchor = $_; index($contents // '', "(#$anchor)") < 0 }
	map { lc($_) =~ s/[^\w\s-]//gr =~ s/\s/-/gr } $readme =~ /^## (.*)$/mg;
is_deeply [ grep { !/^(?:map|licence)$/ } @missing ], [], 'the contents have each section';

my $metrics = join '', map { text_of(s{^\Q$top/\E}{}r) } glob("$top/milter/report/*.c");
is_deeply [ grep { my $name = s/^penstock_//r =~ s/_bucket$//r; $metrics !~ /"\Q$name\E"/ } grep { !/_(?:checks|senders)$/ } $readme =~ /\b(penstock_\w+)/g ], [], 'the metrics are there';

# a row of the README's comparison -> the column of the table in RESULTS.md
my %column = ('Penstock with spamd' => 'penstock', 'Penstock without a scanner' => 'no-scanner', 'rspamd 3.4' => 'rspamd',
	'spamd alone' => 'spamd', 'a plain limit' => 'limit-200');
my $results = text_of('t/eval/RESULTS.md');
my @rows = map { [ split /\s*\|\s*/, s/^\|\s*//r ] } $results =~ /^(\|.*)$/mg;
my ($head) = grep { @$_ > 4 && $_->[1] eq 'penstock' } @rows;
my %at = map { $head->[$_] => $_ } 1 .. $#$head;

sub figure {
	my ($row, $mode) = @_;
	my ($found) = grep { @$_ > 4 && $_->[0] =~ /^\Q$row\E/ } @rows;
	return $found->[$at{$mode}] =~ s/ .*//r;
}

for my $name (sort keys %column) {
	my ($line) = $readme =~ /^(\| \Q$name\E.*)$/m;
	my @cells = split /\s*\|\s*/, $line =~ s/^\|\s*//r;
	is_deeply [ @cells[ 1 .. 3 ] ], [ map { figure($_, $column{$name}) } 'fast (10)', 'slow (10)', 'good messages disturbed, of 1,000' ], "$name: as evaluated";
}
my $bench = text_of('t/bench/RESULTS.md');
my ($null_rate, $our_rate) = $bench =~ /^\| messages a second \| (\d+) \| (\d+) /m;
my ($null_cpu, $our_cpu) = $bench =~ /^\| CPU a message, us \| (\d+) \| (\d+) /m;
my $plain = $readme =~ s/(\d),(\d{3})/$1$2/gr;
like $plain, qr/\| $our_rate; the milter that does nothing: $null_rate \|/, 'messages a second: as measured';
like $plain, qr/\| $our_cpu us, of which \d+ are Redis; a milter that does nothing: $null_cpu us \|/, 'CPU a message: as measured';
done_testing;
