/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The one seam to an appliance: a byte stream with a shell behind it. Implementations: ssh.c,
 * serial_posix.c / win32/serial.c, manual.c, and fakes in tests. */
#ifndef CRLAGENT_DRIVER_TRANSPORT_H
#define CRLAGENT_DRIVER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct upload {
    const char *path; /* local file, UTF-8 */
    const char *name; /* name on the appliance, in the account's own folder */
    uint64_t size;    /* bytes, as measured before */
    bool sftp;        /* the appliance has SFTP (software 7.9.0 and later); SCP otherwise */
    /* Called now and then with the bytes acknowledged so far; non-zero stops the upload. NULL is
     * allowed. */
    int (*progress)(void *arg, uint64_t done);
    void *arg;
};

struct transport_ops {
    /* Connects, authenticates and opens the shell. ERR_UNAVAILABLE (not reachable), ERR_CRYPTO
     * (another host key than the pinned one), ERR_DENIED (login refused), ERR_TIMEOUT. */
    int (*open)(void *self, struct err *err);
    /* All bytes or an error; ERR_UNAVAILABLE when the connection is gone. */
    int (*write)(void *self, const void *bytes, size_t len, struct err *err);
    /* At least one byte, at most cap. ERR_TIMEOUT when nothing came in timeout_ms; ERR_UNAVAILABLE
     * when the other side closed or the connection broke. */
    int (*read)(void *self, void *bytes, size_t cap, int64_t timeout_ms, size_t *ret_n,
                struct err *err);
    /* Ends the connection; open may follow. */
    void (*close)(void *self);
    /* Copies a file to the appliance; own connection. ERR_UNSUPPORTED where the transport cannot.
     */
    int (*put_file)(void *self, const struct upload *u, struct err *err);
    void (*free)(void *self);
};

struct transport {
    const struct transport_ops *ops;
    void *self;
    const char *kind;   /* "ssh", "serial", "manual" */
    const char *eol;    /* what ends a typed line: "\n" or "\r" */
    bool console_login; /* account and password are asked for inside the stream */
    bool by_hand;       /* a person types: gets the command with secrets replaced */
    bool survives;      /* the line stays up when the appliance reboots (serial, manual) */
    const char *expect; /* by_hand: what the next answer looks like; NULL = not said */
};

static inline void transport_close(struct transport *t)
{
    if (t->ops)
        t->ops->close(t->self);
}

/* For SCOPED(). Closes first. */
static inline void transport_free(struct transport *t)
{
    if (t->ops) {
        t->ops->close(t->self);
        t->ops->free(t->self);
    }
    t->ops = NULL;
}

#endif
