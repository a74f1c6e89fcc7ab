# SPDX-License-Identifier: BSD-2-Clause
#
# Unbound: a private resolver on loopback, in a folder of the test's, that knows the world from servers of the test's
# alone.

package Penstock::Unbound;

use strict;
use warnings;

use IO::Socket::INET;
use Penstock::Process qw(need_program start_program stop_process wait_ready write_file);

# Options: folder, port, stubs: { zone => port of 127.0.0.1 }; "." is all that is not below another one.
sub start {
	my ($class, %option) = @_;
	my $self = ref $class ? $class : bless { %option, folder => "$option{folder}/unbound" }, $class;
	my $program = need_program('unbound', 'unbound');
	my $folder = $self->{folder};
	mkdir $folder;
	# names of tests and networks for documentation are answered by Unbound itself where it is not told otherwise
	my $config = <<"END";
server:
	interface: 127.0.0.1\@$self->{port}
	access-control: 127.0.0.0/8 allow
	do-ip6: no
	do-daemonize: no
	do-not-query-localhost: no
	username: ""
	chroot: ""
	directory: "$folder"
	pidfile: "$folder/pid"
	use-syslog: no
	num-threads: 1
	module-config: "iterator"
	qname-minimisation: no
	local-zone: "test." nodefault
	local-zone: "2.0.192.in-addr.arpa." nodefault
remote-control:
	control-enable: no
END
	for my $zone (sort keys %{ $self->{stubs} }) {
		$config .= "stub-zone:\n\tname: \"$zone\"\n\tstub-addr: 127.0.0.1\@$self->{stubs}{$zone}\n";
	}
	write_file("$folder/unbound.conf", $config);
	$self->{pid} = start_program('unbound', "$folder/log", $program, '-d', '-c', "$folder/unbound.conf");
	wait_ready($self->{pid}, "$self->{folder}/log", 20, sub { $self->answers });
	return $self;
}

sub stop { stop_process($_[0]{pid}) }

sub answers {
	my ($self) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'udp') or return;
	send($socket, pack('n6', 4711, 0x0100, 1, 0, 0, 0) . "\x09localhost\0" . pack('nn', 1, 1), 0) or return;
	my $bits = '';
	vec($bits, fileno($socket), 1) = 1;
	return if !select($bits, undef, undef, 0.3);
	recv($socket, my $reply, 512, 0) // return;
	return length $reply >= 12;
}

1;
