#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What a postmaster expects of limits and signals, with a real Postfix and Redis: a customer's limit is one key, a refused
# message burns nothing, one that comes again is counted again, traps move the account, bounces have a way of their own.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for write_file);
use Penstock::Record;
use Test::More;

my $traps = File::Temp->new(TEMPLATE => 'penstock-traps-XXXXXX', TMPDIR => 1);
print $traps "# ours\ntrap\@elsewhere.test\n\@traps.test\n";
$traps->flush;
chmod 0644, $traps->filename;

sub pool {
	my ($name, $levels, $address) = @_;
	return { name => $name, levels => $levels, transports => [{ name => "$name-1", address => $address, helo => "$name-1.example.test" }] };
}

my $world = Penstock::Live->new(config => {
	traps => { file => $traps->filename, delay_minutes => 0 },
	pools => [pool('clean', ['good'], '127.0.0.11'), pool('warm', ['new'], '127.0.0.21'),
		pool('suspect', ['suspect'], '127.0.0.31'), pool('bounce', ['bounce'], '127.0.0.41')],
});
my ($redis, $daemon) = @{$world}{qw(redis daemon)};

sub limit {
	my ($name, @fields) = @_;
	$redis->do('HSET', $world->key($name, 'limits'), @fields);
}

# Of a group: what it bears, of what it limits.
sub messages_of {
	my ($group) = @_;
	return Penstock::Record::group_counted(sub { @{ $redis->ask(@_) } }, 'penstock', $group, 'day')->{messages};
}

# What is charged behind a message is not waited for. Counters of the reputation decay from the first second on.
sub settles_at {
	my ($account, $counter, $value, $name) = @_;
	my $got;
	eval { wait_for(10, $name, sub { $got = sprintf '%.0f', $world->counters($account)->{$counter}; $got == $value }) };
	is $got, $value, $name;
}

part 'a customer\'s limit is one key for all his accounts' => sub {
	limit('customer:42', msgs_per_day => 3);
	limit("$_\@example.com", customer => '42') for qw(alice bob);
	is $world->send(auth => 'alice')->{code}, 250, 'the first of one account';
	is $world->send(auth => 'bob')->{code}, 250, 'the second of another';
	is $world->send(auth => 'bob')->{code}, 250, 'the third';
	for my $login (qw(alice bob)) {
		my $result = $world->send(auth => $login);
		like "$result->{code} $result->{text}", qr/^4\d\d .*\[limit\].*messages a day/, "$login is over it: $result->{code} $result->{text}";
		unlike $result->{text}, qr/\@/, '... and hears nothing of anybody else';
	}
	is $daemon->verdict(account => 'alice@example.com', action => 'defer')->{scope}, 'customer', 'the log says whose limit it is';
	settles_at('alice@example.com', 'day_msgs', 1, 'what the customer refused is given back to alice');
	settles_at('bob@example.com', 'day_msgs', 2, '... and to bob');
	ok eval { wait_for(10, 'the customer', sub { messages_of('customer:42') == 3 }) }, 'the customer has three';
	is $world->send(auth => 'carol')->{code}, 250, 'who is not his sends on';
	limit('customer:42', msgs_per_day => 4);
	is $world->send(auth => 'alice')->{code}, 250, 'a raised limit holds at once';
};

part 'a refused message burns nothing' => sub {
	limit('dave@example.com', msgs_per_day => 1);
	is $world->send(auth => 'dave')->{code}, 250, 'the first';
	like $world->send(auth => 'dave', to => 'new@elsewhere.test')->{code}, qr/^4/, 'the second is over the limit' for 1 .. 3;
	settles_at('dave@example.com', 'day_msgs', 1, 'one message is counted');
	settles_at('dave@example.com', 'day_rcpts', 1, 'one recipient');
	settles_at('dave@example.com', 'messages', 1, 'the reputation has one message');
	settles_at('dave@example.com', 'breaches', 1, 'a queue that tries again breaches once');
};

