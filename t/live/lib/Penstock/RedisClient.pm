# SPDX-License-Identifier: BSD-2-Clause
#
# RedisClient: commands to a Redis and their answers over its socket, bytes as they are: redis-cli has no zero bytes in
# its arguments and a line end behind each answer.

package Penstock::RedisClient;

use strict;
use warnings;

use IO::Socket::UNIX ();

sub connect {
	my ($class, $path) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
	binmode $socket;
	return bless { socket => $socket }, $class;
}

# A string, a number, undef for nil, or a reference to a list of these. Dies of an error.
sub ask {
	my ($self, @words) = @_;
	print { $self->{socket} } '*' . @words . "\r\n" . join '', map { '$' . length($_) . "\r\n$_\r\n" } @words;
	$self->{socket}->flush;
	return _answer_of($self->{socket});
}

sub _answer_of {
	my ($from) = @_;
	my $line = readline($from) // die "Redis closed the connection\n";
	my ($type, $rest) = $line =~ /^(.)(.*)\r\n\z/s;
	die "Redis: $rest\n" if $type eq '-';
	return $rest if $type =~ /[+:]/;
	return undef if $rest < 0;
	return [ map { _answer_of($from) } 1 .. $rest ] if $type eq '*';
	read $from, my $bytes, $rest + 2;
	return substr $bytes, 0, $rest;
}

1;
