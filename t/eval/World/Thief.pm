# SPDX-License-Identifier: BSD-2-Clause
#
# Thief: who sends from an account that is not his. Each kind of theft takes accounts of good kinds; what it does besides
# (dead recipients, as whom, from where) is drawn.
package World::Thief;

use strict;
use warnings;

use World::Dice qw(dice whole pick normal chance some_of);
use World::Net;
use World::Text;
use World::Trade;
use World::Words qw(host_word short_words);

use constant DAY => 86_400;

my @people = qw(office evening role traveller cgnat ipv6 provider typing);

# base: whose accounts; hour: messages an hour; count; text: see texts(); group: the row of the table's targets.
# The ranges are those of Param.
my @kinds = (
	fast => { hour => [500, 1500], count => [200, 400] },
	slow => { hour => [12, 30], count => [120, 200] },
	three => { hour => [2, 4], count => [180, 260], group => 'three' },
	three_unmarked => { hour => [2, 4], count => [180, 260], text => 'unmarked', group => 'three' },
	patient => { hour => [300, 1200], count => [200, 400], before => [8, 14] },
	bought => { base => ['unused'], hour => [30, 400], count => [150, 300], group => 'new' },
	signup => { base => ['signup'], hour => [60, 600], count => [100, 300], group => 'new' },
	hacked_site => { base => ['site'], hour => [15, 600], count => [150, 350], from => 'own place', group => 'hacked' },
	hacked_shop => { base => ['shop'], hour => [15, 600], count => [150, 350], from => 'own place', group => 'hacked' },
	shop_link => { base => ['shop'], hour => [15, 600], count => [150, 350], from => 'own place', text => 'relinked', group => 'hacked' },
	shop_page => { base => ['shop'], hour => [15, 600], count => [150, 350], from => 'own place', text => 'own host', group => 'hacked' },
	neighbour => { hour => [20, 1000], count => [150, 300], from => 'provider' },
	contacts => { hour => [40, 240], count => [80, 160], to => 'contacts', group => 'contacts' },
	contacts_near => { hour => [40, 240], count => [80, 160], to => 'contacts', from => 'provider', group => 'contacts' },
	fifty => { hour => [20, 1000], count => [150, 300], from => 'fifty' },
	new_text => { hour => [20, 1000], count => [150, 300], text => 'new' },
	link => { hour => [20, 1000], count => [150, 300], text => 'link' },
	pdf => { hour => [20, 1000], count => [150, 300], text => 'pdf' },
	many_rcpts => { hour => [10, 60], count => [20, 40], rcpts => 50, group => 'many' },
	gang => { hour => [8, 40], count => [30, 60], gang => 1 },
	dead => { hour => [20, 1000], count => [150, 300], dead => [0.08, 0.3] },
	unmarked => { hour => [20, 1000], count => [150, 300], text => 'unmarked' },
	night => { hour => [60, 400], count => [150, 300], night => 1, from => 'fifty' },
);
my %kind = @kinds;

