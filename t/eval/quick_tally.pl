#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# quick_tally.pl: counts what quick printed of a dump. Good mail by kind: in the learning week, then, and of owners after
# the theft; thieves by kind: what left clean before they were caught. Several worlds are added up. --brief: the sums
# alone, in one line.
use strict;
use warnings;

my $week = 7 * 86400;
my $brief = @ARGV && $ARGV[0] eq '--brief' && shift @ARGV;
my $usage = "usage: quick_tally.pl [--brief] FOLDER OUTPUT-OF-QUICK [FOLDER OUTPUT]...\n";
die $usage if !@ARGV || @ARGV % 2;
my (%good, %class_of, %thefts, %group_of);
while (my ($folder, $file) = splice @ARGV, 0, 2) {
	count($folder, $file);
}
if ($brief) {
	show_brief();
	exit 0;
}
show_good();
print "\n";
show_thieves();

# Name to the start of its theft and the kind of its thief.
sub accounts
{
	my ($folder) = @_;
	my (%account, $begin);
	open my $world, '<', "$folder/world.tsv" or die "$folder/world.tsv: $!\n";
	/^start\t(\d+)/ and $begin = $1 while <$world>;
	open my $in, '<', "$folder/accounts.tsv" or die "$folder/accounts.tsv: $!\n";
	while (my $line = <$in>) {
		next if $line =~ /^#/;
		chomp $line;
		my ($name, $kind, $created, $start, $thief, $group) = split /\t/, $line;
		$account{$name} = { start => $start - $begin, thief => $thief, group => $group } if defined $thief;
	}
	return \%account;
}

