/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Three or four readings: the older CRL (facts, count, signature), the older again without digests
 * (fills the table), the newer (looks up), and, when vanished entries are to be listed, the older a
 * third time. Lookups go in batches, so that the memory accesses of a batch overlap. */
#include "crl/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"

#define BATCH 64u
#define MAX_ENTRIES_DEFAULT UINT64_C(50000000)
#define EPOCH_1950 INT64_C(-631152000)
#define SEEN UINT64_C(1)
#define REASON_SHIFT 1
#define REASON_MASK UINT64_C(15)
#define REASON_NONE 15u
#define FP_SHIFT 5

/* One slot: fingerprint 59 bits, reason 4, seen 1; date in seconds since 1950. 0 = free. */
struct __attribute__((packed)) slot {
    uint64_t word;
    uint32_t date;
};

struct pending {
    uint64_t hash;
    uint32_t date;
    uint8_t reason;
    struct crl_entry entry;
    uint8_t serial[LIMIT_SERIAL_BYTES + 1]; /* kept for on_change */
};

struct compare {
    const struct crl_diff_options *opt;
    struct crl_diff *diff;
    struct slot *table;
    uint64_t slots, filled;
    uint64_t key[2];
    void (*one)(struct compare *c, const struct pending *p);
    struct pending batch[BATCH];
    size_t n_batch;
    bool stopped, grew;
};

