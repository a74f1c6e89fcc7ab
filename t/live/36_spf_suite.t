#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Each case of the RFC 7208 test suite of openspf.org, as Debian's golang-blitiri-go-spf-dev brings it, through our SPF
# checks: the zones are put in for DNS (spf_suite.c). What explanations say is not tested: exp= is optional, and ours is
# a constant. The suite's own "skip" notes, made for another implementation, are not heeded.
use strict;
use warnings;
use FindBin;
use IPC::Open2;
use Test::More;
use YAML::XS ();

my $suite = '/usr/share/gocode/src/blitiri.com.ar/go/spf/testdata/rfc7208-tests.yml';
my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
my $program = "$build/t/live/spf_suite";
die "$program is not built: make t/live/spf_suite\n" if !-x $program;
die "$suite is not there: contrib/install-packages\n" if !-r $suite;

# What comes out otherwise, and why. The list is exact: a case that is listed and comes out right fails too.
# None does: what libspf2 alone gets wrong is mended before it or taken from it.
my %otherwise = ();

# What libspf2 says when it is alone (spf_bare.c), where that is wrong: why there is so much between it and the records.
# Exact in both directions too: a newer libspf2 shows itself here. "(invalid)" is its word for no result at all.
my @alone = (
	[ '(invalid)', 'has no result for a record with an error', qw(
		badip4 non-ascii-mech non-ascii-result detect-errors-anywhere modifier-charset-bad1
		modifier-charset-bad2 all-arg all-cidr all-dot ptr-cidr a-bad-cidr4 a-bad-cidr6 a-dual-cidr-ip4-err
		include-syntax-error mx-bad-cidr4 mx-bad-cidr6 exists-implicit bad-ip4-port bad-ip4-short bare-ip4
		cidr4-33 ip4-dual-cidr bare-ip6 cidr6-129 cidr6-bad ip6-bad1 empty-modifier-name invalid-modifier
		undef-macro
	) ],
	[ 'fail', 'does not see the error', qw(
		control-char-policy non-ascii-policy invalid-domain mx-empty-domain exp-empty-domain exp-twice
		redirect-twice unknown-modifier-syntax exp-only-macro-char
	) ],
	[ '(invalid)', 'has no result where the record cannot be had', qw(
		alltimeout nospftxttimeout txttimeout
	) ],
	[ '(invalid)', "takes no dot in a modifier's name", qw(
		modifier-charset-good
	) ],
	[ 'permerror', 'the same, behind a redirect', qw(
		redirect-after-mechanisms2
	) ],
	[ 'permerror', 'follows redirect= where it stands, also before an all', qw(
		redirect-after-mechanisms1
	) ],
	[ 'pass', 'reads redirect: as redirect=', qw(
		redirect-is-modifier
	) ],
	[ 'neutral', 'does not see the error', qw(
		ptr-empty-domain a-bad-domain a-bad-toplabel a-empty-domain a-numeric a-numeric-toplabel
		a-only-toplabel a-only-toplabel-trailing-dot mx-bad-domain mx-bad-toplab mx-numeric-top-label
		exists-cidr exists-empty-domain exp-syntax-error redirect-empty-domain invalid-embedded-macro-char
		invalid-macro-char invalid-trailing-macro-char
	) ],
	[ '(invalid)', 'takes no prefix of length 0', qw(
		a-cidr4-0 a-cidr4-0-ip6 a-cidr6-0-ip4 a-cidr6-0-ip6 a-cidr6-0-nxdomain a-nxdomain mx-cidr4-0
		mx-cidr4-0-ip6 mx-cidr6-0-ip4 mx-cidr6-0-ip6 mx-cidr6-0-nxdomain mx-nxdomain cidr4-0 cidr6-0
		cidr6-0-ip4 cidr6-ip4 a-cidr6-0-ip4mapped mx-cidr6-0-ip4mapped
	) ],
	[ 'neutral', 'takes a mapped address for IPv6', qw(
		a-colon-domain-ip4mapped mx-colon-domain-ip4mapped
	) ],
	[ 'pass', 'reads a record up to its first NUL', qw(
		a-null mx-null
	) ],
	[ 'pass', 'takes a prefix with a leading zero', qw(
		cidr4-032
	) ],
	[ 'pass', 'takes a mapped address for IPv6', qw(
		ip4-mapped-ip6
	) ],
	[ 'pass', 'counts terms anew in each include: a tree of them is endless', qw(
		include-over-limit
	) ],
	[ 'permerror', 'fails after ten PTR names instead of leaving the rest', qw(
		ptr-limit
	) ],
	[ 'neutral', 'does not count void answers', qw(
		void-over-limit
	) ],
	[ 'permerror', 'its layer of given records knows no aliases', qw(
		cname-aliasing
	) ],
);
my %alone = map { my ($result, $why, @names) = @$_; map { $_ => [ $result, $why ] } @names } @alone;

