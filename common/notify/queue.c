/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A notice is in the store before it is sent and leaves it after the other side took it: a crash in
 * between sends it twice, never not at all. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/config.h"
#include "health/finding.h"
#include "notify/notify.h"
#include "store/history.h"

#define BATCH 16
#define GIVEN_UP_SECONDS (10ll * 365 * 86400)
#define WAITING_SECONDS 86400 /* whose next try is further away has been given up */

static enum notify_tls tls_of(enum config_mail_tls t)
{
    return t == CONFIG_MAIL_TLS        ? NOTIFY_TLS_FULL
           : t == CONFIG_MAIL_STARTTLS ? NOTIFY_TLS_STARTTLS
                                       : NOTIFY_TLS_NONE;
}

size_t notify_channels(const struct config *c, struct notify_channel ret[NOTIFY_CHANNELS_MAX])
{
    size_t n = 0;
    if (c->notify.smtp_server && *c->notify.smtp_server && c->notify.smtp_to.n) {
        struct notify_channel *ch = &ret[n++];
        memset(ch, 0, sizeof *ch);
        str_copy(ch->name, sizeof ch->name, "mail");
        ch->kind = NOTIFY_MAIL;
        str_copy(ch->server, sizeof ch->server, c->notify.smtp_server);
        str_copy(ch->from, sizeof ch->from, c->notify.smtp_from);
        ch->to = (const char *const *)c->notify.smtp_to.item;
        ch->n_to = c->notify.smtp_to.n;
        ch->tls = tls_of(c->notify.smtp_security);
        str_copy(ch->credential, sizeof ch->credential, c->notify.smtp_credential);
        ch->timeout_ms = c->notify.send_timeout * 1000;
    }
    if (c->notify.webhook_url && *c->notify.webhook_url) {
        struct notify_channel *ch = &ret[n++];
        memset(ch, 0, sizeof *ch);
        str_copy(ch->name, sizeof ch->name, "webhook");
        ch->kind = notify_webhook_kind(c->notify.webhook_url);
        str_copy(ch->url, sizeof ch->url, c->notify.webhook_url);
        str_copy(ch->credential, sizeof ch->credential, c->notify.webhook_credential);
        ch->proxy = c->notify.webhook_proxy;
        ch->timeout_ms = c->notify.send_timeout * 1000;
    }
    return n;
}

int notify_queue(struct store *s, const struct notify_channel *ch, size_t n_ch,
                 const struct notice *n, const char *key, int64_t now, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    int rc = notice_encode(n, &body, err);
    for (size_t i = 0; !rc && i < n_ch; i++)
        rc = store_notice_add(s, ch[i].name, key, buf_str(&body), body.len, now, err);
    return rc;
}

static int64_t back_off(int32_t tries)
{
    static const int64_t minutes[] = {1, 2, 5, 15, 30, 60};
    size_t i = tries < 0 ? 0 : (size_t)tries;
    return 60 * minutes[i < ARRAY_LEN(minutes) ? i : ARRAY_LEN(minutes) - 1];
}

static void tell(const struct event_sink *sink, uint32_t id, int64_t now, const char *channel,
                 const char *why)
{
    char text[ERR_TEXT_MAX + 200];
    const struct finding_kind *k = finding_kind_by_id(id);
    snprintf(text, sizeof text, "%s (%s): %s", k->title, channel, why);
    struct event ev = {.id = id,
                       .severity = k->severity,
                       .when = now,
                       .text = text,
                       .n_params = 2,
                       .params = {channel, why}};
    event_emit(sink, &ev);
}

static int send_queued(struct store *s, const struct store_notice *q,
                       const struct notify_channel *ch, const struct secret_store *secrets,
                       struct err *why, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    SCOPED(notice_decoded_free) struct notice_decoded *keep = NULL;
    struct notice n;
    int rc = store_notice_body(s, q->id, &body, err);
    if (rc)
        return rc;
    if (!notice_decode(buf_str(&body), body.len, &n, &keep, why))
        (void)!notify_send(ch, &n, secrets, why);
    return ERR_OK;
}

/* Nobody is there, or nobody is let in: the next notice would fare no better. */
static bool whole_channel(const struct err *why)
{
    return why->code == ERR_TIMEOUT || why->code == ERR_UNAVAILABLE || why->code == ERR_DENIED;
}

static int note_failure(struct store *s, const struct store_notice *q, const struct err *why,
                        int64_t now, const struct event_sink *sink, struct err *err)
{
    bool last = q->tries + 1 >= NOTIFY_TRIES_MAX, known = q->tries > 0;
    int64_t next = now + back_off(q->tries);
    int rc = known ? ERR_OK
                   : store_notice_failing(s, q->channel, q->id, now + WAITING_SECONDS, &known, err);
    if (!rc)
        rc = store_notice_failed(s, q->id, last ? now + GIVEN_UP_SECONDS : next, why->text, err);
    if (!rc && whole_channel(why))
        rc = store_notice_postpone(s, q->channel, next, err);
    if (!rc && (last || !known))
        tell(sink, last ? FIND_NOTICE_GIVEN_UP : FIND_NOTICE_NOT_SENT, now, q->channel, why->text);
    return rc;
}

int notify_flush(struct store *s, const struct notify_channel *ch,
                 const struct secret_store *secrets, int64_t now, const struct event_sink *sink,
                 struct err *err)
{
    struct store_notice due[BATCH];
    size_t n = 0;
    int rc = store_notice_due(s, ch->name, now, due, BATCH, &n, err);
    for (size_t i = 0; !rc && i < n; i++) {
        struct err why = ERR_INIT;
        rc = send_queued(s, &due[i], ch, secrets, &why, err);
        if (!rc && !why.code)
            rc = store_notice_sent(s, due[i].id, now, err);
        else if (!rc)
            rc = note_failure(s, &due[i], &why, now, sink, err);
        if (whole_channel(&why))
            break;
    }
    return rc;
}

int notify_begin(struct store *s, const struct notify_channel *ch, size_t n_ch, int64_t now,
                 const struct event_sink *sink, struct err *err)
{
    const char *keep[NOTIFY_CHANNELS_MAX] = {"", ""};
    char text[120];
    int64_t dropped = 0;
    for (size_t i = 0; i < n_ch && i < NOTIFY_CHANNELS_MAX; i++)
        keep[i] = ch[i].name;
    int rc = store_notice_drop_others(
        s, keep, NOTIFY_CHANNELS_MAX, now + WAITING_SECONDS, now + GIVEN_UP_SECONDS,
        "this way of telling is not configured any more", &dropped, err);
    if (!rc)
        rc = store_notice_retry_all(s, now, now + WAITING_SECONDS, err);
    snprintf(text, sizeof text, "%lld waiting, and this way of telling is not configured any more",
             (long long)dropped);
    if (!rc && dropped)
        tell(sink, FIND_NOTICE_GIVEN_UP, now, "queue", text);
    return rc;
}
