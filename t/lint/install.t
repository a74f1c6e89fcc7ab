#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The packages that configure names where something is missing stand in the README's line for who builds it, and among
# those that the tests and the demo install. The sample that is installed as the configuration is not for all to read.
use strict;
use warnings;
use File::Temp;
use Test::More;

my $top = $ENV{srcdir} // '.';

sub text_of {
	my ($name) = @_;
	open my $file, '<', "$top/$name" or die "$top/$name: $!\n";
	local $/;
	return scalar <$file>;
}

my %named = map { $_ => 1 } text_of('configure.ac') =~ /\b(lib[\w.-]+-dev)\b/g;
my ($line) = text_of('README.md') =~ /^    apt-get install ((?:.*\\\n)*.*)$/m;
my %said = map { $_ => 1 } split /[\s\\]+/, $line // '';
my %tested = map { $_ => 1 } split /\n/, text_of('contrib/packages');
cmp_ok(scalar keys %named, '>', 5, 'configure names packages');
is_deeply([ grep { !$said{$_} } sort keys %named ], [], 'README.md has them all');
is_deeply([ grep { !$tested{$_} } sort keys %named ], [], 'so has contrib/packages');
my ($list) = text_of('contrib/demo') =~ /^my \@packages = qw\(([^)]*)\)/m;
my %shown = map { $_ => 1 } split ' ', $list // '';
is_deeply([ grep { !$shown{$_} } sort keys %named ], [], 'and contrib/demo');

SKIP: {
	my $build = $ENV{PENSTOCK_BUILD} // '.';
	skip "$build is not a build folder", 2 if !-e "$build/Makefile" || !-x "$build/penstock";
	my $work = File::Temp->newdir();
	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
	my $said = `make -s -C $build install-data-local DESTDIR=$work sysconfdir=/etc 2>&1`;
	is($?, 0, 'the sample is installed') or diag($said);
	is(sprintf('%04o', (stat "$work/etc/penstock/penstock.conf")[2] & 07777), '0640', '... and not for all to read');
}
done_testing();
