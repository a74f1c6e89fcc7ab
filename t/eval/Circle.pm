# SPDX-License-Identifier: BSD-2-Clause
#
# Circle: what the world answers comes back to the daemon, by one of these ways:
#
#   none     it does not
#   report   recipients that do not exist are told by `account feedback`, a minute after the server said so
#   follow   the MTA's log is written, and penstock-follow reads it
#   all      ... and complaints are told as well
#
# The log has world time. What is credited has arrived before the world goes on, so that each run sees the same.
package Circle;

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use IO::Handle;
use POSIX ();
use Time::HiRes ();
use World::Fate;

our @ways = qw(none report follow all);
my $credit_wait_s = 2;	# for one that does not come

sub new
{
	my ($class, %set) = @_;	# daemon, world, way
	my $self = bless { %set, fate => World::Fate->new($set{world}), due => [], seen => {}, follows => $set{way} =~ /^(?:follow|all)\z/ ? 1 : 0, credited => 0, vague => 0, uncredited => {} }, $class;
	$self->start_follower if $self->{follows};
	return $self;
}

# More lines for the daemon's configuration, which is also the follower's.
sub config
{
	my ($dir) = @_;
	my $replies = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../etc/replies.conf');
	return "follow: { source = \"$dir/mail.log\"; state = \"$dir/follow\"; replies = \"$replies\"; trace_days = 0; };\n";
}

sub start_follower
{
	my ($self) = @_;
	my ($daemon, $stand) = ($self->{daemon}, $self->{daemon}{stand});
	my ($program) = grep { -x } $ENV{PENSTOCK_FOLLOW} // (), 'penstock-follow';
	die "penstock-follow is not there; run this from the top of the build tree, by make eval\n" if !$program;
	mkdir $stand->path('follow');
	unlink glob $stand->path('follow') . '/*';
	open $self->{log}, '>', $stand->path('mail.log') or die "mail.log: $!\n";
	$self->{log}->autoflush(1);
	$stand->start('follow', @{ $daemon->{env} }, Cwd::abs_path($program), '-c', $stand->path('penstock.conf'), '--from-start');
	$stand->wait_for('follow', 'that it reads', sub { $stand->tail('follow') =~ /penstock-follow reads/ });
}

# ---- what is due, in order of time

# Times are seconds of the world. What is due at the same time goes as it was put.
sub put
{
	my ($self, $t, %what) = @_;
	my $due = $self->{due};
	my ($low, $high) = (0, scalar @$due);
	while ($low < $high) {
		my $middle = int(($low + $high) / 2);
		$due->[$middle]{t} <= $t ? ($low = $middle + 1) : ($high = $middle);
	}
	splice @$due, $low, 0, { t => $t, %what };
}

# The world's clock goes on to $t.
sub until
{
	my ($self, $t) = @_;
	while (@{ $self->{due} } && $self->{due}[0]{t} <= $t) {
		my $what = shift @{ $self->{due} };
		$self->{daemon}->clock(int $what->{t});
		$self->{daemon}->report($what->{account}, $what->{kind}) if $what->{kind};
		$self->write_line($what) if defined $what->{line};
	}
}

# ---- a message

# An event has left; $line is Penstock's own of it, $score what a scanner says of its text.
sub left
{
	my ($self, $event, $answer, $line, $score) = @_;
	return if $self->{way} eq 'none' || $answer->{action} ne 'pass';
	my @fates = $self->{fate}->of($event, $score);
	splice @fates, $answer->{rcpts} if defined $answer->{rcpts} && $answer->{rcpts} < @fates;
	my $name = $event->{account}{name};
	for my $one (@fates) {
		$self->put($event->{t} + $one->{t} + 60, account => $name, kind => 'dead') if $self->{way} eq 'report' && $one->{end} eq 'dead';
		$self->put($event->{t} + $one->{complaint}, account => $name, kind => 'complaint') if $self->{way} eq 'all' && $one->{complaint};
	}
	$self->log_message($event, $answer, $line, @fates) if $self->{follows};
}

my %agents;	# process ids, as a log has them

