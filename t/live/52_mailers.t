#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# `penstockctl postfix check`, the transports and the domains of a Postfix: of which of them nobody said whether they lead away.
# Postfix's postconf and postmap, no server.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use JSON::PP;
use Penstock::Process qw(need_program run write_file);
use Test::More;

my $build = $ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..";
need_program('postconf', 'postfix');
my $folder = File::Temp::tempdir('penstock-live-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $config = "$folder/penstock.conf";
my $all_local = 'local_domains = [ "our.test", "localhost" ];';
my $debian = <<'END';
smtp inet n - y - - smtpd
pickup unix n - y 60 1 pickup
cleanup unix n - y - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - y - - trivial-rewrite
bounce unix - - y - 0 bounce
smtp unix - - y - - smtp
relay unix - - y - - smtp -o syslog_name=postfix/relay
error unix - - y - - error
retry unix - - y - - error
discard unix - - y - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - y - - lmtp
maildrop unix - n n - - pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
uucp unix - n n - - pipe flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)
ifmail unix - n n - - pipe flags=F user=ftn argv=/usr/lib/ifmail/ifmail -r $nexthop ($recipient)
bsmtp unix - n n - - pipe flags=Fq. user=bsmtp argv=/usr/lib/bsmtp/bsmtp -t$nexthop -f$sender $recipient
scalemail-backend unix - n n - 2 pipe flags=R user=scalemail argv=/usr/lib/scalemail/bin/scalemail-store ${nexthop} ${user} ${extension}
mailman unix - n n - - pipe flags=FRX user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}
END

# The rows that are about transports, mailers and local domains, by what they name.
sub check {
	my ($master, $main, $postfix) = @_;
	write_file("$folder/main.cf", "compatibility_level = 3.6\nmyhostname = mail.our.test\nmyorigin = our.test\n"
		. "mydestination = our.test, localhost\nalias_maps =\n" . ($main // ''), 0644);
	write_file("$folder/master.cf", $debian . ($master // ''), 0644);
	write_file($config, 'postfix: { ' . ($postfix // $all_local) . " };\naccounts: { sources = [ \"auth\" ]; };\npools = ( { name = \"clean\"; "
		. "levels = [ \"good\", \"new\" ]; transports = ( { name = \"clean-1\"; } ); } );\n");
	my (undef, $out, $error) = run({ seconds => 120 }, "$build/penstockctl", '-c', $config, '--json', 'postfix', 'check', '-d', $folder);
	my $answer = eval { decode_json($out) } or die "$out$error";
	return { map { $_->{what} => $_ } grep { $_->{what} =~ /^transport [^ ]+$|_mailers|_domains$/ }
		@{ $answer->{warnings} }, @{ $answer->{differences} } };
}

subtest 'transports' => sub {
	is_deeply check(), {}, 'of what Debian has each is known';
	my $mine = "mlmmj unix - n n - - pipe flags=ORhu user=mlmmj argv=/usr/bin/mlmmj-receive -F -L /var/spool/mlmmj/\$nexthop\n"
		. "dovecot-lmtp unix - - n - - lmtp\nslow unix - - n - 2 smtp -o smtp_destination_rate_delay=1s\n"
		. "scan unix - - n - 10 smtp\nclean-1 unix - - n - - smtp\npolicy unix - n n - 0 spawn user=nobody argv=/bin/true\n";
	my $rows = check($mine, "content_filter = scan:[127.0.0.1]:10025\n");
	is_deeply [ sort keys %$rows ], [ qw(postfix.local_mailers postfix.remote_mailers), 'transport dovecot-lmtp', 'transport mlmmj',
		'transport slow' ], 'an admin\'s own are named, and no other' or diag explain $rows;
	is $rows->{'transport mlmmj'}{expected}, 'its name in postfix.local_mailers', 'a pipe';
	is $rows->{'transport mlmmj'}{file}, $config, '... and where it is to be changed';
	is $rows->{'transport dovecot-lmtp'}{expected}, 'its name in postfix.local_mailers', 'LMTP';
	is $rows->{'transport slow'}{expected}, 'its name in postfix.remote_mailers', 'SMTP';
	my ($local, $remote) = map { $rows->{"postfix.${_}_mailers"}{expected} } qw(local remote);
	like $local, qr/^local_mailers = \[ "local", .*"scalemail-backend", "mlmmj", "dovecot-lmtp" \];$/, 'the line to add keeps the defaults';
	like $remote, qr/^remote_mailers = \[ "smtp", "relay", .*"slow" \];$/, '... of both lists';
	is_deeply check($mine, "content_filter = scan:[127.0.0.1]:10025\n", "$all_local $local $remote"), {}, 'with them nothing is said';
};

subtest 'domains of mailboxes' => sub {
	my $lists = "virtual_mailbox_domains = box.test, texthash:$folder/boxes, $folder/boxes.list\nvirtual_alias_domains = alias.test\n";
	write_file("$folder/boxes", "table.test x\n", 0644);
	write_file("$folder/boxes.list", "file.test\n", 0644);
	my $rows = check('', $lists, '');
	is $rows->{'postfix.local_domains'}{expected}, 'local_domains = [ "box.test", "file.test", "localhost", "our.test", "table.test" ];',
		'the line to add';
	is $rows->{'postfix.local_domains'}{found}, 'without box.test and 4 more', '... what is missing';
	like $rows->{'postfix.local_domains'}{why}, qr/counts as leaving/, '... and why';
	is_deeply check('', $lists, $rows->{'postfix.local_domains'}{expected}), {}, 'with it nothing is said';
	is check('', $lists, 'local_domains = [ "Box.test", "our.test" ]; alias_domains = [ "localhost", "file.test" ];')
		->{'postfix.local_domains'}{expected}, 'local_domains = [ "box.test", "our.test", "table.test" ];', 'those with aliases need none';
	for my $wrong (qw(far.test alias.test)) {
		$rows = check('', $lists, "local_domains = [ \"box.test\", \"file.test\", \"localhost\", \"our.test\", \"table.test\", \"$wrong\" ];");
		is $rows->{'postfix.local_domains'}{found}, $wrong, "$wrong is none of this host's mailboxes";
		like $rows->{'postfix.local_domains'}{why}, qr/free and without a limit/, '... and why it matters';
	}
	write_file("$folder/r", "/^x/ y\n", 0644);
	like check('', "virtual_mailbox_domains = regexp:$folder/r\n")->{virtual_mailbox_domains}{expected}, qr/that can be listed/,
		'a table that cannot be listed is named';
};

done_testing;
