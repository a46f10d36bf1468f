/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/url.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const struct scheme {
    const char *prefix;
    enum location_kind kind;
    bool tls;
    uint16_t port; /* its own */
} schemes[] = {
    {"http://", LOC_HTTP, false, 80},
    {"https://", LOC_HTTPS, true, 443},
    {"ldap://", LOC_LDAP, false, 389},
    {"ldaps://", LOC_LDAP, true, 636},
};

const char *location_kind_name(enum location_kind kind)
{
    static const char *const names[] = {"http", "https", "ldap", "file"};
    return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}

const char *location_role_name(enum location_role role)
{
    static const char *const names[] = {"base", "delta", "aia", "ocsp"};
    return (size_t)role < ARRAY_LEN(names) ? names[role] : "unknown";
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int url_decode(const char *text, char *dst, size_t dst_size, struct err *err)
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        char c = *p;
        if (c == '%') {
            int high = hex_digit(p[1]);
            int low = high < 0 ? -1 : hex_digit(p[2]);
            if (low < 0 || (high == 0 && low == 0))
                return err_set(err, ERR_PARSE,
                               "'%.3s' at character %zu is no percent-escape that can be used", p,
                               (size_t)(p - text) + 1);
            c = (char)(high << 4 | low);
            p += 2;
        }
        if (n + 1 >= dst_size)
            return err_set(err, ERR_LIMIT, "the decoded text is longer than %zu bytes",
                           dst_size - 1);
        dst[n++] = c;
    }
    dst[n] = '\0';
    return ERR_OK;
}

bool url_may_follow(const char *url)
{
    return str_starts_nocase(url, "http://") || str_starts_nocase(url, "https://") ||
           str_starts_nocase(url, "ldap:///") || str_starts_nocase(url, "ldaps:///");
}

/* Where the '@' behind a user name is, NULL = there is none. Also when the password holds a '/':
 * then what seems to be the port is no number. */
static const char *user_end(const char *from)
{
    size_t len = strcspn(from, "/?#");
    const char *at = NULL;
    for (size_t i = 0; i < len; i++)
        at = from[i] == '@' ? from + i : at;
    const char *port = from[0] == '[' ? NULL : memchr(from, ':', len);
    if (!at && port && port + 1 + strspn(port + 1, "0123456789") != from + len)
        at = strrchr(from, '@');
    return at;
}

const char *url_mask(const char *text, char *dst, size_t dst_size)
{
    const char *scheme = strstr(text, "://");
    const char *from = scheme ? scheme + 3 : text;
    const char *at = user_end(from);
    /* Without a scheme it is a path, where only "name:password@" is taken for one. */
    const char *colon = at ? memchr(from, ':', (size_t)(at - from)) : NULL;
    if (at && (scheme || (colon && colon != from + 1)))
        snprintf(dst, dst_size, "%.*s***%s", (int)(from - text), text, at);
    else
        (void)str_copy(dst, dst_size, text);
    return dst;
}

/* What a URL may not hold at all, whatever its scheme. */
static int check_text(const char *text, struct err *err)
{
    size_t len = strlen(text);
    if (len == 0)
        return err_set(err, ERR_INVALID, "the location is empty");
    if (len > LIMIT_URL_CHARS)
        return err_set(err, ERR_LIMIT, "the URL has %zu characters, the limit is %u", len,
                       LIMIT_URL_CHARS);
    if (!str_is_utf8(text, len))
        return err_set(err, ERR_INVALID, "the URL is no well-formed UTF-8");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7F)
            return err_set(err, ERR_INVALID,
                           "the URL holds a control character (0x%02X) at character %zu", c, i + 1);
    }
    return ERR_OK;
}

static int take_port(const char *text, size_t len, uint16_t own, uint16_t *ret, struct err *err)
{
    char digits[8];
    uint64_t port = 0;
    if (len == 0) {
        *ret = 0;
        return ERR_OK;
    }
    if (len >= sizeof digits)
        return err_set(err, ERR_INVALID, "the port '%.*s' is no number from 1 to 65535", (int)len,
                       text);
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (str_parse_u64(digits, 1, 65535, &port, NULL))
        return err_set(err, ERR_INVALID, "the port '%s' is no number from 1 to 65535", digits);
    *ret = port == own ? 0 : (uint16_t)port;
    return ERR_OK;
}

static bool host_char(unsigned char c, bool v6)
{
    if (v6)
        return hex_digit((char)c) >= 0 || c == ':' || c == '.';
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c >= 0x80;
}

