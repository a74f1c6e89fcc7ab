#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# STARTTLS by standing, with a real Postfix: offered to most, hidden from those who have earned that, and as it was where
# nothing is known. What becomes of a session while the daemon is away.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Network qw(with_addresses);
use Penstock::Process qw(wait_for);
use Penstock::Smtp;
use Penstock::Strangers qw(look_up tell);
use Test::More;
use Time::HiRes qw(sleep);

plan skip_all => 'network namespaces are not given to this test' if !with_addresses(map { "198.51.100.$_" } 7, 9);

my $world = Penstock::Live->new(config => { clients => { state => '' } });
my ($postfix, $daemon) = @{$world}{qw(postfix daemon)};
my ($bad, $stranger) = qw(198.51.100.9 198.51.100.7);

$postfix->set(smtpd_discard_ehlo_keyword_address_maps => "socketmap:unix:$world->{folder}/run/socketmap.sock:starttls");
$postfix->reload;
sleep 1;

# The answer to EHLO, without the first line.
sub keywords {
	my ($client) = @_;
	my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => $client);
	my ($greeting, @keywords) = split /\n/, $session->{ehlo}{text};
	$session->quit;
	return join ' ', @keywords;
}

sub reload_with {
	my (%options) = @_;
	$daemon->{config}{clients} = { %{ $daemon->{config}{clients} }, %options };
	$daemon->write_config;
	$daemon->reload;
}

my $before = keywords('127.0.0.1');
like $before, qr/\bSTARTTLS\b/, 'Postfix has STARTTLS';

part 'by standing' => sub {
	is keywords($stranger), $before, 'a stranger is offered it';
	tell($world, map { [$_, 'spam'] } (($bad) x 60, ($Penstock::Postfix::customers) x 60, ('127.0.0.1') x 60));
	wait_for(20, 'the notes', sub { look_up($world, 'starttls', $bad) eq 'starttls' });
	is keywords($bad), $before =~ s/ ?\bSTARTTLS\b//r, 'from a bad one it is hidden, and nothing else';
	is keywords($stranger), $before, '... and not from a stranger';
	is keywords($_), $before, "not from our own $_, whatever is told" for '127.0.0.1', $Penstock::Postfix::customers;
	is look_up($world, 'starttls', $_), '', "nothing is found of $_" for 'unknown', 'mail.example.com', '198.51.100', 'alice@example.com';
};

part 'a session that begins TLS all the same' => sub {
	my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => $bad);
	isnt $session->command('STARTTLS')->{code}, 220, 'it is not begun';
	is $session->command('MAIL FROM:<a@outside.test>')->{code}, 250, 'but mail may come without ...';
	is $session->command('RCPT TO:<home@local.example.test>')->{code}, 250, '... as far as this map has a say';
	$session->quit;
};

part 'from whom is configured' => sub {
	reload_with(hide_starttls => 'unknown');
	ok wait_for(20, 'the reload', sub { look_up($world, 'starttls', $stranger) eq 'starttls' }), 'from strangers, too';
	unlike keywords($stranger), qr/STARTTLS/, '... as Postfix does it';
	is keywords('127.0.0.1'), $before, 'never from this host';
	reload_with(hide_starttls => 'poor');
	ok wait_for(20, 'the reload', sub { look_up($world, 'starttls', $stranger) eq '' }), 'and no more';
};

part 'Redis is away' => sub {
	$world->{redis}->stop;
	is keywords($stranger), $before, 'who is unknown is offered it';
	unlike keywords($bad), qr/STARTTLS/, 'what is known is known';
	$world->{redis}->start;
};

# Postfix asks nobody else where a look-up fails, and ends the session; by the milter alone its mail would be deferred, too.
part 'the daemon is away' => sub {
	is $daemon->stop, 0, 'it ends';
	my $session = Penstock::Smtp->connect(port => $world->{ports}{smtp}, client => $stranger);
	is $session->{greeting}{code}, 220, 'there is a session';
	is $session->{ehlo}{code}, 421, '... whose client is to come again: nothing is refused for ever, and nothing let through';
	$daemon->start;
	wait_for(20, 'STARTTLS', sub { keywords($stranger) eq $before });
	pass 'and it comes back';
	is keywords($bad), $before, 'without a file of what was known nothing is known';
};

is $daemon->stop, 0, 'the end';
done_testing;
