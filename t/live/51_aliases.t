#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# `penstockctl postfix check` and the tables of a Postfix: which domains have aliases by which mail leaves uncounted. Postfix's
# postconf and postmap, no server.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use JSON::PP;
use Penstock::Process qw(need_program run slurp write_file);
use Test::More;

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
need_program('postmap', 'postfix');
my $folder = File::Temp::tempdir('penstock-live-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $config = "$folder/penstock.conf";

# The rows of warnings that are about aliases, by what they name; main.cf's lines, and what is in penstock.conf's group postfix.
sub check {
	my ($main, $postfix) = @_;
	write_file("$folder/main.cf", "compatibility_level = 3.6\nmyhostname = mail.our.test\nmyorigin = our.test\n"
		. "mydestination = our.test, localhost\nalias_maps =\n$main", 0644);
	write_file("$folder/master.cf", "smtp inet n - n - - smtpd\n", 0644);
	write_file($config, 'postfix: { ' . ($postfix // '') . " };\naccounts: { sources = [ \"auth\" ]; };\n");
	my (undef, $out, $error) = run({ seconds => 120 }, "$build/penstockctl", '-c', $config, '--json', 'postfix', 'check', '-d', $folder);
	my $answer = eval { decode_json($out) } or die "$out$error";
	return { map { $_->{what} => $_ } grep { $_->{what} =~ /alias|_maps|domains$|mydestination/ && $_->{what} ne "postfix.local_domains" } @{ $answer->{warnings} } };
}

sub table {
	my ($name, $text, $type) = @_;
	write_file("$folder/$name", $text, 0644);
	return "texthash:$folder/$name" if !defined $type;
	my ($status, undef, $error) = run({}, 'postmap', '-c', $folder, "$type:$folder/$name");
	die "postmap $type: $error" if $status != 0;
	return "$type:$folder/$name";
}

my $virtual = <<'END';
alias.test anything
sales@alias.test x@far.test
sales@our.test x@far.test
info@our.test inside@our.test
inside@our.test inside@our.test, y@far.test
shop@box.test box@box.test
one@box.test "q d"@box.test, one@box.test
two@box.test two@alias.test
two@alias.test z@far.test
circle@box.test circle2@box.test
circle2@box.test circle@box.test
@catch.test all@far.test
abroad@far.test other@elsewhere.test
Upper@CASE.test X@FAR.test
quoted@quote.test "x"@far.test
home@stay.test home@box.test
END
my $lists = "virtual_mailbox_domains = box.test, catch.test case.test\n quote.test stay.test\n";

subtest 'domains by whose aliases mail leaves' => sub {
	my $rows = check($lists . "virtual_alias_maps = " . table('virtual', $virtual) . "\n");
	is_deeply [ sort grep { /^aliases of/ } keys %$rows ],
		[ map { "aliases of $_.test" } qw(box case catch our quote) ], 'each is named, and no other';
	is $rows->{'aliases of our.test'}{found}, '3 that leave this host: info@our.test -> inside@our.test in virtual_alias_maps',
		'with how many, and one of them';
	is $rows->{'aliases of box.test'}{found}, '1 that leaves this host: two@box.test -> two@alias.test in virtual_alias_maps',
		'... by another alias, too';
	is $rows->{'aliases of catch.test'}{found}, '1 that leaves this host: @catch.test -> all@far.test in virtual_alias_maps',
		'... a whole domain';
	is $rows->{'aliases of our.test'}{file}, $config, '... where it is to be changed';
	like $rows->{'aliases of our.test'}{why}, qr/free and without a limit/, '... and why';
	my $line = 'alias_domains = [ "box.test", "case.test", "catch.test", "our.test", "quote.test" ];';
	is $rows->{'postfix.alias_domains'}{expected}, $line, 'the line to add';
	$rows = check($lists . "virtual_alias_maps = texthash:$folder/virtual\n", $line);
	is_deeply [ keys %$rows ], [], 'with it nothing is said';
	$rows = check($lists . "virtual_alias_maps = texthash:$folder/virtual\n", 'alias_domains = [ "box.test", "z.test" ];');
	is $rows->{'postfix.alias_domains'}{expected}, 'alias_domains = [ "box.test", "z.test", "case.test", "catch.test", "our.test", '
		. '"quote.test" ];', 'what is there stays';
	$rows = check($lists . "virtual_alias_maps = texthash:$folder/virtual\n", 'remote_mailers = [ "smtp", "virtual" ];');
	is_deeply [ sort grep { /^aliases of/ } keys %$rows ], ['aliases of our.test'], 'a mailer that counts anyway';
	$rows = check("virtual_mailbox_domains = " . table('boxes', "box.test x\n") . "\nvirtual_alias_domains = /$folder/alias.list\n"
		. "virtual_alias_maps = texthash:$folder/virtual\n");
	ok $rows->{'aliases of box.test'} && !$rows->{'aliases of case.test'}, 'domains in a table';
};

subtest 'tables of each kind' => sub {
	my $one = "sales\@our.test x\@far.test\n";
	my ($status, $types) = run({}, 'postconf', '-m');
	for my $type (grep { $types =~ /^$_$/m } qw(hash btree lmdb)) {
		my $rows = check("virtual_alias_maps = proxy:" . table("one-$type", $one, $type) . "\n");
		ok $rows->{'aliases of our.test'}, "$type, by a proxy" or diag explain $rows;
	}
	ok check("virtual_alias_maps = inline:{ { sales\@our.test = x\@far.test } }\n")->{'aliases of our.test'}, 'inline';
	ok check("recipient_canonical_maps = inline:{ { sales\@our.test = x\@far.test } }\n")->{'aliases of our.test'}, 'canonical maps';
	for my $table ("regexp:$folder/r", "pcre:$folder/r", "ldap:$folder/l.cf", "mysql:$folder/m.cf", 'static:x@far.test',
		'socketmap:unix:s:x', 'tcp:127.0.0.1:1', "pgsql:$folder/p.cf") {
		my $rows = check("virtual_alias_maps = $table\n");
		is $rows->{virtual_alias_maps}{found}, $table, "$table is named";
		like $rows->{virtual_alias_maps}{why}, qr/cannot be listed: aliases in it that leave this host are counted as local/, '... as not looked into';
	}
	my $rows = check("virtual_alias_maps = texthash:$folder/none, inline:{ { sales\@our.test = x\@far.test } }\n");
	like $rows->{virtual_alias_maps}{found}, qr/^texthash:\S+: .*No such file/, 'a table that cannot be read is named';
	ok $rows->{'aliases of our.test'}, '... and those behind it are read';
	$rows = check("virtual_mailbox_domains = texthash:$folder/none\nvirtual_alias_maps = inline:{ { a\@our.test = x\@far.test } }\n");
	like $rows->{virtual_mailbox_domains}{found}, qr/No such file/, 'a table of domains that cannot be read is named';
};

subtest 'aliases of local(8)' => sub {
	write_file("$folder/list", "# members\nx\@far.test\n", 0644);
	for my $row (['postmaster: root', 0], ['root: admin@far.test', 1], ['a: "|/usr/bin/vacation a@far.test", a', 0], ['a: /var/mail/a@b.test', 0],
		["list: :include:$folder/list", 1], ["list: :include:$folder/none", 0], ["a: b\nb: c\nc: x\@far.test", 1], ["a: a\@our.test", 0],
		["a: b\nb: a", 0], ['a: b, "x"@far.test', 1]) {
		my ($text, $leaves) = @$row;
		write_file("$folder/aliases", "$text\n", 0644);
		my ($status, undef, $error) = run({}, need_program('postalias', 'postfix'), '-c', $folder, "hash:$folder/aliases");
		is $status, 0, "aliases: $text" =~ s/\n/; /gr;
		my $rows = check("alias_maps = hash:$folder/aliases\n");
		is !!$rows->{'aliases of our.test'}, !!$leaves, $leaves ? '... leaves' : '... stays' or diag explain $rows;
	}
	my $rows = check("alias_maps = hash:$folder/aliases\nvirtual_alias_maps = inline:{ { v\@our.test = a\@our.test } }\n");
	like $rows->{'aliases of our.test'}{found}, qr/^2 that leave/, 'one behind the other';
	is $rows->{'postfix.alias_domains'}{expected}, 'alias_domains = [ "localhost", "our.test" ];', 'all domains of mydestination have them';
	$rows = check("alias_maps = hash:$folder/aliases\nmyorigin = elsewhere.test\n");
	is $rows->{'aliases of our.test'}{found}, '1 that leaves this host: a -> b in alias_maps', 'what postalias adds is no alias';
};

subtest 'what strangers may have written' => sub {
	my $rows = check("virtual_alias_maps = " . table('odd', "a\@our.test \"a,b\"\@our.test \"x\\\"y\"\@our.test ,,\nb\@our.test\t\"\n"
		. "c\@our.test (((\nd\@our.test " . 'x' x 3000 . "\n\@our.test \@our.test\ne\@our.test user%far.test, f\@our.test\n"
		. "g\@bad\"; x = \"y x\@far.test\n") . "\n");
	like $rows->{'aliases of our.test'}{found}, qr/^1 that leaves this host: e\@our\.test -> user\@far\.test/, 'quotes and the like';
	my $text = join '', map { "user$_\@d" . $_ % 3000 . ".test user$_\@far.test\n" } 1 .. 100_000;
	$text .= "chain0\@our.test chain1\@our.test\n" . join '', map { "chain$_\@our.test chain" . ($_ + 1) . "\@our.test\n" } 1 .. 5000;
	$rows = check("virtual_mailbox_domains = " . table('many-domains', join('', map { "d$_.test x\n" } 0 .. 2999), 'hash')
		. "\nvirtual_alias_maps = " . table('many', $text, 'hash') . "\n");
	is scalar(grep { /^aliases of/ } keys %$rows), 50, 'of many domains some are told';
	is scalar(() = $rows->{'postfix.alias_domains'}{expected} =~ /"d\d+\.test"/g), 3000, '... and all are in the line';
};

done_testing;
