# SPDX-License-Identifier: BSD-2-Clause
#
# Tally: what became of the messages of one run, kind by kind.
#
# Good mail is counted by its account's kind: sent, moved (it left by the suspect pool), stopped (refused, deferred, held).
# Apart from that stand the learning week, and the owners after their theft. Spam is counted in recipients.
package Tally;

use strict;
use warnings;

use World;
use World::Thief;

my $learning_s = 7 * 86400;
my @classes = qw(person shop bulk program);
my %words = (person => 'people', shop => 'shops', bulk => 'bulk', program => 'programs');

sub new
{
	my ($class) = @_;
	return bless { world => 0, theft => {}, good => {}, first => {}, owner => {}, moved => {} }, $class;
}

# The messages that follow are of this world: its accounts are others, though they have the same names.
sub world { $_[0]{world} = $_[1] }

# One message: its event, the answer, and the account's level then (undef where nobody keeps levels).
sub note
{
	my ($self, $event, $answer, $level) = @_;
	my ($account, $class) = @$event{qw(account class)};
	return if $class eq 'junk';
	my $action = $answer->{action};
	my $way = $action ne 'pass' ? $action : $answer->{transport} =~ /^suspect/ ? 'moved' : '';
	my $caught = ($level // '') =~ /^(?:suspect|blocked)$/;
	my $name = "$self->{world}:$account->{name}";
	if ($class eq 'spam') {
		my $theft = $self->{theft}{$name} //= { kind => $event->{kind}, group => $account->{theft}{group}, sent => 0, clean => 0, before => 0, moved => 0 };
		my $count = @{ $event->{rcpts} };
		my $clean = $way ne '' ? 0 : defined $answer->{rcpts} && $answer->{rcpts} < $count ? $answer->{rcpts} : $count;
		$theft->{sent} += $count;
		$theft->{moved} ||= $caught;
		$theft->{clean} += $clean;
		$theft->{before} += $clean if !$theft->{moved};
		return;
	}
	my $part = $account->{theft} && $event->{t} >= $account->{theft}{start} ? 'owner' : $event->{t} < $learning_s ? 'first' : 'good';
	for my $row ($self->{$part}{ $event->{kind} } //= { sent => 0, moved => 0, stopped => 0, by => {} }) {
		$row->{sent}++;
		$row->{ $way eq 'moved' ? 'moved' : 'stopped' }++ if $way;
		$row->{by}{ $way . ($way ne 'moved' && ($level // '') ne '' ? "/$level" : '') }++ if $way;
	}
	$self->{moved}{$name} = $event->{kind} if $caught && $part eq 'good';
}

# The value below which `part` of the sorted list lies.
sub quantile
{
	my ($part, @values) = @_;
	return undef if !@values;
	@values = sort { $a <=> $b } @values;
	return $values[$#values * $part + 0.5];
}

sub added
{
	my (@rows) = @_;
	my %sum = (sent => 0, moved => 0, stopped => 0, by => {});
	for my $row (grep { $_ } @rows) {
		$sum{$_} += $row->{$_} for qw(sent moved stopped);
		$sum{by}{$_} += $row->{by}{$_} for keys %{ $row->{by} };
	}
	$sum{per_thousand} = $sum{sent} ? 1000 * ($sum{moved} + $sum{stopped}) / $sum{sent} : 0;
	$sum{stopped_per_million} = $sum{sent} ? 1e6 * $sum{stopped} / $sum{sent} : 0;
	return \%sum;
}

sub summary
{
	my (@thefts) = @_;
	my @before = map { $_->{before} } @thefts;
	my %sum = (accounts => scalar @thefts, median => quantile(0.5, @before), p95 => quantile(0.95, @before), sent => 0, clean => 0,
		   never => scalar grep { !$_->{moved} } @thefts);
	for my $theft (@thefts) {
		$sum{$_} += $theft->{$_} for qw(sent clean);
	}
	$sum{share} = $sum{sent} ? 100 * $sum{clean} / $sum{sent} : 0;
	return \%sum;
}

# good: kinds, sums by class, "all"; first and owner: likewise in all; thieves: kinds and groups
sub result
{
	my ($self) = @_;
	my %result = (moved_accounts => scalar keys %{ $self->{moved} });
	for my $part (qw(good first owner)) {
		my $rows = $self->{$part};
		$result{$part} = { (map { $_ => added($rows->{$_}) } World::kinds()), all => added(values %$rows) };
		for my $class (@classes) {
			$result{$part}{ $words{$class} } = added(map { $rows->{$_} } grep { World::class_of($_) eq $class } World::kinds());
		}
	}
	my (%kind, %group);
	for my $theft (map { $self->{theft}{$_} } sort keys %{ $self->{theft} }) {
		push @{ $kind{ $theft->{kind} } }, $theft;
		push @{ $group{ $theft->{group} } }, $theft;
	}
	$result{thieves} = { map { $_ => summary(@{ $kind{$_} }) } keys %kind };
	$result{groups} = { map { $_ => summary(@{ $group{$_} }) } keys %group };
	return \%result;
}

sub kinds_of { my ($class) = @_; return grep { World::class_of($_) eq $class } World::kinds() }

# Sentences, one for each target that is missed. $targets: name => the most that is wanted.
sub missed
{
	my ($result, $targets) = @_;
	my ($groups, $good) = @$result{qw(groups good)};
	my @rows;
	for my $group (sort keys %$groups) {
		push @rows, ["thieves, $group, $_", $groups->{$group}{$_}, $targets->{"${group}_$_"}] for qw(median p95 share never);
	}
	push @rows, ["$_, good messages disturbed in 1,000", $good->{$_}{per_thousand}, $targets->{"good_$_"} // $targets->{good_kind}] for World::kinds();
	push @rows, map { ["$_, good messages disturbed in 1,000", $good->{$_}{per_thousand}, $targets->{"good_$_"}] } (map { $words{$_} } @classes), 'all';
	push @rows, ['owners after the theft, disturbed in 1,000', $result->{owner}{all}{per_thousand}, $targets->{owner}];
	push @rows, ['learning week, disturbed in 1,000', $result->{first}{all}{per_thousand}, $targets->{first}];
	push @rows, ['good messages refused, deferred or held in a million', $good->{all}{stopped_per_million}, $targets->{stopped}];
	return map { sprintf '%s: %.4g; at most %s is wanted', @$_ } grep { defined $_->[1] && defined $_->[2] && $_->[1] > $_->[2] } @rows;
}

sub rows_of_good
{
	my ($row) = @_;
	for my $class (@classes) {
		for my $kind (kinds_of($class)) {
			$row->("$kind", sub { my $one = $_[0]{good}{$kind}; sprintf '%.1f of %d', $one->{per_thousand}, $one->{sent} });
		}
		$row->("**all $words{$class}**", sub { my $one = $_[0]{good}{ $words{$class} }; sprintf '**%.2f** of %d', $one->{per_thousand}, $one->{sent} });
	}
	$row->('**all good mail**', sub { my $one = $_[0]{good}{all}; sprintf '**%.2f** of %d', $one->{per_thousand}, $one->{sent} });
	$row->('moved / refused, deferred, held, in a million', sub { my $one = $_[0]{good}{all}; sprintf '%.0f / %.0f', $one->{sent} ? 1e6 * $one->{moved} / $one->{sent} : 0, $one->{stopped_per_million} });
	$row->('how', sub { my $by = $_[0]{good}{all}{by}; join(', ', map { "$_ $by->{$_}" } sort keys %$by) || 'none' });
	$row->('accounts wrongly moved', sub { $_[0]{moved_accounts} });
	for my $part (['first', 'learning week'], ['owner', 'owners after the theft']) {
		$row->("$part->[1], disturbed", sub { my $one = $_[0]{ $part->[0] }{all}; sprintf '%.1f of %d', $one->{per_thousand}, $one->{sent} });
	}
	$row->('learning week: people, shops, bulk, programs', sub { my $first = $_[0]{first}; join ', ', map { sprintf '%.1f', $first->{ $words{$_} }{per_thousand} } @classes });
}

sub cell_of_thieves
{
	my ($one) = @_;
	return '-' if !$one;
	return sprintf '%d / %d, %.1f %%%s', $one->{median}, $one->{p95}, $one->{share}, $one->{never} ? ", **$one->{never} never**" : '';
}

# The table of all modes.
sub markdown
{
	my ($names, $results) = @_;
	my $text = '';
	my $row = sub { my ($head, $cell) = @_; $text .= "| $head | " . join(' | ', map { $cell->($results->{$_}) } @$names) . " |\n" };
	my $head = sub { $text .= "| $_[0] | " . join(' | ', @$names) . " |\n|---|" . '--:|' x @$names . "\n" };
	$head->('good mail: disturbed of 1,000, of how many messages');
	rows_of_good($row);
	$text .= "\n";
	$head->('spam that left clean before the move: median / 95th percentile; share that left clean in all; never moved');
	my ($any) = map { $results->{$_} } @$names;
	for my $kind (grep { $any->{thieves}{$_} } World::Thief::kinds()) {
		$row->("$kind ($any->{thieves}{$kind}{accounts})", sub { cell_of_thieves($_[0]{thieves}{$kind}) });
	}
	for my $group (sort keys %{ $any->{groups} }) {
		$row->("**all of $group** ($any->{groups}{$group}{accounts})", sub { cell_of_thieves($_[0]{groups}{$group}) });
	}
	return $text;
}

1;
