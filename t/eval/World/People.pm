# SPDX-License-Identifier: BSD-2-Clause
#
# People: those who write letters, mostly to people they know: in offices and in the evening, several in one mailbox, on
# journeys, on vacation, with a new provider or phone, in another country, on lines that change each day.
package World::People;

use strict;
use warnings;

use World::Dice qw(dice whole pick normal poisson chance some_of);
use World::Net;
use World::Words qw(sentence full_name);

use constant DAY => 86_400;

my @desk = qw(thunderbird thunderbird102 thunderbird91 outlook outlook15 apple apple15 roundcube evolution mutt sogo emclient);
my @phones = qw(iphone iphone17 k9 fair samsung);

# One who sits somewhere: places (the first is where most mail comes from), programs, hours.
sub somebody
{
	my ($account, %set) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	my $rhythm = $set{rhythm} // $p->choice(qw(office office evening both));
	my $line = $set{line} // ($rhythm eq 'office' ? 'fixed' : $p->choice(qw(fixed day fixed v6day fixed)));
	my $kind = $rhythm eq 'office' && $p->chance(0.7) ? 'office' : 'home';
	my @places = (World::Net::place($dice, $kind, line => $line, dual => $set{dual}, as => $set{as}));
	push @places, World::Net::place($dice, 'mobile', line => 'call') if $p->chance(0.55);
	push @places, World::Net::place($dice, $kind eq 'office' ? 'home' : 'office', line => $p->choice(qw(fixed day fixed v6))) if $p->chance(0.4);
	my @programs = ($p->choice(@desk));
	push @programs, $p->choice(@desk) if $p->chance(0.25);
	return { places => \@places, programs => \@programs, phone => $p->choice(@phones), rhythm => $rhythm, main => $p->range(0.55, 0.9),
		 hour => $rhythm eq 'evening' ? $p->range(18, 21) : $p->range(10.5, 14), spread => $p->range(1.2, 2.8),
		 helo => $p->chance(0.5) ? sprintf('[192.168.%d.%d]', whole($dice, 0, 3), whole($dice, 2, 250)) : $p->chance(0.5) ? sprintf('pc-%d.local', $account->{n}) : sprintf('desktop%d', $account->{n}) };
}

