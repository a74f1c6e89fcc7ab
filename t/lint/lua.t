#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What Redis runs for us neither reckons nor judges: there is one script, short, that compares and sets. Policy stands in
# policy/ alone; in Lua it would be a second one, which no compiler holds against the first.
use strict;
use warnings;
use Test::More;

my $top = $ENV{srcdir} // '.';
my $lines_most = 20;
my %number = map { $_ => 1 } qw(0 1 4 5 10);	# places in keys, arguments and the head of a record
my %word = map { $_ => 1 } qw(if then end return and or not nil local redis call pcall unpack shown KEYS ARGV);
my %command = map { $_ => 1 } qw(GETRANGE MGET SET HSET EXPIRE);
my %option = map { $_ => 1 } ('', 'EX');

my @scripts = glob "$top/redis-schema/*.lua $top/redis-schema/*/*.lua";
is(scalar @scripts, 1, 'there is one script') or diag("@scripts");

sub none {
	my ($name, @found) = @_;
	ok(!@found, $name) or diag(join "\n", @found);
}

# What holds of a script's text; a name of the rule for each that does not.
sub faults {
	my ($text) = @_;
	$text =~ s/--\[(=*)\[.*?\]\1\]//gs;
	$text =~ s/--[^\n]*//g;
	my @lines = grep { /\S/ } split /\n/, $text;
	my @found = @lines > $lines_most ? ('it has ' . @lines . ' lines of code') : ();
	my @called = $text =~ /redis\.p?call\(\s*([^,)]*)/g;
	push @found, map { "it calls $_" } grep { !/^'(\w+)'$/ || !$command{$1} } @called;
	push @found, map { "it has the string '$_'" } grep { !$option{$_} && !$command{$_} } $text =~ /'([^']*)'/g;
	$text =~ s/'[^']*'/ /g;
	push @found, 'it has strings of another form' if $text =~ /["\\]|\[=*\[/;
	$text =~ s/\b(?:KEYS|ARGV)\[\d\]/ KEYS /g;
	push @found, map { "it has the number $_" } grep { !$number{$_} } $text =~ /(?<![\w.])(\d[\w.]*)/g;
	push @found, map { "it has the word $_" } grep { !$word{$_} } $text =~ /\b([A-Za-z_]\w*)/g;
	push @found, map { "it reckons by $_" } $text =~ /([-+*\/%^]|\.\.)/g;
	return @found;
}

for my $script (@scripts) {
	open my $in, '<', $script or die "cannot read $script: $!\n";
	my $text = do { local $/; <$in> };
	none("$script compares and sets, and nothing else", faults($text));
}

# the rules see what they are for
for ('return redis.call("TIME")', "return redis.call('TIME')", 'return 1 + 1', 'return 86400', 'return math.huge',
	'for i = 1, 10 do end', "return redis.call('INCR', KEYS[1])", 'return 0.5', 'return ARGV[1] .. ARGV[4]',
	'return tonumber(ARGV[1])', "return 'suspect'", 'return [[TIME]]', 'redis.call(ARGV[1])', "return 1\n" x 21) {
	ok(faults($_) > 0, 'what would not do: ' . substr s/\n/ /gr, 0, 40);
}
done_testing();
