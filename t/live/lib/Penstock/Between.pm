# SPDX-License-Identifier: BSD-2-Clause
#
# Between: a process that stands between daemons and their Redis on unix sockets, passes bytes on and does at random what
# networks do: it cuts connections in the middle of a request, cuts them before the answer is passed on, passes the last
# requests of a connection on when it has long ended, and keeps answers back. It reads along: how many answers a daemon never had, and how much was added to each
# group's sum of the day, or may have been, by requests of which the daemon cannot know it.

package Penstock::Between;

use strict;
use warnings;

use IO::Handle ();
use IO::Socket::UNIX ();
use JSON::PP;
use Penstock::Process qw(start_code);
use Time::HiRes qw(time);

my $unread_s = 0.2;	# what was passed on earlier is read
my $unread_bytes = 0x5411;	# an ioctl of Linux: what is sent and not read

# Options: listen (paths, one for each daemon), redis (path), control (path), log (file).
sub new {
	my ($class, %option) = @_;
	my $self = bless { %option, does => {}, links => {}, widows => [], count => { map { $_ => 0 } qw(requests answers ended cut delayed lost_answers kept) }, sure => {}, unsure => {} }, $class;
	my @listeners = map { _listen($_) } @{ $self->{listen} }, $self->{control};
	my $control = pop @listeners;
	$self->{pid} = start_code('between', sub {
		open STDERR, '>>', $self->{log};
		$SIG{PIPE} = 'IGNORE';
		@$self{qw(listeners asked)} = (\@listeners, $control);
		$self->_turn while 1;
	});
	return $self;
}

sub _listen {
	my ($path) = @_;
	return IO::Socket::UNIX->new(Local => $path, Listen => 64) // die "$path: $!\n";
}

# What it does from now on: chances of `lose` and `cut` for each piece that a daemon sends, of `keep` for each that Redis
# does, `keep_s` at least, and of `slow` for each connection, whose answers take up to `slow_s`; nothing at all where they
# are not given. Half of what is lost is passed on late, when the daemon may have asked again. Returns the counts so far.
sub does {
	my ($self, %does) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $self->{control}) or die "$self->{control}: $!\n";
	print {$socket} encode_json(\%does) . "\n";
	$socket->flush;
	return decode_json(readline($socket) // die "what stands between daemon and Redis has ended: see $self->{log}\n");
}

# ---- its own process

sub _turn {
	my ($self) = @_;
	my ($read, $write) = ('', '');
	vec($read, fileno $_, 1) = 1 for @{ $self->{listeners} }, $self->{asked};
	for my $link (values %{ $self->{links} }) {
		vec($read, fileno $link->{$_}, 1) = 1 for qw(daemon redis);
		vec($write, fileno $link->{redis}, 1) = 1 if $link->{to_redis} ne '';
		vec($write, fileno $link->{daemon}, 1) = 1 if $link->{to_daemon} ne '' && $link->{kept_until} <= time;
	}
	for my $link (@{ $self->{widows} }) {
		vec($read, fileno $link->{redis}, 1) = 1;
		vec($write, fileno $link->{redis}, 1) = 1 if $link->{to_redis} ne '' && $link->{passes_at} <= time;
	}
	return if select($read, $write, undef, 0.01) <= 0;
	$self->_answer_test if vec $read, fileno $self->{asked}, 1;
	for my $link (values %{ $self->{links} }) {
		my ($daemon, $redis) = map { fileno $link->{$_} } qw(daemon redis);
		my $open = (!vec($read, $daemon, 1) || $self->_from_daemon($link))
			&& (!vec($read, $redis, 1) || $self->_from_redis($link))
			&& (!vec($write, $redis, 1) || $self->_to_redis($link))
			&& (!vec($write, $daemon, 1) || $self->_to_daemon($link));
		$self->_end($link) if !$open;
	}
	@{ $self->{widows} } = grep { !(vec($read, fileno $_->{redis}, 1) || vec($write, fileno $_->{redis}, 1)) || $self->_outlives($_) } @{ $self->{widows} };
	for my $listener (grep { vec $read, fileno $_, 1 } @{ $self->{listeners} }) {
		$self->_begin($listener->accept, fileno $listener);
	}
}

