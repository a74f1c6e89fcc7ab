#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# milter/web/openapi.json says what linters of OpenAPI descriptions ask for by default (`redocly lint`): a licence, a
# server, one operationId each, what is answered where all is well and where the client is wrong, whether there is a
# login, and no component that nobody names.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use Test::More;

my $top = $ENV{srcdir} // "$FindBin::Bin/../..";
open my $file, '<', "$top/milter/web/openapi.json" or die "openapi.json: $!\n";
my $text = do { local $/; <$file> };
my $api = JSON::PP->new->utf8->decode($text);

like $api->{openapi}, qr/^3\.1\.\d+$/, 'the version of OpenAPI';
ok length($api->{info}{$_} // ''), "info.$_" for qw(title version description);
ok length($api->{info}{license}{$_} // ''), "info.license.$_" for qw(name identifier);
ok @{ $api->{servers} // [] }, 'a server';
unlike $_->{url}, qr/example\.(?:com|org|net)/, '... that is no example' for @{ $api->{servers} // [] };

my %ids;
for my $path (sort keys %{ $api->{paths} }) {
	like $path, qr{^/.*[^/]$}, "$path: a path";
	for my $method (sort keys %{ $api->{paths}{$path} }) {
		my $operation = $api->{paths}{$path}{$method};
		my @codes = sort keys %{ $operation->{responses} // {} };
		like $operation->{operationId} // '', qr/^[A-Za-z0-9_-]+$/, "$method $path: operationId";
		ok !$ids{ $operation->{operationId} // '' }++, '... its own';
		ok length($operation->{summary} // ''), '... summary';
		ok scalar(grep { /^2/ } @codes), '... what is answered where all is well';
		ok scalar(grep { /^4/ } @codes), '... what is answered where the client is wrong';
		ok length($operation->{responses}{$_}{description} // ''), "... $_: description" for @codes;
		ok ref($operation->{security} // $api->{security}) eq 'ARRAY', '... whether there is a login';
	}
}

my %named = map { $_ => 1 } $text =~ /"(#\/[^"]*)"/g;
for my $kind (sort keys %{ $api->{components} }) {
	ok $named{"#/components/$kind/$_"}, "component $_ is used" for sort keys %{ $api->{components}{$kind} };
}
for my $name (sort keys %named) {
	my $at = $api;
	$at = ref $at eq 'HASH' ? $at->{ s/~1/\//gr } : undef for split m{/}, $name =~ s{^#/}{}r;
	ok defined $at, "$name is there";
}

done_testing;
