/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The record, one "name value" per line:
 *   crlagent-grant 1
 *   object service CertSvc
 *   account NT SERVICE\crlagent
 *   sid S-1-5-80-...
 *   mask 3d
 *   former HEX     the descriptor before
 *   given HEX      the descriptor as written
 * Crash after the record: the object is as before, revoke finds "former" and has nothing to do.
 * Crash after the change: the object is "given". Crash in revoke: the object is "former". */
#include "ca/grant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

#define RECORD_HEAD "crlagent-grant 1\n"
#define RECORD_MAX (5 * SD_MAX_BYTES)

struct record {
    struct buf text; /* owns the fields */
    char *object, *account, *sid;
    uint32_t mask;
    struct buf former, given;
};

static void record_free(struct record *r)
{
    buf_free(&r->text);
    buf_free(&r->former);
    buf_free(&r->given);
}

static int bad_record(const char *path, const char *field, struct err *err)
{
    return err_set(err, ERR_PARSE,
                   "'%s' is no record of a grant (%s); the object is left as it is. Look at the "
                   "file before you remove it: it holds the former rights",
                   path, field);
}

/* The value of the next line, which must have that name; NULL otherwise. Cuts the line. */
static char *next_value(char **at, const char *name)
{
    size_t n = strlen(name);
    char *line = *at, *end = strchr(line, '\n');
    if (!end || strncmp(line, name, n) != 0 || line[n] != ' ')
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line + n + 1;
}

static int take_bytes(const char *hex, struct buf *ret, struct err *err)
{
    size_t n = strlen(hex) / 2;
    SCOPED(scope_free) uint8_t *bytes = malloc(n + 1);
    if (!bytes)
        return err_nomem(err);
    int rc = str_unhex(hex, bytes, n + 1, &n, err);
    return rc ? rc : buf_add(ret, bytes, n) ? err_nomem(err) : ERR_OK;
}

static int record_read(const char *path, struct record *r, struct err *err)
{
    int rc = file_read(path, RECORD_MAX, &r->text, err);
    if (rc)
        return rc;
    char *at = r->text.data;
    if (!at || strlen(at) != r->text.len || !str_starts(at, RECORD_HEAD))
        return bad_record(path, "first line", err);
    at += strlen(RECORD_HEAD);
    r->object = next_value(&at, "object");
    r->account = r->object ? next_value(&at, "account") : NULL;
    r->sid = r->account ? next_value(&at, "sid") : NULL;
    const char *mask = r->sid ? next_value(&at, "mask") : NULL;
    const char *former = mask ? next_value(&at, "former") : NULL;
    const char *given = former ? next_value(&at, "given") : NULL;
    if (!given || *at)
        return bad_record(path, "its lines", err);
    r->mask = (uint32_t)strtoul(mask, NULL, 16);
    if (!r->mask || take_bytes(former, &r->former, err) || take_bytes(given, &r->given, err))
        return bad_record(path, "its values", err);
    return ERR_OK;
}

static void put_hex(struct buf *out, const char *name, const struct buf *bytes)
{
    buf_printf(out, "%s ", name);
    for (size_t i = 0; i < bytes->len; i++) {
        char two[3];
        str_hex(two, bytes->data + i, 1);
        buf_puts(out, two);
    }
    buf_putc(out, '\n');
}

static int record_write(const struct grant *g, const struct buf *former, const struct buf *given,
                        struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_printf(&text, RECORD_HEAD "object %s\naccount %s\nsid %s\nmask %x\n", g->object, g->account,
               g->sid, g->mask);
    put_hex(&text, "former", former);
    put_hex(&text, "given", given);
    int rc = buf_check(&text, "the record of a grant", err);
    return rc ? rc : file_write_atomic(g->record, text.data, text.len, err);
}

static bool same(const struct sd_place *place, const struct buf *a, const struct buf *b)
{
    if (place->whole)
        return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
    return sd_same_access(a->data, a->len, b->data, b->len);
}

static int write_and_look(const struct grant *g, const struct buf *want, struct err *err)
{
    SCOPED(buf_free) struct buf now = BUF_INIT;
    int rc = g->place.write(g->place.self, want->data, want->len, err);
    if (!rc)
        rc = g->place.read(g->place.self, &now, err);
    if (!rc && !same(&g->place, want, &now))
        rc = err_set(err, ERR_STATE,
                     "the system accepted the new access list, but another one is there now");
    return rc;
}

/* The account's own entries must give it all of mask, whatever else stands there. */
static int effective(const struct grant *g, const struct buf *sd, const struct sid_bytes *sid,
                     bool *ret, struct err *err)
{
    uint32_t access = 0;
    int rc = sd_access(sd->data, sd->len, sid, 1, &access, err);
    *ret = !rc && (access & g->mask) == g->mask;
    return rc;
}

