#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What a block list says of the client: a signal against an account, a refusal for a stranger.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for);
use Test::More;

my $world = Penstock::Live->new;
my %listed = %Penstock::Live::listed;
my $home = 'home@local.example.test';

part 'an exploit listing is a signal against the account' => sub {
	my $result = $world->send(auth => 'alice', client => $listed{exploit});
	is $result->{code}, 250, 'its mail is taken';
	my $verdict = $world->verdict($result);
	like $verdict->{listed}, qr{bl\.example\.test/exploit}, 'log: listed';
	like $verdict->{reasons}, qr/exploit_listed/, 'log: reasons';
	is $world->counters('alice@example.com')->{exploit}, 1, 'it is counted';
	my $clean = $world->verdict($world->send(auth => 'bob'));
	cmp_ok $verdict->{score}, '>', $clean->{score}, 'the score is worse than without';
	for (1 .. 40) {
		$verdict = $world->verdict($world->send(auth => 'alice', client => $listed{exploit}));
		last if $verdict->{level} ne 'new';
	}
	is $verdict->{level}, 'suspect', 'many of them make it suspect';
};

part 'a policy listing says nothing about an account' => sub {
	my $result = $world->send(auth => 'carol', client => $listed{policy});
	my $verdict = $world->verdict($result);
	is $verdict->{action}, 'pass', 'its mail is taken';
	unlike $verdict->{reasons}, qr/listed/, 'it is no reason';
	is $world->counters('carol@example.com')->{exploit}, 0, 'it is not counted';
	is $verdict->{level}, 'new', 'the level is as without';
};

part 'an account is not refused for where it comes from' => sub {
	is $world->send(auth => 'dave', client => $listed{refused})->{code}, 250, 'from an address whose strangers are refused';
};

part 'strangers' => sub {
	my $result = $world->send(client => $listed{refused}, to => $home);
	is $result->{stage}, 'mail', 'one on a list with action refuse is refused at MAIL';
	like $result->{code}, qr/^5/, 'for good';
	like $result->{text}, qr/refuse\.example\.test/, "with the list's name: $result->{text}";
	is $world->send(client => $listed{exploit}, to => $home)->{code}, 250, 'one on a list with action signal is let in';
	is $world->send(client => '127.0.0.9', to => $home)->{code}, 250, 'one on no list is let in';
	my $verdict = $world->{daemon}->verdict(client => $listed{refused}, action => 'reject');
	like $verdict->{listed}, qr{refuse\.example\.test/spam}, 'log: listed';
	like $verdict->{reasons}, qr/listed/, 'log: reasons';
};

part 'the lists are asked at connect, long before MAIL' => sub {
	my $before = $world->{daemon}->health->{dns}{questions};
	my $session = $world->session(client => '127.0.0.99');
	ok wait_for(10, 'the questions', sub { $world->{daemon}->health->{dns}{questions} > $before }),
		'EHLO is all that the client has said';
};

done_testing;
