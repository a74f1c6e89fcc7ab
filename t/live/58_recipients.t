#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Who the recipients of a real Postfix are: every spelling of a trap is the trap, and what an alias sends away is counted.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use Penstock::Live qw(part);
use Penstock::Process qw(run slurp wait_for write_file);
use Test::More;

my $traps = File::Temp->new(TEMPLATE => 'penstock-traps-XXXXXX', TMPDIR => 1);
print $traps "trap\@far.test\n\@traps.test\n";
$traps->flush;
chmod 0644, $traps->filename;

# our.test is of local(8), alias.test of aliases alone, local.example.test of virtual(8)
my $world = Penstock::Live->new(
	config => { traps => { file => $traps->filename } },
	main => {
		mydestination => 'our.test',
		local_recipient_maps => '',
		mailbox_transport => 'discard:',
		virtual_alias_domains => 'alias.test',
		virtual_alias_maps => 'inline:{ ' . join(' ', map { "{ $_ }" } 'sales@alias.test = x@far.test',
			'here@alias.test = home@local.example.test', 'sales@our.test = x@far.test',
			'sales@local.example.test = x@far.test, home@local.example.test') . ' }',
		alias_maps => 'inline:{ { bob = bob@far.test } }',
		transport_maps => 'inline:{ { gone.test = discard: } }',
	});
my ($redis, $daemon, $postfix) = @{$world}{qw(redis daemon postfix)};
my $facts = "$world->{folder}/run/facts";

sub configure {
	my (%postfix) = @_;
	$daemon->{config}{facts} = { file => $facts };
	$daemon->{config}{postfix} = { header => 'X-Penstock-Pool', %postfix };
	$daemon->write_config;
	my $before = () = $daemon->log_text =~ /in force/g;
	$daemon->reload;
	wait_for(20, 'the reload', sub { (() = $daemon->log_text =~ /in force/g) > $before });
}
configure();

