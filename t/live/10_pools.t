#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Each account's mail leaves by the pool that it has earned.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for);
use Test::More;

my $world = Penstock::Live->new;
my $spam = "Buy cheap reservoir pills now.\n";	# scores 6 of 5
my $home = 'home@local.example.test';

sub delivered_with {
	my ($subject) = @_;
	return wait_for(20, "delivery of '$subject' on this host", sub {
		my ($text) = grep { /^Subject: \Q$subject\E$/m } $world->{postfix}->delivered('home');
		return $text;
	});
}

part 'good and new accounts leave by their own addresses' => sub {
	$world->make_good('alice@example.com');
	my $good = $world->send(auth => 'alice');
	my $new = $world->send(auth => 'bob');
	my $mail = $world->arrived($good);
	like $mail->{client}, qr/^127\.0\.0\.1[12]$/, 'a good account by a clean address';
	my $verdict = $world->verdict($good);
	is $mail->{helo}, "$verdict->{transport}.example.test", 'with the HELO name of that transport';
	is_deeply $mail->{penstock}, [], 'without a header of ours';
	is $verdict->{action}, 'pass', 'log: action';
	is $verdict->{level}, 'good', 'log: level';
	is $verdict->{account}, 'alice@example.com', 'log: account';
	is $verdict->{source}, 'auth', 'log: source';
	is $verdict->{client}, '127.0.0.1', 'log: client';
	is $verdict->{from}, 'alice@example.com', 'log: from';
	is $verdict->{rcpts}, 1, 'log: rcpts';
	is $verdict->{pool}, 'clean', 'log: pool';
	is $verdict->{redis}, 'full', 'log: redis';
	like $verdict->{content}, qr{^-?[\d.]+/5}, 'log: content';
	ok scalar $world->{postfix}->log_lines(qr{postfix/$verdict->{transport}/smtp\[\d+\]: $good->{id}: }),
		"Postfix's log names the transport";
	my $again = $world->arrived($world->send(auth => 'alice'));
	is $again->{client}, $mail->{client}, 'the next message by the same address';
	$mail = $world->arrived($new);
	is $mail->{client}, '127.0.0.21', 'a new account by the warm address';
	is $mail->{helo}, 'warm-1.example.test', 'with its HELO name';
	is $world->verdict($new)->{level}, 'new', 'log: level';
};

part 'accounts of a pool are spread over its transports' => sub {
	my %seen;
	for my $login (grep { !/alice|bob|mallory|nina|oscar/ } @Penstock::Live::logins) {
		$world->make_good("$login\@example.com");
		$seen{ $world->arrived($world->send(auth => $login))->{client} }++;
	}
	is_deeply [ sort keys %seen ], ['127.0.0.11', '127.0.0.12'], 'both are used';
};

part 'forged headers of clients are deleted' => sub {
	my @forged = ('X-Penstock-Pool: clean-1', 'x-penstock-spam: no', 'X-Penstock-Else: 1');
	my $mail = $world->arrived($world->send(auth => 'bob', headers => \@forged));
	is $mail->{client}, '127.0.0.21', 'they choose no pool';
	is_deeply $mail->{penstock}, [], 'they do not leave';
	my $local = $world->send(auth => 'bob', to => $home, headers => \@forged);
	unlike delivered_with($local->{subject}), qr/^X-Penstock-/mi, 'they do not arrive on this host';
};

part 'local recipients keep a message out of the header way' => sub {
	my $result = $world->send(auth => 'alice', to => ['friend@elsewhere.test', $home]);
	my $mail = $world->arrived($result);
	like $mail->{client}, qr/^127\.0\.0\.1[12]$/, 'the remote part leaves by the account\'s pool: the socketmap said so';
	is $mail->{client}, $world->arrived($world->send(auth => 'alice'))->{client}, '... by the same transport';
	unlike delivered_with($result->{subject}), qr/^X-Penstock-Pool/mi, 'the local copy has no transport header';
	is $world->verdict($result)->{local}, 1, 'log: local';
	$result = $world->send(auth => 'bob', to => ['friend@elsewhere.test', $home]);
	is $world->arrived($result)->{client}, '127.0.0.21', 'a new account likewise';
};

