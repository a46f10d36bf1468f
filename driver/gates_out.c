/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Findings of check and watch as text, JSON and OpenMetrics. */
#include <stdlib.h>
#include <string.h>

#include "driver/answer.h"
#include "driver/gates.h"
#include "driver/inventory.h"
#include "health/finding.h"

/* For people; documents have severity_name(). */
static const char *severity_word(enum severity s)
{
    static const char *const words[] = {"OK", "INFO", "WARNING", "CRITICAL"};
    return words[s];
}

/* "     partitions: a; b" */
static void item_text(const char *name, const struct buf *item, struct buf *out)
{
    if (!item->len)
        return;
    buf_printf(out, "         %-11s ", name);
    for (const char *p = buf_str(item); *p; p++) {
        if (*p != '\n')
            buf_putc(out, *p);
        else if (p[1])
            buf_puts(out, "; ");
    }
    buf_putc(out, '\n');
}

void gates_inventory_text(const struct driver *drv, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < drv->n_sites; i++) {
        const struct site *s = &drv->site[i];
        if (!s->inventory.item[INV_SOFTWARE].len)
            continue;
        any = true;
        buf_printf(out, "%-8s %-14s software %s, firmware %s\n", drv->journal ? "NOTED" : "SEEN",
                   s->a->name, s->show.software, s->show.firmware);
        for (int k = INV_PARTITIONS; k < INV_ITEMS; k++)
            item_text(inventory_name((enum inventory_item)k), &s->inventory.item[k], out);
    }
    if (any)
        buf_puts(out, "         'run' writes the same list down before it begins, and compares it "
                      "with what it finds after\n         the updates: a difference stops it "
                      "(exit 15) with the CAs paused, until a person has looked\n");
}

void gates_text(const struct gates *g, struct buf *out)
{
    static const enum severity order[] = {SEV_CRITICAL, SEV_WARNING, SEV_INFO};
    for (size_t k = 0; k < ARRAY_LEN(order); k++) {
        for (size_t i = 0; i < g->n; i++) {
            const struct gate *t = &g->item[i];
            if (t->severity != order[k])
                continue;
            buf_printf(out, "%-8s %-14s %u %s\n", severity_word(t->severity), t->subject,
                       (unsigned)t->id, gate_title(t->id));
            buf_printf(out, "         expected: %s\n         found:    %s\n", t->expected,
                       t->found);
            if (t->remedy[0])
                buf_printf(out, "         do:       %s\n", t->remedy);
        }
    }
    if (!g->n)
        buf_puts(out, "nothing found: every gate passes\n");
    if (g->dropped)
        buf_printf(out, "(%zu more findings are not shown)\n", g->dropped);
}

static json_t *one(const struct gate *t)
{
    json_t *o = json_object();
    json_put_number(o, "id", t->id);
    json_put_text(o, "symbol", gate_symbol(t->id));
    json_put_text(o, "severity", severity_name(t->severity));
    json_put_text(o, "title", gate_title(t->id));
    json_put_text(o, "subject", t->subject);
    json_put_text(o, "expected", t->expected);
    json_put_text(o, "found", t->found);
    json_put_text(o, "remedy", t->remedy);
    return o;
}

static json_t *lines(const char *text)
{
    json_t *list = json_array();
    while (*text) {
        size_t n = strcspn(text, "\n");
        json_array_append_new(list, json_stringn(text, n));
        text += n + (text[n] == '\n');
    }
    return list;
}

static json_t *appliance(const struct site *s)
{
    json_t *o = json_object(), *inventory = json_object();
    json_put_text(o, "name", s->a->name);
    json_put_text(o, "role", role_name(s->a->role));
    json_put_text(o, "software", s->show.software);
    json_put_text(o, "firmware", s->show.firmware);
    json_put_text(o, "model", s->show.model);
    json_put_text(o, "serial", s->show.serial);
    json_put_text(o, "attempts", s->show.attempts);
    if (s->show.software[0] && s->show.attempts_left >= 0)
        json_put_number(o, "attempts-left", s->show.attempts_left);
    for (int i = INV_PARTITIONS; i < INV_ITEMS; i++) {
        if (s->inventory.item[i].len)
            json_object_set_new(inventory, inventory_name((enum inventory_item)i),
                                lines(buf_str(&s->inventory.item[i])));
    }
    if (json_object_size(inventory))
        json_object_set(o, "inventory", inventory);
    json_decref(inventory);
    return o;
}

