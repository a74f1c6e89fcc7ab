#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Strangers at the HTTP listener: heads that others read in another way, requests for other hosts, crowds that trickle.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use Penstock::Daemon;
use Penstock::Live qw(part);
use Penstock::Process qw(free_port wait_for);
use Penstock::Web qw(ask dial error_of hear is_closed parse say_request);
use Test::More;

$SIG{PIPE} = 'IGNORE';
my $folder = File::Temp::tempdir('penstock-strangers-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
my $port = $Penstock::Web::port = free_port('tcp');
my $config = {
	user => '',
	milter => { socket => "unix:$folder/milter.sock" },
	log => { target => 'stderr' },
	http => { listen => "127.0.0.1:$port" },
	control => { socket => "$folder/control.sock" },
	socketmap => { listen => '' },
	redis => { server => "unix:$folder/no-redis.sock" },
	dns => { servers => ['127.0.0.1:' . free_port('udp')] },
	catalogue => { file => '' },
};
my $daemon = Penstock::Daemon->new(folder => $folder, build => $ENV{PENSTOCK_BUILD} // $Penstock::Live::source, config => $config);
$daemon->start;

# Puts other options of http in force.
sub reload {
	my ($http) = @_;
	my $count = () = $daemon->log_text =~ /is in force$/mg;
	$daemon->{config} = { %$config, http => { %{ $config->{http} }, %$http } };
	$daemon->write_config;
	$daemon->reload;
	wait_for(20, 'the reload', sub { (() = $daemon->log_text =~ /is in force$/mg) > $count });
}

sub closed { $daemon->metrics->{"penstock_connections_closed_total{server=\"http\",why=\"$_[0]\"}"} }

# Behind a proxy the request after it would be answered to somebody else.
part 'a body is no second request' => sub {
	my $inner = "GET /rbl.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
	for my $head ('Content-Length: ' . length $inner, "Content-Length: 0\r\nContent-Length: " . length $inner,
		'Transfer-Encoding: chunked') {
		for my $method (qw(GET HEAD)) {
			my $socket = dial();
			syswrite $socket, "$method /health HTTP/1.1\r\nHost: 127.0.0.1\r\n$head\r\n\r\n$inner";
			my $text = hear($socket);
			my @answers = $text =~ m{^HTTP/1\.1 (\d+)}mg;
			is_deeply \@answers, [413], "$method, $head" =~ s/\r\n/, /r;
		}
	}
};

# What others may read in another way than evhttp does.
part 'heads that are not as RFC 9112 has them' => sub {
	my $metric = 'penstock_http_refused_total{why="malformed"}';
	my $before = $daemon->metrics->{$metric} // 0;
	my $host = "Host: 127.0.0.1\r\n";
	my @heads = (
		['a blank before the colon', "${host}Content-Length : 5\r\n", qr/header name/],
		['a tab before it', "${host}Transfer-Encoding\t: chunked\r\n", qr/header name/],
		['an odd name', "${host}X(y): z\r\n", qr/header name/],
		['a line that goes on', "${host}X: y\r\n z\r\n", qr/goes on/],
		['a length that goes on', "${host}X: y\r\n Content-Length: 5\r\n", qr/goes on/],
		['CR alone', "${host}X: y\r Content-Length: 5\r\n", undef],	# which evhttp refuses itself
		['LF alone', "${host}X: y\nZ: a\r\n", qr/LF without CR/],
		['NUL', "${host}X: y\0z\r\n", qr/control character/],
		['two Hosts', "${host}host: localhost\r\n", qr/more than one Host/],
		['no Host', "X: y\r\n", qr/no Host/],
	);
	for my $row (@heads) {
		my ($name, $headers, $says) = @$row;
		for my $method (qw(GET HEAD)) {
			my $socket = dial();
			syswrite $socket, "$method /health HTTP/1.1\r\n$headers\r\nGET /rbl.css HTTP/1.1\r\n$host\r\n";
			my $text = hear($socket);
			is_deeply [ $text =~ m{^HTTP/1\.1 (\d+)}mg ], [400], "$method: $name";
			like error_of(parse($text)), $says, '... in words' if $says && $method eq 'GET';
		}
	}
	for my $line ('GET  /health HTTP/1.1', 'GET /health x HTTP/1.1', 'GET /health HTTP/1.7', 'GET /health') {
		my $socket = dial();
		syswrite $socket, "$line\r\n$host\r\n";
		unlike hear($socket), qr{^HTTP/1\.\d 2}m, $line;
	}
	cmp_ok $daemon->metrics->{$metric}, '>=', $before + 2 * grep({ $_->[2] } @heads), 'they are counted';
	my $old = dial();
	syswrite $old, "GET /health HTTP/1.0\r\n\r\n";
	like hear($old), qr{^HTTP/1\.\d 200 }, 'HTTP/1.0 needs no Host';
};

# A page of somebody else's in the browser of an admin, whose name now leads to this address (DNS rebinding).
part 'requests for another host' => sub {
	my $metric = 'penstock_http_refused_total{why="host"}';
	my $before = $daemon->metrics->{$metric} // 0;
	is ask('/health', host => $_)->{status}, 200, $_ for "127.0.0.1:$port", '[::1]:80', 'localhost', "LOCALHOST:$port", '192.0.2.7';
	for my $host ('evil.example', "evil.example:$port", '127.0.0.1.evil.example', '', 'localhost.evil.example') {
		for my $path ('/health', '/metrics', '/rbl', '/api/v1/rbl?q=1.2.3.4', '/nowhere') {
			my $answer = ask($path, host => $host);
			is $answer->{status}, 421, "$host$path";
			like error_of($answer), qr/for the host "\Q$host\E"; expected .* http\.hosts\.$/, '... is told what would do';
		}
	}
	my $target = ask('http://evil.example/health');
	is $target->{status}, 421, 'the host in the target counts, too';
	is $daemon->metrics->{$metric}, $before + 26, 'they are counted';
	reload({ hosts => ['lists.example.com'], proxies => ['127.0.0.1'] });
	is ask('/health', host => 'Lists.example.com:443')->{status}, 200, 'a name of http.hosts';
	is ask('/health', host => 'evil.example')->{status}, 421, 'also a proxy must say one of ours';
	reload({});
	is ask('/health', host => 'lists.example.com')->{status}, 421, 'a reload takes it back';
};

part 'who trickles keeps nobody out' => sub {
	my ($peer, $full) = map { closed($_) } qw(peer full);
	my $trickle = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ";
	my @own;
	for my $number (1 .. 64) {
		push @own, dial(from => '127.0.2.1');
		syswrite $own[-1], $trickle;
	}
	is ask('/health', from => '127.0.2.1')->{status}, 200, 'one address with 64 connections is still answered itself';
	wait_for(10, 'the first to be closed', sub { is_closed($own[0]) });
	my @closed = grep { is_closed($_) } @own;
	cmp_ok scalar @closed, '>=', 48, 'it has 16 at most';
	ok !is_closed($own[-1]), '... its newest';
	is closed('peer'), $peer + @closed, '... and that is counted';
	my @crowd = map { dial(from => "127.0.3.$_") } 1 .. 80;
	syswrite $_, $trickle for @crowd;
	is ask('/health', from => '127.0.4.1')->{status}, 200, 'when eighty trickle, each from its own, the next is answered';
	is ask('/health', from => '127.0.3.80')->{status}, 200, '... whoever it is';
	wait_for(10, 'the first to be closed', sub { is_closed($crowd[0]) });
	ok !is_closed($crowd[-1]), 'the oldest went, not the newest';
	cmp_ok closed('full'), '>=', $full + 30, '... and that is counted';
	syswrite $crowd[-1], "y\r\n\r\n";
	like hear($crowd[-1], sub { $_[0] =~ /\r\n\r\n/ }), qr{^HTTP/1\.1 200 }, 'who trickles to the end is answered, too';
};

part 'who does not read keeps nobody out' => sub {
	my $before = closed('full');
	my $many = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" x 200;
	my @crowd = map { dial(from => "127.0.3.$_", buffer => 4096) } 1 .. 64;
	syswrite $_, $many for @crowd;
	is ask('/health', from => '127.0.4.1')->{status}, 200, 'sixty-four ask for more than they read: the next is answered';
	is ask('/metrics', from => '127.0.4.1')->{status}, 200, '... and the one after it';
	cmp_ok closed('full'), '>', $before, '... for which one of them was closed';
};

is $daemon->stop, 0, 'the end';
unlike $daemon->log_text, qr/Sanitizer|runtime error/, 'nothing was amiss';
done_testing;
