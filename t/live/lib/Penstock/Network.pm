# SPDX-License-Identifier: BSD-2-Clause
#
# Network: a network of the test's own, where it has addresses of strangers. Clients of loopback are this host, and nothing
# is ever held against it.

package Penstock::Network;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(with_addresses);

# Begins the program once more in a network namespace whose loopback has these addresses, too ("198.51.100.7",
# "2001:db8::7"). False: this host gives none.
sub with_addresses {
	my (@addresses) = @_;
	return 1 if $ENV{PENSTOCK_OWN_NETWORK};
	return 0 if system('unshare -n true 2>/dev/null') != 0;
	$ENV{PENSTOCK_OWN_NETWORK} = 1;
	my @commands = ('ip link set lo up', map { "ip addr add $_/" . (/:/ ? '128 nodad' : 32) . ' dev lo' } @addresses);
	exec 'unshare', '-n', 'sh', '-c', join(' && ', @commands, 'exec "$@"'), 'sh', $^X, $0, @ARGV or die "unshare: $!\n";
}

1;
