/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The system has no time limit for opening a file, and OpenLDAP none for a TLS handshake. So each
 * question is an errand that owns what it uses: target, result, and (together with the others) a
 * copy of the CA certificates. Results are taken over by the one thread that sends them. */
#include "cdp/fetch_blocking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errand.h"
#include "base/str.h"
#include "cdp/fetch_other.h"
#include "cdp/url.h"

#define GRACE_MS 300 /* a limit kept further down tells more than "it did not come back" */

/* What the questions of one run share. */
struct shared {
    atomic_size_t users;
    struct crl_issuers *issuers;
    struct fetch_options opt;
};

struct question {
    struct errand errand;
    struct shared *shared;
    struct probe_target target;
    struct probe_result result;
};

struct server {
    char name[256];
    size_t stuck;
};

/* Of the sending thread. */
struct sending {
    const struct blocking_run *run;
    struct shared *shared;
    struct errands *errands;
    struct server *servers; /* those with questions left behind */
    size_t n_servers, cap_servers, stuck, under_way;
    int64_t *since; /* of each in run->index, monotonic milliseconds */
};

static void shared_release(struct shared *s)
{
    if (atomic_fetch_sub(&s->users, 1) != 1)
        return;
    crl_issuers_free(&s->issuers);
    free(s);
}

static int shared_new(const struct blocking_run *run, struct shared **ret, struct err *err)
{
    SCOPED(buf_free) struct buf certs = BUF_INIT;
    struct shared *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(err);
    s->opt = *run->opt;
    s->opt.clock = clock_system();
    atomic_init(&s->users, 1);
    int rc = run->issuers ? crl_issuers_export(run->issuers, &certs, err) : ERR_OK;
    if (!rc && certs.len)
        rc = crl_issuers_add(&s->issuers, "CA certificates", certs.data, certs.len, err);
    if (rc)
        shared_release(s);
    else
        *ret = s;
    return rc;
}

static void ask(struct errand *e)
{
    struct question *q = (struct question *)(void *)e;
    if (q->target.kind == LOC_FILE)
        probe_file(&q->target, q->shared->issuers, q->shared->opt.clock, &q->result);
    else
        probe_ldap(&q->target, q->shared->issuers, &q->shared->opt, &q->result);
}

static void drop(struct errand *e)
{
    struct question *q = (struct question *)(void *)e;
    shared_release(q->shared);
    free(q);
}

/* Who would answer; "" for a local file: a place of its own. */
static void server_of(const struct probe_target *t, char dst[256])
{
    struct url u;
    if (t->address[0] || url_parse(t->url, &u, NULL))
        str_copy(dst, 256, t->address);
    else
        snprintf(dst, 256, "%s%s", u.host, t->kind == LOC_LDAP && !u.host[0] ? "*" : "");
}

static struct server *server_find(const struct sending *s, const char *name)
{
    for (size_t i = 0; *name && i < s->n_servers; i++) {
        if (strcmp(s->servers[i].name, name) == 0)
            return &s->servers[i];
    }
    return NULL;
}

static void note_stuck(struct sending *s, const struct probe_target *t)
{
    char name[256];
    s->stuck++;
    server_of(t, name);
    struct server *known = server_find(s, name);
    if (!known && *name) {
        if (s->n_servers == s->cap_servers) {
            size_t cap = s->cap_servers * 2 + 8;
            struct server *p = realloc(s->servers, cap * sizeof *p);
            if (!p)
                return; /* the limit for all of them still holds */
            s->servers = p;
            s->cap_servers = cap;
        }
        known = &s->servers[s->n_servers++];
        *known = (struct server){.stuck = 0};
        str_copy(known->name, sizeof known->name, name);
    }
    if (known)
        known->stuck++;
}

static void late(const struct sending *s, size_t i, const char *text)
{
    const struct blocking_run *run = s->run;
    const struct probe_target *t = &run->targets[run->index[i]];
    struct probe_result *r = &run->results[run->index[i]];
    struct url u;
    r->status = PROBE_TIMEOUT;
    str_copy(r->detail, sizeof r->detail, text);
    if (t->address[0])
        str_copy(r->address, sizeof r->address, t->address);
    else if (!url_parse(t->url, &u, NULL))
        str_copy(r->address, sizeof r->address, u.host[0] || t->kind == LOC_LDAP ? u.host : u.path);
    r->total_ms = s->since[i] ? clock_mono_ms(clock_system()) - s->since[i] : 0;
}

