# SPDX-License-Identifier: BSD-2-Clause
#
# Which folder may use which. includes.t holds include lines against it, rooms.t the symbols of what was built. It has no
# circle, and both tests would say so.
package Rooms;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(%may circle beyond);

our %may = (
	'policy/base'         => [],
	'policy'              => [qw(policy/base)],
	'policy/replay'       => [qw(policy policy/base)],
	'redis-schema'        => [qw(policy policy/base)],
	'redis-schema/wire'   => [qw(policy policy/base redis-schema)],
	'redis-schema/store'  => [qw(policy policy/base redis-schema redis-schema/wire)],
	'milter/base'         => [qw(policy policy/base)],
	'milter/dns'          => [qw(milter/base policy policy/base)],
	'milter/blocklist'    => [qw(milter/base milter/dns policy policy/base)],
	'milter/spf'          => [qw(milter/base milter/dns policy policy/base)],
	'milter/lookup'       => [qw(milter/base milter/blocklist milter/dns policy policy/base)],
	'milter/content'      => [qw(milter/base policy policy/base)],
	'milter/config'       => [qw(milter/base milter/content policy policy/base)],
	'milter/daemon'       => [qw(milter/base milter/blocklist milter/config milter/dns milter/lookup policy policy/base
	                             redis-schema/store)],
	'milter/tell'         => [qw(milter/base milter/config milter/daemon policy policy/base redis-schema/store)],
	'milter/pools'        => [qw(milter/base milter/config milter/daemon milter/lookup milter/tell policy policy/base
	                             redis-schema redis-schema/store)],
	'milter/clients'      => [qw(milter/base milter/config milter/daemon milter/dns milter/tell policy policy/base redis-schema
	                             redis-schema/store)],
	# Mail does not wait for people: what makes up a message, what is written down of it and what speaks to the MTA know
	# nothing of report, control, web and ctl.
	'milter/message'      => [qw(milter/base milter/blocklist milter/clients milter/config milter/content milter/daemon milter/dns milter/pools
	                             milter/spf policy policy/base redis-schema/store)],
	'milter/record'       => [qw(milter/base milter/clients milter/config milter/daemon milter/message milter/pools milter/tell policy
	                             policy/base policy/replay redis-schema/store)],
	'milter/feedback'     => [qw(policy policy/base)],
	'milter/mta'          => [qw(milter/base milter/clients milter/config milter/daemon milter/feedback milter/message milter/pools milter/record policy
	                             policy/base redis-schema/store)],
	'milter/report'       => [qw(milter/base milter/blocklist milter/clients milter/config milter/content milter/daemon milter/dns
	                             milter/lookup milter/pools milter/record milter/tell policy policy/base redis-schema/store)],
	'milter/control'      => [qw(milter/base milter/clients milter/config milter/daemon milter/feedback milter/lookup milter/message milter/pools milter/record
	                             milter/report milter/tell policy policy/base redis-schema redis-schema/store)],
	'milter/web'          => [qw(milter/base milter/config milter/daemon milter/lookup milter/report policy policy/base)],
	'milter/start'        => [qw(milter/base milter/config milter/control milter/daemon milter/message milter/mta milter/record
	                             milter/web policy policy/base)],
	'milter'              => [qw(milter/base milter/clients milter/config milter/content milter/daemon milter/message milter/mta milter/pools milter/record
	                             milter/report milter/spf milter/start milter/tell policy policy/base redis-schema/store)],
	'milter/queue'        => [qw(milter/base policy/base)],
	'milter/trace'        => [qw(milter/base policy policy/base)],
	# penstock-follow is another program: it reads the mail log, and knows the store and nothing of the daemon.
	'milter/follow'       => [qw(milter/base milter/config milter/trace policy policy/base redis-schema redis-schema/store)],
	# penstockctl is another program: the configuration and policy, and nothing of the daemon's.
	'milter/ctl/tool'     => [qw(milter/base milter/config policy policy/base)],
	'milter/ctl/postfix'  => [qw(milter/base milter/config milter/ctl/tool policy policy/base)],
	'milter/ctl/rbl'      => [qw(milter/base milter/ctl/tool policy policy/base)],
	'milter/ctl/trace'    => [qw(milter/base milter/config milter/ctl/tool milter/trace policy policy/base)],
	# penstockctl reads the history that the daemon writes, by the code that knows its files.
	'milter/ctl/throttle' => [qw(milter/clients milter/config milter/ctl/tool policy policy/base)],
	'milter/ctl/replay'   => [qw(milter/base milter/config milter/ctl/tool policy policy/base policy/replay)],
	'milter/ctl'          => [qw(milter/base milter/config milter/ctl/postfix milter/ctl/rbl milter/ctl/replay milter/ctl/throttle milter/ctl/tool
	                             milter/ctl/trace milter/feedback milter/follow policy policy/base)],
);

# The names that are in a circle of the table, or between two; none: it has none.
sub circle {
	my (%uses) = @_;
	my %left = map { $_ => { map { $_ => 1 } @{ $uses{$_} } } } keys %uses;
	while (1) {
		my %used = map { %$_ } values %left;
		my @free = grep { !%{ $left{$_} } || !$used{$_} } keys %left or last;
		delete @left{@free};
		delete @{$_}{@free} for values %left;
	}
	return sort keys %left;
}

# May `from` use `to`?
sub beyond {
	my ($from, $to) = @_;
	return $from ne $to && !grep { $_ eq $to } @{ $may{$from} // [] };
}

1;
