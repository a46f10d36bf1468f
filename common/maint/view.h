/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What is known of the CA at one moment: its settings (registry, always readable), and what the
 * running CA said of its keys and locations. While CertSvc is stopped nobody may ask it (an
 * activation attempt would fill the System log): the answers of the last time come from the store's
 * cache. */
#ifndef CRLAGENT_MAINT_VIEW_H
#define CRLAGENT_MAINT_VIEW_H

#include "ca/admin.h"
#include "ca/settings.h"
#include "cdp/probe.h"
#include "crl/reader.h"
#include "health/runway.h"
#include "store/carried.h"
#include "store/store.h"

/* One CA certificate. Several certificates can share one key; only one of them (living) carries the
 * CRL of that key. */
struct ca_key {
    int32_t cert_index;
    uint32_t key_index;   /* CERT_VERSION >> 16 */
    int32_t crl_state;    /* enum ca_disp; -1 = the CA does not say */
    int32_t cert_state;   /* enum ca_disp; -1 = the CA does not say */
    bool living;          /* a CRL is issued through this certificate */
    struct buf cert;      /* DER */
    struct buf cdp_urls;  /* property 0x29: one URL per line */
    struct buf aia_urls;  /* property 0x2A */
    struct buf ocsp_urls; /* property 0x2B */
    struct buf issued;    /* a certificate that this key issued recently, DER; may be empty */
};

struct ca_view {
    struct ca_settings settings;
    bool asked;   /* the CA ran and answered; false = keys come from the cache */
    int64_t when; /* when the CA said so */
    struct ca_key *key;
    size_t n_keys;
    uint32_t partitions;           /* 0 = CRLs are not partitioned */
    bool deltas;                   /* delta CRLs are enabled */
    struct crl_issuers *issuers;   /* all CA certificates */
    struct store_carried *carried; /* what living certificates carry (maint/harvest.h) */
    size_t n_carried;
};

/* ca_running: may the CA be asked? Then the answers go to the cache. ERR_UNAVAILABLE when it does
 * not answer; ERR_NOT_FOUND when it may not be asked and the cache is empty. */
MUST_CHECK int ca_view_read(const struct ca_settings_reader *settings, const struct ca_admin *admin,
                            struct store *store, bool ca_running, int64_t now, struct ca_view *ret,
                            struct err *err);
void ca_view_free(struct ca_view *v); /* for SCOPED(); takes a zeroed one */

/* One CRL that the CA issues. */
struct crl_line {
    int32_t cert_index;
    uint32_t key_index, partition;
    bool delta;
};
/* All of them, base before delta, key by key. Returns how many there are; at most max are stored.
 */
size_t ca_view_lines(const struct ca_view *v, struct crl_line *ret, size_t max);

/* The CRL of that line as the CA itself holds it. May be called only while the CA runs. The bytes
 * go to the cache ("base-crl", "delta-crl") when store is not NULL. ERR_NOT_FOUND: there is none
 * yet. */
MUST_CHECK int ca_line_read(const struct ca_admin *admin, const struct ca_view *v,
                            const struct crl_line *line, struct store *store, int64_t now,
                            struct crl_facts *ret, struct err *err);
/* The same with its bytes, appended to *ret_bytes (may be large). */
MUST_CHECK int ca_line_fetch(const struct ca_admin *admin, const struct ca_view *v,
                             const struct crl_line *line, struct buf *ret_bytes,
                             struct crl_facts *ret, struct err *err);
/* Publish status bits of that line; -1 when the CA has none (no delta yet) or cannot say. */
int32_t ca_line_status(const struct ca_admin *admin, const struct crl_line *line);

/* "key 1 delta", "key 0 base, partition 3" into dst; returns dst. */
const char *crl_line_name(const struct crl_line *line, char dst[64]);
/* Is this a location of that CRL? */
bool crl_line_at(const struct crl_line *line, const struct probe_target *t);

/* Seam: which locations there are for these keys and kinds, parent CRLs (parent = true) included,
 * spread over addresses and DCs. *ret is malloc'ed; the caller frees it. */
struct maint_locate {
    int (*locate)(void *self, const struct ca_view *view, struct probe_target **ret, size_t *ret_n,
                  struct err *err);
    void *self;
    /* After locate: why the chain of CA certificates ends below its root; code ERR_OK = it does
     * not. NULL = nobody looks. */
    const struct err *unknown_parent;
};

/* One pass over all locations. */
struct probe_round {
    struct probe_target *target;
    struct probe_result *result;
    size_t n;
    int64_t began, when;  /* UTC, beginning and end of the pass */
    struct runway runway; /* of this CA's own CRLs */
};
MUST_CHECK int probe_round_run(const struct maint_locate *locate, const struct prober *prober,
                               const struct ca_view *view, int64_t propagation,
                               const struct clock *clock, struct probe_round *ret, struct err *err);
/* What a pass comes to, for somebody who did not make it. */
struct probe_seen {
    int64_t began, when;
    int64_t weakest_until;             /* WHEN_NONE = a CRL is served nowhere, or unusable */
    char where[LIMIT_URL_CHARS + 128]; /* the location that decides */
    char why[256];                     /* what is wrong with it */
};
void probe_round_seen(const struct probe_round *r, struct probe_seen *ret);
/* Keeps one result in the probe history; visible: seconds from publishing, WHEN_NONE = not
 * measured. A row that cannot be written is left out: history never stops a maintenance. */
void probe_keep(struct store *store, const struct probe_target *t, const struct probe_result *p,
                int64_t visible, int64_t now);
/* Leaves the delta CRLs out and computes the runway again: a reserve CRL points to no delta. */
void probe_round_drop_deltas(struct probe_round *r, int64_t propagation);
void probe_round_free(struct probe_round *r); /* for SCOPED(); takes a zeroed one */

/* "http://... at 10.0.0.7" of a probe, into dst; returns dst. */
const char *probe_round_where(const struct probe_round *r, size_t i, char *dst, size_t dst_size);

#endif
