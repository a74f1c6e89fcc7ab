# SPDX-License-Identifier: BSD-2-Clause
#
# Books: an independent count of what must stand in Redis when a client of the milter has had its answers. It shares no
# code with the daemon: names, classes and groups are worked out anew from what README.md and redis-schema/README.md say.

package Penstock::Books;

use strict;
use warnings;

my $name_most = 320;
my @reserved = qw(sender ip uid account domain customer server bounce forward client);
my @sums = qw(msgs rcpts kbytes new);

# world: host, own (a pattern of addresses), tagged (domains), networks ([pattern, account]), uids, forwarders (accounts and patterns),
# customers (account => customer).
sub new {
	my ($class, %world) = @_;
	return bless { %world, rows => {}, may => {}, known => {}, noted => {}, maybe => {}, last => {}, fuzzy => {} }, $class;
}

# ---- names

no warnings 'portable';	# words of 64 bits

sub _turned { my ($w, $b) = @_; use integer; return $w << $b | ($w >> 64 - $b & ((1 << $b) - 1)) }

# SipHash-2-4, whose words wrap.
sub siphash {
	my ($k0, $k1, $bytes) = @_;
	use integer;
	my @v = ($k0 ^ 0x736f6d6570736575, $k1 ^ 0x646f72616e646f6d, $k0 ^ 0x6c7967656e657261, $k1 ^ 0x7465646279746573);
	my $round = sub {
		$v[0] += $v[1]; $v[1] = _turned($v[1], 13) ^ $v[0]; $v[0] = _turned($v[0], 32);
		$v[2] += $v[3]; $v[3] = _turned($v[3], 16) ^ $v[2];
		$v[0] += $v[3]; $v[3] = _turned($v[3], 21) ^ $v[0];
		$v[2] += $v[1]; $v[1] = _turned($v[1], 17) ^ $v[2]; $v[2] = _turned($v[2], 32);
	};
	my $rest = length($bytes) % 8;
	my $padded = $bytes . "\0" x (7 - $rest) . chr(length($bytes) & 255);
	for my $word (unpack 'q<*', $padded) {
		$v[3] ^= $word;
		$round->() for 1 .. 2;
		$v[0] ^= $word;
	}
	$v[2] ^= 0xff;
	$round->() for 1 .. 4;
	return $v[0] ^ $v[1] ^ $v[2] ^ $v[3];
}

sub _fit {
	my ($name, $whole) = @_;
	return $name if length $name <= $name_most;
	my $hash = 0;
	$hash = siphash($hash, 1, $_) for split //, $whole;
	return substr($name, 0, $name_most - 17) . sprintf '#%016x', unpack 'Q', pack 'q', $hash;
}

sub _lower { return $_[0] =~ tr/A-Z/a-z/r }

# An envelope's sender as it is written and as the books have it: quotes are no part of it, and a domain is in A-labels.
my %spelt = ("ex\xc3\xa4mple.org" => 'xn--exmple-cua.org', "EX\xc3\x84MPLE.org" => 'xn--exmple-cua.org');
sub spellings { return sort keys %spelt }

