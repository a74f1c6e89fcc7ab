#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# policy/ is pure: what it is linked against is memory, strings and mathematics; it keeps nothing between two calls.
# policy/base may use the C standard library besides. The objects are asked, not the sources.
use strict;
use warnings;
use File::Basename;
use File::Temp;
use Test::More;

my $top = $ENV{srcdir} // '.';
my @cc = split ' ', $ENV{CC} // 'cc';
my $nm = $ENV{NM} // 'nm';
# Not position-independent: tables of constant strings are then seen as what they are, read-only.
my @flags = qw(-O1 -std=c11 -D_GNU_SOURCE -fno-stack-protector -U_FORTIFY_SOURCE -fno-pic -fno-pie);
my $work = File::Temp->newdir();

my $pure = qr{^(?:
	bcmp | mem(?:cpy|move|set|cmp|chr|rchr|mem|pcpy)
	| str(?:len|nlen|cmp|ncmp|chr|rchr|chrnul|spn|cspn|pbrk|str)
	| (?:log|log1p|log2|log10|exp|exp2|expm1|pow|sqrt|ceil|floor|round|trunc|rint|lround|llround
	    |fmin|fmax|fabs|fmod|ldexp|frexp|scalbn|hypot|cbrt)
)$}x;
my $standard = qr{^(?:
	mem\w+ | str\w+ | (?:c|m|re)alloc | aligned_alloc | free | abort
	| v?snprintf | v?fprintf | fputs | fputc | putc | fwrite | fflush | stderr
)$}x;
# These begin with str, but allocate, remember or ask the locale.
my $impure = qr{^str(?:n?dup|tok(?:_r)?|error(?:_r)?|coll|xfrm|ftime|signal|fry|casecmp|ncasecmp)$};

sub symbols {
	my ($object, @options) = @_;
	open my $out, '-|', $nm, @options, $object or die "cannot run $nm: $!\n";
	my @rows;
	while (<$out>) {
		push @rows, [ $1, $2 ] if /(?:^|\s)([A-Za-z])\s+(\S+)\s*$/;
	}
	close $out or die "$nm $object failed\n";
	return @rows;
}

my (%objects, %defined, @broken);
for my $folder ('policy/base', 'policy', 'policy/replay') {
	for my $source (sort glob "$top/$folder/*.c") {
		my $object = "$work/" . $folder =~ tr{/}{-}r . '-' . basename($source, '.c') . '.o';
		if (system(@cc, @flags, "-I$top", '-c', $source, '-o', $object) != 0) {
			push @broken, $source;
			next;
		}
		push @{ $objects{$folder} }, [ $source, $object ];
		$defined{ $_->[1] } = $folder for symbols($object, '-g', '--defined-only');
	}
}
ok(!@broken, 'all of policy compiles by itself') or diag("@broken");

for my $folder ('policy/base', 'policy', 'policy/replay') {
	ok(@{ $objects{$folder} // [] } > 0, "there is something in $folder");
	for my $pair (@{ $objects{$folder} // [] }) {
		my ($source, $object) = @$pair;
		my $name = "$folder/" . basename($source);
		my @alien = grep { !allowed($folder, $_) } map { $_->[1] } symbols($object, '-u');
		ok(!@alien, "$name calls nothing impure") or diag("it calls @alien");
		my @kept = map { $_->[1] } grep { $_->[0] =~ /^[BbCDdGgSs]$/ } symbols($object);
		ok(!@kept, "$name keeps nothing between two calls") or diag("it has the variables @kept");
	}
}

sub allowed {
	my ($folder, $symbol) = @_;
	return 1 if $symbol eq '_GLOBAL_OFFSET_TABLE_';
	my $there = $defined{$symbol};
	return $there eq 'policy/base' || $there eq $folder || $folder eq 'policy/replay' if defined $there;
	return 0 if $symbol =~ $impure;
	return $folder eq 'policy/base' ? $symbol =~ $standard : $symbol =~ $pure;
}

done_testing();
