/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "support/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_unit.h"

static uint32_t next_random(void *self)
{
    struct desk *d = self;
    return d->random = d->random * 1664525u + 1013904223u;
}

void desk_wire(struct desk *d)
{
    struct err err = ERR_INIT;
    const struct maint_seams *s = &d->b.seams;
    d->setup = (struct watch_setup){
        .seams = {.clock = s->clock,
                  .svc = s->svc,
                  .admin = s->admin,
                  .settings = s->settings,
                  .key = s->key,
                  .locate = s->locate,
                  .prober = s->prober,
                  .events = s->events,
                  .random = next_random,
                  .random_self = d},
        .config = &d->config,
        .service = "CertSvc",
        .metrics = d->metrics,
        .store = d->b.store,
    };
    if (watch_new(&d->setup, &d->watch, &err))
        fail_msg("%s", err.text);
}

int desk_begin(void **state)
{
    struct desk *d = calloc(1, sizeof *d);
    struct err err = ERR_INIT;
    static const char webhook[] = "<crlagent version=\"1\"><notify><minimum>warning</minimum>"
                                  "<webhook-url>https://hook.test/x</webhook-url></notify>"
                                  "</crlagent>";
    assert_non_null(d);
    bench_open(&d->b, "watch");
    d->rows = calloc(DESK_ROWS, sizeof *d->rows);
    assert_non_null(d->rows);
    if (config_parse("test", webhook, strlen(webhook), &d->config, NULL, &err))
        fail_msg("%s", err.text);
    snprintf(d->metrics, sizeof d->metrics, "%s/crlagent.prom", d->b.dir);
    desk_wire(d);
    *state = d;
    return 0;
}

int desk_end(void **state)
{
    struct desk *d = *state;
    watch_free(&d->watch);
    config_free(&d->config);
    bench_close(&d->b);
    free(d->rows);
    free(d);
    return 0;
}

int desk_try_look(struct desk *d, struct err *err)
{
    SCOPED(look_free) struct look *l = NULL;
    d->b.w.n_events = 0;
    return watch_look(d->watch, &l, err);
}

void desk_look(struct desk *d)
{
    struct err err = ERR_INIT;
    if (desk_try_look(d, &err))
        fail_msg("%s", err.text);
    d->b.w.now += 60;
}
