# SPDX-License-Identifier: BSD-2-Clause
#
# Strangers: clients that are not on this host, for a Postfix on loopback. In a network namespace of its own the addresses
# 198.51.100.0/24 are local, so that a client can have one as its source; and what a log would tell of them is told to the
# daemon as penstock-follow does, by the stream.

package Penstock::Strangers;

use strict;
use warnings;

use Exporter 'import';
use Penstock::Process qw(need_program run);

our @EXPORT_OK = qw(enter look_up tell);

# This program once more in such a namespace; false where none is to be had.
sub enter {
	return 1 if $ENV{PENSTOCK_STRANGERS};
	return 0 if system('unshare --net true 2>/dev/null') != 0;
	$ENV{PENSTOCK_STRANGERS} = 1;
	my $script = 'ip link set lo up && ip route add local 198.51.100.0/24 dev lo && exec "$@"';
	exec 'unshare', '--net', 'sh', '-c', $script, 'sh', $^X, $0 or die "unshare: $!\n";
}

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
