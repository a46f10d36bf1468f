/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Whom a file or folder is trusted for. */
#include "ca/secdesc.h"

#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_unit.h"

#define SYSTEM "S-1-5-18"
#define ADMINS "S-1-5-32-544"
#define USERS "S-1-5-32-545"
#define SOMEBODY "S-1-5-21-1-2-3-1001"
#define WRITE 0x2u
#define READ 0x120089u

struct entry {
    uint8_t type, flags;
    uint32_t mask;
    const char *who; /* NULL = an object entry without a SID where one is looked for */
};

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void add_entry(struct buf *acl, const struct entry *e)
{
    struct sid_bytes sid = {.len = 16};
    uint8_t head[8] = {e->type, e->flags};
    if (e->who)
        assert_int_equal(sid_parse(e->who, &sid, NULL), ERR_OK);
    put16(head + 2, 8 + sid.len);
    put16(head + 4, e->mask);
    put16(head + 6, e->mask >> 16);
    buf_add(acl, head, sizeof head);
    buf_add(acl, sid.b, sid.len);
}

/* owner NULL = none; n < 0 = no access list. */
static void make(struct buf *sd, const char *owner, const struct entry *e, int n)
{
    SCOPED(buf_free) struct buf acl = BUF_INIT;
    struct sid_bytes sid = {.len = 0};
    uint8_t head[20] = {1, 0, n < 0 ? 0 : 0x04, 0x80}, list[8] = {2};
    for (int i = 0; i < n; i++)
        add_entry(&acl, &e[i]);
    put16(list + 2, 8 + acl.len);
    put16(list + 4, n < 0 ? 0 : (size_t)n);
    if (owner)
        assert_int_equal(sid_parse(owner, &sid, NULL), ERR_OK);
    put16(head + 4, owner ? 20 : 0);
    put16(head + 16, n < 0 ? 0 : 20 + sid.len);
    buf_add(sd, head, sizeof head);
    buf_add(sd, sid.b, sid.len);
    buf_add(sd, list, sizeof list);
    if (acl.len)
        buf_add(sd, acl.data, acl.len);
}

static enum sd_flaw flaw_of(const char *owner, const struct entry *e, int n, struct sd_finding *ret)
{
    SCOPED(buf_free) struct buf sd = BUF_INIT;
    struct sid_bytes trusted[2];
    struct sd_finding f;
    struct err err = ERR_INIT;
    assert_int_equal(sid_parse(SYSTEM, &trusted[0], NULL), ERR_OK);
    assert_int_equal(sid_parse(ADMINS, &trusted[1], NULL), ERR_OK);
    make(&sd, owner, e, n);
    if (sd_trusted(sd.data, sd.len, trusted, 2, WRITE, &f, &err))
        fail_msg("%s", err.text);
    if (ret)
        *ret = f;
    return f.flaw;
}

static void sd_trusted__cut_anywhere__refused_or_judged(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf sd = BUF_INIT;
    const struct entry e[] = {{0, 0, WRITE, SYSTEM}, {0, 0, WRITE, ADMINS}};
    struct sid_bytes trusted;
    struct sd_finding f;
    struct err err = ERR_INIT;
    assert_int_equal(sid_parse(SYSTEM, &trusted, NULL), ERR_OK);
    make(&sd, SYSTEM, e, 2);
    for (size_t len = 0; len < sd.len; len++) {
        uint8_t *exact = malloc(len + !len);
        memcpy(exact, sd.data, len);
        assert_int_equal(sd_trusted(exact, len, &trusted, 1, WRITE, &f, &err), ERR_PARSE);
        free(exact);
    }
    for (size_t at = 0; at < sd.len; at++) {
        uint8_t was = (uint8_t)sd.data[at];
        for (int v = 0; v < 256; v += 5) {
            sd.data[at] = (char)v;
            int rc = sd_trusted(sd.data, sd.len, &trusted, 1, WRITE, &f, &err);
            assert_true(rc == ERR_OK || rc == ERR_PARSE);
        }
        sd.data[at] = (char)was;
    }
}

static void sd_trusted__owner__decides_first(void **state)
{
    (void)state;
    const struct entry fine[] = {{0, 0, WRITE, SYSTEM}};
    struct sd_finding f;
    struct sid_bytes who;
    assert_int_equal(flaw_of(SYSTEM, fine, 1, NULL), SD_SOUND);
    assert_int_equal(flaw_of(NULL, fine, 1, NULL), SD_NO_OWNER);
    assert_int_equal(flaw_of(SOMEBODY, fine, 1, &f), SD_OWNER);
    assert_int_equal(sid_parse(SOMEBODY, &who, NULL), ERR_OK);
    assert_int_equal(f.who.len, who.len);
    assert_memory_equal(f.who.b, who.b, who.len);
    assert_int_equal(flaw_of(SOMEBODY, NULL, -1, NULL), SD_OWNER);
}

static void sd_trusted__access_list__table(void **state)
{
    (void)state;
    static const struct {
        struct entry e;
        enum sd_flaw flaw;
    } cases[] = {
        {{0, 0, WRITE, ADMINS}, SD_SOUND},
        {{0, 0, READ, USERS}, SD_SOUND},
        {{0, 0, WRITE | READ, USERS}, SD_OTHER},
        {{0, 0x08, WRITE, USERS}, SD_OTHER}, /* for children only: they are ours as well */
        {{0, 0x10, WRITE, USERS}, SD_OTHER}, /* inherited */
        {{1, 0, WRITE, USERS}, SD_SOUND},    /* denied */
        {{9, 0, WRITE, USERS}, SD_OTHER},    /* on a condition */
        {{9, 0, WRITE, ADMINS}, SD_SOUND},
        {{5, 0, WRITE, NULL}, SD_ODD_ENTRY}, /* object entry */
        {{5, 0, READ, NULL}, SD_SOUND},
        {{11, 0, WRITE, NULL}, SD_ODD_ENTRY},
        {{12, 0, WRITE, NULL}, SD_SOUND}, /* denied, object, on a condition */
        {{77, 0, WRITE, USERS}, SD_ODD_ENTRY},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct entry two[] = {{0, 0, WRITE, SYSTEM}, cases[i].e};
        if (flaw_of(ADMINS, two, 2, NULL) != cases[i].flaw)
            fail_msg("case %zu", i);
    }
}

/* A right that is denied first could still be reached another way: not counted upon. */
static void sd_trusted__denied_then_allowed__other(void **state)
{
    (void)state;
    const struct entry e[] = {{1, 0, WRITE, USERS}, {0, 0, WRITE, USERS}};
    assert_int_equal(flaw_of(SYSTEM, e, 2, NULL), SD_OTHER);
}

static void sd_trusted__no_or_empty_list__open_or_sound(void **state)
{
    (void)state;
    assert_int_equal(flaw_of(SYSTEM, NULL, -1, NULL), SD_OPEN);
    assert_int_equal(flaw_of(SYSTEM, NULL, 0, NULL), SD_SOUND); /* nobody may do anything */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sd_trusted__cut_anywhere__refused_or_judged),
        cmocka_unit_test(sd_trusted__owner__decides_first),
        cmocka_unit_test(sd_trusted__access_list__table),
        cmocka_unit_test(sd_trusted__denied_then_allowed__other),
        cmocka_unit_test(sd_trusted__no_or_empty_list__open_or_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
