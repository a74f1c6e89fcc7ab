// SPDX-License-Identifier: BSD-2-Clause
//
// rbl_view: how one list's answer, an address or name, and the map of a network look. Whatever the stream says goes in
// as text, never as markup, and of its links only those of the web's schemes.

const MEANING = {
	exploit: 'The host looks hijacked, or is an open proxy.',
	policy: 'Should not send mail directly: usual for dial-up lines, bad for a mail server.',
	spam: 'The list saw it send spam.',
	auth: 'It has no PTR name, or a bad one.',
	reputation: 'A hint, no more.',
	domain: 'A domain that was seen in abuse.',
};
const LIGHT = new Set(['policy', 'auth', 'reputation']);	// these alone are no alarm
const WORD = { listed: 'listed', noted: 'named, without weight', unknown: 'no answer', allowed: 'on a list of good senders', clean: 'clean', skipped: 'skipped' };
const ORDER = ['listed', 'noted', 'unknown', 'allowed', 'clean', 'skipped'];
const SQUARE_MS = 250;		// between two drawings of the table under the map
const ROWS_FIRST = 30;		// of that table, until all are asked for

// ---- small things

function copy(template, selector) {
	return document.getElementById(template).content.querySelector(selector).cloneNode(true);
}

export function glyph(svg, state) {
	svg.firstElementChild.setAttribute('href', '#g-' + (state === 'allowed' ? 'clean' : state === 'light' ? 'listed' : state === 'noted' ? 'skipped' : state));
}

export function counted(number, one, many) {
	return number.toLocaleString('en') + ' ' + (number === 1 ? one : many ?? one + 's');
}

export function shorter(weight) {
	return String(Math.round(weight * 100) / 100);
}

// A link of the stream's, or nothing: only the web's schemes.
function webAddress(text) {
	try {
		const url = new URL(text);
		return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
	} catch {
		return null;
	}
}

function link(anchor, text) {
	const url = typeof text === 'string' ? webAddress(text) : null;
	if (url) anchor.href = url;
	else anchor.remove();
}

export function pageFor(query) {
	return '?q=' + encodeURIComponent(query);
}

function stateOf(line) {
	// one of weight 0 is a remark, and makes nothing listed
	if (line.said === 'listed') return line.kind === 'allow' ? 'allowed' : line.weight === 0 ? 'noted' : 'listed';
	return ORDER.includes(line.said) ? line.said : 'unknown';
}

function isLight(line) {
	return LIGHT.has(line.kind) || !(line.weight >= 0.5);
}

export function number(value) {
	return Number.isFinite(value) ? value : 0;
}

// The elements of a parent that are kept in order of what they show: at once, or, where the eye would lose its place
// among many that come fast, at the end.
class Sorted {
	constructor(parent) {
		this.parent = parent;
		this.items = [];
	}

	static compare(a, b) {
		return ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || number(b.line.weight) - number(a.line.weight) ||
			String(a.line.list).localeCompare(String(b.line.list));
	}

	add(item) {
		let at = this.items.findIndex((other) => Sorted.compare(other, item) > 0);
		if (at < 0) at = this.items.length;
		this.parent.insertBefore(item.element, this.items[at]?.element ?? null);
		this.items.splice(at, 0, item);
	}

	// Takes the place of the first element that waits.
	append(item) {
		const place = this.parent.children[this.items.length];
		if (place) place.replaceWith(item.element);
		else this.parent.append(item.element);
		this.items.push(item);
	}

	sort() {
		this.items.sort(Sorted.compare);
		this.parent.append(...this.items.map((item) => item.element));
	}
}

// ---- a list's answer: a card where it lists, else a cell

function took(line) {
	return line.cached ? 'cached' : Number.isFinite(line.ms) ? line.ms + ' ms' : '';
}

