#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Attacks on logins: one client that tries fifty accounts, fifty clients that try one, at a real Dovecot, whose log
# penstockctl client report reads, and at a real Postfix, whose log penstock-follow reads. Names with control bytes, and such
# as look like the rest of a line, change nothing. What strangers do is never held against the account that they try.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Network qw(with_addresses);
use Test::More;

my (@many, @few);

BEGIN {
	@few = map { "198.51.100.$_" } 1 .. 9;
	@many = map { "203.0.113.$_" } 1 .. 50;
	plan skip_all => 'network namespaces are not given to this test' if !with_addresses(@few, @many);
}

use IPC::Open3 qw(open3);
use JSON::PP qw(encode_json);
use Penstock::Dovecot;
use Penstock::Follow;
use Penstock::Live qw(part);
use POSIX ();
use Penstock::Process qw(free_port run slurp start_code stop_process wait_for);
use Penstock::Smtp;

my $world = Penstock::Live->new(daemon => 1, main => { smtpd_client_connection_rate_limit => 0 });
my ($daemon, $redis, $postfix, $folder) = @{$world}{qw(daemon redis postfix folder)};
mkdir "$folder/clients";
chown((getpwnam 'nobody')[2, 3], "$folder/clients");
$daemon->{config}{clients}{state} = "$folder/clients";
$daemon->{config}{follow} = Penstock::Follow::config($folder);
$daemon->stop;
$daemon->write_config;
$daemon->start;

my %users = map { ("$_\@example.com" => "secret-$_") } qw(alice bob carol);
my $dovecot = Penstock::Dovecot->start(folder => $folder, port => free_port('tcp'), users => \%users);
$postfix->set(smtpd_sasl_type => 'dovecot', smtpd_sasl_path => $dovecot->{sasl});
$postfix->reload;
my $follow = Penstock::Follow->new($world);
$follow->start;

# As contrib/recipes has it.
my $reader = start_code('penstockctl client report', sub {
	exec 'sh', '-c', 'tail -n +1 -F "$1" 2>/dev/null | exec "$2" -c "$3" client report - --log dovecot', 'sh', $dovecot->{log},
		"$world->{build}/penstockctl", $daemon->{file};
});

