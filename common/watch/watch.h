/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The continuous watch: looks at all locations and tests the keys on a schedule that is in the
 * store, keeps history, writes metrics, and turns findings into events and notices, on change only.
 * One thread owns a struct watch and its store; nothing here is shared with the maintenance. */
#ifndef CRLAGENT_WATCH_WATCH_H
#define CRLAGENT_WATCH_WATCH_H

#include "ca/keyprobe.h"
#include "ca/service.h"
#include "config/config.h"
#include "crl/compare.h"
#include "health/rules.h"
#include "maint/view.h"
#include "notify/notify.h"
#include "report/report.h"

struct watch_seams {
    const struct clock *clock;
    struct svc_control svc;
    struct ca_admin admin;
    struct ca_settings_reader settings;
    struct key_probe key; /* probe NULL = keys are not tested */
    struct maint_locate locate;
    struct prober prober;
    struct ca_event_log ca_log; /* read NULL = there is none */
    struct event_sink events;   /* gets what is told; notices are queued here too, by the watch */
    /* crl_compare_buffers (watch/lost.h); NULL = CRLs are not compared entry by entry */
    int (*compare)(struct buf *older, struct buf *newer, const struct crl_diff_options *opt,
                   struct crl_diff *ret, struct err *err);
    uint32_t (*random)(void *self); /* for the jitter */
    void *random_self;
};

struct watch_setup {
    struct watch_seams seams;
    const struct config *config;
    const char *service; /* the CA's */
    const char *metrics; /* file, NULL or "" = none */
    struct store *store; /* for writing, of this thread */
};

/* One look, judged: what reports are rendered from. */
struct look {
    struct ca_view view;
    struct probe_round round;
    uint32_t *verdicts;
    struct findings findings;
    struct health_ca_event *events; /* of the CA, recent */
    size_t n_events;
    struct report_hsm hsm;
    int64_t propagation;
    uint64_t muted; /* in the open maintenance */
    char phase[16]; /* "before", "during", "after" for the evidence, without history then; "" */
};
void look_free(struct look **l); /* for SCOPED(); takes NULL */

struct watch;
/* What setup points to must outlive the watch. Reads the alarms of the last run from the store;
 * when they cannot be read it begins without (and tells everything once more). */
MUST_CHECK int watch_new(const struct watch_setup *setup, struct watch **ret, struct err *err);
void watch_free(struct watch **w); /* for SCOPED(); takes NULL */

/* UTC of the next look. */
int64_t watch_next(struct watch *w);

/* The next look asks web servers for whole CRLs, not whether they have changed. */
void watch_whole(struct watch *w);

/* One look now, on schedule or because somebody asked; the next one is scheduled. *ret (the caller
 * frees it) is what was seen. A look that fails is an error, and an alarm like any other. */
MUST_CHECK int watch_look(struct watch *w, struct look **ret, struct err *err);

/* Renders a look. store: for the maintenance and the history, of the calling thread. ret_exit: as
 * report_exit_code() with fail_on. */
MUST_CHECK int look_render(const struct look *l, struct store *store, const char *host,
                           enum report_format format, enum severity fail_on, struct buf *out,
                           int *ret_exit, struct err *err);

/* ---- inside of the watch ---- */
/* A finding for each reserve CRL in use, and for each location that serves one that is over. */
MUST_CHECK int reserve_judge_look(struct store *store, const char *ca,
                                  const struct probe_round *round, struct findings *findings,
                                  struct err *err);
/* Counts for the metrics. */
MUST_CHECK int reserve_count(struct store *store, struct report_reserve *ret, struct err *err);
/* Asks and judges; known: the newest CRLs of the look before. */
MUST_CHECK int look_take(const struct watch_setup *s, bool ask_ca, const struct health_known *known,
                         size_t n_known, struct look **ret, struct err *err);
/* Verdicts and findings of a look that has view and round; own: what the CA holds (watch/own.h). */
struct own_list;
MUST_CHECK int look_judge(const struct config *config, const struct health_known *known, size_t n,
                          const struct own_list *own, struct look *l, struct err *err);
/* Thresholds of a location that the configuration names, or of its kind; for health_input. */
struct look_thresholds {
    const struct config *config;
    struct crl_thresholds own; /* the answer */
};
const struct crl_thresholds *look_thresholds_of(void *arg, const struct probe_target *t);
/* The newest CRL of each line; returns how many. */
size_t look_known(const struct look *l, struct health_known *ret, size_t max);
/* Tests every living key once and keeps the results. *ret_failed = one did not sign. */
MUST_CHECK int keytest_run(const struct watch_setup *s, const struct ca_view *view,
                           bool *ret_failed, struct err *err);
/* What the history says: fills *ret and adds findings. */
MUST_CHECK int keytest_judge(struct store *store, const char *ca, int64_t now, uint32_t keys,
                             struct report_hsm *ret, struct findings *findings, struct err *err);

#endif
