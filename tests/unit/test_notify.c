/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "cdp/fetch.h"
#include "health/finding.h"
#include "notify/notify.h"
#include "store/history.h"
#include "store/store.h"
#include "support/scratch.h"

static const struct notice sample = {
    .id = FIND_CRL_EXPIRED,
    .severity = SEV_CRITICAL,
    .when = 1795420800,
    .ca = "Lab CA \xC3\xA4",
    .url = "http://pki/x.crl",
    .change_id = "CHG0012345",
    .title = "A <title> & \"quotes\"",
    .text = "line one\nline two",
    .html = "<p>x</p>",
};

static void notice_decode__no_json__refused(void **state)
{
    (void)state;
    struct notice n;
    struct notice_decoded *keep = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(notice_decode("", 0, &n, &keep, &err), ERR_PARSE);
    assert_int_equal(notice_decode("[]", 2, &n, &keep, &err), ERR_PARSE);
    assert_null(keep);
}

static void notice_encode__round_trip__same(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct notice n;
    struct notice_decoded *keep = NULL;
    assert_int_equal(notice_encode(&sample, &b, NULL), ERR_OK);
    assert_int_equal(notice_decode(buf_str(&b), b.len, &n, &keep, NULL), ERR_OK);
    assert_int_equal(n.id, sample.id);
    assert_int_equal(n.severity, SEV_CRITICAL);
    assert_int_equal(n.when, sample.when);
    assert_string_equal(n.title, sample.title);
    assert_string_equal(n.text, sample.text);
    assert_string_equal(n.ca, sample.ca);
    assert_null(n.report);
    notice_decoded_free(&keep);
    buf_free(&b);
}

static void notice_webhook_body__kinds__escaped_for_each(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    assert_int_equal(notice_webhook_body(NOTIFY_SLACK, &sample, &b, NULL), ERR_OK);
    assert_non_null(strstr(buf_str(&b), "A &lt;title&gt; &amp; \\\"quotes\\\""));
    buf_clear(&b);
    assert_int_equal(notice_webhook_body(NOTIFY_TEAMS, &sample, &b, NULL), ERR_OK);
    assert_non_null(
        strstr(buf_str(&b), "\"contentType\":\"application/vnd.microsoft.card.adaptive\""));
    assert_non_null(strstr(buf_str(&b), "\"color\":\"Attention\""));
    buf_clear(&b);
    assert_int_equal(notice_webhook_body(NOTIFY_JSON, &sample, &b, NULL), ERR_OK);
    assert_non_null(strstr(buf_str(&b), "\"id\":4001"));
    assert_null(strstr(buf_str(&b), "\"html\"")); /* the queue's own fields stay in the queue */
    buf_free(&b);
}

static void notify_webhook_kind__hosts__known(void **state)
{
    (void)state;
    assert_int_equal(notify_webhook_kind("https://hooks.slack.com/services/x"), NOTIFY_SLACK);
    assert_int_equal(notify_webhook_kind("https://hooks.slack.com.evil.test/x"), NOTIFY_JSON);
    assert_int_equal(notify_webhook_kind("https://corp.webhook.office.com/x"), NOTIFY_TEAMS);
    assert_int_equal(notify_webhook_kind("https://prod-1.westeurope.logic.azure.com/x"),
                     NOTIFY_TEAMS);
    assert_int_equal(notify_webhook_kind("https://tickets.corp.test/x"), NOTIFY_JSON);
    assert_int_equal(notify_webhook_kind("nonsense://"), NOTIFY_JSON);
}

struct heard {
    size_t n;
    uint32_t last;
};

static void hear(void *self, const struct event *ev)
{
    struct heard *h = self;
    h->n++;
    h->last = ev->id;
}

static void notify_flush__nobody_listens__kept_and_tried_later(void **state)
{
    (void)state;
    char dir[SCRATCH_MAX], path[SCRATCH_MAX + 16];
    struct store *s = NULL;
    struct store_opened opened;
    struct err err = ERR_INIT;
    struct heard heard = {0};
    struct event_sink sink = {hear, &heard};
    struct notify_channel ch = {.name = "webhook", .kind = NOTIFY_JSON, .timeout_ms = 2000};
    int64_t due = 0, now = 1000;
    snprintf(ch.url, sizeof ch.url, "http://127.0.0.1:9/hook"); /* discard: nobody there */
    scratch_make("notify", dir);
    snprintf(path, sizeof path, "%s/s.db", dir);
    assert_int_equal(fetch_setup(&err), ERR_OK);
    assert_int_equal(store_open(path, STORE_WRITE, now, &s, &opened, &err), ERR_OK);
    assert_int_equal(notify_queue(s, &ch, 1, &sample, "crl-expired", now, &err), ERR_OK);
    assert_int_equal(notify_flush(s, &ch, NULL, now, &sink, &err), ERR_OK);
    assert_int_equal(heard.n, 1);
    assert_int_equal(heard.last, FIND_NOTICE_NOT_SENT);
    assert_int_equal(store_notice_next(s, NULL, &due, &err), ERR_OK);
    assert_int_equal(due, now + 60);
    /* More comes in meanwhile: it waits with the first, and nobody is told again. */
    assert_int_equal(notify_queue(s, &ch, 1, &sample, "another", now + 1, &err), ERR_OK);
    assert_int_equal(notify_flush(s, &ch, NULL, now + 1, &sink, &err), ERR_OK);
    assert_int_equal(heard.n, 1);
    assert_int_equal(notify_flush(s, &ch, NULL, now + 59, &sink, &err), ERR_OK);
    assert_int_equal(notify_flush(s, &ch, NULL, now + 61, &sink, &err), ERR_OK);
    assert_int_equal(heard.n, 1);
    assert_int_equal(store_notice_next(s, NULL, &due, &err), ERR_OK);
    assert_int_equal(due, now + 61 + 120);
    /* A new start tries at once. */
    assert_int_equal(notify_begin(s, &ch, 1, now + 62, &sink, &err), ERR_OK);
    assert_int_equal(store_notice_next(s, NULL, &due, &err), ERR_OK);
    assert_int_equal(due, now + 62);
    assert_int_equal(heard.n, 1);
    /* A channel that is no longer configured is not lost without a word either. */
    struct notify_channel other = {.name = "mail"};
    assert_int_equal(notify_begin(s, &other, 1, now + 63, &sink, &err), ERR_OK);
    assert_int_equal(heard.n, 2);
    assert_int_equal(heard.last, FIND_NOTICE_GIVEN_UP);
    assert_int_equal(notify_begin(s, &other, 1, now + 64, &sink, &err), ERR_OK);
    assert_int_equal(heard.n, 2);
    store_close(&s);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notice_decode__no_json__refused),
        cmocka_unit_test(notice_encode__round_trip__same),
        cmocka_unit_test(notice_webhook_body__kinds__escaped_for_each),
        cmocka_unit_test(notify_webhook_kind__hosts__known),
        cmocka_unit_test(notify_flush__nobody_listens__kept_and_tried_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
