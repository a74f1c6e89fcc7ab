#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# run.pl: Penstock against a null milter on the same libmilter, in turn, in one run; then Redis calls, idle sessions,
# the follower of the log, the socketmap, DNS, accounts in Redis, replay. Nothing of the machine's own services is touched. A missed target is said, not failed.
#
# Programs are found by the environment (PENSTOCK, MTALOAD, NULLMILTER, or the last two in the folder BENCH_BIN), else
# in the current folder, which is then the top of the build tree.
use strict;
use warnings;

use Cwd ();
use File::Basename ();
use Getopt::Long ();
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

use lib File::Basename::dirname(Cwd::abs_path(__FILE__));
use Accounts;
use Dns;
use Follow;
use Maps;
use Replay;
use Stand;

my %option = (rounds => 5, messages => 20_000, sessions => 64, size => 4096, idle => 10_000,
	      parts => 'speed,calls,idle,follow,socketmap,dns,accounts,replay');
my %quick = (rounds => 2, messages => 2_000, idle => 500);

my $usage = <<"END";
usage: t/bench/run.pl [options], from the top of the build tree
  --rounds N      rounds of null milter and Penstock in turn ($option{rounds})
  --messages N    messages in one round ($option{messages})
  --sessions N    sessions at once ($option{sessions})
  --size BYTES    of a body ($option{size})
  --idle N        idle sessions ($option{idle})
  --parts LIST    of: speed,calls,idle,follow,socketmap,dns,accounts,replay (all)
  --quick         small numbers, to see that it works
  --markdown      print tables as in RESULTS.md
  --subject FILE  another milter in Penstock's place, started as FILE SOCKET; parts speed and idle only
  --keep          keep the logs
END

Getopt::Long::GetOptions(\my %given, 'rounds=i', 'messages=i', 'sessions=i', 'size=i', 'idle=i',
			 'parts=s', 'quick', 'markdown', 'subject=s', 'keep', 'help')
	or die $usage;
if ($given{help}) {
	print $usage;
	exit 0;
}
%option = (%option, $given{quick} ? %quick : (), %given);
$option{parts} = join ',', grep { $_ eq 'speed' || $_ eq 'idle' } split /,/, $option{parts} if $option{subject};
my %part = map { $_ => 1 } split /,/, $option{parts};
for (sort keys %part) {
	die "--parts: \"$_\" is none; expected speed, calls, idle, follow, socketmap, dns, accounts, replay\n$usage"
		if !/^(?:speed|calls|idle|follow|socketmap|dns|accounts|replay)$/;
}

my $subject = $option{subject} ? 'subject' : 'penstock';
my $bin = $ENV{BENCH_BIN} // 't/bench';
my %program = (mtaload => program('mtaload', $ENV{MTALOAD}, "$bin/mtaload"),
	       null => program('nullmilter', $ENV{NULLMILTER}, "$bin/nullmilter"),
	       subject => $option{subject} ? program('the subject', $option{subject}) : '',
	       penstock => $option{subject} ? '' : program('penstock', $ENV{PENSTOCK}, 'penstock'));
my $hard_limit = `/bin/sh -c 'ulimit -Hn'`;
chomp $hard_limit;
my $descriptors = $hard_limit eq 'unlimited' || $hard_limit > 20_000 ? 20_000 : $hard_limit;
my $max_sessions = $descriptors - 1_000 < 12_000 ? $descriptors - 1_000 : 12_000;
if ($part{idle} && $option{idle} > 0.85 * $max_sessions) {
	$option{idle} = int(0.85 * $max_sessions);
	warn "the limit of file descriptors ($descriptors) leaves room for $option{idle} idle sessions only\n";
}

my $stand = Stand->new(descriptors => $descriptors);
$stand->{keep} = $option{keep};
$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
my @rows;	# of the result: figure, null, subject, ratio, target, word
my @notes;
my ($map_rows, $map_notes, @follow_rows, @dns_rows, @dns_notes, @account_rows, @account_notes, @replay_rows);
END {
	my $status = $?;
	$stand->finish if $stand;
	$? = $status;
}

