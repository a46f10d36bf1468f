/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/paths.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const words[COMPONENTS] = {"software", "firmware", "client", "ped", "backup"};
static const char *const names[COMPONENTS] = {"appliance software", "HSM firmware", "Luna client",
                                              "PED firmware", "Backup HSM G5 firmware"};

enum component component_find(const char *name)
{
    for (int i = 0; i < COMPONENTS; i++) {
        if (strcmp(words[i], name) == 0)
            return (enum component)i;
    }
    return COMPONENTS;
}

const char *component_word(enum component c)
{
    return words[c];
}

const char *path_text_word(enum path_text_kind k)
{
    static const char *const kinds[] = {"barrier", "withdrawn",   "note",
                                        "one-way", "certificate", "instead"};
    return kinds[k];
}

const char *route_verdict_name(enum route_verdict v)
{
    static const char *const verdicts[] = {"installed", "found",     "impossible",
                                           "downgrade", "withdrawn", "unlisted"};
    return verdicts[v];
}

/* Calls version_in for each blank-separated line of `list`. */
static bool in_list(const struct version *v, const char *list)
{
    char word[24];
    if (strcmp(list, "any") == 0)
        return true;
    while (*list) {
        size_t n = strcspn(list, " ");
        struct version line;
        if (n && n < sizeof word) {
            memcpy(word, list, n);
            word[n] = '\0';
            if (version_parse(word, &line, NULL) == ERR_OK && version_in(v, &line))
                return true;
        }
        list += n;
        list += strspn(list, " ");
    }
    return false;
}

/* Same level; builds count only when both are given. */
static bool same(const struct version *a, const struct version *b)
{
    return version_compare(a, b) == 0 && (a->build < 0 || b->build < 0 || a->build == b->build);
}

static int refuse(struct route *r, enum route_verdict v, const struct path_source *s,
                  const char *text)
{
    r->verdict = v;
    snprintf(r->why, sizeof r->why, "%s%s%s%s", text, s ? " (source: " : "", s ? s->ref : "",
             s ? ")" : "");
    return 1;
}

/* What makes a target impossible before any route is looked for. */
static int impossible(const struct paths *p, enum component c, const struct version *from,
                      const struct version *to, struct route *r)
{
    char text[400];
    for (size_t i = 0; i < p->n_texts; i++) {
        const struct path_text *t = &p->text[i];
        struct version limit, beyond;
        if (t->kind == PATH_BARRIER && c <= COMPONENT_FIRMWARE &&
            !version_parse(t->version, &limit, NULL) && !version_parse(t->to, &beyond, NULL) &&
            version_compare(from, &limit) < 0 && version_compare(to, &beyond) >= 0)
            return refuse(r, ROUTE_BARRIER, t->source, t->text);
        if (t->kind == PATH_WITHDRAWN && t->component == c && in_list(to, t->version)) {
            snprintf(text, sizeof text, "the vendor withdrew %s; use %s", t->version, t->to);
            return refuse(r, ROUTE_WITHDRAWN, t->source, text);
        }
    }
    if (version_compare(to, from) < 0) {
        snprintf(text, sizeof text, "the target is older than what is installed: %s cannot go back",
                 names[c]);
        return refuse(r, ROUTE_DOWNGRADE, NULL, text);
    }
    return 0;
}

bool paths_withdrawn(const struct paths *p, enum component c, const char *version,
                     struct route *ret)
{
    struct version v;
    memset(ret, 0, sizeof *ret);
    return version_parse(version, &v, NULL) == ERR_OK && impossible(p, c, &v, &v, ret) &&
           ret->verdict == ROUTE_WITHDRAWN;
}

/* Breadth first over the rows: the first arrival has the fewest hops. */
struct search {
    const struct path_update *row[PATHS_UPDATES_MAX];
    int parent[PATHS_UPDATES_MAX];
    size_t n;
};

static bool known_row(const struct search *s, const struct path_update *row)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->row[i] == row)
            return true;
    }
    return false;
}

static void expand(const struct paths *p, enum component c, const struct version *at, int parent,
                   struct search *s)
{
    for (size_t i = 0; i < p->n_updates; i++) {
        const struct path_update *u = &p->update[i];
        if (u->component != c || known_row(s, u) || !in_list(at, u->from))
            continue;
        s->row[s->n] = u;
        s->parent[s->n++] = parent;
    }
}

static bool collect(const struct search *s, int last, struct route *r)
{
    int chain[ROUTE_HOPS_MAX];
    size_t n = 0;
    for (int i = last; i >= 0; i = s->parent[i]) {
        if (n == ROUTE_HOPS_MAX)
            return false;
        chain[n++] = i;
    }
    r->n = n;
    for (size_t i = 0; i < n; i++) {
        r->hop[i] = s->row[chain[n - 1 - i]];
        r->minutes_low += r->hop[i]->minutes_low;
        r->minutes_high += r->hop[i]->minutes_high;
    }
    return true;
}

/* exact: the row names the very build. A row without one stands for all of them. */
static bool find(const struct paths *p, enum component c, const struct version *from,
                 const struct version *to, bool exact, struct route *r)
{
    struct search s = {.n = 0};
    expand(p, c, from, -1, &s);
    for (size_t i = 0; i < s.n; i++) {
        struct version at;
        if (version_parse(s.row[i]->to, &at, NULL))
            continue;
        if (same(&at, to) && (!exact || at.build == to->build))
            return collect(&s, (int)i, r);
        expand(p, c, &at, (int)i, &s);
    }
    return false;
}

