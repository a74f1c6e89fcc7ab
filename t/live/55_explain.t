#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What a refused client was told is explained; what is held leaves the queue at its date.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for);
use Test::More;

my $world = Penstock::Live->new;
my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};

part 'the reference of a refusal' => sub {
	$redis->do('HSET', $world->key('alice@example.com', 'limits'), msgs_per_day => 1);
	is $world->send(auth => 'alice')->{code}, 250, 'the first message is taken';
	my $result = $world->send(auth => 'alice');
	like $result->{text}, qr/\[limit\] your limit of 1 message a day \(msgs_per_day\) reached; try again in .*; ref \S{13}/,
		"the second hears why: $result->{text}";
	my ($reference) = $result->{text} =~ /ref (\S+)/;
	my $answer = wait_for(20, 'the entry', sub { my ($status, $out) = $daemon->ctl('explain', $reference); $status == 0 && $out });
	like $answer, qr/msgs_per_day of the account: .*1 of 1 used/, 'explain names the limit';
	like $answer, qr/client was told +45\d 4\.7\.1 \[limit\]/, '... what the client was told';
	like $answer, qr/prior .*\n(?:.*\n)*? *sum /, '... and the sum';
	is $daemon->ctl_json('explain', lc $reference)->{kind}, 'reference', 'a reference in small letters';
	my $account = $daemon->ctl_json('explain', 'alice@example.com');
	is $account->{entries}[0]{ref}, $reference, 'by account';
	is $account->{account}{account}, 'alice@example.com', '... with how it stands now';
	my ($status, undef, $error) = $daemon->ctl('explain', 'nobody@elsewhere.test');
	is $status, 1, 'nothing is known of others';
	like $error, qr/: nothing is known of "nobody\@elsewhere\.test", as a queue id or an account\. \d+ explanations? w\w+ read, back to \d+ minutes? ago\. /,
		"... $error";
	like $error, qr/\. A message that left as usual has no explanation, unless its account is suspect\. The last \d+ or so are kept, /, '... and why that may be';
};

part 'held mail' => sub {
	$redis->do('HSET', $world->key('bob@example.com', 'limits'), msgs_per_day => 0, over => 'hold');
	my $sent = $world->send(auth => 'bob');
	is $sent->{code}, 250, 'a message is held';
	my $id = wait_for(20, 'the hold queue', sub { ($postfix->queue('hold'))[0] });
	my $listed = wait_for(20, 'the list', sub { $daemon->ctl_json('held', 'list')->{held}[0] });
	is $listed->{queue_id}, $id, 'it is listed';
	is $daemon->ctl_json('explain', $id)->{entries}[0]{action}, 'hold', 'explained by its queue id';
	my @at = ('-d', $postfix->{config});
	is +($daemon->ctl('held', 'release', '--due', @at))[0], 0, 'release of what is due';
	is scalar($postfix->queue('hold')), 1, '... which it is not';
	$redis->do('ZADD', 'penstock:held', time - 1, $listed->{member});
	my ($status, $out, $error) = $daemon->ctl('held', 'release', '--due', @at);
	is $status, 0, "its date has come: $out$error";
	like $out, qr/^$id of bob\@example\.com: released$/m, '... it is released';
	is_deeply $daemon->ctl_json('held', 'list')->{held}, [], '... and off the list';
	$postfix->tool('postqueue', '-f');
	ok $world->arrived($sent), '... and delivered';
	is +($daemon->ctl('held', 'release', $id, @at))[0], 1, 'one that is not listed';
	$redis->do('ZADD', 'penstock:held', map { (1, "strange $_") } 1 .. 600);
	$redis->do('ZADD', 'penstock:held', 2, "live $id 1T4Q9M-2K0B7F \e[31mbob\@example.com", 3, "live $id 1T4Q9M-2K0B7F bob\@example.com");
	($status, $out, $error) = $daemon->ctl('held', 'release', '--due', @at);
	is $status, 0, "behind more entries of another form than one answer holds: $error";
	like $out, qr/^$id of bob\@example\.com: released$/m, '... it is found';
	unlike "$out$error", qr/\e/, '... and one whose account would move the cursor is not';
	like +($daemon->ctl('held', 'list'))[1], qr/^500 entries of the list are of another form/m, '... which the list says';
};

done_testing();
