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

$world->send(auth => 'alice', to => [ map { "friend$_\@elsewhere.test" } 1 .. 3 ]) for 1 .. 5;
$world->send(auth => 'bob');
wait_for(10, 'six lines', sub { (() = slurp($facts) =~ /^M1 /mg) >= 6 });

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

part 'damaged files' => sub {
	my $text = slurp($facts);
	my $broken = "$world->{folder}/broken";
	write_file($broken, "nonsense\n" . substr $text, 0, length($text) - 20);
	my ($status, $json) = replay($daemon->{file}, $broken);
	is $json->{damaged}, 1, 'a damaged line is counted';
	is $json->{first_damaged}, "$broken:1", 'and named';
	is $json->{cut}, 1, 'the last line is cut';
	is $json->{messages}, 5, 'the rest is replayed';
	write_file($broken, "${text}M2 t=1 a=b .\n");
	my $error;
	($status, undef, $error) = replay($daemon->{file}, $broken);
	is $status, 2, 'another version is an error';
	like $error, qr/broken:\d+: a line of another version/, $error;
};

done_testing();
