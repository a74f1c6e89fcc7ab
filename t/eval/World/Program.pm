# SPDX-License-Identifier: BSD-2-Clause
#
# Program: mail that no person writes, or not by himself: alarms, tickets, forwarded mail.
package World::Program;

use strict;
use warnings;

use World::Dice qw(dice whole pick normal poisson chance);
use World::Net;
use World::People;
use World::Text;
use World::Trade;
use World::Words qw(sentences full_name);

use constant DAY => 86_400;

my @services = qw(HTTP SMTP PING DISK LOAD SSH BACKUP RAID DNS MYSQL CERT NTP);
my @states = qw(CRITICAL WARNING OK UNKNOWN);

# Alarms: a few a day, and hundreds within an hour when something is down.
sub monitor
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	World::Trade::server($world, $account, qw(mailutils snail zabbix none mailutils symfony));
	my @admins = map { World::contact($dice) } 1 .. $p->whole(1, 5);
	my @hosts = map { sprintf '%s%d.%s', pick($dice, [qw(web db mail app gw nas)]), $_, $account->{domain} } 1 .. $p->whole(4, 40);
	my $alarm = sub {
		my ($t) = @_;
		my ($host, $service, $state) = (pick($dice, \@hosts), pick($dice, \@services), pick($dice, \@states));
		my @more = chance($dice, 0.5) ? ("Additional information:", "$service $state - " . whole($dice, 1, 99) . ' % after ' . whole($dice, 1, 300) . ' seconds') : ();
		$world->add($account, t => $t, rcpts => [World::Dice::some_of($dice, whole($dice, 1, scalar @admins), \@admins)], %{ $account->{server} },
			    text => { how => 'plain', subject => "$state: $service on $host", lines => ["Notification type: " . ($state eq 'OK' ? 'RECOVERY' : 'PROBLEM'), "Service: $service", "Host: $host",
				      "State: $state for " . whole($dice, 0, 59) . ' minutes', @more] });
	};
	my $nightly = $p->whole(0, 3);
	my $rate = $p->log(0.5, 8);
	for my $day (0 .. $world->{days} - 1) {
		for my $job (1 .. $nightly) {	# what cron has to say, at the same minute each night
			$world->add($account, t => $day * DAY + 3600 * $job + 300 + whole($dice, 0, 20), rcpts => [$admins[0]], %{ $account->{server} },
				    text => { how => 'plain', subject => "Cron <root\@$hosts[0]> /usr/local/bin/job$job", lines => [map { "job$job: " . whole($dice, 1, 9999) . ' files ' . join ' ', World::Words::rare_word($dice), 'done' } 1 .. whole($dice, 1, 20)] });
		}
		$alarm->($day * DAY + int(DAY * $dice->())) for 1 .. poisson($dice, $rate);
		next if !chance($dice, $p->range(0.03, 0.15));
		my $t = $day * DAY + int(DAY * $dice->());
		my $length = $p->range(600, 5400);
		$alarm->($t + int($length * $dice->())) for 1 .. $p->log(30, 300) * ($world->{part} < 1 ? 0.5 : 1);
	}
}

# A help desk: first an automatic receipt, then answers, partly from a list of ready-made ones.
sub ticket
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	World::Trade::server($world, $account, qw(znuny zammad osticket znuny));
	my $from = $account->{from} = "support\@$account->{domain}";
	my $host = "help.$account->{domain}";
	my $receipt = World::Text::make_template("$account->{seed}:receipt", host => $host, least => 40, most => 90, html => 0);
	my @ready = map { World::Text::make_template("$account->{seed}:ready:$_", host => $host, least => 30, most => 100, html => 0, links => []) } 1 .. $p->whole(5, 15);
	my $sign = "\r\n-- \r\nSupport $account->{domain}\r\n" . World::Text::wrapped(join ' ', sentences($dice, 2));
	my $free = $p->range(0.4, 0.8);
	my $rate = $p->log(3, 30) * ($world->{part} < 1 ? 0.5 : 1);
	for my $day (0 .. $world->{days} - 1) {
		for (1 .. poisson($dice, $rate * ($day % 7 >= 5 ? 0.25 : 1) * (chance($dice, 0.03) ? 3 : 1))) {
			my $asker = World::contact($dice);
			my $t = $day * DAY + int(3600 * World::Trade::hour_of_day($dice));
			my $number = '2031' . whole($dice, 100_000, 999_999);
			my @text = ({ how => 'template', template => $receipt, fill => { number => $number } });
			for (1 .. whole($dice, 1, 3)) {
				push @text, chance($dice, $free) ? { how => 'letter', bodies => $account->{bodies}, sign => $sign, short => 0, answers => 1 }
					: { how => 'template', template => pick($dice, \@ready), fill => { number => $number } };
			}
			for my $text (@text) {
				$world->add($account, t => $t, rcpts => [$asker], from => $from, %{ $account->{server} }, text => $text);
				$t += int(600 + DAY * 0.8 * $dice->() ** 2);
			}
		}
	}
}

# All that somebody gets goes on to another mailbox of his, some spam as well (class junk: nobody minds how it leaves).
sub forward
{
	my ($world, $account) = @_;
	my ($dice, $p) = @$account{qw(dice p)};
	World::Trade::server($world, $account, qw(none symfony));
	my @to = map { World::contact($dice) } 1 .. $p->choice(1, 1, 2, 3);
	my @writers = map { { name => World::contact($dice), program => pick($dice, [World::Dress::names()]), sign => "\r\n-- \r\n" . full_name($dice) . "\r\n" } } 1 .. $p->whole(20, 120);
	my $rewrites = $p->chance(0.5);
	my $rate = $p->log(3, 25) * ($world->{part} < 1 ? 0.5 : 1);
	my $junk = $p->range(0, 0.06);
	my @spam = @{ $world->{corpus}{spam} };
	for my $day (0 .. $world->{days} - 1) {
		for (1 .. poisson($dice, $rate)) {
			my $writer = chance($dice, 0.7) ? pick($dice, \@writers) : { name => World::contact($dice), program => 'none', sign => '' };
			my $bad = chance($dice, $junk);
			my $text = $bad ? { how => 'whole', one => pick($dice, \@spam) } : @{ $account->{issues} } && chance($dice, 0.25) ? { how => 'whole', one => pick($dice, $account->{issues}) }
				: { how => 'letter', bodies => $account->{bodies}, sign => $writer->{sign}, answers => chance($dice, 0.4), rich => chance($dice, 0.3) };
			my $srs = $writer->{name} =~ s/^(.*)@(.*)$/SRS0=ab=cd=$2=$1\@$account->{domain}/r;
			$world->add($account, t => $day * DAY + int(3600 * World::Trade::hour_of_day($dice)), class => $bad ? 'junk' : 'program', rcpts => [@to],
				    from => $rewrites ? $srs : $writer->{name}, author => $writer->{name}, to => $account->{name}, client => $account->{server}{client},
				    helo => $account->{server}{helo}, program => $writer->{program}, text => $text);
		}
	}
}

1;
