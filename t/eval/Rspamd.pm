# SPDX-License-Identifier: BSD-2-Clause
#
# Rspamd: a real rspamd in the place of the daemon, as its package sets it up, with ratelimit and reputation over Redis.
# What it would mark as spam ("add header") leaves by the suspect pool: the kindest that an admin can do with the mark.
package Rspamd;

use strict;
use warnings;

use parent -norequire, 'Daemon';
use Daemon;

sub installed { return grep { -x "$_/rspamd" } split(/:/, $ENV{PATH}), '/usr/bin' }

my %local = (
	'options.inc' => sub { "dns { nameserver = [\"127.0.0.1:$_[0]{dns_port}\"]; timeout = 50ms; retransmits = 1; }\n" },
	'logging.inc' => sub { "type = \"console\"; level = \"warning\"; color = false;\n" },
	'redis.conf' => sub { "servers = \"$_[0]{redis_path}\";\n" },
	'worker-proxy.inc' => sub { "bind_socket = \"$_[0]{dir}/milter.sock mode=0666\"; milter = yes; count = 1; timeout = 30s;\n"
		. "upstream \"local\" { default = yes; self_scan = yes; }\n" },
	'worker-normal.inc' => sub { "enabled = false;\n" },
	'worker-controller.inc' => sub { "bind_socket = \"$_[0]{dir}/controller.sock mode=0600\";\n" },
	'fuzzy_check.conf' => sub { "enabled = false;\n" },	# its servers are elsewhere
	'greylist.conf' => sub { "enabled = false;\n" },
	'ratelimit.conf' => sub { "rates { user = { bucket = [ { burst = 200; rate = \"200 / 1h\"; } ] } }\n" },
	'reputation.conf' => sub { join '', "rules {\n", (map { my ($name, $selector) = @$_;
			"  $name { selector \"$selector->[0]\" { $selector->[1] } backend \"redis\" { servers = \"$_[0]{redis_path}\"; } symbol = \"\U$name\E\"; }\n"
		} ['user_reputation', ['generic', 'selector = "user";']], ['ip_reputation', ['ip', '']]), "}\n" },
	'groups.conf' => sub { "group \"reputation\" { symbols { \"USER_REPUTATION\" { weight = 8.0; } \"IP_REPUTATION_SPAM\" { weight = 4.0; }\n"
		. "\"IP_REPUTATION_HAM\" { weight = 1.0; } } }\n" },
);

sub start_judge
{
	my ($self, @env) = @_;
	my $stand = $self->{stand};
	die "rspamd is not installed\n" if !installed();
	my $folder = $stand->path('rspamd');
	mkdir for $folder, map { "$folder/$_" } qw(local.d override.d data);
	chmod 0755, $stand->{dir};
	$self->write_config("rspamd/local.d/$_", $local{$_}->($self)) for keys %local;
	$stand->start('rspamd', @env, 'rspamd', '-f', ($> == 0 ? '-i' : ()), '-c', '/etc/rspamd/rspamd.conf', map { "--var=$_" }
		      "LOCAL_CONFDIR=$folder", "DBDIR=$folder/data", "RUNDIR=$folder/data", "LOGDIR=$folder/data");
	$stand->wait_socket('rspamd', $stand->path('milter.sock'));
}

sub send
{
	my ($self, $event) = @_;
	my $answer = $self->deliver($event);
	$answer->{transport} = $answer->{spam} ? 'suspect' : 'clean';
	my $level = $answer->{spam} || $answer->{action} eq 'reject' ? 'suspect' : 'good';
	return ($answer, $level, "level=$level text=$answer->{text}");
}

# It has no place for them.
sub report_dead { }

1;
