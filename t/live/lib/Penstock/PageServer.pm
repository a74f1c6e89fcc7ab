# SPDX-License-Identifier: BSD-2-Clause
#
# PageServer: serves the page of block lists with answers that a test made up: slow ones, broken ones, hostile ones.
# What the daemon itself can be brought to is shown with the daemon.

package Penstock::PageServer;

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP;
use Penstock::Process qw(free_port slurp start_code stop_process wait_for);
use Time::HiRes qw(sleep);

my $json = JSON::PP->new->canonical->utf8;
my %page = (
	'/rbl' => ['rbl.html', 'text/html; charset=utf-8'],
	'/rbl.css' => ['rbl.css', 'text/css; charset=utf-8'],
	'/rbl.js' => ['rbl.js', 'text/javascript; charset=utf-8'],
	'/rbl_view.js' => ['rbl_view.js', 'text/javascript; charset=utf-8'],
	'/favicon.svg' => ['favicon.svg', 'image/svg+xml'],
);
our $policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
	. "base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

# Options: page (folder), answer (called with the query and a Penstock::PageServer::Stream).
sub start {
	my ($class, %option) = @_;
	my $self = bless { %option, port => free_port('tcp') }, $class;
	my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $self->{port}, Proto => 'tcp',
		Listen => 32, ReuseAddr => 1) or die "cannot listen at port $self->{port}: $!\n";
	$self->{pid} = start_code('page server', sub { $self->_serve($listen) });
	close $listen;
	$self->{url} = "http://127.0.0.1:$self->{port}";
	return $self;
}

sub stop { stop_process($_[0]{pid}) }

sub _serve {
	my ($self, $listen) = @_;
	$SIG{CHLD} = 'IGNORE';
	$SIG{PIPE} = 'IGNORE';
	while (1) {
		my $client = $listen->accept or next;
		my $pid = fork // next;
		if ($pid) {
			close $client;
			next;
		}
		close $listen;
		eval { $self->_answer($client); 1 } or warn $@;
		POSIX::_exit(0);
	}
}

sub _answer {
	my ($self, $client) = @_;
	my ($path) = (<$client> // '') =~ m{^GET (\S+) } or return;
	while (defined(my $line = <$client>)) {
		last if $line =~ /^\r?\n/;
	}
	my ($file, $query) = split /\?/, $path, 2;
	if ($page{$file}) {
		my ($name, $type) = @{ $page{$file} };
		my $text = slurp("$self->{page}/$name");
		print $client "HTTP/1.1 200 OK\r\nContent-Type: $type\r\nContent-Length: " . length($text)
			. "\r\nContent-Security-Policy: $policy\r\nConnection: close\r\n\r\n$text";
	} elsif ($file eq '/api/v1/rbl') {
		my ($asked) = ($query // '') =~ /(?:^|&)q=([^&]*)/;
		$asked = '' if !defined $asked;
		$asked =~ tr/+/ /;
		$asked =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
		$self->{answer}->($asked, bless { client => $client }, 'Penstock::PageServer::Stream');
	} else {
		print $client "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	}
	close $client;
}


package Penstock::PageServer::Stream;

use Time::HiRes ();

# A refusal: status, sentence, further header lines.
sub refuse {
	my ($self, $status, $error, @headers) = @_;
	my $text = $json->encode({ error => $error });
	print { $self->{client} } join("\r\n", "HTTP/1.1 $status Refused", 'Content-Type: application/json', @headers,
		'Content-Length: ' . length $text, 'Connection: close', '', $text);
}

# One line of the stream; a string is sent as it is.
sub say {
	my ($self, $line) = @_;
	my $client = $self->{client};
	my $text = (ref $line ? $json->encode($line) : $line) . "\n";
	if (!$self->{begun}++) {
		print $client "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
	}
	printf $client "%x\r\n%s\r\n", length $text, $text;
	$client->flush;
}

sub list {
	my ($self, $subject, $name, $said, %more) = @_;
	$self->say({ type => 'list', subject => $subject, list => $name, zone => "$name.example", said => $said, kind => undef,
		codes => [], weight => 1, why => '', site => undef, removal => undef, terms => undef,
		cached => JSON::PP::false, ms => 12, %more });
}

sub pause { Time::HiRes::sleep($_[1]) }

# Ends it as it should be; without this the stream is cut.
sub end {
	my ($self, %sums) = @_;
	$self->say({ type => 'end', subjects => 1, listed => 0, clean => 0, unknown => 0, weight => 0, ms => 1, error => undef, %sums });
	print { $self->{client} } "0\r\n\r\n";
}

1;
