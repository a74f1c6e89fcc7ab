#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# systemd's units are well-formed, and leave a service no more than it needs: `systemd-analyze security` scores what a
# service that is taken over could reach, from 0 to 10.
use strict;
use warnings;
use File::Temp;
use Test::More;

my $top = $ENV{srcdir} // '.';
my $work = File::Temp->newdir();

my $help = `systemd-analyze --help 2>/dev/null`;
plan skip_all => 'systemd-analyze is not there, or knows no --offline' if $help !~ /--offline\b/;

# As `make` does, but for programs that need not be there.
sub copy_unit {
	my ($from, $to) = @_;
	local $/;
	open my $in, '<', $from or die "$from: $!\n";
	my $text = <$in> =~ s{\@(?:sbindir|pkglibexecdir)\@/[\w-]+}{/bin/true}gr =~ s{\@sysconfdir\@}{/etc}gr;
	open my $out, '>', $to or die "$to: $!\n";
	print {$out} $text;
	close $out or die "$to: $!\n";
}

my %most = ('penstock.service' => '2.0', 'penstock-follow.service' => '2.0', 'penstock-release.service' => '2.0',
	'penstock-queue@.service' => '3.0');
for my $from (sort glob("$top/etc/*.service.in"), glob("$top/etc/*.socket"), glob("$top/etc/*.timer")) {
	my $name = $from =~ s{.*/}{}r =~ s/\.in$//r;
	copy_unit($from, "$work/$name");
}
# systemd-analyze says what is wrong, and ends with 0 all the same
my @units = sort glob "$work/*";
my $said = `SYSTEMD_UNIT_PATH=$work: systemd-analyze verify --man=no @units 2>&1`;
my @wrong = grep { m{^\Q$work/\E} } split /\n/, $said;
is_deeply(\@wrong, [], 'each line of each unit is one that systemd knows');
for my $unit (map { s{.*/}{}r } grep { /\.service$/ } @units) {
	ok($most{$unit}, "$unit has a row") or next;
	my $threshold = 10 * $most{$unit};
	my $table = `systemd-analyze security --no-pager --offline=true --threshold=$threshold $work/$unit 2>&1`;
	my ($score) = $table =~ /Overall exposure level for \S+: (\S+)/;
	is($?, 0, "$unit: exposed by " . ($score // '?') . ", expected $most{$unit} or less") or diag($table);
}
done_testing();
