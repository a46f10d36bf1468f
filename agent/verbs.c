/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/verbs.h"

#include "agent/cli.h"

static const struct verb table[] = {
    {"version", "", "Print the version.", NULL, verb_version},
    {"help", "[VERB]", "List the verbs, or explain one.", NULL, verb_help},
};
const struct verb *const cli_verbs = table;
const size_t cli_verb_count = ARRAY_LEN(table);
