# SPDX-License-Identifier: BSD-2-Clause
#
# Accounts: what a message costs Redis, and an account takes there, among few and among many accounts. storeload fills a
# Redis of its own and charges messages by the daemon's store; Redis says what it used: CPU of its process, all of it
# (what EVALSHA took alone is a part), and memory. The least of some runs counts: other programs share the cores.
package Accounts;

use strict;
use warnings;

use Time::HiRes ();

our @head = ('accounts in one Redis', 'us a message', 'of it in the script', 'fetch alone', 'without group and campaign',
	     'one message at a time', 'bytes an account', 'target', 'result');
my ($us_most, $bytes_most) = (60, 700);

# stand, program, quick, say. Returns rows and notes.
sub run
{
	my (%set) = @_;
	my ($messages, $runs) = $set{quick} ? (3_000, 2) : (40_000, 3);
	my (@rows, @notes, @us);
	for my $accounts ($set{quick} ? (100, 2_000) : (1_000, 100_000, 1_000_000)) {
		start_redis($set{stand});
		my $bytes = fill(%set, accounts => $accounts);
		load(%set, words => ['messages', $accounts, $set{quick} ? 500 : 20_000]);	# groups, campaigns
		my %us = map { $_->[0] => best(%set, messages => $messages, runs => $runs, accounts => $accounts, case => $_) }
			['whole', 'messages', 64, 1, 1], ['fetch', 'fetches', 64, 0, 0], ['alone', 'messages', 64, 0, 0],
			['single', 'messages', 1, 1, 1];
		my $fine = $us{whole}{cpu} <= $us_most && $bytes <= $bytes_most;
		push @rows, [$accounts, sprintf('%.1f', $us{whole}{cpu}), sprintf('%.1f', $us{whole}{scripts}),
			     (map { sprintf '%.1f', $us{$_}{cpu} } qw(fetch alone single)), sprintf('%.0f', $bytes),
			     "at most $us_most us, $bytes_most bytes", $fine ? 'reached' : 'missed'];
		push @us, $us{whole}{cpu};
		$set{say}->(join '  ', @{ $rows[-1] });
		push @notes, describe($set{stand}, $accounts);
		$set{stand}->stop('accounts');
	}
	push @notes, sprintf 'Cost of a message among the most accounts over that among the fewest: %.2f.', $us[-1] / $us[0];
	return (\@rows, \@notes);
}

sub start_redis
{
	my ($stand) = @_;
	my $socket = $stand->path('redis.sock');
	$stand->stop('redis') if $stand->pid('redis');
	unlink $socket;
	$stand->start('accounts', 'redis-server', '--port', '0', '--unixsocket', $socket, '--save', '', '--appendonly', 'no',
		      '--daemonize', 'no', '--dir', $stand->{dir}, '--loglevel', 'warning');
	$stand->wait_socket('accounts', $socket);
}

sub load
{
	my (%set) = @_;
	my @words = ('unix:' . $set{stand}->path('redis.sock'), @{ $set{words} });
	open my $out, '-|', $set{program}, @words or die "$set{program}: $!\n";
	my $said = do { local $/; <$out> } // '';
	close $out or die "$set{program} @words: $said\n";
}

sub used { return $_[0]->redis_info('memory')->{used_memory} }

# Scripts, connections and the like are there before the first reading.
sub fill
{
	my (%set) = @_;
	load(%set, words => ['fill', 100]);
	load(%set, words => ['messages', 100]);
	$set{stand}->redis('FLUSHALL');
	my $before = used($set{stand});
	load(%set, words => ['fill', $set{accounts}]);
	# while a table of keys grows, Redis keeps two; it ends in its idle time
	my ($after, $last) = (used($set{stand}), 0);
	while ($after != $last) {
		Time::HiRes::sleep(2);
		($last, $after) = ($after, used($set{stand}));
	}
	return ($after - $before) / $set{accounts};
}

sub best
{
	my (%set) = @_;
	my ($name, $what, @more) = @{ $set{case} };
	my %best = (cpu => 9e9, scripts => 9e9);
	for (1 .. $set{runs}) {
		$set{stand}->redis('CONFIG', 'RESETSTAT');
		my $before = cpu($set{stand});
		load(%set, words => [$what, $set{accounts}, $set{messages}, @more]);
		my $us = (cpu($set{stand}) - $before) / $set{messages};
		next if $us >= $best{cpu};
		my ($scripts) = ($set{stand}->redis_info('commandstats')->{cmdstat_evalsha} // '') =~ /usec=(\d+)/;
		%best = (cpu => $us, scripts => ($scripts // 0) / $set{messages});
	}
	return \%best;
}

sub cpu
{
	my ($stand) = @_;
	my $info = $stand->redis_info('cpu');
	return ($info->{used_cpu_user} + $info->{used_cpu_sys}) * 1e6;
}

sub describe
{
	my ($stand, $accounts) = @_;
	my $account = 'penstock:{user' . int($accounts / 2) . '@customer' . int($accounts / 40) . '.example}';
	my @parts;
	for my $part (qw(record state known)) {
		my $bytes = $stand->redis('MEMORY', 'USAGE', "$account:$part") or next;
		my $encoding = $stand->redis('OBJECT', 'ENCODING', "$account:$part");
		push @parts, "$part ($encoding) $bytes bytes by MEMORY USAGE";
	}
	return sprintf '%d accounts: of %s %s; the record itself has %d bytes.', $accounts, $account, join(', ', @parts),
		$stand->redis('STRLEN', "$account:record");
}

1;
