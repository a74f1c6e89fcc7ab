#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The command line of penstockctl, as it was built: what it says of words that are no command, and how it prints what a daemon
# answers. The daemon is a socket of this test, which gives one answer a connection.
use strict;
use warnings;
use File::Temp;
use IO::Socket::UNIX;
use Test::More;

my $tool = ($ENV{PENSTOCK_BUILD} // '.') . '/penstockctl';
plan skip_all => "$tool is not built" if !-x $tool;
my $work = File::Temp->newdir();
my $path = "$work/control.sock";
my @way = ('-s', $path);

# The exit status, and what was printed.
sub run_tool {
	my ($answer, @words) = @_;
	my $daemon;
	if (defined $answer) {
		unlink $path;
		my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 1) or die "$path: $!\n";
		$daemon = fork // die "fork: $!\n";
		if ($daemon == 0) {
			my $client = $listener->accept;
			my $question = <$client>;
			print {$client} "$answer\n";
			close $client;
			require POSIX;
			POSIX::_exit(0);
		}
	}
	my $pid = open(my $out, '-|') // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>&', \*STDOUT;
		exec $tool, @way, @words;
	}
	my $text = do { local $/; <$out> };
	close $out;
	my $status = $? >> 8;
	waitpid $daemon, 0 if defined $daemon;
	return ($status, $text);
}

