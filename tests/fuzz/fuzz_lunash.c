/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What an appliance prints: any bytes, in any pieces, give the same text; the recogniser and every
 * parser end, stay inside of their buffers, and keep what their headers promise. */
#include <string.h>

#include "base/when.h"
#include "driver/lunash.h"
#include "driver/recognise.h"
#include "driver/screen.h"
#include "driver/transcript.h"
#include "fuzz/harness.h"

static const struct family *family(void)
{
    static struct family f;
    static int loaded;
    struct err err = ERR_INIT;
    if (!loaded)
        FUZZ_CHECK(family_builtin(&f, &err) == ERR_OK);
    loaded = 1;
    return &f;
}

static void feed(struct screen *s, const uint8_t *data, size_t size, size_t piece)
{
    screen_init(s);
    for (size_t i = 0; i < size; i += piece)
        screen_feed(s, data + i, size - i < piece ? size - i : piece);
}

static void check_sight(const char *text, size_t len)
{
    struct sight s = recognise(family(), text, len);
    FUZZ_CHECK(s.body_end <= len);
    FUZZ_CHECK(s.seen != SEEN_DONE || (s.result >= 0 && s.prompt[0]));
    FUZZ_CHECK(s.seen != SEEN_STOP || s.rule);
    (void)recognise_login(family(), text, len);
    (void)recognise_offers_quit(text, len);
    FUZZ_CHECK(recognise_echo(text, len, "hsm show") <= len);
}

static void check_parsers(const char *text)
{
    static struct luna_list l;
    struct luna_show show;
    struct err err = ERR_INIT;
    if (luna_parse_show(text, &show, &err) == ERR_OK) {
        FUZZ_CHECK(show.attempts_left >= -1 && show.attempts_left <= 3);
        FUZZ_CHECK((show.attempts_left == 3) == (strcmp(show.attempts, LUNA_ATTEMPTS_FULL) == 0));
    }
    if (luna_parse_partitions(text, &l, &err) == ERR_OK)
        FUZZ_CHECK(l.n <= LUNA_LIST_MAX);
    (void)!luna_parse_clients(text, &l, &err);
    if (luna_parse_routes(text, &l, &err) == ERR_OK)
        FUZZ_CHECK(luna_default_routes(&l) <= l.n);
    (void)!luna_parse_packages(text, &l, &err);
    (void)!luna_parse_files(text, &l, &err);
    (void)luna_parse_service(text);
    int percent = luna_parse_disk_free_percent(text);
    FUZZ_CHECK(percent >= -1 && percent <= 100);
    (void)luna_parse_date(text);
    (void)luna_parse_counter(text, "Crypto Operation Requests");
}

/* A secret that arrived never leaves. */
static void check_redaction(const char *text, size_t len)
{
    static const char secret[] = "5/Rd79MAGd/G9EY5";
    struct transcript *t = NULL;
    struct err err = ERR_INIT;
    struct buf in = BUF_INIT, out = BUF_INIT;
    FUZZ_CHECK(transcript_open(NULL, &t, &err) == ERR_OK);
    FUZZ_CHECK(transcript_hide(t, secret, &err) == ERR_OK);
    buf_add(&in, text, len);
    buf_puts(&in, secret);
    buf_add(&in, text, len);
    transcript_redact(t, buf_str(&in), in.len, &out);
    FUZZ_CHECK(!memmem(buf_str(&out), out.len, secret, sizeof secret - 1));
    buf_free(&in);
    buf_free(&out);
    transcript_close(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct screen whole, pieces;
    feed(&whole, data, size, size ? size : 1);
    feed(&pieces, data, size, 3);
    FUZZ_CHECK(whole.text.len == pieces.text.len);
    FUZZ_CHECK(!whole.text.len || memcmp(whole.text.data, pieces.text.data, whole.text.len) == 0);
    check_sight(buf_str(&whole.text), whole.text.len);
    check_parsers(buf_str(&whole.text));
    if (size < 4096)
        check_redaction(buf_str(&whole.text), whole.text.len);
    screen_free(&whole);
    screen_free(&pieces);
    return 0;
}
