#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# check_penstock against documents of /health that a test made up: thresholds, address families, performance data.
# 50_tools.t and 32_monitor.t show it against the daemon.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use IO::Socket::IP;
use JSON::PP;
use Penstock::Process qw(free_port run start_code slurp write_file);
use Test::More;

my $plugin = "$FindBin::Bin/../../contrib/nagios/check_penstock";
my $folder = File::Temp::tempdir('penstock-plugin-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $port = free_port('tcp');

# Both families, each with a listener of its own; the version that is told is the family.
sub serve {
	my ($listen, $word) = @_;
	while (1) {
		my $client = $listen->accept or next;
		while (defined(my $line = <$client>)) { last if $line !~ m{\S} }
		my $body = slurp("$folder/health") =~ s/"VERSION"/"$word"/r;
		print $client "HTTP/1.1 200 OK\r\nContent-Length: ", length $body, "\r\nConnection: close\r\n\r\n$body";
		close $client;
	}
}

my %families = ('127.0.0.1' => 'four', '::1' => 'six');
my $six;
for my $address (sort keys %families) {
	my $listen = IO::Socket::IP->new(LocalHost => $address, LocalPort => $port, Listen => 8, ReuseAddr => 1, V6Only => 1);
	$six = defined $listen if $address eq '::1';
	start_code("listener $address", sub { serve($listen, $families{$address}) }) if $listen;
}

# What /health says where all is well, but for what is given: section => member => value.
sub health {
	my (%change) = @_;
	my %document = (status => 'ok', version => 'VERSION', reasons => [], uptime_s => 5000, messages => 9, sessions => 2,
		max_sessions => 100, last_message_s => 30, actions => { pass => 9 },
		redis => { up => 1, breaker_open => 0, away_s => 0, local_share => 0, pending => 0 },
		dns => { failing => 0 }, content => { failing => 0 }, pools => { transports => 4, listed => 0, all_listed => 0 });
	for my $name (keys %change) {
		$document{$name} = ref $change{$name} eq 'HASH' ? { %{ $document{$name} }, %{ $change{$name} } } : $change{$name};
		delete $document{$name} if !defined $change{$name};
	}
	write_file("$folder/health", JSON::PP->new->canonical->encode(\%document));
}

my %two_listed = (status => 'warning', pools => { listed => 2 }, reasons => [
	'pools: transport clean-1 (192.0.2.11) is listed by spamcop; it has left its pool. Removal: https://www.spamcop.net/bl.shtml.',
	'pools: transport clean-2 (192.0.2.12) is listed by spamcop; it has left its pool.' ]);
my %away = (status => 'warning', redis => { up => 0, breaker_open => 1, away_s => 90, local_share => 0.25 }, reasons => [
	'redis: away (cannot connect: Connection refused); limits go on from the table of recent accounts.',
	'redis: the breaker is open, Redis is asked again after a pause.' ]);

# document, options, exit status, what the line says, what it does not
my @rows = (
	[ {}, '', 0, qr/^PENSTOCK OK - / ],
	[ {}, '--listed-warning 0 --redis-critical 30 --local-warning 10', 0, qr/^PENSTOCK OK - / ],
	[ \%two_listed, '', 1, qr/WARNING - pools: transport clean-1 .*transport clean-2/ ],
	[ \%two_listed, '--listed-warning 2', 0, qr/OK - /, qr/ is listed by/ ],
	[ \%two_listed, '--listed-warning 1', 1, qr/WARNING - 2 transports are listed \(warning 1\); pools: transport clean-1/ ],
	[ \%two_listed, '--listed-warning 0 --listed-critical 1', 2, qr/CRITICAL - 2 transports are listed \(critical 1\).*bl\.shtml/ ],
	[ \%two_listed, '--listed-critical 3', 0, qr/OK - / ],
	[ { %two_listed, status => 'critical' }, '--listed-warning 2', 2, qr/CRITICAL - pools: transport clean-1/ ],
	[ { %two_listed, reasons => [ @{ $two_listed{reasons} }, 'dns: block list x is not asked: it failed.' ] },
		'--listed-warning 2', 1, qr/WARNING - dns: block list x/, qr/clean-1/ ],
	[ \%away, '', 1, qr/WARNING - Redis is down \([^;]+\); the breaker/ ],
	[ \%away, '--redis-warning 120', 0, qr/OK - /, qr/Redis is down/ ],
	[ \%away, '--redis-warning 60', 1, qr/WARNING - Redis has been away for 90 seconds \(warning 60\)/ ],
	[ \%away, '--redis-warning 30 --redis-critical 60', 2, qr/CRITICAL - Redis has been away for 90 seconds \(critical 60\)/ ],
	[ { %away, status => 'critical' }, '--redis-warning 120', 2, qr/CRITICAL - redis: away \(cannot/ ],
	[ \%away, '--redis-warning 120 --local-critical 20', 2, qr/CRITICAL - 25 % of answers came from the table/ ],
	[ \%away, '--redis-warning 120 --local-critical 30', 0, qr/OK/ ],
	[ \%away, '--local-critical 30', 1, qr/WARNING - Redis is down/ ],
	[ { pools => undef }, '--listed-warning 1', 3, qr/UNKNOWN - this Penstock does not say how many transports/ ],
	[ {}, '--listed-warning many', 3, qr/UNKNOWN - listed-warning "many": expected a range of transports/ ],
	[ {}, '-w 1', 0, qr/OK/ ],
	[ { last_message_s => 600 }, '-w 5', 1, qr/WARNING - no message for 10 minutes \(warning 5\)/ ],
	[ { last_message_s => 600 }, '-w 5 -c 9', 2, qr/CRITICAL - no message for 10 minutes \(critical 9\)/ ],
	[ {}, '-4', 0, qr/version four/ ],
	[ {}, '--use-ipv4 -H localhost', 0, qr/version four/ ],
	[ {}, '-4 -6', 3, qr/UNKNOWN - -4 and -6: expected one of them/ ],
	[ {}, '-4 -H ::1', 2, qr/CRITICAL - ::1 has no IPv4 address/ ],
	[ {}, '-6', 2, qr/CRITICAL - 127\.0\.0\.1 has no IPv6 address/ ],
	$six ? ([ {}, '-6 -H ::1', 0, qr/version six/ ], [ {}, '--use-ipv6 -H [::1]', 0, qr/version six/ ]) : (),
);

for my $row (@rows) {
	my ($document, $words, $code, $said, $unsaid) = @$row;
	health(%$document);
	my ($status, $out) = run({}, $plugin, '-p', $port, split / /, $words);
	is $status, $code, "$words: exit $code" or diag $out;
	like $out, $said, '... in words';
	unlike $out, $unsaid, '... and not' if $unsaid;
}

health(%two_listed, redis => { away_s => 90, local_share => 0.25 });
my (undef, $out) = run({}, $plugin, '-p', $port, '--listed-warning', '1', '--listed-critical', '@2:3', '--redis-warning', '60');
my %data = $out =~ /([a-z_]+)=([0-9.]+[a-z%]*[^ \n]*)/g;
is $data{listed}, '2;1;@2:3;0;4', 'performance data: listed transports';
is $data{redis_away}, '90s;60;;0', '... seconds without Redis';
is $data{local}, '25%;;;0;100', '... share of local answers';
my (undef, $help) = run({}, $plugin, '--help');
like $help, qr/^ .*\Q$_\E/m, "--help names $_"
	for qw(-4 -6 --listed-warning --listed-critical --redis-warning --redis-critical --local-warning --local-critical);
is scalar(grep { length > 100 } split /\n/, $help), 0, '... in lines of a terminal';

done_testing;
