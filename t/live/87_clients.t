#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What hosts did that connect, as a real Postfix logs it, penstock-follow reads it and a real Redis hands it on: it arrives
# and is counted once, is shown, outlives a restart and an outage of Redis, and a flood of addresses pushes out its own.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Network qw(with_addresses);
use Test::More;

BEGIN {
	plan skip_all => 'network namespaces are not given to this test' if !with_addresses(map { "198.51.100.$_" } 7, 8, 9);
}

use Penstock::Follow;
use Penstock::Live qw(part);
use Penstock::Process qw(slurp wait_for);
use Penstock::RedisClient;
use Penstock::Smtp;

use constant { CLIENTS_MOST => 1024 };

my %main = (smtpd_client_connection_rate_limit => 0);
my $world = Penstock::Live->new(daemon => 1, main => \%main, config => {
	clients => { most => CLIENTS_MOST, state => '' },
});
my ($daemon, $redis, $postfix, $folder) = @{$world}{qw(daemon redis postfix folder)};
mkdir "$folder/clients";
chown((getpwnam 'nobody')[2, 3], "$folder/clients");
$daemon->{config}{clients}{state} = "$folder/clients";
$daemon->{config}{follow} = Penstock::Follow::config($folder);
$daemon->stop;
$daemon->write_config;
$daemon->start;
my $follow = Penstock::Follow->new($world);

my $ordinal = 0;

# Notes as a follower of another host hands them over: [client, event, stage], or [..., service, name].
sub notes {
	my (@notes) = @_;
	my $now = time;
	my $rows = join '', map { join(' ', $now, $_->[0], $_->[1], $_->[2] // '-', $_->[3] // 'smtp', $_->[4] // '-') . "\n" } @notes;
	$redis->ask('XADD', 'penstock:clients', 'MAXLEN', '~', 2000, '*', 'n', 'other:1:' . ++$ordinal, 'r', $rows);
}

sub shown { my ($client) = @_; return $daemon->ctl_json('client', 'show', $client) }
sub count { my ($client, $event) = @_; return shown($client)->{counts}{client}{$event} }

sub wait_count {
	my ($client, $event, $least) = @_;
	my $got = 0;
	eval { wait_for(30, "$least $event of $client", sub { ($got = count($client, $event)) > $least - 0.5 }) } or diag $@;
	return $got;
}

sub near { my ($got, $expected, $name) = @_; cmp_ok abs($got - $expected), '<', 0.2, $name or diag "got $got, expected $expected" }

# Says the commands, and ends the session by QUIT or without.
sub hang_up {
	my ($client, @commands) = @_;
	my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => $client);
	$session->command($_) for @commands;
	close $session->{in};
}

sub polite {
	my ($client) = @_;
	my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => $client);
	$session->quit;
}

part 'nobody came yet' => sub {
	my ($status, $out) = $daemon->ctl('client', 'show', '198.51.100.7');
	is $status, 0, 'client show';
	like $out, qr/^standing +unknown, /m, '... unknown';
	like $out, qr/^Nothing is known of it: /m, '... and says so';
	(undef, $out) = $daemon->ctl('sessions', 'report');
	like $out, qr/^No mail log has told of a session: /m, 'sessions report';
	is $daemon->metrics->{'penstock_clients_remembered{kind="client"}'}, 0, 'metric';
	ok defined $daemon->health->{clients}{remembered}, '/health';
};

part 'QUIT is required, and nobody reads the log' => sub {
	my $said = qr/clients: clients\.require_quit is true, but no mail is held until QUIT: /;
	my $set = sub {
		$daemon->{config}{clients}{require_quit} = $_[0];
		$daemon->write_config;
		$daemon->reload;
	};
	unlike "@{ $daemon->health->{reasons} }", $said, 'not required';
	$set->('true');
	ok wait_for(20, '/health', sub { "@{ $daemon->health->{reasons} }" =~ $said }), '/health says that nothing is held';
	$follow->start;
	ok wait_for(60, '/health', sub { "@{ $daemon->health->{reasons} }" !~ $said }), '... until there is a follower';
	$set->('false');
};

