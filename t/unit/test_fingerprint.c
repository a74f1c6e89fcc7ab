/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/fingerprint.h"

#include "t/unit/tap.h"

#include <stdlib.h>

enum { TEXT_BYTES = 8000 };

static const uint64_t some_key[2] = { 11, 12 };

static uint64_t fingerprint_by(const uint64_t key[2], const char *text, int *words_out)
{
	struct fingerprint_maker maker;
	fingerprint_begin(&maker, key);
	fingerprint_add(&maker, text, strlen(text));
	return fingerprint_end(&maker, words_out);
}

static uint64_t fingerprint_of(const char *text)
{
	int words;
	return fingerprint_by(some_key, text, &words);
}

#define LOTTERY \
	"we are pleased to inform you that your electronic mail address has been selected among the winners of the " \
	"international promotion held this month, please contact the claims office without delay and send your full " \
	"details for the immediate release of the money into your account\n"

/* clang-format off */
static const struct {
	const char *name, *one, *other;
	bool same;
} rows[] = {
	{ "the same text", LOTTERY, LOTTERY, true },
	{ "another name", "Dear Alice Miller,\n" LOTTERY, "Dear Bob van Houten,\n" LOTTERY, true },
	{ "another amount", LOTTERY "pay 1,500,000 USD", LOTTERY "pay 27.000 USD", true },
	{ "another link tail", LOTTERY "https://win.example/a?b=c", LOTTERY "https://win.example/zzz/7#q", true },
	{ "another address", LOTTERY "write to claims@a.example", LOTTERY "write to office@b.example", true },
	{ "capitals", LOTTERY "click below", LOTTERY "CLICK BELOW", true },
	{ "markup", LOTTERY, "<html><style>body { margin: nothing }</style><p class=\"big\">" LOTTERY "</p>", true },
	{ "entities", LOTTERY "this office", LOTTERY "this&nbsp;office", true },
	{ "other white space", LOTTERY "this   \r\n  office", LOTTERY "this office", true },
	{ "a reference in it", LOTTERY "reference A7F3B9", LOTTERY "reference Q1X55", true },
	{ "another text", LOTTERY,
	  "the quarterly figures are in the attached sheet, could you have a look before tomorrow's meeting and tell "
	  "me whether the travel costs of the northern branch should go into this year's budget or the next", false },
};
/* clang-format on */

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ok((fingerprint_of(rows[i].one) == fingerprint_of(rows[i].other)) == rows[i].same, "%s: %s",
		   rows[i].name, rows[i].same ? "the same" : "another");
	is_int((long long)fingerprint_of("too few words to say anything"), 0, "few words say nothing");
	is_int((long long)fingerprint_of(""), 0, "no words either");
	ok(fingerprint_of("GREAT NEWS FOR ALL FRIENDS OF CHEAP WATCHES BUY NOW WHILE THEY LAST") != 0,
	   "capitals alone are a text");
	ok(fingerprint_of("Anna Bert Carl Dora Emil Fritz Gustav Hans Ida Jakob Karl Ludwig Maria") != 0,
	   "so are names alone");
}

static void test_words(void)
{
	int words = -1;
	is_int((long long)fingerprint_by(some_key, "too few words to say anything", &words), 0, "of few words");
	is_int(words, 6, "... it is known how few");
	fingerprint_by(some_key, "", &words);
	is_int(words, 0, "none are none");
	fingerprint_by(some_key, LOTTERY, &words);
	is_int(words, 46, "of a longer text there are more; names and short ones are words, too");
}

/* A text with one word changed at a time: which of them are the anchors, the key says. */
static void test_key(void)
{
	enum { KEYS = 200, WORDS = 30 };
	int same = 0, anchors[WORDS] = { 0 };
	for (uint64_t number = 0; number < KEYS; number++) {
		const uint64_t key[2] = { number * 77, 5 };
		char text[TEXT_BYTES];
		uint64_t before = 0;
		int words;
		for (int changed = -1; changed < WORDS; changed++) {
			text[0] = '\0';
			for (int i = 0; i < WORDS; i++) {
				size_t length = strlen(text);
				snprintf(text + length, sizeof text - length, "%s%c%c ",
					 i == changed ? "other" : "word", 'a' + i / 26, 'a' + i % 26);
			}
			uint64_t print = fingerprint_by(key, text, &words);
			if (changed < 0)
				before = print;
			else
				anchors[changed] += print != before;
		}
		const uint64_t other[2] = { number * 77, 6 };
		same += fingerprint_by(other, text, &words) == fingerprint_by(key, text, &words);
	}
	is_int(same, 0, "by another key it is another");
	int least = KEYS, most = 0;
	for (int i = 12; i < WORDS; i++) { /* the words behind the first twelve have one anchor among them all */
		least = anchors[i] < least ? anchors[i] : least;
		most = anchors[i] > most ? anchors[i] : most;
	}
	ok(least > 0 && most < KEYS / 2, "no word is an anchor by each key, and each is by one: %d to %d of %d", least,
	   most, KEYS);
}

/* The pieces in which it comes do not matter. */
static void test_pieces(void)
{
	const char *text = "<html><head><style>p { color: red }</style></head>" LOTTERY
			   "see https://host.example/tail a&amp;b x@y.example";
	uint64_t whole = fingerprint_of(text);
	bool same = true;
	for (size_t piece = 1; piece < 40; piece++) {
		struct fingerprint_maker maker;
		int words;
		fingerprint_begin(&maker, some_key);
		for (size_t at = 0; at < strlen(text); at += piece)
			fingerprint_add(&maker, text + at, strlen(text) - at < piece ? strlen(text) - at : piece);
		same = same && fingerprint_end(&maker, &words) == whole;
	}
	ok(same, "in pieces of any size it is the same");
}

