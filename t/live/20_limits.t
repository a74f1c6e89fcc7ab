#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Limits that a panel writes with redis-cli hold from the next message on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for);
use Test::More;

my $world = Penstock::Live->new;
my $redis = $world->{redis};

sub limit {
	my ($login, @fields) = @_;
	$redis->do('HSET', $world->key("$login\@example.com", 'limits'), @fields);
}

sub used {
	my ($login) = @_;
	return $world->counters("$login\@example.com")->{day_rcpts};
}

sub friends {
	my ($count) = @_;
	return [ map { "friend$_\@elsewhere.test" } 1 .. $count ];
}

part 'a limit holds, and names itself' => sub {
	is $world->send(auth => 'alice', to => friends(2))->{code}, 250, 'before there is one';
	limit('alice', rcpts_per_hour => 4);
	my $result = $world->send(auth => 'alice', to => friends(4));
	is_deeply [ map { substr $_->{code}, 0, 1 } @{ $result->{rcpt} } ], [2, 2, 4, 4], 'recipients beyond it are deferred at RCPT';
	is used('alice'), 4, 'what was taken is counted';
	$result = $world->send(auth => 'alice');
	is $result->{stage}, 'mail', 'the next message is deferred at MAIL';
	like "$result->{code} $result->{text}", qr/^4\d\d .*recipients an hour/, 'with the limit\'s name';
	like $result->{text}, qr/\d+ (?:second|minute|hour|s\b|min)|try again|in \d/i, "and when it frees: $result->{text}";
	is used('alice'), 4, 'a refused message burns no quota';
	limit('alice', rcpts_per_hour => 5);
	is $world->send(auth => 'alice')->{code}, 250, 'a raised limit holds at once';
	my $verdict = $world->{daemon}->verdict(account => 'alice@example.com', action => 'defer');
	like $verdict->{reasons}, qr/limit/, 'the log says why';
};

part 'two messages at once cannot both take the last place' => sub {
	limit('bob', msgs_per_hour => 1);
	my @sessions = map { $world->session(auth => 'bob') } 1 .. 2;
	for my $session (@sessions) {
		is $session->command('MAIL FROM:<bob@example.com>')->{code}, 250, 'MAIL';
		is $session->command('RCPT TO:<friend@elsewhere.test>')->{code}, 250, 'RCPT';
		is $session->command('DATA')->{code}, 354, 'DATA';
	}
	my @codes = map { $_->command("Subject: race\r\n\r\nHello.\r\n.")->{code} } @sessions;
	is_deeply [ map { substr $_, 0, 1 } @codes ], [2, 4], "the first is taken, the second deferred: @codes";
	is $world->counters('bob@example.com')->{day_msgs}, 1, 'one is counted';
};

part 'over = reject' => sub {
	limit('carol', msgs_per_day => 1, over => 'reject');
	is $world->send(auth => 'carol')->{code}, 250, 'the first';
	my $result = $world->send(auth => 'carol');
	like "$result->{code} $result->{text}", qr/^5\d\d .*messages? a day/, "the second: $result->{code} $result->{text}";
};

part 'over = hold' => sub {
	limit('dave', msgs_per_day => 1, over => 'hold');
	is $world->send(auth => 'dave')->{code}, 250, 'the first';
	my $result = $world->send(auth => 'dave');
	is $result->{code}, 250, 'the second is taken';
	wait_for(20, 'the hold queue', sub { grep { $_ eq $result->{id} } $world->{postfix}->queue('hold') });
	is $world->verdict($result)->{action}, 'hold', 'the log says so';
};

part 'over = slow' => sub {
	limit('erin', msgs_per_day => 1, over => 'slow');
	is $world->arrived($world->send(auth => 'erin'))->{client}, '127.0.0.21', 'the first by the account\'s pool';
	is $world->arrived($world->send(auth => 'erin'))->{client}, '127.0.0.31', 'the second by the suspect pool';
};

part 'recipients of one message' => sub {
	limit('frank', rcpts_per_message => 3);
	my $result = $world->send(auth => 'frank', to => friends(5));
	is_deeply [ map { substr $_->{code}, 0, 1 } @{ $result->{rcpt} } ], [2, 2, 2, 4, 4], 'the fourth is refused at RCPT';
	is $result->{code}, 250, 'the message goes to the three';
	is scalar @{ $world->arrived($result)->{to} }, 3, 'they get it';
	my $local = $world->send(auth => 'frank', to => [ map({ "friend$_\@elsewhere.test" } 1 .. 3), 'home@local.example.test' ]);
	is $local->{rcpt}[3]{code}, 250, 'one on this host is not counted';
};

part 'zero lets nothing leave' => sub {
	limit('grace', msgs_per_day => 0);
	like $world->send(auth => 'grace')->{code}, qr/^4/, 'nothing';
};

