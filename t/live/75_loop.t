#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What the world answers comes back: a real Postfix sends to receivers that each think differently of addresses, recipients and
# contents. The names of large receivers are theirs in a hosts file of the test's own, in a mount namespace.

use strict;
use warnings;

use File::Temp;
use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Follow;
use Penstock::Live qw(part);
use Penstock::Process qw(free_port slurp wait_for write_file);
use Penstock::Receivers;
use Test::More;

my %hosts = (
	google => { address => '127.0.0.101', host => 'gmail-smtp-in.l.google.com' },
	outlook => { address => '127.0.0.102', host => 'hotmail-com.olc.protection.outlook.com' },
	yahoo => { address => '127.0.0.103', host => 'mta5.am0.yahoodns.net' },
	small => { address => '127.0.0.104', host => 'mx.small.example' },
);

# this program once more, where those names are known
if (!$ENV{PENSTOCK_LOOP_HOSTS}) {
	plan skip_all => 'mount namespaces are not given to this test' if system('unshare -m true 2>/dev/null') != 0;
	my $file = File::Temp->new(TEMPLATE => 'penstock-hosts-XXXXXX', TMPDIR => 1, UNLINK => 0);
	print $file slurp('/etc/hosts'), Penstock::Receivers::hosts_text(%hosts);
	close $file;
	chmod 0644, $file->filename;
	$ENV{PENSTOCK_LOOP_HOSTS} = $file->filename;
	my $script = 'mount --bind "$PENSTOCK_LOOP_HOSTS" /etc/hosts && exec "$@"';
	exec 'unshare', '-m', 'sh', '-c', $script, 'sh', $^X, $0 or die "unshare: $!\n";
}
unlink $ENV{PENSTOCK_LOOP_HOSTS};

my $port = free_port('tcp');
my $world = Penstock::Live->new(main => {
	relayhost => '',
	smtp_tcp_port => $port,
	smtp_host_lookup => 'native',
	minimal_backoff_time => '1s',
	maximal_backoff_time => '1s',
	queue_run_delay => '1s',
	# a receiver that refuses one message is asked for the next
	default_destination_concurrency_failed_cohort_limit => 100,
});
my $postfix = $world->{postfix};
my $receivers = Penstock::Receivers->start(folder => $world->{folder}, port => $port, hosts => \%hosts);
$world->{daemon}{config}{follow} = Penstock::Follow::config($world->{folder});
$world->{daemon}->write_config;	# the daemon, which runs, does not look at that
my $follow = Penstock::Follow->new($world);
$follow->start;

sub at { my ($user, $receiver) = @_; return "$user\@$hosts{$receiver}{host}" }

# The line by which Postfix tells what became of this message at this recipient; the last one.
sub delivery {
	my ($result, $to, $status) = @_;
	return wait_for(30, "a line of $result->{id} for $to: $status", sub {
		($postfix->log_lines(qr/ $result->{id}: to=<\Q$to\E>, .* status=$status /))[-1];
	});
}

sub said {
	my ($receiver, $reply, $stage) = @_;
	return qr/ \(host \Q$hosts{$receiver}{host}\E\[\Q$hosts{$receiver}{address}\E\] said: $reply \(in reply to $stage command\)\)$/;
}

# Returns when the follower has read all that is in the log by now: a later message to nobody is credited.
my $probes = 0;
sub caught_up {
	my $to = at('nobody-' . ++$probes, 'small');
	$receivers->rules({ small => [ { stage => 'rcpt', rcpt => $to, reply => '550 5.1.1 User unknown' } ] });
	delivery($world->send(auth => 'judy', to => $to), $to, 'bounced');
	wait_for(30, 'the follower', sub { $world->counters('judy@example.com')->{dead} > $probes - 0.5 });
}

sub credited {
	my ($login) = @_;
	my $counters = $world->counters("$login\@example.com");
	return { map { $_ => sprintf '%.0f', $counters->{$_} } qw(dead refused) };
}