# A zone's keys and texts are bytes or characters; both go out as the bytes of Latin-1 where they fit.
sub field {
	my ($text) = @_;
	$text //= '';
	utf8::encode($text) if $text =~ /[^\x00-\xff]/;
	$text =~ s/([\x00-\x1f\\\x7f-\xff])/sprintf '\\x%02x', ord $1/ge;
	return $text;
}

my $pid = open2(my $from, my $to, $program);
binmode $_, ':raw' for $from, $to;

sub tell_program {
	print $to join("\t", shift, map { field($_) } @_), "\n";
}

# Records of type SPF stand for TXT, where the name has no TXT of its own; "TXT: NONE" says that it has none at all.
sub tell_zone {
	my ($zone) = @_;
	tell_program('clear');
	for my $name (sort keys %$zone) {
		my (@records, $own_text);
		for my $entry (@{ $zone->{$name} }) {
			if (!ref $entry) {
				push @records, [ TIMEOUT => 1 ] if $entry eq 'TIMEOUT';
				next;
			}
			my ($type, $value) = %$entry;
			$own_text = 1 if $type eq 'TXT';
			push @records, [ $type, $value ];
		}
		for my $record (@records) {
			my ($type, $value) = @$record;
			next if $type eq 'TXT' && !ref $value && $value eq 'NONE';
			next if $type eq 'SPF' && $own_text;
			$type = 'TXT' if $type eq 'SPF';
			$value = join $type eq 'MX' ? ' ' : '', @$value if ref $value;
			if ($type eq 'TIMEOUT' || $type eq 'CNAMELOOP') {
				# after the records: those that it has answer still
				my %has = map { $_->[0] => 1 } @records;
				my $text = $has{TXT} && !grep { $_->[0] eq 'TXT' && $_->[1] eq 'NONE' } @records;
				tell_program('trouble', $name, $_, 'silent') for $text ? qw(A AAAA MX PTR) : '*';
				next;
			}
			$value =~ s/\.$// if $type =~ /^(?:PTR|CNAME|MX)$/;
			tell_program('record', $name, $type, $value);
		}
	}
}

# A case that is listed must come out as listed, and that must be wrong.
sub compare {
	my ($name, $got, $wanted, $listed, $who) = @_;
	my $right = join ' or ', sort keys %$wanted;
	return is($got, $listed->[0], "$who$name: $listed->[0], not $right: $listed->[1]")
		&& ok(!$wanted->{$got}, "$who$name is rightly listed") if $listed;
	return ok($wanted->{$got}, "$who$name: $right") || (diag("got $got") && 0);
}

my ($cases, %seen) = (0);
for my $scenario (YAML::XS::LoadFile($suite)) {
	tell_zone($scenario->{zonedata});
	for my $name (sort keys %{ $scenario->{tests} }) {
		my $case = $scenario->{tests}{$name};
		my %wanted = map { $_ => 1 } ref $case->{result} ? @{ $case->{result} } : $case->{result};
		tell_program('check', @$case{qw(host helo mailfrom)});
		$to->flush;
		chomp(my $got = <$from> // 'nothing');
		$cases++;
		$seen{$name} = 1;
		compare($name, $got, \%wanted, $otherwise{$name}, '')
			or diag("$scenario->{description}: $case->{mailfrom} from $case->{host}");
		tell_program('bare', @$case{qw(host helo mailfrom)});
		$to->flush;
		chomp(my $bare = <$from> // 'nothing');
		compare($name, $bare, \%wanted, $alone{$name}, 'libspf2 alone, ');
	}
}
close $to;
waitpid $pid, 0;
is($?, 0, 'the program ends in peace');
is($cases, 203, 'all cases were run');
ok($seen{$_}, "$_ is a case") for sort keys %otherwise, keys %alone;
done_testing();
