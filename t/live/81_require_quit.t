#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Mail of strangers of poor standing waits until their session ends: with QUIT it leaves at once, without it is deleted. With
# a real Postfix, into a mailbox of this host and to a server elsewhere, and with what is missing when nobody follows the log.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Follow;
use Penstock::Live qw(part);
use Penstock::Network qw(with_addresses);
use Penstock::Process qw(slurp wait_for);
use Penstock::Smtp;
use Penstock::Strangers qw(tell);
use Test::More;
use Time::HiRes qw(sleep time);

my ($poor, $fair) = ('198.51.100.7', '203.0.113.9');
plan skip_all => 'network namespaces are not given to this test' if !with_addresses($poor, $fair);
$SIG{PIPE} = 'IGNORE';

my $world = Penstock::Live->new(
	config => { clients => { require_quit => 'true', state => '' } },
	main => { relay_domains => 'elsewhere.test', smtpd_client_connection_rate_limit => 0 },
);
my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};
my @to = ('home@local.example.test', 'friend@elsewhere.test');

# So much that what it does well in this test does not outweigh it, and too little for the block list.
sub make_poor {
	my ($client) = @_;
	tell($world, map { ([$client, 'listed'], [$client, 'no_quit', 'connect']) } 1 .. 50) for 1 .. 6;
	sleep 1.2;
}

