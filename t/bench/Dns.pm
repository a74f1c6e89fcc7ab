# SPDX-License-Identifier: BSD-2-Clause
#
# Dns: the daemon's DNS engine (dnsload) against a server that answers each question after 200 ms (dnsdelay); beside it,
# in the same run, a loop of dig and the DNS library that rspamd uses, driven by rspamadm's Lua. What is not installed
# is said, not failed.
package Dns;

use strict;
use warnings;

use JSON::PP ();
use Time::HiRes ();

my $delay_ms = 200;
my $lists = 100;
our @head = ('figure', 'loop of dig', 'rspamd', 'penstock', 'target', 'result');

# The result of a whole run: rows of @head, and notes. `%with`: stand, bin (folder), rounds, quick, say (for progress).
sub run
{
	my (%with) = @_;
	my $self = bless { %with, rows => [], notes => [] }, __PACKAGE__;
	$self->{stand}->start('dnsdelay', "$self->{bin}/dnsdelay", $delay_ms);
	$self->{stand}->wait_for('dnsdelay', 'its port', sub { ($self->{port}) = $self->{stand}->tail('dnsdelay') =~ /\| (\d+)$/m });
	$self->cold;
	$self->sustained;
	$self->cached;
	$self->burst;
	$self->{stand}->stop('dnsdelay');
	return ($self->{rows}, $self->{notes});
}

sub median { return (sort { $a <=> $b } @_)[int(@_ / 2)] }

sub row
{
	my ($self, $figure, $dig, $rspamd, $ours, $target, $reached) = @_;
	push @{ $self->{rows} }, [ $figure, $dig, $rspamd, $ours, $target,
				   defined $reached ? $reached ? 'reached' : 'missed' : '' ];
	$self->{say}->("$figure: $ours" . (length $target ? " ($target)" : ''));
}

sub dnsload
{
	my ($self, @words) = @_;
	my ($part, @rest) = @words;
	open my $out, '-|', "$self->{bin}/dnsload", $part, $self->{port}, @rest or die "dnsload: $!\n";
	my $line = <$out> // die "dnsload $part said nothing\n";
	close $out or die "dnsload $part ended with $?\n";
	return JSON::PP::decode_json($line);
}

sub installed
{
	my ($program) = @_;
	return grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/bin', '/usr/sbin';
}

# One question after the other, as the checkers that are shell scripts ask.
sub dig_ms
{
	my ($self) = @_;
	if (!installed('dig')) {
		push @{ $self->{notes} }, 'dig is not installed (package bind9-dnsutils).';
		return undef;
	}
	my $asked = $self->{quick} ? 5 : $lists;
	my $began = Time::HiRes::time();
	for my $list (1 .. $asked) {
		open my $out, '-|', 'dig', '+short', '-p', $self->{port}, '@127.0.0.1', "9.8.18.198.l$list.bench.test", 'A'
			or die "dig: $!\n";
		() = <$out>;
		close $out;
	}
	push @{ $self->{notes} }, "The loop of dig asked $asked lists only, its time is scaled to $lists." if $asked != $lists;
	return (Time::HiRes::time() - $began) * 1000 / $asked * $lists;
}

# rdns, rspamd's own resolver, from rspamadm's Lua: all questions at once. Returns ms and CPU us a question.
sub rspamd
{
	my ($self, $addresses) = @_;
	if (!installed('rspamadm')) {
		push @{ $self->{notes} }, 'rspamd is not installed.' if !grep { /rspamd/ } @{ $self->{notes} };
		return;
	}
	my $stand = $self->{stand};
	my ($conf, $lua) = map { $stand->path($_) } 'rdns.conf', 'rdns.lua';
	write_file($conf, qq(options { dns { nameserver = ["127.0.0.1:$self->{port}"]; timeout = 5s; sockets = 16; } }\n));
	write_file($lua, <<"END");
local resolver, util = require "rspamd_resolver", require "rspamd_util"
rspamd_config:load_ucl("$conf")
rspamd_config:parse_rcl({'modules', 'worker'})
local dns = resolver.init(rspamadm_ev_base, rspamd_config)
local ended, failed, began, cpu = 0, 0, util.get_time(), os.clock()
local at_once, addresses, next_one = 40, $addresses, 0
local function check()
	local number, open = next_one, $lists
	next_one = next_one + 1
	if number >= addresses then return end
	local address = (number % 250 + 3) .. '.' .. math.floor(number / 250) .. '.18.198.l'
	for list = 1, $lists do
		dns:resolve_a({session = rspamadm_session, name = address .. list .. '.bench.test', callback = function(_, _, _, err)
			open, ended = open - 1, ended + 1
			if err and not string.find(err, 'no records') and not string.find(err, 'does not exist') then
				failed = failed + 1
			end
			if open == 0 then check() end
			if ended == addresses * $lists then
				print(string.format('%.2f %.2f %d', (util.get_time() - began) * 1000,
					(os.clock() - cpu) * 1e6 / ended, failed))
			end
		end})
	end
end
for _ = 1, at_once do check() end
END
	open my $out, '-|', 'sh', '-c', 'exec rspamadm lua "$0" 2>/dev/null', $lua or return;
	my ($line) = grep { /^[\d.]+ [\d.]+ \d+$/ } <$out>;
	close $out;
	push @{ $self->{notes} }, 'rspamadm could not be driven: it printed no figures.' if !defined $line;
	return split ' ', $line // '';
}

