#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What is decided by level, limit or score is decided in policy/: nowhere else is one compared with a value of its own, or
# are the functions called that do. That nothing is known (LEVEL_UNKNOWN, OVER_UNSET, MEASURE_USUAL) is no level and may be
# asked; so may how many there are. Words are read and printed by tables, which compare nothing.
# Run from the top of the tree, or with $srcdir naming it.
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';

my $value = qr/\b(?!LEVEL_UNKNOWN\b|OVER_UNSET\b|MEASURE_USUAL\b)(?:LEVEL|OVER|MEASURE)_(?!COUNT\b)[A-Z]+\b/;
my $cast = qr/(?:\(\s*(?:enum\s+)?\w+\s*\)\s*|\(\s*)?/;	# or an opening parenthesis
my $order = qr/(?<![-<>])[<>]=?(?![<>])/;
my $compares = qr/(?:[=!]=|(?<![-<>])[<>]=?(?![<>]))/;
my $member = qr/\.(?:level|leaves_as|measure)\b/;
my $score = qr/\b(?:score(?:\.sum)?|terms\.sum)\b(?![.\[(\w])/;

# what is found, how it is said
my @rules = (
	[ qr/$compares\s*$cast$value/,           'is a comparison with a level, a limit\'s `over` or a measure' ],
	[ qr/$value\s*\)?\s*$compares/,          'is a comparison with a level, a limit\'s `over` or a measure' ],
	[ qr/\bcase\s+$value/,                   'is a case of a level, a limit\'s `over` or a measure' ],
	[ qr/$member\s*\)?\s*$order/,            'is an order of levels or measures' ],
	[ qr/$member\s*\)?\s*[=!]=\s*\d/,        'is a comparison with a level or measure by its number' ],
	[ qr/[-+^&|]\s*$value|$value\s*[-+^&|]|<<\s*$value/, 'is arithmetic with a level, a limit\'s `over` or a measure' ],
	[ qr/$score\s*\)?\s*$compares/,          'is a comparison of a score' ],
	[ qr/$score\s*-(?![->])|\bis(?:greater|less)(?:equal)?\([^)]*$score/, 'is a comparison of a score' ],
	[ qr/$compares\s*$cast(?:[\w.\[\]&*]*\.)?$score/, 'is a comparison of a score' ],
	[ qr/\blimits\.(?:window\[[^\]]*\]|rcpts_per_message)\s*$order|$order\s*$cast(?:[\w.\[\]]*\.)?limits\.(?:window\[|rcpts_per_message)/,
	                                         'is a comparison with a limit' ],
	[ qr/\bbreach\.(?:used|limit)\s*$order/, 'is a comparison with a limit' ],
	[ qr/\bstrn?(?:case)?cmp\s*\([^;]*\b(?:level|over|measure)_word\s*\(/, 'is a comparison with the word of a level or an `over`' ],
	[ qr/\b(?:rates_over|level_next|pools_find|pools_find_class)\b/, 'names a function that decides' ],
);

# Code alone, its lines where they were: no comments, no contents of strings, no includes.
sub code_of {
	my ($text) = @_;
	$text =~ s{(/\*.*?\*/)|(//[^\n]*)|("(?:[^"\\\n]|\\.)*")|('(?:[^'\\\n]|\\.)+')}{
		my $all = $&;
		defined $3 ? '""' : defined $4 ? '0' : $all =~ tr/\n//cdr;
	}gse;
	$text =~ s/^[ \t]*#[ \t]*include.*$//gm;
	return $text =~ s/->/./gr;
}

sub found_in {
	my ($name, $text) = @_;
	my (@found, %said);
	my $code = code_of($text);
	for my $rule (@rules) {
		my ($what, $said) = @$rule;
		while ($code =~ /$what/g) {
			my $line = 1 + (substr($code, 0, $-[0]) =~ tr/\n//);
			push @found, "$name:$line: `$&` $said; policy/ decides" unless $said{$line}++;
		}
	}
	return @found;
}

my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ if -f && /\.[ch]$/ && !/_text\.h$/ } },
	map { "$top/$_" } qw(milter redis-schema));
ok(@files > 100, 'there is something to look at');

my @found;
for my $file (sort @files) {
	open my $in, '<', $file or die "cannot read $file: $!\n";
	local $/;
	push @found, found_in($file =~ s{^\Q$top\E/}{}r, scalar <$in>);
}
ok(!@found, 'what is decided by level, limit or score is decided in policy/') or diag(join "\n", @found);

# That it would be found.
my @bad = (
	'if (verdict->level >= LEVEL_SUSPECT)', 'return LEVEL_BLOCKED == state.level;', 'if (level != (int)LEVEL_NEW)',
	"case OVER_SLOW:\n", 'x = limits.over == OVER_REJECT ? 1 : 2;', 'bool hold = does->measure == MEASURE_HOLD;',
	"if (level ==\n    LEVEL_GOOD)", 'if (a->leaves_as > b->leaves_as)', 'if (facts->content.score > most)',
	'if (5 <= verdict->score)', 'return judge_score(a, b).sum > 0 || terms.score.sum >= 3;',
	'if (limit < rates->used && rates_over(&rates, &limits, &one) != WINDOW_COUNT)',
	'if (level == (LEVEL_BLOCKED))', 'if ((LEVEL_BLOCKED) == level)', 'if ((verdict->level) > other)', 'if (verdict->level == 3)',
	'return !(level - LEVEL_BLOCKED);', 'return (level ^ LEVEL_BLOCKED) == 0;', 'wanted & (1 << LEVEL_SUSPECT)',
	'if (verdict->terms.sum > 3)', 'if ((verdict->score) > 3)', 'return verdict->score - most > 0;', 'if (isgreater(verdict->score, most))',
	'if (facts->rcpts_remote > facts->limits.rcpts_per_message)', 'if (limits.window[i] <= used)', 'if (breach->used >= breach->limit)',
	'if (strcmp(level_word(level), "blocked") == 0)', "pools_find_class(pools, count, class)", 'decide = level_next;',
);
my @good = (
	'if (state->history.level == LEVEL_UNKNOWN)', 'for (int i = LEVEL_GOOD; i < LEVEL_COUNT; i++)', '/* level >= LEVEL_NEW */',
	'log_line("a score >= 5: level == LEVEL_GOOD");', 'charge->level = LEVEL_BLOCKED;', '[LEVEL_NEW] = "new",',
	'if (own->over != OVER_UNSET)', 'report_set_real(json, "score", score.sum);', 'if (order == STORE_TOP_SCORE)',
	'show->score = show->terms;', "#include <score>\n", 'const struct score *score = &verdict->terms;',
	'if (before != event->level)', 'enum level by = score->level;',
);
ok(found_in('x.c', $_) > 0, "found: $_") for @bad;
is(join("\n", found_in('x.c', $_)), '', "fine: $_") for @good;
done_testing();
