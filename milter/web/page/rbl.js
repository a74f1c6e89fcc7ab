// SPDX-License-Identifier: BSD-2-Clause
//
// rbl: asks /api/v1/rbl and has the answers shown as they come. Lines of the stream wait in a queue and are shown once
// a frame. How a list, an address and a network look is in rbl_view.js; here are the run from the question to the last
// line, the asking, what is told beside the answers, and the controls.

import { Network, Subject, alsoNamed, counted, glyph, known, number, pageFor, shorter, toNumber } from './rbl_view.js';

const $ = (id) => document.getElementById(id);
const FRAME_MS = 8;		// work on the queue in one frame
const LIVE_MS = 4000;		// between two sentences for a screen reader
const KEEP_RUNS = 8, KEEP_LINES = 20000;	// for the back button

// ---- one run: from the question to the last line

class Run {
	constructor(query) {
		this.query = query;
		this.controller = new AbortController();
		this.lines = [];	// all of them, for the back button
		this.next = 0;		// the first that is not shown yet
		this.subjects = new Map();
		this.sums = { listed: 0, noted: 0, unknown: 0, clean: 0, skipped: 0 };
		this.answers = 0;
		this.finished = 0;	// subjects
		this.weight = 0;
		this.progress = 0;
		this.begun = this.ended = false;
		this.lists = 0;
	}

	take(line) {
		const handler = line && { begin: 'begin', target: 'subject', list: 'list', text: 'text', origin: 'origin', ptr: 'ptr', subject: 'close', end: 'end' }[line.type];
		if (!handler || (!this.begun && handler !== 'begin' && handler !== 'end')) return;
		this[handler](line);
	}

	begin(line) {
		this.begun = true;
		this.kind = line.kind;
		this.asked = String(line.query ?? this.query);
		this.lists = Math.min(number(line.lists), 1000);
		this.single = line.kind === 'address';
		this.network = null;
		shown = this;
		$('idle').hidden = true;
		$('verdict').hidden = false;
		const answers = $('answers');
		answers.className = line.kind === 'network' ? '' : this.single ? 'single' : 'several';
		answers.replaceChildren();
		if (line.kind === 'network') this.map(line);
		else if (this.single) this.subject({ subject: this.asked, from: '' });
	}

	map(line) {
		const first = toNumber(this.asked.split('/')[0]);
		if (first === null || !(line.prefix >= 20 && line.prefix <= 32)) return;
		this.network = new Network(this, line.prefix, first);
		this.total = this.network.size;
		$('answers').append(this.network.element);
		this.network.lay();
	}

	subject(line) {
		if (this.kind === 'network') return null;
		let subject = this.subjects.get(line.subject);
		if (subject) return subject;
		subject = new Subject(this, String(line.subject), line.from);
		this.subjects.set(line.subject, subject);
		$('answers').append(subject.element);
		return subject;
	}

	list(line) {
		this.answers++;
		if (this.network) this.network.list(line);
		else this.subject(line)?.list(line);
	}

	text(line) { (this.network ?? this.subjects.get(line.subject))?.text(line); }
	origin(line) { (this.network ?? this.subjects.get(line.subject))?.origin(line); }
	ptr(line) { this.subjects.get(line.subject)?.ptr(line); }

	close(line) {
		this.finished++;
		const state = line.listed ? 'listed' : line.why ? 'skipped' : known(line) ? 'clean' : 'unknown';
		this.sums[state]++;
		if (state !== 'listed' && number(line.noted)) this.sums.noted++;
		this.weight += number(line.weight);
		if (this.network) this.network.close(line);
		else this.subject(line)?.close(line);
	}

	end(line) {
		this.last = line;
		this.ended = true;
		this.whole = !line.error;
	}

	// No line comes any more.
	rest() {
		this.ended = true;
		for (const subject of this.subjects.values()) {
			if (!subject.done) subject.rested();
		}
	}

	// Of one address its lists, else the addresses.
	counts() {
		return this.single ? this.subjects.values().next().value?.counts ?? this.sums : this.sums;
	}

	share() {
		if (this.ended) return 1;
		let share = 0;
		if (this.network) share = this.finished / this.total;
		else if (this.subjects.size) {
			for (const subject of this.subjects.values()) {
				share += subject.done ? 1 : Math.min(0.99, subject.total() / (this.lists || 1));
			}
			share /= this.subjects.size;
		}
		return this.progress = Math.max(this.progress, share);
	}

