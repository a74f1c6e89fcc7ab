#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# penstock-follow and penstock-queue as an admin sets them up, under a systemd of their own with its journald and a real Postfix:
# the account and the groups, a journal that may not be read, the folder of state, the socket that nobody else may open, mail that
# is put on hold by postsuper(1) within its restrictions, a reload with and without a mistake, kill -9 and the watchdog, a disk that
# takes nothing, and a file in place of the journal.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Booted;
use Penstock::Process qw(need_program slurp write_file);
use Test::More;

plan skip_all => 'only root can make namespaces' if $> != 0;
need_program(@$_) for ['systemctl', 'systemd'], ['ip', 'iproute2'], ['redis-server', 'redis-server'], ['postsuper', 'postfix'];
my $world = Penstock::Booted->new(journald => 1);
plan skip_all => $world->why if $world->why;
my $folder = $world->{folder};
plan skip_all => 'built without libsystemd' if slurp("$world->{build}/config.h") !~ /^#define HAVE_LIBSYSTEMD 1/m;

write_file("$folder/penstock.conf", <<'END');
shadow = [ "all" ];
node = "here";
milter: { socket = "unix:/var/spool/postfix/penstock/milter.sock"; socket_group = "postfix"; };
redis: { server = "127.0.0.1:6379"; };
catalogue: { file = ""; };
END
write_file("$folder/main.cf", <<'END');
compatibility_level = 3.6
myhostname = mail.example.test
mydestination =
relayhost = [127.0.0.1]:2525
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
non_smtpd_milters = unix:penstock/milter.sock
END
# a receiver: nobody is called nouser, and for later there is no time
write_file("$folder/out/receiver", <<'END');
use strict;
use warnings;
use IO::Socket::INET;
$SIG{CHLD} = 'IGNORE';
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 2525, Listen => 20) or die "2525: $!\n";
while (my $socket = $listener->accept) {
	next if fork;
	my $say = sub { print {$socket} "$_[0]\r\n"; $socket->flush };
	$say->('220 mx.example.net ESMTP');
	while (my $line = <$socket>) {
		$say->($line =~ /^RCPT.*nouser/i ? '550 5.1.1 No such user here' : $line =~ /^RCPT.*later/i ? '451 4.3.0 Not now' :
			$line =~ /^DATA/i ? '354 go on' : $line =~ /^QUIT/i ? '221 2.0.0 bye' : '250 2.0.0 fine');
		last if $line =~ /^QUIT/i;
		next if $line !~ /^DATA/i;
		while (defined($line = <$socket>)) { last if $line =~ /^\.\r?$/ }
		$say->('250 2.0.0 taken');
	}
	exit 0;
}
END
$world->drop_in('penstock-follow.service', "[Service]\nRestartSec=1\n");

