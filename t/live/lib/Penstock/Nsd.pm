# SPDX-License-Identifier: BSD-2-Clause
#
# Nsd: a private authoritative DNS server on loopback, in a folder of the test's.

package Penstock::Nsd;

use strict;
use warnings;

use IO::Socket::INET;
use Penstock::Process qw(need_program start_program stop_process wait_ready write_file);

# Options: folder, port, zones: { zone => text of its records }. Each zone gets an SOA and an NS record; "." is the root.
sub start {
	my ($class, %option) = @_;
	my $self = ref $class ? $class : bless { %option, folder => "$option{folder}/nsd" }, $class;
	my $program = need_program('nsd', 'nsd');
	my $folder = $self->{folder};
	mkdir $folder;
	my $config = <<"END";
server:
	ip-address: 127.0.0.1\@$self->{port}
	username: ""
	chroot: ""
	zonesdir: "$folder"
	database: ""
	pidfile: "$folder/pid"
	xfrdfile: "$folder/xfrd"
	xfrdir: "$folder"
	zonelistfile: "$folder/list"
	server-count: 1
remote-control:
	control-enable: no
END
	my $number = 0;
	for my $zone (sort keys %{ $self->{zones} }) {
		my $file = 'zone' . ++$number;
		write_file("$folder/$file", "\$ORIGIN $zone\n\$TTL 300\n"
			. "@ SOA ns.example.test. hostmaster.example.test. 1 600 300 86400 300\n@ NS ns.example.test.\n"
			. $self->{zones}{$zone});
		$config .= "zone:\n\tname: \"$zone\"\n\tzonefile: \"$file\"\n";
	}
	write_file("$folder/nsd.conf", $config);
	$self->{pid} = start_program('nsd', "$folder/log", $program, '-d', '-c', "$folder/nsd.conf");
	wait_ready($self->{pid}, "$self->{folder}/log", 20, sub { $self->answers });
	return $self;
}

sub stop { stop_process($_[0]{pid}) }

sub answers {
	my ($self) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'udp') or return;
	send($socket, pack('n6', 4711, 0, 1, 0, 0, 0) . "\0" . pack('nn', 6, 1), 0) or return;
	my $bits = '';
	vec($bits, fileno($socket), 1) = 1;
	return if !select($bits, undef, undef, 0.3);
	recv($socket, my $reply, 512, 0) // return;
	return length $reply >= 12;
}

1;
