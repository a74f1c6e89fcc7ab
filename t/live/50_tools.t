#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# penstockctl against a daemon and a Postfix at work, and the Nagios plugin.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP;
use Penstock::Live qw(part);
use Penstock::Process qw(run wait_for write_file slurp);
use Penstock::Record;
use Test::More;

my $world = Penstock::Live->new;
my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};
my $alice = 'alice@example.com';

part 'account' => sub {
	$world->make_good($alice);
	$world->arrived($world->send(auth => 'alice', to => [ map { "friend$_\@elsewhere.test" } 1 .. 3 ]));
	my $shown = $daemon->ctl_json('account', 'show', $alice);
	is $shown->{level}, 'good', 'show: level';
	is $shown->{plan}, 'default', 'show: plan';
	is $shown->{known}, 'full', 'show: known';
	is $shown->{pool}, 'clean', 'show: pool';
	my %window = map { $_->{name} => $_ } @{ $shown->{windows} };
	is $window{rcpts_per_hour}{limit}, 500, 'show: limit';
	is $window{rcpts_per_day}{used}, 3, 'show: used';
	my $sum = 0;
	$sum += $_->{value} for @{ $shown->{terms} };
	cmp_ok abs($sum - $shown->{score}), '<', 0.02, 'show: the terms add up to the score';
	my ($status, $out) = $daemon->ctl('account', 'show', $alice);
	is $status, 0, 'show for people';
	like $out, qr/good/, '... names the level';

	like $out, qr/^leaves by +clean-[12] of pool clean/m, '... by which way its mail leaves';

	($status, $out) = $daemon->ctl('account', 'limit', $alice, 'rcpts_per_hour=7', 'plan=gold');
	is $status, 0, 'limit';
	is $out, "$alice: limits set: rcpts_per_hour=7, plan=gold\n", '... says what it did';
	is_deeply $redis->hash($world->key($alice, 'limits')), { rcpts_per_hour => 7, plan => 'gold' },
		'... is in Redis as a panel writes it';
	(undef, $out) = $daemon->ctl('account', 'limit', $alice, 'rcpts_per_hour=');
	is $out, "$alice: limits removed: rcpts_per_hour\n", 'without a value the limit is removed';
	is_deeply $redis->hash($world->key($alice, 'limits')), { plan => 'gold' }, '... in Redis, too';
	(undef, $out) = $daemon->ctl('account', 'limit', $alice, 'plan=', 'over=hold', 'rcpts_per_day=9', 'msgs_per_day=');
	is $out, "$alice: limits set: over=hold, rcpts_per_day=9; limits removed: plan, msgs_per_day\n", 'both at once';
	$daemon->ctl('account', 'limit', $alice, 'over=', 'rcpts_per_day=');
	($status, undef, my $error) = $daemon->ctl('account', 'limit', $alice, 'rcpts_per_hour=many');
	isnt $status, 0, 'limit with nonsense is refused';
	like $error, qr/rcpts_per_hour.*many/, "... in words: $error";

	is +($daemon->ctl('account', 'block', $alice, 'ticket 4711'))[0], 0, 'block';
	like $world->send(auth => 'alice')->{code}, qr/^5/, '... holds at once';
	is $redis->do('GET', $world->key($alice, 'block')), 'ticket 4711', '... with its reason';
	(undef, $out) = $daemon->ctl('account', 'show', $alice);
	like $out, qr/^leaves by +nothing: blocked by an admin, until the block ends or account unblock$/m, 'show: nothing leaves';
	unlike $out, qr/of pool/, '... by no transport';
	is +($daemon->ctl('account', 'unblock', $alice))[0], 0, 'unblock';
	is $world->send(auth => 'alice')->{code}, 250, '... holds at once';

	my $oscar = 'oscar@example.com';
	$world->make_good($oscar);
	$world->write_record($oscar, Penstock::Record::good_record(50, level => 'blocked', score => 9,
		counters => { messages => 50, rcpts => 50, spam => 40, exploit => 40, breaches => 10 }));
	is $daemon->ctl_json('account', 'show', $oscar)->{level}, 'blocked', 'an account that its history blocks';
	(undef, $out) = $daemon->ctl('account', 'show', $oscar);
	like $out, qr/^leaves by +nothing: blocked by its level, until account reset, a new password/m, '... nothing leaves, until when';
	($status, $out) = $daemon->ctl('account', 'unblock', $oscar);
	is $status, 0, 'an unblock of it ...';
	like $out, qr/^\Q$oscar\E: no admin had blocked it; BUT STILL BLOCKED by its score of \d/m, '... says that it stays blocked';
	like $out, qr/account reset.*password_changed=DATE.*below 1\.50, after 60 min/s, '... and how that ends';
	$daemon->ctl('account', 'reset', $oscar);

	is +($daemon->ctl('account', 'reset', $alice))[0], 0, 'reset';
	is $daemon->ctl_json('account', 'show', $alice)->{level} =~ /^(?:new|unknown)$/ ? 1 : 0, 1, '... forgets the level';
	is $world->arrived($world->send(auth => 'alice'))->{client}, '127.0.0.21', '... from the next message on';
};

