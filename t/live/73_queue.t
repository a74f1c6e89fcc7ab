#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Mail of a blocked account that is in the queue already is put on hold, that of others is not, and is released when the block
# ends; what an admin holds stays so. And what penstock-queue refuses.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Penstock::Follow;
use Penstock::Live qw(part);
use Penstock::Process qw(run slurp wait_for);
use Test::More;
use Time::HiRes qw(time);

my $transports = 'smtp relay clean-1 clean-2 warm-1 suspect-1';
my $world = Penstock::Live->new(main => { defer_transports => $transports });
my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};
$daemon->{config}{follow} = Penstock::Follow::config($world->{folder});
$daemon->write_config;
my $follow = Penstock::Follow->new($world);
my @at = ('-d', $postfix->{config});
$world->{sink}->stop; # what is released is tried at once, and is to stay here

part 'penstock-queue' => sub {
	my $program = "$world->{build}/penstock-queue";
	my @refused = (
		['', 'nothing'], ["hold\n", 'no queue ids'], ["hold", 'no end of line'], ["hold\nABCDE", 'no end of the last line'],
		["hold\nABCDE\n\n", 'an empty line'], ["purge\nABCDE\n", 'another verb'], ["-h\nABCDE\n", 'an option'],
		["delete\nALL\n", 'all messages'], ["delete\n-\n", 'more of them'], ["hold\n../ABCDE\n", 'a path'],
		["hold\nABCD\n", 'too short'], ["hold\n" . 'A' x 101 . "\n", 'too long'], ["hold\nABCDE\0\n", 'a NUL'],
		["hold\nABCDE -d\n", 'two words'], ["hold\n" . "ABCDEFGHIJ\n" x 50000, 'too many'],
	);
	for my $row (@refused) {
		my ($status, $out) = run({ input => $row->[0] }, $program, $postfix->{config});
		is $status, 1, "refused: $row->[1]";
		like $out, qr/\Aerror expected [^\n]+\n\z/, '... in one line';
	}
	my ($status, $out) = run({ input => "hold\nABCDEFGHI\n" }, $program, $postfix->{config});
	is $status, 0, 'fine';
	like $out, qr/^postsuper: Placed on hold: 0 messages\nok\n\z/m, 'a message that is not there is none of its business';
	my ($failed, $said) = run({ input => "hold\nABCDEFGHI\n" }, $program, '/nowhere');
	is $failed, 1, 'postsuper fails';
	like $said, qr/\npostsuper: fatal: |\Apostsuper: fatal: /, '... and says why';
	like $said, qr/^error \S+postsuper failed$/m, '... as we do';
};

my %sent = map { my $who = $_; $who => [ map { $world->send(auth => $who)->{id} } 1, 2 ] } qw(alice bob);
wait_for(30, 'four deferred messages', sub { $postfix->queue('deferred') == 4 });
$follow->start;

