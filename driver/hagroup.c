/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/hagroup.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "driver/lunash.h"

/* "------  1238700701509    ------------      down": slot, serial, label (may hold blanks), status.
 * A rule ("======  ====") and the headings are none. */
static bool member_row(const char *line, char serial[32], char status[24])
{
    char slot[16], last[64] = "";
    if (sscanf(line, " %15s %31s", slot, serial) != 2 || strspn(serial, "0123456789") < 5)
        return false;
    const char *end = line + strlen(line);
    while (end > line && strchr(" \t\r", end[-1]))
        end--;
    const char *start = end;
    while (start > line && !strchr(" \t", start[-1]))
        start--;
    size_t n = (size_t)(end - start) < sizeof last ? (size_t)(end - start) : sizeof last - 1;
    memcpy(last, start, n);
    last[n] = '\0';
    return strcmp(last, serial) != 0 && str_copy(status, 24, last);
}

static void count(struct ha_group *g, const char *serial, const char *status)
{
    size_t n = strlen(g->bad);
    if (str_eq_nocase(status, "alive")) {
        g->alive++;
        return;
    }
    g->others++;
    snprintf(g->bad + n, sizeof g->bad - n, "%s%s %s", n ? ", " : "", serial, status);
}

int hagroup_parse(const char *text, struct ha_groups *ret, struct err *err)
{
    struct ha_group *g = NULL;
    memset(ret, 0, sizeof *ret);
    for (const char *p = text; *p;) {
        char line[256], value[72], serial[32], status[24];
        size_t n = strcspn(p, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(n < 250 ? n : 250), p);
        p += n + (p[n] == '\n');
        if (luna_value(line, "HA Group Label", value, sizeof value)) {
            if (ret->n == HA_GROUPS_MAX)
                return err_set(err, ERR_LIMIT, "more than %d HA groups", HA_GROUPS_MAX);
            g = &ret->group[ret->n++];
            str_copy(g->label, sizeof g->label, value);
        } else if (g && luna_value(line, "Needs sync", value, sizeof value)) {
            g->needs_sync = !str_eq_nocase(value, "no");
            g->sync_known = true;
        } else if (g && member_row(line, serial, status)) {
            count(g, serial, status);
        }
    }
    if (!ret->n)
        return err_set(err, ERR_PARSE,
                       "expected the answer of 'hagroup listgroups' with a line 'HA Group Label:', "
                       "found none");
    for (size_t i = 0; i < ret->n; i++) {
        if (ret->group[i].alive + ret->group[i].others == 0)
            return err_set(err, ERR_PARSE, "the HA group '%s' has no member in its table",
                           ret->group[i].label);
    }
    return ERR_OK;
}
