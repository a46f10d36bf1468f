/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "ca/grant.h"
#include "support/scratch.h"

#define AGENT "S-1-5-80-1-2-3-4-5"
#define OTHER "S-1-5-80-9-9-9-9-9"
#define ADMINS "S-1-5-32-544"
#define RIGHTS 0x3du

static char folder[SCRATCH_MAX];

/* A descriptor in memory ---------------------------------------------------------------------- */

struct fake {
    struct buf sd;
    bool forgetful; /* accepts a change and keeps the old one */
    int fail;       /* error of the next write */
    int writes;
};

static int fake_read(void *self, struct buf *ret, struct err *err)
{
    (void)err;
    struct fake *f = self;
    return buf_add(ret, f->sd.data, f->sd.len);
}

static int fake_write(void *self, const void *sd, size_t len, struct err *err)
{
    struct fake *f = self;
    f->writes++;
    if (f->fail)
        return err_set(err, (enum err_code)f->fail, "no");
    if (!f->forgetful) {
        buf_clear(&f->sd);
        buf_add(&f->sd, sd, len);
    }
    return ERR_OK;
}

static void add_ace(struct buf *acl, uint8_t type, uint8_t flags, uint32_t mask, const char *who)
{
    struct sid_bytes sid;
    assert_int_equal(sid_parse(who, &sid, NULL), ERR_OK);
    uint8_t head[8] = {type,
                       flags,
                       (uint8_t)(8 + sid.len),
                       0,
                       (uint8_t)mask,
                       (uint8_t)(mask >> 8),
                       (uint8_t)(mask >> 16),
                       (uint8_t)(mask >> 24)};
    buf_add(acl, head, sizeof head);
    buf_add(acl, sid.b, sid.len);
}

/* Owner Administrators; the access list stands before the owner and 4 unused bytes end it, so that
 * an editor that forgets anything of the layout is found out. */
static void make_sd(struct buf *sd, const struct buf *aces, uint8_t count)
{
    struct sid_bytes owner;
    assert_int_equal(sid_parse(ADMINS, &owner, NULL), ERR_OK);
    uint8_t size = (uint8_t)(8 + aces->len + 4), at = (uint8_t)(20 + size);
    uint8_t head[20] = {1, 0, 0x04, 0x80, at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20};
    uint8_t acl[8] = {2, 0, size, 0, count};
    buf_clear(sd);
    buf_add(sd, head, sizeof head);
    buf_add(sd, acl, sizeof acl);
    buf_add(sd, aces->data, aces->len);
    buf_add(sd, "\0\0\0", 4);
    buf_add(sd, owner.b, owner.len);
}

static void usual(struct buf *sd)
{
    SCOPED(buf_free) struct buf aces = BUF_INIT;
    add_ace(&aces, 0, 0, 0xf01ff, ADMINS);
    add_ace(&aces, 5, 0, 0x200, "S-1-5-11"); /* an object entry: unknown here, kept */
    add_ace(&aces, 0, 0x10, 0x4, "S-1-1-0"); /* inherited */
    make_sd(sd, &aces, 3);
}

static struct grant grant_on(struct fake *f, const char *sid)
{
    static char record[SCRATCH_MAX + 20];
    snprintf(record, sizeof record, "%s/record.txt", folder);
    return (struct grant){"service X", record, "the agent",
                          sid,         RIGHTS, {fake_read, fake_write, f, true}};
}

static bool recorded(void)
{
    struct fake none = {0};
    struct file_info info;
    return !file_stat(grant_on(&none, AGENT).record, &info, NULL);
}

static uint32_t access_of(const struct buf *sd, const char *who)
{
    struct sid_bytes sid;
    uint32_t access = 0;
    assert_int_equal(sid_parse(who, &sid, NULL), ERR_OK);
    assert_int_equal(sd_access(sd->data, sd->len, &sid, 1, &access, NULL), ERR_OK);
    return access;
}

static int setup(void **state)
{
    (void)state;
    scratch_make("grant", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/* Cases --------------------------------------------------------------------------------------- */

static void sid_parse__malformed__refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "S-1",
                                      "S-2-5-18",
                                      "S-1-",
                                      "S-1-5-",
                                      "S-1-5--1",
                                      "S-1-5-4294967296",
                                      "S-1-5-1x",
                                      "S-1-5-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1"};
    struct sid_bytes sid;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_not_equal(sid_parse(bad[i], &sid, &err), ERR_OK);
}

static void sid_parse__administrators__known_bytes(void **state)
{
    (void)state;
    struct sid_bytes sid;
    char hex[2 * sizeof sid.b + 1];
    assert_int_equal(sid_parse(ADMINS, &sid, NULL), ERR_OK);
    str_hex(hex, sid.b, sid.len);
    assert_string_equal(hex, "01020000000000052000000020020000");
}

