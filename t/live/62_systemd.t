#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The units under a systemd of their own: the first process of namespaces of its own, over a copy of this host's files
# that goes with it. systemd holds the milter's socket; the daemon starts, takes mail from a chrooted smtpd, reloads, is ended
# by the watchdog and starts again with all the unit's restrictions, and over three restarts no session of Postfix's is
# deferred; the socket's unit restarts and stops the daemon with it; the timer releases held mail by postsuper(1), which runs with restrictions of its own. Where namespaces, overlays
# or control groups are not given to us it is skipped.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Booted;
use Penstock::Process qw(need_program slurp write_file);
use Test::More;

plan skip_all => 'only root can make namespaces' if $> != 0;
need_program(@$_) for ['systemctl', 'systemd'], ['ip', 'iproute2'], ['redis-server', 'redis-server'], ['postsuper', 'postfix'];
my $world = Penstock::Booted->new;
plan skip_all => $world->why if $world->why;
my $folder = $world->{folder};

write_file("$folder/penstock.conf", <<'END');
node = "here";
milter: { socket = "unix:/var/spool/postfix/penstock/milter.sock"; socket_group = "postfix"; };
socketmap: { listen = "unix:/var/spool/postfix/penstock/socketmap.sock"; };
log: { target = "stderr"; };
facts: { file = "/var/log/penstock/facts"; };
redis: { server = "127.0.0.1:6379"; password = "word"; };
catalogue: { file = ""; };
plans = ( { name = "default"; msgs_per_day = 0; over = "hold"; } );
END
# sessions: so many, one every quarter of a second, each of its own process; "lost" is what did not end with 250
write_file("$folder/out/sessions", <<'END');
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);
my ($count, $begin, @pids) = (shift, time);
for my $i (0 .. $count - 1) {
	my $wait = $begin + $i / 4 - time;
	sleep $wait if $wait > 0;
	push @pids, my $pid = fork // die "fork: $!\n";
	next if $pid;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 25, Timeout => 60) or print("session $i: $!\n"), exit 1;
	for my $row (['', 220], ["EHLO client.example\r\n", 250], ["MAIL FROM:<alice\@example.com>\r\n", 250],
		["RCPT TO:<bob\@example.net>\r\n", 250], ["DATA\r\n", 354], ["Subject: $i\r\n\r\ntext\r\n.\r\n", 250], ["QUIT\r\n", 221]) {
		my ($said, $code) = @$row;
		print {$socket} $said;
		my $line = '-';
		$line = <$socket> // '' while $line =~ /^(?:-|\d{3}-)/;
		$line =~ /^$code / or print("session $i: ", $said =~ s/\r\n.*//sr, ": $line\n"), exit 1;
		sleep 0.1;	# as a login takes
	}
	exit 0;
}
my $lost = 0;
for my $pid (@pids) {
	waitpid $pid, 0;
	$lost++ if $?;
}
print "sessions $count lost $lost\n";
END
write_file("$folder/main.cf", <<'END');
compatibility_level = 3.6
myhostname = mail.example.test
mydestination =
default_transport = discard
inet_interfaces = loopback-only
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_milters = unix:penstock/milter.sock
non_smtpd_milters = unix:penstock/milter.sock
milter_default_action = tempfail
END
# what the units do every half or two minutes
$world->drop_in('penstock-release.timer', "[Timer]\nOnBootSec=\nOnUnitActiveSec=\nOnActiveSec=1s\nOnUnitActiveSec=3s\nAccuracySec=100ms\n");
$world->drop_in('penstock.service', "[Service]\nWatchdogSec=4\n");

