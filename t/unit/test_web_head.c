/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/head.h"

#include "t/unit/tap.h"

#define GET "GET /health HTTP/1.1\r\n"
#define HOST "Host: 127.0.0.1\r\n"

/* clang-format off */
static const struct {
	const char *name, *bytes, *wrong;	/* NULL: nothing; else part of the sentence */
	size_t length;				/* 0: up to the NUL */
} rows[] = {
	{ "a request", GET HOST "\r\n", NULL, 0 },
	{ "two", GET HOST "\r\n" GET "X: y\r\n" HOST "\r\n", NULL, 0 },
	{ "one that has only begun", GET "Ho", NULL, 0 },
	{ "nothing", "", NULL, 0 },
	{ "HTTP/1.0 needs no Host", "GET / HTTP/1.0\r\n\r\n", NULL, 0 },
	{ "... and may have one", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", NULL, 0 },
	{ "a name in any letters", GET "hOST:a\r\n\r\n", NULL, 0 },
	{ "all bytes of a name", GET HOST "!#$%&'*+-.^_`|~09AZaz: x\r\n\r\n", NULL, 0 },
	{ "blanks, tabs and Latin-1 in a value", GET HOST "X: \t a\tb  \xe4 \r\n\r\n", NULL, 0 },
	{ "a value without bytes", GET HOST "X:\r\n\r\n", NULL, 0 },
	{ "odd bytes in the target", "GET /?q=<a>\"\xc3\xa4%00 HTTP/1.1\r\n" HOST "\r\n", NULL, 0 },
	{ "names that only begin or end so", GET HOST "Hos: a\r\nHosts: a\r\nX-Host: a\r\n\r\n", NULL, 0 },
	{ "a blank before the colon", GET HOST "Content-Length : 5\r\n\r\n", "header name", 0 },
	{ "a tab before the colon", GET HOST "Transfer-Encoding\t: chunked\r\n\r\n", "header name", 0 },
	{ "a blank within", GET HOST "Content Length: 5\r\n\r\n", "header name", 0 },
	{ "brackets in a name", GET HOST "X(y): 5\r\n\r\n", "header name", 0 },
	{ "no ASCII in a name", GET HOST "X\xe4: 5\r\n\r\n", "header name", 0 },
	{ "no name at all", GET HOST ": 5\r\n\r\n", "header name", 0 },
	{ "no colon", GET HOST "Content-Length\r\n\r\n", "without a colon", 0 },
	{ "a folded line", GET HOST "X: y\r\n z\r\n\r\n", "goes on", 0 },
	{ "... by a tab", GET HOST "X: y\r\n\tContent-Length: 5\r\n\r\n", "goes on", 0 },
	{ "... behind the first line", GET " X: y\r\n" HOST "\r\n", "goes on", 0 },
	{ "CR alone in a value", GET HOST "X: y\rContent-Length: 5\r\n\r\n", "CR without LF", 0 },
	{ "CR twice", GET HOST "X: y\r\r\n\r\n", "CR without LF", 0 },
	{ "LF alone", GET HOST "X: y\nContent-Length: 5\r\n\r\n", "LF without CR", 0 },
	{ "LF alone at the end", GET HOST "\n", "LF without CR", 0 },
	{ "LF at the very beginning", "\n" GET HOST "\r\n", "LF without CR", 0 },
	{ "NUL in a value", GET HOST "X: 0\0005\r\n\r\n", "control character", sizeof(GET HOST "X: 0\0005\r\n\r\n") - 1 },
	{ "NUL in a name", GET HOST "X\0y: 0\r\n\r\n", "control character", sizeof(GET HOST "X\0y: 0\r\n\r\n") - 1 },
	{ "DEL", GET HOST "X: \x7f\r\n\r\n", "control character", 0 },
	{ "an escape in the target", "GET /\x1b HTTP/1.1\r\n" HOST "\r\n", "control character", 0 },
	{ "two Hosts", GET HOST HOST "\r\n", "more than one Host", 0 },
	{ "... of HTTP/1.0", "GET / HTTP/1.0\r\n" HOST "host: b\r\n\r\n", "more than one Host", 0 },
	{ "no Host", GET "X: y\r\n\r\n", "no Host", 0 },
	{ "no Host in the second", GET HOST "\r\n" GET "\r\n", "no Host", 0 },
	{ "an empty line first", "\r\n" GET HOST "\r\n", "does not begin", 0 },
	{ "HTTP/0.9", "GET /\r\n", "does not begin", 0 },
	{ "two blanks", "GET  / HTTP/1.1\r\n" HOST "\r\n", "does not begin", 0 },
	{ "a blank in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", "does not begin", 0 },
	{ "a tab for a blank", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", "does not begin", 0 },
	{ "a blank at the end", "GET / HTTP/1.1 \r\n" HOST "\r\n", "does not begin", 0 },
	{ "a blank first", " GET / HTTP/1.1\r\n" HOST "\r\n", "does not begin", 0 },
	{ "another version", "GET / HTTP/2.0\r\n" HOST "\r\n", "does not begin", 0 },
	{ "... of three digits", "GET / HTTP/1.11\r\n" HOST "\r\n", "does not begin", 0 },
	{ "... cut", "GET / HTTP/1.\r\n" HOST "\r\n", "does not begin", 0 },
	{ "... small", "GET / http/1.1\r\n" HOST "\r\n", "does not begin", 0 },
	{ "a body behind it", GET HOST "\r\n5\r\nhello\r\n", "does not begin", 0 },
};
/* clang-format on */

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct head whole = { .wrong = NULL }, bytewise = { .wrong = NULL };
		size_t length = rows[i].length != 0 ? rows[i].length : strlen(rows[i].bytes);
		head_read(&whole, rows[i].bytes, length);
		for (size_t at = 0; at < length; at++)
			head_read(&bytewise, rows[i].bytes + at, 1);
		ok(rows[i].wrong == NULL ? whole.wrong == NULL
					 : whole.wrong != NULL && strstr(whole.wrong, rows[i].wrong) != NULL,
		   "%s: %s", rows[i].name, whole.wrong != NULL ? whole.wrong : "fine");
		is_str(bytewise.wrong, whole.wrong, "... byte by byte the same");
	}
	return done_testing();
}