/* "7.7.1" may be 7.7.1-20 already: the appliance prints the level without the build. */
static bool unprovable(const struct paths *p, enum component c, const struct version *from,
                       const struct version *to, struct route *r)
{
    if (from->build >= 0 || to->build < 0 || !find(p, c, from, to, true, r) || r->n != 1)
        return false;
    snprintf(r->why, sizeof r->why,
             "%s shows the same level before and after this update (the build is not printed), so "
             "nothing would prove it: it is not done by hsmupgrade. Do it by hand, and look at the "
             "vendor's page (source: %s)",
             names[c], r->hop[0]->source->ref);
    return true;
}

int paths_route(const struct paths *p, enum component c, const char *from, const char *to,
                struct route *ret, struct err *err)
{
    struct version a, b;
    int rc = version_parse(from, &a, err);
    if (!rc)
        rc = version_parse(to, &b, err);
    if (rc)
        return rc;
    struct route r = {.verdict = ROUTE_ALREADY};
    if (same(&a, &b) && unprovable(p, c, &a, &b, &r)) {
        r.verdict = ROUTE_FOUND;
        r.unprovable = true;
    } else if (same(&a, &b)) {
        snprintf(r.why, sizeof r.why, "%s %s is installed", names[c], from);
    } else if (impossible(p, c, &a, &b, &r)) {
        /* why is filled */
    } else if (find(p, c, &a, &b, true, &r) || find(p, c, &a, &b, false, &r)) {
        r.verdict = ROUTE_FOUND;
        snprintf(r.why, sizeof r.why, "%zu step%s", r.n, r.n == 1 ? "" : "s");
    } else {
        char text[300];
        snprintf(text, sizeof text,
                 "the table of valid updates has no way for %s from %s to %s; if the vendor's own "
                 "release notes have one: --accept-unlisted-path REASON",
                 names[c], from, to);
        refuse(&r, ROUTE_UNLISTED, NULL, text);
    }
    *ret = r;
    return ERR_OK;
}

static void explain_hops(const char *from, const struct route *r, struct buf *out)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct path_update *u = r->hop[i];
        buf_printf(out, "  %zu. %s -> %s", i + 1, i ? r->hop[i - 1]->to : from, u->to);
        if (u->minutes_high)
            buf_printf(out, "   %d to %d minutes", u->minutes_low, u->minutes_high);
        buf_printf(out, "\n      source: %s\n", u->source->ref);
        if (u->minutes_high)
            buf_printf(out, "      minutes: %s\n",
                       u->minutes_source ? u->minutes_source->ref
                                         : "our own estimate, no public source has a figure");
    }
    if (r->n > 1)
        buf_printf(out, "  together %d to %d minutes; in a plan each but the last is a <via>\n",
                   r->minutes_low, r->minutes_high);
}

bool paths_says(const struct path_text *t, enum component c, const char *to, const struct route *r)
{
    struct version target, v;
    if (r->verdict == ROUTE_BARRIER)
        return t->kind == PATH_INSTEAD;
    if ((r->verdict != ROUTE_FOUND && r->verdict != ROUTE_UNLISTED) ||
        version_parse(to, &target, NULL))
        return false;
    if (t->kind == PATH_CERTIFICATE)
        return c == COMPONENT_FIRMWARE && in_list(&target, t->version);
    if (t->kind == PATH_NOTE && t->component == c && !version_parse(t->version, &v, NULL))
        return version_compare(&target, &v) >= 0;
    return t->kind == PATH_ONE_WAY && t->component == c;
}

void paths_explain(const struct paths *p, enum component c, const char *from, const char *to,
                   const struct route *r, struct buf *out)
{
    static const char *const heads[] = {"", "", "note", "going back", "certificate", "instead"};
    buf_printf(out, "%s: %s -> %s\n", names[c], from, to);
    if (r->verdict != ROUTE_FOUND || r->unprovable)
        buf_printf(out, "  %s%s\n",
                   r->verdict == ROUTE_ALREADY ? ""
                   : r->unprovable             ? "cannot be proven: "
                                               : "no route: ",
                   r->why);
    explain_hops(from, r, out);
    for (size_t i = 0; i < p->n_texts; i++) {
        const struct path_text *t = &p->text[i];
        if (paths_says(t, c, to, r))
            buf_printf(out, "  %s: %s\n      source: %s\n", heads[t->kind], t->text,
                       t->source->ref);
    }
}

static bool at_least(const char *v, const char *limit)
{
    struct version a, b;
    return version_parse(v, &a, NULL) || version_parse(limit, &b, NULL) ||
           version_compare(&a, &b) >= 0;
}

bool paths_ped_suits(const struct paths *p, const char *ped, const char *firmware)
{
    if (!ped[0] || !firmware[0] || !p->ped_firmware[0] || !at_least(firmware, p->ped_firmware))
        return true;
    return at_least(ped, p->ped_from) ||
           (at_least(ped, p->ped_older) && !at_least(ped, p->ped_below));
}

bool paths_client_suits(const struct paths *p, const char *client, const char *firmware)
{
    if (!client[0] || !firmware[0] || !p->client_firmware[0] ||
        !at_least(firmware, p->client_firmware))
        return true;
    return at_least(client, p->client_minimum);
}
