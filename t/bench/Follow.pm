# SPDX-License-Identifier: BSD-2-Clause
#
# Follow: what penstock-follow costs. Lines a second of CPU over a log of a million lines, beside pflogsumm over the same one;
# then a log that grows by 500 messages a second: its CPU a message, and Redis' for its credits, alone and beside the milter.
package Follow;

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use POSIX ();
use Time::HiRes ();

our @head = ('following the log', 'penstock-follow', 'pflogsumm', 'ratio', 'target', 'result');
my $lines_a_message = 9;
my $pace = 500;
my $generator = File::Basename::dirname(Cwd::abs_path(__FILE__)) . '/loggen.pl';
my $replies = File::Basename::dirname(Cwd::abs_path(__FILE__)) . '/../../etc/replies.conf';

# The rows of @head. `%with`: stand (its Redis runs), program, rounds, quick, say, load (a sub that sends so many messages
# through the milter and returns Redis' CPU for each in us; undef: no milter).
sub run
{
	my (%with) = @_;
	my $self = bless { %with, rows => [], log => $with{stand}->path('follow.mail'), config => $with{stand}->path('follow.conf') }, __PACKAGE__;
	$self->rate;
	$self->write_config;
	$self->beside;
	return @{ $self->{rows} };
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[int(@sorted / 2)] }

sub row { my ($self, @cells) = @_; push @{ $self->{rows} }, [@cells] }

# CPU seconds of a command, its children's included, and what it printed.
sub timed
{
	my (@command) = @_;
	my (undef, undef, @before) = times;
	open my $out, '-|', @command or die "$command[0]: $!\n";
	my $said = do { local $/; <$out> } // '';
	close $out or die "$command[0] ended with $?\n";
	my (undef, undef, @after) = times;
	return ($after[0] + $after[1] - $before[0] - $before[1], $said);
}

sub rate
{
	my ($self) = @_;
	my $messages = int(($self->{quick} ? 50_000 : 1_000_000) / $lines_a_message);
	system("$^X $generator $messages 10000 >$self->{log}") == 0 or die "loggen.pl ended with $?\n";
	my $lines = $messages * $lines_a_message;
	my ($other) = grep { -x } map { "$_/pflogsumm" } split(/:/, $ENV{PATH}), '/usr/sbin';
	my (@ours, @others);
	$self->write_config;
	for my $round (1 .. $self->{rounds}) {
		my ($cpu, $said) = timed($self->{program}, '-c', $self->{config}, '--rate', $self->{log});
		die "penstock-follow read not all of $lines lines: $said\n" if $said !~ /^$lines lines /;
		push @ours, $lines / $cpu;
		next if !$other;
		($cpu, $said) = timed($other, '--detail', 0, $self->{log});
		die "pflogsumm saw no mail:\n$said\n" if $said !~ /^\s*\d{4,}k?\s+delivered/m;
		push @others, $lines / $cpu;
	}
	unlink $self->{log};
	my $ours = median(@ours);
	$self->row('lines a second of CPU', sprintf('%.0f', $ours), @others ? (sprintf('%.0f', median(@others)), sprintf('%.1f', $ours / median(@others))) : ('not installed', ''),
		   'at least 4 times as many', !@others ? '' : $ours >= 4 * median(@others) ? 'reached' : 'missed');
	$self->{say}->(sprintf 'penstock-follow: %.0f lines a second of CPU; pflogsumm: %s', $ours, @others ? sprintf '%.0f', median(@others) : 'not installed');
}

sub write_config
{
	my ($self) = @_;
	my $dir = $self->{stand}{dir};
	open my $file, '>', $self->{config} or die "$self->{config}: $!\n";
	print $file <<"END";
user = "";
node = "bench";
log: { target = "stderr"; };
redis: { server = "unix:$dir/redis.sock"; };
catalogue: { file = ""; };
pools = ( { name = "clean"; levels = [ "good" ]; transports = ( { name = "clean-1"; address = "127.0.0.11"; helo = "clean-1.bench.test"; } ); } );
follow: { source = "$self->{log}"; state = "$dir/follow"; replies = "$replies"; };
END
	close $file or die "$self->{config}: $!\n";
}

# While the log grows for some seconds: us of CPU a message of the follower and of Redis, whatever else Redis does.
sub grow
{
	my ($self, $messages, $during) = @_;
	my $stand = $self->{stand};
	my $pid = fork() // die "cannot fork: $!\n";
	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
		open STDOUT, '>>', $self->{log} or POSIX::_exit(1);
		exec $^X, $generator, $messages, 10000, $pace or POSIX::_exit(1);
	}
	my @before = map { $stand->cpu_us($_) } 'follow', 'redis';
	my $also = $during ? $during->() : undef;
	waitpid $pid, 0;
	die "loggen.pl ended with $?\n" if $?;
	Time::HiRes::sleep(1);
	$stand->must_live('follow');
	my @after = map { $stand->cpu_us($_) } 'follow', 'redis';
	return (map({ ($after[$_] - $before[$_]) / $messages } 0, 1), $also);
}

sub beside
{
	my ($self) = @_;
	my $stand = $self->{stand};
	my $messages = $pace * ($self->{quick} ? 4 : 20);
	my (@cpu, @redis, @alone, @beside);
	open my $log, '>', $self->{log} or die "$self->{log}: $!\n";
	close $log;
	mkdir $stand->path('follow');
	$stand->start('follow', $self->{program}, '-c', $self->{config}, '--from-start');
	$stand->wait_for('follow', 'that it reads', sub { $stand->tail('follow') =~ /penstock-follow reads/ });
	for my $round (1 .. $self->{rounds}) {
		my ($cpu, $redis) = $self->grow($messages);
		push @cpu, $cpu;
		push @redis, $redis;
		next if !$self->{load};
		push @alone, $self->{load}->();
		my (undef, undef, $us) = $self->grow($messages, $self->{load});
		push @beside, $us;
		$self->{say}->(sprintf 'round %d: the follower %.0f us a message, Redis %.1f us for it; Redis for the milter %.1f us, with the follower beside it %.1f',
			       $round, $cpu, $redis, $alone[-1], $us);
	}
	my $resident = $stand->rss_mb('follow');
	$stand->stop('follow');
	unlink glob($stand->path('follow') . '/trace/*'), glob($stand->path('follow') . '/*'), $self->{log};
	rmdir $stand->path('follow') . '/trace';
	rmdir $stand->path('follow');
	$self->row("CPU a message at $pace messages a second, us", sprintf('%.0f', median(@cpu)), '', '', 'at most 100', median(@cpu) <= 100 ? 'reached' : 'missed');
	$self->row('... of Redis for it, us', sprintf('%.1f', median(@redis)), '', '', 'at most 20', median(@redis) <= 20 ? 'reached' : 'missed');
	$self->row('Redis a message of the milter, us: alone, and with the follower beside', sprintf('%.1f, %.1f', median(@alone), median(@beside)), '',
		   sprintf('%.2f', median(@beside) / median(@alone)), '', '') if @alone;
	$self->row('resident, MB', sprintf('%.1f', $resident), '', '', '', '');
}

1;
