#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# contrib/demo and contrib/install-packages say what they do while apt works, also where apt says nothing. Their apt is
# one of the test's own, and their /usr/sbin an empty folder that only they see: nothing is installed. As root.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Cwd ();
use File::Temp;
use Penstock::Process qw(run slurp start_program wait_for write_file);
use POSIX ();
use Test::More;

plan skip_all => 'not root' if $> != 0;
plan skip_all => 'no namespaces here' if (run({}, 'unshare', '--mount', 'true'))[0] != 0;
my $top = Cwd::abs_path("$FindBin::Bin/../..");
my $folder = File::Temp::tempdir('penstock-install-XXXXXX', TMPDIR => 1, CLEANUP => 1);
mkdir "$folder/bin";

sub program {
	my ($name, $text) = @_;
	write_file("$folder/bin/$name", "#!/bin/sh\n$text", 0755);
}

program('dpkg-query', "exit 1\n");
program('debconf-set-selections', "cat >/dev/null\n");
# says something, then nothing until it is let
program('apt-get', <<"END");
echo "apt is at work"
case " \$* " in *" install "*) while [ ! -e "$folder/go" ]; do sleep 0.1; done; echo "Setting up the last package";; esac
exit \$(cat "$folder/status" 2>/dev/null || echo 0)
END

sub begin {
	my ($name, @words) = @_;
	unlink "$folder/go";
	my $log = "$folder/$name.log";
	write_file($log, '');
	my $pid = start_program($name, $log, 'env', "PATH=$folder/bin:$ENV{PATH}", 'unshare', '--mount', 'sh', '-c',
		'mount -t tmpfs none /usr/sbin && exec "$@"', 'sh', @words);
	return ($pid, $log);
}

{
	my ($pid, $log) = begin('demo', "$top/contrib/demo", '--build', '/nonexistent');
	ok wait_for(20, 'what it does', sub { slurp($log) =~ /Installing \d+ packages.*\n.*libmilter-dev.*apt-get update/s }), 'the demo says what it installs';
	ok wait_for(20, 'a sign of life', sub { slurp($log) =~ /apt-get install \.\.\.\n    apt is at work/s }), '... what apt says';
	ok wait_for(20, 'another one', sub { slurp($log) =~ /still at it, after \d+ s/ }), '... and that it is at work where apt says nothing';
	write_file("$folder/go", '');
	waitpid $pid, 0;
	like slurp($log), qr/there is no program \/nonexistent/, '... and goes on';
}
{
	my ($pid, $log) = begin('install-packages', "$top/contrib/install-packages");
	ok wait_for(20, 'what it does', sub { slurp($log) =~ /^Installing what .* missing.*\n.*libmilter-dev.*apt is at work/ms }),
		'install-packages says what it installs, and what apt says';
	write_file("$folder/go", '');
	waitpid $pid, 0;
	is $?, 0, '... and ends well';
	like slurp($log), qr/Setting up the last package/, '... with the rest';
	write_file("$folder/status", '100');
	($pid, $log) = begin('failing', "$top/contrib/install-packages");
	waitpid $pid, 0;
	is $? >> 8, 100, 'apt fails: its status';
	like slurp($log), qr/apt-get failed with status 100/, '... and a sentence';
}

done_testing;
