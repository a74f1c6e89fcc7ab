#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Fact lines for the replay benchmark: factgen.pl MESSAGES ACCOUNTS >FILE. Accounts come at random, ten messages a
# second; one in a hundred messages is spam.
use strict;
use warnings;

my ($messages, $accounts) = @ARGV;
srand 4711;
my $now = 1_700_006_400_000;
for my $i (1 .. $messages) {
	$now += 100;
	my $n = int rand $accounts;
	my $spam = rand() < 0.01;
	printf "M2 t=%d a=user%d\@example.com st=eom so=auth cl=authenticated f=aln kn=full ca=%x cn=%x cs=%x se=%x ma=%x rr=%d " .
		"rn=%d kb=%d of=3600 sp=fine sd=example.com ck=full cc=%.1f ct=5 wa=pass wl=good wp=clean ws=-3 .\n",
		$now, $n, $n * 77 + 1, $n * 7 + 1, $n % 5000 + 1, $n * 3 + 1, $n % 40 + 1, 1 + int rand 3, rand() < 0.1 ? 1 : 0,
		1 + int rand 200, $spam ? 12 : 0.4;
}
