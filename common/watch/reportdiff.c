/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/reportdiff.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonget.h"
#include "base/str.h"
#include "base/when.h"

static bool same(const json_t *a, const json_t *b, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *x = json_object_get(a, names[i]);
        const json_t *y = json_object_get(b, names[i]);
        if (!json_equal(x ? x : json_null(), y ? y : json_null()))
            return false;
    }
    return true;
}

/* The element of the list that is about the same; NULL when there is none. */
static json_t *counterpart(const json_t *list, const json_t *o, const char *const *names, size_t n)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *e = json_array_get(list, i);
        if (same(e, o, names, n))
            return e;
    }
    return NULL;
}

static bool matters(const json_t *finding)
{
    const char *s = json_get_text(finding, "severity");
    return strcmp(s, "warning") == 0 || strcmp(s, "critical") == 0;
}

static const char *const finding_names[] = {"id", "key", "url", "address"};

/* Those of 'from' that have (or have not) a counterpart in 'other'; how many of them matter. */
static size_t select_findings(const json_t *from, const json_t *other, bool with, json_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(from); i++) {
        json_t *f = json_array_get(from, i);
        bool has = counterpart(other, f, finding_names, ARRAY_LEN(finding_names)) != NULL;
        if (has != with)
            continue;
        n += matters(f);
        json_array_append(ret, f);
    }
    return n;
}

static bool usable(const json_t *location)
{
    const char *s = json_get_text(location, "state");
    return strcmp(s, "OK") == 0 || strcmp(s, "Expiring") == 0;
}

static json_t *copy_of(const json_t *o, const char *name)
{
    json_t *v = json_object_get(o, name);
    return v ? json_incref(v) : json_null();
}

static json_t *location_change(const json_t *b, const json_t *a)
{
    const json_t *any = a ? a : b;
    const json_t *cb = json_object_get(b, "crl"), *ca = json_object_get(a, "crl");
    json_t *o = json_object();
    json_object_set_new(o, "url", copy_of(any, "url"));
    json_object_set_new(o, "address", copy_of(any, "address"));
    json_object_set_new(o, "type", copy_of(any, "type"));
    json_object_set_new(o, "state_before", copy_of(b, "state"));
    json_object_set_new(o, "state_after", copy_of(a, "state"));
    json_object_set_new(o, "number_before", copy_of(cb, "number"));
    json_object_set_new(o, "number_after", copy_of(ca, "number"));
    json_object_set_new(o, "next_update_before", copy_of(cb, "next_update"));
    json_object_set_new(o, "next_update_after", copy_of(ca, "next_update"));
    return o;
}

static const char *const location_names[] = {"url",    "address",   "type",          "key",
                                             "parent", "partition", "caches_allowed"};

/* Every location of either report; how many that were usable are not any more. */
static size_t diff_locations(const json_t *before, const json_t *after, json_t *ret)
{
    size_t lost = 0;
    for (size_t i = 0; i < json_array_size(before); i++) {
        const json_t *b = json_array_get(before, i);
        const json_t *a = counterpart(after, b, location_names, ARRAY_LEN(location_names));
        lost += usable(b) && (!a || !usable(a));
        json_array_append_new(ret, location_change(b, a));
    }
    for (size_t i = 0; i < json_array_size(after); i++) {
        const json_t *a = json_array_get(after, i);
        if (!counterpart(before, a, location_names, ARRAY_LEN(location_names)))
            json_array_append_new(ret, location_change(NULL, a));
    }
    return lost;
}

static json_t *runway_of(const json_t *report)
{
    return copy_of(json_object_get(report, "runway"), "weakest_seconds");
}

static void runway_text(const json_t *seconds, char dst[WHEN_TEXT_MAX])
{
    if (json_is_integer(seconds))
        duration_format(json_integer_value(seconds), dst);
    else
        (void)str_copy(dst, WHEN_TEXT_MAX, "nothing usable");
}

json_t *report_diff(const json_t *before, const json_t *after)
{
    const json_t *fb = json_object_get(before, "findings"),
                 *fa = json_object_get(after, "findings");
    json_t *o = json_object(), *came = json_array(), *gone = json_array(), *stay = json_array();
    json_t *places = json_array(), *rb = runway_of(before), *ra = runway_of(after);
    char text[400], was[WHEN_TEXT_MAX], is[WHEN_TEXT_MAX];
    size_t n_new = select_findings(fa, fb, false, came);
    size_t n_gone = select_findings(fb, fa, false, gone);
    size_t n_stay = select_findings(fa, fb, true, stay);
    size_t lost = diff_locations(json_object_get(before, "locations"),
                                 json_object_get(after, "locations"), places);
    bool good = n_new == 0 && lost == 0;
    runway_text(rb, was);
    runway_text(ra, is);
    snprintf(
        text, sizeof text,
        "%s: warnings and worse %zu new, %zu gone, %zu lasting; %zu location%s lost; runway %s "
        "before, %s after",
        good ? "as good as before" : "WORSE than before", n_new, n_gone, n_stay, lost,
        lost == 1 ? "" : "s", was, is);
    json_object_set_new(o, "from", copy_of(before, "generated"));
    json_object_set_new(o, "to", copy_of(after, "generated"));
    json_object_set_new(o, "good", json_boolean(good));
    json_object_set_new(o, "text", json_string(text));
    json_object_set_new(o, "runway_before_seconds", rb);
    json_object_set_new(o, "runway_after_seconds", ra);
    json_object_set_new(o, "findings_new", came);
    json_object_set_new(o, "findings_gone", gone);
    json_object_set_new(o, "findings_lasting", stay);
    json_object_set_new(o, "locations", places);
    return o;
}
