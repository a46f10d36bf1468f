/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The evidence of a maintenance: what is in it, and that edits show. */
#include "watch/bundle.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "report/evidence.h"
#include "support/desk.h"
#include "unit/cmocka_unit.h"
#include "watch/reportdiff.h"
#include "watch/snapshot.h"

static void bundle_make__unknown_maintenance__error(void **state)
{
    struct desk *d = *state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    char head[65];
    assert_int_equal(bundle_make(d->b.store, 99, "Lab CA", NULL, d->b.w.now, &out, head, &err),
                     ERR_NOT_FOUND);
}

static void keep_snapshot(void *self, int64_t maintenance, const char *phase,
                          const struct ca_view *view, const struct probe_round *round)
{
    struct desk *d = self;
    struct err err = ERR_INIT;
    if (snapshot_of_round(d->b.store, &d->b.seams.admin, &d->config, maintenance, phase, view,
                          round, &err))
        fail_msg("%s", err.text);
}

/* One maintenance with a bad hour in the middle; its bundle. */
static void make_bundle(struct desk *d, struct buf *out, char head[65])
{
    struct err err = ERR_INIT;
    watch_free(&d->watch);
    d->b.seams.snapshot = keep_snapshot;
    d->b.seams.snapshot_self = d;
    bench_restart(&d->b);
    desk_wire(d);
    desk_look(d);
    bench_expect(&d->b, bench_prepare(&d->b), MAINT_DONE);
    desk_look(d);
    d->b.w.location[0].down = true;
    desk_look(d);
    d->b.w.location[0].down = false;
    desk_look(d);
    bench_expect(&d->b, bench_finish(&d->b), MAINT_DONE);
    if (bundle_make(d->b.store, 1, "Lab CA", "{\"outcome\":\"done\"}", d->b.w.now, out, head, &err))
        fail_msg("%s", err.text);
}

/* The data of the first entry of that kind; the caller owns it. */
static json_t *entry(const struct buf *bundle, const char *kind)
{
    json_t *doc = json_loadb(buf_str(bundle), bundle->len, 0, NULL), *found = NULL;
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(doc, "entries"), i, e)
    {
        const char *k = json_string_value(json_object_get(e, "kind"));
        if (!found && k && strcmp(k, kind) == 0)
            found = json_incref(json_object_get(e, "data"));
    }
    json_decref(doc);
    return found;
}

static size_t count_findings(const json_t *report, uint32_t id)
{
    size_t i, n = 0;
    json_t *f;
    json_array_foreach(json_object_get(report, "findings"), i, f) n +=
        json_integer_value(json_object_get(f, "id")) == id;
    return n;
}

static void bundle_make__closed_maintenance__whole_reports_at_each_point(void **state)
{
    struct desk *d = *state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    static const char *const phases[] = {"before", "during", "after"};
    char head[65];
    make_bundle(d, &out, head);
    for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
        json_t *r = entry(&out, phases[i]);
        assert_string_equal(json_string_value(json_object_get(r, "schema")), "crlagent-report");
        assert_string_equal(json_string_value(json_object_get(r, "phase")), phases[i]);
        assert_true(
            json_is_integer(json_object_get(json_object_get(r, "runway"), "effective_seconds")));
        assert_int_equal(json_array_size(json_object_get(r, "locations")), d->b.w.n_locations);
        /* Of the pause the worst look is kept. */
        assert_int_equal(count_findings(r, FIND_NODE_DOWN) > 0, i == 1);
        json_decref(r);
    }
    /* Before and after also as a page, for the mails of those stages. */
    SCOPED(buf_free) struct buf page = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(snapshot_page(d->b.store, 1, "during", &page, &err), ERR_NOT_FOUND);
    assert_int_equal(snapshot_page(d->b.store, 1, "before", &page, &err), ERR_OK);
    assert_non_null(strstr(buf_str(&page), "<svg"));
    size_t before = page.len;
    assert_int_equal(snapshot_page(d->b.store, 1, "after", &page, &err), ERR_OK);
    assert_non_null(strstr(buf_str(&page) + before, "<svg"));
    json_t *diff = entry(&out, "diff");
    assert_true(json_is_true(json_object_get(diff, "good")));
    assert_non_null(strstr(json_string_value(json_object_get(diff, "text")), "as good as before"));
    json_decref(diff);
}

static void bundle_make__no_snapshots__rows_of_the_probes_instead(void **state)
{
    struct desk *d = *state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    char head[65];
    desk_look(d);
    bench_expect(&d->b, bench_prepare(&d->b), MAINT_DONE);
    bench_expect(&d->b, bench_finish(&d->b), MAINT_DONE);
    if (bundle_make(d->b.store, 1, "Lab CA", NULL, d->b.w.now, &out, head, &err))
        fail_msg("%s", err.text);
    json_t *before = entry(&out, "before"), *diff = entry(&out, "diff");
    assert_true(json_is_array(before) && json_array_size(before) > 0);
    assert_null(diff);
    json_decref(before);
}

