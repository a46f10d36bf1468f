/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The table of the text report: one line per location whatever its length, by key and kind, so that
 * servers that differ stand under each other. The whole URL is in the findings, JSON, XML and HTML.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "report/report_int.h"

#define DOTS "\xE2\x80\xA6" /* one column wide */
#define NUMBER_WIDTH 10
#define PLACE_WIDTH_MIN 24
#define ROWS_MAX 100

size_t text_width(const char *text, size_t bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Bytes of the first n characters. */
static size_t first(const char *text, size_t n)
{
    size_t i = 0;
    while (text[i] && (n > 0 || continues(text[i])))
        n -= !continues(text[i++]) && n > 0;
    return i;
}

/* The end counts more than the middle: that is where "+.crl" and "(1).crl" stand. */
static void cut_middle(const char *text, size_t room, char *dst, size_t size)
{
    size_t wide = text_width(text, strlen(text));
    if (wide <= room) {
        str_copy(dst, size, text);
        return;
    }
    size_t end = room > 2 ? (room - 1) / 2 : 0;
    size_t skip = first(text, wide - end);
    snprintf(dst, size, "%.*s" DOTS "%s", (int)first(text, room - 1 - end), text, text + skip);
}

/* Where the part begins that a reader needs of a path: the file name. */
static const char *last_part(const char *path)
{
    const char *name = path;
    for (const char *c = path; *c && *c != '?'; c++) {
        if ((*c == '/' || *c == '\\') && c[1])
            name = c + 1;
    }
    return name;
}

/* http://host/…/name.crl, \\server\…\name.crl, /srv/…/name.crl */
static void shorten_path(const char *url, size_t room, char *dst, size_t size)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url + strspn(url, "/\\");
    size_t head = (size_t)(host - url) + strcspn(host, "/\\");
    const char *name = last_part(url + head);
    size_t used = text_width(url, head) + 3;
    if (!url[head] || name <= url + head + 1 || used + 8 > room) {
        cut_middle(url, room, dst, size);
        return;
    }
    char tail[LIMIT_URL_CHARS + 1];
    cut_middle(name, room - used, tail, sizeof tail);
    snprintf(dst, size, "%.*s%c" DOTS "%c%s", (int)head, url, url[head], url[head], tail);
}

/* ldap://host/CN=Name,…?attribute: the rest of the DN is the same for every location of a CA. */
static void shorten_ldap(const char *url, size_t room, char *dst, size_t size)
{
    const char *dn = strstr(url, "://");
    dn = dn ? strchr(dn + 3, '/') : NULL;
    if (!dn) {
        cut_middle(url, room, dst, size);
        return;
    }
    char head[LIMIT_URL_CHARS + 8];
    size_t rdn = (size_t)(dn - url) + strcspn(dn, ",?");
    const char *query = strchr(dn, '?');
    size_t attribute = query ? 1 + strcspn(query + 1, "?") : 0;
    snprintf(head, sizeof head, "%.*s%s", (int)rdn, url, url[rdn] == ',' ? "," DOTS : "");
    size_t used = text_width(head, strlen(head));
    if (used + attribute <= room)
        snprintf(dst, size, "%s%.*s", head, (int)attribute, query ? query : "");
    else if (used + 8 <= room)
        snprintf(dst, size, "%s%.*s" DOTS, head, (int)(room - used - 1), query ? query : "");
    else
        cut_middle(head, room, dst, size);
}

void text_shorten(const char *url, enum location_kind kind, size_t room, char *dst, size_t size)
{
    if (text_width(url, strlen(url)) <= room)
        str_copy(dst, size, url);
    else if (kind == LOC_LDAP)
        shorten_ldap(url, room, dst, size);
    else
        shorten_path(url, room, dst, size);
}

const char *report_server(const struct report *r, size_t i)
{
    const struct probe_target *t = &r->targets[i];
    return t->kind == LOC_FILE || strcmp(r->results[i].address, t->url) == 0
               ? ""
               : r->results[i].address;
}

struct cells {
    char state[24], left[WHEN_TEXT_MAX], number[NUMBER_WIDTH * 4], type[8], key[24];
};

static void cells_of(const struct report *r, size_t i, struct cells *c)
{
    const struct probe_target *t = &r->targets[i];
    char number[48] = "-", key[24];
    str_copy(c->left, sizeof c->left, "-");
    str_copy(c->state, sizeof c->state, report_state(r, i));
    if (report_is_crl(r, i))
        report_left_text(report_left(r, i), c->left);
    if (report_has_crl(r, i))
        crl_number_format(&r->results[i].facts.number, number);
    cut_middle(number, NUMBER_WIDTH, c->number, sizeof c->number);
    snprintf(c->type, sizeof c->type, "%s%s", t->parent ? "parent" : location_role_name(t->role),
             probe_carried_only(t) ? "*" : "");
    snprintf(key, sizeof key, t->partition ? "%u/%u" : "%u", t->key_index, t->partition);
    str_copy(c->key, sizeof c->key, key);
}