# words, the daemon's answer (undef: it is not asked), the exit status, what is printed
my @rows = (
	['the second word of a command alone', ['limit', 'alice@example.com'], undef, 2,
		qr/^penstockctl: "limit alice\@example.com" is not a command; perhaps account limit; penstockctl --help lists them$/],
	['... of several commands', ['check'], undef, 2,
		qr/^penstockctl: "check" is not a command; perhaps monitor check, account check or postfix check; /],
	['the first word of commands alone', ['account'], undef, 2,
		qr/^penstockctl: "account" is not a whole command; penstockctl account --help lists those that begin so$/],
	['a word of no command', ['frobnicate'], undef, 2, qr/^penstockctl: "frobnicate" is not a command; penstockctl --help lists them$/],
	['a refusal names the command once', ['explain', 'X'], '{"error": "explain: nothing is known of \"X\"."}', 1,
		qr/^penstockctl: explain: nothing is known of "X"\.$/],
	['... of two words', ['account', 'show', 'a@example.com'], '{"error": "account.show: the daemon is out of memory."}', 1,
		qr/^penstockctl: account show: the daemon is out of memory\.$/],
	['... and leaves other words alone', ['account', 'show', 'a@example.com'], '{"error": "redis: it is away."}', 1,
		qr/^penstockctl: account show: redis: it is away\.$/],
	['one message in shadow mode', ['shadow', 'report'],
		'{"all": 1, "days": 1, "accounts": 1, "what": {"defer:limits": 1}, "most": [{"account": "a@example.com", "defer:limits": 1}]}', 0,
		qr/^1 message in 1 day, with today \(UTC\)\n.*\n1 account$/s],
	['several', ['shadow', 'report'],
		'{"all": 2, "days": 7, "accounts": 2, "what": {"defer:limits": 2}, "most": [{"account": "a@example.com", "defer:limits": 2}]}', 0,
		qr/^2 messages in 7 days, with today \(UTC\)\n.*\n2 accounts$/s],
	['one strange entry of the events', ['events'], '{"events": [], "strange": 1}', 0, qr/^1 entry of the stream is of another form than ours\.$/m],
	['... several', ['events'], '{"events": [], "strange": 3}', 0, qr/^3 entries of the stream are of another form than ours\.$/m],
	['one strange entry of held mail', ['held', 'list'], '{"held": [], "strange": 1, "not_listed_yet": 1}', 0,
		qr/^1 entry of the list is of another form than ours\.\n1 more is held and not listed yet: Redis is away\.$/m],
	['an account list that is empty', ['account', 'list'], '{"type": "end"}', 0, qr/^No account is blocked, suspect or exempt\.$/],
	['... of accounts that an option names', ['account', 'list', '--exempt'], '{"type": "end"}', 0, qr/^There is no such account\.$/],
	['dates of limits', ['account', 'list', '--limits'],
		'{"type": "account", "account": "a@example.com", "limits": {"plan": "gold", "created": 1577836800, "until": 1577880000}}' . "\n" .
			'{"type": "end"}', 0, qr/ plan=gold created=2020-01-01 until=2020-01-01T12:00:00Z$/m],
	['what would have been, without a cause', ['explain', 'a@example.com'],
		'{"entries": [{"action": "pass", "stage": "eom", "would": {"action": "pass", "cause": "-", "level": "new"}}]}', 0,
		qr/^shadow mode +would have been: pass, level new$/m],
	['... with one', ['explain', 'a@example.com'],
		'{"entries": [{"action": "pass", "stage": "eom", "would": {"action": "defer", "cause": "limit", "level": "new"}}]}', 0,
		qr/^shadow mode +would have been: defer for limit, level new$/m],
	['a level that stays', ['explain', 'a@example.com'], '{"entries": [{"level": "good", "level_before": "good"}]}', 0, qr/^level +good \(unchanged\)$/m],
	['... that changes', ['explain', 'a@example.com'], '{"entries": [{"level": "suspect", "level_before": "new"}]}', 0, qr/^level +suspect \(was new\)$/m],
	['... of which nothing was known', ['explain', 'a@example.com'], '{"entries": [{"level": "new", "level_before": "unknown"}]}', 0,
		qr/^level +new \(not known before\)$/m],
	['held mail that the list does not have', ['held', 'release', '8CDCBA7C542'], '{"held": []}', 1,
		qr/^penstockctl: held release: 8CDCBA7C542 is not in the list of .* holds; postqueue -p names .*, and postsuper -H releases it$/],
	['a client of which nothing is known', ['client', 'show', '192.0.2.7'],
		'{"client": "192.0.2.7", "known": false, "standing": "unknown", "sum": 0, "network": "192.0.2.0/24", "as": null}', 0,
		qr/^client +192\.0\.2\.7\nstanding +unknown, by a sum of 0\.00\nnetwork +192\.0\.2\.0\/24, AS not known\n\nNothing is known of it: [^\n]*$/],
	['... one of our own', ['client', 'show', '192.0.2.7'], '{"client": "192.0.2.7", "known": true, "ours": true, "standing": "neutral", "sum": 0}', 0,
		qr/^standing +neutral: it is one of our own, nothing is held against it$/m],
	['... one that is listed', ['client', 'show', '192.0.2.7'],
		'{"client": "192.0.2.7", "known": true, "standing": "bad", "sum": 4.5, "does": {"slowed": true, "listed": true}, "list": ' .
			'{"since": 1577836800, "until": 1577880000, "why": "logins", "meaning": "it tries passwords", "ref": "C-1"}, "terms": ' .
			'[{"name": "hang_ups", "value": 1.5, "of": {"no_quit": 12.5, "quit": 0}}, {"name": "failed_logins", "value": 3, "of": ' .
			'{"auth_failure": 60}, "names": 50}, {"name": "spam", "value": 0, "of": {"spam": 0}}], "counts": {"client": {"no_quit": 12.5, ' .
			'"spam": 0}, "network": {"no_quit": 1000}, "as": {"no_quit": 2}}}', 0,
		qr/^so +it waits, [^\n]*\n +it is put on the block list, [^\n]*\nblock list +listed since 2020-01-01 00:00 UTC\n +until 2020-01-01 12:00 UTC\n +as logins: it tries passwords\n +reference C-1\n\nTERM OF THE SUM +VALUE +OF [^\n]*\nhang_ups +1\.50 +12\.5 no_quit\nfailed_logins +3\.00 +60 auth_failure, of 50 names\nsum +4\.50\n\nCOUNT [^\n]*\nno_quit +12\.5 +1000 +2$/m],
	['... that somebody names by a reference', ['client', 'show', 'C-1'],
		'{"client": "2001:db8::/64", "known": true, "standing": "neutral", "sum": 0, "reference": {"ref": "C-1", "since": 1577836800}}', 0,
		qr/^reference +C-1\n +of a listing that began at 2020-01-01 00:00 UTC$/m],
	['sessions of no log', ['sessions', 'report'], '{"days": 7, "sessions": 0, "no_quit": 0, "hours": []}', 0,
		qr/^sessions +0\nwithout QUIT +0, -\nusual +not known yet\nNo mail log has told of a session: /m],
	['... of some hours', ['sessions', 'report', '--days', '2'],
		'{"days": 2, "from": 1577836800, "sessions": 260, "no_quit": 55, "alarm": {"on": true, "usual": 0.0025, "now": 0.5, "since": 1577836800, ' .
			'"who": "192.0.2.0/24 (50 of 50)", "where": "after rcpt (50)"}, "hours": [[1577836800, 100, 0], [1577844000, 100, 50], ' .
			'[1577923200, 50, 5], [1577926800, 10, 0], [1577930400, 0, 0]], "stages": {"rcpt": 55}, "networks": [{"network": ' .
			'"192.0.2.0/24", "as": 64500, "standing": "bad", "sessions": 50, "no_quit": 50}], "standings": [{"standing": "bad", ' .
			'"sessions": 4, "sessions_encrypted": 1, "mail": 2, "mail_encrypted": 0, "spam": 0, "spam_encrypted": 0}]}', 0,
		qr/^without QUIT +55, 21 %\nusual +0\.25 %, now 50 %\n\nALARM, \d+ d ago: [^.]*192\.0\.2\.0\/24 \(50 of 50\), after rcpt \(50\)\.\n\nFROM [^\n]*\n2020-01-01 +200 +50 +25 % +\. @\n2020-01-02 +60 +5 +8\.33 % +-\.\n.*\nrcpt +55 +100 % .*\n192\.0\.2\.0\/24 +64500 +bad +50 +50 +100 %\n.*\nbad +4 +25 % +2 +0 % +0 +-$/ms],
	['one message of a warm-up', ['pool', 'list'],
		'{"pools": [{"name": "p", "levels": [], "transports": [{"name": "t", "warmup": {"today": 0, "today_most": 1}}]}]}', 0,
		qr/^Transport t warms up: 0 of 1 message today\.$/m],
);

