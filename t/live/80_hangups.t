#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# How sessions end, as a real Postfix logs it, and what the stream in Redis says of it: each stage, logins apart, each session
# once however often the follower is killed. And the lines of Postfix 3.10, which have a queue id or NOQUEUE in front, count
# alike.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Penstock::Follow;
use Penstock::Live qw(part);
use Penstock::Network qw(with_addresses);
use Penstock::Process qw(run slurp wait_for write_file);
use Penstock::Smtp;
use Test::More;
use Time::HiRes qw(sleep time);

my @addresses = map { "198.51.100.$_" } 1 .. 40;
plan skip_all => 'network namespaces are not given to this test' if !with_addresses(@addresses);
$SIG{PIPE} = 'IGNORE';

use constant SESSIONS => 300;

my $world = Penstock::Live->new(
	config => { clients => { state => '' } },
	main => { smtpd_timeout => '3s', smtpd_error_sleep_time => 0, smtpd_client_connection_rate_limit => 0,
		smtpd_client_connection_count_limit => 0 },
);
my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};
$daemon->{config}{follow} = Penstock::Follow::config($world->{folder});
$daemon->write_config;
my $follow = Penstock::Follow->new($world);
$follow->start;

# Rows of the stream as "EVENT STAGE SERVICE NAME", by address; and each of them, with the number of its batch.
sub batches {
	my (@batches, $number);
	for (split /\n/, $redis->do('XRANGE', 'penstock:clients', '-', '+')) {
		$number = $1 if /^(live:\w+:\d+)$/;
		push @batches, [$number, $1, $2] if /^\d+ ([0-9a-f.:]+) (\w+ \S+ \w+ \S+)$/;
	}
	return @batches;
}

sub rows {
	my ($address) = @_;
	my @rows = sort map { $_->[2] } grep { $_->[1] eq $address } batches();
	return @rows;
}

my $home = 'home@local.example.test';
my @before = ('EHLO client.example.test', 'MAIL FROM:<a@outside.test>', "RCPT TO:<$home>");
my @message = (@before, 'DATA', "Subject: x\r\n\r\ntext\r\n.");

# What a client says, each when the last was answered, and then it goes (or `waits` until it is sent away); rows of it.
my @stages = (
	[ 'at connect', [], 'no_quit connect smtp -' ],
	[ 'behind EHLO', [ $before[0] ], 'no_quit helo smtp -' ],
	[ 'behind STARTTLS', [ $before[0], 'STARTTLS' ], 'no_quit starttls smtp -' ],
	[ 'behind AUTH', [ $before[0], 'AUTH PLAIN' ], 'no_quit auth smtp -' ],
	[ 'behind MAIL', [ @before[0, 1] ], 'no_quit mail smtp -' ],
	[ 'behind RCPT', [ @before ], 'no_quit rcpt smtp -' ],
	[ 'in the message', [ @before, 'DATA', \"Subject: x\r\n\r\nte" ], 'no_quit data smtp -' ],
	[ 'behind the last dot', [ @message ], 'no_quit end_of_message smtp -' ],
	[ 'behind RSET', [ @before, 'RSET' ], 'no_quit rset smtp -' ],
	[ 'behind NOOP', [ $before[0], 'NOOP' ], 'no_quit other smtp -' ],
	[ 'silent behind MAIL', [ @before[0, 1], 'WAIT' ], 'no_quit mail smtp -' ],
	[ 'silent behind the last dot', [ @message, 'WAIT' ], 'no_quit end_of_message smtp -' ],
	[ 'too many errors', [ $before[0], ('NONSENSE') x 20, 'WAIT' ], 'no_quit other smtp -' ],
	[ 'with QUIT', [ @message, 'QUIT' ], 'quit - smtp -' ],
	[ 'with QUIT and nothing else', [ 'QUIT' ], 'quit - smtp -' ],
	[ 'refused, and with QUIT', [ $before[0], $before[1], 'RCPT TO:<x@nowhere.test>', 'QUIT' ], 'quit - smtp -', 'refused - smtp -' ],
	[ 'no SMTP', [ 'GET / HTTP/1.1', 'WAIT' ], 'protocol - smtp -' ],
	[ 'a wrong password', [ $before[0], 'AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHg=', 'QUIT' ], 'auth_failure - smtp alice%40example.com', 'quit - smtp -' ],
	[ 'the name of a stranger', [ $before[0], "AUTH PLAIN AGRpc2Nvbm5lY3QgZnJvbSBhWzE5Mi4wLjIuMV0AeA==", 'QUIT' ],
		'auth_failure - smtp disconnect%20from%20a%5B192.0.2.1%5D%40example.test', 'quit - smtp -' ],
	[ 'a login, and no QUIT', [ $before[0], 'AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHNlY3JldC1hbGljZQ==', "MAIL FROM:<alice\@example.com>",
		$before[2], 'DATA', "Subject: x\r\n\r\ntext\r\n." ], 'login - smtp alice%40example.com' ],
);

