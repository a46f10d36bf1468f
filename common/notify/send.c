/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/ossl.h"
#include "base/str.h"
#include "base/when.h"
#include "cdp/url.h"
#include "notify/notice_int.h"

void secret_wipe(struct secret *s)
{
    OPENSSL_cleanse(s, sizeof *s);
}

enum notify_kind notify_webhook_kind(const char *url)
{
    struct url u;
    if (url_parse(url, &u, NULL))
        return NOTIFY_JSON;
    if (strcmp(u.host, "hooks.slack.com") == 0)
        return NOTIFY_SLACK;
    if (str_ends_nocase(u.host, ".webhook.office.com") ||
        str_ends_nocase(u.host, ".logic.azure.com") ||
        str_ends_nocase(u.host, ".api.powerplatform.com"))
        return NOTIFY_TEAMS;
    return NOTIFY_JSON;
}

struct request {
    CURL *easy;
    curl_mime *mime;
    struct curl_slist *headers, *to;
    struct secret secret;
    struct buf body;   /* webhook: all of it; mail: the HTML part */
    struct buf answer; /* first bytes of what came back */
    char curl_text[CURL_ERROR_SIZE];
};

static void request_free(struct request *q)
{
    curl_mime_free(q->mime);
    curl_slist_free_all(q->headers);
    curl_slist_free_all(q->to);
    curl_easy_cleanup(q->easy);
    buf_free(&q->body);
    buf_free(&q->answer);
    secret_wipe(&q->secret);
}

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
    struct buf *b = arg;
    size_t len = size * n, room = 400 - (b->len < 400 ? b->len : 400);
    buf_add(b, data, len < room ? len : room);
    return len;
}

static void add_header(struct curl_slist **list, const char *name, const char *value)
{
    SCOPED(buf_free) struct buf line = BUF_INIT;
    buf_printf(&line, "%s: %s", name, value);
    for (size_t i = 0; i < line.len; i++) /* a header is one line */
        line.data[i] = line.data[i] == '\r' || line.data[i] == '\n' ? ' ' : line.data[i];
    struct curl_slist *more = curl_slist_append(*list, buf_str(&line));
    *list = more ? more : *list;
}

/* RFC 2047 when the text is not plain ASCII; pieces of 45 bytes, never inside a character. */
static void encoded_word(struct buf *out, const char *text)
{
    bool ascii = true;
    for (const char *p = text; *p; p++)
        ascii = ascii && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7F;
    if (ascii) {
        buf_puts(out, text);
        return;
    }
    for (size_t len = strlen(text); len;) {
        unsigned char coded[80];
        size_t take = len < 45 ? len : 45;
        while (take < len && take > 1 && ((unsigned char)text[take] & 0xC0) == 0x80)
            take--;
        EVP_EncodeBlock(coded, (const unsigned char *)text, (int)take);
        buf_printf(out, "%s=?UTF-8?B?%s?=", out->len ? " " : "", (char *)coded);
        text += take;
        len -= take;
    }
}

static int take_secret(const struct notify_channel *ch, const struct secret_store *secrets,
                       struct request *q, struct err *err)
{
    if (!ch->credential[0])
        return ERR_OK;
    if (!secrets)
        return err_set(err, ERR_UNSUPPORTED,
                       "the credential '%s' cannot be read: this build has no "
                       "credential store",
                       ch->credential);
    if (secrets->get(secrets->self, ch->credential, &q->secret, err))
        return err_context(err, "credential '%s'", ch->credential);
    return ERR_OK;
}