function card(line, texts) {
	const element = copy('t-card', 'li');
	const part = (name) => element.querySelector('.' + name);
	element.classList.add(stateOf(line) === 'noted' ? 'noted' : isLight(line) ? 'light' : 'heavy');
	part('name').textContent = line.list;
	part('kind').textContent = line.kind ?? 'listed';
	part('weight').textContent = line.weight === 0 ? 'without weight' : 'weight ' + shorter(number(line.weight));
	part('zone').firstElementChild.textContent = line.zone === line.list ? '' : line.zone ?? '';
	part('codes').textContent = (line.codes ?? []).join(' ');
	part('meaning').textContent = MEANING[line.kind] ?? '';
	if (line.terms) part('site').title = 'Its terms: ' + line.terms;
	part('ms').textContent = took(line);
	part('removal').setAttribute('aria-label', 'Ask for removal from ' + line.list + ' (new tab)');
	part('site').setAttribute('aria-label', 'About the list ' + line.list + ' (new tab)');
	link(part('removal'), line.removal);
	link(part('site'), line.site);
	for (const text of texts ?? []) addText(element, text);
	return element;
}

function addText(element, text) {
	const p = document.createElement('p');
	p.textContent = text;
	element.querySelector('.texts').append(p);
}

function cell(line, state) {
	const element = copy('t-cell', 'li');
	const name = element.querySelector('.name');
	const url = typeof line.site === 'string' ? webAddress(line.site) : null;
	element.classList.add(state);
	glyph(element.querySelector('.glyph'), state);
	if (url) {
		const a = document.createElement('a');
		Object.assign(a, { href: url, target: '_blank', rel: 'noopener noreferrer', textContent: line.list });
		name.append(a);
	} else {
		name.textContent = line.list;
	}
	name.title = line.list;
	const word = document.createElement('span');
	word.className = 'hush';
	word.textContent = ': ' + WORD[state];
	name.after(word);
	const zone = element.querySelector('.zone');
	zone.textContent = zone.title = line.zone ?? '';
	element.querySelector('.ms').textContent = took(line);
	element.querySelector('.why').textContent =
		state === 'allowed' ? 'a list of good senders' : line.why || (state === 'clean' ? '' : WORD[state]);
	return element;
}

function waiting() {
	const element = document.createElement('li');
	element.className = 'cell wait';
	element.setAttribute('aria-hidden', 'true');
	return element;
}

// ---- the view of one address or name

const ADDRESS = /^[0-9.]+$|:/;

export class Subject {
	constructor(run, name, from) {
		this.run = run;
		this.name = name;
		this.address = ADDRESS.test(name);
		this.counts = { listed: 0, noted: 0, unknown: 0, clean: 0, skipped: 0 };
		this.weight = 0;
		this.kinds = new Map();
		this.light = true;
		this.done = false;
		this.rest = [];		// lines of cells that are not drawn, for as long as they are folded
		this.cardOf = new Map();
		this.element = copy('t-subject', 'section');
		const part = this.part = (selector) => this.element.querySelector(selector);
		this.element.classList.add('going');
		part('h3 .name').textContent = name;
		part('.from').textContent = from || (this.address ? '' : 'the name itself');
		part('.alone').textContent = 'check alone';
		part('.alone').href = pageFor(name);
		part('.alone').dataset.q = name;
		part('.alone').setAttribute('aria-label', 'check alone: ' + name);
		if (!this.address) {
			part('.alone').remove();
			part('.facts').remove();
			part('.body').classList.add('bare');
		}
		this.cards = new Sorted(part('.cards'));
		this.notes = new Sorted(part('.noted .cards'));
		this.cells = new Sorted(part('.cells'));
		this.folds = part('.rest');
		this.folds.addEventListener('toggle', () => this.unfold());
		if (run.single) {
			for (let i = 0; i < run.lists; i++) part('.cells').append(waiting());
			this.folds.open = true;
		}
	}

	total() {
		const { listed, noted, unknown, clean, skipped } = this.counts;
		return listed + noted + unknown + clean + skipped;
	}

