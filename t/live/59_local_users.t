#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Users of the host and sendmail(1): in whose name each of them can send, and what `penstockctl postfix check` says of it.

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
my $count = 0;

# Sends as `user`: exit status, and the verdict of what came of it.
sub send_as {
	my ($user, $from) = @_;
	my $subject = "local $$ " . ++$count;
	my ($status, $said) = $postfix->sendmail_as($user, $from, ['friend@elsewhere.test'], "Subject: $subject\n\nHello.\n");
	return ($status, $said) if $status != 0;
	my $got = $world->{sink}->wait($subject);
	return (0, $daemon->verdict(from => $got->{from}));
}

sub warning {
	my ($what) = @_;
	my ($status, $out) = $daemon->ctl('--json', 'postfix', 'check', '-d', $postfix->{config});
	my ($row) = grep { $_->{what} eq ($what // 'local_login_sender_maps') } @{ decode_json($out)->{warnings} };
	return ($status, $row);
}

part 'by default any user sends in another\'s name' => sub {
	my ($status, $verdict) = send_as('games', undef);
	is $status, 0, 'games sends';
	is $verdict->{account}, 'uid:' . getpwnam('games'), '... in his own name';
	($status, $verdict) = send_as('games', 'news');
	is $status, 0, 'with -f news he sends';
	is $verdict->{account}, 'uid:' . getpwnam('news'), '... in that of news, and it is counted as that one\'s';
};

part 'postfix check says so' => sub {
	my ($status, $row) = warning();
	is $status, 0, 'it is no misfit';
	is $row->{found}, 'static:*', 'what was found';
	like $row->{why}, qr/any local user can send in another's name by sendmail -f/, 'why';
	like $row->{expected}, qr/^inline:\{ \{ root = \* \}, \{ postfix = \* \} \}, regexp:\Q$postfix->{config}\E\/penstock_login_senders$/,
		'the line that closes it';
	local $ENV{PATH} = "$world->{build}:$ENV{PATH}:/usr/sbin";
	my ($typed, undef, $error) = run({}, 'sh', '-c', $row->{fix});
	is $typed, 0, "typed: $row->{fix}" or diag $error;
	is slurp("$postfix->{config}/penstock_login_senders"), "/(.+)/ \$1 \$1\@example.test\n", 'its file';
	chmod 0644, "$postfix->{config}/penstock_login_senders";
	is +(warning())[1], undef, 'then nothing is said';
};

part 'closed' => sub {
	for my $from (undef, 'games', 'games@example.test') {
		my ($status, $verdict) = send_as('games', $from);
		is $status, 0, 'games sends as ' . ($from // 'himself');
		is $verdict->{account}, 'uid:' . getpwnam('games'), '... and is himself';
	}
	for my $from ('news', 'news@example.test', 'games@elsewhere.test', 'someone@example.com') {
		my ($status, $said) = send_as('games', $from);
		isnt $status, 0, "not as $from";
		like $said, qr/not authorized to use sender/, "... and hears why: $said";
	}
	for my $user ('root', 'postfix') {
		my ($status) = send_as($user, 'bounce@example.com');
		is $status, 0, "$user may name anybody";
	}
};

# Debian's installer writes /etc/mailname, and the host's name is another.
part 'sendmail(1) uses another domain than the host\'s' => sub {
	my $file = "$postfix->{config}/mailname";
	write_file($file, "mailname.test\n");
	chmod 0644, $file;
	$postfix->set(myorigin => $file, local_login_sender_maps => 'static:*');
	$postfix->reload;
	my ($status, $row) = warning('myorigin');
	is $status, 0, 'it is no misfit';
	is $row->{found}, 'mailname.test', 'what was found';
	like $row->{why}, qr/of no uid until penstock\.conf says postfix: \{ myorigin = "mailname\.test"; \}/, 'why';
	$daemon->{config}{postfix}{myorigin} = $file;
	$daemon->write_config;
	is +(warning('myorigin'))[1], undef, 'told by the same file, nothing is said';
	$daemon->reload;
	$daemon->wait_log(qr/reload: /);
	my ($sent, $verdict) = send_as('games', undef);
	is $verdict->{account}, 'uid:' . getpwnam('games'), 'and games is himself';
	like $verdict->{from}, qr/^<?games\@mailname\.test>?\z/, '... by that name';
};

part 'what a local part leads on to another host is counted, whatever domain it bears' => sub {
	$postfix->set(mydestination => 'our.test', resolve_dequoted_address => 'yes');
	$postfix->reload;
	$daemon->{config}{postfix}{local_domains} = ['our.test'];
	$daemon->write_config;
	$daemon->reload;
	$daemon->wait_log(qr/reload: /);
	for my $rcpt ('friend%elsewhere.test@our.test', 'elsewhere.test!friend@our.test', '"friend@elsewhere.test"@our.test') {
		my $subject = "local $$ " . ++$count;
		my ($status) = $postfix->sendmail_as('games', undef, [$rcpt], "Subject: $subject\n\nHello.\n");
		is $status, 0, "to $rcpt";
		my $got = $world->{sink}->wait($subject);
		ok $got, '... it leaves the host';
		is $daemon->verdict(from => $got->{from})->{rcpts}, 1, '... and is counted';
	}
};

part 'without source uid it is nobody\'s business' => sub {
	$postfix->set(local_login_sender_maps => 'static:*');
	ok +(warning())[1], 'said again';
	$daemon->{config}{accounts}{sources} = [qw(auth sender)];
	$daemon->write_config;
	is +(warning())[1], undef, 'not said';
};

done_testing;
