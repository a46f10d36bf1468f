/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "report/evidence.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/jsonget.h"
#include "base/ossl.h"
#include "base/str.h"
#include "base/when.h"

struct evidence {
    json_t *doc; /* head and count are set when it is written */
    json_t *entries;
    char head[65];
};

static int hash_text(const char *text, size_t len, char hex[65], struct err *err)
{
    unsigned char digest[32];
    if (!EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL))
        return err_set(err, ERR_CRYPTO, "SHA-256 is not available");
    str_hex(hex, digest, sizeof digest);
    return ERR_OK;
}

/* Everything of an entry but its own hash, in one form whatever the spacing of the file: keys
 * sorted, compact. The first entry's "previous" is the hash of the bundle's head line. */
static int entry_hash(const json_t *entry, char hex[65], struct err *err)
{
    json_t *copy = json_copy((json_t *)entry);
    json_object_del(copy, "hash");
    char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(copy);
    if (!text)
        return err_nomem(err);
    int rc = hash_text(text, strlen(text), hex, err);
    free(text);
    return rc;
}

static int first_hash(const char *ca, const char *change_id, char hex[65], struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_printf(&text, "crlagent-evidence 1\n%s\n%s\n", ca, change_id);
    int rc = buf_check(&text, "the bundle", err);
    return rc ? rc : hash_text(buf_str(&text), text.len, hex, err);
}

void evidence_free(struct evidence **e)
{
    if (!*e)
        return;
    json_decref((*e)->doc);
    free(*e);
    *e = NULL;
}

int evidence_new(const char *ca, const char *change_id, struct evidence **ret, struct err *err)
{
    SCOPED(evidence_free) struct evidence *e = calloc(1, sizeof *e);
    if (!e)
        return err_nomem(err);
    e->entries = json_array();
    e->doc = json_pack("{s:s, s:i, s:s, s:s, s:o}", "schema", "crlagent-evidence", "version", 1,
                       "ca", ca, "change", change_id, "entries", e->entries);
    if (!e->doc)
        return err_set(err, ERR_INVALID, "the CA's name or the change number is no UTF-8");
    int rc = first_hash(ca, change_id, e->head, err);
    if (!rc)
        *ret = steal_ptr(e);
    return rc;
}

static int add(struct evidence *e, int64_t when, const char *kind, json_t *data, struct err *err)
{
    char time[WHEN_TEXT_MAX], hex[65];
    json_t *entry =
        json_pack("{s:i, s:s, s:s, s:s, s:o}", "number", (int)json_array_size(e->entries) + 1,
                  "when", when_format(when, time), "kind", kind, "previous", e->head, "data", data);
    if (!entry)
        return err_set(err, ERR_INVALID, "the entry holds text that is no UTF-8");
    int rc = entry_hash(entry, hex, err);
    if (!rc) {
        json_object_set_new(entry, "hash", json_string(hex));
        if (json_array_append(e->entries, entry))
            rc = err_nomem(err);
    }
    json_decref(entry);
    if (!rc)
        memcpy(e->head, hex, sizeof hex);
    return rc;
}

