/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What a run has begun and what it has finished, in SQLite: written and flushed before an action
 * (begun) and after it (done, failed, held). A crash between the two leaves "begun", and the truth
 * is then asked from the appliance. One database per change; status may read it meanwhile. */
#ifndef CRLAGENT_DRIVER_JOURNAL_H
#define CRLAGENT_DRIVER_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum step_state { STEP_NEW, STEP_BEGUN, STEP_DONE, STEP_SKIPPED, STEP_FAILED, STEP_HELD };
const char *step_state_name(enum step_state s);

struct journal_step {
    char owner[64]; /* appliance, "agent:NAME", or "" for the run itself */
    char name[32];
    enum step_state state;
    int64_t begun, ended; /* UTC; WHEN_NONE */
    int64_t tries;
    char detail[512];
};

struct journal;

/* Makes the folder and the database when they are not there. */
MUST_CHECK int journal_open(const char *dir, const char *change, bool read_only,
                            struct journal **ret, struct err *err);
void journal_close(struct journal **j); /* for SCOPED() */

/* Every detail and event passes through it before it is written: secrets are taken out there. */
typedef void journal_cleaner(const void *self, const char *text, struct buf *ret);
void journal_clean_with(struct journal *j, journal_cleaner *clean, const void *self);

/* Held until journal_close or the end of the process, whatever ends it: ERR_BUSY when another
 * process holds the lock of that name (a change, an appliance). */
MUST_CHECK int journal_lock(struct journal *j, const char *name, struct err *err);

/* STEP_NEW when nothing is recorded. */
MUST_CHECK int journal_step(struct journal *j, const char *owner, const char *name,
                            struct journal_step *ret, struct err *err);
/* BEGUN counts a try; the others set the end. Flushed when it returns. */
MUST_CHECK int journal_set(struct journal *j, int64_t now, const char *owner, const char *name,
                           enum step_state state, const char *detail, struct err *err);
/* All steps in the order in which they were first begun. each() returning non-zero ends. */
MUST_CHECK int journal_each(struct journal *j, int (*each)(void *arg, const struct journal_step *s),
                            void *arg, struct err *err);

/* After a run that was ended: every step is new again, and what it wrote down is gone. SO logins
 * that failed stay, as do accepted host keys and the list of 'check'. */
MUST_CHECK int journal_forget_run(struct journal *j, struct err *err);

/* Facts: plan digest, versions and lists before the change, decisions. An absent one leaves *ret
 * empty. */
MUST_CHECK int journal_fact(struct journal *j, const char *owner, const char *key, struct buf *ret,
                            struct err *err);
MUST_CHECK int journal_set_fact(struct journal *j, const char *owner, const char *key,
                                const char *value, struct err *err);
/* That fact of every owner that has it. each() returning non-zero ends. */
MUST_CHECK int journal_each_fact(struct journal *j, const char *key,
                                 int (*each)(void *arg, const char *owner, const char *value),
                                 void *arg, struct err *err);

MUST_CHECK int journal_event(struct journal *j, int64_t now, const char *owner, const char *text,
                             struct err *err);

#endif
