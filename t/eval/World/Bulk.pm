# SPDX-License-Identifier: BSD-2-Clause
#
# Bulk: one text to many. Clubs, announcements, newsletters, mailing lists, and people who sell by letters to strangers.
package World::Bulk;

use strict;
use warnings;

use World::Dice qw(dice whole pick normal poisson chance);
use World::Net;
use World::People;
use World::Text;
use World::Trade;
use World::Words qw(full_name);

use constant DAY => 86_400;

# All of @$rcpts, `at_once` a message.
sub to_all
{
	my ($world, $account, $t, $rcpts, $at_once, $gap, %event) = @_;
	my @rest = @$rcpts;
	for (my $k = 0; @rest; $k++) {
		my @some = splice @rest, 0, $at_once;
		$world->add($account, t => int($t + $k * $gap), rcpts => \@some, $at_once > 1 ? (to => $account->{name}) : (), %event, text => { %{ $event{text} } });
	}
}

# The secretary of a club: a person who writes to all members every some weeks, sometimes from where he happens to be.
sub club
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	World::People::set_up($account, rate => $p->log(0.5, 3));
	World::People::live($world, $account);
	my @members = map { World::contact($dice) } 1 .. $p->whole(40, 200);
	splice @members, 0, 20, @{ $account->{contacts} }[0 .. 7];
	my $at_once = $p->chance(0.5) ? 50 : 1;
	my $one = $account->{people}[0];
	for (my $day = $p->whole(0, 12); $day < $world->{days}; $day += $p->whole(6, 18)) {
		my $t = $day * DAY + $p->range(9, 22) * 3600;
		my %whence = World::People::whence($account, $one, $t);
		if ($p->chance(0.35)) {
			my $place = World::Net::place($dice, $p->choice('home', 'hotel', 'mobile', 'office'), abroad => $p->chance(0.15));
			$whence{client} = World::Net::address($place, $t, $dice);
		}
		my $text = { how => 'letter', bodies => $account->{bodies}, sign => $account->{sign}, short => 0, seed => "$account->{seed}:news:$day", pdf => $p->chance(0.4) ? $p->whole(2, 9) : 0 };
		to_all($world, $account, $t, \@members, $at_once, $at_once > 1 ? 15 : $p->range(1, 20), %whence, text => $text);
		splice @members, whole($dice, 0, $#members), 1, World::contact($dice);
	}
}

# "Our new address": the first thing that a new account does is to tell everybody.
sub announce
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	my $day = $p->whole(8, $world->{days} - 3);
	$account->{first_day} = $day;
	$account->{created} = $day * DAY - int($p->log(3600, 5 * DAY));
	$account->{created} = undef if $p->chance(0.2);
	World::People::set_up($account, rate => $p->log(1.5, 6), newness => 0.15);
	World::People::live($world, $account);
	my @friends = map { World::contact($dice) } 1 .. $p->whole(60, 150);
	my $at_once = $p->choice(1, 10, 1, 25);
	my $t = $day * DAY + $p->range(9, 21) * 3600;
	my %whence = World::People::whence($account, $account->{people}[0], $t);
	to_all($world, $account, $t, \@friends, $at_once, $at_once > 1 ? 60 : $p->range(2, 60), %whence,
	       text => { how => 'letter', short => 0, sign => $account->{sign}, seed => "$account->{seed}:new" });
	push @{ $account->{contacts} }, @friends;
}

# Each issue has its own text.
sub issue
{
	my ($account, $k, $host) = @_;
	my $own = $account->{issues};
	return { how => 'whole', one => $own->[$k % @$own], seed => "$account->{seed}:issue:$k" } if @$own > 3 && $account->{p}->chance(0.5);
	return { how => 'template', template => World::Text::make_template("$account->{seed}:issue:$k", host => $host, least => 120, most => 400, html => 1, outliers => 0),
		 seed => "$account->{seed}:issue:$k" };
}

