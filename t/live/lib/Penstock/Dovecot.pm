# SPDX-License-Identifier: BSD-2-Clause
#
# Dovecot: a private one that takes IMAP logins on loopback and answers Postfix's questions about them. Its folder is the
# test's, and it writes its own log.

package Penstock::Dovecot;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Penstock::Process qw(need_program start_program stop_process wait_ready write_file);

# Options: folder, port, users (login => password).
sub start {
	my ($class, %option) = @_;
	my $folder = "$option{folder}/dovecot";
	my $self = bless { %option, folder => $folder, log => "$folder/log", sasl => "$folder/sasl" }, $class;
	mkdir $_ for $folder, "$folder/run", "$folder/mail";
	chmod 0755, $folder;
	chmod 0777, "$folder/mail";
	write_file("$folder/users", join '', map { "$_:{PLAIN}$option{users}{$_}::::::\n" } sort keys %{ $option{users} });
	write_file("$folder/dovecot.conf", $self->_config, 0644);
	$self->{pid} = start_program('dovecot', "$folder/out", need_program('dovecot', 'dovecot-imapd'), '-F', '-c', "$folder/dovecot.conf");
	wait_ready($self->{pid}, $self->{log}, 20, sub { -S $self->{sasl} && IO::Socket::INET->new("127.0.0.1:$option{port}") });
	return $self;
}

sub stop { stop_process($_[0]{pid}) }

# No penalty for who fails often: it is seconds, and there is a test of those who guess.
sub _config {
	my ($self) = @_;
	return <<"END";
base_dir = $self->{folder}/run
log_path = $self->{log}
info_log_path = $self->{log}
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:$self->{folder}/mail/%u
passdb {
  driver = passwd-file
  args = scheme=PLAIN $self->{folder}/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=$self->{folder}/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = $self->{port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener $self->{sasl} {
    mode = 0666
  }
}
END
}

# One login from `client`, and the end of the session. Its answer.
sub login {
	my ($self, $client, $user, $password) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, LocalAddr => $client, Timeout => 10)
		or die "cannot connect to Dovecot from $client: $@\n";
	_line($socket);
	print $socket 'a AUTHENTICATE PLAIN ' . encode_base64("\0$user\0$password", '') . "\r\n";
	my $answer = _line($socket);
	$answer = _line($socket) while $answer =~ /^\*/;
	print $socket "b LOGOUT\r\n";
	_line($socket);
	return $answer;
}

sub _line {
	my ($socket) = @_;
	my $line = '';
	while ($line !~ /\n/) {
		die "no answer of Dovecot in 30 s\n" if !IO::Select->new($socket)->can_read(30);
		last if !sysread $socket, $line, 4096, length $line;
	}
	return $line;
}

1;
