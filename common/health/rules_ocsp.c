/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* OCSP responders: what their answer to a real question is worth to a client (RFC 6960
 * section 3.2). The runway stays a matter of CRLs: a responder signs with a key of its own, and
 * goes on as long as the CRL it reads lives, which the runway counts already. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "health/rules_int.h"

#define SKEW_SECONDS 300

static const char *detail_of(const struct probe_result *r)
{
    return r->detail[0] ? r->detail : probe_status_name(r->status);
}

/* Nothing about it can be judged: it was not reached, or what came is no OCSP answer. */
static void rule_no_answer(struct rules *x, size_t i)
{
    const struct probe_result *r = &x->in->results[i];
    bool something = r->status == PROBE_NOT_A_CRL || r->status == PROBE_EMPTY ||
                     (r->status == PROBE_TRUNCATED && r->bytes > 0);
    struct finding *f = rule_add(x, something ? FIND_OCSP_NOT_AN_ANSWER : FIND_OCSP_UNREACHABLE, i);
    rule_expected(f, "an OCSP answer");
    rule_found(f, "%.400s", detail_of(r));
}

/* No certificate is known to ask about: a responder answers a bare GET of its URL with anything but
 * silence, and that is all that can be seen. */
static void rule_not_asked(struct rules *x, size_t i)
{
    const struct probe_result *r = &x->in->results[i];
    if (r->http_status <= 0 || r->http_status >= 500) {
        rule_no_answer(x, i);
        return;
    }
    struct finding *f = rule_add(x, FIND_OCSP_NOT_ASKED, i);
    rule_expected(f, "a certificate to ask about, and its issuer's certificate");
    rule_found(f, "none is known; the server at the URL answers (HTTP %d)", r->http_status);
}

static void rule_type(struct rules *x, size_t i)
{
    static const char want[] = "application/ocsp-response";
    const char *type = x->in->results[i].content_type;
    if (strcspn(type, "; ") == sizeof want - 1 && str_starts_nocase(type, want))
        return;
    struct finding *f = rule_add(x, FIND_OCSP_MIME, i);
    rule_expected(f, "Content-Type: %s", want);
    rule_found(f, "Content-Type: %s", type[0] ? type : "(none)");
}

/* Does the signature hold, by somebody who may sign, whose certificate lives? Otherwise what the
 * answer says means nothing. */
static bool rule_signature(struct rules *x, size_t i)
{
    const struct ocsp_facts *o = &x->in->results[i].ocsp;
    char until[WHEN_TEXT_MAX];
    if (o->signature != OCSP_SIG_GOOD) {
        struct finding *f = rule_add(x, FIND_OCSP_BAD_SIGNATURE, i);
        rule_expected(f, "a signature of the CA or of its OCSP signing certificate");
        rule_found(f, "signature %s%s%s: %s", ocsp_signature_name(o->signature),
                   o->signer_name[0] ? " by " : "", o->signer_name, o->why);
        x->verdicts[i] |= CRL_V_BAD_SIGNATURE;
        return false;
    }
    if (o->signer == OCSP_SIGNER_NOBODY) {
        struct finding *f = rule_add(x, FIND_OCSP_SIGNER_WRONG, i);
        rule_expected(f, "signed by the CA, or by a certificate of this CA for OCSP Signing");
        rule_found(f, "signed by %.200s: %s", o->signer_name, o->why);
        x->verdicts[i] |= CRL_V_WRONG_ISSUER;
        return false;
    }
    if (o->signer == OCSP_SIGNER_DELEGATED && o->signer_until <= x->in->now) {
        struct finding *f = rule_add(x, FIND_OCSP_SIGNER_WRONG, i);
        rule_expected(f, "an OCSP signing certificate that has not expired");
        rule_found(f, "%.200s expired at %s", o->signer_name, when_format(o->signer_until, until));
        x->verdicts[i] |= CRL_V_WRONG_ISSUER;
        return false;
    }
    return true;
}

/* AD CS renews the signer's certificate (two weeks) when a tenth of its life is left. */
static void rule_signer(struct rules *x, size_t i)
{
    const struct ocsp_facts *o = &x->in->results[i].ocsp;
    char until[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX];
    if (o->signer != OCSP_SIGNER_DELEGATED)
        return;
    if ((o->signer_until - x->in->now) * 20 < o->signer_until - o->signer_from) {
        struct finding *f = rule_add(x, FIND_OCSP_SIGNER_EXPIRING, i);
        rule_expected(f, "renewed with a tenth of its life left");
        rule_found(f, "%.200s until %s: %s", o->signer_name, when_format(o->signer_until, until),
                   duration_format(o->signer_until - x->in->now, left));
    }
    if (!o->no_check) {
        struct finding *f = rule_add(x, FIND_OCSP_SIGNER_CHECKED, i);
        rule_expected(f, "the extension id-pkix-ocsp-nocheck");
        rule_found(f, "%.200s has none", o->signer_name);
    }
}

