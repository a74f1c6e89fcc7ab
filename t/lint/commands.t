#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The commands of Redis: each that the source sends stands in penstock(7), REDIS, as needed or optional, as
# redis-schema/store/store_probe.c has it, and in the line by which an admin makes the user of Redis; and no others do.
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{srcdir} // '.';

# What the probe cannot have in a row: what it would do to a connection, or what has a key of the probe's own.
my @beside_rows = ('AUTH', 'DEL', 'EVAL', 'EVALSHA', 'SCRIPT LOAD', 'SELECT', 'TIME');

sub text_of {
	my ($file) = @_;
	open my $in, '<', $file or die "cannot read $file: $!\n";
	local $/;
	return scalar <$in>;
}

my ($table) = text_of("$top/redis-schema/store/store_probe.c") =~ /^#define PROBE_ROWS\(ROW\)(.*?)^\/\*/ms;
my (@needed, @optional);
push @{ $1 eq 'true' ? \@needed : \@optional }, $2 while ($table // '') =~ /ROW\((true|false), "([A-Z]+)"/g;
ok(@needed > 10 && @optional > 5, 'store_probe.c has its rows');
push @needed, @beside_rows;

my ($section) = text_of("$top/etc/penstock.7") =~ /^\.Sh REDIS\n(.*?)^\.Sh /ms;
# the `.Ql` items below a heading of a list, up to the paragraph behind them
sub listed {
	my ($word) = @_;
	my ($items) = $section =~ /^\.It \Q$word\E\n(.*?)^\.Pp$/ms;
	return [ ($items // '') =~ /^\.Ql ([A-Z ]+?)(?: [,.])?$/mg ];
}
is_deeply(listed('Needed'), [ sort @needed ], 'penstock(7) has the commands that are needed');
is_deeply(listed('Optional'), [ sort @optional ], '... and those that are not');

my ($line) = $section =~ /^(redis-cli ACL SETUSER .*?)^\.Ed$/ms;
is_deeply([ sort map { uc s/\|/ /r } ($line // '') =~ /(?<=[\s'])\+([a-z|]+)/g ], [ sort @needed, @optional ], 'the user that it makes may send these');
like($line // '', qr/^redis-cli ACL SETUSER penstock on '>PASSWORD' '~penstock:\*' \\e\n\s+resetchannels \\e\n/, '... on our keys, and reads no channel');

# What is sent: by a request of the store's or the wire's, by the ways of admins' commands and of notes, and by the script.
my %sent;
find({ no_chdir => 1, wanted => sub {
	return if !/\.(?:c|lua)$/ || m{/store_probe\.c$};
	my $text = text_of($_);
	return if !/\.lua$/ && $text !~ /\b(?:store_key_command|store_account_command|outbox_send|request_command|wire_greet)\(/;
	$sent{$_} = 1 for $text =~ /\bredis\.p?call\('([A-Z]+)'/g, # the first word of a command
		map { /"([A-Z]{3,})"/g } $text =~ /(?:\brequest_command\([^;]*;|\{\s++(?!\w+\()[^{},;]*[,}]|\[0\] = [^;]*;)/g;
} }, "$top/redis-schema", "$top/milter");
delete @sent{qw(MAXLEN MINID)}; # words of XADD, in tables of their own
$sent{'SCRIPT LOAD'} = 1 if delete $sent{SCRIPT};
my %listed = map { $_ => 1 } @needed, @optional;
is_deeply([ grep { !$listed{$_} } sort keys %sent ], [], 'each command that the source sends is one of them');
is_deeply([ grep { !$sent{$_} } sort keys %listed ], [], '... and each of them is sent');
done_testing();