struct columns {
    int state, left, number, type, key;
    size_t place;
};

static int wider(int width, const char *text)
{
    int n = (int)text_width(text, strlen(text));
    return n > width ? n : width;
}

/* As wide as what stands in them, so that the location gets the rest. */
static struct columns measure(const struct report *r, size_t columns)
{
    struct columns w = {5, 6, 3, 4, 3, 0};
    for (size_t i = 0; i < r->n; i++) {
        struct cells c;
        cells_of(r, i, &c);
        w.state = wider(w.state, c.state);
        w.left = wider(w.left, c.left);
        w.number = wider(w.number, c.number);
        w.type = wider(w.type, c.type);
        w.key = wider(w.key, c.key);
    }
    size_t used = (size_t)(2 + w.state + 1 + w.left + 1 + w.number + 1 + w.type + 1 + w.key + 2);
    w.place = columns > used + PLACE_WIDTH_MIN ? columns - used : PLACE_WIDTH_MIN;
    return w;
}

void text_place(const struct report *r, size_t i, size_t room, char *dst, size_t size)
{
    const struct probe_target *t = &r->targets[i];
    const char *server = t->as_client ? "" : report_server(r, i);
    char tail[160] = "", place[LIMIT_URL_CHARS + 32];
    if (server[0])
        snprintf(tail, sizeof tail, " @%s", server);
    else if (t->as_client)
        str_copy(tail, sizeof tail, " (caches allowed)");
    size_t whole = text_width(t->url, strlen(t->url)) + strlen(tail);
    char *dot = strchr(tail, '.');
    if (t->kind == LOC_LDAP && whole > room && dot && strspn(tail + 2, "0123456789.") == 0)
        *dot = 0; /* a domain controller: its first label is enough */
    if (strlen(tail) > room / 2)
        cut_middle(server, room / 2 - 2, tail + 2, sizeof tail - 2);
    text_shorten(t->url, t->kind, room - text_width(tail, strlen(tail)), place, sizeof place);
    snprintf(dst, size, "%s%s", place, tail);
}

static void table_line(struct buf *out, const struct report *r, size_t i, const struct columns *w,
                       const struct text_paint *paint)
{
    struct cells c;
    char place[LIMIT_URL_CHARS + 200];
    cells_of(r, i, &c);
    text_place(r, i, w->place, place, sizeof place);
    buf_printf(out, "  %s%-*s%s %*s ", paint->of_state(paint->arg, c.state), w->state, c.state,
               paint->plain, w->left, c.left);
    buf_printf(out, "%*s", w->number - wider(0, c.number), "");
    buf_printf(out, "%s %-*s %*s  %s\n", c.number, w->type, c.type, w->key, c.key, place);
}

static bool new_block(const struct report *r, size_t before, size_t now)
{
    const struct probe_target *a = &r->targets[before], *b = &r->targets[now];
    return a->key_index != b->key_index || a->parent != b->parent;
}

static bool fine(const struct report *r, size_t i)
{
    return strcmp(report_state(r, i), "OK") == 0;
}

/* Of a table that nobody reads to its end: the first that are not OK, and how many are left out. */
static size_t worth_telling(const struct report *r, size_t *order, struct buf *tail)
{
    size_t n = 0, good = 0;
    for (size_t k = 0; k < r->n; k++) {
        good += fine(r, order[k]);
        if (!fine(r, order[k]) && n < ROWS_MAX)
            order[n++] = order[k];
    }
    buf_printf(tail,
               "  not listed: %zu locations that are OK and %zu that are not; --format json or "
               "html has all\n",
               good, r->n - good - n);
    return n;
}

int text_table(const struct report *r, size_t columns, const struct text_paint *paint,
               struct buf *out, struct err *err)
{
    SCOPED(scope_free) size_t *order = NULL;
    if (!r->n)
        return ERR_OK;
    if (report_order(r, &order, err))
        return err->code;
    struct columns w = measure(r, columns);
    bool carried = false;
    buf_printf(out, "\n  %-*s %*s %*s %-*s %*s  %s\n", w.state, "State", w.left, "Runway", w.number,
               "No.", w.type, "Type", w.key, "Key", "Location");
    SCOPED(buf_free) struct buf tail = BUF_INIT;
    size_t n = r->n > ROWS_MAX ? worth_telling(r, order, &tail) : r->n;
    for (size_t i = 0; i < n; i++) {
        if (i && new_block(r, order[i - 1], order[i]))
            buf_puts(out, "\n");
        table_line(out, r, order[i], &w, paint);
        carried = carried || probe_carried_only(&r->targets[order[i]]);
    }
    buf_puts(out, buf_str(&tail));
    if (carried)
        buf_puts(out, "  * only certificates issued earlier name this location\n");
    return ERR_OK;
}