# What is nought is not shown; JSON has all.
part 'account show and status in few lines' => sub {
	my (undef, $all) = $daemon->ctl('account', 'show', '-v', $alice);
	my (undef, $few) = $daemon->ctl('account', 'show', $alice);
	unlike $few, qr/ 0\.00$/m, 'no term of 0.00';
	unlike $few, qr/^COUNTER/m, 'no counters';
	like $all, qr/^fan_networks +-?0\.00$/m, '-v has each term';
	like $all, qr/^COUNTER \(DECAYED\)/m, '... and counters';
	cmp_ok scalar(my @lines = split /\n/, $few), '<', 25, 'few lines';
	(undef, $few) = $daemon->ctl('status');
	unlike $few, qr/=(?:0|no)\b/, 'status: nothing that is nought';
	like $few, qr/^redis +up=yes/m, '... but what is up';
	(undef, $all) = $daemon->ctl('status', '-v');
	like $all, qr/\bbreaker_open=no\b.*\bdropped=0\b/, '-v has it';
	is $daemon->ctl_json('status')->{redis}{dropped}, 0, 'JSON has it';

	(undef, my $out) = $daemon->ctl('account', 'show', 'Nobody@Example.com');
	like $out, qr/^account +nobody\@example\.com\n +Nothing is known of it/, 'an unknown account is said to be that';
	unlike $out, qr/level|score/, '... and has no level';
	$redis->do('HSET', $world->key('Nobody@Example.com', 'limits'), rcpts_per_huor => 3);
	(undef, $out) = $daemon->ctl('account', 'show', 'Nobody@Example.com');
	like $out, qr/^WARNING +nobody reads the key penstock:\{Nobody\@Example\.com\}:limits/m, 'a key under the spelling that was typed';
	my ($status, $checked) = $daemon->ctl('account', 'check');
	is $status, 1, 'account check finds it';
	like $checked, qr/^penstock:\{Nobody\@Example\.com\}:limits +nobody reads it: this account's is penstock:\{nobody\@example\.com\}:limits$/m,
		'... and says which key is read';
	$redis->do('DEL', $world->key('Nobody@Example.com', 'limits'));
	($status, $checked) = $daemon->ctl('account', 'check');
	is "$status $checked", "0 Nothing is wrong: all that was written is read.\n", 'all is well again';
};

