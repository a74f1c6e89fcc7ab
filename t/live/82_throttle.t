#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Strangers are slowed, with a real Postfix: who waits, who gives up and is known by it, places that are never all of
# Postfix's processes, and requests that no Postfix sends.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::UNIX;
use Penstock::Follow;
use Penstock::Live qw(part);
use Penstock::Network qw(with_addresses);
use Penstock::Process qw(wait_for);
use Penstock::Smtp;
use Penstock::Strangers qw(look_up tell);
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'network namespaces are not given to this test' if !with_addresses(map { "198.51.100.$_" } 1 .. 40);
$SIG{PIPE} = 'IGNORE';

my ($wait, $places, $processes) = (2, 5, 9);
my $world = Penstock::Live->new(
	config => { clients => { slow_most => $places, state => '' }, reputation => { suspect_enter => '19.0', blocked_enter => '20.0' } },
	main => { smtpd_client_connection_rate_limit => 0, smtpd_client_connection_count_limit => 0 },
);
my ($postfix, $daemon) = @{$world}{qw(postfix daemon)};
my $home = 'home@local.example.test';

# What Postfix logs of its clients is read and handed on.
$daemon->{config}{follow} = Penstock::Follow::config($world->{folder});
$daemon->write_config;
my $follow = Penstock::Follow->new($world);
$follow->start;

sub reload {
	my $times = () = $daemon->log_text =~ /^reload: .* is in force$/mg;
	$daemon->write_config;
	$daemon->reload;
	wait_for(20, 'the reload', sub { $times < (() = $daemon->log_text =~ /^reload: .* is in force$/mg) });
}

sub set_wait {
	my ($seconds) = @_;
	$daemon->{config}{socketmap}{throttle_s} = $wait = $seconds;
	reload();
}

sub set_postfix {
	my (%lines) = @_;
	$postfix->set(%lines);
	$postfix->reload;
	sleep 1;	# its old processes end when they are idle
}

set_wait($wait);
set_postfix(smtpd_client_restrictions => "permit_mynetworks, permit_sasl_authenticated, check_client_access socketmap:unix:$world->{folder}/run/socketmap.sock:throttle");

# Until all places are free: they take as long as a wait.
sub rest { sleep $wait + 0.2 }

part 'who waits' => sub {
	is look_up($world, 'throttle', '198.51.100.7'), "sleep $wait", 'a stranger';
	is look_up($world, 'throttle', $_), '', "not $_"
		for 'unknown', 'mail.example.com', '198.51.100', '127.0.0.1', '::1', $Penstock::Postfix::customers, 'alice@example.com';
	is look_up($world, 'account-throttle', $_), '', "nor the login $_" for 'alice@example.com', 'alice', '198.51.100.7';
	rest();
};

part 'a stranger that waits' => sub {
	my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => '198.51.100.20');
	is $session->command('MAIL FROM:<a@outside.test>')->{code}, 250, 'Postfix asks at RCPT';
	for my $user (qw(home office)) {
		my $start = time;
		is $session->command("RCPT TO:<$user\@local.example.test>")->{code}, 250, "$user: taken";
		cmp_ok time - $start, '>=', $wait - 0.05, "... after $wait s";
	}
	my $end = $session->command('DATA');
	$end = $session->command("Subject: slow mail\r\nDate: Mon, 5 Jan 2026 12:00:00 +0000\r\nFrom: <a\@outside.test>\r\nMessage-ID: <1\@outside.test>\r\n\r\nhello\r\n.");
	is $end->{code}, 250, 'and the mail is taken';
	$session->quit;
	ok wait_for(20, 'the mail', sub { grep { /slow mail/ } $postfix->delivered('home') }), '... and arrives';
	rest();
};

# Who hung up, after which command.
sub hung_up {
	my ($address) = @_;
	return map { lc } map { /lost connection after (\w+).* from \S+\[\Q$address\E\]/ } $postfix->log_lines(qr/lost connection after/);
}

