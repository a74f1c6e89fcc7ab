/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/trace/trace_secret.h"

#include "policy/base/text.h"
#include "policy/account.h"
#include "policy/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { KEY_DIGITS = 32, PATH_BYTES = 1024 };

/* ---- the key */

static bool trace_secret_fail(char *error, size_t error_size, const char *path, const char *why)
{
	snprintf(error, error_size, "%s: %s", path, why);
	return false;
}

static bool trace_secret_take(const char *digits, uint64_t key_out[2])
{
	if (strspn(digits, "0123456789abcdef") < KEY_DIGITS || digits[KEY_DIGITS] != '\n')
		return false;
	for (int i = 0; i < 2; i++) {
		char half[KEY_DIGITS / 2 + 1];
		snprintf(half, sizeof half, "%.*s", KEY_DIGITS / 2, digits + i * (KEY_DIGITS / 2));
		key_out[i] = strtoull(half, NULL, 16);
	}
	return true;
}

/* A file that was begun and not ended must not stand: a name of its own first. */
static bool trace_secret_make(const char *path, char *error, size_t error_size)
{
	char digits[KEY_DIGITS + 2], new[PATH_BYTES + 5];
	uint64_t key[2];
	if (getrandom(key, sizeof key, 0) != sizeof key)
		return trace_secret_fail(error, error_size, path, "there are no random bytes to make a key of");
	int length = snprintf(digits, sizeof digits, "%016llx%016llx\n", (unsigned long long)key[0],
			      (unsigned long long)key[1]);
	snprintf(new, sizeof new, "%s.new", path);
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	bool fine = fd >= 0 && write(fd, digits, (size_t)length) == length && fsync(fd) == 0;
	if (fd >= 0)
		fine = close(fd) == 0 && fine;
	if (!fine || rename(new, path) != 0)
		return trace_secret_fail(error, error_size, new, strerror(errno));
	return true;
}

bool trace_secret(const char *folder, const char *salt, bool make, uint64_t key_out[2], char *error, size_t error_size)
{
	char path[PATH_BYTES], digits[KEY_DIGITS + 2] = "";
	for (uint64_t i = 0; i < 2; i++)
		key_out[i] = hash_keyed((const uint64_t[]){ i, 0x7472616365u }, salt, strlen(salt));
	if (*salt != '\0')
		return true;
	snprintf(path, sizeof path, "%s/" TRACE_SECRET_FILE, folder);
	if (make && access(path, F_OK) != 0 && errno == ENOENT && !trace_secret_make(path, error, error_size))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return trace_secret_fail(error, error_size, path, strerror(errno));
	ssize_t got = read(fd, digits, sizeof digits - 1);
	close(fd);
	if (got != KEY_DIGITS + 1 || !trace_secret_take(digits, key_out))
		return trace_secret_fail(error, error_size, path, "expected 32 hexadecimal digits, and an end of line");
	return true;
}

/* ---- what it does */

void trace_secret_rcpt(const uint64_t key[2], const char *rcpt, char hashed[TRACE_VALUE_MAX])
{
	char lower[ADDRESS_MAX + 1];
	text_copy(lower, sizeof lower, rcpt);
	for (char *at = lower; *at != '\0'; at++)
		*at = text_lower(*at);
	const char *domain = address_domain(lower);
	snprintf(hashed, TRACE_VALUE_MAX, "h:%016llx%s%.255s",
		 (unsigned long long)hash_keyed(key, lower, strlen(lower)), *domain != '\0' ? "@" : "", domain);
}

/* Is `c` a letter of a word, as names in replies are? */
static bool is_of_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

static bool is_of_local(char c)
{
	return c != '\0' && (is_of_word(c) || strchr(".!#$%&'*+/=?^`{|}~\\\"", c) != NULL);
}

static void trace_secret_replace(char *text, size_t from, size_t to)
{
	text[from] = '?';
	memmove(text + from + 1, text + to, strlen(text + to) + 1);
}

/* Each place where `local` stands as a word. */
static void trace_secret_hide(char *text, const char *local, size_t length)
{
	for (size_t at = 0; length > 0 && at + length <= strlen(text); at++) {
		bool begins = at == 0 || !is_of_word(text[at - 1]), ends = !is_of_word(text[at + length]);
		if (begins && ends && strncasecmp(text + at, local, length) == 0)
			trace_secret_replace(text, at, at + length);
	}
}

void trace_secret_text(const char *rcpt, char *text)
{
	for (char *sign = text; (sign = strchr(sign, '@')) != NULL;) {
		size_t to = (size_t)(sign - text), from = to;
		while (from > 0 && is_of_local(text[from - 1]))
			from--;
		if (from < to) {
			trace_secret_replace(text, from, to);
			sign = text + from + 1;
		}
		sign++;
	}
	const char *end = strrchr(rcpt, '@');
	size_t local = end != NULL ? (size_t)(end - rcpt) : strlen(rcpt);
	trace_secret_hide(text, rcpt, local);
	trace_secret_hide(text, rcpt, strcspn(rcpt, "+") < local ? strcspn(rcpt, "+") : 0); /* "mailbox bob is full" */
}