part 'sessions of a real Postfix' => sub {
	polite('198.51.100.7') for 1 .. 4;
	hang_up('198.51.100.7', 'MAIL FROM:<a@outside.test>', 'RCPT TO:<home@local.example.test>') for 1 .. 3;
	hang_up('198.51.100.8') for 1 .. 2;
	hang_up('127.0.0.1') for 1 .. 2;
	near wait_count('198.51.100.7', 'quit', 4), 4, 'with QUIT';
	near wait_count('198.51.100.7', 'no_quit', 3), 3, 'without';
	near wait_count('198.51.100.8', 'no_quit', 2), 2, 'of another client';
	is shown('127.0.0.1')->{known}, JSON::PP::false, 'this host is never counted';
	ok shown('127.0.0.1')->{ours}, '... and it says whose it is';
	# the lists of the worst are made now and then
	my $report = wait_for(60, 'the clients in the report', sub {
		my $report = $daemon->ctl_json('sessions', 'report');
		my %seen = map { $_->{client} // $_->{network} => $_->{no_quit} } @{ $report->{clients} }, @{ $report->{networks} };
		my %all = ('198.51.100.7' => 3, '198.51.100.8' => 2, '198.51.100.0/24' => 5);
		return !grep({ ($seen{$_} // 0) < $all{$_} - 0.1 } keys %all) && $report;
	});
	is $report->{sessions}, 9, 'sessions report: sessions';
	is $report->{no_quit}, 5, '... without QUIT';
	cmp_ok abs($report->{share} - 5 / 9), '<', 0.001, '... their share';
	is $report->{stages}{rcpt}, 3, '... after RCPT';
	my ($network) = @{ $report->{networks} };
	is $network->{network}, '198.51.100.0/24', '... of which network';
	near $network->{no_quit}, 5, '... how many';
	my ($hour) = @{ $report->{hours} };
	cmp_ok $hour->[0], '>', time - 7200, '... when';
	my ($status, $out) = $daemon->ctl('sessions', 'report');
	is $status, 0, 'for people';
	like $out, qr/^without QUIT +5, 56 %$/m, '... the share';
	like $out, qr/^rcpt +3 +60 %  \[######\.\.\.\.\]$/m, '... the stage, drawn';
	like $out, qr/^198\.51\.100\.7 +- +\w+ +7 +3 +4[23] %$/m, '... the client';
	is_deeply [ grep { length > 80 } split /\n/, $out ], [], '... within 80 columns';
	is $daemon->metrics->{'penstock_clients_hangups_total{stage="rcpt"}'}, 3, 'metric';
};

part 'mail, spam and encryption' => sub {
	my $to = 'home@local.example.test';
	$world->send(client => '198.51.100.9', to => $to);
	$world->send(client => '198.51.100.9', to => $to, body => "cheap reservoir pills\n");
	my $session = Penstock::Smtp->connect_tls(port => $world->{ports}{smtp}, client => '198.51.100.9');
	$world->send_in($session, to => $to, body => "cheap reservoir pills\n");
	$session->quit;
	near wait_count('198.51.100.9', 'mail', 1), 1, 'mail';
	near wait_count('198.51.100.9', 'spam', 2), 2, 'spam';
	my %sum;
	wait_for(20, 'the encrypted session', sub {
		%sum = ();
		for my $row (@{ $daemon->ctl_json('sessions', 'report')->{standings} }) {
			$sum{$_} += $row->{$_} for grep { $_ ne 'standing' } keys %$row;
		}
		return $sum{sessions_encrypted};
	});
	is $sum{sessions_encrypted}, 1, 'one session is encrypted';
	cmp_ok $sum{sessions}, '>=', 3, '... of all';
	is $sum{spam}, 2, 'spam by standing';
	is $sum{spam_encrypted}, 1, '... encrypted';
	is $sum{mail}, 1, 'mail that is none';
	my ($status, $out) = $daemon->ctl('sessions', 'report');
	like $out, qr/^Sessions and messages of host live alone, /m, 'sessions report';
};

part 'notes of another host' => sub {
	notes(map { ['192.0.2.7', 'no_quit', 'rcpt'] } 1 .. 30);
	near wait_count('192.0.2.7', 'no_quit', 30), 30, 'they arrive';
	$ordinal--;
	notes(map { ['192.0.2.7', 'no_quit', 'rcpt'] } 1 .. 30);
	wait_for(20, 'the batch that comes again', sub { $daemon->metrics->{'penstock_clients_batches_total{result="again"}'} });
	near count('192.0.2.7', 'no_quit'), 30, 'a batch of the same number is not counted again';
	notes(map { ['192.0.2.7', 'listed'] } 1 .. 10);
	near wait_count('192.0.2.7', 'listed', 10), 10, 'the next one is';
	my $client = shown('192.0.2.7');
	like $client->{standing}, qr/^(?:poor|bad)$/, 'it stands badly';
	my ($term) = grep { $_->{name} eq 'hang_ups' } @{ $client->{terms} };
	cmp_ok $term->{value}, '>', 0, 'one term of it';
	near $term->{of}{no_quit}, 30, '... with its count';
	my $sum = 0;
	$sum += $_->{value} for @{ $client->{terms} };
	near $sum, $client->{sum}, 'the terms make up the sum';
	ok $client->{does}{slowed}, 'what it does to it';
	my ($status, $out) = $daemon->ctl('client', 'show', '192.0.2.7');
	like $out, qr/^hang_ups +\d+\.\d\d +30 no_quit$/m, 'for people';
	like $out, qr/^no_quit +30 +0 +0$/m, '... and its counts';
	notes(['2001:db8:1:2::7', 'no_quit'], ['2001:db8:1:2::8', 'no_quit']);
	near wait_count('2001:db8:1:2::9', 'no_quit', 2), 2, 'an IPv6 client is its /64';
	is shown('2001:db8:1:2::9')->{client}, '2001:db8:1:2::/64', '... and is shown as that';
};

part 'words that are wrong' => sub {
	my ($status, $out, $error) = $daemon->ctl('client', 'show', 'mx.example.com');
	is $status, 1, 'a name';
	like $error, qr/"client" is "mx\.example\.com"; expected an address, /, '... is said';
	($status, $out, $error) = $daemon->ctl('client', 'show', 'C-0000000000000000000000');
	is $status, 1, 'a reference that is none';
	($status, $out, $error) = $daemon->ctl('client', 'show', "192.0.2.7\e[31m");
	is $status, 1, 'control bytes';
	unlike $error, qr/\e/, '... do not reach the terminal';
	($status, $out, $error) = $daemon->ctl('sessions', 'report', '--days', 401);
	is $status, 2, '401 days';
	like $error, qr/--days "401": expected a whole number from 1 to 400/, '... is said';
	is scalar(@{ $daemon->ctl_json('sessions', 'report', '--days', 400)->{hours} }) > 0, 1, '400 days';
};

part 'whatever stands in the stream' => sub {
	my @before = @{ $daemon->metrics }{qw(penstock_clients_bad_rows_total penstock_clients_notes_total)};
	$redis->ask('XADD', 'penstock:clients', '*', @$_) for ['n', 'x', 'r', "y\n"], ['z', 1], ['n', 'other:1:' . ++$ordinal, 'r', "\xff\0" x 50_000],
		['n', 'other:1:' . ++$ordinal, 'r', "1 192.0.2.99 no_quit\n99999999999999999999 192.0.2.99 no_quit - smtp -\n"];
	notes(['192.0.2.8', 'quit']);
	near wait_count('192.0.2.8', 'quit', 1), 1, 'what comes behind is counted';
	cmp_ok $daemon->metrics->{penstock_clients_bad_rows_total}, '>', $before[0], 'nonsense is counted as that';
	is shown('192.0.2.99')->{known}, JSON::PP::false, '... and not as anything else';
	ok wait_for(20, '/health', sub { "@{ $daemon->health->{reasons} }" =~ /clients: notes are ignored / }), '/health says so';
	$redis->do('RENAME', 'penstock:clients', 'aside');
	$redis->do('HSET', 'penstock:clients', 'a', 1);
	ok wait_for(20, '/health', sub { "@{ $daemon->health->{reasons} }" =~ /clients: the stream of what they did cannot be read from Redis: / }),
		'a hash in its place';
	$redis->do('DEL', 'penstock:clients');
	$redis->do('RENAME', 'aside', 'penstock:clients');
	ok wait_for(20, '/health', sub { "@{ $daemon->health->{reasons} }" !~ /cannot be read from Redis/ }), '... until it has gone';
	notes(['192.0.2.8', 'quit']);
	near wait_count('192.0.2.8', 'quit', 2), 2, 'and it goes on';
};

part 'a restart' => sub {
	my %before = map { $_ => shown($_)->{counts}{client} } qw(192.0.2.7 198.51.100.7 198.51.100.9);
	my $report = $daemon->ctl_json('sessions', 'report');
	is $daemon->stop, 0, 'it ends';
	hang_up('198.51.100.8');	# Postfix goes on
	$daemon->start;
	for my $client (sort keys %before) {
		my $after = shown($client)->{counts}{client};
		near $after->{$_}, $before{$client}{$_}, "$client: $_" for grep { $before{$client}{$_} > 0.5 } sort keys %$after;
	}
	near wait_count('198.51.100.8', 'no_quit', 3), 3, 'what happened meanwhile is counted';
	is $daemon->ctl_json('sessions', 'report')->{no_quit}, $report->{no_quit} + 1, 'and the totals are kept';
};

part 'Redis is away' => sub {
	$redis->stop(save => 1);
	wait_for(20, '/health', sub { "@{ $daemon->health->{reasons} }" =~ /redis: away/ });
	near shown('192.0.2.7')->{counts}{client}{no_quit}, 30, 'client show answers';
	is $world->send(client => '198.51.100.9', to => 'home@local.example.test')->{code}, 250, 'mail is taken';
	near wait_count('198.51.100.9', 'mail', 2), 2, '... and counted';
	hang_up('198.51.100.8');
	$redis->start;
	near wait_count('198.51.100.8', 'no_quit', 4), 4, 'what the follower kept meanwhile arrives';
	wait_for(30, '/health', sub { "@{ $daemon->health->{reasons} }" !~ /clients: the stream|redis: away/ });
	pass 'and all is well';
};

part 'a flood of addresses' => sub {
	my $connection = Penstock::RedisClient->connect($redis->{socket});
	my $sum = shown('192.0.2.7')->{sum};
	my ($now, $last) = (time, '');
	for my $batch (1 .. 1000) {
		my $rows = join '', map { $last = sprintf '10.%d.%d.%d', 1 + $batch / 250, $batch % 250, $_; "$now $last quit - smtp -\n" } 1 .. 100;
		$connection->ask('XADD', 'penstock:clients', 'MAXLEN', '~', 2000, '*', 'n', 'flood:1:' . $batch, 'r', $rows);
	}
	wait_for(60, 'the last of them', sub { shown($last)->{known} });
	my $metrics = $daemon->metrics;
	cmp_ok $metrics->{'penstock_clients_remembered{kind="client"}'}, '<=', CLIENTS_MOST, 'the table has an end';
	cmp_ok $metrics->{'penstock_clients_forgotten_total{known="no"}'}, '>', 90_000, 'the flood pushes out its own';
	near shown('192.0.2.7')->{counts}{client}{no_quit}, 30, 'who was bad is remembered';
	near shown('192.0.2.7')->{sum}, $sum, '... and stands as before';
	near shown('198.51.100.9')->{counts}{client}{spam}, 2, '... and who sent spam';
	is $metrics->{penstock_clients_gaps_total}, 0, 'nothing was lost on the way';
	is $world->send(auth => 'alice')->{code}, 250, 'mail is taken';
};

$follow->stop;
is $daemon->stop, 0, 'the daemon ends well';
done_testing;
