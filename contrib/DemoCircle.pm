# SPDX-License-Identifier: BSD-2-Clause
#
# DemoCircle: the part of contrib/demo in which receiving servers answer, and what they say comes back to the account, to the
# address that the mail left by, and to whoever asks. Each sub below shows one such way and returns what is wrong, in sentences;
# a new one is a sub and its name in show().
package DemoCircle;

use strict;
use warnings;

use File::Temp ();
use Penstock::Follow;
use Penstock::Live;
use Penstock::Process qw(run slurp wait_for);
use Penstock::Receivers;
use Time::HiRes qw(sleep);

# receiving servers, by the names that large ones have; and where all other mail goes
our %hosts = (
	google => { address => '127.0.0.101', host => 'gmail-smtp-in.l.google.com' },
	outlook => { address => '127.0.0.102', host => 'outlook-com.olc.protection.outlook.com' },
	elsewhere => { address => '127.0.0.1', host => 'elsewhere.test' },
);

# The file of a hosts file like this host's own, with those names besides.
sub hosts_file {
	my $file = File::Temp->new(TEMPLATE => 'penstock-hosts-XXXXXX', TMPDIR => 1, UNLINK => 0);
	print $file slurp('/etc/hosts'), Penstock::Receivers::hosts_text(%hosts);
	close $file or die "cannot write $file: $!\n";
	chmod 0644, $file->filename;
	return $file->filename;
}

# Postfix sends to each receiver itself, and tries again soon.
sub direct {
	my ($build) = @_;
	my %feedback = knows($build, 'feedback') ? (feedback => { address => 'complaints@example.com' }) : ();
	return (config => \%feedback, main => { relayhost => '', smtp_host_lookup => 'native', minimal_backoff_time => '1s', maximal_backoff_time => '1s',
		queue_run_delay => '1s', default_destination_concurrency_failed_cohort_limit => 100 });
}

# Has penstockctl this command?
sub knows { my ($build, $command) = @_; return `$build/penstockctl --help` =~ /^ +\Q$command\E\b/m }

sub at { my ($user, $receiver) = @_; return "$user\@$hosts{$receiver}{host}" }

# What the tool says, as somebody would see it who types it. Waits until it says what is wanted.
sub tool {
	my ($self, $wanted, @words) = @_;
	my $out = '';
	my $came = eval { wait_for(20, "penstockctl @words", sub { $out = ($self->{world}{daemon}->ctl(@words))[1]; $out =~ $wanted }) };
	print "    $self->{colour}{bold}\$ penstockctl @words$self->{colour}{end}\n", map { "    $_\n" } split /\n/, $out =~ s/\s+\z//r;
	return $came ? () : "penstockctl @words does not say what it should";
}

sub say_what { print "\n  ", join("\n  ", @_), "\n" }

# Options: world, build, colour (hash), why (a sub: the terms of an account's score).
sub show {
	my $self = bless { @_ }, __PACKAGE__;
	my ($world, $build) = @{$self}{qw(world build)};
	$world->{daemon}{config}{follow} = Penstock::Follow::config($world->{folder});
	$world->{daemon}->write_config;
	$world->{daemon}->reload;
	my %large = map { $_ => $hosts{$_} } qw(google outlook);
	$self->{receivers} = Penstock::Receivers->start(folder => $world->{folder}, port => $world->{ports}{sink}, hosts => \%large);
	Penstock::Follow->new($world)->start;
	print "  penstock-follow reads the mail log from here on. Two receiving servers more answer as large ones do.\n";
	return map { $self->$_ } qw(dead refused_address), knows($build, 'feedback') ? 'complaint' : (), 'held_queue';
}

