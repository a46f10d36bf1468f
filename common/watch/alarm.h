/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Alarms: what of the findings people are told, and when. A finding is told when it appears, when
 * it gets worse, as a reminder, and when it is over; not at every look. No I/O and no clock. */
#ifndef CRLAGENT_WATCH_ALARM_H
#define CRLAGENT_WATCH_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "health/finding.h"

/* What the CA is doing: decides which alarms are to be expected. */
enum alarm_phase {
    ALARM_NORMAL,
    ALARM_PUBLISHING, /* a new CRL is on its way to the locations */
    ALARM_CA_DOWN,    /* the CA is out of use */
};

#define ALARMS_MAX 4096
/* Looks without the finding until it counts as over: a server that comes and goes is one alarm. */
#define ALARM_CLEAR_LOOKS 2

struct alarm {
    uint32_t id; /* id, key_index, url and address say which alarm it is */
    uint32_t key_index;
    char url[LIMIT_URL_CHARS + 1];
    char address[80];
    enum severity severity; /* as found last */
    enum severity worst;    /* as told last; SEV_OK = not told yet */
    int level;              /* of escalation, told last: 0 to 3 */
    int64_t since;          /* UTC: first found */
    int64_t told;           /* UTC: last told, WHEN_NONE = never */
    uint32_t absent;        /* looks without it, in a row */
    bool muted;             /* found, expected, counted and not told */
};

struct alarms {
    struct alarm *item;
    size_t n, cap;
    int64_t maintenance; /* that muted is counted for, 0 = none */
    uint64_t muted;
};
void alarms_free(struct alarms *a); /* for SCOPED(); takes a zeroed one */

enum alarm_change { ALARM_RAISED, ALARM_WORSE, ALARM_REMINDER, ALARM_OVER };
struct alarm_news {
    enum alarm_change change;
    struct alarm alarm; /* as it is now */
    int64_t after;      /* seconds since it was first found */
    size_t finding;     /* index into the findings; SIZE_MAX for ALARM_OVER */
};

struct alarm_look {
    const struct findings *findings;
    const int *levels; /* one per finding, see alarm_level(); NULL = all 0 */
    bool complete;     /* false: the look failed; nothing that is missing counts as over */
    enum alarm_phase phase;
    int64_t maintenance; /* the open one, 0 = none */
    int64_t reminder;    /* seconds, 0 = never */
    int64_t now;
};

/* Is this finding to be expected in that phase? Expiry never is. */
bool alarm_expected(uint32_t id, enum alarm_phase phase);

/* How far now is on the way from one moment to the other: 0, 1 (50 %), 2 (75 %), 3 (90 %). */
int alarm_level(int64_t from, int64_t until, int64_t now);

/* Brings the alarms up to date. *ret (malloc'ed, the caller frees it) has what is to be told, in
 * the order of the findings, what is over last. Information is never told. ERR_NOMEM: nothing has
 * changed then. More than ALARMS_MAX: the rest is left out. */
MUST_CHECK int alarms_update(struct alarms *a, const struct alarm_look *look,
                             struct alarm_news **ret, size_t *ret_n, struct err *err);

/* To and from the text that is kept in the store, so that a restart tells nothing twice. */
MUST_CHECK int alarms_write(const struct alarms *a, struct buf *ret, struct err *err);
/* ERR_PARSE names the line; *ret untouched. */
MUST_CHECK int alarms_read(const char *text, struct alarms *ret, struct err *err);

#endif