part 'values of no use' => sub {
	my $daemon = $world->{daemon};
	my %nonsense = (words => 'plenty', negative => '-5', huge => '99999999999999999999', empty => '');
	for my $kind (sort keys %nonsense) {
		$redis->do('DEL', $world->key('heidi@example.com', 'limits'));
		limit('heidi', rcpts_per_hour => $nonsense{$kind}, msgs_per_day => 7);
		my $before = length $daemon->log_text;
		is $world->send(auth => 'heidi')->{code}, 250, "$kind: mail goes on";
		my $line = wait_for(10, 'a line that names the value', sub {
			my @new = split /\n/, substr $daemon->log_text, $before;
			return (grep { /heidi\@example\.com/ && /rcpts_per_hour/ && !/action=/ } @new)[0];
		});
		ok $line, "it is named: $line";
		my $shown = $daemon->ctl_json('account', 'show', 'heidi@example.com');
		my %limit = map { $_->{name} => $_->{limit} } @{ $shown->{windows} };
		is $limit{rcpts_per_hour}, 500, 'the default plan\'s value holds';
		is $limit{msgs_per_day}, 7, 'and the good field beside it';
	}
	$redis->do('SET', $world->key('ivan@example.com', 'limits'), 'rcpts_per_hour=3');
	is $world->send(auth => 'ivan')->{code}, 250, 'a key of the wrong type: mail goes on';
	ok $daemon->wait_log(qr/ivan\@example\.com.*limits|limits.*ivan\@example\.com/), 'it is named';
	$redis->do('SET', $world->key('judy@example.com', 'state'), 'good');
	is $world->send(auth => 'judy')->{code}, 250, 'a state of the wrong type: mail goes on';
};

part 'plans' => sub {
	$redis->do('HSET', 'penstock:plans', tiny => 'msgs_per_hour=1 over=reject');
	limit('nina', plan => 'tiny');
	wait_for(20, 'the plan', sub { $world->{daemon}->ctl_json('account', 'show', 'nina@example.com')->{over} eq 'reject' });
	is $world->send(auth => 'nina')->{code}, 250, 'the first';
	like $world->send(auth => 'nina')->{code}, qr/^5/, 'the second is over the plan of Redis';
	limit('nina', msgs_per_hour => 3);
	is $world->send(auth => 'nina')->{code}, 250, 'the account\'s own number goes before its plan';
	limit('nina', plan => 'gold', msgs_per_hour => 2);
	is $world->arrived($world->send(auth => 'nina'))->{client}, '127.0.0.31', 'the plan gold of the file slows down';
};

part 'block and exempt' => sub {
	my $key = $world->key('oscar@example.com', 'block');
	$redis->do('SET', $key, 'password stolen, ticket 4711');
	my $result = $world->send(auth => 'oscar');
	like "$result->{stage} $result->{code}", qr/^mail 5/, "a blocked account is refused at MAIL: $result->{code} $result->{text}";
	my $verdict = $world->{daemon}->verdict(account => 'oscar@example.com', action => 'reject');
	like $verdict->{reasons}, qr/admin_block/, 'the log says why';
	$redis->do('DEL', $key);
	is $world->send(auth => 'oscar')->{code}, 250, 'unblocked, it sends again';
	$redis->do('SET', $key, 'for a moment', 'PX', 300);
	like $world->send(auth => 'oscar')->{code}, qr/^5/, 'a block with an end';
	wait_for(10, 'the end of the block', sub { $redis->do('EXISTS', $key) eq '0' });
	is $world->send(auth => 'oscar')->{code}, 250, 'ends by itself';

	# a group: his organisation
	limit('oscar', customer => 77);
	$redis->do('SET', $world->key('customer:77', 'block'), 'unpaid, "since May"');
	$result = $world->send(auth => 'oscar');
	like "$result->{code} $result->{text}", qr/^550 .*\[blocked\] your organisation is blocked; please ask your provider; ref /,
		'who is of a blocked customer hears that';
	unlike $result->{text}, qr/unpaid|limit/, '... and no more';
	$verdict = $world->{daemon}->verdict(account => 'oscar@example.com', scope => 'customer');
	like $verdict->{reasons}, qr/^admin_block:customer:77:.*unpaid/, 'the log has the group and the words of the admin';
	my $shown = ($world->{daemon}->ctl('account', 'show', 'oscar@example.com'))[1];
	like $shown, qr/^group +customer:77 is blocked by an admin: unpaid, "since May"$/m, '... and so has account show';
	like $shown, qr/^leaves by +nothing: customer:77 is blocked by an admin$/m, '... by which nothing leaves';
	$redis->do('DEL', $world->key('customer:77', 'block'));
	is $world->send(auth => 'oscar')->{code}, 250, 'unblocked, it sends again';
	$redis->do('HDEL', $world->key('oscar@example.com', 'limits'), 'customer');
	limit('oscar', msgs_per_day => 1);
	like $world->send(auth => 'oscar')->{code}, qr/^4/, 'over a limit';
	$redis->do('SET', $world->key('oscar@example.com', 'exempt'), 'newsletter of the town hall');
	is $world->send(auth => 'oscar')->{code}, 250, 'an exempt account is not held to it';
};

done_testing;
