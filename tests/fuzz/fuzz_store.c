/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A state file as a disk fault, a copy made in use or a stranger may leave it. Opening it gives a
 * store that can be read from end to end, or an error with a text; whatever happens, not one byte
 * of what was there is lost: it is where it was, or beside it under another name. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/when.h"
#include "fuzz/harness.h"
#include "store/history.h"
#include "store/maintenance.h"
#include "store/reserve.h"

static char folder[64], path[80];

static int remove_one(void *arg, const char *name)
{
    char file[400];
    (void)arg;
    snprintf(file, sizeof file, "%s/%s", folder, name);
    return unlink(file);
}

static void clean(void)
{
    struct err err = ERR_INIT;
    FUZZ_CHECK(file_list(folder, remove_one, NULL, &err) == ERR_OK);
}

static void clean_up(void)
{
    clean();
    rmdir(folder);
}

static void begin(void)
{
    if (folder[0]) {
        clean();
        return;
    }
    snprintf(folder, sizeof folder, "%s/crlagent-fuzz-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    FUZZ_CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.db", folder);
    atexit(clean_up);
}

static void expect_same(const char *file, const uint8_t *data, size_t size)
{
    SCOPED(buf_free) struct buf now = BUF_INIT;
    struct err err = ERR_INIT;
    FUZZ_CHECK(file_read(file, 1u << 22, &now, &err) == ERR_OK);
    FUZZ_CHECK(now.len == size && (!size || memcmp(now.data, data, size) == 0));
}

/* Values of any kind may stand in any column: each is read without harm, or refused. */
static void read_all(struct store *s)
{
    static struct store_maintenance m[4];
    static struct store_service services[LIMIT_SERVICES];
    static struct store_step steps[16];
    static struct store_figure figures[8];
    static struct store_audit audit[8];
    static struct store_probe probes[8];
    static struct store_notice notices[4];
    static struct store_round rounds[8];
    static struct store_keytest tests[8];
    static struct store_reserve reserves[8];
    static struct store_reserve_place places[8];
    struct err e = ERR_INIT;
    size_t n = 0, k = 0;
    int64_t due;
    SCOPED(buf_free) struct buf b = BUF_INIT;
    if (store_maintenance_list(s, m, 4, &n, &e))
        FUZZ_CHECK(e.text[0]);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(memchr(m[i].note, 0, sizeof m[i].note));
        (void)!store_service_list(s, m[i].id, services, LIMIT_SERVICES, &k, &e);
        (void)!store_step_list(s, m[i].id, steps, 16, &k, &e);
        (void)!store_figure_list(s, m[i].id, figures, 8, &k, &e);
    }
    (void)!store_maintenance_active(s, m, &e);
    (void)!store_reserve_list(s, false, reserves, 8, &k, &e);
    (void)!store_reserve_place_list(s, 1, places, 8, &k, &e);
    (void)!store_audit_list(s, 0, audit, 8, &k, &e);
    (void)!store_probe_list(s, NULL, WHEN_NONE, probes, 8, &k, &e);
    (void)!store_notice_due(s, "mail", INT64_MAX, notices, 4, &k, &e);
    (void)!store_round_list(s, WHEN_NONE, rounds, 8, &k, &e);
    (void)!store_keytest_list(s, WHEN_NONE, tests, 8, &k, &e);
    (void)!store_timer_get(s, "maint.probe", &due, &e);
    (void)!store_cache_get(s, "base-crl", 0, 0, &b, &due, &e);
}

static void open_reading(const uint8_t *data, size_t size)
{
    SCOPED(store_close) struct store *s = NULL;
    struct err err = ERR_INIT;
    if (store_open(path, STORE_READ, 1764000000, &s, NULL, &err) == ERR_OK) {
        read_all(s);
        return;
    }
    FUZZ_CHECK(err.text[0] && strstr(err.text, path));
    expect_same(path, data, size); /* a reader moves and changes nothing */
}

static void open_writing(const uint8_t *data, size_t size)
{
    SCOPED(store_close) struct store *s = NULL;
    struct store_opened opened;
    struct err err = ERR_INIT;
    memset(&opened, 0, sizeof opened);
    int rc = store_open(path, STORE_WRITE, 1764000000, &s, &opened, &err);
    if (rc) {
        FUZZ_CHECK(err.text[0] && strstr(err.text, path));
        return;
    }
    if (opened.set_aside[0]) {
        FUZZ_CHECK(opened.why[0]);
        expect_same(opened.set_aside, data, size);
    }
    store__no_sync(s);
    read_all(s);
    if (store_value_set(s, "touched", "now", &err))
        FUZZ_CHECK(err.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin();
    FILE *f = fopen(path, "wb");
    FUZZ_CHECK(f && fwrite(size ? (const void *)data : "", 1, size, f) == size);
    fclose(f);
    open_reading(data, size);
    open_writing(data, size);
    return 0;
}