part 'a tag for local readers, none for the outside' => sub {
	my $local = $world->send(auth => 'nina', to => $home, body => $spam);
	like delivered_with($local->{subject}), qr/^X-Penstock-Spam: yes,? score=6/m, 'spam to a user of this host is tagged';
	my $mail = $world->arrived($world->send(auth => 'nina', body => $spam));
	is_deeply $mail->{penstock}, [], 'what leaves is not';
};

part 'very spammy content leaves by the suspect pool at once' => sub {
	$world->make_good('oscar@example.com', 5000);
	my $result = $world->send(auth => 'oscar', body => "You are a sluice lottery winner.\n");
	is $world->arrived($result)->{client}, '127.0.0.31', 'this message';
	my $verdict = $world->verdict($result);
	is $verdict->{level}, 'good', 'the account stays good';
	like $verdict->{reasons}, qr/content/, 'the reason is the content';
	like $world->arrived($world->send(auth => 'oscar'))->{client}, qr/^127\.0\.0\.1[12]$/, 'the next message is judged by itself';
};

part 'a spammer moves from warm to suspect to blocked' => sub {
	my @way;
	my $result;
	for my $number (1 .. 40) {
		$result = $world->send(auth => 'mallory', body => $number == 1 ? undef : $spam);
		last if $result->{code} != 250;
		my $pool = $world->pool_of($world->arrived($result)->{client});
		push @way, $pool if !@way || $way[-1] ne $pool;
	}
	is_deeply \@way, ['warm', 'suspect'], 'its mail leaves by warm, then by suspect';
	like $result->{code}, qr/^5/, "then it is refused: $result->{code} $result->{text}";
	like $result->{text}, qr/5\.7\.1 .*\w{4}/, 'with a reason';
	my $again = $world->send(auth => 'mallory');
	is $again->{stage}, 'mail', 'the next message is refused at MAIL';
	like $again->{code}, qr/^5/, '... for good';
	is $world->state('mallory@example.com')->{level}, 'blocked', 'Redis says so';
	my $verdict = $world->{daemon}->verdict(account => 'mallory@example.com', action => 'reject', stage => 'mail');
	is $verdict->{level}, 'blocked', 'the log says so';
	is $world->send(auth => 'alice')->{code}, 250, 'others are not touched';
};

part 'mail injected on the host' => sub {
	my $subject = "injected $$";
	my $inject = sub { $world->{postfix}->sendmail('root@example.test', ['friend@elsewhere.test'], "Subject: $_[0]\n\nHello.\n") };
	$inject->($subject);
	is $world->{sink}->wait($subject)->{client}, '127.0.0.21', 'leaves by the pool of a new account';
	my $verdict = $world->{daemon}->verdict(from => 'root@example.test');
	like $verdict->{source}, qr/^(?:uid|sender)$/, "its account $verdict->{account} comes from the $verdict->{source}";
	like $verdict->{id}, qr/^[0-9A-F]{6,}$/, 'the log knows its queue id';
	$world->{redis}->do('SET', $world->key($verdict->{account}, 'block'), 'no more of this');
	$inject->("$subject again");
	$verdict = $world->{daemon}->verdict(from => 'root@example.test', action => 'reject');
	is $verdict->{stage}, 'eom', 'it is refused at the end of the message only';
};

part 'customers without a login, by their network' => sub {
	my $client = $Penstock::Postfix::customers;
	$world->{redis}->do('HSET', 'penstock:networks', '127.0.0.48/28', 'customer-48', "$client/32", 'customer-50');
	my $verdict = $world->verdict($world->send(client => $client, from => 'someone@outside.test'));
	is $verdict->{source}, 'network', 'log: source';
	is $verdict->{account}, 'customer-50', 'log: account, of the longest match';
};

