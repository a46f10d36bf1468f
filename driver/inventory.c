/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/inventory.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const names[INV_ITEMS] = {"software", "firmware", "partitions", "clients",
                                             "routes",   "ntls",     "ipcheck",    "standby"};

void inventory_free(struct inventory *i)
{
    for (int k = 0; k < INV_ITEMS; k++)
        buf_free(&i->item[k]);
}

static int read_partitions(struct site *s, struct buf *ret, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct luna_list l;
    int rc = site_ask(s, "partitions", NULL, &body, err);
    if (!rc)
        rc = luna_parse_partitions(buf_str(&body), &l, err);
    for (size_t i = 0; !rc && i < l.n; i++)
        buf_printf(ret, "%s %s (%lld objects)\n", l.row[i].detail, l.row[i].name,
                   (long long)l.row[i].number);
    return rc;
}

static int read_clients(struct site *s, struct buf *ret, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct luna_list l;
    int rc = site_ask(s, "clients", NULL, &body, err);
    if (!rc)
        rc = luna_parse_clients(buf_str(&body), &l, err);
    for (size_t i = 0; !rc && i < l.n; i++)
        buf_printf(ret, "%s\n", l.row[i].name);
    return rc;
}

static int read_routes(struct site *s, struct buf *ret, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct luna_list l;
    int rc = site_ask(s, "routes", NULL, &body, err);
    if (!rc)
        rc = luna_parse_routes(buf_str(&body), &l, err);
    for (size_t i = 0; !rc && i < l.n; i++)
        buf_printf(ret, "%s via %s\n", l.row[i].name, l.row[i].detail);
    return rc;
}

static int read_ntls(struct site *s, struct buf *ret, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    int rc = site_ask(s, "service", "ntls", &body, err);
    if (!rc)
        buf_puts(ret, luna_parse_service(buf_str(&body)) == LUNA_YES ? "running" : "not running");
    return rc;
}

static int read_ipcheck(struct site *s, struct buf *ret, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    char v[64] = "";
    int rc = site_ask(s, "ipcheck", NULL, &body, err);
    if (!rc && luna_value(buf_str(&body), "NTLS client source IP validation", v, sizeof v))
        buf_puts(ret, v);
    return rc;
}

int inventory_standby(struct site *s, char ret[32], struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct version v;
    ret[0] = '\0';
    int rc = site_ask(s, "firmware-show", NULL, &body, err);
    if (!rc && luna_value(buf_str(&body), "Upgrade Firmware", ret, 32) &&
        version_parse(ret, &v, NULL))
        ret[0] = '\0';
    return rc;
}

int inventory_read(struct site *s, struct inventory *ret, struct err *err)
{
    struct luna_show show;
    char standby[32] = "";
    struct err ignored = ERR_INIT;
    int rc = site_fresh_show(s, &show, err);
    if (!rc)
        rc = read_partitions(s, &ret->item[INV_PARTITIONS], err);
    if (!rc)
        rc = read_clients(s, &ret->item[INV_CLIENTS], err);
    if (!rc)
        rc = read_routes(s, &ret->item[INV_ROUTES], err);
    if (!rc)
        rc = read_ntls(s, &ret->item[INV_NTLS], err);
    if (!rc)
        rc = read_ipcheck(s, &ret->item[INV_IPCHECK], err);
    if (rc)
        return rc;
    /* The names of these commands are younger than 7.0: not having them is no failure. */
    if (inventory_standby(s, standby, &ignored) == ERR_OK)
        buf_puts(&ret->item[INV_STANDBY], standby);
    buf_puts(&ret->item[INV_SOFTWARE], show.software);
    buf_puts(&ret->item[INV_FIRMWARE], show.firmware);
    return ERR_OK;
}

int inventory_save(struct site *s, const struct inventory *i, struct err *err)
{
    int rc = ERR_OK;
    for (int k = 0; k < INV_ITEMS && !rc; k++) {
        char key[40];
        snprintf(key, sizeof key, "before.%s", names[k]);
        rc = journal_set_fact(s->drv->journal, s->a->name, key, buf_str(&i->item[k]), err);
    }
    return rc;
}

/* Lines of a that are not in b, each with a sign. */
static void missing_lines(const char *a, const char *b, const char *what, const char *sign,
                          struct buf *diff)
{
    while (*a) {
        size_t n = strcspn(a, "\n");
        bool found = false;
        for (const char *p = b; *p && !found;) {
            size_t m = strcspn(p, "\n");
            found = m == n && memcmp(p, a, n) == 0;
            p += m + (p[m] == '\n');
        }
        if (!found)
            buf_printf(diff, "%s%s %s: %.*s", diff->len ? "; " : "", what, sign, (int)n, a);
        a += n + (a[n] == '\n');
    }
}

int inventory_compare(struct site *s, const struct inventory *now, struct buf *diff,
                      struct err *err)
{
    static const enum inventory_item fixed[] = {INV_PARTITIONS, INV_CLIENTS, INV_ROUTES, INV_NTLS,
                                                INV_IPCHECK};
    for (size_t k = 0; k < ARRAY_LEN(fixed); k++) {
        SCOPED(buf_free) struct buf before = BUF_INIT;
        char key[40];
        snprintf(key, sizeof key, "before.%s", names[fixed[k]]);
        int rc = journal_fact(s->drv->journal, s->a->name, key, &before, err);
        if (rc)
            return rc;
        const char *after = buf_str(&now->item[fixed[k]]);
        missing_lines(buf_str(&before), after, names[fixed[k]], "before", diff);
        missing_lines(after, buf_str(&before), names[fixed[k]], "now", diff);
    }
    return buf_check(diff, "difference", err);
}
