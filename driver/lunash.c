/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/lunash.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"

/* One line without blanks at both ends; false at the end of the text. */
static bool next_line(const char **p, char *dst, size_t size)
{
    if (!**p)
        return false;
    size_t n = strcspn(*p, "\n");
    const char *s = *p;
    const char *e = s + n;
    *p = **p && s[n] ? s + n + 1 : s + n;
    while (s < e && isspace((unsigned char)*s))
        s++;
    while (e > s && isspace((unsigned char)e[-1]))
        e--;
    n = (size_t)(e - s) < size - 1 ? (size_t)(e - s) : size - 1;
    memcpy(dst, s, n);
    dst[n] = '\0';
    return true;
}

bool luna_value(const char *text, const char *key, char *dst, size_t size)
{
    char line[512];
    size_t k = strlen(key);
    for (const char *p = text; next_line(&p, line, sizeof line);) {
        if (!str_starts_nocase(line, key))
            continue;
        const char *v = line + k;
        v += strspn(v, " \t");
        if (*v != ':')
            continue;
        v += 1 + strspn(v + 1, " \t");
        str_copy(dst, size, v);
        return true;
    }
    return false;
}

static enum luna_yes yes_no(const char *text, const char *key)
{
    char v[32] = "";
    if (!luna_value(text, key, v, sizeof v))
        return LUNA_UNSAID;
    return str_eq_nocase(v, "yes") ? LUNA_YES : str_eq_nocase(v, "no") ? LUNA_NO : LUNA_UNSAID;
}

static double number_value(const char *text, const char *key)
{
    char v[48] = "";
    return luna_value(text, key, v, sizeof v) ? strtod(v, NULL) : 0;
}

static int attempts_of(const char *literal)
{
    static const char *const known[] = {"", "1 before HSM zeroization!",
                                        "2 before HSM zeroization!", LUNA_ATTEMPTS_FULL};
    if (str_starts_nocase(literal, "HSM IS ZEROIZED"))
        return 0;
    for (int i = 1; i < 4; i++) {
        if (strcmp(literal, known[i]) == 0)
            return i;
    }
    return -1;
}

static int need(bool found, const char *what, struct err *err)
{
    return found ? ERR_OK
                 : err_set(err, ERR_PARSE, "the answer to 'hsm show' has no line '%s: ...'", what);
}

static void parse_environment(const char *text, struct luna_show *s)
{
    char v[48];
    s->space_free = luna_value(text, "Free Space Left (Bytes)", v, sizeof v)
                        ? (int64_t)strtoll(v, NULL, 10)
                        : -1;
    s->battery = number_value(text, "Battery Voltage");
    s->battery_warning = number_value(text, "Battery Warning Threshold Voltage");
    s->temperature = (int)number_value(text, "System Temp");
    s->temperature_warning = (int)number_value(text, "System Temp Warning Threshold");
    if (strstr(text, "is NOT in FIPS"))
        s->fips = LUNA_NO;
    else if (strstr(text, "The HSM is in FIPS"))
        s->fips = LUNA_YES;
}

int luna_parse_show(const char *text, struct luna_show *ret, struct err *err)
{
    struct luna_show s;
    memset(&s, 0, sizeof s);
    if (strstr(text, "Unable to communicate with HSM"))
        return err_set(err, ERR_UNAVAILABLE,
                       "the shell answers, the HSM card does not "
                       "('Unable to communicate with HSM')");
    int rc = need(luna_value(text, "Software Version", s.software, sizeof s.software),
                  "Software Version", err);
    if (!rc)
        rc = need(luna_value(text, "Firmware", s.firmware, sizeof s.firmware), "Firmware", err);
    if (!rc)
        rc = need(luna_value(text, "HSM Admin login attempts left", s.attempts, sizeof s.attempts),
                  "HSM Admin login attempts left", err);
    if (rc)
        return rc;
    if (!luna_value(text, "HSM Model", s.model, sizeof s.model))
        luna_value(text, "Hardware Model", s.model, sizeof s.model);
    luna_value(text, "HSM Label", s.label, sizeof s.label);
    luna_value(text, "Serial #", s.serial, sizeof s.serial);
    luna_value(text, "Authentication Method", s.auth, sizeof s.auth);
    luna_value(text, "HSM Admin login status", s.login_status, sizeof s.login_status);
    luna_value(text, "HSM Tamper State", s.tamper, sizeof s.tamper);
    s.stm = yes_no(text, "Secure Transport Mode");
    s.rpv = yes_no(text, "RPV Initialized");
    s.manually_zeroized = yes_no(text, "Manually Zeroized");
    s.attempts_left = attempts_of(s.attempts);
    s.zeroized = s.attempts_left == 0 || s.manually_zeroized == LUNA_YES;
    parse_environment(text, &s);
    *ret = s;
    return ERR_OK;
}

