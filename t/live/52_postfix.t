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

sub check_json {
	my ($status, $out, $error) = $daemon->ctl('--json', 'postfix', 'check', '-d', $postfix->{config});
	my $document = eval { decode_json($out) } or die "$out$error";
	return ($status, $document, { map { $_->{what} => $_ } @{ $document->{differences} } });
}

# Pipes what penstockctl prints to a shell. Gives what was printed.
sub piped {
	my (@words) = @_;
	my ($status, $out, $error) = $daemon->ctl(@words, '-d', $postfix->{config});
	local $ENV{PATH} = "$world->{build}:$ENV{PATH}:/usr/sbin";
	my ($typed, undef, $said) = run({ input => $out, seconds => 60 }, 'sh', '-e');
	is $typed, 0, "@words | sh" or diag "$out$error$said";
	return $out;
}

# As postconf(1) tells it: settings of main.cf, services.
sub told { return map { my $out = $postfix->tool('postconf', $_); $out } '-n', '-M', '-P' }

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

part 'what makes somebody of a stranger' => sub {
	changed({ milter_macro_defaults => 'auth_authen=alice@example.com' }, sub {
		my $sent = $world->send(from => 'x@outside.test', to => "home\@$Penstock::Postfix::local_domain");
		is $world->verdict($sent)->{account}, 'alice@example.com', 'a stranger is alice' or diag explain $sent;
		my ($status, undef, $rows) = check_json();
		is $status, 1, '... and it is told';
		is $rows->{milter_macro_defaults}{gravity}, 'misjudged', '... as that';
	});
};

part 'a copy that no RCPT named goes with the message' => sub {
	my $home = "home\@$Penstock::Postfix::local_domain";
	my $before = () = $postfix->delivered('home');
	changed({ always_bcc => $home }, sub {
		my $sent = $world->send(auth => 'alice');
		$world->arrived($sent);
		wait_for(20, 'both', sub { 2 == $postfix->log_lines(qr/warm-1\/smtp\[\d+\]: $sent->{id}: .*status=sent/) });
		is scalar(() = $postfix->delivered('home')), $before, 'not into the mailbox';
		my ($status, undef, $rows) = check_json();
		is $status, 1, '... and it is told';
		ok $rows->{always_bcc}, '... of always_bcc';
	});
};

part 'spellings of the socket' => sub {
	my ($path) = $main =~ /^smtpd_milters = unix:(\S+)/m;
	for my $word ("local:$path", 'unix:../run/milter.sock', 'local:../run/milter.sock', "{ local:$path, default_action=tempfail }",
		"{ unix:$path, { default_action = tempfail }, command_timeout=20s }") {
		changed({ smtpd_milters => $word, non_smtpd_milters => '$smtpd_milters' }, sub {
			is account_of(), 'alice@example.com auth', "$word: it is asked";
			my ($status, $document) = check_json();
			is $status, 0, '... and fits' or diag explain $document->{differences};
		});
	}
};

# Is nothing taken?
sub deferred {
	my $sent = eval { $world->send(auth => 'alice') };
	return $sent ? $sent->{code} =~ /^4/ ? 1 : 0 : $@ =~ /AUTH of alice: 4/ ? 1 : 0;
}

part 'a socket that Postfix may not open' => sub {
	my $run = "$world->{folder}/run";
	my (undef, undef, undef, undef, $uid, $gid) = stat $run;
	chown $uid, 0, $run;
	chmod 0700, $run;
	is deferred(), 1, 'each session is deferred';
	my ($status, undef, $rows) = check_json();
	is $status, 1, 'it is told';
	my ($row) = values %$rows;
	like $row->{why}, qr/Postfix's user postfix cannot open the socket .*: each session is deferred/, '... why';
	piped('postfix', 'check', '--commands');
	is account_of(), 'alice@example.com auth', '... and mended';
	is +(check_json())[0], 0, '... and fits';
	chown $uid, $gid, $run;
	chmod 0755, $run;
	chmod 0600, "$run/milter.sock";
	chown $uid, 0, "$run/milter.sock";
	is deferred(), 1, 'a socket of 0600';
	my ($no, undef, $told) = check_json();
	is $no, 1, 'it is told';
	like +(values %$told)[0]{expected}, qr/milter\.socket_group = "postfix"/, '... with the line of our configuration';
	chown $uid, $postfix->{gid}, "$run/milter.sock";
	chmod 0660, "$run/milter.sock";
	is +(check_json())[0], 0, '... and fits';
};

