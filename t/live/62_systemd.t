#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The units under a systemd of their own: the first process of namespaces of its own, over a copy of this host's files
# that goes with it. The daemon starts, takes mail, reloads and starts again with all the unit's restrictions; the release
# of held mail runs postsuper(1) with its own. Where namespaces, overlays or control groups are not given to us it is
# skipped.

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

my @enter = ('timeout', '--kill-after=5', '120', 'unshare', qw(--pid --fork --kill-child --mount --uts --ipc --net sh), "$folder/enter");
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
write_file("$folder/main.cf", <<'END');
compatibility_level = 3.6
myhostname = mail.example.test
mydestination =
default_transport = discard
non_smtpd_milters = unix:penstock/milter.sock
milter_default_action = tempfail
END
for my $unit (map { s{.*/}{}r } glob "$source/etc/penstock*.{service.in,socket}") {
	my $text = slurp("$source/etc/$unit") =~ s{\@sbindir\@}{/usr/local/sbin}gr =~ s{\@sysconfdir\@}{/etc}gr;
	my $name = $unit =~ s/\.in$//r;
	write_file("$folder/units/$name", $text);
	mkdir "$folder/units/$name.d";
	write_file("$folder/units/$name.d/log.conf", "[Service]\nStandardOutput=append:/mnt/out/log\nStandardError=append:/mnt/out/log\n")
		if $name =~ /service$/;
}
write_file("$folder/units/$_.target", "[Unit]\nDefaultDependencies=no\n") for qw(sysinit basic sockets shutdown network multi-user);
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
again() { for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "$@" && return 0; sleep 0.5; done; return 1; }
redis() { redis-cli -a word --no-auth-warning "$@"; }
listed() { redis ZRANGE penstock:held 0 -1 | grep '^here '; }
queued() { find /var/spool/postfix/hold -type f | grep .; }
status() { grep -E "^($1):" "/proc/$(systemctl show -p MainPID --value penstock)/status"; }
ctl() { /usr/local/sbin/penstockctl "$@"; }
redis-server --port 6379 --requirepass word --daemonize yes --dir /tmp >/dev/null
step start systemctl start penstock
step redis again sh -c '/usr/local/sbin/penstockctl status | grep up=yes'
stat -c 'file %n %A %U %G' /var/spool/postfix/penstock/*.sock /run/penstock/*.sock /var/log/penstock/facts
status 'Uid|CapEff|CapBnd|NoNewPrivs|Seccomp'
postfix start
printf 'Subject: one\n\ntext\n' | /usr/sbin/sendmail -i -f alice@example.com bob@example.net
step held again queued
step listed again listed
step reload systemctl reload penstock
step reloaded again grep -q 'is in force' /mnt/out/log
redis ZADD penstock:held 5 "$(listed)"
step release systemctl start penstock-release
step gone sh -c '! find /var/spool/postfix/hold -type f | grep .'
step restart systemctl restart penstock
step answers ctl status
step stop systemctl stop penstock
step socket systemctl start penstock.socket
sed -i -e 's|/var/spool/postfix/penstock/milter|/run/penstock/milter|' /etc/penstock/penstock.conf
step with-socket systemctl start penstock
stat -c 'held %n %A %U %G' /run/penstock/milter.sock
step end systemctl stop penstock
postfix stop
END

run({ seconds => 150 }, 'sh', '-c', 'exec "$@" >"$0" 2>&1', "$folder/console", @enter);
my $steps = -e "$folder/out/steps.log" ? slurp("$folder/out/steps.log") : '';
my $log = -e "$folder/out/log" ? slurp("$folder/out/log") : '';
for my $step (qw(start redis held listed reload reloaded release gone restart answers stop socket with-socket end)) {
	like $steps, qr/^step $step: 0$/m, $step;
}
like $steps, qr/^CapEff:\s+0+$/m, 'the daemon has no capability';
like $steps, qr/^CapBnd:\s+0+$/m, '... and can get none';
like $steps, qr/^NoNewPrivs:\s+1$/m, '... nor another account\'s rights';
like $steps, qr/^Seccomp:\s+2$/m, '... and its system calls are filtered';
unlike $steps, qr/^Uid:.*\b0\b/m, '... and it never was root';
like $steps, qr{^file \S+/penstock/$_$}m, "no wider than needed: $_" for
	'milter.sock srw-rw---- penstock postfix', 'socketmap.sock srw-rw---- penstock postfix',
	'control.sock srw------- penstock penstock', 'facts -rw-r----- penstock penstock';
like $steps, qr{^held /run/penstock/milter.sock srw-rw---- root postfix$}m, 'the socket that systemd holds, too';
like $log, qr/: released$/m, 'postsuper released the message';
unlike $log, qr/not permitted|Permission denied|Read-only|not supported|fatal|panic/, 'and nobody was denied anything';
diag("--- steps:\n$steps--- log:\n$log--- console:\n" . substr(slurp("$folder/console"), -3000)) if !Test::More->builder->is_passing;
done_testing();