part 'account list' => sub {
	$daemon->ctl('account', 'block', 'mona@example.com', '--for', '2h', 'phished');
	my ($status, $out) = $daemon->ctl('account', 'exempt', 'mona@example.com', 'newsletter');
	like $out, qr/^mona\@example\.com: exempt; BUT STILL BLOCKED by an admin: phished\n/, 'a block beats an exemption';
	$daemon->ctl('account', 'exempt', 'nina@example.com', 'newsletter');
	(undef, $out) = $daemon->ctl('account', 'list', '--blocked');
	like $out, qr/^ACCOUNT +LEVEL +SCORE +SINCE +UNTIL +WHY\nmona\@example\.com +\S+ +\S+ +.* in (?:2 h|1\d\d min) +blocked: phished; exempt: newsletter$/m,
		'--blocked: who, until when, why';
	unlike $out, qr/nina/, '... and nobody else';
	(undef, $out) = $daemon->ctl('account', 'list', '--exempt', '-n', '1');
	like $out, qr/^There are more than 1; -n shows more of them\.$/m, '-n: no more than so many';
	my @rows = map { decode_json($_) } split /\n/, ($daemon->ctl('--json', 'account', 'list'))[1];
	is_deeply [ sort map { $_->{account} } grep { $_->{type} eq 'account' } @rows ], [ 'mona@example.com', 'nina@example.com' ],
		'--json: an object a line';
	is $rows[-1]{type}, 'end', '... and an end';
	(undef, $out) = $daemon->ctl('account', 'list', '--level', 'suspect');
	is $out, "There is no such account.\n", '--level';
	is +($daemon->ctl('account', 'list', '--level', 'sus'))[0], 2, 'a level that is none';

	# many keys: in pieces, while the daemon goes on
	$redis->ask('EVAL', "for i = 1, 200000 do local key, suspect = 'penstock:{u' .. i .. '\@example.com}:', i % 1000 == 0 "
		. "redis.call('HSET', key .. 'state', 'level', suspect and 'suspect' or 'good', 'score', '1') "
		. "redis.call('SET', key .. 'record', suspect and ARGV[2] or ARGV[1]) end", 0,
		map { Penstock::Record::good_record(50, level => $_, score => 1) } qw(good suspect));
	# a Redis that writes them for a second or two answers nobody meanwhile
	wait_for(30, 'Redis', sub { my $h = $daemon->health; $h->{redis}{up} && !$h->{redis}{pending} });
	my $before = $daemon->metrics->{penstock_redis_timeouts_total};
	($status, $out) = $daemon->ctl('account', 'list', '--level', 'good', '-n', '5');
	is scalar(grep { /\@/ } split /\n/, $out), 5, 'two hundred thousand accounts: as many as are wanted';
	($status, $out) = $daemon->ctl('account', 'check');
	is "$status $out", "0 Nothing is wrong: all that was written is read.\n", '... and a check of them all';
	is $daemon->metrics->{penstock_redis_timeouts_total}, $before, '... without a question that waits too long';
	is $world->send(auth => 'alice')->{code}, 250, '... and mail goes on';
	$redis->do('EVAL', "for i = 1, 200000 do local key = 'penstock:{u' .. i .. '\@example.com}:' redis.call('DEL', key .. 'state', key .. 'record') end", 0);

	# slips in the limits of very many accounts do not fill the log
	$redis->do('EVAL', "for i = 1, 150 do redis.call('HSET', 'penstock:{slip' .. i .. '\@example.com}:limits', 'rcpts_per_huor', 3) end", 0);
	my $logged = length $daemon->log_text;
	(undef, $out) = $daemon->ctl('account', 'list', '--limits');
	is scalar(grep { /^slip/ } split /\n/, $out), 150, 'accounts whose limits are misspelt';
	my @lines = grep { /redis: / } split /\n/, substr $daemon->log_text, $logged;
	is scalar(grep { /slip\d+\@example\.com: "rcpts_per_huor" is no field that is read/ } @lines), 100, '... a hundred lines of the log';
	is scalar(grep { /more than 100 lines about accounts in ten minutes/ } @lines), 1, '... and one that says that there were more';
	$redis->do('EVAL', "for i = 1, 150 do redis.call('DEL', 'penstock:{slip' .. i .. '\@example.com}:limits') end", 0);

	# a great many findings, and somebody who reads none of them
	$redis->do('EVAL', "for i = 1, 200000 do redis.call('HSET', 'penstock:networks', i .. '.0.0.0/33', 'x') end", 0);
	($status, $out) = $daemon->ctl('account', 'check', '-n', '3000');
	is scalar(grep { /^penstock:networks +/ } split /\n/, $out), 3000, 'a check with many findings';
	my $rss = sub { return slurp("/proc/$daemon->{pid}/status") =~ /^VmRSS:\s+(\d+)/m ? $1 : die "no pid of the daemon\n" };
	my $held = $rss->();
	my $lazy = IO::Socket::UNIX->new(Peer => $daemon->{config}{control}{socket}) or die "control socket: $!\n";
	print {$lazy} qq({"do":"account.check"}\n);
	wait_for(20, 'the check is under way', sub { IO::Select->new($lazy)->can_read(0) });
	is $world->send(auth => 'alice')->{code}, 250, 'who does not read is waited for, and mail goes on';
	cmp_ok $rss->() - $held, '<', 8192, '... without keeping all that he does not read (KiB)';
	close $lazy;
	$redis->do('DEL', 'penstock:networks');
	$daemon->ctl('account', $_, 'mona@example.com') for 'unblock', 'unexempt';
	$daemon->ctl('account', 'unexempt', 'nina@example.com');
};

