# SPDX-License-Identifier: BSD-2-Clause
#
# World: who sends what, when, from where and to whom, in weeks of simulated time. All of it follows from the seed, and
# --split takes another half of each parameter's range.
#
# Each account is of one kind; the table names the generator of each. An event is one message: t (seconds since the
# beginning), account, class (person, shop, bulk, program, junk, spam), kind, rcpts, from, author, client, helo, program,
# text (see World::Text), dead, nth. Kinds of thieves stand in World::Thief.
package World;

use strict;
use warnings;

use Digest::SHA ();
use World::Bulk;
use World::Dice qw(dice whole pick normal poisson chance);
use World::Dress;
use World::Net;
use World::People;
use World::Program;
use World::Text;
use World::Thief;
use World::Trade;

use constant DAY => 86_400;

# kind => class, generator, and what is particular about it
my @kinds = (
	office => ['person', \&World::People::person, { rhythm => 'office' }],
	evening => ['person', \&World::People::person, { rhythm => 'evening' }],
	role => ['person', \&World::People::role],
	traveller => ['person', \&World::People::traveller],
	vacation => ['person', \&World::People::vacation],
	provider => ['person', \&World::People::provider],
	phone => ['person', \&World::People::phone],
	abroad => ['person', \&World::People::abroad],
	cgnat => ['person', \&World::People::person, { line => 'day' }],
	ipv6 => ['person', \&World::People::ipv6],
	fresh => ['person', \&World::People::fresh],
	typing => ['person', \&World::People::person, { typing => 1 }],
	shop => ['shop', \&World::Trade::shop],
	site => ['shop', \&World::Trade::site],
	invoices => ['shop', \&World::Trade::invoices],
	club => ['bulk', \&World::Bulk::club],
	announce => ['bulk', \&World::Bulk::announce],
	newsletter => ['bulk', \&World::Bulk::newsletter],
	moving_in => ['bulk', \&World::Bulk::moving_in],
	sales => ['bulk', \&World::Bulk::sales],
	list => ['bulk', \&World::Bulk::mailing_list],
	monitor => ['program', \&World::Program::monitor],
	ticket => ['program', \&World::Program::ticket],
	forward => ['program', \&World::Program::forward],
);
my %kind = @kinds;

