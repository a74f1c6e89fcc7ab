#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# penstockctl rbl with a real daemon and real block lists: what a list says reaches the admin, and a list that is away
# is no clean bill.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for);
use Test::More;

my $world = Penstock::Live->new;
my $daemon = $world->{daemon};
my %listed = %Penstock::Live::listed;

sub rows { return map { decode_json($_) } split /\n/, $_[0] }

part 'an address' => sub {
	wait_for(20, 'the lists', sub { ($daemon->ctl('rbl', '127.0.0.9'))[0] == 0 });
	my ($status, $out, $error) = $daemon->ctl('rbl', $listed{exploit});
	is $status, 1, 'a listed one: 1';
	is $error, '', '... without a complaint';
	like $out, qr/^  LISTED  by bl\.example\.test: exploit 127\.0\.0\.4, weight 1$/m, '... list, kind and code';
	like $out, qr/says: listed for the test$/m, '... its text';
	like $out, qr/^\Q$listed{exploit}\E: listed by 1 of 2 lists \(weight 1\), in \d+ ms$/m, '... and the sum';
	($status, $out) = $daemon->ctl('rbl', '127.0.0.9');
	is $status, 0, 'a clean one: 0';
	like $out, qr/^127\.0\.0\.9: listed by none of 2 lists, in \d+ ms$/m, '... in words';
	($status, $out) = $daemon->ctl('rbl', '--json', $listed{refused});
	is $status, 1, '--json: 1';
	my @rows = rows($out);
	is $rows[0]{type}, 'begin', '... from the begin';
	is $rows[-1]{type}, 'end', '... to the end';
	my ($hit) = grep { $_->{type} eq 'list' && $_->{said} eq 'listed' } @rows;
	is_deeply [ @{$hit}{qw(zone kind codes)} ], [ 'refuse.example.test', 'spam', ['127.0.0.2'] ], '... with the listing between them';
};

part 'a network' => sub {
	my ($status, $out) = $daemon->ctl('rbl', '127.0.0.0/24');
	is $status, 1, 'a network: 1';
	like $out, qr/^  \Q$listed{$_}\E +\w+\.example\.test$/m, "... a row for $listed{$_}" for qw(exploit policy refused);
	like $out, qr/^127\.0\.0\.0\/24: \d of 256 addresses listed/m, '... and the sum';
};

part 'what is no target' => sub {
	for my $target ('', '127.0.0.0/8', '2001:db8::/64', 'no such thing', "a\e[31m") {
		my ($status, undef, $error) = $daemon->ctl('rbl', $target);
		is $status, 2, '"' . ($target =~ s/\e/\\e/r) . '": 2';
		like $error, qr/^penstockctl: rbl: [^\e\n]+\n\z/, '... one sentence';
	}
};

part 'lists that are away' => sub {
	$world->{rbldnsd}->stop;
	my ($status, $out, $error) = $daemon->ctl('rbl', '127.0.1.123');
	is $status, 2, 'nobody answers: 2';
	like $out, qr/^127\.0\.1\.123: not known: none of 2 lists answered/m, '... in words';
	like $error, qr/nothing is known/, '... on standard error too';
};

part 'a daemon that is away' => sub {
	$daemon->stop;
	my ($status, undef, $error) = $daemon->ctl('rbl', '127.0.0.9');
	is $status, 2, 'nobody to ask: 2';
	like $error, qr/is penstock running/, '... in words';
};

done_testing;
