# SPDX-License-Identifier: BSD-2-Clause
#
# World: who sends what, when, from where and to whom, in weeks of simulated time. All of it follows from the seed.
#
# Kinds of accounts: steady ones; newsletters; travellers; new ones, whose first day is late; stolen ones, which are steady
# until a thief sends beside them. An event is one message: t (seconds since the beginning), account, class (good, list,
# trip, owner, spam), rcpts, from, client, helo, message, dress.
package World;

use strict;
use warnings;

use constant DAY => 86_400;

# Networks: one /16 an AS. The first number tells what it is.
my %places = (home => 31, mobile => 46, office => 62, hotel => 81, thief => 103);
my @mailers = ('Mozilla Thunderbird', 'Microsoft Outlook 16.0', 'Apple Mail (2.3774)', 'K-9 Mail for Android',
	       'Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.9', 'iPhone Mail (20F75)',
	       'Roundcube Webmail/1.6.1', 'Evolution 3.46.4');

# A generator of its own for each use, so that a change to one account leaves the others as they are.
sub dice
{
	my ($seed) = @_;
	my $state = 0;
	$state = ($state * 131 + ord) % 2147483647 for split //, $seed;
	$state ||= 1;
	my $next = sub { $state = $state * 48271 % 2147483647; return $state / 2147483647 };
	$next->() for 1 .. 10;
	return $next;
}

sub whole { my ($dice, $low, $high) = @_; return $low + int($dice->() * ($high - $low + 1)) }
sub pick { my ($dice, $list) = @_; return $list->[int($dice->() * @$list)] }
sub normal { my ($dice) = @_; return sqrt(-2 * log($dice->() || 1e-9)) * cos(6.283185307 * $dice->()) }

sub poisson
{
	my ($dice, $mean) = @_;
	my ($n, $left) = (0, exp(-$mean));
	for (my $product = $dice->(); $product > $left; $product *= $dice->()) { $n++ }
	return $n;
}

# set: seed, days, accounts, newsletters, list_size, travellers, fresh, stolen, theft_day, fast, slow, corpus
sub new
{
	my ($class, %set) = @_;
	my $self = bless { %set, accounts => [], events => [] }, $class;
	my $count = $set{accounts};
	for my $n (0 .. $count + $set{fresh} - 1) {
		my $kind = $n < $set{newsletters} ? 'list' : $n < $set{newsletters} + $set{travellers} ? 'trip'
			: $n < $set{newsletters} + $set{travellers} + $set{stolen} ? 'stolen' : $n < $count ? 'steady' : 'fresh';
		push @{ $self->{accounts} }, $self->account($n, $kind);
	}
	$self->deal;
	for my $account (@{ $self->{accounts} }) {
		$self->habits_of($account);
		$self->issues_of($account) if $account->{kind} eq 'list';
	}
	my @stolen = grep { $_->{kind} eq 'stolen' } @{ $self->{accounts} };
	$self->theft($stolen[$_], $_) for 0 .. $#stolen;
	my $order = 0;
	$_->{order} = $order++ for @{ $self->{events} };
	$self->{events} = [sort { $a->{t} <=> $b->{t} || $a->{order} <=> $b->{order} } @{ $self->{events} }];
	return $self;
}

sub address { my ($place, $as, $dice) = @_; return join '.', $places{$place}, $as, whole($dice, 0, 255), whole($dice, 1, 254) }

sub account
{
	my ($self, $n, $kind) = @_;
	my $dice = dice("$self->{seed}:account:$n");
	my $account = { n => $n, kind => $kind, dice => $dice, name => sprintf('user%d@firm%d.example', $n, $n % 40) };
	$account->{contacts} = [map { contact($dice) } 1 .. whole($dice, 5, 40)];
	$account->{rhythm} = (qw(office office evening both))[whole($dice, 0, 3)];
	$account->{rate} = exp(log(2) + $dice->() * log(5));	# messages a day, 2 to 10
	$account->{mailers} = [map { pick($dice, \@mailers) } 1 .. whole($dice, 1, 2)];
	$account->{alias} = $dice->() < 0.2 ? sprintf('info@firm%d.example', $n % 40) : undef;
	my @kinds = (['home', whole($dice, 0, 39)], ['mobile', whole($dice, 0, 3)], ['office', whole($dice, 0, 39)]);
	$account->{places} = [map { { place => $_->[0], as => $_->[1], fixed => address(@$_, $dice),
		moves => $_->[0] eq 'mobile' || ($_->[0] eq 'home' && $dice->() < 0.3) } } @kinds[0 .. whole($dice, 0, 2)]];
	$account->{helo} = $dice->() < 0.5 ? sprintf('[192.168.%d.%d]', whole($dice, 0, 3), whole($dice, 2, 250))
		: $dice->() < 0.5 ? sprintf('pc-%d.local', $n) : sprintf('desktop%d', $n);
	$account->{first_day} = $kind eq 'fresh' ? whole($dice, int($self->{days} / 3), int($self->{days} * 0.8)) : 0;
	if ($kind eq 'trip') {
		my $leaves = whole($dice, int($self->{days} / 3), $self->{days} - 4);
		$account->{trip} = [$leaves, $leaves + whole($dice, 2, 6), whole($dice, -6, 6)];
	}
	return $account;
}