sub known { my ($who) = @_; return eval { scalar @{ $daemon->ctl_json('queue', 'show', "$who\@example.com")->{messages} } } // 0 }

part 'a blocked account' => sub {
	wait_for(30, 'the follower', sub { known('alice') == 2 && known('bob') == 2 });
	my ($status, $out) = $daemon->ctl('queue', 'show', 'alice@example.com');
	like $out, qr/^\Q$_\E .*alice\@example\.com/m, "$_ is shown" for @{ $sent{alice} };
	unlike $out, qr/\Q$sent{bob}[0]/, '... others\' mail is not';
	is scalar($postfix->queue('hold')), 0, 'nothing is on hold';
	is +($daemon->ctl('account', 'block', 'alice@example.com', 'stolen', 'password'))[0], 0, 'an admin blocks one';
	my $since = time;
	wait_for(20, 'the hold queue', sub { $postfix->queue('hold') == 2 });
	note sprintf 'on hold after %.1f s', time - $since;
	is_deeply [ sort $postfix->queue('hold') ], [ sort @{ $sent{alice} } ], 'its mail is on hold';
	is_deeply [ sort $postfix->queue('deferred') ], [ sort @{ $sent{bob} } ], '... and that of others is not';
	wait_for(10, 'the log line', sub { slurp($follow->{log}) =~ /queue: account=alice\@example\.com: 2 messages in the queue are put on hold: / });
	my $event = wait_for(10, 'the event', sub { (grep { $_->{event} eq 'held' } @{ $daemon->ctl_json('events')->{events} })[0] });
	is "$event->{account}: $event->{done}: $event->{reason}", 'alice@example.com: 2 messages in the queue are put on hold: stolen password',
		'an event tells of it';
	is $event->{node}, 'live', '... and of where';
	wait_for(20, 'a checkpoint', sub { 2 == grep { $_->{held} } @{ $daemon->ctl_json('queue', 'show', 'alice@example.com')->{messages} } });
	pass 'queue show says which are held';
};

part 'the end of the block' => sub {
	$follow->kill_hard;
	$follow->start;
	is +($daemon->ctl('account', 'unblock', 'alice@example.com'))[0], 0, 'the admin unblocks it, while the follower was killed';
	wait_for(30, 'the release', sub { $postfix->queue('hold') == 0 });
	pass 'its mail is released';
	wait_for(10, 'the log line', sub { slurp($follow->{log}) =~ /queue: account=alice\@example\.com: 2 messages in the queue are released: / });
};

part 'what an admin holds' => sub {
	my ($status, $out, $error) = $daemon->ctl('queue', 'hold', 'bob@example.com', @at);
	is $status, 0, "by hand: $out$error";
	is_deeply [ sort $postfix->queue('hold') ], [ sort @{ $sent{bob} } ], '... it is on hold';
	$daemon->ctl('account', 'block', 'bob@example.com');
	$daemon->ctl('account', 'block', 'alice@example.com');
	wait_for(20, 'alice\'s mail on hold', sub { $postfix->queue('hold') == 4 });
	$daemon->ctl('account', 'unblock', 'bob@example.com');
	$daemon->ctl('account', 'unblock', 'alice@example.com');
	wait_for(20, 'alice\'s mail released', sub { $postfix->queue('hold') == 2 });
	is_deeply [ sort $postfix->queue('hold') ], [ sort @{ $sent{bob} } ], 'the admin\'s own stays on hold when a block ends';
	is +($daemon->ctl('queue', 'release', 'bob@example.com', @at))[0], 0, 'he releases it';
	is scalar($postfix->queue('hold')), 0, '... it is released';
	is +($daemon->ctl('queue', 'delete', 'bob@example.com', @at))[0], 0, 'he deletes it';
	my %left = map { $_ => 1 } map { $postfix->queue($_) } qw(hold deferred active incoming);
	is_deeply [ grep { $left{$_} } @{ $sent{bob} } ], [], '... it is gone';
	my ($none, undef, $said) = $daemon->ctl('queue', 'hold', 'nobody@example.com', @at);
	is $none, 1, 'an account without mail';
	like $said, qr/knows of no mail of "nobody\@example\.com" in the queue/, '... which is said';
};

part 'the end of the wait' => sub {
	$follow->stop;
	$daemon->{config}{follow}{hold_hours} = '0.0001';
	$daemon->write_config;
	$follow->start;
	$daemon->ctl('account', 'block', 'alice@example.com');
	my %alices = map { $_ => 1 } @{ $sent{alice} };
	wait_for(30, 'alice\'s mail to go', sub { !grep { $alices{$_} } map { $postfix->queue($_) } qw(hold deferred active incoming) });
	pass 'what a blocked account has on hold is deleted after follow.hold_hours';
	wait_for(10, 'the log line', sub { slurp($follow->{log}) =~ /queue: account=alice\@example\.com: 2 messages in the queue are deleted: the account is blocked, and follow\.hold_hours are over/ });
};

is $follow->stop, 0, 'the follower ends';
done_testing();
