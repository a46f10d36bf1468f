/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Giving one account rights on one object and taking them back exactly. What the object had before
 * is written to a record file first, then the object is changed, then it is read again: a crash
 * between two of these leaves a state that the next grant or revoke puts right. */
#ifndef CRLAGENT_CA_GRANT_H
#define CRLAGENT_CA_GRANT_H

#include "ca/secdesc.h"

/* Seam: where a descriptor is kept. win32/ has services and the CA's registry value. */
struct sd_place {
    int (*read)(void *self, struct buf *ret, struct err *err);
    int (*write)(void *self, const void *sd, size_t len, struct err *err);
    void *self;
    bool whole; /* it gives back the same bytes; false: the same entries in another layout */
};

struct grant {
    const char *object;  /* "service CertSvc": names it in messages and in the record */
    const char *record;  /* path of the record file */
    const char *account; /* as typed, for people */
    const char *sid;     /* "S-1-5-80-..." */
    uint32_t mask;       /* rights */
    struct sd_place place;
};

enum grant_outcome {
    GRANT_GIVEN,         /* the entry was added */
    GRANT_RECORDED,      /* it is there, by an earlier grant */
    GRANT_BY_OTHERS,     /* the account has these rights by an entry that is not ours */
    GRANT_RESTORED,      /* revoke: the former descriptor is back, byte for byte */
    GRANT_ENTRY_REMOVED, /* revoke: others changed it since; our entry alone was taken out */
    GRANT_NOTHING,       /* revoke: no record, or the entry had gone already */
};

/* dry_run: tells the outcome and changes nothing. ERR_EXISTS when the record is of another account
 * (revoke first), ERR_DENIED, ERR_STATE when an entry that denies would win or the change did not
 * stay. */
MUST_CHECK int grant_give(const struct grant *g, bool dry_run, enum grant_outcome *ret,
                          struct err *err);

/* Uses object, record and place of g; account, SID and rights are those of the record. */
MUST_CHECK int grant_revoke(const struct grant *g, bool dry_run, enum grant_outcome *ret,
                            struct err *err);

/* First line after the head of a record: which object it is of ("service X"), appended. */
MUST_CHECK int grant_record_object(const char *path, struct buf *ret, struct err *err);

#endif