/* host[:port] between "//" and the path. */
static int take_authority(const char *text, size_t len, const struct scheme *s, struct url *u,
                          struct err *err)
{
    if (user_end(text))
        return err_set(err, ERR_INVALID,
                       "the URL holds a user name; credentials are never sent to a location");
    bool v6 = len > 0 && text[0] == '[';
    const char *end = v6 ? memchr(text, ']', len) : memchr(text, ':', len);
    if (v6 && !end)
        return err_set(err, ERR_INVALID, "the address '%.*s' has no ']'", (int)len, text);
    size_t host_len = end ? (size_t)(end - text) : len;
    const char *after = v6 ? end + 1 : text + host_len;
    size_t after_len = len - (size_t)(after - text);
    const char *host = v6 ? text + 1 : text;
    host_len = v6 ? host_len - 1 : host_len;
    if (host_len >= sizeof u->host)
        return err_set(err, ERR_LIMIT, "the host name has %zu characters, the limit is %zu",
                       host_len, sizeof u->host - 1);
    for (size_t i = 0; i < host_len; i++) {
        char c = host[i];
        u->host[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        if (!host_char((unsigned char)u->host[i], v6))
            return err_set(err, ERR_INVALID, "the host name '%.*s' holds '%c'", (int)host_len, host,
                           c);
    }
    u->host[host_len] = '\0';
    if (after_len == 0)
        return ERR_OK;
    if (after[0] != ':')
        return err_set(err, ERR_INVALID, "expected ':' and a port after the address, found '%.*s'",
                       (int)after_len, after);
    return take_port(after + 1, after_len - 1, s->port, &u->port, err);
}

/* Copies with spaces, quotes and non-ASCII bytes percent-encoded; escapes must be whole. */
static int encode_rest(const char *text, char *dst, size_t dst_size, struct err *err)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        bool escape = c <= 0x20 || c >= 0x7F || strchr("\"<>\\^`{|}", c);
        if (c == '%' && (hex_digit(p[1]) < 0 || hex_digit(p[2]) < 0))
            return err_set(err, ERR_INVALID, "'%.3s' is no percent-escape (write '%%25' for '%%')",
                           p);
        if (n + 4 > dst_size)
            return err_set(err, ERR_LIMIT, "the URL is longer than %u characters when encoded",
                           LIMIT_URL_CHARS);
        if (escape) {
            dst[n++] = '%';
            dst[n++] = digits[c >> 4];
            dst[n++] = digits[c & 15];
        } else {
            dst[n++] = (char)c;
        }
    }
    dst[n] = '\0';
    return ERR_OK;
}

static int finish_text(struct url *u, const char *prefix, const char *rest, struct err *err)
{
    bool v6 = strchr(u->host, ':') != NULL;
    char port[8] = "";
    if (u->port)
        snprintf(port, sizeof port, ":%u", u->port);
    int n = snprintf(u->text, sizeof u->text, "%s%s%s%s%s%s", prefix, v6 ? "[" : "", u->host,
                     v6 ? "]" : "", port, rest);
    if (n < 0 || (size_t)n >= sizeof u->text)
        return err_set(err, ERR_LIMIT, "the URL is longer than %u characters when encoded",
                       LIMIT_URL_CHARS);
    return ERR_OK;
}

