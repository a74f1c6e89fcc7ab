#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The books: random mixtures of senders, classes, recipients, retries, aborts, resets and admins' commands go through the
# daemon, many sessions at once, and an independent count (lib/Penstock/Books.pm) says what must stand in Redis. Whatever
# left the host is charged to exactly one account that its sender proved, and no message changes another's record.
#
# PENSTOCK_SEED repeats a run; PENSTOCK_MESSAGES=20000 makes it longer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../eval";
use File::Temp;
use Penstock::Books;
use Penstock::Daemon;
use Penstock::MilterSession;
use Penstock::Process qw(free_port need_program serve_each start_program wait_for wait_ready write_file);
use Penstock::Record;
use Penstock::RedisClient;
use Test::More;

my $seed = $ENV{PENSTOCK_SEED} // 20260106;
my $messages = $ENV{PENSTOCK_MESSAGES} // 3000;
srand $seed;
note "PENSTOCK_SEED=$seed PENSTOCK_MESSAGES=$messages repeats this run";

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $folder = File::Temp::tempdir('penstock-books-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
my $host = 'mail.example.com';

# ---- the world

my @long = map { 'l' x 380 . "$_\@example.com" } qw(one two);
my @logins = (qw(alice@example.com Bob@Example.COM carol+news@example.com dave erin@tight.example frank@tight.example
	gina@blocked.example hank@example.org iris@example.org forwarder@example.net ip:192.0.2.1 sender:x@example.com
	domain:example.com uid:33 IP:203.0.113.1 bounce:customer-42 Server:all customer:42 a:b), @long, 'two words',
	"%41{x}\"q\\\@example.com", map { "judy\@$_" } Penstock::Books::spellings(), 'xn--exmple-cua.org');
my @certificates = ('CN=relay.example.com', 'uid:33', 'Relay+1@Example.COM', 'client:192.0.2.9');
my @networks = ([qr/^198\.51\.100\./, 'customer-42', '198.51.100.0/24'], [qr/^2001:db8:42:/, 'ip:203.0.113.2', '2001:db8:42::/48'],
	[qr/^198\.51\.101\./, 'uid:33', '198.51.101.0/24'], [qr/^198\.51\.102\./, 'relay@example.org', '198.51.102.0/24']);
my @subscribers = qw(198.51.100.1 198.51.100.77 2001:db8:42:1::1 198.51.101.3 198.51.102.4);
my @own = qw(192.0.2.1 192.0.2.9 2001:db8:77:1::1 2001:db8:77:1::2);
my @strangers = qw(203.0.113.1 203.0.113.2 203.0.113.200 2001:db8:99:1::5 2001:db8:99:1::6 2001:db8:99:2::5);
my @victims = (@logins[0 .. 12], qw(customer-42 uid:33 uid:1001 ip:203.0.113.1 bounce:customer-42 forward:customer-42
	domain:example.com server:all alice alice@example.com+x root sender:alice@example.com));
my %uids = (root => 0, 'www-data' => 33, alice => 1001);
my %customers = ('hank@example.org' => 42, 'iris@example.org' => 42, 'customer-42' => 43, 'sender:alice@example.com' => 44);
my @texts = map { my $n = $_; join ' ', map { "word" . chr(97 + ($_ * ($n + 3)) % 26) . chr(97 + ($_ * $n) % 26) } 1 .. 60 } 1 .. 4;

my $books = Penstock::Books->new(host => $host, own => qr/^192\.0\.2\.|^2001:db8:77:/, tagged => ['tagged.example'], networks => \@networks, uids => \%uids,
	forwarders => [ 'forwarder@example.net', qr/^203\.0\.113\.200\z/, qr/^198\.51\.102\./ ], customers => \%customers);

sub pick { return $_[rand @_] }
sub chance { return rand() < $_[0] }

my $redis;

sub ask {
	$redis //= Penstock::RedisClient->connect("$folder/redis.sock");
	return $redis->ask(@_);
}

# A scanner that reads its score in the text.
my $spamd = free_port('tcp');
serve_each('spamd', $spamd, sub {
	my ($client) = @_;
	my $text = '';
	while (sysread $client, $text, 65536, length $text) {
		last if $text =~ /^Content-length: (\d+)\r\n.*?\r\n\r\n/msi && length($text) >= $+[0] + $1;
	}
	my $score = $text =~ /scanner says (\d+)/ ? $1 : 1;
	my $is = $score >= 5 ? 'True' : 'False';
	print {$client} "SPAMD/1.1 0 EX_OK\r\nContent-length: 6\r\nSpam: $is ; $score.0 / 5.0\r\n\r\nRULE\r\n";
});

my $server = start_program('redis', "$folder/redis.log", need_program('redis-server', 'redis-server'), '--port', 0,
	'--unixsocket', "$folder/redis.sock", '--dir', $folder, '--save', '');
wait_ready($server, "$folder/redis.log", 20, sub { -S "$folder/redis.sock" && eval { ask('PING') } });
write_file("$folder/passwd", join '', map { "$_:x:$uids{$_}:$uids{$_}::/:/bin/sh\n" } sort keys %uids);

my $many = 1000000;
my $daemon = Penstock::Daemon->new(folder => $folder, build => $build, config => {
	user => '', node => 'a', log => { target => 'stderr' }, milter => { socket => "unix:$folder/milter.sock", deadline_ms => 30000 },
	http => { listen => '127.0.0.1:' . free_port('tcp') }, control => { socket => "$folder/control.sock" }, socketmap => { listen => '' },
	# only what Redis counts is counted here: a busy machine must not make it the local table
	redis => { server => "unix:$folder/redis.sock", timeout_ms => 10000 },
	catalogue => { file => '' }, monitor => { interval_minutes => 0 }, spf => { client => 'off', transports => 'false' },
	dns => { servers => [ '127.0.0.1:' . free_port('udp') ] },
	accounts => { passwd => "$folder/passwd", own_networks => [ '192.0.2.0/24', '2001:db8:77::/48' ], tagged_domains => ['tagged.example'],
		forwarders => [ 'forwarder@example.net', '203.0.113.200/32', '198.51.102.0/24' ] },
	limits => { map { $_ . '_plan' => 'group' } qw(domain customer server client) },
	reputation => { suspect_enter => '19.0', suspect_leave => '18.0', blocked_enter => '20.0', blocked_leave => '19.0',
		new_days => 0, new_messages => 0 },
	content => { tag_score => 5, slow_score => 8, hold_score => 20, reject_score => 30 },
	# refuses what is charged already: the campaign is known when Redis has answered
	signals => [ { signal => 'campaign', action => 'defer', from => '0.2' } ],
	scanners => [ { name => 'spamd', kind => 'spamd', address => "127.0.0.1:$spamd", timeout_ms => 10000, on_failure => 'defer' } ],
	plans => [ { name => 'default', msgs_per_day => $many, over => 'defer' }, { name => 'group', msgs_per_day => $many, over => 'defer' },
		{ name => 'defer', msgs_per_day => 7, over => 'defer' }, { name => 'reject', rcpts_per_day => 25, over => 'reject' },
		{ name => 'hold', kbytes_per_day => 40, over => 'hold' }, { name => 'slow', msgs_per_day => 5, over => 'slow' },
		{ name => 'show', msgs_per_day => 5, over => 'log' }, { name => 'few', rcpts_per_message => 2, over => 'reject' },
		{ name => 'fresh', new_rcpts_per_day => 20, over => 'defer' } ],
});

sub key { return "penstock:{$_[0]}:$_[1]" }

# Most accounts have no limit that they reach.
sub set_limits {
	my @plans = qw(default defer default reject hold default slow show few default fresh);
	my $at = 0;
	for my $account ((map { Penstock::Books::login_of($_) } @logins), 'customer-42', 'uid:0', 'sender:alice@example.com', 'ip:203.0.113.1') {
		ask('HSET', key($account, 'limits'), plan => $plans[ $at++ % @plans ]);
	}
	ask('HSET', key($_, 'limits'), customer => $customers{$_}) for keys %customers;
	ask('HSET', 'penstock:networks', map { @$_[2, 1] } @networks);
	ask('HSET', key('domain:tight.example', 'limits'), msgs_per_day => 9, over => 'reject');
	ask('HSET', key('customer:42', 'limits'), rcpts_per_day => 60, over => 'defer');
	ask('HSET', key('bounce:customer-42', 'limits'), msgs_per_day => 3, over => 'defer');
	ask('HSET', key('client:192.0.2.9', 'limits'), msgs_per_day => 12, over => 'hold');
	ask('HSET', key('server:all', 'limits'), msgs_per_minute => $many);
	ask('SET', key('domain:blocked.example', 'block'), 'a test');
	ask('SET', key('dave', 'exempt'), 'a test');
}

# ---- what is sent

sub random_session {
	my ($kind) = @_;
	$kind //= pick(('login') x 6, qw(certificate subscriber subscriber own own own injected injected stranger stranger));
	my %s = (client => pick(@strangers, @own), host => $host, path => "$folder/milter.sock", answers => chance(0.3), kind => $kind);
	$s{login} = pick(@logins) if $kind eq 'login';
	$s{certificate} = pick(@certificates) if $kind eq 'certificate';
	$s{client} = pick(@subscribers) if $kind eq 'subscriber';
	$s{client} = pick(@own) if $kind eq 'own';
	$s{client} = pick(@strangers) if $kind eq 'stranger';
	@s{qw(client injected)} = ('127.0.0.1', 1) if $kind eq 'injected';
	return \%s;
}

sub random_sender {
	my ($s) = @_;
	my $own = $s->{login} // $s->{certificate} // pick(qw(alice root www-data@example.com alice@mail.example.com alice@example.com));
	$own .= '@example.com' if $own !~ /@/ && chance(0.5);
	$own = 'prvs=' . int(rand 1e9) . "f=$own" if chance(0.1);
	$own = '"' . $own =~ s/(["\\])/\\$1/gr =~ s/(@[^@]*|)\z/"$1/r if $own =~ /[ "\\]/ || chance(0.1);
	return pick($own, $own, $own, '', 'judy@' . pick(Penstock::Books::spellings()),
		'news-return-' . int(rand 99) . pick('', '-bob=example.net') . '@lists.example',
		sprintf('%016x-%08x-%04x-%06x@ses.example', rand 1e15, rand 1e9, rand 65536, 1), int(rand 1e9) . '@mail.tagged.example',
		'SRS0=xY1z=7B=example.org=u' . int(rand 99) . '@forward.example',
		'SRS1+a=b==c@Forward.Example', pick(@victims), pick(@victims), 'someone@tight.example');
}

sub random_rcpts {
	my @rcpts;
	my $count = chance(0.06) ? 1 + int rand 60 : 1 + int rand 4;
	my $all_local = chance(0.08);
	my $remote = chance(0.1) ? 'error' : 'smtp';	# what Postfix calls an alias
	for (1 .. $count) {
		my $local = $all_local || chance(0.1);
		my $tag = chance(0.1) ? '+' . int rand 9 : '';
		push @rcpts, [ pick('r', 'R', 's', 'prvs=77aa=r') . int(rand 40) . "$tag\@example.net", $local ? 'local' : chance(0.05) ? 'error' : $remote ];
	}
	return \@rcpts;
}

sub random_text { return join ' ', map { join '', map { chr 97 + rand 26 } 1 .. 6 } 1 .. 40 }

sub random_message {
	my ($s) = @_;
	my @header = ([ From => pick('somebody@example.com', 'Else+1@example.com') ], [ Subject => 'x' x rand 200 ],
		[ 'Message-ID' => '<' . int(rand 1e9) . '@example.com>' ]);
	push @header, [ pick('X-Forwarded-For', 'Resent-From', 'X-Sieve-Redirected-From', 'Delivered-To') => 'victim@example.com' ] if chance(0.15);
	push @header, [ 'Auto-Submitted' => pick('auto-forwarded', 'auto-replied (vacation)') ] if chance(0.2);
	push @header, [ 'X-Penstock-Pool' => 'clean' x rand 300 ] if chance(0.1);
	my $body = (chance(0.2) ? pick(@texts) : random_text()) . "\r\n";
	$body .= 'scanner says ' . pick(6, 6, 6, 9, 25, 35) . "\r\n" if chance(0.15);
	$body .= 'b' x rand(chance(0.05) ? 90000 : 6000) if chance(0.6);
	return { session => $s, from => random_sender($s), rcpts => random_rcpts(), header => \@header, body => $body };
}

sub kbytes_of {
	my ($message) = @_;
	my $size = 2 + length $message->{body};
	$size += length("$_->[0]: $_->[1]\r\n") for grep { $_->[0] !~ /^X-Penstock-/ } @{ $message->{header} };
	return int(($size + 1023) / 1024);
}

# ---- the log

my %line;	# queue ID => lines of ends of messages
my %stages = (mail => 0, rcpt => 0, eom => 0);
my $log;

sub read_log {
	open $log, '<', $daemon->{log} or die "$daemon->{log}: $!\n" if !$log;
	for (my $at = tell $log; ; $at = tell $log) {
		seek $log, $at, 0;
		my $text = <$log> // last;
		if ($text !~ /\n\z/) {	# it is being written
			seek $log, $at, 0;
			last;
		}
		my ($id, $stage) = $text =~ /(\S+): action=.* stage=(\w+)$/ or next;
		$stages{$stage}++;
		push @{ $line{$id} }, $text if $stage eq 'eom';
	}
	return;
}

# The log has a thread of its own: a line may come behind the answer. What never comes the tests say.
sub read_log_until {
	my ($all_there) = @_;
	my $end = time + 10;
	while (read_log(), !$all_there->() && time < $end) {
		select undef, undef, undef, 0.002;
	}
}

sub sum_of { my $sum = 0; $sum += $_ for @_; return $sum }

sub shown { return $_[0] =~ tr/,/;/r =~ s/[^\x21\x23-\x5b\x5d-\x7e]/?/gr }

# ---- sessions, a step at a time

my (@sessions, @again, %count, %expected_stages);
my ($number, $left, $erased, $in_turn) = (0, 0, 0, 1);
my (@wrong_new, @wrong_log);
our $cut_off = 0.015;	# after how many steps a message is broken off

sub begin_message {
	my ($session, $message) = @_;
	$session->{id} = sprintf 'Q%06d', ++$number;
	my %m = (%$message, remote => [], local => 0, aliases => 0, refused => 0);
	$m{who} = $books->who($session, $m{from});
	$m{steps} = [ 'mail', ('rcpt') x @{ $m{rcpts} }, 'data', ('header') x @{ $m{header} }, 'header_end', 'body', 'end' ];
	@m{qw(next_rcpt next_header)} = (0, 0);
	$session->{message} = \%m;
	$count{messages}++;
}

sub give_up {
	my ($session, $message) = @_;
	push @again, $message if chance(0.6);
	delete $session->{message};
	$session->reset_message if chance(0.7);		# an MTA may also go on with MAIL
}

my %step = (
	mail => sub {
		my ($session, $m) = @_;
		my ($letter, $text) = $session->mail($m->{from});
		return 1 if $letter eq 'c';
		$expected_stages{mail}++;
		$count{refused_at_mail}++;
		$books->breach($m->{who}) if $text =~ /\[limit\]/;
		return 0;
	},
	rcpt => sub {
		my ($session, $m) = @_;
		my ($rcpt, $mailer) = @{ $m->{rcpts}[ $m->{next_rcpt}++ ] };
		my ($letter) = $session->rcpt($session->{id}, $rcpt, $mailer);
		if ($letter ne 'c') {
			$count{refused_at_rcpt}++;
			$expected_stages{rcpt}++, $books->breach($m->{who}) if !$m->{refused}++;
		} else {
			$mailer ne 'local' ? push @{ $m->{remote} }, $rcpt : $m->{local}++;
			$m->{aliases} += $mailer eq 'error';
		}
		return $m->{next_rcpt} < @{ $m->{rcpts} } || @{ $m->{remote} } || $m->{local};
	},
	data => sub { $_[0]->data($_[0]{id}); 1 },
	header => sub { $_[0]->header(@{ $_[1]{header}[ $_[1]{next_header}++ ] }); 1 },
	header_end => sub { $_[0]->header_end; 1 },
	body => sub { $_[0]->body($_[1]{body}); 1 },
);

sub one_step {
	my ($session) = @_;
	my $m = $session->{message};
	if (!$m) {
		return end_session($session) if chance(0.35);
		return begin_message($session, random_message($session->{session}));
	}
	my $name = shift @{ $m->{steps} };
	return $session->{waits} = 1 if $name eq 'end';
	return give_up($session, $m) if !$step{$name}->($session, $m);
	return if !chance($cut_off);
	$count{"cut off after $name"}++;
	push @again, $m if chance(0.3);
	delete $session->{message};
	my $how = pick(qw(reset mail drop quit));
	$session->reset_message if $how eq 'reset';
	$session->drop, forget($session) if $how eq 'drop';
	end_session($session) if $how eq 'quit';
}

sub forget { my ($gone) = @_; @sessions = grep { $_ != $gone } @sessions }
sub end_session { $_[0]->quit; forget($_[0]) }

sub start_session {
	my ($message) = @_;
	my $s = $message ? $message->{session} : random_session();
	push @sessions, my $session = Penstock::MilterSession->start(%$s, session => $s);
	begin_message($session, $message) if $message;
}

# All that wait say their end, and are answered then: several charges are under way at once.
sub end_messages {
	my @waiting = grep { $_->{waits} } @sessions;
	$_->end_said($_->{id}) for @waiting;
	my %said = map { $_->{id} => [ $_->end_answer ] } @waiting;
	read_log_until(sub { !grep { !$line{ $_->{id} } } @waiting });
	ended($_, @{ $said{ $_->{id} } }) for @waiting;
}

sub ended {
	my ($session, $outcome, $text) = @_;
	my $m = delete $session->{message};
	my $id = $session->{id};
	$session->{waits} = 0;
	$expected_stages{eom}++;
	$count{"$outcome of $session->{kind}"}++;
	$m->{who} = $books->replied($session->{session}, $m->{who}, $m->{header}, scalar @{ $m->{remote} }, $m->{local});
	my $who = $m->{who};
	$books->read_message($session, $m);
	my @lines = @{ $line{$id} // [] };
	my $wanted = 'account=' . shown($who->{account}) . " source=$who->{source} ";
	push @wrong_log, "$id wants $wanted\n@lines" if @lines != 1 || index($lines[0], $wanted) < 0 || $lines[0] !~ /redis=full/;
	my $gone = $outcome ne 'refused';
	push @again, $m if chance($gone ? 0.15 : 0.6);
	return if !@{ $m->{remote} };
	my ($new) = ($lines[0] // '') =~ / new=(\d+)/;
	check_new($id, $who->{account}, $new, $m) if $in_turn;
	$books->learn($who->{account}, $gone, @{ $m->{remote} });
	$m->{amounts} = { msgs => 1, rcpts => scalar @{ $m->{remote} }, kbytes => kbytes_of($m), new => $new // 0 };
	$books->ended($session, $m, $gone);
	$left += $gone;
}

sub check_new {
	my ($id, $account, $new, $m) = @_;
	my ($least, $most) = $books->fresh($account, @{ $m->{remote} });
	push @wrong_new, "$id of $account: new=" . ($new // 'none') . ", expected $least to $most"
		if !defined $new || $new < $least || $new > $most;
}

# ---- admins

sub sums_in_redis {
	my ($account) = @_;
	return sums_of_group($account) if is_group($account);
	my $record = Penstock::Record::unpack_record(ask('GET', key($account, 'record')));
	my %windows = (msgs => 'msgs_per_day', rcpts => 'rcpts_per_day', kbytes => 'kbytes_per_day', new => 'new_rcpts_per_day');
	return { map { $_ => Penstock::Record::counted($record, $windows{$_}) } keys %windows };
}

# Of a group that is counted which is limited: messages of all, recipients of one.
sub sums_of_group {
	my ($group) = @_;
	my $sums = Penstock::Record::group_counted(sub { @{ ask(@_) } }, 'penstock', $group, 'day');
	return { msgs => $sums->{messages}, $group eq 'customer:42' ? (rcpts => $sums->{rcpts}) : () };
}

sub is_group { return $_[0] =~ /^(?:domain|customer|server|bounce|forward|client):/ }

# What nobody limits is counted of nobody's bounces and forwarded mail: these groups have no plan.
sub is_counted { return $_[0] !~ /^(?:bounce|forward):/ || $_[0] eq 'bounce:customer-42' }

sub admin_acts {
	my @accounts = sort keys %{ $books->{rows} };
	my $account = pick(@accounts) // return;
	my $act = pick(qw(reset reset block unblock exempt unexempt));
	settle();	# what is given back is under way, maybe
	my $stands = sums_in_redis($account)->{msgs};
	my ($status, undef, $error) = $daemon->ctl('account', $act, $account =~ s/\+/%2B/gr);
	die "penstockctl account $act $account: $error" if $status;
	return if $act ne 'reset';
	$count{resets}++;
	$erased += $stands if !is_group($account);
	$books->reset_account($account);
}

# ---- the run

sub run_phase {
	my ($messages, $at_once) = @_;
	my $until = $number + $messages;
	$in_turn = $at_once == 1;
	while ($number < $until || @sessions) {
		start_session(@again && chance(0.35) ? splice @again, rand @again, 1 : undef) if @sessions < $at_once && $number < $until;
		my @ready = grep { !$_->{waits} } @sessions;
		one_step(pick(@ready)) if @ready;
		if (grep { $_->{waits} } @sessions and $at_once == 1 || chance(0.02) || !grep { !$_->{waits} } @sessions) {
			end_messages();
			admin_acts() if chance($at_once == 1 ? 0.1 : 0.2) && !grep { $_->{message} } @sessions[0 .. ($at_once == 1 ? $#sessions : -1)];
		}
	}
}

# The loop asks Redis in the order in which it is asked; what is charged behind an answer is read first, then written.
sub settle {
	$daemon->ctl_json('account', 'show', 'nobody@example.com') for 1 .. 2;
	wait_for(30, 'Redis to have all', sub { my $h = $daemon->health or return; $h->{redis}{up} && !$h->{redis}{pending} });
}

sub states { return map { /^penstock:\{(.*)\}:(?:record|day:\d+)\z/ ? $1 : () } @{ ask('KEYS', 'penstock:*') } }

sub check_books {
	my ($when) = @_;
	settle();
	read_log_until(sub { sum_of(values %stages) >= sum_of(values %expected_stages) });
	my %there = map { $_ => 1 } states();
	my (@sums, $sent);
	for my $key (sort keys %there) {
		my ($is, $wanted) = (sums_in_redis($key), $books->{rows}{$key} // { map { $_ => 0 } qw(msgs rcpts kbytes new) });
		$sent += $is->{msgs} if !is_group($key);
		for my $what (sort keys %$is) {
			push @sums, "$key: $what $is->{$what}, expected $wanted->{$what}" if $is->{$what} != $wanted->{$what};
		}
	}
	is_deeply(\@sums, [], "$when: each account and group bears what left for it") or diag join "\n", @sums;
	is_deeply([ grep { !$there{$_} && is_counted($_) } sort keys %{ $books->{rows} } ], [], "$when: ... and none is missing");
	is_deeply([ grep { !$books->{rows}{$_} && !$books->{may}{$_} } sort keys %there ], [], "$when: nobody else has a record");
	is(($sent // 0) + $erased, $left, "$when: each message that left is charged to one account");
	is_deeply(\@wrong_new, [], "$when: first-time recipients are those that the account never wrote to") or diag join "\n", @wrong_new;
	is_deeply(\@wrong_log, [], "$when: the log has a line for each message, with its account");
	is_deeply(\%stages, { mail => 0, rcpt => 0, %expected_stages }, "$when: ... and for each refusal before its end, and no other");
}

sub all_keys {
	my %dump;
	for my $key (@{ ask('KEYS', 'penstock:*') }) {
		my $type = ask('TYPE', $key);
		next if $type eq 'none';
		$dump{$key} = $type eq 'string' ? ask('GET', $key)
			: $type eq 'hash' ? do { my %h = @{ ask('HGETALL', $key) }; join "\0", map { "$_\0$h{$_}" } sort keys %h } : $type;
	}
	return \%dump;
}

# What strangers' mail may write: their own records, all mail's, and what is said of what happened.
sub changed_by_strangers {
	my ($before, $after) = @_;
	my %all = (%$before, %$after);
	return grep { ($before->{$_} // '') ne ($after->{$_} // '') }
		grep { !/^penstock:(?:\{(?:(?:bounce:|forward:)?ip:.*|server:all)\}:[\w:]+|explain|explain_ids|events|held|shadow:.*|warmup:.*)\z/ } sort keys %all;
}

sub strangers_phase {
	local $cut_off = 0;
	for my $stranger (@strangers) {
		for my $from (@victims, '', 'SRS0=a=b=example.com=alice@example.com') {
			my $s = { %{ random_session('stranger') }, client => $stranger };
			start_session({ %{ random_message($s) }, from => $from });
			one_step($sessions[0]) while @sessions && $sessions[0]{message} && !$sessions[0]{waits};
			end_messages();
			end_session($_) for @sessions;
		}
	}
}

# What does not fit the state stands in a key of its own: a reset takes it along, or it would come back with the next list.
sub reset_phase {
	local $cut_off = 0;
	my $s = { client => '192.0.2.1', host => $host, path => "$folder/milter.sock", login => 'reset@example.org', kind => 'login' };
	for my $round ([ 'a', 30 ], 'reset', [ 'b', 18 ], [ 'a', 30 ]) {
		if (!ref $round) {
			settle();
			$erased += sums_in_redis('reset@example.org')->{msgs};
			is(($daemon->ctl('account', 'reset', 'reset@example.org'))[0], 0, 'the account is reset');
			$books->reset_account('reset@example.org');
			next;
		}
		my ($letter, $rcpts) = @$round;
		start_session({ %{ random_message($s) }, from => 'reset@example.org', body => random_text(),
			rcpts => [ map { [ "$letter$_\@example.net", 'smtp' ] } 1 .. $rcpts ] });
		one_step($sessions[0]) while @sessions && $sessions[0]{message} && !$sessions[0]{waits};
		end_messages();
		end_session($_) for @sessions;
	}
}

set_limits();
$daemon->start;
settle();
reset_phase();
check_books('an account that is reset');
run_phase(int($messages / 3), 1);
check_books('one session after the other');
run_phase(int($messages * 2 / 3), 12);
check_books('twelve sessions at once');
my $before = all_keys();
strangers_phase();
check_books("strangers in victims' names");
is_deeply([ changed_by_strangers($before, all_keys()) ], [], "... not a byte of anybody else's is changed");
note join "\n", map { "$_: $count{$_}" } sort keys %count;
note "left: $left, records: ", scalar keys %{ $books->{rows} };
is $daemon->stop, 0, 'the daemon ends with 0';
diag "PENSTOCK_SEED=$seed PENSTOCK_MESSAGES=$messages repeats this run" if !Test::More->builder->is_passing;
done_testing;
