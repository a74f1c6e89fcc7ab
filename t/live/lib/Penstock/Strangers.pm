# SPDX-License-Identifier: BSD-2-Clause
#
# Strangers: what a log would tell of clients is told to the daemon as penstock-follow does, by the stream; and what Postfix
# gets of the maps that are asked for them.

package Penstock::Strangers;

use strict;
use warnings;

use Exporter 'import';
use Penstock::Process qw(need_program run);

our @EXPORT_OK = qw(look_up tell);

my $ordinal = 0;

# Notes of one batch: [address, event, stage, seconds ago].
sub tell {
	my ($world, @notes) = @_;
	my $rows = join '', map { sprintf "%d %s %s %s smtp -\n", time - ($_->[3] // 0), $_->[0], $_->[1], $_->[2] // '-' } @notes;
	$world->{redis}->ask('XADD', 'penstock:clients', 'MAXLEN', '~', 2000, '*', 'n', 'elsewhere:1:' . ++$ordinal, 'r', $rows);
}

# What Postfix gets of a map; '' where it finds nothing.
sub look_up {
	my ($world, $map, $key) = @_;
	my @command = (need_program('postmap', 'postfix'), '-c', $world->{postfix}{config}, '-q', $key,
		"socketmap:unix:$world->{folder}/run/socketmap.sock:$map");
	my ($status, $out, $error) = run({}, @command);
	die "@command: $out$error" if $status > 1 || $error ne '';
	$out =~ s/\n\z//;
	return $out;
}

1;
