#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The catalogue of DNS lists, etc/blocklists.conf: every group is well formed, every code row is one that policy/listing.h
# reads (t/unit/test_catalogue.c has the daemon read them), and no answer that means "I will not tell you" can be taken for a listing.
use strict;
use warnings;
use Test::More;

my $top = $ENV{srcdir} // '.';
my $file = "$top/etc/blocklists.conf";
my $lists_least = 60;
my $codes_most = 16;	# LIST_CODES_MAX
my $zone_most = 180;	# LIST_ZONE_MAX

# field => its form
my %form = ((map { $_ => 'string' } qw(name zone keyed_zone kind families part_of test_name site removal terms)),
	(map { $_ => 'array' } qw(codes errors)), (map { $_ => 'number' } qw(weight budget)),
	test => 'word');
my @required = qw(name kind families weight);
my %kind = map { $_ => 1 } qw(exploit policy spam auth reputation allow domain);
my %families = map { $_ => 1 } qw(4 6 46 domain);

# Cuts the text into strings, words and marks, each with its line; dies at what is none of them.
sub tokens_of {
	my ($text) = @_;
	my ($line, @tokens) = (1);
	while ((pos($text) // 0) < length $text) {
		if ($text =~ /\G(\n)/gc) { $line++ }
		elsif ($text =~ /\G(?:[ \t\r]+|#[^\n]*)/gc) { }
		elsif ($text =~ /\G"([^"\\\n]*)"/gc) { push @tokens, [ 'string', $1, $line ] }
		elsif ($text =~ /\G([A-Za-z_]\w*)/gc) { push @tokens, [ 'word', $1, $line ] }
		elsif ($text =~ /\G([-+]?\d[\d.]*)/gc) { push @tokens, [ 'number', $1, $line ] }
		elsif ($text =~ /\G([=;,(){}\[\]])/gc) { push @tokens, [ $1, $1, $line ] }
		else { die "$file:$line: neither string, word, number nor mark\n" }
	}
	return @tokens;
}

my @tokens;

sub take {
	my ($type) = @_;
	my $token = shift @tokens // [ 'the end', '', 'end' ];
	die "$file:$token->[2]: expected $type, found $token->[0] $token->[1]\n" if $token->[0] ne $type;
	return $token;
}

sub array {
	my @items;
	take('[');
	while (@tokens && $tokens[0][0] ne ']') {
		take(',') if @items;
		push @items, take('string')->[1];
	}
	take(']');
	return \@items;
}

sub group {
	my %list = (line => take('{')->[2]);
	while (@tokens && $tokens[0][0] ne '}') {
		my (undef, $field, $line) = @{ take('word') };
		my $form = $form{$field} // die "$file:$line: no field is called $field\n";
		die "$file:$line: $field a second time\n" if exists $list{$field};
		take('=');
		$list{$field} = $form eq 'array' ? array() : take($form)->[1];
		take(';');
	}
	take('}');
	return \%list;
}

sub catalogue {
	my @lists;
	take('word')->[1] eq 'catalogue' or die "$file: does not begin with catalogue\n";
	take('=');
	take('(');
	while (@tokens && $tokens[0][0] ne ')') {
		take(',') if @lists;
		push @lists, group();
	}
	take(')');
	shift @tokens if @tokens && $tokens[0][0] eq ';';
	die "$file:$tokens[0][2]: something follows the catalogue\n" if @tokens;
	return @lists;
}

# An IPv4 address in 127/8 as a number, undefined where it is none.
sub code_of {
	my ($text) = @_;
	my @octets = ($text // '') =~ /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\z/;
	return undef if @octets != 4 || $octets[0] != 127 || grep { $_ > 255 } @octets;
	return unpack 'N', pack 'C4', @octets;
}

# First and last code of "127.0.0.2" or "127.0.0.4-127.0.0.7"; nothing where it is neither.
sub range_of {
	my ($text) = @_;
	my ($first, $last) = split /-/, $text, 2;
	($first, $last) = (code_of($first), code_of($last // $first));
	return defined $first && defined $last && $first <= $last ? ($first, $last) : ();
}

sub is_zone {
	my ($zone) = @_;
	return length $zone <= $zone_most && $zone =~ /\./
		&& !grep { !/^[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?\z/ } split /\./, $zone, -1;
}

# Fails once for each thing found, with its place; passes once where nothing is.
sub none {
	my ($name, @found) = @_;
	ok(!@found, $name) or diag(join "\n", @found);
}

sub lists_where {
	my ($wrong, @lists) = @_;
	return map { "$file:$_->{line}: " . ($_->{name} // 'no name') } grep { $wrong->($_) } @lists;
}

sub twice {
	my %seen;
	return grep { $seen{$_}++ } @_;
}

open my $in, '<', $file or BAIL_OUT("cannot read $file: $!");
my $text = do { local $/; <$in> };
close $in;
my @lists = eval { @tokens = tokens_of($text); catalogue() };
is($@, '', 'the catalogue can be read');

cmp_ok(scalar @lists, '>=', $lists_least, "there are $lists_least lists or more");
cmp_ok(scalar(grep { defined $_->{zone} } @lists), '>=', $lists_least, "$lists_least or more need no key");
none('every list has the fields without which it means nothing',
	lists_where(sub { my ($list) = @_; grep { !defined $list->{$_} || $list->{$_} eq '' } @required }, @lists));
none('every list can be asked', lists_where(sub { !defined $_[0]{zone} && !defined $_[0]{keyed_zone} }, @lists));
none('no two lists have one name', twice(grep { defined } map { $_->{name} } @lists));
none('a name is one word', lists_where(sub { ($_[0]{name} // '') !~ /^[a-z0-9]+(?:-[a-z0-9]+)*\z/ }, @lists));
none('no two lists have one zone', twice(grep { defined } map { $_->{zone}, $_->{keyed_zone} } @lists));
none('a zone is a domain name', lists_where(sub { defined $_[0]{zone} && !is_zone($_[0]{zone}) }, @lists));
none('a zone with a key begins with the key', lists_where(sub {
	my $zone = $_[0]{keyed_zone} // return 0;
	return $zone !~ s/^\{key\}\.// || !is_zone($zone);
}, @lists));
none('a kind is known, or none and then there are codes', lists_where(sub {
	my $word = $_[0]{kind} // '';
	return !$kind{$word} && !($word eq 'none' && @{ $_[0]{codes} // [] });
}, @lists));
my %part_of = map { $_->{name} => $_->{part_of} } grep { defined $_->{name} } @lists;
none('a list is part of one that is whole', lists_where(sub {
	my $whole = $_[0]{part_of} // return 0;
	return $whole eq ($_[0]{name} // '') || !exists $part_of{$whole} || defined $part_of{$whole};
}, @lists));
none('who writes that a list is part of another names it there', lists_where(sub {
	return ($_[0]{terms} // '') =~ /(?<!not )part of/ && !defined $_[0]{part_of};
}, @lists));
none('a name for tests is a domain, of a list of domains', lists_where(sub {
	my $name = $_[0]{test_name} // return 0;
	return !is_zone($name) || ($_[0]{families} // '') ne 'domain';
}, @lists));
none('families are known', lists_where(sub { !$families{ $_[0]{families} // '' } }, @lists));
none('a weight is a number from 0 to 1', lists_where(sub { ($_[0]{weight} // '') !~ /^(?:0\.\d+|1\.0)\z/ }, @lists));
none('a budget is a whole number above 0',
	lists_where(sub { defined $_[0]{budget} && $_[0]{budget} !~ /^[1-9]\d{0,8}\z/ }, @lists));
for my $field (qw(site removal)) {
	none("a $field is an address of the web", lists_where(sub {
		my $url = $_[0]{$field} // return 0;
		return $url !~ m{^https?://[a-z0-9](?:[-a-z0-9]*\.)+[a-z]{2,}/[-\w.~%/?=&+,:\#]*\z}
	}, @lists));
}
none("no list has more than $codes_most rows of codes",
	lists_where(sub { @{ $_[0]{codes} // [] } > $codes_most }, @lists));

my $refusals = unpack 'N', pack 'C4', 127, 255, 255, 0;
my (@unread, @unread_errors, @refused, @shadowed);
for my $list (@lists) {
	my @taken;
	my $at = "$file:$list->{line}: " . ($list->{name} // '');
	for my $row (@{ $list->{errors} // [] }) {
		my @range = range_of($row);
		push @unread_errors, "$at: \"$row\"" unless @range;
		push @taken, [ @range, $row ] if @range;
	}
	for my $row (@{ $list->{codes} // [] }) {
		my ($codes, $word) = $row =~ /^([^ ]+) (.*)\z/;
		my @range = defined $codes ? range_of($codes) : ();
		if (!@range || !$kind{$word}) {
			push @unread, "$at: \"$row\"";
			next;
		}
		push @refused, "$at: \"$row\"" if $range[1] >= $refusals && $range[0] <= $refusals + 255;
		push @shadowed, map { "$at: \"$row\" and \"$_->[2]\"" }
			grep { $range[0] <= $_->[1] && $_->[0] <= $range[1] } @taken;
		push @taken, [ @range, $row ];
	}
}
none('every row of codes can be read, and lies in 127/8', @unread);
none('every error can be read, and lies in 127/8', @unread_errors);
none('no refusal, 127.255.255.0/24, is taken for a listing', @refused);
none('no answer has two meanings', @shadowed);

# What penstock(7) says of how many lists are asked, without a subscriber's key, and the example in penstockctl(8).
my @free = grep { defined $_->{zone} } @lists;
my %asked = map { my $family = $_; $family => scalar grep { index($_->{families}, $family) >= 0 } @free } qw(4 6 domain);
my $said = sprintf 'a catalogue of %d well-known block lists; %d need no key, of which %d know IPv4 addresses, %d IPv6 addresses and %d host names',
	scalar @lists, scalar @free, @asked{qw(4 6 domain)};
sub page {
	my ($name) = @_;
	open my $file, '<', "$top/$name" or BAIL_OUT("cannot read $name: $!");
	local $/;
	return scalar <$file>;
}
like(page('etc/penstock.7') =~ s/\s+/ /gr, qr/\Q$said\E/, 'penstock(7) counts them right');
my @shown = page('etc/penstockctl.8') =~ /(?:asking|of) (\d+) lists/g;
is(scalar @shown, 2, 'penstockctl(8) shows a check');
none('and its example asks as many', grep { $_ != $asked{4} } @shown);

done_testing();
