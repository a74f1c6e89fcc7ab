# SPDX-License-Identifier: BSD-2-Clause
#
# Stand: the test stand of the benchmark. A private folder, the programs under test in it, their CPU time and memory,
# and enough of Redis's protocol to ask it how it is.
package Stand;

use strict;
use warnings;

use File::Temp ();
use IO::Socket::INET ();
use IO::Socket::UNIX ();
use POSIX ();
use Time::HiRes ();

my $hertz = POSIX::sysconf(POSIX::_SC_CLK_TCK());

sub new
{
	my ($class, %set) = @_;
	my $dir = File::Temp::tempdir("penstock-bench.XXXXXX", TMPDIR => 1, CLEANUP => 0);
	chmod 0755, $dir;	# rbldnsd reads its zone as a user of its own
	return bless { dir => $dir, children => {}, owner => $$, descriptors => $set{descriptors} }, $class;
}

sub path { return "$_[0]{dir}/$_[1]" }

# The output of a child is in NAME.log.
sub start
{
	my ($self, $name, @command) = @_;
	my $log = $self->path("$name.log");
	unlink $log;	# nobody shall read what an earlier run said
	my $pid = fork() // die "cannot fork for $name: $!\n";
	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', $log or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT;
		# exec keeps the process id through the shell
		exec '/bin/sh', '-c', "ulimit -n $self->{descriptors} 2>/dev/null; exec \"\$@\"", 'sh', @command
			or POSIX::_exit(127);
	}
	$self->{children}{$name} = $pid;
	return $pid;
}

sub pid { return $_[0]{children}{$_[1]} }

sub tail
{
	my ($self, $name) = @_;
	open my $log, '<', $self->path("$name.log") or return "(no log)\n";
	my @lines = <$log>;
	@lines = @lines[-15 .. -1] if @lines > 15;
	return @lines ? join('', map { "  | $_" } @lines) : "  | (its log is empty)\n";
}

sub alive
{
	my ($self, $name) = @_;
	my $pid = $self->{children}{$name} or return 0;
	return 1 if waitpid($pid, POSIX::WNOHANG()) == 0;
	$self->{status}{$name} = $?;
	delete $self->{children}{$name};
	return 0;
}

sub must_live
{
	my ($self, @names) = @_;
	for my $name (@names) {
		die "$name has ended; the last lines of its log:\n" . $self->tail($name) if !$self->alive($name);
	}
}

sub stop
{
	my ($self, $name, $seconds) = @_;
	my $pid = $self->{children}{$name} or return;
	my $deadline = Time::HiRes::time() + ($seconds // 20);
	kill 'TERM', $pid;
	while ($self->alive($name)) {
		if (Time::HiRes::time() > $deadline) {
			warn "$name did not end on TERM, killed\n";
			kill 'KILL', $pid;
			waitpid $pid, 0;
			delete $self->{children}{$name};
			return;
		}
		Time::HiRes::sleep(0.02);
	}
}

# Ends what is left, youngest first, and takes the folder away. Safe to call twice, does nothing in a forked child.
sub finish
{
	my ($self) = @_;
	return if $$ != $self->{owner};
	my $children = $self->{children};
	$self->stop($_, 10) for sort { $children->{$b} <=> $children->{$a} } keys %$children;
	if ($self->{keep}) {
		warn "logs are kept in $self->{dir}\n";
	} elsif (-d $self->{dir}) {
		unlink glob "$self->{dir}/*";
		rmdir $self->{dir};
	}
}

sub wait_for
{
	my ($self, $name, $what, $test) = @_;
	my $deadline = Time::HiRes::time() + 15;
	until ($test->()) {
		$self->must_live($name);
		die "$name: $what did not come within 15 seconds; its log:\n" . $self->tail($name)
			if Time::HiRes::time() > $deadline;
		Time::HiRes::sleep(0.05);
	}
}

sub wait_socket
{
	my ($self, $name, $socket) = @_;
	$self->wait_for($name, "the socket $socket", sub {
		my $try = -S $socket && IO::Socket::UNIX->new(Peer => $socket);
		return $try ? 1 : 0;
	});
}

sub free_port
{
	my ($proto) = @_;
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Proto => $proto,
					   $proto eq 'tcp' ? (Listen => 1) : ())
		or die "no free $proto port on the loopback: $!\n";
	return $socket->sockport;
}

# Microseconds of CPU, user and system, all threads, those that ended included. The clock of another process is exact;
# /proc counts hundredths of a second.
sub cpu_us
{
	my ($self, $name) = @_;
	return pid_cpu_us($self->{children}{$name} // die "$name does not run\n");
}

sub pid_cpu_us
{
	my ($pid) = @_;
	my $clock = do { use integer; ((~(0 + $pid)) << 3) | 2 };
	my $seconds = eval { Time::HiRes::clock_gettime($clock) };
	return $seconds * 1e6 if defined $seconds && $seconds > 0;
	open my $stat, '<', "/proc/$pid/stat" or die "/proc/$pid/stat: $!\n";
	my $line = <$stat>;
	$line =~ s/^.*\) //s;
	my @field = split / /, $line;
	return ($field[11] + $field[12]) * 1e6 / $hertz;
}

sub rss_mb
{
	my ($self, $name) = @_;
	my $pid = $self->{children}{$name} or die "$name does not run\n";
	open my $status, '<', "/proc/$pid/status" or die "/proc/$pid/status: $!\n";
	while (my $line = <$status>) {
		return $1 * 1024 / 1e6 if $line =~ /^VmRSS:\s+(\d+) kB/;
	}
	die "/proc/$pid/status has no VmRSS\n";
}

# One command to Redis on a connection of its own; answers as text, a list of texts, or undef.
sub redis
{
	my ($self, @words) = @_;
	my $socket = $self->redis_socket;
	print $socket '*' . @words . "\r\n" . join('', map { '$' . length($_) . "\r\n$_\r\n" } @words);
	$socket->flush;
	return redis_answer($socket);
}

sub redis_socket
{
	my ($self) = @_;
	return IO::Socket::UNIX->new(Peer => $self->path('redis.sock')) || die "cannot connect to the private Redis: $!\n";
}

sub redis_answer
{
	my ($socket) = @_;
	my $line = <$socket> // die "Redis closed the connection\n";
	$line =~ s/\r\n\z//;
	my ($kind, $rest) = $line =~ /^(.)(.*)/s;
	die "Redis: $rest\n" if $kind eq '-';
	return $rest if $kind eq '+' || $kind eq ':';
	return undef if $rest < 0;
	return [map { redis_answer($socket) } 1 .. $rest] if $kind eq '*';
	my $text = '';
	read $socket, $text, $rest + 2;
	return substr $text, 0, $rest;
}

sub redis_info
{
	my ($self, $section) = @_;
	return { map { /^([^:#]+):(.*?)\r?$/ ? ($1 => $2) : () } split /\n/, $self->redis('INFO', $section) };
}

1;
