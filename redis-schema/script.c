/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/script.h"

#include "redis-schema/script_text.h"

#include "policy/base/banned.h"

const char script_text[] = SCRIPT_TEXT;