static void sd_allow__every_cut_and_every_byte__no_crash(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf sd = BUF_INIT;
    struct sid_bytes sid;
    uint32_t access;
    struct err err = ERR_INIT;
    usual(&sd);
    assert_int_equal(sid_parse(AGENT, &sid, NULL), ERR_OK);
    size_t cut_refused = 0;
    for (size_t len = 0; len < sd.len; len++) {
        SCOPED(scope_free) uint8_t *copy = malloc(len + 1); /* its end is watched by ASan */
        SCOPED(scope_free) uint8_t *exact = len ? malloc(len) : NULL;
        SCOPED(buf_free) struct buf out = BUF_INIT;
        assert_non_null(copy);
        if (len)
            memcpy(exact, sd.data, len);
        cut_refused += sd_allow(len ? exact : copy, len, &sid, 1, &out, &err) == ERR_PARSE;
    }
    assert_int_equal(cut_refused, sd.len); /* the owner ends it: no cut is a descriptor */
    for (size_t i = 0; i < sd.len * 256; i++) {
        SCOPED(buf_free) struct buf out = BUF_INIT;
        char was = sd.data[i / 256];
        sd.data[i / 256] = (char)i;
        if (!sd_allow(sd.data, sd.len, &sid, 1, &out, &err))
            assert_int_equal(sd_access(out.data, out.len, &sid, 1, &access, &err), ERR_OK);
        sd.data[i / 256] = was;
    }
}

static void sd_allow__no_access_list__refused(void **state)
{
    (void)state;
    const uint8_t open_to_all[20] = {1, 0, 0x04, 0x80};
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct sid_bytes sid;
    uint32_t access = 0;
    assert_int_equal(sid_parse(AGENT, &sid, NULL), ERR_OK);
    assert_int_equal(sd_allow(open_to_all, 20, &sid, 1, &out, NULL), ERR_STATE);
    assert_int_equal(sd_access(open_to_all, 20, &sid, 1, &access, NULL), ERR_OK);
    assert_int_equal(access, UINT32_MAX);
}

static void sd_allow__then_disallow__same_entries(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf sd = BUF_INIT, more = BUF_INIT, less = BUF_INIT;
    struct sid_bytes sid;
    bool found = false;
    usual(&sd);
    assert_int_equal(sid_parse(AGENT, &sid, NULL), ERR_OK);
    assert_int_equal(sd_allow(sd.data, sd.len, &sid, RIGHTS, &more, NULL), ERR_OK);
    assert_int_equal(access_of(&more, AGENT), RIGHTS);
    assert_int_equal(access_of(&more, ADMINS), 0xf01ff);
    assert_int_equal(access_of(&more, "S-1-1-0"), 4);
    assert_false(sd_same_access(sd.data, sd.len, more.data, more.len));
    assert_int_equal(sd_disallow(more.data, more.len, &sid, RIGHTS, &less, &found, NULL), ERR_OK);
    assert_true(found);
    assert_true(sd_same_access(sd.data, sd.len, less.data, less.len));
    buf_clear(&less);
    assert_int_equal(sd_disallow(more.data, more.len, &sid, 1, &less, &found, NULL), ERR_OK);
    assert_false(found); /* another mask is another's entry */
}

static void sd_access__deny_before_allow__denied(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf sd = BUF_INIT, aces = BUF_INIT;
    add_ace(&aces, 1, 0, 0x20, AGENT);
    add_ace(&aces, 0, 0, 0x3d, AGENT);
    add_ace(&aces, 0, 0x08, 0x100, AGENT); /* for children only */
    make_sd(&sd, &aces, 3);
    assert_int_equal(access_of(&sd, AGENT), 0x1d);
}

