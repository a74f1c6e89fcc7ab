# SPDX-License-Identifier: BSD-2-Clause
#
# Daemon: Penstock as one way of judging wants it configured, its Redis, its DNS and its scanner, under the clock of the
# file `clock`.
package Daemon;

use strict;
use warnings;

use Cwd ();
use IO::Socket::INET ();
use IO::Socket::UNIX ();
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

my $monday = 1925424000;	# 2031-01-06 00:00 UTC, ahead of the real time: see clock_shim.c

# What each way of judging has beside the common part; rspamd's is in Rspamd.pm.
my $silent = 'reputation: { suspect_enter = 19.0; suspect_leave = 18.0; blocked_enter = 20.0; blocked_leave = 19.0; };';
my $wide = '{ name = "default"; msgs_per_hour = 2000; rcpts_per_hour = 3000; rcpts_per_day = 10000; rcpts_per_message = 100; over = "defer"; }';
my %modes = (
	penstock => { plan => $wide, scanner => 1, more => '' },
	'no-scanner' => { plan => $wide, scanner => 0, more => '' },
	'limit-200' => { plan => '{ name = "default"; rcpts_per_hour = 200; over = "defer"; }', scanner => 0, more => $silent },
	spamd => { plan => '{ name = "default"; }', scanner => 1, more => "$silent\ncontent: { slow_score = 100000.0; reject_score = 5.0; };" },
	rspamd => { scanner => 0 },
);

sub new
{
	my ($class, %set) = @_;
	my $how = $modes{ $set{mode} } or die "--modes: \"$set{mode}\" is none; expected " . join(', ', sort keys %modes) . "\n";
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
	$self->start_judge(@env);
	return $self;
}

# The accounts are not this server's first: its panel knows since when they are customers, but for the new ones.
sub welcome
{
	my ($self) = @_;
	for my $account (@{ $self->{world}{accounts} }) {
		next if $account->{kind} eq 'fresh';
		$self->{stand}->redis('HSET', "penstock:{$account->{name}}:limits", 'created', $monday - 400 * 86400);
	}
}

sub start_dns
{
	my ($self) = @_;
	my ($stand, $port) = ($self->{stand}, Stand::free_port('udp'));
	open my $zone, '>', $stand->path('origin.zone') or die "origin.zone: $!\n";
	print $zone "\$SOA 3600 ns.eval.test hostmaster.eval.test 0 3600 600 86400 3600\n\$NS 3600 ns.eval.test\n", World::origin_zone();
	close $zone;
	my @user = $> == 0 ? ('-u', getpwnam('rbldns') ? 'rbldns' : 'nobody') : ();
	my ($rbldnsd) = grep { -x } map { "$_/rbldnsd" } split(/:/, $ENV{PATH}), '/usr/sbin';
	die "rbldnsd is not installed\n" if !$rbldnsd;
	$stand->start('rbldnsd', $rbldnsd, '-n', '-b', "127.0.0.1/$port", @user, '-w', $stand->{dir}, '-t', '3600', '-c', '0',
		      'origin.eval.test:generic:origin.zone');
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
		Scores::serve($listener, $self->{messages});
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
	# a configuration that this daemon does not know yet is an error, so look whether it does
	$self->{ases} = `$penstock --sample` =~ /^\s*#clients = /m ? 'clients = true; ' : '';
	$self->welcome;
	my $config = $self->write_config('penstock.conf', $self->config);
	$stand->start('penstock', @env, Cwd::abs_path($penstock), '-f', '-c', $config);
	$stand->wait_socket('penstock', $stand->path('milter.sock'));
	open $self->{log}, '<', $stand->path('penstock.log') or die "penstock.log: $!\n";
}