# What is written of the last message of an account: { word => value }.
sub facts_of {
	my ($login) = @_;
	my ($line) = reverse grep { / a=$login\@example\.com / } split /\n/, slurp($facts);
	return { map { /^(\w+)=(.*)/ ? ($1 => $2) : () } split / /, $line // '' };
}

# Sends to `to` and gives the facts, when they are written.
sub sent_to {
	my ($login, $to) = @_;
	my $lines = () = slurp($facts) =~ / a=$login\@/g;
	my $result = $world->send(auth => $login, to => $to);
	is $result->{code}, 250, "to @{ ref $to ? $to : [$to] }: taken" or diag "$result->{code} $result->{text}";
	wait_for(10, 'the facts', sub { (() = slurp($facts) =~ / a=$login\@/g) > $lines });
	return (facts_of($login), $result);
}

part 'every spelling of a trap is the trap' => sub {
	$redis->do('SET', $world->key("$_\@example.com", 'exempt'), 'test') for qw(alice bob);	# or they were blocked soon
	for my $to ('trap@far.test', '"trap"@far.test', '"t\\rap"@far.test', 'trap(x)@far.test', 'trap@far.test.', 'TRAP@Far.Test',
		'trap+tag@far.test', '"trap+tag"@far.test', 'trap%far.test', 'far.test!trap', 'trap%far.test@our.test',
		'far.test!trap@our.test', '"trap@far.test"@our.test', '"trap%far.test"@our.test', 'trap%far.test%our.test@our.test',
		'trap%far.test@[127.0.0.1]', 'trap%far.test@far.test', '@our.test:trap@far.test', 'any%traps.test@our.test') {
		my ($line) = sent_to('alice', $to);
		is $line->{rt}, 1, '... a trap';
	}
	for my $to ('trap@our.test', 'trap%our.test@far.test', 'trapp@far.test', '"trap "@far.test') {
		my ($line) = sent_to('bob', $to);
		is $line->{rt} // 0, 0, '... none';
	}
	my ($known) = sent_to('carol', 'friend@far.test');
	for my $to ('"friend"@far.test', 'friend%far.test@our.test', 'friend@far.test.') {
		my ($again) = sent_to('carol', $to);
		is $again->{rn} // 0, 0, '... nobody new';
	}
};

part 'aliases' => sub {
	my ($line, $result) = sent_to('erin', 'sales@alias.test');
	is $line->{rr}, 1, 'an address of a virtual alias domain counts as leaving';
	my $verdict = $world->verdict($result);
	is $verdict->{rcpts}, 1, 'log: rcpts';
	is $verdict->{local}, 0, 'log: local';
	is $world->arrived($result)->{to}[0] // '', 'x@far.test', '... and it left';
	is $world->counters('erin@example.com')->{day_rcpts}, 1, 'the account has it counted';
	is_deeply [ $postfix->log_lines(qr/$result->{id}: milter-header-filter/) ], [], 'it is not marked: it may come home';

	($line, $result) = sent_to('erin', 'here@alias.test');
	is $line->{rr}, 1, 'one that leads home counts, too';
	wait_for(10, 'the mailbox', sub { grep { /\Q$result->{subject}\E/ } $postfix->delivered('home') });
	pass '... and comes home';
	$redis->do('HSET', $world->key('erin@example.com', 'limits'), rcpts_per_hour => 2);
	like $world->send(auth => 'erin', to => 'sales@alias.test')->{code}, qr/^4/, 'limits hold for them';

	($line, $result) = sent_to('frank', 'someone@gone.test');
	is $line->{rl}, 1, 'what is discarded does not leave';
	for my $to ('sales@our.test', 'sales@local.example.test', 'bob@our.test') {
		($line, $result) = sent_to('frank', $to);
		is $line->{rl}, 1, '... looks local, and nothing says more';
	}
	configure(alias_domains => ['our.test', 'local.example.test']);
	for my $to ('sales@our.test', 'sales@local.example.test', 'bob@our.test') {
		($line, $result) = sent_to('grace', $to);
		is $line->{rr}, 1, '... counts where postfix.alias_domains has its domain';
		is $world->verdict($result)->{rcpts}, 1, 'log: rcpts';
		$world->arrived($result);
	}
	($line, $result) = sent_to('grace', 'home@local.example.test');
	wait_for(10, 'the mailbox', sub { grep { /\Q$result->{subject}\E/ } $postfix->delivered('home') });
	is $line->{rr}, 1, 'with all others of it';
	configure();
};

part 'mail of sendmail(1)' => sub {
	# of root, whom the message's sender names: the account is uid:0
	my $inject = sub {
		my (@to) = @_;
		my $lines = () = slurp($facts) =~ / a=uid/g;
		$postfix->sendmail('root', [@to], "Subject: injected\n\nHello.\n");
		wait_for(20, 'the facts', sub { (() = slurp($facts) =~ / a=uid/g) > $lines });
		my ($line) = reverse grep { / a=uid/ } split /\n/, slurp($facts);
		return { map { /^(\w+)=(.*)/ ? ($1 => $2) : () } split / /, $line };
	};
	is $inject->('home@local.example.test')->{rr}, 1, 'Postfix names no mailer: it counts as leaving';
	configure(local_domains => ['example.test', 'local.example.test'], alias_domains => ['example.test']);	# myorigin
	my $line = $inject->('home@local.example.test');
	is_deeply [ @{$line}{qw(rr rl)} ], [ undef, 1 ], '... but to a mailbox of postfix.local_domains' or diag explain $line;
	is $inject->('home')->{rr}, 1, 'a name alone is of this host, whose aliases may lead away';
	is $inject->('x@far.test')->{rr}, 1, 'what leaves, leaves';
	$line = $inject->('x@far.test', 'home@local.example.test');
	is_deeply [ @{$line}{qw(rr rl)} ], [ 1, 1 ], '... also with one that stays';
	configure(local_domains => ['example.test', 'local.example.test']);
	is $inject->('home')->{rl}, 1, 'a name alone, where its domain has no alias that leads away';
	configure();
};

part 'sendmail(1) over a limit' => sub {
	my $lines = sub { my ($action) = @_; grep { /account=uid:0 / && /action=$action / } split /\n/, $daemon->log_text };
	my $send = sub { $postfix->sendmail('root', ['x@far.test'], "Subject: $_[0]\n\nHello.\n") };
	my $before = $world->counters('uid:0')->{breaches};
	$redis->do('HSET', $world->key('uid:0', 'limits'), msgs_per_day => 0);
	$send->('waits');
	wait_for(60, 'pickup, which tries again', sub { $lines->('defer') >= 3 });
	my $more = $world->counters('uid:0')->{breaches} - $before;
	ok $more > 0.9 && $more <= 1, 'what pickup tries again and again is one breach' or diag $more;
	$redis->do('HSET', $world->key('uid:0', 'limits'), over => 'hold');
	wait_for(60, 'pickup', sub { $lines->('hold') == 1 });
	my ($line) = $lines->('hold');
	my ($id) = $line =~ /(\w+): action=hold/;
	wait_for(20, 'the hold', sub { $postfix->log_lines(qr/$id: milter-hold/) });
	pass 'with over = "hold" it waits in the hold queue';
	is scalar($lines->('hold')), 1, '... and is not tried again';
	$redis->do('HDEL', $world->key('uid:0', 'limits'), 'msgs_per_day', 'over');
};

part 'what an alias sends on is forwarded mail' => sub {
	my $stranger = sub {
		my (%of) = @_;
		my $lines = $daemon->log_text =~ tr/\n//;
		is $world->send(client => '127.0.0.66', from => 'somebody@far.test', %of)->{code}, 250, "to @{ ref $of{to} ? $of{to} : [$of{to}] }: taken";
		return (reverse grep { /action=/ } split /\n/, $daemon->log_text)[0];
	};
	like $stranger->(to => 'sales@alias.test'), qr/ account=ip:127\.0\.0\.66 .* rcpts=1 local=0 .* pool=- transport=- .* class=forward /,
		'to an alias of a virtual alias domain';
	unlike $stranger->(to => 'sales@our.test'), qr/ class=/, 'of a domain with mailboxes nobody knows it';
	configure(alias_domains => ['our.test']);
	like $stranger->(to => 'sales@our.test'), qr/ rcpts=1 local=0 .* class=forward /, '... but where postfix.alias_domains has it';
	like $stranger->(to => [ 'sales@our.test', 'home@local.example.test' ]), qr/ rcpts=1 local=1 .* class=forward /, '... also beside a mailbox';
	my $result = $world->send(auth => 'heidi', to => 'sales@alias.test');
	unlike $world->verdict($result)->{line} // (reverse grep { /action=/ } split /\n/, $daemon->log_text)[0], qr/ class=/, 'who logs in sends his own';
	configure();
};

done_testing;
