# SPDX-License-Identifier: BSD-2-Clause
#
# Maps: what an answer of the socketmap costs, beside Postfix's own hash tables in the same run. The client is postmap in
# each case, several at once, with the same keys: it reads a hash table itself, asks Postfix's proxymap for it, or asks
# Penstock, which has as many clients in its memory as the table has rows.
package Maps;

use strict;
use warnings;

use File::Path ();
use Socket ();
use Time::HiRes ();

our @head = ('who answers', 'us CPU an answer', 'of it Redis, us', 'answers a second of a core', 'us CPU of the asking side',
	'answers a second of this run', 'target', 'result');
our $target = 20_000;
my $askers = 4;
my $rows = 60_000;	# clients, and rows of the hash table

# The rows of @head and notes. `%with`: stand (with penstock and its Redis at work), rounds, quick, say.
sub run
{
	my (%with) = @_;
	my $self = bless { %with, rows => [], notes => [], asks => $with{quick} ? 5_000 : 50_000, dir => $with{stand}->path('maps') }, __PACKAGE__;
	$self->{rounds} = 2 if $self->{quick};
	my ($postmap) = grep { -x } map { "$_/postmap" } split(/:/, $ENV{PATH}), '/usr/sbin';
	return ([], ['Postfix is not installed: nobody asks the maps.']) if !$postmap;
	$self->{postmap} = $postmap;
	mkdir $self->{dir};
	my $done = eval { $self->measure; 1 };
	my $why = $@;
	$self->stop_postfix if $self->{master};
	File::Path::remove_tree($self->{dir});
	die $why if !$done;
	return ($self->{rows}, $self->{notes});
}

sub measure
{
	my ($self) = @_;
	$self->teach;
	$self->write_keys;
	my $postfix = $> == 0 && $self->start_postfix;
	$self->say_missing if !$postfix;
	my @subjects = $self->subjects($postfix);
	my %seen;
	for my $round (0 .. $self->{rounds}) {	# the first warms up
		for my $subject ($round % 2 ? @subjects : reverse @subjects) {
			my $figures = $self->ask($subject);
			push @{ $seen{ $subject->{name} } }, $figures if $round > 0;
		}
	}
	$self->tell($_, $seen{ $_->{name} }) for @subjects;
}

sub say_missing
{
	my ($self) = @_;
	push @{ $self->{notes} }, 'proxymap was left out: it needs a Postfix of its own, and that root.';
}

# name, the table as postmap has it, the keys, whether Redis is asked, whose process answers ('' : the asking side's)
sub subjects
{
	my ($self, $postfix) = @_;
	my $socket = 'socketmap:unix:' . $self->{stand}->path('socketmap.sock');
	return (
		{ name => 'hash table, read by who asks', table => "hash:$self->{dir}/table", keys => 'strangers', who => '' },
		$postfix ? { name => 'hash table, by proxymap', table => "proxy:hash:$self->{dir}/table", keys => 'strangers', who => 'proxymap' } : (),
		{ name => 'map starttls', table => "$socket:starttls", keys => 'strangers', who => 'penstock' },
		{ name => 'map throttle, of strangers', table => "$socket:throttle", keys => 'strangers', who => 'penstock' },
		{ name => 'map throttle, of who stands well', table => "$socket:throttle", keys => 'good', who => 'penstock' },
		{ name => 'map account-throttle', table => "$socket:account-throttle", keys => 'logins', who => 'penstock' },
	);
}

sub address { my ($n) = @_; return sprintf '%d.%d.%d.%d', 60 + $n % 40, $n / 40 % 200, $n / 8000 % 200, 1 + $n % 200 }

# --- what is known of the clients

