/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reserve CRLs in the small world: a signing tool that can go wrong in every way, a sealed folder,
 * and one file per key from which all web servers serve the base CRL. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "support/world.h"

static int gone(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "dead");
}

static void crime(struct world *w, const char *text, const char *what)
{
    if (!w->crime[0])
        snprintf(w->crime, sizeof w->crime, "%s: %s", text, what);
}

/* As world_dies(), and remembers the call. */
static bool dies(struct world *w)
{
    bool dead = world_dies(w);
    if (w->calls < (long)ARRAY_LEN(w->at_reserve))
        w->at_reserve[w->calls] = true;
    return dead;
}

static uint64_t number_of(const struct crl_number *n)
{
    uint64_t v = 0;
    for (uint8_t i = 0; i < n->len; i++)
        v = v << 8 | n->bytes[i];
    return v;
}

static int resign(void *self, const struct ca_resign *what, struct buf *ret, struct err *err)
{
    struct world *w = self;
    struct world_crl c;
    char text[WORLD_CRL_TEXT];
    if (dies(w))
        return gone(err);
    if (w->hsm_away || w->resign_refuses)
        return err_set_os(err, ERR_CRYPTO, (long)0x80090030, "certutil -sign: refused");
    if (!world_crl_parse(what->crl, what->len, &c))
        return err_set(err, ERR_PARSE, "certutil -sign: no CRL");
    w->resigns++;
    c.this_update = w->now;
    c.next_update = w->now + (w->resign_short ? 3600 : what->life);
    c.plain = !w->resign_keeps_freshest && what->drop_freshest && what->drop_next_publish;
    if (what->number.len && !w->resign_keeps_number)
        c.number = number_of(&what->number);
    c.entries -= w->resign_drops_entries;
    c.key = w->resign_wrong_key ? WORLD_KEYS : c.key;
    return buf_puts(ret, world_crl_text(&c, text)) ? err_nomem(err) : ERR_OK;
}

/* ---- the sealed folder ---- */

static struct world_file *find(struct world *w, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(w->sealed); i++) {
        if (strcmp(w->sealed[i].name, name) == 0)
            return &w->sealed[i];
    }
    return NULL;
}

size_t world_sealed(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(w->sealed); i++)
        n += w->sealed[i].name[0] != 0;
    return n;
}

static int keep(void *self, const char *name, const void *data, size_t len, struct err *err)
{
    struct world *w = self;
    if (dies(w))
        return gone(err);
    if (w->on_touch)
        w->on_touch(w, "keep", name);
    struct world_file *f = find(w, name);
    f = f ? f : find(w, "");
    if (!f || len >= sizeof f->text)
        return err_set(err, ERR_LIMIT, "the sealed folder of this world is full");
    str_copy(f->name, sizeof f->name, name);
    memset(f->text, 0, sizeof f->text);
    memcpy(f->text, data, len);
    return ERR_OK;
}

static int fetch(void *self, const char *name, struct buf *ret, struct err *err)
{
    struct world *w = self;
    if (dies(w))
        return gone(err);
    const struct world_file *f = find(w, name);
    if (!f)
        return err_set(err, ERR_NOT_FOUND, "there is no '%s'", name);
    return buf_puts(ret, f->text) ? err_nomem(err) : ERR_OK;
}

static int drop(void *self, const char *name, struct err *err)
{
    struct world *w = self;
    if (dies(w))
        return gone(err);
    struct world_file *f = find(w, name);
    if (f)
        memset(f, 0, sizeof *f);
    return ERR_OK;
}

/* ---- the files ---- */

static struct world_crl *file_of(struct world *w, const char *url)
{
    unsigned key = 0;
    return sscanf(url, "file:///pki/%u.crl", &key) == 1 && key < WORLD_KEYS ? &w->file[key] : NULL;
}

static int read_file(void *self, const char *url, struct buf *ret, struct err *err)
{
    struct world *w = self;
    char text[WORLD_CRL_TEXT];
    if (dies(w))
        return gone(err);
    const struct world_crl *c = file_of(w, url);
    if (!c || !c->number)
        return err_set(err, ERR_NOT_FOUND, "there is no '%s'", url);
    return buf_puts(ret, world_crl_text(c, text)) ? err_nomem(err) : ERR_OK;
}

static void serve_it(struct world *w, const struct world_crl *c)
{
    for (size_t i = 0; i < w->n_locations; i++) {
        struct world_location *l = &w->location[i];
        if (!l->parent && !l->delta && l->key == c->key && !l->frozen) {
            l->serves = *c;
            l->arrives = 0;
        }
    }
}

static int write_file(void *self, const char *url, const void *data, size_t len, struct err *err)
{
    struct world *w = self;
    struct world_crl c, *f = file_of(w, url);
    if (dies(w))
        return gone(err);
    if (w->file_denied)
        return err_set(err, ERR_DENIED, "writing '%s': access denied", url);
    if (w->on_touch)
        w->on_touch(w, "write", url);
    if (!f || !world_crl_parse(data, len, &c))
        return err_set(err, ERR_IO, "no file of this world: '%s'", url);
    if (c.key >= WORLD_KEYS || &w->file[c.key] != f)
        crime(w, "the CRL of another key was written", url);
    if (f->number > c.number && c.plain)
        crime(w, "a newer CRL was replaced by a reserve", url);
    if (c.plain && w->service[0].info.state == SVC_RUNNING && !w->hsm_away)
        crime(w, "a reserve was written while the CA runs", url);
    w->releases += c.plain;
    *f = c;
    serve_it(w, &c);
    return ERR_OK;
}

void world_reserve_written(struct world *w, const struct world_crl *c)
{
    if (!c->delta && c->key < WORLD_KEYS && !w->file_denied)
        w->file[c->key] = *c;
}

void world_reserve_seams(struct world *w, struct maint_seams *ret)
{
    static const struct reserve_files_ops ops = {keep, fetch, drop, read_file, write_file};
    ret->resign = (struct ca_resigner){resign, w};
    ret->files = (struct reserve_files){&ops, w};
}