const char *crl_change_name(enum crl_change c)
{
    static const char *const names[CRL_CHANGES] = {"added",    "lost",   "early", "dropped",
                                                   "released", "reason", "date"};
    return (unsigned)c < CRL_CHANGES ? names[c] : "unknown";
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Keyed multiply-and-fold over the serial, eight octets at a time. */
static uint64_t hash_serial(const struct compare *c, const uint8_t *p, size_t len)
{
    uint64_t h = fold(c->key[0] ^ len, c->key[1] ^ UINT64_C(0xD6E8FEB86659FD93));
    while (len > 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        h = fold(h ^ v, c->key[1]);
        p += 8;
        len -= 8;
    }
    uint64_t last = 0;
    memcpy(&last, p, len);
    h = fold(h ^ last, c->key[1] + 2);
    return fold(h, UINT64_C(0x9E3779B97F4A7C15));
}

static uint64_t home(const struct compare *c, uint64_t hash)
{
    return (uint64_t)((__uint128_t)hash * c->slots >> 64);
}

static uint64_t fingerprint(uint64_t hash)
{
    uint64_t fp = hash << FP_SHIFT;
    return fp ? fp : UINT64_C(1) << FP_SHIFT;
}

/* The slot of that serial, or the free one where it would go. */
static struct slot *find(const struct compare *c, uint64_t hash)
{
    uint64_t fp = fingerprint(hash);
    for (uint64_t i = home(c, hash);; i = i + 1 == c->slots ? 0 : i + 1) {
        uint64_t word = c->table[i].word;
        if (word == 0 || (word >> FP_SHIFT) << FP_SHIFT == fp)
            return &c->table[i];
    }
}

static void tell(struct compare *c, enum crl_change what, const struct pending *p)
{
    c->diff->count[what]++;
    if (c->opt->on_change && !c->stopped && c->opt->on_change(c->opt->arg, what, &p->entry))
        c->stopped = true;
}

static void insert(struct compare *c, const struct pending *p)
{
    struct slot *s = find(c, p->hash);
    if (s->word) {
        c->diff->old_twice++;
    } else if (c->filled == c->diff->old_facts.entries) {
        c->grew = true; /* more entries than at the first reading */
        return;
    } else {
        c->filled++;
    }
    s->word = fingerprint(p->hash) | (uint64_t)p->reason << REASON_SHIFT;
    s->date = p->date;
}

static void look_up(struct compare *c, const struct pending *p)
{
    struct slot *s = find(c, p->hash);
    if (!s->word) {
        tell(c, CRL_ADDED, p);
        return;
    }
    if (s->word & SEEN) {
        c->diff->new_twice++;
        return;
    }
    bool reason = (s->word >> REASON_SHIFT & REASON_MASK) != p->reason;
    bool date = s->date != p->date;
    s->word |= SEEN;
    if (reason)
        tell(c, CRL_REASON, p);
    if (date)
        tell(c, CRL_DATE, p);
    c->diff->same += !reason && !date;
}

/* What became of an entry of the older CRL that the newer one does not have. */
static enum crl_change vanished(const struct compare *c, unsigned reason, int64_t revoked)
{
    int64_t old_this = c->diff->old_facts.this_update;
    if (reason == 6)
        return CRL_RELEASED;
    if (revoked >= old_this)
        return CRL_LOST;
    if (c->opt->certificate_life && revoked + c->opt->certificate_life > old_this)
        return CRL_EARLY;
    return CRL_DROPPED;
}

static void list_vanished(struct compare *c, const struct pending *p)
{
    struct slot *s = find(c, p->hash);
    if (!s->word || (s->word & SEEN))
        return;
    s->word |= SEEN; /* a serial that stands twice is told once */
    if (!c->stopped &&
        c->opt->on_change(c->opt->arg, vanished(c, p->reason, p->entry.revoked), &p->entry))
        c->stopped = true;
}

static void count_vanished(struct compare *c)
{
    for (uint64_t i = 0; i < c->slots; i++) {
        uint64_t word = c->table[i].word;
        if (word && !(word & SEEN))
            c->diff->count[vanished(c, (unsigned)(word >> REASON_SHIFT & REASON_MASK),
                                    (int64_t)c->table[i].date + EPOCH_1950)]++;
    }
}

static int flush_batch(struct compare *c)
{
    for (size_t i = 0; i < c->n_batch; i++)
        c->one(c, &c->batch[i]);
    c->n_batch = 0;
    return c->stopped || c->grew;
}

static int on_entry(void *arg, const struct crl_entry *e)
{
    struct compare *c = arg;
    struct pending *p = &c->batch[c->n_batch++];
    p->hash = hash_serial(c, e->serial, e->serial_len);
    const char *slot = (const char *)&c->table[home(c, p->hash)];
    __builtin_prefetch(slot, 1);
    __builtin_prefetch(slot + 64, 1);
    int64_t date = e->revoked - EPOCH_1950; /* 1950-2086 is kept; dates beyond are cut */
    p->date = date < 0 ? 0 : date > UINT32_MAX ? UINT32_MAX : (uint32_t)date;
    p->reason = e->reason < 0 ? REASON_NONE : e->reason >= CRL_REASONS ? 7 : (uint8_t)e->reason;
    p->entry = *e;
    if (c->opt->on_change) {
        size_t n = e->serial_len < sizeof p->serial ? e->serial_len : sizeof p->serial;
        memcpy(p->serial, e->serial, n);
        p->entry.serial = p->serial;
        p->entry.serial_len = n;
    }
    return c->n_batch == BATCH ? flush_batch(c) : 0;
}

static int pass(struct compare *c, const struct crl_source *src,
                void (*one)(struct compare *c, const struct pending *p),
                const struct crl_reader_options *opt, const struct crl_progress *progress,
                struct crl_facts *facts, enum crl_signature *sig, struct err *err)
{
    struct crl_reader_options o = *opt;
    o.on_entry = on_entry;
    o.arg = c;
    c->one = one;
    c->n_batch = 0;
    int rc = src->read(src->self, &o, progress, facts, sig, err);
    if (!rc)
        flush_batch(c);
    if (c->grew)
        return err_set(err, ERR_STATE, "the older CRL changed while it was read");
    if (c->stopped)
        return err_set(err, ERR_CANCELLED, "the comparison was stopped");
    return rc;
}

static int comparable(const struct crl_facts *a, const struct crl_facts *b, struct err *err)
{
    if (a->issuer_der_len != b->issuer_der_len ||
        memcmp(a->issuer_der, b->issuer_der, a->issuer_der_len) != 0)
        return err_set(err, ERR_INVALID,
                       "the CRLs are of two issuers: expected '%.300s', found '%.300s'", a->issuer,
                       b->issuer);
    if (a->aki_len && b->aki_len &&
        (a->aki_len != b->aki_len || memcmp(a->aki, b->aki, a->aki_len) != 0))
        return err_set(err, ERR_INVALID, "the CRLs of '%.300s' are of two CA keys", a->issuer);
    if (crl_is_delta(a) != crl_is_delta(b))
        return err_set(err, ERR_INVALID, "a base CRL cannot be compared with a delta CRL");
    return ERR_OK;
}

static uint64_t low64(const struct crl_number *n)
{
    uint64_t v = 0;
    for (uint8_t i = 0; i < n->len; i++)
        v = v << 8 | n->bytes[i];
    return v;
}

static void compare_numbers(struct crl_diff *d)
{
    const struct crl_number *a = &d->old_facts.number, *b = &d->new_facts.number;
    if (!a->len || !b->len)
        return;
    d->number_order = crl_number_compare(b, a);
    if (d->number_order > 0)
        d->number_gap = b->len > 8 ? UINT64_MAX : low64(b) - low64(a) - 1;
}

static int make_table(struct compare *c, struct err *err)
{
    uint64_t n = c->diff->old_facts.entries;
    uint64_t max = c->opt->max_entries ? c->opt->max_entries : MAX_ENTRIES_DEFAULT;
    if (n > max)
        return err_set(err, ERR_LIMIT, "the older CRL has %llu entries, at most %llu are compared",
                       (unsigned long long)n, (unsigned long long)max);
    c->slots = n + n / 10 * 3 + 16;
    c->table = calloc((size_t)c->slots, sizeof *c->table);
    if (!c->table)
        return err_nomem(err);
    c->diff->table_bytes = c->slots * sizeof *c->table;
    if (RAND_bytes((unsigned char *)c->key, sizeof c->key) != 1)
        return err_set(err, ERR_CRYPTO, "OpenSSL gave no random bytes");
    c->key[1] |= 1;
    return ERR_OK;
}

/* Progress over several readings: each begins where the last one ended. */
struct part {
    const struct crl_progress *outer;
    uint64_t before;
};

static void part_tell(void *arg, uint64_t done, uint64_t total)
{
    const struct part *p = arg;
    (void)total;
    p->outer->tell(p->outer->arg, p->before + done, p->outer->total);
}

static int run(struct compare *c, const struct crl_source *older, const struct crl_source *newer,
               struct err *err)
{
    struct crl_diff *d = c->diff;
    struct part part = {c->opt->progress, 0};
    struct crl_progress inner = {part.outer && part.outer->tell ? part_tell : NULL, &part, 0};
    struct crl_reader_options full = {.issuers = c->opt->issuers};
    struct crl_reader_options again = {.entries_only = true};
    struct crl_facts unused;
    int rc = older->read(older->self, &full, &inner, &d->old_facts, &d->old_signature, err);
    if (!rc)
        rc = make_table(c, err);
    part.before += d->old_facts.bytes;
    if (!rc)
        rc = pass(c, older, insert, &again, &inner, &unused, NULL, err);
    part.before += d->old_facts.bytes;
    if (!rc)
        rc = pass(c, newer, look_up, &full, &inner, &d->new_facts, &d->new_signature, err);
    if (!rc)
        rc = comparable(&d->old_facts, &d->new_facts, err);
    if (rc)
        return rc;
    compare_numbers(d);
    count_vanished(c);
    uint64_t gone =
        d->count[CRL_LOST] + d->count[CRL_EARLY] + d->count[CRL_DROPPED] + d->count[CRL_RELEASED];
    part.before += d->new_facts.bytes;
    if (gone && c->opt->on_change)
        rc = pass(c, older, list_vanished, &again, &inner, &unused, NULL, err);
    return rc;
}

int crl_compare(const struct crl_source *older, const struct crl_source *newer,
                const struct crl_diff_options *opt, struct crl_diff *ret, struct err *err)
{
    static const struct crl_diff_options none;
    SCOPED(scope_free) struct crl_diff *diff = calloc(1, sizeof *diff);
    SCOPED(scope_free) struct compare *c = calloc(1, sizeof *c);
    if (!diff || !c)
        return err_nomem(err);
    c->opt = opt ? opt : &none;
    c->diff = diff;
    int rc = run(c, older, newer, err);
    free(c->table);
    if (!rc)
        *ret = *diff;
    return rc;
}

int crl_source_file(void *path, const struct crl_reader_options *opt,
                    const struct crl_progress *progress, struct crl_facts *ret_facts,
                    enum crl_signature *ret_sig, struct err *err)
{
    return crl_read_file(path, opt, progress ? progress->tell : NULL,
                         progress ? progress->arg : NULL, ret_facts, ret_sig, err);
}

int crl_source_buffer(void *buf, const struct crl_reader_options *opt,
                      const struct crl_progress *progress, struct crl_facts *ret_facts,
                      enum crl_signature *ret_sig, struct err *err)
{
    const struct buf *b = buf;
    SCOPED(crl_reader_free) struct crl_reader *r = NULL;
    (void)progress;
    int rc = crl_reader_new("buffer", opt, &r, err);
    if (!rc)
        rc = crl_reader_feed(r, buf_str(b), b->len, err);
    return rc ? rc : crl_reader_finish(r, ret_facts, ret_sig, NULL, err);
}

int crl_compare_buffers(struct buf *older, struct buf *newer, const struct crl_diff_options *opt,
                        struct crl_diff *ret, struct err *err)
{
    const struct crl_source a = {crl_source_buffer, older}, b = {crl_source_buffer, newer};
    return crl_compare(&a, &b, opt, ret, err);
}
