#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The Redis that t/fake plays answers as the real one: the same requests in one piece to both, byte by byte.

use strict;
use warnings;

use Digest::SHA qw(sha1_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use IO::Socket::UNIX;
use IPC::Open2;
use Penstock::Process qw(need_program start_program wait_ready);
use Test::More;

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $source = "$FindBin::Bin/../..";
my $program = "$build/t/live/fake_redis";
die "$program is not built: make t/live/fake_redis\n" if !-x $program;

open my $lua, '<', "$source/redis-schema/compare_and_set.lua" or die "compare_and_set.lua: $!\n";
my $script = do { local $/; <$lua> };
my $sha = sha1_hex($script);
my @head = map { pack 'C a10', 4, "head$_-----" } 0 .. 3;
my $binary = join '', map { chr } 0 .. 255;

sub swap { return [ 'EVALSHA', $sha, 3, 'p:{a}:record', 'p:{a}:state', 'p:{a}:known', @_ ] }
sub words { return [ split / /, $_[0] ] }

# What Redis answers by lot or by its own order (HRANDFIELD, SMEMBERS, the pieces of SCAN) or by the time is left out.
my @requests = ((map { words($_) } 'PING', 'ping', 'PING hello', 'PING a b', 'NOSUCH', 'NOSUCH a b', 'GET', 'GET a b', 'get a', 'DBSIZE',
	'SELECT 3', 'SET here 3', 'SELECT 0', 'GET here', 'SELECT 16', 'SELECT -1', 'SELECT x', 'AUTH x', 'AUTH default x', 'AUTH joe x',
	'AUTH a b c', 'AUTH', 'TIME x'),
	# strings
	(map { words($_) } 'SET k v', 'GET k', 'SET k w NX', 'GET k', 'SET new x NX EX 100', 'TTL new', 'TTL k', 'TTL none', 'PTTL none', 'PTTL k',
	'SET new y KEEPTTL', 'TTL new', 'SET new z', 'TTL new', 'SET none x XX', 'GET none', 'SET k v EX', 'SET k v EX 0', 'SET k v EX -5',
	'SET k v EX ten', 'SET k v EX 10 KEEPTTL', 'SET k v NX XX', 'SET k v WHAT', 'SET k', 'EXPIRE k 50', 'TTL k', 'EXPIRE none 50',
	'EXPIRE k x', 'EXPIRE k', 'EXPIRE k 0', 'GET k', 'EXPIRE new -1', 'EXISTS new', 'SET a 1', 'SET b 2', 'EXISTS a b c a', 'MGET a b c',
	'MGET', 'DEL a b c', 'DEL a', 'DEL', 'EXISTS'),
	[ 'SET', $binary, $binary ], [ 'GET', $binary ], [ 'GETRANGE', $binary, 0, 10 ], [ 'GETRANGE', $binary, -3, -1 ],
	[ 'GETRANGE', $binary, 250, 999 ], [ 'GETRANGE', $binary, 5, 4 ], [ 'GETRANGE', $binary, -999, 1 ], [ 'GETRANGE', $binary, -5, -9 ],
	[ 'GETRANGE', $binary, 0, -999 ], [ 'GETRANGE', $binary, 'x', 1 ], [ 'GETRANGE', 'none', 0, 10 ], [ 'SET', '', '' ], [ 'GET', '' ], [ 'DEL', '' ],
	(map { words($_) } 'SETBIT bits 7 1', 'SETBIT bits 7 1', 'SETBIT bits 100 1', 'GETBIT bits 100', 'GETBIT bits 99', 'GETBIT bits 99999', 'GETBIT none 1',
	'GET bits', 'SETBIT bits 7 0', 'GET bits', 'SETBIT bits 7 2', 'SETBIT bits -1 1', 'SETBIT bits x 1', 'SETBIT bits 4294967296 1', 'GETBIT bits -1',
	'SETBIT zero 3 0', 'GET zero', 'SETBIT bits 1', 'GETBIT bits'),
	# hashes
	(map { words($_) } 'HSET h a 1 b 2', 'HSET h a 3 c 4', 'HSET h a', 'HSET h a 1 b', 'HGET h a', 'HGET h z', 'HGET none a', 'HMGET h a z b', 'HMGET none a b',
	'HMGET h', 'HGETALL h', 'HGETALL none', 'HLEN h', 'HLEN none', 'HDEL h a z', 'HGETALL h', 'HDEL h b c', 'EXISTS h', 'HDEL none a', 'HINCRBY h n 5',
	'HINCRBY h n -7', 'HINCRBY h n x', 'HINCRBY h n 1.5', 'HINCRBY h n', 'HSET h t text', 'HINCRBY h t 1', 'HINCRBY h n 9223372036854775807', 'HINCRBY h n 9',
	'HINCRBY h n 9223372036854775808', 'HSET h s 007', 'HINCRBY h s 1', 'HSCAN h 0', 'HSCAN h 0 MATCH n* COUNT 5', 'HSCAN none 0', 'HRANDFIELD none 3 WITHVALUES',
	'HRANDFIELD none', 'HRANDFIELD h x', 'HRANDFIELD h 0', 'HRANDFIELD h 3 WHAT', 'HSET one f v', 'HRANDFIELD one 3 WITHVALUES', 'HRANDFIELD one', 'HRANDFIELD one -2'),
	[ 'HSET', 'h', $binary, $binary ], [ 'HGET', 'h', $binary ], [ 'HINCRBY', 'h', "\0\1\2", 1 << 40 ], [ 'HGET', 'h', "\0\1" ], [ 'HDEL', 'h', $binary ],
	# sets
	(map { words($_) } 'SADD s a b a', 'SADD s b c', 'SCARD s', 'SCARD none', 'SISMEMBER s a', 'SISMEMBER s z', 'SREM s a z', 'SREM none a', 'SREM s b c', 'EXISTS s',
	'SADD s', 'SREM s', 'SADD s 1', 'TYPE s', 'TYPE h', 'TYPE none', 'TYPE bits'),
	[ 'SADD', 's', "\0\xff", "\0" ], [ 'SCARD', 's' ],
	# streams and sorted sets
	(map { words($_) } 'ZADD z 5 five 1 one', 'ZADD z 5 cinq', 'ZADD z 7 one', 'ZADD z x y', 'ZADD z 1', 'ZADD z 1 a 2', 'ZADD z inf last', 'ZADD z 0.1 tenth',
	'ZCARD z', 'ZCARD none', 'ZRANGEBYSCORE z -inf +inf WITHSCORES', 'ZRANGEBYSCORE z 1 7', 'ZRANGEBYSCORE z (5 7', 'ZRANGEBYSCORE z 5 (7', 'ZRANGEBYSCORE z -inf inf LIMIT 1 2',
	'ZRANGEBYSCORE z -inf inf WITHSCORES LIMIT 1 -1', 'ZRANGEBYSCORE z x 1', 'ZRANGEBYSCORE z 1 2 WHAT', 'ZRANGEBYSCORE none 1 2', 'ZREM z one two', 'ZREM z', 'ZREM z five cinq last tenth',
	'EXISTS z', 'TYPE z', 'XADD x 5-1 a b c d', 'XADD x 5-1 a b', 'XADD x 6 a b', 'XADD x MAXLEN ~ 1000 7-2 a b', 'XADD x * a', 'XADD x 8-1 a b c', 'XADD x what a b', 'XLEN x', 'XLEN none',
	'XREVRANGE x + -', 'XREVRANGE x + - COUNT 1', 'XREVRANGE x 6 5', 'XREVRANGE x (6-0 -', 'XREVRANGE x + (5-1', 'XREVRANGE x + what', 'XREVRANGE none + -', 'XREVRANGE x + - COUNT x', 'XREVRANGE x + - WHAT 1',
	'XREVRANGE x +', 'XRANGE x - +', 'XRANGE x - + COUNT 1', 'XRANGE x 5 6', 'XRANGE x (5-1 +', 'XRANGE x - (6-0', 'XRANGE x what +', 'XRANGE none - +', 'XRANGE x - + COUNT x', 'XRANGE x - + COUNT 0',
	'XRANGE x - + COUNT -1', 'XREVRANGE x + - COUNT 0', 'XRANGE x - + WHAT 1', 'XRANGE x -'),
	# wrong types
	(map { words($_) } 'GET h', 'MGET h bits s', 'GETRANGE h 0 1', 'SETBIT h 1 1', 'GETBIT s 1', 'HSET bits a b', 'HGET s a', 'HMGET bits a', 'HGETALL bits', 'HLEN s', 'HDEL x a', 'HINCRBY bits a 1',
	'HRANDFIELD bits 3 WITHVALUES', 'SADD bits a', 'SCARD h', 'SREM bits a', 'ZADD bits 1 a', 'ZCARD h', 'XADD bits * a b', 'XLEN bits', 'SET x now', 'GET x'),
	# the script
	swap('', $head[1], 100, ''), [ 'SCRIPT', 'EXISTS', $sha ], [ 'EVALSHA', 'f' x 40, 0 ], [ 'EVALSHA', 'short', 0 ], [ 'SCRIPT', 'LOAD', $script ],
	[ 'SCRIPT', 'EXISTS', $sha, 'f' x 40 ], swap('', $head[1] . 'first', 100, ''), [ 'GET', 'p:{a}:record' ], [ 'TTL', 'p:{a}:record' ],
	[ 'EXISTS', 'p:{a}:state', 'p:{a}:known' ], swap('', "$head[2]x", 100, ''), swap($head[0], "$head[2]x", 100, ''), swap($head[1], "$head[2]\0\xff$binary", 200, "known\0$binary"),
	[ 'MGET', 'p:{a}:record', 'p:{a}:known' ], [ 'TTL', 'p:{a}:record' ], [ 'TTL', 'p:{a}:known' ], swap($head[1], $head[3], 100, ''),
	swap($head[2], $head[3], 300, '', level => 'good', since => 5), [ 'HGETALL', 'p:{a}:state' ], [ 'TTL', 'p:{a}:state' ], [ 'TTL', 'p:{a}:known' ],
	swap($head[3], $head[0], 300, '', score => '1.50', level => 'new', spf => ''), [ 'HGETALL', 'p:{a}:state' ], swap($head[0], $head[1], 0, ''), swap($head[0], $head[1], 'x', 'y'),
	swap($head[0], $head[1], 400, '', 'odd'), [ 'HGETALL', 'p:{a}:state' ], [ 'SET', 'p:{a}:state', 'oops' ], swap($head[1], $head[2], 500, '', level => 'good'), [ 'GET', 'p:{a}:state' ], [ 'TTL', 'p:{a}:state' ],
	[ 'DEL', 'p:{a}:known' ], [ 'HSET', 'p:{a}:known', 'a', 'b' ], swap('', $head[3], 100, ''), swap($head[2], $head[3], 100, 'list'), [ 'GET', 'p:{a}:known' ],
	[ 'DEL', 'p:{a}:record' ], [ 'HSET', 'p:{a}:record', 'a', 'b' ], swap('', $head[3], 100, ''), [ 'DEL', 'p:{a}:record' ],
	[ 'EVAL', $script, 3, 'q:record', 'q:state', 'q:known', '', $head[1], 10, '' ], [ 'EVALSHA', uc $sha, 3, 'q:record', 'q:state', 'q:known', 'x', $head[1], 10, '' ],
	[ 'EVALSHA', $sha, -1 ], [ 'EVALSHA', $sha, 3, 'a' ], [ 'EVALSHA', $sha, 'x' ], [ 'EVALSHA', $sha ], [ 'SCRIPT', 'FLUSH' ], swap('', $head[1], 100, ''), [ 'DBSIZE' ]);

sub bytes_of { return join '', map { my @w = @$_; '*' . @w . "\r\n" . join '', map { '$' . length($_) . "\r\n$_\r\n" } @w } @_ }

# One answer at pos($$bytes), as it is.
sub answer_at {
	my ($bytes) = @_;
	$$bytes =~ /\G([-+:\$*])([^\r\n]*)\r\n/gc or die "no answer where one is due\n";
	my ($type, $rest, $answer) = ($1, $2, "$1$2\r\n");
	if ($type eq '$' && $rest >= 0) {
		my $at = pos $$bytes;
		$answer .= substr $$bytes, $at, $rest + 2;
		pos($$bytes) = $at + $rest + 2;
	}
	$answer .= answer_at($bytes) for 1 .. ($type eq '*' ? $rest : 0);
	return $answer;
}

sub ask {
	my ($to, $from, @requests) = @_;
	my $end = 'the end of it';
	my $got = '';
	print {$to} bytes_of(@requests, [ 'PING', $end ]);
	$to->flush;
	while ($got !~ /\Q$end\E\r\n\z/) {
		sysread $from, $got, 65536, length $got or die "the connection ended\n";
	}
	return map { answer_at(\$got) } @requests;
}

sub shown { return $_[0] =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger }

my $folder = File::Temp::tempdir('penstock-fake-redis-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $server = start_program('redis', "$folder/redis.log", need_program('redis-server', 'redis-server'), '--port', 0,
	'--unixsocket', "$folder/redis.sock", '--dir', $folder, '--save', '');
wait_ready($server, "$folder/redis.log", 20, sub { -S "$folder/redis.sock" && IO::Socket::UNIX->new(Peer => "$folder/redis.sock") });
my $real = IO::Socket::UNIX->new(Peer => "$folder/redis.sock") or die "$folder/redis.sock: $!\n";
my $pid = open2(my $said, my $asked, $program);

my @wanted = ask($real, $real, @requests);
my @came = ask($asked, $said, @requests);
for my $i (0 .. $#requests) {
	is shown($came[$i]), shown($wanted[$i]), substr shown(join ' ', @{ $requests[$i] }), 0, 100;
}
close $asked;
waitpid $pid, 0;
is $?, 0, 'the fake ends with its requests';
done_testing();
