#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Mail never stops for Redis, DNS or a scanner, and limits never silently lift.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(wait_for write_file slurp);
use Test::More;
use Time::HiRes qw(time);

my $world = Penstock::Live->new;
my ($redis, $daemon) = @{$world}{qw(redis daemon)};

sub limit {
	my ($login, @fields) = @_;
	$redis->do('HSET', $world->key("$login\@example.com", 'limits'), @fields);
}

sub messages {
	my ($login) = @_;
	return $world->counters("$login\@example.com")->{day_msgs};
}

# Redis answers again, and all that was counted without it is there.
sub wait_merged {
	wait_for(45, 'Redis to be used again', sub {
		my $now = $daemon->health or return;
		return $now->{redis}{up} && !$now->{redis}{breaker_open} && !$now->{redis}{pending};
	});
}

# Sends as `login`: the code, and how long it took.
sub timed {
	my ($login) = @_;
	my $begin = time;
	my $result = $world->send(auth => $login);
	return ($result->{code}, time - $begin, $result);
}

part 'a reload with a broken file keeps the old one' => sub {
	my $good = slurp($daemon->{file});
	write_file($daemon->{file}, "$good\nmilter = { socket = \"unix:/nowhere\"\n");
	$daemon->reload;
	my ($name) = $daemon->{file} =~ m{([^/]+)$};
	ok $daemon->wait_log(qr/\Q$name\E:\d+/), 'syntax: the log names file and line';
	write_file($daemon->{file}, "$good\nno_such_option = 1;\n");
	$daemon->reload;
	ok $daemon->wait_log(qr/\Q$name\E:\d+.*no_such_option/), 'unknown option: the log names file, line and option';
	my $result = $world->send(auth => 'alice');
	is $world->arrived($result)->{client}, '127.0.0.21', 'mail goes on as before';
	write_file($daemon->{file}, $good);
	$daemon->reload;
	wait_for(20, 'the log', sub { ($daemon->log_text =~ s/no_such_option.*\n(.*)/$1/sr) =~ /\S/ });
	is $world->send(auth => 'alice')->{code}, 250, 'and after a good reload';
	ok $daemon->lives, 'the daemon lives';
};

part 'scripts that Redis forgot' => sub {
	$redis->do('SCRIPT', 'FLUSH');
	my $result = $world->send(auth => 'bob');
	is $result->{code}, 250, 'mail goes on';
	is $world->verdict($result)->{redis}, 'full', 'Redis was used all the same';
	is messages('bob'), 1, 'and counted it';
};

part 'Redis read-only, as a replica is' => sub {
	my $before = messages('bob');
	$redis->do('REPLICAOF', '127.0.0.1', '1');
	my ($code, $seconds, $result) = timed('bob');
	is $code, 250, 'mail goes on';
	is $world->verdict($result)->{action}, 'pass', 'log: action';
	$redis->do('REPLICAOF', 'NO', 'ONE');
	wait_merged();
	is messages('bob'), $before + 1, 'it is counted once';
};

part 'Redis out of memory' => sub {
	my $before = messages('bob');
	$redis->do('CONFIG', 'SET', 'maxmemory', 1);
	my ($code) = timed('bob');
	is $code, 250, 'mail goes on';
	$redis->do('CONFIG', 'SET', 'maxmemory', 0);
	wait_merged();
	is messages('bob'), $before + 1, 'it is counted once';
};

part 'Redis accepts and never answers' => sub {
	limit('carol', msgs_per_day => 4);
	is $world->send(auth => 'carol')->{code}, 250, 'before';
	$redis->pause;
	my ($code, $seconds, $result) = timed('carol');
	is $code, 250, 'mail goes on';
	cmp_ok $seconds, '<', 8, sprintf 'within the deadlines: %.1f s', $seconds;
	is $world->verdict($result)->{redis}, 'local', 'the log says that Redis was away';
	is_deeply [ map { $world->send(auth => 'carol')->{code} } 1 .. 2 ], [250, 250], 'up to its limit';
	my ($late) = timed('carol');
	like $late, qr/^4/, 'the limit holds without Redis';
	my $health = $daemon->health;
	isnt $health->{status}, 'ok', "/health says $health->{status}";
	($code, $seconds) = timed('dave');
	is $code, 250, 'an account that the daemon never saw sends';
	cmp_ok $seconds, '<', 4, sprintf 'the breaker saves it the wait: %.1f s', $seconds;
	$redis->resume;
	wait_merged();
	is messages('carol'), 4, 'what was counted meanwhile is merged, once';
	is messages('dave'), 1, 'that of the other account too';
	like $world->send(auth => 'carol')->{code}, qr/^4/, 'the limit still holds';
	is $daemon->health->{status}, 'ok', '/health says ok';
};