part 'a content filter' => sub {
	my $port = Penstock::Process::free_port('tcp');
	my $sink = $world->{ports}{sink};
	my $row = "127.0.0.1:$port";
	changed({ content_filter => "smtp:[127.0.0.1]:$sink" }, sub {
		is $world->arrived($world->send(auth => 'alice'))->{client}, '127.0.0.21', 'marked mail goes past the filter';
		my ($status, $document, $rows) = check_json();
		is $status, 1, 'it is told';
		my ($before) = grep { /^127\.0\.0\.1:$world->{ports}{smtp}\/inet: content_filter$/ } keys %$rows;
		like $rows->{$before}{why}, qr/asks us twice/, '... and that it asks us twice';
		piped('postfix', 'check', '--commands');
		($status, $document) = check_json();
		is $status, 0, '... and mended in one round' or diag explain $document->{differences};
		my $sent = $world->send(auth => 'alice');
		is $world->arrived($sent)->{client}, '127.0.0.1', 'mail goes to the filter';
		is scalar($daemon->can('log_lines') ? $daemon->log_lines(qr/$sent->{id}/) : 0), 0, '... unjudged so far';
		my $back = Penstock::Smtp->connect(port => $port, client => '127.0.0.1');
		my $given = $world->send_in($back, from => 'alice@example.com', client => '127.0.0.1');
		$back->quit;
		is $world->arrived($given)->{client}, '127.0.0.21', '... and what the filter gives back is judged and marked';
	}, sub { "$_[0]$row inet n - n - - smtpd\n  -o content_filter=\n  -o mynetworks=127.0.0.0/8\n" });
};

