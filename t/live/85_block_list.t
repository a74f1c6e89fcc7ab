#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Our own block list: a real rbldnsd serves what the daemon writes, a real Postfix refuses by it, nft shuts out by it.
# All in a network namespace of the test's own, where clients have addresses of documentation and DNS has its port.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::IP;
use Penstock::Live qw(part);
use Penstock::Process qw(free_port need_program run slurp start_code start_program stop_process wait_for wait_ready write_file);
use Penstock::Sink;
use Test::More;
use Time::HiRes qw(sleep time);

my $zone = 'bad.example.test';
my ($v4, $quiet, $own, $leaving) = qw(192.0.2.7 192.0.2.8 192.0.2.50 192.0.2.66);
my ($v6, $v6_same, $v6_other) = qw(2001:db8:1:2::7 2001:db8:1:2:ffff::9 2001:db8:1:3::7);
my ($before4, $before6) = qw(203.0.113.1 2001:db8:7:7::9);	# listed in an earlier life: the milter has nothing against them

# this program once more, in such a namespace
if (!$ENV{PENSTOCK_BLOCK_NET}) {
	plan skip_all => 'network namespaces are not given to this test' if system('unshare -m -n true 2>/dev/null') != 0;
	my $file = File::Temp->new(TEMPLATE => 'penstock-resolv-XXXXXX', TMPDIR => 1, UNLINK => 0);
	print $file "nameserver 127.0.0.1\n";
	close $file;
	chmod 0644, $file->filename;
	$ENV{PENSTOCK_BLOCK_NET} = $file->filename;
	my $script = 'mount --bind "$PENSTOCK_BLOCK_NET" /etc/resolv.conf && ip link set lo up && '
		. join(' && ', map({ "ip addr add $_/32 dev lo" } $v4, $quiet, $own, $leaving, $before4),
			map({ "ip addr add $_/128 dev lo nodad" } $v6, $v6_same, $v6_other, $before6)) . ' && exec "$@"';
	exec 'unshare', '-m', '-n', 'sh', '-c', $script, 'sh', $^X, $0 or die "unshare: $!\n";
}
unlink $ENV{PENSTOCK_BLOCK_NET};

# clients of public addresses, which are in networks that somebody has
my ($guesser, $spammer, $guesser6) = qw(44.44.44.44 44.44.45.45 2600:7:7:7::);