part 'each command has a --help' => sub {
	my (undef, $all) = $daemon->ctl('--help');
	for my $words (map { [ /^  ((?:account|client|held|logins|pool|monitor|queue|sessions|shadow|throttle|postfix) \w+|\w+)/ ] } grep { /^  [a-z]/ } split /\n/, $all) {
		my ($status, $out) = $daemon->ctl(split(/ /, $words->[0]), '--help');
		is $status, 0, "penstockctl $words->[0] --help";
		like $out, qr/^usage: penstockctl \[option \.\.\.\] \Q$words->[0]\E/, '... is of that command';
	}
	my (undef, $out) = $daemon->ctl('account', 'limit', '--help');
	like $out, qr/^  \Q$_\E +\S/m, "account limit --help names $_"
		for qw(msgs_per_minute kbytes_per_day rcpts_per_message ramp_growth plan customer over until password_changed);
	(undef, $out) = $daemon->ctl('account', '--help');
	like $out, qr/^  account unblock/m, 'account --help: its commands';
	unlike $out, qr/^  postfix/m, '... alone';
	my ($status, undef, $error) = $daemon->ctl('account', 'limit', $alice, 'rcpts_per_huor=3');
	is $status, 2, 'a slip';
	like $error, qr/perhaps with rcpts_per_hour/, "... is named: $error";
};

part 'top, pool list, status' => sub {
	$world->send(auth => 'bob', to => [ map { "friend$_\@elsewhere.test" } 1 .. 9 ]);
	my $top = $daemon->ctl_json('top');
	is $top->{accounts}[0]{account}, 'bob@example.com', 'top: who sent most recipients';
	$world->send(auth => 'mallory', body => "Buy cheap reservoir pills now.\n");
	my $by_score = $daemon->ctl_json('top', '--by', 'score');
	is $by_score->{accounts}[0]{account}, 'mallory@example.com', 'top: whose score is worst';
	my $pools = $daemon->ctl_json('pool', 'list');
	my %name = map { $_->{name} => $_ } @{ $pools->{pools} };
	is_deeply [ sort keys %name ], [qw(clean suspect warm)], 'pool list';
	cmp_ok $name{warm}{transports}[0]{messages}, '>=', 2, '... counts messages';
	is $daemon->ctl_json('status')->{status}, 'ok', 'status';
	for my $words (['top'], ['pool', 'list'], ['status'], ['postfix', 'print'], ['--help'], ['--version']) {
		my ($status, $out) = $daemon->ctl(@$words);
		is $status, 0, "penstockctl @$words";
		like $out, qr/\S/, '... says something';
	}
	isnt +($daemon->ctl('no', 'such', 'thing'))[0], 0, 'an unknown command is refused';
	my $metrics = $daemon->metrics;
	cmp_ok $metrics->{'penstock_messages_total{action="pass"}'}, '>=', 4, 'metrics: messages by action';
	is $metrics->{penstock_redis_up}, 1, 'metrics: Redis';
	ok exists $metrics->{'penstock_transport_messages_total{transport="warm-1"}'}, 'metrics: messages by transport';
};

# penstockctl postfix check: exit status and everything that it printed.
sub check {
	my ($status, $out, $error) = $daemon->ctl('postfix', 'check', '--postfix', $postfix->{config});
	return ($status, "$out$error");
}

# Changes main.cf or master.cf, sees that the check names it, and puts the file back.
sub check_finds {
	my ($what, $file, $from, $to, @named) = @_;
	my $path = "$postfix->{config}/$file";
	my $text = slurp($path);
	(my $changed = $text) =~ s/$from/ref $to ? $to->() : $to/e;
	isnt $changed, $text, "$what: the file is changed";
	write_file($path, $changed);
	my ($status, $out) = check();
	write_file($path, $text);
	isnt $status, 0, "$what is found";
	like $out, $_, "... and named: $_" for @named;
	unlike $out, qr/^warning: (?!local_login_sender_maps).*_maps/m, "... and nothing else";
}

# A Postfix's folder, as of a new admin: the lines of main.cf behind those that any has, and a master.cf.
sub new_postfix {
	my ($name, $queue, $main, $master) = @_;
	my $folder = "$world->{folder}/$name";
	mkdir $folder;
	write_file("$folder/main.cf", "compatibility_level = 3.6\nqueue_directory = $queue\n$main", 0644);
	write_file("$folder/master.cf", $master, 0644);
	return $folder;
}