sub config
{
	my ($self) = @_;
	my ($dir, $how) = ($self->{dir}, $self->{how});
	my $scanner = $how->{scanner} ? "scanners = ( { name = \"spamd\"; kind = \"spamd\"; address = \"127.0.0.1:$self->{scanner_port}\"; timeout_ms = 4000; } );" : '';
	my $extra = $self->{set} && $self->{mode} =~ /^(?:penstock|no-scanner)$/ ? $self->{set} : '';
	my @pools = map { my ($name, $level, $n) = @$_;
		"{ name = \"$name\"; levels = [\"$level\"]; transports = ( { name = \"$name-1\"; address = \"127.0.0.$n\"; helo = \"$name.example.com\"; } ); }" }
		['clean', 'good', 11], ['warm', 'new', 21], ['suspect', 'suspect', 31];
	return <<"END";
user = "";
node = "eval";
milter: { socket = "unix:$dir/milter.sock"; max_sessions = 500; };
log: { target = "stderr"; };
http: { listen = ""; };
control: { socket = "$dir/control.sock"; };
socketmap: { listen = ""; };
redis: { server = "unix:$dir/redis.sock"; timeout_ms = 4000; };
dns: { servers = [ "127.0.0.1:$self->{dns_port}" ]; };
origin: { $self->{ases}zone4 = "origin.eval.test"; zone6 = ""; names = ""; };
catalogue: { file = ""; };
monitor: { interval_minutes = 0; };
spf: { client = "off"; transports = false; };
plans = ( $how->{plan} );
$scanner
pools = ( @{[join ', ', @pools]} );
$how->{more}
$extra
END
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
	my ($account, $message) = @$event{qw(account message)};
	my $id = sprintf '4E%08X', ++$self->{count};
	my $dress = { from => $event->{author}, to => $event->{to} // join(', ', @{ $event->{rcpts} }),
		      date => POSIX::strftime('%a, %d %b %Y %H:%M:%S +0000', gmtime($monday + $event->{t})),
		      message_id => "<$id." . substr($message->{id}, 0, 8) . '@' . ($event->{from} =~ s/.*@//r) . '>', mailer => $event->{mailer} };
	my $answer = $self->{mta}->send({ account => $account->{name}, client => $event->{client}, helo => $event->{helo}, from => $event->{from},
					  rcpts => $event->{rcpts}, id => $id, header => Corpus::header($message, $dress), body => $message->{body} });
	$self->{last} = "$answer->{action} $answer->{text}";
	return $answer;
}

# The answer, the account's level and the log line of this message.
sub send
{
	my ($self, $event) = @_;
	my $answer = $self->deliver($event);
	my $line = $self->read_log;
	my ($level) = $line =~ / level=(\w+)/;
	return ($answer, $level, $line);
}

# The line of a message is written before its session ends, though after its answer.
sub read_log
{
	my ($self) = @_;
	for (1 .. 2000) {
		while (defined(my $line = readline $self->{log})) {
			$self->{part} .= $line;
			next if $line !~ /\n\z/;
			chomp(my $whole = $self->{part});
			$self->{part} = '';
			return $whole if $whole =~ / action=\w+ /;
		}
		seek $self->{log}, 0, 1;
		Time::HiRes::sleep(0.001);
	}
	die "penstock wrote no line of a message ($self->{last}); its log:\n" . $self->{stand}->tail('penstock');
}

# A follower of the MTA's log will say this later; a daemon that does not know the command yet says no.
sub report_dead
{
	my ($self, $name) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $self->{stand}->path('control.sock')) or die "control.sock: $!\n";
	print $socket JSON::PP->new->canonical->encode({ do => 'account.feedback', account => $name, kind => 'dead', count => 1 }), "\n";
	$socket->flush;
	my $reply = <$socket> // '';
	$self->{no_reports} //= $reply if $reply !~ /"ok":\s*true/;
}

sub stop
{
	my ($self) = @_;
	warn "dead recipients could not be told: $self->{no_reports}" if $self->{no_reports};
	$self->{stand}->stop($_) for qw(penstock rspamd scanner rbldnsd redis);
	unlink $self->{stand}->path('clock');
}

1;