part 'Redis killed, back with its data' => sub {
	limit('erin', msgs_per_day => 3);
	is $world->send(auth => 'erin')->{code}, 250, 'before';
	$redis->stop(save => 1);
	is_deeply [ map { $world->send(auth => 'erin')->{code} } 1 .. 3 ], [250, 250, 451], 'the limit holds without Redis';
	$redis->start;
	wait_merged();
	is messages('erin'), 3, 'merged, not counted twice';
	is $world->verdict($world->send(auth => 'alice'))->{redis}, 'full', 'Redis is used again';
};

part 'Redis killed, back empty' => sub {
	$redis->stop;
	is $world->send(auth => 'frank')->{code}, 250, 'mail goes on';
	$redis->start;
	wait_merged();
	is messages('frank'), 1, 'what was counted meanwhile is there';
	is $world->send(auth => 'erin')->{code}, 250, 'limits that are gone hold no more';
};

part 'spamd away' => sub {
	my $spamd = $world->{spamd};
	$spamd->stop;
	my ($code, $seconds, $result) = timed('grace');
	is $code, 250, 'mail goes on';
	is $world->verdict($result)->{content}, '-', 'the content is unknown';
	$spamd->start;
	like $world->verdict($world->send(auth => 'grace'))->{content}, qr/\d/, 'back, it is asked again';
	$spamd->pause;
	($code, $seconds, $result) = timed('grace');
	is $code, 250, 'accepting and never answering: mail goes on';
	cmp_ok $seconds, '<', 12, sprintf 'within its time-out: %.1f s', $seconds;
	is $world->verdict($result)->{content}, '-', 'the content is unknown';
	$spamd->resume;
};

part 'DNS away' => sub {
	my $dns = $world->{rbldnsd};
	$dns->pause;
	my ($code, $seconds) = (0, 0);
	my $begin = time;
	my $result = $world->send(auth => 'heidi', client => '127.0.0.67');
	is $result->{code}, 250, 'an account sends';
	cmp_ok time - $begin, '<', 8, 'within the deadlines';
	unlike $world->verdict($result)->{reasons}, qr/listed/, 'unknown is no listing';
	$result = $world->send(client => $Penstock::Live::listed{refused}, to => 'home@local.example.test');
	is $result->{code}, 250, 'a stranger too';
	$dns->resume;
	wait_for(30, 'the list to be asked again', sub {
		$world->send(client => $Penstock::Live::listed{refused}, to => 'home@local.example.test')->{code} =~ /^5/;
	});
};

part 'TERM lets a message under way end' => sub {
	my @idle = map { $world->session(auth => 'judy') } 1 .. 5;
	my $session = $world->session(auth => 'ivan');
	$session->command('MAIL FROM:<ivan@example.com>');
	$session->command('RCPT TO:<friend@elsewhere.test>');
	is $session->command('DATA')->{code}, 354, 'a message is under way';
	kill 'TERM', $daemon->{pid};
	select undef, undef, undef, 0.5;
	ok $daemon->lives, 'the daemon waits for it';
	my $answer = $session->command("Subject: last\r\n\r\nHello.\r\n.");
	is $answer->{code}, 250, 'it is taken';
	is $world->{sink}->wait('last')->{client}, '127.0.0.21', 'it leaves by its pool';
	$session->quit;
	is $daemon->stop, 0, 'the daemon ends with 0, idle sessions or not';
	$_->quit for @idle;
	my $result = $world->send(client => $Penstock::Postfix::customers);
	like $result->{code}, qr/^4/, 'without a daemon mail is deferred, not passed unjudged';
	$daemon->start;
	is $world->send(auth => 'ivan')->{code}, 250, 'with a new one it goes on';
	is messages('ivan'), 2, 'all is counted';
};

done_testing;
