# SPDX-License-Identifier: BSD-2-Clause
#
# MilterSession: one SMTP session as an MTA tells it to a milter, a step at a time, so that one thread can have many of
# them under way. The protocol itself is t/eval/Mta.pm's.

package Penstock::MilterSession;

use strict;
use warnings;

use IO::Socket::UNIX ();
use Mta;
use Socket qw(inet_pton AF_INET AF_INET6);

our @ISA = 'Mta';

my $all_steps = 0x1fffff;

# Options: path of the socket, client (address), injected, login, certificate, host, answers (it wants each answer).
sub start {
	my ($class, %option) = @_;
	my $self = bless { %option, in => '', added => {}, held => 0 }, $class;
	$self->{socket} = IO::Socket::UNIX->new(Peer => $self->{path}) or die "$self->{path}: $!\n";
	$self->say(Mta::packet('O', pack 'NNN', 6, 0x1ff, $self->{answers} ? 0 : $all_steps));
	my (undef, $data) = $self->read_packet;
	$self->{steps} = (unpack 'NNN', $data)[2];
	my $address = $self->{injected} ? '127.0.0.1' : $self->{client};
	my $family = $address =~ /:/ ? '6' : '4';
	$self->say(Mta::macros('C', 'j', $self->{host}, '{daemon_name}', $self->{host}, 'v', 'Postfix 3.7.11')
		. Mta::packet('C', "unknown\0$family" . pack('n', $self->{injected} ? 0 : 40000) . "$address\0"));
	$self->answer('C');
	$self->step('H', "mail.example.org\0");
	return $self;
}

sub step {
	my ($self, $command, $data, @macros) = @_;
	$self->say((@macros ? Mta::macros($command, @macros) : '') . Mta::packet($command, $data));
	return $self->answer($command);
}

sub mail {
	my ($self, $from) = @_;
	my @macros = ('{mail_addr}', $from, '{mail_mailer}', 'smtp');
	push @macros, '{auth_type}', 'PLAIN', '{auth_authen}', $self->{login} if defined $self->{login};
	push @macros, '{cert_subject}', $self->{certificate} if defined $self->{certificate};
	@$self{qw(held added)} = (0, {});
	return $self->step('M', "<$from>\0", @macros);
}

sub rcpt {
	my ($self, $id, $rcpt, $mailer) = @_;
	return $self->step('R', "<$rcpt>\0", 'i', $id, '{rcpt_addr}', $rcpt, '{rcpt_mailer}', $mailer);
}

sub data {
	my ($self, $id) = @_;
	return ('c', '') if $self->{steps} & 0x200;
	return $self->step('T', '', 'i', $id);
}

sub header { return $_[0]->step('L', "$_[1]\0$_[2]\0") }
sub header_end { return $_[0]->step('N', '') }

sub body {
	my ($self, $body) = @_;
	$self->step('B', $_) for unpack '(a65535)*', $body;
}

# The end of a message is said and its answer read apart: in between other sessions may say theirs.
sub end_said { return $_[0]->say(Mta::macros('E', 'i', $_[1]) . Mta::packet('E', '')) }

sub end_answer {
	my ($self) = @_;
	my ($letter, $text) = $self->answer('E');
	return ($letter =~ /^[ac]\z/ ? $self->{held} ? 'hold' : 'pass' : 'refused', $text);
}

sub reset_message { return $_[0]->say(Mta::packet('A', '')) }

sub quit {
	my ($self) = @_;
	$self->say(Mta::packet('Q', ''));
	close $self->{socket};
}

# The MTA is gone, whatever it was about.
sub drop { close $_[0]{socket} }

1;