	list(line) {
		const state = stateOf(line);
		if (!this.done) this.counts[state === 'allowed' ? 'clean' : state]++;
		if (state === 'noted') {
			this.card(this.notes, line, state);
			return;
		}
		if (state !== 'listed') {
			this.rest.push({ line, state });
			if (this.folds.open) this.unfold();
			return;
		}
		if (!this.done) this.weight += number(line.weight);
		this.kinds.set(line.kind, (this.kinds.get(line.kind) ?? 0) + 1);
		this.light = this.light && isLight(line);
		this.card(this.cards, line, state);
		this.part('.none').hidden = true;
	}

	card(where, line, state) {
		const element = card(line);
		this.cardOf.set(line.list, element);
		where.add({ line, state, element });
		this.unwait();
	}

	unfold() {
		if (!this.folds.open) return;
		for (const { line, state } of this.rest.splice(0)) {
			this.cells.append({ line, state, element: cell(line, state) });
		}
		if (this.done) this.cells.sort();
	}

	unwait() {
		const last = this.part('.cells').lastElementChild;
		if (last?.classList.contains('wait')) last.remove();
	}

	text(line) {
		const element = this.cardOf.get(line.list);
		if (element && typeof line.text === 'string') addText(element, line.text);
	}

	origin(line) {
		if (!this.address) return;
		const country = line.country ?? '';
		this.part('.as').textContent = originOf(line);
		this.part('.prefix').textContent = line.prefix ?? 'not known';
		this.part('.country').textContent = country ? countryName(country) : 'not known';
	}

	ptr(line) {
		if (!this.address) return;
		const names = line.names ?? [];
		const where = this.part('.ptr');
		where.textContent = names.join(', ') || (line.confirmed === null ? 'not known' : 'none');
		const note = document.createElement('span');
		note.className = 'note' + (line.confirmed === true ? ' good' : line.confirmed === false ? ' bad' : '');
		note.textContent = line.confirmed === true ? '✓ leads back to the address'
			: line.confirmed === false ? (names.length ? '✗ does not lead back to the address' : '✗ mail hosts need one') : names.length ? 'not confirmed: no answer' : '';
		where.append(note);
	}

	close(line) {
		for (const key of Object.keys(this.counts)) this.counts[key] = number(line?.[key] ?? this.counts[key]);
		if (line) this.weight = number(line.weight);
		this.why = line?.why;	// not asked about: a private address, for one
		this.ms = line?.ms;
		this.done = true;
		this.rested();
	}

	// No answer comes any more, be it that all are there or that the check ended early.
	rested() {
		this.element.classList.remove('going');
		this.cells.sort();
		for (const left of this.part('.cells').querySelectorAll('.wait')) left.remove();
		for (const name of ['.as', '.prefix', '.country', '.ptr']) {
			const where = this.part(name);
			if (where?.textContent === '\u00a0') where.textContent = 'not known';
		}
	}

	verdict() {
		if (this.why) return { state: 'skipped', words: 'Not asked: ' + this.why };
		return verdictOf(this.counts, this.light, this.done, this.run.ended);
	}

	draw() {
		const { unknown, clean, skipped } = this.counts;
		const verdict = this.verdict();
		this.part('.noted').hidden = !this.notes.items.length;
		this.part('.noted h4').textContent = alsoNamed({ listed: 1, noted: this.notes.items.length }).replace(/^a/, 'A');
		this.part('header .words').textContent = verdict.words;
		this.part('header .words').className = 'words ' + (verdict.state === 'light' ? 'unknown' : verdict.state);
		const svg = this.part('header .glyph');
		svg.setAttribute('class', 'glyph ' + (verdict.state === 'light' ? 'unknown' : verdict.state));
		glyph(svg, verdict.state);
		const none = this.part('.none');
		none.classList.toggle('good', this.done && clean > 0);
		none.textContent = !this.done ? (this.run.ended ? 'No listing came' : 'No listing so far')
			: clean ? `No listing by ${counted(clean, 'list')} that answered`
				: 'Nothing is known about it: try again later, and check the resolver of this server';
		const rest = [clean && clean + ' clean', unknown && unknown + ' without an answer', skipped && skipped + ' skipped'];
		this.part('.sums').textContent = 'The other lists: ' + (rest.filter(Boolean).join(', ') || 'waiting');
	}
}

