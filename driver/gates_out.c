/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Findings of check and watch as text, JSON and OpenMetrics. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "driver/gates.h"

static const char *severity_word(enum severity s)
{
    static const char *const words[] = {"OK", "INFO", "WARNING", "CRITICAL"};
    return words[s];
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
    return json_pack("{s:i s:s s:s s:s s:s s:s s:s s:s}", "id", (int)t->id, "symbol",
                     gate_symbol(t->id), "severity", severity_word(t->severity), "subject",
                     t->subject, "title", gate_title(t->id), "expected", t->expected, "found",
                     t->found, "remedy", t->remedy);
}

static json_t *appliances(const struct driver *drv)
{
    json_t *list = json_array();
    for (size_t i = 0; i < drv->n_sites; i++) {
        const struct site *s = &drv->site[i];
        json_array_append_new(list,
                              json_pack("{s:s s:s s:s s:s s:s s:i}", "name", s->a->name, "role",
                                        role_name(s->a->role), "software", s->show.software,
                                        "firmware", s->show.firmware, "attempts", s->show.attempts,
                                        "attempts_left", s->show.attempts_left));
    }
    return list;
}

int gates_json(const struct driver *drv, const struct gates *g, struct buf *out, struct err *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < g->n; i++)
        json_array_append_new(list, one(&g->item[i]));
    json_t *root = json_pack(
        "{s:s s:s s:I s:o s:o}", "change", drv->plan.change, "worst", severity_word(gates_worst(g)),
        "time", (json_int_t)clock_now(drv->clock), "appliances", appliances(drv), "findings", list);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return err_set(err, ERR_INTERNAL, "the findings could not be written as JSON");
    buf_printf(out, "%s\n", text);
    free(text);
    return buf_check(out, "JSON", err);
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

void gates_metrics(const struct driver *drv, const struct gates *g, struct buf *out)
{
    gauge(out, "crlagent_hsm_finding",
          "A finding of hsmupgrade watch (1 info, 2 warning, 3 critical).");
    for (size_t i = 0; i < g->n; i++) {
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
        if (drv->site[i].show.software[0])
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
