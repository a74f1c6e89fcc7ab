# SPDX-License-Identifier: BSD-2-Clause
#
# Hook: a web server that takes what is posted to it and notes each request, one line of JSON; it answers as well, or as
# badly, as it is told to.

package Penstock::Hook;

use strict;
use warnings;

use JSON::PP;
use Penstock::Process qw(free_port run slurp serve_each stop_process wait_for write_file);
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep);

my %phrase = (200 => 'OK', 301 => 'Moved Permanently', 404 => 'Not Found', 429 => 'Too Many Requests',
	500 => 'Internal Server Error');

# What it does with a request that it has read whole: a word and a function of the connection.
my %fault = (
	hang => sub { sleep 3600 },
	close => sub { },
	reset => sub { setsockopt($_[0], SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) },
	trickle => sub {	# faster than a time-out without a byte, and it never ends
		for my $byte (split(//, "HTTP/1.1 200 OK\r\n"), ('x') x 100000) {
			print { $_[0] } $byte or last;
			sleep 0.1;
		}
	},
	endless => sub {
		print { $_[0] } "HTTP/1.1 500 Internal Server Error\r\n\r\n";
		1 while print { $_[0] } 'x' x 65536;
	},
	nonsense => sub { print { $_[0] } "\0\1\2 this is no HTTP\r\n\r\n" },
);

# Options: folder; tls => 1 (with a certificate of its own for 127.0.0.1, in the file `certificate`).
sub start {
	my ($class, %option) = @_;
	my $self = bless { %option, port => free_port('tcp') }, $class;
	$self->{$_} = "$option{folder}/hook-$self->{port}.$_" for qw(notes mode certificate secret);
	write_file($self->{notes}, '');
	$self->says(200);
	$self->_make_certificate if $option{tls};
	$self->{pid} = serve_each('hook', $self->{port}, sub { $self->_talk(@_) });
	return $self;
}

sub _make_certificate {
	my ($self) = @_;
	my ($status, undef, $error) = run({}, qw(openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hook -addext
		subjectAltName=IP:127.0.0.1 -keyout), $self->{secret}, '-out', $self->{certificate});
	die "openssl req: $error\n" if $status != 0;
	chmod 0644, $self->{certificate};
}

sub stop { stop_process(delete $_[0]{pid}) }

# From the next request on: a status of HTTP, or one of the faults above.
sub says {
	my ($self, $mode) = @_;
	write_file("$self->{mode}.new", $mode);
	rename "$self->{mode}.new", $self->{mode} or die "cannot rename $self->{mode}.new: $!\n";
}

# What has come so far, in order: mode (how it was answered), method, path, headers (names in small letters), body; and
# `json`, the body read.
sub requests {
	my ($self, %want) = @_;
	my @all = map { decode_json($_) } grep { /\}$/ } split /\n/, slurp($self->{notes});
	$_->{json} = eval { decode_json($_->{body}) } // {} for @all;
	return grep { my $one = $_; !grep { ($one->{json}{$_} // $one->{$_} // '') ne $want{$_} } keys %want } @all;
}

# Waits for `count` requests (1) as in `want`, members of the JSON or of the request; in scalar context the last.
sub wait {
	my ($self, $count, %want) = @_;
	my @found;
	my $words = join ' ', map { "$_=$want{$_}" } sort keys %want;
	wait_for(40, "$count requests with $words at the web server", sub {
		@found = $self->requests(%want);
		return @found >= $count;
	});
	return wantarray ? @found : $found[-1];
}

sub _talk {
	my ($self, $connection) = @_;
	if ($self->{tls}) {
		require IO::Socket::SSL;
		IO::Socket::SSL->start_SSL($connection, SSL_server => 1, SSL_cert_file => $self->{certificate},
			SSL_key_file => $self->{secret}) or return;
	}
	$connection->autoflush(1);
	my ($method, $path) = (<$connection> // '') =~ m{^(\S+) (\S+) HTTP/1} or return;
	my (%header, $body);
	while (defined(my $line = <$connection>)) {
		last if $line !~ /^([^:\s]+):\s*(.*?)\r?\n/;
		$header{ lc $1 } = $2;
	}
	read($connection, $body = '', $header{'content-length'} // 0);
	my $mode = slurp($self->{mode});
	my $note = encode_json({ mode => $mode, method => $method, path => $path, headers => \%header, body => $body });
	open(my $notes, '>>', $self->{notes}) or return;
	syswrite($notes, "$note\n");	# in one piece: sessions do not mix
	close $notes;
	if ($fault{$mode}) {
		$fault{$mode}->($connection);
	} else {
		my $more = $mode == 301 ? "Location: /moved\r\n" : $mode == 429 ? "Retry-After: 1\r\n" : '';
		print $connection "HTTP/1.1 $mode $phrase{$mode}\r\n${more}Content-Length: 3\r\nConnection: close\r\n\r\nok\n";
	}
	close $connection;
}

1;
