#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What became of messages, found by each of their names, and what an account and a customer sent.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Penstock::Follow;
use Penstock::Live qw(part);
use Penstock::Process qw(run slurp wait_for write_file);
use POSIX ();
use Test::More;

my $world = Penstock::Live->new;
my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};
$daemon->{config}{follow} = Penstock::Follow::config($world->{folder});
$daemon->write_config;
my $folder = "$world->{folder}/follow/trace";

part 'no trace' => sub {
	my ($status, undef, $error) = $daemon->ctl('trace');
	is $status, 2, 'no folder';
	like $error, qr{\Q$folder\E: No such file.*systemctl status penstock-follow}, '... what to do';
	$daemon->{config}{follow}{trace_days} = 0;
	$daemon->write_config;
	like +($daemon->ctl('trace'))[2], qr/follow\.trace_days is 0, so none is kept; set it/, 'switched off';
	delete $daemon->{config}{follow}{trace_days};
	$daemon->write_config;
};

my $follow = Penstock::Follow->new($world);
$follow->start;
$redis->do('HSET', $world->key('alice@example.com', 'limits'), customer => '=42');
my $first = $world->send(auth => 'alice', to => ['friend@elsewhere.test', 'other@further.test'], headers => ['X-Number: 1']);
my $second = $world->send(auth => 'bob', to => 'friend@elsewhere.test');
ok $world->arrived($first), 'delivered';
ok $world->arrived($second), '... both';

sub found { my ($status, $out) = $daemon->ctl('--json', 'trace', @_); return $out eq '' ? [] : JSON::PP::decode_json($out)->{messages} }

part 'by its names' => sub {
	my $message = wait_for(30, 'the trace', sub { my $found = found($first->{id}); @$found && @{ $found->[0]{deliveries} } == 2 && $found->[0] });
	is $message->{account}, 'alice@example.com', 'the account';
	is $message->{customer}, '=42', '... the customer';
	like $message->{message_id}, qr/^[\d.]+\@example\.com$/, '... the Message-ID';
	is join(' ', sort map { "$_->{rcpt}=$_->{outcome}" } @{ $message->{deliveries} }), 'friend@elsewhere.test=sent other@further.test=sent',
		'... and what became of it at each recipient';
	my @rows = (['--account', 'alice@example.com'], ['--sender', 'Alice@Example.com'], ['--rcpt', 'other@further.test'], ['--rcpt', 'further.test'],
		['--queue-id', $first->{id}], ['--message-id', "<$message->{message_id}>"], ['further.test'], ['alice@example.com'],
		['--account', 'alice@example.com', '--rcpt', 'friend@elsewhere.test'], ['--account', 'alice@example.com', '--since', '1h']);
	is_deeply [ map { $_->{queue_id} } @{ found(@$_) } ], [ $first->{id} ], "@$_" for @rows;
	is_deeply [ map { $_->{queue_id} } @{ found(@$_) } ], [], "@$_: nothing" for ['--account', 'carol@example.com'], ['--ref', 'none'],
		['--account', 'bob@example.com', '--rcpt', 'further.test'], ['--account', 'alice@example.com', '--until', '1h'];
	wait_for(30, 'the other', sub { @{ found($second->{id}) } == 1 });
	is_deeply [ map { $_->{queue_id} } @{ found('friend@elsewhere.test') } ], [ $second->{id}, $first->{id} ], 'the newest first';
	is_deeply [ map { $_->{queue_id} } @{ found('friend@elsewhere.test', '--count', 1) } ], [ $second->{id} ], 'one of them';
};

part 'who may read it' => sub {
	my ($day) = grep { !/\.index$|key$/ } glob "$folder/*";
	is sprintf('%o %o %o', map { (stat $_)[2] & 07777 } $folder, $day, "$day.index"), '750 640 640', 'its account and its group';
	my ($status, undef, $error) = run({}, 'setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', $daemon->{ctl_program},
		'-c', $daemon->{file}, 'trace', $first->{id});
	is $status, 2, 'nobody may not';
	like $error, qr/Permission denied|cannot be read/, '... and is told why';
};

part 'a message that is held' => sub {
	$redis->do('HSET', $world->key('carol@example.com', 'limits'), msgs_per_day => 0, over => 'hold');
	my $held = $world->send(auth => 'carol');
	my $message = wait_for(30, 'its row', sub { found($held->{id})->[0] });
	is $message->{action}, 'hold', 'its row says so';
	like $message->{ref}, qr/^\w{6}-\w{6}$/, '... it has a reference';
	is_deeply [ map { $_->{queue_id} } @{ found('--ref', lc $message->{ref}) } ], [ $held->{id} ], '... by which it is found';
	like +($daemon->ctl('trace', $held->{id}))[1], qr/^ +no delivery was seen yet$/m, '... and nothing became of it yet';
};

