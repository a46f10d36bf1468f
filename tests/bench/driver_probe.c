/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What tests/bench/part_driver.sh measures of the driver: one upload, beside what libssh2 does
 * without it; and commands through the dialogue engine beside a bare loop that only waits for the
 * prompt's bytes.
 *   driver_probe put scp|sftp HOST PORT USER KEY FINGERPRINT FILE TARGET
 *   driver_probe bare HOST PORT USER KEY FINGERPRINT BYTES TARGET
 *   driver_probe loop HOST PORT USER KEY FINGERPRINT COUNT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "driver/dialogue.h"
#include "driver/ssh_int.h"

static int die(const struct err *err)
{
    fprintf(stderr, "driver_probe: %s\n", err->text);
    return 1;
}

static struct ssh_config config(char **v)
{
    struct ssh_config c = {.connect_ms = 20000, .transfer_ms = 60000};
    c.plan.login = SSH_LOGIN_PUBLICKEY;
    c.plan.legacy = true;
    c.plan.port = (uint16_t)strtoul(v[1], NULL, 10);
    str_copy(c.plan.host, sizeof c.plan.host, v[0]);
    str_copy(c.plan.user, sizeof c.plan.user, v[2]);
    str_copy(c.plan.keyfile, sizeof c.plan.keyfile, v[3]);
    str_copy(c.plan.fingerprint, sizeof c.plan.fingerprint, v[4]);
    return c;
}

static int make(char **v, struct transport *t, struct err *err)
{
    struct ssh_config c = config(v);
    return ssh_transport(&c, t, err);
}

/* libssh2 alone: bytes out of memory into an SCP channel, blocking, no file, no progress. */
static int bare_put(char **v)
{
    static char block[1024 * 1024];
    memset(block, 'x', sizeof block); /* else all of it is one page of zeros in the cache */
    struct err err = ERR_INIT;
    struct ssh s = {.c = config(v), .fd = NET_NONE};
    uint64_t left = strtoull(v[5], NULL, 10);
    if (ssh_connect(&s, &err))
        return die(&err);
    libssh2_session_set_blocking(s.session, 1);
    LIBSSH2_CHANNEL *c = libssh2_scp_send64(s.session, v[6], 0600, (libssh2_int64_t)left, 0, 0);
    while (c && left) {
        ssize_t n = libssh2_channel_write(c, block, left < sizeof block ? left : sizeof block);
        if (n < 0)
            break;
        left -= (uint64_t)n;
    }
    char status = 1;
    bool good = c && !left && libssh2_channel_write(c, "", 1) == 1 &&
                libssh2_channel_read(c, &status, 1) == 1 && status == 0;
    if (c)
        libssh2_channel_free(c);
    ssh_disconnect(&s);
    return good ? 0 : die((err_set(&err, ERR_IO, "the bare upload failed"), &err));
}

static int put(char **v)
{
    SCOPED(transport_free) struct transport t = {0};
    struct file_info info;
    struct err err = ERR_INIT;
    if (make(v + 1, &t, &err) || file_stat(v[6], &info, &err))
        return die(&err);
    struct upload u = {v[6], v[7], info.size, strcmp(v[0], "sftp") == 0, NULL, NULL};
    return t.ops->put_file(t.self, &u, &err) ? die(&err) : 0;
}

/* Types and reads until the prompt's last bytes are there; no parsing at all. */
static int bare(struct transport *t, const char *prompt, int count, struct err *err)
{
    static char text[65536];
    for (int i = 0; i < count; i++) {
        size_t n = 0;
        int rc = t->ops->write(t->self, "hsm show\n", 9, err);
        while (!rc) {
            size_t got = 0;
            rc = t->ops->read(t->self, text + n, sizeof text - 1 - n, 10000, &got, err);
            n += got;
            text[n] = '\0';
            if (n > 100 && str_ends_nocase(text, prompt))
                break;
        }
        if (rc)
            return rc;
    }
    return ERR_OK;
}

static int loop(char **v)
{
    SCOPED(transport_free) struct transport t = {0};
    SCOPED(transcript_close) struct transcript *tr = NULL;
    static struct family f;
    struct dialogue d;
    struct err err = ERR_INIT;
    const struct clock *clock = clock_system();
    const struct dialogue_account a = {v[2], NULL, 20000};
    const struct dialogue_command c = {.id = "show", .text = "hsm show", .total_ms = 20000};
    int count = (int)strtol(v[5], NULL, 10);
    if (make(v, &t, &err) || family_builtin(&f, &err) || transcript_open(NULL, &tr, &err))
        return die(&err);
    dialogue_init(&d, &t, &f, clock, tr);
    int rc = dialogue_open(&d, &a, &err);
    double best[2] = {1e9, 1e9};
    for (int round = 0; round < 6 && !rc; round++) {
        int64_t start = clock_mono_ms(clock);
        if (round % 2)
            rc = bare(&t, d.prompt, count, &err);
        for (int i = 0; i < count && !rc && round % 2 == 0; i++) {
            SCOPED(exchange_free) struct exchange x = {0};
            rc = dialogue_run(&d, &c, &x, &err);
            if (!rc && !exchange_ok(&x))
                rc = err_set(&err, ERR_IO, "round %d: %s", i, outcome_name(x.outcome));
        }
        double each = (double)(clock_mono_ms(clock) - start) / count;
        best[round % 2] = each < best[round % 2] ? each : best[round % 2];
    }
    dialogue_close(&d);
    dialogue_free(&d);
    if (rc)
        return die(&err);
    printf(
        "  'hsm show' through the dialogue       %8.2f ms, bare loop %.2f ms, overhead %.2f ms\n",
        best[0], best[1], best[0] - best[1]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 10 && strcmp(argv[1], "put") == 0)
        return put(argv + 2);
    if (argc == 9 && strcmp(argv[1], "bare") == 0)
        return bare_put(argv + 2);
    if (argc == 8 && strcmp(argv[1], "loop") == 0)
        return loop(argv + 2);
    fprintf(stderr, "usage: see the head of driver_probe.c\n");
    return 2;
}