for my $row (@rows) {
	my ($name, $words, $answer, $status, $expected) = @$row;
	my ($got, $text) = run_tool($answer, @$words);
	is $got, $status, "$name: exit status";
	like $text, $expected, $name;
}

# without -s and -c: the usual configuration may have a mistake, but then the socket is where it is by default
SKIP: {
	my $file = qx{'$tool' status 2>&1} =~ m{^penstockctl: status: (/\S+/penstock\.conf): } ? $1 : '';
	skip 'this host has a configuration, or a running daemon', 1 if $file eq '' || -e $file || -e '/run/penstock/control.sock';
	is scalar qx{'$tool' status 2>&1}, "penstockctl: status: $file: cannot be read: No such file or directory; so control.socket is "
		. "not known, and its default /run/penstock/control.sock does not exist; name it with -s\n", 'neither configuration nor socket';
}

# without -s, and with -c: a mistake elsewhere in the file does not hide its control.socket
@way = ('-c', "$work/penstock.conf");
my $mistake = qr/^penstockctl: account show: \Q$work\E\/penstock\.conf:2: unknown option "nonsense"/;
for my $row (
	['a mistake elsewhere', "\nnonsense = 1;\ncontrol: { socket = \"$path\"; };\n", '{"error": "it is asked."}', 1, qr/: it is asked\.$/],
	['... and nothing at the socket', "\nnonsense = 1;\ncontrol: { socket = \"$work/none\"; };\n", undef, 2,
		qr/$mistake.*; and its control\.socket \Q$work\E\/none does not exist$/],
	['a mistake in the socket itself', "\nnonsense = 1;\ncontrol: { socket = 1; };\n", undef, 2, qr/$mistake.*penstock\.conf\(5\)$/],
	['a file that cannot be parsed', "control: {\n", undef, 2, qr/: '\{' is never closed/],
) {
	my ($name, $text, $answer, $status, $expected) = @$row;
	open my $to, '>', "$work/penstock.conf" or die "$work: $!\n";
	print {$to} $text;
	close $to;
	my ($got, $said) = run_tool($answer, 'account', 'show', 'a@example.com');
	is $got, $status, "$name: exit status";
	like $said, $expected, $name;
}
done_testing();
