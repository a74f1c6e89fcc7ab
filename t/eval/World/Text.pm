# SPDX-License-Identifier: BSD-2-Clause
#
# Text: what a message says. An event carries a description (how, seed, whose); message() makes of it { kind, id, header,
# body, score, rules } when it is sent, the same each time. People's letters have a beginning of their own before a piece
# of the corpus; shops and programs fill in templates. A text that is not the corpus's has a score that is drawn.
package World::Text;

use strict;
use warnings;

use Digest::SHA ();
use MIME::Base64 ();
use MIME::QuotedPrint ();

use World::Dice qw(dice whole pick normal chance);
use World::Words qw(sentence sentences offer short_words first_name full_name product host_word);

my %makers = (letter => \&letter, whole => \&whole_one, template => \&from_template, spam => \&spam, plain => \&plain);

sub message
{
	my ($text) = @_;
	my $message = $makers{ $text->{how} }->($text, dice("text:$text->{seed}"));
	$message->{id} //= Digest::SHA::sha1_hex("$text->{how}:$text->{seed}");
	$message->{kind} //= 'ham';
	return $message;
}

# A message of the corpus as it is.
sub whole_one { my ($text) = @_; return $text->{one} }

# A score of a good text: mostly below 1, one of a hundred up to 4, one of a thousand above the threshold.
sub good_score
{
	my ($dice) = @_;
	my $luck = $dice->();
	return sprintf '%.1f', $luck < 0.001 ? 4.5 + 2 * $dice->() : $luck < 0.012 ? 1.5 + 2.5 * $dice->() : -0.6 + 1.6 * $dice->();
}

# Lines of 76, CRLF.
sub wrapped
{
	my ($words) = @_;
	my ($out, $line) = ('', '');
	for my $word (split ' ', $words) {
		if (length($line) + length($word) > 75) {
			$out .= "$line\r\n";
			$line = $word;
		} else {
			$line .= $line eq '' ? $word : " $word";
		}
	}
	return "$out$line\r\n";
}

