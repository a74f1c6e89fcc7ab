#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A receiver refuses one of our addresses, as penstock-follow tells in a real Redis (receiver_key.c writes the key by its
# code): mail to that receiver alone leaves by another address, all else as before.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(run wait_for);
use Test::More;

my $build = $ENV{PENSTOCK_BUILD} // '.';
my $writer = "$build/t/live/receiver_key";
die "$writer is not built: make t/live/receiver_key\n" if !-x $writer;

my $world = Penstock::Live->new;
my ($redis, $daemon) = @{$world}{qw(redis daemon)};
my $number = 0;

# What the follower tells after it saw so many answers of these kinds.
sub follower_tells {
	my (@answers) = @_;
	my $lines = join '', map { my ($times, @words) = @$_; "@words\n" x $times } @answers;
	my ($status, $value, $error) = run({ input => $lines }, $writer, ++$number, qw(clean-1 clean-2 warm-1 suspect-1));
	die "$writer: $status $error\n" if $status != 0;
	$redis->do('SET', 'penstock:follow:live', $value, 'EX', 2592000);
	$redis->do('HSET', 'penstock:followers', 'live', time * 1000);
	return $value;
}

sub way { my (@to) = @_; return $world->send(auth => 'alice', to => \@to) }

sub reason { my ($result) = @_; return $world->verdict($result)->{reasons} }

$world->make_good('alice@example.com');
my $own = $world->verdict(way('friend@big.test'))->{transport};
my ($other) = grep { $_ ne $own } qw(clean-1 clean-2);

part 'where nobody follows the log nothing is said' => sub {
	is $daemon->health->{status}, 'ok', '/health';
	is $daemon->metrics->{penstock_follow_lines_total}, undef, 'no metrics';
	my ($status, $out) = $daemon->ctl('receivers');
	is $status, 0, 'penstockctl receivers';
	like $out, qr/^No follower has told anything on host live: /m, 'says so';
};

part 'one receiver refuses the address' => sub {
	follower_tells([ 40, $own, 'big', 'big.test', 'delivered' ], [ 1, $own, 'big', 'large.test', 'delivered' ],
		[ 40, $other, 'big', 'big.test', 'delivered' ], [ 20, $own, 'big', 'big.test', 'reputation' ]);
	$daemon->wait_log(qr/warning: receivers: big refuses what leaves by transport $own: 550 5\.7\.1 Client host blocked; /);
	my $result = way('friend@big.test', 'other@large.test');
	is $world->verdict($result)->{transport}, $other, 'mail to it leaves by the other one';
	is reason($result), 'rest:big', 'log: the reason';
	is $world->arrived($result)->{helo}, "$other.example.test", 'and does';
	my $mixed = way('friend@big.test', 'friend@elsewhere.test');
	is $world->verdict($mixed)->{transport}, $own, 'mail to others as well leaves by the usual one';
	is reason($mixed), '-', 'without a reason';
	is $world->verdict(way('friend@elsewhere.test'))->{transport}, $own, 'and mail to others';
	is $world->{postfix}->log_lines(qr{postfix/$other/smtp\[\d+\]: $result->{id}: to=<friend\@big\.test>}) > 0, 1,
		"Postfix's log names the transport";
	is $daemon->health->{status}, 'ok', '/health: the follower is there';
};

part 'it is shown' => sub {
	my ($node) = @{ $daemon->ctl_json('receivers')->{nodes} };
	my ($row) = grep { $_->{transport} eq $own } @{ $node->{rows} };
	is $row->{state}, 'rests', 'receivers --json: state';
	cmp_ok abs($row->{volume} - 61), '<', 0.5, 'receivers --json: answers';
	cmp_ok abs($row->{refused} - 20 / 61), '<', 0.01, 'receivers --json: refused';
	cmp_ok $row->{until}, '>', time + 3000, 'receivers --json: until';
	my ($status, $out) = $daemon->ctl('receivers');
	like $out, qr/^live +$own +big +61 +33 % +0 % +rests for \S+ \S+ +550 5\.7\.1 Client host blocked \(/m, 'and for people';
	(undef, $out) = $daemon->ctl('pool', 'list');
	like $out, qr/^Transport $own rests for receiver big, for /m, 'pool list';
	(undef, $out) = $daemon->ctl('events');
	like $out, qr/ rest +$own .*big refuses what leaves by transport $own/, 'events';
	my $metrics = $daemon->metrics;
	is $metrics->{"penstock_receiver_rests{transport=\"$own\",receiver=\"big\"}"}, 1, 'metric: it rests';
	is $metrics->{"penstock_receiver_rests{transport=\"$other\",receiver=\"big\"}"}, 0, 'metric: the other one does not';
	is $metrics->{penstock_follow_lines_total}, 101, 'metric: lines';
};

part 'the rest of one that is gone ends' => sub {
	follower_tells([ 40, $own, 'big', 'big.test', 'delivered' ]);
	$daemon->wait_log(qr/receivers: big no longer refuses what leaves by transport $own; /);
	is $world->verdict(way('friend@big.test'))->{transport}, $own, 'the usual one';
};

part 'whatever stands in the key' => sub {
	for my $nonsense ("penstock-follow 1 99 1 1 1 1 1\n{", 'x' x 2_000_000, "penstock-follow 1 98 1 1 1 1 1\n" . '[' x 100_000) {
		$world->{redis}->ask('SET', 'penstock:follow:live', $nonsense);
		ok wait_for(20, '/health', sub { "@{ $daemon->health->{reasons} }" =~ /the key follow:live of Redis is ignored/ }),
			'nonsense is said: ' . substr($nonsense, 0, 20) =~ s/\n/ /r;
		follower_tells([ 1, $own, 'big', 'big.test', 'delivered' ]);
		wait_for(20, '/health', sub { $daemon->health->{status} eq 'ok' });
	}
	follower_tells([ 1, $own, 'big', 'big.test', 'delivered' ], [ 1, qw(- - - trouble) ]);
	ok wait_for(20, '/health', sub { "@{ $daemon->health->{reasons} }" =~ /follow: the mail log is not there\./ }), "a follower's trouble is told";
	$redis->do('DEL', 'penstock:follow:live');
	$redis->do('HSET', 'penstock:follow:live', 'a', 1);
	ok wait_for(20, '/health', sub { "@{ $daemon->health->{reasons} }" =~ /it is no string: Redis says "WRONGTYPE/ }), 'a hash';
	is $world->verdict(way('friend@big.test'))->{transport}, $own, 'mail leaves all the same';
};

done_testing;
