#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# penstock-follow with journal files, which systemd-journal-remote writes of entries in the journal's export format: those
# of Postfix's units come in, those that a user forged do not; it goes on behind its cursor after kill -9 and in a new file;
# what journald has dropped is counted.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Cwd ();
use File::Temp;
use JSON::PP ();
use Penstock::Process qw(free_port run slurp start_program stop_process wait_for write_file);
use Penstock::Record;
use Penstock::Servers;
use Test::More;
use Time::HiRes qw(time);

my $writer = '/lib/systemd/systemd-journal-remote';
plan skip_all => 'systemd-journal-remote is not there' if !-x $writer;
my $build = Cwd::abs_path($ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..");
my $source = Cwd::abs_path("$FindBin::Bin/../..");
my $program = "$build/penstock-follow";
my $folder = File::Temp::tempdir('penstock-journal-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
mkdir "$folder/$_" for qw(journal state);
write_file("$folder/penstock.conf", <<"END");
node = "here";
log: { target = "stderr"; };
redis: { server = "unix:$folder/redis.sock"; };
catalogue: { file = ""; };
follow: { source = "journal:$folder/journal"; state = "$folder/state"; replies = "$source/etc/replies.conf"; };
END
my @check = run({}, $program, '-c', "$folder/penstock.conf", '-t');
plan skip_all => 'built without libsystemd' if $check[2] =~ /without libsystemd/;
my $redis = Penstock::Redis->start(folder => $folder, port => free_port('tcp'));

my ($file, $seq, $id) = ('one', 0, 0);

sub entry {
	my ($message, %fields) = @_;
	my $us = int(1e6 * time) + ++$seq;
	return "__REALTIME_TIMESTAMP=$us\n__MONOTONIC_TIMESTAMP=$us\n_BOOT_ID=" . 'a' x 32 . "\n_MACHINE_ID=" . 'b' x 32 . "\nPRIORITY=6\n" .
		join('', map { "$_=$fields{$_}\n" } sort keys %fields) . "MESSAGE=$message\n\n";
}

sub append {
	write_file("$folder/entries", join '', @_);
	my ($status, undef, $error) = run({}, $writer, '-o', "$folder/journal/$file.journal", "$folder/entries");
	die "$writer: $error\n" if $status != 0;
}

my %postfix = (_SYSTEMD_UNIT => 'postfix@-.service', _UID => scalar getpwnam('postfix') // 0, SYSLOG_IDENTIFIER => 'postfix/clean-1/smtp', SYSLOG_PID => 7, _TRANSPORT => 'syslog');
my %forged = (%postfix, _SYSTEMD_UNIT => 'session-1.scope', _UID => 65534, _EXE => '/usr/bin/logger');
my %forward = (%postfix, _UID => 65534, _EXE => '/usr/bin/logger'); # a user's "|logger ..." in .forward
my %penstock = (_SYSTEMD_UNIT => 'penstock.service', SYSLOG_IDENTIFIER => 'penstock', SYSLOG_PID => 8, _TRANSPORT => 'syslog');
my $verdict = 'A%06X: action=pass level=good account=alice source=auth client=198.51.100.7 from=<a@example.com> rcpts=1 local=0 size=2000 ' .
	'score=-4.50 pool=clean transport=clean-1 content=- listed=- reasons=- redis=full ms=3 stage=eom';
my $dead = 'A%06X: to=<nouser@example.net>, relay=mx1.example.net[192.0.2.25]:25, delay=0.05, delays=0.01/0.03/0.01/0, dsn=5.1.1, ' .
	'status=bounced (host mx1.example.net[192.0.2.25] said: 550 5.1.1 <nouser@example.net>: Recipient address rejected: User unknown in ' .
	'virtual mailbox table (in reply to RCPT TO command))';

sub messages {
	my ($count) = @_;
	return map { $id++; entry(sprintf($verdict, $id), %penstock), entry(sprintf($dead, $id), %postfix) } 1 .. $count;
}

my $follower;
sub start { $follower = start_program('penstock-follow', "$folder/follow.log", $program, '-c', "$folder/penstock.conf", @_) }
sub lines { my ($head) = ($redis->try('GET', 'penstock:follow:here') // '') =~ /^(penstock-follow 1 .*)/; return $head ? (split ' ', $head)[4] : 0 }

sub dead {
	my $bytes = $redis->ask('GET', 'penstock:{alice}:record') // return 0;
	return sprintf '%.0f', Penstock::Record::unpack_record($bytes)->{counters}{dead};
}

sub expect {
	my ($lines, $dead, $what) = @_;
	eval { wait_for(30, $what, sub { lines() == $lines && dead() == $dead }) };
	is lines(), $lines, "$what: lines";
	is dead(), $dead, "$what: dead recipients";
}

append(messages(5), entry('hello', _SYSTEMD_UNIT => 'ssh.service', SYSLOG_IDENTIFIER => 'sshd'));
start('--from-start');
expect(10, 5, 'what was there');
append(messages(5));
expect(20, 10, 'what comes');
append((map { entry(sprintf($dead, 1), %forged) } 1 .. 10), (map { entry(sprintf($dead, 1), %forward) } 1 .. 10), messages(1));
expect(22, 11, 'and nothing that a user forged');
is scalar(() = slurp("$folder/follow.log") =~ /lines of the user 65534 in a unit of follow\.units are left out/g), 1, '... of which one sentence tells';
append(messages(30));
kill 'KILL', $follower;
stop_process($follower);
append(messages(30));
start();
expect(142, 71, 'after kill -9');
$file = 'two';
append(messages(4));
expect(150, 75, 'in a new file');
append(entry('Suppressed 700 messages from postfix@-.service', _TRANSPORT => 'driver', SYSLOG_IDENTIFIER => 'systemd-journald',
		MESSAGE_ID => 'a596d6fe7bfa4994828e72309e95d61e'),
	entry('Suppressed 300 messages from ssh.service', _TRANSPORT => 'driver', SYSLOG_IDENTIFIER => 'systemd-journald',
		MESSAGE_ID => 'a596d6fe7bfa4994828e72309e95d61e'),
	entry('Suppressed 9 messages from postfix@-.service', %forged, SYSLOG_IDENTIFIER => 'systemd-journald',
		MESSAGE_ID => 'a596d6fe7bfa4994828e72309e95d61e'));
expect(151, 75, 'what journald dropped');
wait_for(10, 'the counts', sub { (JSON::PP::decode_json($redis->try('GET', 'penstock:followed:here') || '{}')->{lines} // 0) == 151 });
is JSON::PP::decode_json($redis->do('GET', 'penstock:followed:here'))->{lost}, 700, '... is counted where it was of our units';
is stop_process($follower, 10), 0, 'it ends when it is told to';
unlike slurp("$folder/follow.log"), qr/is gone/, 'and no place was lost';

# a journal that went
unlink "$folder/journal/one.journal", "$folder/journal/two.journal";
$file = 'three';
append(messages(2));
start();
expect(151 + 4, 77, 'where the entry is gone, all that is left comes');
like slurp("$folder/follow.log"), qr/the entry that was read last is gone/, '... and it is said';
stop_process($follower, 10);

done_testing();
