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
#include "crl/reader.h"

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

int crl_read_memory(const char *label, const void *data, size_t len,
                    const struct crl_issuers *issuers, struct crl_facts *ret_facts,
                    enum crl_signature *ret_sig, struct err *err)
{
    char text[160] = "";
    uint64_t number = 0, hash = 1469598103934665603u;
    int64_t this_update = 0, next_update = 0;
    int delta = 0;
    (void)issuers;
    memcpy(text, data, len < sizeof text - 1 ? len : sizeof text - 1);
    if (sscanf(text, "CRL %" SCNu64 " %" SCNd64 " %" SCNd64 " %d", &number, &this_update,
               &next_update, &delta) != 4)
        return err_set(err, ERR_PARSE, "%s: no CRL", label);
    memset(ret_facts, 0, sizeof *ret_facts);
    put_number(&ret_facts->number, number);
    ret_facts->delta_base.len = delta ? 1 : 0;
    ret_facts->this_update = this_update;
    ret_facts->next_update = next_update;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)text[i]) * 1099511628211u;
    memcpy(ret_facts->sha256, &hash, sizeof hash);
    *ret_sig = CRL_SIG_GOOD;
    return ERR_OK;
}