sub _answer_test {
	my ($self) = @_;
	my $test = $self->{asked}->accept or return;
	$self->{does} = decode_json(readline($test) // '{}');
	print {$test} encode_json({ %{ $self->{count} }, map({ $_ => $self->{$_} } qw(sure unsure)), widows => scalar @{ $self->{widows} } }) . "\n";
	close $test;
}

sub _begin {
	my ($self, $daemon, $from) = @_;
	my $redis = $daemon && IO::Socket::UNIX->new(Peer => $self->{redis}) or return;
	$_->blocking(0) for $daemon, $redis;
	$self->{links}{ fileno $daemon } = { id => fileno $daemon, from => $from, daemon => $daemon, redis => $redis,
		kept_until => 0, passes_at => 0, slow => $self->_chance('slow'),
		map({ $_ => '' } qw(to_redis to_daemon asks tells)), owed => [], told => [] };
}

sub _chance { return rand() < ($_[0]{does}{ $_[1] } // 0) }

# False: the connection ends.
sub _from_daemon {
	my ($self, $link) = @_;
	my $length = sysread $link->{daemon}, my $bytes, 65536;
	$link->{hung_up} = defined $length ? !$length : !$!{EAGAIN};
	return !$link->{hung_up} if !$length;
	return 1 if $link->{lost};
	$link->{asks} .= $bytes;
	while (my $words = _take_request(\$link->{asks})) {
		push @{ $link->{owed} }, _amount_of(@$words);
		$self->{count}{requests}++;
	}
	$self->_pass_late($link->{from}) if $bytes =~ /EVALSHA/;
	if ($self->_chance('cut')) {
		syswrite $link->{redis}, $link->{to_redis} . substr $bytes, 0, rand length $bytes;
		@$link{qw(to_redis lost)} = ('', 1);
		shutdown $link->{redis}, 1;
		$self->{count}{cut}++;
		return 0;
	}
	$link->{to_redis} .= $bytes;
	$link->{lost} = $self->_chance('lose');
	if ($link->{lost} && rand() < 0.5) {	# it comes when the daemon has long asked again on another connection
		@$link{qw(passes_at writes)} = (time + rand 2, 1 + int rand 3);
		$self->{count}{cut}++;
		$self->{count}{delayed}++;
		return 0;
	}
	return $self->_to_redis($link);
}

# The worst moment for what comes late: the daemon has read what is there and writes, and this is done just before.
sub _pass_late {
	my ($self, $from) = @_;
	for my $link (grep { $_->{from} == $from && $_->{passes_at} > time && --$_->{writes} == 0 } @{ $self->{widows} }) {
		$link->{passes_at} = 0;
		_pass_on($link);
	}
}

# A connection that is to lose its answers goes on till the last byte of its requests was passed on.
sub _to_redis {
	my ($self, $link) = @_;
	my $length = syswrite $link->{redis}, $link->{to_redis};
	return $!{EAGAIN} if !defined $length;
	substr $link->{to_redis}, 0, $length, '';
	return 1 if !$link->{lost} || $link->{to_redis} ne '';
	$self->{count}{cut}++;
	return 0;
}

sub _from_redis {
	my ($self, $link) = @_;
	my $length = sysread $link->{redis}, my $bytes, 65536;
	return $!{EAGAIN} if !defined $length;
	return 0 if !$length;
	return 1 if $link->{lost};
	$link->{to_daemon} .= $bytes;
	my $slow_s = $link->{slow} && $link->{kept_until} <= time && $self->{does}{slow_s};
	$link->{kept_until} = time + rand $slow_s if $slow_s;
	if ($link->{kept_until} <= time && $self->_chance('keep')) {
		$link->{kept_until} = time + $self->{does}{keep_s} * (1 + 2 * rand);
		$self->{count}{kept}++;
	}
	return $link->{kept_until} > time || $self->_to_daemon($link);
}

sub _to_daemon {
	my ($self, $link) = @_;
	return 1 if $link->{lost};
	my $length = syswrite $link->{daemon}, $link->{to_daemon};
	return $!{EAGAIN} if !defined $length;
	$link->{tells} .= substr $link->{to_daemon}, 0, $length, '';
	while (my $type = _take_answer(\$link->{tells})) {
		my $amount = shift @{ $link->{owed} };
		$self->_add_sure($amount) if $type ne '-';
		push @{ $link->{told} }, [ time, $amount ] if $amount && $type ne '-';
		$self->{count}{answers}++;
	}
	shift @{ $link->{told} } while @{ $link->{told} } && $link->{told}[0][0] < time - $unread_s;
	return 1;
}

sub _add_unsure { my ($self, $amount) = @_; $self->{unsure}{ $amount->[0] } += abs $amount->[1] if $amount }

# What Redis has answered that it has done.
sub _add_sure { my ($self, $amount) = @_; $self->{sure}{ $amount->[0] } += $amount->[1] if $amount }

# The daemon's side ends. What was passed on is still done by Redis, and how much that is is seen by its answers.
sub _end {
	my ($self, $link) = @_;
	delete $self->{links}{ $link->{id} };
	$self->{count}{ended}++;
	$self->{count}{lost_answers} += @{ $link->{owed} };
	if (!_all_read($link)) {
		$self->_add_unsure($_->[1]) for grep { $_->[0] >= time - $unread_s } @{ $link->{told} };
	}
	close $link->{daemon};
	$link->{tells} .= $link->{to_daemon};
	push @{ $self->{widows} }, $link if $self->_outlives($link);
}

# A daemon that hangs up itself reads no further than an error.
sub _all_read {
	my ($link) = @_;
	my $unread = pack 'i', 0;
	return !$link->{hung_up} && ioctl($link->{daemon}, $unread_bytes, $unread) && !unpack 'i', $unread;
}

sub _pass_on {
	my ($link) = @_;
	my $length = syswrite $link->{redis}, $link->{to_redis};
	substr $link->{to_redis}, 0, $length, '' if $length;
}

# Is there more to come of a connection whose daemon is gone?
sub _outlives {
	my ($self, $link) = @_;
	_pass_on($link) if $link->{passes_at} <= time;
	my $got = sysread $link->{redis}, $link->{tells}, 65536, length $link->{tells};
	my $ended = defined $got ? !$got : !$!{EAGAIN};
	while (@{ $link->{owed} } && (my $type = _take_answer(\$link->{tells}))) {
		my $amount = shift @{ $link->{owed} };
		next if $type eq '-';
		$self->_add_sure($amount);
		$self->_add_unsure($amount);
	}
	return 1 if !$ended && @{ $link->{owed} };
	$self->_add_unsure($_) for @{ $link->{owed} };
	close $link->{redis};
	return 0;
}

# ---- Redis's protocol

# The words of a whole command, which goes from the beginning of the bytes; undef where there is none.
sub _take_request {
	my ($bytes) = @_;
	pos($$bytes) = 0;
	$$bytes =~ /\G\*(\d+)\r\n/gc or return;
	my ($count, @words) = $1;
	for (1 .. $count) {
		$$bytes =~ /\G\$(\d+)\r\n/gc or return;
		my $at = pos $$bytes;
		return if length $$bytes < $at + $1 + 2;
		push @words, substr $$bytes, $at, $1;
		pos($$bytes) = $at + $1 + 2;
	}
	substr $$bytes, 0, pos $$bytes, '';
	return \@words;
}

# Likewise a whole answer: its type.
sub _take_answer {
	my ($bytes) = @_;
	my ($wanted, $first) = (1);
	pos($$bytes) = 0;
	while ($wanted-- > 0) {
		$$bytes =~ /\G([-+:\$*])([^\r\n]*)\r\n/gc or return;
		my ($type, $rest) = ($1, $2);
		$first //= $type;
		$wanted += $rest if $type eq '*' && $rest > 0;
		next if $type ne '$' || $rest < 0;
		my $at = pos($$bytes) + $rest + 2;
		return if length $$bytes < $at;
		pos($$bytes) = $at;
	}
	substr $$bytes, 0, pos $$bytes, '';
	return $first;
}

# What a command adds to the messages of a group's day: [group, amount].
sub _amount_of {
	my ($command, $key, $field, $amount) = @_;
	return undef if $command ne 'HINCRBY' || $field ne 'messages' || $key !~ /\{(.*)\}:day:\d+\z/;
	return [ $1, $amount ];
}

1;
