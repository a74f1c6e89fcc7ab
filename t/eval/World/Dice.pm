# SPDX-License-Identifier: BSD-2-Clause
#
# Dice: chance that follows from a seed. A generator of its own for each use, so that a change to one account leaves the
# others as they are (L'Ecuyer 1988: two of them, combined). And Param: an account's parameters, of which split a and
# split b draw from different strata of each range.
package World::Dice;

use strict;
use warnings;

use Digest::SHA ();
use Exporter 'import';

our @EXPORT_OK = qw(dice whole pick normal poisson chance some_of);

sub dice
{
	my ($seed) = @_;
	my ($one, $two) = map { $_ % 2147483300 + 1 } unpack 'NN', Digest::SHA::sha1($seed);
	return sub {
		$one = 40014 * $one % 2147483563;
		$two = 40692 * $two % 2147483399;
		return ($one > $two ? $one - $two : $one - $two + 2147483562) / 2147483563;
	};
}

sub whole { my ($dice, $low, $high) = @_; return $low + int($dice->() * ($high - $low + 1)) }
sub pick { my ($dice, $list) = @_; return $list->[int($dice->() * @$list)] }
sub normal { my ($dice) = @_; return sqrt(-2 * log($dice->() || 1e-9)) * cos(6.283185307 * $dice->()) }
sub chance { my ($dice, $part) = @_; return $dice->() < $part }

sub poisson
{
	my ($dice, $mean) = @_;
	if ($mean > 30) {
		my $n = int($mean + sqrt($mean) * normal($dice) + 0.5);
		return $n > 0 ? $n : 0;
	}
	my ($n, $left) = (0, exp(-$mean));
	for (my $product = $dice->(); $product > $left; $product *= $dice->()) { $n++ }
	return $n;
}

# `count` different ones of the list.
sub some_of
{
	my ($dice, $count, $list) = @_;
	my @rest = @$list;
	$count = @rest if $count > @rest;
	return map { splice @rest, int($dice->() * @rest), 1 } 1 .. $count;
}

package World::Param;

my $strata = 8;

# split: a or b; both halves cover the whole range, and no value of one is a value of the other
sub new
{
	my ($class, $seed, $split) = @_;
	return bless { dice => World::Dice::dice($seed), odd => $split eq 'b' ? 1 : 0 }, $class;
}

sub part { my ($self) = @_; return (2 * int($self->{dice}->() * $strata / 2) + $self->{odd} + $self->{dice}->()) / $strata }
sub range { my ($self, $low, $high) = @_; return $low + ($high - $low) * $self->part }
sub whole { my ($self, $low, $high) = @_; return $low + int(($high - $low + 1) * $self->part) }
sub log { my ($self, $low, $high) = @_; return $low * exp(CORE::log($high / $low) * $self->part) }
sub chance { my ($self, $part) = @_; return $self->{dice}->() < $part }

# Of four and more each half has its own.
sub choice
{
	my ($self, @list) = @_;
	@list = @list[grep { $_ % 2 == $self->{odd} } 0 .. $#list] if @list >= 4;
	return $list[int($self->{dice}->() * @list)];
}

1;