int gates_json(const struct driver *drv, const struct gates *g, const char *kind, int exit_code,
               struct buf *out, struct err *err)
{
    json_t *o = answer_new(kind, exit_code), *list = json_array(), *sites = json_array();
    json_put_text(o, "change", drv->plan.change);
    json_put_when(o, "when", clock_now(drv->clock));
    json_put_text(o, "worst", severity_name(gates_worst(g)));
    for (size_t i = 0; i < drv->n_sites; i++)
        json_array_append_new(sites, appliance(&drv->site[i]));
    for (size_t i = 0; i < g->n; i++)
        json_array_append_new(list, one(&g->item[i]));
    json_object_set_new(o, "appliances", sites);
    json_object_set_new(o, "findings", list);
    if (g->dropped)
        json_put_number(o, "dropped", (int64_t)g->dropped);
    return answer_write(o, out, err);
}

/* Label values: backslash, quote and line end are escaped. */
static void label(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\\' || *s == '"')
            buf_putc(out, '\\');
        buf_putc(out, *s == '\n' ? ' ' : *s);
    }
}

static void gauge(struct buf *out, const char *name, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static bool is_worst(const struct gates *g, size_t i)
{
    for (size_t k = 0; k < g->n; k++) {
        const struct gate *a = &g->item[i], *b = &g->item[k];
        if (a->id == b->id && strcmp(a->subject, b->subject) == 0 &&
            (b->severity > a->severity || (b->severity == a->severity && k < i)))
            return false;
    }
    return true;
}

void gates_metrics(const struct driver *drv, const struct gates *g, struct buf *out)
{
    gauge(out, "crlagent_hsm_finding",
          "A finding of hsmupgrade watch (1 info, 2 warning, 3 critical).");
    for (size_t i = 0; i < g->n; i++) {
        /* One line for each id and subject: a second one would make the whole file invalid. */
        if (!is_worst(g, i))
            continue;
        buf_printf(out, "crlagent_hsm_finding{id=\"%u\",symbol=\"%s\",hsm=\"",
                   (unsigned)g->item[i].id, gate_symbol(g->item[i].id));
        label(out, g->item[i].subject);
        buf_printf(out, "\"} %d\n", (int)g->item[i].severity);
    }
    gauge(out, "crlagent_hsm_info", "Versions of the appliance.");
    for (size_t i = 0; i < drv->n_sites; i++) {
        const struct site *s = &drv->site[i];
        if (!s->show.software[0])
            continue;
        buf_printf(out, "crlagent_hsm_info{hsm=\"%s\",software=\"", s->a->name);
        label(out, s->show.software);
        buf_puts(out, "\",firmware=\"");
        label(out, s->show.firmware);
        buf_puts(out, "\"} 1\n");
    }
    gauge(out, "crlagent_hsm_so_attempts_left", "SO login attempts before zeroization.");
    for (size_t i = 0; i < drv->n_sites; i++) {
        if (drv->site[i].show.software[0] && drv->site[i].show.attempts_left >= 0)
            buf_printf(out, "crlagent_hsm_so_attempts_left{hsm=\"%s\"} %d\n", drv->site[i].a->name,
                       drv->site[i].show.attempts_left);
    }
    gauge(out, "crlagent_hsm_temperature_celsius", "Temperature of the HSM card.");
    for (size_t i = 0; i < drv->n_sites; i++) {
        if (drv->site[i].show.temperature > 0)
            buf_printf(out, "crlagent_hsm_temperature_celsius{hsm=\"%s\"} %d\n",
                       drv->site[i].a->name, drv->site[i].show.temperature);
    }
    gauge(out, "crlagent_hsm_battery_volts", "Battery of the HSM card.");
    for (size_t i = 0; i < drv->n_sites; i++) {
        if (drv->site[i].show.battery > 0)
            buf_printf(out, "crlagent_hsm_battery_volts{hsm=\"%s\"} %.3f\n", drv->site[i].a->name,
                       drv->site[i].show.battery);
    }
    gauge(out, "crlagent_hsm_watch_timestamp_seconds", "When hsmupgrade watch last ran.");
    buf_printf(out, "crlagent_hsm_watch_timestamp_seconds %lld\n",
               (long long)clock_now(drv->clock));
}
