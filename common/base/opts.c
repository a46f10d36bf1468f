/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/opts.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/when.h"

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein distance of two short names; one row at a time. */
static size_t distance(const char *a, const char *b)
{
    enum { MAX = 32 };
    size_t row[MAX + 1];
    size_t nb = strlen(b);
    if (nb > MAX || strlen(a) > MAX)
        return MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < nb; j++) {
            size_t above = row[j + 1];
            row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[nb];
}

static const struct opt *nearest(const struct opts *o, const char *name)
{
    const struct opt *best = NULL;
    size_t best_distance = 4;
    for (size_t i = 0; i < o->n; i++) {
        size_t d = distance(name, o->table[i].name);
        if (d < best_distance) {
            best_distance = d;
            best = &o->table[i];
        }
    }
    return best;
}

static const struct opt *find(const struct opts *o, const char *name, size_t len)
{
    for (size_t i = 0; i < o->n; i++) {
        if (strlen(o->table[i].name) == len && strncmp(o->table[i].name, name, len) == 0)
            return &o->table[i];
    }
    return NULL;
}

static int store(const struct opt *opt, const char *value, struct err *err)
{
    int rc = ERR_OK;
    switch (opt->kind) {
    case OPT_FLAG:
        *(bool *)opt->target = true;
        break;
    case OPT_TEXT:
        *(const char **)opt->target = value;
        break;
    case OPT_LIST: {
        struct opt_list *list = opt->target;
        if (list->n == OPT_LIST_MAX)
            return err_set(err, ERR_INVALID, "--%s is given more than %d times", opt->name,
                           OPT_LIST_MAX);
        list->item[list->n++] = value;
        break;
    }
    case OPT_NUMBER:
        rc = str_parse_u64(value, 0, UINT64_MAX, opt->target, err);
        break;
    case OPT_DURATION:
        rc = duration_parse(value, opt->target, err);
        break;
    case OPT_TIME:
        rc = when_parse(value, opt->target, err);
        break;
    }
    if (rc) {
        err_context(err, "--%s", opt->name);
        if (err)
            err->code = ERR_INVALID;
        return ERR_INVALID;
    }
    return ERR_OK;
}

static int unknown(const struct opts *o, const char *arg, const char *name, size_t len,
                   struct err *err)
{
    SCOPED(scope_free) char *copy = str_ndup(name, len);
    const struct opt *near_opt = copy ? nearest(o, copy) : NULL;
    if (near_opt)
        return err_set(err, ERR_INVALID, "unknown option '%s'; did you mean '--%s'?", arg,
                       near_opt->name);
    return err_set(err, ERR_INVALID, "unknown option '%s'; '--help' lists the options", arg);
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0 || strcmp(arg, "/?") == 0 ||
           strcmp(arg, "-?") == 0;
}

/* One option; *i moves over its value. */
static int take_option(const struct opts *o, int argc, char **argv, int *i, struct err *err)
{
    const char *arg = argv[*i];
    const char *name = arg + (arg[1] == '-' ? 2 : 1);
    const char *eq = strchr(name, '=');
    size_t len = eq ? (size_t)(eq - name) : strlen(name);
    const struct opt *opt = find(o, name, len);
    if (!opt)
        return unknown(o, arg, name, len, err);
    if (opt->kind == OPT_FLAG) {
        if (eq)
            return err_set(err, ERR_INVALID, "--%s takes no value, found '%s'", opt->name, eq + 1);
        return store(opt, NULL, err);
    }
    if (!eq && *i + 1 >= argc)
        return err_set(err, ERR_INVALID, "--%s needs a value: --%s %s", opt->name, opt->name,
                       opt->value);
    return store(opt, eq ? eq + 1 : argv[++*i], err);
}

int opts_parse(const struct opts *o, int argc, char **argv, int *ret_args, bool *ret_help,
               struct err *err)
{
    int args = 0;
    bool only_args = false;
    *ret_help = false;
    for (int i = 0; i < argc; i++) {
        if (!only_args && is_help(argv[i])) {
            *ret_help = true;
            return ERR_OK;
        }
    }
    for (int i = 0; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (!only_args && argv[i][0] == '-' && argv[i][1] != '\0') {
            int rc = take_option(o, argc, argv, &i, err);
            if (rc)
                return rc;
        } else {
            argv[args++] = argv[i];
        }
    }
    if ((size_t)args < o->min_args)
        return err_set(err, ERR_INVALID, "expected %zu argument%s, found %d", o->min_args,
                       o->min_args == 1 ? "" : "s", args);
    if ((size_t)args > o->max_args)
        return err_set(err, ERR_INVALID, "unexpected argument '%s'", argv[o->max_args]);
    *ret_args = args;
    return ERR_OK;
}

void opts_help(const struct opts *o, struct buf *out)
{
    size_t width = 0;
    for (size_t i = 0; i < o->n; i++) {
        size_t w =
            strlen(o->table[i].name) + (o->table[i].value ? strlen(o->table[i].value) + 1 : 0);
        width = w > width ? w : width;
    }
    for (size_t i = 0; i < o->n; i++) {
        const struct opt *opt = &o->table[i];
        char left[80];
        snprintf(left, sizeof left, "%s%s%s", opt->name, opt->value ? " " : "",
                 opt->value ? opt->value : "");
        buf_printf(out, "  --%-*s  %s\n", (int)width, left, opt->help);
    }
}