static int take_scope(const char *text, int *ret, struct err *err)
{
    static const char *const names[] = {"base", "one", "sub"};
    *ret = 0;
    if (!*text)
        return ERR_OK;
    for (int i = 0; i < 3; i++) {
        if (str_eq_nocase(text, names[i])) {
            *ret = i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID, "the LDAP scope '%.40s' is none of base, one, sub", text);
}

/* Splits "/dn?attribute?scope?filter" (RFC 4516 section 2). */
static int take_ldap(const char *rest, struct url *u, struct err *err)
{
    char part[4][LIMIT_URL_CHARS + 1] = {"", "", "", ""};
    const char *p = rest[0] == '/' ? rest + 1 : rest;
    for (size_t i = 0; i < ARRAY_LEN(part) && *p; i++) {
        size_t len = i == 3 ? strlen(p) : strcspn(p, "?");
        char raw[LIMIT_URL_CHARS + 1];
        memcpy(raw, p, len);
        raw[len] = '\0';
        if (url_decode(raw, part[i], sizeof part[i], err))
            return err_context(err, "LDAP URL");
        p += len + (p[len] == '?');
    }
    if (!part[0][0])
        return err_set(err, ERR_INVALID,
                       "the LDAP URL names no entry: expected a DN after the "
                       "third '/'");
    if (!str_copy(u->path, sizeof u->path, part[0]) ||
        !str_copy(u->attribute, sizeof u->attribute, part[1]))
        return err_set(err, ERR_LIMIT, "the LDAP URL's DN or attribute is too long");
    if (part[3][0] == '(' || !part[3][0]) {
        if (!str_copy(u->filter, sizeof u->filter, part[3]))
            return err_set(err, ERR_LIMIT, "the LDAP URL's filter is too long");
    } else if (snprintf(u->filter, sizeof u->filter, "(%s)", part[3]) >= (int)sizeof u->filter) {
        return err_set(err, ERR_LIMIT, "the LDAP URL's filter is too long");
    }
    return take_scope(part[2], &u->scope, err);
}

static int parse_net(const char *text, const struct scheme *s, struct url *u, struct err *err)
{
    char rest[LIMIT_URL_CHARS + 1];
    const char *p = text + strlen(s->prefix);
    size_t len = strcspn(p, "/?#");
    u->kind = s->kind;
    u->tls = s->tls;
    if (strchr(p, '#'))
        return err_set(err, ERR_INVALID, "the URL has a fragment ('#'); write '%%23' for '#'");
    if (take_authority(p, len, s, u, err))
        return (int)err->code;
    if (!u->host[0] && s->kind != LOC_LDAP)
        return err_set(err, ERR_INVALID, "the URL names no host");
    if (encode_rest(p + len, rest + 1, sizeof rest - 1, err))
        return (int)err->code;
    rest[0] = '/';
    const char *use = rest[1] == '/' ? rest + 1 : rest;
    if (s->kind == LOC_LDAP) {
        if (take_ldap(use, u, err))
            return (int)err->code;
    } else if (!str_copy(u->path, sizeof u->path, use)) {
        return err_set(err, ERR_LIMIT, "the URL is longer than %u characters when encoded",
                       LIMIT_URL_CHARS);
    }
    return finish_text(u, s->prefix, use, err);
}

/* "file:///C:/x", "file:///tmp/x" or "file://server/share/x"; the path is for base/file.h. */
static int parse_file_url(const char *rest, struct url *u, struct err *err)
{
    char decoded[LIMIT_URL_CHARS + 1];
    if (url_decode(rest, decoded, sizeof decoded, err))
        return err_context(err, "file URL");
    if (!decoded[0])
        return ERR_OK; /* no path: the caller says so */
    bool local = decoded[0] == '/' || str_starts_nocase(decoded, "localhost/");
    const char *path = decoded[0] == '/' ? decoded : decoded + (local ? 9 : 0);
    if (!local) {
        int n = snprintf(u->path, sizeof u->path, "\\\\%s", path);
        if (n < 0 || (size_t)n >= sizeof u->path)
            return err_set(err, ERR_LIMIT, "the path is longer than %u characters",
                           LIMIT_URL_CHARS);
        for (char *p = u->path; *p; p++)
            *p = *p == '/' ? '\\' : *p;
        str_copy(u->host, sizeof u->host, path);
        u->host[strcspn(u->host, "/")] = '\0';
    } else {
        bool drive = path[1] && path[2] == ':';
        str_copy(u->path, sizeof u->path, drive ? path + 1 : path);
    }
    return ERR_OK;
}

static int parse_path(const char *text, struct url *u, struct err *err)
{
    u->kind = LOC_FILE;
    if (str_starts_nocase(text, "file://")) {
        if (parse_file_url(text + 7, u, err))
            return (int)err->code;
    } else {
        str_copy(u->path, sizeof u->path, text);
        if (text[0] == '\\' && text[1] == '\\') {
            str_copy(u->host, sizeof u->host, text + 2);
            u->host[strcspn(u->host, "\\/")] = '\0';
        }
    }
    if (!u->path[0])
        return err_set(err, ERR_INVALID, "the file URL names no path");
    str_copy(u->text, sizeof u->text, u->path);
    return ERR_OK;
}

/* "word://" with a scheme that is none of ours: worth its own message. */
static bool foreign_scheme(const char *text)
{
    const char *colon = strstr(text, "://");
    return colon && colon != text && !str_starts_nocase(text, "file://");
}

int url_parse(const char *text, struct url *ret, struct err *err)
{
    struct err local = ERR_INIT;
    struct url u = {0};
    int rc = check_text(text, &local);
    const struct scheme *s = NULL;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (str_starts_nocase(text, schemes[i].prefix))
            s = &schemes[i];
    }
    if (!rc && s)
        rc = parse_net(text, s, &u, &local);
    else if (!rc && foreign_scheme(text))
        rc = err_set(&local, ERR_UNSUPPORTED,
                     "the scheme '%.*s' is none of http, https, ldap, ldaps, file",
                     (int)(strstr(text, "://") - text), text);
    else if (!rc)
        rc = parse_path(text, &u, &local);
    if (rc) {
        char shown[LIMIT_URL_CHARS + 8];
        err_context(&local, "location '%.200s'", url_mask(text, shown, sizeof shown));
        if (err)
            *err = local;
        return rc;
    }
    *ret = u;
    return ERR_OK;
}

bool url_same(const char *a, const char *b)
{
    struct url ua, ub;
    if (url_parse(a, &ua, NULL) || url_parse(b, &ub, NULL))
        return strcmp(a, b) == 0;
    return strcmp(ua.text, ub.text) == 0;
}
