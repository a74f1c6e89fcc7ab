#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The default port of /health is nobody else's on a mail server, and the same wherever it is written.
use strict;
use warnings;
use Test::More;

my $top = $ENV{srcdir} // '.';

sub text_of {
	my ($name) = @_;
	open my $file, '<', "$top/$name" or die "$top/$name: $!\n";
	local $/;
	return scalar <$file>;
}

my %taken = (25 => 'SMTP', 465 => 'submissions', 587 => 'submission', 783 => 'spamd', 2525 => 'SMTP', 3310 => 'clamd', 4190 => 'ManageSieve',
	6379 => 'Redis', 8080 => 'HTTP', 8125 => 'statsd', 8891 => 'OpenDKIM', 8892 => 'another OpenDKIM', 8893 => 'OpenDMARC',
	8953 => 'Unbound', 9000 => 'PHP', 9090 => 'Prometheus', 9100 => 'node exporter', 10023 => 'postgrey', 10024 => 'amavis',
	10025 => 'amavis', 11211 => 'memcached', 12340 => 'Dovecot', map { $_ => 'rspamd' } 11332 .. 11335);
my ($port) = text_of('milter/config/config.h') =~ /"http\.listen", .*"127\.0\.0\.1:(\d+)"/;
ok(defined $port, 'http.listen has a default');
is($taken{$port}, undef, "port $port is no other mail program's");
is(scalar getservbyport($port, 'tcp'), undef, '... nor has it a name in services(5)');
cmp_ok($port, '<', 32768, '... nor does an outgoing connection take it');
my @wrong;
for my $name ('README.md', 'etc/penstock.7', 'etc/penstock.8', 'etc/penstockctl.8', 'etc/penstock.conf.5.tail', 'contrib/nagios/README') {
	my @said = text_of($name) =~ m{127\.0\.0\.1:(\d+)/(?:health|metrics|rbl|api)\b|\bcheck_penstock(?:\s.*-p |!)(\d+)}g;
	push @wrong, map { "$name: $_" } grep { defined && $_ != $port } @said;
}
is_deeply(\@wrong, [], 'the documents have the same');
like(text_of('contrib/nagios/check_penstock'), qr/port => $port\b/, 'so has the Nagios plugin');
like(text_of('README.md'), qr/`http\.listen` \(127\.0\.0\.1:$port\)/, 'and README.md');
like(text_of('etc/penstock.7'), qr/^\.Cm http\.listen\n\.Pq 127\.0\.0\.1:$port$/m, 'and penstock(7)');
done_testing();
