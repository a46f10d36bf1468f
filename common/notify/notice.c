/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A notice as JSON: for the queue, for webhooks, as a card of Teams and of Slack. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/str.h"
#include "base/when.h"
#include "health/finding.h"
#include "notify/notice_int.h"

static json_t *text(const char *s)
{
    json_t *v = s && *s ? json_string(s) : NULL;
    return v ? v : json_null();
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static json_t *plain(const struct notice *n)
{
    char when[WHEN_TEXT_MAX];
    json_t *o = json_object();
    json_object_set_new(o, "schema", json_string("crlagent-notice"));
    json_object_set_new(o, "version", json_integer(1));
    json_object_set_new(o, "id", json_integer(n->id));
    json_object_set_new(o, "severity", json_string(severity_name(n->severity)));
    json_object_set_new(o, "recovered", json_boolean(n->recovered));
    json_object_set_new(o, "when", json_string(when_format(n->when, when)));
    json_object_set_new(o, "ca", text(n->ca));
    json_object_set_new(o, "url", text(n->url));
    json_object_set_new(o, "change", text(n->change_id));
    json_object_set_new(o, "title", text(n->title));
    json_object_set_new(o, "text", text(n->text));
    return o;
}

static int dump(json_t *doc, struct buf *ret, struct err *err)
{
    char *s = json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(doc);
    if (!s)
        return err_nomem(err);
    buf_puts(ret, s);
    free(s);
    return buf_check(ret, "the notice", err);
}

int notice_encode(const struct notice *n, struct buf *ret, struct err *err)
{
    json_t *o = plain(n);
    json_object_set_new(o, "report", text(n->report));
    json_object_set_new(o, "when_seconds", json_integer(n->when));
    return dump(o, ret, err);
}

struct notice_decoded {
    json_t *doc;
};

void notice_decoded_free(struct notice_decoded **keep)
{
    if (!*keep)
        return;
    json_decref((*keep)->doc);
    free(*keep);
    *keep = NULL;
}

static const char *get(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

int notice_decode(const void *data, size_t len, struct notice *ret, struct notice_decoded **keep,
                  struct err *err)
{
    json_error_t why;
    json_t *doc = json_loadb(data, len, 0, &why);
    if (!json_is_object(doc)) {
        json_decref(doc);
        return err_set(err, ERR_PARSE, "a queued notice cannot be read: %s", why.text);
    }
    struct notice_decoded *k = calloc(1, sizeof *k);
    if (!k) {
        json_decref(doc);
        return err_nomem(err);
    }
    k->doc = doc;
    *keep = k;
    enum severity severity = SEV_INFO;
    (void)!severity_parse(or_empty(get(doc, "severity")), &severity, NULL);
    *ret = (struct notice){
        .id = (uint32_t)json_integer_value(json_object_get(doc, "id")),
        .severity = severity,
        .recovered = json_is_true(json_object_get(doc, "recovered")),
        .when = json_integer_value(json_object_get(doc, "when_seconds")),
        .ca = get(doc, "ca"),
        .url = get(doc, "url"),
        .change_id = get(doc, "change"),
        .title = get(doc, "title"),
        .text = get(doc, "text"),
        .report = get(doc, "report"),
    };
    return ERR_OK;
}

static json_t *fact(const char *name, const char *value)
{
    return json_pack("{s:s, s:s}", "title", name, "value", value);
}

static json_t *facts(const struct notice *n)
{
    char when[WHEN_TEXT_MAX];
    json_t *list = json_array();
    json_array_append_new(list, fact("When", when_format(n->when, when)));
    if (n->ca && *n->ca)
        json_array_append_new(list, fact("CA", n->ca));
    if (n->change_id && *n->change_id)
        json_array_append_new(list, fact("Change", n->change_id));
    if (n->url && *n->url)
        json_array_append_new(list, fact("Location", n->url));
    return list;
}

const char *notice_word(const struct notice *n)
{
    if (n->recovered)
        return "Recovered";
    return n->severity == SEV_CRITICAL  ? "Critical"
           : n->severity == SEV_WARNING ? "Warning"
                                        : "Information";
}

/* A TextBlock is Markdown: one line break runs the lines together (AdaptiveCards issue 5538). */
static void paragraphs(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\n')
            buf_putc(out, '\n');
        buf_putc(out, *s);
    }
}

/* An Adaptive Card in the envelope that Teams workflows expect. */
static json_t *teams(const struct notice *n)
{
    SCOPED(buf_free) struct buf title = BUF_INIT;
    SCOPED(buf_free) struct buf part = BUF_INIT;
    SCOPED(buf_free) struct buf lines = BUF_INIT;
    const char *colour = n->recovered                  ? "Good"
                         : n->severity == SEV_CRITICAL ? "Attention"
                         : n->severity == SEV_WARNING  ? "Warning"
                                                       : "Default";
    json_t *body = json_array();
    notice_clip(&title, or_empty(n->title), NOTICE_TITLE_MAX, notice_cost_teams);
    notice_cut(&part, or_empty(n->text), NOTICE_TEAMS_TEXT_MAX, notice_cost_teams);
    paragraphs(&lines, buf_str(&part));
    json_array_append_new(body,
                          json_pack("{s:s, s:s, s:s, s:s, s:b}", "type", "TextBlock", "weight",
                                    "Bolder", "color", colour, "text", notice_word(n), "wrap", 1));
    json_array_append_new(body, json_pack("{s:s, s:s, s:s, s:b}", "type", "TextBlock", "size",
                                          "Medium", "text", buf_str(&title), "wrap", 1));
    json_array_append_new(body, json_pack("{s:s, s:s, s:b}", "type", "TextBlock", "text",
                                          buf_str(&lines), "wrap", 1));
    json_array_append_new(body, json_pack("{s:s, s:o}", "type", "FactSet", "facts", facts(n)));
    json_t *card = json_pack("{s:s, s:s, s:s, s:o}", "$schema",
                             "http://adaptivecards.io/schemas/adaptive-card.json", "type",
                             "AdaptiveCard", "version", "1.4", "body", body);
    return json_pack("{s:s, s:[{s:s, s:o}]}", "type", "message", "attachments", "contentType",
                     "application/vnd.microsoft.card.adaptive", "content", card);
}

/* Slack reads <, > and & as markup. */
static void slack_text(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '&')
            buf_puts(out, "&amp;");
        else if (*s == '<')
            buf_puts(out, "&lt;");
        else if (*s == '>')
            buf_puts(out, "&gt;");
        else
            buf_putc(out, *s);
    }
}

