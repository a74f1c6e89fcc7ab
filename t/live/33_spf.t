#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# SPF over real DNS (NSD behind Unbound): of the sender's domain for the addresses of our transports, and of clients
# without login.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use IO::Socket::INET;
use Penstock::Live qw(part);
use Penstock::Nsd;
use Penstock::Process qw(free_port wait_for);
use Penstock::Unbound;
use Test::More;

die "the live tests have to run as root\n" if $> != 0;

# clean-1 is 45.45.45.1 to the world, clean-2 .2, warm-1 .3. Nothing is sent there.
my %record = (
	'one' => 'v=spf1 ip4:45.45.45.1 -all',
	'two' => 'v=spf1 ip4:45.45.45.2 -all',
	'softly' => 'v=spf1 ip4:45.45.45.2 ~all',
	'both' => 'v=spf1 ip4:45.45.45.0/24 -all',
	'old' => 'v=spf1 ip4:45.45.46.1 -all',
	'warm' => 'v=spf1 ip4:45.45.45.3 -all',
	'a' => 'v=spf1 a:out2.spf.test -all',
	'mx' => 'v=spf1 mx -all',
	'include' => 'v=spf1 include:two.spf.test ?all',
	'redirect' => 'v=spf1 redirect=two.spf.test',
	'exists' => 'v=spf1 exists:%{ir}.%{v}.who.spf.test -all',
	'loop' => 'v=spf1 include:loop.spf.test -all',
	'strict' => 'v=spf1 ip4:127.0.0.67 -all',
	'helo' => 'v=spf1 -all',
	'late1' => 'v=spf1 -all',
	'late2' => 'v=spf1 -all',
);

# 1,900 bytes: more than an answer by UDP takes.
my $end = ' ip4:45.45.45.2 -all';
$record{long} = sprintf('%-*s', 1900 - length $end, 'v=spf1' . join '', map { " ip4:198.18.$_.0/24" } 100 .. 182) . $end;

sub zone {
	my $text = '';
	for my $name (sort keys %record) {
		my @parts = $record{$name} =~ /(.{1,250})/g;
		$text .= "$name.spf.test. TXT " . join(' ', map { "\"$_\"" } @parts) . "\n";
	}
	return $text . <<'END';
out2.spf.test. A 45.45.45.2
mx.spf.test. MX 10 in.spf.test.
mx.spf.test. MX 20 out2.spf.test.
in.spf.test. A 45.45.46.9
2.45.45.45.in-addr.who.spf.test. A 127.0.0.2
twice.spf.test. TXT "v=spf1 -all"
twice.spf.test. TXT "v=spf1 +all"
other.spf.test. TXT "no policy"
2.0.0.127.bl.example.test. A 127.0.0.2
END
}

sub pool {
	my ($name, $level, %seen_as) = @_;
	my $number = 0;
	return { name => $name, levels => [$level], transports => [ map { $number++; {
		name => "$name-$number", address => $_, public_address => $seen_as{$_}, helo => "$name-$number.example.test",
	} } sort keys %seen_as ] };
}

