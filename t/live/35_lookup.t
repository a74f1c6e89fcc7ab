#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Addresses, names and networks looked up over the control socket: real lists (rbldnsd), real zones (NSD), a real
# resolver before them (Unbound).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use IO::Poll qw(POLLHUP POLLIN);
use IO::Socket::UNIX;
use JSON::PP;
use Penstock::Daemon;
use Penstock::Live qw(part);
use Penstock::Nsd;
use Penstock::Process qw(free_port wait_for);
use Penstock::Servers;
use Penstock::Unbound;
use Test::More;

die "the live tests have to run as root\n" if $> != 0;

my $folder = File::Temp::tempdir('penstock-live-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
chmod 0755, $folder;
mkdir "$folder/run";
chown((getpwnam 'nobody')[2, 3], "$folder/run");

my %port = (map({ $_ => free_port('udp') } qw(rbldnsd nsd unbound)), http => free_port('tcp'));
my @lists = map { "bl$_.example.test" } 1 .. 8;
# Listed on each of them, so that there is much to read.
my %everywhere = map { ("8.8.8.$_" => '127.0.0.2') } 64 .. 127;
my %zones = map { $_ => {%everywhere} } @lists;
$zones{'bl1.example.test'}{'8.8.8.10'} = '127.0.0.4';
$zones{'bl2.example.test'}{'8.8.8.10'} = '127.0.0.10';
$zones{'bl3.example.test'}{'8.8.8.20'} = '127.0.0.2';

my $rbldnsd = Penstock::Rbldnsd->start(folder => $folder, port => $port{rbldnsd}, zones => \%zones);
my $nsd = Penstock::Nsd->start(folder => $folder, port => $port{nsd}, zones => { '.' => <<'END' });
mail.example.test. A 8.8.8.10
mail.example.test. AAAA 2001:db8::10
mail.example.test. MX 10 mx.example.test.
mail.example.test. MX 20 mail.example.test.
mx.example.test. A 8.8.8.20
other.example.test. A 8.8.8.99
10.8.8.8.in-addr.arpa. PTR mail.example.test.
20.8.8.8.in-addr.arpa. PTR other.example.test.
10.8.8.8.origin.test. TXT "64496 | 8.8.8.0/24 | DE | ripencc | 2001-01-01"
10.8.8.8.origin.test. TXT "64497 | 8.8.0.0/16 | FR | ripencc | 2001-01-01"
AS64496.names.test. TXT "64496 | DE | ripencc | 2001-01-01 | EXAMPLE-NET, DE"
END
my $unbound = Penstock::Unbound->start(folder => $folder, port => $port{unbound},
	stubs => { '.' => $port{nsd}, map { ($_ => $port{rbldnsd}) } @lists });

my $daemon = Penstock::Daemon->new(folder => $folder, build => $ENV{PENSTOCK_BUILD} // $Penstock::Live::source, config => {
	user => 'nobody',
	milter => { socket => "unix:$folder/run/milter.sock" },
	log => { target => 'stderr' },
	http => { listen => "127.0.0.1:$port{http}" },
	control => { socket => "$folder/run/control.sock" },
	socketmap => { listen => '' },
	redis => { server => "unix:$folder/none.sock" },	# no look-up needs it
	dns => { servers => ["127.0.0.1:$port{unbound}"], timeout_ms => 2000 },
	catalogue => { file => '' },
	origin => { zone4 => 'origin.test', zone6 => '', names => 'names.test' },
	blocklists => [
		map { { zone => $_, weight => '0.5', kind => 'spam', ipv6 => 'false',
			codes => ['127.0.0.4-127.0.0.7 exploit', '127.0.0.10-127.0.0.11 policy'] } } @lists
	],
	pools => [{ name => 'all', levels => [qw(good new suspect)], transports => [{ name => 'out' }] }],
});
$daemon->start;

sub question {
	my ($target, %option) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => "$folder/run/control.sock") or die "the control socket: $!\n";
	setsockopt($socket, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), pack('i', 4096)) if $option{narrow};
	print $socket encode_json({ do => 'rbl', target => $target }), "\n";
	$socket->flush;
	return $socket;
}

sub look_up {
	my ($target) = @_;
	my $socket = question($target);
	local $SIG{ALRM} = sub { die "no end of the look-up of $target\n" };
	alarm 60;
	my @lines = map { decode_json($_) } <$socket>;
	alarm 0;
	return @lines;
}

