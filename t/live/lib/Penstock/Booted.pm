# SPDX-License-Identifier: BSD-2-Clause
#
# A systemd of the test's own: the first process of namespaces of its own, over a copy of this host's files that goes with it.
# The units of etc/ are there with the programs of the build; what test.service does stands in `steps`, a shell script in
# which `step NAME COMMAND...` notes how a command ended and `again COMMAND...` tries it for a quarter of a minute. Where
# namespaces, overlays or control groups are not given to us, why() says so.

package Penstock::Booted;

use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);
use File::Temp;
use Penstock::Process qw(at_end run slurp write_file);

# Another `seconds` than 240: after that it is ended. journald => 1: with a journal, and a /dev of its own for its socket.
sub new {
	my ($class, %options) = @_;
	my $self = bless { seconds => 240, %options }, $class;
	my $folder = $self->{folder} = File::Temp::tempdir('penstock-systemd-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
	$self->{source} = Cwd::abs_path(dirname(__FILE__) . '/../../../..');
	$self->{build} = Cwd::abs_path($ENV{PENSTOCK_BUILD} // $self->{source});
	my $group = $self->{group} = "penstock-test-$$";
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
	$self->write_world;
	my @enter = ('timeout', '--kill-after=5', $self->{seconds}, 'unshare', qw(--pid --fork --kill-child --mount --uts --ipc --net sh), "$folder/enter");
	$self->{enter} = \@enter;
	at_end(sub { run({}, qw(unshare --mount sh -c), "mount --make-rprivate / && mount -t cgroup2 none $folder/cgroup && " .
		"find $folder/cgroup/$group -depth -type d -exec rmdir {} +") });
	my ($may, undef, $why) = run({ seconds => 60 }, @enter, 'probe');
	$self->{why} = 'no namespaces, overlay or control groups: ' . ($why =~ s/\n.*//sr) if $may != 0;
	run({}, qw(unshare --mount sh -c), "mount --make-rprivate / && mount -t cgroup2 none $folder/cgroup && rmdir $folder/cgroup/$group");
	$self->write_units;
	return $self;
}

# Why there can be none; undefined: there can.
sub why { return $_[0]{why} }

# world: the host's files with a layer over them, and in it the units, the programs and an account.
sub write_world {
	my ($self) = @_;
	my ($folder, $build, $source) = @{$self}{qw(folder build source)};
	my $dev = !$self->{journald} ? 'mount --rbind /dev dev' : <<'END';
mount -t tmpfs tmpfs dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
mount -t devpts devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
END
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
$dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mkdir -p mnt/out mnt/old usr/local/sbin usr/local/libexec/penstock etc/penstock
mount --bind $folder/out mnt/out
[ "\$1" != probe ] || exit 0
install $build/penstock $build/penstockctl $build/penstock-follow usr/local/sbin/
install $build/penstock-queue usr/local/libexec/penstock/
install -m 644 $source/etc/replies.conf etc/penstock/
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
	return;
}

sub write_units {
	my ($self) = @_;
	my $units = "$self->{folder}/units";
	for my $unit (map { s{.*/}{}r } glob "$self->{source}/etc/penstock*.{service.in,socket,timer}") {
		my $text = slurp("$self->{source}/etc/$unit") =~ s{\@sbindir\@}{/usr/local/sbin}gr =~ s{\@sysconfdir\@}{/etc}gr =~
			s{\@pkglibexecdir\@}{/usr/local/libexec/penstock}gr;
		my $name = $unit =~ s/\.in$//r;
		write_file("$units/$name", $text);
		mkdir "$units/$name.d";
		write_file("$units/$name.d/log.conf", "[Service]\nStandardOutput=append:/mnt/out/log\nStandardError=append:/mnt/out/log\n")
			if $name =~ /service$/ && !$self->{journald};
	}
	write_file("$units/$_.target", "[Unit]\nDefaultDependencies=no\n")
		for qw(sysinit basic sockets shutdown network network-online nss-lookup multi-user timers);
	write_file("$units/test.target", "[Unit]\nWants=test.service\n");
	write_file("$units/test.service", <<'END');
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh /mnt/out/steps
StandardOutput=append:/mnt/out/steps.log
StandardError=inherit
ExecStopPost=/bin/systemctl --force --force poweroff
END
	return if !$self->{journald};
	my @theirs = map { "/lib/systemd/system/$_" } qw(systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket
		postfix.service postfix@.service);
	write_file("$units/" . s{.*/}{}r, slurp($_)) for grep { -e } @theirs;
	write_file("$units/test.target", "[Unit]\nRequires=systemd-journald.socket systemd-journald-dev-log.socket\nWants=test.service\n");
	return;
}

# Another option of a unit, in a drop-in file.
sub drop_in {
	my ($self, $unit, $text) = @_;
	my $folder = "$self->{folder}/units/$unit.d";
	mkdir $folder;
	write_file("$folder/test.conf", $text);
	return;
}

# Runs the steps to their end. What they printed.
sub boot {
	my ($self, $steps) = @_;
	my $folder = $self->{folder};
	write_file("$folder/out/steps", <<'END' . $steps);
step() { name=$1; shift; "$@"; echo "step $name: $?"; }
again() { for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do "$@" && return 0; sleep 0.5; done; return 1; }
END
	run({ seconds => $self->{seconds} + 40 }, 'sh', '-c', 'exec "$@" >"$0" 2>&1', "$folder/console", @{ $self->{enter} });
	return $self->out('steps.log');
}

# A file of /mnt/out; "" where there is none.
sub out {
	my ($self, $name) = @_;
	my $file = "$self->{folder}/out/$name";
	return -e $file ? slurp($file) : '';
}

1;
