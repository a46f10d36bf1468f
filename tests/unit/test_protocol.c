/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "protocol/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "unit/cmocka_unit.h"

#define HEAD "{\"version\":1,\"type\":\"request\","

static const struct {
    const char *text, *word;
    enum err_code code;
} refused[] = {
    {"", "JSON", ERR_PARSE},
    {"garbage", "JSON", ERR_PARSE},
    {"[]", "object", ERR_PARSE},
    {"null", "JSON", ERR_PARSE},
    {"{", "JSON", ERR_PARSE},
    {"{}", "version", ERR_UNSUPPORTED},
    {"{\"version\":2,\"type\":\"request\",\"verb\":\"status\"}", "version 2", ERR_UNSUPPORTED},
    {"{\"version\":\"1\",\"type\":\"request\"}", "version", ERR_PARSE},
    {"{\"version\":1,\"type\":\"final\",\"exit\":0}", "request", ERR_PARSE},
    {"{\"version\":1,\"type\":\"request\"}", "verb", ERR_PARSE},
    {HEAD "\"verb\":\"\"}", "verb", ERR_PARSE},
    {HEAD "\"verb\":7}", "verb", ERR_PARSE},
    {HEAD "\"verb\":\"status\",\"verb\":\"abort\"}", "JSON", ERR_PARSE},
    {HEAD "\"verb\":\"0123456789012345678901234567890123456789\"}", "verb", ERR_LIMIT},
    {HEAD "\"verb\":\"status\",\"sudo\":true}", "sudo", ERR_PARSE},
    {HEAD "\"verb\":\"a\\nb\"}", "control", ERR_PARSE},
    {HEAD "\"verb\":\"a\\u0000b\"}", "JSON", ERR_PARSE},
    {HEAD "\"verb\":\"x\",\"window\":\"4h\"}", "window", ERR_PARSE},
    {HEAD "\"verb\":\"x\",\"window\":1.5}", "window", ERR_PARSE},
    {HEAD "\"verb\":\"x\",\"window\":-5}", "window", ERR_LIMIT},
    {HEAD "\"verb\":\"x\",\"window\":99999999999}", "window", ERR_LIMIT},
    {HEAD "\"verb\":\"x\",\"window\":99999999999999999999999}", "JSON", ERR_PARSE},
    {HEAD "\"verb\":\"x\",\"dry-run\":1}", "dry-run", ERR_PARSE},
    {HEAD "\"verb\":\"x\",\"deadline\":\"later\"}", "hold", ERR_PARSE},
    {HEAD "\"verb\":\"x\",\"token-id\":3}", "token", ERR_PARSE},
    {HEAD "\"verb\":\"x\",\"limit\":1001}", "limit", ERR_LIMIT},
    {HEAD "\"verb\":\"\xff\xfe\"}", "JSON", ERR_PARSE},
};

static void protocol_request_read__hostile__refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct protocol_request r = protocol_request_init("untouched");
        struct err err = ERR_INIT;
        int rc = protocol_request_read(refused[i].text, strlen(refused[i].text), &r, &err);
        if (rc != (int)refused[i].code || !strstr(err.text, refused[i].word))
            fail_msg("%s: %d '%s'", refused[i].text, rc, err.text);
        assert_string_equal(r.verb, "untouched");
    }
}

static void protocol_request_read__too_long__limit(void **state)
{
    (void)state;
    size_t len = LIMIT_PIPE_MESSAGE + 1u;
    char *big = malloc(len);
    struct protocol_request r;
    struct err err = ERR_INIT;
    assert_non_null(big);
    memset(big, '{', len);
    assert_int_equal(protocol_request_read(big, len, &r, &err), ERR_LIMIT);
    assert_int_equal(protocol_request_read(big, len - 1, &r, &err), ERR_PARSE); /* nesting */
    free(big);
}

static void protocol_request_read__every_cut__refused(void **state)
{
    (void)state;
    static const char whole[] = HEAD "\"verb\":\"pre-upgrade\",\"window\":14400}";
    struct protocol_request r;
    struct err err = ERR_INIT;
    for (size_t n = 0; n < sizeof whole - 1; n++)
        assert_int_not_equal(protocol_request_read(whole, n, &r, &err), ERR_OK);
    assert_int_equal(protocol_request_read(whole, sizeof whole - 1, &r, &err), ERR_OK);
}

static void protocol_request__longest_texts__round_trip(void **state)
{
    (void)state;
    struct protocol_request a = protocol_request_init("pre-upgrade"), b;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < LIMIT_CHANGE_ID_CHARS; i++)
        memcpy(a.change + i * 4, "\xf0\x9f\x94\x91", 4);
    str_copy(a.reason, sizeof a.reason, "firmware \"7.8\" \\ \xc3\xa9t\xc3\xa9");
    a.window = 14400;
    a.reserve = 0;
    a.token_id = 7;
    a.token_epoch = 2;
    a.dry_run = true;
    str_copy(a.deadline, sizeof a.deadline, "resume");
    assert_int_equal(protocol_request_write(&a, &text, &err), ERR_OK);
    if (protocol_request_read(buf_str(&text), text.len, &b, &err))
        fail_msg("%s", err.text);
    assert_string_equal(a.change, b.change);
    assert_string_equal(a.reason, b.reason);
    assert_int_equal(b.window, 14400);
    assert_int_equal(b.reserve, 0);
    assert_int_equal(b.until, -1);
    assert_int_equal(b.token_epoch, 2);
    assert_true(b.dry_run && !b.take_over);
    assert_string_equal(b.deadline, "resume");
}

