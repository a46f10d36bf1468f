/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/askworker_win32.h"

#include <stdlib.h>

#include "agent/probing.h"
#include "agent/workerprober.h"
#include "win32/places.h"

/* The worker's memory is limited; a round holds all of its targets and results. */
#define ROUND 2000

/* The worker is another process: what the caller chose goes on its command line. */
struct ways {
    const char *argv[12];
    char parallel[16], per_host[16];
};

static void add_option(struct ways *w, size_t *n, const char *name, const char *value)
{
    w->argv[(*n)++] = name;
    w->argv[(*n)++] = value;
}

static void ways_of(const struct fetch_options *o, const char *program, struct ways *w)
{
    size_t n = 0;
    add_option(w, &n, program, "worker");
    snprintf(w->parallel, sizeof w->parallel, "%u", o->max_total);
    snprintf(w->per_host, sizeof w->per_host, "%u", o->max_per_host);
    if (o->max_total)
        add_option(w, &n, "--parallel", w->parallel);
    if (o->max_per_host)
        add_option(w, &n, "--parallel-host", w->per_host);
    if (o->proxy)
        add_option(w, &n, "--proxy", *o->proxy ? o->proxy : "none");
    if (o->ca_file)
        add_option(w, &n, "--ca-file", o->ca_file);
    w->argv[n] = NULL;
}

static int ask_here(const struct fetch_options *o, const struct probe_target *targets, size_t n,
                    const struct crl_issuers *issuers, struct probe_result *results,
                    struct err *err)
{
    SCOPED(fetch_prober_free) struct prober prober = {0};
    int rc = fetch_prober_new(o, &prober, err);
    return rc ? rc : prober.run(prober.self, targets, n, issuers, results, err);
}

int ask_in_worker(struct cli *cli, const struct fetch_options *o,
                  const struct probe_target *targets, size_t n, const struct crl_issuers *issuers,
                  struct probe_result *results, struct err *err)
{
    SCOPED(buf_free) struct buf program = BUF_INIT;
    struct ways ways;
    struct err why = ERR_INIT;
    int rc = place_path(PLACE_PROGRAM, &program, err);
    if (rc)
        return rc;
    ways_of(o, buf_str(&program), &ways);
    for (size_t done = 0; !rc && done < n; done += ROUND) {
        size_t part = n - done < ROUND ? n - done : ROUND;
        bool started = false;
        if (o->progress)
            o->progress(o->progress_arg, done, n);
        rc = worker_probe(ways.argv, targets + done, part, issuers, results + done, &started, &why);
        if (!rc || started)
            continue;
        fprintf(
            cli->err,
            "crlagent: %s\ncrlagent: the locations are asked by this process instead, with your "
            "rights\n",
            why.text);
        return ask_here(o, targets + done, n - done, issuers, results + done, err);
    }
    if (rc)
        *err = why;
    else if (o->progress)
        o->progress(o->progress_arg, n, n);
    return rc;
}
