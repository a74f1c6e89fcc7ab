# SPDX-License-Identifier: BSD-2-Clause
#
# Browser: a headless Chromium of the test's own, driven through chromedriver (W3C WebDriver). It knows no host but
# 127.0.0.1, keeps its files in the test's folder, and ends with the test.

package Penstock::Browser;

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use Penstock::Process qw(at_end free_port need_program start_program stop_process wait_for wait_ready write_file);

my $json = JSON::PP->new->utf8->allow_nonref;
my $element = 'element-6066-11e4-a52e-4f735466cecf';	# the protocol's own name of an element
our %key = (
	Enter => "\x{E007}", Escape => "\x{E00C}", Tab => "\x{E004}", Shift => "\x{E008}",
	ArrowLeft => "\x{E012}", ArrowUp => "\x{E013}", ArrowRight => "\x{E014}", ArrowDown => "\x{E015}",
	Home => "\x{E011}", End => "\x{E010}",
);

# Options: folder.
sub start {
	my ($class, %option) = @_;
	my $self = bless { %option, port => free_port('tcp'), http => HTTP::Tiny->new(timeout => 60, proxy => undef, http_proxy => undef) }, $class;
	my $profile = "$self->{folder}/chromium";
	mkdir $profile;
	my $program = need_program('chromium', 'chromium');
	local @ENV{qw(HOME XDG_CONFIG_HOME XDG_CACHE_HOME TMPDIR)} = ($profile) x 4;
	$self->{pid} = start_program('chromedriver', "$self->{folder}/chromedriver.log",
		need_program('chromedriver', 'chromium-driver'), "--port=$self->{port}", '--allowed-ips=127.0.0.1');
	wait_ready($self->{pid}, "$self->{folder}/chromedriver.log", 60, sub { eval { $self->_call('GET', '/status')->{ready} } });
	at_end(sub { $self->stop });
	my $session = $self->_call('POST', '/session', { capabilities => { alwaysMatch => {
		browserName => 'chrome',
		'goog:loggingPrefs' => { browser => 'ALL' },
		'goog:chromeOptions' => { binary => $program, args => [
			"--user-data-dir=$profile", '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
			'--disable-domain-reliability', '--no-default-browser-check', '--disable-extensions', '--hide-scrollbars',
			'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', '--window-size=1280,900',
		] },
	} } });
	$self->{session} = "/session/$session->{sessionId}";
	my $pid = $session->{capabilities}{'goog:processID'};
	$self->{group} = getpgrp $pid if $pid;
	return $self;
}

# Chromium is in a process group of its own, or in chromedriver's; what does not end by itself is ended with that.
sub stop {
	my ($self) = @_;
	my ($session, $group) = delete @{$self}{qw(session group)};
	eval { $self->_call('DELETE', $session) } if $session;
	stop_process(delete $self->{pid}, 10);
	return if !$group || $group <= 1 || $group == getpgrp;
	return if eval { wait_for(5, 'the end of chromium', sub { !kill 0, -$group }) };
	kill 'KILL', -$group;
	wait_for(5, 'the end of chromium', sub { !kill 0, -$group });
}

sub _call {
	my ($self, $method, $path, $body) = @_;
	my %request = $body ? (content => $json->encode($body), headers => { 'Content-Type' => 'application/json' }) : ();
	my $answer = $self->{http}->request($method, "http://127.0.0.1:$self->{port}$path", \%request);
	my $value = eval { $json->decode($answer->{content})->{value} };
	return $value if $answer->{success};
	my $message = ref $value eq 'HASH' ? "$value->{error}: $value->{message}" : $answer->{content};
	$message =~ s/\n.*//s;
	die "WebDriver $method $path: $message\n";
}

sub _do { my ($self, $method, $path, $body) = @_; $self->_call($method, "$self->{session}$path", $body) }

sub open { $_[0]->_do('POST', '/url', { url => $_[1] }) }
sub url { $_[0]->_do('GET', '/url') }
sub title { $_[0]->_do('GET', '/title') }
sub back { $_[0]->_do('POST', '/back', {}) }
sub forward { $_[0]->_do('POST', '/forward', {}) }

# The value of JavaScript, a function's body; further arguments are `arguments` there.
sub js {
	my ($self, $script, @arguments) = @_;
	return $self->_do('POST', '/execute/sync', { script => $script, args => \@arguments });
}

sub text { $_[0]->js('return document.querySelector(arguments[0])?.innerText ?? null', $_[1]) }
sub count { $_[0]->js('return document.querySelectorAll(arguments[0]).length', $_[1]) }

# Is there one that is seen?
sub seen {
	return $_[0]->js('return [...document.querySelectorAll(arguments[0])].some((e) => e.checkVisibility())', $_[1]);
}

sub wait {
	my ($self, $what, $script, @arguments) = @_;
	return wait_for(30, $what, sub { $self->js($script, @arguments) });
}

sub click {
	my ($self, $selector) = @_;
	my $found = $self->_do('POST', '/element', { using => 'css selector', value => $selector });
	$self->_do('POST', "/element/$found->{$element}/click", {});
}

# Keys as a person presses them, at whatever has the focus: text, or names of %key; "Shift+Tab" is both together.
sub press {
	my ($self, @keys) = @_;
	my @actions;
	for my $word (@keys) {
		my @together = $word =~ /^Shift\+(\w+)$/ ? ($key{Shift}, $key{$1}) : ();
		if (@together) {
			push @actions, map({ { type => 'keyDown', value => $_ } } @together), map { { type => 'keyUp', value => $_ } } reverse @together;
			next;
		}
		for my $one ($key{$word} // split //, $word) {
			push @actions, { type => 'keyDown', value => $one }, { type => 'keyUp', value => $one };
		}
	}
	$self->_do('POST', '/actions', { actions => [{ type => 'key', id => 'keyboard', actions => \@actions }] });
}

# Chromium's own protocol, for what WebDriver has no word for.
sub chromium {
	my ($self, $command, %parameters) = @_;
	return $self->_do('POST', '/goog/cdp/execute', { cmd => $command, params => \%parameters });
}

# scheme: light or dark; width, height: of the page; touch; still: less motion.
sub emulate {
	my ($self, %want) = @_;
	$self->chromium('Emulation.setEmulatedMedia', features => [
		{ name => 'prefers-color-scheme', value => $want{scheme} // 'light' },
		{ name => 'prefers-reduced-motion', value => $want{still} // 1 ? 'reduce' : 'no-preference' },
	]);
	$self->chromium('Emulation.setDeviceMetricsOverride', width => $want{width} // 1280, height => $want{height} // 900,
		deviceScaleFactor => 1, mobile => $want{mobile} ? JSON::PP::true : JSON::PP::false);
}

# What the console has said since it was last read.
sub console {
	my ($self) = @_;
	return map { "$_->{level}: $_->{message}" } @{ $self->_do('POST', '/se/log', { type => 'browser' }) };
}

# A picture of what is seen, or of the whole page.
sub shot {
	my ($self, $file, %option) = @_;
	my $picture = $self->chromium('Page.captureScreenshot', format => 'png', captureBeyondViewport => $option{whole} ? JSON::PP::true : JSON::PP::false);
	write_file($file, decode_base64($picture->{data}));
}

1;
