# SPDX-License-Identifier: BSD-2-Clause
#
# Stream: a control socket that plays recorded answers, for tests of penstockctl alone: what to say by target, as a list
# of strings, of references to numbers (seconds to wait) and of 'hold' (wait for the client to hang up, and note it).

package Penstock::Stream;

use strict;
use warnings;

use File::Temp ();
use IO::Socket::UNIX;
use JSON::PP ();
use Penstock::Process qw(start_code stop_process);
use POSIX ();
use Socket qw(SOCK_STREAM);
use Time::HiRes qw(sleep);

my $json = JSON::PP->new->canonical->utf8;

# Lines of the stream, from Perl's hashes; members in the order given here are of no matter to a reader.
sub lines { return join '', map { $json->encode($_) . "\n" } @_ }

sub begin { my ($query, $kind, %more) = @_; return { type => 'begin', query => $query, kind => $kind, lists => 4, subjects => 1, %more } }

sub list {
	my ($subject, $list, $said, %more) = @_;
	return { type => 'list', subject => $subject, list => $list, zone => "$list.example.net", said => $said,
		kind => $said eq 'listed' ? 'spam' : undef, codes => $said eq 'listed' ? ['127.0.0.2'] : [], weight => 1.0,
		why => '', site => undef, removal => undef, terms => undef, cached => JSON::PP::false, ms => 12, %more };
}

sub sums {
	my ($type, $listed, $clean, $unknown, %more) = @_;
	return { type => $type, listed => $listed, clean => $clean, unknown => $unknown, weight => $listed * 1.0, ms => 213,
		($type eq 'end' ? (subjects => 1, error => undef) : (skipped => 0)), %more };
}

sub new {
	my ($class, %play) = @_;
	my $folder = File::Temp->newdir('penstock-stream-XXXXXX', TMPDIR => 1);
	my $self = bless { folder => $folder, socket => "$folder/control.sock" }, $class;
	my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $self->{socket}, Listen => 5)
		or die "cannot listen on $self->{socket}: $!\n";
	$self->{pid} = start_code('the scripted control socket', sub { play($listener, "$folder/hung_up", %play) });
	return $self;
}

sub play {
	my ($listener, $hung_up, %play) = @_;
	$SIG{PIPE} = 'IGNORE';
	while (my $client = $listener->accept) {
		my $request = <$client> // next;
		my $target = eval { $json->decode($request) }->{target} // '';
		for my $step (@{ $play{$target} // [ lines({ error => "\"$target\" is no address" }) ] }) {
			if ($step eq 'hold') {
				1 while sysread $client, my $byte, 1;
				open my $note, '>', $hung_up;
			} elsif (ref $step) {
				sleep $$step;
			} else {
				syswrite $client, $step or last;
			}
		}
		close $client;
	}
}

sub hung_up { my ($self) = @_; return -e "$self->{folder}/hung_up" }

sub DESTROY {
	my ($self) = @_;
	local $?;
	stop_process($self->{pid});
}

1;