struct pipe_double {
    struct protocol_reader reader;
    struct protocol_final final;
    size_t messages, drop; /* drop: number of the message that is lost, 0 = none */
    enum protocol_kind last;
    int rc;
};

static int into_reader(void *arg, bool is_final, const char *data, size_t len)
{
    struct pipe_double *p = arg;
    struct protocol_progress progress;
    struct err err = ERR_INIT;
    assert_true(len <= LIMIT_PIPE_MESSAGE);
    if (++p->messages != p->drop) {
        p->rc = protocol_reader_take(&p->reader, data, len, &p->last, &progress, &p->final, &err);
        assert_true(p->rc || (p->last == PROTOCOL_FINAL) == is_final);
    }
    return 0;
}

static char *long_document(size_t *ret_len)
{
    struct buf b = BUF_INIT;
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "{\"n\":%d,\"\xc3\xa9\":\"\xe2\x82\xac\"}\n", i);
    *ret_len = b.len;
    return buf_steal(&b);
}

static void protocol_answer__long_document__put_together_again(void **state)
{
    (void)state;
    struct pipe_double p = {.reader = PROTOCOL_READER_INIT};
    struct err err = ERR_INIT;
    size_t len;
    SCOPED(scope_free) char *text = long_document(&len);
    assert_int_equal(protocol_answer_write(12, "line\nbreak", text, len, into_reader, &p, &err),
                     ERR_OK);
    assert_int_equal(p.rc, ERR_OK);
    assert_int_equal(p.last, PROTOCOL_FINAL);
    assert_int_equal(p.final.exit_code, 12);
    assert_string_equal(p.final.message, "line break");
    assert_true(p.messages > 10);
    assert_int_equal(p.final.document.len, len);
    assert_memory_equal(p.final.document.data, text, len);
    buf_free(&p.final.document);
}

static void protocol_answer__lost_part__noticed(void **state)
{
    (void)state;
    struct pipe_double p = {.reader = PROTOCOL_READER_INIT, .drop = 3};
    struct err err = ERR_INIT;
    size_t len;
    SCOPED(scope_free) char *text = long_document(&len);
    assert_int_equal(protocol_answer_write(0, NULL, text, len, into_reader, &p, &err), ERR_OK);
    assert_int_equal(p.rc, ERR_PARSE);
    protocol_reader_free(&p.reader);
}

static void protocol_reader__hostile_service__refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"version\":1,\"type\":\"final\"}",
        "{\"version\":1,\"type\":\"final\",\"exit\":256}",
        "{\"version\":1,\"type\":\"final\",\"exit\":0,\"document\":{}}",
        "{\"version\":1,\"type\":\"final\",\"exit\":0,\"parts\":1}",
        "{\"version\":1,\"type\":\"progress\",\"text\":\"\\u001b[2J\"}",
        "{\"version\":1,\"type\":\"progress\",\"more\":1}",
        "{\"version\":1,\"type\":\"part\",\"data\":3}",
        "{\"version\":1,\"type\":\"other\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        SCOPED(protocol_reader_free) struct protocol_reader r = PROTOCOL_READER_INIT;
        struct protocol_progress progress;
        struct protocol_final final;
        enum protocol_kind kind;
        struct err err = ERR_INIT;
        int rc = protocol_reader_take(&r, bad[i], strlen(bad[i]), &kind, &progress, &final, &err);
        if (!rc)
            fail_msg("taken: %s", bad[i]);
    }
}

static void protocol_progress__round_trip__same(void **state)
{
    (void)state;
    struct protocol_progress a = {.maintenance = 3, .when = 1790000000}, b;
    SCOPED(protocol_reader_free) struct protocol_reader r = PROTOCOL_READER_INIT;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct protocol_final final;
    enum protocol_kind kind;
    struct err err = ERR_INIT;
    str_copy(a.state, sizeof a.state, "pausing");
    str_copy(a.text, sizeof a.text, "stopping 'CertSvc'");
    assert_int_equal(protocol_progress_write(&a, &text, &err), ERR_OK);
    assert_int_equal(protocol_reader_take(&r, buf_str(&text), text.len, &kind, &b, &final, &err),
                     ERR_OK);
    assert_int_equal(kind, PROTOCOL_PROGRESS);
    assert_string_equal(a.text, b.text);
    assert_string_equal(a.state, b.state);
    assert_int_equal(b.when, 1790000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocol_request_read__hostile__refused_by_name),
        cmocka_unit_test(protocol_request_read__too_long__limit),
        cmocka_unit_test(protocol_request_read__every_cut__refused),
        cmocka_unit_test(protocol_request__longest_texts__round_trip),
        cmocka_unit_test(protocol_answer__long_document__put_together_again),
        cmocka_unit_test(protocol_answer__lost_part__noticed),
        cmocka_unit_test(protocol_reader__hostile_service__refused),
        cmocka_unit_test(protocol_progress__round_trip__same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