start_all() if grep { !/^(?:dns|accounts|replay)$/ } keys %part;
speed() if $part{speed};
calls() if $part{calls};
idle() if $part{idle};
follow() if $part{follow};
socketmap() if $part{socketmap};
dns() if $part{dns};
accounts() if $part{accounts};
replay() if $part{replay};
print_result();
exit 0;

sub program
{
	my ($name, @places) = @_;
	for my $place (grep { defined } @places) {
		return Cwd::abs_path($place) if -f $place && -x _;
	}
	die "$name is not there: looked at " . join(', ', grep { defined } @places)
		. "; build it first, and run this from the top of the build tree\n";
}

sub say_progress { printf STDERR "%s\n", join '', @_ }

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);
	return @sorted % 2 ? $sorted[$middle] : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

sub write_file
{
	my ($name, $text) = @_;
	my $path = $stand->path($name);
	open my $file, '>', $path or die "$path: $!\n";
	print $file $text;
	close $file or die "$path: $!\n";
	return $path;
}

# --- the programs ---

sub start_null
{
	my $socket = $stand->path('null.sock');
	$stand->start('null', $program{null}, "unix:$socket");
	$stand->wait_socket('null', $socket);
}

sub start_redis
{
	$stand->start('redis', 'redis-server', '--port', '0', '--unixsocket', $stand->path('redis.sock'),
		      '--save', '', '--appendonly', 'no', '--daemonize', 'no', '--dir', $stand->{dir},
		      '--loglevel', 'warning');
	$stand->wait_socket('redis', $stand->path('redis.sock'));
}

# A quarter of the client addresses is on the policy list, which says nothing against those who log in. The senders'
# domain has an SPF record by which one transport of the pool "clean" passes.
sub start_rbldnsd
{
	my ($port) = @_;
	my $soa = "\$SOA 3600 ns.bench.test hostmaster.bench.test 0 3600 600 86400 3600\n\$NS 3600 ns.bench.test\n";
	write_file('policy.zone', "$soa:127.0.0.10:dial-up\n127.0.0.2\n198.51.100.0/26\n");
	write_file('exploit.zone', "$soa:127.0.0.4:infected\n127.0.0.2\n192.0.2.99\n");
	write_file('spf.zone', "$soa@ 3600 TXT \"v=spf1 ip4:45.45.45.12 ip4:45.45.45.21 -all\"\n");
	my @user = $> == 0 ? ('-u', getpwnam('rbldns') ? 'rbldns' : 'nobody') : ();
	my ($rbldnsd) = grep { -x } map { "$_/rbldnsd" } split(/:/, $ENV{PATH}), '/usr/sbin';
	die "rbldnsd is not installed\n" if !$rbldnsd;
	$stand->start('rbldnsd', $rbldnsd, '-n', '-b', "127.0.0.1/$port", @user, '-w', $stand->{dir}, '-t', '3600',
		      '-c', '0', 'policy.bench.test:ip4set:policy.zone', 'exploit.bench.test:ip4set:exploit.zone',
		      'bench.example:generic:spf.zone');
	Time::HiRes::sleep(0.3);
	$stand->must_live('rbldnsd');
}

