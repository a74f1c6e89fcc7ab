# SPDX-License-Identifier: BSD-2-Clause
#
# Fate: what becomes of a message at each of its recipients: who does not exist, which server refuses the text, whose
# mailbox is full, who is tried again, who complains. It is drawn by the seed with dice of its own, so that all else in the
# world is the same with and without it.
package World::Fate;

use strict;
use warnings;

use Digest::SHA ();
use World::Dice qw(dice pick normal chance);

# Of good accounts, by kind: the share of recipients that do not exist; with `list` of addresses that are written to again
# and again, until somebody takes a dead one off, after so many tries; and how many of a thousand complain.
my %of_class = (person => { dead => [0.004, 0.016] }, shop => { dead => [0.02, 0.04] }, bulk => { dead => [0.01, 0.03] }, program => { dead => [0, 0.01] });
my %of_kind = (
	typing => { dead => [0.004, 0.01] },	# besides what is mistyped
	role => { dead => [0.005, 0.02] },
	invoices => { dead => [0.01, 0.03] },
	club => { dead => [0.01, 0.04], list => [1, 1, 3, 3, 99] },
	announce => { dead => [0.02, 0.06] },	# everybody of whom one ever had the address
	newsletter => { dead => [0.02, 0.04], list => [1, 1, 3, 3, 99, 99], complain => [0.2, 1] },
	moving_in => { dead => [0.02, 0.05], list => [1, 1, 3, 3], complain => [0.5, 2] },
	sales => { dead => [0.03, 0.08], complain => [2, 8] },
	list => { dead => [0.002, 0.01], list => [3, 3, 5, 5] },
	monitor => { dead => [0, 0] },
	forward => { dead => [0, 0.002] },
);
# Of thieves: whose lists are bought, old, or the owner's; what he writes to whom he knows is answered by more of them.
my $bought = { dead => [0.05, 0.30], complain => [3, 20] };
my %of_thief = (
	dead => { dead => [0.25, 0.5], complain => [3, 20] },
	contacts => { dead => [0.004, 0.016], complain => [1, 6] },
	contacts_near => { dead => [0.004, 0.016], complain => [1, 6] },
	many_rcpts => { dead => [0.05, 0.25], complain => [3, 20] },
);

# Receivers of much mail. limit: the score from which a text is refused, by a filter that sees each score a little
# otherwise; knows: the share of spam that it refuses whatever the score; errs: of good mail; tells: the operator gets
# complaints. Replies are in each one's form; one that is "vague" could mean anything.
my %large = (
	'mail1.example' => { host => 'gmail-smtp-in.l.google.com', limit => 7, knows => 0.25, errs => 0.0004, dead => '550-5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 Look for typos. - gsmtp',
			     content => '550-5.7.1 [192.0.2.11] We think that this is likely unsolicited mail. 550 5.7.1 x1 - gsmtp' },
	'mail2.example' => { host => 'outlook-com.olc.protection.outlook.com', limit => 99, knows => 0, errs => 0, tells => 1, dead => '550 5.5.0 Not taken: mailbox unavailable (S2031010600).', content => '' },
	'mail3.example' => { host => 'mta5.am0.yahoodns.net', limit => 8, knows => 0.15, errs => 0.0004, tells => 1, dead => "554 delivery error: dd This user doesn't have a mailbox here.",
			     content => '554 5.7.9 [PH01] Not accepted for what it says' },
	'mail4.example' => { host => 'mx00.gmx.net', limit => 7, knows => 0.2, errs => 0.0006, tells => 1, dead => '550-Not taken 550 mailbox unavailable', content => '554-Failed 554 Reject for unwanted content' },
	'mail5.example' => { host => 'firm.mail.protection.outlook.com', limit => 99, knows => 0, errs => 0, dead => '550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [X1.example]', content => '' },
	'mail6.example' => { host => 'mx.mail6.example', limit => 99, knows => 0.05, errs => 0, tells => 1, dead => '550 5.1.1 <RCPT>: Recipient address rejected: User unknown in virtual mailbox table',
			     content => '554 5.7.1 Message rejected as spam by Content Filtering.' },
);
my @small_dead = ('550 5.1.1 <RCPT>: Recipient address rejected: User unknown in virtual mailbox table', '550 5.1.1 <RCPT>: User unknown', '550 No such user here',
		  '550 5.1.1 <RCPT>... User unknown', '550 <RCPT> gibt es hier nicht', '550 #5.1.0 Address rejected.');
my @small_content = ('554 5.7.1 Spam message rejected', '550 5.7.1 Blocked by SpamAssassin', '554 5.7.1 Message rejected as spam by Content Filtering.', '550 High probability of spam',
		     '550 5.7.1 Message rejected by policy', '554 5.7.1 Not accepted');
my %vague = map { $_ => 1 } @small_dead[4, 5], @small_content[4, 5];	# nobody can say from these what is meant

