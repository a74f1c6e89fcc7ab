#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A mail log for the benchmark of penstock-follow: loggen.pl MESSAGES ACCOUNTS [MESSAGES-A-SECOND] >FILE. Nine lines a message,
# Penstock's among them, one recipient each: of a hundred 90 are delivered, 5 do not exist, 2 are refused for their content,
# 3 wait. With a pace lines have the time of the clock, and come by it.
use strict;
use warnings;

use IO::Handle;
use POSIX ();
use Time::HiRes ();

my ($messages, $accounts, $pace) = @ARGV;
srand 4711;
my $now = $pace ? Time::HiRes::time() : 1_764_340_000;
my $begun = $now;
my ($second, $stamp) = (0, '');
my @hosts = map { ["mx$_.dest$_.example", "192.0.2.$_"] } 1 .. 200;

sub line
{
	my ($program, $text) = @_;
	if (int $now != $second) {
		$second = int $now;
		$stamp = POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime $second);
	}
	return sprintf "%s.%06d+00:00 out %s: %s\n", $stamp, 1e6 * ($now - int $now), $program, $text;
}

sub message
{
	my ($i) = @_;
	my $id = sprintf 'B%09X', $i;
	my $account = 'user' . int(rand $accounts) . '@bench.example';
	my ($host, $address) = @{ $hosts[rand @hosts] };
	my $rcpt = 'p' . int(rand 1e6) . '@' . substr $host, index($host, '.') + 1;
	my $client = '198.51.100.' . (1 + $i % 250);
	my $kind = rand 100;
	my $reply = $kind < 90 ? 'dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jcGxl3Lvlz1cmxT)'
		: $kind < 95 ? "dsn=5.1.1, status=bounced (host $host\[$address] said: 550 5.1.1 <$rcpt>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command))"
		: $kind < 97 ? "dsn=5.7.1, status=bounced (host $host\[$address] said: 554 5.7.1 Message rejected as spam by Content Filtering. (in reply to end of DATA command))"
		: "dsn=4.2.0, status=deferred (host $host\[$address] said: 450 4.2.0 <$rcpt>: Recipient address rejected: Greylisted, see http://postgrey.example.org/help/ (in reply to RCPT TO command))";
	return line('postfix/submission/smtpd[1153]', "connect from client.example.com[$client]:60653")
		. line('postfix/submission/smtpd[1153]', "$id: client=client.example.com[$client]:60653, sasl_method=PLAIN, sasl_username=$account")
		. line('postfix/cleanup[1935]', "$id: message-id=<$id\@bench.example>")
		. line('penstock[812]', "$id: action=pass level=good account=$account source=auth client=$client from=<$account> rcpts=1 local=0 size=4096 score=-4.50 pool=clean transport=clean-1 content=- listed=- reasons=- ref=1T4Q9M-2K0B7F redis=full ms=3 stage=eom")
		. line('postfix/cleanup[1935]', "$id: milter-header-filter: header X-Penstock-Pool: clean-1 from client.example.com[$client]; from=<$account> to=<$rcpt> proto=ESMTP helo=<client.example.com>: clean-1:")
		. line('postfix/qmgr[25604]', "$id: from=<$account>, size=4300, nrcpt=1 (queue active)")
		. line('postfix/submission/smtpd[1153]', "disconnect from client.example.com[$client]:60653 ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8")
		. line('postfix/clean-1/smtp[27223]', "$id: to=<$rcpt>, relay=$host\[$address]:25, delay=0.45, delays=0.01/0.03/0.2/0.21, $reply")
		. line('postfix/qmgr[25604]', "$id: removed");
}

STDOUT->autoflush(0);
for my $i (1 .. $messages) {
	if ($pace) {
		my $early = $begun + $i / $pace - Time::HiRes::time();
		if ($early > 0) {
			STDOUT->flush;
			Time::HiRes::sleep($early < 0.01 ? 0.01 : $early);
		}
		$now = Time::HiRes::time();
	} else {
		$now += 0.01;
	}
	print message($i);
}