static void rule_times(struct rules *x, size_t i)
{
    const struct ocsp_facts *o = &x->in->results[i].ocsp;
    int64_t now = x->in->now;
    char from[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX], ago[WHEN_TEXT_MAX];
    if (o->next_update != WHEN_NONE && o->next_update <= now) {
        struct finding *f = rule_add(x, FIND_OCSP_STALE, i);
        rule_expected(f, "nextUpdate later than now");
        rule_found(f, "nextUpdate %s (passed: %s), thisUpdate %s",
                   when_format(o->next_update, until), duration_format(now - o->next_update, ago),
                   when_format(o->this_update, from));
        x->verdicts[i] |= CRL_V_EXPIRED;
    }
    if (o->this_update > now + SKEW_SECONDS) {
        struct finding *f = rule_add(x, FIND_OCSP_FROM_FUTURE, i);
        rule_expected(f, "thisUpdate not later than %s", when_format(now, until));
        rule_found(f, "thisUpdate %s", when_format(o->this_update, from));
        x->verdicts[i] |= CRL_V_FROM_FUTURE;
    }
}

/* A responder that works from CRLs hands on their thisUpdate; one with a source of its own says
 * now. Either way an answer older than the CRL in force knows nothing of the newest revocations. */
static void rule_source(struct rules *x, size_t i)
{
    const struct probe_target *t = &x->in->targets[i];
    const struct ocsp_facts *o = &x->in->results[i].ocsp;
    const struct crl_facts *crl = health_newest(x->in, t->key_index, 0, false, t->parent);
    char is[WHEN_TEXT_MAX], want[WHEN_TEXT_MAX], number[48];
    if (!crl || o->this_update == WHEN_NONE || o->this_update >= crl->this_update ||
        x->in->now - crl->this_update <= x->thresholds->overdue_grace)
        return;
    struct finding *f = rule_add(x, FIND_OCSP_OLD_CRL, i);
    rule_expected(f, "thisUpdate %s or later (base CRL number %s)",
                  when_format(crl->this_update, want), crl_number_format(&crl->number, number));
    rule_found(f, "thisUpdate %s", when_format(o->this_update, is));
    x->verdicts[i] |= CRL_V_STALE;
}

static void rule_status(struct rules *x, size_t i)
{
    const struct ocsp_facts *o = &x->in->results[i].ocsp;
    struct finding *f;
    if (!o->matched) {
        f = rule_add(x, FIND_OCSP_NOT_AN_ANSWER, i);
        rule_expected(f, "an answer about the certificate that was asked for");
        rule_found(f, "answers about others only");
        x->verdicts[i] |= CRL_V_WRONG_TYPE;
    } else if (o->status == OCSP_STATUS_UNKNOWN) {
        f = rule_add(x, FIND_OCSP_STATUS_UNKNOWN, i);
        rule_expected(f, "good or revoked for a certificate of this CA");
        rule_found(f, "unknown");
    }
    if (o->nonce == OCSP_NONCE_OTHER) {
        f = rule_add(x, FIND_OCSP_NOT_AN_ANSWER, i);
        rule_expected(f, "the nonce of the request, or none");
        rule_found(f, "another nonce: the answer to somebody else's question");
        x->verdicts[i] |= CRL_V_WRONG_TYPE;
    }
}

static void rule_answer(struct rules *x, size_t i)
{
    const struct ocsp_facts *o = &x->in->results[i].ocsp;
    rule_type(x, i);
    if (o->response != 0) {
        struct finding *f = rule_add(x, FIND_OCSP_ERROR_STATUS, i);
        rule_expected(f, "successful");
        rule_found(f, "%s (%d)", ocsp_response_name(o->response), o->response);
        x->verdicts[i] |= CRL_V_WRONG_TYPE;
        return;
    }
    if (!rule_signature(x, i))
        return;
    rule_signer(x, i);
    rule_status(x, i);
    if (o->matched) {
        rule_times(x, i);
        rule_source(x, i);
    }
}

void rules_ocsp(struct rules *x, size_t i)
{
    const struct probe_target *t = &x->in->targets[i];
    const struct probe_result *r = &x->in->results[i];
    if (!t->ocsp_request_len)
        rule_not_asked(x, i);
    else if (r->status != PROBE_OK || !r->ocsp.answered)
        rule_no_answer(x, i);
    else
        rule_answer(x, i);
}
