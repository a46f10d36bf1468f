/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/str.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

char *str_ndup(const char *s, size_t n)
{
    if (!s)
        return NULL;
    const char *end = memchr(s, '\0', n);
    size_t len = end ? (size_t)(end - s) : n;
    char *p = malloc(len + 1);
    if (p) {
        memcpy(p, s, len);
        p[len] = '\0';
    }
    return p;
}

char *str_dup(const char *s)
{
    return s ? str_ndup(s, strlen(s)) : NULL;
}

bool str_copy(char *dst, size_t dst_size, const char *src)
{
    size_t n = src ? strlen(src) : 0;
    bool whole = n < dst_size;
    if (!whole) {
        n = dst_size - 1;
        while (n > 0 && ((unsigned char)src[n] & 0xC0) == 0x80)
            n--;
    }
    if (n)
        memcpy(dst, src, n);
    dst[n] = '\0';
    return whole;
}

bool str_copy_words(char *dst, size_t dst_size, const char *src)
{
    static const char more[] = " ...";
    if (str_copy(dst, dst_size, src))
        return true;
    if (dst_size <= sizeof more || !str_copy(dst, dst_size - sizeof more + 1, src)) {
        size_t n = strlen(dst), cut = n;
        while (cut && dst[cut - 1] != ' ' && src[n] != ' ')
            cut--;
        n = cut ? cut : n; /* one endless word is cut where it is */
        while (n && dst[n - 1] == ' ')
            n--;
        if (n + sizeof more <= dst_size)
            memcpy(dst + n, more, sizeof more);
    }
    return false;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool str_eq_nocase(const char *a, const char *b)
{
    while (*a && lower((unsigned char)*a) == lower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

bool str_starts_nocase(const char *s, const char *prefix)
{
    for (; *prefix; s++, prefix++) {
        if (lower((unsigned char)*s) != lower((unsigned char)*prefix))
            return false;
    }
    return true;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends_nocase(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t m = strlen(suffix);
    return m <= n && str_eq_nocase(s + n - m, suffix);
}

bool str_is_utf8(const char *s, size_t len)
{
    const uint8_t *p = (const uint8_t *)s;
    for (size_t i = 0; i < len;) {
        uint8_t c = p[i];
        size_t extra = c < 0x80             ? 0
                       : (c & 0xE0) == 0xC0 ? 1
                       : (c & 0xF0) == 0xE0 ? 2
                       : (c & 0xF8) == 0xF0 ? 3
                                            : 9;
        if (extra == 9 || extra >= len - i)
            return false;
        uint32_t v = extra == 0 ? c : c & (0x3Fu >> extra);
        for (size_t k = 1; k <= extra; k++) {
            if ((p[i + k] & 0xC0) != 0x80)
                return false;
            v = (v << 6) | (p[i + k] & 0x3Fu);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (v < least[extra] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
            return false;
        i += extra + 1;
    }
    return true;
}

void str_hex(char *dst, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        dst[2 * i] = digits[p[i] >> 4];
        dst[2 * i + 1] = digits[p[i] & 15];
    }
    dst[2 * len] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    int l = lower((unsigned char)c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

int str_unhex(const char *hex, uint8_t *dst, size_t dst_size, size_t *ret_len, struct err *err)
{
    size_t n = strlen(hex);
    if (n % 2)
        return err_set(err, ERR_PARSE, "hexadecimal text has %zu digits, expected an even number",
                       n);
    if (n / 2 > dst_size)
        return err_set(err, ERR_LIMIT, "hexadecimal text holds %zu bytes, expected at most %zu",
                       n / 2, dst_size);
    for (size_t i = 0; i < n; i++) {
        if (hex_value(hex[i]) < 0)
            return err_set(err, ERR_PARSE, "character %zu is not a hexadecimal digit", i + 1);
    }
    for (size_t i = 0; i < n / 2; i++)
        dst[i] = (uint8_t)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
    *ret_len = n / 2;
    return ERR_OK;
}

int str_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
    uint64_t v = 0;
    if (!*s)
        return err_set(err, ERR_PARSE, "expected a number, found nothing");
    for (const char *p = s; *p; p++) {
        if (*p < '0' || *p > '9')
            return err_set(err, ERR_PARSE, "expected a whole number, found '%.40s'", s);
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return err_set(err, ERR_LIMIT, "'%.40s' is too large", s);
        v = v * 10 + digit;
    }
    if (v < min || v > max)
        return err_set(err, ERR_LIMIT, "%" PRIu64 " is outside %" PRIu64 "..%" PRIu64, v, min, max);
    *ret = v;
    return ERR_OK;
}
