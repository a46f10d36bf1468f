/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Which transfer runs when. HTTP targets are sorted by server; servers with waiting targets stand
 * in a ring and give one target each in turn, so that one slow server cannot hold the others. What
 * blocks (files, LDAP) runs beside that (fetch_blocking.h). */
#include "cdp/fetch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/str.h"
#include "cdp/fetch_blocking.h"
#include "cdp/fetch_http.h"

#define DEFAULT_TOTAL 64u
#define DEFAULT_PER_HOST 8u

struct fetcher {
    struct fetch_options opt;
    CURLM *multi;
};

struct job {
    size_t target;
    const char *url;     /* of the target */
    const char *address; /* of the target, "" when none */
    size_t server_len;   /* of url, up to the path */
    uint32_t server;
};

struct server {
    size_t next, end; /* its jobs, in the sorted list */
    uint32_t active;
    bool waiting; /* stands in the ring */
};

struct run {
    struct fetcher *f;
    const struct probe_target *targets;
    const struct crl_issuers *issuers;
    struct probe_result *results;
    size_t n;
    struct job *jobs; /* HTTP, sorted by server */
    size_t n_jobs;
    struct server *servers;
    size_t n_servers;
    uint32_t *ring; /* servers with waiting targets */
    size_t ring_head, ring_len;
    struct http_transfer *slots;
    struct http_transfer **idle;
    struct http_transfer **finished; /* answered, not yet judged */
    size_t n_slots, n_idle, n_finished;
    size_t n_active;  /* on the wire; at most max_total */
    size_t *blocking; /* indexes of file and LDAP targets */
    size_t n_blocking;
    atomic_size_t done;
};

int fetch_setup(struct err *err)
{
    CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);
    return rc ? err_set_os(err, ERR_INTERNAL, (long)rc, "libcurl cannot be set up: %s",
                           curl_easy_strerror(rc))
              : ERR_OK;
}

static void reset_result(struct probe_result *r, int64_t now)
{
    memset(r, 0, sizeof *r);
    r->status = PROBE_INTERNAL;
    r->started = now;
    r->connect_ms = -1;
    r->age = -1;
    r->server_date = WHEN_NONE;
}

static int compare_jobs(const void *a, const void *b)
{
    const struct job *x = a;
    const struct job *y = b;
    int c = strcmp(x->address, y->address);
    if (!c) {
        size_t n = x->server_len < y->server_len ? x->server_len : y->server_len;
        c = memcmp(x->url, y->url, n);
        if (!c && x->server_len != y->server_len)
            c = x->server_len < y->server_len ? -1 : 1;
    }
    if (!c)
        c = x->target < y->target ? -1 : 1;
    return c;
}

static bool same_server(const struct job *x, const struct job *y)
{
    return x->server_len == y->server_len && memcmp(x->url, y->url, x->server_len) == 0 &&
           strcmp(x->address, y->address) == 0;
}

static size_t server_length(const char *url)
{
    const char *slashes = strstr(url, "://");
    return slashes ? (size_t)(slashes - url) + 3 + strcspn(slashes + 3, "/?") : strlen(url);
}

static bool is_http(const struct probe_target *t)
{
    return t->kind == LOC_HTTP || t->kind == LOC_HTTPS;
}

static void sort_jobs(struct run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        const struct probe_target *t = &run->targets[i];
        if (is_http(t))
            run->jobs[run->n_jobs++] =
                (struct job){i, t->url, t->address, server_length(t->url), 0};
        else
            run->blocking[run->n_blocking++] = i;
    }
    if (run->n_jobs)
        qsort(run->jobs, run->n_jobs, sizeof *run->jobs, compare_jobs);
    for (size_t i = 0; i < run->n_jobs; i++) {
        if (i == 0 || !same_server(&run->jobs[i - 1], &run->jobs[i]))
            run->servers[run->n_servers++].next = i;
        run->jobs[i].server = (uint32_t)(run->n_servers - 1);
        run->servers[run->n_servers - 1].end = i + 1;
    }
}

static void stand_in_ring(struct run *run, uint32_t server)
{
    struct server *s = &run->servers[server];
    uint32_t cap = run->f->opt.max_per_host;
    if (s->waiting || s->next == s->end || s->active >= cap)
        return;
    s->waiting = true;
    run->ring[(run->ring_head + run->ring_len++) % run->n_servers] = server;
}