sub kinds { return @kinds[grep { !($_ & 1) } 0 .. $#kinds] }
sub class_of { return ($kind{ $_[0] } // ['person'])->[0] }

# set: seed, split, days, theft_day, each (accounts a kind), thieves (accounts a kind of thief), gang (accounts of one
# campaign), part (how much of the volume of shops, lists and thieves), corpus
sub new
{
	my ($class, %set) = @_;
	my $self = bless { %set, accounts => [], events => [] }, $class;
	for my $kind (kinds()) {
		$self->account($kind) for 1 .. $self->{each};
	}
	my @thefts = World::Thief::plan($self);
	$self->account($_->{base}, $_) for @thefts;
	$self->deal;
	for my $account (@{ $self->{accounts} }) {
		my (undef, $make, $how) = @{ $kind{ $account->{kind} } // [undef, sub { }] };
		$make->($self, $account, %{ $how // {} });
		World::Thief::steal($self, $account) if $account->{theft};
	}
	my $order = 0;
	for my $event (@{ $self->{events} }) {
		$event->{order} = $order++;
		$event->{t} = int $event->{t};
	}
	my $end = $self->{days} * DAY;
	$self->{events} = [sort { $a->{t} <=> $b->{t} || $a->{order} <=> $b->{order} } grep { $_->{t} >= 0 && $_->{t} < $end } @{ $self->{events} }];
	return $self;
}

sub account
{
	my ($self, $kind, $theft) = @_;
	my $n = @{ $self->{accounts} };
	my $seed = "$self->{seed}:$self->{split}:$n:$kind";
	my $p = World::Param->new("param:$seed", $self->{split});
	my $domain = $p->chance(0.3) ? sprintf('firm%d.example', $n % 25) : sprintf('own%d.example', $n);
	my $account = { n => $n, kind => $kind, seed => $seed, p => $p, dice => dice("life:$seed"), theft => $theft, domain => $domain,
			name => sprintf('user%d@%s', $n, $domain), created => -int($p->log(60, 3000)) * DAY, first_day => 0, serial => 0 };
	push @{ $self->{accounts} }, $account;
	return $account;
}

# Somebody else in the world: half of them are at a few big providers.
sub contact
{
	my ($dice) = @_;
	return sprintf 'p%d@%s', whole($dice, 1, 9_999_999), chance($dice, 0.45) ? sprintf('mail%d.example', whole($dice, 1, 6)) : sprintf('dest%d.example', whole($dice, 1, 900));
}

# Each body of the corpus is one account's: two accounts that send the same would be a campaign of our own making.
sub deal
{
	my ($self) = @_;
	my @accounts = @{ $self->{accounts} };
	my (@plain, @other);
	for my $message (@{ $self->{corpus}{ham} }) {
		my %field = map { lc $_->[0] => lc $_->[1] } @{ $message->{header} };
		my $is_plain = ($field{'content-type'} // 'text/plain') =~ m{^\s*text/plain} && ($field{'content-transfer-encoding'} // '7bit') =~ /^\s*[78]bit/;
		push @{ $is_plain ? \@plain : \@other }, $message;
	}
	push @{ $accounts[$_ % @accounts]{bodies} }, $plain[$_] for 0 .. $#plain;
	$_->{bodies} ||= [$plain[$_->{n} % @plain]] for @accounts;
	my @hard = (@{ $self->{corpus}{hard} }, @other);
	my @takers = grep { $_->{kind} =~ /^(?:newsletter|moving_in|forward|list)\z/ } @accounts;
	push @{ $takers[$_ % @takers]{issues} }, $hard[$_] for 0 .. $#hard;
	$_->{issues} ||= [] for @accounts;
}

# How many of the addresses that good mail goes to are dead, by kind: what strangers typed in, old lists.
my %dead = (shop => 0.006, site => 0.012, invoices => 0.004, club => 0.004, announce => 0.02, newsletter => 0.002, moving_in => 0.004, sales => 0.03, list => 0.0005,
	    ticket => 0.005);

# One more message of an account. text without seed: a text of its own.
sub add
{
	my ($self, $account, %event) = @_;
	my $text = $event{text};
	$text->{seed} //= sprintf '%s:%d', $account->{seed}, $account->{serial};
	$account->{serial}++;
	$event{dead} //= 1 if $dead{ $account->{kind} } && ($event{class} // '') ne 'spam' && chance($account->{dice}, $dead{ $account->{kind} } * @{ $event{rcpts} });
	push @{ $self->{events} }, { account => $account, class => class_of($account->{kind}), kind => $account->{kind}, from => $account->{name}, dead => 0,
				     author => $event{from} // $account->{name}, %event };
}

# What the MTA and the scanner see: { id, header, body, score, rules, spam }. $start: Unix time of the beginning.
sub message
{
	my ($event, $start) = @_;
	my $message = World::Text::message($event->{text});
	my $dice = dice("dress:$event->{account}{seed}:$event->{order}");
	my $domain = $event->{from} =~ s/.*\@//r || 'localhost.localdomain';
	my $to = $event->{to} // join ', ', @{ $event->{rcpts} };
	my $dress = { from => $event->{author}, to => $to, date => Corpus::date($start + $event->{t}), fields => [World::Dress::fields($event->{program}, $domain, $dice)],
		      own => $event->{text}{how} ne 'whole' || $message->{kind} ne 'spam', more => $event->{more} };
	my $header = Corpus::header($message, $dress);
	push @$header, ['X-Eval-Score', "$message->{score} " . ($message->{rules} || 'none')];
	return { %$message, header => $header, spam => $event->{class} =~ /^(?:spam|junk)\z/ ? 1 : 0 };
}

1;
