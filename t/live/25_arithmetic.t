#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What the store leaves in a real Redis is what policy/ says: store_arithmetic.c prints the TAP.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use Penstock::Process qw(free_port);
use Penstock::Servers;

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $program = "$build/t/live/store_arithmetic";
die "$program is not built: make t/live/store_arithmetic\n" if !-x $program;
my $folder = File::Temp::tempdir('penstock-arithmetic-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $redis = Penstock::Redis->start(folder => $folder, port => free_port('tcp'));
my $status = system $program, "unix:$folder/redis.sock";
exit($status == 0 ? 0 : 1);