# What postfix check says of a folder: the document of JSON.
sub check_json {
	my ($folder) = @_;
	my (undef, $out) = $daemon->ctl('--json', 'postfix', 'check', '-d', $folder);
	return decode_json($out);
}

# Types what is given, in the order in which it is given.
sub type_fixes {
	my ($document) = @_;
	local $ENV{PATH} = "$world->{build}:$ENV{PATH}:/usr/sbin";
	for my $row (@{ $document->{differences} }) {
		my ($status, $out, $error) = run({}, 'sh', '-c', $row->{fix} // 'false');
		is $status, 0, "typed: " . ($row->{fix} // "nothing, for $row->{what}") or diag $error;
	}
}

# Is the order of the files one in which each is there before it is named?
sub in_order {
	my ($document) = @_;
	return join('', map { $_->{file} =~ /main\.cf$/ ? 'S' : $_->{file} =~ /master\.cf$/ ? 'M' : 'F' }
		@{ $document->{differences} }) =~ /^F*M*S*$/;
}

part 'postfix print: words that would be more than words' => sub {
	my ($status, $out) = $daemon->ctl('postfix', 'print', 'main', '--dir', '/etc/postfix-2', '--queue', '/var/spool/postfix-2');
	is $status, 0, 'plain folders';
	like $out, qr{^smtp_header_checks = regexp:/etc/postfix-2/penstock_smtp_header_checks$}m, '... stand in a line';
	for my $row (['--dir', '/etc/a b'], ['--dir', 'etc'], ['--dir', "/a\nb = c"], ['--dir', '/a,b'], ['--dir', '/$x'],
		['--queue', "/a\nb"], ['--queue', 'a']) {
		for my $command ('print', 'check') {
			($status, $out, my $error) = $daemon->ctl('postfix', $command, @$row);
			is $status, 2, "$command: a strange folder is refused";
			like $error, qr/\Q$row->[0]\E is ".*", expected an absolute path/, '... and named';
			is $out, '', '... before anything is printed';
		}
	}
	for my $row (['inet:8890@127.0.0.1', 'inet:127.0.0.1:8890'], ['inet:127.0.0.1:8890', 'inet:127.0.0.1:8890'],
		['127.0.0.1:8890', 'inet:127.0.0.1:8890'], ['inet6:8890@::', 'inet:[::1]:8890'], ['[::1]:8890', 'inet:[::1]:8890'],
		['unix:/run/p.sock', 'unix:/run/p.sock']) {
		my ($ours, $theirs) = @$row;
		write_file("$world->{folder}/socket.conf", qq(milter: { socket = "$ours"; };\nsocketmap: { listen = "$ours"; };\n));
		(undef, $out) = run({}, "$world->{build}/penstockctl", '-c', "$world->{folder}/socket.conf", 'postfix', 'print', 'main');
		like $out, qr/^smtpd_milters = \Q$theirs\E$/m, "$ours: as Postfix names it";
		like $out, qr/^sender_dependent_default_transport_maps = socketmap:\Q$theirs\E:transport$/m, '... the socketmap, too';
	}
};

# As Debian's master.cf has it.
my $chrooted = join '', map { "$_\n" } 'smtp inet n - y - - smtpd', 'submission inet n - y - - smtpd',
	'pickup unix n - y 60 1 pickup', 'cleanup unix n - y - 0 cleanup', 'qmgr unix n - n 300 1 qmgr',
	'rewrite unix - - y - - trivial-rewrite', 'smtp unix - - y - - smtp', 'relay unix - - y - - smtp';

# One round of fixes, and it fits. Gives the document of the check before it.
sub one_round {
	my ($what, $folder) = @_;
	my $before = check_json($folder);
	ok !$before->{ok}, "$what: differences";
	ok in_order($before), '... in an order that works' or diag explain $before;
	is $before->{last}, "postfix -c $folder reload", '... and what comes last';
	type_fixes($before);
	my $after = check_json($folder);
	ok $after->{ok}, '... one round, and it fits' or diag explain $after;
	is $after->{last}, undef, '... and nothing is to be typed';
	return $before;
}

part 'postfix check: a new admin' => sub {
	# the daemon's sockets lie in WORLD/run: below this queue directory
	my $folder = new_postfix('below', $world->{folder}, '', $chrooted);
	one_round('nothing is there', $folder);
	like slurp("$folder/main.cf"), qr{^smtpd_milters = unix:run/milter\.sock$}m, '... a relative path';
	my ($status, $out) = $daemon->ctl('postfix', 'check', '-d', $folder);
	like $out, qr/^Postfix fits /m, '... said for people';

	my $path = "unix:$world->{folder}/run";
	my $lines = "non_smtpd_milters = inet:127.0.0.1:9, { $path/milter.sock, default_action=accept }\n"
		. "smtpd_milters = $path/milter.sock\n"
		. "sender_dependent_default_transport_maps = socketmap:$path/socketmap.sock:transport, static:x:\n";
	$folder = new_postfix('absolute', $world->{folder}, $lines, $chrooted);
	my $before = one_round('whole paths for chrooted processes', $folder);
	my ($row) = grep { $_->{what} eq 'smtpd_milters' } @{ $before->{differences} };
	is $row->{file}, "$folder/main.cf", '... said of main.cf';
	is $row->{fix}, "postconf -c $folder -e 'smtpd_milters = unix:run/milter.sock'", '... with what to type';
	is scalar(grep { $_->{what} =~ /smtpd_milters$/ && $_->{what} !~ /default_action/ } @{ $before->{differences} }), 2,
		'... once for each setting';
	my $main = slurp("$folder/main.cf");
	like $main, qr{^non_smtpd_milters = inet:127\.0\.0\.1:9, \{ ?unix:run/milter\.sock, default_action=tempfail ?\}$}m,
		'... and the rest of a list stays';
	like $main, qr{_maps = socketmap:unix:run/socketmap\.sock:transport, static:x:$}m, '... of tables, too';

	$folder = new_postfix('elsewhere', "$world->{folder}/queue", '', $chrooted);
	one_round('a socket that no chrooted process can reach', $folder);
	is scalar(() = slurp("$folder/master.cf") =~ /^(?:smtp +inet|submission|cleanup|rewrite) .* n +\S+ +\S+ +\S+$/mg), 4,
		'... chroot is off where it is asked for';

	# an older rule that would win, and one that names other headers
	my $mine = "regexp:$world->{folder}/rules/mine";
	$lines = "milter_header_checks = $mine\nsmtp_header_checks = $mine\nmyhostname = a.test\nmyhostname = b.test\n";
	$folder = new_postfix('rules', $world->{folder}, $lines, $chrooted);
	write_file("$folder/mine", "/^X-Penstock-Pool/ IGNORE\n/^X-Penstock-Spam: yes score/ IGNORE\n", 0644);
	$before = one_round('rules of one\'s own', $folder);
	ok +(grep { $_->{what} =~ /^smtp_header_checks for "X-Penstock-Spam: yes, score=/ } @{ $before->{differences} }),
		'... are asked about the header as it is written' or diag explain $before;
	like slurp("$folder/main.cf"), qr{^milter_header_checks = regexp:\S+/penstock_milter_header_checks, $mine$}m,
		'... and ours comes before one that would win';
	is scalar(grep { $_->{what} =~ /^milter_header_checks/ } @{ $before->{differences} }), 1, '... said once';
	write_file("$folder/mine", "/^X-Penstock-Pool/ IGNORE\n", 0644);
	my $text = slurp("$folder/main.cf");
	write_file("$folder/main.cf", $text =~ s/^(milter_header_checks = )(\S+), (\S+)$/$1$3, $2/mr);
	(undef, $out) = $daemon->ctl('postfix', 'check', '-d', $folder);
	like $out, qr/^difference: milter_header_checks for .*\n +another rule of the list stands before ours$/m,
		'an earlier rule that wins is named';
	write_file("$folder/main.cf", $text =~ s/^(milter_header_checks = )(\S+),/$1$2-none,/mr);
	(undef, $out) = $daemon->ctl('postfix', 'check', '-d', $folder);
	is scalar(() = $out =~ /^difference: milter_header_checks .*-none.*\n +the table cannot be read$/mg), 1,
		'a table that cannot be read is named once' or diag $out;
};

part 'postfix check' => sub {
	my ($status, $out) = check();
	is $status, 0, 'the Postfix that was set up by postfix print is right' or diag $out;
	check_finds('a missing transport', 'master.cf', qr/^warm-1 /m, 'warm-9 ', qr/warm-1/);
	check_finds('a transport of Postfix\'s own without the header checks', 'master.cf', qr/^relay .*/m,
		sub { "$& -o smtp_header_checks=" }, qr{^difference: relay/unix: smtp_header_checks}m);
	check_finds('a wrong bind address', 'master.cf', qr/127\.0\.0\.21/m, '127.0.0.99', qr/warm-1/, qr/127\.0\.0\.99/,
		qr/127\.0\.0\.21/);
	check_finds('milter_default_action', 'main.cf', qr/\z/, "milter_default_action = accept\n",
		qr/default_action/, qr/accept/);
	check_finds('default_action of one milter', 'main.cf', qr/^smtpd_milters = (.*)/m,
		sub { "smtpd_milters = { $1, default_action=accept }" }, qr/default_action/, qr/accept/);
	for my $name (qw(smtp_header_checks milter_header_checks non_smtpd_milters)) {
		check_finds("an empty $name", 'main.cf', qr/^$name = .*/m, "$name =", qr/$name/);
	}
	check_finds('a relayhost without default_filter_nexthop', 'main.cf', qr/\z/, "default_filter_nexthop =\n",
		qr/^difference: default_filter_nexthop: found nothing, expected "\[127.*\n.*relayhost/m);
	check_finds('another default_filter_nexthop', 'main.cf', qr/\z/, "default_filter_nexthop = [127.0.0.1]:9\n",
		qr/^difference: default_filter_nexthop: found "\[127\.0\.0\.1\]:9", expected "\[127/m,
		qr/-e 'default_filter_nexthop = \$relayhost'$/m,
		qr/^1 difference; .*: penstockctl -c \S+ postfix check --commands -d \S+$/m);
	like slurp("$postfix->{config}/main.cf"), qr/^default_filter_nexthop = \$relayhost$/m, 'postfix print gives it';
	my $main = slurp("$postfix->{config}/main.cf");
	write_file("$postfix->{config}/main.cf", "${main}transport_maps = inline:{ {x.test=smtp:[127.0.0.1]} }\n");
	($status, $out) = check();
	write_file("$postfix->{config}/main.cf", $main);
	is $status, 0, 'transport_maps are no difference';
	like $out, qr/^warning: transport_maps: .*expected nothing in/m, '... but a warning';
	($status, $out) = $daemon->ctl('--json', 'postfix', 'check', '--postfix', $postfix->{config});
	ok eval { decode_json($out) }, 'with --json, too';
};

# check_penstock: exit status and what it printed.
sub plugin {
	my (@words) = @_;
	my ($host, $port) = split /:/, $daemon->{config}{http}{listen};
	my ($status, $out) = run({}, "$Penstock::Live::source/contrib/nagios/check_penstock", '-H', $host, '-p', $port, @words);
	return ($status, $out);
}

part 'check_penstock' => sub {
	my ($status, $out) = plugin();
	is $status, 0, "OK: $out";
	like $out, qr/^\S.*\| *\S+=/, 'with performance data';
	($status, $out) = plugin('-u', '/api/v1/rbl?q=10.0.0.1');
	is $status, 3, 'an error that the daemon explains: UNKNOWN';
	like $out, qr/says \(status 400\): \w.*\.$/m, "... with its sentence: $out";
	is +(plugin('--no-such-option'))[0], 3, 'a wrong option: UNKNOWN';
	$redis->stop;
	$world->send(auth => 'bob') for 1 .. 3;
	wait_for(20, 'the daemon to notice', sub { ($status, $out) = plugin(); $status != 0 });
	is $status, 1, "Redis down: WARNING: $out" if $status == 1;
	is $status, 2, "Redis down: CRITICAL: $out" if $status != 1;
	like $out, qr/redis/i, '... names it';
	$redis->start;
	wait_for(45, 'OK again', sub { (plugin())[0] == 0 });
	$daemon->stop;
	($status, $out) = plugin('-t', 3);
	is $status, 2, "no daemon: CRITICAL: $out";
	my ($code, undef, $error) = $daemon->ctl('status');
	isnt $code, 0, "penstockctl without a daemon: $error";
	$daemon->start;
	is +(plugin())[0], 0, 'OK again';
};

done_testing;
