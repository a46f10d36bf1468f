/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Rows of reserve CRLs: what was re-signed, where its file is in its life, and the places it was
 * written to. The bytes are in a sealed folder; here are the facts they are judged by.
 * common/maint/reserve.h gives the states their meaning. */
#ifndef CRLAGENT_STORE_RESERVE_H
#define CRLAGENT_STORE_RESERVE_H

#include "base/limits.h"
#include "store/maintenance.h"
#include "store/store.h"

struct store_reserve {
    int64_t id;          /* 0 = not stored yet */
    int64_t maintenance; /* 0 = made on demand */
    uint32_t key_index, partition;
    char state[16];
    char number[48];     /* of the reserve CRL; "-" = not made yet */
    char of_number[48];  /* of the CRL it was made of */
    char sha256[65];     /* of the sealed file, "" = not made yet */
    char of_sha256[65];  /* of the CRL it was made of */
    int64_t made;        /* the row was made */
    int64_t this_update; /* until when its revocations are complete */
    int64_t next_update;
    uint64_t entries;
    int64_t released, ended;                 /* WHEN_NONE = not yet */
    char who[STORE_NAME_MAX];                /* who released it, "" = nobody */
    char reason[LIMIT_REASON_CHARS * 4 + 1]; /* of the release */
    char note[STORE_NOTE_MAX];               /* for people */
};
/* Inserts (id 0; sets id) or rewrites the row. */
MUST_CHECK int store_reserve_save(struct store *s, struct store_reserve *r, struct err *err);
/* Newest first. living: only those whose file may exist (making ... recalling, destroying). */
MUST_CHECK int store_reserve_list(struct store *s, bool living, struct store_reserve *ret,
                                  size_t max, size_t *ret_n, struct err *err);

/* A file or share that a reserve CRL was (going to be) written to. */
struct store_reserve_place {
    uint32_t seq;
    char url[LIMIT_URL_CHARS + 1];
    char former_sha256[65]; /* of the file that was there and is kept; "" = there was none */
    bool written;
};
MUST_CHECK int store_reserve_place_save(struct store *s, int64_t reserve,
                                        const struct store_reserve_place *p, struct err *err);
MUST_CHECK int store_reserve_place_list(struct store *s, int64_t reserve,
                                        struct store_reserve_place *ret, size_t max, size_t *ret_n,
                                        struct err *err);

#endif
