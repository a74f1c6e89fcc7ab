#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Each sentence that the reading of penstock.conf and `penstock -t` can give is shown by a test: who adds one adds a row.
# Those of config*.c are whole in a table of t/unit; those of trial.c, which need a host, are tried in t/live.
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';

# No test brings these about.
my @never = (
	qr/memory/,	# there is enough
	qr/^catalogue\.file is too long$/,	# behind a path of 4096 bytes, which fills the line
	qr/^files and sockets cannot be tried: the process for it failed$/,	# nor do processes run out
	qr/^%s:%u: $/,	# no sentence: the place that each begins with
);

my %text;
find({ no_chdir => 1, wanted => sub {
	return unless m{/(?:milter/.*[ch]|t/(?:unit|live)/[^/]+)\z} && -f;
	open my $in, '<', $_ or die "cannot read $_: $!\n";
	local $/;
	$text{ substr $_, 1 + length $top } = <$in>;
} }, "$top/milter", "$top/t");

# The strings of a C text, adjacent ones joined; words of the preprocessor between them are left out.
my $string = qr/"(?:[^"\\]|\\.)*"/s;

sub unquote {
	my ($words) = @_;
	my $whole = join '', map { substr $_, 1, -1 } $words =~ /($string)/g;
	my %plain = (n => "\n", t => "\t");
	$whole =~ s/\\(x[0-9a-f]{2}|.)/length $1 > 1 ? chr hex substr $1, 1 : $plain{$1} \/\/ $1/ge;
	return $whole;
}

# Formats of the calls of `functions`, with their place.
sub formats_of {
	my ($file, $functions) = @_;
	my @formats;
	my $code = $text{$file} =~ s{($string)|/\*.*?\*/}{ $1 // $& =~ tr/\n//cdr }gser;
	while ($code =~ /\b(?:$functions)\((?:[^"();]|\([^()]*\))*?((?:$string\s*)+)(.)/gs) {
		my ($format, $next, $before) = ($1, $2, substr $code, 0, $-[1]);
		my $more = $next eq ',' || $next eq ')' ? '' : '%s';	# a macro's words follow
		push @formats, { text => unquote($format) . $more, at => "$file:" . (1 + ($before =~ tr/\n//)) };
	}
	return grep { my $format = $_->{text}; !grep { $format =~ $_ } @never } @formats;
}

sub pattern_of {
	my ($format) = @_;
	my $pattern = join '', map { /^%%$/ ? '%' : /^%/ ? '.*' : quotemeta } split /(%(?:%|[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:ll|z|h)?[a-z]))/, $format;
	return qr/$pattern\z/s;
}

sub none {
	my ($name, @found) = @_;
	ok(!@found, $name) or diag(join "\n", @found);
}

my @config = grep { m{/config\w*\.c\z} } sort keys %text;
my @wanted = map { formats_of($_, 'read_error|read_fault|scan_error|wrong_word|read_any_address|snprintf\((?:reader->)?error, CONFIG_ERROR_MAX') } @config;
ok(@wanted > 80, 'sentences are found in ' . @config . ' files: ' . @wanted);
my @shown = map { my @words; push @words, unquote($1) while $text{$_} =~ /((?:$string\s*)+)/g; @words }
	grep { m{^t/unit/(?:test_config|test_catalogue|config_)\w*\.[ch]\z} } keys %text;
none('each of the configuration is in a row of t/unit', map { "$_->{at}: \"$_->{text}\"" }
	grep { my $pattern = pattern_of($_->{text}); !grep { $_ =~ $pattern } @shown } @wanted);

my ($trial) = grep { m{/trial\.c\z} } keys %text;
my @tried = formats_of($trial, 'trial_say|fail');
ok(@tried > 12, 'and in trial.c: ' . @tried);
my @live = map { split /\n/, $text{$_} =~ s/\\//gr } grep { m{^t/live/.*\.t\z} } sort keys %text;
none('each of penstock -t is tried in t/live', map { "$_->{at}: \"$_->{text}\"" } grep {
	my $pattern = join '.*', map { quotemeta } grep { length > 3 } split /%[a-z]|[()]/, $_->{text};
	!grep { /$pattern/ } @live;
} @tried);

done_testing();