	verdict() {
		if (this.single) return this.subjects.values().next().value.verdict();
		const { listed, unknown, clean } = this.sums, done = this.ended && this.whole;
		if (listed) {
			const light = this.network ? this.weight < 0.5 : [...this.subjects.values()].every((s) => s.light);
			const words = this.network ? this.listedSquares(listed, done) : this.listedNames() + (this.ended ? '' : ' so far');
			return { state: light ? 'light' : 'listed', words };
		}
		if (!this.ended) return { state: 'wait', words: 'No listing so far' };
		if (!done) return { state: 'unknown', words: 'Not finished' };
		if (!clean) return { state: 'unknown', words: this.sums.skipped && !unknown ? 'Nothing to ask the lists about' : 'No list answered' };
		if (unknown) return { state: 'unknown', words: `Clean as far as known: too few answers for ${unknown}` };
		return { state: 'clean', words: 'Clean' };
	}

	listedSquares(listed, done) {
		const all = (count) => counted(count, 'address', 'addresses');
		if (done) return `${listed.toLocaleString('en')} of ${all(this.total)} listed`;
		return this.ended ? `At least ${all(listed)} listed` : `${all(listed)} listed so far`;
	}

	listedNames() {
		const all = [...this.subjects.values()], listed = all.filter((s) => s.counts.listed);
		const addresses = all.filter((s) => s.address).length, bad = listed.filter((s) => s.address).length;
		const name = listed.length > bad ? 'the name itself' : '';
		const of = bad ? `${bad} of ${counted(addresses, 'address', 'addresses')}` : '';
		return 'Listed: ' + [name, of].filter(Boolean).join(' and ');
	}

	more() {
		const parts = [];
		if (this.single) {
			const subject = this.subjects.values().next().value;
			if (subject.kinds.size) parts.push([...subject.kinds].map(([kind, times]) => (times > 1 ? times + ' ' : '') + (kind ?? 'listed')).join(', '));
			if (subject.counts.listed) parts.push('weight ' + shorter(subject.weight));
			if (subject.counts.noted) parts.push(alsoNamed(subject.counts));
		} else if (this.network) {
			parts.push(`${this.finished.toLocaleString('en')} of ${counted(this.total, 'address', 'addresses')} checked`);
			if (this.sums.noted) parts.push(`${this.sums.noted.toLocaleString('en')} named by lists without weight`);
		} else {
			const names = [...this.subjects.values()].filter((s) => !s.address).length, addresses = this.subjects.size - names;
			parts.push(`${names ? 'the name and ' : ''}${counted(addresses, 'address', 'addresses')} checked`);
		}
		const skipped = this.single && this.ended ? this.counts().skipped : 0;
		parts.push(`${counted(this.lists - skipped, 'list')} asked`);
		if (Number.isFinite(this.last?.ms)) parts.push(this.last.ms < 1000 ? this.last.ms + ' ms' : (this.last.ms / 1000).toFixed(1) + ' s');
		if (this.remembered) parts.push('answers of ' + this.remembered);
		return parts.join(' · ');
	}

	// Links to the sections of what is listed: with many addresses they may be far down.
	jumps() {
		const listed = this.network || this.single ? [] : [...this.subjects.values()].filter((s) => s.counts.listed);
		$('jumps').hidden = !listed.length;
		if (this.jumped === listed.length) return;
		this.jumped = listed.length;
		$('jumps').replaceChildren(...listed.map((subject, i) => {
			const a = document.createElement('a');
			subject.element.id = 'listed-' + i;
			Object.assign(a, { href: '#listed-' + i, textContent: subject.name });
			a.addEventListener('click', (event) => {
				event.preventDefault();
				subject.element.scrollIntoView();
				subject.element.focus({ preventScroll: true });
			});
			return a;
		}));
	}

	draw(now) {
		if (!this.begun || shown !== this) return;
		const verdict = this.verdict(), counts = this.counts();
		$('verdict').dataset.state = verdict.state;
		$('verdict').classList.toggle('done', this.ended);
		glyph($('verdict-glyph').parentElement, verdict.state);
		$('asked').textContent = this.asked;
		$('verdict-words').textContent = verdict.words;
		$('verdict-more').textContent = this.more();
		for (const [name, count] of Object.entries(counts)) {
			$('n-' + name).textContent = count.toLocaleString('en');
			$('n-' + name).classList.toggle('none', !count);
		}
		$('n-skipped').parentElement.hidden = !this.single && !counts.skipped;
		$('n-noted').parentElement.hidden = !counts.noted;
		this.jumps();
		$('progress').value = this.share();
		this.network?.draw(now);
		for (const subject of this.subjects.values()) subject.draw();
		document.title = `${verdict.words} · ${this.asked} · Penstock`;
		say(`${this.asked}: ${verdict.words}. ${this.ended ? this.more() : Math.round(this.share() * 100) + ' percent'}`, this.ended);
	}
}