# As penstock-follow tells of them, by the stream. One in ten stands well by its logins, two in ten poorly by their listings.
sub teach
{
	my ($self) = @_;
	my $count = $self->{quick} ? $rows / 10 : $rows;
	my $redis = $self->{stand}->redis_socket;
	my ($ordinal, @notes) = (0);
	my $send = sub {
		$ordinal++;
		my @words = ('XADD', 'penstock:clients', 'MAXLEN', '~', 2000, '*', 'n', "bench:1:$ordinal", 'r', join '', splice @notes);
		print $redis '*' . @words . "\r\n" . join('', map { '$' . length($_) . "\r\n$_\r\n" } @words);
		$redis->flush;
		Stand::redis_answer($redis);
		Time::HiRes::sleep(0.5) if $ordinal % 500 == 0;	# the stream keeps some 2,000
	};
	my $now = time;
	my %does = (0 => ['login', 'login', 'login'], 3 => [('listed') x 5], 7 => [('listed') x 5]);
	for my $n (0 .. $count - 1) {
		for (@{ $does{ $n % 10 } // [(qw(no_quit quit refused slowed))[$n % 4]] }) {
			push @notes, "$now " . address($n) . " $_ - smtp -\n";
			$send->() if @notes == 100;
		}
	}
	$send->() if @notes;
	$self->{count} = $count;
	write_file("$self->{dir}/main.cf", "compatibility_level = 3.6\n");
	my $last = address($count - 3);
	my $socket = 'socketmap:unix:' . $self->{stand}->path('socketmap.sock');
	$self->{stand}->wait_for('penstock', 'what it was told of clients', sub { `$self->{postmap} -c $self->{dir} -q $last $socket:starttls` =~ /starttls/ });
}

sub write_keys
{
	my ($self) = @_;
	my $path = "$self->{dir}/table";
	open my $table, '>', $path or die "$path: $!\n";
	print $table address($_), " sleep 1\n" for 0 .. $self->{count} - 1;
	close $table or die "$path: $!\n";
	system($self->{postmap}, '-c', $self->{dir}, "hash:$path") == 0 or die "postmap: $?\n";
	srand 1;
	my $keys = sub {
		my ($name, $key) = @_;
		open my $file, '>', "$self->{dir}/$name" or die "$self->{dir}/$name: $!\n";
		print $file $key->(), "\n" for 1 .. $self->{asks};
		close $file or die "$self->{dir}/$name: $!\n";
	};
	$keys->('strangers', sub { my $n = int rand $self->{count}; address($n % 10 ? $n : $n + 1) });
	$keys->('good', sub { address(10 * int rand $self->{count} / 10) });
	$keys->('logins', sub { sprintf 'user%d@bench.example', int rand 1000 });
}

sub write_file
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print $file $text;
	close $file or die "$path: $!\n";
}

# --- a Postfix with nothing but proxymap