sub contact { my ($dice) = @_; return sprintf 'p%d@dest%d.example', whole($dice, 1, 9_999_999), whole($dice, 1, 400) }

# Each body of the corpus is one account's: two accounts that send the same would be a campaign of our own making.
sub deal
{
	my ($self) = @_;
	my @accounts = @{ $self->{accounts} };
	my @ham = @{ $self->{corpus}{ham} };
	push @{ $accounts[$_ % @accounts]{bodies} }, $ham[$_] for 0 .. $#ham;
	my @hard = @{ $self->{corpus}{hard} };
	my @lists = grep { $_->{kind} eq 'list' } @accounts;
	for my $n (0 .. $#hard) {	# half of what looks like advertising is newsletters', the rest is people's
		my $one = $n % 2 && @lists ? $lists[($n >> 1) % @lists] : $accounts[($n * 7) % @accounts];
		push @{ $one->{ $n % 2 && @lists ? 'issues' : 'bodies' } }, $hard[$n];
	}
	$_->{issues} ||= $_->{bodies} for @lists;
}

sub hour_of
{
	my ($account) = @_;
	my $dice = $account->{dice};
	my $evening = $account->{rhythm} eq 'evening' || ($account->{rhythm} eq 'both' && $dice->() < 0.4);
	my $hour = $evening ? 20 + 1.5 * normal($dice) : 12.5 + 2.3 * normal($dice);
	return $hour < 0.5 ? 0.5 : $hour > 23.4 ? 23.4 : $hour;
}

sub habits_of
{
	my ($self, $account) = @_;
	my $dice = $account->{dice};
	for my $day ($account->{first_day} .. $self->{days} - 1) {
		my $weekend = $day % 7 >= 5;	# day 0 is a Monday
		my $mean = $account->{rate} * ($weekend ? ($account->{rhythm} eq 'office' ? 0.15 : 0.8) : 1)
			* exp(0.4 * normal($dice)) * ($dice->() < 0.03 ? 3 : 1);
		my $trip = $account->{trip} && $day >= $account->{trip}[0] && $day <= $account->{trip}[1];
		$account->{hotel} = { place => 'hotel', as => whole($dice, 0, 60), moves => 0 } if $trip && $dice->() < 0.5;
		$account->{hotel} = undef if !$trip;
		$account->{hotel}{fixed} //= address('hotel', $account->{hotel}{as}, $dice) if $account->{hotel};
		for (1 .. poisson($dice, $mean)) {
			my $hour = hour_of($account) + ($trip ? $account->{trip}[2] : 0);
			$hour -= 24 if $hour >= 24;
			$hour += 24 if $hour < 0;
			$self->letter($account, $day * DAY + int($hour * 3600), $trip ? 'trip' : 'good');
		}
	}
}

sub letter
{
	my ($self, $account, $t, $class) = @_;
	my $dice = $account->{dice};
	my $place = $class eq 'trip' && $account->{hotel} && $dice->() < 0.8 ? $account->{hotel}
		: $dice->() < 0.6 ? $account->{places}[0] : pick($dice, $account->{places});
	my $count = $dice->() < 0.85 ? 1 : whole($dice, 2, 4);
	my %rcpts;
	for (1 .. $count) {
		if ($dice->() < 0.06) {
			push @{ $account->{contacts} }, my $one = contact($dice);
			$rcpts{$one} = 1;
		} else {	# some are written to more often than others
			$rcpts{ $account->{contacts}[int($dice->() ** 2 * @{ $account->{contacts} })] } = 1;
		}
	}
	my $from = $account->{alias} && $dice->() < 0.15 ? $account->{alias} : $account->{name};
	my $body = $account->{bodies}[$account->{turn}++ % @{ $account->{bodies} }];
	$self->add($account, t => $t, class => $class, rcpts => [sort keys %rcpts], from => $from, message => $body,
		   client => $place->{moves} ? address($place->{place}, $place->{as}, $dice) : $place->{fixed},
		   helo => $account->{helo}, author => $from, mailer => pick($dice, $account->{mailers}));
}

