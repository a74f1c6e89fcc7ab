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
use Cwd ();
use File::Temp;
use Penstock::Process qw(at_end need_program run slurp write_file);
use Test::More;

plan skip_all => 'only root can make namespaces' if $> != 0;
need_program(@$_) for ['systemctl', 'systemd'], ['ip', 'iproute2'], ['redis-server', 'redis-server'], ['postsuper', 'postfix'];
my $build = Cwd::abs_path($ENV{PENSTOCK_BUILD} // "$FindBin::Bin/../..");
my $source = Cwd::abs_path("$FindBin::Bin/../..");
my $folder = File::Temp::tempdir('penstock-systemd-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
my $group = "penstock-test-$$";
mkdir "$folder/$_" or die "$folder/$_: $!\n" for qw(cgroup over out units);

# enter: in new namespaces, in a control group of our own, which the namespace then takes for the root.
write_file("$folder/enter", <<"END");
set -e
mount --make-rprivate /
mount -t cgroup2 none $folder/cgroup
mkdir $folder/cgroup/$group
echo \$\$ >$folder/cgroup/$group/cgroup.procs
exec unshare --cgroup sh $folder/world "\$@"
END

# world: the host's files with a layer over them, and in it the units, the programs and an account.
write_file("$folder/world", <<"END");
set -e
mount -t tmpfs tmpfs $folder/over
mkdir $folder/over/upper $folder/over/work $folder/over/root
cd $folder/over
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cd root
ip link set lo up
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mkdir -p mnt/out mnt/old usr/local/sbin etc/penstock
mount --bind $folder/out mnt/out
[ "\$1" != probe ] || exit 0
install $build/penstock $build/penstockctl usr/local/sbin/
cp -r $folder/units mnt/
getent passwd penstock >/dev/null || chroot . useradd --system --no-create-home --shell /usr/sbin/nologin penstock
install -m 640 $folder/penstock.conf etc/penstock/penstock.conf
chroot . chgrp penstock /etc/penstock/penstock.conf
cp usr/share/postfix/master.cf.dist etc/postfix/master.cf
cp $folder/main.cf etc/postfix/main.cf
echo 0123456789abcdef0123456789abcdef >etc/machine-id
pivot_root . mnt/old
cd /
umount -l /mnt/old
export container=penstock-test SYSTEMD_UNIT_PATH=/mnt/units SYSTEMD_GENERATOR_PATH=/nonexistent
exec /lib/systemd/systemd --system --unit=test.target --log-target=console --show-status=no
END

my @enter = ('timeout', '--kill-after=5', '240', 'unshare', qw(--pid --fork --kill-child --mount --uts --ipc --net sh), "$folder/enter");
at_end(sub { run({}, qw(unshare --mount sh -c), "mount --make-rprivate / && mount -t cgroup2 none $folder/cgroup && " .
	"find $folder/cgroup/$group -depth -type d -exec rmdir {} +") });
my ($may, undef, $why) = run({ seconds => 60 }, @enter, 'probe');
plan skip_all => 'no namespaces, overlay or control groups: ' . ($why =~ s/\n.*//sr) if $may != 0;
run({}, qw(unshare --mount sh -c), "mount --make-rprivate / && mount -t cgroup2 none $folder/cgroup && rmdir $folder/cgroup/$group");

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
for my $unit (map { s{.*/}{}r } glob "$source/etc/penstock*.{service.in,socket,timer}") {
	my $text = slurp("$source/etc/$unit") =~ s{\@sbindir\@}{/usr/local/sbin}gr =~ s{\@sysconfdir\@}{/etc}gr;
	my $name = $unit =~ s/\.in$//r;
	write_file("$folder/units/$name", $text);
	mkdir "$folder/units/$name.d";
	write_file("$folder/units/$name.d/log.conf", "[Service]\nStandardOutput=append:/mnt/out/log\nStandardError=append:/mnt/out/log\n")
		if $name =~ /service$/;
}
# what the units do every half or two minutes
mkdir "$folder/units/penstock-release.timer.d";
write_file("$folder/units/penstock-release.timer.d/often.conf", "[Timer]\nOnBootSec=\nOnUnitActiveSec=\nOnActiveSec=1s\nOnUnitActiveSec=3s\nAccuracySec=100ms\n");
write_file("$folder/units/penstock.service.d/watchdog.conf", "[Service]\nWatchdogSec=4\n");
write_file("$folder/units/$_.target", "[Unit]\nDefaultDependencies=no\n") for qw(sysinit basic sockets shutdown network multi-user timers);
write_file("$folder/units/test.target", "[Unit]\nWants=test.service\n");
write_file("$folder/units/test.service", <<'END');
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh /mnt/out/steps
StandardOutput=append:/mnt/out/steps.log
StandardError=inherit
ExecStopPost=/bin/systemctl --force --force poweroff
END

# What is done in there. `step NAME COMMAND...` notes how it ended.
write_file("$folder/out/steps", <<'END');
step() { name=$1; shift; "$@"; echo "step $name: $?"; }
again() { for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do "$@" && return 0; sleep 0.5; done; return 1; }
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

run({ seconds => 280 }, 'sh', '-c', 'exec "$@" >"$0" 2>&1', "$folder/console", @enter);
my $steps = -e "$folder/out/steps.log" ? slurp("$folder/out/steps.log") : '';
my $log = -e "$folder/out/log" ? slurp("$folder/out/log") : '';
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
