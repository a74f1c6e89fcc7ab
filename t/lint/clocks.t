#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Who waits does so by the monotonic clock: a wall clock that is set right, or wrong, makes no wait longer or shorter. The
# wall clock is for what people and other hosts read, and is asked in one place.
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';

# what waits by the wall clock, or by one that follows it => where it may stand
my @rows = (
	[ qr{\bCLOCK_REALTIME\b},                          qr{^milter/base/(?:clock|log_sink)\.c$} ],
	[ qr{\b(?:pthread_cond|sem|mtx|cnd)_timedwait\b|\w_timed(?:lock|rdlock|wrlock|receive|send|join_np)\b}, qr{^$} ],
	[ qr{\btimespec_get\b|\bclock_gettime\(\d},         qr{^$} ],
	[ qr{\b(?:until|deadline|due)\w*\s*=\s*clock_now_ms\(\)|\bclock_now_ms\(\)\s*[<>]}, qr{^$} ],
	[ qr{\b(?:event_base_gettimeofday_cached|evutil_gettimeofday|gettimeofday)\b}, qr{^redis-schema/store/store\.c$} ],	# numbers above those of an earlier start
	[ qr{\btime\(\s*(?:NULL|0|&\w+)\s*\)},                     qr{^milter/(?:start/|ctl/|base/log\.c)} ],
	[ qr{\bpthread_cond_clockwait\b|\bsem_clockwait\b}, qr{^milter/base/wait\.c$} ],
);

my @found;
find({ no_chdir => 1, wanted => sub {
	return if !/\.[ch]$/;
	(my $file = $_) =~ s{^\Q$top\E/}{};
	open my $in, '<', $_ or die "cannot read $_: $!\n";
	while (my $line = <$in>) {
		for my $row (@rows) {
			push @found, "$file:$.: $&" if $line =~ $row->[0] && $file !~ $row->[1];
		}
	}
	close $in;
} }, map { "$top/$_" } qw(policy redis-schema milter));
ok(!@found, 'nobody waits by the wall clock') or diag(join "\n", @found);
done_testing();
