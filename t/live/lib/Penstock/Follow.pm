# SPDX-License-Identifier: BSD-2-Clause
#
# Follow: penstock-follow beside a world of Penstock::Live. Postfix's log and the daemon's are two files there; a process brings
# them together in one, as the log of a host has them.

package Penstock::Follow;

use strict;
use warnings;

use IO::Handle;
use Penstock::Process qw(start_code start_program stop_process wait_ready write_file);
use POSIX ();
use Time::HiRes qw(sleep);

sub program {
	my ($build) = @_;
	return $ENV{PENSTOCK_FOLLOW} // "$build/penstock-follow";
}

# Options: world. Its configuration gets what the follower needs; a running daemon does not look at that.
sub start {
	my ($class, %option) = @_;
	my $world = $option{world};
	my $self = bless { world => $world, log => "$world->{folder}/all.log", said => "$world->{folder}/follow.log" }, $class;
	my $state = "$world->{folder}/follow";
	mkdir $state or die "$state: $!\n";
	write_file($self->{log}, '');
	$world->{daemon}{config}{follow} = { source => $self->{log}, state => $state,
		replies => "$Penstock::Live::source/etc/replies.conf" };
	$world->{daemon}->write_config;
	$self->{writer} = start_code('the log', sub { $self->_write });
	$self->{pid} = start_program('penstock-follow', $self->{said}, program($world->{build}), '-c', $world->{daemon}{file},
		'--from-start');
	wait_ready($self->{pid}, $self->{said}, 20, sub { -s $self->{said} });
	return $self;
}

sub stop {
	my ($self) = @_;
	stop_process(delete $self->{writer});
	return stop_process(delete $self->{pid});
}

# New whole lines of both files, as they come; the daemon's own have no head in a file.
sub _write {
	my ($self) = @_;
	my @files = map { { name => $_, rest => '' } } @{ $self->{world}{postfix} }{log}, $self->{world}{daemon}{log};
	open(my $out, '>>', $self->{log}) or die "$self->{log}: $!\n";
	$out->autoflush(1);
	while (1) {
		for my $file (@files) {
			$file->{handle} //= do { open(my $in, '<', $file->{name}) or next; $in };
			sysread($file->{handle}, $file->{rest}, 65536, length $file->{rest});
			while ($file->{rest} =~ s/^(.*)\n//) {
				my $line = $1;
				$line = POSIX::strftime('%b %e %H:%M:%S', localtime) . " mail penstock[1]: $line" if $file == $files[1];
				print $out "$line\n";
			}
		}
		sleep 0.02;
	}
}

1;