let shown = null;	// the run whose answers are on the page
let running = null;	// the run that is under way
const kept = new Map();	// query -> finished run, the oldest first
let frame = 0;

// Shows what waits in the queue, for as long as a frame can afford. A hidden page has no frames.
function wake() {
	if (frame) return;
	frame = document.hidden ? setTimeout(show, 200, 0) : requestAnimationFrame(show);
}

function show() {
	frame = 0;
	const run = running ?? shown;
	if (!run) return;
	const until = performance.now() + FRAME_MS;
	while (run.next < run.lines.length && performance.now() < until) {
		try {
			run.take(run.lines[run.next++]);
		} catch {
			run.unread = true;	// a line of another form than the API's spoils no other
		}
	}
	run.draw(performance.now());
	if (run.next < run.lines.length) wake();
	else if (run.after) run.after();
}

// ---- asking

async function readLines(body, each) {
	const reader = body.getReader(), decoder = new TextDecoder();
	let rest = '';
	for (;;) {
		const { done, value } = await reader.read();
		const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
		rest = done ? '' : lines.pop();
		for (const text of lines) {
			if (text.trim() !== '') each(text);
		}
		if (done) return;
	}
}

async function ask(run) {
	const url = new URL('api/v1/rbl', document.baseURI);
	url.search = pageFor(run.query);
	let answer;
	try {
		answer = await fetch(url, { signal: run.controller.signal, cache: 'no-store', credentials: 'same-origin',
			headers: { Accept: 'application/x-ndjson' } });
		if (answer.status !== 200) return refusal(answer.status, await answer.text(), answer.headers.get('Retry-After'));
		await readLines(answer.body, (text) => {
			try {
				run.lines.push(JSON.parse(text));
				wake();
			} catch {
				run.unread = true;
			}
		});
	} catch {
		if (run.controller.signal.aborted) return { what: 'Stopped.', todo: 'The answers received so far are below.' };
		if (!answer) return { what: 'The server could not be reached.', todo: 'Check your connection, then try again.' };
	}
	if (run.lines.at(-1)?.type !== 'end') {
		return { what: 'The answers broke off before the last one.', todo: 'The answers received so far are below; try again for the rest.' };
	}
	const error = run.lines.at(-1).error;
	return error ? { what: sentence(error), todo: 'What is known is below.' } : null;
}

const TODO = {
	400: 'Type a public address, a host name, or an IPv4 network such as 192.0.2.0/24.',
	404: 'Look-ups may be switched off here (http.rbl).',
	413: 'Ask for a smaller network, a /24 or its parts.',
	422: 'Type a public address, a host name, or an IPv4 network such as 192.0.2.0/24.',
	414: 'Type a public address, a host name, or an IPv4 network such as 192.0.2.0/24.',
	429: 'What you asked for is kept here.',
	503: 'The server is busy or going down.',
};

function sentence(text) {
	const words = String(text).trim();
	return words ? words[0].toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? '' : '.') : '';
}

function refusal(status, body, retryAfter) {
	let what = '';
	try {
		what = sentence(JSON.parse(body).error ?? '').replace(/ Try again in \d+ s\.$/, '');	// the count-down says it
	} catch { /* a proxy's page */ }
	const seconds = /^\d+$/.test(retryAfter ?? '') ? Math.min(Number(retryAfter), 86400) : status === 429 ? 10 : 0;
	return { what: what || `The server answered with status ${status}.`, todo: TODO[status] ?? 'Try again later.', seconds,
		wrong: [400, 413, 414, 422].includes(status) };
}

function stop() {
	running?.controller.abort();
}

async function start(query) {
	stop();
	const run = running = new Run(query);
	hideNotice();
	$('q').removeAttribute('aria-invalid');
	$('stop').disabled = false;
	$('results').setAttribute('aria-busy', 'true');
	document.body.dataset.run = 'going';
	say('Checking ' + query, true);
	const trouble = await ask(run);
	// the rest of the queue first, then the end of it
	run.after = () => settle(run, trouble);
	if (running === run) wake();
	else settle(run, null);
}

