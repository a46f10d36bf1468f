/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Messages of the pipe, in both directions: what the service takes from any client that may
 * connect, and what the command line takes from whoever answers. Any bytes give an error with a
 * text, or a message that keeps the promises of its header and comes back the same when it is
 * written and read again. Several messages to the reader are separated by one zero byte. */
#include <string.h>

#include "base/str.h"
#include "fuzz/harness.h"
#include "protocol/protocol.h"

static void check_request(const struct protocol_request *r)
{
    FUZZ_CHECK(r->verb[0] && str_is_utf8(r->verb, strlen(r->verb)));
    FUZZ_CHECK(str_is_utf8(r->change, strlen(r->change)));
    FUZZ_CHECK(str_is_utf8(r->reason, strlen(r->reason)));
    FUZZ_CHECK(r->window >= -1 && r->reserve >= -1 && r->until >= -1);
    FUZZ_CHECK(r->token_id >= 0 && r->token_epoch >= 0 && r->limit >= 0 && r->limit <= 1000);
    for (const char *p = r->reason; *p; p++)
        FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void request(const char *data, size_t size)
{
    struct err err = ERR_INIT;
    struct protocol_request one, two;
    SCOPED(buf_free) struct buf first = BUF_INIT;
    SCOPED(buf_free) struct buf second = BUF_INIT;
    memset(&one, 0x5a, sizeof one);
    two = one;
    if (protocol_request_read(data, size, &one, &err)) {
        FUZZ_CHECK(err.code && err.text[0]);
        FUZZ_CHECK(memcmp(&one, &two, sizeof one) == 0); /* untouched on failure */
        return;
    }
    check_request(&one);
    FUZZ_CHECK(protocol_request_write(&one, &first, &err) == ERR_OK);
    FUZZ_CHECK(protocol_request_read(buf_str(&first), first.len, &two, &err) == ERR_OK);
    FUZZ_CHECK(protocol_request_write(&two, &second, &err) == ERR_OK);
    FUZZ_CHECK(strcmp(buf_str(&first), buf_str(&second)) == 0);
}

static void answer(const char *data, size_t size)
{
    SCOPED(protocol_reader_free) struct protocol_reader reader = PROTOCOL_READER_INIT;
    static struct protocol_progress progress;
    struct err err = ERR_INIT;
    for (size_t at = 0; at <= size;) {
        const char *end = memchr(data + at, 0, size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        struct protocol_final final = {.document = BUF_INIT};
        enum protocol_kind kind = PROTOCOL_PART;
        int rc = protocol_reader_take(&reader, data + at, len, &kind, &progress, &final, &err);
        FUZZ_CHECK(reader.document.len <= PROTOCOL_DOCUMENT_BYTES);
        FUZZ_CHECK(!rc || err.text[0]);
        if (!rc && kind == PROTOCOL_PROGRESS)
            FUZZ_CHECK(str_is_utf8(progress.text, strlen(progress.text)));
        bool last = rc || kind == PROTOCOL_FINAL;
        buf_free(&final.document);
        if (last)
            return;
        at += len + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A message is at least an empty text, never NULL. */
    const char *text = size ? (const char *)data : "";
    request(text, size);
    answer(text, size);
    return 0;
}
