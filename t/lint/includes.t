#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The shape of the tree: who includes whom, where outside libraries are named, how long a file and a function are.
# Run from the top of the tree, or with $srcdir naming it.
use strict;
use warnings;
use File::Find;
use FindBin;
use Test::More;

use lib $FindBin::Bin;
use Rooms qw(%may circle beyond);

my $top = $ENV{srcdir} // '.';
my $file_lines_most = 800;
my $file_lines_asked = 500;
my $function_lines_most = 100;

# library => where its headers may be named, in how many files at most (0: any number)
my @libraries = (
	[ qr{^libmilter/},          qr{^milter/(?:mta/[^/]+|main\.c)$},                        3 ],
	[ qr{^hiredis/},            qr{^redis-schema/wire/},                                   1 ],
	[ qr{^ares(?:_\w+)?\.h$},   qr{^milter/dns/},                                          1 ],
	[ qr{^spf2/},               qr{^milter/spf/spf_run\.c$},                               1 ],
	[ qr{^libconfig\.h$},       qr{^milter/config/},                                       1 ],
	[ qr{^event2/http},         qr{^milter/web/},                                          0 ],
	[ qr{^event2/},             qr{^(?:milter/(?!ctl/|config/|message/|spf/)|redis-schema/(?:store|wire)/)}, 0 ],
	[ qr{^idn2\.h$},            qr{^milter/base/idn\.c$},                                  1 ],
	[ qr{^jansson\.h$},         qr{^milter/(?!config/|message/|mta/|pools/|blocklist/|dns/|spf/|lookup/|content/)}, 0 ],
	[ qr{^libpsl\.h$},          qr{^milter/follow/receiver_name\.c$},                      1 ],
	[ qr{^curl/},               qr{^milter/tell/},                                         1 ],
	[ qr{^openssl/},            qr{^milter/tell/},                                         1 ],
	[ qr{^systemd/},            qr{^milter/follow/source_journal\.c$},                    1 ],
);

my %c_standard = map { $_ => 1 } qw(assert.h ctype.h errno.h float.h inttypes.h limits.h math.h stdalign.h stdarg.h
	stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h);

my @files;
my %has_code;
my %has_readme;
my @folders = grep { -d "$top/$_" } qw(policy redis-schema milter etc t contrib);
my @source_roots = map { "$top/$_" } @folders;
find({ no_chdir => 1, wanted => sub {
	if (-d $_) {
		$File::Find::prune = 1 if m{/(?:\.[^/]+|autom4te\.cache|__pycache__)$};
		return;
	}
	(my $file = $_) =~ s{^\Q$top\E/}{};
	my ($folder, $name) = $file =~ m{^(.*)/([^/]+)$};
	$has_readme{$folder} = 1 if $name =~ /^README(?:\.md)?$/;
	return unless $name =~ /\.(?:[ch]|t|p[lm]|lua|sh|py)$/ && $name !~ /^(?:files|script)_text\.h$/;	# are made
	$has_code{$folder} = 1;
	push @files, $file;
} }, @source_roots);
@files = sort @files;

sub lines_of {
	my ($file) = @_;
	open my $in, '<', "$top/$file" or die "cannot read $file: $!\n";
	my @lines = <$in>;
	close $in;
	return \@lines;
}

my %lines = map { $_ => lines_of($_) } @files;
my @code = grep { /\.[ch]$/ } @files;
my @product = grep { !m{^(?:t|contrib)/} } @code;

# Fails once for each thing found, with its place; passes once where nothing is.
sub none {
	my ($name, @found) = @_;
	ok(!@found, $name) or diag(join "\n", @found);
}

sub includes_of {
	my ($file) = @_;
	my @found;
	my $number = 0;
	for my $line (@{ $lines{$file} }) {
		$number++;
		push @found, { mark => $1, path => $2, at => "$file:$number" } if $line =~ /^#\s*include ([<"])([^>"]+)[>"]/;
	}
	return @found;
}

ok(scalar @product, 'there is something to look at');

