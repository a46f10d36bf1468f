/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Rows of a maintenance: the maintenance itself, the services it touches, its steps (intent before
 * the action, outcome after it), its before/after figures, and the audit trail. common/maint gives
 * them meaning; here they are only kept. */
#ifndef CRLAGENT_STORE_MAINTENANCE_H
#define CRLAGENT_STORE_MAINTENANCE_H

#include "base/limits.h"
#include "ca/service.h"
#include "store/store.h"

#define STORE_SID_MAX 192
#define STORE_NAME_MAX 256
#define STORE_NOTE_MAX 1024

struct store_maintenance {
    int64_t id;    /* 0 = not stored yet */
    int64_t epoch; /* grows with every verb that takes the maintenance over */
    char state[16];
    char change[LIMIT_CHANGE_ID_CHARS * 4 + 1];
    char reason[LIMIT_REASON_CHARS * 4 + 1];
    char owner_sid[STORE_SID_MAX];
    char owner_name[STORE_NAME_MAX];
    int64_t window, reserve;   /* seconds */
    char deadline_action[8];   /* "hold" or "resume" */
    int64_t created;           /* the row was made */
    int64_t paused;            /* the CA stopped using the HSM */
    int64_t stopped;           /* CertSvc reported stopped (for the minimum stop time) */
    int64_t resumed;           /* the CA answered again; thisUpdate is judged against this */
    int64_t ended;             /* final state reached */
    int64_t runway_until;      /* weakest nextUpdate when the gate passed */
    int64_t resume_by;         /* runway_until - propagation - reserve */
    int64_t deadline;          /* mandatory from 'paused' on */
    int32_t burn;              /* last burn-down alarm given: 0, 50, 75, 90 or 100 */
    int32_t outcome;           /* enum maint_outcome of the last verb, -1 = none yet */
    bool undo;                 /* resuming because the pause failed or was taken back */
    bool cover;                /* a cover CRL was published */
    char note[STORE_NOTE_MAX]; /* why it is where it is and what to do, for people */
};

/* Inserts (id 0; sets id) or rewrites the row. ERR_BUSY when another maintenance is not final yet:
 * the database itself allows one only. */
MUST_CHECK int store_maintenance_save(struct store *s, struct store_maintenance *m,
                                      struct err *err);
/* The one that is not final; ERR_NOT_FOUND when there is none. */
MUST_CHECK int store_maintenance_active(struct store *s, struct store_maintenance *ret,
                                        struct err *err);
MUST_CHECK int store_maintenance_get(struct store *s, int64_t id, struct store_maintenance *ret,
                                     struct err *err);
/* Newest row of that change id, final or not; ERR_NOT_FOUND. */
MUST_CHECK int store_maintenance_by_change(struct store *s, const char *change,
                                           struct store_maintenance *ret, struct err *err);
/* Newest first, at most max; *ret_n = stored in ret. */
MUST_CHECK int store_maintenance_list(struct store *s, struct store_maintenance *ret, size_t max,
                                      size_t *ret_n, struct err *err);

/* Former state of a service, written before it is touched. */
struct store_service {
    uint32_t seq; /* order of stopping; starting is the reverse */
    char name[SVC_NAME_MAX];
    enum svc_state former;
    enum svc_start former_start;
    bool former_delayed;
    bool start_changed; /* intent: the start type was (going to be) changed */
    bool stopped;       /* intent: a stop was (going to be) sent by us */
    bool restored;      /* it is again what it was */
};
MUST_CHECK int store_service_save(struct store *s, int64_t maintenance,
                                  const struct store_service *svc, struct err *err);
/* In order of seq; *ret_n = stored in ret. */
MUST_CHECK int store_service_list(struct store *s, int64_t maintenance, struct store_service *ret,
                                  size_t max, size_t *ret_n, struct err *err);

/* One step: begun (intent) and ended (outcome). */
struct store_step {
    int64_t id;
    int64_t epoch;
    char name[32];              /* enum maint_step by name */
    char subject[SVC_NAME_MAX]; /* service or key, "" when none */
    int64_t began, ended;       /* ended WHEN_NONE = intent only */
    char outcome[16];           /* "", "done", "failed", "interrupted" */
    char detail[STORE_NOTE_MAX];
};
MUST_CHECK int store_step_begin(struct store *s, int64_t maintenance, struct store_step *step,
                                struct err *err);
MUST_CHECK int store_step_end(struct store *s, const struct store_step *step, struct err *err);
/* Oldest first. */
MUST_CHECK int store_step_list(struct store *s, int64_t maintenance, struct store_step *ret,
                               size_t max, size_t *ret_n, struct err *err);
/* Steps that were begun and never ended get this outcome. */
MUST_CHECK int store_step_interrupt(struct store *s, int64_t maintenance, int64_t now,
                                    struct err *err);

/* One figure of the comparison: a CRL line (key, partition, base/delta) as it was at a phase. */
enum store_phase { PHASE_BEFORE, PHASE_COVER, PHASE_AFTER };
struct store_figure {
    enum store_phase phase;
    uint32_t key_index, partition;
    bool delta;
    char number[48]; /* decimal or 0x hex, "-" = absent */
    int64_t this_update, next_update;
    char sha256[65];
    uint64_t entries;
    int64_t weakest, effective; /* seconds of runway at that moment */
    char weakest_url[LIMIT_URL_CHARS + 1];
    char weakest_address[80];
    int32_t publish_status; /* CPF bits, -1 = not read */
    int32_t sign_ms;        /* key probe, -1 = not made */
    int64_t when;
};
MUST_CHECK int store_figure_put(struct store *s, int64_t maintenance, const struct store_figure *f,
                                struct err *err);
MUST_CHECK int store_figure_list(struct store *s, int64_t maintenance, struct store_figure *ret,
                                 size_t max, size_t *ret_n, struct err *err);

/* Who did what, and what came of it. Rows are never changed or removed. */
struct store_audit {
    int64_t id, when;
    char sid[STORE_SID_MAX];
    char name[STORE_NAME_MAX];
    char verb[32];
    char change[LIMIT_CHANGE_ID_CHARS * 4 + 1];
    int64_t maintenance; /* 0 = none */
    int32_t outcome;
    char detail[STORE_NOTE_MAX];
};
MUST_CHECK int store_audit_add(struct store *s, const struct store_audit *a, struct err *err);
/* Newest first. maintenance 0 = all. */
MUST_CHECK int store_audit_list(struct store *s, int64_t maintenance, struct store_audit *ret,
                                size_t max, size_t *ret_n, struct err *err);

#endif
