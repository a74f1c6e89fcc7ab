# SPDX-License-Identifier: BSD-2-Clause
#
# Postfix: a Postfix of the test's own: configuration, queue, data and log in one folder, SMTP AUTH from a sasldb, one
# port on loopback. The system's Postfix is not touched; its programs are used.

package Penstock::Postfix;

use strict;
use warnings;

use File::Path qw(make_path);
use Penstock::Process qw(at_end need_program run slurp wait_for write_file);

our $local_domain = 'local.example.test';	# delivered on this host
our @local_users = qw(home office);
our $customers = '127.0.0.50';			# client address that may relay without a login

# Options: folder, port, next_hop (where all mail for elsewhere goes, address:port), users ({ login => password }),
# and lines to be added: main, master (text).
sub new {
	my ($class, %option) = @_;
	my $self = bless { %option, config => "$option{folder}/postfix", log => "$option{folder}/mail.log" }, $class;
	$self->{postfix} = need_program('postfix', 'postfix');
	$self->{postconf} = need_program('postconf', 'postfix');
	make_path("$self->{config}/sasl");
	for my $folder (qw(queue data mail)) {
		mkdir "$self->{folder}/$folder";
		chmod 0755, "$self->{folder}/$folder";
	}
	my ($uid, $gid) = (getpwnam 'postfix')[2, 3];
	die "there is no account postfix on this host: apt-get install postfix\n" if !defined $uid;
	chown $uid, $gid, "$self->{folder}/data", "$self->{folder}/mail";
	@{$self}{qw(uid gid)} = ($uid, $gid);
	$self->_write_users;
	$self->_make_certificates;
	$self->configure($option{main} // '', $option{master} // '');
	return $self;
}

# Writes main.cf and master.cf with these lines behind those that any instance of the test needs.
sub configure {
	my ($self, $main, $master) = @_;
	write_file("$self->{config}/main.cf", $self->_main . $main, 0644);
	write_file("$self->{config}/master.cf", $self->_master . $master, 0644);
}

# Parameters of main.cf, each in place of what stands there: of a name that comes twice each process complains in the log,
# and at a reload more often than postlogd's own socket holds.
sub set {
	my ($self, %lines) = @_;
	my $main = slurp("$self->{config}/main.cf");
	for my $name (sort keys %lines) {
		my $line = "$name = $lines{$name}";
		$main =~ s/^\Q$name\E =.*$/$line/m or $main .= "$line\n";
	}
	write_file("$self->{config}/main.cf", $main, 0644);
}

sub start {
	my ($self) = @_;
	at_end(sub { $self->stop });
	$self->_command('start');
	wait_for(30, 'Postfix', sub {
		IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 1);
	});
}

sub reload { $_[0]->_command('reload') }

sub stop {
	my ($self) = @_;
	my $file = "$self->{folder}/queue/pid/master.pid";
	my ($pid) = slurp($file) =~ /(\d+)/ or return;
	run({ seconds => 30 }, $self->{postfix}, '-c', $self->{config}, 'stop');
	wait_for(10, 'the end of Postfix', sub { !kill 0, $pid });
	unlink $file;
}

# A command of Postfix's on this instance: name, arguments. Dies where it fails; gives back what it printed.
sub tool {
	my ($self, $name, @words) = @_;
	my ($status, $out, $error) = run({}, need_program($name, 'postfix'), '-c', $self->{config}, @words);
	die "$name @words: $out$error" if $status != 0;
	return $out;
}

# As a program on the host does it: sendmail -f from to ..., with the message on standard input.
sub sendmail {
	my ($self, $from, $to, $text) = @_;
	my @command = (need_program('sendmail', 'postfix'), '-C', $self->{config}, '-i', '-f', $from, '--', @$to);
	my ($status, $out, $error) = run({ input => $text, env => { MAIL_CONFIG => $self->{config} } }, @command);
	die "sendmail: $out$error" if $status != 0;
}

# The same as another user of the host; `from` undefined: without -f. Exit status and what it said. From a user Postfix's
# programs take no folder of configuration but their own: he sees ours in its place.
sub sendmail_as {
	my ($self, $user, $from, $to, $text) = @_;
	my $script = 'mount --bind "$1" /etc/postfix && user=$2 && shift 2 && exec setpriv --reuid="$user" --regid=nogroup --clear-groups "$@"';
	my @sendmail = (need_program('sendmail', 'postfix'), '-i', defined $from ? ('-f', $from) : (), '--', @$to);
	my ($status, $out, $error) = run({ input => $text }, need_program('unshare', 'util-linux'), '--mount', 'sh', '-c', $script,
		'sh', $self->{config}, $user, @sendmail);
	return ($status, "$out$error");
}

# Queue ids of messages in a queue (hold, deferred, active).
sub queue {
	my ($self, $name) = @_;
	return grep { $_ ne '' } split /\n/, $self->_find("$self->{folder}/queue/$name");
}

sub _find {
	my ($self, $folder) = @_;
	my ($status, $out) = run({}, 'find', $folder, '-type', 'f', '-printf', '%f\n');
	return $out;
}

# Texts of what was delivered on this host to `user`.
sub delivered {
	my ($self, $user) = @_;
	return map { slurp($_) } glob "$self->{folder}/mail/$user/new/*";
}

# Lines of the log that match.
sub log_lines {
	my ($self, $pattern) = @_;
	return grep { $_ =~ $pattern } split /\n/, slurp($self->{log});
}

