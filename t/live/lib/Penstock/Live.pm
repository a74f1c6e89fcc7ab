# SPDX-License-Identifier: BSD-2-Clause
#
# Live: a private mail host in one folder: Postfix, Redis, rbldnsd, spamd, a receiving server and the daemon under
# test, all on loopback. Nothing of the system's is touched, and nothing is left when the test ends.

package Penstock::Live;

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp;
use POSIX ();
use Penstock::Daemon;
use Penstock::Postfix;
use Penstock::Process qw(at_end free_port slurp write_file);
use Penstock::Record;
use Penstock::Servers;
use Penstock::Sink;
use Penstock::Smtp;
use Time::HiRes qw(time);

our @EXPORT_OK = qw(part);

our $source = Cwd::abs_path(dirname(__FILE__) . '/../../../..');

# Client addresses and what the block lists say of them.
our %listed = (
	exploit => '127.0.0.66',
	policy => '127.0.0.77',
	refused => '127.0.0.88',
);

# Logins of the realm example.com; the password of alice@example.com is secret-alice.
our @logins = qw(alice bob carol dave erin frank grace heidi ivan judy mallory nina oscar);

# Options: config ({ group => { option => value } } or { list => [...] }, laid over the one below), daemon => 0 (a
# world without Penstock), main ({ name => value }, in place of what main.cf says), build, say (called with a line for each part that has started).
sub new {
	my ($class, %option) = @_;
	die "the live tests start a Postfix of their own and have to run as root\n" if $> != 0;
	my $say = $option{say} // sub { };
	my $build = $option{build} // $ENV{PENSTOCK_BUILD} // $source;
	my $with_daemon = $option{daemon} // 1;
	Penstock::Daemon::programs($build) if $with_daemon;
	my $folder = File::Temp::tempdir('penstock-live-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
	chmod 0755, $folder;
	my $self = bless { folder => $folder, build => $build, with_daemon => $with_daemon, say => $say,
		main => $option{main} // {} }, $class;
	at_end(sub { $self->_tell_failure });
	$self->{ports} = { map({ $_ => free_port('tcp') } qw(smtp sink redis spamd http)), dns => free_port('udp') };
	$self->_start_servers;
	$self->_start_daemon($option{config} // {}) if $with_daemon;
	$self->_start_postfix;
	return $self;
}

sub _start_servers {
	my ($self) = @_;
	my ($folder, $ports) = @{$self}{qw(folder ports)};
	my $say = $self->{say};
	$self->{sink} = Penstock::Sink->start(folder => $folder, port => $ports->{sink});
	$say->("the receiving server: 127.0.0.1:$ports->{sink}");
	$self->{redis} = Penstock::Redis->start(folder => $folder, port => $ports->{redis});
	$say->("redis-server: 127.0.0.1:$ports->{redis}");
	$self->{rbldnsd} = Penstock::Rbldnsd->start(folder => $folder, port => $ports->{dns}, zones => {
		'bl.example.test' => { $listed{exploit} => '127.0.0.4', $listed{policy} => '127.0.0.10' },
		'refuse.example.test' => { $listed{refused} => '127.0.0.2' },
	});
	$say->("rbldnsd, the block list: 127.0.0.1:$ports->{dns}");
	$self->{spamd} = Penstock::Spamd->start(folder => $folder, port => $ports->{spamd});
	$say->("spamd: 127.0.0.1:$ports->{spamd}");
}

sub _start_daemon {
	my ($self, $over) = @_;
	mkdir "$self->{folder}/run";
	chmod 0755, "$self->{folder}/run";
	my $config = $self->_config;
	for my $name (keys %$over) {
		my $plain = ref $over->{$name} ne 'HASH' || ref $config->{$name} ne 'HASH';
		$config->{$name} = $plain ? $over->{$name} : { %{ $config->{$name} }, %{ $over->{$name} } };
	}
	chown((getpwnam $config->{user})[2, 3], "$self->{folder}/run") if $config->{user} ne '';
	$self->{daemon} = Penstock::Daemon->new(folder => $self->{folder}, build => $self->{build}, config => $config);
	$self->{daemon}->start;
	$self->{say}->("penstock: $config->{milter}{socket}");
}

sub _start_postfix {
	my ($self) = @_;
	my %users = map { ("$_\@example.com" => "secret-$_") } @logins;
	$self->{postfix} = Penstock::Postfix->new(folder => $self->{folder}, port => $self->{ports}{smtp},
		next_hop => "127.0.0.1:$self->{ports}{sink}", users => \%users,
		$self->{with_daemon} ? $self->postfix_lines : ());
	$self->{postfix}->set(%{ $self->{main} });
	$self->{postfix}->start;
	$self->{say}->("Postfix: 127.0.0.1:$self->{ports}{smtp}");
}

# What Postfix has to be told, by penstockctl: (main => text, master => text). Writes the files of header checks.
sub postfix_lines {
	my ($self) = @_;
	my $folder = "$self->{folder}/postfix";
	mkdir $folder;
	my $print = sub {
		my ($part) = @_;
		my @words = ('postfix', 'print', $part, '--dir', $folder, '--queue', "$self->{folder}/queue");
		my ($status, $out, $error) = $self->{daemon}->ctl(@words);
		die "penstockctl @words: exit $status: $error\n" if $status != 0;
		return $out;
	};
	write_file("$folder/penstock_milter_header_checks", $print->('milter-header-checks'), 0644);
	write_file("$folder/penstock_smtp_header_checks", $print->('header-checks'), 0644);
	return (main => $print->('main'), master => $print->('master'));
}

sub _config {
	my ($self) = @_;
	my ($folder, $ports) = @{$self}{qw(folder ports)};
	return {
		user => 'nobody',
		node => 'live',
		milter => {
			socket => "unix:$folder/run/milter.sock", socket_group => 'postfix', deadline_ms => 8000, drain_s => 5,
		},
		log => { target => 'stderr' },
		http => { listen => "127.0.0.1:$ports->{http}" },
		control => { socket => "$folder/run/control.sock" },
		socketmap => { listen => "unix:$folder/run/socketmap.sock" },
		redis => { server => "unix:$folder/redis.sock", timeout_ms => 1000, retry_ms => 100 },
		clients => { state => '' },
		dns => { servers => ["127.0.0.1:$ports->{dns}"], timeout_ms => 1000 },
		accounts => { sources => [qw(auth certificate network uid sender)], cut_tag => 'true',
			own_networks => [$Penstock::Postfix::customers] },
		postfix => { header => 'X-Penstock-Pool', remote_mailers => [qw(smtp relay)] },
		reputation => { new_days => '7.0', new_messages => 20 },
		content => { tag_score => '5.0', slow_score => '8.0' },
		blocklists => [
			{ zone => 'bl.example.test', private => 'true', weight => '1.0', action => 'signal',
			  codes => ['127.0.0.2 spam', '127.0.0.4-127.0.0.7 exploit', '127.0.0.10-127.0.0.11 policy'] },
			{ zone => 'refuse.example.test', private => 'true', kind => 'spam', action => 'refuse' },
		],
		plans => [
			{
				name => 'default', over => 'defer',
				rcpts_per_hour => 500, msgs_per_day => 2000, rcpts_per_message => 100,
			},
			{ name => 'gold', rcpts_per_hour => 5000, over => 'slow' },
		],
		scanners => [
			{ name => 'spamd', kind => 'spamd', address => "127.0.0.1:$ports->{spamd}", max_size => 262144,
			  timeout_ms => 6000, on_failure => 'unknown' },
		],
		pools => [
			_pool('clean', 'good', '127.0.0.11', '127.0.0.12'),
			_pool('warm', 'new', '127.0.0.21'),
			_pool('suspect', 'suspect', '127.0.0.31'),
		],
	};
}

# A pool with a transport for each address: clean-1, clean-2 ...
sub _pool {
	my ($name, $level, @addresses) = @_;
	my $number = 0;
	my @transports = map { $number++; { name => "$name-$number", address => $_, helo => "$name-$number.example.test" } } @addresses;
	return { name => $name, levels => [$level], transports => \@transports };
}

# By which pool an address of the table above is used; '' for another one.
sub pool_of {
	my ($self, $address) = @_;
	for my $pool (@{ $self->{daemon}{config}{pools} }) {
		return $pool->{name} if grep { $_->{address} eq $address } @{ $pool->{transports} };
	}
	return '';
}

# A session of the SMTP client, logged in where `auth` is given (alice, or alice@example.com).
sub session {
	my ($self, %option) = @_;
	my $session = Penstock::Smtp->connect(port => $self->{ports}{smtp}, client => $option{client}, helo => $option{helo});
	if (defined $option{auth}) {
		(my $user = $option{auth}) =~ s/\@.*//;
		my $answer = $session->login("$user\@example.com", "secret-$user");
		die "AUTH of $user: $answer->{code} $answer->{text}\n" if $answer->{code} != 235;
	}
	return $session;
}

my $count = 0;

# One message in a session of its own. Options: auth, client, from, to (address or list), subject, body, headers
# (list of lines). Returns what Penstock::Smtp::message does, with `subject`, which is like no other, and `from`.
sub send {
	my ($self, %mail) = @_;
	my $session = $self->session(%mail);
	my $result = $self->send_in($session, %mail);
	$session->quit;
	return $result;
}

sub send_in {
	my ($self, $session, %mail) = @_;
	$mail{to} = [ $mail{to} // 'friend@elsewhere.test' ] if !ref $mail{to};
	$mail{from} //= !defined $mail{auth} ? 'stranger@outside.test' : $mail{auth} =~ /\@/ ? $mail{auth} : "$mail{auth}\@example.com";
	$mail{subject} //= 'message ' . ++$count . " of $$";
	my $result = $session->message(from => $mail{from}, to => $mail{to}, text => message_text(%mail));
	return { %$result, subject => $mail{subject}, from => $mail{from} };
}

sub message_text {
	my (%mail) = @_;
	my @headers = ("From: <$mail{from}>", "To: <$mail{to}[0]>", "Subject: $mail{subject}",
		'Date: ' . POSIX::strftime('%a, %d %b %Y %H:%M:%S +0000', gmtime),
		sprintf('Message-ID: <%.6f.%d@example.com>', time, $$), @{ $mail{headers} // [] });
	return join("\n", @headers) . "\n\n" . ($mail{body} // "Shall we meet at noon tomorrow, where we met last time?\n");
}

# The message as it came to the receiving server.
sub arrived {
	my ($self, $result) = @_;
	die "'$result->{subject}' was not taken: $result->{stage} $result->{code} $result->{text}\n" if $result->{code} != 250;
	return scalar $self->{sink}->wait($result->{subject});
}

# What the daemon's log says of a message that got a queue id.
sub verdict {
	my ($self, $result) = @_;
	return $self->{daemon}->verdict(id => $result->{id});
}

sub key {
	my ($self, $account, $part) = @_;
	return "penstock:{$account}:$part";
}

# Gives an account a history: the record of one that sent `messages` messages (50) in the last thirty days.
sub make_good {
	my ($self, $account, $messages) = @_;
	$self->write_record($account, Penstock::Record::good_record($messages // 50));
	$self->{redis}->do('HSET', $self->key($account, 'state'), level => 'good', since => time - 20 * 86400, score => '-3.00');
}

# The bytes, as whatever wrote them; and what they say, undef where there are none.
sub write_record {
	my ($self, $account, $bytes) = @_;
	$self->{redis}->ask('SET', $self->key($account, 'record'), $bytes);
}

sub record {
	my ($self, $account) = @_;
	return Penstock::Record::unpack_record($self->{redis}->ask('GET', $self->key($account, 'record')));
}

# The fields that panels read.
sub state {
	my ($self, $account) = @_;
	return $self->{redis}->hash($self->key($account, 'state'));
}

# Numbers of the record: counters of the reputation by name, and what was counted in the present and the last period.
sub counters {
	my ($self, $account) = @_;
	my $record = $self->record($account);
	my %counters = map { $_ => $record ? $record->{counters}{$_} : 0 } @Penstock::Record::counters;
	# the hour and the day may have changed during the test
	$counters{day_msgs} = Penstock::Record::counted($record, 'msgs_per_day');
	$counters{day_rcpts} = Penstock::Record::counted($record, 'rcpts_per_day');
	return \%counters;
}

# A subtest that fails where its code dies, so that the parts after it are tried all the same.
sub part {
	my ($name, $code) = @_;
	Test::More::subtest($name, sub {
		eval { $code->(); 1 } or Test::More::fail("ended early: $@");
	});
}

# Where a test failed, its logs tell why.
sub _tell_failure {
	my ($self) = @_;
	return if !Test::More->can('builder') || Test::More->builder->is_passing;
	for my $file (qw(penstock.log mail.log)) {
		my @lines = split /\n/, slurp("$self->{folder}/$file");
		splice @lines, 0, -40 if @lines > 40;
		Test::More::diag(join "\n", "--- the end of $file", @lines);
	}
}

1;