# What is known of a transport at a receiver, when it has an answer of one of these kinds.
sub standing {
	my ($transport, $receiver, @kinds) = @_;
	return wait_for(30, "an answer of $receiver to $transport: @kinds", sub {
		my ($row) = grep { $_->{transport} eq $transport && $_->{receiver} eq $receiver }
			map { @{ $_->{rows} // [] } } @{ $world->{daemon}->ctl_json('receivers')->{nodes} };
		return $row && grep({ $row->{counts}{$_} > 0.5 } @kinds) ? $row : undef;
	});
}

part 'mail leaves by the address of its account' => sub {
	$world->make_good('alice@example.com');
	for my $receiver (sort keys %hosts) {
		my $to = at('reader', $receiver);
		my $result = $world->send(auth => 'alice', to => $to);
		my $mail = $receivers->wait($result->{subject});
		is $mail->{receiver}, $receiver, "to $receiver: it came there";
		my $transport = $world->verdict($result)->{transport};
		is $mail->{helo}, "$transport.example.test", '... with the HELO name of the transport that the log names';
		like $mail->{client}, qr/^127\.0\.0\.1[12]$/, '... from a clean address';
		like delivery($result, $to, 'sent'),
			qr{ postfix/$transport/smtp\[\d+\]: .* relay=\Q$hosts{$receiver}{host}\E\[\Q$hosts{$receiver}{address}\E\]:$port, .* dsn=2\.0\.0, status=sent \(250 2\.0\.0 taken\)$},
			'... and Postfix says so';
	}
};

part 'a recipient who does not exist' => sub {
	my $reply = "550-5.1.1 The account that you tried to reach does not exist. Please check 550 5.1.1 how it is written - gsmtp";
	$receivers->rules({ google => [ { stage => 'rcpt', rcpt => at('nobody', 'google'),
		reply => $reply =~ s/ (?=550 )/\n/r } ] });
	my $result = $world->send(auth => 'bob', to => at('nobody', 'google'));
	my $line = delivery($result, at('nobody', 'google'), 'bounced');
	like $line, said('google', quotemeta $reply, 'RCPT TO'), 'Postfix joins the lines of the reply';
	like $line, qr/ dsn=5\.1\.1, /, '... and has its code';
	wait_for(20, 'the notification', sub { $postfix->log_lines(qr/ $result->{id}: sender non-delivery notification: /) });
	is scalar(grep { $_->{rcpt} eq at('nobody', 'google') } $receivers->refusals), 1, 'it is tried once';
	caught_up();
	is_deeply credited('bob'), { dead => 1, refused => 0 }, 'the account has it counted';
	is_deeply credited('alice'), { dead => 0, refused => 0 }, '... and no other';
};

part 'a receiver refuses one address' => sub {
	my $blocked = '550 5.7.1 Unfortunately, messages from [127.0.0.21] were not sent. It is on our block list (S3150).';
	$receivers->rules({ outlook => [ { stage => 'mail', client => '127.0.0.21', reply => $blocked } ],
		yahoo => [ { stage => 'greet', client => '127.0.0.21', reply => '553 5.7.1 [BL21] Connections will not be accepted from 127.0.0.21' } ] });
	my $new = $world->send(auth => 'carol', to => at('reader', 'outlook'));
	like delivery($new, at('reader', 'outlook'), 'bounced'), said('outlook', quotemeta $blocked, 'MAIL FROM'), 'with its words';
	my $good = $world->send(auth => 'alice', to => at('reader', 'outlook'));
	like $receivers->wait($good->{subject})->{client}, qr/^127\.0\.0\.1[12]$/, 'another address may';
	$new = $world->send(auth => 'carol', to => at('reader', 'yahoo'));
	my $line = delivery($new, at('reader', 'yahoo'), 'deferred');
	like $line, qr/ dsn=4\.7\.1, status=deferred \(host mta5\.am0\.yahoodns\.net\[127\.0\.0\.103\] refused to talk to me: 553 5\.7\.1 \[BL21\] /,
		'in place of the greeting it is a refusal for now';
	$receivers->rules({});
	is $receivers->wait($new->{subject})->{client}, '127.0.0.21', 'and is tried again';
	caught_up();
	is_deeply credited('carol'), { dead => 0, refused => 0 }, 'it is not the account\'s doing';
	my $row = standing('warm-1', 'outlook', qw(listed reputation));
	cmp_ok $row->{refused}, '>', 0.9, 'but the address\'s, at that receiver' or diag explain $row;
	like $row->{wording}, qr/block list \(S3150\)/, '... with its words';
	standing('warm-1', 'yahoo', qw(listed reputation));
	is standing('clean-1', 'outlook', 'delivered')->{refused}, 0, 'another address stands well there';
};

part 'a greylist' => sub {
	$receivers->rules({ small => [ { stage => 'rcpt', times => 1, reply => '450 4.2.0 Greylisted, come back in a minute' } ] });
	my $result = $world->send(auth => 'dave', to => at('reader', 'small'));
	like delivery($result, at('reader', 'small'), 'deferred'), said('small', qr/450 4\.2\.0 Greylisted, come back in a minute/, 'RCPT TO'),
		'the first try';
	is $receivers->wait($result->{subject})->{receiver}, 'small', 'the second one is taken';
	ok delivery($result, at('reader', 'small'), 'sent'), '... as the log says';
	caught_up();
	is_deeply credited('dave'), { dead => 0, refused => 0 }, 'the account has nothing of it';
	my $row = standing('warm-1', 'small.example', 'greylisted');
	is $row->{refused}, 0, '... nor has the address' or diag explain $row;
};

part 'a message that is requeued' => sub {
	my $to = at('gone', 'small');
	$receivers->rules({ small => [ { stage => 'rcpt', rcpt => $to, reply => '451 4.3.0 Try again later' } ] });
	my $result = $world->send(auth => 'heidi', to => $to);
	delivery($result, $to, 'deferred');
	is system('postsuper', '-c', $postfix->{config}, '-r', $result->{id}), 0, 'postsuper -r gives it another queue id';
	$receivers->rules({ small => [ { stage => 'rcpt', rcpt => $to, reply => '550 5.1.1 User unknown' } ] });
	my $pickup = wait_for(30, 'the new id', sub { ($postfix->log_lines(qr/ orig_id=$result->{id}$/))[-1] });
	my ($id) = $pickup =~ /pickup\[\d+\]: (\w+): /;
	isnt $id, $result->{id}, '... in the log of pickup';
	delivery({ id => $id }, $to, 'bounced');
	caught_up();
	is_deeply credited('heidi'), { dead => 1, refused => 0 }, 'what becomes of it is still its account\'s';
};

part 'content' => sub {
	$receivers->rules({ google => [ { stage => 'dot', text => 'pills', reply => '550 5.7.1 This message is likely unsolicited mail - gsmtp' } ] });
	my $result = $world->send(auth => 'erin', to => at('reader', 'google'), body => "Buy our pills.\n");
	like delivery($result, at('reader', 'google'), 'bounced'),
		said('google', qr/550 5\.7\.1 This message is likely unsolicited mail - gsmtp/, 'end of DATA'), 'is refused at the end of DATA';
	ok $receivers->wait($world->send(auth => 'erin', to => at('reader', 'google'))->{subject}), 'another message is taken';
	caught_up();
	is_deeply credited('erin'), { dead => 0, refused => 1 }, 'the account has it counted';
	is standing('warm-1', 'google', 'content')->{counts}{reputation}, 0, '... and the address no bad name';
};

part 'rates, full mailboxes, and servers that break off' => sub {
	$receivers->rules({
		yahoo => [ { stage => 'mail', client => '127.0.0.21', over => 1, reply => '421 4.7.0 [TSS04] Messages from 127.0.0.21 temporarily deferred' } ],
		small => [ { stage => 'rcpt', rcpt => at('full', 'small'), reply => '452 4.2.2 Mailbox full' },
			{ stage => 'rcpt', rcpt => at('away', 'small'), hangup => 1 },
			{ stage => 'dot', rcpt => at('unsure', 'small'), hangup => 1 },
			{ stage => 'rcpt', rcpt => at('slow', 'small'), seconds => 0.2, reply => '250 2.1.5 slowly' } ],
	});
	my %send = map { $_ => $world->send(auth => 'frank', to => at($_, 'small')) } qw(full away unsure slow);
	$world->send(auth => 'frank', to => at("reader$_", 'yahoo')) for 1, 2;
	like delivery($send{full}, at('full', 'small'), 'deferred'), said('small', qr/452 4\.2\.2 Mailbox full/, 'RCPT TO'), 'a full mailbox';
	like delivery($send{away}, at('away', 'small'), 'deferred'), qr/ \(lost connection with mx\.small\.example\[127\.0\.0\.104\] while sending RCPT TO\)$/,
		'a server that hangs up';
	like delivery($send{unsure}, at('unsure', 'small'), 'deferred'), qr/ while sending end of data -- message may be sent more than once\)$/,
		'... at the end of DATA';
	ok delivery($send{slow}, at('slow', 'small'), 'sent'), 'one that is slow';
	$receivers->wait_refusals(1, receiver => 'yahoo', stage => 'mail');
	my $too_much = said('yahoo', qr/421 4\.7\.0 \[TSS04\] Messages from 127\.0\.0\.21 temporarily deferred/, 'MAIL FROM');
	ok wait_for(20, 'the line', sub { $postfix->log_lines($too_much) }), 'one that has too much of us';
	caught_up();
	is_deeply credited('frank'), { dead => 0, refused => 0 }, 'none of it is the account\'s doing';
	ok standing('warm-1', 'yahoo', 'rate'), 'where it is too much, the address has it counted';
};

part 'a server that writes lines of a log' => sub {
	my $taken = '250 ok), dsn=5.1.1, status=bounced (host x[192.0.2.1] said: 550 5.1.1 User unknown';
	$receivers->rules({ google => [ { stage => 'mail', from => 'grace@example.com', reply => '550 5.7.1 no), dsn=2.0.0, status=sent (250 ok' } ],
		yahoo => [ { stage => 'dot', reply => $taken } ] });
	my @sent = map { my $to = at('reader', $_); [ $world->send(auth => 'grace', to => $to), $to ] } qw(google yahoo);
	ok delivery(@{ $sent[0] }, 'bounced'), 'a refusal';
	ok delivery(@{ $sent[1] }, 'sent'), 'mail that is taken';
	caught_up();
	is_deeply credited('grace'), { dead => 0, refused => 0 }, 'it does not make mailboxes dead';
};

done_testing;
