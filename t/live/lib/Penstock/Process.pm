# SPDX-License-Identifier: BSD-2-Clause
#
# Process: programs that a test starts, each in a process group of its own, and all of them ended with the test.

package Penstock::Process;

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();	# before our END: its own, which removes folders with the pids in them, comes after it
use IO::Socket::INET;
use IO::Socket::IP;
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(at_end free_port need_program run serve_each slurp start_program start_code stop_process wait_for wait_ready write_file);

my $owner = $$;
my %running;	# pid => what it is called
my @at_end;	# what else is to be done at the end, last first

# Waits until `check` returns something true, and returns it. Dies naming `what` after `seconds`.
sub wait_for {
	my ($seconds, $what, $check) = @_;
	my $end = time + $seconds;
	while (1) {
		my $value = $check->();
		return $value if $value;
		die "waited $seconds s in vain for $what\n" if time > $end;
		sleep 0.02;
	}
}

# Waits for a program of start_program's until `check` returns something true. Where it ends instead, or never gets so
# far, dies with the end of its log.
sub wait_ready {
	my ($pid, $log, $seconds, $check) = @_;
	my ($name, $ended) = ($running{$pid}, 0);
	my $ready = eval {
		wait_for($seconds, "$name to be ready", sub { $check->() || ($ended = waitpid($pid, POSIX::WNOHANG) == $pid) });
	};
	return $ready if $ready && !$ended;
	delete $running{$pid} if $ended;
	my $why = $ended ? "$name ended at its start" : $@ =~ s/\n\z//r;
	die "$why; $log:\n" . substr(slurp($log), -4000) . "\n";
}

my %given;	# ports that were asked for: who asked may not have taken his yet

# A port of 127.0.0.1 that nobody has, below the range from which outgoing connections take theirs.
sub free_port {
	my ($protocol) = @_;
	for (1 .. 200) {
		my $port = 20000 + int rand 11000;
		next if $given{$port}++;
		my %listen = $protocol eq 'udp' ? () : (Listen => 1);
		my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Proto => $protocol, %listen);
		return $port if $socket;
	}
	die "found no free $protocol port on 127.0.0.1\n";
}

sub need_program {
	my ($name, $package) = @_;
	for my $folder (split(/:/, $ENV{PATH} // ''), '/usr/local/sbin', '/usr/sbin', '/sbin') {
		return "$folder/$name" if -x "$folder/$name";
	}
	die "the program $name is missing: apt-get install $package\n";
}

sub slurp {
	my ($file) = @_;
	open(my $handle, '<', $file) or return '';
	local $/;
	my $text = <$handle>;
	return $text // '';
}

sub write_file {
	my ($file, $text, $mode) = @_;
	open(my $handle, '>', $file) or die "cannot write $file: $!\n";
	print $handle $text or die "cannot write $file: $!\n";
	close($handle) or die "cannot write $file: $!\n";
	chmod $mode, $file if defined $mode;
}

# Runs a command to its end: exit status, standard output, standard error. `input` in the options is given to it.
sub run {
	my ($options, @command) = @_;
	pipe(my $out_read, my $out_write) or die "pipe: $!";
	pipe(my $error_read, my $error_write) or die "pipe: $!";
	pipe(my $in_read, my $in_write) or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		open(STDIN, '<&', $in_read);
		open(STDOUT, '>&', $out_write);
		open(STDERR, '>&', $error_write);
		close $_ for $out_read, $out_write, $error_read, $error_write, $in_read, $in_write;
		$ENV{$_} = $options->{env}{$_} for keys %{ $options->{env} // {} };
		exec { $command[0] } @command or POSIX::_exit(127);
	}
	close $_ for $out_write, $error_write, $in_read;
	local $SIG{PIPE} = 'IGNORE';
	print $in_write $options->{input} // '';
	close $in_write;
	my ($out, $error) = _read_both($out_read, $error_read, time + ($options->{seconds} // 60));
	kill 'KILL', $pid if !defined $out;
	waitpid($pid, 0);
	die "@command did not end\n" if !defined $out;
	return ($? & 127 ? 128 + ($? & 127) : $? >> 8, $out, $error);
}

sub _read_both {
	my ($out_read, $error_read, $end) = @_;
	my %text = (fileno($out_read) => '', fileno($error_read) => '');
	my %open = (fileno($out_read) => $out_read, fileno($error_read) => $error_read);
	while (%open) {
		my $bits = '';
		vec($bits, $_, 1) = 1 for keys %open;
		return if select($bits, undef, undef, $end - time > 0 ? $end - time : 0) == 0;
		for my $number (grep { vec($bits, $_, 1) } keys %open) {
			my $got = sysread($open{$number}, $text{$number}, 65536, length $text{$number});
			delete $open{$number} if !$got;
		}
	}
	return ($text{ fileno $out_read }, $text{ fileno $error_read });
}

# Starts a program that stays; what it says goes to the end of the file `log`. Returns its pid.
sub start_program {
	my ($name, $log, @command) = @_;
	return start_code($name, sub {
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>>', $log) or POSIX::_exit(126);
		open(STDERR, '>&', \*STDOUT);
		exec { $command[0] } @command or POSIX::_exit(127);
	});
}

sub start_code {
	my ($name, $code) = @_;
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE CHLD);
		setpgrp(0, 0);
		# not die: this process must not run what the test does at its end
		eval { $code->(); 1 } or warn $@;
		POSIX::_exit(1);
	}
	eval { setpgrp($pid, $pid) };
	$running{$pid} = $name;
	return $pid;
}

# A server at a port of the loopback: a process for each connection, which `talk` gets.
sub serve_each {
	my ($name, $port, $talk, $address) = @_;
	$address //= '127.0.0.1';
	my $listener = IO::Socket::IP->new(LocalHost => $address, LocalPort => $port, Listen => 128, ReuseAddr => 1)
		or die "$name cannot listen at $address, port $port: $@\n";
	my $server = start_code($name, sub {
		$SIG{CHLD} = 'IGNORE';
		while (1) {
			my $connection = $listener->accept or next;
			my $pid = fork;
			if (defined $pid && $pid == 0) {
				close $listener;
				$SIG{PIPE} = 'IGNORE';
				alarm 300;
				$talk->($connection);
				POSIX::_exit(0);
			}
			close $connection;
		}
	});
	close $listener;
	return $server;
}

# TERM, then KILL to the whole group. Returns the exit status, undef where it was not running.
sub stop_process {
	my ($pid, $seconds) = @_;
	return if !$pid || !delete $running{$pid};
	kill 'TERM', $pid;
	kill 'CONT', $pid;
	my $ended = sub { waitpid($pid, POSIX::WNOHANG) == $pid ? [$?] : 0 };
	my $status = eval { wait_for($seconds // 10, "the end of $pid", $ended) };
	kill 'KILL', -$pid;
	if (!$status) {
		kill 'KILL', $pid;
		waitpid($pid, 0);
		$status = [$?];
	}
	return $status->[0];
}

# To be run at the end of the test, however it ends; the last one first.
sub at_end {
	push @at_end, $_[0];
}

sub _end {
	return if $$ != $owner;
	local ($?, $@);
	eval { $_->() } for reverse splice @at_end;
	stop_process($_, 5) for keys %running;
}

for my $signal (qw(INT TERM HUP)) {
	$SIG{$signal} = sub { exit 128 + { INT => 2, TERM => 15, HUP => 1 }->{$signal} };
}

END { _end() }

1;
