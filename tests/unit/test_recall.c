/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Conditional requests against a web server that is honest or not. */
#include "watch/recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "unit/cmocka_unit.h"

#define SERVERS 2
#define START 1764000000
#define LIFE 86400

struct server {
    uint8_t number; /* of the CRL it serves */
    int64_t this_update, next_publish, next_update;
    char etag[32], modified[48];
    enum crl_signature signature;
    int64_t took_ms;
    bool yes_man; /* answers 304 to every condition */
    bool always;  /* answers 304 without one, too */
    bool down;
    char new_mark[32]; /* ETag on its 304 */
    size_t whole, unchanged;
    char asked_etag[128], asked_modified[48];
};

struct desk {
    int64_t now;
    struct clock clock;
    struct server server[SERVERS];
    struct probe_target target[SERVERS];
    struct probe_result *result;
    struct prober inner, prober;
    struct recall *recall;
};

static int64_t now_of(void *self)
{
    return ((struct desk *)self)->now;
}
static const struct clock_ops clock_ops = {now_of, now_of, NULL};

static void serve(const struct server *s, struct probe_result *p)
{
    p->http_status = 200;
    p->bytes = 1000;
    p->signature = s->signature;
    (void)str_copy(p->content_type, sizeof p->content_type, "application/pkix-crl");
    (void)str_copy(p->etag, sizeof p->etag, s->etag);
    (void)str_copy(p->last_modified, sizeof p->last_modified, s->modified);
    p->facts.number = (struct crl_number){1, {s->number}};
    memset(p->facts.sha256, s->number, sizeof p->facts.sha256);
    p->facts.this_update = s->this_update;
    p->facts.next_publish = s->next_publish;
    p->facts.next_update = s->next_update;
}

static bool unchanged(const struct server *s, const struct probe_target *t)
{
    bool asked = t->if_etag[0] || t->if_modified[0];
    bool same =
        t->if_etag[0] ? strcmp(t->if_etag, s->etag) == 0 : strcmp(t->if_modified, s->modified) == 0;
    return s->always || (asked && (s->yes_man || same));
}

static int run(void *self, const struct probe_target *targets, size_t n,
               const struct crl_issuers *issuers, struct probe_result *results, struct err *err)
{
    struct desk *d = self;
    (void)issuers;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        struct server *s = &d->server[i];
        const struct probe_target *t = &targets[i];
        memset(&results[i], 0, sizeof results[i]);
        results[i].started = d->now;
        results[i].total_ms = s->took_ms;
        results[i].age = -1;
        (void)str_copy(s->asked_etag, sizeof s->asked_etag, t->if_etag);
        (void)str_copy(s->asked_modified, sizeof s->asked_modified, t->if_modified);
        if (s->down) {
            results[i].status = PROBE_CONNECT;
        } else if (unchanged(s, t)) {
            s->unchanged++;
            results[i].status =
                t->if_etag[0] || t->if_modified[0] ? PROBE_NOT_MODIFIED : PROBE_HTTP_STATUS;
            results[i].http_status = 304;
            (void)str_copy(results[i].etag, sizeof results[i].etag, s->new_mark);
        } else {
            s->whole++;
            serve(s, &results[i]);
        }
    }
    return ERR_OK;
}

static int begin(void **state)
{
    struct desk *d = calloc(1, sizeof *d);
    struct err err = ERR_INIT;
    assert_non_null(d);
    d->now = START;
    d->clock = (struct clock){&clock_ops, d};
    d->inner = (struct prober){run, d};
    d->result = calloc(SERVERS, sizeof *d->result);
    assert_non_null(d->result);
    for (size_t i = 0; i < SERVERS; i++) {
        d->server[i] = (struct server){.number = 7,
                                       .this_update = START,
                                       .next_publish = START + LIFE - 3600,
                                       .next_update = START + LIFE,
                                       .signature = CRL_SIG_GOOD,
                                       .etag = "\"a\"",
                                       .modified = "Mon, 24 Nov 2025 16:00:00 GMT"};
        (void)str_copy(d->target[i].url, sizeof d->target[i].url, "http://pki.test/x.crl");
        snprintf(d->target[i].address, sizeof d->target[i].address, "10.0.0.%zu", i + 1);
    }
    assert_int_equal(recall_new(&d->inner, &d->clock, &d->recall, &err), ERR_OK);
    d->prober = recall_prober(d->recall);
    *state = d;
    return 0;
}

