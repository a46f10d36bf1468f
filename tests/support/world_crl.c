/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* In place of the CRL engine: a CRL of the fake world is one line of text. Linked before the real
 * module, so that the engine under test runs without cryptography and thousands of times a second.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdp/probe.h"
#include "crl/certend.h"
#include "crl/compare.h"
#include "crl/reader.h"
#include "support/world.h"

struct crl_issuers {
    size_t n;
};

int crl_issuers_add(struct crl_issuers **set, const char *label, const void *data, size_t len,
                    struct err *err)
{
    if (len < 11 || memcmp(data, "certificate", 11) != 0)
        return err_set(err, ERR_PARSE, "%s: no certificate", label);
    if (!*set)
        *set = calloc(1, sizeof **set);
    if (!*set)
        return err_nomem(err);
    (*set)->n++;
    return ERR_OK;
}

size_t crl_issuers_count(const struct crl_issuers *set)
{
    return set ? set->n : 0;
}

void crl_issuers_free(struct crl_issuers **set)
{
    free(*set);
    *set = NULL;
}

const char *crl_signature_name(enum crl_signature s)
{
    return s == CRL_SIG_GOOD ? "good" : "not good";
}

const char *probe_status_name(enum probe_status s)
{
    return s == PROBE_CONNECT ? "connect" : "other";
}

static void put_number(struct crl_number *n, uint64_t value)
{
    n->len = 0;
    for (int shift = 56; shift >= 0; shift -= 8) {
        uint8_t byte = (uint8_t)(value >> shift);
        if (byte || n->len || shift == 0)
            n->bytes[n->len++] = byte;
    }
}

const char *world_crl_text(const struct world_crl *c, char dst[WORLD_CRL_TEXT])
{
    snprintf(dst, WORLD_CRL_TEXT, "CRL %" PRIu64 " %" PRId64 " %" PRId64 " %d %u %u %d", c->number,
             c->this_update, c->next_update, c->delta, c->key, c->entries, c->plain);
    return dst;
}

bool world_crl_parse(const void *data, size_t len, struct world_crl *ret)
{
    char text[WORLD_CRL_TEXT] = "";
    int delta = 0, plain = 0;
    if (len)
        memcpy(text, data, len < sizeof text - 1 ? len : sizeof text - 1);
    bool ok =
        sscanf(text, "CRL %" SCNu64 " %" SCNd64 " %" SCNd64 " %d %u %u %d", &ret->number,
               &ret->this_update, &ret->next_update, &delta, &ret->key, &ret->entries, &plain) == 7;
    ret->delta = delta != 0;
    ret->plain = plain != 0;
    return ok;
}

int crl_read_memory(const char *label, const void *data, size_t len,
                    const struct crl_issuers *issuers, struct crl_facts *ret_facts,
                    enum crl_signature *ret_sig, struct err *err)
{
    uint64_t hash = 1469598103934665603u;
    struct world_crl c;
    (void)issuers;
    if (!world_crl_parse(data, len, &c))
        return err_set(err, ERR_PARSE, "%s: no CRL", label);
    memset(ret_facts, 0, sizeof *ret_facts);
    put_number(&ret_facts->number, c.number);
    ret_facts->delta_base.len = c.delta ? 1 : 0;
    ret_facts->this_update = c.this_update;
    ret_facts->next_update = c.next_update;
    ret_facts->next_publish = c.plain || c.delta ? WHEN_NONE : c.next_update - 3600;
    ret_facts->freshest.count = !c.plain && !c.delta;
    ret_facts->entries = c.entries;
    ret_facts->aki_len = 1;
    ret_facts->aki[0] = (uint8_t)c.key;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const uint8_t *)data)[i]) * 1099511628211u;
    memcpy(ret_facts->sha256, &hash, sizeof hash);
    *ret_sig = c.key < WORLD_KEYS ? CRL_SIG_GOOD : CRL_SIG_BAD;
    return ERR_OK;
}

/* Entries are only counted here: fewer of them are lost ones. */
int crl_source_buffer(void *buf, const struct crl_reader_options *opt,
                      const struct crl_progress *progress, struct crl_facts *ret_facts,
                      enum crl_signature *ret_sig, struct err *err)
{
    const struct buf *b = buf;
    (void)opt;
    (void)progress;
    return crl_read_memory("buffer", b->data, b->len, NULL, ret_facts, ret_sig, err);
}

int crl_compare(const struct crl_source *older, const struct crl_source *newer,
                const struct crl_diff_options *opt, struct crl_diff *ret, struct err *err)
{
    (void)opt;
    memset(ret, 0, sizeof *ret);
    int rc = older->read(older->self, NULL, NULL, &ret->old_facts, &ret->old_signature, err);
    if (!rc)
        rc = newer->read(newer->self, NULL, NULL, &ret->new_facts, &ret->new_signature, err);
    if (!rc && ret->new_facts.entries < ret->old_facts.entries)
        ret->count[CRL_LOST] = ret->old_facts.entries - ret->new_facts.entries;
    return rc;
}

int crl_cert_end(const void *der, size_t len, int64_t *ret, struct err *err)
{
    if (len < 11 || memcmp(der, "certificate", 11) != 0)
        return err_set(err, ERR_PARSE, "no certificate");
    *ret = WORLD_NOW + WORLD_CERT_LIFE;
    return ERR_OK;
}