my $folder = File::Temp::tempdir('penstock-block-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $folder;
my ($state, $zones) = ("$folder/state", "$folder/zones");
for my $made ($state, $zones) {
	mkdir $made, 0755;
	chown((getpwnam 'nobody')[2, 3], $made);
}
my $keep = 0.2 * 3600;

# What an earlier life of the daemon left: one that soon has its time behind it, and many that stay.
sub write_listed {
	my @rows = map { sprintf "203.0.%d.%d 2 %d %d", 113 + $_ / 250, 1 + $_ % 250, time, time } 0 .. 19999;
	push @rows, sprintf "2001:db8:7:7:: 3 %d %d", time, time;
	push @rows, sprintf "$leaving 3 %d %d", time - 1000, time - $keep + 12;
	write_file("$state/listed", join("\n", 'penstock listed 1', @rows, 'end ' . @rows) . "\n", 0644);
}
write_listed();

my $world = Penstock::Live->new(
	config => {
		clients => { state => $state, zone => $zones, zone_hours => '0.2', zone_text => 'Bad; see https://example.test/?$' },
		dns => { servers => ['127.0.0.1:53'], timeout_ms => 1000 },
		accounts => { sources => [qw(auth certificate network uid sender)], cut_tag => 'true',
			own_networks => [ $Penstock::Postfix::customers, $own ] },
	},
	main => {
		inet_interfaces => 'all', inet_protocols => 'all',
		smtpd_recipient_restrictions => "reject_rbl_client $zone, permit",
	});
my ($daemon, $postfix) = @{$world}{qw(daemon postfix)};

write_file("$postfix->{config}/master.cf", slurp("$postfix->{config}/master.cf") . "[::1]:$world->{ports}{smtp} inet n - n - - smtpd\n");
$postfix->reload;

# whose the networks are; nobody's is that of the second one
write_file("$folder/contacts4", "$guesser :127.0.0.2:abuse\@isp.test\n$spammer :127.0.0.2:nobody is responsible\n", 0644);
write_file("$folder/contacts6", "$guesser6 :127.0.0.2:contact <noc\@six.test>, other\@six.test\n", 0644);

# rbldnsd as the manual says, on the port that Postfix's resolver asks
wait_for(20, 'the zones', sub { -e "$zones/clients.ip6trie" });
my $rbldnsd = start_program('rbldnsd', "$folder/rbldnsd.log", need_program('rbldnsd', 'rbldnsd'), '-n', '-f', '-c', '1s',
	'-u', 'daemon', '-b', '127.0.0.1/53', '-w', $zones, "$zone:ip4set:clients.ip4set", "$zone:ip6trie:clients.ip6trie",
	"contacts.test:ip4set:$folder/contacts4", "contacts.test:ip6trie:$folder/contacts6");
wait_ready($rbldnsd, "$folder/rbldnsd.log", 20, sub { (answer('127.0.0.2') // '') eq '127.0.0.2' });

# What stands before the zone, RFC 5782.
sub reversed {
	my ($address) = @_;
	return join '.', reverse split /\./, $address if $address !~ /:/;
	return join '.', reverse split //, unpack 'H*', Socket::inet_pton(Socket::AF_INET6, $address);
}

# The A or TXT record of a client; '' where it is not listed, undef where nobody answered.
sub answer {
	my ($address, $type) = @_;
	my $socket = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => 53, Type => Socket::SOCK_DGRAM) or return;
	my $question = join('', map { chr(length) . $_ } split /\./, reversed($address) . ".$zone") . "\0" . pack('nn', $type // 1, 1);
	send($socket, pack('n6', 4711, 0x0100, 1, 0, 0, 0) . $question, 0) or return;
	my $bits = '';
	vec($bits, fileno($socket), 1) = 1;
	return if !select($bits, undef, undef, 2);
	recv($socket, my $reply, 512, 0) // return;
	my (undef, $flags, undef, $count) = unpack 'n4', $reply;
	return if ($flags & 15) != 0 && ($flags & 15) != 3;
	return '' if !$count;
	my $data = substr $reply, 12 + length($question) + 12;
	return ($type // 1) == 16 ? unpack('C/a', $data) : join '.', unpack 'C4', $data;
}

sub listed { my ($address) = @_; return wait_for(40, "$address on the list", sub { answer($address) }) }
sub unlisted { my ($address) = @_; wait_for(40, "$address off the list", sub { defined answer($address) && answer($address) eq '' }) }

# What Postfix says to RCPT of a client at this address.
sub rcpt {
	my ($address) = @_;
	my $server = $address =~ /:/ ? '::1' : '127.0.0.1';
	my $socket = IO::Socket::IP->new(PeerHost => $server, PeerPort => $world->{ports}{smtp}, LocalHost => $address, Timeout => 3)
		or return "no connection: $@";
	my $said = '';
	local $SIG{ALRM} = sub { die "Postfix does not answer\n" };
	alarm 30;
	for my $line (undef, 'EHLO there.test', 'MAIL FROM:<stranger@outside.test>', 'RCPT TO:<home@local.example.test>') {
		print $socket "$line\r\n" if defined $line;
		$said = '';
		while (my $answer = <$socket>) {
			$said .= $answer;
			last if $answer =~ /^\d{3} /;
		}
	}
	alarm 0;
	print $socket "QUIT\r\n";
	return $said;
}

sub ctl { my ($status, $out, $error) = $daemon->ctl(@_); die "@_: $error" if $status != 0; return $out }
sub row_of { my ($address) = @_; return (grep { $_->{client} eq $address } @{ $daemon->ctl_json('client', 'list')->{listed} })[0] }

part 'the test entries of RFC 5782' => sub {
	is answer('127.0.0.2'), '127.0.0.2', 'IPv4: 127.0.0.2 is listed';
	is answer('127.0.0.1'), '', '... 127.0.0.1 is not';
	is answer('::ffff:7f00:2'), '127.0.0.2', 'IPv6: ::FFFF:7F00:2 is';
	is answer('::ffff:7f00:1'), '', '... ::FFFF:7F00:1 is not';
	my ($status, $out) = $daemon->ctl('rbl', '127.0.0.9');
	like answer('127.0.0.2', 16), qr/^Test entry$/, 'TXT';
};

part 'what was listed before the start' => sub {
	is answer($leaving), '127.0.0.3', 'it is listed still';
	is answer('203.0.113.1'), '127.0.0.2', '... and so are many';
	unlisted($leaving);
	pass 'until its time has passed';
	is answer('203.0.113.1'), '127.0.0.2', '... and the others stay';
};

part 'what Postfix says' => sub {
	my $row = row_of($before4);
	like $row->{ref}, qr/^C-[0-9A-Z]{13}$/, 'a client on the list has a reference';
	is answer($before4, 16), "Bad; see https://example.test/?$row->{ref}", '... which TXT gives, too';
	like rcpt($before4), qr/^554 5\.7\.1 .*\[\Q$before4\E\] blocked using \Q$zone\E; Bad; see https:\/\/example\.test\/\?\Q$row->{ref}\E/,
		'Postfix refuses it, with that text';
	like rcpt($quiet), qr/^250 /, 'another client is taken';
	like rcpt($before6), qr/^554 5\.7\.1 .*\[\Q$before6\E\] blocked using \Q$zone\E; Bad; see/, 'Postfix refuses one of IPv6, by its /64';
	like rcpt($v6_other), qr/^250 /, '... and none of another';
};

part 'an account of an address that is blocked' => sub {
	ctl('account', 'block', "ip:$_", 'it sends spam') for $v4, $own, $v6;
	is listed($v4), '127.0.0.5', 'it is on the list: blocked';
	is answer($quiet), '', 'another client is not';
	is answer($own), '', 'one of our own networks is never listed';
	ok !defined row_of($own), '... nor in client list';
	is listed($v6), '127.0.0.5', 'so is one of IPv6';
	is answer($v6_same), '127.0.0.5', '... with its /64';
	is answer($v6_other), '', '... and not the next one';
};

part 'client list' => sub {
	my $out = ctl('client', 'list');
	ok $out =~ /^\Q$v4\E +blocked +\S.*? C-[0-9A-Z]{13}$/m, 'a row for people';
	ok $out =~ /^2001:db8:1:2::\/64 +blocked /m, '... of IPv6';
	my @plain = split /\n/, ctl('client', 'list', '--plain');
	is scalar @plain, 20003, '--plain: all of them';
	is((grep { !/^(?:[\d.]+|[0-9a-f:]+\/64)$/ } @plain), 0, '... addresses alone');
	my ($status, undef, $error) = $daemon->ctl('client', 'list', '--nft', '--plain');
	is $status, 2, 'not both';
	like $error, qr/expected one of --nft, --plain and --json/, '... which is said';
};

part 'a firewall' => sub {
	my $nft = need_program('nft', 'nftables');
	my $load = sub {
		my $commands = ctl('client', 'list', '--nft');
		my ($status, $out, $error) = run({ input => $commands }, $nft, '-f', '-');
		is $status, 0, "nft takes it $error";
	};
	my $connects = sub {
		my ($from) = @_;
		return IO::Socket::IP->new(PeerHost => $from =~ /:/ ? '::1' : '127.0.0.1', PeerPort => $world->{ports}{smtp},
			LocalHost => $from, Timeout => 2) ? 1 : 0;
	};
	my $rules = slurp("$Penstock::Live::source/contrib/recipes/nft/penstock.nft") =~ s/\{ 25, .*?\}/$world->{ports}{smtp}/gr;
	$load->();
	my ($status, undef, $error) = run({ input => $rules }, $nft, '-f', '-');
	is $status, 0, "the rules are taken $error";
	is $connects->($v4), 0, 'a client on the list comes not in';
	is $connects->($v6_same), 0, '... nor one of its /64';
	is $connects->($quiet), 1, 'another does';
	is $connects->($v6_other), 1, '... by IPv6, too';
	ctl('account', 'exempt', "ip:$v4");
	unlisted($v4);
	$load->();
	is $connects->($v4), 1, 'one that an admin exempted comes in again';
	is $connects->($v6), 0, '... and the others stay out';
	($status, my $out) = run({}, $nft, 'list', 'set', 'inet', 'penstock', 'clients4');
	like $out, qr/203\.0\.113\.1 timeout \d+[smh]\S* expires /, 'each leaves the set by itself';
	run({}, $nft, 'delete', 'table', 'inet', 'penstock');
};

part 'replaced under load' => sub {
	my $seen = "$folder/seen";
	my $reader = start_code('reader', sub {
		my ($whole, $cut, $before, $inodes) = (0, 0, 0, 0);
		while (1) {
			my $text = slurp("$zones/clients.ip4set");
			my $inode = (stat "$zones/clients.ip4set")[1] // 0;
			$inodes++ if $inode != $before;
			$before = $inode;
			$text =~ /\A# Written by .*\n203\.0\.192\.250 :127\.0\.0\.2:[^\n]+\n\z/s ? $whole++ : $cut++;
			write_file("$seen.new", "$whole $cut $inodes");
			rename "$seen.new", $seen;
		}
	});
	my ($asked, $wrong, $unanswered, $end) = (0, 0, 0, time + 180);
	my $turn = 0;
	while (time < $end) {
		if ($turn++ % 400 == 0) {
			my $client = '198.51.100.' . (1 + $turn / 400 % 150);
			ctl('account', 'block', "ip:$client", 'load');
			last if (split / /, slurp($seen) || '0 0 0')[2] > 3;
		}
		my $answer = answer((qw(203.0.113.1 203.0.150.77 203.0.192.250))[$turn % 3]);
		$asked++;
		$unanswered++ if !defined $answer;
		$wrong++ if defined $answer && $answer ne '127.0.0.2';
		sleep 0.002;
	}
	my ($whole, $cut, $inodes) = split / /, slurp($seen);
	stop_process($reader);
	diag "asked $asked times; the file read $whole times, $inodes different ones";
	is $wrong, 0, 'rbldnsd never says of a listed one that it is not';
	is $unanswered, 0, '... and always answers';
	is $cut, 0, 'nobody ever sees a part of the file';
	cmp_ok $inodes, '>', 2, '... which was replaced meanwhile';
};

# What penstock-follow hands to the daemons.
my $ordinal = 0;
sub does {
	my ($client, $event, $count, $service) = @_;
	my @names = map { $event eq 'auth_failure' ? "user$_" : '-' } 1 .. $count;
	while (my @some = splice @names, 0, 100) {
		my $rows = join '', map { join(' ', int time, $client, $event, '-', $service // 'smtp', $_) . "\n" } @some;
		$world->{redis}->do('XADD', 'penstock:clients', '*', 'n', 'live:4711:' . ++$ordinal, 'r', $rows);
	}
}

part 'clients of bad standing, and who is told of them' => sub {
	my $sink = Penstock::Sink->start(folder => $folder, port => free_port('tcp'), keep_text => 1);
	$daemon->{config}{admin} = { smtp => "127.0.0.1:$sink->{port}" };
	@{ $daemon->{config}{clients} }{qw(abuse_contacts abuse_from abuse_a_day)} = ('contacts.test', 'abuse@example.com', 2);
	$daemon->write_config;
	$daemon->reload;
	does($guesser, 'auth_failure', 60);
	does('44.44.44.45', 'auth_failure', 60);
	does($spammer, 'spam', 200);
	does($guesser6, 'auth_failure', 60);
	is listed($guesser), '127.0.0.3', 'a guesser is listed: logins';
	is listed($spammer), '127.0.0.2', 'a spammer is: mail';
	is listed($guesser6), '127.0.0.3', 'a guesser of IPv6 is';
	my $mail = $sink->wait("Abuse report: $guesser tries passwords", 1, 90);
	is_deeply $mail->{to}, ['abuse@isp.test'], 'the network is told';
	is $mail->{from}, 'abuse@example.com', '... by who reads answers';
	like $mail->{text}, qr/^X-XARF: PLAIN\r?$/m, '... in X-ARF';
	like $mail->{text}, qr/^Source: '\Q$guesser\E'\r?$/m, '... of which client';
	my $row = row_of($guesser);
	like $mail->{text}, qr/reference \Q$row->{ref}\E\./, '... with the reference';
	is_deeply $sink->wait("Abuse report: $guesser6 tries passwords", 1, 90)->{to}, ['noc@six.test'], 'so is that of IPv6';
	sleep 12;
	my @all = $sink->messages;
	is scalar @all, 2, 'no other mail: a network is told once, and who names nobody is not told';
	$daemon->stop;
	$daemon->start;
	sleep 12;
	is scalar(@{[ $sink->messages ]}), 2, '... also by another life of the daemon';
	$sink->stop;
};

part 'a folder that cannot be written' => sub {
	chown 0, 0, $zones;
	ctl('account', 'block', 'ip:198.51.100.200');
	$daemon->wait_log(qr/the block list: clients\.zone: "\Q$zones\E\/clients\.ip4set\.new" cannot be written: Permission denied/, 40);
	pass 'is said in the log';
	like join("\n", @{ $daemon->health->{reasons} }), qr/the block list: .* cannot be written/, '... and in /health';
	is answer('203.0.113.1'), '127.0.0.2', 'the zone that was there still answers';
	chown((getpwnam 'nobody')[2, 3], $zones);
	is listed('198.51.100.200'), '127.0.0.5', 'when it can be written again, it is';
	wait_for(20, 'the end of the trouble', sub { !grep { /block list/ } @{ $daemon->health->{reasons} } });
	pass '... and /health is well';
};

part 'Redis away, and a restart' => sub {
	$world->{redis}->stop;
	$daemon->stop;
	$daemon->start;
	sleep 12;
	is answer('198.51.100.200'), '127.0.0.5', 'what was listed stays';
	ok defined row_of('198.51.100.200'), '... in client list, too';
};

done_testing;
