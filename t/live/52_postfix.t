#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A Postfix that an admin has changed: what it does then, and what `penstockctl postfix check` says of it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Penstock::Live qw(part);
use Penstock::Process qw(run slurp wait_for write_file);
use Test::More;

my $world = Penstock::Live->new;
my ($daemon, $postfix) = @{$world}{qw(daemon postfix)};
my $main = slurp("$postfix->{config}/main.cf");
my $master = slurp("$postfix->{config}/master.cf");

# Runs code with lines of main.cf and master.cf changed, and puts both back.
sub changed {
	my ($settings, $code, $rows) = @_;
	$postfix->set(%$settings);
	write_file("$postfix->{config}/master.cf", $rows->($master), 0644) if $rows;
	$postfix->reload;
	my $done = eval { $code->(); 1 };
	my $error = $@;
	write_file("$postfix->{config}/main.cf", $main, 0644);
	write_file("$postfix->{config}/master.cf", $master, 0644);
	$postfix->reload;
	die $error if !$done;
}

# "account source" of a message of alice's.
sub account_of {
	my $sent = $world->send(auth => 'alice');
	is $sent->{code}, 250, 'alice sends';
	my $verdict = $world->verdict($sent);
	return "$verdict->{account} $verdict->{source}";
}

part 'macros are the daemon\'s to ask for' => sub {
	for my $lists (
		{ milter_mail_macros => 'i {auth_author}' },
		{ milter_mail_macros => 'i auth_authen' },
		{ milter_mail_macros => '', milter_rcpt_macros => '', milter_connect_macros => '', milter_end_of_data_macros => '' },
	) {
		changed($lists, sub {
			is account_of(), 'alice@example.com auth', join ', ', map { "$_ = $lists->{$_}" } sort keys %$lists;
		});
	}
};

done_testing;
