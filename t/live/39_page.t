#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The page of block lists in a headless Chromium: with the daemon and a real rbldnsd, and with a server that breaks off,
# refuses and lies. Pictures go to the folder PENSTOCK_ARTEFACTS, or t/live/artefacts of the build folder.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use File::Temp;
use JSON::PP;
use Penstock::Browser;
use Penstock::Daemon;
use Penstock::Live qw(part);
use Penstock::PageServer;
use Penstock::Process qw(at_end free_port);
use Penstock::Servers;
use Test::More;

my $build = $ENV{PENSTOCK_BUILD} // $Penstock::Live::source;
my $artefacts = $ENV{PENSTOCK_ARTEFACTS} // "$build/t/live/artefacts";
make_path($artefacts);
my $folder = File::Temp::tempdir('penstock-page-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{PENSTOCK_KEEP});
chmod 0755, $folder;
my $browser = Penstock::Browser->start(folder => $folder);

# The network is public, so that the page may ask; the only server that hears of it is rbldnsd.
my $network = '45.45.45';
my %address = (spam => "$network.66", worst => "$network.77", policy => "$network.88", hostile => "$network.99", clean => "$network.1");
my $hostile = '<script>document.title="taken"</script><img src=x onerror="document.title=1">';
my @zones = map { sprintf 'list-%02d.example.test', $_ } 1 .. 24;

sub shot { my ($name, %option) = @_; $browser->shot("$artefacts/$name.png", %option) }

sub ended {
	$browser->wait('the end of the check', 'return ["done", "trouble"].includes(document.body.dataset.run)');
	return $browser->js('return document.body.dataset.run');
}

# As a person does, from anywhere in the page.
sub type_in {
	my ($query) = @_;
	$browser->js('document.activeElement.blur()');
	$browser->press('/', $query, 'Enter');
}

sub check {
	my ($query) = @_;
	$browser->js('document.body.dataset.run = ""');
	type_in($query);
	return ended();
}

sub verdict { $browser->text('#verdict-words') }
sub focused { $browser->js('return document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim()') }
sub fits { ok $browser->js('return document.documentElement.scrollWidth <= innerWidth'), "$_[0]: nothing is wider than the page" }

# Nothing but what the browser says of answers that are no 200, or broke off.
sub console_is_quiet {
	my @lines = grep { !/Failed to load resource/ } $browser->console;
	is_deeply \@lines, [], "$_[0]: the console has no errors";
}

# Contrast of each text that is seen against its ground (WCAG 1.4.3), and controls without a name (4.1.2).
my $measure = <<'END';
	const parse = (text) => { const c = (text.match(/[\d.]+/g) ?? []).map(Number); return { c: c.slice(0, 3), a: c[3] ?? 1 }; };
	const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
	const rgb = (text) => {
		canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
		const d = canvas.getImageData(0, 0, 1, 1).data; return { c: [d[0], d[1], d[2]], a: d[3] / 255 };
	};
	const over = (top, under) => top.c.map((v, i) => v * top.a + under[i] * (1 - top.a));
	const light = (c) => c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = (e) => {
		const own = e ? rgb(getComputedStyle(e).backgroundColor) : { c: [255, 255, 255], a: 1 };
		return own.a === 1 ? own.c : over(own, ground(e.parentElement));
	};
	const wrong = [];
	for (const e of document.querySelectorAll('body *')) {
		const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== '');
		if (!text || !e.checkVisibility() || e.closest('.hush, .skip, :disabled, option, svg, noscript')) continue;
		const style = getComputedStyle(e), size = parseFloat(style.fontSize);
		if (size === 0) continue;
		const under = ground(e), ink = rgb(style.color);
		ink.a *= Number(style.opacity);
		const [a, b] = [light(over(ink, under)), light(under)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
		if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ${e.className} ${e.textContent.trim().slice(0, 40)}`);
	}
	for (const e of document.querySelectorAll('a, button, input, progress, summary, [tabindex="0"]')) {
		if (!e.checkVisibility()) continue;
		const name = e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent;
		if (!name) wrong.push('no name: ' + e.outerHTML.slice(0, 80));
	}
	return [...new Set(wrong)].slice(0, 10);
END
sub reads_well { is_deeply $browser->js($measure), [], "$_[0]: contrast, and names of controls" }

# ---- a server of the test's own

my @lists = map { sprintf 'list-%02d', $_ } 1 .. 40;
my @long = map { sprintf 'of-a-network-%02d', $_ } 0 .. $#lists;
my %calls;

sub stream_begin {
	my ($stream, $query, $kind, %more) = @_;
	$stream->say({ type => 'begin', query => $query, kind => $kind, lists => scalar @lists, subjects => 1, %more });
}

# All lists' answers of a subject, `listed` of them listings.
sub stream_subject {
	my ($stream, $subject, $listed, %more) = @_;
	$stream->say({ type => 'target', subject => $subject, from => $more{from} // '' });
	for my $i (0 .. $#lists) {
		my $said = $i < $listed ? 'listed' : 'clean';
		$stream->list($subject, $lists[$i], $said, $said eq 'listed' ? (kind => 'spam', codes => ['127.0.0.2'], %{ $more{list} // {} }) : ());
		$stream->pause($more{pause}) if $more{pause};
	}
	$stream->say({ type => 'subject', subject => $subject, listed => $listed, clean => @lists - $listed, unknown => 0,
		skipped => 0, weight => $listed, ms => 20 });
}

my %script = (
	'192.0.2.1' => sub {
		my ($stream) = @_;
		stream_begin($stream, '192.0.2.1', 'address');
		stream_subject($stream, '192.0.2.1', 2, pause => 0.1);
		$stream->end(listed => 1);
	},
	'192.0.2.2' => sub {	# cut in the middle
		my ($stream) = @_;
		stream_begin($stream, '192.0.2.2', 'address');
		$stream->list('192.0.2.2', 'list-01', 'listed', kind => 'spam');
		$stream->list('192.0.2.2', 'list-02', 'clean');
		$stream->pause(0.3);
		$stream->say('{"type":"list","subj');
	},
	'192.0.2.3' => sub {	# links that are none of the web's, markup everywhere
		my ($stream) = @_;
		stream_begin($stream, $hostile, 'address');
		my $subject = $hostile;
		$stream->list($subject, "$hostile", 'listed', kind => $hostile, zone => $hostile, codes => [$hostile], terms => $hostile,
			site => 'javascript:document.title="taken"', removal => 'data:text/html,<script>1</script>');
		$stream->list($subject, "clean $hostile", 'clean', why => $hostile, site => 'javascript:1');
		$stream->say({ type => 'text', subject => $subject, list => $hostile, text => $hostile });
		$stream->say({ type => 'origin', subject => $subject, as => $hostile, as_name => $hostile, prefix => $hostile, country => $hostile });
		$stream->say({ type => 'ptr', subject => $subject, names => [$hostile], confirmed => JSON::PP::false });
		$stream->say('not JSON at all');
		$stream->say('null') for 1 .. 2;
		$stream->end(listed => 1);
	},
	'192.0.2.4' => sub {
		my ($stream) = @_;
		stream_begin($stream, '192.0.2.4', 'address');
		$stream->list('192.0.2.4', $_, 'unknown', why => 'no answer within 2000 ms') for @lists;
		$stream->say({ type => 'subject', subject => '192.0.2.4', listed => 0, clean => 0, unknown => scalar @lists, skipped => 0, weight => 0, ms => 2000 });
		$stream->end(unknown => 1);
	},
	'192.0.2.7' => sub {
		my ($stream) = @_;
		stream_begin($stream, '192.0.2.7', 'address');
		$stream->list('192.0.2.7', $lists[$_], $_ < 5 ? 'clean' : 'unknown') for 0 .. $#lists;
		$stream->say({ type => 'subject', subject => '192.0.2.7', listed => 0, clean => 5, unknown => @lists - 5, skipped => 0, weight => 0, ms => 2000 });
		$stream->end(clean => 1);
	},
	'inside.example.com' => sub {
		my ($stream) = @_;
		stream_begin($stream, 'inside.example.com', 'name', subjects => undef);
		stream_subject($stream, 'inside.example.com', 0);
		$stream->say({ type => 'target', subject => '10.1.2.3', from => 'A' });
		$stream->say({ type => 'subject', subject => '10.1.2.3', listed => 0, clean => 0, unknown => 0, skipped => 0, weight => 0, ms => 0, why => 'private' });
		$stream->end(subjects => 2, clean => 1, skipped => 1);
	},
	'192.0.2.8' => sub {	# only lists without weight name it
		my ($stream) = @_;
		stream_begin($stream, '192.0.2.8', 'address');
		$stream->list('192.0.2.8', "uceprotect-$_", 'listed', kind => 'reputation', codes => ['127.0.0.2'], weight => 0,
			site => 'https://list.example/', removal => 'https://list.example/off') for 2, 3;
		$stream->list('192.0.2.8', "spamhaus-$long[$_]", 'clean', zone => "zen.$long[$_].spamhaus.example", site => 'https://list.example/') for 2 .. $#lists;
		$stream->say({ type => 'subject', subject => '192.0.2.8', listed => 0, noted => 2, clean => @lists - 2, unknown => 0, skipped => 0, weight => 0, ms => 20 });
		$stream->end(clean => 1, noted => 1);
	},
	'192.0.2.9' => sub {	# and beside one with a weight
		my ($stream) = @_;
		stream_begin($stream, '192.0.2.9', 'address');
		$stream->list('192.0.2.9', 'uceprotect-3', 'listed', kind => 'reputation', codes => ['127.0.0.2'], weight => 0);
		$stream->list('192.0.2.9', 'list-01', 'listed', kind => 'spam', codes => ['127.0.0.2'], removal => 'https://list.example/off');
		$stream->list('192.0.2.9', $lists[$_], 'clean') for 2 .. $#lists;
		$stream->say({ type => 'subject', subject => '192.0.2.9', listed => 1, noted => 1, clean => @lists - 2, unknown => 0, skipped => 0, weight => 1, ms => 20 });
		$stream->end(listed => 1);
	},
	'192.0.2.16/28' => sub {
		my ($stream) = @_;
		stream_begin($stream, '192.0.2.16/28', 'network', subjects => 16, prefix => 28);
		for my $i (16 .. 31) {
			$stream->list("192.0.2.$i", 'uceprotect-3', 'listed', kind => 'reputation', weight => 0);
			$stream->list("192.0.2.$i", 'list-01', 'listed', kind => 'spam') if $i == 20;
			$stream->say({ type => 'subject', subject => "192.0.2.$i", listed => $i == 20 ? 1 : 0, noted => 1, clean => 38, unknown => 0, skipped => 0,
				weight => $i == 20 ? 1 : 0, ms => 1 });
		}
		$stream->end(subjects => 16, listed => 1, clean => 15, noted => 15);
	},
	'192.0.2.5' => sub { $_[0]->refuse(503, 'the daemon is ending', 'Retry-After: 1') },
	'192.0.2.6' => sub { close $_[0]{client} },
	'mail.example.com' => sub {
		my ($stream) = @_;
		stream_begin($stream, 'mail.example.com', 'name', subjects => undef);
		stream_subject($stream, 'mail.example.com', 0);
		stream_subject($stream, '192.0.2.10', 0, from => 'A');
		stream_subject($stream, '2001:db8::25', 3, from => 'MX mx.example.com');
		$stream->end(subjects => 3, listed => 1, clean => 2);
	},
	'192.0.2.0/20' => sub {
		my ($stream) = @_;
		stream_begin($stream, '192.0.0.0/20', 'network', subjects => 4096, prefix => 20);
		for my $i (0 .. 4095) {
			my $subject = sprintf '192.0.%d.%d', $i >> 8, $i & 255;
			my $listed = $i % 37 == 0 ? 1 + $i % 3 : 0;
			$stream->list($subject, $lists[$_], 'listed', kind => 'spam', weight => 0.8) for 0 .. $listed - 1;
			$stream->say({ type => 'subject', subject => $subject, listed => $listed, clean => 40 - $listed, unknown => 0, skipped => 0, weight => 0.8 * $listed, ms => 1 });
		}
		$stream->end(subjects => 4096, listed => 111, clean => 3985);
	},
);
my $made_up = Penstock::PageServer->start(page => "$Penstock::Live::source/milter/web/page", answer => sub {
	my ($query, $stream) = @_;
	return $script{$query}->($stream) if $script{$query};
	$stream->refuse(400, 'this is no address, no host name and no network');
});

part 'answers show as they come, and Escape stops' => sub {
	$browser->emulate;
	$browser->open("$made_up->{url}/rbl");
	is $browser->js('return document.activeElement.id'), 'q', 'the field has the focus';
	$browser->press('192.0.2.1', 'Enter');
	$browser->wait('the first answers', 'return document.querySelectorAll(".cell:not(.wait)").length > 3');
	is $browser->text('.card .name'), 'list-01', 'what is listed comes first';
	like verdict(), qr/^Listed by \d lists? so far$/, 'the verdict says that it is not the last word';
	my $share = $browser->js('return document.querySelector("#progress").value');
	cmp_ok $share, '<', 1, 'the bar is on its way';
	is $browser->count('.card') + $browser->count('.cell'), @lists, 'places of answers that are awaited are kept';
	shot('running');
	$browser->press('Escape');
	is ended(), 'trouble', 'stopped';
	like $browser->text('#notice'), qr/Stopped/, 'and says so';
	is $browser->count('.card'), 2, 'what came stays';
	is verdict(), 'Listed by at least 2 lists', 'the verdict claims no more than is known';
	is $browser->count('.cell.wait'), 0, 'nothing is awaited any more';
};

part 'nothing jumps while answers come' => sub {
	$browser->open("$made_up->{url}/rbl?q=192.0.2.1");
	$browser->wait('the first answers', 'return document.querySelectorAll(".cell:not(.wait)").length > 3');
	$browser->js(<<'END');
		const places = () => [...document.querySelectorAll('#verdict, .facts, .listings, .rest, .card')].map((e) => e.getBoundingClientRect().top)
			.concat(document.body.dataset.run === 'going' ? document.querySelector('.cell').getBoundingClientRect().left : [], document.body.scrollHeight).join();
		const cell = document.querySelector('.cell'), at = places();
		window.jumps = [];
		const look = () => {
			if (document.body.dataset.run === 'going' && document.querySelector('.cell') !== cell) window.jumps.push('the first cell is another');
			const now = places();
			if (document.body.dataset.run === 'going' && now !== at) window.jumps.push(at + ' became ' + now);
			requestAnimationFrame(look);
		};
		look();
END
	is ended(), 'done', 'done';
	is_deeply $browser->js('return window.jumps.slice(0, 3)'), [], 'each thing stays where it was shown first';
};

part 'a stream that is cut loses nothing' => sub {
	is check('192.0.2.2'), 'trouble', 'it is noticed';
	like $browser->text('#notice'), qr/broke off/, 'and said';
	is $browser->count('.card'), 1, 'the listing is kept';
	ok $browser->seen('#again'), 'one can try again';
	shot('cut');
	is check('nonsense'), 'trouble', 'a refusal after it';
	is $browser->text('#asked'), '192.0.2.2', 'leaves the answers of the one before';
	is $browser->count('.card'), 1, 'all of them';
};

part 'refusals and a server that is away' => sub {
	check('nonsense');
	like $browser->text('#notice'), qr/This is no address, no host name and no network\./, 'the sentence of the server';
	like $browser->text('#notice'), qr/Type a public address/, 'and what to do';
	is $browser->js('return document.querySelector("#q").getAttribute("aria-invalid")'), 'true', 'the field is marked';
	check('192.0.2.5');
	like $browser->text('#notice'), qr/The daemon is ending/, 'status 503';
	$browser->wait('the end of the waiting', 'return !document.querySelector("#again").disabled');
	like $browser->text('#notice'), qr/You can try again now/, 'after Retry-After one can try again';
	check('192.0.2.6');
	like $browser->text('#notice'), qr/could not be reached/, 'no answer at all';
	check('192.0.2.4');
	is verdict(), 'No list answered', 'lists that are silent are no clean address';
	check('192.0.2.7');
	is verdict(), 'Not listed, as far as 5 of 40 lists know', 'nor are few answers';
	type_in('   ');
	like $browser->text('#notice'), qr/nothing to check/, 'an empty field';
};

part 'hostile answers are text' => sub {
	is check('192.0.2.3'), 'done', 'shown to the end';
	like $browser->text('.card .texts'), qr/\Q<script>document.title\E/, 'the TXT record as it came';
	is $browser->count('#results script, #results img'), 0, 'no element came of it';
	is $browser->count('#results a[href^="javascript"], #results a[href^="data"], .card a'), 0, 'no link of another scheme';
	unlike $browser->title, qr/^(?:taken|1)$/, 'nothing ran';
	like $browser->text('#notice'), qr/could not be read/, 'a line that is no JSON is told';
	console_is_quiet('hostile answers');
};

part 'a host name: each address has its section' => sub {
	is check('mail.example.com'), 'done', 'done';
	is verdict(), 'Listed: 1 of 2 addresses', 'the verdict';
	is $browser->count('.subject'), 3, 'the name and two addresses';
	$browser->click('#jumps a');
	like $browser->js('return document.activeElement.innerText'), qr/2001:db8::25\s+MX mx\.example\.com\s+Listed by 3 of 40 lists/, 'a link leads to what is listed';
	is $browser->count('.cell'), 0, 'other lists are folded';
	$browser->click('.subject:last-child summary');
	ok $browser->wait('the other lists', 'return document.querySelectorAll(".cell").length === 37'), 'and unfold';
	$browser->js('scrollTo(0, 0)');
	shot('name', whole => 1);
	reads_well('a name');
};

part 'lists without weight make nothing listed' => sub {
	$browser->emulate;
	is check('192.0.2.8'), 'done', 'done';
	is verdict(), 'Clean', 'the verdict';
	is $browser->js('return document.querySelector("#verdict").dataset.state'), 'clean', '... and its colour';
	like $browser->text('#verdict-more'), qr/^named by 2 lists without weight/, '... with a note';
	is $browser->text('#n-listed'), 0, 'none is counted as listed';
	is $browser->text('#n-noted'), 2, 'they are counted apart';
	is $browser->text('.subject > .noted h4'), 'Also named by 2 lists without weight', 'and shown apart';
	is $browser->count('.subject > .noted .card'), 2, '... each with its card';
	is $browser->count('.listings .card'), 0, '... none among the listings';
	like $browser->text('.listings'), qr/No listing by 38 lists that answered/, 'where there is none';
	is $browser->js('return [...document.querySelectorAll(".noted, .noted *")].filter((e) => getComputedStyle(e).color === getComputedStyle(document.querySelector(".counters .listed")).color).length'),
		0, 'nothing of it is in the colour of a listing';
	reads_well('lists without weight, light');
	shot('noted', whole => 1);
	$browser->emulate(scheme => 'dark');
	reads_well('lists without weight, dark');
	for my $width (390, 360, 320) {
		$browser->emulate(width => $width, height => 740, mobile => 1);
		fits("$width px");
		is_deeply $browser->js('return [...document.querySelectorAll(".cell .name, .cell .zone, .card .name, .counters dt")].filter((e) => e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight + 1).map((e) => e.textContent).slice(0, 3)'),
			[], "$width px: no name is cut";
		cmp_ok $browser->js('return Math.max(...[...document.querySelectorAll(".counters dt")].map((e) => e.checkVisibility() ? e.getClientRects()[0].height : 0))'),
			'<', 24, "$width px: nor is a heading of the counters broken";
	}
	shot('noted-phone', whole => 1);
	$browser->emulate;
	check('192.0.2.9');
	is verdict(), 'Listed by 1 of 40 lists', 'beside a listing: the verdict counts that';
	like $browser->text('#verdict-more'), qr/also named by 1 list without weight/, '... with a note';
	is $browser->count('.listings .card'), 1, '... one listing';
	check('192.0.2.16/28');
	is verdict(), '1 of 16 addresses listed', 'a network';
	is $browser->count('.heat .sq.noted'), 15, '... a colour of their own';
	is $browser->count('.worst tbody tr'), 1, '... no row in the table of listed addresses';
	is $browser->text('.worst tbody td:last-child'), 'list-01', '... nor a name';
	like $browser->js('return document.querySelector(".heat .sq.noted").title'), qr/^192\.0\.2\.16: clean, named by 1 list without weight$/, '... and words';
	reads_well('the map');
	shot('noted-map');
};

# What assistive programs call a control must have in it what is seen of it: who speaks to his computer says that.
my $label_mismatch = <<'END';
	const words = (text) => text.toLowerCase().replace(/\s+/g, ' ').trim();
	return [...document.querySelectorAll('a, button, summary, [role=gridcell], [role=rowheader]')].filter((e) => e.checkVisibility())
		.filter((e) => e.hasAttribute('aria-label') && !words(e.getAttribute('aria-label')).includes(words(e.innerText)))
		.map((e) => e.innerText + ' is called ' + e.getAttribute('aria-label')).slice(0, 5);
END

part 'names of controls have their visible text in them' => sub {
	for my $query ('192.0.2.8', '192.0.2.9', 'mail.example.com', '192.0.2.16/28') {
		check($query);
		is_deeply $browser->js($label_mismatch), [], $query;
	}
};

part 'a name with a private address' => sub {
	check('inside.example.com');
	is verdict(), 'Clean', 'the verdict is about what was asked';
	like $browser->text('.subject:last-child'), qr/10\.1\.2\.3.*Not asked: private/s, 'and that section says why it was not';
};

part 'a /20' => sub {
	is check('192.0.2.0/20'), 'done', 'done';
	is $browser->count('.heat .sq'), 4096, 'a square for each address';
	is $browser->count('.heat .row'), 64, 'in 64 rows';
	is verdict(), '111 of 4,096 addresses listed', 'the verdict';
	shot('map-20', whole => 1);
	fits('a /20');
	$browser->emulate(width => 320, height => 640, mobile => 1);
	$browser->wait('fewer columns', 'return document.querySelectorAll(".heat .row").length === 128');
	fits('a /20 on a phone');
};

# ---- the daemon

part 'with the daemon' => sub {
	my %rows = map { $_ => {} } @zones;
	$rows{$zones[0]} = { $address{spam} => '127.0.0.2', $address{worst} => '127.0.0.2', $address{hostile} => "127.0.0.2:$hostile" };
	$rows{$zones[1]} = { $address{worst} => '127.0.0.4' };
	$rows{$zones[2]} = { $address{policy} => '127.0.0.10', $address{worst} => '127.0.0.10' };
	$rows{'origin.example.test'} = { map { $_ => "127.0.0.2:64496 | $network.0/24 | DE | test | 2001-01-01 " } values %address, "$network.0" };
	my $dns = Penstock::Rbldnsd->start(folder => $folder, port => free_port('udp'), zones => \%rows);
	my $http = free_port('tcp');
	mkdir "$folder/run";
	chown((getpwnam 'nobody')[2, 3], "$folder/run");
	my $daemon = Penstock::Daemon->new(folder => $folder, build => $build, config => {
		user => 'nobody',
		node => 'page',
		milter => { socket => "unix:$folder/run/milter.sock", socket_group => '' },
		log => { target => 'stderr' },
		control => { socket => "$folder/run/control.sock" },
		socketmap => { listen => "unix:$folder/run/socketmap.sock" },
		redis => { server => "unix:$folder/redis.sock" },
		http => { listen => "127.0.0.1:$http", rbl_per_minute => 60, rbl_burst => 300, rbl_total_per_minute => 10000 },
		dns => { servers => ["127.0.0.1:$dns->{port}"], timeout_ms => 1000, inflight => 100 },	# rbldnsd's socket takes no more at once
		catalogue => { file => '' },
		origin => { zone4 => 'origin.example.test', zone6 => '', names => '' },
		blocklists => [ map { { zone => $_, weight => '1.0', action => 'signal',
			codes => ['127.0.0.2 spam', '127.0.0.4-127.0.0.7 exploit', '127.0.0.10 policy'] } } @zones ],
	});
	$daemon->start;
	$browser->emulate;
	with_daemon("http://127.0.0.1:$http");
	$daemon->stop;
};

sub with_daemon {
	my ($url) = @_;
	part 'a listed address, by keyboard only' => sub {
		$browser->open("$url/rbl");
		$browser->console;
		shot('idle');
		$browser->press('Shift+Tab', 'Shift+Tab');
		is focused(), 'Skip to the answers', 'the first stop of Tab skips what is above';
		$browser->press('/', $address{worst}, 'Enter');
		is ended(), 'done', 'done';
		is verdict(), 'Listed by 3 of ' . @zones . ' lists', 'the verdict';
		is $browser->count('.card'), 3, 'three listings';
		is $browser->count('.cell.clean'), @zones - 3, 'the others are clean';
		like $browser->text('.facts'), qr/AS64496.*\Q$network\E\.0\/24.*Germany/s, 'AS number, prefix, country';
		like $browser->text('.card'), qr/127\.0\.0\.\d.*listed for the test/s, 'code and TXT record';
		like $browser->url, qr/\?q=\Q$address{worst}\E$/, 'the address bar has it';
		like $browser->text('#live'), qr/Listed by 3 of/, 'a screen reader hears the verdict';
		$browser->press('Tab', 'Tab', 'Tab');
		ok $browser->js('return document.activeElement.matches(":focus-visible") && getComputedStyle(document.activeElement).outlineStyle !== "none"'), 'the focus is seen';
		shot('listed');
		reads_well('listed, light');
		console_is_quiet('a check');
	};
	part 'a clean address, and the back button' => sub {
		is check($address{clean}), 'done', 'done';
		is verdict(), 'Clean', 'the verdict';
		is $browser->count('.cell.clean'), scalar @zones, 'each list has a cell';
		shot('clean');
		$browser->back;
		$browser->wait('the answers of before', 'return document.querySelector("#asked").textContent === arguments[0]', $address{worst});
		is $browser->count('.card'), 3, 'back: its listings are there again';
		$browser->forward;
		$browser->wait('the answers after', 'return document.querySelector("#asked").textContent === arguments[0]', $address{clean});
		$browser->open("$url/rbl?q=$address{spam}");
		is ended(), 'done', 'an address that somebody shared is checked at once';
		is verdict(), 'Listed by 1 of ' . @zones . ' lists', 'with its verdict';
	};
	part 'a TXT record with a script in it' => sub {
		is check($address{hostile}), 'done', 'done';
		like $browser->text('.card .texts'), qr/\Q<script>document.title="taken"<\/script>\E/, 'it is shown as text';
		is $browser->count('#results script, #results img'), 0, 'and is no element';
		console_is_quiet('hostile TXT');
	};
	part 'dark, and a phone' => sub {
		$browser->open("$url/rbl?q=$address{worst}");
		ended();
		$browser->emulate(scheme => 'dark');
		reads_well('listed, dark');
		shot('listed-dark');
		for my $width (360, 320) {
			$browser->emulate(scheme => 'dark', width => $width, height => 740, mobile => 1);
			fits("$width px");
		}
		$browser->emulate(width => 360, height => 740, mobile => 1);
		reads_well('on a phone');
		shot('phone', whole => 1);
		$browser->emulate;
	};
	part 'errors' => sub {
		for my $wrong ('10.1.2.3', '127.0.0.1', 'no such thing', '2001:db8::/32', '<script>') {
			is check($wrong), 'trouble', 'refused: ' . substr $wrong, 0, 20;
			like $browser->text('#notice'), qr/^\s*[A-Z0-9"<].{10,}/s, 'with a sentence';
			is $browser->text('#asked'), $address{worst}, 'the answers of before stay';
		}
		shot('error');
		reads_well('an error');
		$browser->open("$url/rbl?q=" . 'x' x 10000);
		is ended(), 'trouble', 'a question of 10 KB in the address';
		like $browser->text('#notice'), qr/\w{5,}/, 'with a sentence';
		fits('10 KB');
		console_is_quiet('errors');
	};
	part 'a network: its map by keyboard, then the limit' => sub {
		is check("$network.0/24"), 'done', 'done';
		is verdict(), '4 of 256 addresses listed', 'the verdict';
		is $browser->text('#n-unknown'), 0, 'each was answered';
		like $browser->text('.network .origin'), qr/AS64496 · \Q$network\E\.0\/24 · Germany/, 'whose network it is';
		is $browser->count('.heat .sq'), 256, 'a square for each address';
		is $browser->count('.heat .row'), 16, 'in rows of 16';
		is $browser->count('.sq[tabindex="0"]'), 1, 'the map is one stop of Tab';
		$browser->js('document.querySelector(".sq[tabindex=\"0\"]").focus()');
		$browser->press(('ArrowDown') x 4, ('ArrowRight') x 13);
		is focused(), "$address{worst}: listed by 3 lists, weight 3", 'arrow keys go to an address';
		$browser->press('Enter');
		is $browser->count('.chosen .card'), 3, 'Enter shows its lists';
		shot('map');
		$browser->emulate(scheme => 'dark');
		shot('map-dark');
		reads_well('the map, dark');
		$browser->emulate(width => 360, height => 740, mobile => 1);
		fits('the map on a phone');
		shot('map-phone', whole => 1);
		$browser->emulate;
		reads_well('the map, light');
		is check("$network.0/24"), 'trouble', 'once more is over the limit';
		like $browser->text('#notice'), qr/Try again in \d+ s/, 'it counts down';
		my ($left) = $browser->text('#notice-timer') =~ /(\d+)/;
		$browser->wait('the count-down', 'return parseInt(document.querySelector("#notice-timer").textContent.match(/\d+/)) < arguments[0]', $left);
		ok $browser->js('return document.querySelector("#again").disabled'), 'until then there is no trying again';
		is $browser->count('.heat .sq'), 256, 'the map stays';
		shot('limit');
		$browser->click('.chosen .alone');
		like $browser->url, qr/q=\Q$address{worst}\E$/, 'a link leads to the address alone';
		console_is_quiet('a network');
	};
}

done_testing;