sub write_file
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print $file $text;
	close $file or die "$path: $!\n";
}

sub cold
{
	my ($self) = @_;
	my $ours = $self->dnsload('cold', $lists, $self->{rounds});
	my $ms = median(@{ $ours->{ms} });
	my $dig = $self->dig_ms;
	my @rspamd = map { ($self->rspamd(1))[0] // () } 1 .. ($self->{quick} ? 1 : $self->{rounds});
	$self->row("a cold check of $lists lists, each after $delay_ms ms; ms", defined $dig ? sprintf('%.0f', $dig) : '',
		   @rspamd ? sprintf('%.1f', median(@rspamd)) : '', sprintf('%.1f', $ms),
		   sprintf('at most %.0f', 1.1 * $delay_ms), $ms <= 1.1 * $delay_ms && $ours->{unknown} == 0);
}

sub sustained
{
	my ($self) = @_;
	my $addresses = $self->{quick} ? 100 : 1000;
	my $ours = $self->dnsload('sustained', $lists, $addresses);
	my ($ms, $cpu, $failed) = $self->rspamd($addresses);
	$self->row("$addresses addresses x $lists lists, s", '', defined $ms ? sprintf('%.1f', $ms / 1000) : '',
		   sprintf('%.1f', $ours->{seconds}), 'none unknown', $ours->{unknown} == 0);
	$self->row('CPU a question of them, us', '', defined $cpu ? sprintf('%.1f', $cpu) : '',
		   sprintf('%.1f', $ours->{cpu_us_a_question}), '', undef);
	push @{ $self->{notes} }, "rspamd's library lost $failed of the questions." if $failed;
	push @{ $self->{notes} }, "penstock sent $ours->{questions} questions, at most 4,096 under way.";
}

# Instructions of one cached check, counted by callgrind as the difference of two runs.
sub cached
{
	my ($self) = @_;
	my $ours = $self->dnsload('cached', $lists, $self->{quick} ? 20_000 : 500_000);
	my $us = $ours->{ns_a_call} / 1000;
	$self->row("a cached check of $lists lists, us CPU of its thread", '', '', sprintf('%.2f', $us), 'at most 5', $us <= 5);
	my @counts = map { $self->instructions($_) } 1000, 11_000;
	return if grep { !defined } @counts;
	$self->row('instructions of it (callgrind)', '', '', sprintf('%.0f', ($counts[1] - $counts[0]) / 10_000), '', undef);
}

sub instructions
{
	my ($self, $calls) = @_;
	if (!installed('valgrind')) {
		push @{ $self->{notes} }, 'valgrind is not installed: no instructions were counted.' if $calls == 1000;
		return undef;
	}
	my $log = $self->{stand}->path("callgrind.$calls");
	system('sh', '-c', 'exec "$0" "$@" >/dev/null', 'valgrind', '--tool=callgrind', '--toggle-collect=cached_check', "--callgrind-out-file=$log.out",
	       "--log-file=$log.log", "$self->{bin}/dnsload", 'cached', $self->{port}, $lists, $calls) == 0
		or return undef;
	open my $out, '<', "$log.out" or return undef;
	my ($count) = map { /^(?:summary|totals): (\d+)/ ? $1 : () } <$out>;
	return $count;
}

sub burst
{
	my ($self) = @_;
	my $ours = $self->dnsload('burst', 10_000);
	$self->row('a burst of 10,000 questions, ms', '', '', sprintf('%.0f', $ours->{ms}), 'none lost',
		   $ours->{answered} == 10_000);
}

1;