function originOf(line) {
	const as = line.as ? 'AS' + line.as : '';
	return [line.as_name, as && line.as_name ? '(' + as + ')' : as].filter(Boolean).join(' ') || 'not known';
}

function countryName(code) {
	try {
		const name = new Intl.DisplayNames(['en'], { type: 'region' }).of(code.toUpperCase());
		return name === code ? code : name + ' (' + code + ')';
	} catch {
		return code;
	}
}

// Silence is no acquittal: clean is what most of the lists were heard of.
export function known({ noted, unknown, clean, skipped }) {
	const heard = clean + number(noted);
	return heard > 0 && heard >= number(unknown) + number(skipped);
}

// Of an address that lists of weight 0 name.
export function alsoNamed({ listed, noted }) {
	return `${listed ? 'also ' : ''}named by ${counted(noted, 'list')} without weight`;
}

// What a person is to understand at once, of one address or name.
function verdictOf(counts, light, done, ended) {
	const { listed, noted, unknown } = counts, clean = counts.clean + noted;
	const lists = counted(listed + unknown + clean, 'list');	// those that were asked
	if (listed) {
		const by = done ? `${listed} of ${lists}` : ended ? `at least ${counted(listed, 'list')}` : `${counted(listed, 'list')} so far`;
		return { state: light ? 'light' : 'listed', words: 'Listed by ' + by };
	}
	if (!done) return ended ? { state: 'unknown', words: 'Not finished' } : { state: 'wait', words: 'No listing so far' };
	if (!clean) return { state: 'unknown', words: 'No list answered' };
	if (!known(counts)) return { state: 'unknown', words: `Not listed, as far as ${clean} of ${lists} know` };
	return { state: 'clean', words: 'Clean' };
}

// ---- the map of a network

export function toNumber(address) {
	const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address ?? '');
	return parts ? parts.slice(1).reduce((sum, part) => sum * 256 + Number(part), 0) : null;
}