static struct luna_row *add_row(struct luna_list *l)
{
    if (l->n == LUNA_LIST_MAX)
        return NULL;
    struct luna_row *r = &l->row[l->n++];
    memset(r, 0, sizeof *r);
    r->number = -1;
    return r;
}

static int too_long(const char *what, struct err *err)
{
    return err_set(err, ERR_LIMIT, "'%s' lists more than %d rows", what, LUNA_LIST_MAX);
}

static bool is_number(const char *word)
{
    return *word && !word[strspn(word, "0123456789")];
}

/* Runs of blanks become one, so that a wider column is no change. What is too long is cut. */
static void squeeze(const char *line, char *dst, size_t size)
{
    size_t n = 0;
    for (; *line && n + 1 < size; line++) {
        bool blank = *line == ' ' || *line == '\t';
        if (!blank)
            dst[n++] = *line;
        else if (n && dst[n - 1] != ' ')
            dst[n++] = ' ';
    }
    dst[n] = '\0';
}

/* " 157826004    testPar1    0    102701    0    102701": the name may hold blanks. */
static bool partition_row(const char *line, struct luna_row *r)
{
    char *word[64] = {0};
    char copy[512];
    size_t n = 0;
    str_copy(copy, sizeof copy, line);
    for (char *p = copy; *p && n < ARRAY_LEN(word);) {
        word[n++] = p;
        p += strcspn(p, " \t");
        if (*p)
            *p++ = '\0';
        p += strspn(p, " \t");
    }
    if (n < 2 || !is_number(word[0]))
        return false;
    str_copy(r->detail, sizeof r->detail, word[0]);
    /* Other columns than those we know: nothing is left out, the whole row is the name. */
    if (n < 6 || !is_number(word[n - 1]) || !is_number(word[n - 2]) || !is_number(word[n - 3]) ||
        !is_number(word[n - 4])) {
        squeeze(line, r->name, sizeof r->name);
        r->number = -1;
        return true;
    }
    const char *name = line + strlen(word[0]);
    name += strspn(name, " \t");
    size_t len = (size_t)((word[n - 4] - copy) - (name - line));
    while (len && isspace((unsigned char)name[len - 1]))
        len--;
    if (len >= sizeof r->name)
        len = sizeof r->name - 1;
    memcpy(r->name, name, len);
    r->name[len] = '\0';
    r->number = strtoll(word[n - 4], NULL, 10);
    return true;
}

int luna_parse_partitions(const char *text, struct luna_list *ret, struct err *err)
{
    char line[512];
    bool table = false;
    ret->n = 0;
    for (const char *p = text; next_line(&p, line, sizeof line);) {
        struct luna_row row;
        memset(&row, 0, sizeof row);
        if (str_starts(line, "=====") || strstr(line, "There are no partitions")) {
            table = true;
            continue;
        }
        if (!table || !line[0])
            continue;
        if (!partition_row(line, &row))
            return err_set(err, ERR_PARSE,
                           "'partition list': expected a row that begins with a serial number, "
                           "found '%.60s'",
                           line);
        struct luna_row *r = add_row(ret);
        if (!r)
            return too_long("partition list", err);
        *r = row;
    }
    return table ? ERR_OK
                 : err_set(err, ERR_PARSE,
                           "the answer to 'partition list' holds no table and no "
                           "'There are no partitions.'");
}

int luna_parse_clients(const char *text, struct luna_list *ret, struct err *err)
{
    char line[512];
    bool seen = strstr(text, "No clients are registered") != NULL;
    ret->n = 0;
    for (const char *p = text; next_line(&p, line, sizeof line);) {
        if (!str_starts_nocase(line, "registered client "))
            continue;
        const char *colon = strchr(line, ':');
        if (!colon)
            continue;
        struct luna_row *r = add_row(ret);
        if (!r)
            return too_long("client list", err);
        seen = true;
        str_copy(r->name, sizeof r->name, colon + 1 + strspn(colon + 1, " "));
    }
    return seen ? ERR_OK
                : err_set(err, ERR_PARSE,
                          "the answer to 'client list' holds no 'registered client' "
                          "line and no 'No clients are registered.'");
}

int luna_parse_routes(const char *text, struct luna_list *ret, struct err *err)
{
    char line[512];
    bool table = false;
    ret->n = 0;
    for (const char *p = text; next_line(&p, line, sizeof line);) {
        char dest[64], gateway[64], mask[64], flags[16], iface[32];
        int metric, refs, use;
        if (str_starts_nocase(line, "Destination") && strstr(line, "Gateway")) {
            table = true;
            continue;
        }
        if (!table || !line[0])
            continue;
        struct luna_row *r = add_row(ret);
        if (!r)
            return too_long("network route show", err);
        int columns = sscanf(line, "%63s %63s %63s %15s %d %d %d %31s", dest, gateway, mask, flags,
                             &metric, &refs, &use, iface);
        str_copy(r->name, sizeof r->name, dest);
        if (columns == 8)
            snprintf(r->detail, sizeof r->detail, "%.30s %.30s %.20s", gateway, mask, iface);
        else /* other columns than those we know: nothing is left out */
            squeeze(line + strlen(dest), r->detail, sizeof r->detail);
    }
    return table ? ERR_OK
                 : err_set(err, ERR_PARSE,
                           "the answer to 'network route show' has no line "
                           "'Destination  Gateway ...'");
}

