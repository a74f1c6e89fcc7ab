#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What a file of the programs exports, another file of theirs uses: else it is static, or gone. The objects are asked.
use strict;
use warnings;
use Test::More;

my $build = $ENV{PENSTOCK_BUILD};
plan skip_all => 'PENSTOCK_BUILD is not set' if !defined $build;
my $nm = $ENV{NM} // 'nm';
my @libraries = grep { -e } map { "$build/lib$_.a" } qw(base policy schema daemon ctl);
my @objects = (@libraries, glob("$build/milter/*.o $build/milter/*/*.o $build/milter/*/*/*.o"));
plan skip_all => "$build has no objects" if @libraries != 5 || @objects < 50;

# what a test reaches only there, and why
my %for_tests = (
	checkpoint_parse => 'a checkpoint without a file: fuzzed',
	control_serve => 'a line of the control socket: fuzzed',
	courier_longer_ms => 'how long a courier waits, without waiting',
	courier_wait_ms => 'likewise',
	held_commands_wants => 'which messages held-release takes: fuzzed',
	held_write => 'a member of held.list as it is written: fuzzed with its reader',
	control_held_rows => 'rows of held.list: fuzzed',
	listed_command_nft => 'what nft gets, whatever a daemon says',
	listed_command_plain => 'likewise',
	zone_file_text => 'a TXT record, without a file',
	progress_draw => 'a line of a terminal, without one',
	rcpt_hash => 'a recipient as Redis keeps it',
	webhook_meaning => "what an answer's code means, without a server",
	# libc calls them
	main => '', syslog => '', __syslog_chk => '',
);

my (%exported, %used, $object);
for my $file (@objects) {
	open my $symbols, '-|', $nm, '-A', $file or die "cannot run $nm: $!\n";
	while (<$symbols>) {
		my ($where, $kind, $name) = /^(\S+):(?:[0-9a-f]*)\s+([A-Za-z])\s+(\S+)$/ or next;
		$where =~ s{.*[:/]}{};
		$exported{$name}{$where} = 1 if $kind =~ /[TDBRCVW]/;
		$used{$name}{$where} = 1 if $kind eq 'U';
	}
	close $symbols or die "$nm $file failed\n";
}

my @unused = grep { !$used{$_} && !exists $for_tests{$_} } sort keys %exported;
ok(!@unused, 'all that is exported is used') or diag(map { "$_ of @{[ keys %{ $exported{$_} } ]}\n" } @unused);
my @needless = grep { $for_tests{$_} && ($used{$_} || !$exported{$_}) } sort keys %for_tests;
ok(!@needless, 'what is exported for tests is used by nothing else') or diag("@needless");
done_testing();
