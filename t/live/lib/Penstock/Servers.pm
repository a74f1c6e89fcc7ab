# SPDX-License-Identifier: BSD-2-Clause
#
# Servers: a private Redis, rbldnsd and spamd, all on loopback, each in a folder of the test's.

package Penstock::Redis;

use strict;
use warnings;

use Penstock::Process qw(need_program run start_program stop_process wait_ready write_file);
use Penstock::RedisClient;

# Options: folder, port.
sub start {
	my ($class, %option) = @_;
	my $self = ref $class ? $class : bless {
		%option,
		folder => "$option{folder}/redis",
		socket => "$option{folder}/redis.sock",
		program => need_program('redis-server', 'redis-server'),
		cli => need_program('redis-cli', 'redis-tools'),
	}, $class;
	mkdir $self->{folder};
	write_file("$self->{folder}/redis.conf", <<"END");
port $self->{port}
bind 127.0.0.1
unixsocket $self->{socket}
unixsocketperm 777
dir $self->{folder}
save ""
appendonly no
daemonize no
END
	$self->{pid} = start_program('redis', "$self->{folder}/log", $self->{program}, "$self->{folder}/redis.conf");
	wait_ready($self->{pid}, "$self->{folder}/log", 20, sub { -S $self->{socket} && $self->try('PING') eq 'PONG' });
	return $self;
}

# Ends it as a crash would; with `save` what it holds is there at the next start.
sub stop {
	my ($self, %option) = @_;
	$self->do('SAVE') if $option{save};
	unlink "$self->{folder}/dump.rdb" if !$option{save};
	kill 'KILL', $self->{pid};
	stop_process($self->{pid});
	unlink $self->{socket};
}

# Connections are accepted by the kernel and nobody answers.
sub pause { kill 'STOP', $_[0]{pid} }
sub resume { kill 'CONT', $_[0]{pid} }

# redis-cli, as a panel would call it. `do` dies on an error, `try` gives back what was said.
sub try {
	my ($self, @words) = @_;
	my ($status, $out, $error) = run({ seconds => 20 }, $self->{cli}, '-s', $self->{socket}, '--raw', @words);
	$out =~ s/\n\z//;
	return $out;
}

sub do {
	my ($self, @words) = @_;
	my ($status, $out, $error) = run({ seconds => 20 }, $self->{cli}, '-e', '-s', $self->{socket}, '--raw', @words);
	die "redis-cli @words: $out$error" if $status != 0;
	$out =~ s/\n\z//;
	return $out;
}

# The same with bytes as they are, over a connection of its own: a string, a number, undef for nil or a list.
sub ask {
	my ($self, @words) = @_;
	return Penstock::RedisClient->connect($self->{socket})->ask(@words);
}

# A hash as one; values are bytes, line ends among them.
sub hash {
	my ($self, $key) = @_;
	return { map { $_ => $self->do('HGET', $key, $_) } split /\n/, $self->do('HKEYS', $key) };
}


package Penstock::Rbldnsd;

use IO::Socket::INET;
use Penstock::Process qw(need_program start_program stop_process wait_ready write_file);

# Options: folder, port, zones: { zone => { address => answer } }. Each zone has the test entry of RFC 5782 as well.
sub start {
	my ($class, %option) = @_;
	my $self = ref $class ? $class : bless { %option, folder => "$option{folder}/rbldnsd" }, $class;
	my $program = need_program('rbldnsd', 'rbldnsd');
	mkdir $self->{folder};
	chmod 0755, $self->{folder};
	my @zones;
	for my $zone (sort keys %{ $self->{zones} }) {
		my $rows = { '127.0.0.2' => '127.0.0.2', %{ $self->{zones}{$zone} } };
		my $text = '$SOA 300 bl.example.test hostmaster.example.test 1 600 300 86400 300' . "\n";
		$text .= join '', map { "$_ :$rows->{$_}:listed for the test\n" } sort keys %$rows;
		write_file("$self->{folder}/$zone", $text, 0644);
		push @zones, "$zone:ip4set:$zone";
	}
	$self->{pid} = start_program('rbldnsd', "$self->{folder}/log", $program, '-n', '-u', 'nobody:nogroup',
		'-b', "127.0.0.1/$self->{port}", '-w', $self->{folder}, @zones);
	my ($zone) = sort keys %{ $self->{zones} };
	wait_ready($self->{pid}, "$self->{folder}/log", 20, sub { defined $self->ask("1.2.3.4", $zone) });
	return $self;
}

sub stop { stop_process($_[0]{pid}) }
sub pause { kill 'STOP', $_[0]{pid} }
sub resume { kill 'CONT', $_[0]{pid} }

