#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Block lists looked up by HTTP: the stream and the document, bad queries, limits of rate, clients that do not read or
# hang up, many at once. A DNS server of our own stands for all lists; it answers some only when the test lets it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../eval";
use File::Temp;
use IO::Socket::INET;
use JSON::PP;
use Penstock::Daemon;
use Penstock::Live qw(part);
use Penstock::MilterSession;
use Penstock::Process qw(free_port start_code wait_for write_file);
use Penstock::Web qw(ask dial error_of hear is_closed parse say_request);
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;

my $folder = File::Temp::tempdir('penstock-web-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
my ($port, $dns_port) = (free_port('tcp'), free_port('udp'));
$Penstock::Web::port = $port;
my ($go, $seen) = ("$folder/go", "$folder/seen");
my $noisy = 20;

# ---- lists and a name: *.many.* has twenty addresses; yesN names every address and says much; no names none; held says nothing until the file `go` is there.

sub labels {
	my ($packet) = @_;
	my ($at, @labels) = (12);
	while (my $length = unpack 'C', substr $packet, $at, 1) {
		push @labels, substr $packet, $at + 1, $length;
		$at += 1 + $length;
	}
	return (substr($packet, 12, $at + 5 - 12), @labels);
}

sub dns_answer {
	my ($packet) = @_;
	my ($question, @labels) = labels($packet);
	my $type = unpack 'n', substr $question, -4, 2;
	my $data = '';
	if (($labels[-2] // '') =~ /^yes/) {
		$data = pack 'C4', 127, 0, 0, 2 if $type == 1;
		$data = "\xfa" . 'x' x 250 if $type == 16;
	}
	if (($labels[-2] // '') eq 'many' && $type == 1) {
		my $all = join '', map { pack 'n3 N n C4', 0xc00c, 1, 1, 60, 4, 1, 7, 0, $_ } 1 .. 20;
		return substr($packet, 0, 2) . pack('n5', 0x8180, 1, 20, 0, 0) . $question . $all;
	}
	my $head = substr($packet, 0, 2) . pack('n5', $data eq '' ? 0x8183 : 0x8180, 1, $data eq '' ? 0 : 1, 0, 0);
	return $head . $question . ($data eq '' ? '' : pack('n3 N n', 0xc00c, $type, 1, 60, length $data) . $data);
}

sub serve_dns {
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $dns_port, Proto => 'udp') or die "bind: $!\n";
	setsockopt($socket, SOL_SOCKET, SO_RCVBUF, 1 << 20);
	my (@held, %asked);
	while (1) {
		if (-e $go) {
			send($socket, dns_answer($_->[0]), 0, $_->[1]) for splice @held;
		}
		my $bits = '';
		vec($bits, fileno($socket), 1) = 1;
		next if !select($bits, undef, undef, 0.05);
		my $from = recv($socket, my $packet, 1500, 0) // next;
		my (undef, @labels) = labels($packet);
		if (($labels[-2] // '') eq 'held' && !-e $go) {
			push @held, [ $packet, $from ];
			next;
		}
		send($socket, dns_answer($packet), 0, $from);
		next if ($labels[-2] // '') ne 'yes1' || $asked{"@labels[0 .. 3]"}++;
		write_file($seen, scalar keys %asked);	# addresses
	}
}

start_code('lists', \&serve_dns);

my $config = {
	user => '',
	milter => { socket => "unix:$folder/milter.sock" },
	log => { target => 'stderr' },
	http => { listen => "127.0.0.1:$port" },
	control => { socket => "$folder/control.sock" },
	socketmap => { listen => '' },
	redis => { server => "unix:$folder/no-redis.sock" },
	dns => { servers => ["127.0.0.1:$dns_port"], timeout_ms => 25000 },
	catalogue => { file => '' },
};
my @no = { zone => 'no.test', kind => 'spam', test => 'false' };
my @held = { zone => 'held.test', kind => 'spam', test => 'false' };
my @yes = map { { zone => "yes$_.test", kind => 'spam', test => 'false' } } 1 .. $noisy;
my $daemon = Penstock::Daemon->new(folder => $folder, build => $ENV{PENSTOCK_BUILD} // $Penstock::Live::source,
	config => { %$config, blocklists => [ @no, @yes[ 0 .. 1 ] ] });
$daemon->start;

# Puts other lists and options of http in force.
sub reload {
	my ($http, @lists) = @_;
	my $count = () = $daemon->log_text =~ /is in force$/mg;
	$daemon->{config} = { %$config, http => { %{ $config->{http} }, %$http }, blocklists => \@lists };
	$daemon->write_config;
	$daemon->reload;
	wait_for(20, 'the reload', sub { (() = $daemon->log_text =~ /is in force$/mg) > $count });
}

sub lines { map { decode_json($_) } split /\n/, $_[0]{body} }
sub running { $daemon->metrics->{'penstock_rbl_checks_running{by="http"}'} }
sub refused { $daemon->metrics->{"penstock_rbl_refused_total{why=\"$_[0]\"}"} }
sub wait_idle { wait_for(40, 'all checks to end', sub { running() == 0 }) }

my %types;	# of line => members seen

sub note_types {
	$types{ $_->{type} }{ join ' ', sort keys %$_ } = 1 for @_;
}

# ---- the tests

part 'the stream' => sub {
	my $answer = ask('/api/v1/rbl?q=1.2.3.4');
	is $answer->{status}, 200, 'is answered';
	is $answer->{headers}{'content-type'}, 'application/x-ndjson', 'as lines';
	is $answer->{headers}{'cache-control'}, 'no-store', 'which nobody may keep';
	is $answer->{headers}{'x-content-type-options'}, 'nosniff', 'or guess about';
	ok !exists $answer->{headers}{'access-control-allow-origin'}, 'and no other site may read';
	ok $answer->{whole}, 'to its end';
	my @lines = lines($answer);
	note_types(@lines);
	is $lines[0]{type}, 'begin', 'the first line';
	is $lines[0]{query}, '1.2.3.4', '... repeats the query';
	is $lines[-1]{type}, 'end', 'the last line';
	is $lines[-1]{error}, undef, '... without an error';
	my %said = map { $_->{zone} => $_->{said} } grep { $_->{type} eq 'list' } @lines;
	is_deeply \%said, { 'no.test' => 'clean', 'yes1.test' => 'listed', 'yes2.test' => 'listed' }, 'the lists';
};

part 'lines come before the end' => sub {
	reload({}, @no, @yes[ 0 .. 1 ], @held);
	my $socket = say_request(dial(), '/api/v1/rbl?q=1.2.3.5');
	my $text = hear($socket, sub { $_[0] =~ /"zone":"yes1\.test"/ && $_[0] =~ /"zone":"no\.test"/ });
	unlike $text, qr/"type":"end"/, 'while one list has not answered';
	is running(), 1, 'and the check goes on';
	reload({}, @no, @held);	# it goes on by the configuration that it began with
	write_file($go, '');
	my $answer = parse($text . hear($socket));
	my @lines = lines($answer);
	note_types(@lines);
	is scalar(grep { $_->{type} eq 'list' } @lines), 4, 'all lists in the end';
	is $lines[-1]{type}, 'end', 'and the end';
	is $lines[-1]{error}, undef, '... without an error';
	unlink $go;
	reload({}, @no, @yes[ 0 .. 1 ]);
};

part 'one document' => sub {
	my $answer = ask('/api/v1/rbl?q=1.2.3.4', headers => ['Accept: application/json']);
	is $answer->{headers}{'content-type'}, 'application/json', 'where it is asked for';
	my $document = decode_json($answer->{body});
	my @lines = @{ $document->{lines} };
	is $document->{query}, '1.2.3.4', 'query';
	is $document->{kind}, 'address', 'kind';
	is $lines[0]{type}, 'begin', 'all lines';
	is $lines[-1]{type}, 'end', '... to the last';
	is $document->{$_}, $lines[-1]{$_}, "its member $_" for grep { $_ ne 'type' } keys %{ $lines[-1] };
	is ask('/api/v1/rbl?q=1.2.3.4', headers => ['Accept: */*, application/json;q=0.9'])->{headers}{'content-type'},
		'application/x-ndjson', 'who prefers the stream gets it';
	my $old = dial();
	syswrite $old, "GET /api/v1/rbl?q=1.2.3.4 HTTP/1.0\r\n\r\n";
	my $plain = hear($old);
	unlike $plain, qr/chunked/i, 'HTTP/1.0 knows no chunks';
	like $plain, qr/"type":"end".*\n\z/, '... and gets all lines';
};

part 'networks' => sub {
	my $answer = ask('/api/v1/rbl?q=1.2.3.0/30');
	my @lines = lines($answer);
	note_types(@lines);
	is $lines[0]{kind}, 'network', 'kind';
	is scalar(grep { $_->{type} eq 'subject' } @lines), 4, 'a line for each address';
	$answer = ask('/api/v1/rbl?q=1.2.0.0/20');
	is $answer->{status}, 413, 'one that is too large';
	like error_of($answer), qr{4096 addresses.* at most a /24}, '... is told what would do';
};

part 'HEAD' => sub {
	my $before = $daemon->metrics->{'penstock_rbl_checks_total{by="http"}'};
	for my $path ('/api/v1/rbl?q=1.2.3.4', '/rbl', '/health', '/openapi.json') {
		my $answer = ask($path, method => 'HEAD');
		is $answer->{status}, 200, $path;
		is $answer->{body}, '', '... without a body';
	}
	is $daemon->metrics->{'penstock_rbl_checks_total{by="http"}'}, $before, 'nothing is looked up';
	is ask('/api/v1/rbl?q=', method => 'HEAD')->{status}, 400, 'a bad query is one';
};

my @bad = (
	['nothing at all', ''],
	['another parameter', '?query=1.2.3.4'],
	['an empty one', '?q='],
	['blanks', '?q=+%20'],
	['two', '?q=1.2.3.4&q=1.2.3.5'],
	['no address', '?q=1.2.3.4.5.6'],
	['a script', '?q=%3Cscript%3Ealert(1)%3C/script%3E'],
	['a script, raw', '?q=<script>alert("1")</script>'],
	['quotes', '?q=%22%5c%22%7D'],
	['a new line', '?q=1.2.3.4%0d%0aSet-Cookie:%20a=b'],
	['NUL', '?q=1.2.3.4%00'],
	['no UTF-8', '?q=%ff%fe'],
	['escaped twice', '?q=1%252e2.3.4'],
	['301 bytes', '?q=' . 'a' x 301],
	['10 KB', '?q=' . 'a' x 10240],
	['10 KB, escaped', '?q=' . '%61' x 3400],
	['loopback', '?q=127.0.0.1'],
	['a private address', '?q=192.168.1.1'],
	['a private network', '?q=10.0.0.0/24'],
	['a private address in IPv6', '?q=fd00::1'],
	['an IPv4 address in IPv6, private', '?q=::ffff:10.0.0.1'],
	['a network of IPv6', '?q=2001:4860::/32'],
	['a network that is too large', '?q=8.0.0.0/8'],
);

part 'bad queries' => sub {
	my $before = refused('query');
	for my $row (@bad) {
		my ($name, $query) = @$row;
		my $answer = ask("/api/v1/rbl$query");
		is $answer->{status}, 400, $name;
		is $answer->{headers}{'content-type'}, 'application/json', '... content type';
		my $error = error_of($answer);
		like $error, qr/^[ -~]{10,300}\.$/, "... a sentence: $error";
		unlike $error, qr/(?:a{61}|(?:%61){21})/, '... that repeats 60 bytes at most';
		ok !exists $answer->{headers}{'set-cookie'}, '... no header of theirs';
	}
	is refused('query'), $before + @bad, 'they are counted';
	like ask('/api/v1/rbl?q=' . 'a' x 20000)->{status}, qr/^4/, '20 KB are more than a request may have';
	is ask('/api/v1/rbl?q=1.2.3.4', method => 'POST')->{status}, 501, 'POST';
	is ask('/nowhere')->{status}, 404, 'another path';
	like ask('/nowhere')->{body}, qr{/health.*/metrics.*/rbl.*/api/v1/rbl.*/openapi\.json}, '... names those that there are';
};

part 'files' => sub {
	my %files = ('/rbl' => 'text/html; charset=utf-8', '/rbl.css' => 'text/css; charset=utf-8',
		'/rbl.js' => 'text/javascript; charset=utf-8', '/rbl_view.js' => 'text/javascript; charset=utf-8',
		'/favicon.svg' => 'image/svg+xml', '/openapi.json' => 'application/json');
	for my $path (sort keys %files) {
		my $answer = ask($path);
		is $answer->{status}, 200, $path;
		is $answer->{headers}{'content-type'}, $files{$path}, '... its type';
		is $answer->{headers}{'x-content-type-options'}, 'nosniff', '... which holds';
		like $answer->{headers}{'content-security-policy'}, qr/^default-src 'none';.*frame-ancestors 'none'/, '... its fences';
		is $answer->{headers}{'referrer-policy'}, 'no-referrer', '... its discretion';
		is length $answer->{body}, $answer->{headers}{'content-length'}, '... its length';
		my $again = ask($path, headers => ["If-None-Match: W/$answer->{headers}{etag}"]);
		is $again->{status}, 304, '... who has it';
		is $again->{body}, '', '... is not sent it again';
	}
	my $root = ask('/');
	is $root->{status}, 302, '/';
	is $root->{headers}{location}, '/rbl', '... leads to the page';
};

# A message through the daemon, as an MTA tells it.
sub one_message {
	my $session = Penstock::MilterSession->start(path => "$folder/milter.sock", client => '192.0.2.77', host => 'mx.test');
	$session->mail('alice@example.com');
	$session->rcpt('4B1', 'bob@example.net', 'smtp');
	$session->data('4B1');
	$session->header('Subject', 'hello');
	$session->header_end;
	$session->body("hello\r\n");
	$session->end_said('4B1');
	is +($session->end_answer)[0], 'pass', 'a message passes';
	$session->quit;
}

# What `promtool check metrics` asks of names and of the text format, and that families are whole.
part 'metrics are as Prometheus wants them' => sub {
	one_message();
	my $answer = ask('/metrics');
	like $answer->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'content type';
	my (%help, %type, %seen, %value, $family, @wrong);
	for my $line (split /\n/, $answer->{body}) {
		if ($line =~ /^# HELP (\S+) \S.*\.$/) {
			push @wrong, "twice: $line" if $help{$family = $1}++;
		} elsif ($line =~ /^# TYPE (\S+) (counter|gauge|histogram)$/) {
			push @wrong, $line if $1 ne $family || $type{$1};
			$type{$1} = $2;
		} elsif ($line =~ /^((\w+)(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})?) (-?[0-9.e+-]+)$/) {
			my ($series, $name, $number) = ($1, $2, $3);
			$name =~ s/_(?:bucket|sum|count)$// if ($type{$family} // '') eq 'histogram';
			push @wrong, "not of $family: $line" if $name ne $family || $seen{$series}++;
			$value{$series} = $number;
		} else {
			push @wrong, $line;
		}
	}
	is_deeply \@wrong, [], 'each line is of its family, and each family has its head' or diag explain \@wrong;
	my $short = qr/^(?:ms|msec|sec|secs|s|us|ns|min|mins|minutes|hours|days|kb|kib|mb|mib|gb|b|percent|pct)$/;
	for my $name (sort keys %type) {
		like $name, qr/^penstock_[a-z][a-z0-9_]*$/, $name;
		is scalar($name =~ /_total$/), $type{$name} eq 'counter' ? 1 : '', '... _total is a counter, and a counter _total';
		is_deeply [ grep { $_ =~ $short } split /_/, $name ], [], '... base units, in full';
	}
	my @buckets = map { /^penstock_message_seconds_bucket\{le="(.*)"\}$/ ? $1 : () } keys %value;
	@buckets = sort { ($a eq '+Inf') <=> ($b eq '+Inf') || $a <=> $b } @buckets;
	my @counts = map { $value{"penstock_message_seconds_bucket{le=\"$_\"}"} } @buckets;
	cmp_ok scalar(@buckets), '>', 8, 'a histogram of the time from MAIL to the verdict';
	is $buckets[-1], '+Inf', '... to the end';
	is_deeply \@counts, [ sort { $a <=> $b } @counts ], '... which adds up';
	is $value{penstock_message_seconds_count}, $counts[-1], '... to its count';
	my $messages = 0;
	$messages += $value{$_} for grep { /^penstock_messages_total\{/ } keys %value;
	is $messages, 1, '... of each message';
	is $counts[-1], $messages, '... once';
	cmp_ok $value{penstock_message_seconds_sum}, '<', 20, '... in seconds';
	for my $promtool (grep { -x } map { "$_/promtool" } split /:/, $ENV{PATH}) {
		open my $pipe, '|-', "$promtool check metrics >&2" or die "$promtool: $!\n";
		print $pipe $answer->{body};
		ok close $pipe, "$promtool says nothing";
	}
};

part 'openapi.json describes each line that was seen' => sub {
	my $api = decode_json(ask('/openapi.json')->{body});
	is $api->{openapi}, '3.1.0', 'OpenAPI 3.1';
	ok $api->{paths}{$_}{get}, $_ for qw(/api/v1/rbl /health /metrics);
	my $schemas = $api->{components}{schemas};
	cmp_ok scalar(keys %types), '>=', 7, 'lines of many types were seen: ' . join ' ', sort keys %types;
	for my $type (sort keys %types) {
		my $schema = $schemas->{$type};
		ok $schema && $schema->{properties}{type}{const} eq $type, $type or next;
		for my $members (sort keys %{ $types{$type} }) {
			my %there = map { $_ => 1 } split / /, $members;
			is_deeply [ grep { !$schema->{properties}{$_} } sort keys %there ], [], '... no member is missing';
			is_deeply [ grep { !$there{$_} } @{ $schema->{required} } ], [], '... what is required is there';
		}
		is scalar(grep { $_->{'$ref'} eq "#/components/schemas/$type" } @{ $schemas->{line}{oneOf} }), 1, '... is a line';
	}
	my %refs = encode_json($api) =~ m{"\$ref":"#/components/schemas/(\w+)"()}g;
	ok $schemas->{$_}, "$_ is there" for sort keys %refs;
};

part 'who hangs up ends the check' => sub {
	reload({}, @no, @held);
	for my $accept ('*/*', 'application/json') {
		my $socket = say_request(dial(), '/api/v1/rbl?q=1.2.3.6', headers => ["Accept: $accept"]);
		hear($socket, sub { $_[0] =~ /"zone":"no\.test"/ });
		is running(), 1, 'it runs';
		close $socket;
		ok wait_for(15, 'the end', sub { running() == 0 }), '... and ends, though a list has not answered';
	}
};

part 'many at once' => sub {
	my @sockets = map { say_request(dial(from => '127.0.1.' . ($_ % 4 + 1)), "/api/v1/rbl?q=1.2.4.$_") } 1 .. 16;
	hear($_, sub { $_[0] =~ /"type":"begin"/ }) for @sockets;
	is running(), 16, 'sixteen run';
	my $answer = ask('/api/v1/rbl?q=1.2.4.17');
	is $answer->{status}, 503, 'the seventeenth is refused';
	like $answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, '... and told when to come again';
	like error_of($answer), qr/^\w.*\.$/, '... in words';
	is refused('busy'), 1, '... and counted';
	my $fifth = ask('/api/v1/rbl?q=1.2.4.18', from => '127.0.1.1');
	is $fifth->{status}, 429, 'who has four himself is told that it is he';
	like error_of($fifth), qr/^You have several checks/, '... in words';
	close pop @sockets;
	wait_for(10, 'one to end', sub { running() == 15 });
	is ask('/api/v1/rbl?q=1.2.4.18', from => '127.0.1.2')->{status}, 429, 'he has no room by that others have gone';
	my $other = say_request(dial(from => '127.0.1.1'), '/api/v1/rbl?q=1.2.4.18');
	hear($other, sub { $_[0] =~ /"type":"begin"/ });
	push @sockets, $other;
	is ask('/health')->{status}, 200, 'other pages are there';
	my @more = map { say_request(dial(), '/api/v1/rbl?q=1.2.4.99') } 1 .. 3;
	syswrite $sockets[0], "GET /health HTTP/1.1\r\n" . 'X: ' . 'x' x 200000;	# read ahead is bounded
	close $_ for @sockets, @more;
	wait_idle();
	write_file($go, '');
	is ask('/api/v1/rbl?q=1.2.4.17')->{status}, 200, 'then there is room again';
	unlink $go;
};

part 'checks that last are not cut for others' => sub {
	reload({ proxies => ['127.0.5.1'] }, @no, @held);
	my @checks = map { say_request(dial(from => '127.0.5.1'), "/api/v1/rbl?q=1.2.5.$_", headers => ["X-Forwarded-For: 8.8.$_.1"]) } 1 .. 16;
	hear($_, sub { $_[0] =~ /"type":"begin"/ }) for @checks;
	my @proxied = map { dial(from => '127.0.5.1') } 1 .. 60;
	my @crowd = map { dial(from => "127.0.3.$_") } 1 .. 80;
	is ask('/health', from => '127.0.4.1')->{status}, 200, 'sixteen checks, and all else is full: the next is answered';
	is ask('/health', from => '127.0.5.1')->{status}, 200, '... also one of the proxy';
	is running(), 16, 'the checks go on';
	is scalar(grep { is_closed($_) } @checks), 0, '... and their connections';
	close $_ for @checks;
	wait_idle();
};

# Each line is repeated by the lists' texts: a network comes to megabytes.
part 'who does not read' => sub {
	reload({ rbl_burst => 1000, rbl_per_minute => 1000000, rbl_total_per_minute => 1000000 }, @no, @yes);
	my $before = -s $seen ? do { open my $file, '<', $seen; <$file> } : 0;
	my $socket = say_request(dial(buffer => 4096), '/api/v1/rbl?q=1.3.0.0/24');
	like hear($socket, sub { $_[0] =~ /\r\n/ }), qr{^HTTP/1\.1 200 }, 'it begins';
	wait_for(20, 'the check', sub { running() == 1 });
	is ask('/health')->{status}, 200, 'others are served';
	wait_idle();
	pass 'it is cut off';
	open my $file, '<', $seen;
	cmp_ok <$file> - $before, '<', 200, 'and the check had waited for it';
	unlike eval { hear($socket) } // '', qr/"type":"end"/, 'what there is is not whole';

	$socket = say_request(dial(buffer => 4096), '/api/v1/rbl?q=1.3.1.0/24');
	wait_for(20, 'the check', sub { running() == 1 });
	my $read = 0;
	wait_for(60, 'the end', sub {
		$read += sysread($socket, my $byte, 1) // 0;
		sleep 1;
		return running() == 0;
	});
	pass "who reads a byte a second ($read) is no better";

	my $answer = ask('/api/v1/rbl?q=1.3.2.0/24', buffer => 4096);
	ok $answer->{whole}, 'who reads, though by little, has it all';
	my @lines = lines($answer);
	is scalar(grep { $_->{type} eq 'subject' } @lines), 256, '... each address';
	is $lines[-1]{type}, 'end', '... to the end';
};

part 'limits of rate' => sub {
	reload({ rbl_burst => 4, rbl_per_minute => 1, rbl_total_per_minute => 1, proxies => ['127.0.0.9'] }, @no);
	my $before = refused('client');
	my @four = map { ask("/api/v1/rbl?q=1.4.0.$_", from => '127.0.0.2')->{status} } 1 .. 4;
	is_deeply \@four, [ (200) x 4 ], 'a client has his burst';
	my $answer = ask('/api/v1/rbl?q=1.4.0.5', from => '127.0.0.2');
	is $answer->{status}, 429, 'and then no more';
	like $answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, '... but is told when';
	like error_of($answer), qr/in \Q$answer->{headers}{'retry-after'}\E s\.$/, '... in words, too';
	is ask('/api/v1/rbl?q=1.4.0.5', from => '127.0.0.2', headers => ['X-Forwarded-For: 8.8.4.4'])->{status}, 429,
		'a header that he made up does not make him another';
	is refused('client'), $before + 2, 'refusals are counted';
	is ask('/api/v1/rbl?q=1.4.0.5', from => '127.0.0.3')->{status}, 200, 'another client has his own';
	my $by_proxy = sub {
		my ($forwarded, $query) = @_;
		return ask("/api/v1/rbl?q=$query", from => '127.0.0.9', headers => ["X-Forwarded-For: $forwarded"]);
	};
	is $by_proxy->('8.8.4.4', '1.4.0.0/30')->{status}, 200, 'a network costs its addresses';
	is $by_proxy->('8.8.4.4', '1.4.0.9')->{status}, 429, 'what a proxy of ours says is believed';
	is $by_proxy->('8.8.8.8', '1.4.0.9')->{status}, 200, 'also of another client';
	is $by_proxy->('9.9.9.9, 8.8.4.4', '1.4.0.9')->{status}, 429, 'but only its own word';
	is $by_proxy->('8.8.4.4, 127.0.0.9', '1.4.0.9')->{status}, 429, '... and that of other proxies';
	is $by_proxy->('2001:4860::1', '1.4.0.0/30')->{status}, 200, 'an IPv6 client';
	is $by_proxy->('2001:4860::ffff:2', '1.4.0.9')->{status}, 429, 'is his whole /64';
	is $by_proxy->('8.8.9.9', '1.4.0.0/29')->{status}, 413, 'a network larger than the burst is never there';
	is ask('/api/v1/rbl?q=has.many.example', from => '127.0.0.5')->{status}, 200, 'a name';
	my $debt = ask('/api/v1/rbl?q=1.4.0.5', from => '127.0.0.5');
	is $debt->{status}, 429, '... costs the addresses that it has';
	cmp_ok $debt->{headers}{'retry-after'} // 0, '>', 15 * 60, '... all twenty';
	my $client = 1;
	my $all = wait_for(60, 'everybody to be refused', sub {
		my $got = $by_proxy->('8.9.0.' . $client++, '1.4.0.0/30');
		return $got->{status} == 429 && $got;
	});
	cmp_ok $client, '<', 20, 'all together have ten times the burst';
	like error_of($all), qr/^Many are asking/, '... and are told so';
	like $all->{headers}{'retry-after'}, qr/^[1-9]\d*$/, '... with a time';
	is refused('all'), 1, '... and counted';
	is ask('/health')->{status}, 200, 'other pages have no limit';
};

part 'switched off' => sub {
	reload({ rbl => 'false' }, @no);
	for my $path ('/', '/rbl', '/rbl.js', '/openapi.json') {
		is ask($path)->{status}, 404, $path;
	}
	my $answer = ask('/api/v1/rbl?q=1.2.3.4');
	is $answer->{status}, 404, 'the API';
	like error_of($answer), qr/http\.rbl is false/, '... says why';
	is ask('/health')->{status}, 200, '/health stays';
};

part 'the end of the daemon in the middle of a check' => sub {
	reload({ rbl_burst => 300 }, @no, @held);
	my $socket = say_request(dial(), '/api/v1/rbl?q=1.5.0.1', from => '127.0.0.4');
	hear($socket, sub { $_[0] =~ /\r\n\r\n/ });
	is $daemon->stop, 0, 'ends it with 0';
	unlike $daemon->log_text, qr/Sanitizer|runtime error/, 'nothing was amiss';
};

done_testing;
