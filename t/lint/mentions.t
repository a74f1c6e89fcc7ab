#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What comments and documents name is there: each path from the top of the tree, and each file that the README of a folder
# lists as its own. And words that were given up for others are in no file, so that nobody looks for them in vain.
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';

# Are made, or are patterns of names.
my $made = qr{^(?:etc/penstock\.conf(?:\.5|\.sample)?|etc/penstock(?:-release)?\.service|.*_text\.h|.*_NAME\.\w+|t/[\w/]+\.log)$};

# A word that was given up => what is said now. NEWS.md tells of them, this file and the eval's recorded results alone.
my @given_up = (
	[ qr/\bfor show\b/,                         'in shadow mode' ],
	[ qr/\bshow mode\b/,                        'shadow mode' ],
	[ qr/\baccount[ .]report\b/,                'account feedback' ],
	[ qr/\bover ?= ?\\?"?show\b|\bslow,? or show\b/, 'over = "log"' ],
	[ qr/\boddities\b/,                         'header_anomalies' ],
	[ qr/\bunused_hour\b/,                      'unusual_hour' ],
	[ qr/\bforeign_sender\b/,                   'sender_mismatch' ],
	[ qr/\bACTION_DISCARD\b/,                   'nothing' ],
	[ qr/\blanes?\b|_lane\b/,                   'class' ],
	[ qr/\b(?:fetch|charge|group|campaign|windows)\.lua\b/, 'compare_and_set.lua, or plain commands' ],
	[ qr/\bSTATE_VERSION\b|\bn:NODE\b/,         'RECORD_VERSION; the writes in a record' ],
);

my %text;
find({ no_chdir => 1, wanted => sub {
	if (-d $_) {
		$File::Find::prune = 1 if m{/(?:\.git|\.deps|autom4te\.cache|__pycache__)$};
		return;
	}
	(my $file = $_) =~ s{^\Q$top\E/}{};
	return if $file !~ m{^(?:policy|redis-schema|milter|etc|t|contrib)/|^(?:\w+\.md|Makefile\.am|configure\.ac)$} || $file =~ m{\.(?:o|a|gcno|gcda|svg)$|_text\.h$|^t/eval/.*RESULTS};
	return if $file =~ m{^etc/(?!README|.*\.(?:in|[578]|head|tail|conf|timer|socket)$)};
	open my $in, '<', $_ or die "cannot read $_: $!\n";
	local $/;
	my $all = <$in> // '';
	$text{$file} = $all if -T $_;
} }, $top);
ok(keys %text > 500, 'there is something to look at');

sub places {
	my ($file, $what, $say) = @_;
	my @found;
	while ($text{$file} =~ /$what/g) {
		my $said = $say->($1 // $&) // next;
		push @found, "$file:" . (1 + (substr($text{$file}, 0, $-[0]) =~ tr/\n//)) . ": $said";
	}
	return @found;
}

sub none {
	my ($name, @found) = @_;
	ok(!@found, $name) or diag(join "\n", @found);
}

# Not of a host: /etc/resolv.conf; nor below a folder that a program makes.
my $path = qr{(?<![\w/.\@\}-])((?:milter|policy|redis-schema|t|etc|contrib)/[\w./-]*\w\.(?:c|h|t|pm|pl|lua|md|scenario|in|am))\b};
none('each path that is named is there', map { my $file = $_; places($file, $path, sub {
	$_[0] =~ $made || -e "$top/$_[0]" ? undef : "there is no $_[0]";
}) } grep { $_ ne 't/lint/mentions.t' } sort keys %text);

# The rows of a README: "NAME, NAME   what it is for", or "NAME  ..." below another.
none('each file that a README lists is in its folder', map { my $readme = $_; my ($folder) = $readme =~ m{^(.*)/}; map {
	my ($line, $names) = @$_;
	map { "$readme:$line: there is no $folder/$_" } grep {
		my $name = $_;
		!grep { $_ =~ $made || -e "$top/$folder/$_" || -e "$top/$_" } $name =~ /\{(.*)\}/ ? () : $name;
	} $names =~ /(?<![\w.*\/])(\w+\.(?:c|h|t|pm|pl|lua|scenario|html|css|js|json))\b/g;
} do {
	my $number = 0;
	map { $number++; /^ *((?:[\w*{}.\/-]+\.\w+,? ?)+)(?:  |$)/ ? [ $number, $1 ] : () } split /\n/, $text{$readme};
} } grep { m{/README$} } sort keys %text);

none('words that were given up are gone', map { my $file = $_; map {
	my ($word, $now) = @$_;
	places($file, $word, sub { "`$_[0]`; it is called $now" });
} @given_up } grep { !m{^(?:NEWS\.md|t/lint/mentions\.t)$} } sort keys %text);

done_testing();
