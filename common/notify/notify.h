/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Telling people: mail and webhooks over libcurl, through the durable queue of store/history.h, so
 * that a notice survives a crash and a mail server that is down. */
#ifndef CRLAGENT_NOTIFY_NOTIFY_H
#define CRLAGENT_NOTIFY_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/event.h"
#include "notify/secret.h"

struct store;
struct config;

/* What is told. Texts are UTF-8; NULL or "" where there is none. */
struct notice {
    uint32_t id; /* of the catalogue */
    enum severity severity;
    bool recovered; /* the condition is over */
    int64_t when;   /* UTC seconds */
    const char *ca, *url, *change_id;
    const char *title;  /* one line */
    const char *text;   /* plain, several lines, the worst first; mail also shows them as HTML */
    const char *report; /* a self-contained HTML file to attach to mail; may be NULL */
};

enum notify_kind { NOTIFY_MAIL, NOTIFY_JSON, NOTIFY_TEAMS, NOTIFY_SLACK };
enum notify_tls { NOTIFY_TLS_NONE, NOTIFY_TLS_STARTTLS, NOTIFY_TLS_FULL };

struct notify_channel {
    char name[64]; /* "mail", "webhook": the queue's channel */
    enum notify_kind kind;
    char server[300]; /* mail: "host:port" */
    enum notify_tls tls;
    char from[256];
    const char *const *to;
    size_t n_to;
    char url[2049];       /* webhook; holds a secret: never printed whole */
    char credential[128]; /* name in the secret store; "" = none. webhook: bearer token */
    const char *ca_file;  /* PEM; NULL = the system's store */
    const char *proxy;    /* webhook: "http://host:port"; NULL or "" = none */
    int64_t timeout_ms;   /* 0 = 30 s */
};

#define NOTIFY_CHANNELS_MAX 2
/* Channels of a configuration; they point into it. */
size_t notify_channels(const struct config *c, struct notify_channel ret[NOTIFY_CHANNELS_MAX]);

/* Which kind of card a webhook wants, by its host name. */
enum notify_kind notify_webhook_kind(const char *url);

/* Sends now, once. What Slack or Teams would refuse for its length is cut; a webhook that refuses a
 * long notice all the same (4xx other than 401, 403, 408, 429) gets it once more in a few lines.
 * secrets may be NULL when no credential is named. ERR_UNAVAILABLE, ERR_TIMEOUT,
 * ERR_DENIED, ERR_IO with what the other side said; the text holds no secret. */
MUST_CHECK int notify_send(const struct notify_channel *ch, const struct notice *n,
                           const struct secret_store *secrets, struct err *err);

/* Puts a notice into the queue of every channel. key: notices with the same key that still wait
 * become one. */
MUST_CHECK int notify_queue(struct store *s, const struct notify_channel *ch, size_t n_ch,
                            const struct notice *n, const char *key, int64_t now, struct err *err);

/* Sends what is due in that channel. What fails is tried again after 1, 2, 5, 15, 30 and then every
 * 60 minutes; after NOTIFY_TRIES_MAX tries it is given up (event 7003). While the other side cannot
 * be reached or lets nobody in, the rest of the channel waits with the one that was tried. The
 * first failure of a channel is told (event 7002), not that of each notice. Events go to sink.
 * ERR_* of the store only. */
#define NOTIFY_TRIES_MAX 52
MUST_CHECK int notify_flush(struct store *s, const struct notify_channel *ch,
                            const struct secret_store *secrets, int64_t now,
                            const struct event_sink *sink, struct err *err);

/* At the start of a program that sends: what waits is due now (a configuration may have been
 * corrected), and what waits for a channel that is not configured any more is given up. */
MUST_CHECK int notify_begin(struct store *s, const struct notify_channel *ch, size_t n_ch,
                            int64_t now, const struct event_sink *sink, struct err *err);

/* The bodies, for tests and for the queue. */
MUST_CHECK int notice_encode(const struct notice *n, struct buf *ret, struct err *err);
/* Texts point into *keep, which the caller frees with notice_decoded_free. */
struct notice_decoded;
MUST_CHECK int notice_decode(const void *data, size_t len, struct notice *ret,
                             struct notice_decoded **keep, struct err *err);
void notice_decoded_free(struct notice_decoded **keep);
MUST_CHECK int notice_webhook_body(enum notify_kind kind, const struct notice *n, struct buf *ret,
                                   struct err *err);

#endif
