/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/version.h"

#include <ctype.h>
#include <string.h>

/* Up to five digits; -1 when there is none or too many. */
static int number(const char **p)
{
    int v = 0;
    int digits = 0;
    while (isdigit((unsigned char)**p) && digits < 6) {
        v = v * 10 + (**p - '0');
        (*p)++;
        digits++;
    }
    return digits == 0 || digits == 6 ? -1 : v;
}

int version_parse(const char *text, struct version *ret, struct err *err)
{
    struct version v = {{-1, -1, -1}, -1};
    const char *p = text;
    for (int i = 0; i < 3; i++) {
        v.part[i] = number(&p);
        if (v.part[i] < 0)
            goto bad;
        if (*p != '.')
            break;
        if (i == 2)
            goto bad;
        p++;
    }
    if (*p == '-') {
        p++;
        v.build = number(&p);
        if (v.build < 0)
            goto bad;
    }
    if (*p)
        goto bad;
    *ret = v;
    return ERR_OK;
bad:
    return err_set(err, ERR_PARSE,
                   "expected a version such as '7.7.0' or '7.7.0-317', found '%.40s'", text);
}

int version_compare(const struct version *a, const struct version *b)
{
    for (int i = 0; i < 3; i++) {
        int x = a->part[i] < 0 ? 0 : a->part[i];
        int y = b->part[i] < 0 ? 0 : b->part[i];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

bool version_in(const struct version *v, const struct version *pattern)
{
    for (int i = 0; i < 3 && pattern->part[i] >= 0; i++) {
        if ((v->part[i] < 0 ? 0 : v->part[i]) != pattern->part[i])
            return false;
    }
    return pattern->build < 0 || v->build == pattern->build;
}

bool version_reached(const char *shown, const char *wanted)
{
    struct version s, w;
    if (version_parse(shown, &s, NULL) || version_parse(wanted, &w, NULL))
        return false;
    return version_compare(&s, &w) == 0 && (s.build < 0 || w.build < 0 || s.build == w.build);
}
