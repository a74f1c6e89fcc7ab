#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# penstockctl against a daemon and a Postfix at work, and the Nagios plugin.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Penstock::Live qw(part);
use Penstock::Process qw(run wait_for write_file slurp);
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

	is +($daemon->ctl('account', 'limit', $alice, 'rcpts_per_hour=7', 'plan=gold'))[0], 0, 'limit';
	is_deeply $redis->hash($world->key($alice, 'limits')), { rcpts_per_hour => 7, plan => 'gold' }, '... is in Redis as a panel writes it';
	($status, undef, my $error) = $daemon->ctl('account', 'limit', $alice, 'rcpts_per_hour=many');
	isnt $status, 0, 'limit with nonsense is refused';
	like $error, qr/rcpts_per_hour.*many/, "... in words: $error";

	is +($daemon->ctl('account', 'block', $alice, 'ticket 4711'))[0], 0, 'block';
	like $world->send(auth => 'alice')->{code}, qr/^5/, '... holds at once';
	is $redis->do('GET', $world->key($alice, 'block')), 'ticket 4711', '... with its reason';
	is +($daemon->ctl('account', 'unblock', $alice))[0], 0, 'unblock';
	is $world->send(auth => 'alice')->{code}, 250, '... holds at once';

	is +($daemon->ctl('account', 'reset', $alice))[0], 0, 'reset';
	is $daemon->ctl_json('account', 'show', $alice)->{level} =~ /^(?:new|unknown)$/ ? 1 : 0, 1, '... forgets the level';
	is $world->arrived($world->send(auth => 'alice'))->{client}, '127.0.0.21', '... from the next message on';
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
}

part 'postfix check' => sub {
	my ($status, $out) = check();
	is $status, 0, 'the Postfix that was set up by postfix print is right' or diag $out;
	check_finds('a missing transport', 'master.cf', qr/^warm-1 /m, 'warm-9 ', qr/warm-1/);
	check_finds('a wrong bind address', 'master.cf', qr/127\.0\.0\.21/m, '127.0.0.99', qr/warm-1/, qr/127\.0\.0\.99/,
		qr/127\.0\.0\.21/);
	check_finds('milter_default_action', 'main.cf', qr/^milter_default_action = tempfail/m, 'milter_default_action = accept',
		qr/default_action/, qr/accept/);
	check_finds('default_action of one milter', 'main.cf', qr/^smtpd_milters = (.*)/m,
		sub { "smtpd_milters = { $1, default_action=accept }" }, qr/default_action/, qr/accept/);
	for my $name (qw(smtp_header_checks milter_header_checks non_smtpd_milters)) {
		check_finds("an empty $name", 'main.cf', qr/^$name = .*/m, "$name =", qr/$name/);
	}
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