# What the preprocessor takes and the checks below would not see: by a macro, behind a comment, as a digraph, over two lines.
my @strange = map { my $file = $_; map { "$file:$_" } grep {
	my $line = $lines{$file}[$_ - 1];
	$line !~ /^#\s*include (?:"[^"]+"|<[^>]+>)/ && $line =~ /^[^"]*(?:#|%:|\?\?=)(?:\s|\/\*.*?\*\/)*(?:include|import|include_next)\b/
		|| $line =~ /^#\s*include <(?:policy|redis-schema|milter)\// || $line =~ /^\s*(?:#|%:)\s*\\$/
} 1 .. @{ $lines{$file} } } @product;
my (@upward, @misplaced, @impure, @own_last, @unbanned, %library_files);
for my $file (@product) {
	my ($folder) = $file =~ m{^(.*)/};
	my @includes = includes_of($file);
	for my $include (@includes) {
		my $path = $include->{path};
		if ($include->{mark} eq '"') {
			my ($there) = $path =~ m{^(.*)/};
			if (!defined $there) {
				push @upward, "$include->{at}: \"$path\" is not written from the top of the tree";
				next;
			}
			push @upward, "$include->{at}: $folder may not include $path" if beyond($folder, $there);
			next;
		}
		push @impure, "$include->{at}: <$path> is no header of the C standard"
			if $folder =~ m{^policy} && !$c_standard{$path};
		for my $library (@libraries) {
			my ($header, $place) = @$library;
			next unless $path =~ $header;
			push @misplaced, "$include->{at}: <$path> does not belong here" unless $file =~ $place;
			$library_files{$header}{$file} = 1;
		}
	}
	next unless $file =~ /\.c$/;
	(my $own = $file) =~ s/\.c$/.h/;
	my @first = grep { $_->{path} ne 'config.h' } @includes;
	push @own_last, "$file: $own does not come first"
		if exists $lines{$own} && (!@first || $first[0]{path} ne $own);
	push @unbanned, "$file: the last include is not policy/base/banned.h"
		unless @includes && $includes[-1]{path} eq 'policy/base/banned.h';
}
is(join(' ', circle(%may)), '', 'who may include whom is a table without a circle');
none('includes flow one way', @upward);
none('each include is written in the one form that is looked at', @strange);
none('policy includes the C standard headers only', @impure);
none('each outside library is named in its own place', @misplaced);
for my $library (@libraries) {
	my ($header, undef, $most) = @$library;
	my @named = sort keys %{ $library_files{$header} // {} };
	next unless $most;
	ok(@named <= $most, "headers that match $header are named in at most $most files") or diag("@named");
}
none('each .c file includes its own header first', @own_last);
none('and the banned functions last', @unbanned);

none('no file is opened by fopen, which waits for a FIFO: plain_file.h does not', map { my $file = $_; map { "$file:$_" }
	grep { $lines{$file}[$_ - 1] =~ /\bfopen\(/ } 1 .. @{ $lines{$file} } } @product);

none('each file begins with its licence', map { "$_: no SPDX-License-Identifier line at its head" } grep {
	my $last = /\.[ch]$/ ? 0 : 1;	# a script has its #! line before it
	$last = $#{ $lines{$_} } if $last > $#{ $lines{$_} };
	!grep { /SPDX-License-Identifier: BSD-2-Clause/ } @{ $lines{$_} }[ 0 .. $last ];
} @files);

none("no file has more than $file_lines_most lines",
	map { "$_: " . @{ $lines{$_} } . ' lines' } grep { @{ $lines{$_} } > $file_lines_most } @files);
diag("$_ has " . @{ $lines{$_} } . " lines: over $file_lines_asked a file needs a reason")
	for grep { @{ $lines{$_} } > $file_lines_asked } @files;

my @long;
for my $file (@code) {
	my ($number, $start) = (0, 0);
	for my $line (@{ $lines{$file} }) {
		$number++;
		$start = $number if $line =~ /^\{/;
		next unless $line =~ /^\}/ && $start;
		my $length = $number - $start + 1;
		push @long, "$file:$start: $length lines" if $length > $function_lines_most;
		$start = 0;
	}
}
none("no function has more than $function_lines_most lines", @long);

# A list that two changes added to may have come apart: its tail is then a command of the rule before it.
my (@loose, %listed);
for my $file (qw(Makefile.am t/tests.am)) {
	my $before = '';
	for my $line (@{ lines_of($file) }) {
		push @loose, "$file: $line" if $line =~ m{^\t(?:policy|redis-schema|milter|t)/} && $before !~ /\\$/;
		$listed{$1} = 1 if $line =~ m{^\t(t/\S+)};
		$before = $line;
	}
}
none('each list of files to build is whole', @loose);
none('and has each test', map { "$_ is not built" } grep { m{^(t/(?:unit/test|fuzz/fuzz)_.*)\.c$} && !$listed{$1} } @code);

my $unfinished = join '|', map { join '', @$_ } [qw(TO DO)], [qw(FIX ME)];
my @marks;
for my $file (@files) {
	my $number = 0;
	for my $line (@{ $lines{$file} }) {
		$number++;
		push @marks, "$file:$number" if $line =~ /\b(?:$unfinished)\b/;
	}
}
none('nothing is marked as unfinished', @marks);

# Who looks for a line reads the folder's README: each file there has its word in it. `a.c` stands for a.h, too.
sub unnamed {
	my ($folder) = @_;
	my ($readme) = grep { -e } map { "$top/$folder/$_" } qw(README README.md);
	return () if !defined $readme;
	open my $in, '<', $readme or die "cannot read $readme: $!\n";
	my $text = do { local $/; <$in> };
	close $in;
	my @names = map { m{^\Q$folder\E/([^/]+)$} ? $1 : () } @files;
	return map { "$folder/$_ is not named in its README" } grep {
		(my $code = $_) =~ s/\.h$/.c/;
		$text !~ /(?<![\w.])(?:\Q$_\E|\Q$code\E)(?![\w])/;
	} @names;
}
my %told = map { $_ => 1 } grep { m{^(?:policy|redis-schema|milter|etc|contrib)} || m{^t/(?:bench|eval|fake|lint)$} } keys %has_code;
none('each file is named in the README of its folder', map { unnamed($_) } sort keys %told);

none('each folder says what it is for', map { "$_ has no README" }
	grep { !$has_readme{$_} } do { my %seen; grep { !$seen{$_}++ } sort @folders, grep { !m{/lib/} } keys %has_code });

done_testing();
