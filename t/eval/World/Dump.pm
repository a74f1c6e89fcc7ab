# SPDX-License-Identifier: BSD-2-Clause
#
# Dump: a world as files, for programs that judge it without a daemon. README tells the form.
package World::Dump;

use strict;
use warnings;

use World;
use World::Dress;
use World::Fate;
use World::Net;

sub open_out
{
	my ($path) = @_;
	open my $out, '>:raw', $path or die "$path: $!\n";
	return $out;
}

sub row { my ($out, @cells) = @_; print $out join("\t", map { $_ // '-' } @cells), "\n" }

# What is told of an account: seconds after the message, and what; '?' where the reply could mean anything.
sub told
{
	my @told;
	for my $one (@_) {
		push @told, sprintf '%d:%s%s', $one->{t}, $one->{end} eq 'content' ? 'refused' : 'dead', $one->{vague} ? '?' : '' if $one->{end} =~ /^(?:dead|content)\z/;
		push @told, sprintf '%d:complaint', $one->{complaint} if $one->{complaint};
	}
	return @told;
}

sub write
{
	my ($world, $start, $folder) = @_;
	mkdir $folder;
	my %file = map { $_ => open_out("$folder/$_") } qw(world.tsv accounts.tsv networks.tsv events.tsv messages.tsv messages.bin);
	row($file{'world.tsv'}, $_->[0], $_->[1]) for ['start', $start], map { [$_, $world->{$_}] } qw(seed split days theft_day);
	for my $account (@{ $world->{accounts} }) {
		my $theft = $account->{theft};
		row($file{'accounts.tsv'}, @$account{qw(name kind)}, defined $account->{created} ? $start + $account->{created} : undef,
		    $theft ? ($start + $theft->{start}, @$theft{qw(kind group)}) : ());
	}
	for my $line (map { split /\n/ } World::Net::origin_zones()) {
		my ($prefix, $as, $country) = $line =~ /^(\S+) :127\.0\.0\.2:(\d+) \| \S+ \| (\w\w)/ or next;
		row($file{'networks.tsv'}, $prefix, $as, $country);
	}
	my ($at, %seen) = (0);
	my $fate = World::Fate->new($world);
	for my $event (@{ $world->{events} }) {
		my $message = World::message($event, $start);
		my ($author) = map { $_->[1] } grep { lc $_->[0] eq 'from' } @{ $message->{header} };
		my ($mailer) = map { $_->[1] } grep { $_->[0] =~ /^(?:x-mailer|user-agent)\z/i } @{ $message->{header} };
		row($file{'events.tsv'}, $start + $event->{t}, $event->{account}{name}, @$event{qw(kind class nth)}, $event->{dead} ? 1 : 0, @$event{qw(client helo from)},
		    map({ defined && /\S/ ? s/[\t\r\n]+/ /gr : '-' } $author, $message->{id}, $mailer), join(',', @{ $event->{rcpts} }),
		    join(',', told($fate->of($event, $message->{score}))) || undef);
		next if $seen{ $message->{id} }++;
		my $header = join('', map { "$_->[0]: " . ($_->[1] =~ s/\r?\n/\r\n/gr) . "\r\n" } @{ $message->{header} }) . "\r\n";
		print { $file{'messages.bin'} } $header, $message->{body};
		row($file{'messages.tsv'}, $message->{id}, $at, length $header, length $message->{body}, $message->{score}, $message->{spam}, $message->{rules} || 'none');
		$at += length($header) + length $message->{body};
	}
	for my $name (keys %file) {
		close $file{$name} or die "$folder/$name: $!\n";
	}
}

1;