# The A records of `address` in `zone`, as text; '' where it is not listed, undef where nobody answered.
sub ask {
	my ($self, $address, $zone) = @_;
	my $name = join('.', reverse split /\./, $address) . ".$zone";
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'udp') or return;
	my $question = join('', map { chr(length) . $_ } split /\./, $name) . "\0" . pack('nn', 1, 1);
	send($socket, pack('n6', 4711, 0x0100, 1, 0, 0, 0) . $question, 0) or return;
	my $bits = '';
	vec($bits, fileno($socket), 1) = 1;
	return if !select($bits, undef, undef, 0.3);
	recv($socket, my $reply, 512, 0) // return;
	my (undef, undef, undef, $answers) = unpack 'n4', $reply;
	my $at = 12 + length $question;
	my @found;
	for (1 .. $answers) {
		my ($type, $length) = unpack 'x2 n x6 n', substr $reply, $at;
		push @found, join '.', unpack 'C4', substr $reply, $at + 12, 4 if $type == 1;
		$at += 12 + $length;
	}
	return join ' ', @found;
}


package Penstock::Spamd;

use IO::Socket::INET;
use Penstock::Process qw(need_program start_program stop_process wait_ready write_file);

# Words in a body and the score that they get, beside the rules that SpamAssassin comes with.
our %phrases = (
	'cheap reservoir pills' => 6,
	'sluice lottery winner' => 9,
);

# Options: folder, port. The rules are those of the package; no update, no network, no Bayes.
sub start {
	my ($class, %option) = @_;
	my $self = ref $class ? $class : bless { %option, folder => "$option{folder}/spamd" }, $class;
	my $program = need_program('spamd', 'spamd');
	my $rules = '/usr/share/spamassassin';
	die "SpamAssassin's rules are missing in $rules: apt-get install spamassassin\n" if !-d $rules;
	my $user = getpwnam('debian-spamd') ? 'debian-spamd' : 'nobody';
	for my $folder ($self->{folder}, "$self->{folder}/site", "$self->{folder}/home") {
		mkdir $folder;
		chmod 0755, $folder;
	}
	chown((getpwnam $user)[2, 3], "$self->{folder}/home");
	_write_site("$self->{folder}/site");
	$self->{pid} = start_program('spamd', "$self->{folder}/log", $program, '--local', '--nouser-config',
		"--username=$user", "--listen=127.0.0.1:$self->{port}", '--allowed-ips=127.0.0.1', '--max-children=2',
		'--min-children=1', "--configpath=$rules", "--siteconfigpath=$self->{folder}/site",
		"--helper-home-dir=$self->{folder}/home", '--syslog=stderr', "--pidfile=$self->{folder}/home/pid");
	wait_ready($self->{pid}, "$self->{folder}/log", 90, sub { $self->ping });
	return $self;
}

sub _write_site {
	my ($folder) = @_;
	write_file("$folder/init.pre", join '', map { "loadplugin Mail::SpamAssassin::Plugin::$_\n" }
		qw(Check HTMLEval HeaderEval BodyEval MIMEEval RelayEval URIEval MIMEHeader WLBLEval));
	my $text = "use_bayes 0\nskip_rbl_checks 1\ndns_available no\nrequired_score 5\n";
	# all clients of a test come from loopback
	$text .= "score ALL_TRUSTED 0\n";
	my $number = 0;
	for my $phrase (sort keys %phrases) {
		my $rule = 'PENSTOCK_LIVE_' . ++$number;
		$text .= "body $rule /\\b$phrase\\b/i\ndescribe $rule words of a test\nscore $rule $phrases{$phrase}\n";
	}
	write_file("$folder/local.cf", $text);
}

sub stop { stop_process($_[0]{pid}) }
sub pause { kill 'STOP', -$_[0]{pid} }
sub resume { kill 'CONT', -$_[0]{pid} }

sub ping {
	my ($self) = @_;
	return ($self->_ask("PING SPAMC/1.2\r\n\r\n") // '') =~ /^SPAMD\/\S+ 0 PONG/;
}

# The verdict on a message: (score, threshold, names of rules).
sub check {
	my ($self, $message) = @_;
	my $answer = $self->_ask("SYMBOLS SPAMC/1.5\r\nContent-length: " . length($message) . "\r\n\r\n$message") // '';
	my ($score, $threshold) = $answer =~ m{^Spam: \S+ ; (\S+) / (\S+)}m or return;
	my ($rules) = $answer =~ /\r\n\r\n(.*)/s;
	return ($score, $threshold, $rules);
}

sub _ask {
	my ($self, $question) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 2) or return;
	local $SIG{ALRM} = sub { die "spamd does not answer\n" };
	my $answer = eval {
		alarm 30;
		print $socket $question;
		shutdown($socket, 1);
		local $/;
		my $text = <$socket>;
		alarm 0;
		$text;
	};
	alarm 0;
	return $answer;
}

1;
