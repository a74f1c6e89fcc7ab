#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Facts of real messages, replayed under the same configuration and under a stricter one.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use lib "$FindBin::Bin/lib";
use Penstock::Live qw(part);
use Penstock::Process qw(slurp wait_for write_file run);
use Test::More;

my $world = Penstock::Live->new;
my $daemon = $world->{daemon};
my $facts = "$world->{folder}/run/facts";
$daemon->{config}{facts} = { file => $facts };
$daemon->write_config;
$daemon->reload;
wait_for(10, 'the file', sub { -e $facts });

sub replay {
	my ($file, @words) = @_;
	my ($status, $out, $error) = run({}, $daemon->{ctl_program}, '-c', $file, '--json', 'replay', @words);
	return ($status, scalar(eval { decode_json($out) }), $error);
}

sub lines {
	my ($kind, $count) = @_;
	wait_for(10, "$count lines of $kind", sub { (() = slurp($facts) =~ /^${kind}2 /mg) >= $count });
}

$world->send(auth => 'alice', to => [ map { "friend$_\@elsewhere.test" } 1 .. 3 ]) for 1 .. 5;
$world->send(auth => 'bob');
lines('M', 6);

part 'the same configuration' => sub {
	my ($status, $json, $error) = replay($daemon->{file}, $facts);
	is $status, 0, "it ends well $error";
	is $json->{messages}, 6, 'all messages';
	is $json->{differ}, 0, 'none differs' or diag slurp($facts), explain $json;
};

part 'a stricter one' => sub {
	$daemon->{config}{plans}[0]{rcpts_per_hour} = 10;
	my $strict = "$world->{folder}/strict.conf";
	write_file($strict, Penstock::Daemon::config_text($daemon->{config}));
	my ($status, $json) = replay($strict, $facts);
	is $json->{refused}, 2, 'two of alice\'s would have been refused' or diag slurp($facts), explain $json;
	is_deeply [ map { $_->{account} } @{ $json->{most} } ], ['alice@example.com'], 'she alone differs';
};

part 'two configurations, and standard input' => sub {
	my $strict = "$world->{folder}/strict.conf";
	my ($status, $json) = replay($daemon->{file}, '--against', $strict, $facts);
	is $json->{freed}, 2, 'what the stricter one refuses, the other one lets pass' or diag explain $json;
	is $json->{refused}, 0, 'and it refuses nothing more';
	my ($again, $text) = run({}, 'sh', '-c', 'cat "$1" | "$2" -c "$3" --json replay -', 'sh', $facts, $daemon->{ctl_program}, $strict);
	is $again, 0, 'a pipe is read';
	is decode_json($text)->{refused}, 2, 'and says the same as the file';
};

part 'damaged files' => sub {
	my $text = slurp($facts);
	my $broken = "$world->{folder}/broken";
	write_file($broken, "nonsense\n" . substr $text, 0, length($text) - 20);
	my ($status, $json) = replay($daemon->{file}, $broken);
	is $json->{damaged}, 1, 'a damaged line is counted';
	is $json->{first_damaged}, "$broken:1", 'and named';
	is $json->{cut}, 1, 'the last line is cut';
	is $json->{messages}, 5, 'the rest is replayed';
	write_file($broken, "${text}M3 t=1 a=b .\n");
	my $error;
	($status, undef, $error) = replay($daemon->{file}, $broken);
	is $status, 2, 'another version is an error';
	like $error, qr/broken:\d+: a line of another version/, $error;
};

part 'what was refused early, and what was learnt later' => sub {
	$daemon->{config}{plans}[0]{rcpts_per_hour} = 500;
	$world->{redis}->do('HSET', $world->key('carol@example.com', 'limits'), rcpts_per_hour => 4);
	$world->send(auth => 'carol', to => [ map { "friend$_\@elsewhere.test" } 1 .. 6 ]);
	$world->send(auth => 'carol') for 1 .. 2;
	lines('M', 10);
	is scalar(() = slurp($facts) =~ /^M2 .*a=carol.* st=rcpt /mg), 1, 'a line for the recipients that were refused';
	is scalar(() = slurp($facts) =~ /^M2 .*a=carol.* st=mail /mg), 2, 'a line for each refused MAIL';
	$daemon->ctl('account', 'feedback', 'bob@example.com', 'dead', '3');
	lines('F', 1);
	like slurp($facts), qr/^F2 t=\d+ a=bob\@example\.com co=dead n=3 \.$/m, 'and written with the facts';
	my ($status, $json, $error) = replay($daemon->{file}, $facts);
	is $status, 0, "it ends well $error";
	is $json->{differ}, 0, 'none differs' or diag slurp($facts), explain $json;
};

part 'accounts that are hidden' => sub {
	my $hidden = "$world->{folder}/run/hidden";
	$daemon->{config}{facts} = { file => $hidden, accounts => 'hashed', salt => 'a salt of the test' };
	$daemon->write_config;
	$daemon->reload;
	wait_for(10, 'the file', sub { -e $hidden });
	$facts = $hidden;
	$world->send(auth => 'dave', to => [ map { "friend$_\@elsewhere.test" } 1 .. 3 ]) for 1 .. 4;
	$daemon->ctl('account', 'feedback', 'dave@example.com', 'dead');
	lines('M', 4);
	lines('F', 1);
	my $text = slurp($hidden);
	unlike $text, qr/dave|example\.com|friend/, 'nobody is named';
	my %names = map { $_ => 1 } $text =~ /^[MF]2 .*?a=(\S+)/mg;
	is scalar(keys %names), 1, 'messages and reports of one account have one name';
	my ($status, $json) = replay($daemon->{file}, $hidden);
	is $json->{differ}, 0, 'none differs' or diag $text, explain $json;
	$daemon->{config}{plans}[0]{rcpts_per_hour} = 6;
	write_file("$world->{folder}/strict.conf", Penstock::Daemon::config_text($daemon->{config}));
	($status, $json) = replay("$world->{folder}/strict.conf", $hidden);
	is $json->{refused}, 2, 'a stricter configuration refuses two';
};

done_testing();
