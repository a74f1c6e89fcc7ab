#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# penstock-follow with a real Redis: a log that is written while it reads, is renamed, copied and cut, while the follower is
# killed at random moments and Redis is away in between. In the end Redis has each line once, and so has the trace.
# PENSTOCK_KILLS=200 kills more often; PENSTOCK_SEED repeats the choice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Cwd ();
use Fcntl qw(O_WRONLY O_APPEND O_CREAT);
use File::Copy ();
use File::Temp;
use IO::Handle;
use IPC::Open2 qw(open2);
use JSON::PP ();
use Penstock::Process qw(at_end free_port need_program run slurp start_program stop_process wait_for write_file);
use Penstock::Record;
use Penstock::Servers;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $build = Cwd::abs_path($ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..");
my $source = Cwd::abs_path("$FindBin::Bin/../..");
my $program = "$build/penstock-follow";
my $folder = File::Temp::tempdir('penstock-follow-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
my $seed = $ENV{PENSTOCK_SEED} // int rand 1e9;
my $kills = $ENV{PENSTOCK_KILLS} // 20;
srand $seed;
diag "PENSTOCK_SEED=$seed";
my $redis = Penstock::Redis->start(folder => $folder, port => free_port('tcp'));

# ---- a log

my $log = "$folder/log/mail.log";
mkdir "$folder/log";
my ($to, $lines, $messages, $ours_sent, $all_sent) = (undef, 0, 0, 0, 0);
my (%dead, %refused);

sub reopen { sysopen($to, $log, O_WRONLY | O_APPEND | O_CREAT) or die "$log: $!\n"; $to->autoflush(1) }

sub stamp {
	my $now = time;
	return POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime $now) . sprintf '.%06d+00:00', 1e6 * ($now - int $now);
}

sub say_line {
	my ($program, $message) = @_;
	print $to stamp(), " out $program: $message\n";
	$lines++;
}

my @replies = (
	['sent', 'dsn=2.0.0, status=sent (250 2.0.0 OK 1764340000 a640c23a62f3a-b76xyz.12 - gsmtp)'],
	['dead', 'dsn=5.1.1, status=bounced (host mx1.example.net[192.0.2.25] said: 550 5.1.1 <nouser@example.net>: Recipient ' .
		'address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command))'],
	['refused', 'dsn=5.7.1, status=bounced (host mx1.example.net[192.0.2.25] said: 554 5.7.1 Message rejected as spam by ' .
		'Content Filtering. (in reply to end of DATA command))'],
	['suspended', 'dsn=4.3.2, status=deferred (delivery temporarily suspended: lost connection with mx1.example.net[192.0.2.25])'],
);

# The lines of one message; Penstock's own may come late, and some messages are nobody's.
sub write_message {
	my $id = sprintf 'A%010X', ++$messages;
	my $account = 'user' . $messages % 7 . '@example.com';
	my $rcpts = 1 + int rand 3;
	my $ours = rand() > 0.1;
	my @late = rand() < 0.3 ? 1 : 0;
	my $verdict = sub {
		say_line('penstock[812]', "$id: action=pass level=good account=$account source=auth client=198.51.100.7 from=<$account> " .
			"rcpts=$rcpts local=0 size=2000 score=-4.50 pool=clean transport=clean-1 content=- listed=- reasons=- redis=full ms=3 stage=eom")
			if $ours;
	};
	$verdict->() if !$late[0];
	say_line('postfix/qmgr[19093]', "$id: from=<$account>, size=2000, nrcpt=$rcpts (queue active)");
	for my $n (1 .. $rcpts) {
		my ($what, $reply) = @{ $replies[rand @replies] };
		my $agent = $what eq 'suspended' ? 'postfix/error[7]' : 'postfix/clean-1/smtp[27223]';
		my $relay = $what eq 'suspended' ? 'none' : 'mx1.example.net[192.0.2.25]:25';
		say_line($agent, "$id: to=<rcpt$n\@example.net>, relay=$relay, delay=0.05, delays=0.01/0.03/0.01/0, $reply");
		$all_sent++;
		next if !$ours;
		$ours_sent++;
		$dead{$account}++ if $what eq 'dead';
		$refused{$account}++ if $what eq 'refused';
	}
	say_line('postfix/qmgr[19093]', "$id: removed");
	$verdict->() if $late[0];
}

my $rotated = 0;

sub shift_names {
	rename "$log.$_", "$log." . ($_ + 1) for reverse 1 .. 60;
}

sub rotate {
	shift_names();
	if ($rotated++ % 2) { # copytruncate
		File::Copy::copy($log, "$log.1") or die "copy: $!\n";
		truncate $to, 0 or die "truncate: $!\n";
		return;
	}
	rename $log, "$log.1" or die "rename: $!\n";
	write_message() for 1 .. 3; # whoever writes has not heard of it yet
	reopen();
}

# ---- the follower

mkdir "$folder/state";
my $config = "$folder/penstock.conf";
write_file($config, <<"END");
node = "here";
log: { target = "stderr"; };
redis: { server = "unix:$redis->{socket}"; timeout_ms = 500; };
catalogue: { file = ""; };
pools = ( { name = "clean"; levels = [ "good" ]; transports = ( { name = "clean-1"; address = "192.0.2.11"; helo = "out1.example.com"; } ); } );
follow: { source = "$log"; state = "$folder/state"; replies = "$source/etc/replies.conf"; };
END
my $follower;
sub start { $follower = start_program('penstock-follow', "$folder/follow.log", $program, '-c', $config, @_) }
sub kill_follower { kill 'KILL', $follower; stop_process($follower) }

sub counted {
	my %sums;
	for my $key (grep { /:record$/ } split /\n/, $redis->do('KEYS', 'penstock:*')) {
		my ($account) = $key =~ /\{(.*)\}/;
		my $record = Penstock::Record::unpack_record(scalar $redis->ask('GET', $key));
		$sums{$_}{$account} = sprintf '%.0f', $record->{counters}{$_} for qw(dead refused);
		delete $sums{$_}{$account} for grep { !$sums{$_}{$account} } qw(dead refused);
	}
	return \%sums;
}

sub head_lines { my ($head) = ($redis->try('GET', 'penstock:follow:here') // '') =~ /^(penstock-follow 1 .*)/; return $head ? (split ' ', $head)[4] : 0 }

my ($status, $out, $error) = run({}, $program, '-c', $config, '-t');
is $status, 0, "-t: $out$error";

reopen();
write_message() for 1 .. 20;
start('--from-start');
my $begun = time;
for my $kill (1 .. $kills) {
	my $end = time + 0.1 + rand 2; # a checkpoint each second
	while (time < $end) {
		write_message() for 1 .. 5; # some 25 lines
		sleep 0.05;
	}
	rotate() if $kill % 4 == 0;
	$redis->pause if $kill % 10 == 5;
	$redis->resume if $kill % 10 == 7;
	if ($kill % 20 == 15) {
		$redis->resume;
		$redis->stop(save => 1);
		sleep 0.3;
		$redis->start;
	}
	kill_follower();
	start('--from-start');
}
$redis->resume;
my $speed = sprintf '%.0f', $lines / (time - $begun);
diag "$lines lines of $messages messages, $speed a second, $kills kills, $rotated rotations";
eval { wait_for(60, 'all lines to be read', sub { head_lines() == $lines }) };
is head_lines(), $lines, 'each line was read once';
my $sums = {};
eval {
	wait_for(20, 'all credits', sub {
		$sums = counted();
		return !grep { ($sums->{dead}{$_} // 0) != $dead{$_} } keys %dead;
	});
};
is_deeply $sums->{dead}, \%dead, 'recipients that do not exist, by account';
is_deeply $sums->{refused}, \%refused, 'refused content, by account';
is stop_process($follower, 10), 0, 'it ends when it is told to';
my $traced = () = join('', map { slurp($_) } glob "$folder/state/trace/????-??-??") =~ /^D\t/mg;
is $traced, $ours_sent, 'the trace has each delivery once';
my $said = slurp("$folder/follow.log");
unlike $said, qr/is gone|was cut|damaged|panic|ERROR: /, 'nothing was lost';
unlike $said, qr/limits go on/, 'what is said of an outage of Redis is about credits';

# ---- how it is

$redis->do('DEL', 'penstock:followed:here');
start();
my $counts = JSON::PP::decode_json(wait_for(20, 'the key of counts', sub { $redis->try('GET', 'penstock:followed:here') }));
is $counts->{lines}, $lines, 'the counts outlive a restart';
is $counts->{kinds}{delivery}, $all_sent, 'deliveries';
is $counts->{ours}, $ours_sent, '... of ours';
is $counts->{credits_pending}, 0, 'no credit waits';
cmp_ok $redis->do('TTL', 'penstock:followed:here'), '<=', 600, 'the key goes where nobody writes it';
print $to stamp(), " out named[5]: something\n", "no head at all\n";
wait_for(20, 'unknown lines', sub { (JSON::PP::decode_json($redis->do('GET', 'penstock:followed:here'))->{kinds}{unknown} // 0) >= 1 });
pass 'unknown lines are counted, and no error';

# ---- a checkpoint that is damaged

stop_process($follower, 10);
write_file("$folder/state/checkpoint", 'x' x 100);
start();
wait_for(20, 'a sentence about it', sub { slurp("$folder/follow.log") =~ /checkpoint: it is .*; it is now .*damaged/ });
pass 'a damaged checkpoint is put aside';
my @second = run({}, $program, '-c', $config);
is $second[0], 1, 'a second follower does not begin';
like $second[2], qr{state/lock: another penstock-follow keeps its state in this folder}, '... and says why';
stop_process($follower, 10);

# ---- without following

write_file("$folder/sample", join '', map { slurp($_) } reverse glob "$log*");
my @dry = run({}, $program, '-c', $config, '--dry-run', "$folder/sample");
is $dry[0], 0, 'a dry run';
like $dry[1], qr/^\d+\tuser1\@example\.com\tno_user\tclean-1\texample\.net$/m, 'says what it would credit';
for my $size (1, 7, 4096) {
	my $text = substr slurp("$folder/sample"), 0, 100_000;
	write_file("$folder/part", $text);
	my $pid = open2(my $from, my $into, $program, '-c', $config, '--dry-run', '-');
	for (my $at = 0; $at < length $text; $at += $size) {
		syswrite $into, substr $text, $at, $size;
	}
	close $into;
	my $got = do { local $/; <$from> };
	waitpid $pid, 0;
	is $got, (run({}, $program, '-c', $config, '--dry-run', "$folder/part"))[1], "the same by $size bytes at once";
}
# what a milter behind ours refuses or throws away is in no queue, in whatever order the two say so
write_file("$folder/refused", join '', map {
	my ($id, $how) = @$_;
	my @both = ("penstock[812]: $id: action=pass level=good account=mallory source=auth client=198.51.100.7 from=<m\@example.com> rcpts=1 local=0 " .
			"size=2000 score=-4.50 pool=clean transport=clean-1 content=- listed=- reasons=- redis=full ms=3 stage=eom",
		"postfix/cleanup[7]: $id: $how: END-OF-MESSAGE from client.example.com[198.51.100.7]: 5.7.1 no; from=<m\@example.com> proto=ESMTP");
	map { stamp() . " out $_\n" } $id eq 'E000001' ? reverse @both : @both;
} ['E000001', 'milter-reject'], ['E000002', 'milter-reject'], ['E000003', 'milter-discard']);
like((run({}, $program, '-c', $config, '--dry-run', "$folder/refused"))[1], qr/ 0 messages still in the queue/, 'what a later milter refuses is forgotten');
# a filter of this host gives a message back under another id, of which lines may come before
write_file("$folder/filtered", join '', map { stamp() . " out $_\n" }
	'penstock[812]: F000001: action=pass level=good account=mallory source=auth client=198.51.100.7 from=<m@example.com> rcpts=1 local=0 ' .
		'size=2000 score=-4.50 pool=clean transport=clean-1 content=- listed=- reasons=- redis=full ms=3 stage=eom',
	'postfix/clean-1/smtp[7]: F000002: to=<a@example.net>, relay=mx1.example.net[192.0.2.25]:25, delay=1, dsn=5.1.1, status=bounced (host ' .
		'mx1.example.net[192.0.2.25] said: 550 5.1.1 <a@example.net>: Recipient address rejected: User unknown in virtual mailbox table (in ' .
		'reply to RCPT TO command))',
	'postfix/smtp[8]: F000001: to=<a@example.net>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, dsn=2.0.0, status=sent (250 2.0.0 from ' .
		'MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as F000002)',
	'postfix/smtp[8]: F000002: to=<b@example.net>, relay=mx1.example.net[192.0.2.25]:25, delay=1, dsn=2.0.0, status=sent (250 2.0.0 Ok: ' .
		'queued as F000003)',
	'postfix/smtp[8]: F000003: to=<b@example.net>, relay=mx1.example.net[192.0.2.25]:25, delay=1, dsn=5.7.1, status=bounced (host ' .
		'mx1.example.net[192.0.2.25] said: 554 5.7.1 Message rejected as spam by Content Filtering. (in reply to end of DATA command))');
my $filtered = (run({}, $program, '-c', $config, '--dry-run', "$folder/filtered"))[1];
like $filtered, qr/^1\tmallory\tno_user\tclean-1\texample\.net$/m, 'what becomes of it behind a filter is its account\'s';
like $filtered, qr/^1\t-\tcontent\t/m, '... and an id of another server is none of ours';
like((run({}, $program, '-c', $config, '--rate', "$folder/sample"))[1], qr/^\d+ lines in [\d.]+ s of processor time/, 'the rate');

# ---- mistakes

for my $row (
	['source = "mail.log"', qr/follow\.source is "mail\.log", expected/],
	["state = \"$folder/none\"; source = \"-\"", qr/follow\.state is ".*none", expected a folder/],
	['replies = "/nonexistent"', qr{/nonexistent}],
	['source = "journal"; units = "SYSLOG_IDENTIFIER=x"', qr/a field that anybody can write/]) {
	my ($option, $expected) = @$row;
	my %set = (source => "\"$log\"", state => "\"$folder/state\"", replies => "\"$source/etc/replies.conf\"");
	$set{$1} = $2 while $option =~ /(\w+) = ("[^"]*")/g;
	write_file("$folder/bad.conf", slurp($config) =~ s/^follow:.*$/'follow: { ' . join('', map { "$_ = $set{$_}; " } sort keys %set) . '};'/emr);
	my @got = run({}, $program, '-c', "$folder/bad.conf", '-t');
	is $got[0], 1, "$option: refused";
	like $got[2], $expected, '... and why';
}

done_testing();