sub add
{
	my ($self, $account, %event) = @_;
	push @{ $self->{events} }, { account => $account, %event };
}

# Each week one issue to all, fifty recipients a message; one in a hundred is new each time.
sub issues_of
{
	my ($self, $account) = @_;
	my $dice = $account->{dice};
	my @readers = map { contact($dice) } 1 .. $self->{list_size};
	my ($weekday, $hour, $address) = (whole($dice, 0, 4), whole($dice, 8, 16), address('office', 60 + $account->{n}, $dice));
	for (my $day = $weekday; $day < $self->{days}; $day += 7) {
		$readers[whole($dice, 0, $#readers)] = contact($dice) for 1 .. $self->{list_size} / 100;
		my $body = $account->{issues}[$account->{issue}++ % @{ $account->{issues} }];
		my $t = $day * DAY + $hour * 3600 + whole($dice, 0, 1800);
		for (my $at = 0; $at < @readers; $at += 50, $t += 20) {
			my $last = $at + 49 < $#readers ? $at + 49 : $#readers;
			$self->add($account, t => $t, class => 'list', rcpts => [@readers[$at .. $last]], from => $account->{name},
				   message => $body, client => $address, helo => sprintf('news.firm%d.example', $account->{n} % 40),
				   author => $account->{name}, mailer => 'Mailman 3.3.8', to => $account->{name});
		}
	}
}

# What the n-th thief does: fast or slow, from one address or fifty, to a clean list or one with dead recipients, as the
# account or as somebody else, with two texts or with fifty.
sub theft
{
	my ($self, $account, $n) = @_;
	my $dice = dice("$self->{seed}:theft:$n");
	my %how = (fast => !($n & 1), fifty => $n >> 1 & 1, dead => $n >> 2 & 1, own => ($n >> 3 ^ $n >> 1) & 1, few => ($n >> 1 ^ $n >> 2) & 1);
	my @spam = @{ $self->{corpus}{spam} };
	my $share = int(@spam / $self->{stolen});
	my @texts = @spam[$n * $share .. ($n + 1) * $share - 1];
	@texts = @texts[0, 1] if $how{few};
	my @clients = map { address('thief', whole($dice, 0, 59), $dice) } 1 .. ($how{fifty} ? 50 : 1);
	my @helo = map { $dice->() < 0.5 ? "[$_]" : pick($dice, ['User', 'localhost', 'WIN-7J2K', 'win-server.local']) } @clients;
	my $start = int(($self->{theft_day} + $dice->() * ($self->{days} - $self->{theft_day} - 1)) * DAY);
	my $foreign = sprintf('sales%d@offers%d.example', $n, $n);
	$account->{theft} = { %how, start => $start, n => $n };
	for my $k (0 .. $self->{ $how{fast} ? 'fast' : 'slow' } - 1) {
		my $who = whole($dice, 0, $#clients);
		my $from = $how{own} ? $account->{name} : $foreign;
		my $dead = $how{dead} && $dice->() < 0.15;
		$self->add($account, t => $start + ($how{fast} ? $k * 3.6 : ($k + 0.5 * $dice->()) * 180), class => 'spam',
			   rcpts => [contact($dice)], from => $from, message => $texts[$k % @texts], client => $clients[$who],
			   helo => $helo[$who], author => $how{own} ? $from : undef, mailer => '', dead => $dead, nth => $k);
	}
}

# "fast, fifty addresses, 15 % dead"
sub theft_words
{
	my ($how) = @_;
	return join ', ', $how->{fast} ? 'fast' : 'slow', $how->{fifty} ? 'fifty addresses' : 'one address',
		$how->{dead} ? '15 % dead' : 'clean list';
}

# DNS zone that tells the AS of each address: rbldnsd's "generic"
sub origin_zone
{
	my @lines;
	for my $place (sort keys %places) {
		push @lines, map { sprintf "*.%d.%d TXT \"%d | %d.%d.0.0/16 | DE | ripencc | 2001-01-01\"", $_, $places{$place},
			64512 + $places{$place} * 100 + $_, $places{$place}, $_ } 0 .. 99;
	}
	return join '', map { "$_\n" } @lines;
}

1;
