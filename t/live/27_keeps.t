#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What the store keeps in a real Redis: store_keeps.c prints the TAP.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use Penstock::Process qw(free_port);
use Penstock::Servers;

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $program = "$build/t/live/store_keeps";
die "$program is not built: make t/live/store_keeps\n" if !-x $program;
my $folder = File::Temp::tempdir('penstock-keeps-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $redis = Penstock::Redis->start(folder => $folder, port => free_port('tcp'));
my $status = system $program, "unix:$folder/redis.sock", $redis->{pid};
exit($status == 0 ? 0 : 1);