sub count
{
	my ($folder, $file) = @_;
	my $stolen = accounts($folder);
	open my $in, '<', $file or die "$file: $!\n";
	while (my $line = <$in>) {
		chomp $line;
		my ($t, $name, $kind, $class, $nth, $level, $action, $way, $score, $hard, $rcpts) = split /\t/, $line;
		my $theft = $stolen->{$name};
		if ($class eq 'spam') {
			$group_of{ $theft->{thief} // $kind } = $theft->{group} // '';
			count_spam($thefts{ $theft->{thief} // $kind }{"$folder:$name"} //= {}, $level, $action, $way, $rcpts);
			next;
		}
		my $when = $theft && $t >= $theft->{start} ? 'owner' : $t < $week ? 'first' : 'then';
		$class_of{$kind} //= $class if $class ne 'junk';
		for my $row ($good{$kind}{$class eq 'junk' ? 'junk' : $when} //= {}) {
			$row->{sent}++;
			$row->{moved}++ if $way eq 'suspect' || $action eq 'hold';
			$row->{refused}++ if $action =~ /^(?:defer|reject)$/;
		}
	}
}

sub count_spam
{
	my ($thief, $level, $action, $way, $rcpts) = @_;
	my $clean = $action eq 'pass' && $way ne 'suspect';
	$thief->{caught} ||= !$clean || $level =~ /^(?:suspect|blocked)$/;
	$thief->{sent}++;
	$thief->{clean}++ if $clean;
	$thief->{before}++ if $clean && !$thief->{caught};
	$thief->{rcpts} += $rcpts if $clean && !$thief->{caught};
}

# disturbed of 1,000, and those of them that were refused
sub part
{
	my ($row) = @_;
	return sprintf '%22s', '-' if !$row->{sent};
	my ($moved, $refused) = map { 1000 * ($_ // 0) / $row->{sent} } @$row{qw(moved refused)};
	return sprintf '%7d %6.1f%s', $row->{sent}, $moved + $refused, $refused ? sprintf(' %-7s', sprintf '(%.1f)', $refused) : ' ' x 8;
}

sub sum
{
	my ($when, @kinds) = @_;
	my %sum;
	for my $row (grep { $_ } map { $good{$_}{$when} } @kinds) {
		$sum{$_} += $row->{$_} // 0 for qw(sent moved refused);
	}
	return \%sum;
}

sub show_good
{
	print "good mail: sent, disturbed of 1,000 (refused of 1,000)\n";
	printf "%-18s %-22s %-22s %-22s\n", '', 'learnt', 'first week', 'owner after theft';
	my %kinds;
	push @{ $kinds{ $class_of{$_} // 'other' } }, $_ for sort keys %good;
	for my $class (sort keys %kinds) {
		my @kinds = @{ $kinds{$class} };
		printf "%-18s %s %s %s\n", $_, map { part($_) } @{ $good{$_} }{qw(then first owner)} for @kinds;
		printf "= %-16s %s %s %s\n", $class, map { part(sum($_, @kinds)) } qw(then first owner);
	}
	printf "= %-16s %s %s %s\n", 'all', map { part(sum($_, keys %good)) } qw(then first owner);
	my $junk = sum('junk', keys %good);
	printf "= %-16s %s\n", 'junk', part($junk) if $junk->{sent};
}

# good mail: disturbed of 1,000 by class; thieves by group: median / 95th percentile before they were caught, never caught,
# share that left clean
sub show_brief
{
	my (%kinds, %group);
	push @{ $kinds{ $class_of{$_} // 'other' } }, $_ for keys %good;
	my $disturbed = sub { my $row = sum(@_); return $row->{sent} ? sprintf '%.1f', 1000 * ($row->{moved} + $row->{refused}) / $row->{sent} : '-' };
	my @cells = map { "$_ " . $disturbed->('then', @{ $kinds{$_} }) } sort keys %kinds;
	my $all = sum('then', keys %good);
	push @cells, 'all ' . $disturbed->('then', keys %good), sprintf('refused of a million %.0f', 1e6 * $all->{refused} / ($all->{sent} || 1)),
		'first ' . $disturbed->('first', keys %good), 'owner ' . $disturbed->('owner', keys %good);
	push @{ $group{ $group_of{$_} } }, values %{ $thefts{$_} } for keys %thefts;
	for my $name (sort keys %group) {
		my @thieves = @{ $group{$name} };
		my ($sent, $clean) = (0, 0);
		$sent += $_->{sent}, $clean += $_->{clean} // 0 for @thieves;
		my @before = map { $_->{before} // 0 } @thieves;
		push @cells, sprintf '%s %d/%d/%d %.1f%%', $name, quantile(0.5, @before), quantile(0.95, @before), scalar(grep { !$_->{caught} } @thieves),
			100 * $clean / $sent;
	}
	print join(' | ', @cells), "\n";
}

sub quantile
{
	my ($part, @values) = @_;
	@values = sort { $a <=> $b } @values;
	return $values[$#values * $part + 0.5];
}

sub show_thieves
{
	print "thieves: accounts, messages that left clean before they were caught (median, 95th percentile, most), never caught, all that left clean\n";
	my (@all, %group);
	for my $kind (sort keys %thefts) {
		my @thieves = values %{ $thefts{$kind} };
		push @$_, @thieves for \@all, $group{ $group_of{$kind} } //= [];
		show_thief($kind, @thieves);
	}
	show_thief("= $_", @{ $group{$_} }) for sort keys %group;
	show_thief('= all', @all) if @all;
}

sub show_thief
{
	my ($name, @thieves) = @_;
	my ($sent, $clean, $rcpts) = (0, 0, 0);
	my @before = map { $_->{before} // 0 } @thieves;
	$sent += $_->{sent}, $clean += $_->{clean} // 0, $rcpts += $_->{rcpts} // 0 for @thieves;
	my $messages = 0;
	$messages += $_ for @before;
	printf "%-18s %4d  %4d %4d %4d  never %-3d  clean %5d of %6d = %5.1f %%%s\n", $name, scalar @thieves, quantile(0.5, @before), quantile(0.95, @before),
		quantile(1, @before), scalar(grep { !$_->{caught} } @thieves), $clean, $sent, 100 * $clean / $sent,
		$rcpts > $messages ? '  recipients, median ' . quantile(0.5, map { $_->{rcpts} // 0 } @thieves) . ', most ' . quantile(1, map { $_->{rcpts} // 0 } @thieves) : '';
}