# The load is like nothing that a policy lets through: the levels are out of reach, and the sum is made all the same.
sub penstock_config
{
	my ($dns_port) = @_;
	my $http_port = Stand::free_port('tcp');
	my $dir = $stand->{dir};
	return <<"END";
user = "";
node = "a";
milter: { socket = "unix:$dir/penstock.sock"; socket_group = ""; max_sessions = $max_sessions; deadline_ms = 5000; };
log: { target = "stderr"; };
http: { listen = "127.0.0.1:$http_port"; };
control: { socket = "$dir/control.sock"; };
socketmap: { listen = "unix:$dir/socketmap.sock"; throttle_s = 1; };
clients: { state = ""; slow_most = 10000; };
redis: { server = "unix:$dir/redis.sock"; timeout_ms = 2000; };
dns: { servers = ["127.0.0.1:$dns_port"]; timeout_ms = 2000; };
accounts: { sources = ["auth", "certificate", "network", "uid", "sender"]; cut_tag = true; };
reputation: { suspect_enter = 19.0; suspect_leave = 18.0; blocked_enter = 20.0; blocked_leave = 19.0; };
blocklists = (
  { zone = "policy.bench.test"; private = true; codes = ["127.0.0.10-127.0.0.11 policy"]; weight = 1.0; action = "signal"; },
  { zone = "exploit.bench.test"; private = true; codes = ["127.0.0.4-127.0.0.7 exploit"]; weight = 1.0; action = "signal"; }
);
plans = (
  { name = "default"; msgs_per_minute = 100000000; msgs_per_hour = 100000000; msgs_per_day = 100000000;
    rcpts_per_minute = 100000000; rcpts_per_hour = 100000000; rcpts_per_day = 100000000;
    rcpts_per_message = 1000; over = "defer"; }
);
pools = (
  { name = "clean"; levels = ["good"];
    transports = ( { name = "clean-1"; address = "127.0.0.11"; public_address = "45.45.45.11"; helo = "clean-1.bench.test"; },
                   { name = "clean-2"; address = "127.0.0.12"; public_address = "45.45.45.12"; helo = "clean-2.bench.test"; } ); },
  { name = "warm"; levels = ["new"];
    transports = ( { name = "warm-1"; address = "127.0.0.21"; public_address = "45.45.45.21"; helo = "warm-1.bench.test"; } ); },
  { name = "suspect"; levels = ["suspect"];
    transports = ( { name = "suspect-1"; address = "127.0.0.31"; public_address = "45.45.45.31"; helo = "suspect-1.bench.test"; } ); }
);
END
}

sub start_subject
{
	my $socket = $stand->path("$subject.sock");
	my @command = $option{subject} ? ($program{subject}, "unix:$socket")
				       : ($program{penstock}, '-f', '-c', $stand->path('penstock.conf'));
	$stand->start($subject, @command);
	$stand->wait_socket($subject, $socket);
}

sub start_all
{
	if (!$option{subject}) {
		my $dns_port = Stand::free_port('udp');
		start_redis();
		start_rbldnsd($dns_port);
		write_file('penstock.conf', penstock_config($dns_port));
	}
	start_subject();
	start_null();
}

sub cpu_of
{
	my ($who) = @_;
	my $sum = $stand->cpu_us($who);
	$sum += $stand->cpu_us('redis') if $who eq 'penstock';
	return $sum;
}

# --- the load ---

sub load_command
{
	my ($who, @more) = @_;
	return ($program{mtaload}, '--socket', 'unix:' . $stand->path("$who.sock"), '--json',
		'--sessions', $option{sessions}, '--timeout', 300, @more);
}

sub read_report
{
	my ($name) = @_;
	open my $log, '<', $stand->path("$name.log") or return undef;	# it has only just been started
	while (my $line = <$log>) {
		return JSON::PP::decode_json($line) if $line =~ /^\{.*\}\s*$/;
	}
	return undef;
}

sub run_load
{
	my ($who, @more) = @_;
	$stand->start('mtaload', load_command($who, @more));
	Time::HiRes::sleep(0.02) while $stand->alive('mtaload');
	$stand->must_live($who);
	my $report = read_report('mtaload') // die "mtaload said nothing of use:\n" . $stand->tail('mtaload');
	check_report($who, $report);
	return $report;
}

# Figures of refused messages would be worthless: say so beside them.
sub check_report
{
	my ($who, $report) = @_;
	my $bad = $report->{messages} - $report->{outcomes}{passed};
	return if $bad == 0 && !$report->{protocol_errors} && !$report->{idle_lost} && !$report->{timed_out};
	my $why = join '; ', grep { length } $report->{first_refusal}, $report->{first_error},
		$report->{timed_out} ? 'timed out' : '';
	my $note = "$who: $bad of $report->{messages} messages did not pass, $report->{protocol_errors} protocol errors, "
		. "$report->{idle_lost} idle sessions lost ($why)";
	say_progress("WARNING: $note");
	push @notes, $note;
}

