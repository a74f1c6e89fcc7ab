# SPDX-License-Identifier: BSD-2-Clause
package Penstock::Web;

# A client of the daemon's HTTP listener that is made of bytes, and so may say what no library would.

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;
use JSON::PP;
use Socket qw(SOL_SOCKET SO_RCVBUF);

our @EXPORT_OK = qw(ask dial error_of hear is_closed parse say_request);
our $port;	# of the listener on 127.0.0.1

sub dial {
	my (%option) = @_;
	my $socket = IO::Socket::INET->new(Proto => 'tcp', LocalAddr => $option{from} // '127.0.0.1') or die "socket: $!\n";
	setsockopt($socket, SOL_SOCKET, SO_RCVBUF, pack 'i', $option{buffer}) if $option{buffer};
	connect($socket, Socket::pack_sockaddr_in($port, Socket::inet_aton('127.0.0.1'))) or die "connect: $!\n";
	return $socket;
}

sub say_request {
	my ($socket, $path, %option) = @_;
	my $method = $option{method} // 'GET';
	my $text = join "\r\n", "$method $path HTTP/1.1", 'Host: ' . ($option{host} // '127.0.0.1'), @{ $option{headers} // [] }, '', '';
	syswrite $socket, $text;
	return $socket;
}

# Reads until `done` holds of all that came (the end of the connection without one).
sub hear {
	my ($socket, $done) = @_;
	my $text = '';
	while (!$done || !$done->($text)) {
		my $bits = '';
		vec($bits, fileno($socket), 1) = 1;
		die "no more came after: $text\n" if !select($bits, undef, undef, 30);
		last if !sysread $socket, $text, 65536, length $text;
	}
	return $text;
}

# { status, headers (lower case), body, whole (its end was there) }
sub parse {
	my ($text) = @_;
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my ($first, @lines) = split /\r\n/, $head;
	my %answer = (status => (split / /, $first)[1], headers => { map { /^([^:]+): (.*)/ ? (lc $1 => $2) : () } @lines });
	@answer{qw(body whole)} = ($body, 1);
	return \%answer if ($answer{headers}{'transfer-encoding'} // '') ne 'chunked';
	@answer{qw(body whole)} = ('', 0);
	while ($body =~ s/^([0-9a-f]+)\r\n//i && !$answer{whole}) {
		my $length = hex $1;
		$answer{whole} = 1 if !$length;
		$answer{body} .= substr $body, 0, $length + 2, '';
		$answer{body} =~ s/\r\n\z//;
	}
	return \%answer;
}

sub ask {
	my ($path, %option) = @_;
	push @{ $option{headers} }, 'Connection: close';
	my $socket = say_request(dial(%option), $path, %option);
	return parse(hear($socket));
}

sub error_of { eval { decode_json($_[0]{body})->{error} } // '' }

# Is the connection at an end, whatever came before?
sub is_closed {
	my ($socket) = @_;
	my $bits = '';
	vec($bits, fileno($socket), 1) = 1;
	return select($bits, undef, undef, 0) && !sysread $socket, my $text, 65536;
}

1;