function toText(value) {
	return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

function level(address) {
	if (!address.listed) return !known(address) ? 'unknown' : address.noted ? 'noted' : 'clean';
	return address.weight < 0.5 ? 'h1' : address.weight < 1 ? 'h2' : address.weight < 2 ? 'h3' : 'h4';
}

export class Network {
	constructor(run, prefix, first) {
		this.run = run;
		this.size = 2 ** (32 - prefix);
		this.first = first - (first % this.size);
		this.state = new Array(this.size).fill(null);
		this.lists = new Map();		// number of the square -> [{ line, texts }]
		this.listed = [];
		this.active = 0;
		this.chosen = -1;
		this.drawn = 0;
		this.element = copy('t-network', 'section');
		const part = this.part = (selector) => this.element.querySelector(selector);
		this.heat = part('.heat');
		this.squares = [];
		for (let i = 0; i < this.size; i++) {
			const square = document.createElement('div');
			square.className = 'sq wait';
			square.setAttribute('role', 'gridcell');
			square.tabIndex = -1;
			square.number = i;
			this.squares.push(square);
		}
		this.squares[0].tabIndex = 0;
		this.heat.addEventListener('keydown', (event) => this.key(event));
		this.heat.addEventListener('click', (event) => event.target.number !== undefined && this.choose(event.target.number));
		this.heat.addEventListener('focusin', (event) => event.target.number !== undefined && this.point(event.target.number));
		this.heat.addEventListener('pointerover', (event) => event.target.number !== undefined && this.tell(event.target.number));
		part('.further button').addEventListener('click', () => {
			this.all = true;
			this.drawn = -1;
			this.draw(0);
		});
		part('tbody').addEventListener('click', (event) => {
			const row = event.target.closest('button');
			if (row) this.choose(Number(row.value), true);
		});
	}

	// Squares by 16 for a /24, up to 64 x 64; fewer columns where they would be too small to see.
	lay() {
		const width = this.heat.parentElement.clientWidth;
		let columns = Math.min(this.size, this.size <= 256 ? 16 : this.size <= 1024 ? 32 : 64);
		while (columns > 16 && width / columns < 8) columns /= 2;
		const dense = columns > 16;
		if (width === this.width) return;
		Object.assign(this, { columns, dense, width });
		this.heat.parentElement.classList.toggle('dense', dense);
		const head = width < 400 ? 0 : 48, gap = dense ? 1 : 2;
		const side = Math.max(4, Math.min(38, Math.floor((width - head) / columns) - gap));
		this.heat.style.gridTemplateColumns = `auto repeat(${columns}, ${side}px)`;
		this.heat.style.gridAutoRows = side + 'px';
		this.heat.setAttribute('aria-colcount', columns + 1);
		const focused = this.squares.includes(document.activeElement) ? document.activeElement : null;
		const rows = [];
		for (let i = 0; i < this.size; i += columns) {
			const row = document.createElement('div'), label = document.createElement('div');
			row.className = 'row';
			row.setAttribute('role', 'row');
			label.className = 'head';
			label.setAttribute('role', 'rowheader');
			const address = toText(this.first + i);
			const marked = !dense || (this.first + i) % 256 === 0;
			label.setAttribute('aria-label', address);
			label.textContent = !marked ? '' : this.size <= 256 ? '.' + address.split('.')[3] : '.' + address.split('.').slice(2).join('.');
			row.append(label, ...this.squares.slice(i, i + columns));
			rows.push(row);
		}
		this.heat.replaceChildren(...rows);
		focused?.focus();
	}

	label(i) {
		const address = this.state[i], name = toText(this.first + i);
		if (!address) return name + ': not yet';
		if (address.listed) return `${name}: listed by ${counted(address.listed, 'list')}, weight ${shorter(address.weight)}`;
		if (address.why) return name + ': not asked, ' + address.why;
		if (known(address) && address.noted) return `${name}: clean, ${alsoNamed(address)}`;
		return name + (known(address) ? ': clean' : address.clean ? ': not listed by the few lists that answered' : ': no answer');
	}

	indexOf(subject) {
		const value = toNumber(subject);
		return value === null || value < this.first || value >= this.first + this.size ? -1 : value - this.first;
	}

	list(line) {
		const i = this.indexOf(line.subject);
		if (i < 0 || !['listed', 'noted'].includes(stateOf(line))) return;
		if (!this.lists.has(i)) this.lists.set(i, []);
		this.lists.get(i).push({ line, texts: [] });
		if (i === this.chosen) this.show();
	}

	text(line) {
		const i = this.indexOf(line.subject);
		const found = this.lists.get(i)?.find((entry) => entry.line.list === line.list);
		if (!found || typeof line.text !== 'string') return;
		found.texts.push(line.text);
		if (i === this.chosen) this.show();
	}

	// Of the first address: most networks that are asked for have one.
	origin(line) {
		const parts = [line.as || line.as_name ? originOf(line) : '', line.prefix, line.country && countryName(line.country)];
		this.part('.origin').textContent = parts.filter(Boolean).join(' · ') || '\u00a0';
	}

	close(line) {
		const i = this.indexOf(line.subject);
		if (i < 0) return;
		const { listed, noted, clean, unknown, skipped, weight } = line;
		const address = this.state[i] = { listed: number(listed), noted: number(noted), clean: number(clean), unknown, skipped,
			weight: number(weight), why: line.why };
		const square = this.squares[i];
		square.className = 'sq ' + level(address);
		if (!this.dense) square.textContent = address.listed || '';	// a change of text lays all squares out again
		square.title = this.label(i);
		square.setAttribute('aria-label', square.title);
		if (address.listed) this.listed.push(i);
		if (i === this.chosen) this.show();
	}

	point(i) {
		this.squares[this.active].tabIndex = -1;
		this.squares[i].tabIndex = 0;
		this.squares[i].setAttribute('aria-label', this.label(i));
		this.active = i;
		this.tell(i);
	}

	tell(i) {
		this.part('.pointed').textContent = this.label(i);
	}

	key(event) {
		const { columns, size } = this, i = this.active, row = i - (i % columns);
		const to = {
			ArrowLeft: i - 1, ArrowRight: i + 1, ArrowUp: i - columns, ArrowDown: i + columns,
			PageUp: Math.max(i % columns, i - 4 * columns), PageDown: Math.min(size - columns + (i % columns), i + 4 * columns),
			Home: event.ctrlKey ? 0 : row, End: event.ctrlKey ? size - 1 : row + columns - 1,
		}[event.key];
		if (event.altKey || event.metaKey) return;
		if (event.key === 'Enter' || event.key === ' ') this.choose(i);
		else if (to === undefined) return;
		else if (to >= 0 && to < size) this.squares[to].focus();
		event.preventDefault();
	}

	choose(i, scroll) {
		this.squares[this.chosen]?.removeAttribute('aria-selected');
		this.chosen = i;
		this.squares[i].setAttribute('aria-selected', 'true');
		this.point(i);
		this.show();
		if (scroll) this.part('.chosen').scrollIntoView({ block: 'nearest' });
	}

	show() {
		const name = toText(this.first + this.chosen), address = this.state[this.chosen];
		this.part('.chosen h3').textContent = name;
		this.part('.chosen .words').textContent = address ? this.label(this.chosen).slice(name.length + 2) : 'not yet checked';
		const cards = new Sorted(this.part('.chosen .cards'));
		cards.parent.replaceChildren();
		for (const { line, texts } of this.lists.get(this.chosen) ?? []) {
			cards.add({ line, state: stateOf(line), element: card(line, texts) });
		}
		const alone = this.part('.chosen .alone');
		Object.assign(alone, { hidden: false, href: pageFor(name) });
		alone.dataset.q = name;
	}

	// The same as the map, as a table: worst first.
	draw(now) {
		const table = this.part('.worst');
		if (!this.listed.length || table.contains(document.activeElement) || this.drawn === this.listed.length) return;
		if (!this.run.ended && this.drawn > 0 && now - this.when < SQUARE_MS) return;
		Object.assign(this, { drawn: this.listed.length, when: now });
		this.listed.sort((a, b) => this.state[b].weight - this.state[a].weight || this.state[b].listed - this.state[a].listed || a - b);
		const rows = this.listed.slice(0, this.all ? this.size : ROWS_FIRST).map((i) => {
			const row = document.createElement('tr'), button = document.createElement('button');
			Object.assign(button, { type: 'button', value: i, textContent: toText(this.first + i), className: 'plain' });
			const names = document.createElement('bdi');
			names.textContent = (this.lists.get(i) ?? []).filter((entry) => stateOf(entry.line) === 'listed')
				.map((entry) => entry.line.list).join(', ');
			for (const what of [button, this.state[i].listed, shorter(this.state[i].weight), names]) {
				const data = document.createElement('td');
				data.append(what);
				row.append(data);
			}
			return row;
		});
		this.part('tbody').replaceChildren(...rows);
		this.part('.further').hidden = rows.length === this.listed.length;
		this.part('.further button').textContent = `Show all ${this.listed.length.toLocaleString('en')}`;
		table.hidden = false;
	}
}
