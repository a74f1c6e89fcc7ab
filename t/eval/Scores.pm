# SPDX-License-Identifier: BSD-2-Clause
#
# Scores: what a real spamd (local tests only) says of each message of the corpus, asked once and kept in a file; and a
# small server that speaks spamd's protocol and answers the daemon from that file: spamd takes a tenth of a second and
# more a message, and says the same each time.
package Scores;

use strict;
use warnings;

use Digest::SHA ();
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Stand;

my $workers = 2;

sub new
{
	my ($class, %set) = @_;	# cache: folder; stand; say
	my $version = `spamd --version 2>/dev/null` // '';
	my ($number) = $version =~ /version ([\d.]+)/ or die "spamd is not installed (packages spamassassin, spamd)\n";
	my $self = bless { %set, path => "$set{cache}/scores-spamd-$number", known => {} }, $class;
	if (open my $in, '<', $self->{path}) {
		while (my $line = <$in>) {
			my ($key, $score, $rules) = $line =~ /^([0-9a-f]{40}) (-?[\d.]+) (\S*)\n/ or next;
			$self->{known}{$key} = [$score, $rules];
		}
	}
	return $self;
}

# Fills in $message->{score} and {rules} for each.
sub learn
{
	my ($self, @messages) = @_;
	my %text;
	for my $message (@messages) {
		my $text = Corpus::canonical($message);
		my $key = $message->{key} = Digest::SHA::sha1_hex($text);
		$text{$key} = $text if !$self->{known}{$key};
	}
	$self->ask(\%text) if %text;
	@$_{qw(score rules)} = @{ $self->{known}{ $_->{key} } } for @messages;
}

sub ask
{
	my ($self, $text) = @_;
	my @keys = sort keys %$text;
	my $port = $self->start_spamd;
	$self->{say}->(sprintf 'spamd: scoring %d messages that are not in %s', scalar @keys, $self->{path});
	my @children;
	for my $worker (0 .. $workers - 1) {
		my $pid = fork() // die "cannot fork: $!\n";
		push @children, $pid and next if $pid;
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
		my $fine = eval {
			open my $out, '>>', $self->{path} or die "$self->{path}: $!\n";
			$out->autoflush(1);
			for my $n (grep { $_ % $workers == $worker } 0 .. $#keys) {
				my ($score, $rules) = ask_one($port, $text->{ $keys[$n] });
				print $out "$keys[$n] $score $rules\n";
				$self->{say}->("spamd: $n of " . @keys) if $n && $n % 500 == 0;
			}
			1;
		};
		warn $@ if !$fine;
		POSIX::_exit($fine ? 0 : 1);
	}
	for my $pid (@children) {
		waitpid $pid, 0;
		die "spamd did not answer; its log:\n" . $self->{stand}->tail('spamd') if $?;
	}
	$self->{stand}->stop('spamd');
	my $fresh = Scores->new(%$self);
	$self->{known} = $fresh->{known};
}

sub start_spamd
{
	my ($self) = @_;
	my $port = Stand::free_port('tcp');
	my ($stand, $folder) = ($self->{stand}, $self->{stand}->path('spamd.d'));
	my $user = getpwnam('debian-spamd') ? 'debian-spamd' : 'nobody';
	mkdir $folder;
	chown((getpwnam $user)[2, 3], $folder) if $> == 0;
	$stand->start('spamd', 'env', "HOME=$folder", 'spamd', '--local', '--nouser-config', '--listen=127.0.0.1', "--port=$port",
		      "--max-children=$workers", "--min-children=$workers", '--max-conn-per-child=10000', '--syslog=stderr',
		      '--helper-home-dir=' . $folder, $> == 0 ? "--username=$user" : ());
	for (1 .. 600) {
		return $port if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
		$stand->must_live('spamd');
		Time::HiRes::sleep(0.1);
	}
	die "spamd does not listen; its log:\n" . $stand->tail('spamd');
}

sub ask_one
{
	my ($port, $text) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 60) or die "spamd: $!\n";
	print $socket "SYMBOLS SPAMC/1.5\r\nContent-length: " . length($text) . "\r\n\r\n$text";
	$socket->flush;
	shutdown $socket, 1;
	my $reply = do { local $/; <$socket> } // '';
	my ($score) = $reply =~ m{^Spam: \w+ ; (-?[\d.]+) /}m or die "spamd answered: $reply\n";
	my ($rules) = $reply =~ /\r\n\r\n\s*([\w,]*)/;
	return ($score, $rules // '');
}

# Serves until it is killed; for a child of its own. What the message scores stands in its own header.
sub serve
{
	my ($listener) = @_;
	while (my $socket = $listener->accept) {
		my ($request, $wanted) = ('', undef);
		while (!defined $wanted || length $request < $wanted) {
			sysread($socket, $request, 1 << 18, length $request) or last;
			$wanted //= $+[0] + $1 if $request =~ /^Content-length: (\d+)\r\n(?:.*?\r\n)?\r\n/ms;
		}
		my ($score, $rules) = $request =~ /^X-Eval-Score: (-?[\d.]+) (\S*)/m;
		print $socket defined $score ? sprintf("SPAMD/1.1 0 EX_OK\r\nSpam: %s ; %.1f / 5.0\r\nContent-length: %d\r\n\r\n%s", $score >= 5 ? 'True' : 'False',
			$score, length $rules, $rules) : "SPAMD/1.1 64 EX_USAGE\r\n\r\n";
		close $socket;
	}
}

1;
