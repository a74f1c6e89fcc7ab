#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The study of throttling: `penstockctl throttle report` on a history whose figures are known before it is written
# (t/bench/history_make.c), a thousandth of a published one; `make check-study` has it at its full size, in 2 GB. Then a
# real daemon writes one, and histories that lack something. What must come out was worked out by hand from the table of
# cohorts and stands here as numbers: nothing is read back from what the generator says.

use strict;
use warnings;

use File::Temp ();
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(run slurp wait_for write_file);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use constant { DAY => 86_400, GB => 1 << 30 };

my $full = ($ENV{STUDY_SIZE} // 'small') eq 'full';
my $build = $ENV{PENSTOCK_BUILD} // '.';
my $folder = File::Temp->newdir('/tmp/penstock-study-XXXXXX');
my $ctl = "$build/penstockctl";
my $today = int(time / DAY);

# name => [full, small]; the first nine are the published ones
my %expected = (
	clients => [28_204_693, 28_204],
	always_refused => [24_812_576, 24_812],
	gave_up => [1_947_976, 1_947],
	'listed_later.clients' => [559_562, 559],
	'listed_later.mean_s' => [351_682, 351_682],
	gave_up_never_listed => [951_637, 951],
	'listed_before.clients' => [436_777, 437],	# 1,947,976 - 559,562 - 951,637
	days => [66, 66],
	missing_days => [0, 0],

	'listed_later.least_s' => [30, 30],
	'listed_later.most_s' => [3_815_663, 4_016_038],
	'listed_before.least_s' => [0, 0],
	'listed_before.most_s' => [864_000, 864_000],
	'listed_before.mean_s' => [80_640_000_000 / 436_777, 80_640_000 / 437],
	'refusals.clients' => [25_962_056, 25_962],
	'refusals.times' => [82_061_480, 80_910],
	'refusals.most' => [2000, 200],
	gave_up_taken => [1637, 1],
	slowed_only => [1_191_000, 1191],
	refused_and_slowed => [100_000, 100],
	refused_and_taken => [53_141, 54],
	taken_only => [100_000, 100],
	'slowed_never_refused.clients' => [2_142_637, 2142],
	slowed_fewer_than_10_times => [2_081_637, 2081],
	slowed_no_more_than_4_times => [1_951_637, 1951],
	'slowed_never_refused.most' => [300, 300],
	damaged_rows => [0, 0],
	other_rows => [0, 0],
);
my %histograms = (
	'listed_later' => [[40_000, 50_000, 60_000, 80_000, 90_000, 60_000, 50_000, 50_000, 40_000, 25_000, 14_562],
		[40, 50, 60, 80, 90, 60, 50, 50, 40, 25, 14]],
	'listed_before' => [[6777, 0, 0, 200_000, 150_000, 0, 0, 0, 80_000, 0, 0], [7, 0, 0, 200, 150, 0, 0, 0, 80, 0, 0]],
	'refusals' => [[12_499_480, 6_100_000, 4_470_000, 2_080_000, 700_000, 100_000, 12_000, 576],
		[12_500, 6100, 4470, 2080, 700, 100, 12, 0]],
	'slowed_never_refused' => [[1_300_000, 401_637, 250_000, 130_000, 40_000, 20_000, 1000, 0], [1300, 401, 250, 130, 40, 20, 1, 0]],
);

sub expected { my ($both) = @_; return $both->[$full ? 0 : 1] }
sub with_commas { my ($number) = @_; 1 while $number =~ s/^(\d+)(\d{3})/$1,$2/; return $number }

sub member {
	my ($json, $path) = @_;
	$json = $json->{$_} for split /\./, $path;
	return $json;
}

# `penstockctl ...` in 2 GB of address space, and how much of it was resident at most. A sanitizer wants more than that.
sub measured {
	my (@words) = @_;
	my $out = "$folder/out";
	my $began = time;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDOUT, '>', $out or POSIX::_exit(9);
		open STDERR, '>', "$out.error" or POSIX::_exit(9);
		exec($full ? ('prlimit', '--as=' . 2 * GB) : (), $ctl, @words) or POSIX::_exit(9);
	}
	my $resident = 0;
	while (waitpid($pid, POSIX::WNOHANG) == 0) {
		$resident = $1 if slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m && $1 > $resident;
		sleep 0.02;
	}
	my $status = $? >> 8;
	return { status => $status, out => slurp($out), error => slurp("$out.error"), seconds => time - $began, resident => $resident };
}

