#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The shape of the tree: who includes whom, where outside libraries are named, how long a file and a function are.
# Run from the top of the tree, or with $srcdir naming it.
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';
my $file_lines_most = 800;
my $file_lines_asked = 500;
my $function_lines_most = 100;

# folder => what its files may include besides headers of its own folder. A path that ends in a slash: the headers
# right in that folder.
my %may = (
	'policy/base'    => [],
	'policy'         => ['policy/base/'],
	'redis-schema'   => [ 'policy/base/', 'policy/' ],
	'milter'         => [ 'policy/base/', 'policy/', 'redis-schema/', 'milter/dns/', 'milter/content/',
	                      'milter/ctl/', 'milter/tell/', 'milter/web/' ],
	'milter/dns'     => [ 'policy/base/', 'policy/', 'redis-schema/', 'milter/' ],
	'milter/content' => [ 'policy/base/', 'policy/', 'redis-schema/', 'milter/' ],
	'milter/ctl'     => [ 'policy/base/', 'policy/', 'redis-schema/', 'milter/' ],
	'milter/tell'    => [ 'policy/base/', 'policy/', 'redis-schema/', 'milter/' ],
	'milter/web'     => [ 'policy/base/', 'policy/', 'redis-schema/', 'milter/' ],
);

# Headers of a folder that its neighbours may include too: what the folder is there for.
my %public = map { $_ => 1 } qw(milter/dns/rbl.h milter/dns/engine.h milter/dns/lists.h
	milter/dns/check.h milter/dns/spf.h milter/content/scan.h milter/tell/feed.h);

# library => where its headers may be named, in how many files at most (0: any number)
my @libraries = (
	[ qr{^libmilter/},                qr{^milter/[^/]+$},                      3 ],
	[ qr{^hiredis/},                  qr{^redis-schema/},                      0 ],
	[ qr{^(?:ares|ares_\w+)\.h$},     qr{^milter/dns/},                        0 ],
	[ qr{^spf2/},                     qr{^milter/dns/spf_run\.c$},              1 ],
	[ qr{^libconfig\.h$},             qr{^milter/config[^/]*$},                1 ],
	[ qr{^event2/},                   qr{^(?:milter/|redis-schema/(?:store|store_inside|store_link|wire|wire_flight|wire_inside)\.[ch]$)}, 0 ],
	[ qr{^idn2\.h$},                 qr{^milter/idn\.c$},                    1 ],
	[ qr{^jansson\.h$},               qr{^milter/},                            0 ],
	[ qr{^curl/},                     qr{^milter/tell/post\.c$},              1 ],
	[ qr{^openssl/},                  qr{^milter/tell/sign\.c$},              1 ],
	[ qr{^systemd/},                  qr{^milter/},                            0 ],
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
	return unless $name =~ /\.(?:[ch]|t|p[lm]|lua|sh|py)$/ && $name !~ /^(?:files|scripts)_text\.h$/;	# are made
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
		push @found, { mark => $1, path => $2, at => "$file:$number" } if $line =~ /^\s*#\s*include\s*([<"])([^>"]+)[>"]/;
	}
	return @found;
}

ok(scalar @product, 'there is something to look at');

my (@upward, @misplaced, @impure, @own_last, @unbanned, %library_files);
for my $file (@product) {
	my ($folder) = $file =~ m{^(.*)/};
	my @includes = includes_of($file);
	for my $include (@includes) {
		my $path = $include->{path};
		if ($include->{mark} eq '"') {
			my ($there) = $path =~ m{^(.*/)};
			if (!defined $there) {
				push @upward, "$include->{at}: \"$path\" is not written from the top of the tree";
				next;
			}
			my @allowed = ("$folder/", @{ $may{$folder} // [ map { "$_/" } keys %may ] });
			push @upward, "$include->{at}: $folder may not include $path"
				unless $public{$path} && $folder =~ m{^milter} or grep { $_ eq $there } @allowed;
			next;
		}
		push @impure, "$include->{at}: <$path> is no header of the C standard"
			if $folder =~ m{^policy(?:/base)?$} && !$c_standard{$path};
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
none('includes flow one way', @upward);
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

none('each folder says what it is for', map { "$_ has no README" }
	grep { !$has_readme{$_} } do { my %seen; grep { !$seen{$_}++ } sort @folders, grep { !m{/lib/} } keys %has_code });

done_testing();