# A piece of one of the account's bodies: some of its paragraphs in a row.
sub piece
{
	my ($bodies, $dice) = @_;
	my $body = pick($dice, $bodies);
	my $parts = $body->{paragraphs} //= [grep { /\w/ } split /\r\n(?:[ \t>]*\r\n)+/, $body->{body}];
	return ('', $body) if !@$parts;
	my $from = whole($dice, 0, $#$parts);
	my $to = $from + whole($dice, 0, 3);
	$to = $#$parts if $to > $#$parts;
	return (substr(join("\r\n\r\n", @$parts[$from .. $to]), 0, 4000) . "\r\n", $body);
}

sub pdf
{
	my ($dice, $kbytes) = @_;
	my $name = lc(first_name($dice)) . whole($dice, 100, 9999) . '.pdf';
	my $bytes = "%PDF-1.5\n" . join '', map { pack 'N', $dice->() * 4294967295 } 1 .. $kbytes * 256;
	return "Content-Type: application/pdf; name=\"$name\"\r\nContent-Transfer-Encoding: base64\r\n"
		. "Content-Disposition: attachment; filename=\"$name\"\r\n\r\n" . MIME::Base64::encode_base64($bytes, "\r\n");
}

sub multipart
{
	my ($dice, $type, @parts) = @_;
	my $border = '----=_Part_' . join '', map { whole($dice, 0, 9) } 1 .. 20;
	return ([['MIME-Version', '1.0'], ['Content-Type', "multipart/$type; boundary=\"$border\""]],
		join('', map { "--$border\r\n$_\r\n" } @parts) . "--$border--\r\n");
}

# A part of text: its header fields, and its body in that encoding.
sub encoded
{
	my ($type, $text, $encoding) = @_;
	my $body = $encoding eq 'base64' ? MIME::Base64::encode_base64($text, "\r\n")
		: $encoding eq 'quoted-printable' ? MIME::QuotedPrint::encode_qp($text =~ s/\r\n/\n/gr, "\r\n") : $text;
	return ([['MIME-Version', '1.0'], ['Content-Type', "$type; charset=utf-8"], ['Content-Transfer-Encoding', $encoding || '7bit']], $body);
}

sub as_part { my ($fields, $body) = @_; return join('', map { "$_->[0]: $_->[1]\r\n" } @$fields[1, 2]) . "\r\n$body" }
sub as_html { my ($plain) = @_; return '<html><body><div>' . ($plain =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/\r\n\r\n/<\/div>\r\n<div>/gr) . "</div></body></html>\r\n" }

# $text: seed, bodies (of the corpus), sign (signature), answers (quote), rich (HTML beside), pdf (KiB)
sub letter
{
	my ($text, $dice) = @_;
	my $name = first_name($dice);
	my $score = good_score($dice);
	my $rules = 'none';
	my $hello = pick($dice, ["Hi $name,", "Dear $name,", "Hello $name,", "$name,", 'Hello,', 'Good morning,', "Dear Ms $name,", 'Hi,', 'Dear all,', "Hallo $name,", '']);
	my $plain;
	if (chance($dice, $text->{short} // 0.12)) {
		$plain = ($hello ? "$hello\r\n\r\n" : '') . short_words($dice, whole($dice, 1, 12)) . "\r\n";
	} else {
		$plain = "$hello\r\n\r\n" . wrapped(join ' ', sentences($dice, whole($dice, 1, 5)));
		if ($text->{bodies} && @{ $text->{bodies} } && chance($dice, 0.55)) {
			my ($piece, $body) = piece($text->{bodies}, $dice);
			$plain .= "\r\n$piece";
			($score, $rules) = @$body{qw(score rules)} if defined $body->{score} && $score < 1.5;
		}
		$plain .= "\r\n" . wrapped(join ' ', sentences($dice, whole($dice, 1, 4))) if chance($dice, 0.4);
	}
	$plain .= "\r\n" . pick($dice, ['Best regards', 'Regards', 'Thanks', 'Kind regards', 'See you', 'Yours', 'Best']) . "\r\n" if chance($dice, 0.7);
	$plain .= $text->{sign} if $text->{sign};
	$plain .= "\r\n" . first_name($dice) . " wrote:\r\n" . (wrapped(join ' ', sentences($dice, whole($dice, 1, 6))) =~ s/^/> /gmr) if $text->{answers};
	my $eight = $plain =~ /[^\x00-\x7f]/;
	my ($fields, $body) = encoded($eight ? 'text/plain' : 'text/plain', $plain, $eight ? '8bit' : '');
	if ($text->{rich}) {
		($fields, $body) = multipart($dice, 'alternative', as_part($fields, $body), as_part(encoded('text/html', as_html($plain), $eight ? '8bit' : '')));
	}
	if ($text->{pdf}) {
		my $first = $text->{rich} ? "$fields->[1][0]: $fields->[1][1]\r\n\r\n$body" : as_part($fields, $body);
		($fields, $body) = multipart($dice, 'mixed', $first, pdf($dice, $text->{pdf}));
	}
	my $subject = sentence($dice) =~ s/[.?]\z//r =~ s/^((?:\S+\s+){2,6}).*/$1/r =~ s/\s+\z//r;
	return { header => [['Subject', ($text->{answers} ? 'Re: ' : '') . $subject], @$fields], body => $body, score => $score, rules => $rules };
}

# A few lines of a program: $text->{lines} with {} filled in.
sub plain
{
	my ($text, $dice) = @_;
	my $body = join '', map { "$_\r\n" } @{ $text->{lines} };
	my ($fields) = encoded('text/plain', '', '');
	return { header => [['Subject', $text->{subject}], @$fields], body => $body, score => good_score($dice), rules => 'none' };
}

# The template of a shop, a site, a newsletter: paragraphs of sentences with places to fill in. $how: words (least, most),
# host, html, encoding, rows (of products), pdf, spam
sub make_template
{
	my ($seed, %how) = @_;
	my $dice = dice("template:$seed");
	my @paragraphs = ('Dear {name},');
	my ($words, $wanted) = (0, whole($dice, $how{least} // 60, $how{most} // 200));
	while ($words < $wanted) {
		my @some = $how{spam} ? map { offer($dice) } 1 .. whole($dice, 1, 3) : sentences($dice, whole($dice, 1, 4));
		my $paragraph = join ' ', @some;
		$words += () = $paragraph =~ /\w+/g;
		push @paragraphs, $paragraph;
	}
	$paragraphs[whole($dice, 1, $#paragraphs)] .= ' ' . pick($dice, ['Your number is {number}.', 'The total is {amount}.', 'Reference {number}, {date}.', 'It concerns {product}.']);
	splice @paragraphs, whole($dice, 2, scalar @paragraphs), 0, '{rows}' if $how{rows};
	my @paths = map { pick($dice, [qw(order account track shop info help view news c p)]) . '/' . pick($dice, ['{number}', '{code}', 'index']) } 1 .. whole($dice, 1, 3);
	push @paragraphs, join ' ', map { "https://$how{host}/$_" } @paths if $how{host} && !$how{links};
	push @paragraphs, @{ $how{links} } if $how{links};
	push @paragraphs, join(' ', pick($dice, ['Your team', 'Kind regards', 'Thank you']), $how{host} // '');
	my $subject = pick($dice, ['{number}: ', '', '']) . (sentence($dice) =~ s/^((?:\S+\s+){2,5}).*/$1/r =~ s/[\s.?]+\z//r) . pick($dice, ['', ' {number}', '']);
	my $score = $how{score} // sprintf '%.1f', -1 + 3.5 * $dice->() ** 1.5;
	my $encoding = $how{encoding} // pick($dice, ['', '', '', '', 'base64', 'quoted-printable']);
	return { seed => $seed, paragraphs => \@paragraphs, subject => $subject, html => $how{html} // chance($dice, 0.65), encoding => $encoding,
		score => $score, spread => $how{spread} // 0.3, pdf => $how{pdf}, spam => $how{spam}, host => $how{host}, outliers => $how{outliers} // 0.01 };
}

# The same words, but the links lead elsewhere.
sub relinked
{
	my ($template, $host) = @_;
	return { %$template, paragraphs => [map { s{https://[^/\s]+/}{https://$host/}gr } @{ $template->{paragraphs} }], seed => "$template->{seed}:$host" };
}

my $style = join ' ', map { ".c$_ { color: #30${_}0${_}0; padding: ${_}px; margin: 0 auto; font-family: Arial, sans-serif }" } 1 .. 5;

sub from_template
{
	my ($text, $dice) = @_;
	my $template = $text->{template};
	my %value = (name => full_name($dice), number => whole($dice, 10000, 999999), amount => sprintf('%d.%02d EUR', whole($dice, 5, 900), whole($dice, 0, 99)),
		     date => sprintf('%02d.%02d.2031', whole($dice, 1, 28), whole($dice, 1, 12)), product => product($dice),
		     code => join('', map { sprintf '%x', 16 * $dice->() } 1 .. 24), %{ $text->{fill} // {} });
	my @rows = map { sprintf '%d x %s %d.%02d EUR', whole($dice, 1, 3), product($dice), whole($dice, 3, 300), whole($dice, 0, 99) } 1 .. whole($dice, 1, 5);
	my $fill = sub { $_[0] =~ s/\{(\w+)\}/$value{$1} \/\/ ''/ger };
	my @said = map { $_ eq '{rows}' ? join("\r\n", @rows) : $fill->($_) } @{ $template->{paragraphs} };
	my ($type, $body) = ('text/plain', join "\r\n", map { wrapped($_) } @said);
	if ($template->{html}) {
		my $inner = join "\r\n", map { '<tr><td class="c1">' . (s{(https://\S+)}{<a href="$1">Open</a>}gr =~ s/\r\n/<br>\r\n/gr) . '</td></tr>' } @said;
		($type, $body) = ('text/html', "<html><head><style>$style</style></head><body>\r\n<table>\r\n$inner\r\n</table>\r\n</body></html>\r\n");
	}
	my ($fields, $coded) = encoded($type, $body, $template->{encoding});
	($fields, $coded) = multipart($dice, 'mixed', as_part($fields, $coded), pdf($dice, $template->{pdf})) if $template->{pdf};
	my $score = $template->{score} + $template->{spread} * normal($dice);
	$score = 2.5 + 1.5 * $dice->() if !$template->{spam} && chance($dice, $template->{outliers});
	$score = 4 if !$template->{spam} && $score > 4;
	return { header => [['Subject', $fill->($template->{subject})], @$fields], body => $coded, score => sprintf('%.1f', $score), rules => 'none' };
}

# A thief's text that is neither the corpus's nor a template: $text->{way}: new, link, pdf; {score}
sub spam
{
	my ($text, $dice) = @_;
	my $link = sprintf 'http://%s/%s', $text->{host}, join '', map { sprintf '%x', 16 * $dice->() } 1 .. whole($dice, 4, 16);
	my $way = $text->{way};
	my $said = $way eq 'link' ? short_words($dice, whole($dice, 3, 9)) . "\r\n$link\r\n"
		: $way eq 'pdf' ? short_words($dice, whole($dice, 0, 5)) . "\r\n"
		: wrapped(join ' ', 'Hello ' . first_name($dice) . ',', map { chance($dice, 0.7) ? offer($dice) : sentence($dice) } 1 .. whole($dice, 3, 9)) . "\r\n$link\r\n";
	$said = $text->{harmless} ? wrapped('Hello ' . first_name($dice) . ', ' . join ' ', sentences($dice, whole($dice, 1, 5))) : $said;
	my ($fields, $body) = encoded('text/plain', $said, pick($dice, ['', '', 'quoted-printable']));
	($fields, $body) = multipart($dice, 'mixed', as_part($fields, $body), pdf($dice, whole($dice, 1, 4))) if $way eq 'pdf';
	my $subject = $way eq 'new' ? offer($dice) =~ s/^((?:\S+\s+){2,5}).*/$1/r =~ s/\s+\z//r : short_words($dice, whole($dice, 1, 3));
	my $score = $text->{score} + 0.6 * normal($dice);
	return { header => [['Subject', $subject], @$fields], body => $body, score => sprintf('%.1f', $score), rules => $score > 5 ? 'LOCAL_SPAM' : 'none' };
}

1;
