/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "cdp/fetch.h"
#include "health/finding.h"
#include "notify/notice_int.h"
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
    assert_non_null(strstr(buf_str(&b), "line one\\n\\nline two"));
    buf_clear(&b);
    assert_int_equal(notice_webhook_body(NOTIFY_JSON, &sample, &b, NULL), ERR_OK);
    assert_non_null(strstr(buf_str(&b), "\"id\":4001"));
    assert_null(strstr(buf_str(&b), "\"report\"")); /* the queue's own field stays in the queue */
    buf_free(&b);
}

/* ---- length ---- */

static void notice_cut__fits__untouched(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    notice_cut(&b, "one\ntwo\n", 8, notice_cost_plain);
    assert_string_equal(buf_str(&b), "one\ntwo\n");
    buf_free(&b);
}

static void notice_cut__too_many_lines__first_and_how_many_more(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, b = BUF_INIT;
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "line %02d\n", i);
    notice_cut(&b, buf_str(&text), 240, notice_cost_plain);
    assert_true(b.len <= 240);
    assert_true(str_starts(buf_str(&b), "line 00\nline 01\n"));
    const char *tail = strstr(buf_str(&b), "and ");
    assert_non_null(tail);
    size_t kept = (size_t)(tail - buf_str(&b)) / 8;
    assert_true(kept > 5);
    assert_int_equal(strtol(tail + 4, NULL, 10), 100 - (long)kept);
    assert_non_null(strstr(tail, " more: crlagent report"));
    buf_free(&text);
    buf_free(&b);
}

/* One line that is too long alone, in characters of one to four bytes, at every limit. */
static void notice_cut__inside_a_line__between_characters(void **state)
{
    (void)state;
    static const char *const parts[] = {"a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "&"};
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < 400; i++)
        buf_puts(&text, parts[i % ARRAY_LEN(parts)]);
    for (size_t max = 200; max < 260; max++) {
        struct buf b = BUF_INIT;
        size_t cost = 0;
        notice_cut(&b, buf_str(&text), max, notice_cost_slack);
        for (size_t i = 0; i < b.len; i++)
            cost += notice_cost_slack(b.data[i]);
        assert_true(cost <= max);
        assert_true(str_is_utf8(buf_str(&b), b.len));
        assert_non_null(strstr(buf_str(&b), " ...\nThe rest: "));
        buf_clear(&b);
        notice_clip(&b, buf_str(&text), max, notice_cost_slack);
        assert_true(str_is_utf8(buf_str(&b), b.len));
        buf_free(&b);
    }
    buf_free(&text);
}

/* The worst that can be told at once: everywhere characters that grow. */
static void notice_webhook_body__big_outage__within_the_limits(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, url = BUF_INIT, title = BUF_INIT, ca = BUF_INIT;
    buf_puts(&url, "http://pki.example.com/");
    while (url.len < 2048)
        buf_putc(&url, 'x');
    for (int i = 0; i < 398; i++)
        buf_putc(&title, "\"&"[i % 2]);
    for (int i = 0; i < 127; i++)
        buf_putc(&ca, '"');
    for (int i = 0; i < 100; i++)
        buf_printf(
            &text,
            "No connection to \"the <location>\": http://pki.example.com/cdp/%d.crl & so on; "
            "expected a base CRL. Test-NetConnection to the host and port\n",
            i);
    struct notice n = sample;
    n.text = buf_str(&text);
    n.url = buf_str(&url);
    n.title = buf_str(&title);
    n.ca = buf_str(&ca);
    struct buf b = BUF_INIT;
    assert_int_equal(notice_webhook_body(NOTIFY_TEAMS, &n, &b, NULL), ERR_OK);
    assert_true(b.len <= NOTICE_TEAMS_MAX);
    assert_true(b.len > NOTICE_TEAMS_TEXT_MAX);
    assert_non_null(strstr(buf_str(&b), " more: crlagent report"));
    buf_clear(&b);
    assert_int_equal(notice_webhook_body(NOTIFY_SLACK, &n, &b, NULL), ERR_OK);
    const char *section = strstr(buf_str(&b), "\"mrkdwn\"");
    assert_non_null(section);
    assert_true(strlen(section) < 3400); /* as JSON, with its escapes */
    assert_non_null(strstr(section, " more: crlagent report"));
    buf_clear(&b);
    assert_int_equal(notice_webhook_body(NOTIFY_JSON, &n, &b, NULL), ERR_OK);
    assert_non_null(strstr(buf_str(&b), "cdp/99.crl")); /* a program of one's own gets them all */
    buf_clear(&b);
    struct notice brief = notice_short(&n, &b);
    assert_true(b.len <= 600);
    assert_string_equal(brief.url, "");
    buf_free(&b);
    buf_free(&text);
    buf_free(&url);
    buf_free(&title);
    buf_free(&ca);
}

static void notice_page__markup_in_texts__escaped_nothing_to_fetch(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct notice n = sample;
    n.text = "<img src=\"http://thief.test/x\">\x01\n\nsecond & last";
    n.report = "<html></html>";
    assert_int_equal(notice_page(&n, &b, NULL), ERR_OK);
    assert_non_null(strstr(buf_str(&b), "&lt;img src=&quot;http://thief.test/x&quot;&gt; </td>"));
    assert_non_null(strstr(buf_str(&b), ">second &amp; last</td>"));
    assert_non_null(strstr(buf_str(&b), "Critical: A &lt;title&gt; &amp; &quot;quotes&quot;"));
    assert_non_null(strstr(buf_str(&b), "CHG0012345"));
    assert_non_null(strstr(buf_str(&b), "is attached"));
    static const char *const never[] = {"<img",   "<a ",  "<link", "<script",
                                        "<style", "url(", "src=\""};
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        assert_null(strstr(buf_str(&b), never[i]));
    assert_true(str_is_utf8(buf_str(&b), b.len));
    buf_free(&b);
}

static void notice_page__many_lines__the_rest_is_counted(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, b = BUF_INIT;
    for (int i = 0; i < 250; i++)
        buf_printf(&text, "line %d\n", i);
    struct notice n = sample;
    n.text = buf_str(&text);
    assert_int_equal(notice_page(&n, &b, NULL), ERR_OK);
    assert_non_null(strstr(buf_str(&b), ">line 199</td>"));
    assert_null(strstr(buf_str(&b), ">line 200</td>"));
    assert_non_null(strstr(buf_str(&b), "and 50 more: in the text part"));
    assert_null(strstr(buf_str(&b), "attached"));
    buf_free(&text);
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
        cmocka_unit_test(notice_cut__fits__untouched),
        cmocka_unit_test(notice_cut__too_many_lines__first_and_how_many_more),
        cmocka_unit_test(notice_cut__inside_a_line__between_characters),
        cmocka_unit_test(notice_webhook_body__big_outage__within_the_limits),
        cmocka_unit_test(notice_page__markup_in_texts__escaped_nothing_to_fetch),
        cmocka_unit_test(notice_page__many_lines__the_rest_is_counted),
        cmocka_unit_test(notify_webhook_kind__hosts__known),
        cmocka_unit_test(notify_flush__nobody_listens__kept_and_tried_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
