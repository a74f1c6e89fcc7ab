# SPDX-License-Identifier: BSD-2-Clause
#
# Trade: shops, sites and those who send invoices: few texts, filled in, to people that they never wrote to before.
package World::Trade;

use strict;
use warnings;

use World::Dice qw(dice whole pick normal poisson chance);
use World::Net;
use World::People;
use World::Text;
use World::Words qw(host_word full_name);

use constant DAY => 86_400;

# A program on a web server of this hosting company, or on the customer's own.
sub server
{
	my ($world, $account, @programs) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	my $n = $p->whole(1, 4);
	my $shared = $p->chance(0.5);
	my $place = World::Net::place($shared ? dice("$world->{seed}:server:$n") : $dice, 'hosting');
	$account->{server} = { client => $place->{fixed}, helo => $shared ? "web$n.hoster.example" : "www.$account->{domain}", program => $p->choice(@programs) };
	$account->{host} = $p->chance(0.8) ? "www.$account->{domain}" : host_word($dice) . '.example';
}

sub hour_of_day
{
	my ($dice) = @_;
	my $hour = chance($dice, 0.3) ? 24 * $dice->() : 15.5 + 4.5 * normal($dice);
	return $hour < 0 ? $hour + 24 : $hour >= 24 ? $hour - 24 : $hour;
}

# Orders confirmed, parcels announced; a season of some days with eight times the orders and one more template.
sub shop
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	server($world, $account, qw(phpmailer wordpress symfony magento none lexware));
	my $from = $account->{from} = $p->chance(0.6) ? $account->{name} : "shop\@$account->{domain}";
	my @templates = map { World::Text::make_template("$account->{seed}:$_", host => $account->{host}, rows => $_ < 2 || chance($dice, 0.5)) } 0 .. $p->whole(2, 6);
	$account->{templates} = \@templates;
	my $rate = ($account->{theft} ? $p->log(1.5, 12) : $p->log(2, 45)) * ($world->{part} < 1 ? 0.5 : 1);
	my $first = $p->whole(9, $world->{days} - 4);
	my $last = $first + $p->whole(2, 5);
	my $season = World::Text::make_template("$account->{seed}:season", host => $account->{host}, rows => chance($dice, 0.6));
	my $share = $p->range(0.15, 0.6);
	$account->{season} = [$first * DAY, ($last + 1) * DAY];
	for my $day (0 .. $world->{days} - 1) {
		my $peak = $day >= $first && $day <= $last;
		my $rush = chance($dice, 0.06) ? 24 * $dice->() : undef;	# somebody has spoken of it: half of the day's orders in one hour
		for (1 .. poisson($dice, $rate * ($peak ? $p->range(6.5, 8) : 1) * exp(0.25 * normal($dice)) * ($day % 7 >= 5 ? 1.3 : 1))) {
			my $t = $day * DAY + int(3600 * (defined $rush && chance($dice, 0.5) ? $rush + $dice->() : hour_of_day($dice)));
			my $buyer = World::contact($dice);
			my $order = whole($dice, 10_000, 999_999);
			my $send = sub { my ($when, $template) = @_;
				$world->add($account, t => $when, rcpts => [$buyer], from => $from, %{ $account->{server} }, text => { how => 'template', template => $template, fill => { number => $order } }) };
			$send->($t, $peak && chance($dice, $share) ? $season : $templates[0]);
			$send->($t + int(DAY * (0.3 + 1.7 * $dice->())), pick($dice, [@templates[1 .. $#templates]])) if chance($dice, 0.7);
			$send->($t + int(1800 * $dice->()), $templates[-1]) if chance($dice, 0.15);
		}
	}
	# what was ordered by mistake, what is asked: the owner himself, now and then
	World::People::set_up($account, rate => $p->range(0.2, 2), newness => 0.5);
	World::People::live($world, $account);
}

# One software for all of them: its words are the same on each site, but for the site's name.
sub site
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	server($world, $account, qw(wordpress wordpress drupal contao phpmailer symfony));
	my $software = $p->whole(1, 2);
	my $from = $account->{from} = $p->chance(0.5) ? $account->{name} : "wordpress\@$account->{domain}";
	my %fixed = (least => 25, most => 70, html => 0, encoding => '', score => $p->range(-0.5, 1.8));
	my ($reset, $welcome, $form) = map { World::Text::make_template("$world->{seed}:$world->{split}:software:$software:$_", host => 'HOST', %fixed) } qw(reset welcome form);
	for my $template ($reset, $welcome, $form) {
		$_ = s/HOST/$account->{host}/gr for @{ $template->{paragraphs} };
	}
	$account->{templates} = [$reset, $welcome];
	my $owner = World::contact($dice);
	my $rate = $p->log(1, 15);
	for my $day (0 .. $world->{days} - 1) {
		for (1 .. poisson($dice, $rate * (chance($dice, 0.03) ? 4 : 1))) {
			my $t = $day * DAY + int(3600 * hour_of_day($dice));
			my $what = $dice->();
			if ($what < 0.4) {	# what a visitor typed, to the owner, often with a copy to the visitor
				my $visitor = World::contact($dice);
				my $template = { %$form, paragraphs => [@{ $form->{paragraphs} }, "Message: " . join ' ', World::Words::sentences($dice, whole($dice, 1, 6))] };
				for my $to ($owner, chance($dice, 0.4) ? $visitor : ()) {
					$world->add($account, t => $t, rcpts => [$to], from => $from, %{ $account->{server} }, more => $to eq $owner ? [['Reply-To', $visitor]] : undef,
						    text => { how => 'template', template => $template });
				}
			} else {
				$world->add($account, t => $t, rcpts => [World::contact($dice)], from => $from, %{ $account->{server} },
					    text => { how => 'template', template => $what < 0.75 ? $reset : $welcome });
			}
		}
	}
}

# A firm that writes letters all the month and invoices within an hour or two, to whom it wrote a month ago.
sub invoices
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	World::People::set_up($account, rhythm => 'office', rate => $p->log(1, 6));
	World::People::live($world, $account);
	my @customers = map { World::contact($dice) } 1 .. int($p->log(40, 300) * $world->{part});
	my $template = World::Text::make_template("$account->{seed}:invoice", least => 20, most => 60, html => $p->chance(0.4) ? 1 : 0, pdf => $p->whole(2, 12), host => $account->{domain}, links => []);
	my $one = $account->{people}[0];
	my $program = $p->choice($one->{programs}[0], 'lexware');
	my $day = $p->whole(-6, 9);
	for (; $day < $world->{days}; $day += 28 + whole($dice, 0, 2)) {
		next if $day < 0;
		$day++ while $day % 7 >= 5;
		my $t = $day * DAY + $p->range(8, 17) * 3600;
		my $desk = World::People::desk($account, $one, $t, $program);
		for my $customer (@customers) {
			$t += $p->range(2, 40);
			World::People::letter($world, $account, int $t, $one, rcpts => [chance($dice, 0.04) ? World::contact($dice) : $customer], whence => $desk,
					      text => { how => 'template', template => $template });
		}
	}
}

1;
