# SPDX-License-Identifier: BSD-2-Clause
#
# Record: an account's record as redis-schema/account_record.c says that its bytes stand in Redis, read and written
# without the daemon's code. A test that wants an account with a past writes one, and any test reads what was counted.

package Penstock::Record;

use strict;
use warnings;

our $version = 5;
our @windows = qw(msgs_per_minute msgs_per_hour msgs_per_day rcpts_per_minute rcpts_per_hour rcpts_per_day
	kbytes_per_minute kbytes_per_hour kbytes_per_day new_rcpts_per_day);
our @counters = qw(messages rcpts spam exploit breaches new_rcpts dead complaints auth_failures traps content place sender
	anomaly hour fresh campaign own_texts others back away changes refused);
our @levels = qw(unknown good new suspect blocked);
our @parts = qw(places known text);	# bytes; `week` stands behind them
my $week_bytes = 31;
my $writer = 1_000_000_000_001;	# whoever a test is

# ---- numbers

sub _number { my ($number, $bytes) = @_; return substr pack('Q<', $number), 0, $bytes }

sub _whole {
	my ($number) = @_;
	my $bytes = '';
	for (; $number >= 0x80; $number >>= 7) {
		$bytes .= chr(0x80 | $number & 0x7f);
	}
	return $bytes . chr $number;
}

sub _take {
	my ($from, $length) = @_;
	die "a record that ends early\n" if length $$from < $length;
	return substr $$from, 0, $length, '';
}

sub _take_number { my ($from, $bytes) = @_; return unpack 'Q<', _take($from, $bytes) . "\0" x (8 - $bytes) }

sub _take_whole {
	my ($from) = @_;
	my ($number, $shift, $byte) = (0, 0);
	do {
		$byte = ord _take($from, 1);
		$number |= ($byte & 0x7f) << $shift;
		$shift += 7;
	} while $byte >= 0x80;
	return $number;
}

