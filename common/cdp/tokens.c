/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/tokens.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define SHORT_NAME_CHARS 51 /* [MS-WCCE] 3.1.1.4.1.1.2 */

/* Next character of well-formed UTF-8; *p moves behind it. */
static uint32_t next_char(const char **p)
{
    const uint8_t *s = (const uint8_t *)*p;
    uint32_t c = s[0];
    size_t extra = c < 0x80 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    uint32_t v = extra ? c & (0x3Fu >> extra) : c;
    for (size_t i = 1; i <= extra; i++)
        v = v << 6 | (s[i] & 0x3Fu);
    *p += extra + 1;
    return v;
}

static bool allowed(uint32_t c)
{
    return c >= 0x20 && c <= 0x7E && !strchr("!\"#%&'()*+,/:;<=>?[\\]^`{|}", (int)c);
}

/* One escape per UTF-16 unit, as the CA counts characters. */
static void add_sanitized(struct buf *out, uint32_t c)
{
    if (allowed(c)) {
        buf_putc(out, (char)c);
    } else if (c < 0x10000) {
        buf_printf(out, "!%04x", c);
    } else {
        c -= 0x10000;
        buf_printf(out, "!%04x!%04x", 0xD800 + (c >> 10), 0xDC00 + (c & 0x3FF));
    }
}

static int sanitize(const char *name, struct buf *out, struct err *err)
{
    if (!str_is_utf8(name, strlen(name)))
        return err_set(err, ERR_PARSE, "the CA name is no well-formed UTF-8");
    for (const char *p = name; *p;)
        add_sanitized(out, next_char(&p));
    return buf_check(out, "the sanitized CA name", err);
}

static int copy_out(const char *text, char *dst, size_t dst_size, struct err *err)
{
    if (strlen(text) >= dst_size)
        return err_set(err, ERR_LIMIT, "the sanitized CA name has %zu characters, room is for %zu",
                       strlen(text), dst_size - 1);
    str_copy(dst, dst_size, text);
    return ERR_OK;
}

int tokens_sanitize(const char *name, char *dst, size_t dst_size, struct err *err)
{
    SCOPED(buf_free) struct buf out = BUF_INIT;
    int rc = sanitize(name, &out, err);
    return rc ? rc : copy_out(buf_str(&out), dst, dst_size, err);
}

int tokens_sanitize_short(const char *name, char *dst, size_t dst_size, struct err *err)
{
    SCOPED(buf_free) struct buf out = BUF_INIT;
    int rc = sanitize(name, &out, err);
    if (rc)
        return rc;
    if (out.len <= SHORT_NAME_CHARS)
        return copy_out(buf_str(&out), dst, dst_size, err);
    size_t cut = SHORT_NAME_CHARS;
    for (size_t i = SHORT_NAME_CHARS - 4; i < SHORT_NAME_CHARS; i++) {
        if (out.data[i] == '!') {
            cut = i;
            break;
        }
    }
    uint16_t hash = 0; /* rotate left by one, add the character */
    for (size_t i = cut; i < out.len; i++)
        hash = (uint16_t)((uint16_t)(hash << 1 | hash >> 15) + (unsigned char)out.data[i]);
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_printf(&text, "%.*s-%05u", (int)cut, out.data, hash);
    rc = buf_check(&text, "the short CA name", err);
    return rc ? rc : copy_out(buf_str(&text), dst, dst_size, err);
}

static void add_text(struct buf *out, const char *text, bool encode)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (encode && (c <= 0x20 || c >= 0x7F || strchr("\"#%<>?\\^`{|}", c)))
            buf_printf(out, "%%%02X", c);
        else
            buf_putc(out, (char)c);
    }
}

static int add_known(struct buf *out, const char *text, bool encode, const char *token,
                     struct err *err)
{
    if (!text)
        return err_set(err, ERR_INVALID, "the value of %s is not known here", token);
    add_text(out, text, encode);
    return ERR_OK;
}

