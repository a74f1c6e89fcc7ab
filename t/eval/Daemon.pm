# SPDX-License-Identifier: BSD-2-Clause
#
# Daemon: Penstock as one way of judging wants it configured, its Redis, its DNS and its scanner, under the clock of the
# file `clock`.
package Daemon;

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use IO::Socket::INET ();
use IO::Socket::UNIX ();
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

our $monday = 1925424000;	# 2031-01-06 00:00 UTC, ahead of the real time: see clock_shim.c

# What each way of judging has beside the common part; rspamd's is in Rspamd.pm. `example`: the example configuration of
# README.md, out of shadow mode; else one plan for all.
my $silent = 'reputation: { suspect_enter = 19.0; suspect_leave = 18.0; blocked_enter = 20.0; blocked_leave = 19.0; };';
my $wide = '{ name = "default"; msgs_per_hour = 2000; rcpts_per_hour = 5000; rcpts_per_day = 20000; rcpts_per_message = 100; over = "defer"; }';
my %modes = (
	tuned => { plan => $wide, scanner => 1, as => 1 },
	'tuned-no-scanner' => { plan => $wide, as => 1 },
	'tuned-no-as' => { plan => $wide, scanner => 1 },
	default => { example => 1, scanner => 1 },
	'default-no-scanner' => { example => 1 },
	'limit-200' => { plan => '{ name = "default"; rcpts_per_hour = 200; over = "defer"; }', more => $silent },
	spamd => { plan => '{ name = "default"; }', scanner => 1, more => "$silent\ncontent: { slow_score = 100000.0; reject_score = 5.0; };" },
	rspamd => {},
);

sub new
{
	my ($class, %set) = @_;
	my $how = $modes{ $set{mode} =~ s{/.*}{}r } or die "--modes: \"$set{mode}\" is none; expected " . join(', ', sort keys %modes) . "\n";
	my $self = bless { %set, how => $how, count => 0, dir => $set{stand}{dir} }, $class;
	my $stand = $self->{stand};
	my ($shim) = map { Cwd::abs_path($_) } grep { -f } $ENV{CLOCK_SHIM} // (), 't/eval/clock_shim.so';
	die "t/eval/clock_shim.so is not there; run this from the top of the build tree, by make eval\n" if !$shim;
	$self->clock(0);
	my @env = ('env', "LD_PRELOAD=$shim", 'PENSTOCK_EVAL_CLOCK=' . $stand->path('clock'), 'TZ=UTC');
	$self->{redis_path} = $stand->path('redis.sock');
	$stand->start('redis', @env, 'redis-server', '--port', 0, '--unixsocket', $self->{redis_path}, '--save', '', '--appendonly', 'no',
		      '--daemonize', 'no', '--dir', $stand->{dir}, '--loglevel', 'warning');
	$stand->wait_socket('redis', $self->{redis_path});
	$self->start_dns;
	$self->start_scanner if $how->{scanner};
	$self->{mta} = Mta->new($stand->path('milter.sock'));
	$self->{env} = \@env;
	$self->start_judge(@env);
	return $self;
}

# Its panel knows since when they are customers, of most of them.
sub welcome
{
	my ($self) = @_;
	for my $account (grep { defined $_->{created} } @{ $self->{world}{accounts} }) {
		$self->{stand}->redis('HSET', "penstock:{$account->{name}}:limits", 'created', int($monday + $account->{created}));
	}
}

sub start_dns
{
	my ($self) = @_;
	my ($stand, $port) = ($self->{stand}, Stand::free_port('udp'));
	my $head = "\$SOA 3600 ns.eval.test hostmaster.eval.test 0 3600 600 86400 3600\n\$NS 3600 ns.eval.test\n";
	my ($four, $six) = World::Net::origin_zones();
	$self->write_config('origin4.zone', $head . $four);
	$self->write_config('origin6.zone', $head . $six);
	$self->write_config('zen.zone', $head . "127.0.0.2/32 :127.0.0.2:listed\n");	# nobody but the test address is on it
	my @user = $> == 0 ? ('-u', getpwnam('rbldns') ? 'rbldns' : 'nobody') : ();
	my ($rbldnsd) = grep { -x } map { "$_/rbldnsd" } split(/:/, $ENV{PATH}), '/usr/sbin';
	die "rbldnsd is not installed\n" if !$rbldnsd;
	$stand->start('rbldnsd', $rbldnsd, '-n', '-b', "127.0.0.1/$port", @user, '-w', $stand->{dir}, '-t', '3600', '-c', '0',
		      'origin4.eval.test:ip4trie:origin4.zone', 'origin6.eval.test:ip6trie:origin6.zone',
		      'zen.spamhaus.org:ip4trie:zen.zone');
	Time::HiRes::sleep(0.3);
	$stand->must_live('rbldnsd');
	$self->{dns_port} = $port;
}