sub log_message
{
	my ($self, $event, $answer, $line, @fates) = @_;
	my ($id, $verdict) = $line =~ /(\w+): (action=.*)/ or die "no queue id: $line\n";
	my ($t, $account) = ($event->{t}, $event->{account}{name});
	my $smtp = $answer->{transport} ne '' ? "postfix/$answer->{transport}/smtp" : 'postfix/smtp';
	my $count = @fates;
	$self->put($t + 0.01, from => 'penstock', line => "$id: $verdict");
	$self->put($t + 0.03, from => 'postfix/qmgr', line => "$id: from=<$event->{from}>, size=" . (1000 + length $answer->{transport}) . ", nrcpt=$count (queue active)");
	my $last = 0;
	for my $one (@fates) {
		my $head = "$id: to=<$one->{rcpt}>";
		my $relay = "$one->{host}\[192.0.2." . (1 + length($one->{host}) % 200) . ']';
		$self->put($t + $one->{grey}, from => $smtp, line => delivery($head, "$relay:25", $one->{grey}, '4.7.1', 'deferred', "host $relay said: 450 4.7.1 Greylisting in action, please come back later (in reply to RCPT TO command)"))
			if $one->{grey};
		my $end = $t + $one->{t};
		if ($one->{end} eq 'sent') {
			$self->put($end, from => $smtp, line => delivery($head, "$relay:25", $one->{t}, '2.0.0', 'sent', $one->{reply}));
		} elsif ($one->{end} eq 'away') {
			$self->put($t + $_, from => $smtp, line => delivery($head, 'none', $_, '4.4.1', 'deferred', $one->{reply})) for 30, 600, 7200;
			$end = $t + 5 * 86400;
			$self->put($end - 1, from => 'postfix/qmgr', line => "$id: from=<$event->{from}>, status=expired, returned to sender");
		} else {
			my ($code) = $one->{reply} =~ /\b(5\.\d\.\d+)/;
			$self->put($end, from => $smtp, line => delivery($head, "$relay:25", $one->{t}, $code // '5.0.0', 'bounced', "host $relay said: $one->{reply} (in reply to $one->{stage} command)"),
				   counts => $one->{end} =~ /^(?:dead|content)\z/ ? $account : undef, vague => $one->{vague});
		}
		$last = $end if $end > $last;
	}
	$self->put($last + 0.01, from => 'postfix/qmgr', line => "$id: removed");
}

sub delivery
{
	my ($head, $relay, $delay, $dsn, $status, $text) = @_;
	return sprintf '%s, relay=%s, delay=%.2g, delays=%.2g/0.01/0.1/0.1, dsn=%s, status=%s (%s)', $head, $relay, $delay, $delay, $dsn, $status, $text;
}

sub write_line
{
	my ($self, $what) = @_;
	my $record = defined $what->{counts} ? $self->record($what->{counts}) : undef;
	my $micros = int(1e6 * ($what->{t} - int $what->{t}));
	my $pid = $agents{ $what->{from} } //= 1000 + keys %agents;
	print { $self->{log} } POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime $Daemon::monday + int $what->{t}), sprintf('.%06d+00:00 out %s[%d]: %s', $micros, $what->{from}, $pid, $what->{line}), "\n";
	return if !defined $what->{counts};
	$self->{vague}++, return if $what->{vague};
	my $until = Time::HiRes::time() + $credit_wait_s;
	while ($self->record($what->{counts}) eq $record) {
		$self->{uncredited}{ $what->{line} =~ s/.*status=\w+ //r }++, return if Time::HiRes::time() > $until;
		Time::HiRes::sleep(0.0005);
	}
	$self->{credited}++;
}

# The bytes of an account's record.
sub record
{
	my ($self, $name) = @_;
	my $socket = $self->{redis} //= $self->{daemon}{stand}->redis_socket;
	my $key = "penstock:{$name}:record";
	print $socket "*2\r\n\$3\r\nGET\r\n\$" . length($key) . "\r\n$key\r\n";
	$socket->flush;
	return Stand::redis_answer($socket) // '';
}

# Sentences, one for each reply that penstock-follow should have counted for an account and did not.
sub missed
{
	my ($self) = @_;
	return map { "penstock-follow credits nothing for $self->{uncredited}{$_} replies $_" } sort keys %{ $self->{uncredited} };
}

sub stop
{
	my ($self) = @_;
	my $stand = $self->{daemon}{stand};
	return if !$self->{follows};
	$stand->stop('follow');
	return if $stand->{keep};
	unlink glob $stand->path('follow') . '/*';
	rmdir $stand->path('follow');
}

1;