/* One changed character in each part, an entry taken out: all of it shows. */
static void bundle_make__edited__every_edit_shows(void **state)
{
    struct desk *d = *state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct evidence_facts f;
    struct err err = ERR_INIT;
    char head[65];
    static const char *const parts[] = {
        "\"effective_seconds\"", "\"remedy\"", "\"as good as", "\"state_before\"", "admin",
        "\"verdict\"",           "\"sha256\"", "\"figures\"",  "\"decided_by\""};
    make_bundle(d, &out, head);
    assert_int_equal(evidence_verify(buf_str(&out), out.len, &f, &err), ERR_OK);
    assert_string_equal(f.head, head);
    assert_string_equal(f.change_id, "CHG0012345");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char *at = strstr(out.data, parts[i]);
        if (!at)
            fail_msg("no %s in the bundle", parts[i]);
        char *byte = at + strlen(parts[i]) / 2, was = *byte;
        *byte = was == 'x' ? 'y' : 'x';
        err_clear(&err);
        if (evidence_verify(buf_str(&out), out.len, &f, &err) != ERR_CRYPTO)
            fail_msg("an edit of %s does not show", parts[i]);
        *byte = was;
    }
    json_t *doc = json_loadb(buf_str(&out), out.len, 0, NULL);
    json_t *entries = json_object_get(doc, "entries");
    json_array_remove(entries, json_array_size(entries) / 2);
    char *cut = json_dumps(doc, 0);
    assert_int_equal(evidence_verify(cut, strlen(cut), &f, &err), ERR_CRYPTO);
    free(cut);
    json_decref(doc);
}

static json_t *report_with(const char *findings, const char *locations, const char *runway)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    buf_printf(&b, "{\"runway\":{\"weakest_seconds\":%s},\"findings\":[%s],\"locations\":[%s]}",
               runway, findings, locations);
    json_t *o = json_loadb(buf_str(&b), b.len, 0, NULL);
    assert_non_null(o);
    return o;
}

static void report_diff__new_gone_and_lost__told_apart(void **state)
{
    (void)state;
    static const char expired[] = "{\"id\":4001,\"severity\":\"critical\",\"url\":\"u\",\"key\":0}";
    static const char mime[] = "{\"id\":4060,\"severity\":\"warning\",\"url\":\"u\",\"key\":0}";
    static const char note[] = "{\"id\":4020,\"severity\":\"info\",\"url\":\"u\",\"key\":0}";
    static const char fine[] = "{\"url\":\"u\",\"state\":\"OK\",\"crl\":{\"number\":\"7\"}}";
    static const char gone[] = "{\"url\":\"u\",\"state\":\"Unable to Download\",\"crl\":null}";
    static const struct {
        const char *fb, *fa, *lb, *la;
        size_t n_new, n_gone, n_stay;
        bool good;
    } rows[] = {
        {"", "", fine, fine, 0, 0, 0, true},     {mime, "", fine, fine, 0, 1, 0, true},
        {mime, mime, fine, fine, 0, 0, 1, true}, {"", note, fine, fine, 1, 0, 0, true},
        {"", mime, fine, fine, 1, 0, 0, false},  {mime, expired, fine, fine, 1, 1, 0, false},
        {"", "", fine, gone, 0, 0, 0, false},    {"", "", fine, "", 0, 0, 0, false},
        {"", "", gone, gone, 0, 0, 0, true},     {"", "", gone, fine, 0, 0, 0, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *b = report_with(rows[i].fb, rows[i].lb, "3600");
        json_t *a = report_with(rows[i].fa, rows[i].la, "null");
        json_t *d = report_diff(b, a);
        assert_int_equal(json_array_size(json_object_get(d, "findings_new")), rows[i].n_new);
        assert_int_equal(json_array_size(json_object_get(d, "findings_gone")), rows[i].n_gone);
        assert_int_equal(json_array_size(json_object_get(d, "findings_lasting")), rows[i].n_stay);
        assert_int_equal(json_is_true(json_object_get(d, "good")), rows[i].good);
        assert_non_null(strstr(json_string_value(json_object_get(d, "text")),
                               "runway 1h 00m before, nothing usable after"));
        json_decref(a);
        json_decref(b);
        json_decref(d);
    }
}

static void bundle_name__odd_change__no_path_in_it(void **state)
{
    char name[160];
    (void)state;
    assert_string_equal(bundle_name("CHG0012345", 7, name, sizeof name), "CHG0012345-7.json");
    assert_string_equal(bundle_name("../a\\b:c", 7, name, sizeof name), "_._a_b_c-7.json");
    assert_string_equal(bundle_name("", 7, name, sizeof name), "maintenance-7.json");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(bundle_make__unknown_maintenance__error),
        CASE(bundle_make__closed_maintenance__whole_reports_at_each_point),
        CASE(bundle_make__no_snapshots__rows_of_the_probes_instead),
        CASE(bundle_make__edited__every_edit_shows),
        CASE(report_diff__new_gone_and_lost__told_apart),
        CASE(bundle_name__odd_change__no_path_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
