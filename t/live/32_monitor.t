#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Our own addresses in a block list: the transport leaves its pool, its accounts move, and come back with it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(run wait_for);
use Test::More;

sub pool {
	my ($name, $level, @last) = @_;
	my $number = 0;
	return { name => $name, levels => [$level], transports => [ map { $number++; {
		name => "$name-$number", address => "127.0.0.$_", public_address => "8.8.8.$_", helo => "$name-$number.example.test",
	} } @last ] };
}

my $world = Penstock::Live->new(config => {
	monitor => { interval_minutes => '60.0', weight => '1.0', return_hours => '0.0', return_days => '0.0' },
	blocklists => [ { name => 'bl', zone => 'bl.example.test', codes => ['127.0.0.2 spam', '127.0.0.4-127.0.0.7 exploit'] } ],
	pools => [ pool('clean', 'good', 11, 12), pool('warm', 'new', 21), pool('suspect', 'suspect', 31) ],
});
my ($daemon, $rbldnsd) = @{$world}{qw(daemon rbldnsd)};
my @accounts = @Penstock::Live::logins[0 .. 7];

sub standing_of {
	my ($transport) = @_;
	for my $pool (@{ $daemon->ctl_json('pool', 'list')->{pools} }) {
		return $_ for grep { $_->{name} eq $transport } @{ $pool->{transports} };
	}
	return;
}

# check_penstock: exit status and first line.
sub plugin {
	my ($host, $port) = split /:/, $daemon->{config}{http}{listen};
	my ($status, $out) = run({}, "$Penstock::Live::source/contrib/nagios/check_penstock", '-H', $host, '-p', $port);
	return ($status, $out);
}

# By which address each account's mail leaves.
sub ways {
	return { map { $_ => $world->arrived($world->send(auth => $_))->{client} } @accounts };
}

# Another zone; a reload forgets the answers of before, and keeps the standings.
sub list_only {
	my (%listed) = @_;
	$rbldnsd->stop;
	$rbldnsd->{zones}{'bl.example.test'} = \%listed;
	$rbldnsd->start;
	my $reloads = sub { scalar(() = $daemon->log_text =~ /is in force/g) };
	my $reloaded = $reloads->();
	$daemon->reload;
	wait_for(20, 'the reload', sub { $reloads->() > $reloaded });
	my ($status, $out) = $daemon->ctl('monitor', 'check');
	is $status, 0, 'monitor check';
	like $out, qr/^4 addresses /, 'which says how many there are';
}

my $before;

part 'clean addresses' => sub {
	$world->make_good("$_\@example.com") for @accounts;
	ok wait_for(30, 'a check of clean-2', sub { standing_of('clean-2')->{state} eq 'clean' }), 'clean-2 was checked';
	$before = ways();
	my %used = map { $_ => 1 } values %$before;
	is_deeply [ sort keys %used ], [ '127.0.0.11', '127.0.0.12' ], 'both transports of the pool are used';
};

part 'one is listed' => sub {
	list_only('8.8.8.12' => '127.0.0.4');
	$daemon->wait_log(qr/warning: monitor: transport clean-2 \(8\.8\.8\.12\) is listed by bl\b/);
	my $now = ways();
	is_deeply [ grep { $now->{$_} ne '127.0.0.11' } @accounts ], [], 'all leave by the other one';
	my $is = standing_of('clean-2');
	is $is->{state}, 'listed', 'pool list: state';
	is $is->{share} + 0, 0, 'pool list: share';
	is_deeply [ map { $_->{name} } @{ $is->{lists} } ], ['bl'], 'pool list: lists';
	my (undef, $out) = $daemon->ctl('pool', 'list');
	like $out, qr/^clean-2 +8\.8\.8\.12 +listed, since .* +bl +1/m, 'and for people';
	my $health = $daemon->health;
	is $health->{status}, 'warning', '/health warns';
	like "@{ $health->{reasons} }", qr/transport clean-2 \(8\.8\.8\.12\) is listed by bl\b/, 'and says of what';
	my $metrics = $daemon->metrics;
	is $metrics->{'penstock_transport_listed{transport="clean-2"}'}, 1, 'metric: lists';
	is $metrics->{'penstock_transport_weight{transport="clean-2"}'}, 1, 'metric: their weight';
	is $metrics->{'penstock_transport_share_ratio{transport="clean-2"}'}, 0, 'metric: share';
	is $metrics->{'penstock_transport_share_ratio{transport="clean-1"}'}, 1, 'metric: share of the other one';
	cmp_ok $metrics->{'penstock_transport_checked_seconds{transport="clean-2"}'}, '>=', 0, 'metric: the check';
	is $metrics->{'penstock_pool_all_listed{pool="clean"}'}, 0, 'metric: the pool';
	is $metrics->{'penstock_dns_list_asked{list="bl"}'}, 1, 'metric: the list, by its name';
	my ($code, $said) = plugin();
	is $code, 1, 'check_penstock warns';
	like $said, qr/transport clean-2 \(8\.8\.8\.12\) is listed by bl\b/, 'and says of what';
	$world->{redis}->stop(save => 1);
	wait_for(20, 'the plugin to tell of Redis', sub { (plugin())[1] =~ /Redis is down/ });
	like +(plugin())[1], qr/Redis is down \(.*\);.* transport clean-2 /, 'of both, where there are two troubles';
	$world->{redis}->start;
	wait_for(45, 'Redis again', sub { (plugin())[1] !~ /Redis is down/ });
};

part 'both are' => sub {
	list_only('8.8.8.11' => '127.0.0.2', '8.8.8.12' => '127.0.0.4');
	$daemon->wait_log(qr/error: monitor: all transports of pool clean are listed; clean-1 \(least listed, weight 1\) goes on/);
	is $world->arrived($world->send(auth => $accounts[0]))->{client}, '127.0.0.11', 'mail leaves all the same';
	is $daemon->health->{status}, 'critical', '/health is critical';
};

part 'both are taken off the list' => sub {
	list_only();
	$daemon->wait_log(qr/monitor: transport $_ \(\S+\) has its full share of pool clean again/) for qw(clean-1 clean-2);
	is_deeply ways(), $before, 'each account leaves by its transport of before';
	is $daemon->health->{status}, 'ok', '/health';
};

done_testing;