my $folder = File::Temp::tempdir('penstock-live-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
chmod 0755, $folder;
my %port = map { $_ => free_port('udp') } qw(nsd unbound);
my $nsd = Penstock::Nsd->start(folder => $folder, port => $port{nsd}, zones => { '.' => zone() });
my $unbound = Penstock::Unbound->start(folder => $folder, port => $port{unbound}, stubs => { '.' => $port{nsd} });
my $world = Penstock::Live->new(config => {
	milter => { deadline_ms => 20000 },
	dns => { servers => ["127.0.0.1:$port{unbound}"], timeout_ms => 10000 },
	spf => { timeout_ms => 5000, client => 'signal' },
	blocklists => [{ zone => 'bl.example.test', private => 'true', kind => 'spam', action => 'signal' }],
	pools => [
		pool('clean', 'good', '127.0.0.11' => '45.45.45.1', '127.0.0.12' => '45.45.45.2'),
		pool('warm', 'new', '127.0.0.21' => '45.45.45.3'),
		pool('suspect', 'suspect', '127.0.0.31' => ''),
	],
});
my ($daemon, $postfix) = @{$world}{qw(daemon postfix)};

# The answers of before are forgotten with the reload.
sub reload {
	my $reloads = sub { scalar(() = $daemon->log_text =~ /is in force/g) };
	my $before = $reloads->();
	$daemon->reload;
	wait_for(20, 'the reload', sub { $reloads->() > $before });
}

# Sent as `login` from `sender`: the verdict, with `by`, the address by which it left.
sub sent {
	my ($login, $sender) = @_;
	my $result = $world->send(auth => $login, from => $sender);
	my $mail = $world->arrived($result);
	my $verdict = $world->verdict($result);
	return { %$verdict, by => $mail->{client}, name => $mail->{helo} };
}

# Of a client without login, to a mailbox on this host: the answer, and the verdict where there is one.
sub from_outside {
	my ($client, $sender, %more) = @_;
	my $result = $world->send(client => $client, from => $sender, to => 'home@local.example.test', %more);
	return ($result, $result->{id} ne '' ? $world->verdict($result) : undef);
}

# An account whose own transport is clean-1 while nothing is said of any.
my ($alice, $bob);

part 'no record: nothing is said, and each account leaves by its own transport' => sub {
	for my $login (@Penstock::Live::logins[0 .. 7]) {
		$world->make_good("$login\@example.com");
		my $verdict = sent($login, "$login\@example.com");
		$alice //= $login if $verdict->{transport} eq 'clean-1';
		$bob //= $login if $verdict->{transport} eq 'clean-2';
		is $verdict->{reasons}, '-', "$login: no reason";
	}
	ok $alice && $bob, 'both transports have accounts';
	is sent($alice, 'x@other.spf.test')->{reasons}, '-', 'another TXT record';
	is sent($alice, 'x@[192.0.2.1]')->{reasons}, '-', 'an address in place of a domain';
};

part 'a domain that authorises one of two transports' => sub {
	for my $row ([$alice, 'two', 'clean-2', '127.0.0.12'], [$bob, 'one', 'clean-1', '127.0.0.11']) {
		my ($login, $domain, $transport, $address) = @$row;
		my $verdict = sent($login, "x\@$domain.spf.test");
		is $verdict->{transport}, $transport, "$domain: log: transport";
		is $verdict->{reasons}, "spf_prefers:$transport", "$domain: log: reasons";
		is $verdict->{by}, $address, "$domain: left by that address";
		is $verdict->{name}, "$transport.example.test", "$domain: with its HELO name";
		ok scalar $postfix->log_lines(qr{postfix/$transport/smtp\[\d+\]: $verdict->{id}: }), "$domain: the row of master.cf";
		ok scalar $postfix->log_lines(qr{$verdict->{id}: \S*filter: header X-Penstock-Pool: $transport\b}),
			"$domain: X-Penstock-Pool";
	}
	is sent($alice, 'x@softly.spf.test')->{transport}, 'clean-2', 'softfail is reason enough';
	is sent($bob, 'x@two.spf.test')->{reasons}, '-', 'an account that leaves by it anyway';
	my $verdict = sent($alice, 'x@both.spf.test');
	is "$verdict->{transport} $verdict->{reasons}", 'clean-1 -', 'both are authorised: its own';
	$verdict = sent($alice, 'x@warm.spf.test');
	is "$verdict->{transport} $verdict->{reasons}", 'clean-1 -', 'only another pool is: its own';
};

part 'by what a record says it, over real DNS' => sub {
	for my $name (qw(a mx include redirect exists)) {
		is sent($alice, "x\@$name.spf.test")->{reasons}, 'spf_prefers:clean-2', $name;
	}
	is sent($alice, 'x@twice.spf.test')->{reasons}, 'spf_unauthorised:twice.spf.test', 'two records';
	is sent($alice, 'x@loop.spf.test')->{reasons}, 'spf_unauthorised:loop.spf.test', 'one that includes itself';
};

part 'a record that takes TCP' => sub {
	is length $record{long}, 1900, '1,900 bytes';
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port{unbound}, Proto => 'udp');
	my $name = join '', map { pack 'C/a*', $_ } qw(long spf test);
	send $socket, pack('n6', 1, 0x100, 1, 0, 0, 1) . "$name\0" . pack('nn', 16, 1) . "\0" . pack('nnNn', 41, 1232, 0, 0), 0;
	recv $socket, my $answer, 4096, 0;
	ok unpack('x2n', $answer) & 0x200, 'by UDP it is cut';
	is sent($alice, 'x@long.spf.test')->{reasons}, 'spf_prefers:clean-2', 'it is read all the same';
};