static int add_entry(const struct grant *g, const struct sid_bytes *sid, const struct buf *now,
                     bool dry_run, struct err *err)
{
    SCOPED(buf_free) struct buf given = BUF_INIT;
    bool enough = false;
    int rc = sd_allow(now->data, now->len, sid, g->mask, &given, err);
    if (!rc)
        rc = effective(g, &given, sid, &enough, err);
    if (!rc && !enough)
        rc = err_set(err, ERR_STATE,
                     "an entry that denies rights to '%s' stands before; take it away first",
                     g->account);
    if (rc || dry_run)
        return rc;
    rc = record_write(g, now, &given, err);
    return rc ? rc : write_and_look(g, &given, err);
}

static int give(const struct grant *g, bool dry_run, enum grant_outcome *ret, struct err *err)
{
    SCOPED(record_free) struct record old = {0};
    SCOPED(buf_free) struct buf now = BUF_INIT;
    struct sid_bytes sid;
    bool enough = false;
    int rc = sid_parse(g->sid, &sid, err);
    if (!rc)
        rc = record_read(g->record, &old, err);
    bool recorded = !rc;
    if (rc == ERR_NOT_FOUND) {
        err_clear(err);
        rc = ERR_OK;
    }
    if (!rc && recorded && (strcmp(old.sid, g->sid) != 0 || old.mask != g->mask))
        rc = err_set(err, ERR_EXISTS,
                     "rights were given to '%s' before; take those back first: crlagent revoke",
                     old.account);
    if (!rc)
        rc = g->place.read(g->place.self, &now, err);
    if (!rc)
        rc = effective(g, &now, &sid, &enough, err);
    if (rc)
        return rc;
    if (enough) {
        *ret = recorded ? GRANT_RECORDED : GRANT_BY_OTHERS;
        return ERR_OK;
    }
    /* With a record but without the entry, somebody took it out since: what is there now is the
     * former state of this grant. */
    rc = add_entry(g, &sid, &now, dry_run, err);
    if (!rc)
        *ret = GRANT_GIVEN;
    return rc;
}

int grant_give(const struct grant *g, bool dry_run, enum grant_outcome *ret, struct err *err)
{
    int rc = give(g, dry_run, ret, err);
    return rc ? err_context(err, "%s", g->object) : ERR_OK;
}

static int restore(const struct grant *g, const struct record *r, const struct buf *now,
                   bool dry_run, enum grant_outcome *ret, struct err *err)
{
    SCOPED(buf_free) struct buf without = BUF_INIT;
    struct sid_bytes sid;
    bool found = false;
    if (same(&g->place, now, &r->former)) {
        *ret = GRANT_NOTHING;
        return ERR_OK;
    }
    if (same(&g->place, now, &r->given)) {
        *ret = GRANT_RESTORED;
        return dry_run ? ERR_OK : write_and_look(g, &r->former, err);
    }
    int rc = sid_parse(r->sid, &sid, err);
    if (!rc)
        rc = sd_disallow(now->data, now->len, &sid, r->mask, &without, &found, err);
    if (!rc)
        *ret = found ? GRANT_ENTRY_REMOVED : GRANT_NOTHING;
    return rc || dry_run || !found ? rc : write_and_look(g, &without, err);
}

static int revoke(const struct grant *g, bool dry_run, enum grant_outcome *ret, struct err *err)
{
    SCOPED(record_free) struct record r = {0};
    SCOPED(buf_free) struct buf now = BUF_INIT;
    int rc = record_read(g->record, &r, err);
    if (rc == ERR_NOT_FOUND) {
        err_clear(err);
        *ret = GRANT_NOTHING;
        return ERR_OK;
    }
    if (!rc && strcmp(r.object, g->object) != 0)
        rc = bad_record(g->record, "it is of another object", err);
    if (!rc)
        rc = g->place.read(g->place.self, &now, err);
    if (!rc)
        rc = restore(g, &r, &now, dry_run, ret, err);
    return rc || dry_run ? rc : file_remove(g->record, err);
}

int grant_revoke(const struct grant *g, bool dry_run, enum grant_outcome *ret, struct err *err)
{
    int rc = revoke(g, dry_run, ret, err);
    return rc ? err_context(err, "%s", g->object) : ERR_OK;
}

int grant_record_object(const char *path, struct buf *ret, struct err *err)
{
    SCOPED(record_free) struct record r = {0};
    int rc = record_read(path, &r, err);
    return rc ? rc : buf_puts(ret, r.object) ? err_nomem(err) : ERR_OK;
}