# --- the parts ---

sub verdict { return $_[0] ? 'reached' : 'missed' }

sub speed
{
	my @who = ('null', $subject);
	my @shape = ('--size', $option{size}, '--rcpts', 1, '--accounts', 1000, '--clients', 200);
	my (%rate, %cpu, %latency, %p99);
	my @parts;
	run_load($_, @shape, '--messages', int($option{messages} / 5) + 1) for @who;	# caches, threads, scripts
	for my $round (1 .. $option{rounds}) {
		for my $who ($round % 2 ? @who : reverse @who) {
			my $redis = $who eq 'penstock' ? $stand->cpu_us('redis') : 0;
			my $before = cpu_of($who);
			my $report = run_load($who, @shape, '--messages', $option{messages});
			Time::HiRes::sleep(0.2);	# sessions are still being closed
			my $cpu = (cpu_of($who) - $before) / $option{messages};
			push @{ $rate{$who} }, $report->{messages_per_s};
			push @{ $cpu{$who} }, $cpu;
			push @{ $latency{$who} }, $report->{latency_ms}{median};
			push @{ $p99{$who} }, $report->{latency_ms}{p99};
			push @parts, ($stand->cpu_us('redis') - $redis) / $option{messages} if $who eq 'penstock';
			say_progress(sprintf 'round %d  %-9s %6.0f messages/s  %5.0f us CPU a message  median %.1f ms  p99 %.1f ms',
				     $round, $who, $report->{messages_per_s}, $cpu,
				     @{ $report->{latency_ms} }{qw(median p99)});
		}
	}
	row('messages a second', '%.0f', median(@{ $rate{null} }), median(@{ $rate{$subject} }), 'at least', 0.7);
	row('CPU a message, us', '%.0f', median(@{ $cpu{null} }), median(@{ $cpu{$subject} }), 'at most', 1.5);
	push @rows, ['of it Redis, us', '', sprintf('%.0f', median(@parts)), '', '', ''] if @parts;
	plain_row('median latency, ms', '%.1f', median(@{ $latency{null} }), median(@{ $latency{$subject} }));
	plain_row('p99 latency, ms', '%.1f', median(@{ $p99{null} }), median(@{ $p99{$subject} }));
}

sub row
{
	my ($name, $format, $null, $ours, $side, $target) = @_;
	my $ratio = $null > 0 ? $ours / $null : 0;
	push @rows, [$name, sprintf($format, $null), sprintf($format, $ours), sprintf('%.2f', $ratio), "$side $target",
		     verdict($side eq 'at least' ? $ratio >= $target : $ratio <= $target)];
}

sub plain_row
{
	my ($name, $format, $null, $ours) = @_;
	push @rows, [$name, sprintf($format, $null), sprintf($format, $ours),
		     sprintf('%.2f', $null > 0 ? $ours / $null : 0), '', ''];
}

