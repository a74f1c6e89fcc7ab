#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Names that tell where a thing is, in a debugger, a profile and a search: a static function of more than five lines
# bears its module's name, no two of them share one, and no two structs, enums or unions of the product do; nor do two
# headers share what guards them.
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';
my $lines_free = 5;	# from brace to brace

# A module's name is a word of its file's name, in the singular or plural: charge_finish() in store_charge.c. The word
# that its public functions begin with will do, too, unless it is one of these verbs; and so will these words:
my %verb = map { $_ => 1 } qw(add ask begin complain end find get has is main read say set start take text value write);
my %also = (penstockctl => 'ctl');

my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.[ch]$/ && !/_text\.h$/ } },
	grep { -d } map { "$top/$_" } qw(policy redis-schema milter));
@files = sort @files;

# Name, lines and whether it is static, of each function whose braces stand at the left margin.
sub functions_of {
	my ($lines) = @_;
	my @found;
	for my $start (grep { $lines->[$_] eq "{\n" } 0 .. $#$lines) {
		my ($end, $head) = ($start, $start - 1);
		$end++ while $end < $#$lines && $lines->[$end] ne "}\n";
		$head-- while $head > 0 && $lines->[$head] =~ /^\s/;
		my $declared = join('', @$lines[ $head .. $start - 1 ]) =~ s/__attribute__\s*\(\(.*?\)\)\)?\s*//sr;
		push @found, { name => $2, static => defined $1, lines => $end - $start + 1, at => $head + 1 }
			if $declared =~ /^(?=(?:[\w\s]*?\b(static)\s)?)[\w\s\*]*?\b(\w+)\s*\(/;
	}
	return @found;
}

sub none {
	my ($name, @found) = @_;
	ok(!@found, $name) or diag(join "\n", @found);
}

my (@nameless, %statics, %tags, %guards);
for my $file (@files) {
	open my $in, '<', $file or die "$file: $!\n";
	my @lines = <$in>;
	my ($module) = $file =~ m{([^/]+)\.[ch]$};
	my @functions = functions_of(\@lines);
	my %word = map { $_ => 1 } map { ($_, "${_}s", s/s$//r) } split(/_/, $module), $also{$module} // ();
	$word{$_} = 1 for grep { !$verb{$_} } map { $_->{name} =~ s/_.*//r } grep { !$_->{static} } @functions;
	for my $function (grep { $_->{static} && $_->{lines} > $lines_free } @functions) {
		my ($name, $at) = ($function->{name}, "$file:$function->{at}");
		push @nameless, "$at: $name() has $function->{lines} lines and does not begin with a word of $module"
			unless $word{ $name =~ s/_.*//r };
		push @{ $statics{$name} }, $at;
	}
	my $text = join('', @lines) =~ s{/\*.*?\*/}{}gsr;
	push @{ $guards{$1} }, $file if $file =~ /\.h$/ && $text =~ /^#define (\w+_H)$/m;
	$tags{$_}{$file} = 1 for $text =~ /\b(?:struct|enum|union)\s+(?:__attribute__\s*\(\(.*?\)\)\s*)?(\w+)\s*\{/g;
}
ok(scalar keys %statics, 'there is something to look at');
none('a static function of more than a few lines bears its module\'s name', @nameless);
none('no two of them have one name',
	map { "$_: @{ $statics{$_} }" } grep { @{ $statics{$_} } > 1 } sort keys %statics);
none('no two structs, enums or unions have one name',
	map { "$_: " . join ' ', sort keys %{ $tags{$_} } } grep { keys %{ $tags{$_} } > 1 } sort keys %tags);
# of two headers with one guard the second is empty where both are included
none('no two headers have one guard', map { "$_: @{ $guards{$_} }" } grep { @{ $guards{$_} } > 1 } sort keys %guards);
done_testing();
