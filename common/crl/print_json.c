/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <string.h>

#include "base/jsonput.h"
#include "base/str.h"
#include "crl/print.h"

static json_t *json_hex(const uint8_t *p, size_t len)
{
    char hex[2 * 64 + 1] = "";
    if (len == 0 || len > 64)
        return json_null();
    str_hex(hex, p, len);
    return json_string(hex);
}

static json_t *json_time(int64_t when)
{
    char text[WHEN_TEXT_MAX];
    return when == WHEN_NONE ? json_null() : json_string(when_format(when, text));
}

/* Numbers of up to 20 octets: as text, since JSON readers round beyond 53 bits. */
static json_t *json_number(const struct crl_number *n)
{
    char text[48];
    return n->len ? json_string(crl_number_format(n, text)) : json_null();
}

static json_t *json_urls(const struct crl_url_list *l)
{
    json_t *a = json_array();
    for (uint32_t i = 0; a && i < l->count && i < CRL_URLS_MAX; i++)
        json_array_append_new(a, json_string(l->url[i]));
    return a;
}

static json_t *json_reasons(const struct crl_facts *f)
{
    json_t *o = json_object();
    for (int i = 0; o && i < CRL_REASONS; i++) {
        uint64_t n = f->reason[i] - (i == 0 ? f->entries_without_reason : 0);
        if (n)
            json_object_set_new(o, crl_reason_name(i), json_integer((json_int_t)n));
    }
    return o;
}

static json_t *json_warnings(const struct crl_facts *f)
{
    json_t *a = json_array();
    for (unsigned i = 0; a && i < CRL_WARN_COUNT; i++) {
        if (f->warnings & 1u << i)
            json_array_append_new(a, json_string(crl_warning_name((enum crl_warning)(1u << i))));
    }
    return a;
}

static json_t *json_oids(const struct crl_facts *f)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < CRL_OIDS_MAX && f->unknown_critical_oid[i][0]; i++)
        json_array_append_new(a, json_string(f->unknown_critical_oid[i]));
    return a;
}

json_t *crl_json_facts(const struct crl_facts *f)
{
    json_t *o = json_object();
    if (!o)
        return NULL;
    json_object_set_new(o, "type", json_string(crl_is_delta(f) ? "delta" : "base"));
    json_object_set_new(o, "issuer", json_string(f->issuer));
    json_object_set_new(o, "authority_key_id", json_hex(f->aki, f->aki_len));
    json_object_set_new(o, "number", json_number(&f->number));
    json_object_set_new(o, "delta_base", json_number(&f->delta_base));
    json_object_set_new(o, "virtual_base", json_number(&f->virtual_base));
    json_object_set_new(o, "this_update", json_time(f->this_update));
    json_object_set_new(o, "next_update", json_time(f->next_update));
    json_object_set_new(o, "next_publish", json_time(f->next_publish));
    json_object_set_new(o, "ca_version",
                        f->has_ca_version ? json_integer(f->ca_version) : json_null());
    json_object_set_new(o, "has_idp", json_boolean(f->has_idp));
    json_put_number(o, "idp_scope", (int64_t)f->idp_scope);
    json_object_set_new(o, "idp_urls", json_urls(&f->idp));
    json_object_set_new(o, "freshest_urls", json_urls(&f->freshest));
    json_object_set_new(o, "published_urls", json_urls(&f->published));
    json_put_number(o, "entries", (int64_t)f->entries);
    json_put_number(o, "entries_without_reason", (int64_t)f->entries_without_reason);
    json_object_set_new(o, "reasons", json_reasons(f));
    json_object_set_new(o, "earliest_revocation", json_time(f->earliest_revocation));
    json_object_set_new(o, "latest_revocation", json_time(f->latest_revocation));
    json_object_set_new(o, "signature_algorithm", json_string(f->signature_name));
    json_object_set_new(o, "signature_oid", json_string(f->signature_oid));
    json_put_number(o, "version", (int64_t)f->version);
    json_put_number(o, "bytes", (int64_t)f->bytes);
    json_object_set_new(o, "sha256", json_hex(f->sha256, sizeof f->sha256));
    json_object_set_new(o, "signed_part_digest", json_hex(f->tbs_digest, f->tbs_digest_len));
    json_object_set_new(o, "unknown_critical", json_oids(f));
    json_object_set_new(o, "warnings", json_warnings(f));
    return o;
}

json_t *crl_json_verdicts(uint32_t verdicts)
{
    json_t *a = json_array();
    for (unsigned i = 0; a && i < CRL_V_COUNT; i++) {
        if (verdicts & 1u << i)
            json_array_append_new(a, json_string(crl_verdict_name((enum crl_verdict)(1u << i))));
    }
    return a;
}

json_t *crl_json_entry(const struct crl_entry *e)
{
    json_t *o = json_object();
    if (!o)
        return NULL;
    json_object_set_new(o, "serial", json_hex(e->serial, e->serial_len));
    json_object_set_new(o, "revoked", json_time(e->revoked));
    json_object_set_new(o, "reason",
                        e->reason < 0 ? json_null() : json_string(crl_reason_name(e->reason)));
    json_object_set_new(o, "invalidity", json_time(e->invalidity));
    return o;
}

json_t *crl_json_diff(const struct crl_diff *d)
{
    json_t *o = json_object();
    json_t *changes = json_object();
    if (!o || !changes) {
        json_decref(o);
        json_decref(changes);
        return NULL;
    }
    json_object_set_new(o, "old", crl_json_facts(&d->old_facts));
    json_object_set_new(o, "new", crl_json_facts(&d->new_facts));
    json_object_set_new(o, "old_signature", json_string(crl_signature_name(d->old_signature)));
    json_object_set_new(o, "new_signature", json_string(crl_signature_name(d->new_signature)));
    json_object_set_new(o, "number_order", json_integer(d->number_order));
    json_put_number(o, "number_gap", (int64_t)d->number_gap);
    for (int i = 0; i < CRL_CHANGES; i++)
        json_put_number(changes, crl_change_name((enum crl_change)i), (int64_t)d->count[i]);
    json_object_set_new(o, "changes", changes);
    json_put_number(o, "unchanged", (int64_t)d->same);
    json_put_number(o, "old_duplicates", (int64_t)d->old_twice);
    json_put_number(o, "new_duplicates", (int64_t)d->new_twice);
    json_put_number(o, "table_bytes", (int64_t)d->table_bytes);
    return o;
}