part 'for people and spreadsheets' => sub {
	my ($status, $out, $error) = $daemon->ctl('trace', $first->{id});
	is "$status $error", '0 ', 'fine';
	like $out, qr/^ +other\@further\.test: delivered to \S+(?: \(127\.0\.0\.1\))? as 2\.\d\.\d after \d+ s$/m, 'in plain words';
	(undef, $out) = $daemon->ctl('trace', '--csv', $first->{id});
	my @lines = split /\r\n/, $out;
	is scalar(@lines), 3, 'CSV: a row a delivery, and a head';
	like $lines[1], qr/,"'=42",/, '... nothing is a formula';
};

part 'usage' => sub {
	my $month = POSIX::strftime('%Y-%m', gmtime);
	my $usage = $daemon->ctl_json('usage', '--month', $month);
	my %row = map { $_->{account} => $_ } @{ $usage->{usage} };
	is "$row{'alice@example.com'}{messages} $row{'alice@example.com'}{rcpts} $row{'alice@example.com'}{delivered}", '1 2 2', 'of an account';
	is $usage->{total}{messages}, 3, 'of all';
	$usage = $daemon->ctl_json('usage', '--month', $month, '--by', 'customer');
	%row = map { $_->{customer} // 'none' => $_ } @{ $usage->{usage} };
	is "$row{'=42'}{rcpts} $row{none}{rcpts}", '2 2', 'of a customer, and of who has none';
	my (undef, undef, $error) = $daemon->ctl('usage', '--month', '2020-02');
	like $error, qr/no trace of 2020-02-01 to 2020-02-29: /, 'days that are not there are said';
	like +($daemon->ctl('usage', '--month', 'May'))[2], qr/--month "May": expected a month \(UTC\) as 2026-10/, 'no month';
};

part 'a month\'s border' => sub {
	my $state = "$world->{folder}/border";
	mkdir $_ for $state, "$state/trace";
	local $daemon->{config}{follow}{state} = $state;
	$daemon->write_config;
	my $message = sub { join("\t", 'M', $_[0], $_[1], '-', $_[2], $_[3], 's@example.com', '192.0.2.1', 'pass', 'good', 'clean-1', 1, $_[4], '-') . "\n" };
	my $delivery = sub { join("\t", 'D', $_[0], $_[1], $_[2], $_[3], $_[4], $_[5], '5.4.7', '-', '-', 'clean-1', '-', $_[6]) . "\n" };
	write_file("$state/trace/2026-05-31", $message->('2026-05-31T23:59:59.000Z', 'AAAAA1', 'alice@example.com', '=42', 4)
		. $delivery->('2026-05-31T23:59:59.500Z', 'AAAAA1', 'alice@example.com', 'a@example.net', 'sent', 'sent', '-'));
	write_file("$state/trace/2026-06-01", $delivery->('2026-06-01T00:00:01.000Z', 'AAAAA1', 'alice@example.com', '-', 'expired', 'expired', 3)
		. $delivery->('2026-06-01T00:00:02.000Z', 'AAAAA2', "\xff\xfe", "\xff", 'sent', 'sent', '-') x 2);
	my %row = map { $_->{customer} // 'none' => $_ } @{ $daemon->ctl_json('usage', '--month', '2026-06', '--by', 'customer')->{usage} };
	is $row{'=42'}{returned}, 3, 'who was given up counts for the customer of the month before, each recipient';
	is $row{none}{delivered}, 2, 'a damaged name is nobody\'s';
	%row = map { $_->{customer} // 'none' => $_ } @{ $daemon->ctl_json('usage', '--month', '2026-05', '--by', 'customer')->{usage} };
	is "$row{'=42'}{rcpts} $row{'=42'}{delivered} $row{'=42'}{returned}", '4 1 0', 'each month has its own';
	like +($daemon->ctl('trace', 'AAAAA1'))[1], qr/^ +all 3 that are left: given up/m, 'in words';
	my ($status, $json, $error) = $daemon->ctl('trace', '--json', 'AAAAA2');
	is "$status $error", '0 ', 'damaged names are shown';
	$daemon->{config}{follow}{state} = "$world->{folder}/follow";
};
$daemon->write_config;

part 'rows that somebody damaged' => sub {
	my ($day) = grep { !/\.index$|key$/ } glob "$folder/*";
	open my $file, '>>', $day or die "$day: $!\n";
	print {$file} "M\t\e[2J\tX\nD\n\n" . 'x' x 5000 . "\n";
	close $file;
	unlink "$day.index";
	my ($status, $out) = $daemon->ctl('trace', 'alice@example.com');
	is $status, 0, 'the others are found, without an index too';
	unlike $out, qr/\e/, '... and no escape is printed';
};

is $follow->stop, 0, 'the follower ends';
done_testing();
