# SPDX-License-Identifier: BSD-2-Clause
#
# Sink: the Internet of a test: an SMTP server that takes all mail and notes where it came from, one line of JSON a
# message. It answers 550 for recipients that are named in the file beside the notes.

package Penstock::Sink;

use strict;
use warnings;

use JSON::PP;
use Penstock::Process qw(slurp serve_each stop_process wait_for write_file);

# Options: folder, port, address (127.0.0.1 where it is left out), keep_text (notes have the whole message as `text`).
sub start {
	my ($class, %option) = @_;
	my $self = bless { %option, notes => "$option{folder}/sink.json", refused => "$option{folder}/sink.refuse" }, $class;
	write_file($self->{notes}, '');
	$self->{pid} = serve_each('sink', $self->{port}, sub { $self->_talk(@_) }, $option{address});
	return $self;
}

sub stop {
	my ($self) = @_;
	stop_process($self->{pid});
}

# From now on these recipients (whole addresses) get 550.
sub refuse {
	my ($self, @recipients) = @_;
	write_file($self->{refused}, join '', map { "$_\n" } @recipients);
}

# What has come so far, in order: client, helo, from, to (list), subject, headers (text), penstock (list of lines), text where it is kept.
sub messages {
	my ($self) = @_;
	return map { decode_json($_) } grep { /\}$/ } split /\n/, slurp($self->{notes});
}

# Waits for `count` messages whose subject is `subject`; returns them, in scalar context the first.
sub wait {
	my ($self, $subject, $count, $seconds) = @_;
	my @found;
	wait_for($seconds // 30, "mail with the subject '$subject' at the receiving server", sub {
		@found = grep { $_->{subject} eq $subject } $self->messages;
		return @found >= ($count // 1);
	});
	return wantarray ? @found : $found[0];
}

sub _talk {
	my ($self, $connection) = @_;
	my %session = (client => $connection->peerhost, helo => '');
	my %message = (to => []);
	$connection->autoflush(1);
	my $say = sub { print $connection "$_[0]\r\n" };
	$say->('220 sink.example.test ESMTP');
	while (defined(my $line = <$connection>)) {
		$line =~ s/\r?\n\z//;
		if ($line =~ /^(?:EHLO|HELO)\s+(\S+)/i) {
			$session{helo} = $1;
			$say->('250 sink.example.test');
		} elsif ($line =~ /^MAIL FROM:\s*<([^>]*)>/i) {
			%message = (from => $1, to => []);
			$say->('250 2.1.0 Ok');
		} elsif ($line =~ /^RCPT TO:\s*<([^>]*)>/i) {
			my $to = $1;
			my $bad = grep { $_ eq $to } split /\n/, slurp($self->{refused});
			push @{ $message{to} }, $to if !$bad;
			$say->($bad ? '550 5.1.1 no such user here' : '250 2.1.5 Ok');
		} elsif ($line =~ /^DATA/i) {
			if (!@{ $message{to} }) {
				$say->('554 5.5.1 no valid recipients');
				next;
			}
			$say->('354 go on');
			$self->_take($connection, \%session, \%message);
			$say->('250 2.0.0 taken');
		} elsif ($line =~ /^QUIT/i) {
			$say->('221 2.0.0 Bye');
			last;
		} else {
			$say->('250 2.0.0 Ok');
		}
	}
}

sub _take {
	my ($self, $connection, $session, $message) = @_;
	my $text = '';
	while (defined(my $line = <$connection>)) {
		last if $line eq ".\r\n";
		$line =~ s/^\.//;
		$text .= $line;
	}
	$text =~ s/\r\n/\n/g;
	my ($headers) = split /\n\n/, $text, 2;
	my ($subject) = $headers =~ /^Subject: (.*)$/mi;
	my $note = encode_json({
		%$session, %$message, subject => $subject // '', headers => $headers, size => length $text,
		$self->{keep_text} ? (text => $text) : (),
		penstock => [ $headers =~ /^(X-Penstock-[^\n]*)/mgi ],
	});
	# one write, at the end of the file: sessions do not mix
	open(my $notes, '>>', $self->{notes}) or die "cannot write $self->{notes}: $!\n";
	syswrite($notes, "$note\n");
	close $notes;
}

1;
