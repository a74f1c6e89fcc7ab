#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What README.md, the other pages beside it and penstock(7) say that can be held against something: links lead somewhere, the
# metrics that they name are there, figures are those of the RESULTS files, and the version is configure's.

use strict;
use warnings;

use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';

sub text_of {
	my ($name) = @_;
	open my $file, '<', "$top/$name" or die "$top/$name: $!\n";
	local $/;
	return scalar <$file>;
}

my $readme = text_of('README.md');
my $overview = text_of('etc/penstock.7');
my @pages = qw(ARCHITECTURE.md CONTRIBUTING.md NEWS.md README.md SECURITY.md);
cmp_ok scalar(() = $readme =~ /\n/g), '<=', 250, 'README.md has at most 250 lines: reference belongs into the manual pages';

# As GitHub makes them: lower case, without marks, blanks are hyphens.
sub anchor_of { return lc($_[0]) =~ s/[^\w\s-]//gr =~ s/\s/-/gr }

for my $page (@pages) {
	my $text = text_of($page) =~ s/^```.*?^```//msgr;
	my %anchor = map { anchor_of($_) => 1 } $text =~ /^#+ (.*)$/mg;
	my @links = $text =~ /\]\(([^)]+)\)/g;
	cmp_ok scalar(@links), '>', 20, 'there are links' if $page eq 'README.md';
	is_deeply [ grep { /^#/ && !$anchor{ substr $_, 1 } } @links ], [], "$page: each link within the page has its heading";
	is_deeply [ grep { !/^#|^https?:/ && !-e "$top/$_" } @links ], [], "$page: each other one its file";
}
is_deeply [ grep { index($readme, "($_)") < 0 } grep { $_ ne 'README.md' } @pages ], [], 'README.md names the other pages';
my ($contents) = $readme =~ /^\*\*Contents:\*\*(.*?)\n\n/ms;
is_deeply [ grep { index($contents // '', '(#' . anchor_of($_) . ')') < 0 } $readme =~ /^## (.*)$/mg ], [],
	'the contents have each section';

my %written;	# words of the daemon's source
find({ no_chdir => 1, wanted => sub {
	return if !/\.[ch]$/ || /_text\.h$/;
	$written{$_} = 1 for text_of(s{^\Q$top/\E}{}r) =~ /"([a-z]+(?:_[a-z]+)*)"/g;
} }, "$top/milter");
for my $page (@pages, qw(etc/penstock.7 etc/penstock.8 etc/penstock.conf.5.tail)) {
	my @named = grep { !/^penstock_(?:dns_list_median_ms|transport_share)$|_(?:checks|senders)$/ } text_of($page) =~ /\b(penstock_[a-z_]+)/g;
	is_deeply [ grep { !$written{ s/^penstock_//r =~ s/_bucket$//r } } @named ], [], "$page: the metrics are there";
	cmp_ok scalar(@named), '>', 15, '... which it has many of' if $page eq 'etc/penstock.7';
}

# What a new admin gets is one plan, wherever he takes it from.
my ($plan) = text_of('milter/config/config_print.c') =~ /^#define SAMPLE_PLAN((?:\s*\\\n.*?)+)$/m;
$plan = join '', map { s/\\[tn]/ /gr =~ s/\\"/"/gr } ($plan // '') =~ /"((?:[^"\\]|\\.)*)"/g;
my ($settings) = $plan =~ /\{ (.*) \}/ or die "the sample has no plan\n";
for my $page ('README.md', 'etc/penstock.conf.5.tail') {
	my @there = map { s/\s+/ /gr } text_of($page) =~ /\{ (name = "default"; rcpts_per_hour = \d+; rcpts_per_day[^}]*?)\s*\}/g;
	is_deeply \@there, [ $settings =~ s/\s+/ /gr ], "$page: its example has the sample's default plan";
}

my ($version) = text_of('configure.ac') =~ /^AC_INIT\(\[penstock\], \[([^\]]+)\]/m;
like $readme, qr/\bVersion \Q$version\E\b/, 'README.md has the version';
like text_of('NEWS.md'), qr/^## \Q$version\E\b/m, 'and NEWS.md speaks of it';

# a row of the README's comparison -> the column of the tables in RESULTS.md
my %column = ('Penstock with a scanner' => 'default', 'Penstock without a scanner' => 'default-no-scanner',
	'a scanner alone' => 'spamd', 'a plain limit' => 'limit-200');
my (%figure, @head);	# row and mode -> cell
for my $line (text_of('t/eval/RESULTS.md') =~ /^\|(.*)\|$/mg) {
	my @cells = map { s/^\s+|\s+$//gr } split /\|/, $line;
	@head = @cells if grep { $_ eq 'limit-200' } @cells;
	@head = () if @cells != @head;
	$figure{ $cells[0] =~ s/ \(.*//r }{ $head[$_] } = $cells[$_] for 1 .. $#head;
}

sub never { my ($mode) = @_; my $sum = 0; $sum += ($_->{$mode} // '') =~ m{/.*\((\d+) never\)} ? $1 : 0 for values %figure; return $sum }
sub two { return $_[0] =~ m{^(\d+ / \d+) / } ? $1 : $_[0] }

for my $name (sort keys %column) {
	my ($line) = $readme =~ /^(\| \Q$name\E.*)$/m;
	my @cells = split /\s*\|\s*/, $line =~ s/^\|\s*//r;
	my $mode = $column{$name};
	is_deeply [ @cells[ 1 .. 4 ] ], [ two($figure{'to strangers'}{$mode}), two($figure{'hacked sites and shops'}{$mode}), never($mode), $figure{all}{$mode} ],
		"$name: as evaluated";
}
my $bench = text_of('t/bench/RESULTS.md');
my ($null_rate, $our_rate) = $bench =~ /^\| messages a second \| (\d+) \| (\d+) /m;
my ($null_cpu, $our_cpu) = $bench =~ /^\| CPU a message, us \| (\d+) \| (\d+) /m;
my $plain = $overview =~ s/(\d),(\d{3})/$1$2/gr =~ s/\s+/ /gr;
like $plain, qr/ $our_rate; the milter that does nothing: $null_rate\./, 'messages a second: as measured';
like $plain, qr/ $our_cpu us, of which \d+ are Redis; a milter that does nothing: $null_cpu us\./, 'CPU a message: as measured';
for my $row ('of all their spam left clean, %', 'all') {
	my ($with, $without) = @{ $figure{$row} }{qw(default default-no-scanner)};
	like $plain, qr/ $without instead of $with /, "penstock(7), $row: as evaluated";
}
done_testing();