static int end(void **state)
{
    struct desk *d = *state;
    recall_free(&d->recall);
    free(d->result);
    free(d);
    return 0;
}

/* One round; the answer of the first server. */
static const struct probe_result *ask(struct desk *d)
{
    struct err err = ERR_INIT;
    assert_int_equal(d->prober.run(d->prober.self, d->target, SERVERS, NULL, d->result, &err),
                     ERR_OK);
    d->now += 60;
    return &d->result[0];
}

static void publish(struct server *s, int64_t now, const char *etag)
{
    s->number++;
    s->this_update = now;
    s->next_publish = now + LIFE - 3600;
    s->next_update = now + LIFE;
    (void)str_copy(s->etag, sizeof s->etag, etag);
}

static void recall__unchanged__304_with_the_facts_of_the_whole_answer(void **state)
{
    struct desk *d = *state;
    ask(d);
    assert_string_equal(d->server[0].asked_etag, "");
    assert_string_equal(d->server[0].asked_modified, "");
    const struct probe_result *p = ask(d);
    assert_string_equal(d->server[0].asked_etag, "\"a\"");
    assert_string_equal(d->server[0].asked_modified, "Mon, 24 Nov 2025 16:00:00 GMT");
    assert_int_equal(p->status, PROBE_OK);
    assert_int_equal(p->http_status, 304);
    assert_int_equal(p->bytes, 0);
    assert_int_equal(p->started, START + 60);
    assert_int_equal(p->facts.next_update, START + LIFE);
    assert_int_equal(p->facts.number.bytes[0], 7);
    assert_int_equal(p->signature, CRL_SIG_GOOD);
    assert_string_equal(p->content_type, "application/pkix-crl");
    assert_int_equal(d->server[0].whole, 1);
}

static void recall__changed__new_facts(void **state)
{
    struct desk *d = *state;
    ask(d);
    ask(d);
    publish(&d->server[0], d->now, "\"b\"");
    const struct probe_result *p = ask(d);
    assert_int_equal(p->http_status, 200);
    assert_int_equal(p->facts.number.bytes[0], 8);
    assert_false(recall_misled(d->recall, &d->target[0]));
}

static void recall__rounds_without_end__whole_at_least_twice_per_life(void **state)
{
    struct desk *d = *state;
    size_t before;
    while (d->now < START + LIFE / 2 - 60)
        ask(d);
    assert_int_equal(d->server[0].whole, 1);
    while (d->now < START + LIFE / 2 + 120)
        ask(d);
    assert_int_equal(d->server[0].whole, 2);
    while (d->now < START + LIFE - 3600)
        ask(d);
    before = d->server[0].whole;
    ask(d); /* Next CRL Publish has passed */
    ask(d);
    assert_int_equal(d->server[0].whole, before + 1);
    while (d->now < START + LIFE)
        ask(d);
    before = d->server[0].whole;
    const struct probe_result *p = ask(d); /* nextUpdate has passed */
    assert_int_equal(d->server[0].whole, before + 1);
    assert_int_equal(p->http_status, 200);
    /* Unchanged and expired: the facts say so, whoever reads them. */
    p = ask(d);
    assert_int_equal(p->http_status, 304);
    assert_true(p->facts.next_update < d->now);
}

static void recall__server_says_304_to_everything__found_by_the_whole_question(void **state)
{
    struct desk *d = *state;
    ask(d);
    d->server[0].always = true;
    assert_int_equal(ask(d)->status, PROBE_OK);
    d->now = START + LIFE / 2;
    assert_int_equal(ask(d)->status, PROBE_HTTP_STATUS);
    assert_int_equal(ask(d)->status, PROBE_HTTP_STATUS);
}