# Those that have all of these members.
sub with {
	my ($lines, %want) = @_;
	return grep { my $line = $_; !grep { ($line->{$_} // 'null') ne $want{$_} } keys %want } @$lines;
}

sub open_look_ups {
	my ($socket) = question('8.8.8.1');
	my $line = <$socket>;
	return decode_json($line)->{error} // '';
}

part 'an address' => sub {
	my @lines = look_up('8.8.8.10');
	is $lines[0]{type}, 'begin', 'the first line';
	is_deeply [@{ $lines[0] }{qw(query kind lists subjects)}], ['8.8.8.10', 'address', 8, 1], 'says what is asked';
	my ($exploit) = with(\@lines, type => 'list', list => 'bl1.example.test');
	is_deeply [@{$exploit}{qw(said kind weight)}, @{ $exploit->{codes} }], ['listed', 'exploit', 0.5, '127.0.0.4'], 'one listing';
	is((with(\@lines, type => 'list', list => 'bl2.example.test'))[0]{kind}, 'policy', 'another one');
	is scalar(with(\@lines, type => 'list', said => 'clean')), 6, 'the other lists are clean';
	is scalar(with(\@lines, type => 'text', list => 'bl1.example.test', text => 'listed for the test')), 1, 'the text of a listing';
	my ($origin) = with(\@lines, type => 'origin');
	is_deeply [@{$origin}{qw(as as_name prefix country)}], [64496, 'EXAMPLE-NET, DE', '8.8.8.0/24', 'DE'], 'its origin';
	my ($ptr) = with(\@lines, type => 'ptr');
	is_deeply $ptr->{names}, ['mail.example.test'], 'its name';
	ok $ptr->{confirmed} && ref $ptr->{confirmed}, 'which leads back to it';
	is_deeply [@{ $lines[-1] }{qw(type subjects listed error)}], ['end', 1, 1, undef], 'the end';
	my ($sums) = with(\@lines, type => 'subject');
	is_deeply [@{$sums}{qw(listed clean unknown skipped weight)}], [2, 6, 0, 0, 1], 'its sums';
};

part 'a name' => sub {
	my @lines = look_up(' Mail.Example.Test. ');
	is_deeply [map { "$_->{subject} $_->{from}" } sort { $a->{subject} cmp $b->{subject} } with(\@lines, type => 'target')],
		['2001:db8::10 AAAA', '8.8.8.10 A', '8.8.8.20 MX mx.example.test', 'mail.example.test '], 'its addresses';
	is scalar(with(\@lines, type => 'list', subject => '8.8.8.20', said => 'listed')), 1, 'a host that takes its mail is listed';
	my ($ptr) = with(\@lines, type => 'ptr', subject => '8.8.8.20');
	ok !$ptr->{confirmed} && defined $ptr->{confirmed}, 'and has a name that does not lead back';
	is_deeply [@{ $lines[-1] }{qw(type subjects listed error)}], ['end', 4, 2, undef], 'the end';
	@lines = look_up('nobody.example.test');
	is $lines[-1]{error}, 'nobody.example.test does not exist in DNS.', 'one that does not exist';
};

part 'a network' => sub {
	my @lines = look_up('8.8.8.0/27');
	is scalar(with(\@lines, type => 'subject')), 32, 'each address';
	is scalar(with(\@lines, type => 'list')), 3, 'the lists that list one';
	is_deeply [@{ $lines[-1] }{qw(subjects listed clean unknown)}], [32, 2, 30, 0], 'the sums';
};

part 'what is no target' => sub {
	for my $row (['', 'Nothing is asked for'], ['2001:db8::/64', '18 quintillion'], ['10.0.0.0/8', '16777216 addresses'],
		['x' x 5000, 'longer than 300'], ['<script>alert(1)</script>', 'not a network'], ["b\x{fc}cher.example", 'xn--']) {
		my ($target, $why) = @$row;
		my @lines = look_up($target);
		is scalar(@lines), 1, 'one line';
		like $lines[0]{error}, qr/\Q$why\E/, $why;
	}
};

part 'clients that do not wait for the end' => sub {
	my @gone = map { question('8.8.8.0/20') } 1 .. 8;
	for my $socket (@gone) {
		my $line = <$socket>;
		like $line, qr/"type":"begin"/, 'a large look-up begins';
	}
	like open_look_ups(), qr/8 look-ups are in progress already/, 'no more than eight at once';
	close $_ for @gone;
	ok wait_for(10, 'the look-ups to end', sub { open_look_ups() eq '' }), 'those of clients that have gone end';
};

# The daemon has closed the connection, whatever is still there to be read.
sub is_cut_off {
	my ($socket) = @_;
	my $poll = IO::Poll->new;
	$poll->mask($socket => POLLIN);
	$poll->poll(0);
	return $poll->events($socket) & POLLHUP;
}

part 'a client that never reads' => sub {
	my @deaf = map { question('8.8.8.0/20', narrow => 1) } 1 .. 8;
	ok wait_for(10, 'eight look-ups', sub { open_look_ups() ne '' }), 'eight of them keep others out';
	ok wait_for(60, 'their end', sub { !grep { !is_cut_off($_) } @deaf }), 'until they have read nothing for long';
	my $socket = shift @deaf;
	unlike join('', <$socket>), qr/"type":"end"/, 'what it had not read is thrown away';
	is((look_up('8.8.8.10'))[-1]{listed}, 1, 'the daemon is well');
};

part 'a reload and an end while a look-up goes on' => sub {
	my $socket = question('8.8.8.0/20');
	my $line = <$socket>;
	$daemon->reload;
	$daemon->wait_log(qr/reload: .* is in force/);
	my @lines = map { decode_json($_) } <$socket>;
	is_deeply [@{ $lines[-1] }{qw(type subjects error)}], ['end', 4096, undef], 'it ends as it began';
	my @open = map { question('8.8.8.0/20') } 1 .. 2;
	$line = readline $_ for @open;
	is $daemon->stop, 0, 'the daemon ends';
};

done_testing;