sub talk {
	my ($address, @words) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $world->{ports}{smtp}, LocalAddr => $address) or die "connect: $@";
	my $smtp = bless { in => $socket, out => $socket, seconds => 60, buffer => '' }, 'Penstock::Smtp';
	$smtp->answer;
	for my $word (@words) {
		if (ref $word) {
			print $socket $$word;
			$socket->flush;
		} elsif ($word eq 'WAIT') {
			1 while $smtp->answer->{code};
		} else {
			$smtp->command($word);
		}
	}
	close $socket;
}

part 'each stage' => sub {
	for my $i (0 .. $#stages) {
		my ($name, $words) = @{ $stages[$i] };
		talk($addresses[$i], @$words);
	}
	for my $i (0 .. $#stages) {
		my ($name, undef, @rows) = @{ $stages[$i] };
		eval { wait_for(20, $name, sub { rows($addresses[$i]) >= @rows }) };
		is_deeply [ rows($addresses[$i]) ], [ sort @rows ], $name;
	}
};

part 'the lines of Postfix 3.10' => sub {
	my @lines = grep { !/^\s*$/ } split /\n/, slurp($postfix->{log});
	my $changed = 0;
	my %open;	# the queue id of each process's session
	for (@lines) {
		$open{$1} = $2 if m{/smtpd\[(\d+)\]: (\w+): client=};
		$changed += s{(/smtpd\[(\d+)\]: )(?=lost connection after |timeout after |too many errors after )}{$1 . ($open{$2} // 'NOQUEUE') . ': '}e;
		delete $open{$1} if m{/smtpd\[(\d+)\]: disconnect from };
	}
	cmp_ok $changed, '>=', 10, 'lines that it writes in another form';
	write_file("$world->{folder}/3.10.log", join('', map { "$_\n" } @lines), 0644);
	my @did = map {
		my ($status, $out, $error) = run({}, "$world->{build}/penstock-follow", '-c', $daemon->{file}, '--dry-run', $_);
		is $status, 0, "$_ is read$error";
		$out =~ /^# times\twhat clients did\n(.*?)^# of /ms;
	} $postfix->{log}, "$world->{folder}/3.10.log";
	like $did[0], qr/^2\tno_quit at end_of_message$/m, 'what clients did';
	is $did[1], $did[0], '... is the same';
};

part 'the follower is killed' => sub {
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		for my $i (1 .. SESSIONS) {
			talk($addresses[30], $before[0], $i % 3 ? 'QUIT' : ());
			sleep 0.01;
		}
		POSIX::_exit(0);
	}
	for (1 .. 6) {
		sleep 0.3 + rand 0.5;
		$follow->kill_hard;
		$follow->start;
	}
	waitpid $pid, 0;
	eval { wait_for(30, 'all sessions', sub { rows($addresses[30]) >= SESSIONS }) };
	sleep 2;
	my %count;
	$count{$_}++ for rows($addresses[30]);
	is_deeply \%count, { 'quit - smtp -' => SESSIONS * 2 / 3, 'no_quit helo smtp -' => SESSIONS / 3 }, 'each session is in the stream once';
	my ($last, $falls) = (0, 0);
	for (grep { $_->[1] eq $addresses[30] } batches()) {
		my ($number) = $_->[0] =~ /(\d+)$/;
		$falls++ if $number < $last;
		$last = $number;
	}
	is $falls, 0, '... and the numbers of batches rise';
	is $daemon->ctl_json('client', 'show', $addresses[30])->{counts}{client}{quit} > SESSIONS * 2 / 3 - 1, 1, 'the daemon has counted them';
};

part 'Redis is away' => sub {
	$redis->do('CLIENT', 'PAUSE', '4000', 'WRITE');
	talk($addresses[31], $before[0]) for 1 .. 5;
	eval { wait_for(30, 'what happened meanwhile', sub { rows($addresses[31]) >= 5 }) };
	sleep 1;
	is scalar(rows($addresses[31])), 5, 'what clients did meanwhile comes later, once';
};

is $follow->stop, 0, 'the follower ends';
done_testing();
