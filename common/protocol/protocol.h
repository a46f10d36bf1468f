/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Messages between the command line and the service: one JSON object each, at most
 * LIMIT_PIPE_MESSAGE bytes. A request is answered by any number of progress messages and one final
 * one. Reading is strict: an unknown field, a wrong type, a text that is too long or holds control
 * characters, and a number out of range are refused by name. Framing and transport are elsewhere
 * (win32/pipe.h). */
#ifndef CRLAGENT_PROTOCOL_PROTOCOL_H
#define CRLAGENT_PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#define PROTOCOL_VERSION 1
#define PROTOCOL_VERB_MAX 32
#define PROTOCOL_TEXT_MAX 512
/* Bytes of a document in one message; JSON escaping at most doubles what we write. */
#define PROTOCOL_PART_BYTES (24u * 1024)
#define PROTOCOL_DOCUMENT_BYTES (4u * 1024 * 1024)

/* What is asked for. A field at its "not given" value is not sent. */
struct protocol_request {
    char verb[PROTOCOL_VERB_MAX]; /* "pre-upgrade", "status" ...: the service knows which */
    char change[LIMIT_CHANGE_ID_CHARS * 4 + 1]; /* "" = not given */
    char reason[LIMIT_REASON_CHARS * 4 + 1];    /* "" = not given */
    int64_t window;                             /* seconds, -1 = not given */
    int64_t reserve;                            /* seconds, -1 = not given */
    int64_t until;                              /* UTC seconds, -1 = not given */
    int64_t token_id, token_epoch;              /* fencing token; 0 = not given */
    int64_t limit;                              /* rows of a list, 0 = not given; at most 1000 */
    char format[16];  /* of a report: "text", "json" ...; "" = not given */
    char fail_on[12]; /* "info", "warning", "critical": which findings count for the exit code */
    char deadline[8]; /* "hold", "resume", "" = not given */
    bool dry_run, prepare_only, take_over;
};
/* All fields at "not given". */
struct protocol_request protocol_request_init(const char *verb);

struct protocol_progress {
    int64_t maintenance; /* 0 = none yet */
    int64_t when;        /* UTC seconds */
    char state[16];
    char step[32];
    char subject[PROTOCOL_TEXT_MAX];
    char text[ERR_TEXT_MAX];
};

/* The end of an answer. The document is JSON text; one that is larger than PROTOCOL_PART_BYTES goes
 * ahead in parts. */
struct protocol_final {
    int exit_code;              /* of the command line: agent/cli.h */
    int64_t parts;              /* messages of the document that went before; 0 = it is in here */
    char message[ERR_TEXT_MAX]; /* for people, on standard error; "" = nothing to say */
    struct buf document;
};

MUST_CHECK int protocol_request_write(const struct protocol_request *req, struct buf *out,
                                      struct err *err);
/* ERR_PARSE: no JSON or not of this form; ERR_UNSUPPORTED: another version (the text says both);
 * ERR_LIMIT: too long. *ret untouched on failure. */
MUST_CHECK int protocol_request_read(const char *data, size_t len, struct protocol_request *ret,
                                     struct err *err);

MUST_CHECK int protocol_progress_write(const struct protocol_progress *p, struct buf *out,
                                       struct err *err);

/* Sends an answer through emit(arg, is_final, data, len): parts, then the final message. Stops at
 * the first non-zero return. */
typedef int (*protocol_emit_fn)(void *arg, bool is_final, const char *data, size_t len);
MUST_CHECK int protocol_answer_write(int exit_code, const char *message, const char *document,
                                     size_t len, protocol_emit_fn emit, void *arg, struct err *err);

/* The client's side: takes every message that arrives and puts the document together. */
struct protocol_reader {
    struct buf document;
    int64_t parts; /* seen so far */
};
#define PROTOCOL_READER_INIT                                                                       \
    {                                                                                              \
        BUF_INIT, 0                                                                                \
    }
void protocol_reader_free(struct protocol_reader *r); /* for SCOPED() */

enum protocol_kind { PROTOCOL_PART, PROTOCOL_PROGRESS, PROTOCOL_FINAL };
/* Fills *progress or *final after *ret_kind. final->document is handed over: the caller frees it.
 * ERR_PARSE also when a part was lost on the way. */
MUST_CHECK int protocol_reader_take(struct protocol_reader *r, const char *data, size_t len,
                                    enum protocol_kind *ret_kind,
                                    struct protocol_progress *progress,
                                    struct protocol_final *final, struct err *err);

#endif
