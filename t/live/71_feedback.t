#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Mail leaves with a token in its header and its envelope; complaints and bounces that bring it back move the account's
# counters, by Postfix's pipe(8) as whoever runs the daemon. What is forged costs nobody anything.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(run wait_for);
use Test::More;

my $world = Penstock::Live->new(config => {
	feedback => { address => 'fbl@example.com', feedback_id => 'hosting42' },
});
my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};

# What the receiving side does with a message: the parts of a report behind its text.
sub report {
	my ($type, @parts) = @_;
	my $head = "From: feedback\@example.net\nTo: fbl\@example.com\nSubject: a report\nMIME-Version: 1.0\n"
		. "Content-Type: multipart/report; report-type=$type; boundary=\"b1\"\n\n";
	return $head . join('', map { "--b1\nContent-Type: $_->[0]\n\n$_->[1]\n" } ['text/plain', 'A report.'], @parts) . "--b1--\n";
}

sub arf {
	my ($type, $headers, $more) = @_;
	return report('feedback-report', ['message/feedback-report', "Feedback-Type: $type\nUser-Agent: Test/1\nVersion: 1\n" . ($more // '')],
		['message/rfc822', "$headers\n\nthe text\n"]);
}

# The command itself, as an alias runs it: exit code, what it said.
sub feedback {
	my ($message, @options) = @_;
	my ($status, $out, $error) = run({ input => $message }, $daemon->{ctl_program}, '-c', $daemon->{file}, 'feedback', '-v', @options);
	return ($status, "$out$error");
}

sub counter { return $world->counters($_[0])->{ $_[1] } }

my $message = $world->arrived($world->send(auth => 'alice', to => ['bob@example.net', 'carol@example.net'],
	headers => ['CFBL-Feedback-ID: pen1.of-the-client', 'Feedback-ID: x:y:z:client', 'CFBL-Address: other@example.org; report=arf']));
my ($token) = $message->{headers} =~ /^CFBL-Feedback-ID: (\S+)$/m;

part 'a message leaves with its marks' => sub {
	like $token, qr/^pen1\.[A-Za-z0-9_-]{40,95}$/, 'a token';
	is scalar(() = $message->{headers} =~ /^CFBL-Feedback-ID:/mg), 1, '... alone: the client\'s is gone';
	is_deeply [$message->{headers} =~ /^CFBL-Address: (.*)$/mg], ['fbl@example.com; report=arf'], 'where complaints are sent to';
	my @gmail = $message->{headers} =~ /^Feedback-ID: (.*)$/mg;
	is scalar(@gmail), 1, 'one Feedback-ID';
	like $gmail[0], qr/^a[0-9a-f]{16}::auth:hosting42$/, "... of numbers: $gmail[0]";
	unlike $message->{headers}, qr/^(?:CFBL|Feedback).*alice/m, 'none of them tells a name';
};

part 'the envelope bears it' => sub {
	$postfix->set(defer_transports => 'clean-1 clean-2 warm-1 suspect-1 smtp relay');
	$postfix->reload;
	my %sent = (
		'a client without one' => ['bob@example.com', 'bob', 1],
		'a client with its own' => ['bob@example.com> RET=HDRS ENVID=mine', 'bob', 0],
		'a client that says RET' => ['bob@example.com> RET=HDRS BODY=8BITMIME SIZE=500', 'bob', 1],
		'a client that says SMTPUTF8' => ['bob@example.com> SMTPUTF8', 'bob', 0],
	);
	for my $what (sort keys %sent) {
		my ($from, $user, $ours) = @{ $sent{$what} };
		my $session = $world->session(auth => $user);
		$session->command('MAIL FROM:<' . $from . ($from =~ />/ ? '' : '>'));
		$session->command('RCPT TO:<x@example.net>');
		$session->command('DATA');
		my ($id) = $session->command("Subject: envelope\r\n\r\nx\r\n.")->{text} =~ /queued as (\w+)/;
		$session->quit;
		ok $id, "$what: queued" or next;
		my $text = wait_for(10, 'the deferred queue', sub { my ($at) = grep { $_ eq $id } $postfix->queue('deferred'); $at && $postfix->tool('postcat', '-q', $id) });
		like $text, $from =~ /ENVID=mine/ ? qr/envelope_id=mine$/m : $ours ? qr/envelope_id=pen1\.\S+$/m : qr/^sender: bob\@example\.com$/m, '... its envelope';
		unlike $text, qr/envelope_id=pen1/, '... none of ours' if !$ours;
		like $text, qr/ret_flags=2/, '... RET is kept' if $from =~ /RET/;
		like $text, qr/^sender: bob\@example\.com$/m, '... the sender as it was';
	}
	is scalar($postfix->log_lines(qr/Ignoring bad ESMTP parameter/)), 0, 'Postfix takes all that it is told';
	$postfix->tool('postsuper', '-d', 'ALL');
	$postfix->set(defer_transports => '');
	$postfix->reload;
};

part 'complaints' => sub {
	is counter('alice@example.com', 'complaints'), 0, 'none yet';
	my ($status, $said) = feedback(arf('abuse', $message->{headers}, "Original-Rcpt-To: bob\@example.net\n"));
	is $status, 0, "ARF: $said";
	like $said, qr/^abuse about alice\@example\.com: it is counted$/, '... says what became of it';
	wait_for(10, 'the counter', sub { counter('alice@example.com', 'complaints') > 0.99 });
	ok counter('alice@example.com', 'complaints') > 0.99, '... the counter moves';
	like $daemon->wait_log(qr/feedback: result=counted /), qr/type=abuse account=alice\@example\.com transport=\S+ age_s=\d+ form=complaint said=abuse rcpt=<bob\@example\.net> source=Test\/1/, '... and the log';
	($status, $said) = feedback(report('feedback-report', ['message/feedback-report', "Feedback-Type: abuse\nUser-Agent: JMRP/1.0\nVersion: 1\n"],
		['message/rfc822', "$message->{headers}\n\ntext\n"]));
	like $said, qr/it is counted/, 'the thin form, of the second recipient';
	($status, $said) = feedback(arf('abuse', $message->{headers}));
	is $status, 0, 'a third one of two recipients';
	like $said, qr/reported as often as one message may be/, '... is not counted';
	like((feedback(arf('abuse', $message->{headers}), '--json'))[1], qr/\A\{\n.*\n\}\n\z/s, '... as JSON, whose last line ends');
	wait_for(10, 'the counter', sub { counter('alice@example.com', 'complaints') > 1.99 });
	ok counter('alice@example.com', 'complaints') < 2.01, '... the counter stays';
	(undef, $said) = feedback(arf('not-spam', $message->{headers}));
	like $said, qr/it is worth nothing/, 'nothing is taken back: the sender himself could say so';
	ok counter('alice@example.com', 'complaints') > 1.98, '... the counter stays';
	my $events = $daemon->ctl_json('events');
	my ($event) = grep { $_->{event} eq 'complaint' } @{ $events->{events} };
	ok $event, 'an event is told' or diag explain $events;
	my $shown = $daemon->ctl_json('account', 'show', 'alice@example.com');
	is $shown->{complaints}, 'fine', 'one of few recipients says little';
	ok $shown->{complaint_share} > 0, '... a share is shown';
};

part 'other forms' => sub {
	my $other = $world->arrived($world->send(auth => 'carol', to => [map { "u$_\@example.net" } 1 .. 4]));
	my ($own) = $other->{headers} =~ /^CFBL-Feedback-ID: (\S+)$/m;
	my ($status, $said) = feedback("From: staff\@example.net\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\nContent-Type: message/rfc822\n\n"
		. "X-HmXmrOriginalRecipient: u1\@example.net\n$other->{headers}\n\ntext\n--b1--\n");
	like $said, qr/^forwarded about carol\@example\.com: it is counted/, 'a forwarded message';
	(undef, $said) = feedback(arf('fraud', $other->{headers}));
	wait_for(10, 'the counter', sub { counter('carol@example.com', 'complaints') > 3.98 });
	pass 'fraud weighs three';
	(undef, $said) = feedback(arf('opt-out', $other->{headers}, "Original-Rcpt-To: u2\@example.net\n"));
	like $said, qr/^opt-out about carol\@example\.com: it is counted/, 'who opts out';
	my ($event) = grep { $_->{event} eq 'opt_out' } @{ $daemon->ctl_json('events')->{events} };
	is $event && $event->{recipient}, 'u2@example.net', '... is told, with the recipient';
	ok counter('carol@example.com', 'complaints') < 4.01, '... and is no complaint';
	($status, $said) = feedback(report('delivery-status', ['message/delivery-status',
		"Reporting-MTA: dns; mx.example.net\nOriginal-Envelope-Id: $own\n\nFinal-Recipient: rfc822; u3\@example.net\nAction: failed\nStatus: 5.1.1\n\n"
		. "Final-Recipient: rfc822; u4\@example.net\nAction: failed\nStatus: 5.2.2\n"]));
	like $said, qr/^failed about carol\@example\.com: it is counted/, 'a bounce by its envelope id';
	wait_for(10, 'the counter', sub { counter('carol@example.com', 'dead') > 0.99 });
	ok counter('carol@example.com', 'dead') < 1.01, '... one is dead; a full mailbox is none';
};

part 'what would hide a sender' => sub {
	my $sly = $world->arrived($world->send(auth => 'erin', to => ['bob@example.net', 'carol@example.net'],
		headers => ['Content-Type: multipart/report; report-type=delivery-status; boundary=c']));
	my (undef, $said) = feedback(arf('abuse', $sly->{headers}));
	like $said, qr/^abuse about erin\@example\.com: it is counted/, 'a message that calls itself a report';
	(undef, $said) = feedback(report('delivery-status', ['message/delivery-status',
		"Original-Envelope-Id: $token\n\nFinal-Recipient: rfc822; bob\@example.net\nAction: failed\nStatus: 5.1.1\n"],
		['text/rfc822-headers', $sly->{headers}]));
	like $said, qr/^failed about erin\@example\.com: it is counted/, 'an envelope with the token of another';
};

part 'what costs nobody anything' => sub {
	my $before = counter('alice@example.com', 'complaints');
	(my $forged = $token) =~ s/.\z/substr($&, 0, 1) eq 'A' ? 'Q' : 'A'/e;
	my %junk = (
		forged => arf('abuse', "CFBL-Feedback-ID: $forged"),
		no_token => arf('abuse', 'Subject: nothing'),
		nested => arf('abuse', "Subject: a report\nContent-Type: multipart/report; report-type=feedback-report; boundary=c"),
		junk => "Subject: buy\n\nbuy!\n",
		nothing => arf('something-new', "CFBL-Feedback-ID: $token"),
	);
	for my $result (sort keys %junk) {
		my ($status, $said) = feedback($junk{$result});
		is $status, 0, "$result: $said";
		is $daemon->metrics->{qq(penstock_feedback_total{result="$result"})}, $result eq 'nothing' ? 2 : 1, '... is counted by its kind';
	}
	is $daemon->metrics->{'penstock_feedback_unmarked_total'}, 0, 'no message went without a token';
	is_deeply [map { sprintf '%.3f', $_ } counter('alice@example.com', 'complaints')], [sprintf '%.3f', $before], 'the counter stays';
	my ($status, undef, $error) = run({ input => '' }, $daemon->{ctl_program}, '-c', $daemon->{file}, 'feedback', 'what');
	is $status, 64, "wrong usage: $error";
	($status, undef, $error) = run({ input => '' }, $daemon->{ctl_program}, '-c', $daemon->{file}, '-s', '/nowhere/socket', 'feedback');
	is $status, 75, "without a daemon it is tried again: $error";
};

part 'what Postfix is to be told' => sub {
	my (undef, $out) = $daemon->ctl('postfix', 'print', 'master');
	like $out, qr/^# complaints to fbl\@example\.com .*\n#   fbl\@example\.com    penstock-feedback:$/m, 'the line of transport_maps';
	like $out, qr{^# penstock-feedback unix - n n - 2 pipe\n#   flags=q user=\Q$daemon->{config}{user}\E argv=/\S+/penstockctl -c \Q$daemon->{file}\E feedback$}m, '... and the service';
	(undef, $out) = $daemon->ctl('postfix', 'print', 'main');
	like $out, qr/^# .*in front of one that signs.*\nsmtpd_milters = /m, 'the order of milters';
};

part 'by pipe(8)' => sub {
	my $user = $daemon->{config}{user};
	my $master = Penstock::Process::slurp("$postfix->{config}/master.cf");
	Penstock::Process::write_file("$postfix->{config}/master.cf", $master
		. "penstock-feedback unix - n n - 2 pipe\n  flags=q user=$user argv=$daemon->{ctl_program} -c $daemon->{file} feedback\n", 0644);
	$postfix->set(transport_maps => 'inline:{ { fbl@example.com = penstock-feedback: } }', relay_domains => 'example.com',
		relay_recipient_maps => 'static:all');
	$postfix->reload;
	my $other = $world->arrived($world->send(auth => 'dave', to => 'bob@example.net'));
	$postfix->sendmail('feedback@example.net', ['fbl@example.com'], arf('abuse', $other->{headers}));
	wait_for(30, 'the counter', sub { (eval { counter('dave@example.com', 'complaints') } // 0) > 0.99 });
	pass 'a report that comes by mail is counted';
	my $line = wait_for(30, 'the log line, which comes behind that', sub { ($postfix->log_lines(qr/to=<fbl\@example\.com>/))[-1] });
	like $line, qr/relay=penstock-feedback, .*status=sent/, '... and delivered';
	unlike $line, qr/dave/, '... without a name, which a notice of success would tell';
};

part 'a customer\'s own loop, where we have none' => sub {
	delete $daemon->{config}{feedback}{address};
	$daemon->write_config;
	$daemon->reload;
	$daemon->wait_log(qr{reload: .* is in force});
	my $own = $world->arrived($world->send(auth => 'frank', headers => ['CFBL-Address: loop@customer.example; report=arf', 'CFBL-Feedback-ID: campaign-7']));
	is_deeply [$own->{headers} =~ /^CFBL-Address: (.*)$/mg], ['loop@customer.example; report=arf'], 'his address stays';
	my @ids = $own->{headers} =~ /^CFBL-Feedback-ID: (.*)$/mg;
	is $ids[1], 'campaign-7', '... and what it is to be told, which he may have signed';
	like $ids[0], qr/^pen1\./, '... below ours';
	like +(feedback(arf('abuse', $own->{headers})))[1], qr/^abuse about frank\@example\.com: it is counted/, 'a complaint to us counts';
};

done_testing;
