/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/inventory.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "driver/hop.h"

static const char *const names[INV_ITEMS] = {"software", "firmware", "partitions", "clients",
                                             "assigned", "routes",   "ntls",       "services",
                                             "ipcheck",  "standby"};

const char *inventory_name(enum inventory_item i)
{
    return names[i];
}

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

/* Which partitions a client may use. A person who types is spared: one command for each client. */
static int read_assigned(struct site *s, const char *clients, struct buf *ret, struct err *err)
{
    for (const char *p = clients; *p && !s->t.by_hand;) {
        SCOPED(buf_free) struct buf body = BUF_INIT;
        char name[80], value[400] = "not told";
        size_t n = strcspn(p, "\n");
        struct err why = ERR_INIT;
        snprintf(name, sizeof name, "%.*s", (int)(n < 72 ? n : 72), p);
        p += n + (p[n] == '\n');
        int rc = site_ask(s, "client-show", name, &body, &why);
        if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT)
            return err_set(err, rc, "%s", why.text);
        /* A name that may not be typed, or an answer of another form, is no failure. */
        if (!rc)
            (void)luna_value(buf_str(&body), "Partitions", value, sizeof value);
        buf_printf(ret, "%s: %s\n", name, value);
    }
    return ERR_OK;
}

/* Those whose names and answers a public source shows; NTLS has an item of its own. */
static int read_services(struct site *s, struct buf *ret, struct err *err)
{
    static const char *const services[] = {"ntp", "snmp", "syslog"};
    static const char *const words[] = {"not told", "not running", "running"};
    for (size_t i = 0; i < ARRAY_LEN(services) && !s->t.by_hand; i++) {
        SCOPED(buf_free) struct buf body = BUF_INIT;
        struct err why = ERR_INIT;
        int rc = site_ask(s, "service", services[i], &body, &why);
        if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT)
            return err_set(err, rc, "%s", why.text);
        enum luna_yes on = rc ? LUNA_UNSAID : luna_parse_service(buf_str(&body));
        buf_printf(ret, "%s %s\n", services[i], words[on]);
    }
    return ERR_OK;
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

/* On the present connection, whose 'hsm show' was read before. */
static int read_lists(struct site *s, struct inventory *ret, struct err *err)
{
    char standby[32] = "";
    struct err ignored = ERR_INIT;
    int rc = read_partitions(s, &ret->item[INV_PARTITIONS], err);
    if (!rc)
        rc = read_clients(s, &ret->item[INV_CLIENTS], err);
    if (!rc)
        rc = read_assigned(s, buf_str(&ret->item[INV_CLIENTS]), &ret->item[INV_ASSIGNED], err);
    if (!rc)
        rc = read_routes(s, &ret->item[INV_ROUTES], err);
    if (!rc)
        rc = read_ntls(s, &ret->item[INV_NTLS], err);
    if (!rc)
        rc = read_services(s, &ret->item[INV_SERVICES], err);
    if (!rc)
        rc = read_ipcheck(s, &ret->item[INV_IPCHECK], err);
    if (rc)
        return rc;
    /* The names of these commands are younger than 7.0: not having them is no failure. */
    if (inventory_standby(s, standby, &ignored) == ERR_OK)
        buf_puts(&ret->item[INV_STANDBY], standby);
    buf_puts(&ret->item[INV_SOFTWARE], s->show.software);
    buf_puts(&ret->item[INV_FIRMWARE], s->show.firmware);
    return ERR_OK;
}

int inventory_read(struct site *s, struct inventory *ret, struct err *err)
{
    struct luna_show show;
    int rc = site_fresh_show(s, &show, err);
    return rc ? rc : read_lists(s, ret, err);
}

int inventory_save(struct site *s, const struct inventory *i, struct err *err)
{
    int rc = ERR_OK;
    for (int k = 0; k < INV_ITEMS && !rc; k++) {
        char name[40], key[HOP_NAME_MAX];
        bool version = k == INV_SOFTWARE || k == INV_FIRMWARE || k == INV_STANDBY;
        snprintf(name, sizeof name, "before.%s", names[k]);
        /* What must not differ is compared with what stood before the first hop. */
        if (!version && s->hop > 0)
            continue;
        hop_name(&s->drv->plan, version ? s->hop : 0, name, key);
        if (!version)
            str_copy(key, sizeof key, name);
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

int inventory_compare(struct site *s, const char *since, const struct inventory *now,
                      struct buf *diff, struct err *err)
{
    static const enum inventory_item fixed[] = {
        INV_PARTITIONS, INV_CLIENTS, INV_ASSIGNED, INV_ROUTES, INV_NTLS, INV_SERVICES, INV_IPCHECK};
    for (size_t k = 0; k < ARRAY_LEN(fixed); k++) {
        SCOPED(buf_free) struct buf before = BUF_INIT;
        char key[40];
        snprintf(key, sizeof key, "%s.%s", since, names[fixed[k]]);
        int rc = journal_fact(s->drv->journal, s->a->name, key, &before, err);
        if (rc)
            return rc;
        /* One of the two was read by hand. */
        bool spared = fixed[k] == INV_ASSIGNED || fixed[k] == INV_SERVICES;
        if (spared && (!before.len || !now->item[fixed[k]].len))
            continue;
        const char *after = buf_str(&now->item[fixed[k]]);
        missing_lines(buf_str(&before), after, names[fixed[k]], "before", diff);
        missing_lines(after, buf_str(&before), names[fixed[k]], "now", diff);
    }
    return buf_check(diff, "difference", err);
}

static int note_down(struct site *s, const char *when, struct err *err)
{
    int rc = ERR_OK;
    for (int k = 0; k < INV_ITEMS && !rc; k++) {
        char key[40];
        snprintf(key, sizeof key, "check.%s", names[k]);
        rc =
            journal_set_fact(s->drv->journal, s->a->name, key, buf_str(&s->inventory.item[k]), err);
    }
    return rc ? rc : journal_set_fact(s->drv->journal, s->a->name, "check.when", when, err);
}

int inventory_begun(struct site *s, bool *ret, struct err *err)
{
    SCOPED(buf_free) struct buf software = BUF_INIT;
    struct journal *j = s->drv->journal;
    int rc = journal_fact(j, s->a->name, "before.software", &software, err);
    if (!rc && !software.len)
        rc = journal_fact(j, s->a->name, "before.software@1", &software, err);
    *ret = software.len > 0;
    return rc;
}

int inventory_note(struct site *s, char since[64], struct buf *diff, struct err *err)
{
    SCOPED(buf_free) struct buf checked = BUF_INIT;
    char now[WHEN_TEXT_MAX];
    bool begun = false;
    struct driver *drv = s->drv;
    int rc = read_lists(s, &s->inventory, err);
    if (rc || !drv->journal)
        return rc;
    rc = inventory_begun(s, &begun, err);
    if (!rc)
        rc = journal_fact(drv->journal, s->a->name, "check.when", &checked, err);
    if (!rc && (begun || checked.len))
        rc = inventory_compare(s, begun ? "before" : "check", &s->inventory, diff, err);
    if (begun)
        snprintf(since, 64, "as before the change began");
    else
        snprintf(since, 64, "as at the check of %.40s", buf_str(&checked));
    when_format(clock_now(drv->clock), now);
    return rc || begun ? rc : note_down(s, now, err);
}