/* true: there is a result without asking. */
static bool given_up(const struct sending *s, size_t i)
{
    char name[256], text[256];
    const struct probe_target *t = &s->run->targets[s->run->index[i]];
    server_of(t, name);
    const struct server *known = server_find(s, name);
    size_t of_server = known ? known->stuck : 0;
    if (of_server < FETCH_STUCK_PER_SERVER && s->stuck < FETCH_STUCK_MAX)
        return false;
    if (of_server >= FETCH_STUCK_PER_SERVER)
        snprintf(text, sizeof text,
                 "not asked: %zu questions to the same server have not come back", of_server);
    else
        snprintf(text, sizeof text, "not asked: %zu questions to other places have not come back",
                 s->stuck);
    late(s, i, text);
    return true;
}

static int send_one(struct sending *s, size_t i, struct err *err)
{
    const struct blocking_run *run = s->run;
    const struct probe_target *t = &run->targets[run->index[i]];
    struct probe_result *r = &run->results[run->index[i]];
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        return err_nomem(err);
    r->started = clock_now(run->opt->clock);
    s->since[i] = clock_mono_ms(clock_system());
    *q = (struct question){.errand = {ask, drop}, .shared = s->shared, .target = *t, .result = *r};
    atomic_fetch_add(&s->shared->users, 1);
    int64_t limit = t->timeout_ms ? t->timeout_ms : LIMIT_FETCH_MS;
    return errands_send(s->errands, &q->errand, i, limit + GRACE_MS, err);
}

static void failed(const struct sending *s, size_t i, const struct err *why)
{
    struct probe_result *r = &s->run->results[s->run->index[i]];
    r->status = PROBE_INTERNAL;
    str_copy(r->detail, sizeof r->detail, why->text);
}

static void take_one(struct sending *s)
{
    struct errand_end end;
    char text[160];
    if (!errands_next(s->errands, &end))
        return;
    const struct blocking_run *run = s->run;
    size_t k = run->index[end.tag];
    s->under_way--;
    if (end.errand) {
        struct question *q = (struct question *)(void *)end.errand;
        run->results[k] = q->result;
        drop(end.errand);
    } else {
        snprintf(text, sizeof text, "%s did not come back within %" PRId64 " ms",
                 run->targets[k].kind == LOC_FILE ? "opening and reading the file"
                                                  : "the question to the directory",
                 run->targets[k].timeout_ms ? run->targets[k].timeout_ms : (int64_t)LIMIT_FETCH_MS);
        late(s, end.tag, text);
        note_stuck(s, &run->targets[k]);
    }
    atomic_fetch_add(run->done, 1);
}

static void ask_all(struct sending *s)
{
    for (size_t i = 0; i < s->run->n;) {
        struct err why = ERR_INIT;
        if (s->under_way == FETCH_BLOCKING_THREADS) {
            take_one(s);
            continue;
        }
        if (!given_up(s, i)) {
            if (!send_one(s, i, &why)) {
                s->under_way++;
                i++;
                continue;
            }
            if (s->under_way) { /* no room for one more now: after the next answer */
                take_one(s);
                continue;
            }
            failed(s, i, &why);
        }
        atomic_fetch_add(s->run->done, 1);
        i++;
    }
    while (s->under_way)
        take_one(s);
}

void fetch_blocking(const struct blocking_run *run)
{
    struct err why = ERR_INIT;
    struct sending s = {.run = run};
    s.since = calloc(run->n + 1, sizeof *s.since);
    int rc = s.since ? shared_new(run, &s.shared, &why) : err_nomem(&why);
    if (!rc)
        rc = errands_new(&s.errands, &why);
    if (!rc)
        ask_all(&s);
    for (size_t i = 0; rc && i < run->n; i++) {
        failed(&s, i, &why);
        atomic_fetch_add(run->done, 1);
    }
    errands_free(&s.errands);
    if (s.shared)
        shared_release(s.shared);
    free(s.servers);
    free(s.since);
}