sub newsletter
{
	my ($world, $account, %set) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	World::Trade::server($world, $account, qw(phplist mailpoet acymailing phpmailer symfony mailman));
	my @readers = map { World::contact($dice) } 1 .. ($set{readers} // int($p->log(150, 4000) * $world->{part}) + 20);
	my $at_once = $set{at_once} // (@readers < 500 && $p->chance(0.5) ? 1 : $p->whole(20, 50));
	my $k = 0;
	for (my $day = $set{day} // $p->whole(0, 6); $day < $world->{days}; $day += $set{every} // $p->choice(7, 7, 4, 7, 14, 7)) {
		$readers[whole($dice, 0, $#readers)] = World::contact($dice) for 1 .. @readers / 100;
		my $t = $day * DAY + $p->range(7, 18) * 3600;
		to_all($world, $account, $t, \@readers, $at_once, $p->range(3, 25), from => $account->{name}, %{ $account->{server} }, more => [['List-Unsubscribe', "<https://$account->{host}/off>"]],
		       text => issue($account, $k++, $account->{host}));
	}
}

# One that comes from another provider: made some days ago, then thousands of strangers.
sub moving_in
{
	my ($world, $account) = @_;
	my $p = $account->{p};
	my $day = $p->whole(8, $world->{days} - 6);
	$account->{created} = $day * DAY - int($p->log(0.5, 8) * DAY);
	newsletter($world, $account, day => $day, every => $p->whole(3, 7), readers => int($p->log(600, 2500) * $world->{part}) + 100, at_once => 50);
}

# Twenty to forty letters a day to people who have not asked, one after the other, half of them the same but for the name.
sub sales
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	World::People::set_up($account, rhythm => 'office', rate => $p->log(2, 6));
	World::People::live($world, $account);
	my $one = $account->{people}[0];
	my $rate = $p->range(20, 40) * ($world->{part} < 1 ? 0.5 : 1);
	my @templates = map { World::Text::make_template("$account->{seed}:pitch:$_", least => 50, most => 120, html => $p->chance(0.3) ? 1 : 0, host => "www.$account->{domain}") } 0 .. $p->whole(0, 2);
	my $share = $p->range(0.3, 0.7);
	for my $day (grep { $_ % 7 < 5 } 0 .. $world->{days} - 1) {
		push @templates, World::Text::make_template("$account->{seed}:pitch:d$day", least => 50, most => 120, host => "www.$account->{domain}") if chance($dice, 0.04);
		for (1 .. poisson($dice, $rate)) {
			my $t = $day * DAY + int(3600 * (9 + 8 * $dice->()));
			World::People::letter($world, $account, $t, $one, rcpts => [World::contact($dice)], whence => World::People::desk($account, $one, $t), chance($dice, $share) ? (text => { how => 'template', template => pick($dice, \@templates) }) : (answers => 0));
		}
	}
}

# What one of them writes goes to all.
sub mailing_list
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	World::Trade::server($world, $account, qw(mailman));
	my $list = "list$account->{n}";
	my @readers = map { World::contact($dice) } 1 .. $p->whole(50, 300) * ($world->{part} < 1 ? 0.5 : 1);
	my @posters = map { { name => pick($dice, \@readers), sign => "\r\n-- \r\n" . full_name($dice) . "\r\n" } } 1 .. 5 + @readers / 10;
	my $foot = "_______________________________________________\r\n$list mailing list\r\nhttps://lists.$account->{domain}/$list\r\n";
	my $rate = $p->log(0.7, 8) * ($world->{part} < 1 ? 0.4 : 1);
	for my $day (0 .. $world->{days} - 1) {
		for (1 .. poisson($dice, $rate * exp(0.6 * normal($dice)))) {
			my $poster = pick($dice, \@posters);
			my $t = $day * DAY + int(3600 * World::Trade::hour_of_day($dice));
			my $text = { how => 'letter', bodies => $account->{bodies}, sign => $poster->{sign} . $foot, answers => chance($dice, 0.6), seed => "$account->{seed}:post:$t" };
			to_all($world, $account, $t, \@readers, 50, 1, from => "$list-bounces\@$account->{domain}", author => $poster->{name}, to => "$list\@$account->{domain}",
			       %{ $account->{server} }, text => $text, more => [['List-Id', "<$list.$account->{domain}>"], ['Precedence', 'list']]);
		}
		$readers[whole($dice, 0, $#readers)] = World::contact($dice) if chance($dice, 0.3);
	}
}

1;