mkdir "$folder/history" or die "$folder: $!\n";
part 'a history whose figures are known' => sub {
	my $began = time;
	my ($status, $out, $error) = run({}, "$build/t/bench/history_make", "$folder/history", $full ? 'full' : 'small', $today - 66);
	is $status, 0, "it is made: $out$error";
	diag sprintf '%s: %.1f s, %.2f GB', $out =~ s/\n//r, time - $began, (map { my $sum = 0; $sum += -s for glob "$folder/history/*"; $sum / GB } 1);

	my $report = measured('--json', 'throttle', 'report', '--state', "$folder/history");
	is $report->{status}, 0, "it is studied: $report->{error}";
	is $report->{error}, '', '... without complaint';
	my $json = JSON::PP::decode_json($report->{out});
	diag sprintf 'studied in %.1f s with %d MB, in %d passes', $report->{seconds}, $report->{resident} / 1024, $json->{passes};
	for my $name (sort keys %expected) {
		my ($got, $want) = (member($json, $name), expected($expected{$name}));
		cmp_ok abs($got - $want), '<', 1e-6, "$name is $want" or diag "got $got";
	}
	is_deeply [ map { $_->{clients} } @{ $json->{$_}{histogram} } ], expected($histograms{$_}), "histogram of $_" for sort keys %histograms;
};

my $text;
part 'the report for people' => sub {
	my $report = measured('throttle', 'report', '--state', "$folder/history");
	$text = $report->{out};
	is $report->{status}, 0, 'it is printed';
	is scalar(grep { length > 80 } split /\n/, $text), 0, 'no line is longer than 80 columns';
	like $text, qr/\Q$_\E/, "$_ is printed" for map { with_commas(expected($expected{$_})) } qw(clients always_refused gave_up listed_later.clients
		listed_later.mean_s gave_up_never_listed listed_before.clients refusals.times slowed_fewer_than_10_times slowed_no_more_than_4_times);
	like $text, qr/, 66 days \(UTC\)$/m, 'the days';
	like $text, qr/^  on average 4\.1 days \(351,682 s\), at least 30 seconds, at most 4\d\.\d days$/m, 'the mean and the range';
	like $text, qr/^  6 to 24 hours {5}#{36} /m, 'the longest bar';
	diag $text if $full;
};
if ($full) {
	done_testing();
	exit;
}

sub report { my (@words) = @_; return run({}, $ctl, 'throttle', 'report', @words) }

part 'some of its days' => sub {
	my ($status, $out) = report('--state', "$folder/history", '--days', 10, '--json');
	my $json = JSON::PP::decode_json($out);
	is $json->{days}, 9, 'ten days with today, on which nothing was written';
	cmp_ok $json->{clients}, '<', 28_204, 'fewer clients';
	($status, my $none, my $error) = report('--state', "$folder/history", '--days', 1);
	is $status, 2, 'today alone';
	like $error, qr/has no history that can be read of the days that --days asks for/, "... $error";
	like +(report('--days', $_))[2], qr/--days "\Q$_\E": expected a whole number from 1 to 3660/, "--days $_" for 0, 3661, 'x';
};