# A list that was bought.
sub dead {
	my ($self) = @_;
	my ($world, $receivers) = @{$self}{qw(world receivers)};
	$receivers->rules({ google => [ { stage => 'rcpt', rcpt => at('gone', 'google'),
		reply => '550 5.1.1 The email account that you tried to reach does not exist. - gsmtp' } ] });
	my $last;
	$last = $world->send(auth => 'judy', to => at('gone', 'google')) for 1 .. 12;
	say_what('judy writes twelve times to someone who does not exist. The log has the answers, and the account is told:',
		'the share of dead recipients is a term of its score.');
	my @wrong = $self->tool(qr/does not exist/, 'trace', $last->{id});
	my $felt = eval { wait_for(20, 'the term', sub { my $why = $self->{why}->('judy@example.com'); $why =~ /dead rcpts/ && $why }) };
	print '    why judy@example.com has its score: ' . ($felt // 'not for dead recipients'), "\n";
	return (@wrong, $felt ? () : 'dead recipients do not count for judy');
}

# One receiver thinks ill of an address of ours; nobody else is touched.
sub refused_address {
	my ($self) = @_;
	my ($world, $receivers) = @{$self}{qw(world receivers)};
	$world->make_good('frank@example.com');
	my $first = $world->send(auth => 'frank');
	my ($transport, $address) = ($world->verdict($first)->{transport}, $world->arrived($first)->{client});
	$receivers->rules({ outlook => [ { stage => 'mail', client => $address,
		reply => "550 5.7.1 Unfortunately, messages from [$address] were not sent. It is on our block list (S3150)." } ] });
	$world->send(auth => 'frank', to => at("reader$_", 'outlook')) for 1 .. 10;
	say_what("Outlook refuses mail from $address, the address of $transport, by which frank's mail leaves. That is none of frank's",
		"doing, and nothing is counted against him; but $transport rests for this one receiver:");
	my @wrong = $self->tool(qr/\Q$transport\E.*\brests\b/, 'receivers');
	my ($sent, $now) = ($first, $transport);
	for (1 .. 20) {
		$sent = $world->send(auth => 'frank', to => at('reader', 'outlook'));
		$now = $world->verdict($sent)->{transport};
		last if $now ne $transport;
		sleep(0.5);
	}
	my $same = $world->verdict($world->send(auth => 'frank'))->{transport};
	say_what("The next letter to Outlook leaves by $now, and is taken; mail to others leaves by $same as before.");
	push @wrong, "mail to the receiver that refuses $transport still leaves by it" if $now eq $transport;
	push @wrong, "mail to others left by $same" if $same ne $transport;
	return @wrong;
}

# A recipient presses "this is spam", and his provider passes it on.
sub complaint {
	my ($self) = @_;
	my $world = $self->{world};
	my $message = $world->arrived($world->send(auth => 'erin'));
	my $report = "From: feedback\@google.example\nTo: complaints\@example.com\nSubject: a complaint\nMIME-Version: 1.0\n"
		. "Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nA complaint.\n"
		. "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Demo/1\nVersion: 1\n\n"
		. "--b\nContent-Type: message/rfc822\n\n$message->{headers}\n\nthe text\n--b--\n";
	say_what('A recipient of erin complains, and his provider sends a report (RFC 5965). The message bears a token that only this host',
		'can read, so that it knows whose it is:');
	my ($mark) = $message->{headers} =~ /^(CFBL-Feedback-ID: .*)$/m;
	print '    ' . ($mark // 'no token'), "\n";
	my ($status, $out, $error) = run({ input => $report }, $world->{daemon}{ctl_program}, '-c', $world->{daemon}{file}, 'feedback', '-v');
	print "    $self->{colour}{bold}\$ penstockctl feedback -v < report$self->{colour}{end}\n    $out$error";
	return "$out$error" =~ /erin\@example\.com: it is counted/ ? () : 'the complaint about erin is not counted';
}

# What a thief has sent, and has not left yet.
sub held_queue {
	my ($self) = @_;
	my ($world, $receivers) = @{$self}{qw(world receivers)};
	$receivers->rules({ google => [ { stage => 'rcpt', reply => '451 4.3.0 Come again later' } ] });
	$world->send(auth => 'grace', to => at("reader$_", 'google')) for 1 .. 3;
	wait_for(20, 'deferred mail', sub { $world->{postfix}->queue('deferred') + $world->{postfix}->queue('active') >= 3 });
	say_what("Three messages of grace wait in the queue, for Google wants them later. Her password is stolen, and she is blocked: what",
		'waits is put on hold, and is released when the block ends.');
	my @wrong = $self->tool(qr/block/, 'account', 'block', 'grace@example.com', 'stolen', 'password');
	my $held = eval { wait_for(20, 'mail on hold', sub { $world->{postfix}->queue('hold') == 3 }) };
	push @wrong, $self->tool(qr/(?:\bhold\b|\bheld\b).*\n(?:.*\n)*.*(?:\bhold\b|\bheld\b)/, 'queue', 'show', 'grace@example.com');
	push @wrong, $self->tool(qr/unblocked|no longer/, 'account', 'unblock', 'grace@example.com');
	my $released = eval { wait_for(20, 'the release', sub { $world->{postfix}->queue('hold') == 0 }) };
	print "\n";
	return (@wrong, $held ? () : 'the mail of a blocked account is not on hold', $released ? () : 'the mail of an account is still on hold when its block has ended');
}

1;
