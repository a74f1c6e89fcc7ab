#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Events: a stream in a real Redis, a webhook at a web server with all the faults that such servers have, and mail to the
# admin by a real SMTP session. Mail is never in their hands.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use JSON::PP;
use Penstock::Hook;
use Penstock::Live qw(part);
use Penstock::Process qw(free_port run wait_for);
use Penstock::Sink;
use Test::More;

my $secret = 'a key: $HOME "quoted"';
my $folder = File::Temp::tempdir('penstock-events-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
chmod 0755, $folder;
# a proxy of the environment is not asked
@ENV{qw(http_proxy https_proxy all_proxy)} = ('http://127.0.0.1:1/') x 3;
my $hook = Penstock::Hook->start(folder => $folder);
my $admins = Penstock::Sink->start(folder => $folder, port => free_port('tcp'), keep_text => 1);
my $world = Penstock::Live->new(config => {
	webhook => { url => "http://user:word\@127.0.0.1:$hook->{port}/hook?key=1", secret => $secret, timeout_ms => 700 },
	admin => { mail_to => 'root@example.test, night@example.test', smtp => "127.0.0.1:$admins->{port}" },
});
delete @ENV{qw(http_proxy https_proxy all_proxy)};
my ($redis, $daemon) = @{$world}{qw(redis daemon)};

# Passes a limit of one message a day; returns what the client heard.
sub go_over {
	my ($user) = @_;
	$redis->do('HSET', $world->key("$user\@example.com", 'limits'), msgs_per_day => 1);
	$world->send(auth => $user);
	return $world->send(auth => $user);
}

sub figures { return $daemon->ctl_json('status')->{events} }

# Events in the stream, oldest first.
sub stream { return map { decode_json($_) } grep { /^\{/ } split /\n/, $redis->do('XRANGE', 'penstock:events', '-', '+') }

# Mail that the admins have about somebody.
sub letters { my ($who) = @_; return grep { $_->{subject} =~ /\Q$who\E/ } $admins->messages }

# The HMAC as the manual has it.
sub hmac {
	my ($text) = @_;
	my ($status, $out) = run({ input => $text }, 'openssl', 'dgst', '-sha256', '-hmac', $secret, '-r');
	return $out =~ /^([0-9a-f]{64})/ ? $1 : "openssl: exit $status";
}

part 'an event reaches all three' => sub {
	my $heard = go_over('alice');
	my ($reference) = $heard->{text} =~ /ref (\S+)/;
	my $request = $hook->wait(1, event => 'limit', account => 'alice@example.com');
	is "$request->{method} $request->{path}", 'POST /hook?key=1', 'a POST to the address as it is configured';
	my $headers = $request->{headers};
	is $headers->{'content-type'}, 'application/json', 'of JSON';
	is $headers->{'x-penstock-event'}, 'limit', 'its kind in a header';
	is $headers->{'x-penstock-event-id'}, $request->{json}{id}, '... and its id';
	my ($time, $signature) = ($headers->{'x-penstock-signature'} // '') =~ /^t=(\d+),v1=([0-9a-f]{64})$/;
	is $signature, hmac("$time.$request->{body}"), 'openssl dgst makes the same signature';
	my $event = $request->{json};
	is_deeply [ sort keys %$event ], [ sort qw(version id event time time_s node account pool transport address level
		level_before score action limit reason done reference recipient) ], 'the members that are documented';
	is_deeply [ @{$event}{qw(version node action reference)} ], [ 1, 'live', 'defer', $reference ], 'what it was';
	is $event->{limit}{name}, 'msgs_per_day', 'which limit';
	like $event->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'when';
	my ($kept) = wait_for(20, 'the stream', sub { my @all = stream(); @all && [@all] })->[0];
	is_deeply $kept, $event, 'the stream has the same';
	my $letter = wait_for(20, 'mail to the admin', sub { (letters('alice@example.com'))[0] });
	is $letter->{from}, '', 'the admin has mail of <>';
	is_deeply $letter->{to}, ['root@example.test', 'night@example.test'], '... as have the others';
	like $letter->{subject}, qr/^\[penstock\] account alice\@example\.com passed its limit of 1 message a day/, '... saying who and what';
	like $letter->{headers}, qr/^Auto-Submitted: auto-generated$/m, '... that no robot answers';
	like $letter->{text}, qr/^reference  \Q$reference\E$/m, '... with the reference';
	like $letter->{text}, qr/penstockctl explain '\Q$reference\E'/, '... and what to do';
	unlike $letter->{text} . $request->{body} . $daemon->log_text, qr/HOME|user:word/, 'no secret is told';
};

part 'once for each account and kind' => sub {
	$world->send(auth => 'alice') for 1 .. 2;
	my $ttl = $redis->do('TTL', $world->key('alice@example.com', 'told:limit'));
	cmp_ok $ttl, '>', 3 * 3600, "Redis knows for hours that it was mailed: $ttl s";
	# another host was first
	$redis->do('SET', $world->key('bob@example.com', 'told:limit'), 1);
	go_over('bob');
	$hook->wait(1, event => 'limit', account => 'bob@example.com');
	go_over('carol');
	wait_for(20, 'mail about carol', sub { letters('carol@example.com') });
	is scalar(letters('bob@example.com')), 0, 'what another host mailed is not mailed again';
	is scalar(letters('alice@example.com')), 1, 'nor what this one did';
	is scalar($hook->requests(account => 'alice@example.com')), 1, 'nor is it posted again within the hour';
};

part 'penstockctl events' => sub {
	my $events = $daemon->ctl_json('events')->{events};
	is_deeply [ map { $_->{account} } @$events ], [ map { "$_\@example.com" } qw(carol bob alice) ], 'the newest first';
	my ($status, $out) = $daemon->ctl('events', 2);
	is $status, 0, 'as a table';
	note $out;
	like $out, qr/^\S+ \S+ +limit +carol\@example\.com +msgs_per_day /m, '... with who and what';
	unlike $out, qr/alice/, '... so many as were asked for';
	$redis->do('XADD', 'penstock:events', '*', 'event', 'limit', 'account', '', 'json', '{"time_s":9223372036854775807}');
	like +($daemon->ctl('events', 1))[1], qr{^19(?:69|70)-}m, 'a time after all times is none';
	$redis->do('XTRIM', 'penstock:events', 'MAXLEN', 0);
	is +($daemon->ctl('events', 'many'))[0], 2, 'a count that is none';
};

# A fault, then another, then all is well: mail flows, and the same event comes again and again until it is taken.
my @users = qw(dave erin frank grace);
for my $faults (['hang', 500], ['trickle', 301], ['close', 'endless'], ['reset', 'nonsense', 429]) {
	my $user = shift @users;
	part "a webhook that has faults: @$faults" => sub {
		my $given_up = figures()->{webhook_given_up};
		$hook->says($faults->[0]);
		go_over($user);
		for my $at (0 .. $#$faults) {
			$hook->wait(1, account => "$user\@example.com", mode => $faults->[$at]);
			is $world->send(auth => 'heidi')->{code}, 250, "$faults->[$at]: mail goes on";
			is figures()->{webhook_waiting}, 1, '... while the event waits';
			$hook->says($at < $#$faults ? $faults->[$at + 1] : 200);
		}
		my $taken = $hook->wait(1, account => "$user\@example.com", mode => 200);
		my %ids = map { ($_->{json}{id} => 1) } $hook->requests(account => "$user\@example.com");
		is_deeply [ keys %ids ], [ $taken->{json}{id} ], 'it is the same event each time';
		my ($time, $signature) = $taken->{headers}{'x-penstock-signature'} =~ /^t=(\d+),v1=(\S+)$/;
		is $signature, hmac("$time.$taken->{body}"), '... signed anew';
		wait_for(20, 'the queue to be empty', sub { figures()->{webhook_waiting} == 0 });
		is figures()->{webhook_given_up}, $given_up, 'nothing is given up';
		is scalar(letters("$user\@example.com")), 1, 'the admin has his mail all the same';
	};
}

part 'what the log says of it' => sub {
	is scalar(grep { $_->{path} ne '/hook?key=1' } $hook->requests), 0, 'the redirection was not followed';
	like $daemon->log_text, qr/webhook: 127\.0\.0\.1 does not answer: .*; it is tried again, 1 event waits/, 'that it fails';
	like $daemon->log_text, qr/webhook: 127\.0\.0\.1 takes events again/, '... and that it has ended';
};

part 'one that is not wanted' => sub {
	$hook->says(404);
	go_over('ivan');
	$daemon->wait_log(qr/webhook: 127\.0\.0\.1 answers 404; event \S+ is given up/);
	$hook->says(200);
	go_over('judy');
	$hook->wait(1, account => 'judy@example.com', mode => 200);
	is scalar($hook->requests(account => 'ivan@example.com')), 1, 'is not offered again';
};

part 'an admin whose address is wrong' => sub {
	$admins->refuse('root@example.test');
	go_over('mallory');
	my $letter = wait_for(20, 'the letter', sub { (letters('mallory@example.com'))[0] });
	is_deeply $letter->{to}, ['night@example.test'], 'does not keep it from the other';
	$admins->refuse;
};

part 'held mail past its date' => sub {
	my $member = 'live 4ABCDE12345 1T4Q9M-2K0B7F nina@example.com';
	$redis->do('ZADD', 'penstock:held', time - 3600, $member);
	$daemon->ctl('held', 'list');
	my $request = $hook->wait(1, event => 'held');
	like $request->{json}{reason}, qr/^1 held message .*4ABCDE12345 of nina\@example\.com/, $request->{json}{reason};
	is $request->{json}{reference}, '1T4Q9M-2K0B7F', '... with its reference';
	my $letter = wait_for(20, 'the letter', sub { (letters('host live'))[0] });
	like $letter->{text}, qr/penstockctl held list/, $letter->{subject};
	$redis->do('ZREM', 'penstock:held', $member);
};

part 'while Redis is away' => sub {
	go_over('oscar');
	$hook->wait(1, account => 'oscar@example.com');
	$redis->do('HSET', $world->key('nina@example.com', 'limits'), msgs_per_day => 1);
	is $world->send(auth => 'nina')->{code}, 250, 'one message before';
	my $before = stream();
	$redis->stop(save => 1);
	is $world->send(auth => 'nina')->{code}, 451, 'the limit holds without it';
	my $event = $hook->wait(1, account => 'nina@example.com')->{json};
	wait_for(20, 'the letter', sub { letters('nina@example.com') });
	is figures()->{stream_waiting}, 1, 'webhook and admin are told; the stream waits';
	$redis->start;
	my $last = wait_for(30, 'the stream', sub { my @all = stream(); @all > $before && $all[-1] });
	is_deeply $last, $event, '... and has it in the end';
};

part 'a restart while the webhook fails' => sub {
	$hook->says(500);
	$redis->do('SET', $world->key($_ . '@example.com', 'block'), 'stolen') for qw(grace heidi);
	$world->send(auth => $_) for qw(grace heidi);
	$hook->wait(1, event => 'block', mode => 500);
	wait_for(20, 'both in Redis', sub { $redis->do('ZCARD', 'penstock:webhook:live') == 2 });
	is $daemon->stop, 0, 'the daemon ends meanwhile';
	like $daemon->log_text, qr/webhook: 2 events that nobody has taken wait for the next start/, '... and says so';
	# what somebody else put there: an id that ends the header it stands in, and a time before all times
	my $forged = '{"event":"held","time_s":%s,"id":"%s","reason":"forged"}';
	$redis->do('ZADD', 'penstock:webhook:live', 1, sprintf($forged, time, 'x-1-1\\r\\nX-Evil: 1'), 2,
		sprintf($forged, '-9223372036854775808', 'x-1-2'));
	$daemon->start;
	$hook->wait(2, event => 'block', mode => 500);
	my $url = $daemon->{config}{webhook}{url};
	is $daemon->stop, 0, 'and ends again';
	$daemon->{config}{webhook}{url} = '';
	$daemon->write_config;
	$daemon->start;
	$hook->says(200);
	$daemon->{config}{webhook}{url} = $url;
	$daemon->write_config;
	$daemon->reload;	# which names it again
	my @taken = map { $hook->wait(1, account => "$_\@example.com", event => 'block', mode => 200)->{json} } qw(grace heidi);
	my ($before) = map { $_->{json} } $hook->requests(event => 'block', mode => 500);
	is_deeply $taken[0], $before, 'they arrive, as they were';
	$daemon->wait_log(qr/webhook: 3 events that nobody had taken when the daemon ended are sent now/);
	is scalar(grep { exists $_->{headers}{'x-evil'} } $hook->requests), 0, 'none writes a header of its own';
	wait_for(20, 'Redis to keep none', sub { $redis->do('ZCARD', 'penstock:webhook:live') == 0 });
	is figures()->{webhook_waiting}, 0, 'none waits any more';
};

part 'a server whose certificate is its own' => sub {
	my $tls = Penstock::Hook->start(folder => $folder, tls => 1);
	$daemon->{config}{webhook}{url} = "https://127.0.0.1:$tls->{port}/";
	$daemon->write_config;
	$daemon->reload;
	$daemon->wait_log(qr/is in force/);
	$redis->do('SET', $world->key('alice@example.com', 'block'), 'stolen');
	$world->send(auth => 'alice');
	$daemon->wait_log(qr/webhook: 127\.0\.0\.1 does not answer: .*(?:certificate|peer)/i);
	is scalar($tls->requests), 0, 'is told nothing';
	$daemon->{config}{webhook}{ca_file} = $tls->{certificate};
	$daemon->write_config;
	$daemon->reload;
	my $request = $tls->wait(1, event => 'block');
	is $request->{json}{account}, 'alice@example.com', 'is told where webhook.ca_file vouches for it';
	$tls->says('hang');
	$redis->do('SET', $world->key('bob@example.com', 'block'), 'stolen too');
	$world->send(auth => 'bob');
	$tls->wait(1, mode => 'hang');
};

part 'the end' => sub {
	is $daemon->stop, 0, 'a server that hangs does not hold up the end';
	like $daemon->log_text, qr/webhook: [1-9]\d* events that nobody has taken wait for the next start/, 'what was not taken is said';
};

done_testing();