sub kinds { return @kinds[grep { !($_ & 1) } 0 .. $#kinds] }
sub group_of { return $kind{ $_[0] }{group} // 'strangers' }

# One description for each account that is to be stolen.
sub plan
{
	my ($world) = @_;
	my @plan;
	for my $name (kinds()) {
		my $set = $kind{$name};
		my $bases = $set->{base} // \@people;
		my $of = $set->{gang} ? $world->{gang} : $world->{thieves};
		for my $n (0 .. $of - 1) {
			my $p = World::Param->new("thief:$world->{seed}:$world->{split}:$name:" . ($set->{gang} ? 0 : $n), $world->{split});
			push @plan, { kind => $name, n => $n, base => pick($p->{dice}, $bases), group => $set->{group} // 'strangers' };
		}
	}
	return @plan;
}

# What he says: how many texts there are, and whether a scanner marks them. A sub that gives one.
sub texts
{
	my ($world, $account, $way, $p, $seed) = @_;
	my $dice = dice("spam:$seed");
	my $host = host_word($dice) . '.example';
	if ($way eq 'relinked') {
		my $one = World::Text::relinked(pick($dice, $account->{templates}), $host);
		return sub { { how => 'template', template => $one } };
	}
	my $marked = $way ne 'unmarked' && $p->chance($way =~ /^(?:link|pdf)\z/ ? 0.3 : 0.6);
	my $score = $marked ? $p->range(5, 14) : $p->range(0, 3.4);
	if ($way =~ /^(?:new|link|pdf)\z/) {
		return sub { { how => 'spam', way => $way, host => $way eq 'new' && chance($dice, 0.5) ? host_word($dice) . '.example' : $host, score => $score } };
	}
	my @spam = @{ $world->{corpus}{spam} };
	if (!$way && $p->chance(0.5)) {	# of the corpus, as spamd sees them
		my @own = some_of($dice, $p->choice(1, 2, 4, 40), \@spam);
		return sub { { how => 'whole', one => pick($dice, \@own) } };
	}
	my $count = $p->choice(1, 1, 3, 8);
	my $where = $way eq 'own host' ? $account->{host} : $host;
	my @templates = map { World::Text::make_template("$seed:$_", spam => $way ne 'unmarked' || $dice->() < 0.3, least => 20, most => 160, host => $where, score => $score, spread => 0.5) } 1 .. $count;
	$_->{spam} = 1 for @templates;
	return sub { { how => 'template', template => pick($dice, \@templates) } };
}

# Where he sends from: subs that give client and HELO.
sub places
{
	my ($account, $from, $p, $dice, $careful) = @_;
	return sub { ($account->{server}{client}, $account->{server}{helo}) } if $from eq 'own place' && $account->{server};
	my @clients;
	if ($from eq 'provider') {
		my $place = $account->{people}[0]{places}[0];
		@clients = map { World::Net::neighbour($place, $dice, $p->chance(0.5)) } 1 .. $p->choice(1, 1, 1, 3);
	} else {
		my @near = $p->chance(0.25) ? ('hosting', abroad => 0) : ('thief');
		my $count = $from eq 'fifty' ? 50 : $p->choice(1, 1, 2, 5);
		@clients = map { World::Net::place($dice, @near)->{fixed} } 1 .. $count;
	}
	my $proper = $p->chance(0.4);
	my $owner = $careful && $account->{people} ? $account->{people}[0]{helo} : undef;
	my @helo = map { defined $owner ? $owner : $proper ? "[$_]" : pick($dice, ['User', 'localhost', 'WIN-7J2K', 'win-server.local', '[127.0.0.1]']) } @clients;
	return sub { my $n = whole($dice, 0, $#clients); return ($clients[$n], $helo[$n]) };
}

# Everybody whom the owner knows, or somebody new.
sub victims
{
	my ($account, $set, $dice) = @_;
	return sub { map { World::contact($dice) } 1 .. $set->{rcpts} // 1 } if ($set->{to} // '') ne 'contacts';
	my @book = some_of($dice, 1e6, $account->{contacts});
	my $k = 0;
	return sub { $book[$k++ % @book] };
}

sub start_of
{
	my ($world, $set, $p, $length) = @_;
	my $last = $world->{days} * DAY - $length - 3600;
	my $first = $world->{theft_day} * DAY;
	return $last > $first ? int($first + $p->part * ($last - $first)) : int $last;
}

sub steal
{
	my ($world, $account) = @_;
	my $theft = $account->{theft};
	my ($name, $set) = ($theft->{kind}, $kind{ $theft->{kind} });
	my $seed = "$world->{seed}:$world->{split}:$name:" . ($set->{gang} ? 0 : $theft->{n});
	my $p = World::Param->new("theft:$seed", $world->{split});
	my $dice = dice("theft:$seed:$theft->{n}");
	my $hour = $p->log(@{ $set->{hour} });
	my $count = int $p->log(@{ $set->{count} });
	$count = int($count * ($world->{part} < 0.5 ? 0.5 : $world->{part})) if ($set->{group} // '') !~ /many/;
	$count = int(1.3 * @{ $account->{contacts} }) if ($set->{to} // '') eq 'contacts' && $count > 1.3 * @{ $account->{contacts} };
	my $length = $count * 3600 / $hour;
	my $most = ($world->{days} - $world->{theft_day} - 0.5) * DAY;
	($count, $length) = (int($count * $most / $length), $most) if $length > $most;
	my $start = $theft->{start} = start_of($world, $set, $p, $length);
	$start = $theft->{start} = $start - $start % DAY + int(DAY * (1 + 3 * $p->part) / 24) if $set->{night} && $start % DAY > 5 * 3600;
	$start += whole($dice, 0, 1200) if $set->{gang};
	$account->{created} = $start - int($p->log(1800, 7200)) if $account->{kind} eq 'signup';
	$account->{created} = $p->chance(0.5) ? $start - int($p->log(1, 5) * DAY) : -int($p->log(100, 2000)) * DAY if $account->{kind} eq 'unused';
	my $text = texts($world, $account, $set->{text} // '', $p, $seed);
	my $own_place = ($set->{from} // '') eq 'own place';
	# a careful one writes as the owner, by a program of the same name and with the same HELO
	my $careful = $own_place || $p->chance($set->{before} ? 0.8 : 0.45);
	my $place = places($account, $set->{from} // '', $p, $dice, $careful);
	my $victim = victims($account, $set, $dice);
	my $foreign = !$careful && $p->chance(0.5) ? sprintf('sales%d@%s.example', $theft->{n}, host_word($dice)) : undef;
	my $program = $own_place ? $account->{server}{program} : $careful && $account->{people} ? $account->{people}[0]{programs}[0] : $p->choice(qw(none none phpmailer outlook thunderbird none));
	my $dead = $set->{dead} ? $p->range(@{ $set->{dead} }) : $p->choice(0, 0, 0.02, 0.05);
	my $from = $own_place ? $account->{from} : $account->{name};
	my $nth = 0;
	my $send = sub {
		my ($t, $what, $class, @rcpts) = @_;
		my ($client, $helo) = $place->();
		$world->add($account, t => int $t, class => $class // 'spam', kind => $name, rcpts => [@rcpts ? @rcpts : $victim->()], from => $foreign // $from, author => $what->{how} eq 'whole' && !$foreign && $dice->() < 0.5 ? undef : $foreign // $from,
			    client => $client, helo => $helo, program => $program, text => $what, dead => chance($dice, $dead) ? 1 : 0, nth => $nth++);
	};
	if ($set->{before}) {	# a few a day from his place, before he begins
		my $days = $p->range(@{ $set->{before} });
		$days = $start / DAY - 8 if $start / DAY - $days < 8;
		$days = 2 if $days < 2;
		my $harmless = $p->chance(0.65);	# to mailboxes of his own, or answers to the owner's friends
		my @own = map { World::contact($dice) } 1 .. 3;
		for my $day (0 .. $days - 1) {
			for (1 .. whole($dice, 1, 3)) {
				my $t = $theft->{start} + ($day + $dice->()) * DAY;
				my $nice = { how => 'spam', way => 'new', harmless => 1, host => 'none', score => $dice->() };
				$harmless ? $send->($t, $nice, 'junk', chance($dice, 0.75) || !$account->{contacts} ? pick($dice, \@own) : pick($dice, $account->{contacts})) : $send->($t, $text->());
			}
		}
	}
	$theft->{burst} = $start;
	$send->($start + ($_ + 0.6 * $dice->()) * 3600 / $hour, $text->()) for 0 .. $count - 1;
}

1;
