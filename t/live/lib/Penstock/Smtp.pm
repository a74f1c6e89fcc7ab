# SPDX-License-Identifier: BSD-2-Clause
#
# Smtp: a small SMTP client that keeps every answer, RFC 5321, with AUTH PLAIN, RFC 4954 and RFC 4616.

package Penstock::Smtp;

use strict;
use warnings;

use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use IPC::Open3 qw(open3);
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);

# Options: port, client (source address), helo, seconds (patience for one answer). Dies where nobody listens.
sub connect {
	my ($class, %option) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $option{port}, Proto => 'tcp',
		LocalAddr => $option{client} // '127.0.0.1', Timeout => 10);
	die "cannot connect to 127.0.0.1:$option{port} from " . ($option{client} // '127.0.0.1') . ": $@\n" if !$socket;
	my $self = bless { in => $socket, out => $socket, seconds => $option{seconds} // 60, buffer => '' }, $class;
	$self->{greeting} = $self->answer;
	$self->{ehlo} = $self->command('EHLO ' . ($option{helo} // 'client.example.test'));
	return $self;
}

# The same by STARTTLS: port, client; certificate and key (files) where it shows one. Perl comes without TLS; openssl(1)
# talks.
sub connect_tls {
	my ($class, %option) = @_;
	my @command = ('openssl', 's_client', '-quiet', '-starttls', 'smtp', '-connect', "127.0.0.1:$option{port}",
		defined $option{client} ? ('-bind', "$option{client}:0") : (),
		defined $option{certificate} ? ('-cert', $option{certificate}, '-key', $option{key}) : ());
	my $pid = open3(my $out, my $in, '>&' . fileno(_null()), @command);
	my $self = bless { in => $in, out => $out, seconds => 60, buffer => '', pid => $pid }, $class;
	# its EHLO for STARTTLS is over; the last line of the answer may or may not be shown
	$self->{ehlo} = $self->command('EHLO client.example.test');
	$self->{ehlo} = $self->answer if $self->{ehlo}{text} !~ /\n/;
	return $self;
}

sub _null {
	open(my $null, '>', '/dev/null') or die "/dev/null: $!\n";
	return $null;
}

# One reply as { code, text }; text is without codes, lines joined by a newline. Code 0: the connection ended.
sub answer {
	my ($self) = @_;
	my $end = time + $self->{seconds};
	my @lines;
	while (1) {
		while ($self->{buffer} =~ s/^(\d\d\d)([ -])?([^\r\n]*)\r?\n//) {
			push @lines, $3;
			return { code => $1, text => join "\n", @lines } if ($2 // ' ') eq ' ';
		}
		my $ready = IO::Select->new($self->{in})->can_read($end - time > 0 ? $end - time : 0);
		die "no answer of the SMTP server in $self->{seconds} s\n" if !$ready;
		my $got = sysread($self->{in}, $self->{buffer}, 4096, length $self->{buffer});
		return { code => 0, text => 'the connection ended' } if !$got;
	}
}

sub command {
	my ($self, $line) = @_;
	local $SIG{PIPE} = 'IGNORE';
	print { $self->{out} } "$line\r\n";
	$self->{out}->flush;
	return $self->answer;
}

sub login {
	my ($self, $user, $password) = @_;
	return $self->command('AUTH PLAIN ' . encode_base64("\0$user\0$password", ''));
}

# One message: from, to (list), text. Stops at the first command that leaves nothing to send. The result holds `mail`,
# `rcpt` (list), `data` and `end` as far as it came; `stage`, `code` and `text` of what decided; `id`, the queue's.
sub message {
	my ($self, %message) = @_;
	my %result = (rcpt => [], id => '');
	$result{mail} = $self->command("MAIL FROM:<$message{from}>");
	return _decided(\%result, 'mail', $result{mail}) if $result{mail}{code} >= 300;
	for my $to (@{ $message{to} }) {
		push @{ $result{rcpt} }, $self->command("RCPT TO:<$to>");
	}
	my @accepted = grep { $_->{code} < 300 && $_->{code} } @{ $result{rcpt} };
	if (!@accepted) {
		_decided(\%result, 'rcpt', $result{rcpt}[-1]);
		$self->command('RSET');
		return \%result;
	}
	$result{data} = $self->command('DATA');
	return _decided(\%result, 'data', $result{data}) if $result{data}{code} != 354;
	(my $text = $message{text}) =~ s/\r?\n/\r\n/g;
	$text =~ s/^\./../mg;
	$text .= "\r\n" if $text !~ /\r\n\z/;
	$result{end} = $self->command("$text.");
	$result{id} = $1 if $result{end}{text} =~ /queued as (\w+)/;
	return _decided(\%result, 'end', $result{end});
}

sub _decided {
	my ($result, $stage, $answer) = @_;
	@{$result}{qw(stage code text)} = ($stage, @{$answer}{qw(code text)});
	return $result;
}

sub quit {
	my ($self) = @_;
	$self->command('QUIT');
	close $_ for @{$self}{qw(in out)};
	waitpid($self->{pid}, 0) if $self->{pid};
}

1;
