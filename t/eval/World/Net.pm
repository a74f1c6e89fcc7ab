# SPDX-License-Identifier: BSD-2-Clause
#
# Net: autonomous systems, the networks that belong to them, and the address that somebody has at a place on a day. Each
# AS has some /16 and one IPv6 /32; rbldnsd tells whose an address is from origin_zones().
package World::Net;

use strict;
use warnings;

use World::Dice qw(dice whole pick chance);

use constant DAY => 86_400;

# octets: the first number of its networks; as: how many ASes; abroad: from which of them on they are in other countries
my %kinds = (
	home => { octets => [31, 84, 93], v6 => '2a02', as => 120, abroad => 60, first => 100_000 },
	mobile => { octets => [46, 109], v6 => '2a01', as => 40, abroad => 6, first => 110_000 },
	office => { octets => [62], v6 => '2a03', as => 120, abroad => 60, first => 120_000 },
	hotel => { octets => [81], v6 => '2a04', as => 80, abroad => 20, first => 130_000 },
	hosting => { octets => [136], v6 => '2a05', as => 20, abroad => 20, first => 140_000 },
	thief => { octets => [103, 185], v6 => '2a06', as => 120, abroad => 0, first => 150_000 },
);
my @countries = qw(NL FR AT PL IT ES GB US TR UA RO VN BR IN ID NG);

sub country { my ($kind, $as) = @_; return $as < $kinds{$kind}{abroad} ? 'DE' : $countries[$as * 7 % @countries] }

# A place: kind and as; line: fixed (one address), day (another network of the AS each day), call (each message another
# address of a few networks, as phones have), v6 (one /64, new low bits each day), v6day (one /56, another /64 each day),
# v6net (another network of the AS's /32 each day); dual: IPv4 beside, one message of three.
sub place
{
	my ($dice, $kind, %set) = @_;
	my $set = $kinds{$kind};
	my $as = $set{as} // ($set{abroad} ? whole($dice, $set->{abroad}, $set->{as} - 1) : whole($dice, 0, ($set->{abroad} || $set->{as}) - 1));
	my $place = { kind => $kind, as => $as, line => $set{line} // 'fixed', dual => $set{dual}, seed => int($dice->() * 1e9) };
	$place->{octets} = [map { [$_, $as] } @{ $set->{octets} }];
	$place->{home} = pick($dice, $place->{octets});
	$place->{fixed} = ipv4($place->{home}, $dice);
	$place->{nets} = [map { [@{ pick($dice, $place->{octets}) }, whole($dice, 0, 255)] } 1 .. whole($dice, 2, 6)] if $place->{line} eq 'call';
	$place->{six} = sprintf '%s:%x:%x', $set->{v6}, 0x100 + $as, whole($dice, 0, 0xffff);
	$place->{low} = whole($dice, 0, 0xff);
	return $place;
}

sub ipv4 { my ($net, $dice) = @_; return join '.', @$net, (map { whole($dice, 0, 255) } @$net .. 2), whole($dice, 1, 254) }
sub low64 { my ($dice) = @_; return join ':', map { sprintf '%x', whole($dice, 1, 0xffff) } 1 .. 4 }

# Where a client at this place connects from at that time.
sub address
{
	my ($place, $t, $dice) = @_;
	my $line = $place->{line};
	return ipv4(pick($dice, $place->{nets}), $dice) if $line eq 'call';
	return $place->{fixed} if $line eq 'fixed' || ($place->{dual} && chance($dice, 0.33));
	my $day = int($t / DAY);
	return $place->{today}[1] if $place->{today} && $place->{today}[0] == $day;
	my $own = dice("$place->{seed}:$day");
	my $address = $line eq 'day' ? ipv4(pick($own, $place->{octets}), $own)
		: $line eq 'v6' ? sprintf('%s:%x:%s', $place->{six}, 0x1200 + $place->{low}, low64($own))
		: $line eq 'v6day' ? sprintf('%s:%x:%s', $place->{six}, 0x1200 + whole($own, 0, 255), low64($own))
		: sprintf('%s:%x:%x:%s', $place->{six} =~ s/:[^:]*\z//r, whole($own, 1, 0xffff), whole($own, 1, 0xffff), low64($own));
	$place->{today} = [$day, $address];
	return $address;
}

# Of the same provider, never the same /24.
sub neighbour
{
	my ($place, $dice, $near) = @_;
	my $net = $near ? $place->{home} : pick($dice, $place->{octets});
	while (1) {
		my $address = ipv4($net, $dice);
		return $address if $address =~ s/\.\d+\z//r ne $place->{fixed} =~ s/\.\d+\z//r;
	}
}

# rbldnsd's ip4trie and ip6trie
sub origin_zones
{
	my (@four, @six);
	for my $name (sort keys %kinds) {
		my $kind = $kinds{$name};
		for my $as (0 .. $kind->{as} - 1) {
			my $tail = sprintf '%s | ripencc | 2001-01-01', country($name, $as);
			my $number = $kind->{first} + $as;
			push @four, "$_.$as.0.0/16 :127.0.0.2:$number | $_.$as.0.0/16 | $tail" for @{ $kind->{octets} };
			my $six = sprintf '%s:%x::/32', $kind->{v6}, 0x100 + $as;
			push @six, "$six :127.0.0.2:$number | $six | $tail";
		}
	}
	return map { join '', map { "$_\n" } @$_ } \@four, \@six;
}

1;
