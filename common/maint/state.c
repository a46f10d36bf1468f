/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "maint/state.h"

#include <stdint.h>
#include <string.h>

#include "base/scope.h"

#define TO(s) (1u << MAINT_##s)

/* A state is one row. 'leaves' are the states that may follow. */
static const struct {
    const char *name;
    const char *meaning;
    uint32_t leaves;
    bool final;
} states[MAINT_STATES] = {
    [MAINT_NONE] = {"none", "no maintenance is open", TO(PREPARING), false},
    [MAINT_PREPARING] = {"preparing",
                         "locations are probed and the gate is judged; nothing is touched yet",
                         TO(READY) | TO(REFUSED), false},
    [MAINT_READY] = {"ready", "the CA may be taken out of use for the asked window",
                     TO(PAUSING) | TO(ABORTED), false},
    [MAINT_PAUSING] = {"pausing", "the services are going down", TO(PAUSED) | TO(RESUMING), false},
    [MAINT_PAUSED] = {"paused", "the CA does not use the HSM", TO(RESUMING) | TO(HELD), false},
    [MAINT_RESUMING] = {"resuming", "the HSM is tested and the services are coming up",
                        TO(VERIFYING) | TO(HELD) | TO(ABORTED), false},
    [MAINT_VERIFYING] = {"verifying", "a CRL is published and its delivery proven",
                         TO(CLOSED) | TO(RESUMING) | TO(HELD), false},
    [MAINT_HELD] = {"held", "a person must decide; alarms go on",
                    TO(PAUSED) | TO(RESUMING) | TO(VERIFYING) | TO(CLOSED) | TO(ABORTED), false},
    [MAINT_CLOSED] = {"closed", "the CA is back as it was and its CRLs are proven", 0, true},
    [MAINT_REFUSED] = {"refused", "the gate said no; nothing was touched", 0, true},
    [MAINT_ABORTED] = {"aborted", "taken back; the former state is restored", 0, true},
};

const char *maint_state_name(enum maint_state s)
{
    return (unsigned)s < MAINT_STATES ? states[s].name : "unknown";
}

int maint_state_parse(const char *name, enum maint_state *ret, struct err *err)
{
    for (int i = 0; i < MAINT_STATES; i++) {
        if (strcmp(states[i].name, name) == 0) {
            *ret = (enum maint_state)i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_PARSE, "'%s' is not a state of a maintenance", name);
}

const char *maint_state_meaning(enum maint_state s)
{
    return (unsigned)s < MAINT_STATES ? states[s].meaning : "unknown";
}

bool maint_state_final(enum maint_state s)
{
    return (unsigned)s < MAINT_STATES && states[s].final;
}

bool maint_state_may(enum maint_state from, enum maint_state to)
{
    if ((unsigned)from >= MAINT_STATES || (unsigned)to >= MAINT_STATES)
        return false;
    return from == to || (states[from].leaves & (1u << to));
}

static const struct {
    const char *name, *title;
} steps[MAINT_STEPS] = {
    [STEP_DISCOVER] = {"discover", "asking the CA for its keys and locations"},
    [STEP_PROBE] = {"probe", "asking every location at every address"},
    [STEP_GATE] = {"gate", "judging the gate"},
    [STEP_COVER_PUBLISH] = {"cover-publish", "publishing a cover CRL"},
    [STEP_COVER_PROVE] = {"cover-prove", "proving the cover CRL at every location"},
    [STEP_RECORD] = {"record", "writing down the former state of the services"},
    [STEP_KEEP_DOWN] = {"keep-down", "setting the start type to manual"},
    [STEP_STOP] = {"stop", "stopping"},
    [STEP_ACCEPT_HSM] = {"accept-hsm", "testing the keys in the HSM"},
    [STEP_MIN_GAP] = {"min-gap", "waiting the minimum time between stop and start"},
    [STEP_START_TYPE] = {"start-type", "restoring the start type"},
    [STEP_START] = {"start", "starting"},
    [STEP_ANSWER] = {"answer", "waiting until the CA answers"},
    [STEP_PUBLISH] = {"publish", "publishing"},
    [STEP_PROVE] = {"prove", "proving the publication at every location"},
    [STEP_COMPARE] = {"compare", "comparing before and after"},
    [STEP_CLOSE] = {"close", "closing the maintenance"},
    [STEP_STOP_AGAIN] = {"stop-again", "stopping again what was started during the pause"},
    [STEP_RESERVE_MAKE] = {"reserve-make", "signing a reserve CRL, judging and sealing it"},
    [STEP_RESERVE_RELEASE] = {"reserve-release", "writing the reserve CRL to the locations"},
    [STEP_RESERVE_RECALL] = {"reserve-recall", "taking the reserve CRL back"},
    [STEP_RESERVE_DESTROY] = {"reserve-destroy", "destroying a reserve CRL"},
};

const char *maint_step_name(enum maint_step s)
{
    return (unsigned)s < MAINT_STEPS ? steps[s].name : "unknown";
}

const char *maint_step_title(enum maint_step s)
{
    return (unsigned)s < MAINT_STEPS ? steps[s].title : "unknown";
}

const char *maint_outcome_name(enum maint_outcome o)
{
    static const struct {
        enum maint_outcome outcome;
        const char *name;
    } names[] = {
        {MAINT_DONE, "done"},
        {MAINT_GATE_REFUSED, "gate-refused"},
        {MAINT_BUSY, "busy"},
        {MAINT_NOT_PROVEN, "not-proven"},
        {MAINT_PAUSE_FAILED, "pause-failed"},
        {MAINT_HSM_NOT_ACCEPTED, "hsm-not-accepted"},
        {MAINT_RESUME_HELD, "resume-held"},
        {MAINT_DEADLINE_PASSED, "deadline-passed"},
        {MAINT_USAGE, "usage"},
        {MAINT_NOT_PERMITTED, "not-permitted"},
        {MAINT_FAILED, "failed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].outcome == o)
            return names[i].name;
    }
    return "unknown";
}
