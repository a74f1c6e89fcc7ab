#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Who calls whom, by the symbols of what was built: calls and variables that come by a header of somebody else's are seen
# too. Folders keep to Rooms.pm; of the files, those alone call each other in a circle that are named here.
use strict;
use warnings;
use File::Find;
use FindBin;
use Test::More;

use lib $FindBin::Bin;
use Rooms qw(%may circle beyond);

my $top = $ENV{srcdir} // '.';
my $build = $ENV{PENSTOCK_BUILD} or plan skip_all => 'PENSTOCK_BUILD does not name a build folder';
my $nm = $ENV{NM} // 'nm';

# One noun each, in several files.
my @circles = ([qw(redis-schema/wire/wire redis-schema/wire/wire_answer redis-schema/wire/wire_flight)]);

my (%defines, %wants);
find({ no_chdir => 1, wanted => sub {
	return if !/\.o$/;
	(my $file = $_) =~ s{^\Q$build\E/|\.o$}{}g;
	return if !-e "$top/$file.c";	# of an older tree
	open my $out, '-|', $nm, '-g', $_ or die "cannot run $nm: $!\n";
	while (<$out>) {
		push @{ $wants{$file} }, $1 if /\sU\s+(\S+)$/;
		push @{ $defines{$1} }, $file if /\s[TDBRCVW]\s+(\S+)$/;
	}
	close $out or die "$nm $_ failed\n";
} }, grep { -d } map { "$build/$_" } qw(policy redis-schema milter));
delete $defines{main};

ok(%wants > 100, 'there is something to look at');

sub folder_of { $_[0] =~ m{^(.*)/} ? $1 : '' }

my (%uses, @beyond);
for my $file (sort keys %wants) {
	my %seen;
	for my $symbol (@{ $wants{$file} }) {
		my @there = @{ $defines{$symbol} // next };
		# What the linker takes in the place of a library's own: the one below is meant.
		my ($there) = ((grep { !beyond(folder_of($file), folder_of($_)) } @there), @there);
		$seen{$there} = 1;
		push @beyond, "$file uses $symbol of $there" if beyond(folder_of($file), folder_of($there));
	}
	$uses{$file} = [ keys %seen ];
}
ok(!@beyond, 'no folder calls what it may not include') or diag(join "\n", @beyond);

# A circle that may be becomes one file.
my %joined;
for my $circle (@circles) {
	$joined{$_} = $circle->[0] for @$circle;
}
my %of;
for my $file (keys %uses) {
	my $name = $joined{$file} // $file;
	$of{$name}{ $joined{$_} // $_ } = 1 for @{ $uses{$file} };
	delete $of{$name}{$name};
	$of{$name} //= {};
}
is(join(' ', circle(map { $_ => [ keys %{ $of{$_} } ] } keys %of)), '', 'no files call each other in a circle but those named here');

done_testing();
