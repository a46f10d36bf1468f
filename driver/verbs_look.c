/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The verbs that only look: check before a change, watch every day. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "driver/gates.h"
#include "driver/verbs_int.h"
#include "health/finding.h"

static int check_exit(enum severity worst)
{
    return worst == SEV_CRITICAL  ? HU_CHECK_CRITICAL
           : worst == SEV_WARNING ? HU_CHECK_WARNING
                                  : HU_DONE;
}

static void mixed_firmware(struct driver *drv, struct gates *g)
{
    for (size_t i = 1; i < drv->n_sites; i++) {
        const struct site *a = &drv->site[i - 1], *b = &drv->site[i];
        if (a->a->role == ROLE_SINGLE || !a->show.firmware[0] || !b->show.firmware[0] ||
            strcmp(a->show.firmware, b->show.firmware) == 0)
            continue;
        struct gate *t = gate_add(g, FIND_HSM_MIXED, SEV_WARNING, b->a->name);
        snprintf(t->expected, sizeof t->expected, "firmware %s as on %s", a->show.firmware,
                 a->a->name);
        snprintf(t->found, sizeof t->found, "%s", b->show.firmware);
    }
}

static int write_metrics(const char *path, const struct driver *drv, const struct gates *g,
                         struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    gates_metrics(drv, g, &text);
    int rc = buf_check(&text, "metrics", err);
    return rc ? rc : file_write_atomic(path, buf_str(&text), text.len, err);
}

static void look(struct driver *drv, const struct parsed *p, bool for_run, struct gates *g)
{
    if (for_run)
        gates_plan(drv, g);
    for (size_t i = 0; i < drv->n_sites; i++)
        gates_site(&drv->site[i], for_run, g);
    mixed_firmware(drv, g);
    gates_ha(drv, for_run, g);
    if (for_run)
        gates_duration(drv, g);
    if (for_run && !p->no_agents)
        gates_agents(drv, g);
}

static int look_and_tell(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv,
                         bool for_run)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    int code;
    if (hu_parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    SCOPED(hu_end_driver) struct driver *drv = hu_driver(cli, &p);
    SCOPED(scope_free) struct gates *g = calloc(1, sizeof *g);
    SCOPED(buf_free) struct buf text = BUF_INIT;
    if (!drv || !g)
        return HU_CHECK_UNKNOWN;
    if (driver_open(drv, argv[0], for_run ? DRIVER_CHECK : DRIVER_WATCH, &err))
        return hu_open_failed(cli, &p, &err);
    look(drv, &p, for_run, g);
    code = check_exit(gates_worst(g));
    if (p.o.json && gates_json(drv, g, verb->name, code, &text, &err))
        return hu_fail(cli, &p, HU_CHECK_UNKNOWN, &err);
    if (!p.o.json)
        gates_text(g, &text);
    if (!p.o.json)
        gates_inventory_text(drv, &text);
    if (p.metrics && write_metrics(p.metrics, drv, g, &err))
        return hu_fail(cli, &p, HU_CHECK_UNKNOWN, &err);
    return hu_put(cli, &text, code);
}

int verb_check(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    return look_and_tell(cli, verb, argc, argv, true);
}

int verb_watch(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    return look_and_tell(cli, verb, argc, argv, false);
}
