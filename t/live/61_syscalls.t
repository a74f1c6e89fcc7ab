#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Each system call that the daemon, penstockctl and postsuper(1) make is one that their units allow. strace says which
# they make, with all that the daemon talks to at work; systemd-analyze says which the units' words mean.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Hook;
use Penstock::Live qw(part);
use Penstock::Process qw(need_program run slurp wait_for write_file);
use Test::More;

need_program('strace');
need_program('systemd-analyze');
my $real = $ENV{PENSTOCK} // ($ENV{PENSTOCK_BUILD} // '.') . '/penstock';
my $folder = File::Temp::tempdir('penstock-syscalls-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
chmod 0777, $folder;
# As the unit does: another account's from the start. -D: the daemon stays the child, strace looks on.
my $postfix_group = getgrnam('postfix') // die "there is no group postfix\n";
write_file("$folder/traced", <<"END");
#!/bin/sh
exec setpriv --reuid=nobody --regid=nogroup --groups=$postfix_group --no-new-privs \\
	strace -D -f -qq -s 0 -e signal=none -o $folder/daemon $real "\$@"
END
chmod 0755, "$folder/traced";
$ENV{PENSTOCK} = "$folder/traced";

my ($hook, %set_of);
{
	my $group = '';
	for (split /\n/, (run({ seconds => 20 }, 'systemd-analyze', 'syscall-filter'))[1]) {
		s/\e\[[\d;]*m//g;
		$group = $1 if /^(\@\S+)/;
		push @{ $set_of{$group} }, $1 if /^\s+([@\w][\w-]*)\s*$/;
	}
}

sub members {
	my ($word) = @_;
	return $word if $word !~ /^\@/;
	return map { members($_) } @{ $set_of{$word} // die "systemd knows no $word\n" };
}

# System calls that a unit allows, as systemd.exec(5) reads its lines: the first says that all others are denied.
sub allowed_by {
	my ($unit) = @_;
	my %allowed = map { $_ => 1 } members('@default');
	for (slurp("$Penstock::Live::source/etc/$unit.in") =~ /^SystemCallFilter=(.*)$/mg) {
		my ($without, $words) = /^(~?)(.*)$/;
		my @calls = map { members($_) } split ' ', $words;
		$without ? delete @allowed{@calls} : (@allowed{@calls} = (1) x @calls);
	}
	return \%allowed;
}

sub families_of {
	my ($unit) = @_;
	my ($line) = slurp("$Penstock::Live::source/etc/$unit.in") =~ /^RestrictAddressFamilies=(.*)$/m;
	return { map { $_ => 1 } split ' ', $line };
}

# What strace wrote: system calls, families of sockets, and whether memory was made writable and executable.
sub made_in {
	my ($file) = @_;
	my (%calls, %families, @executable);
	for (split /\n/, slurp($file)) {
		my ($call, $arguments) = /^(?:\d+\s+)?([a-z]\w*)\((.*)/ or next;
		$calls{$call}++;
		$families{$1}++ if $call =~ /^socket(?:pair)?$/ && $arguments =~ /^(AF_\w+)/;
		push @executable, $_ if $call =~ /^(?:mmap|mprotect|pkey_mprotect)$/ && /PROT_WRITE\|PROT_EXEC/;
	}
	return (\%calls, \%families, \@executable);
}

sub fits {
	my ($file, $unit, $least) = @_;
	my ($calls, $families, $executable) = made_in($file);
	cmp_ok scalar keys %$calls, '>', $least, 'it was seen: ' . keys(%$calls) . ' system calls';
	my $allowed = allowed_by($unit);
	is_deeply [ grep { !$allowed->{$_} } sort keys %$calls ], [], "$unit allows each of them";
	my $family = families_of($unit);
	is_deeply [ grep { !$family->{$_} } sort keys %$families ], [], '... each family of sockets';
	is_deeply $executable, [], '... and no memory is both writable and executable';
}

my $world;
part 'mail, a reload, HTTP and a webhook' => sub {
	$hook = Penstock::Hook->start(folder => $folder);
	$world = Penstock::Live->new(config => {
		http => { proxies => ['127.0.0.1'] },
		facts => { file => "$folder/facts" },
		webhook => { url => "http://127.0.0.1:$hook->{port}/hook" },
		admin => { mail_to => 'postmaster@example.com' },
	});
	my ($redis, $daemon) = @{$world}{qw(redis daemon)};
	my $sent = $world->send(auth => 'alice');
	is $sent->{code}, 250, 'a message is taken';
	ok $world->arrived($sent), 'and delivered';
	$redis->do('HSET', $world->key('carol@example.com', 'limits'), msgs_per_day => 0);
	isnt $world->send(auth => 'carol')->{code}, 250, 'one is refused, which is an event';
	$daemon->reload;
	$daemon->wait_log(qr/is in force/);
	ok $daemon->health, 'it answers by HTTP';
	is +($daemon->ctl('status'))[0], 0, 'and penstockctl';
	ok $hook->wait(1), 'and calls the webhook';
};

part 'held mail' => sub {
	my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};
	$redis->do('HSET', $world->key('bob@example.com', 'limits'), msgs_per_day => 0, over => 'hold');
	is $world->send(auth => 'bob')->{code}, 250, 'a message is held';
	my $listed = wait_for(20, 'the list', sub { $daemon->ctl_json('held', 'list')->{held}[0] });
	$redis->do('ZADD', 'penstock:held', time - 1, $listed->{member});
	my ($status, $out, $error) = run({ seconds => 60 }, 'strace', '-f', '-qq', '-s', '0', '-e', 'signal=none', '-o', "$folder/release",
		$daemon->{ctl_program}, '-c', $daemon->{file}, 'held', 'release', '--due', '-d', $postfix->{config});
	is $status, 0, "it is released: $error";
	like $out, qr/: released$/m, '... and says so';
	fits("$folder/release", 'penstock-release.service', 30);
};

part 'the daemon to its end' => sub {
	# not stop() at once, whose CONT wakes all threads of what is traced: libmilter's would take the TERM from ours
	kill 'TERM', $world->{daemon}{pid};
	$world->{daemon}->wait_log(qr/^ended$/m);
	is $world->{daemon}->stop, 0, 'it ends';
	wait_for(20, 'strace to end', sub { slurp("$folder/daemon") =~ /exit_group\(0/ });
	fits("$folder/daemon", 'penstock.service', 40);
};

done_testing();
