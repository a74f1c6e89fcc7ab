/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/files_text.h"
#include "milter/web/page.h"
#include "policy/hash.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

/* Nothing from elsewhere, nothing inline, and nobody may frame it. */
static const char security_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
	"base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

static const struct page_file {
	const char *path, *type;
	const unsigned char *bytes;
	size_t length;
} files[] = {
	{ "/rbl", "text/html; charset=utf-8", file_rbl_html, sizeof file_rbl_html },
	{ "/rbl.css", "text/css; charset=utf-8", file_rbl_css, sizeof file_rbl_css },
	{ "/rbl.js", "text/javascript; charset=utf-8", file_rbl_js, sizeof file_rbl_js },
	{ "/rbl_view.js", "text/javascript; charset=utf-8", file_rbl_view_js, sizeof file_rbl_view_js },
	{ "/favicon.svg", "image/svg+xml", file_favicon_svg, sizeof file_favicon_svg },
	{ "/openapi.json", "application/json", file_openapi_json, sizeof file_openapi_json },
};

static void page_file_send(struct evhttp_request *request, const struct page_file *file)
{
	char tag[20];
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	const char *known = evhttp_find_header(evhttp_request_get_input_headers(request), "If-None-Match");
	snprintf(tag, sizeof tag, "\"%016" PRIx64 "\"", hash_bytes(file->bytes, file->length, 0));
	page_headers(request, file->type, "no-cache"); /* kept, but asked about each time */
	evhttp_add_header(headers, "ETag", tag);
	evhttp_add_header(headers, "Content-Security-Policy", security_policy);
	if (known != NULL && strstr(known, tag) != NULL) {
		page_send(request, 304, NULL);
		return;
	}
	struct evbuffer *body = evbuffer_new();
	if (body != NULL)
		evbuffer_add_reference(body, file->bytes, file->length, NULL, NULL);
	page_send(request, 200, body);
	if (body != NULL)
		evbuffer_free(body);
}

void page_file(struct page_host *host, struct evhttp_request *request)
{
	(void)host;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (strcmp(page_path(request), files[i].path) == 0) {
			page_file_send(request, &files[i]);
			return;
		}
	page_answer_error(request, 404, "There is no such file.", 0);
}

void page_root(struct page_host *host, struct evhttp_request *request)
{
	(void)host;
	evhttp_add_header(evhttp_request_get_output_headers(request), "Location", "/rbl");
	page_answer(request, 302, "text/plain; charset=utf-8", NULL);
}