sub start_postfix
{
	my ($self) = @_;
	my $dir = $self->{dir};
	mkdir "$dir/$_" for qw(queue data);
	chmod 0755, $dir;
	chown scalar getpwnam('postfix'), -1, "$dir/data";
	write_file("$dir/main.cf", <<"END");
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/mail.log
maillog_file_prefixes = $dir
alias_maps =
alias_database =
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.bench.test
proxy_read_maps = proxy:hash:$dir/table
max_use = 1000000
END
	write_file("$dir/master.cf", "postlog unix-dgram n - n - 1 postlogd\nproxymap unix - - n - - proxymap\n"
		. "pickup unix n - n 0 0 pickup\n");
	if (system("postfix -c $dir start >$dir/said 2>&1") != 0) {
		push @{ $self->{notes} }, 'Postfix does not start: ' . (do { local (@ARGV, $/) = "$dir/said"; <> } // '');
		return 0;
	}
	($self->{master}) = (do { local @ARGV = "$dir/queue/pid/master.pid"; <> // '' }) =~ /(\d+)/;
	return 1;
}

sub stop_postfix { system("postfix -c $_[0]{dir} stop >/dev/null 2>&1") }

# Microseconds of CPU of its processes called proxymap.
sub proxymap_us
{
	my ($self) = @_;
	my $sum = 0;
	for my $file (glob '/proc/[0-9]*/stat') {
		open my $stat, '<', $file or next;
		my ($pid, $name, $parent) = (<$stat> // '') =~ /^(\d+) \((.*)\) \S (\d+)/ or next;
		$sum += Stand::pid_cpu_us($pid) if $name eq 'proxymap' && $parent == $self->{master};
	}
	return $sum;
}

# --- asking

sub server_us
{
	my ($self, $subject) = @_;
	return (0, 0) if $subject->{who} eq '';
	return ($self->proxymap_us, 0) if $subject->{who} eq 'proxymap';
	return map { $self->{stand}->cpu_us($_) } 'penstock', 'redis';
}

# Several postmaps at once, each with all the keys.
sub ask
{
	my ($self, $subject) = @_;
	my (@before, @pids);
	my $said = "$self->{dir}/said";
	$self->ask_once($subject) if $subject->{who} eq 'proxymap';	# its processes have started
	@before = $self->server_us($subject);
	my (undef, undef, $user, $system) = times;
	my $start = Time::HiRes::time();
	push @pids, $self->start_asker($subject, "$said.$_", $subject->{keys}) for 1 .. $askers;
	waitpid $_, 0 for @pids;
	my $took = Time::HiRes::time() - $start;
	my @after = $self->server_us($subject);
	my (undef, undef, $user_after, $system_after) = times;
	my $asks = $askers * $self->{asks};
	return { server => ($after[0] - $before[0]) / $asks, redis => ($after[1] - $before[1]) / $asks,
		client => ($user_after + $system_after - $user - $system) * 1e6 / $asks, rate => $asks / $took,
		found => $self->found($said) };
}

sub ask_once
{
	my ($self, $subject) = @_;
	write_file("$self->{dir}/one", address(1) . "\n");
	waitpid $_, 0 for map { $self->start_asker($subject, "$self->{dir}/said.0", 'one') } 1 .. $askers;
}

sub start_asker
{
	my ($self, $subject, $said, $keys) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	open STDIN, '<', "$self->{dir}/$keys" or POSIX::_exit(126);
	open STDOUT, '>', $said or POSIX::_exit(126);
	exec $self->{postmap}, '-c', $self->{dir}, '-q', '-', $subject->{table} or POSIX::_exit(127);
}

# How many of the keys had an answer other than "not found".
sub found
{
	my ($self, $said) = @_;
	my $lines = 0;
	for (1 .. $askers) {
		open my $file, '<', "$said.$_" or next;
		$lines++ while <$file>;
	}
	return $lines / ($askers * $self->{asks});
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[int(@sorted / 2)] }

sub tell
{
	my ($self, $subject, $figures) = @_;
	my %of = map { my $what = $_; ($what => median(map { $_->{$what} } @$figures)) } qw(server redis client rate found);
	my $ours = $subject->{who} eq 'penstock';
	my $cpu = $of{server} + $of{redis};
	my $a_core = $cpu > 0 ? 1e6 / $cpu : 1e6 / $of{client};
	push @{ $self->{rows} }, [$subject->{name}, $subject->{who} eq '' ? '' : sprintf('%.1f', $cpu), $ours ? sprintf('%.1f', $of{redis}) : '',
		sprintf('%.0f', $a_core), sprintf('%.1f', $of{client}), sprintf('%.0f', $of{rate}),
		$ours ? "at least $target" : '', !$ours ? '' : $a_core >= $target ? 'reached' : 'missed'];
	push @{ $self->{notes} }, sprintf '%s: %.0f %% of the answers are other than "not found".', $subject->{name}, 100 * $of{found};
	$self->{say}->(sprintf '%-34s %5.1f us CPU an answer (%.1f of it Redis), %6.0f a second of a core; %.1f us of who asks; %.0f %% found',
		$subject->{name}, $cpu, $of{redis}, $a_core, $of{client}, 100 * $of{found});
}

1;
