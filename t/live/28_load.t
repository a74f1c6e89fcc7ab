#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Many real Postfix sessions at once while the daemon is reloaded, asked and watched: all mail is taken, and each message is
# counted once. contrib/check runs it with the thread sanitizer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live;
use Penstock::Process qw(wait_for);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use constant { SESSIONS => 8, MESSAGES => 30 };

my $world = Penstock::Live->new;
my $daemon = $world->{daemon};

# An account a session; ends with how many of its messages were not taken.
my @accounts = (qw(alice bob carol dave erin frank grace heidi))[0 .. SESSIONS - 1];
my %sender;
for my $account (@accounts) {
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		my $left = MESSAGES;
		eval {
			my $session = $world->session(auth => $account);
			for (1 .. MESSAGES) {
				$left-- if $world->send_in($session, auth => $account)->{code} == 250;
			}
			$session->quit;
			1;
		} or warn "# $account: $@";
		POSIX::_exit($left);
	}
	$sender{$pid} = $account;
}

my ($reloads, $answers, %left) = (0, 0);
while (keys %left < SESSIONS) {
	$daemon->reload;
	$reloads++;
	$answers++ if $daemon->health && $daemon->http('/metrics') && ($daemon->ctl('status'))[0] <= 1;
	while ((my $pid = waitpid(-1, POSIX::WNOHANG)) > 0) {
		$left{ $sender{$pid} } = $? >> 8 || $? if $sender{$pid};
	}
	sleep 0.2;
}
is_deeply \%left, { map { $_ => 0 } @accounts }, 'each session had all its messages taken';
is $answers, $reloads, "meanwhile the daemon was reloaded $reloads times, and answered each time";
for my $account (@accounts) {
	ok eval { wait_for(20, 'the count', sub { $world->counters("$account\@example.com")->{day_msgs} == MESSAGES }) },
		"$account: each message is counted once";
}
like $daemon->log_text, qr/reload: \S+ is in force/, 'the reloads came into force';
is $daemon->stop(60), 0, 'the daemon ends with 0';
done_testing;
