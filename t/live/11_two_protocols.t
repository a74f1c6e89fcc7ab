#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A transport with an address of IPv4 and one of IPv6, as penstockctl prints it for a real Postfix: hosts that have an address of
# one protocol alone both get mail, from the transport's address of that protocol.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::IP;
use Penstock::Live qw(part);
use Penstock::Process qw(slurp);
use Penstock::Sink;
use Test::More;

plan skip_all => 'this host has no ::1' if !IO::Socket::IP->new(LocalHost => '::1', Listen => 1);
my $world = Penstock::Live->new(config => { pools => [ { name => 'both', levels => [ 'good', 'new' ], transports => [
	{ name => 'both-1', address => '127.0.0.11', address6 => '::1', helo => 'both-1.example.test' } ] } ] });
my $sink6 = do {
	my $folder = "$world->{folder}/six";
	mkdir $folder;
	Penstock::Sink->start(folder => $folder, port => $world->{ports}{sink}, address => '::1');
};

sub sent_to {
	my ($host, $sink) = @_;
	my $result = $world->send(auth => 'alice', to => 'x@far.test', subject => "to $host");
	is $result->{code}, 250, "to $host: taken";
	is $world->verdict($result)->{transport}, 'both-1', '... and marked';
	return $sink->wait("to $host");
}

part 'both protocols' => sub {
	my $master = slurp("$world->{folder}/postfix/master.cf");
	like $master, qr/^both-1 .*\n(?:  -o .*\n)*?  -o smtp_bind_address=127\.0\.0\.11\n  -o smtp_bind_address6=::1\n  -o inet_protocols=all\n/m,
		'the row of master.cf has both addresses';
	my $four = sent_to('127.0.0.1', $world->{sink});
	is $four->{client}, '127.0.0.11', 'a host that has IPv4 alone: from the address of IPv4';
	is $four->{helo}, 'both-1.example.test', '... by its name';
	# marked mail goes to the relayhost
	$world->{postfix}->set(relayhost => "[::1]:$world->{ports}{sink}");
	$world->{postfix}->reload;
	my $six = sent_to('::1', $sink6);
	is $six->{client}, '::1', 'a host that has IPv6 alone: from the address of IPv6';
	is $six->{helo}, 'both-1.example.test', '... by its name';
	my ($status, $out) = $world->{daemon}->ctl('pool', 'list');
	like $out, qr/127\.0\.0\.11, ::1/, 'pool list has both';
};

part 'an address of IPv4 alone' => sub {
	my $config = $world->{daemon}{config};
	delete $config->{pools}[0]{transports}[0]{address6};
	$world->{daemon}->write_config;
	my ($status, $out) = $world->{daemon}->ctl('postfix', 'print', 'master');
	like $out, qr/^  -o inet_protocols=ipv4$/m, 'is of IPv4 alone';
	unlike $out, qr/bind_address6/, '... and has no other';
};

done_testing;
