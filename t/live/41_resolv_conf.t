#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The system's resolv.conf: what it does not name is told, and what it names later is asked without a reload. The daemon
# sees a file of the test's there, in a mount namespace of its own.

use strict;
use warnings;

use File::Temp;
use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for write_file);
use Test::More;

my $folder = File::Temp::tempdir('penstock-resolv-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $file = "$folder/resolv.conf";
my $build = $ENV{PENSTOCK_BUILD} // $Penstock::Live::source;
my ($program) = Penstock::Daemon::programs($build);

plan skip_all => 'mount namespaces are not given to this test' if system("unshare -m true 2>/dev/null") != 0;

chmod 0755, $folder;
write_file($file, '', 0644);
write_file("$folder/penstock", <<"END", 0755);
#!/bin/sh
exec unshare -m sh -c 'mount --bind $file /etc/resolv.conf && exec $program "\$\@"' sh "\$\@"
END
$ENV{PENSTOCK} = "$folder/penstock";

my $world = Penstock::Live->new(config => { dns => { servers => [], timeout_ms => 500 } });
my $daemon = $world->{daemon};
my $server = "nameserver [127.0.0.1]:$world->{ports}{dns}\n";

sub reasons { join "\n", @{ $daemon->health->{reasons} } }

sub state_of {
	my ($zone) = @_;
	return (map { $_->{state} } grep { $_->{zone} eq $zone } @{ $daemon->health->{dns}{lists} })[0];
}

part 'an empty file' => sub {
	like reasons(), qr{^dns: /etc/resolv\.conf names no name server; this host, 127\.0\.0\.1, is asked\.$}m, 'is a reason';
	is $daemon->health->{status}, 'warning', 'and a warning';
	ok $daemon->health->{dns}{failing}, 'DNS is not fine';
	ok $daemon->wait_log(qr{dns: /etc/resolv\.conf names no name server}), 'the log says so';
	is $daemon->metrics->{penstock_dns_servers_known}, 0, 'and a metric';
	is state_of('bl.example.test'), 'untested', 'no list is tested';
};

part 'a name server of one link' => sub {
	write_file($file, "nameserver fe80::1%eth0\n", 0644);
	ok $daemon->wait_log(qr{dns: /etc/resolv\.conf names "fe80::1%eth0", which cannot be asked}), 'the log says which';
	like reasons(), qr{^dns: /etc/resolv\.conf names "fe80::1%eth0", which cannot be asked: .*this host}m, 'and a reason';
};

part 'a name server' => sub {
	write_file($file, $server, 0644);
	wait_for(20, 'the lists to be tested', sub { (state_of('bl.example.test') // '') eq 'ok' });
	ok $daemon->wait_log(qr{dns: /etc/resolv\.conf has changed; asked from now on: \[127\.0\.0\.1\]:}), 'the log says so';
	is state_of('refuse.example.test'), 'ok', 'all lists are tested';
	unlike reasons(), qr/dns:/, 'nothing is wrong with DNS';
	ok !$daemon->health->{dns}{failing}, 'DNS is fine';
	my $metrics = $daemon->metrics;
	is $metrics->{penstock_dns_servers_known}, 1, 'the metric, too';
	is $metrics->{'penstock_dns_list_passes{list="bl.example.test"}'}, 1, 'and that of the list';
	my $result = $world->send(auth => 'dave', client => $Penstock::Live::listed{exploit});
	like $world->verdict($result)->{listed}, qr/bl\.example\.test/, 'a client of a message is looked up';
};

done_testing;