/* -- made-up texts, the same ones each time -- */

static uint64_t random_state;

static unsigned random_below(unsigned below)
{
	random_state = random_state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(random_state >> 33) % below;
}

/* Whole words are read eight bytes at a time, byte by byte they are not: it comes to the same. */
static void test_bytes(void)
{
	static const char some[] = "aeinorstaeinorstzbcdfghlmpuABZ\xc3\xa9    \t\n.,;!?\"()-'<>/:@&#09";
	char text[400];
	bool same = true;
	int told = 0;
	random_state = 3;
	for (int i = 0; i < 5000; i++) {
		struct fingerprint_maker whole, bytes;
		int words, byte_words;
		unsigned letters = 10 + random_below(sizeof some - 11);
		for (size_t at = 0; at < sizeof text; at++)
			text[at] = random_below(60) == 0 ? (char)random_below(256)
							 : some[random_below(letters + 25) % (sizeof some - 1)];
		fingerprint_begin(&whole, some_key);
		fingerprint_begin(&bytes, some_key);
		fingerprint_add(&whole, text, sizeof text);
		for (size_t at = 0; at < sizeof text; at++)
			fingerprint_add(&bytes, text + at, 1);
		uint64_t key = fingerprint_end(&whole, &words);
		same = same && key == fingerprint_end(&bytes, &byte_words) && words == byte_words &&
		       whole.plain.count == bytes.plain.count;
		told += key != 0;
	}
	ok(same, "byte by byte any text is the same");
	ok(told > 2000, "and most of them are texts: %d of 5000", told);
}

/* -- how often -- */

enum { VOCABULARY = 3000 };

/* Zipf, about: common words are common. */
static void add_word(char *text, bool lower)
{
	static const char *const syllables[] = { "ka", "ro",  "mi", "ten", "sol", "var",
						 "du", "pel", "is", "on",  "gra", "lu" };
	unsigned rank = random_below(1 + random_below(1 + random_below(VOCABULARY)));
	char word[40] = "";
	int count = 1 + (int)(rank % 3);
	for (int i = 0; i <= count; i++, rank /= 12)
		strncat(word, syllables[(rank + (unsigned)i * 5) % 12], sizeof word - strlen(word) - 1);
	if (!lower)
		word[0] = (char)(word[0] - 'a' + 'A');
	strncat(text, word, TEXT_BYTES - strlen(text) - 2);
	strncat(text, " ", TEXT_BYTES - strlen(text) - 1);
}

static void add_text(char *text, uint64_t seed, int words)
{
	random_state = seed * 2654435761U + 17;
	for (int i = 0; i < words; i++)
		add_word(text, i % 10 != 0);
}

/* The template `seed` with another name, amount, link, and one of thirty words. */
static void add_perturbed(char *text, uint64_t seed, uint64_t copy, int words)
{
	strncat(text, "Dear ", TEXT_BYTES - strlen(text) - 1);
	random_state = copy * 7919 + seed;
	add_word(text, false);
	for (int i = 0; i < words; i++) {
		random_state = copy * 104729 + (uint64_t)i * 31 + seed * 7;
		bool changed = copy > 0 && random_below(1000) < 33;
		random_state = (changed ? copy * 15485863 + 3 : 0) + seed * 2654435761U + (uint64_t)i * 97 + 17;
		random_below(7);
		add_word(text, i % 10 != 0);
	}
	char tail[100];
	snprintf(tail, sizeof tail, "pay %u EUR at https://win.example/%u/%u", (unsigned)copy * 7, (unsigned)copy,
		 (unsigned)seed);
	strncat(text, tail, TEXT_BYTES - strlen(text) - 1);
}

static void test_perturbed(void)
{
	static const int sizes[] = { 30, 60, 150, 400 };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		int same = 0, all = 0;
		for (uint64_t seed = 1; seed <= 60; seed++)
			for (uint64_t copy = 1; copy <= 20; copy++, all++) {
				char one[TEXT_BYTES] = "", other[TEXT_BYTES] = "";
				add_perturbed(one, seed, 0, sizes[i]);
				add_perturbed(other, seed, copy, sizes[i]);
				same += fingerprint_of(one) == fingerprint_of(other);
			}
		printf("# %d words, perturbed: %.1f per cent have the same\n", sizes[i], 100.0 * same / all);
		ok(same * 10 >= all * 7, "%d words: name, amount, link and a word of thirty: mostly the same",
		   sizes[i]);
	}
}

/* Texts of `words` words with a disclaimer of 120 behind each. */
static void test_disclaimer(void)
{
	static const int sizes[] = { 15, 30, 100 };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		enum { TEXTS = 300 };
		static uint64_t fingerprints[TEXTS];
		int same = 0;
		for (int at = 0; at < TEXTS; at++) {
			char text[TEXT_BYTES] = "";
			add_text(text, (uint64_t)at * 3 + 1000, sizes[i]);
			add_text(text, 5, 120);
			fingerprints[at] = fingerprint_of(text);
			for (int before = 0; before < at; before++)
				same += fingerprints[before] == fingerprints[at];
		}
		int pairs = TEXTS * (TEXTS - 1) / 2;
		printf("# %d words and a common disclaimer: %d of %d pairs have the same\n", sizes[i], same, pairs);
		ok(same * 20 < pairs, "%d words: a common disclaimer does not make them the same", sizes[i]);
	}
}

int main(void)
{
	test_rows();
	test_words();
	test_key();
	test_pieces();
	test_bytes();
	test_perturbed();
	test_disclaimer();
	return done_testing();
}
