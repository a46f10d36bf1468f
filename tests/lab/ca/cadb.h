/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab CA's database (the real one is an ESE database): revoked certificates and the CRL table
 * with the columns of [MS-CSRA] 3.1.1.4.1. One connection, used under the CA's own lock. */
#ifndef LAB_CADB_H
#define LAB_CADB_H

#include <stdbool.h>
#include <stdint.h>

#include "ossl.h"

#include "base/buf.h"

/* CPF_SHADOW: the last, empty delta after deltas were turned off. */
#define CRL_SHADOW 0x8u

struct crl_row {
    int64_t id;
    bool delta;
    unsigned key, partition;
    int64_t number, min_base;
    int64_t this_update, next_update, this_publish, next_publish, propagation; /* UTC seconds */
    uint32_t flags;                                                            /* CPF_* */
    uint32_t status; /* HRESULT of the first failed location */
    uint32_t attempts;
    char error[1024]; /* who published, then the failed locations, one per line */
    struct buf raw;
};

bool cadb_open(const char *path);
int64_t cadb_next_number(void);
bool cadb_insert(struct crl_row *row);       /* sets row->id */
bool cadb_update(const struct crl_row *row); /* flags, status, attempts, error */
/* Newest of a key and partition; raw is filled (buf_free). False when there is none. */
bool cadb_newest(unsigned key, unsigned partition, bool delta, struct crl_row *ret);
/* The base a delta refers to: the newest whose propagation time has passed, else the oldest
 * unexpired one; oldest: always the latter (CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE). */
int64_t cadb_delta_base(unsigned key, int64_t now, bool oldest);
bool cadb_revoke(const char *serial_hex, int64_t at, int reason, int64_t expires);
/* count synthetic serial numbers, for big CRLs. */
bool cadb_revoke_many(int64_t count, int64_t at);
/* Adds the revoked certificates to crl: those revoked after base number since (-1 = all), and of
 * them those of a partition (0 = all) of so many (at most 16: the last digit of the serial number
 * decides). */
bool cadb_fill(X509_CRL *crl, int64_t since, unsigned partition, unsigned partitions);
/* Calls each(row) over the CRL table, oldest first (raw is empty). */
void cadb_each(void (*each)(void *arg, const struct crl_row *row), void *arg);
/* Thumbprint in the local store of (key, partition, kind): gives the old one ("" when none). */
void cadb_store_swap(const struct crl_row *row, const char *thumb, char old[41]);

/* One row of the request table, as far as an issued certificate needs it. */
struct issued_row {
    int64_t id; /* RequestID */
    int disposition;
    int64_t not_before, not_after; /* UTC seconds */
    const uint8_t *raw;
    size_t len;
};
/* RequestID of the new row, 0 when it failed. */
int64_t cadb_issue(int disposition, int64_t not_before, int64_t not_after, const struct buf *der);
/* By rising RequestID; the row is valid during the call. */
void cadb_each_issued(void (*each)(void *arg, const struct issued_row *row), void *arg);

#endif