function settle(run, trouble) {
	run.after = null;
	run.rest();
	if (running !== run) {
		if (shown === run) run.draw(performance.now());
		return;
	}
	running = null;
	$('stop').disabled = true;
	$('results').removeAttribute('aria-busy');
	if (trouble) notice(trouble, run.query);
	else keep(run);
	// the verdict stands for what is on the page: this run, or the one before where this one brought nothing
	if (run.begun) run.draw(performance.now());
	if (run.unread && !trouble) notice({ what: 'Some lines of the answer could not be read.', todo: 'The rest is below.' }, run.query);
	document.body.dataset.run = trouble ? 'trouble' : 'done';
}

// ---- back and forward: what was finished is shown again without asking

function keep(run) {
	if (run.lines.length > KEEP_LINES) return;
	kept.delete(run.query);
	kept.set(run.query, { lines: run.lines, when: new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) });
	if (kept.size > KEEP_RUNS) kept.delete(kept.keys().next().value);
}

function recall(query) {
	const old = kept.get(query);
	if (!old) return start(query);
	stop();
	hideNotice();
	const run = running = new Run(query);
	Object.assign(run, { lines: old.lines, remembered: old.when });
	run.after = () => {
		settle(run, null);
		kept.get(query).when = old.when;
	};
	wake();
}

function leave() {
	stop();
	hideNotice();
	running = shown = null;
	$('answers').replaceChildren();
	$('verdict').hidden = true;
	$('idle').hidden = false;
	$('stop').disabled = true;
	document.title = 'Block lists · Penstock';
	document.body.dataset.run = '';
}

// ---- what is told beside the answers

let ticking = 0, spoken = 0;

function notice({ what, todo, seconds, wrong }, query) {
	$('notice-what').textContent = what;
	$('notice-do').textContent = todo;
	$('notice').hidden = false;
	if (wrong) $('q').setAttribute('aria-invalid', 'true');
	const again = $('again'), until = Date.now() + (seconds || 0) * 1000;
	again.hidden = Boolean(wrong);
	again.dataset.q = query;
	clearInterval(ticking);
	const tick = () => {
		const left = Math.ceil((until - Date.now()) / 1000);
		again.disabled = left > 0;
		$('notice-timer').textContent = left > 0 ? `Try again in ${left} s` : seconds ? 'You can try again now.' : '';
		if (left <= 0) clearInterval(ticking);
	};
	ticking = setInterval(tick, 250);
	tick();
}

function hideNotice() {
	clearInterval(ticking);
	$('notice').hidden = true;
	for (const id of ['notice-what', 'notice-do', 'notice-timer']) $(id).textContent = '';
}

// A screen reader hears a sentence now and then, not each answer.
function say(text, now) {
	if (!now && Date.now() - spoken < LIVE_MS) return;
	spoken = Date.now();
	if ($('live').textContent !== text) $('live').textContent = text;
}

// ---- controls

function submit(query) {
	$('q').value = query;
	if (query === '') {
		notice({ what: 'There is nothing to check yet.', todo: TODO[400], wrong: true }, '');
		$('q').focus();
		return;
	}
	if (new URLSearchParams(location.search).get('q') !== query) history.pushState(null, '', pageFor(query));
	start(query);
}

$('form').addEventListener('submit', (event) => {
	event.preventDefault();
	submit($('q').value.trim());
});
$('stop').addEventListener('click', () => {
	stop();
	$('q').focus();
});
$('again').addEventListener('click', () => submit($('again').dataset.q));
$('q').addEventListener('input', () => $('q').removeAttribute('aria-invalid'));

document.addEventListener('click', (event) => {
	const alone = event.target.closest('a[data-q]');
	if (!alone || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
	event.preventDefault();
	submit(alone.dataset.q);
	$('results').focus();
	scrollTo({ top: 0 });
});

document.addEventListener('keydown', (event) => {
	if (event.ctrlKey || event.metaKey || event.altKey) return;
	if (event.key === 'Escape') stop();
	if (event.key !== '/' || event.target === $('q')) return;
	event.preventDefault();
	$('q').focus();
	$('q').select();
});

function fromAddress(open) {
	const query = (new URLSearchParams(location.search).get('q') ?? '').trim();
	$('q').value = query;
	$('q').removeAttribute('aria-invalid');
	if (query === '') leave();
	else open(query);
}

document.addEventListener('visibilitychange', () => {
	if (!frame) return;
	cancelAnimationFrame(frame);
	clearTimeout(frame);
	frame = 0;
	wake();
});
addEventListener('popstate', () => fromAddress(recall));
addEventListener('resize', () => shown?.network?.lay());

fromAddress(start);
if (!location.search && !matchMedia('(pointer: coarse)').matches) $('q').focus();
