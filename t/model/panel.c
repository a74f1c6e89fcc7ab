/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/model/panel.h"

#include "t/model/lot.h"
#include "t/model/model.h"
#include "t/model/net.h"
#include "t/model/users.h"

#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum { KEY_ROOM = ACCOUNT_MAX * 5 };

/* What was written in the place of a record, and is to stay; NULL: nothing. Of another type: "". */
static const char *strange[MODEL_ACCOUNTS];

void panel_begin(void)
{
	memset(strange, 0, sizeof strange);
}

static void panel_key(char key[KEY_ROOM], const char *name, const char *part)
{
	snprintf(key, KEY_ROOM, "%s:{%s}:%s", model.settings[0].prefix, name, part);
}

/* ---- what panels may write */

static void panel_set_limit(const struct model_group *group)
{
	char key[KEY_ROOM], number[24];
	int64_t limit = group->limits.window[group->window] + lot_between(-3, 20);
	panel_key(key, group->name, "limits");
	snprintf(number, sizeof number, "%lld", (long long)(limit > 0 ? limit : 0));
	model_say("a panel limits %s to %s", group->name, number);
	server_do(4, (const char *[]){ "HSET", key, window_word(group->window), number });
}

static void panel_note(const struct model_group *group)
{
	char key[KEY_ROOM];
	const char *part = lot_once_in(2) ? "block" : "exempt";
	panel_key(key, group->name, part);
	bool goes = lot_once_in(2);
	model_say("a panel %s %s of %s", goes ? "takes away" : "writes", part, group->name);
	if (goes)
		server_do(2, (const char *[]){ "DEL", key });
	else
		server_do(3, (const char *[]){ "SET", key, "because" });
}

void panel_step(void)
{
	if (model.groups == 0)
		return;
	const struct model_group *group = &model.group[lot(model.groups)];
	model.panels = true;
	if (lot_once_in(2))
		panel_set_limit(group);
	else
		panel_note(group);
}

/* ---- what nobody should */

static void panel_write_strange(int account)
{
	static const char *const records[] = { "\x05"
					       "of another version",
					       "\x04"
					       "half a record",
					       "text", "" };
	char key[KEY_ROOM];
	panel_key(key, model.account[account].name, "record");
	strange[account] = records[lot(4)];
	model_say("the record of account %d is something else", account);
	server_do(2, (const char *[]){ "DEL", key });
	if (*strange[account] != '\0')
		server_do(3, (const char *[]){ "SET", key, strange[account] });
	else
		server_do(4, (const char *[]){ "HSET", key, "a", "b" });
}

static void panel_remove_strange(int account)
{
	char key[KEY_ROOM];
	panel_key(key, model.account[account].name, "record");
	strange[account] = NULL;
	model_say("the record of account %d is removed", account);
	server_do(2, (const char *[]){ "DEL", key });
}

static void panel_forget_all(void)
{
	model_say("Redis forgets all");
	panel_begin();
	redis_data_clear(&server_data);
}

static void panel_set_clock(void)
{
	int64_t ms = lot_once_in(2) ? lot_between(-7200000, 7200000) : lot_between(-3000, 3000);
	model_say("Redis's clock is set by %lld ms", (long long)ms);
	server_step_clock(ms);
}

void panel_step_foreign(void)
{
	int account = lot(model.accounts);
	if (!model.foreign)
		return;
	switch (lot(6)) {
	case 0:
	case 1:
		panel_write_strange(account);
		break;
	case 2:
		panel_remove_strange(account);
		break;
	case 3:
		panel_forget_all();
		break;
	case 4:
		panel_set_clock();
		break;
	default:
		strange[account] = NULL;
		users_reset(account);
	}
}

void panel_removed(const char *removed)
{
	for (int account = 0; account < model.accounts; account++) {
		char key[KEY_ROOM];
		panel_key(key, model.account[account].name, "record");
		if (strcmp(key, removed) == 0)
			strange[account] = NULL;
	}
}

void panel_check(void)
{
	for (int account = 0; account < model.accounts; account++) {
		char key[KEY_ROOM];
		if (strange[account] == NULL)
			continue;
		panel_key(key, model.account[account].name, "record");
		const struct redis_key *found = redis_find(&server_data, 0, (struct fake_word){ key, strlen(key) });
		MODEL_MUST(found != NULL, "what stood in the place of record %d is gone", account);
		MODEL_MUST(*strange[account] == '\0'
				   ? found->type == REDIS_HASH
				   : fake_bytes_are(&found->string,
						    (struct fake_word){ strange[account], strlen(strange[account]) }),
			   "what stood in the place of record %d is overwritten", account);
	}
}
