/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the options of feedback must be: they stand in headers of mail that leaves.
 */
#include "milter/config/config_read.h"

#include "policy/base/text.h"

#include <string.h>
#include <strings.h>

#include "policy/base/banned.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

enum { SENDER_ID_LEAST = 5 };

static bool config_feedback_check_header(struct reader *reader)
{
	const char *header = reader->config->set.feedback_header;
	return (header[strspn(header, LETTERS DIGITS "-")] == '\0' && strncasecmp(header, "X-Penstock-", 11) != 0) ||
	       read_error(reader, read_option(reader, "feedback.header"),
			  "is \"%s\", expected a name of letters, digits and dashes that does not begin with "
			  "X-Penstock-",
			  header);
}

static bool config_feedback_check_address(struct reader *reader)
{
	const char *address = reader->config->set.feedback_address, *at = strchr(address, '@');
	bool plain = address[strspn(address, LETTERS DIGITS "@.!#$%&'*+-/=?^_`{|}~")] == '\0';
	return *address == '\0' ||
	       (plain && at != NULL && at > address && at[1] != '\0' && strchr(at + 1, '@') == NULL) ||
	       read_error(reader, read_option(reader, "feedback.address"), "is \"%s\", expected one mail address",
			  address);
}

static bool config_feedback_check_id(struct reader *reader)
{
	const char *id = reader->config->set.feedback_id;
	return *id == '\0' || (strlen(id) >= SENDER_ID_LEAST && id[strspn(id, LETTERS DIGITS)] == '\0') ||
	       read_error(reader, read_option(reader, "feedback.feedback_id"),
			  "is \"%s\", expected 5 to 15 letters and digits", id);
}

bool config_feedback_agree(struct reader *reader)
{
	return config_feedback_check_header(reader) && config_feedback_check_address(reader) &&
	       config_feedback_check_id(reader);
}
