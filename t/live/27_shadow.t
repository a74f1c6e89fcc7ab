#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Rules that run in shadow mode: real mail goes its way, and penstockctl shadow report says whose would not have.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for);
use Test::More;

my $world = Penstock::Live->new;
my $daemon = $world->{daemon};
$daemon->{config}{shadow} = ['limits', 'level'];
push @{ $daemon->{config}{plans} }, { name => 'trial', msgs_per_hour => 1, over => 'log' };
$daemon->write_config;
my $before = length $daemon->log_text;
$daemon->reload;
wait_for(10, 'the reload', sub { substr($daemon->log_text, $before) =~ /reload|configuration/ });

sub limit {
	my ($login, @fields) = @_;
	$world->{redis}->do('HSET', $world->key("$login\@example.com", 'limits'), @fields);
}

sub report { return $daemon->ctl_json('shadow', 'report', @_) }

sub of_account {
	my ($report, $login) = @_;
	return (grep { $_->{account} eq "$login\@example.com" } @{ $report->{most} })[0] // {};
}

part 'limits and level' => sub {
	limit('alice', msgs_per_hour => 2);
	$world->make_good('alice@example.com');
	is $world->send(auth => 'alice')->{code}, 250, 'beyond the limit or not' for 1 .. 5;
	limit('bob', plan => 'trial');
	is $world->send(auth => 'bob')->{code}, 250, 'a plan in shadow mode' for 1 .. 3;
	is $world->arrived($world->send(auth => 'carol'))->{client} =~ s/\d+$//r, '127.0.0.', 'a new account';
	my $report = report();
	is $report->{all}, 9, 'all messages';
	is of_account($report, 'alice')->{'limited:limit'}, 3, 'three of alice\'s' or diag explain $report;
	is of_account($report, 'bob')->{'limited:limit'}, 2, 'two of bob\'s';
	is of_account($report, 'carol')->{'moved:new'}, 1, 'carol would have left by the pool of new accounts';
	is $report->{what}{'limited:limit'}, 5, 'and all together';
	is scalar @{ report('--limit', 1)->{most} }, 1, 'the first only';
};

part 'for people' => sub {
	my ($status, $text, $error) = $daemon->ctl('shadow', 'report', '--days', 2);
	is $status, 0, "it ends well $error";
	like $text, qr/^9 messages in 2 days/, 'how many';
	like $text, qr/limited:limit\s+5\s+55\.556 %/, 'which share';
	like $text, qr/alice\@example\.com\s+limited:limit\s+3/, 'who';
};

part 'the day is kept in Redis' => sub {
	my ($key) = $world->{redis}->do('KEYS', 'penstock:shadow:*');
	like $key, qr/:\d{4}-\d\d-\d\d$/, 'a key a day';
	cmp_ok $world->{redis}->do('TTL', $key), '>', 29 * 86400, 'for thirty days';
	cmp_ok $world->{redis}->do('TTL', $key), '<=', 31 * 86400, 'and no longer';
};

part 'a day of many accounts' => sub {
	my ($key) = $world->{redis}->do('KEYS', 'penstock:shadow:*');
	my $report = report();
	$world->{redis}->do('HSET', $key, map { ("limited:limit user$_\@example.com", 2) } $_ * 1000 + 1 .. $_ * 1000 + 1000) for 0 .. 9;
	my $more = report();
	is $more->{accounts} - $report->{accounts}, 10_000, 'all are counted';
	is $more->{what}{'limited:limit'} - $report->{what}{'limited:limit'}, 20_000, 'and their messages';
};

done_testing();
