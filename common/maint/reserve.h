/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The reserve CRL: while the HSM still works every current base CRL is signed once more with a long
 * life, judged, and sealed. It is released to the files the CA writes to only when the HSM does not
 * come back, and is replaced as soon as the CA publishes again. States, crash rules and what
 * relying parties make of it: docs/maintenance.md. */
#ifndef CRLAGENT_MAINT_RESERVE_H
#define CRLAGENT_MAINT_RESERVE_H

#include "ca/resign.h"
#include "crl/facts.h"
#include "store/reserve.h"

enum reserve_mode {
    RESERVE_OFF = 0,  /* none is made, none is released by itself */
    RESERVE_WANTED,   /* made before the pause; without one the maintenance goes on, and says so */
    RESERVE_REQUIRED, /* without one there is no pause */
};

/* Seam: the sealed folder, and the files and shares the CA writes to. */
struct reserve_files_ops {
    /* The sealed folder; names are ours. keep is atomic and flushed. */
    int (*keep)(void *self, const char *name, const void *data, size_t len, struct err *err);
    int (*fetch)(void *self, const char *name, struct buf *ret, struct err *err);
    int (*drop)(void *self, const char *name, struct err *err); /* fine when there is none */
    /* A location by its URL (file or share). read: ERR_NOT_FOUND; write replaces atomically. */
    int (*read)(void *self, const char *url, struct buf *ret, struct err *err);
    int (*write)(void *self, const char *url, const void *data, size_t len, struct err *err);
};
struct reserve_files {
    const struct reserve_files_ops *ops; /* NULL = this program keeps no reserve CRLs */
    void *self;
};

/* What a reserve CRL must be. */
struct reserve_want {
    const struct crl_facts *of; /* the CRL it was made of */
    struct crl_number number;   /* exactly this one */
    int64_t now;                /* when it was judged, UTC */
    int64_t need_until;         /* nextUpdate not before this */
    int64_t at_most;            /* nextUpdate not after this: the end of the CA certificate */
    int64_t life;               /* as asked, seconds */
    int64_t skew;               /* tolerated clock difference, seconds */
    uint64_t missing;           /* entries of the CRL it was made of that are not in it */
    uint64_t changed;           /* entries with another date or reason */
    bool signature_good;        /* verified with the CA's certificates */
    const char *signature_why;  /* for one that is not good */
};
/* ERR_CRYPTO (signature, key, issuer), ERR_STATE (entries, number), ERR_INVALID (times,
 * extensions): which rule, expected and found. Pure: the refusals are a table in
 * tests/unit/test_reserve.c. */
MUST_CHECK int reserve_judge(const struct reserve_want *want, const struct crl_facts *got,
                             struct err *err);

/* How many are alive, and the findings' text: "reserve CRL of key 0 is in use since ...". */
bool reserve_is(const struct store_reserve *r, const char *state);
/* Released, being released or being recalled: its bytes may be at the locations. */
bool reserve_in_use(const struct store_reserve *r);

#endif
