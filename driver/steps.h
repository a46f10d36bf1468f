/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The steps of one appliance, in order. A step is: is it needed, the action, and a proof from a
 * fresh login that does not ask the action. A family is a file of patterns and such a list. */
#ifndef CRLAGENT_DRIVER_STEPS_H
#define CRLAGENT_DRIVER_STEPS_H

#include "driver/driver.h"

struct step {
    const char *name;  /* in the journal and on the command line */
    const char *title; /* for people */
    bool one_way;      /* never repeated without a person's word */
    bool in_window;    /* not begun when the window is over */
    bool (*needed)(struct site *s);
    /* ERR_OK = it was said to have worked. ERR_UNAVAILABLE / ERR_TIMEOUT = nobody knows: the proof
     * decides. Anything else = it failed. */
    int (*action)(struct site *s, struct err *err);
    /* The truth, from a fresh login; NULL: repeating it is harmless. */
    int (*proof)(struct site *s, bool *ret_reached, struct err *err);
    bool proof_after;                          /* the proof must hold after the action, too */
    int64_t (*patience)(const struct plan *p); /* seconds the truth may need to show */
    int64_t (*settle)(const struct plan *p);   /* seconds the old truth may stay after success */
};

extern const struct step *const luna_steps;
extern const size_t luna_step_count;

#endif