# What is done in there. `step NAME COMMAND...` notes how it ended.
my $steps = $world->boot(<<'END');
redis() { redis-cli -a word --no-auth-warning "$@"; }
listed() { redis ZRANGE penstock:held 0 -1 | grep '^here '; }
queued() { find /var/spool/postfix/hold -type f | grep .; }
empty() { ! find /var/spool/postfix/hold -type f | grep .; }
pid() { systemctl show -p MainPID --value penstock; }
status() { grep -E "^($1):" "/proc/$(pid)/status"; }
ctl() { /usr/local/sbin/penstockctl "$@"; }
other_pid() { now=$(pid); [ "$now" != "$1" ] && [ "$now" != 0 ] && ctl status >/dev/null; }
redis-server --port 6379 --requirepass word --daemonize yes --dir /tmp >/dev/null
step enable systemctl enable penstock
step start systemctl start penstock.socket penstock
step redis again sh -c '/usr/local/sbin/penstockctl status | grep up=yes'
stat -c 'file %n %A %U %G' /var/spool/postfix/penstock /var/spool/postfix/penstock/*.sock /run/penstock/*.sock /var/log/penstock/facts
status 'Uid|CapEff|CapBnd|NoNewPrivs|Seccomp'
systemctl show -p Before --value penstock | tr ' ' '\n' | sed -n 's/^postfix/before postfix/p'
step timer-runs systemctl is-active penstock-release.timer
step healthy sh -c '/usr/local/sbin/penstockctl status | grep "^status  *ok"'
postfix start
printf 'Subject: one\n\ntext\n' | /usr/sbin/sendmail -i -f alice@example.com bob@example.net
step held again queued
step listed again listed
redis ZADD penstock:held 5 "$(listed)"
step released-by-timer again empty
sed -i '/^plans/d' /etc/penstock/penstock.conf
step reload systemctl reload penstock
step reloaded again grep -q 'is in force' /mnt/out/log
was=$(pid)
kill -STOP "$was"
step watchdog again other_pid "$was"
was=$(pid)
perl /mnt/out/sessions 95 &
sessions=$!
sleep 5; step restart systemctl restart penstock
sleep 5; step restart systemctl restart penstock
sleep 5; step restart systemctl restart penstock
step restarted other_pid "$was"
wait $sessions
was=$(pid)
step socket-restart systemctl restart penstock.socket
step socket-active systemctl is-active penstock.socket penstock
step socket-restarted again other_pid "$was"
step none-held empty
step stop systemctl stop penstock
printf 'Subject: two\n\ntext\n' | /usr/sbin/sendmail -i -f alice@example.com bob@example.net
step started-by-mail again other_pid 0
sed -i 's|/var/log/penstock/facts|/var/lib/facts|' /etc/penstock/penstock.conf
step reload-facts systemctl reload penstock
step facts-restart systemctl restart penstock
ctl status
step end-socket systemctl stop penstock.socket
step ended sh -c '! systemctl is-active penstock'
sed -i 's|/var/lib/facts|/var/log/penstock/facts|' /etc/penstock/penstock.conf
step without-socket systemctl start penstock
stat -c 'own %n %A %U %G' /var/spool/postfix/penstock/milter.sock
step end systemctl stop penstock
postfix stop
END

my $log = $world->out('log');
for my $step (qw(enable start redis timer-runs healthy held listed released-by-timer reload reloaded watchdog restart restarted none-held socket-restart socket-active socket-restarted stop
	started-by-mail reload-facts facts-restart end-socket ended without-socket end)) {
	like $steps, qr/^step $step: 0$/m, $step;
}
is scalar(() = $steps =~ /^step restart: 0$/mg), 3, 'three restarts';
like $steps, qr/^sessions 95 lost 0$/m, 'and none of 95 sessions is deferred meanwhile';
like $steps, qr/^before $_$/m, "it starts before $_" for 'postfix.service', 'postfix@-.service';
like $steps, qr/^CapEff:\s+0+$/m, 'the daemon has no capability';
like $steps, qr/^CapBnd:\s+0+$/m, '... and can get none';
like $steps, qr/^NoNewPrivs:\s+1$/m, '... nor another account\'s rights';
like $steps, qr/^Seccomp:\s+2$/m, '... and its system calls are filtered';
unlike $steps, qr/^Uid:.*\b0\b/m, '... and it never was root';
like $steps, qr{^file \S+/$_$}m, "no wider than needed: $_" for
	'penstock drwxr-s--- penstock postfix', 'milter.sock srw-rw---- penstock postfix', 'socketmap.sock srw-rw---- penstock postfix',
	'control.sock srw------- penstock penstock', 'facts -rw-r----- penstock penstock';
like $steps, qr{^own \S+/milter.sock srw-rw---- penstock postfix$}m, 'the milter\'s own socket, where systemd holds none, too';
like $log, qr/: released$/m, 'postsuper released the message';
like $log, qr{^warning: facts\.file: "/var/lib/facts" cannot be opened: Read-only file system; .* below /var/log/penstock}m,
	'a file where the unit lets nobody write is warned of';
like $steps, qr{facts\.file: "/var/lib/facts" cannot be opened}, '... and is a reason in /health';
$log =~ s{^.*"/var/lib/facts".*$}{}mg;
unlike $log, qr/not permitted|Permission denied|Read-only|not supported|fatal|panic/, 'and nobody was denied anything else';
diag("--- steps:\n$steps--- log:\n$log--- console:\n" . substr(slurp("$folder/console"), -3000)) if !Test::More->builder->is_passing;
done_testing();