sub open_session { my ($client) = @_; return $world->session(client => $client // $poor) }

sub hang_up { my ($session) = @_; close $_ for @{$session}{qw(in out)} }

sub sent {
	my ($session, @more) = @_;
	my $result = $world->send_in($session, to => [@to], from => 'stranger@outside.test', @more);
	die "$result->{stage}: $result->{code} $result->{text}\n" if $result->{code} != 250;
	return $result;
}

sub here { my ($result) = @_; return scalar grep { index($_, "Subject: $result->{subject}\n") >= 0 } $postfix->delivered('home') }
sub there { my ($result) = @_; return scalar grep { $_->{subject} eq $result->{subject} } $world->{sink}->messages }
sub on_hold { my ($result) = @_; return scalar grep { $_ eq $result->{id} } $postfix->queue('hold') }
sub in_queue { my ($result) = @_; return scalar grep { $_ eq $result->{id} } map { $postfix->queue($_) } qw(hold incoming active deferred) }

sub wait_both { my ($result) = @_; wait_for(30, 'both deliveries', sub { here($result) && there($result) }) }

sub health { return join q{ }, map { ref $_ ? $_->{text} : $_ } @{ $daemon->health->{reasons} // [] } }

sub reasons { my ($result) = @_; return $world->verdict($result)->{reasons} }

# Is mail held now? Asked without a line that would change how the client stands.
sub is_watched {
	my $session = open_session();
	my $result = sent($session);
	hang_up($session);
	return reasons($result) =~ /quit/;
}

make_poor($poor);

part 'nobody follows the log' => sub {
	my $session = open_session();
	my $result = sent($session);
	hang_up($session);
	unlike reasons($result), qr/quit/, 'nothing is held';
	wait_both($result);
	pass 'it leaves, though its session had no QUIT';
};

$daemon->{config}{follow} = Penstock::Follow::config($world->{folder});
$daemon->write_config;
my $follow = Penstock::Follow->new($world);
$follow->start;
wait_for(60, 'mail that is held', \&is_watched);

part 'a polite client' => sub {
	my $session = open_session();
	my $result = sent($session);
	like reasons($result), qr/\bquit:(?:poor|bad)\b/, 'Penstock says why it is held';
	is $world->verdict($result)->{wait}, 'quit', '... and until when';
	ok on_hold($result), 'it is on hold';
	sleep 2;
	ok on_hold($result) && !here($result) && !there($result), '... and stays so while its session goes on';
	my $since = time;
	$session->quit;
	my ($first, $second);
	wait_for(30, 'both deliveries', sub {
		$first //= time - $since if there($result);
		$second //= time - $since if here($result);
		sleep 0.01;
		return $first && $second;
	});
	note sprintf 'behind QUIT it is elsewhere within %.2f s, and in the mailbox within %.2f s', $first, $second;
	cmp_ok $first, '<', 5, 'it is elsewhere soon behind QUIT';
	cmp_ok $second, '<', 5, '... and in the mailbox';
	wait_for(10, 'the line', sub { slurp($follow->{log}) =~ /^.*quit: $result->{id} of client \Q$poor\E is released: its session ended with QUIT$/m });
	my $account = $world->verdict($result)->{account};
	wait_for(10, 'the list of held mail', sub { !grep { / $result->{id} / } $redis->do('ZRANGE', 'penstock:held', 0, -1) });
	pass 'it is on the list of held mail no more';
};

part 'many polite sessions' => sub {
	my @took;
	for (1 .. 20) {
		my $session = open_session();
		my $result = sent($session, to => ['friend@elsewhere.test']);
		my $since = time;
		$session->quit;
		wait_for(30, 'its delivery', sub { there($result) || (sleep 0.005, 0)[1] });
		push @took, time - $since;
	}
	@took = sort { $a <=> $b } @took;
	note sprintf 'from QUIT to the receiver: median %.2f s, worst of 20 %.2f s', @took[10, 19];
	cmp_ok $took[-1], '<', 5, 'each leaves soon';
};

part 'who hangs up' => sub {
	my $session = open_session();
	my @results = map { sent($session) } 1 .. 2;
	ok on_hold($_), "$_->{id} is on hold" for @results;
	hang_up($session);
	wait_for(30, 'the deletion', sub { !grep { in_queue($_) } @results });
	for my $result (@results) {
		wait_for(10, 'the line', sub { slurp($follow->{log}) =~ /quit: $result->{id} of client \Q$poor\E is deleted: its session ended without QUIT$/m });
		ok !here($result) && !there($result), "$result->{id} is delivered nowhere";
	}
};

part 'whose mail does not wait' => sub {
	my $session = open_session($fair);
	my $result = sent($session);
	unlike reasons($result), qr/quit/, 'that of a client of which nothing is known';
	hang_up($session);
	wait_both($result);
	my $user = $world->session(client => $poor, auth => 'alice');
	my $mail = $world->send_in($user, auth => 'alice', to => ['friend@elsewhere.test']);
	unlike reasons($mail), qr/quit/, 'nor that of who logged in';
	hang_up($user);
	ok $world->arrived($mail), '... with QUIT or without';
};

part 'a stranger writes what looks like another session' => sub {
	my $session = open_session();
	my $result = sent($session);
	my ($process) = map { m{smtpd\[(\d+)\]: $result->{id}: client=} ? $1 : () } $postfix->log_lines(qr/$result->{id}: client=/);
	my $end = "disconnect from unknown[$poor] ehlo=1 mail=1 rcpt=1 data=1 commands=4";
	my $liar = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => $fair, helo => "x postfix/smtpd[$process]: $end");
	$liar->command("MAIL FROM:<\"postfix/smtpd[$process]: $end\"\@outside.test>");
	$liar->command("RCPT TO:<\"$result->{id}: removed\"\@nowhere.test>");
	$liar->login("postfix/smtpd[$process]: $end", $end);
	$liar->command($end);
	$liar->command("$result->{id}: action=hold wait=quit stage=eom");
	hang_up($liar);
	sleep 2;
	ok on_hold($result), 'nothing is deleted';
	$session->quit;
	wait_both($result);
	pass '... and QUIT releases it';
};

part 'the follower is killed while mail waits' => sub {
	my ($polite, $other) = map { open_session() } 1 .. 2;
	my ($first, $second) = map { sent($_) } $polite, $other;
	wait_for(20, 'a checkpoint', sub { slurp("$world->{folder}/follow/checkpoint") =~ /^quit\t$second->{id}\twaits\t/m });
	$follow->kill_hard;
	$polite->quit;
	hang_up($other);
	sleep 0.5;
	ok on_hold($first), 'nobody releases it meanwhile';
	$follow->start;
	wait_both($first);
	pass 'where the session ended with QUIT it is released';
	wait_for(30, 'the deletion', sub { !in_queue($second) });
	ok !here($second) && !there($second), '... and else deleted';
};

part 'the follower ends' => sub {
	my $session = open_session();
	my $held = sent($session);
	ok on_hold($held), 'mail waits';
	is $follow->stop, 0, 'it ends';
	wait_for(20, 'mail that is not held', sub { !is_watched() });
	pass 'nothing more is held';
	like health(), qr/require_quit/, '/health says why';
	$session->quit;
	$follow->start;
	wait_both($held);
	pass 'it goes on where it was, and releases what waited';
	wait_for(60, 'mail that is held', \&is_watched);
};

part 'the follower is dead' => sub {
	$follow->kill_hard;
	my $value = $redis->do('GET', 'penstock:follow:live');
	$value =~ s/^(penstock-follow 1 \d+) (\d+)/"$1 " . ($2 - 100_000)/e;
	$redis->ask('SET', 'penstock:follow:live', $value);
	wait_for(20, 'mail that is not held', sub { !is_watched() });
	pass 'nothing is held a minute and a half later';
	like health(), qr/require_quit/, '/health says why';
	$follow->start;
	wait_for(60, 'mail that is held', \&is_watched);
};

part 'penstock-queue is not there' => sub {
	rename "$world->{folder}/queue.sock", "$world->{folder}/queue.away" or die "queue.sock: $!";
	my $session = open_session();
	my $result = sent($session);
	$session->quit;
	wait_for(20, 'mail that is not held', sub { !is_watched() });
	pass 'nothing more is held';
	like health(), qr/penstock-queue does not do what it is asked for/, '/health says why';
	rename "$world->{folder}/queue.away", "$world->{folder}/queue.sock";
	wait_both($result);
	pass 'what waited leaves when it is back';
};

is $follow->stop, 0, 'the follower ends';
done_testing();