static int add_server_short(struct buf *out, const struct token_values *v, struct err *err)
{
    if (v->server_netbios)
        return add_known(out, v->server_netbios, v->url_encode, "%2", err);
    if (!v->server_dns)
        return add_known(out, NULL, false, "%2", err);
    for (const char *p = v->server_dns; *p && *p != '.' && p - v->server_dns < 15; p++)
        buf_putc(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
    return ERR_OK;
}

static int add_name(struct buf *out, const struct token_values *v, bool is_short, struct err *err)
{
    char name[1024];
    if (!v->ca_name)
        return add_known(out, NULL, false, is_short ? "%7" : "%3", err);
    int rc = is_short ? tokens_sanitize_short(v->ca_name, name, sizeof name, err)
                      : tokens_sanitize(v->ca_name, name, sizeof name, err);
    if (!rc)
        add_text(out, name, v->url_encode);
    return rc;
}

static void add_index(struct buf *out, uint32_t index)
{
    if (index)
        buf_printf(out, "(%u)", index);
}

static int add_token(struct buf *out, unsigned token, const struct token_values *v, struct err *err)
{
    switch (token) {
    case 1:
        return add_known(out, v->server_dns, v->url_encode, "%1", err);
    case 2:
        return add_server_short(out, v, err);
    case 3:
        return add_name(out, v, false, err);
    case 4:
        add_index(out, v->cert_index);
        return ERR_OK;
    case 5:
        return add_known(out, v->domain_dn, v->url_encode, "%5", err);
    case 6:
        return add_known(out, v->config_dn, v->url_encode, "%6", err);
    case 7:
        return add_name(out, v, true, err);
    case 8:
        add_index(out, v->key_index);
        return ERR_OK;
    case 9:
        buf_puts(out, v->delta ? "+" : "");
        return ERR_OK;
    case 10:
        buf_printf(out, "?%s?base?objectClass=cRLDistributionPoint",
                   v->delta ? "deltaRevocationList" : "certificateRevocationList");
        return ERR_OK;
    case 11:
        buf_puts(out, "?cACertificate?base?objectClass=certificationAuthority");
        return ERR_OK;
    default:
        return err_set(err, ERR_INVALID, "'%%%u' is no token that can be expanded (%%1 to %%11)",
                       token);
    }
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

int tokens_expand(const char *pattern, const struct token_values *v, char *dst, size_t dst_size,
                  struct err *err)
{
    static const char partition[] = "<CRLPartitionIndex>";
    SCOPED(buf_free) struct buf out = BUF_INIT;
    bool partition_done = false;
    for (const char *p = pattern; *p;) {
        /* "%20" in a template is an escape of the URL, not token 2 and a zero. */
        if (*p == '%' && digit(p[1]) && !(p[1] == '2' && p[2] == '0')) {
            unsigned token = (unsigned)(p[1] - '0');
            size_t used = 2;
            if (token == 1 && p[2] >= '0' && p[2] <= '4') {
                token = 10 + (unsigned)(p[2] - '0');
                used = 3;
            }
            int rc = add_token(&out, token, v, err);
            if (rc)
                return err_context(err, "location template '%.200s'", pattern);
            p += used;
        } else if (!partition_done && str_starts(p, partition)) {
            if (v->partition)
                buf_printf(&out, "_Partition%05u", v->partition);
            partition_done = true;
            p += sizeof partition - 1;
        } else {
            buf_putc(&out, *p++);
        }
    }
    if (buf_check(&out, "the location", err))
        return ERR_NOMEM;
    if (out.len >= dst_size)
        return err_set(err, ERR_LIMIT,
                       "location template '%.200s': %zu characters, room is for %zu", pattern,
                       out.len, dst_size - 1);
    str_copy(dst, dst_size, buf_str(&out));
    return ERR_OK;
}