static bool take_from_ring(struct run *run, struct job *ret)
{
    if (!run->ring_len)
        return false;
    uint32_t server = run->ring[run->ring_head];
    struct server *s = &run->servers[server];
    run->ring_head = (run->ring_head + 1) % run->n_servers;
    run->ring_len--;
    s->waiting = false;
    *ret = run->jobs[s->next++];
    s->active++;
    stand_in_ring(run, server);
    return true;
}

static void one_done(struct run *run, uint32_t server)
{
    run->servers[server].active--;
    stand_in_ring(run, server);
    atomic_fetch_add(&run->done, 1);
}

static void start_transfers(struct run *run)
{
    struct job job;
    while (run->n_idle && run->n_active < run->f->opt.max_total && take_from_ring(run, &job)) {
        struct http_transfer *t = run->idle[--run->n_idle];
        struct probe_result *r = &run->results[job.target];
        t->host = job.server;
        r->started = clock_now(run->f->opt.clock);
        if (http_begin(t, &run->f->opt, run->issuers, &run->targets[job.target], r)) {
            run->idle[run->n_idle++] = t;
            one_done(run, job.server);
        } else {
            curl_multi_add_handle(run->f->multi, t->easy);
            run->n_active++;
        }
    }
}

/* What has been answered leaves the wire at once, so that the next question goes out before the
 * signature of this answer is checked. */
static void end_transfers(struct run *run)
{
    int left = 0;
    for (CURLMsg *m; (m = curl_multi_info_read(run->f->multi, &left));) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct http_transfer *t = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        t->code = code;
        curl_multi_remove_handle(run->f->multi, t->easy);
        run->finished[run->n_finished++] = t;
        run->n_active--;
        one_done(run, t->host);
    }
}

static void judge_finished(struct run *run)
{
    for (; run->n_finished; run->n_finished--) {
        struct http_transfer *t = run->finished[run->n_finished - 1];
        http_end(t, t->code);
        run->idle[run->n_idle++] = t;
    }
}

static void tell_progress(const struct run *run, size_t *shown)
{
    const struct fetch_options *opt = &run->f->opt;
    size_t done = atomic_load(&run->done);
    if (opt->progress && done != *shown)
        opt->progress(opt->progress_arg, done, run->n);
    *shown = done;
}

static int run_http(struct run *run, struct err *err)
{
    size_t shown = SIZE_MAX;
    int running = 0;
    for (uint32_t i = 0; i < run->n_servers; i++)
        stand_in_ring(run, i);
    for (;;) {
        start_transfers(run);
        CURLMcode rc = curl_multi_perform(run->f->multi, &running);
        judge_finished(run);
        if (!rc)
            end_transfers(run);
        tell_progress(run, &shown);
        if (!run->n_active && !run->n_finished && !run->ring_len)
            return ERR_OK;
        if (!rc && run->n_active && !run->n_finished)
            rc = curl_multi_poll(run->f->multi, NULL, 0, 1000, NULL);
        if (rc)
            return err_set_os(err, ERR_INTERNAL, (long)rc, "libcurl: %s", curl_multi_strerror(rc));
    }
}

static void run_blocking(void *arg, size_t i)
{
    struct run *run = arg;
    (void)i;
    const struct blocking_run b = {.opt = &run->f->opt,
                                   .targets = run->targets,
                                   .issuers = run->issuers,
                                   .results = run->results,
                                   .index = run->blocking,
                                   .n = run->n_blocking,
                                   .done = &run->done};
    fetch_blocking(&b);
}

static int make_room(struct run *run, struct err *err)
{
    size_t n = run->n;
    /* twice: as many on the wire as answered and waiting to be judged */
    size_t most = 2 * (size_t)run->f->opt.max_total, slots = n < most ? n : most;
    run->jobs = calloc(n, sizeof *run->jobs);
    run->servers = calloc(n, sizeof *run->servers);
    run->ring = calloc(n, sizeof *run->ring);
    run->blocking = calloc(n, sizeof *run->blocking);
    run->slots = calloc(slots, sizeof *run->slots);
    run->idle = calloc(slots, sizeof(struct http_transfer *));
    run->finished = calloc(slots, sizeof(struct http_transfer *));
    if (!run->jobs || !run->servers || !run->ring || !run->blocking || !run->slots || !run->idle ||
        !run->finished)
        return err_nomem(err);
    sort_jobs(run);
    slots = slots < run->n_jobs ? slots : run->n_jobs;
    for (; run->n_slots < slots; run->n_slots++) {
        struct http_transfer *t = &run->slots[run->n_slots];
        t->easy = curl_easy_init();
        if (!t->easy)
            return err_nomem(err);
        run->idle[run->n_idle++] = t;
    }
    return ERR_OK;
}

