# SPDX-License-Identifier: BSD-2-Clause
#
# Mta: the MTA's side of the milter protocol for one message at a time: what a Postfix submission service says of a
# session with a login, and what the milter answers. A session each message.
package Mta;

use strict;
use warnings;

use IO::Socket::UNIX ();

my %no_reply = (C => 0x1000, H => 0x2000, M => 0x4000, R => 0x8000, D => 0x10000, L => 0x80, N => 0x40000, B => 0x80000);
my $all_steps = 0x1fffff;
my %action = (a => 'pass', c => 'pass', r => 'reject', t => 'defer', y => 'reject', d => 'discard');

sub new
{
	my ($class, $path) = @_;
	return bless { path => $path }, $class;
}

sub packet
{
	my ($command, $data) = @_;
	return pack('N', 1 + length $data) . $command . $data;
}

sub macros
{
	my ($command, @pairs) = @_;
	return packet('D', $command . join '', map { "$_\0" } @pairs);
}

sub say { syswrite($_[0]{socket}, $_[1]) // die "the milter is gone: $!\n" }

sub take
{
	my ($self, $length) = @_;
	while (length $self->{in} < $length) {
		sysread($self->{socket}, $self->{in}, 65536, length $self->{in}) or die "the milter closed the connection\n";
	}
	return substr $self->{in}, 0, $length, '';
}

sub read_packet
{
	my ($self) = @_;
	my $length = unpack 'N', $self->take(4);
	my $packet = $self->take($length);
	return (substr($packet, 0, 1), substr $packet, 1);
}

# Edits are kept; the answer that ends the step comes back: its letter and its text.
sub answer
{
	my ($self, $command) = @_;
	return ('c', '') if $self->{steps} & ($no_reply{$command} // 0);
	while (1) {
		my ($letter, $data) = $self->read_packet;
		next if $letter eq 'p';
		return ($letter, $data) if $letter =~ /^[acrtyd]$/;
		$self->{held} = 1 if $letter eq 'q';
		my ($name, $value) = $letter =~ /^[im]$/ ? split(/\0/, substr $data, 4) : $letter eq 'h' ? split(/\0/, $data) : next;
		$self->{added}{ lc $name } = $value if defined $value;
	}
}

sub result
{
	my ($self, $letter, $text) = @_;
	my $action = $action{$letter};
	$action = 'defer' if $letter eq 'y' && $text =~ /^4/;
	$action = 'hold' if $action eq 'pass' && $self->{held};
	$self->say(packet('Q', ''));
	close $self->{socket};
	return { action => $action, text => $text =~ s/\0.*//sr, transport => $self->{added}{'x-penstock-pool'} // '', spam => defined $self->{added}{'x-spam'},
		 rcpts => $self->{rcpts} };
}

# $message: account, client, helo, from, rcpts, id, header, body. Returns action (pass, hold, defer, reject), text,
# transport, rcpts (those that were taken).
sub send
{
	my ($self, $message) = @_;
	my $socket = $self->{socket} = IO::Socket::UNIX->new(Peer => $self->{path}) or die "$self->{path}: $!\n";
	@$self{qw(in held added rcpts)} = ('', 0, {}, 0);
	$self->say(packet('O', pack 'NNN', 6, 0x1ff, $all_steps));
	my ($letter, $data) = $self->read_packet;
	$self->{steps} = (unpack 'NNN', $data)[2];
	my ($client, $host) = ($message->{client}, 'mail.example.com');
	$self->say(macros('C', 'j', $host, '{daemon_name}', $host, 'v', 'Postfix 3.7.11', '_', "unknown [$client]")
		. packet('C', "unknown\0" . ($client =~ /:/ ? '6' : '4') . pack('n', 40000) . ($client =~ /:/ ? "IPv6:$client\0" : "$client\0")));
	$self->answer('C');
	$self->say(packet('H', "$message->{helo}\0"));
	$self->answer('H');
	$self->say(macros('M', '{auth_type}', 'PLAIN', '{auth_authen}', $message->{account}, '{mail_addr}', $message->{from},
			  '{mail_host}', 'example.com', '{mail_mailer}', 'smtp') . packet('M', "<$message->{from}>\0"));
	my @said = $self->answer('M');
	return $self->result(@said) if $said[0] ne 'c';
	@said = $self->recipients($message);
	return $self->result(@said) if !$self->{rcpts};
	return $self->content($message);
}

sub recipients
{
	my ($self, $message) = @_;
	my @refused;
	for my $rcpt (@{ $message->{rcpts} }) {
		$self->say(macros('R', ($self->{rcpts} ? ('i', $message->{id}) : ()), '{rcpt_addr}', $rcpt, '{rcpt_host}',
				  $rcpt =~ s/.*@//r, '{rcpt_mailer}', 'smtp') . packet('R', "<$rcpt>\0"));
		my @said = $self->answer('R');
		$said[0] eq 'c' ? $self->{rcpts}++ : (@refused = @said);
	}
	return @refused;
}

sub content
{
	my ($self, $message) = @_;
	my $out = '';
	if (!($self->{steps} & 0x200)) {	# it wants DATA
		$self->say(macros('T', 'i', $message->{id}) . packet('T', ''));
		$self->answer('D');
	}
	for my $field (@{ $message->{header} }) {
		$out .= packet('L', "$field->[0]\0$field->[1]\0");
	}
	if (!($self->{steps} & $no_reply{L})) {
		$self->say($_), $self->answer('L') for map { packet('L', "$_->[0]\0$_->[1]\0") } @{ $message->{header} };
		$out = '';
	}
	$self->say($out . macros('N', 'i', $message->{id}) . packet('N', ''));
	$self->answer('N');
	for (my $at = 0; $at < length $message->{body}; $at += 65535) {
		$self->say(packet('B', substr $message->{body}, $at, 65535));
		my @said = $self->answer('B');
		return $self->result(@said) if $said[0] ne 'c';
	}
	$self->say(macros('E', 'i', $message->{id}) . packet('E', ''));
	return $self->result($self->answer('E'));
}

1;