static void common_options(const struct notify_channel *ch, struct request *q)
{
    long ms = (long)(ch->timeout_ms ? ch->timeout_ms : 30000);
    curl_easy_setopt(q->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(q->easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(q->easy, CURLOPT_TIMEOUT_MS, ms);
    curl_easy_setopt(q->easy, CURLOPT_CONNECTTIMEOUT_MS, ms);
    curl_easy_setopt(q->easy, CURLOPT_ERRORBUFFER, q->curl_text);
    curl_easy_setopt(q->easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(q->easy, CURLOPT_WRITEDATA, &q->answer);
    curl_easy_setopt(q->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ch->ca_file) {
        curl_easy_setopt(q->easy, CURLOPT_CAINFO, ch->ca_file);
        curl_easy_setopt(q->easy, CURLOPT_CAPATH, NULL);
    } else {
        curl_easy_setopt(q->easy, CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NATIVE_CA);
    }
}

static void add_part(curl_mime *mime, const char *type, const char *data, const char *name)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    curl_mime_data(part, data, CURL_ZERO_TERMINATED);
    curl_mime_type(part, type);
    curl_mime_encoder(part, name ? "base64" : "quoted-printable");
    if (name)
        curl_mime_filename(part, name);
}

static int mail_body(struct request *q, const struct notice *n, struct err *err)
{
    int rc = notice_page(n, &q->body, err);
    if (rc)
        return rc;
    q->mime = curl_mime_init(q->easy);
    curl_mime *both = curl_mime_init(q->easy);
    add_part(both, "text/plain; charset=utf-8", n->text ? n->text : "", NULL);
    add_part(both, "text/html; charset=utf-8", buf_str(&q->body), NULL);
    curl_mimepart *part = curl_mime_addpart(q->mime);
    curl_mime_subparts(part, both);
    curl_mime_type(part, "multipart/alternative");
    if (n->report && *n->report)
        add_part(q->mime, "text/html; charset=utf-8", n->report, "crl-health.html");
    curl_easy_setopt(q->easy, CURLOPT_MIMEPOST, q->mime);
    return ERR_OK;
}

static void mail_headers(const struct notify_channel *ch, struct request *q, const struct notice *n)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    SCOPED(buf_free) struct buf text = BUF_INIT;
    SCOPED(buf_free) struct buf subject = BUF_INIT;
    struct when_civil c = when_to_civil(n->when);
    int64_t day = (n->when - (n->when % 86400 + 86400) % 86400) / 86400;
    char date[64];
    snprintf(date, sizeof date, "%s, %d %s %lld %02d:%02d:%02d +0000",
             days[(size_t)((day % 7 + 7) % 7)], c.day, months[c.month - 1], (long long)c.year,
             c.hour, c.minute, c.second);
    add_header(&q->headers, "Date", date);
    add_header(&q->headers, "From", ch->from);
    for (size_t i = 0; i < ch->n_to; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", ch->to[i]);
    add_header(&q->headers, "To", buf_str(&text));
    buf_clear(&text);
    buf_printf(&text, "[%s] %s%s%s",
               n->recovered                  ? "RECOVERED"
               : n->severity == SEV_CRITICAL ? "CRITICAL"
               : n->severity == SEV_WARNING  ? "WARNING"
                                             : "INFO",
               n->title ? n->title : "", n->ca && *n->ca ? " - " : "", n->ca ? n->ca : "");
    encoded_word(&subject, buf_str(&text));
    add_header(&q->headers, "Subject", buf_str(&subject));
    /* RFC 3834: no out-of-office answers, please. */
    add_header(&q->headers, "Auto-Submitted", "auto-generated");
    if (n->severity == SEV_CRITICAL && !n->recovered)
        add_header(&q->headers, "Importance", "high");
    curl_easy_setopt(q->easy, CURLOPT_HTTPHEADER, q->headers);
}

static int set_up_mail(const struct notify_channel *ch, struct request *q, const struct notice *n,
                       struct err *err)
{
    char url[320];
    if (q->secret.password[0] && ch->tls == NOTIFY_TLS_NONE)
        return err_set(err, ERR_INVALID,
                       "a password is configured and TLS is not: the password would be readable; "
                       "set the mail server's security to starttls or tls");
    snprintf(url, sizeof url, "%s://%s", ch->tls == NOTIFY_TLS_FULL ? "smtps" : "smtp", ch->server);
    curl_easy_setopt(q->easy, CURLOPT_URL, url);
    curl_easy_setopt(q->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(q->easy, CURLOPT_USE_SSL,
                     (long)(ch->tls == NOTIFY_TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(q->easy, CURLOPT_MAIL_FROM, ch->from);
    for (size_t i = 0; i < ch->n_to; i++) {
        struct curl_slist *more = curl_slist_append(q->to, ch->to[i]);
        q->to = more ? more : q->to;
    }
    curl_easy_setopt(q->easy, CURLOPT_MAIL_RCPT, q->to);
    if (q->secret.password[0]) {
        curl_easy_setopt(q->easy, CURLOPT_USERNAME, q->secret.user);
        curl_easy_setopt(q->easy, CURLOPT_PASSWORD, q->secret.password);
    }
    mail_headers(ch, q, n);
    return mail_body(q, n, err);
}

static int set_up_webhook(const struct notify_channel *ch, struct request *q,
                          const struct notice *n, struct err *err)
{
    int rc = notice_webhook_body(ch->kind, n, &q->body, err);
    if (rc)
        return rc;
    curl_easy_setopt(q->easy, CURLOPT_URL, ch->url);
    curl_easy_setopt(q->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (ch->proxy)
        curl_easy_setopt(q->easy, CURLOPT_PROXY, ch->proxy);
    curl_easy_setopt(q->easy, CURLOPT_POSTFIELDS, buf_str(&q->body));
    curl_easy_setopt(q->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
    curl_easy_setopt(q->easy, CURLOPT_USERAGENT, "crlagent/" CRLAGENT_VERSION);
    add_header(&q->headers, "Content-Type", "application/json");
    if (q->secret.password[0]) {
        char bearer[SECRET_MAX + 16];
        snprintf(bearer, sizeof bearer, "Bearer %s", q->secret.password);
        add_header(&q->headers, "Authorization", bearer);
        OPENSSL_cleanse(bearer, sizeof bearer);
    }
    curl_easy_setopt(q->easy, CURLOPT_HTTPHEADER, q->headers);
    return ERR_OK;
}

/* Where it went, without the secret that a webhook URL holds. */
static void describe(const struct notify_channel *ch, char dst[320])
{
    struct url u;
    if (ch->kind == NOTIFY_MAIL)
        snprintf(dst, 320, "mail server '%.200s'", ch->server);
    else if (url_parse(ch->url, &u, NULL))
        snprintf(dst, 320, "webhook");
    else
        snprintf(dst, 320, "webhook at '%.200s'", u.host);
}

/* Teams' connectors answer 200 and say in the body what became of the message. */
static long teams_status(const struct buf *answer, long status)
{
    const char *at = strstr(buf_str(answer), "returned HTTP error ");
    long said = at ? strtol(at + strlen("returned HTTP error "), NULL, 10) : 0;
    return said >= 400 && said < 600 ? said : status;
}

static int judge_answer(const struct notify_channel *ch, struct request *q, CURLcode code,
                        struct err *err)
{
    long status = 0;
    char where[320];
    enum err_code kind = ERR_IO;
    describe(ch, where);
    curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &status);
    if (ch->kind == NOTIFY_TEAMS)
        status = teams_status(&q->answer, status);
    if (code == CURLE_OPERATION_TIMEDOUT)
        kind = ERR_TIMEOUT;
    else if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        kind = ERR_UNAVAILABLE;
    else if (code == CURLE_LOGIN_DENIED)
        kind = ERR_DENIED;
    if (code == CURLE_LOGIN_DENIED)
        return err_set_os(err, kind, (long)code,
                          "%s: the login of '%.100s' was refused (%ld); store the right password: "
                          "crlagent secret set %.100s --user %.100s",
                          where, q->secret.user, status, ch->credential, q->secret.user);
    if (code)
        return err_set_os(err, kind, (long)code, "%s: %s%s", where,
                          q->curl_text[0] ? q->curl_text : curl_easy_strerror(code),
                          status && ch->kind == NOTIFY_MAIL ? " (the server refused)" : "");
    if (ch->kind != NOTIFY_MAIL && (status < 200 || status > 299))
        return err_set_os(err, status == 401 || status == 403 ? ERR_DENIED : ERR_IO, status,
                          "%s: expected 200 to 299, found %ld: %.300s", where, status,
                          str_is_utf8(buf_str(&q->answer), q->answer.len) ? buf_str(&q->answer)
                                                                          : "");
    return ERR_OK;
}

static int send_once(const struct notify_channel *ch, const struct notice *n,
                     const struct secret_store *secrets, struct err *err)
{
    struct request q = {.easy = curl_easy_init()};
    int rc = q.easy ? take_secret(ch, secrets, &q, err) : err_nomem(err);
    if (!rc) {
        common_options(ch, &q);
        rc = ch->kind == NOTIFY_MAIL ? set_up_mail(ch, &q, n, err) : set_up_webhook(ch, &q, n, err);
    }
    if (!rc)
        rc = judge_answer(ch, &q, curl_easy_perform(q.easy), err);
    request_free(&q);
    return rc;
}

/* The same would be refused again: 408 and 429 pass, 401 and 403 are about who asks. */
static bool refused_for_good(const struct notify_channel *ch, const struct err *why)
{
    return ch->kind != NOTIFY_MAIL && why->code == ERR_IO && why->os_code >= 400 &&
           why->os_code < 500 && why->os_code != 408 && why->os_code != 429;
}

int notify_send(const struct notify_channel *ch, const struct notice *n,
                const struct secret_store *secrets, struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err why = ERR_INIT, again = ERR_INIT;
    int rc = send_once(ch, n, secrets, &why);
    if (rc && refused_for_good(ch, &why)) {
        struct notice brief = notice_short(n, &text);
        if (strcmp(brief.text, n->text ? n->text : "") != 0 &&
            !send_once(ch, &brief, secrets, &again))
            return ERR_OK;
    }
    if (rc && err)
        *err = why;
    return rc;
}