part 'a domain that authorises none, and mends its record' => sub {
	my $account = "$bob\@example.com";
	is sent($bob, 'x@Old.SPF.test')->{reasons}, 'spf_unauthorised:Old.SPF.test', 'log: reasons';
	is $world->state($account)->{spf}, 'old.spf.test', 'Redis has it';
	is $daemon->ctl_json('account', 'show', $account)->{spf_unauthorised}, 'old.spf.test', 'account show --json';
	my ($status, $out) = $daemon->ctl('account', 'show', $account);
	like $out, qr/old\.spf\.test/, 'account show';
	sent($bob, 'x@two.spf.test');
	is $world->state($account)->{spf}, 'old.spf.test', 'mail of another domain changes nothing';
	$record{old} = 'v=spf1 ip4:45.45.45.2 -all';
	$nsd->stop;
	$nsd->{zones}{'.'} = zone();
	$nsd->start;
	$unbound->stop;
	$unbound->start;
	reload();
	is sent($bob, 'x@old.spf.test')->{reasons}, '-', 'the mended record';
	is $world->state($account)->{spf}, '', 'Redis has it no more';
	is $daemon->ctl_json('account', 'show', $account)->{spf_unauthorised}, undef, 'nor has account show';
};

part 'senders without a domain of their own, and long ones' => sub {
	my $result = $world->send(auth => $alice, from => '');
	is $world->verdict($result)->{reasons}, '-', 'the null sender';
	my $srs = 'SRS0=' . 'x' x 10 . '=TT=elsewhere.example=' . 'u' x 300;
	is sent($alice, "$srs\@two.spf.test")->{reasons}, 'spf_prefers:clean-2', 'a rewritten one of 300 bytes';
	is sent($alice, '"a b@c"@two.spf.test')->{reasons}, 'spf_prefers:clean-2', 'a quoted local part';
};

part 'clients without login' => sub {
	my ($result, $verdict) = from_outside('127.0.0.67', 'x@strict.spf.test');
	is "$result->{code} $verdict->{spf} $verdict->{reasons}", '250 pass -', 'authorised';
	($result, $verdict) = from_outside('127.0.0.68', 'x@strict.spf.test');
	is "$result->{code} $verdict->{spf} $verdict->{reasons}", '250 fail spf_fail:strict.spf.test', 'not authorised, signal';
	($result, $verdict) = from_outside('127.0.0.68', '', helo => 'helo.spf.test');
	is "$result->{code} $verdict->{spf} $verdict->{reasons}", '250 fail spf_fail:helo.spf.test', 'the null sender: by HELO';
	($result, $verdict) = from_outside('127.0.0.68', 'x@example.com');
	is "$result->{code} $verdict->{spf} $verdict->{reasons}", '250 none -', 'no record';
	$daemon->{config}{spf}{client} = 'refuse';
	$daemon->write_config;
	reload();
	($result) = from_outside('127.0.0.68', 'x@strict.spf.test');
	is "$result->{stage} $result->{code}", 'mail 550', 'not authorised, refuse';
	like $result->{text}, qr/^5\.7\.23 /, 'with its own code';
	($result, $verdict) = from_outside('127.0.0.67', 'x@strict.spf.test');
	is "$result->{code} $verdict->{spf}", '250 pass', 'authorised';
	is sent($alice, 'x@strict.spf.test')->{action}, 'pass', 'who has logged in is not refused';
};

part 'DNS is away' => sub {
	$daemon->{config}{spf}{timeout_ms} = 300;
	$daemon->write_config;
	reload();
	from_outside('127.0.0.67', 'x@strict.spf.test');	# what the block list says of the client is known now
	sent($alice, 'x@two.spf.test');
	kill 'STOP', $unbound->{pid};
	my $verdict = sent($alice, 'x@late1.spf.test');
	is "$verdict->{action} $verdict->{reasons}", 'pass -', 'silence: a message of a customer leaves';
	cmp_ok $verdict->{ms}, '<', 8000, 'before dns.timeout_ms and milter.deadline_ms';
	my ($result, $outside) = from_outside('127.0.0.67', 'x@late2.spf.test');
	is "$result->{code} $outside->{reasons}", '250 -', 'one of a stranger is not refused';
	cmp_ok $outside->{ms}, '<', 8000, 'nor kept waiting';
	is sent($alice, 'x@two.spf.test')->{reasons}, 'spf_prefers:clean-2', 'what is known is used';
	kill 'CONT', $unbound->{pid};
	$unbound->stop;
	$verdict = sent($alice, 'x@gone.spf.test');
	is "$verdict->{action} $verdict->{reasons}", 'pass -', 'nobody there: it leaves, too';
};

is $daemon->stop, 0, 'the daemon ends';

done_testing;
