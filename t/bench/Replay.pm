# SPDX-License-Identifier: BSD-2-Clause
#
# Replay: penstockctl replay over generated facts (factgen.pl): messages for each second of CPU, reading included, and memory.
package Replay;

use strict;
use warnings;

use File::Basename ();
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

my $target = 200_000;
our @head = ('replay', 'messages', 'messages a second of CPU', 'megabytes a second', 'resident, MB', 'bytes an account', 'target', 'result');

# Distinct and ramp limits, all signals: what a replay has to look at.
my $config = <<'END';
user = "";
catalogue: { file = ""; };
plans = (
  { name = "default"; msgs_per_hour = 200; rcpts_per_hour = 500; rcpts_per_day = 2000; kbytes_per_day = 2000000;
    new_rcpts_per_day = 300; networks_per_day = 50; ases_per_day = 20; ramp_first_day = 100; }
);
pools = (
  { name = "clean"; levels = ["good"]; transports = ( { name = "clean-1"; address = "127.0.0.11"; } ); },
  { name = "warm"; levels = ["new"]; transports = ( { name = "warm-1"; address = "127.0.0.21"; } ); },
  { name = "suspect"; levels = ["suspect"]; transports = ( { name = "suspect-1"; address = "127.0.0.31"; } ); }
);
END

# The result of a run: rows of @head. `%with`: stand, program (penstockctl), rounds, quick, say.
sub run
{
	my (%with) = @_;
	my $self = bless { %with, rows => [] }, __PACKAGE__;
	$self->{config} = $self->{stand}->path('replay.conf');
	open my $file, '>', $self->{config} or die "$self->{config}: $!\n";
	print $file $config;
	close $file or die "$self->{config}: $!\n";
	my $part = $self->{quick} ? 20 : 1;
	$self->one(1_000_000 / $part, 1_000 / $part);
	$self->one(2_000_000 / $part, 100_000 / $part);
	$self->one(2_000_000 / $part, 1_000_000 / $part);
	return @{ $self->{rows} };
}

sub one
{
	my ($self, $messages, $accounts) = @_;
	my $facts = $self->{stand}->path('facts');
	my $generator = File::Basename::dirname(__FILE__) . '/factgen.pl';
	open my $out, '>', $facts or die "$facts: $!\n";
	open my $lines, '-|', $^X, $generator, $messages, $accounts or die "$generator: $!\n";
	local $/ = \(1 << 20);
	while (my $bytes = <$lines>) {
		print $out $bytes;
	}
	close $lines or die "factgen.pl ended with $?\n";
	close $out or die "$facts: $!\n";
	my $size = -s $facts;
	my (@cpu, $peak, $json);
	for my $round (1 .. $self->{rounds}) {
		(my $cpu, $peak, $json) = $self->replay($facts);
		push @cpu, $cpu;
	}
	unlink $facts;
	die "replay read $json->{messages} of $messages messages\n" if $json->{messages} != $messages;
	my $cpu = (sort { $a <=> $b } @cpu)[int(@cpu / 2)];
	push @{ $self->{rows} }, [ "$json->{accounts} accounts", $messages, sprintf('%.0f', $messages / $cpu),
				   sprintf('%.0f', $size / $cpu / 1e6), sprintf('%.0f', $peak), $json->{bytes_an_account},
				   "at least $target", $messages / $cpu >= $target ? 'reached' : 'missed' ];
	$self->{say}->(sprintf 'replay: %d accounts: %.0f messages a second of CPU, %.0f MB', $json->{accounts},
		       $messages / $cpu, $peak);
}

# CPU seconds, the most memory that was resident in MB, and what the program printed.
sub replay
{
	my ($self, $facts) = @_;
	my (undef, undef, @before) = times;
	my $stand = $self->{stand};
	my $pid = $stand->start('replay', $self->{program}, '-c', $self->{config}, '--json', 'replay', '--limit', 0, $facts);
	my $peak = 0;
	while ($stand->alive('replay')) {
		Time::HiRes::sleep(0.02);
		open my $status, '<', "/proc/$pid/status" or next;
		local $/;
		$peak = $1 / 1024 if <$status> =~ /^VmHWM:\s+(\d+) kB/m;
	}
	my (undef, undef, @after) = times;
	open my $log, '<', $stand->path('replay.log') or die "replay said nothing\n";
	local $/;
	my $json = eval { JSON::PP::decode_json(<$log>) } or die "replay failed:\n" . $stand->tail('replay');
	return ($after[0] + $after[1] - $before[0] - $before[1], $peak, $json);
}

1;
