# SPDX-License-Identifier: BSD-2-Clause
#
# Tally: what became of the messages of one run, and whether that is good enough.
package Tally;

use strict;
use warnings;

my $learning_s = 7 * 86400;

sub new
{
	my ($class) = @_;
	return bless { world => 0, attack => {}, moved => {}, good => { map { $_ => { sent => 0, disturbed => 0, by => {} } } qw(good list trip first owner) } }, $class;
}

# The messages that follow are of this world: its accounts are others, though they have the same names.
sub world { $_[0]{world} = $_[1] }

# One message: its event, the answer, and the account's level then (undef where nobody keeps levels).
sub note
{
	my ($self, $event, $answer, $level) = @_;
	my ($account, $class) = ($event->{account}, $event->{class});
	my $action = $answer->{action};
	my $way = $action ne 'pass' ? $action : $answer->{transport} =~ /^suspect/ ? 'suspect' : '';
	my $caught = ($level // '') =~ /^(?:suspect|blocked)$/;
	my $name = "$self->{world}:$account->{name}";
	if ($class eq 'spam') {
		my $attack = $self->{attack}{$name} //= { how => $account->{theft}, sent => 0, clean => 0, before => 0, moved => 0,
							  at => undef };
		$attack->{sent}++;
		$attack->{moved} ||= $caught;
		$attack->{at} //= $event->{nth} + 1 if $caught;
		$attack->{clean}++ if !$way;
		$attack->{before}++ if !$way && !$attack->{moved};
		return;
	}
	my $theft = $account->{theft};
	# what the owner sends once his password is out is another question
	$class = 'owner' if $theft && $event->{t} >= $theft->{start};
	# a daemon that saw an account for the first time this week has no habits of his to go by
	$class = 'first' if $class ne 'owner' && $event->{t} < $learning_s;
	my $row = $self->{good}{$class};
	$row->{sent}++;
	$self->{moved}{$name} //= { kind => $account->{kind}, t => $event->{t} } if $caught && $class !~ /^(?:owner|first)$/;
	return if !$way;
	$row->{disturbed}++;
	$row->{by}{$way}++;
}

# The value below which `part` of the sorted list lies.
sub quantile
{
	my ($part, @values) = @_;
	return undef if !@values;
	@values = sort { $a <=> $b } @values;
	return $values[$#values * $part + 0.5];
}

sub result
{
	my ($self) = @_;
	my %group;
	my @attacks = map { $self->{attack}{$_} } sort keys %{ $self->{attack} };
	for my $attack (@attacks) {
		my $how = $attack->{how};
		push @{ $group{$_} }, $attack for $how->{fast} ? 'fast' : 'slow', World::theft_words($how);
	}
	my %attacks = map { $_ => summary($group{$_}) } keys %group;
	my ($sent, $disturbed, %by) = (0, 0);
	for my $class (qw(good list trip)) {
		my $row = $self->{good}{$class};
		$sent += $row->{sent};
		$disturbed += $row->{disturbed};
		$by{$_} += $row->{by}{$_} for keys %{ $row->{by} };
	}
	return { attacks => \%attacks, good => $self->{good}, sent => $sent, disturbed => $disturbed, by => \%by,
		 per_thousand => $sent ? 1000 * $disturbed / $sent : 0, wrongly_moved => [sort keys %{ $self->{moved} }],
		 each => [map { { %{ $_->{how} }, sent => $_->{sent}, clean => $_->{clean},
				  before => $_->{before}, at => $_->{at} } } @attacks] };
}

sub summary
{
	my ($attacks) = @_;
	my @before = map { $_->{before} } @$attacks;
	my ($clean, $sent) = (0, 0);
	$clean += $_->{clean}, $sent += $_->{sent} for @$attacks;
	return { accounts => scalar @$attacks, median => quantile(0.5, @before), p95 => quantile(0.95, @before), clean => $clean,
		 sent => $sent, moved => scalar grep { $_->{moved} } @$attacks };
}

# Sentences, one for each target that is missed.
sub missed
{
	my ($result, $targets) = @_;
	my @rows = (
		['fast attack, median', $result->{attacks}{fast}{median}, $targets->{fast_median}],
		['fast attack, 95th percentile', $result->{attacks}{fast}{p95}, $targets->{fast_p95}],
		['slow attack, median', $result->{attacks}{slow}{median}, $targets->{slow_median}],
		['good messages disturbed in 1,000', $result->{per_thousand}, $targets->{per_thousand}],
		['messages of newsletters disturbed', $result->{good}{list}{disturbed}, $targets->{newsletters}],
	);
	return map { sprintf '%s: %.4g; at most %s is wanted', @$_ } grep { defined $_->[1] && $_->[1] > $_->[2] } @rows;
}

sub markdown
{
	my ($names, $results) = @_;
	my %words;
	$words{$_} = 1 for map { keys %{ $results->{$_}{attacks} } } @$names;
	my $text = '| | ' . join(' | ', @$names) . " |\n|---|" . '--:|' x @$names . "\n";
	my $row = sub { my ($head, $cell) = @_; $text .= "| $head | " . join(' | ', map { $cell->($results->{$_}) } @$names) . " |\n" };
	for my $words (sort { length $a <=> length $b || $a cmp $b } keys %words) {
		my ($any) = grep { $_ } map { $results->{$_}{attacks}{$words} } @$names;
		$row->("$words ($any->{accounts}): spam by a clean address before the move, median / p95",
		       sub { my $s = $_[0]{attacks}{$words}; "$s->{median} / $s->{p95}" . ($s->{moved} < $s->{accounts} ? ' (' . ($s->{accounts} - $s->{moved}) . ' never moved)' : '') });
	}
	for my $pace ('fast', 'slow') {
		$row->("$pace: all spam that left by a clean address", sub { my $s = $_[0]{attacks}{$pace}; "$s->{clean} of $s->{sent}" });
	}
	$row->('good messages disturbed, of 1,000', sub { sprintf '%.2f', $_[0]{per_thousand} });
	$row->('of them', sub { my $by = $_[0]{by}; join(', ', map { "$_ $by->{$_}" } sort keys %$by) || 'none' });
	$row->('good messages in all', sub { $_[0]{sent} });
	$row->('good messages disturbed in the first week, of 1,000', sub { my $s = $_[0]{good}{first}; sprintf '%.2f', $s->{sent} ? 1000 * $s->{disturbed} / $s->{sent} : 0 });
	$row->('newsletter messages disturbed', sub { "$_[0]{good}{list}{disturbed} of $_[0]{good}{list}{sent}" });
	$row->('travellers\' messages disturbed', sub { "$_[0]{good}{trip}{disturbed} of $_[0]{good}{trip}{sent}" });
	$row->('accounts wrongly moved', sub { scalar @{ $_[0]{wrongly_moved} } });
	$row->('owners\' messages after the theft, disturbed', sub { "$_[0]{good}{owner}{disturbed} of $_[0]{good}{owner}{sent}" });
	return $text;
}

1;