static void recall__same_mark_for_another_crl__misled_until_both_change(void **state)
{
    struct desk *d = *state;
    ask(d);
    d->server[0].yes_man = d->server[1].yes_man = true;
    publish(&d->server[0], d->now, "\"a\"");
    assert_int_equal(ask(d)->facts.number.bytes[0], 7); /* hidden ... */
    d->now = START + LIFE / 2;
    const struct probe_result *p = ask(d); /* ... for half a life at most */
    assert_int_equal(p->facts.number.bytes[0], 8);
    assert_true(recall_misled(d->recall, &d->target[0]));
    assert_false(recall_misled(d->recall, &d->target[1]));
    publish(&d->server[0], d->now, "\"a\"");
    assert_int_equal(ask(d)->facts.number.bytes[0], 9); /* not believed again */
    d->server[0].down = true;
    ask(d);
    d->server[0].down = false;
    ask(d);
    assert_true(recall_misled(d->recall, &d->target[0]));
    publish(&d->server[0], d->now, "\"b\"");
    ask(d);
    assert_false(recall_misled(d->recall, &d->target[0]));
}

static void recall__another_server_is_newer__the_one_behind_is_asked_for_the_whole(void **state)
{
    struct desk *d = *state;
    ask(d);
    d->server[1].yes_man = true;
    publish(&d->server[0], d->now, "\"b\"");
    publish(&d->server[1], d->now, "\"a\"");
    ask(d);
    assert_int_equal(d->result[1].facts.number.bytes[0], 7);
    ask(d);
    assert_int_equal(d->result[1].facts.number.bytes[0], 8);
    assert_true(recall_misled(d->recall, &d->target[1]));
}

static void recall__no_etag__date_alone_is_trusted_for_an_hour(void **state)
{
    struct desk *d = *state;
    d->server[0].etag[0] = '\0';
    ask(d);
    ask(d);
    assert_string_equal(d->server[0].asked_etag, "");
    assert_string_equal(d->server[0].asked_modified, "Mon, 24 Nov 2025 16:00:00 GMT");
    assert_int_equal(d->server[0].unchanged, 1);
    d->now = START + RECALL_DATE_ONLY_SECONDS;
    ask(d);
    assert_int_equal(d->server[0].whole, 2);
}

static void recall__304_with_another_mark__whole_next_time(void **state)
{
    struct desk *d = *state;
    ask(d);
    d->server[0].yes_man = true;
    (void)str_copy(d->server[0].new_mark, sizeof d->server[0].new_mark, "\"z\"");
    assert_int_equal(ask(d)->http_status, 304);
    assert_int_equal(ask(d)->http_status, 200);
}

/* Each of these asks for the whole every time. */
static void recall__not_to_be_relied_on__never_conditional(void **state)
{
    struct desk *d = *state;
    d->server[0].signature = CRL_SIG_NO_ISSUER;
    d->server[1].took_ms = RECALL_SLOW_MS + 1;
    for (int i = 0; i < 3; i++)
        ask(d);
    assert_int_equal(d->server[0].whole, 3);
    assert_int_equal(d->server[1].whole, 3);
}

static void recall__failure_between__whole(void **state)
{
    struct desk *d = *state;
    ask(d);
    d->server[0].down = true;
    assert_int_equal(ask(d)->status, PROBE_CONNECT);
    d->server[0].down = false;
    assert_int_equal(ask(d)->http_status, 200);
    assert_int_equal(ask(d)->http_status, 304);
}

static void recall_whole__asked__next_round_only(void **state)
{
    struct desk *d = *state;
    ask(d);
    recall_whole(d->recall);
    assert_int_equal(ask(d)->http_status, 200);
    assert_int_equal(ask(d)->http_status, 304);
}

static void recall__clock_put_back__whole(void **state)
{
    struct desk *d = *state;
    ask(d);
    d->now = START - 3600;
    assert_int_equal(ask(d)->http_status, 200);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(recall__unchanged__304_with_the_facts_of_the_whole_answer),
        CASE(recall__changed__new_facts),
        CASE(recall__rounds_without_end__whole_at_least_twice_per_life),
        CASE(recall__server_says_304_to_everything__found_by_the_whole_question),
        CASE(recall__same_mark_for_another_crl__misled_until_both_change),
        CASE(recall__another_server_is_newer__the_one_behind_is_asked_for_the_whole),
        CASE(recall__no_etag__date_alone_is_trusted_for_an_hour),
        CASE(recall__304_with_another_mark__whole_next_time),
        CASE(recall__not_to_be_relied_on__never_conditional),
        CASE(recall__failure_between__whole),
        CASE(recall_whole__asked__next_round_only),
        CASE(recall__clock_put_back__whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
