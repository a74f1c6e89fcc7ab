# SPDX-License-Identifier: BSD-2-Clause
#
# Daemon: the daemon under test, its configuration file and its tools.

package Penstock::Daemon;

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;
use Penstock::Process qw(run slurp start_program stop_process wait_for wait_ready write_file);

# Options: folder, build (where the programs are), config (hash).
sub new {
	my ($class, %option) = @_;
	my $self = bless { %option, file => "$option{folder}/penstock.conf", log => "$option{folder}/penstock.log" }, $class;
	@{$self}{qw(program ctl_program)} = programs($self->{build});
	write_file($self->{log}, '');
	$self->write_config;
	return $self;
}

# Paths of daemon and tool; dies where one is missing.
sub programs {
	my ($build) = @_;
	my @programs = ($ENV{PENSTOCK} // "$build/penstock", $ENV{PENSTOCKCTL} // "$build/penstockctl");
	for my $program (@programs) {
		die "there is no program $program: build it, or name the folder in PENSTOCK_BUILD\n" if !-x $program;
	}
	return @programs;
}

# Writes the configuration that `config` holds; a running daemon reads it at reload.
sub write_config {
	my ($self) = @_;
	write_file($self->{file}, config_text($self->{config}));
}

# libconfig's syntax: a hash is a group, a list of hashes a list of groups, any other list an array. What looks like
# a number or a boolean is one.
sub config_text {
	my ($config) = @_;
	return join '', map { "$_ = " . _value($config->{$_}) . ";\n" } sort keys %$config;
}

sub _value {
	my ($value) = @_;
	if (ref $value eq 'HASH') {
		return '{ ' . join('', map { "$_ = " . _value($value->{$_}) . '; ' } sort keys %$value) . '}';
	}
	if (ref $value eq 'ARRAY') {
		my @values = map { _value($_) } @$value;
		return '(' . join(",\n  ", @values) . ')' if @$value && ref $value->[0];
		return '[' . join(', ', @values) . ']';
	}
	return $value if $value =~ /^-?\d+(?:\.\d+)?$/ || $value =~ /^(?:true|false)$/;
	$value =~ s/(["\\])/\\$1/g;
	return "\"$value\"";
}

sub start {
	my ($self) = @_;
	$self->{pid} = start_program('penstock', $self->{log}, $self->{program}, '-f', '-c', $self->{file});
	my $socket = substr $self->{config}{milter}{socket}, length 'unix:';
	wait_ready($self->{pid}, $self->{log}, 20, sub { -S $socket && $self->health });
}

# TERM; gives back the exit status, as $? has it.
sub stop {
	my ($self, $seconds) = @_;
	return stop_process(delete $self->{pid}, $seconds // 20);
}

sub reload { kill 'HUP', $_[0]{pid} }

# Is the process there?
sub lives {
	my ($self) = @_;
	return $self->{pid} && waitpid($self->{pid}, POSIX::WNOHANG) == 0;
}

# penstockctl: exit status, standard output, standard error.
sub ctl {
	my ($self, @words) = @_;
	return run({}, $self->{ctl_program}, '-c', $self->{file}, @words);
}

# The document that `penstockctl --json` prints.
sub ctl_json {
	my ($self, @words) = @_;
	my ($status, $out, $error) = $self->ctl('--json', @words);
	die "penstockctl --json @words: exit $status: $out$error\n" if $status != 0;
	return decode_json($out);
}

sub health {
	my ($self) = @_;
	my $text = $self->http('/health') // return;
	return eval { decode_json($text) };
}

sub metrics {
	my ($self) = @_;
	my %value;
	for my $line (split /\n/, $self->http('/metrics') // '') {
		$value{$1} = $2 if $line =~ /^([^#\s]\S*(?:\{.*\})?) (\S+)$/;
	}
	return \%value;
}

sub http {
	my ($self, $path) = @_;
	my $answer = HTTP::Tiny->new(timeout => 5, proxy => undef, http_proxy => undef)
		->get("http://$self->{config}{http}{listen}$path");
	return if $answer->{status} == 599;
	$self->{http_status} = $answer->{status};
	return $answer->{content};
}

sub log_text { slurp($_[0]{log}) }

# Waits for a line of the log that matches `pattern`, and returns it.
sub wait_log {
	my ($self, $pattern, $seconds) = @_;
	return wait_for($seconds // 20, "a line of the log like $pattern", sub {
		my ($line) = grep { $_ =~ $pattern } split /\n/, $self->log_text;
		return $line;
	});
}

# Verdicts in the log as hashes, the queue id as `id`; those whose fields are as in `want`.
sub verdicts {
	my ($self, %want) = @_;
	my @found;
	for my $line (split /\n/, $self->log_text) {
		my ($id, $rest) = $line =~ /(\S+): (action=.*)/ or next;
		my %verdict = (id => $id, line => $line, $rest =~ /(\w+)=(\S*)/g);
		$verdict{from} =~ s/^<(.*)>$/$1/;
		push @found, \%verdict if !grep { ($verdict{$_} // '') ne $want{$_} } keys %want;
	}
	return @found;
}

# Waits for the verdict that is asked for; the last one where there are several.
sub verdict {
	my ($self, %want) = @_;
	my $words = join ' ', map { "$_=$want{$_}" } sort keys %want;
	return wait_for(20, "a verdict with $words", sub { ($self->verdicts(%want))[-1] });
}

1;
