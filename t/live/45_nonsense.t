#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What anybody may have written into an account's record is that account's trouble alone; and a storm of signals is one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for);
use Penstock::Record;
use Test::More;

my $world = Penstock::Live->new;
my ($redis, $daemon) = @{$world}{qw(redis daemon)};

sub key_of { return $world->key("$_[0]\@example.com", 'record') }

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

# bytes that no daemon wrote
my $good = Penstock::Record::good_record(50);
my @nonsense = (
	[bob => 'a word', 'abc'],
	[carol => 'the version and no more', chr $Penstock::Record::version],
	[dave => 'another version', chr($Penstock::Record::version + 1) . substr $good, 1],
	[erin => 'more than a record', $good . "\0"],
	[frank => 'numbers without an end', chr($Penstock::Record::version) . "\xff" x 600],
	[oscar => 'a part of a record', substr $good, 0, length($good) - 5],
	[grace => 'very many bytes', 'x' x 5_000_000],
	[nina => 'a counter that is no number', Penstock::Record::good_record(50, counters => { spam => 9**9**9 })],
);

# Half a history would be taken for a whole one, and one of a later version is not ours to spoil.
part 'a record that is nonsense' => sub {
	for my $row (@nonsense) {
		my ($login, $what, $bytes) = @$row;
		$redis->ask('SET', key_of($login), $bytes);
		is $world->send(auth => $login)->{code}, 250, "$what: the first message";
		is $world->send(auth => $login)->{code}, 250, 'the second';
	}
	is_well('afterwards');
	sleep 3;	# what is owed is tried each second
	ok $redis->ask('GET', key_of($_->[0])) eq $_->[2], "$_->[1]: it is left alone" for @nonsense;
	is $daemon->health->{redis}{pending}, 0, 'nothing is owed';
	my @lines = grep { /redis: .*(?:bob|dave)\@example\.com.* left alone/ } split /\n/, $daemon->log_text;
	is scalar(@lines), 2, 'the log says so, once of each account' or diag join "\n", @lines;
	for my $row (@nonsense) {
		$redis->ask('DEL', key_of($row->[0]));
		is $world->send(auth => $row->[0])->{code}, 250, "$row->[1]: it is taken away";
		is messages($row->[0]), 1, 'and the account counted again';
	}
};

part 'keys of another type' => sub {
	for my $kind (qw(record state known)) {
		my $key = $world->key('carol@example.com', $kind);
		$redis->ask('DEL', $key);
		$redis->ask('LPUSH', $key, 'a list');
		is $world->send(auth => 'carol')->{code}, 250, "$kind: mail goes on";
		is $redis->ask('TYPE', $key), 'list', '... and it is left alone';
		$redis->ask('DEL', $key);
	}
	is messages('carol'), 2, 'a list in the place of the record is not counted in, the others change nothing';
	is_well('lists');
};

# No daemon leaves such a one: it may be counted in or left alone, and nothing may wait for it for ever.
part 'a record that nobody wrote' => sub {
	$redis->ask('SET', key_of('mallory'), Penstock::Record::good_record(50, writes => []));
	is $world->send(auth => 'mallory')->{code}, 250, 'a message';
	is $world->send(auth => 'mallory')->{code}, 250, 'another';
	sleep 3;
	is $daemon->health->{redis}{pending}, 0, 'nothing is owed';
};

part 'as much as a record can hold' => sub {
	my %much = map { $_ => [ 2**53, 2**53 ] } @Penstock::Record::windows;
	$redis->ask('SET', key_of('mallory'), Penstock::Record::good_record(50, sums => \%much));
	is $world->send(auth => 'mallory')->{code}, 451, 'is over every limit';
	$redis->do('SET', $world->key('mallory@example.com', 'exempt'), 'a test');
	is $world->send(auth => 'mallory')->{code}, 250, 'an exempt account sends all the same';
	ok messages('mallory') >= 2**54, 'no sum begins anew';
	is_well('afterwards');
};

part 'a time of tomorrow' => sub {
	$redis->ask('SET', key_of('heidi'), Penstock::Record::good_record(50, at_ms => (time + 86400) * 1000,
		sums => { map { $_ => [ 5, 5 ] } @Penstock::Record::windows }));
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
