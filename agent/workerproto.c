/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/workerproto.h"

#include <string.h>

#include "base/str.h"

int worker_header_check(const struct worker_header *h, struct err *err)
{
    if (h->magic != WORKER_MAGIC || h->target_size != sizeof(struct probe_target) ||
        h->result_size != sizeof(struct probe_result))
        return err_set(err, ERR_PARSE, "the probing worker speaks another release's form");
    if (h->n > LIMIT_LOCATIONS || h->cert_bytes > WORKER_CERT_BYTES)
        return err_set(err, ERR_LIMIT,
                       "the probing worker: %u locations and %u bytes of certificates, at most %u "
                       "and %u",
                       h->n, h->cert_bytes, LIMIT_LOCATIONS, WORKER_CERT_BYTES);
    return ERR_OK;
}

static void clean_text(char *text, size_t size)
{
    text[size - 1] = '\0';
    if (!str_is_utf8(text, strlen(text)))
        text[0] = '\0';
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    }
}

static void clean_urls(struct crl_url_list *l)
{
    for (size_t i = 0; i < CRL_URLS_MAX; i++)
        clean_text(l->url[i], sizeof l->url[i]);
}

static void clean_number(struct crl_number *n)
{
    if (n->len > CRL_NUMBER_MAX)
        n->len = CRL_NUMBER_MAX;
}

static void clean_facts(struct crl_facts *f)
{
    if (f->issuer_der_len > sizeof f->issuer_der)
        f->issuer_der_len = 0;
    if (f->aki_len > sizeof f->aki)
        f->aki_len = 0;
    if (f->tbs_digest_len > sizeof f->tbs_digest)
        f->tbs_digest_len = 0;
    clean_text(f->issuer, sizeof f->issuer);
    clean_text(f->signature_oid, sizeof f->signature_oid);
    clean_text(f->signature_name, sizeof f->signature_name);
    clean_number(&f->number);
    clean_number(&f->delta_base);
    clean_number(&f->virtual_base);
    clean_urls(&f->idp);
    clean_urls(&f->freshest);
    clean_urls(&f->published);
    if (f->unknown_critical > 1000)
        f->unknown_critical = 1000;
    for (size_t i = 0; i < CRL_OIDS_MAX; i++)
        clean_text(f->unknown_critical_oid[i], sizeof f->unknown_critical_oid[i]);
}

/* A bool that holds another byte than 0 or 1 is undefined to read. */
static void clean_flag(bool *flag)
{
    unsigned char v;
    memcpy(&v, flag, 1);
    v = v != 0;
    memcpy(flag, &v, 1);
}

static void clean_ocsp(struct ocsp_facts *f)
{
    clean_flag(&f->asked);
    clean_flag(&f->answered);
    clean_flag(&f->matched);
    clean_flag(&f->no_check);
    if (f->signature > OCSP_SIG_NO_SIGNER)
        f->signature = OCSP_SIG_BAD;
    if (f->signer > OCSP_SIGNER_NOBODY)
        f->signer = OCSP_SIGNER_NOBODY;
    if (f->status > OCSP_STATUS_UNKNOWN)
        f->status = OCSP_STATUS_UNKNOWN;
    if (f->nonce > OCSP_NONCE_OTHER)
        f->nonce = OCSP_NONCE_OTHER;
    clean_text(f->signer_name, sizeof f->signer_name);
    clean_text(f->why, sizeof f->why);
}

void worker_result_sanitize(struct probe_result *r)
{
    if ((unsigned)r->status > PROBE_NOT_MODIFIED)
        r->status = PROBE_INTERNAL;
    if ((unsigned)r->signature > CRL_SIG_UNSUPPORTED)
        r->signature = CRL_SIG_BAD;
    clean_flag(&r->via_proxy);
    clean_text(r->address, sizeof r->address);
    clean_text(r->detail, sizeof r->detail);
    clean_text(r->content_type, sizeof r->content_type);
    clean_text(r->etag, sizeof r->etag);
    clean_text(r->last_modified, sizeof r->last_modified);
    clean_text(r->cache_control, sizeof r->cache_control);
    clean_text(r->signature_why, sizeof r->signature_why);
    clean_flag(&r->facts.has_ca_version);
    clean_flag(&r->facts.has_idp);
    clean_facts(&r->facts);
    clean_ocsp(&r->ocsp);
}