# The same message word for word, as a client sends it that missed the answer.
sub same_again {
	my ($session, $text) = @_;
	return $session->message(from => 'erin@example.com', to => ['friend@elsewhere.test'], text => $text);
}

part 'a message that comes again is counted again' => sub {
	limit('erin@example.com', msgs_per_day => 3);
	my $text = "From: <erin\@example.com>\nTo: <friend\@elsewhere.test>\nSubject: once $$\nDate: Mon, 05 Jan 2026 12:00:00 +0000\n" .
		"Message-ID: <once.$$\@example.com>\n\nShall we meet at noon?\n";
	my $session = $world->session(auth => 'erin');
	is same_again($session, $text)->{code}, 250, 'it is taken';
	my $again = same_again($session, $text);
	is $again->{code}, 250, 'and again';
	$session->quit;
	settles_at('erin@example.com', 'day_msgs', 2, 'both are counted');
	is $world->send(auth => 'erin')->{code}, 250, 'the third place is free';
	like $world->send(auth => 'erin')->{code}, qr/^4/, 'and then there is none';
};

part 'traps move the account' => sub {
	$world->make_good('frank@example.com');
	is $world->pool_of($world->arrived($world->send(auth => 'frank'))->{client}), 'clean', 'a good account';
	my @to = ('trap@elsewhere.test', 'any@traps.test');
	my $last;
	for my $number (1 .. 6) {
		$last = $world->send(auth => 'frank', to => [$to[$number % 2]]);
		last if $last->{code} != 250 || $world->verdict($last)->{level} ne 'good';
	}
	my $verdict = $daemon->verdict(account => 'frank@example.com');
	isnt $verdict->{level}, 'good', "it is no longer good: $verdict->{level}, score $verdict->{score}";
	my $why = wait_for(20, 'the entry', sub { my ($status, $out) = $daemon->ctl('explain', $verdict->{ref}); $status == 0 && $out });
	like $why, qr/spam-trap recipients|traps/, 'explain says why';
	my $next = $world->send(auth => 'frank');
	ok $next->{code} != 250 || $world->pool_of($world->arrived($next)->{client}) ne 'clean', 'its mail leaves by another pool';
	$world->make_good('grace@example.com');
	my $to = $world->send(auth => 'grace', to => ['nottrap@elsewhere.test']);
	is $world->pool_of($world->arrived($to)->{client}), 'clean', 'an address that is like a trap is none';
};

part 'bounces of this host have a class of their own' => sub {
	$world->make_good('heidi@example.com');
	my $customer = $Penstock::Postfix::customers;
	my $bounce = $world->send(client => $customer, from => '');
	is $world->pool_of($world->arrived($bounce)->{client}), 'bounce', 'mail from <> leaves by the bounce pool';
	my $verdict = $world->verdict($bounce);
	is $verdict->{class}, 'bounce', 'log: class';
	is $verdict->{account}, "ip:$customer", 'log: account';
	is $world->pool_of($world->arrived($world->send(auth => 'heidi', from => ''))->{client}), 'clean', 'a login stays itself';
};

part 'tags and case are one account' => sub {
	my $customer = $Penstock::Postfix::customers;
	for my $from (qw(Ivan@Example.com ivan+news@example.com IVAN+Shop+2@EXAMPLE.COM)) {
		my $result = $world->send(client => $customer, from => $from);
		is $result->{code}, 250, $from;
		is $world->verdict($result)->{account}, 'sender:ivan@example.com', '... is ivan@example.com';
	}
	settles_at('sender:ivan@example.com', 'day_msgs', 3, 'three messages of one account');
	limit('sender:ivan@example.com', msgs_per_day => 3);
	like $world->send(client => $customer, from => 'iVan+else@example.com')->{code}, qr/^4/, 'which share one limit';
};

done_testing;
