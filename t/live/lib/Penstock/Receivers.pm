# SPDX-License-Identifier: BSD-2-Clause
#
# Receivers: mail hosts of the world, each with an address of loopback and a mind of its own. What they answer is data,
# read anew by each session:
#
#   rules   { google => [ { stage => 'rcpt', rcpt => 'nobody@..', reply => '550 5.1.1 no such user' }, ... ], ... }
#
# A rule is for one stage: greet, ehlo, mail, rcpt, data, dot (the end of DATA). The first one that fits is taken; where none
# does, mail is taken. It fits where all fit that it names:
#
#   client, from, rcpt   whole addresses; '@domain' any of that domain
#   text                 a pattern that the message has
#   times                for the first so many tries of the same client, sender and recipient: 1 is a greylist
#   over                 where more messages than these were taken of this client
#
# and does what it says: reply (lines as on the wire, the last with a blank behind its code), hangup => 1 (ends the connection
# without a word), seconds (waits first). What was taken is noted as a line of JSON, and so is each refusal.

package Penstock::Receivers;

use strict;
use warnings;

use JSON::PP;
use Penstock::Process qw(serve_each slurp stop_process wait_for write_file);
use Time::HiRes qw(sleep);

# Options: folder, port, hosts ({ name => { address => '127.0.0.101', host => 'mx.small.example' } }), rules.
sub start {
	my ($class, %option) = @_;
	my $self = bless { %option, pids => [] }, $class;
	@{$self}{qw(notes tries file)} = map { "$option{folder}/receivers.$_" } qw(json tries rules);
	write_file($self->{$_}, '') for qw(notes tries);
	$self->rules($option{rules} // {});
	for my $name (sort keys %{ $self->{hosts} }) {
		my $host = $self->{hosts}{$name};
		push @{ $self->{pids} }, serve_each($name, $self->{port}, sub { $self->_talk($name, $_[0]) }, $host->{address});
	}
	return $self;
}

sub stop {
	my ($self) = @_;
	stop_process($_) for splice @{ $self->{pids} };
}

# Lines of /etc/hosts for those whose names Postfix shall know.
sub hosts_text {
	my (%hosts) = @_;
	return join '', map { "$hosts{$_}{address} $hosts{$_}{host}\n" } sort keys %hosts;
}

# From now on these rules are in force: { name => [ rule, ... ] }.
sub rules {
	my ($self, $rules) = @_;
	write_file("$self->{file}.new", encode_json($rules));
	rename "$self->{file}.new", $self->{file} or die "cannot rename $self->{file}.new: $!\n";
}

# What was taken or refused so far, in order: receiver, client, helo, from; of what was taken to (list), subject, headers
# (text), penstock (list of lines); of a refusal stage, reply, rcpt.
sub notes {
	my ($self) = @_;
	return map { decode_json($_) } grep { /\}$/ } split /\n/, slurp($self->{notes});
}

sub taken { grep { !defined $_->{stage} } $_[0]->notes }

sub refusals { grep { defined $_->{stage} } $_[0]->notes }

# Waits for `count` messages with this subject; returns them, in scalar context the first.
sub wait {
	my ($self, $subject, $count, $seconds) = @_;
	my @found;
	wait_for($seconds // 30, "mail with the subject '$subject' at a receiver", sub {
		@found = grep { $_->{subject} eq $subject } $self->taken;
		return @found >= ($count // 1);
	});
	return wantarray ? @found : $found[0];
}

