#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The built programs are hardened: the files are asked, not the flags, so that what a linker drops shows. `make check`
# says which programs are installed, where they are built, and with which flags.
use strict;
use warnings;
use File::Temp;
use Test::More;

my $build = $ENV{PENSTOCK_BUILD} // '.';
my @programs = split ' ', $ENV{PROGRAMS} // 'penstock penstockctl';
my @cc = split ' ', $ENV{CC} // 'cc';
my $cflags = join ' ', $ENV{CPPFLAGS} // '', $ENV{CFLAGS} // '';	# what the builder asked for
my $work = File::Temp->newdir();

sub output_of {
	my (@command) = @_;
	open my $out, '-|', @command or die "cannot run $command[0]: $!\n";
	local $/;
	my $text = <$out>;
	close $out or die "@command failed\n";
	return $text // '';
}

my @missing = grep { !-x "$build/$_" } @programs;
plan skip_all => "$build has no @missing: it is not a build folder" if @missing;
my ($sanitizer) = output_of('nm', "$build/$programs[0]") =~ /\b(__(?:asan_init|tsan_init|ubsan_handle|sanitizer_cov)\w*)/;
plan skip_all => "built with a sanitizer ($sanitizer), which has its own checks in place of these" if $sanitizer;
my ($optimised) = $cflags =~ /.*-O(\S*)/ ? $1 : '0';
my $x86 = output_of('readelf', '-hW', "$build/$programs[0]") =~ /Machine:.*X86-64/;

# what is asked -> readelf's option, what its answer has to have, what it must not have
my @asked = (
	['all symbols are bound at start', '-dW', qr/\(FLAGS_1\).*\bNOW\b/, undef],
	['what the linker relocates is read-only after it', '-lW', qr/^\s+GNU_RELRO\b/m, undef],
	['it is position-independent', '-hW', qr/Type:\s+DYN\b/, undef],
	['and says that it is a program', '-dW', qr/\(FLAGS_1\).*\bPIE\b/, undef],
	['its code has no relocations, and no folder of its own for libraries', '-dW', undef, qr/\((?:TEXTREL|RPATH|RUNPATH)\)/],
	['its stack is not executable', '-lW', qr/^\s+GNU_STACK\s.*\bRW\s/m, qr/^\s+GNU_STACK\s.*\bRWE\b/m],
	['no segment is writable and executable', '-lW', undef, qr/^\s+LOAD\s.*\bRWE\b/m],
	['the stack is guarded', '-sW', qr/\b__stack_chk_fail\b/, undef],
);
for my $program (@programs) {
	for my $row (@asked) {
		my ($what, $option, $has, $has_not) = @$row;
		my $said = output_of('readelf', $option, "$build/$program");
		ok((!$has || $said =~ $has) && (!$has_not || $said !~ $has_not), "$program: $what");
	}
}

SKIP: {
	my $level = level_of(3) ? 3 : level_of(2) ? 2 : 0;
	skip "built without optimisation ($cflags)", 1 if $optimised eq '0';
	skip 'this compiler and C library check no copies', 1 if $level == 0;
	ok(output_of('readelf', '-sW', "$build/$_") =~ /\b__(?:v?snprintf|v?fprintf|memcpy)_chk\b/,
		"$_: copying and printing are checked") for @programs;
	# the program shows that, not how much: the level is asked of the flags
	skip "by the builder's own level ($cflags)", 1 if $cflags =~ /_FORTIFY_SOURCE/;
	like($ENV{HARDEN_CPPFLAGS} // '', qr/-D_FORTIFY_SOURCE=$level\b/, "by level $level, which this compiler has");
}

# Can the compiler and the C library do that much?
sub level_of {
	my ($level) = @_;
	open my $file, '>', "$work/level.c" or die "$work/level.c: $!\n";
	print {$file} "#include <stdio.h>\n#if __USE_FORTIFY_LEVEL < $level\n#error too low\n#endif\n";
	close $file or die "$work/level.c: $!\n";
	return system("@cc -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level -c $work/level.c -o $work/level.o 2>/dev/null") == 0;
}

SKIP: {
	skip 'not x86-64: no jump tables to guard, no probes to look for', 1 if !$x86;
	# The C library's own start files may lack the property, and one object without takes it from the program: ours are
	# asked one by one.
	for my $object (sort(glob("$build/*.a"), glob("$build/milter/*.o"), glob("$build/milter/*/*.o"), glob("$build/milter/*/*/*.o"))) {
		my $said = output_of('readelf', '-hnW', $object);
		my $members = () = $said =~ /^ELF Header:/mg;
		my $guarded = () = $said =~ /x86 feature: IBT, SHSTK/g;
		is($guarded, $members, $object =~ s{^\Q$build\E/}{}r . ': jumps and returns are guarded');
	}
	# A probe touches each page of a large frame, so that none steps over the page that guards the stack.
	for my $program (@programs) {
		my @steps = grep { hex > 0x1000 } output_of('objdump', '-d', "$build/$program") =~ /\bsub\s+\$0x([0-9a-f]{1,7}),%rsp/g;
		is_deeply(\@steps, [], "$program: no function takes more than a page of the stack at once");
	}
}
done_testing();