static void grant_give__then_revoke__same_bytes(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf before = BUF_INIT;
    struct fake f = {.sd = BUF_INIT};
    enum grant_outcome outcome;
    struct err err = ERR_INIT;
    usual(&f.sd);
    usual(&before);
    const struct grant g = grant_on(&f, AGENT);
    assert_int_equal(grant_give(&g, true, &outcome, &err), ERR_OK);
    assert_int_equal(outcome, GRANT_GIVEN);
    assert_int_equal(f.writes, 0);
    assert_false(recorded());
    assert_int_equal(grant_give(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(access_of(&f.sd, AGENT), RIGHTS);
    assert_int_equal(grant_give(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(outcome, GRANT_RECORDED);
    assert_int_equal(f.writes, 1);
    assert_int_equal(grant_revoke(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(outcome, GRANT_RESTORED);
    assert_int_equal(f.sd.len, before.len);
    assert_memory_equal(f.sd.data, before.data, before.len);
    assert_false(recorded());
    assert_int_equal(grant_revoke(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(outcome, GRANT_NOTHING);
    buf_free(&f.sd);
}

static void grant_give__write_fails_or_does_not_stay__told_and_repeatable(void **state)
{
    (void)state;
    struct fake f = {.sd = BUF_INIT, .fail = ERR_DENIED};
    enum grant_outcome outcome;
    struct err err = ERR_INIT;
    usual(&f.sd);
    const struct grant g = grant_on(&f, AGENT);
    assert_int_equal(grant_give(&g, false, &outcome, &err), ERR_DENIED);
    assert_true(recorded());
    f.fail = 0;
    f.forgetful = true;
    assert_int_equal(grant_give(&g, false, &outcome, &err), ERR_STATE);
    assert_non_null(strstr(err.text, "service X: the system accepted"));
    assert_int_equal(grant_revoke(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(outcome, GRANT_NOTHING);
    assert_false(recorded());
    buf_free(&f.sd);
}

static void grant_revoke__changed_by_others__only_our_entry_goes(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf more = BUF_INIT;
    struct fake f = {.sd = BUF_INIT};
    struct sid_bytes sid;
    enum grant_outcome outcome;
    struct err err = ERR_INIT;
    usual(&f.sd);
    const struct grant g = grant_on(&f, AGENT);
    assert_int_equal(grant_give(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(sid_parse(OTHER, &sid, NULL), ERR_OK);
    assert_int_equal(sd_allow(f.sd.data, f.sd.len, &sid, 2, &more, NULL), ERR_OK);
    assert_int_equal(fake_write(&f, more.data, more.len, NULL), ERR_OK);
    assert_int_equal(grant_revoke(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(outcome, GRANT_ENTRY_REMOVED);
    assert_int_equal(access_of(&f.sd, AGENT), 0);
    assert_int_equal(access_of(&f.sd, OTHER), 2);
    buf_free(&f.sd);
}

static void grant_give__other_account_recorded__exists(void **state)
{
    (void)state;
    struct fake f = {.sd = BUF_INIT};
    enum grant_outcome outcome;
    struct err err = ERR_INIT;
    usual(&f.sd);
    const struct grant g = grant_on(&f, AGENT), h = grant_on(&f, OTHER);
    assert_int_equal(grant_give(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(grant_give(&h, false, &outcome, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "crlagent revoke"));
    buf_free(&f.sd);
}

static void grant_give__denied_before__refused_unchanged(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf aces = BUF_INIT;
    struct fake f = {.sd = BUF_INIT};
    enum grant_outcome outcome;
    struct err err = ERR_INIT;
    add_ace(&aces, 1, 0, 0x20, AGENT);
    make_sd(&f.sd, &aces, 1);
    const struct grant g = grant_on(&f, AGENT);
    assert_int_equal(grant_give(&g, false, &outcome, &err), ERR_STATE);
    assert_int_equal(f.writes, 0);
    assert_false(recorded());
    buf_free(&f.sd);
}

static void grant_give__right_is_there__nothing_recorded(void **state)
{
    (void)state;
    struct fake f = {.sd = BUF_INIT};
    enum grant_outcome outcome;
    struct err err = ERR_INIT;
    usual(&f.sd);
    const struct grant g = grant_on(&f, ADMINS);
    assert_int_equal(grant_give(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(outcome, GRANT_BY_OTHERS);
    assert_false(recorded());
    buf_free(&f.sd);
}

static void grant_revoke__record_is_garbage__object_untouched(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "x", "crlagent-grant 1\n",
                                      "crlagent-grant 1\nobject service Y\naccount a\nsid S-1-1-0\n"
                                      "mask 1\nformer 00\ngiven 00\n",
                                      "crlagent-grant 1\nobject service X\naccount a\nsid S-1-1-0\n"
                                      "mask 1\nformer 0\ngiven 00\n"};
    struct fake f = {.sd = BUF_INIT};
    enum grant_outcome outcome;
    struct err err = ERR_INIT;
    usual(&f.sd);
    const struct grant g = grant_on(&f, AGENT);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(file_write_atomic(g.record, bad[i], strlen(bad[i]), &err), ERR_OK);
        assert_int_equal(grant_revoke(&g, false, &outcome, &err), ERR_PARSE);
        assert_true(recorded());
    }
    assert_int_equal(f.writes, 0);
    buf_free(&f.sd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sid_parse__malformed__refused),
        CASE(sid_parse__administrators__known_bytes),
        CASE(sd_allow__every_cut_and_every_byte__no_crash),
        CASE(sd_allow__no_access_list__refused),
        CASE(sd_allow__then_disallow__same_entries),
        CASE(sd_access__deny_before_allow__denied),
        CASE(grant_give__then_revoke__same_bytes),
        CASE(grant_give__write_fails_or_does_not_stay__told_and_repeatable),
        CASE(grant_revoke__changed_by_others__only_our_entry_goes),
        CASE(grant_give__other_account_recorded__exists),
        CASE(grant_give__denied_before__refused_unchanged),
        CASE(grant_give__right_is_there__nothing_recorded),
        CASE(grant_revoke__record_is_garbage__object_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