# Waits for `count` refusals that have these fields.
sub wait_refusals {
	my ($self, $count, %want) = @_;
	my @found;
	wait_for(30, "$count refusals with @{[ %want ]}", sub {
		@found = grep { my $note = $_; !grep { ($note->{$_} // '') ne $want{$_} } keys %want } $self->refusals;
		return @found >= $count;
	});
	return @found;
}

# One write, at the end of the file: sessions do not mix.
sub _append {
	my ($file, $line) = @_;
	open(my $out, '>>', $file) or die "cannot write $file: $!\n";
	syswrite($out, "$line\n");
	close $out;
}

sub _address_fits {
	my ($want, $address) = @_;
	return $want =~ /^@/ ? lc(substr $address, -length $want) eq lc $want : lc $want eq lc $address;
}

# How often this try was seen before; it is one more now.
sub _tried {
	my ($self, $session, $number) = @_;
	my $try = join ' ', $number, map { $session->{$_} // '' } qw(receiver client from rcpt);
	my $before = grep { $_ eq $try } split /\n/, slurp($self->{tries});
	_append($self->{tries}, $try);
	return $before;
}

sub _rule {
	my ($self, $stage, $session) = @_;
	my $number = 0;
	for my $rule (@{ $session->{rules} }) {
		$number++;
		next if $rule->{stage} ne $stage;
		next if grep { defined $rule->{$_} && !_address_fits($rule->{$_}, $session->{$_} // '') } qw(client from rcpt);
		next if defined $rule->{text} && $session->{text} !~ /$rule->{text}/;
		next if defined $rule->{over} && $rule->{over} >=
			grep { $_->{client} eq $session->{client} && $_->{receiver} eq $session->{receiver} } $self->taken;
		next if defined $rule->{times} && $self->_tried($session, $number) >= $rule->{times};
		return $rule;
	}
	return undef;
}

# Says what the rules or else `fine` say. True: go on, as if it were taken. Undefined: the connection has to end.
sub _say {
	my ($self, $connection, $stage, $session, $fine) = @_;
	return $self->_say_rule($connection, $stage, $session, $self->_rule($stage, $session), $fine);
}

sub _say_rule {
	my ($self, $connection, $stage, $session, $rule, $fine) = @_;
	sleep $rule->{seconds} if $rule && $rule->{seconds};
	my $reply = $rule ? $rule->{reply} : undef;
	if ($rule && ($rule->{hangup} || defined $reply && $reply !~ /^2/)) {
		_append($self->{notes}, encode_json({ stage => $stage, reply => $reply // '',
			map { $_ => $session->{$_} // '' } qw(receiver client helo from rcpt) }));
	}
	return if $rule && $rule->{hangup};
	$reply //= $fine;
	print $connection map { "$_\r\n" } split /\n/, $reply;
	return if $reply =~ /^421/;
	return $reply =~ /^[23]/ ? 1 : 0;
}

sub _talk {
	my ($self, $name, $connection) = @_;
	my %session = (receiver => $name, client => $connection->peerhost, helo => '',
		rules => decode_json(slurp($self->{file}))->{$name} // []);
	my $host = $self->{hosts}{$name}{host};
	$connection->autoflush(1);
	my $greeted = $self->_say($connection, 'greet', \%session, "220 $host ESMTP") // return;
	my @to;
	while (defined(my $line = <$connection>)) {
		my $went = 1;
		$line =~ s/\r?\n\z//;
		if ($line =~ /^QUIT/i) {
			print $connection "221 2.0.0 Bye\r\n";
			last;
		} elsif (!$greeted) {
			print $connection "503 5.5.1 go away\r\n";
		} elsif ($line =~ /^(?:EHLO|HELO)\s+(\S+)/i) {
			$session{helo} = $1;
			$went = $self->_say($connection, 'ehlo', \%session, "250 $host");
		} elsif ($line =~ /^MAIL FROM:\s*<([^>]*)>/i) {
			@session{qw(from rcpt)} = ($1, '');
			@to = ();
			$went = $self->_say($connection, 'mail', \%session, '250 2.1.0 Ok');
		} elsif ($line =~ /^RCPT TO:\s*<([^>]*)>/i) {
			$session{rcpt} = $1;
			$went = $self->_say($connection, 'rcpt', \%session, '250 2.1.5 Ok');
			push @to, $1 if $went;
		} elsif ($line =~ /^DATA/i) {
			$went = $self->_data($connection, \%session, \@to);
		} else {
			@to = () if $line =~ /^RSET/i;
			print $connection "250 2.0.0 Ok\r\n";
		}
		last if !defined $went;
	}
}

sub _data {
	my ($self, $connection, $session, $to) = @_;
	if (!@$to) {
		print $connection "554 5.5.1 no valid recipients\r\n";
		return 0;
	}
	my $went = $self->_say($connection, 'data', $session, '354 go on');
	return $went if !$went;
	my ($text, $ended) = ('', 0);
	while (defined(my $line = <$connection>)) {
		$ended = 1, last if $line eq ".\r\n";
		$line =~ s/^\.//;
		$text .= $line;
	}
	return if !$ended;
	$text =~ s/\r\n/\n/g;
	my ($headers) = split /\n\n/, $text, 2;
	my ($subject) = $headers =~ /^Subject: (.*)$/mi;
	my %note = (%$session, to => [@$to], subject => $subject // '', headers => $headers, size => length $text,
		penstock => [ $headers =~ /^(X-Penstock-[^\n]*)/mgi ]);
	delete @note{qw(rules rcpt)};
	$session->{text} = $text;
	# noted before it is said: who hears that it was taken finds the note
	my $rule = $self->_rule('dot', $session);
	_append($self->{notes}, encode_json(\%note)) if !$rule || ($rule->{reply} // ($rule->{hangup} ? '5' : '2')) =~ /^2/;
	return $self->_say_rule($connection, 'dot', $session, $rule, '250 2.0.0 taken');
}

1;
