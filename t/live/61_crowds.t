#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Crowds at the local sockets: many that idle or trickle keep neither an admin nor a busy Postfix out.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use IO::Socket::UNIX;
use Penstock::Daemon;
use Penstock::Live qw(part);
use Penstock::Process qw(free_port wait_for);
use Test::More;

$SIG{PIPE} = 'IGNORE';

my $folder = File::Temp::tempdir('penstock-crowds-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
my $daemon = Penstock::Daemon->new(folder => $folder, build => $ENV{PENSTOCK_BUILD} // $Penstock::Live::source, config => {
	user => '',
	milter => { socket => "unix:$folder/milter.sock" },
	log => { target => 'stderr' },
	http => { listen => '127.0.0.1:' . free_port('tcp') },
	control => { socket => "$folder/control.sock" },
	socketmap => { listen => "unix:$folder/socketmap.sock" },
	redis => { server => "unix:$folder/no-redis.sock" },
	dns => { servers => ['127.0.0.1:' . free_port('udp')] },
	catalogue => { file => '' },
});
$daemon->start;

sub dial { IO::Socket::UNIX->new(Peer => "$folder/$_[0].sock") or die "$_[0]: $!\n" }

sub is_closed {
	my ($socket) = @_;
	my $bits = '';
	vec($bits, fileno($socket), 1) = 1;
	return select($bits, undef, undef, 0) && !sysread $socket, my $text, 1;
}

sub closed { $daemon->metrics->{"penstock_connections_closed_total{server=\"$_[0]\",why=\"full\"}"} // 0 }

part 'the control socket' => sub {
	my @crowd = map { dial('control') } 1 .. 40;
	syswrite $_, '{' for @crowd;
	is +($daemon->ctl('status'))[0], 0, 'forty ask nothing: an admin is answered';
	ok is_closed($crowd[0]), 'the oldest went';
	ok !is_closed($crowd[-1]), '... and not the newest';
	cmp_ok closed('control'), '>=', 9, '... and that is counted';
};

sub look_up {
	my ($socket) = @_;
	syswrite $socket, '10:nosuch key,' or return '';
	sysread $socket, my $answer, 100;
	return $answer // '';
}

part 'the socketmap' => sub {
	my $postfix = dial('socketmap');
	is look_up($postfix), '9:NOTFOUND ,', 'Postfix asks';
	my @crowd = map { dial('socketmap') } 1 .. 511;
	syswrite $_, '1' for @crowd;
	is look_up($postfix), '9:NOTFOUND ,', '... and asks again, among 511 who trickle';
	syswrite $_, '0' for @crowd;
	my $new = dial('socketmap');
	is look_up($new), '9:NOTFOUND ,', 'a new one gets in';
	is look_up($postfix), '9:NOTFOUND ,', 'who asks is not closed for those who trickle';
	ok wait_for(20, 'room', sub { is_closed($crowd[0]) }), '... but the oldest of them is';
	is closed('socketmap'), 1, '... and that is counted';
};

is $daemon->stop, 0, 'the end';
done_testing;
