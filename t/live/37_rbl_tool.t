#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# penstockctl rbl against recorded streams: words, exit codes, what programs read, what a terminal shows.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Penstock::Process qw(need_program run slurp wait_for);
use Penstock::Stream;
use POSIX qw(SIGINT SIGPIPE WIFSIGNALED WTERMSIG);
use Test::More;
use Time::HiRes qw(time);

my $tool = "$ENV{PENSTOCK_BUILD}/penstockctl";
my $script = need_program('script', 'bsdutils');
delete @ENV{qw(NO_COLOR)};
$ENV{TERM} = 'xterm';
$ENV{LC_ALL} = 'C.UTF-8';

sub lines { return Penstock::Stream::lines(@_) }
sub list { return Penstock::Stream::list(@_) }
sub begin { return Penstock::Stream::begin(@_) }
sub sums { return Penstock::Stream::sums(@_) }

my ($listed, $clean, $network) = ('192.0.2.1', '192.0.2.2', '192.0.2.0/24');
my $evil = "\e[31mred \e]0;title\a\x{9b}31m\x{202e}back\r\nline\tK\x{e4}se";

my @listed = (begin($listed, 'address'), { type => 'target', subject => $listed, from => '' },
	list($listed, 'one', 'listed', removal => 'https://one.example.net/off?ip=192.0.2.1', codes => [ '127.0.0.2', '127.0.0.9' ]),
	list($listed, 'two', 'clean'),
	{ type => 'text', subject => $listed, list => 'one', text => 'Spam seen here' },
	list($listed, 'three', 'unknown', why => 'no answer in time'),
	list($listed, 'four', 'listed', weight => 0.5, site => 'https://four.example.net/'),
	{ type => 'text', subject => $listed, list => 'one', text => 'late' },
	list($listed, 'five', 'skipped', why => 'its budget is used up'),
	list($listed, 'good', 'listed', kind => 'allow'),
	{ type => 'news', subject => $listed, text => 'a kind of line that does not exist yet' },
	{ type => 'origin', subject => $listed, as => 64496, as_name => 'EXAMPLE-AS', prefix => $network, country => 'DE' },
	{ type => 'ptr', subject => $listed, names => ['mail.example.com'], confirmed => JSON::PP::true },
	sums('subject', 2, 2, 1, subject => $listed, skipped => 1, weight => 1.5), sums('end', 1, 0, 0, weight => 1.5));
my @clean = (begin($clean, 'address', lists => 2), list($clean, 'one', 'clean'), list($clean, 'good', 'listed', kind => 'allow'),
	{ type => 'origin', subject => $clean, as => undef, as_name => undef, prefix => undef, country => undef },
	{ type => 'ptr', subject => $clean, names => ['other.example.com'], confirmed => JSON::PP::false },
	sums('subject', 0, 2, 0, subject => $clean), sums('end', 0, 1, 0));
my @silent = (begin('192.0.2.3', 'address', lists => 2), map({ list('192.0.2.3', $_, 'unknown', why => 'refused us') } qw(one two)),
	sums('subject', 0, 0, 2, subject => '192.0.2.3'), sums('end', 0, 0, 1));
my @name = (begin('mail.example.com', 'name', subjects => undef),
	{ type => 'target', subject => $listed, from => 'A' }, { type => 'target', subject => '2001:db8::5', from => 'MX mx.example.com' },
	{ type => 'target', subject => 'mail.example.com', from => '' },
	list('2001:db8::5', 'one', 'clean'), list($listed, 'one', 'listed'), list('mail.example.com', 'dom', 'clean'),
	{ type => 'ptr', subject => $listed, names => [], confirmed => JSON::PP::false },
	sums('subject', 0, 1, 0, subject => '2001:db8::5'), sums('subject', 1, 0, 0, subject => $listed),
	{ type => 'target', subject => '192.168.1.1', from => 'A' },
	sums('subject', 0, 0, 0, subject => '192.168.1.1', why => 'private'),
	sums('subject', 0, 1, 0, subject => 'mail.example.com'), sums('end', 1, 2, 0, subjects => 4, skipped => 1));
my @unasked = (begin('local.example.com', 'name', subjects => undef), { type => 'target', subject => '192.168.1.1', from => 'A' },
	sums('subject', 0, 0, 0, subject => '192.168.1.1', why => 'private'), sums('end', 0, 0, 0, skipped => 1));