part 'clients without a login, by their certificate' => sub {
	my $folder = $world->{postfix}{tls};
	my $session = Penstock::Smtp->connect_tls(port => $world->{ports}{smtp}, certificate => "$folder/client.pem",
		key => "$folder/client.key");
	my $result = $world->send_in($session, from => 'printer@example.com');
	is $world->arrived($result)->{client}, '127.0.0.21', 'its mail leaves by warm';
	$session->quit;
	my $verdict = $world->verdict($result);
	is $verdict->{source}, 'certificate', 'log: source';
	is $verdict->{account}, 'printer-7.example.test', 'log: account';
};

part 'several messages in one session' => sub {
	my $session = $world->session(auth => 'alice');
	my $first = $world->send_in($session, from => 'alice@example.com');
	is $session->command('MAIL FROM:<alice@example.com>')->{code}, 250, 'MAIL';
	is $session->command('RCPT TO:<nobody@elsewhere.test>')->{code}, 250, 'RCPT';
	is $session->command('RSET')->{code}, 250, 'RSET';
	my @to = ('friend@elsewhere.test', 'other@elsewhere.test');
	my $second = $world->send_in($session, from => 'alice+2@example.com', to => \@to);
	$session->quit;
	like $world->arrived($_)->{client}, qr/^127\.0\.0\.1[12]$/, 'leaves by a clean address' for $first, $second;
	is $world->verdict($first)->{rcpts}, 1, 'the first has its recipients';
	is $world->verdict($second)->{rcpts}, 2, 'the second has its own, and none of the one that was given up';
	is $world->verdict($second)->{account}, 'alice@example.com', 'the login counts, not the sender';
};

part 'mail that waited keeps its way' => sub {
	$world->{redis}->do('HSET', $world->key('judy@example.com', 'limits'), msgs_per_day => 0, over => 'hold');
	my $result = $world->send(auth => 'judy');
	wait_for(20, 'the hold queue', sub { grep { $_ eq $result->{id} } $world->{postfix}->queue('hold') });
	$world->{postfix}->tool('postsuper', '-H', $result->{id});
	$world->{postfix}->tool('postqueue', '-f');
	my $address = $world->arrived($result)->{client};
	isnt $world->pool_of($address), '', "released from hold it leaves by a pool's address, $address";
	$result = $world->send(auth => 'judy');
	wait_for(20, 'the hold queue', sub { grep { $_ eq $result->{id} } $world->{postfix}->queue('hold') });
	$world->{postfix}->tool('postsuper', '-r', $result->{id});
	$address = $world->arrived($result)->{client};
	isnt $world->pool_of($address), '', "requeued, too: $address";
};

part 'names are cut and lower-cased' => sub {
	my $verdict = $world->verdict($world->send(client => $Penstock::Postfix::customers, from => 'Erin+News@Example.Com'));
	is $verdict->{account}, 'customer-50', 'the network goes before the sender';
	$world->{redis}->do('DEL', 'penstock:networks');
	my $result = $world->send(client => $Penstock::Postfix::customers, from => 'Erin+News@Example.Com');
	is $world->verdict($result)->{account}, 'sender:erin@example.com', 'then it is the envelope sender';
};

part 'an account earns its level' => sub {
	my $daemon = $world->{daemon};
	$daemon->{config}{reputation} = { new_days => '0.0', new_messages => 3 };
	$daemon->write_config;
	$daemon->reload;
	my @pools;
	my $customer = $Penstock::Postfix::customers;
	wait_for(20, 'the reload', sub { $daemon->log_text =~ /reload|configuration/i });
	for (1 .. 5) {
		my $result = $world->send(client => $customer, from => 'newcomer@example.com');
		push @pools, $world->pool_of($world->arrived($result)->{client});
	}
	is $pools[0], 'warm', 'its first message by warm';
	is $pools[-1], 'clean', 'its fifth by clean';
	is $world->state('sender:newcomer@example.com')->{level}, 'good', 'Redis says good';
};

done_testing;