sub _command {
	my ($self, $word) = @_;
	my ($status, $out, $error) = run({}, $self->{postfix}, '-c', $self->{config}, $word);
	die "postfix -c $self->{config} $word: $out$error" . slurp($self->{log}) if $status != 0;
}

sub _write_users {
	my ($self) = @_;
	my $program = need_program('saslpasswd2', 'sasl2-bin');
	my $file = "$self->{config}/sasl/sasldb2";
	for my $login (sort keys %{ $self->{users} }) {
		my ($user, $realm) = $login =~ /^(.+)\@(.+)$/;
		my @command = ($program, '-p', '-c', '-f', $file, '-u', $realm, $user);
		my ($status, $out, $error) = run({ input => $self->{users}{$login} }, @command);
		die "saslpasswd2 $login: $out$error" if $status != 0;
	}
	chown 0, $self->{gid}, $file;
	chmod 0640, $file;
	write_file("$self->{config}/sasl/smtpd.conf", <<"END");
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN
sasldb_path: $file
END
}

# An authority of the test's own, the server's certificate, and one of a client: CN=printer-7.example.test.
sub _make_certificates {
	my ($self) = @_;
	my $program = need_program('openssl', 'openssl');
	my $folder = $self->{tls} = "$self->{config}/tls";
	mkdir $folder;
	my $openssl = sub {
		my ($status, $out, $error) = run({}, $program, @_);
		die "openssl @_: $out$error" if $status != 0;
	};
	for my $name (qw(authority server client)) {
		my $subject = $name eq 'client' ? '/CN=printer-7.example.test' : "/CN=$name of the test";
		my @new = (qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes), '-keyout', "$folder/$name.key", '-subj', $subject);
		if ($name eq 'authority') {
			$openssl->('req', '-x509', @new, '-days', 2, '-out', "$folder/$name.pem");
		} else {
			$openssl->('req', @new, '-out', "$folder/$name.csr");
			$openssl->('x509', '-req', '-in', "$folder/$name.csr", '-days', 2, '-CA', "$folder/authority.pem",
				'-CAkey', "$folder/authority.key", '-CAcreateserial', '-out', "$folder/$name.pem");
		}
	}
}

sub _main {
	my ($self) = @_;
	my $next_hop = $self->{next_hop} =~ s/^(.*):(\d+)$/[$1]:$2/r;
	return <<"END";
compatibility_level = 3.6
queue_directory = $self->{folder}/queue
data_directory = $self->{folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = $self->{log}
maillog_file_prefixes = $self->{folder}
alias_maps =
alias_database =
biff = no
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.example.test
mydomain = example.test
myorigin = example.test
mydestination =
mynetworks = $customers/32
# all that leaves goes to the receiving server. A transport that a header chose (FILTER) does not look at relayhost but at
# default_filter_nexthop, which is among Penstock's lines at the end of this file
relayhost = $next_hop
smtp_dns_support_level = disabled
virtual_mailbox_domains = $local_domain
virtual_mailbox_maps = inline:{ @{[ join ' ', map { "{ $_\@$local_domain = $_/ }" } @local_users ]} }
virtual_mailbox_base = $self->{folder}/mail
virtual_uid_maps = static:$self->{uid}
virtual_gid_maps = static:$self->{gid}
virtual_minimum_uid = 1
smtpd_peername_lookup = no
smtpd_recipient_limit = 2000
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, permit_tls_all_clientcerts, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = $self->{config}/sasl
smtpd_sasl_local_domain = example.test
smtpd_sasl_security_options = noanonymous
smtpd_tls_security_level = may
smtpd_tls_cert_file = $self->{tls}/server.pem
smtpd_tls_key_file = $self->{tls}/server.key
smtpd_tls_CAfile = $self->{tls}/authority.pem
smtpd_tls_ask_ccert = yes
smtp_tls_security_level = none
END
}

# service, type, private, wakeup, process limit, command and arguments
sub _master {
	my ($self) = @_;
	my @rows = (
		["127.0.0.1:$self->{port}", 'inet', 'n', '-', '-', 'smtpd'],
		['pickup', 'unix', 'n', '3', '1', 'pickup'],
		['cleanup', 'unix', 'n', '-', '0', 'cleanup'],
		['qmgr', 'unix', 'n', '300', '1', 'qmgr'],
		(map { [$_, 'unix', '-', '-', '0', 'bounce'] } qw(bounce defer trace)),
		(map { [$_, 'unix', '-', '-', '1', $_] } qw(tlsmgr verify anvil scache)),
		(map { [$_, 'unix', '-', '-', '-', $_] } qw(error discard local virtual lmtp proxymap smtp)),
		['rewrite', 'unix', '-', '-', '-', 'trivial-rewrite'],
		['relay', 'unix', '-', '-', '-', 'smtp'],
		['retry', 'unix', '-', '-', '-', 'error'],
		['flush', 'unix', 'n', '1000?', '0', 'flush'],
		['proxywrite', 'unix', '-', '-', '1', 'proxymap'],
		['showq', 'unix', 'n', '-', '-', 'showq'],
		['postlog', 'unix-dgram', 'n', '-', '1', 'postlogd'],
	);
	# local and virtual want to run as root, and nothing is in a chroot
	return join '', map {
		my ($service, $type, $private, $wakeup, $most, $command) = @$_;
		my $unprivileged = $command =~ /^(?:local|virtual)$/ ? 'n' : '-';
		"$service $type $private $unprivileged n $wakeup $most $command\n";
	} @rows;
}

1;
