# SPDX-License-Identifier: BSD-2-Clause
#
# Follow: penstock-follow beside a world of Penstock::Live. Penstock's lines and Postfix's are put into one log, as syslog
# would, and penstock-queue is started for each connection to its socket, as systemd would.

package Penstock::Follow;

use strict;
use warnings;

use IO::Handle;
use IO::Socket::UNIX;
use Penstock::Process qw(start_code start_program stop_process wait_for write_file);
use POSIX ();
use Time::HiRes qw(sleep);

# The part of the configuration that it needs.
sub config {
	my ($folder) = @_;
	return { source => "$folder/all.log", state => "$folder/follow", replies => "$Penstock::Live::source/etc/replies.conf",
		queue_socket => "$folder/queue.sock" };
}

sub new {
	my ($class, $world) = @_;
	my $folder = $world->{folder};
	mkdir "$folder/follow";
	write_file("$folder/all.log", '');
	my $self = bless { world => $world, folder => $folder, log => "$folder/follow.log" }, $class;
	start_code('the log', sub { _join($folder) });
	start_code('penstock-queue', sub { _serve("$folder/queue.sock", "$world->{build}/penstock-queue", $world->{postfix}{config}) });
	wait_for(10, 'the socket of penstock-queue', sub { -S "$folder/queue.sock" });
	return $self;
}

sub start {
	my ($self) = @_;
	my $world = $self->{world};
	$self->{pid} = start_program('penstock-follow', $self->{log}, "$world->{build}/penstock-follow", '-c', $world->{daemon}{file},
		'--from-start');
}

sub stop { stop_process(delete $_[0]{pid}, 20) }

sub kill_hard {
	my ($self) = @_;
	kill 'KILL', $self->{pid};
	waitpid delete $self->{pid}, 0;
}

sub _join {
	my ($folder) = @_;
	open my $all, '>>', "$folder/all.log" or die "$folder/all.log: $!";
	$all->autoflush(1);
	my @from = map { open my $file, '<', "$folder/$_" or die "$folder/$_: $!"; [$file, $_ eq 'penstock.log'] } qw(mail.log penstock.log);
	while (1) {
		for (@from) {
			my ($file, $ours) = @$_;
			seek $file, 0, 1;
			while (defined(my $line = <$file>)) {
				$line .= <$file> // '' while $line !~ /\n\z/ && sleep 0.01;
				$line = POSIX::strftime('%b %e %H:%M:%S', localtime) . ' out penstock[1]: ' . $line =~ s/^penstock(?:\[\d+\])?: //r if $ours;
				print $all $line;
			}
		}
		sleep 0.05;
	}
}

sub _serve {
	my ($path, @command) = @_;
	$SIG{CHLD} = 'IGNORE';
	my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die "$path: $!";
	while (my $connection = $listener->accept) {
		next if fork;
		$SIG{CHLD} = 'DEFAULT';
		open STDIN, '<&', $connection or POSIX::_exit(126);
		open STDOUT, '>&', $connection or POSIX::_exit(126);
		exec { $command[0] } @command or POSIX::_exit(127);
	}
}

1;