static void clean_up(struct run *run)
{
    for (size_t i = 0; i < run->n_slots; i++) {
        curl_multi_remove_handle(run->f->multi, run->slots[i].easy);
        curl_easy_cleanup(run->slots[i].easy);
        body_release(&run->slots[i].body);
        curl_slist_free_all(run->slots[i].headers);
        curl_slist_free_all(run->slots[i].connect_to);
    }
    free(run->jobs);
    free(run->servers);
    free(run->ring);
    free(run->blocking);
    free(run->slots);
    free(run->idle);
    free(run->finished);
}

static int prober_run(void *self, const struct probe_target *targets, size_t n,
                      const struct crl_issuers *issuers, struct probe_result *results,
                      struct err *err)
{
    struct fetcher *f = self;
    struct run run = {.f = f, .targets = targets, .n = n, .issuers = issuers, .results = results};
    struct parallel *threads = NULL;
    if (n == 0)
        return ERR_OK;
    if (n > LIMIT_LOCATIONS)
        return err_set(err, ERR_LIMIT, "%zu locations, the limit is %u", n, LIMIT_LOCATIONS);
    for (size_t i = 0; i < n; i++)
        reset_result(&results[i], clock_now(f->opt.clock));
    int rc = make_room(&run, err);
    struct err none = ERR_INIT;
    if (!rc && parallel_start(run.n_blocking > 0, 1, run_blocking, &run, &threads, &none))
        run_blocking(&run, 0); /* no thread to be had: one after the other */
    if (!rc)
        rc = run_http(&run, err);
    parallel_wait(&threads);
    if (!rc && f->opt.progress)
        f->opt.progress(f->opt.progress_arg, n, n);
    clean_up(&run);
    return rc;
}

int fetch_prober_new(const struct fetch_options *opt, struct prober *ret, struct err *err)
{
    struct fetcher *f = calloc(1, sizeof *f);
    if (!f)
        return err_nomem(err);
    f->opt = *opt;
    f->opt.max_total = opt->max_total ? opt->max_total : DEFAULT_TOTAL;
    f->opt.max_per_host = opt->max_per_host ? opt->max_per_host : DEFAULT_PER_HOST;
    f->opt.clock = opt->clock ? opt->clock : clock_system();
    f->multi = curl_multi_init();
    if (!f->multi) {
        free(f);
        return err_nomem(err);
    }
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)f->opt.max_total);
    ret->run = prober_run;
    ret->self = f;
    return ERR_OK;
}

void fetch_prober_free(struct prober *p)
{
    struct fetcher *f = p->self;
    if (!f || p->run != prober_run)
        return;
    curl_multi_cleanup(f->multi);
    free(f);
    p->run = NULL;
    p->self = NULL;
}

const char *probe_status_name(enum probe_status s)
{
    static const char *const names[] = {
        [PROBE_OK] = "ok",
        [PROBE_DNS] = "dns",
        [PROBE_CONNECT] = "connect",
        [PROBE_TLS] = "tls",
        [PROBE_TIMEOUT] = "timeout",
        [PROBE_HTTP_STATUS] = "http-status",
        [PROBE_REDIRECT] = "redirect",
        [PROBE_TOO_LARGE] = "too-large",
        [PROBE_TRUNCATED] = "truncated",
        [PROBE_NOT_FOUND] = "not-found",
        [PROBE_NO_ATTRIBUTE] = "no-attribute",
        [PROBE_PLACEHOLDER] = "placeholder",
        [PROBE_DENIED] = "denied",
        [PROBE_NOT_A_CRL] = "not-a-crl",
        [PROBE_EMPTY] = "empty",
        [PROBE_UNSUPPORTED] = "unsupported",
        [PROBE_PROXY] = "proxy",
        [PROBE_INTERNAL] = "internal",
        [PROBE_NOT_MODIFIED] = "not-modified",
    };
    return (size_t)s < ARRAY_LEN(names) && names[s] ? names[s] : "internal";
}