sub set_up
{
	my ($account, %set) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	$account->{people} = [map { somebody($account, %set) } 1 .. $set{people} // 1];
	my $robbed = $account->{theft} && $account->{theft}{group} eq 'contacts';	# who has no address book loses none
	my $contacts = $robbed ? $p->whole(60, 140) : $set{contacts} // int($p->log(8, 60));
	$account->{contacts} = [map { World::contact($dice) } 1 .. $contacts];
	$account->{rate} = $set{rate} // $p->log(1.5, 9);	# messages a day
	$account->{newness} = $set{newness} // $p->range(0.02, 0.12);
	$account->{typing} = $set{typing} ? $p->range(0.015, 0.06) : 0.002;
	$account->{many} = $p->range(0.05, 0.2);
	$account->{rich} = $p->chance(0.35) ? $p->range(0.5, 1) : 0;
	$account->{short} = $p->range(0.04, 0.25);
	my $name = full_name($dice);
	$account->{sign} = !$p->chance(0.6) ? '' : "\r\n-- \r\n$name\r\n" . ($p->chance(0.4) ? "Phone +49 " . whole($dice, 1000000, 9999999) . "\r\n" : '')
		. ($p->chance(0.3) ? "https://www.$account->{domain}/\r\n" : '')
		. ($p->chance(0.3) ? World::Text::wrapped(join ' ', map { sentence($dice) } 1 .. whole($dice, 1, 5)) : '');
	$account->{alias} = $p->chance(0.2) ? "info\@$account->{domain}" : undef;
	$account->{phases} = [];
}

# What holds at that time: the account's own, and what a journey or a new line puts in its place.
sub phase
{
	my ($account, $t) = @_;
	my ($found) = grep { $t >= $_->{from} && $t < $_->{to} } reverse @{ $account->{phases} };
	return $found // {};
}

sub hour_of
{
	my ($one, $dice) = @_;
	my $evening = $one->{rhythm} eq 'both' && chance($dice, 0.4);
	my $hour = $evening ? 20 + 1.5 * normal($dice) : $one->{hour} + $one->{spread} * normal($dice);
	return $hour < 0.2 ? 0.2 : $hour > 23.7 ? 23.7 : $hour;
}

# All letters from `first_day` to the end.
sub live
{
	my ($world, $account) = @_;
	my $dice = $account->{dice};
	for my $day ($account->{first_day} .. $world->{days} - 1) {
		my $weekend = $day % 7 >= 5;	# day 0 is a Monday
		my $phase = phase($account, $day * DAY + 12 * 3600);
		my $office = $account->{people}[0]{rhythm} eq 'office';
		my $mean = $account->{rate} * ($weekend ? ($office ? 0.12 : 0.8) : 1) * exp(0.4 * normal($dice)) * (chance($dice, 0.03) ? 3 : 1) * ($phase->{rate} // 1);
		for (1 .. poisson($dice, $mean)) {
			my $one = pick($dice, $account->{people});
			my $hour = hour_of($one, $dice) + ($phase->{hours} // 0);
			my $t = $day * DAY + int(($hour < 0 ? $hour + 24 : $hour >= 24 ? $hour - 24 : $hour) * 3600);
			letter($world, $account, $t, $one);
		}
	}
}

# At his desk, whatever else he carries about.
sub desk
{
	my ($account, $one, $t, $program) = @_;
	return { client => World::Net::address($one->{places}[0], $t, $account->{dice}), helo => $one->{helo}, program => $program // $one->{programs}[0] };
}

# Client, HELO and program of somebody at that time.
sub whence
{
	my ($account, $one, $t) = @_;
	my $dice = $account->{dice};
	my $phase = phase($account, $t);
	my $places = $phase->{places} // $one->{places};
	my $place = chance($dice, $one->{main}) ? $places->[0] : pick($dice, $places);
	my $mobile = $place->{kind} eq 'mobile' || ($phase->{away} && chance($dice, 0.6));
	my $program = $mobile ? $phase->{phone} // $one->{phone} : pick($dice, $phase->{programs} // $one->{programs});
	my $client = World::Net::address($place, $t, $dice);
	my $helo = $program eq 'roundcube' ? 'webmail.hoster.example' : $mobile ? (chance($dice, 0.5) ? "[$client]" : 'localhost') : $one->{helo};
	$helo = "[IPv6:$client]" if $helo eq "[$client]" && $client =~ /:/;
	return (client => $client, helo => $helo, program => $program);
}

sub rcpts_of
{
	my ($account, $count, $newness) = @_;
	my $dice = $account->{dice};
	my %rcpts;
	for (1 .. $count) {
		if (chance($dice, $newness)) {
			push @{ $account->{contacts} }, my $one = World::contact($dice);
			$rcpts{$one} = 1;
		} else {	# some are written to more often than others
			$rcpts{ $account->{contacts}[int($dice->() ** 2 * @{ $account->{contacts} })] } = 1;
		}
	}
	return sort keys %rcpts;
}

sub letter
{
	my ($world, $account, $t, $one, %how) = @_;
	my $dice = $account->{dice};
	my $count = chance($dice, 1 - $account->{many}) ? 1 : whole($dice, 2, 5);
	my @rcpts = $how{rcpts} ? @{ $how{rcpts} } : rcpts_of($account, $count, $how{newness} // $account->{newness});
	my $dead = chance($dice, $account->{typing});
	$rcpts[0] =~ s/^(.)(.)/$2$1$1/ if $dead;
	my $from = $account->{alias} && chance($dice, 0.15) ? $account->{alias} : $account->{name};
	my $text = $how{text} // { how => 'letter', bodies => $account->{bodies}, sign => $account->{sign}, short => $account->{short}, answers => chance($dice, $how{answers} // 0.4),
				   rich => chance($dice, $account->{rich}), pdf => chance($dice, 0.06) ? whole($dice, 2, 12) : 0 };
	$world->add($account, t => $t, rcpts => \@rcpts, from => $from, text => $text, $dead ? (dead => 1, typed => 1) : (), $how{whence} ? %{ $how{whence} } : whence($account, $one, $t));
}

sub person { my ($world, $account, %set) = @_; set_up($account, %set); live($world, $account) }

# Several people answer what comes to one address.
sub role
{
	my ($world, $account) = @_;
	my $p = $account->{p};
	set_up($account, people => $p->whole(3, 6), rate => $p->log(6, 20), newness => $p->range(0.1, 0.35), contacts => $p->whole(30, 150), rhythm => $p->choice('office', 'both'));
	live($world, $account);
}

sub traveller
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	set_up($account);
	for (my $day = $p->whole(5, 12); $day < $world->{days} - 2; $day += $p->whole(5, 12)) {
		my $last = $day + $p->whole(1, 6);
		my @places = (World::Net::place($dice, 'hotel', abroad => $p->chance(0.6)), $p->chance(0.5) ? World::Net::place($dice, 'mobile', line => 'call', abroad => 1) : ());
		push @{ $account->{phases} }, { from => $day * DAY + 6 * 3600, to => $last * DAY, places => \@places, away => 1, hours => $p->whole(-6, 6) };
		$day = $last;
	}
	live($world, $account);
}

# Two weeks of silence, or nearly so; then all that has piled up is answered within hours.
sub vacation
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	set_up($account, contacts => $p->whole(20, 80), line => $p->choice(qw(fixed day day fixed v6day fixed)));
	my $long = $world->{days} < 20 ? $p->whole(5, 6) : $p->whole(9, 16);
	my $leaves = $p->whole(6, $world->{days} - $long - 3);
	my $back = $leaves + $long;
	push @{ $account->{phases} }, { from => $leaves * DAY, to => $back * DAY, rate => $p->chance(0.7) ? 0 : 0.08, away => 1,
					$p->chance(0.5) ? (places => [World::Net::place($dice, 'hotel', abroad => 1)]) : () };
	# some are back, but not at home: at their parents', in another office
	push @{ $account->{phases} }, { from => $back * DAY, to => ($back + $p->whole(1, 4)) * DAY, places => [World::Net::place($dice, $p->choice('home', 'office'), line => $p->choice('fixed', 'day'))] }
		if $p->chance(0.3);
	live($world, $account);
	my $one = $account->{people}[0];
	my $t = $back * DAY + $p->range(7, 19) * 3600;
	my $hours = $p->range(0.5, 4);
	my $newness = $p->range(0.05, 0.4);	# who wrote in the meantime may be new to us
	letter($world, $account, $t + $dice->() * $hours * 3600, $one, answers => 0.9, newness => $newness) for 1 .. $p->whole(15, 40);
}

sub provider
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	set_up($account);
	my $one = $account->{people}[0];
	my (undef, @others) = @{ $one->{places} };
	my $new = World::Net::place($dice, 'home', line => $p->choice(qw(fixed day v6 v6day)));
	push @{ $account->{phases} }, { from => $p->range(8, $world->{days} - 4) * DAY, to => 1e9, places => [$new, @others] };
	live($world, $account);
}

# A new phone, half of the time with a new contract; those who have one write much with it.
sub phone
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	set_up($account);
	my $one = $account->{people}[0];
	my ($mobile) = grep { $_->{kind} eq 'mobile' } @{ $one->{places} };
	$mobile //= World::Net::place($dice, 'mobile', line => 'call');
	my @fixed = grep { $_->{kind} ne 'mobile' } @{ $one->{places} };
	$one->{places} = $p->chance(0.5) ? [$mobile, @fixed] : [@fixed, $mobile];
	my $new = $p->chance(0.5) ? $mobile : World::Net::place($dice, 'mobile', line => 'call');
	my ($other) = grep { $_ ne $one->{phone} } some_of($dice, 2, \@phones);
	push @{ $account->{phases} }, { from => $p->range(8, $world->{days} - 4) * DAY, to => 1e9, places => [map { $_ == $mobile ? $new : $_ } @{ $one->{places} }], phone => $other };
	live($world, $account);
}