# What is not nought of a list: a set of its places, and each of them.
sub _set_of { my ($bytes, @list) = @_; my $set = 0; $set |= 1 << $_ for grep { $list[$_] } 0 .. $#list; return _number($set, $bytes) }

sub _take_set {
	my ($from, $bytes, $count, $take) = @_;
	my $set = _take_number($from, $bytes);
	return map { $set >> $_ & 1 ? $take->() : 0 } 0 .. $count - 1;
}

# A large counter is a single, highest byte first, with its sign; of another one three bytes are kept, rounded.
sub _counter {
	my ($value) = @_;
	my $bits = unpack 'N', pack 'f>', $value;
	return $value >= 4096 ? pack('N', $bits | 0x80000000) : substr pack('N', $bits + 0x80), 0, 3;
}

sub _take_counter {
	my ($from) = @_;
	my $bytes = _take($from, 3);
	$bytes .= ord $bytes & 0x80 ? _take($from, 1) : "\0";
	return unpack 'f>', pack 'N', unpack('N', $bytes) & 0x7fffffff;
}

sub _take_string { my ($from) = @_; return _take($from, ord _take($from, 1)) }

# ---- the record

# The bytes of { at_ms, sums => { window => [present, before] }, counters => { word => number }, level, since, first,
# pardon, score, spf, places, week, known, writes => [[writer, number] ...] }; whatever is not said is nought, and the
# write is the test's own.
sub pack_record {
	my (%record) = @_;
	my ($newest, @others) = @{ $record{writes} // [ [ $writer, 1 ] ] };
	my $bytes = chr($version) . join '', map { _number($_, 5) } @{ $newest // [ 0, 0 ] };
	$bytes .= chr(@others) . join '', map { _number($_->[0], 5) . _number($_->[1], 5) } @others;
	$bytes .= _number($record{at_ms} // time * 1000, 6);
	my @sums = map { @{ $record{sums}{$_} // [ 0, 0 ] } } @windows;
	$bytes .= _set_of(3, @sums) . join '', map { _whole($_) } grep { $_ } @sums;
	my @values = map { $record{counters}{$_} } @counters;
	$bytes .= _set_of(3, @values) . join '', map { _counter($_) } grep { $_ } @values;
	my ($level) = grep { $levels[$_] eq ($record{level} // 'unknown') } 0 .. $#levels;
	$bytes .= chr($level) . join('', map { _whole($record{$_} // 0) } qw(since first pardon)) . pack 's<', 100 * ($record{score} // 0);
	$bytes .= join '', map { chr(length) . $_ } map { $record{$_} // '' } 'spf', @parts;
	my @week = unpack 'C*', $record{week} // '';
	return $bytes . _set_of(4, @week) . join '', map { chr } grep { $_ } @week;
}

# The other way. undef for no bytes; dies where they are no record.
sub unpack_record {
	my ($bytes) = @_;
	return if !defined $bytes || $bytes eq '';
	my %record = (version => ord _take(\$bytes, 1));
	die "a record of version $record{version}\n" if $record{version} != $version;
	my @write = (_take_number(\$bytes, 5), _take_number(\$bytes, 5));
	my $others = ord _take(\$bytes, 1);
	$record{writes} = [ $write[0] ? \@write : (), map { [ _take_number(\$bytes, 5), _take_number(\$bytes, 5) ] } 1 .. $others ];
	$record{at_ms} = _take_number(\$bytes, 6);
	my @sums = _take_set(\$bytes, 3, 2 * @windows, sub { _take_whole(\$bytes) });
	$record{sums}{$_} = [ splice @sums, 0, 2 ] for @windows;
	@{ $record{counters} }{@counters} = _take_set(\$bytes, 3, scalar @counters, sub { _take_counter(\$bytes) });
	$record{level} = $levels[ ord _take(\$bytes, 1) ] // die "a record of no level\n";
	$record{$_} = _take_whole(\$bytes) for qw(since first pardon);
	$record{score} = unpack('s<', _take(\$bytes, 2)) / 100;
	$record{$_} = _take_string(\$bytes) for 'spf', @parts;
	$record{week} = join '', map { chr } _take_set(\$bytes, 4, $week_bytes, sub { _take_number(\$bytes, 1) });
	die length($bytes) . " bytes behind a record\n" if $bytes ne '';
	return \%record;
}

# What was counted in the present period of a window and in the one before: a test may pass the end of one.
sub counted {
	my ($record, $window) = @_;
	return 0 if !$record;
	my $sum = $record->{sums}{$window} // die "$window: no such window\n";
	return $sum->[0] + $sum->[1];
}

# The number of the last write of a daemon; 0: none is kept.
sub last_write {
	my ($record, $of) = @_;
	return (map { $_->[0] == $of ? $_->[1] : () } @{ $record->{writes} })[0] // 0;
}

# An account that sent so many messages in the last thirty days and behaved.
sub good_record {
	my ($messages, %more) = @_;
	my $now = time;
	return pack_record(level => 'good', since => $now - 20 * 86400, first => $now - 30 * 86400, score => -3,
		counters => { messages => $messages, rcpts => $messages }, %more);
}

# ---- groups

# What a group's sums of one span ("minute", "hour", "day") are, the present period and the one before: { messages, rcpts,
# kbytes, new_rcpts }. `ask` sends a command and gives back the fields and values of a hash as a list.
sub group_counted {
	my ($ask, $prefix, $group, $span) = @_;
	my $period = int(time / { minute => 60, hour => 3600, day => 86400 }->{$span});
	my %sum = map { $_ => 0 } qw(messages rcpts kbytes new_rcpts);
	for my $number ($period - 1, $period, $period + 1) {
		my %hash = $ask->('HGETALL', "$prefix:{$group}:$span:$number");
		$sum{$_} += $hash{$_} for keys %hash;
	}
	return \%sum;
}

1;