sub report { return $daemon->ctl_json('logins', 'report') }
sub client { my ($address) = @_; my ($row) = grep { $_->{client} eq $address } @{ report()->{clients} }; return $row // {} }
sub login { my ($name) = @_; my ($row) = grep { $_->{name} eq $name } @{ report()->{names} }; return $row // {} }
sub events { my ($kind) = @_; return grep { $_->{event} eq $kind } @{ $daemon->ctl_json('events', 100)->{events} } }

sub wait_failures {
	my ($address, $count) = @_;
	eval { wait_for(60, "$count failed logins of $address", sub { (client($address)->{failures} // 0) >= $count }) } or diag $@;
}

# penstockctl with this as its standard input.
sub told {
	my ($input, @words) = @_;
	return run({ input => $input }, "$world->{build}/penstockctl", '-c', $daemon->{file}, 'client', 'report', @words);
}

part 'nobody has failed' => sub {
	my ($status, $out) = $daemon->ctl('logins', 'report');
	is $status, 0, 'logins report';
	like $out, qr/^No client failed to log in\.$/m, '... says so';
};

part 'one client tries fifty accounts of a real Dovecot' => sub {
	like $dovecot->login($few[0], "user$_\@example.com", 'guess'), qr/^a NO /, "user$_ fails" for 1 .. 50;
	$dovecot->login($few[1], 'bob@example.com', 'old password') for 1 .. 3;
	wait_failures($few[0], 50);
	wait_failures($few[1], 3);
	my $row = client($few[0]);
	is $row->{names}, 50, 'fifty names';
	is $row->{failures}, 50, '... each once';
	ok $row->{guesses}, '... it guesses';
	is_deeply $row->{services}, ['imap'], '... over IMAP';
	is client($few[1])->{names}, 1, 'a telephone with an old password tries one';
	ok !client($few[1])->{guesses}, '... and guesses nothing';
	my @events = events('guesser');
	is @events, 1, 'one event';
	is $events[0]{address}, $few[0], '... with the address';
	is $events[0]{account}, undef, '... about no account';
	like $events[0]{reason}, qr/^client \Q$few[0]\E failed to log in as 10 different names within a day over imap$/, '... why';
	my ($status, $out) = $daemon->ctl('logins', 'report');
	like $out, qr/^\Q$few[0]\E +50 +50 +\S.* imap +guesses$/m, 'for people';
};

part 'names that look like the rest of a line, and control bytes' => sub {
	my $victim = '192.0.2.66';
	my @names = ("x>, method=PLAIN, rip=$victim, lip=127.0.0.1", "alice, rip=$victim", "e\x01v\x1b[2Jil\n<b>",
		"user=<alice>, method=PLAIN, rip=$victim, lip=127.0.0.1, session=<a>", "\xc3\xa4\xff%s%n");
	$dovecot->login($few[2], $_, 'guess') for @names;
	wait_failures($few[2], scalar @names);
	is client($few[2])->{failures}, @names, 'each is its own client\'s';
	is_deeply client($victim), {}, '... and nobody else\'s';
	my ($status, $out) = $daemon->ctl('logins', 'report');
	unlike $out, qr/[^\x0a\x20-\x7e\x80-\xff]/, 'no control bytes for people';
	unlike $daemon->log_text, qr/[^\x0a\x20-\x7e]/, '... nor in the log';
};

part 'a client that guessed gets in' => sub {
	like $dovecot->login($few[1], 'bob@example.com', $users{'bob@example.com'}), qr/^a OK /, 'bob, after his old password';
	like $dovecot->login($few[0], 'carol@example.com', $users{'carol@example.com'}), qr/^a OK /, 'carol, by a client that guessed';
	eval { wait_for(60, 'that it got in', sub { (client($few[0])->{got_in} // '') ne '' }) } or diag $@;
	is client($few[0])->{got_in}, 'carol@example.com', 'the report says as whom';
	is client($few[1])->{got_in}, undef, '... and nothing of bob';
	my ($event) = grep { defined $_->{account} } events('guesser');
	is $event->{account}, 'carol@example.com', 'an event about the account';
	is $event->{address}, $few[0], '... and by whom';
};

part 'one event, by a service that has a line of its own for it' => sub {
	my ($status, $out, $error) = $daemon->ctl('client', 'report', '192.0.2.77', 'auth_failure', '--service', 'web', '--name', 'shop',
		'--count', 7);
	is $status, 0, 'client report' or diag $error;
	wait_failures('192.0.2.77', 7);
	is client('192.0.2.77')->{failures}, 7, 'counted';
	is_deeply client('192.0.2.77')->{services}, ['web'], '... as the web\'s';
	for (['192.0.2.777', 'auth_failure'], ['192.0.2.7', 'failure'], ['192.0.2.7', 'auth_failure', '--service', 'gopher'],
		['192.0.2.7', 'auth_failure', '--count', 0], ['192.0.2.7'], ['-', '--log', 'exim'], ['-', '--name', 'x']) {
		($status, undef, $error) = $daemon->ctl('client', 'report', @$_);
		is $status, 2, "@$_ is refused";
		like $error, qr/expected/, '... and it says what is expected';
	}
};

part 'rows' => sub {
	my $now = time;
	my ($status, $out, $error) = told("$now 192.0.2.78 auth_failure - ssh root%1B\n$now 192.0.2.78 auth_failure - ssh admin", '-');
	is $status, 0, 'two rows' or diag $error;
	wait_failures('192.0.2.78', 2);
	is client('192.0.2.78')->{names}, 2, '... are counted';
	($status, undef, $error) = told("$now 192.0.2.79 auth_failure - ssh root\nnonsense\n", '-');
	is $status, 1, 'one that is none';
	like $error, qr/line 2: The row is "nonsense"; expected TIME ADDRESS/, '... is named';
	wait_failures('192.0.2.79', 1);
	is client('192.0.2.79')->{failures}, 1, '... and the other counted';
};

# No Asterisk is packaged: lines as its documentation and public logs have them.
part 'Asterisk\'s security log' => sub {
	my $line = sub {
		my ($event, $account, $remote, $more) = @_;
		return qq{SecurityEvent="$event",EventTV="} . POSIX::strftime('%Y-%m-%dT%H:%M:%S.182+0000', gmtime) . qq{",Severity="Error",}
			. qq{Service="PJSIP",EventVersion="1",AccountID="$account",SessionID="1066330060\@x",LocalAddress="IPV4/UDP/192.0.2.1/5060",}
			. qq{RemoteAddress="$remote/58502"} . ($more // '');
	};
	my $head = '[Nov 30 06:31:13] SECURITY[73]: res_security_log.c:114 security_event_stasis_cb: ';
	my @lines = map { $head . $line->('InvalidAccountID', "10$_", 'IPV4/TLS/192.0.2.80') } 1 .. 20;
	push @lines, $head . $line->('InvalidAccountID', "10$_", 'IPV4/UDP/192.0.2.81') for 1 .. 20;
	push @lines, encode_json({ hostname => '', timestamp => 'x', identifiers => { lwp => 1, callid => '' }, logmsg => { level => 'SECURITY',
		message => $line->('InvalidAccountID', "10\n$_", 'IPV4/TCP/192.0.2.82'), location => { line => 1 } } }) for 1 .. 20;
	my $forged = $line->('InvalidPassword', '100', 'IPV4/TLS/192.0.2.83');
	push @lines, $head . $line->('ChallengeResponseFailed', 'x",' . substr($forged, index $forged, 'SessionID'), 'IPV4/TLS/192.0.2.84',
		',Challenge="1/a",Response="b",ExpectedResponse=""');
	my ($status, $out, $error) = told(join('', map { "$_\n" } @lines), '-', '--log', 'asterisk');
	is $status, 0, 'read' or diag $error;
	like $out, qr/^61 lines, of which 60 events were told; 1 lines could be about two clients, and were left out$/m, '... and told';
	wait_failures("192.0.2.$_", 20) for 80 .. 82;
	is client('192.0.2.80')->{names}, 20, 'twenty accounts over TLS';
	ok client('192.0.2.80')->{guesses}, '... are guesses';
	is client('192.0.2.81')->{failures}, 20, 'twenty over UDP are counted';
	is client('192.0.2.81')->{names}, 0, '... but anybody may have sent them';
	is client('192.0.2.82')->{names}, 20, 'objects of JSON, with newlines in names';
	is_deeply client("192.0.2.$_"), {}, 'a name that looks like another line is about nobody' for 83, 84;
};

part 'a daemon that starts again knows it' => sub {
	$daemon->stop;
	$daemon->start;
	is client($few[0])->{names}, 50, 'names';
	is client($few[0])->{failures}, 50, '... counted once';
};

part 'Redis is away' => sub {
	$redis->stop(save => 1);
	my ($status, undef, $error) = $daemon->ctl('client', 'report', '192.0.2.90', 'auth_failure', '--service', 'web', '--name', 'shop');
	is $status, 0, 'client report';
	like $error, qr/Redis is not reachable: this daemon alone counts what is told/, '... says who knows it';
	is client('192.0.2.90')->{failures}, 1, '... and it is counted';
	$redis->start;
};

# By the follower of Postfix's log.
sub try_smtp {
	my ($client, $user, $password) = @_;
	my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => $client);
	my $answer = $session->login($user, $password);
	$session->quit;
	return $answer->{code};
}

# The score of a message of alice's from there.
sub score_of {
	my ($client) = @_;
	my $sent = $world->send(auth => 'alice', client => $client, to => 'friend@outside.test');
	is $sent->{code}, 250, "alice sends from $client";
	return $world->verdict($sent)->{score};
}

my $before;

part 'fifty clients try one account of a real Postfix' => sub {
	$before = score_of($few[3]);
	is try_smtp($_, 'alice@example.com', 'guess'), 535, "$_ fails" for @many;
	eval { wait_for(60, 'fifty clients', sub { (login('alice@example.com')->{clients} // 0) >= 50 }) } or diag $@;
	is login('alice@example.com')->{clients}, 50, 'fifty clients';
	ok login('alice@example.com')->{attacked}, '... it is attacked';
	my @events = events('attacked');
	is @events, 1, 'one event';
	is $events[0]{account}, 'alice@example.com', '... with the account';
	is $events[0]{done}, 'nothing is held against the account', '... and what that means for it';
	ok !client($many[0])->{guesses}, 'who tries one account is no guesser';
	is score_of($few[3]), $before, 'nothing is held against alice';
	is score_of($many[0]), $before, '... nor is one who tried her alone a guesser';
};

part 'a client tries fifty accounts of Postfix, and sends by one' => sub {
	try_smtp($few[4], "user$_\@example.com", 'guess') for 1 .. 50;
	eval { wait_for(60, 'fifty names', sub { (client($few[4])->{names} // 0) >= 50 }) } or diag $@;
	is client($few[4])->{names}, 50, 'fifty names';
	cmp_ok score_of($few[4]), '>', $before + 0.5, 'a login that works after that is a signal';
	is score_of($few[3]), $before, '... of that client alone';
};

stop_process($reader);
done_testing;
