#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What anybody may have written into an account's state is that account's trouble alone; and a storm of signals is one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for);
use Test::More;

my $world = Penstock::Live->new;
my ($redis, $daemon) = @{$world}{qw(redis daemon)};

sub write_state {
	my ($login, @fields) = @_;
	$redis->do('HSET', $world->key("$login\@example.com", 'state'), @fields);
}

sub messages {
	my ($login) = @_;
	return $world->counters("$login\@example.com")->{day_msgs};
}

sub is_well {
	my ($what) = @_;
	is $world->send(auth => 'alice')->{code}, 250, "$what: somebody else's mail goes on";
	is $daemon->verdict(account => 'alice@example.com')->{redis}, 'full', 'with what Redis knows of him';
	my $health = $daemon->health;
	ok $health->{redis}{up} && !$health->{redis}{breaker_open}, 'Redis is in use';
}

# fields of a state that no daemon wrote
my @nonsense = (
	[bob => 'n:live', 'abc'],
	[carol => v => 3, m => '1e16 0 0 0 0 0 0', r => "\xc0"],
	[dave => v => 3, m => "\x99" . "\xca\x7f\xc0\xff\xff" x 9, r => "\xff" x 12],
	[erin => c => 'a b c d e', s => 'f', k => 'odd', h => "\xff" x 64, w => '1'],
	[frank => 'n:live', '900000000000000000'],
	[oscar => 'n:live', sprintf '0x%x', (time + 3600) * 1_000_000],
	[grace => m => 'x' x 5000, r => ''],
	[nina => v => 3, m => "\xcf" . "\xff" x 8, r => "\x93\xc0\xca\xff", c => "\xff" x 23, s => "\xff" x 48],
);

part 'a state that is nonsense' => sub {
	for my $row (@nonsense) {
		my ($login, @fields) = @$row;
		write_state($login, @fields);
		is $world->send(auth => $login)->{code}, 250, "@fields[0, 1]: the first message" =~ s/x{10,}/x.../r;
		is $world->send(auth => $login)->{code}, 250, 'the second';
		is messages($login), 2, 'two are counted';
	}
	is_well('afterwards');
	sleep 3;	# what is owed is tried each second
	is messages($_->[0]), 2, "$_->[0]: still two" for @nonsense;
	is $daemon->health->{redis}{pending}, 0, 'nothing is owed';
};

part 'numbers that are not whole' => sub {
	$redis->do('EVAL', 'local n = {} for i = 1, 12 do n[i] = 0.5 end ' .
		"redis.call('HSET', KEYS[1], 'v', 3, 'm', cmsgpack.pack(redis.call('TIME')[1] * 1000, unpack(n, 1, 8)), " .
		"'r', cmsgpack.pack(unpack(n)))", 1, $world->key('mallory@example.com', 'state'));
	is $world->send(auth => 'mallory')->{code}, 250, 'a message';
	is messages('mallory'), 1, 'is counted, in numbers that are';
};

part 'a time of tomorrow' => sub {
	$redis->do('EVAL', 'local n = {} for i = 1, 12 do n[i] = 5 end ' .
		"redis.call('HSET', KEYS[1], 'v', 3, 'm', cmsgpack.pack((redis.call('TIME')[1] + 86400) * 1000, unpack(n, 1, 8)), " .
		"'r', cmsgpack.pack(unpack(n)))", 1, $world->key('heidi@example.com', 'state'));
	$redis->do('HSET', $world->key('heidi@example.com', 'limits'), msgs_per_minute => 5);
	is $world->send(auth => 'heidi')->{code}, 250, 'does not freeze the windows until then';
	is messages('heidi'), 1, 'they begin anew';
};

part 'an error that is about the server, in answer to a charge that may have been taken' => sub {
	is $world->send(auth => 'ivan')->{code}, 250, 'a message';
	$redis->pause;
	is $world->send(auth => 'ivan')->{code}, 250, 'one that Redis answers too late';
	wait_for(30, 'the breaker', sub { $world->send(auth => 'judy'); $daemon->health->{redis}{breaker_open} });
	$redis->resume;
	wait_for(45, 'Redis', sub { my $h = $daemon->health; $h->{redis}{up} && !$h->{redis}{pending} });
	is messages('ivan'), 2, 'each is counted once';
	$redis->do('ACL', 'SETUSER', 'default', '-eval', '-evalsha');
	is $world->send(auth => 'ivan')->{code}, 250, 'scripts are forbidden: mail goes on';
	$redis->do('ACL', 'SETUSER', 'default', '+@all');
	wait_for(45, 'Redis', sub { my $h = $daemon->health; $h->{redis}{up} && !$h->{redis}{pending} });
	is messages('ivan'), 3, 'and is counted, once';
};

part 'a storm of HUP' => sub {
	for (1 .. 300) {
		$daemon->reload;
	}
	is $world->send(auth => 'alice')->{code}, 250, 'mail goes on';
	ok $daemon->lives, 'the daemon lives';
	$daemon->reload for 1 .. 20;
	is $daemon->stop, 0, 'TERM behind HUPs ends it with 0';
};

done_testing;