my %on = (7 => [qw(one)], 77 => [ map { "list-number-$_" } 1 .. 12 ], 200 => [qw(one two)]);
my @network = (begin($network, 'network', subjects => 256, prefix => 24), map {
	my ($at, $names) = ("192.0.2.$_", $on{$_} // []);
	(map({ list($at, $_, 'listed', removal => "https://$_.example.net/") } @$names),
		$_ == 99 ? sums('subject', 0, 0, 4, subject => $at) : sums('subject', scalar @$names, 4, 0, subject => $at))
} 0 .. 255);
push @network, { type => 'origin', subject => '192.0.2.0', as => 64496, as_name => 'EXAMPLE-AS', prefix => $network, country => 'DE' },
	sums('end', 3, 252, 1, subjects => 256, weight => 15);

my @noted = (begin('192.0.2.4', 'address', lists => 2), list('192.0.2.4', 'broad', 'listed', weight => 0), list('192.0.2.4', 'two', 'clean'),
	sums('subject', 0, 1, 0, subject => '192.0.2.4', noted => 1), sums('end', 0, 1, 0, noted => 1));
my @also = (begin('192.0.2.6', 'address', lists => 4), list('192.0.2.6', 'one', 'listed'),
	map({ list('192.0.2.6', $_, 'listed', weight => 0) } qw(broad broader)), list('192.0.2.6', 'two', 'clean'),
	sums('subject', 1, 1, 0, subject => '192.0.2.6', noted => 2), sums('end', 1, 0, 0));
my @noted_network = (begin('198.51.100.0/27', 'network', subjects => 32, prefix => 27), map({
	my $at = "198.51.100.$_";
	(list($at, 'broad', 'listed', weight => 0), sums('subject', 0, $_ == 3 ? 3 : 4, 0, subject => $at, noted => 1))
} 1 .. 31), sums('subject', 0, 5, 0, subject => '198.51.100.0'), sums('end', 0, 32, 0, subjects => 32, noted => 31));
my $server = Penstock::Stream->new(
	'192.0.2.4' => [ lines(@noted) ],
	'192.0.2.6' => [ lines(@also) ],
	'198.51.100.0/27' => [ lines(@noted_network) ],
	$listed => [ lines(@listed) ],
	$clean => [ lines(@clean) ],
	'192.0.2.3' => [ lines(@silent) ],
	'mail.example.com' => [ lines(@name) ],
	'local.example.com' => [ lines(@unasked) ],
	$network => [ lines(@network) ],
	'bytes' => [ map { split // } lines(@listed) ],
	'cut' => [ lines(@listed[ 0 .. 4 ]) ],
	'torn' => [ lines(@listed[ 0 .. 2 ]), '{"type":"list","subj' ],
	'garbage' => [ lines($listed[0]), "Hello, this is no JSON\n", lines($listed[-1]) ],
	'array' => [ "[1,2]\n" ],
	'pit' => [ '{"type":' . '[' x 1000 . ']' x 1000 . "}\n" ],
	'untyped' => [ qq({"listed":0,"clean":7}\n) ],
	'broad' => [ lines(@listed[ 0 .. 2 ]), '{"type":"text","text":"' . 'x' x 1_048_576 . "\"}\n" ],
	'endless' => [ lines(begin('endless', 'address')), ('x' x 65536) x 64 ],
	'nothing' => [],
	'failed' => [ lines(begin('failed', 'name'), sums('end', 0, 0, 0, subjects => 0, error => 'failed has no address')) ],
	'quiet' => [ lines(@listed[ 0 .. 2 ]), 'hold' ],
	'slow' => [ lines(@listed[ 0 .. 3 ]), \0.8, (map { (lines(list($listed, "more-$_", 'clean')), \0.02) } 1 .. 30), lines(@listed[ 4 .. $#listed ]) ],
	'evil' => [ lines(begin('192.0.2.9', 'address'), list('192.0.2.9', "l$evil", 'listed', removal => "https://$evil"),
		{ type => 'text', subject => '192.0.2.9', list => "l$evil", text => $evil },
		{ type => 'ptr', subject => '192.0.2.9', names => [$evil], confirmed => undef },
		list('192.0.2.9', 'x', 'unknown', why => $evil),
		sums('subject', 1, 0, 1, subject => '192.0.2.9'), sums('end', 1, 0, 0)) ],
);

sub rbl { my (@words) = @_; return run({}, $tool, '-s', $server->{socket}, 'rbl', @words) }

# The same on a terminal of so many columns: exit status, and all that it was sent.
sub on_terminal {
	my ($columns, @words) = @_;
	my $line = join ' ', map { quotemeta } $tool, '-s', $server->{socket}, 'rbl', @words;
	my ($status, $out) = run({}, $script, '-qec', "stty cols $columns rows 50 -onlcr; exec $line", '/dev/null');
	return ($status, $out);
}

# One subject each: what people read.
{
	my ($status, $out, $error) = rbl($listed);
	is $status, 1, 'a listed address: 1';
	is $error, '', '... nothing on standard error';
	is $out, <<'END', '... all that is known of it, listings first';
192.0.2.1: asking 4 lists
  LISTED  by one (one.example.net): spam 127.0.0.2, 127.0.0.9, weight 1
          removal: https://one.example.net/off?ip=192.0.2.1
          says: Spam seen here
  LISTED  by four (four.example.net): spam 127.0.0.2, weight 0.5
          see: https://four.example.net/
          one says: late
  allowed by good (good.example.net): allow 127.0.0.2
  origin  AS64496 EXAMPLE-AS, 192.0.2.0/24, DE
  PTR     mail.example.com (forward-confirmed)
  unknown 1 list: no answer in time
  skipped 1 list: its budget is used up
192.0.2.1: listed by 2 of 5 lists (weight 1.5), 1 did not answer, 1 not asked, in 213 ms
END
	my (undef, $verbose) = rbl('--verbose', $listed);
	like $verbose, qr/^  unknown three \(three\.example\.net\): no answer in time$/m, '--verbose names who did not answer';
	like $verbose, qr/^  skipped five \(five\.example\.net\): its budget is used up$/m, '... and who was not asked';
	unlike $verbose, qr/\btwo\b/, '... but no clean list';

	($status, $out) = rbl($clean);
	is $status, 0, 'a clean address: 0, an allow list does it no harm';
	like $out, qr/^192\.0\.2\.2: listed by none of 2 lists, in 213 ms$/m, '... in words';
	like $out, qr/^  origin  not known$/m, '... origin that is not known';
	like $out, qr/^  PTR     other\.example\.com \(not forward-confirmed\)$/m, '... PTR that is not confirmed';

	($status, $out, $error) = rbl('192.0.2.3');
	is $status, 2, 'no list answered: 2, that is not clean';
	like $out, qr/^192\.0\.2\.3: not known: none of 2 lists answered, in/m, '... in words';
	like $out, qr/^  unknown 2 lists: refused us$/m, '... and why';
	like $error, qr/^penstockctl: rbl: 192\.0\.2\.3: no list answered/, '... on standard error too';
	is +(rbl('bytes'))[1] =~ s/^bytes:/$listed:/mgr, (rbl($listed))[1], 'a stream that comes byte by byte';
}

# Lists without weight make nothing listed.
{
	my ($status, $out) = rbl('192.0.2.4');
	is $status, 0, 'named by a list without weight alone: 0';
	is $out, <<'END', '... with a note';
192.0.2.4: asking 2 lists
  named   by broad (broad.example.net): spam 127.0.0.2, without weight
192.0.2.4: listed by none of 2 lists, named by 1 list without weight, in 213 ms
END
	(undef, $out) = on_terminal(100, '192.0.2.4');
	unlike $out, qr/\e\[1;31m/, '... and nothing in red';
	($status, $out) = rbl('192.0.2.6');
	is $status, 1, 'named by one with a weight, too: 1';
	like $out, qr/^192\.0\.2\.6: listed by 1 of 4 lists \(weight 1\), also named by 2 lists without weight, in/m, '... told apart';
	($status, $out) = rbl('198.51.100.0/27');
	is $status, 0, 'a network that only such a list names: 0';
	like $out, qr/^198\.51\.100\.0\/27: none of 32 addresses listed, 31 named by lists without weight, in/m, '... with a note';
	like $out, qr/^  list    broad \(broad\.example\.net\), without weight: 31 addresses$/m, '... and the list';
	unlike $out, qr/^  198\.51/m, '... but no row for each address';
	(undef, $out) = on_terminal(100, '198.51.100.0/27');
	unlike $out, qr/\e\[1;31m/, '... nothing in red';
	like screen($out), qr/^  \.0   \.\+{15}\n  \.16  \+{16}\n  # listed  \+ named without weight  \. clean/m, '... and a picture that says so';
}

# A name, a network, several targets.
{
	my ($status, $out) = rbl('mail.example.com');
	is $status, 1, 'a name with one listed address: 1';
	is $out, <<'END', '... each of its addresses';
mail.example.com: asking 4 lists
  address 192.0.2.1 (A)
  address 2001:db8::5 (MX mx.example.com)
  LISTED  192.0.2.1 by one (one.example.net): spam 127.0.0.2, weight 1
  2001:db8::5: listed by none of 1 list, in 213 ms
  192.0.2.1: listed by 1 of 1 list (weight 1), in 213 ms
    PTR     none
  address 192.168.1.1 (A)
  192.168.1.1: not known: no list was asked (private)
  mail.example.com: listed by none of 1 list, in 213 ms
mail.example.com: 1 of 4 addresses and names listed (weight 1), 1 not asked about, in 213 ms
END
	($status, $out, my $error) = rbl('local.example.com');
	is $status, 2, 'a name of which nobody could be asked: 2';
	like $error, qr/local\.example\.com: no list was asked/, '... in words';
	($status, $out) = rbl($network);
	is $status, 1, 'a network: 1';
	like $out, qr/^192\.0\.2\.0\/24: asking 4 lists about 256 addresses$/m, '... how much it is';
	like $out, qr/^  192\.0\.2\.7 +one$/m, '... a row for what is listed';
	like $out, qr/^  192\.0\.2\.77 +(?:list-number-\d+, ){11}list-number-12$/m, '... whole, where no terminal cuts it';
	is scalar(() = $out =~ /^  192\.0\.2\.\d+ /mg), 3, '... and only for that';
	like $out, qr{^  list    one \(one\.example\.net\): 2 addresses; removal: https://one\.example\.net/$}m, '... each list once';
	like $out, qr/^  origin  AS64496 EXAMPLE-AS, 192\.0\.2\.0\/24, DE$/m, '... its origin';
	like $out, qr/^192\.0\.2\.0\/24: 3 of 256 addresses listed \(weight 15\), 1 without any answer, in 213 ms$/m, '... its sum';
	like $out, qr/^  unknown 4 of 1039 answers did not come$/m, '... what was not answered of it';
	unlike $out, qr/^  \.16/m, '... no picture';

	($status, $out) = rbl($clean, $listed);
	is $status, 1, 'a clean target and a listed one: 1';
	like $out, qr/\n\n192\.0\.2\.1: asking.*\n\n2 targets: 1 listed, 1 clean, 0 not known\n\z/s, '... one after the other, and a sum';
	($status, $out) = rbl($listed, 'no-such');
	is $status, 2, 'a listed target and an error: 2';
	like $out, qr/\n\n2 targets: 1 listed, 0 clean, 1 not known\n\z/, '... and a sum';
}

# For programs.
{
	my ($status, $out, $error) = rbl('--json', $listed);
	is $status, 1, '--json, listed: 1';
	ok $out eq lines(@listed), '... the lines as they came, byte for byte';
	($status, $out) = rbl('--json', $clean, $listed, $network);
	ok $out eq lines(@clean, @listed, @network), '... of several targets, nothing between them';
	is $status, 1, '... 1';
	is +(rbl('--json', $clean))[0], 0, '... clean: 0';
	($status, $out, $error) = rbl('--json', '192.0.2.3');
	is $status, 2, '... nothing known: 2';
	is_deeply decode_json((split /\n/, $out)[-1]), { type => 'error', target => '192.0.2.3',
		error => 'no list answered, so that nothing is known' }, '... and a line that says so';
	like $error, qr/^penstockctl: rbl: 192\.0\.2\.3: no list/, '... and a sentence on standard error';
	($status, $out) = rbl('--json', 'evil');
	like $out, qr/\x{c2}\x{9b}/, '... bytes outside ASCII too';
	(undef, $out) = on_terminal(80, '--json', 'evil');
	unlike $out, qr/[\x80-\xff]/, '... but a terminal gets none of them';
}

# What goes wrong.
{
	my %says = (
		'no-such' => qr/^penstockctl: rbl: "no-such" is no address$/, 'cut' => qr/cut: the daemon's answer broke off before its end$/,
		'torn' => qr/torn: the answer broke off in the middle of a line$/, 'garbage' => qr/garbage: a line .* is not a JSON object: it is not JSON/,
		'array' => qr/array: a line .* is not a JSON object: .* than an object$/, 'untyped' => qr/untyped: a line .* does not say what it is$/,
		'pit' => qr/pit: a line .* is not a JSON object: it is nested more than 48 levels deep$/,
		'broad' => qr/broad: a line of the answer is longer than 65536 bytes$/,
		'endless' => qr/endless: a line of the answer is longer/, 'nothing' => qr/nothing: the daemon's answer broke off/,
		'failed' => qr/^penstockctl: rbl: failed has no address$/, "caf\xe9" => qr/caf\?: this is not an address, host name or network/,
		"\e[31mred" => qr/^[^\e]+$/, 'x' x 9000 => qr/the request has 9\d\d\d bytes/,
	);
	for my $target (sort keys %says) {
		my $name = substr $target =~ s/[^a-z-]/?/gr, 0, 20;
		my ($status, $out, $error) = rbl($target);
		is $status, 2, "$name: 2";
		like $error, $says{$target}, '... one sentence';
		($status, $out, $error) = rbl('--json', $target);
		is $status, 2, '... with --json too';
		my @lines = split /\n/, $out;
		my $last = eval { decode_json($lines[-1]) } // {};
		is $last->{type}, 'error', '... and a line for programs';
		ok !(grep { !eval { ref decode_json($_) eq 'HASH' } } @lines), '... nothing else that is no object';
	}
	my (undef, $out) = rbl('cut');
	like $out, qr/LISTED  by one/, 'what came before the end of a broken stream was shown';
	my ($status, undef, $error) = rbl('--timeout', 1, 'quiet');
	is $status, 2, 'silence: 2';
	like $error, qr/quiet: the daemon said nothing for 1 s$/, '... in words';
	ok wait_for(10, 'the hang-up', sub { $server->hung_up }), '... and hung up';
	for my $bad (['--timeout', '0', 'x'], ['--timeout', 'soon', 'x'], [], ['--count', '3', 'x']) {
		is +(rbl(@$bad))[0], 2, "rbl @$bad is wrong usage";
	}
	($status, $out, $error) = run({}, $tool, '-s', '/nonexistent/sock', 'rbl', '--json', $clean);
	is $status, 2, 'no daemon: 2';
	is decode_json($out)->{target}, $clean, '... and a line for programs';
	like $error, qr/is penstock running/, '... in words';
	($status, $out) = run({}, $tool, 'rbl', '--help');
	is $status, 0, 'rbl --help';
	like $out, qr/rbl TARGET .*--verbose.*--timeout/s, '... has its options';
	unlike $out, qr/--queue/, "... and not others'";
}

# Where it is written to.
{
	(undef, my $out) = rbl($listed);
	unlike $out, qr/\e/, 'no terminal, no escape codes';
	my ($status, undef, $error) = run({}, 'sh', '-c', "exec $tool -s $server->{socket} rbl $network >/dev/full");
	is $status, 2, 'a full disk: 2';
	like $error, qr/cannot write/, '... in words';
	my $pid = open(my $pipe, '-|', $tool, '-s', $server->{socket}, 'rbl', '--json', $network) or die "$tool: $!";
	my $first = <$pipe>;
	close $pipe;
	ok !$? || (WIFSIGNALED($?) && WTERMSIG($?) == SIGPIPE) || $? >> 8 == 1, 'a reader that goes away ends it';

	$pid = fork // die "fork: $!";
	if (!$pid) {
		open STDOUT, '>', "$server->{folder}/out";
		exec $tool, '-s', $server->{socket}, 'rbl', 'quiet' or POSIX::_exit(99);
	}
	unlink "$server->{folder}/hung_up";
	wait_for(20, 'the first listing', sub { slurp("$server->{folder}/out") =~ /LISTED/ });
	pass 'a listing is shown while other lists have not answered';
	kill INT => $pid;
	waitpid $pid, 0;
	ok WIFSIGNALED($?) && WTERMSIG($?) == SIGINT, 'Ctrl-C ends it as it ends any program';
	ok wait_for(10, 'the hang-up', sub { $server->hung_up }), '... and the daemon hears of it';
}

# What the terminal shows in the end: what was written and not wiped.
sub screen { return join "\n", map { s/.*\e\[K//sr } split /\n/, $_[0] =~ s/\e\[[0-9;]*m//gr, -1 }

# On a terminal.
{
	my ($status, $out) = on_terminal(80, $listed);
	is $status, 1, 'on a terminal: 1';
	like $out, qr/\e\[1;31m  LISTED\e\[0m  by one/, '... listings in red';
	is screen($out), (rbl($listed))[1] =~ s/ in 213 ms$/\n  in 213 ms/mr, '... and else as everywhere, within 80 columns';
	{
		local $ENV{NO_COLOR} = '1';
		(undef, $out) = on_terminal(80, $listed);
		unlike $out, qr/\e\[\d*[;m]/, 'NO_COLOR: no colours';
	}
	{
		local $ENV{TERM} = 'dumb';
		(undef, $out) = on_terminal(80, 'slow');
		unlike $out, qr/\e/, 'a dumb terminal gets no escape codes';
	}
	my $begun = time;
	($status, $out) = on_terminal(60, 'slow');
	my $took = time - $begun;
	my @bars = $out =~ /\r\e\[K([^\r\n\e]+)/g;
	ok @bars > 0, 'a check that takes long has a progress line';
	like $bars[0], qr/^slow \[[#.]+\] \d+ of 4 lists, 1 listed$/, "... $bars[0]";
	is scalar(grep { length > 59 } @bars), 0, '... that never wraps';
	cmp_ok scalar @bars, '<=', 10 * $took + 2, '... and comes ten times a second at most';
	unlike screen($out), qr/\[[#.]+\]/, '... of which nothing stays';
	(undef, $out) = on_terminal(24, 'slow');
	@bars = $out =~ /\r\e\[K([^\r\n\e]+)/g;
	is scalar(grep { length > 23 } @bars), 0, '... on a narrow terminal neither';
	my ($both) = (run({}, $script, '-qec', "$tool -s $server->{socket} rbl slow > $server->{folder}/piped", '/dev/null'))[1];
	like $both, qr/\r\e\[K.*of 4 lists/, '... standard error is what counts';
	unlike slurp("$server->{folder}/piped"), qr/\e/, '... standard output gets none of it';
	($both) = (run({}, $script, '-qec', "$tool -s $server->{socket} rbl slow | cat", '/dev/null'))[1];
	unlike $both, qr/\e/, '... but a pager behind a pipe has the terminal for itself';
	(undef, $out) = run({}, 'sh', '-c', "(sleep 1.5; printf '\\003'; sleep 1) | $script -qec '$tool -s $server->{socket} rbl quiet' /dev/null");
	like $out, qr/of 4 lists/, 'Ctrl-C while there is a progress line';
	unlike screen($out =~ s/\^C//r), qr/of 4 lists/, '... wipes it';

	(undef, $out) = on_terminal(80, $network);
	$out = screen($out);
	like $out, qr/^  \.0   \.{7}#\.{8}\n  \.16  \.{16}\n/m, 'a picture of the network';
	like $out, qr/^  \.64  \.{13}#\.\.\n.*\n  \.96  \.\.\.\?/m, '... listed, clean and unknown';
	like $out, qr/^  192\.0\.2\.77 +list-number-1, .*, and \d+ more$/m, 'long rows are cut';
	is scalar(grep { length > 80 } split /\n/, $out), 0, '... nothing is wider than the terminal';
	(undef, $out) = on_terminal(80, '-v', $network);
	like screen($out), qr/list-number-12\n/, '... and not with -v';
	(undef, $out) = on_terminal(40, $network);
	is scalar(grep { length > 40 && !m{http} } split /\n/, screen($out)), 0, 'nor on one of 40 columns';
}

# A stranger's text.
for my $where (qw(pipe terminal)) {
	my ($status, $out) = $where eq 'pipe' ? rbl('-v', 'evil') : on_terminal(80, '-v', 'evil');
	is $status, 1, "hostile text to a $where: 1";
	$out =~ s/\e\[(?:\d+(?:;\d+)*)?m//g if $where eq 'terminal' && $out !~ /\e\[31mred/;
	unlike $out, qr/[\x00-\x09\x0b-\x1f\x7f]|\x{c2}[\x80-\x9f]|\x{e2}\x{80}\x{ae}/, '... no control character gets through';
	like $out, qr/says: \?\[31mred \?\]0;title\?\?31m\?back\?\?line\?K\x{c3}\x{a4}se/, '... what is printable does';
	local $ENV{LC_ALL} = 'C';
	($status, $out) = $where eq 'pipe' ? rbl('evil') : on_terminal(80, 'evil');
	unlike $out, qr/[\x80-\xff]/, '... and only ASCII where the locale knows no more';
}

done_testing;