part 'in and out again' => sub {
	# a Postfix with another milter and tables of its own
	my %own = (milter_header_checks => 'regexp:{{/^X-Spam-Flag: NO/ IGNORE}}', smtp_header_checks => 'regexp:{{/^X-Internal/ IGNORE}}',
		sender_dependent_default_transport_maps => 'inline:{ {x@x.test=smtp:} }', smtpd_milters => 'inet:127.0.0.1:9',
		non_smtpd_milters => '$smtpd_milters', milter_default_action => 'accept');
	my $text = join '', map { /^(?:# |default_filter_nexthop =)/ ? () : "$_\n" } split /\n/, $main;
	for my $name (sort keys %own) {
		$text =~ s/^\Q$name\E =.*\n//m;
		$text .= "$name = $own{$name}\n";
	}
	my $bare = join "\n", grep { !/^(?:clean|warm|suspect)-\d|^  -o/ } split /\n/, $master;
	$bare .= "\nsubmission inet n - n - - smtpd -o smtpd_milters=\n";
	write_file("$postfix->{config}/main.cf", $text, 0644);
	write_file("$postfix->{config}/master.cf", $bare, 0644);
	unlink glob "$postfix->{config}/penstock_*";
	my @before = told();
	my $out = piped('postfix', 'print', 'commands');
	my ($status, $document) = check_json();
	is $status, 0, 'in: it fits' or diag explain $document->{differences};
	is +($daemon->ctl('postfix', 'check', '--commands', '-d', $postfix->{config}))[1], '', '... and no command is left';
	my ($there) = $postfix->tool('postconf', '-h', 'smtpd_milters');
	like $there, qr/^inet:127\.0\.0\.1:9, \{ unix:\S+, default_action=tempfail \}$/, '... behind the other milter, with an action of its own';
	is $postfix->tool('postconf', '-h', 'milter_default_action'), "accept\n", "... whose action stays";

	# what the parts before have sent
	wait_for(30, 'the queue manager to have no work', sub { !map { $postfix->queue($_) } qw(incoming active) });
	$postfix->tool('postsuper', '-d', 'ALL', 'deferred');
	piped('postfix', 'remove');
	my @after = told();
	is $after[$_], $before[$_], 'out: ' . ('postconf -n', 'postconf -M', 'postconf -P')[$_] for 0 .. 2;
	is_deeply [ glob "$postfix->{config}/penstock_*" ], [], '... and no file of ours';

	write_file("$postfix->{config}/main.cf", $main, 0644);
	write_file("$postfix->{config}/master.cf", $master, 0644);
	$world->postfix_lines;
	$postfix->reload;
	is +(check_json())[0], 0, 'in again';
};

part 'postfix print knows what stands in main.cf' => sub {
	changed({ smtp_header_checks => 'regexp:/x' }, sub {
		my (undef, $out) = $daemon->ctl('postfix', 'print', 'main', '-d', $postfix->{config});
		like $out, qr/^# \(it is there: default_filter_nexthop\)$/m, 'what is there is not given again';
		unlike $out, qr/^default_filter_nexthop/m, '... as a line';
		like $out, qr/^# in place of: smtp_header_checks = regexp:\/x\nsmtp_header_checks = regexp:\S+$/m, 'what it replaces is said';
	});
	my ($status, $out, $error) = run({}, 'postconf', '-c', $postfix->{config}, '-n');
	is $error, '', 'this world\'s main.cf has no parameter twice';
};

part 'the maps at the door' => sub {
	my ($listen) = map { m{^socketmap:(unix:\S+?):transport$} ? $1 : () } $postfix->tool('postconf', '-h', 'sender_dependent_default_transport_maps') =~ /(socketmap:\S+?)[,\s]/g;
	my $submission = sub { "$_[0]submission inet n - n - - smtpd\n" };
	my (undef, $main_out) = $daemon->ctl('postfix', 'print', 'main', '-d', $postfix->{config});
	my (undef, $master_out) = $daemon->ctl('postfix', 'print', 'master', '-d', $postfix->{config});
	like $main_out, qr/^# smtpd_recipient_restrictions = check_sasl_access socketmap:\Q$listen\E:account-throttle, \.\.\.$/m, 'account-throttle is printed for main.cf';
	my %option = $master_out =~ /^#  -o (\w+)=(\S+)$/mg;
	like $option{smtpd_discard_ehlo_keyword_address_maps} // '', qr/:starttls$/, 'starttls for a service of master.cf';
	# what is printed, without its #, is taken by Postfix, and fits
	changed({ smtpd_sasl_auth_enable => 'no' }, sub {
		my ($status, $document) = check_json();
		is $status, 0, 'as it is printed it fits' or diag explain $document->{differences};
		my ($said) = map { $_->{what} } grep { $_->{what} =~ /delay_reject|smtpd_client_restrictions/ } @{ $document->{warnings} };
		is $said, undef, '... without a warning of waiting';
		is $postfix->tool('postconf', '-x', '-P') =~ /inet\/smtpd_client_restrictions = permit_mynetworks,check_client_access,socketmap:\Q$listen\E:throttle/ ? 1 : 0, 1, '... and is there';
	}, sub { my ($rows) = @_; my $options = join '', map { "  -o $_=$option{$_}\n" } sort keys %option; $rows =~ s/^(\S+\s+inet\s.*\bsmtpd\n)/$1$options/m or die $rows; return $rows });
	# in front of the own networks; and logins at a service that has none
	changed({ smtpd_sasl_auth_enable => 'no', smtpd_client_restrictions => "check_client_access socketmap:$listen:throttle, permit_mynetworks",
		smtpd_recipient_restrictions => "check_sasl_access socketmap:$listen:account-throttle" }, sub {
		my (undef, $document) = check_json();
		my %expected = map { $_->{expected} => 1 } @{ $document->{warnings} };
		ok $expected{$_}, "warned of: $_" or diag explain \%expected for 'permit_mynetworks in front of it', 'it only where smtpd_sasl_auth_enable = yes';
	});
	# for all services: submission, too
	changed({ smtpd_discard_ehlo_keyword_address_maps => "socketmap:$listen:starttls",
		smtpd_client_restrictions => "permit_mynetworks, permit_sasl_authenticated, check_client_access socketmap:$listen:throtle",
		smtpd_recipient_restrictions => "check_sasl_access socketmap:$listen:throttle" }, sub {
		my ($status, undef, $rows) = check_json();
		is $status, 1, 'STARTTLS hidden from submission';
		like $rows->{'submission/inet: smtpd_discard_ehlo_keyword_address_maps'}{why} // '', qr/they cannot log in$/, '... is told';
		like $rows->{smtpd_recipient_restrictions}{expected} // '', qr/:account-throttle$/, '... and the old map of logins';
		like $rows->{smtpd_client_restrictions}{why} // '', qr/^Penstock has no map of this name/, '... and a name that is misspelt';
		piped('postfix', 'check', '--commands');
		my ($again, $document) = check_json();
		is $again, 0, '... mended in one round' or diag explain $document->{differences};
		piped('postfix', 'remove');
		unlike $postfix->tool('postconf', '-n') . $postfix->tool('postconf', '-P'), qr/socketmap:/, '... and taken out';
		$world->postfix_lines;
	}, $submission);
};

part 'mail in the queue keeps its transport' => sub {
	changed({ defer_transports => 'warm-1' }, sub {
		my $sent = $world->send(auth => 'alice');
		wait_for(20, 'it is deferred', sub { $postfix->log_lines(qr/$sent->{id}: .*status=deferred/) });
		my (undef, $out) = $daemon->ctl('postfix', 'remove', '-d', $postfix->{config});
		local $ENV{PATH} = "$world->{build}:$ENV{PATH}:/usr/sbin";
		my ($typed, undef, $said) = run({ input => $out, seconds => 60 }, 'sh');
		is $typed, 1, 'remove ends before the rows';
		like $said, qr/Mail that Penstock has marked is still queued or on hold \(see postqueue -p\); do this again when it has left\.$/m, '... and says why';
		is $postfix->tool('postconf', '-M', 'warm-1/unix') =~ /^warm-1 / ? 1 : 0, 1, '... which stay';
		unlike $postfix->tool('postconf', '-n'), qr/^(?:non_)?smtpd_milters/m, '... but no more is marked';
		$postfix->tool('postsuper', '-d', 'ALL');
	});
};

done_testing;
