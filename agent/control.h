/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Asking the service. The channel is a seam: the named pipe on Windows, a double in tests, none in
 * the native build. A verb fills a protocol_request, asks, and gets an exit code and a document. */
#ifndef CRLAGENT_AGENT_CONTROL_H
#define CRLAGENT_AGENT_CONTROL_H

#include "agent/cli.h"
#include "protocol/protocol.h"

/* What a message meant for the channel. */
enum control_take { CONTROL_MORE = 0, CONTROL_LAST = 1, CONTROL_BROKEN = -1 };

struct control {
    /* Sends one message and calls take() for each that comes back until it returns other than
     * CONTROL_MORE. wait_ms is the longest silence, -1 = none is too long. ERR_UNAVAILABLE: nobody
     * listens, or the service went away; ERR_DENIED; ERR_BUSY; ERR_TIMEOUT. */
    int (*ask)(void *self, const char *data, size_t len, int64_t wait_ms,
               enum control_take (*take)(void *arg, const char *data, size_t len), void *arg,
               struct err *err);
    void *self;
};

/* How an answer is shown. */
struct control_style {
    bool json;          /* the document as it came, on standard output */
    bool quiet;         /* no progress on standard error */
    bool plain;         /* the document is text already: printed as it is */
    const char *silent; /* printed on standard output when no document came; NULL = nothing */
};

/* Asks and prints: progress and message to cli->err, the document to cli->out. Returns the exit
 * code for the command line. */
int control_run(struct cli *cli, const struct protocol_request *req,
                const struct control_style *style);

/* The same for a document that is text: into output, whole or not at all; NULL = standard output.
 * silent: the line for standard output when no document came, NULL = none. Returns
 * EXIT_CHECK_UNKNOWN for everything that is no answer of a check. */
int control_check(struct cli *cli, const struct protocol_request *req, const char *output,
                  const char *silent);

/* The document alone, into ret, which stays empty when none came. */
int control_fetch(struct cli *cli, const struct protocol_request *req, struct buf *ret);

/* "ID.EPOCH" into a request; NULL is fine. ERR_INVALID. */
MUST_CHECK int control_token(const char *text, struct protocol_request *req, struct err *err);

/* Copies an option's text into a field of a request; NULL is fine. ERR_LIMIT names the option. */
MUST_CHECK int control_text(const char *option, const char *text, size_t max_chars, char *dst,
                            size_t dst_size, struct err *err);

#endif