part 'a stranger that gives up' => sub {
	my ($address, $times) = ('198.51.100.30', 5);
	is look_up($world, 'starttls', $address), '', 'nothing is known of it';
	for (1 .. $times) {
		my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => $address);
		$session->command('MAIL FROM:<a@outside.test>');
		print { $session->{out} } "RCPT TO:<$home>\r\n";
		$session->{out}->flush;
		ok !IO::Select->new($session->{in})->can_read(0.3), 'it waits ...';
		close $session->{in};	# ... and has enough
		wait_for(20, 'Postfix to see it', sub { hung_up($address) == $_ });
	}
	my @stages = hung_up($address);
	is "@stages", join(' ', ('rcpt') x $times), 'Postfix tells where it hung up';
	ok wait_for(20, 'its standing', sub { look_up($world, 'starttls', $address) eq 'starttls' }), 'it is known as one that gives up: its standing is poor';

	# the same without a wait before it
	my $other = '198.51.100.31';
	tell($world, map { [$other, 'no_quit', 'rcpt'] } 1 .. 3);
	tell($world, ['198.51.100.32', 'spam'], map { ['198.51.100.32', 'spam'] } 1 .. 60);
	wait_for(20, 'the batch behind it', sub { look_up($world, 'starttls', '198.51.100.32') eq 'starttls' });
	is look_up($world, 'starttls', $other), '', 'who hung up without having been slowed is not';
	rest();
};

part 'at connect' => sub {
	set_postfix(smtpd_delay_reject => 'no');
	my $start = time;
	my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => '198.51.100.40');
	cmp_ok time - $start, '>=', $wait - 0.05, 'with smtpd_delay_reject=no a stranger waits before the greeting';
	is $session->{greeting}{code}, 220, '... which comes';
	$session->quit;
	set_postfix(smtpd_delay_reject => 'yes');
	rest();
};

# Each stranger in a process: when it got the answers of its RCPT, and after how long. More come than Postfix has processes.
part 'places' => sub {
	my ($strangers, @readers) = 24;
	for my $n (1 .. $strangers) {
		pipe my $read, my $write or die "pipe: $!";
		if (!fork) {
			close $read;
			my $said = eval {
				my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => "198.51.100.$n");
				$session->command('MAIL FROM:<a@outside.test>');
				my $start = time;
				my $code = $session->command("RCPT TO:<$home>")->{code};
				my $end = time;
				$session->quit;
				"$code $start $end";
			} // "0 0 0 $@";
			syswrite $write, $said;
			POSIX::_exit(0);
		}
		close $write;
		push @readers, $read;
	}
	my @answers = map { my $said = do { local $/; <$_> }; [split / /, $said, 4] } @readers;
	wait for 1 .. $strangers;
	is scalar(grep { $_->[0] == 250 } @answers), $strangers, 'each stranger has its answer';
	my @waits = grep { $_->[2] - $_->[1] >= $wait - 0.05 } @answers;
	cmp_ok scalar @waits, '>=', $places, 'as many as there are places wait';
	cmp_ok scalar @waits, '<', $strangers, '... and others do not';
	# a wait ends with its answer, and a process that is freed is a moment late
	my $most = 0;
	for my $wait_of (@waits) {
		my $moment = $wait_of->[2] - $wait / 2;
		my $at_once = grep { abs($_->[2] - $wait / 2 - $moment) < $wait - 0.25 } grep { $_->[2] <= $wait_of->[2] } @waits;
		$most = $at_once if $at_once > $most;
	}
	cmp_ok $most, '<=', $places, 'never more at one time than there are places';
	rest();
};

sub dial { return IO::Socket::UNIX->new(Peer => "$world->{folder}/run/socketmap.sock") || die "the socketmap: $!\n" }

sub framed { return length($_[0]) . ":$_[0]," }