static json_t *slack(const struct notice *n)
{
    SCOPED(buf_free) struct buf title = BUF_INIT;
    SCOPED(buf_free) struct buf body = BUF_INIT;
    SCOPED(buf_free) struct buf part = BUF_INIT;
    notice_clip(&part, or_empty(n->title), NOTICE_TITLE_MAX, notice_cost_slack);
    buf_printf(&title, "%s: ", notice_word(n));
    slack_text(&title, buf_str(&part));
    buf_printf(&body, "*%s*\n", buf_str(&title));
    buf_clear(&part);
    notice_cut(&part, or_empty(n->text), NOTICE_SLACK_MAX - body.len, notice_cost_slack);
    slack_text(&body, buf_str(&part));
    return json_pack("{s:s, s:[{s:s, s:{s:s, s:s}}]}", "text", buf_str(&title), "blocks", "type",
                     "section", "text", "type", "mrkdwn", "text", buf_str(&body));
}

int notice_webhook_body(enum notify_kind kind, const struct notice *n, struct buf *ret,
                        struct err *err)
{
    json_t *doc = kind == NOTIFY_TEAMS ? teams(n) : kind == NOTIFY_SLACK ? slack(n) : plain(n);
    if (!doc)
        return err_set(err, ERR_INVALID, "the notice holds text that is no UTF-8");
    return dump(doc, ret, err);
}
