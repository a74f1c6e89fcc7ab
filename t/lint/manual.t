#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The manual pages: mandoc has no complaint, each names the others, sections that are referred to exist, they are
# installed, and the commands and options of the built programs are in them, and no others.
use strict;
use warnings;
use File::Temp;
use Test::More;

my $top = $ENV{srcdir} // '.';
my $build = $ENV{PENSTOCK_BUILD} // '.';
my %pages = map { $_ => "$top/etc/$_" } qw(penstock.7 penstock.8 penstock-follow.8 penstockctl.8);
my $work = File::Temp->newdir();

sub text_of {
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!\n";
	local $/;
	return scalar <$in>;
}

sub output_of {
	my (@command) = @_;
	my $pid = open(my $out, '-|') // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>&', \*STDOUT;
		exec @command or die "$command[0]: $!\n";
	}
	local $/;
	my $text = <$out>;
	close $out;
	return $text // '';
}

my $built = -x "$build/penstock" && -x "$build/penstockctl";
$pages{'penstock.conf.5'} = "$work/penstock.conf.5";
open my $page, '>', $pages{'penstock.conf.5'} or die "$work: $!\n";
print {$page} text_of("$top/etc/penstock.conf.5.head"), $built ? output_of("$build/penstock", '--man-options') : '',
	text_of("$top/etc/penstock.conf.5.tail");
close $page;
my @names = sort keys %pages;
my %text = map { $_ => text_of($pages{$_}) } @names;

# the section of a heading, as it is referred to: "Sh SEE ALSO", "Ss Spam traps"
my %headings = map { my $name = $_; $name => { map { s/\\&|\\\(dq|"//gr => 1 } $text{$name} =~ /^\.S[hs] (.*)$/mg } } @names;

SKIP: {
	skip 'there is no mandoc', scalar @names if !grep { -x "$_/mandoc" } split /:/, $ENV{PATH} // '';
	for my $name (@names) {
		# what a database of this machine lacks is not the page's fault, nor how long a line of its source is
		my @said = grep { /^mandoc: \S+:\d+:\d+: / && !/referenced manual not found|input text line longer/ }
			split /\n/, output_of('mandoc', '-T', 'lint', $pages{$name});
		is_deeply(\@said, [], "$name: mandoc has no complaint");
	}
}
# Debian's man(1) is groff's: there .Ql takes the rest of its line into its quotes, further words that it is not meant for, too
for my $name (@names) {
	is_deeply([ grep { /\bQl .* (?:Ql|No) |^\.Ql No / } split /\n/, $text{$name} ], [], "$name: nothing stands between another's quotes");
}
if ($built) {
	my ($words) = output_of("$build/penstock", '--man-options') =~ /^What happens to a message over a limit: (.*?) \(/m;
	is($words, 'defer, reject, hold, slow, or log', 'penstock.conf.5: what may be done over a limit');
}
my ($installed) = text_of("$top/Makefile.am") =~ /^dist_man_MANS = (.*)$/m;
for my $name (@names) {
	my ($base, $section) = $name =~ /^(.*)\.(\d)$/;
	my ($see_also) = $text{$name} =~ /^\.Sh SEE ALSO\n(.*?)(?=^\.Sh |\z)/ms;
	my @lacking = grep { my ($other, $of) = /^(.*)\.(\d)$/; $_ ne $name && ($see_also // '') !~ /^\.Xr \Q$other\E $of\b/m } @names;
	is_deeply(\@lacking, [], "$name: SEE ALSO has the others");
	my @strange = grep { !$pages{$_} } map { s/ /./r } $text{$name} =~ /^\.Xr (penstock\S* \d)/mg;
	is_deeply(\@strange, [], '... and there are no others of ours');
	my (%lost, $of);
	for my $line (split /\n/, $text{$name}) {
		$of = "$1.$2" if $line =~ /^\.Xr (\S+) (\d) ,$/;
		if ($line =~ /^\.Sx (.*?)(?: [.,;)])?$/) {
			my $where = $of // $name;
			$lost{"$where: $1"} = 1 if $pages{$where} && !$headings{$where}{ $1 =~ s/\\&|\\\(dq|"//gr };
		}
		$of = undef if $line !~ /^\.Xr /;
	}
	is_deeply([ sort keys %lost ], [], '... and the sections that it refers to are there');
	like($installed, qr{\betc/\Q$name\E(?:\s|$)}, '... and it is installed') if $name ne 'penstock.conf.5';
}

SKIP: {
	skip "$build is not a build folder", 1 if !$built;
	my ($commands) = output_of("$build/penstockctl", '--help') =~ /^commands:\n(.*?)\n\n/ms;
	my %command = map { s/\s+$//r => 1 } $commands =~ /^  ([a-z]+(?: [a-z]+)?)(?=[ \n])/mg;
	cmp_ok(scalar keys %command, '>', 20, 'penstockctl has commands');
	is_deeply([ grep { $text{'penstockctl.8'} !~ /^\.It Cm \Q$_\E(?: |$)/m } sort keys %command ], [], 'penstockctl(8) has each of them');
	for my $words ('', map { " $_" } sort keys %command) {
		my @wrong = grep { length > 80 || / $/ } split /\n/, output_of("$build/penstockctl", split(' ', $words), '--help');
		is_deeply(\@wrong, [], "penstockctl$words --help fits into 80 columns, without spaces at an end");
	}
	my %first = map { s/ .*//r => 1 } keys %command;
	my @documents = (@names, qw(README.md CONTRIBUTING.md NEWS.md ARCHITECTURE.md redis-schema/README.md));
	for my $name (@documents) {
		my $document = $text{$name} // text_of("$top/$name");
		my @said = $document =~ /\bpenstockctl (?:-c \S+ |--json )?([a-z]+(?: [a-z]+)?)/g;
		my @wrong = grep { my ($one) = split / /; !$command{$_} && !$command{$one} && !(($first{$one} // 0) && $_ eq $one) } @said;
		is_deeply([ grep { !/^(?:has|and|is|takes|are|says|or|for|shows|accepts|daemon|reads|to|prints|asks)\b/ } @wrong ], [], "$name: each command that it names is one");
	}
	for my $row ([ 'penstock', 'penstock.8' ], [ 'penstock-follow', 'penstock-follow.8' ], [ 'penstockctl', 'penstockctl.8' ]) {
		my @lacking;
		my $help = output_of("$build/$row->[0]", '--help');
		while ($help =~ /^\s+(?:-(\w), )?\s*--([a-z-]+)/mg) {
			push @lacking, $2 if $text{ $row->[1] } !~ /\bFl Fl \Q$2\E(?:\s|$)/ && (!defined $1 || $text{ $row->[1] } !~ /\bFl $1(?:\s|$)/);
		}
		is_deeply(\@lacking, [], "$row->[1] has each option of $row->[0]");
	}
}
done_testing();
