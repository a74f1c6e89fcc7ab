#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The private mail host by itself, without Penstock: what the other live tests stand on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Test::More;

my $world = Penstock::Live->new(daemon => 0);

part 'Postfix takes and hands on' => sub {
	my $result = $world->send(auth => 'alice', to => ['friend@elsewhere.test', 'home@local.example.test']);
	is $result->{code}, 250, 'a logged-in account may send';
	my $mail = $world->arrived($result);
	is $mail->{client}, '127.0.0.1', 'it leaves from the default address';
	is_deeply $mail->{to}, ['friend@elsewhere.test'], 'for the recipient elsewhere';
	Penstock::Process::wait_for(20, 'delivery', sub { $world->{postfix}->delivered('home') });
	my $stranger = $world->send(client => '127.0.0.9');
	is $stranger->{code}, 554, 'a stranger may not relay';
	is $world->send(client => $Penstock::Postfix::customers)->{code}, 250, 'a client of the host\'s own network may';
	$world->{sink}->refuse('gone@elsewhere.test');
	my $bounced = $world->send(auth => 'bob', to => 'gone@elsewhere.test');
	Penstock::Process::wait_for(20, 'the bounce', sub { grep { $_->{from} eq '' } $world->{sink}->messages });
	$world->{postfix}->sendmail('root@example.test', ['friend@elsewhere.test'], "Subject: injected\n\nHello.\n");
	is $world->{sink}->wait('injected')->{from}, 'root@example.test', 'sendmail(1) works';
};

part 'rbldnsd answers' => sub {
	my $dns = $world->{rbldnsd};
	is $dns->ask('127.0.0.66', 'bl.example.test'), '127.0.0.4', 'an exploit listing';
	is $dns->ask('127.0.0.77', 'bl.example.test'), '127.0.0.10', 'a policy listing';
	is $dns->ask('127.0.0.1', 'bl.example.test'), '', 'no listing';
};

part 'spamd judges' => sub {
	my %expected = (
		"Shall we meet at noon tomorrow?" => [-2, 3],
		"Buy cheap reservoir pills now." => [6, 8],
		"You are a sluice lottery winner." => [9, 12],
		'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X' => [900, 1100],
	);
	for my $body (sort keys %expected) {
		my %mail = (from => 'alice@example.com', to => ['friend@elsewhere.test'], subject => 'hello', body => "$body\n");
		my $text = Penstock::Live::message_text(%mail);
		my ($score) = $world->{spamd}->check($text =~ s/\n/\r\n/gr);
		my ($least, $most) = @{ $expected{$body} };
		ok defined $score && $score >= $least && $score < $most, "'$body' scores " . ($score // 'nothing');
	}
};

part 'Redis keeps' => sub {
	$world->make_good('alice@example.com');
	is $world->counters('alice@example.com')->{messages}, 50, 'a prepared history';
	$world->{redis}->stop(save => 1);
	$world->{redis}->start;
	is $world->state('alice@example.com')->{level}, 'good', 'a restart with its data';
	$world->{redis}->stop;
	$world->{redis}->start;
	is_deeply $world->state('alice@example.com'), {}, 'a restart without';
};

done_testing;