sub start_scanner
{
	my ($self) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64) or die "no port for the scanner: $!\n";
	$self->{scanner_port} = $listener->sockport;
	my $pid = fork() // die "cannot fork: $!\n";
	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
		Scores::serve($listener);
		POSIX::_exit(0);
	}
	$self->{stand}{children}{scanner} = $pid;
}

sub write_config
{
	my ($self, $name, $text) = @_;
	my $path = $self->{stand}->path($name);
	open my $out, '>', $path or die "$path: $!\n";
	print $out $text;
	close $out or die "$path: $!\n";
	return $path;
}

sub start_judge
{
	my ($self, @env) = @_;
	my $stand = $self->{stand};
	my ($penstock) = grep { -x } $ENV{PENSTOCK} // (), 'penstock';
	die "penstock is not there; run this from the top of the build tree, by make eval\n" if !$penstock;
	$self->welcome;
	my $config = $self->write_config('penstock.conf', $self->config);
	$stand->start('penstock', @env, Cwd::abs_path($penstock), '-f', '-c', $config);
	$stand->wait_socket('penstock', $stand->path('milter.sock'));
	open $self->{log}, '<', $stand->path('penstock.log') or die "penstock.log: $!\n";
}

# The example of README.md, group by group: name => its text behind the '='.
sub example
{
	my ($readme) = File::Basename::dirname(__FILE__) . '/../../README.md';
	open my $in, '<', $readme or die "$readme: $!\n";
	my $text = do { local $/; <$in> };
	my ($block) = $text =~ /^## Configuration\n.*?\n\n((?:    [^\n]*\n)+)/ms or die "$readme: no example configuration\n";
	my %groups;
	while ($block =~ /^    (\w+)\s*[:=]\s*(.*?;)[ \t]*(?:#[^\n]*)?\n(?=    \w|\z)/msg) {
		$groups{$1} = $2;
	}
	die "$readme: the example configuration has no plans or pools\n" if !$groups{plans} || !$groups{pools};
	return %groups;
}

sub config
{
	my ($self) = @_;
	my ($dir, $how) = ($self->{dir}, $self->{how});
	my %groups = $how->{example} ? example() : (plans => "( $how->{plan} );", origin => $how->{as} ? '{ clients = true; };' : '{ clients = false; };');
	my @pools = map { my ($name, $level, $n) = @$_;
		"{ name = \"$name\"; levels = [\"$level\"]; transports = ( { name = \"$name-1\"; address = \"127.0.0.$n\"; helo = \"$name.example.com\"; } ); }" }
		['clean', 'good', 11], ['warm', 'new', 21], ['suspect', 'suspect', 31];
	my $zones = 'zone4 = "origin4.eval.test"; zone6 = "origin6.eval.test"; names = "";';
	delete $groups{shadow};
	%groups = (pools => '( ' . join(', ', @pools) . ' );', %groups, user => '"";', node => '"eval";', milter => "{ socket = \"unix:$dir/milter.sock\"; max_sessions = 500; };",
		   log => '{ target = "stderr"; };', http => '{ listen = ""; };', control => "{ socket = \"$dir/control.sock\"; };", socketmap => '{ listen = ""; };',
		   redis => "{ server = \"unix:$dir/redis.sock\"; timeout_ms = 4000; };", dns => "{ servers = [ \"127.0.0.1:$self->{dns_port}\" ]; };",
		   origin => ($groups{origin} // '{ };') =~ s/\{/{ $zones/r, monitor => '{ interval_minutes = 0; };', spf => '{ client = "off"; transports = false; };',
		   catalogue => $groups{blocklists} ? '{ file = "' . Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../etc/blocklists.conf') . '"; };' : '{ file = ""; };',
		   scanners => "( { name = \"spamd\"; kind = \"spamd\"; address = \"127.0.0.1:$self->{scanner_port}\"; timeout_ms = 4000; } );");
	delete $groups{scanners} if !$how->{scanner};
	my $circle = $self->{mode} =~ m{/} ? Circle::config($dir) : '';
	my $extra = $self->{set} && ($how->{example} || $how->{as}) ? $self->{set} : '';
	return join('', map { "$_" . ($groups{$_} =~ /^\{/ ? ': ' : ' = ') . "$groups{$_}\n" } sort keys %groups) . ($how->{more} // '') . "\n$circle$extra\n";
}

# Redis and the daemon have the new time at once.
sub clock
{
	my ($self, $t) = @_;
	if (!$self->{clock}) {
		open $self->{clock}, '+>', $self->{stand}->path('clock') or die "clock: $!\n";
	}
	sysseek $self->{clock}, 0, 0;
	syswrite $self->{clock}, pack('q', ($monday + $t) * 1000);
	$self->{t} = $t;
}

# The answer to this message.
sub deliver
{
	my ($self, $event) = @_;
	my $message = World::message($event, $monday);
	my $id = sprintf '4E%08X', ++$self->{count};
	$self->{score} = $message->{score};
	my $answer = $self->{mta}->send({ account => $event->{account}{name}, client => $event->{client}, helo => $event->{helo}, from => $event->{from},
					  rcpts => $event->{rcpts}, id => $id, header => $message->{header}, body => $message->{body} });
	$self->{last} = "$answer->{action} $answer->{text}";
	return $answer;
}

# The answer, the account's level and the log line of this message.
sub send
{
	my ($self, $event) = @_;
	1 while defined $self->next_line;	# of recipients that were refused, earlier
	my $answer = $self->deliver($event);
	my $line = $self->read_log($event, $answer);
	my ($level) = $line =~ / level=(\w+)/;
	return ($answer, $level, $line);
}

# The next whole line of the log about a message; undef where there is none yet.
sub next_line
{
	my ($self) = @_;
	while (defined(my $line = readline $self->{log})) {
		$self->{part} .= $line;
		next if $line !~ /\n\z/;
		chomp(my $whole = $self->{part});
		$self->{part} = '';
		return $whole if $whole =~ / action=\w+ /;
	}
	seek $self->{log}, 0, 1;
	return undef;
}

# The line of a message is written before its session ends, though after its answer; a refused recipient has one of his
# own, before it, and is all that there is where no recipient was taken.
sub read_log
{
	my ($self, $event, $answer) = @_;
	my $id = sprintf '4E%08X:', $self->{count};
	for (1 .. 10000) {
		while (defined(my $line = $self->next_line)) {
			return $line if $answer->{rcpts} ? $line =~ /^(?:\S+ )*?\Q$id\E / && $line !~ / stage=rcpt\b/ : $line =~ / account=\Q$event->{account}{name}\E /;
		}
		Time::HiRes::sleep(0.0002);
	}
	die "penstock wrote no line of a message ($self->{last}); its log:\n" . $self->{stand}->tail('penstock');
}

# What somebody who reads the log, or complaints, tells the daemon by `account feedback`.
sub report
{
	my ($self, $name, $kind) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $self->{stand}->path('control.sock')) or die "control.sock: $!\n";
	print $socket JSON::PP->new->canonical->encode({ do => 'account.feedback', account => $name, kind => $kind, count => 1 }), "\n";
	$socket->flush;
	my $reply = <$socket> // '';
	$self->{no_reports} //= $reply if $reply !~ /"ok":\s*true/;
}

sub stop
{
	my ($self) = @_;
	warn "dead recipients or complaints could not be told: $self->{no_reports}" if $self->{no_reports};
	$self->{stand}->stop($_) for qw(follow penstock rspamd scanner rbldnsd redis);
	unlink $self->{stand}->path('clock');
}

1;