# One is made for each way through the world: it counts who was tried how often.
sub new
{
	my ($class, $world) = @_;
	return bless { world => $world, tried => {}, account => {} }, $class;
}

sub drawn
{
	my ($world, $seed, $set) = @_;
	my $p = World::Param->new("fate:$seed", $world->{split});
	my %fate = (dead => $p->range(@{ $set->{dead} }), complain => $set->{complain} ? $p->log(@{ $set->{complain} }) / 1000 : 0, seed => $seed);
	$fate{tries} = $p->choice(@{ $set->{list} }) if $set->{list};
	return \%fate;
}

# Of an account itself, and of its thief.
sub of_account
{
	my ($self, $account, $by_thief) = @_;
	my ($world, $theft) = ($self->{world}, $account->{theft});
	my $key = $by_thief ? "$account->{name}:thief" : $account->{name};
	return $self->{account}{$key} //= $by_thief ? drawn($world, "thief:$account->{seed}", $of_thief{ $theft->{kind} } // $bought)
		: drawn($world, $account->{seed}, { %{ $of_class{ World::class_of($account->{kind}) } }, %{ $of_kind{ $account->{kind} } // {} } });
}

# The same for all who write there: { host, limit, knows, errs, tells, grey (seconds), away }.
my %small;
sub receiver
{
	my ($domain) = @_;
	return $large{$domain} if $large{$domain};
	return $small{$domain} //= do {
		my $dice = dice("receiver:$domain");
		my $filter = $dice->();
		{ host => "mx.$domain", limit => $filter < 0.4 ? 99 : $filter < 0.75 ? 8 + $dice->() : $filter < 0.9 ? 6.5 : 5.5, knows => $filter < 0.4 ? 0 : 0.03, errs => $filter < 0.4 ? 0 : 0.0005,
		  dead => pick($dice, \@small_dead), content => pick($dice, \@small_content), chance($dice, 0.12) ? (grey => 300 + 900 * $dice->()) : (), chance($dice, 0.005) ? (away => 1) : () }
	};
}

sub is_dead
{
	my ($self, $event, $fate, $rcpt, $drawn, $first) = @_;
	return 1 if $event->{typed} && $first;
	return $drawn < $fate->{dead} if !$fate->{tries};
	my $of_address = unpack('N', Digest::SHA::sha1("dead:$fate->{seed}:$rcpt")) / 2 ** 32;
	return $of_address < $fate->{dead} && $self->{tried}{ $fate->{seed} }{$rcpt}++ < $fate->{tries};
}

# What becomes of an event that has left, in the order of its recipients: { rcpt, host, t (seconds from now), end (sent, dead,
# content, full, away), vague, reply, stage, grey (a first try, at once, said later), complaint (seconds from now; undef: none) }.
# $score: what a scanner says of its text.
sub of
{
	my ($self, $event, $score) = @_;
	my $by_thief = $event->{class} eq 'spam' || ($event->{class} eq 'junk' && $event->{account}{theft} && $event->{kind} eq $event->{account}{theft}{kind});
	my $fate = $self->of_account($event->{account}, $by_thief);
	my $dice = dice("fate:$event->{account}{seed}:$event->{order}");
	my $spam = $event->{class} =~ /^(?:spam|junk)\z/;
	my @all;
	for my $rcpt (@{ $event->{rcpts} }) {
		my $to = receiver($rcpt =~ s/.*\@//r);
		# always as many of the dice, whatever comes of it
		my ($wait, $dead, $known, $seen, $full, $complains, $when) = ($dice->(), $dice->(), $dice->(), normal($dice), $dice->(), $dice->(), $dice->());
		my %one = (rcpt => $rcpt, host => $to->{host}, t => 0.5 * 60 ** $wait, end => 'sent', reply => '250 2.0.0 OK', stage => 'end of DATA');
		push @all, \%one;
		if ($to->{away}) {
			@one{qw(end t reply)} = ('away', 30, "connect to $to->{host}\[192.0.2.25]:25: Connection timed out");
			next;
		}
		if ($to->{grey} && !$self->{grey}{"$rcpt $event->{from}"}++) {
			@one{qw(grey t)} = ($one{t}, $to->{grey});
		}
		if ($self->is_dead($event, $fate, $rcpt, $dead, @all == 1)) {
			@one{qw(end vague reply stage)} = ('dead', $vague{ $to->{dead} }, $to->{dead} =~ s/RCPT/$rcpt/r, 'RCPT TO');
		} elsif ($full < 0.003) {
			@one{qw(end reply stage)} = ('full', '552 5.2.2 This mailbox has no room', 'RCPT TO');
		} elsif ($score + $seen >= $to->{limit} || $known < ($spam ? $to->{knows} : $to->{errs})) {
			@one{qw(end vague reply)} = ('content', $vague{ $to->{content} }, $to->{content});
		} elsif ($to->{tells} && $complains < $fate->{complain}) {
			$one{complaint} = $one{t} + 600 * 72 ** $when;	# ten minutes to half a day
		}
	}
	return @all;
}

1;