my $steps = $world->boot(<<'END');
ctl() { /usr/local/sbin/penstockctl -c /etc/penstock/penstock.conf "$@"; }
send() { printf 'Subject: one\n\ntext\n' | /usr/sbin/sendmail -i -f alice@example.com "$@"; }
pid() { systemctl show -p MainPID --value penstock-follow; }
said() { journalctl -q -o cat -u penstock-follow | grep -q "$1"; }
queue() { ctl queue show "$who"; }
held() { [ "$(find /var/spool/postfix/hold -type f | wc -l)" = "$1" ]; }
known() { [ "$(queue | grep -c "  *alice@")" = "$1" ]; }
health() { ctl status | grep -q "$1"; }
other_pid() { now=$(pid); [ "$now" != "$1" ] && [ "$now" != 0 ] && systemctl is-active -q penstock-follow; }
lines() { ctl --json status | grep -o '"lines": *[0-9]*' | grep -o '[0-9]*$'; }
who=sender:alice@example.com
redis-server --port 6379 --daemonize yes --dir /tmp >/dev/null
perl /mnt/out/receiver &
step daemon systemctl start penstock.socket penstock
step silent sh -c '! /usr/local/sbin/penstockctl -c /etc/penstock/penstock.conf status | grep follow'
step postfix systemctl start postfix@- postfix
useradd --system --no-create-home --shell /usr/sbin/nologin -G adm,penstock,systemd-journal penstock-follow
# its first test, as the manual page has it: no folder of state yet
chmod 700 /run/log/journal/*
step no-journal sh -c '! runuser -u penstock-follow -- /usr/local/sbin/penstock-follow -c /etc/penstock/penstock.conf -t'
step not-started sh -c '! systemctl start penstock-follow'
systemd-tmpfiles --create --prefix=/run/log/journal
step tested runuser -u penstock-follow -- /usr/local/sbin/penstock-follow -c /etc/penstock/penstock.conf -t
step enable systemctl enable penstock-queue.socket penstock-follow
step start systemctl restart penstock-queue.socket penstock-follow
step told again health '^follow .*told_s='
stat -c 'file %n %A %U %G' /run/penstock-queue.sock /var/lib/penstock-follow /var/lib/penstock-follow/checkpoint
grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$(pid)/status"
step queue-is-ours sh -c '! runuser -u nobody -- perl -MIO::Socket::UNIX -e "exit !IO::Socket::UNIX->new(Peer => q(/run/penstock-queue.sock))"'
send bob@example.net nouser@example.net later@example.net
send later@example.net
step known again known 2
step trace sh -c '/usr/local/sbin/penstockctl -c /etc/penstock/penstock.conf trace nouser@example.net | grep "does not exist"'
# in shadow mode nothing is held; taken out of it by a reload of the daemon, it is
ctl account block $who stolen
sleep 5
step shadow held 0
was=$(pid)
sed -i '/^shadow/d' /etc/penstock/penstock.conf
systemctl reload penstock
step held again held 2
step same-process [ "$was" = "$(pid)" ]
# another that comes while it begins again
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do systemctl kill -s HUP penstock-follow; sleep 0.02; done
sleep 2
step hangups [ "$was" = "$(pid)" ]
step held-shown again sh -c "/usr/local/sbin/penstockctl -c /etc/penstock/penstock.conf queue show $who | grep 'on hold, while it is blocked'"
ctl account unblock $who
step released again held 0
# root's own postsuper(1), of no unit that is named
id=$(queue | sed -n 's/^\([0-9A-F]*\) .*  alice@.*/\1/p' | head -1)
postsuper -d "$id"
step deleted again known 1
# a mistake
echo 'nobody = 1' >>/etc/penstock/replies.conf
systemctl reload penstock-follow
step mistake again said 'reload: /etc/penstock/replies.conf:[0-9]*: .*; the old configuration stays in force'
step mistake-runs [ "$was" = "$(pid)" ]
sed -i '$d' /etc/penstock/replies.conf
# killed, and silent; its own minute would be long to wait for
printf '[Service]\nWatchdogSec=4\n' >/mnt/units/penstock-follow.service.d/watchdog.conf
systemctl daemon-reload
kill -9 "$was"
step killed again other_pid "$was"
was=$(pid)
kill -STOP "$was"
step watchdog again other_pid "$was"
rm /mnt/units/penstock-follow.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart penstock-follow
# nobody to ask
systemctl stop penstock-queue.socket
ctl account block $who stolen
step no-helper again health 'penstock-queue does not do what it is asked for'
systemctl start penstock-queue.socket
step helper again held 1
step helper-health again sh -c '! /usr/local/sbin/penstockctl -c /etc/penstock/penstock.conf status | grep "does not do what it is asked for"'
ctl account unblock $who
# a folder that takes nothing
chown root /var/lib/penstock-follow
send bob@example.net
step full again health 'follow.state cannot be written'
chown penstock-follow /var/lib/penstock-follow
step full-ends again sh -c '! /usr/local/sbin/penstockctl -c /etc/penstock/penstock.conf status | grep "cannot be written"'
step counted-once sh -c "/usr/local/sbin/penstockctl -c /etc/penstock/penstock.conf usage --month $(date -u +%Y-%m) | grep -E '^$who +3 +5 '"
# a file, as rsyslog writes it
echo 'follow: { source = "/var/log/mail.log"; };' >>/etc/penstock/penstock.conf
step file systemctl reload penstock
step no-file again said 'mail.log: there is no such file yet'
(umask 077; : >/var/log/mail.log)
step not-ours again said 'mail.log: it may not be read by this user' 
chgrp adm /var/log/mail.log; chmod 640 /var/log/mail.log
journalctl -q -f -n 0 -o short >>/var/log/mail.log &
sleep 1
send carol@example.net
step from-file again sh -c '/usr/local/sbin/penstockctl -c /etc/penstock/penstock.conf trace carol@example.net | grep delivered'
echo 'follow: { state = "/var/lib/other"; };' >/tmp/state; sed -i '/^follow/d' /etc/penstock/penstock.conf; cat /tmp/state >>/etc/penstock/penstock.conf
step other-state sh -c '! systemctl restart penstock-follow'
journalctl -q -o short | sed 's/^/journal /'
ctl status
step end systemctl disable --now penstock-follow penstock-queue.socket
END

for my $step (qw(daemon silent postfix no-journal not-started tested enable start told queue-is-ours known trace shadow held same-process hangups held-shown released
	deleted mistake mistake-runs killed watchdog no-helper helper helper-health full full-ends counted-once file no-file not-ours from-file
	other-state end)) {
	like $steps, qr/^step $step: 0$/m, $step;
}
like $steps, qr{system\.journal may not be read by this user: expected one in the group systemd-journal}, 'which journal, and who may read it';
like $steps, qr/^CapEff:\s+0+$/m, 'the follower has no capability';
like $steps, qr/^CapBnd:\s+0+$/m, '... and can get none';
like $steps, qr/^NoNewPrivs:\s+1$/m, '... nor another account\'s rights';
like $steps, qr/^Seccomp:\s+2$/m, '... and its system calls are filtered';
unlike $steps, qr/^Uid:.*\b0\b/m, '... and it never was root';
like $steps, qr{^file \S+ $_$}m, "no wider than needed: $_" for
	'srw-rw---- root penstock-follow', 'drwxr-x--- penstock-follow penstock-follow', '-rw-r----- penstock-follow penstock-follow';
like $steps, qr{^journal .* penstock-follow\[\d+\]: error: penstock-follow cannot start: .*/var/lib/other}m, 'a folder that is not there is named';
my @denied = grep { !m{/var/lib/other|system\.journal|penstock-follow/checkpoint|mail\.log|replies\.conf} } $steps =~
	/^(journal .*(?:penstock|postsuper).*(?:not permitted|denied|Read-only|not supported|fatal|panic).*)$/mg;
is_deeply \@denied, [], 'and nobody was denied anything else';
my @why = $steps =~ /^journal (.* systemd\[1\]: penstock.*)$/mg;
diag("--- steps:\n$steps--- console:\n" . substr(slurp("$folder/console"), -2000) .
	join "\n", '--- of the units:', @why, '--- not as expected:', $steps =~ /^(step .*: [^0].*)$/mg) if !Test::More->builder->is_passing;
done_testing();