size_t luna_default_routes(const struct luna_list *routes)
{
    size_t n = 0;
    for (size_t i = 0; i < routes->n; i++)
        n += strcmp(routes->row[i].name, "0.0.0.0") == 0 ||
             strcmp(routes->row[i].name, "default") == 0;
    return n;
}

int luna_parse_packages(const char *text, struct luna_list *ret, struct err *err)
{
    char line[512];
    bool table = false;
    ret->n = 0;
    for (const char *p = text; next_line(&p, line, sizeof line);) {
        if (strstr(line, "RPM LIST")) {
            table = true;
            continue;
        }
        if (!table || !line[0] || line[0] == '-' || strchr(line, ' ') || !strchr(line, '-'))
            continue;
        /* A system holds several hundred; only those with a version matter, and all fit by name. */
        struct luna_row *r = ret->n < LUNA_LIST_MAX ? add_row(ret) : NULL;
        if (r)
            str_copy(r->name, sizeof r->name, line);
    }
    return table ? ERR_OK
                 : err_set(err, ERR_PARSE, "the answer to 'package list' has no line 'RPM LIST'");
}

static bool file_name_in(const char *line, char *dst, size_t size)
{
    const char *ext = strstr(line, ".spkg");
    if (!ext)
        return false;
    const char *start = ext;
    while (start > line && !isspace((unsigned char)start[-1]))
        start--;
    size_t n = (size_t)(ext - start) + 5;
    if (n >= size)
        return false;
    memcpy(dst, start, n);
    dst[n] = '\0';
    return true;
}

int luna_parse_files(const char *text, struct luna_list *ret, struct err *err)
{
    char line[512];
    ret->n = 0;
    for (const char *p = text; next_line(&p, line, sizeof line);) {
        char name[72];
        if (!file_name_in(line, name, sizeof name))
            continue;
        struct luna_row *r = add_row(ret);
        if (!r)
            return too_long("package listfile", err);
        str_copy(r->name, sizeof r->name, name);
        for (char *w = strtok(line, " \t"); w; w = strtok(NULL, " \t")) {
            size_t digits = strspn(w, "0123456789");
            if (digits >= 4 && digits < 16 && !w[digits])
                r->number = strtoll(w, NULL, 10);
        }
    }
    return ERR_OK;
}

enum luna_yes luna_parse_service(const char *text)
{
    if (strstr(text, "is not running"))
        return LUNA_NO;
    return strstr(text, "is running") ? LUNA_YES : LUNA_UNSAID;
}

int luna_parse_disk_free_percent(const char *text)
{
    int lowest = -1;
    for (const char *p = strchr(text, '%'); p; p = strchr(p + 1, '%')) {
        const char *s = p;
        while (s > text && isdigit((unsigned char)s[-1]))
            s--;
        if (s == p || p - s > 3)
            continue;
        int used = (int)strtol(s, NULL, 10);
        if (used <= 100 && (lowest < 0 || 100 - used < lowest))
            lowest = 100 - used;
    }
    return lowest;
}

int64_t luna_parse_counter(const char *text, const char *name)
{
    char v[48];
    if (!luna_value(text, name, v, sizeof v) || !isdigit((unsigned char)v[0]))
        return -1;
    return strtoll(v, NULL, 10);
}

/* "Mon Nov 23 20:15:01 UTC 2026" as date(1) prints it; only UTC and GMT are understood. */
int64_t luna_parse_date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char line[512];
    for (const char *p = text; next_line(&p, line, sizeof line);) {
        char day[8], month[8], zone[8];
        int dom, h, m, s, year;
        if (sscanf(line, "%7s %7s %d %d:%d:%d %7s %d", day, month, &dom, &h, &m, &s, zone, &year) !=
            8)
            continue;
        const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
        if (!at || (at - months) % 3 || (strcmp(zone, "UTC") != 0 && strcmp(zone, "GMT") != 0))
            continue;
        if (year < 1990 || year > 2100 || dom < 1 || dom > 31 || h > 23 || m > 59 || s > 60)
            continue;
        struct when_civil c = {year, (int)(at - months) / 3 + 1, dom, h, m, s};
        return when_from_civil(&c);
    }
    return WHEN_NONE;
}