sub sender_of {
	my ($raw) = @_;
	my ($local, $domain) = $raw =~ /^(.*)@([^@]*)\z/s;
	($local, $domain) = ($raw, undef) if !defined $domain;
	$local = $1 =~ s/\\(.)/$1/gsr if $local =~ /^"(.*)"\z/s;
	return defined $domain ? "$local\@" . ($spelt{$domain} // $domain) : $local;
}


# Without what a program writes into its sender anew for each message. "" before the '@': nothing else is there.
sub untagged {
	my ($address) = @_;
	return $address if $address !~ /\@./;
	return $address if $address =~ s/^SRS[01][=+-].*(?=@)//si;
	$address =~ s/^prvs=[0-9a-z]+=(?=[^@])//i;
	return $address if $address =~ s/(-return)-\d+(?:-.*)?(?=@)/$1/s;
	$address =~ s/^(?:[0-9a-f]+-){3,}[0-9a-f]+(?=@)//i;
	return $address;
}

# What a raw name is in a key. escape: its first colon is written %3A.
sub written {
	my ($raw, %how) = @_;
	my $prefix = $how{prefix} // '';
	$raw =~ s/^(.[^+]*)\+.*(@[^@]*)\z/$1$2/s if $how{cut_tag};
	my $key = join '', map { /[\x00-\x20\x7f%{}"\\]/ ? sprintf '%%%02X', ord : _lower($_) } split //, $raw;
	$key =~ s/:/%3A/ if $how{escape};
	return if $key eq '';
	return _fit("$prefix$key", _lower($raw));
}

sub proven {
	my ($raw, $cut_tag) = @_;
	my ($head) = $raw =~ /^([^:]*):/;
	my $escape = defined $head && grep { $_ eq _lower($head) } @reserved;
	return written($raw, cut_tag => $cut_tag, escape => $escape);
}

# A login has a domain that may be spelt in two ways, and no quotes.
sub login_of { return proven($_[0] =~ s!@([^@]*)\z!'@' . ($spelt{$1} || $1)!er, 1) }

sub client_name {
	my ($address) = @_;
	return "ip:$address" if $address !~ /:/;
	my ($head, $tail) = split /::/, $address;
	my @words = split /:/, $head;
	die "$address: the test's addresses of IPv6 have four words, then ::\n" if @words != 4;
	return 'ip:' . join(':', @words) . '::/64';
}

sub group_name { my ($scope, $name) = @_; return _fit("$scope:$name", $name) }

sub domain_of { return $_[0] =~ /@([^@]*)\z/ ? $1 : '' }

# ---- who is responsible

sub _own_domain {
	my ($self, $domain) = @_;
	return $domain eq '' || $self->{host} =~ /(?:^|\.)\Q$domain\E\z/i;
}

sub _is_srs { return $_[0] =~ /^SRS[01][=+-]/i && domain_of($_[0]) ne '' }

sub _source {
	my ($self, $s, $from) = @_;
	return (auth => login_of($s->{login})) if defined $s->{login};
	return (certificate => proven($s->{certificate}, 0)) if defined $s->{certificate};
	for my $row ($s->{injected} ? () : @{ $self->{networks} }) {
		return (network => proven($row->[1], 0)) if $s->{client} =~ $row->[0];
	}
	my ($local) = $from =~ /^([^@]*)/;
	my $uid = $self->{uids}{$local};
	return (uid => "uid:$uid") if $s->{injected} && defined $uid && $self->_own_domain(domain_of($from));
	if ($s->{injected} || $s->{client} =~ $self->{own}) {
		my ($tagged) = grep { domain_of($from) =~ /(?:^|\.)\Q$_\E\z/i } @{ $self->{tagged} };
		my $name = $tagged // (untagged($from) =~ s/^\@(?=.)//r);
		$name = written($name, prefix => 'sender:', cut_tag => 1);
		return (sender => $name) if defined $name;
	}
	return (client => client_name($s->{client}));
}

sub _domain {
	my ($self, $who, $from) = @_;
	return if $who->{source} =~ /^(?:sender|client)\z/;
	return domain_of($who->{account}) if domain_of($who->{account}) ne '';
	my @locals = map { (written($_, cut_tag => 1) // '') =~ s/@.*//sr } $from, untagged($from);
	my $his = $who->{source} eq 'uid' || ($who->{login} && ($from eq '' || grep { $_ eq $who->{account} } @locals));
	my $domain = domain_of($from);
	return if !$his || $domain eq '' || !$self->_own_domain($domain);
	return written($domain);
}

# Of a session and a sender: account, source, class, forwarder, authenticated, domain.
sub who {
	my ($self, $s, $raw) = @_;
	my $from = sender_of($raw);
	my ($source, $account) = $self->_source($s, $from);
	my %who = (source => $source, account => $account, login => scalar $source =~ /^(?:auth|certificate)\z/);
	$who{authenticated} = $source ne 'client' || $s->{injected} || $s->{client} =~ $self->{own};
	$who{forwarder} = grep { ref $_ ? !$who{login} && !$s->{injected} && $s->{client} =~ $_ : $_ eq $account } @{ $self->{forwarders} };
	$who{class} = $who{login} && !$who{forwarder} ? '' : $from eq '' ? 'bounce' : _is_srs($from) ? 'forward' : '';
	$who{domain} = $self->_domain(\%who, $from);
	return \%who;
}

# At the end of a message, when its header is known: an automatic reply to one recipient is its author's, who claims it.
sub replied {
	my ($self, $s, $who, $header, $remote, $local) = @_;
	my ($author, @more) = map { $_->[0] eq 'From' ? $_->[1] : () } @$header;
	return $who if $remote != 1 || $local || @more || $who->{class} ne 'bounce' || $who->{source} ne 'client' || !$who->{authenticated};
	return $who if !grep { lc $_->[0] eq 'auto-submitted' && $_->[1] =~ /^auto-replied\b/ } @$header;
	my $claim = $self->who($s, $author);
	return $claim->{source} eq 'uid' ? die "$author: an author is no login here\n" : { %$claim, class => 'bounce' };
}

# Only now it is known: forwarded by whom the admin calls a forwarder or a program of this host, or by an alias of this
# host, of which a stranger's message has no other recipients outside.
sub read_message {
	my ($self, $s, $m) = @_;
	my $who = $m->{who};
	my $marked = grep { $_->[0] =~ /^(?:X-Forwarded-(?:For|To)|Resent-From|X-Sieve-Redirected-From|Delivered-To)\z/ || "@$_" =~ /^Auto-Submitted auto-forwarded/ } @{ $m->{header} };
	my $passed_on = $marked && ($who->{forwarder} || $s->{injected});
	my $sent_on = !$who->{authenticated} && $m->{aliases} && $m->{aliases} == @{ $m->{remote} };
	$who->{class} = 'forward' if $who->{class} eq '' && ($passed_on || $sent_on);
}

sub groups {
	my ($self, $s, $who) = @_;
	my @groups = 'server:all';
	my $customer = $self->{customers}{ $who->{account} };
	push @groups, group_name(domain => $who->{domain}) if defined $who->{domain};
	push @groups, "customer:$customer" if defined $customer;
	push @groups, group_name($who->{class}, $who->{account}) if $who->{class} ne '';
	push @groups, 'client:' . client_name($s->{client}) =~ s/^ip://r if $who->{authenticated} && $who->{source} =~ /^(?:uid|sender|client)\z/;
	return @groups;
}

# ---- the count

sub row {
	my ($self, $key) = @_;
	return $self->{rows}{$key} //= { map { $_ => 0 } @sums };
}

# A message of recipients outside this host was looked at to its end. It left: its account and groups bear it. It did not:
# the account's record was touched and the sums are as they were; those of groups may have been.
sub ended {
	my ($self, $s, $message, $left) = @_;
	my $who = $message->{who};
	$self->row($who->{account});
	my @groups = $self->groups($s, $who);
	if (!$left) {
		$self->{may}{$_} = 1 for @groups;
		return;
	}
	for my $key ($who->{account}, @groups) {
		my $row = $self->row($key);
		$row->{$_} += $message->{amounts}{$_} for @sums;
	}
}

# Refused at MAIL or RCPT: the breach is noted once in a while of who is known.
sub breach {
	my ($self, $who) = @_;
	return if !$who->{authenticated};
	my $again = $self->{noted}{ $who->{account} }++;
	$again ? $self->{may}{ $who->{account} } = 1 : $self->row($who->{account});
}

sub reset_account {
	my ($self, $key) = @_;
	delete $self->{$_}{$key} for qw(rows may known maybe last);
}

# ---- recipients that the account never wrote to

sub rcpt_name { return written(untagged($_[0]), cut_tag => 1) }

# Of distinct ones, at least and at most, as the account's books stand: a message that was refused after it was charged
# leaves what it taught; and what the account's last message taught is written behind its answer, and may be under way.
sub fresh {
	my ($self, $account, @rcpts) = @_;
	my %names = map { rcpt_name($_) => 1 } @rcpts;
	my @fresh = grep { !$self->{known}{$account}{$_} } keys %names;
	my @late = grep { $self->{known}{$account}{$_} && $self->{last}{$account}{$_} } keys %names;
	return (scalar(grep { !$self->{maybe}{$account}{$_} } @fresh), @fresh + @late);
}

sub learn {
	my ($self, $account, $sure, @rcpts) = @_;
	$self->{last}{$account} = { map { rcpt_name($_) => 1 } grep { !$self->{known}{$account}{ rcpt_name($_) } } @rcpts };
	$self->{ $sure ? 'known' : 'maybe' }{$account}{ rcpt_name($_) } = 1 for @rcpts;
}

1;