int evidence_add_json(struct evidence *e, int64_t when, const char *kind, const char *json,
                      struct err *err)
{
    json_error_t why;
    json_t *data = json_loads(json, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
    if (!data)
        return err_set(err, ERR_PARSE, "entry '%s': line %d: %s", kind, why.line, why.text);
    return add(e, when, kind, data, err);
}

int evidence_add_text(struct evidence *e, int64_t when, const char *kind, const char *text,
                      struct err *err)
{
    json_t *data = json_string(text);
    if (!data)
        return err_set(err, ERR_INVALID, "entry '%s': the text is no UTF-8", kind);
    return add(e, when, kind, data, err);
}

void evidence_head(const struct evidence *e, char ret_hex[65])
{
    memcpy(ret_hex, e->head, sizeof e->head);
}

int evidence_write(const struct evidence *e, struct buf *ret, struct err *err)
{
    json_object_set_new(e->doc, "count", json_integer((json_int_t)json_array_size(e->entries)));
    json_object_set_new(e->doc, "head", json_string(e->head));
    char *text = json_dumps(e->doc, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    if (!text)
        return err_nomem(err);
    buf_puts(ret, text);
    buf_putc(ret, '\n');
    free(text);
    return buf_check(ret, "the evidence bundle", err);
}

static int check_entry(const json_t *entry, size_t number, char head[65], struct err *err)
{
    char hex[65];
    int rc = json_is_object(entry) ? entry_hash(entry, hex, err) : ERR_PARSE;
    if (rc)
        return rc == ERR_PARSE ? err_set(err, ERR_CRYPTO, "entry %zu is no object", number) : rc;
    if (json_integer_value(json_object_get(entry, "number")) != (json_int_t)number)
        return err_set(err, ERR_CRYPTO,
                       "expected entry %zu, found number %lld: an entry was removed or moved",
                       number, (long long)json_integer_value(json_object_get(entry, "number")));
    if (strcmp(json_get_text(entry, "previous"), head) != 0)
        return err_set(err, ERR_CRYPTO,
                       "entry %zu (%s) does not follow the one before: expected %.16s..., found "
                       "%.16s...",
                       number, json_get_text(entry, "kind"), head,
                       json_get_text(entry, "previous"));
    if (strcmp(json_get_text(entry, "hash"), hex) != 0)
        return err_set(err, ERR_CRYPTO, "entry %zu (%s of %s) was changed after it was written",
                       number, json_get_text(entry, "kind"), json_get_text(entry, "when"));
    memcpy(head, hex, sizeof hex);
    return ERR_OK;
}

static int check_all(const json_t *doc, struct evidence_facts *ret, struct err *err)
{
    const json_t *entries = json_object_get(doc, "entries");
    char head[65];
    str_copy(ret->ca, sizeof ret->ca, json_get_text(doc, "ca"));
    str_copy(ret->change_id, sizeof ret->change_id, json_get_text(doc, "change"));
    int rc = first_hash(json_get_text(doc, "ca"), json_get_text(doc, "change"), head, err);
    ret->entries = json_array_size(entries);
    for (size_t i = 0; !rc && i < ret->entries; i++) {
        rc = check_entry(json_array_get(entries, i), i + 1, head, err);
        ret->bad = rc ? i + 1 : 0;
    }
    memcpy(ret->head, head, sizeof head);
    if (!rc && (strcmp(json_get_text(doc, "head"), head) != 0 ||
                json_integer_value(json_object_get(doc, "count")) != (json_int_t)ret->entries)) {
        ret->bad = ret->entries;
        rc = err_set(err, ERR_CRYPTO, "entries are missing at the end: expected %lld, found %zu",
                     (long long)json_integer_value(json_object_get(doc, "count")), ret->entries);
    }
    return rc;
}

int evidence_verify(const void *data, size_t len, struct evidence_facts *ret, struct err *err)
{
    json_error_t why;
    memset(ret, 0, sizeof *ret);
    if (len > EVIDENCE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the file has %zu bytes, the limit is %u", len,
                       EVIDENCE_BYTES_MAX);
    json_t *doc = json_loadb(data, len, JSON_REJECT_DUPLICATES, &why);
    int rc = ERR_OK;
    if (!doc)
        rc = err_set(err, ERR_PARSE, "line %d: %s", why.line, why.text);
    else if (strcmp(json_get_text(doc, "schema"), "crlagent-evidence") != 0 ||
             json_integer_value(json_object_get(doc, "version")) != 1 ||
             !json_is_array(json_object_get(doc, "entries")))
        rc = err_set(err, ERR_PARSE,
                     "expected schema 'crlagent-evidence' version 1 with entries, found '%.40s'",
                     json_get_text(doc, "schema"));
    if (!rc)
        rc = check_all(doc, ret, err);
    json_decref(doc);
    return rc;
}

int evidence_entry(const void *data, size_t len, const char *kind, struct buf *ret, struct err *err)
{
    json_error_t why;
    json_t *doc = json_loadb(data, len, JSON_REJECT_DUPLICATES, &why);
    const json_t *entries = json_object_get(doc, "entries");
    char *text = NULL;
    int rc = doc ? ERR_OK : err_set(err, ERR_PARSE, "line %d: %s", why.line, why.text);
    for (size_t i = json_array_size(entries); !rc && !text && i-- > 0;) {
        const json_t *entry = json_array_get(entries, i);
        if (strcmp(json_get_text(entry, "kind"), kind) == 0)
            text = json_dumps(json_object_get(entry, "data"), JSON_COMPACT | JSON_ENCODE_ANY);
    }
    if (!rc && !text)
        rc = err_set(err, ERR_NOT_FOUND, "the bundle has no entry '%s'", kind);
    if (!rc) {
        buf_puts(ret, text);
        rc = buf_check(ret, "an entry of the bundle", err);
    }
    free(text);
    json_decref(doc);
    return rc;
}