part 'files that are damaged' => sub {
	my @files = sort glob "$folder/history/history-*";
	my $rows = (-s $files[3]) / 16 - 1;
	open my $cut, '>>', $files[1] or die; print $cut "\0" x 7; close $cut;
	open my $zeros, '>>', $files[2] or die; print $zeros "\0" x 48; close $zeros;
	open my $foreign, '+<', $files[3] or die; print $foreign 'XXXX'; close $foreign;
	unlink $files[4];
	mkdir "$folder/history/history-nonsense";
	my ($status, $out, $error) = report('--state', "$folder/history", '--json');
	my $json = JSON::PP::decode_json($out);
	is $status, 0, 'the report is made of what can be read';
	is "$json->{cut_files} $json->{damaged_rows} $json->{foreign_files} $json->{missing_days}", '1 3 1 2', '... and what cannot is told';
	like $error, qr/^penstockctl: throttle report: \Q$_\E/m, $_ for '1 file ends within a row', '3 rows are damaged', '1 file does not begin as a file of the history',
		'2 days have no file';
	truncate $files[0], 3;
	like +(report('--state', "$folder/history"))[2], qr/2 files end within a row/, 'a head that is cut';
	chmod 0, $files[5];
	($status, undef, $error) = run({}, 'setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', $ctl, 'throttle', 'report', '--state',
		"$folder/history");
	is $status, 2, 'who may not read it';
	like $error, qr/Permission denied/, '... is told';
};

my $world = Penstock::Live->new(daemon => 1);
my $daemon = $world->{daemon};
my $state = "$world->{folder}/clients";
mkdir $state;
chown((getpwnam 'nobody')[2, 3], $state);

sub configured {
	my (%clients) = @_;
	$daemon->{config}{clients} = { state => $state, %clients };
	$daemon->write_config;
	return $daemon->ctl('throttle', 'report');
}

part 'no history' => sub {
	my ($status, undef, $error) = configured();
	is $status, 2, 'nobody asked for one';
	like $error, qr/clients\.history_days is 0\. Set it to 90, say, restart Penstock/, "... $error";
	like +(configured(history_days => 30))[2], qr/has no history yet\. The daemon writes it as soon as .*does penstock-follow run/s, 'somebody did';
	like +(configured(state => ''))[2], qr/clients\.state is empty, so no history is kept/, 'no folder';
	like +(configured(state => "$state/none"))[2], qr{\Q$state\E/none: No such file}, 'a folder that is not there';
	like +(report('--state', $state))[2], qr/has no history; expected files such as history-/, 'a folder without one';
	like +(report('--state', ''))[2], qr/--state "": expected a folder/, 'an empty name';
};

part 'a real daemon writes one' => sub {
	configured(history_days => 30);
	$daemon->stop;
	$daemon->start;
	my ($now, $ordinal) = (int time, 0);
	my @notes = (['198.51.100.1', 'listed'], ['198.51.100.1', 'listed'], ['198.51.100.2', 'slowed'], ['198.51.100.2', 'no_quit', 'connect'],
		['198.51.100.3', 'slowed'], ['198.51.100.3', 'quit'], ['198.51.100.3', 'mail'], ['2001:db8:7::1', 'listed'], ['2001:db8:7::2', 'listed']);
	my $rows = join '', map { join(' ', $now, $_->[0], $_->[1], $_->[2] // '-', 'smtp', '-') . "\n" } @notes;
	$world->{redis}->do('XADD', 'penstock:clients', 'MAXLEN', '~', 2000, '*', 'n', 'other:1:' . ++$ordinal, 'r', $rows);
	my $json = wait_for(30, 'the history', sub {
		my ($status, $out) = $daemon->ctl('--json', 'throttle', 'report');
		my $got = $status == 0 && JSON::PP::decode_json($out);
		$got && $got->{rows} >= 8 && $got;
	});
	is "@{$json}{qw(clients always_refused gave_up gave_up_never_listed slowed_only)}", '4 2 1 1 1', 'who did what' or diag explain $json;
	is $json->{refusals}{times}, 4, 'refusals; an IPv6 client is its /64';
	my ($file) = glob "$state/history-*";
	is sprintf('%o', (stat $file)[2] & 07777), '640', 'its account and its group may read it';
	my ($status, $out) = $daemon->ctl('throttle', 'report');
	like $out, qr/The history is of 1 day\. Lists often take days/, 'one day is said to be little';
	like $out, qr/So few clients gave up/, '... and so is one client';
	$daemon->stop;
	$daemon->start;
	is $daemon->ctl_json('throttle', 'report')->{rows}, $json->{rows}, 'it outlives a restart';
	like +(configured())[2], qr/clients\.history_days is 0 now: this history is not continued/, 'who ends it is told';
};

done_testing();