# All that comes until nothing does or it is enough.
sub answers {
	my ($socket, $enough, $seconds) = @_;
	my $text = '';
	my $end = time + ($seconds // 30);
	while (time < $end) {
		last if $enough && (() = $text =~ /,/g) >= $enough;
		IO::Select->new($socket)->can_read($end - time) or last;
		sysread $socket, $text, 1 << 16, length $text or last;
	}
	return $text;
}

part '10,000 requests at once' => sub {
	my ($sockets, $each) = (200, 50);
	my @sockets = map { dial() } 1 .. $sockets;
	my $start = time;
	for my $n (0 .. $#sockets) {
		syswrite $sockets[$n], join '', map { framed("throttle 198.51.100." . (($n * $each + $_) % 256)) } 1 .. $each;
	}
	my %count;
	for my $socket (@sockets) {
		$count{$_}++ for answers($socket, $each) =~ /\d+:([^,]*),/g;
	}
	my $took = time - $start;
	is $count{'NOTFOUND '} + $count{"OK sleep $wait"}, $sockets * $each, 'each has its answer';
	cmp_ok $count{"OK sleep $wait"}, '>=', $places, 'as many as there are places are to wait';
	cmp_ok $count{"OK sleep $wait"}, '<=', $places * (1 + int $took / $wait), '... and no more';
	is scalar keys %count, 2, 'and there is no other answer';
	is look_up($world, 'transport', 'nobody@example.com'), '', 'a map is asked as before';
	rest();
};

part 'requests of no Postfix' => sub {
	my @ends = ('99999999999999999999:throttle 198.51.100.7,', '-1:x,', '4096:' . 'x' x 3000, 'GET / HTTP/1.0', '0018:throttle 192.0.2.7,',
		'20:throttle 198.51.100.7;', ',', ':,', "\0", '5');
	for my $bytes (@ends) {
		my $socket = dial();
		syswrite $socket, $bytes;
		shutdown $socket, 1;
		is answers($socket, 0, 5), '', 'no answer to ' . substr $bytes =~ s/[^ -~]/?/gr, 0, 40;
	}
	my $socket = dial();
	my @keys = ("throttle 198.51.100.7\0", 'throttle ' . '1' x 2000, 'throttle', 'throttle ', ' ', '', 'starttls 198.51.100.7.', 'throttle ::ffff:1.2.3',
		'throttle ' . ('a' x 300) . '@' . ('b' x 300), "account-throttle \xff\xfe", 'account-throttle ' . 'x' x 1900, 'Throttle 198.51.100.7');
	syswrite $socket, join '', map { framed($_) } @keys;
	is answers($socket, scalar @keys), '9:NOTFOUND ,' x @keys, 'nothing is found of nonsense';
	is look_up($world, 'throttle', '198.51.100.7'), "sleep $wait", 'and who asks well has his answer';
	ok $daemon->lives, 'the daemon lives';
};

part 'shadow mode' => sub {
	tell($world, map { ['198.51.100.99', 'spam'] } 1 .. 60);
	wait_for(20, 'its standing', sub { look_up($world, 'starttls', '198.51.100.99') eq 'starttls' });
	rest();
	$daemon->{config}{shadow} = ['all'];
	reload();
	is look_up($world, 'starttls', '198.51.100.99'), '', 'nothing is hidden';
	is look_up($world, 'throttle', '198.51.100.99'), '', 'and nobody waits';
	$daemon->{config}{shadow} = [];
	reload();
	is look_up($world, 'throttle', '198.51.100.99'), "sleep $wait", 'without it he does';
	rest();
};

# For so long that whoever is kept out would be seen.
part 'Postfix has processes left' => sub {
	set_wait(30);
	set_postfix(default_process_limit => $processes);
	my @strangers;
	for my $n (1 .. $processes - 1) {
		my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => "198.51.100.$n");
		$session->command('MAIL FROM:<a@outside.test>');
		print { $session->{out} } "RCPT TO:<$home>\r\n";
		$session->{out}->flush;
		push @strangers, $session;
	}
	my $answered = 0;
	wait_for(20, 'those without a place to be answered', sub {
		$answered = grep { IO::Select->new($_->{in})->can_read(0) } @strangers;
		return $answered >= $processes - 1 - $places;
	});
	sleep 0.5;
	$answered = grep { IO::Select->new($_->{in})->can_read(0) } @strangers;
	is $answered, $processes - 1 - $places, 'all but those who have a place are answered at once';
	for (@strangers) {
		$_->quit if IO::Select->new($_->{in})->can_read(0);
	}
	my $customer = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => '127.0.0.1', seconds => 15);
	is $customer->login('alice@example.com', 'secret-alice')->{code}, 235, 'a customer gets in meanwhile';
	my $result = $world->send_in($customer, from => 'alice@example.com');
	is $result->{code}, 250, '... and his mail, too';
	$customer->quit;
	ok $world->arrived($result), '... which leaves';
	is scalar(grep { IO::Select->new($_->{in})->can_read(0) } grep { defined fileno $_->{in} } @strangers), 0, 'the others still wait';
	close $_->{in} for @strangers;
};

is $daemon->stop, 0, 'the end';
done_testing;