sub abroad
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	set_up($account);
	my @places = (World::Net::place($dice, 'home', abroad => 1, line => $p->choice(qw(fixed day v6 fixed))), World::Net::place($dice, 'mobile', abroad => 1, line => 'call'));
	push @{ $account->{phases} }, { from => $p->range(8, $world->{days} - 4) * DAY, to => 1e9, places => \@places, hours => $p->whole(-7, 7),
					$p->chance(0.3) ? (programs => [$p->choice(@desk)]) : () };
	live($world, $account);
}

sub ipv6
{
	my ($world, $account) = @_;
	my $p = $account->{p};
	set_up($account, line => $p->choice(qw(v6 v6 v6day v6day v6net v6)), dual => $p->chance(0.4), rhythm => $p->choice(qw(evening both)));
	live($world, $account);
}

# A customer of this week: everybody whom he writes to is new to us.
sub fresh
{
	my ($world, $account, %set) = @_;
	my $p = $account->{p};
	$account->{first_day} = $set{first_day} // $p->whole(7, $world->{days} - 4);
	$account->{created} = $account->{first_day} * DAY - int($p->log(600, 5 * DAY));
	$account->{created} = undef if $p->chance(0.3);	# no panel that tells
	set_up($account, rate => $p->log(2, 12), newness => $p->range(0.1, 0.3));
	live($world, $account);
}

1;
