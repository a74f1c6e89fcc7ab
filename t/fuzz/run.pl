#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# Runs fuzz targets, as many at a time as there are processors. Each has a log, TARGET.log, and a corpus that grows from
# run to run, TARGET.corpus; it begins with the seeds of its name. What makes a target fail is kept among the artefacts.
# usage: run.pl [--seconds=N] [--jobs=N] [--seeds=DIR] [--artefacts=DIR] TARGET... [-- FLAG-OF-LIBFUZZER...]
use strict;
use warnings;
use File::Basename qw(basename);
use File::Path qw(make_path);
use Getopt::Long qw(GetOptionsFromArray);

my ($seconds, $jobs, $seeds, $artefacts) = (60, 0, '', 't/fuzz/artefacts');
my @targets = @ARGV;
my @flags;
for my $i (0 .. $#targets) {
	next if $targets[$i] ne '--';
	@flags = splice @targets, $i;
	shift @flags;
	last;
}
GetOptionsFromArray(\@targets, 'seconds=i' => \$seconds, 'jobs=i' => \$jobs, 'seeds=s' => \$seeds,
	'artefacts=s' => \$artefacts) && @targets or die "usage: run.pl [OPTION...] TARGET... [-- FLAG...]\n";
if ($jobs == 0) {
	chomp($jobs = `nproc 2>/dev/null` || 2);
}
$| = 1;
make_path($artefacts);

my (%running, @failed);
$SIG{INT} = $SIG{TERM} = sub {
	kill 'TERM', keys %running;
	exit 1;
};

sub begin {
	my $target = shift;
	my $name = basename($target) =~ s/^fuzz_//r;
	make_path("$target.corpus");
	my @corpora = ("$target.corpus", -d "$seeds/$name" ? "$seeds/$name" : ());
	my $pid = fork // die "cannot fork: $!\n";
	return $running{$pid} = $target if $pid != 0;
	open STDOUT, '>', "$target.log" or die "$target.log: $!\n";
	open STDERR, '>&', \*STDOUT or die "standard error: $!\n";
	exec "./$target", "-max_total_time=$seconds", '-timeout=30', '-print_final_stats=1',
		"-artifact_prefix=$artefacts/" . basename($target) . '-', @flags, @corpora;
	die "cannot run ./$target: $!\n";
}

# A line a target; of one that failed also the end of its log, which names the artefact and holds it in base64.
sub end {
	my $target = delete $running{+shift};
	my $status = shift;
	open my $from, '<', "$target.log" or die "$target.log: $!\n";
	my @log = <$from>;
	my ($runs) = map { /number_of_executed_units: (\d+)/ } @log;
	if ($status == 0) {
		printf "%s: %s runs\n", basename($target), $runs // 'no';
		return;
	}
	my ($artefact) = map { /Test unit written to (\S+)/ } @log;
	push @failed, basename($target) . ' (' . ($artefact // 'no artefact') . ')';
	@log = grep { !/^#\d+\s/ } @log;	# of each step
	print "$failed[-1] FAILED\n", map { "    $_" } splice @log, @log > 60 ? -60 : 0;
}

print scalar @targets, " targets, $seconds s each, $jobs at a time\n";
while (@targets || %running) {
	begin(shift @targets) while @targets && keys %running < $jobs;
	my $pid = wait;
	end($pid, $?) if exists $running{$pid};
}
die 'failed: ' . join(', ', @failed) . "\n" if @failed;