# MONITOR tells the calls that clients make from those that scripts make inside.
sub calls
{
	my $messages = $option{quick} ? 500 : 2_000;
	my $monitor = $stand->redis_socket;
	my (%count, $rest);
	print $monitor "MONITOR\r\n";
	$monitor->flush;
	Stand::redis_answer($monitor);
	$monitor->blocking(0);
	$rest = '';
	$stand->start('mtaload',
		      load_command('penstock', '--messages', $messages, '--accounts', 1000, '--clients', 200));
	my $last = Time::HiRes::time();
	while ($stand->alive('mtaload') || Time::HiRes::time() - $last < 0.3) {
		my $got = sysread $monitor, $rest, 1 << 16, length $rest;
		if (!$got) {
			Time::HiRes::sleep(0.01);
			next;
		}
		$last = Time::HiRes::time();
		while ($rest =~ s/^([^\n]*)\n//) {
			$count{lc $2}++ if $1 =~ /^\+?[\d.]+ \[\d+ (\S+)\] "(\w+)"/ && $1 ne 'lua';
		}
	}
	check_report('penstock', read_report('mtaload') // die "mtaload said nothing of use\n");
	my $sum = 0;
	$sum += $_ for values %count;
	my $commands = $sum / $messages;
	my $scripts = (($count{evalsha} // 0) + ($count{eval} // 0)) / $messages;
	my @most = sort { $count{$b} <=> $count{$a} } keys %count;
	my $each = join(', ', map { sprintf '%s %.3f', $_, $count{$_} / $messages } @most) || 'none';
	say_progress(sprintf 'Redis commands a message: %.3f (%s)', $commands, $each);
	# Two waits: what is known at MAIL; the charge and, in the same pipeline, the campaign at the end. A script more than
	# one would be a record that somebody else wrote meanwhile.
	push @rows, ['Redis commands a message', '', sprintf('%.2f', $commands), '', '', ''];
	push @rows, ['scripts among them', '', sprintf('%.2f', $scripts), '', 'at most 1', verdict($scripts < 1.02)];
	push @notes, "Redis commands a message, by name: $each.";
}

sub idle
{
	my $beside = $option{quick} ? 500 : 4_000;
	my (%before, %rss, %rate, %cpu);
	for my $who ('null', $subject) {
		$before{$who} = $stand->rss_mb($who);
		$stand->start('mtaload', load_command($who, '--idle', $option{idle}, '--messages', 0, '--hold', 300));
		wait_report();
		Time::HiRes::sleep(0.5);
		$stand->must_live($who, 'mtaload');
		$rss{$who} = $stand->rss_mb($who);
		$stand->stop('mtaload');
		Time::HiRes::sleep(1);
		my $cpu = cpu_of($who);
		my $report = run_load($who, '--idle', $option{idle}, '--messages', $beside, '--size', $option{size});
		$cpu{$who} = (cpu_of($who) - $cpu) / $beside;
		$rate{$who} = $report->{messages_per_s};
		say_progress(sprintf '%d idle sessions  %-9s %.1f MB (%.1f before); load beside them: %.0f messages/s',
			     $option{idle}, $who, $rss{$who}, $before{$who}, $rate{$who});
		Time::HiRes::sleep(1);
	}
	my @before = map { sprintf '%.1f', $before{$_} } 'null', $subject;
	my @rss = map { sprintf '%.1f', $rss{$_} } 'null', $subject;
	push @rows, ['resident before the idle sessions, MB', @before, '', '', ''];
	push @rows, ["resident with $option{idle} idle sessions, MB", @rss, '', 'under 60', verdict($rss{$subject} < 60)];
	plain_row("messages a second beside $option{idle} idle sessions", '%.0f', $rate{null}, $rate{$subject});
	plain_row('CPU a message beside them (their opening included), us', '%.0f', $cpu{null}, $cpu{$subject});
}

sub wait_report
{
	my $deadline = Time::HiRes::time() + 320;
	my $report;
	until (defined($report = read_report('mtaload'))) {
		die "mtaload ended early:\n" . $stand->tail('mtaload') if !$stand->alive('mtaload');
		die "mtaload did not report in time\n" if Time::HiRes::time() > $deadline;
		Time::HiRes::sleep(0.1);
	}
	check_report('idle sessions', $report);
}

# --- the result ---

sub machine
{
	my $cpu = 'unknown processor';
	if (open my $info, '<', '/proc/cpuinfo') {
		while (my $line = <$info>) {
			$cpu = $1, last if $line =~ /^model name\s*:\s*(.*\S)/;
		}
	}
	my $cores = POSIX::sysconf(84) || '?';	# _SC_NPROCESSORS_ONLN of Linux, which POSIX.pm does not name
	my ($system, undef, $release) = POSIX::uname();
	my ($redis) = (`redis-server --version` // '') =~ /v=(\S+)/;
	return sprintf '%s, %s cores, %s %s, Redis %s; load generator, milter and Redis share the cores', $cpu, $cores,
		$system, $release, $redis // 'none';
}

sub follow
{
	my $program = program('penstock-follow', $ENV{PENSTOCK_FOLLOW}, $ENV{PENSTOCK} ? File::Basename::dirname($ENV{PENSTOCK}) . '/penstock-follow' : (),
			      'penstock-follow');
	my $messages = $option{quick} ? 2_000 : 20_000;
	my $load = sub {
		my $before = $stand->cpu_us('redis');
		run_load('penstock', '--size', $option{size}, '--rcpts', 1, '--accounts', 1000, '--clients', 200, '--messages', $messages);
		return ($stand->cpu_us('redis') - $before) / $messages;
	};
	$load->();
	@follow_rows = Follow::run(stand => $stand, program => $program, rounds => $option{rounds}, quick => $option{quick}, load => $load, say => \&say_progress);
}

sub socketmap { ($map_rows, $map_notes) = Maps::run(stand => $stand, rounds => $option{rounds}, quick => $option{quick}, say => \&say_progress) }

sub dns
{
	my ($rows, $notes) = Dns::run(stand => $stand, bin => Cwd::abs_path($bin), rounds => $option{rounds},
				      quick => $option{quick}, say => \&say_progress);
	@dns_rows = @$rows;
	@dns_notes = @$notes;
}

sub replay
{
	my $ctl = program('penstockctl', $ENV{PENSTOCKCTL}, $ENV{PENSTOCK} ? File::Basename::dirname($ENV{PENSTOCK}) . '/penstockctl' : (),
			  'penstockctl');
	@replay_rows = Replay::run(stand => $stand, program => $ctl, rounds => $option{quick} ? 1 : 3,
				   quick => $option{quick}, say => \&say_progress);
}

# A Redis of its own, in the place of the one before.
sub accounts
{
	$stand->stop($subject) if $stand->pid($subject);
	my $program = program('storeload', $ENV{STORELOAD}, "$bin/storeload");
	my ($rows, $notes) = Accounts::run(stand => $stand, program => $program, quick => $option{quick}, say => \&say_progress);
	@account_rows = @$rows;
	@account_notes = @$notes;
}

sub print_result
{
	my @head = ('figure', 'null milter', $subject, 'ratio', 'target', 'result');
	my $how = sprintf '%d rounds of %d messages, %d sessions, a new session for each message, 1 recipient, '
		. '%d bytes of body', @option{qw(rounds messages sessions size)};
	print "\n", $option{markdown} ? '' : '# ', machine(), "\n", $option{markdown} ? "\n" : '# ', "$how\n\n";
	print_table(\@head, \@rows, \@notes) if @rows;
	print_table(\@Follow::head, \@follow_rows, []) if @follow_rows;
	print_table(\@Maps::head, $map_rows, $map_notes) if $map_rows;
	print_table(\@Dns::head, \@dns_rows, \@dns_notes) if @dns_rows;
	print_table(\@Replay::head, \@replay_rows, []) if @replay_rows;
	print_table(\@Accounts::head, \@account_rows, \@account_notes) if @account_rows;
}

sub print_table
{
	my ($head, $rows, $notes) = @_;
	if ($option{markdown}) {
		print '| ', join(' | ', @$head), " |\n|", join('|', map { $_ == 0 ? '---' : '--:' } 0 .. $#$head), "|\n";
		print '| ', join(' | ', @$_), " |\n" for @$rows;
		print "\n", (map { "* $_\n" } @$notes), "\n";
		return;
	}
	my @width;
	for my $column (0 .. $#$head) {
		($width[$column]) = sort { $b <=> $a } map { length $_->[$column] } $head, @$rows;
	}
	for my $line ($head, @$rows) {
		print join('  ', map { sprintf $_ == 0 ? '%-*s' : '%*s', $width[$_], $line->[$_] } 0 .. $#$head), "\n";
	}
	print "\n", (map { "note: $_\n" } @$notes), "\n";
}
