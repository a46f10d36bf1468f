/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/logfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/when.h"

struct logfile {
    char *path;
    FILE *file; /* NULL after a failed turn-over: tried again with the next line */
    uint64_t size, max_bytes;
    unsigned keep;
    enum severity lowest;
    uint64_t lost; /* lines that could not be written */
};

static int reopen(struct logfile *f, struct err *err)
{
    struct file_info info;
    struct err none = ERR_INIT;
    int rc = file_open(f->path, "ab", &f->file, err);
    if (!rc)
        f->size = file_stat(f->path, &info, &none) ? 0 : info.size;
    return rc;
}

int logfile_open(const char *path, uint64_t max_bytes, unsigned keep, enum severity lowest,
                 struct logfile **ret, struct err *err)
{
    SCOPED(logfile_close) struct logfile *f = calloc(1, sizeof *f);
    if (!f)
        return err_nomem(err);
    *f = (struct logfile){
        .path = str_dup(path), .max_bytes = max_bytes, .keep = keep, .lowest = lowest};
    int rc = f->path ? reopen(f, err) : err_nomem(err);
    if (!rc)
        *ret = steal_ptr(f);
    return rc;
}

void logfile_close(struct logfile **f)
{
    if (!*f)
        return;
    if ((*f)->file)
        fclose((*f)->file);
    free((*f)->path);
    free(*f);
    *f = NULL;
}

static void numbered(const struct logfile *f, unsigned n, struct buf *out)
{
    buf_clear(out);
    if (n)
        buf_printf(out, "%s.%u", f->path, n);
    else
        buf_puts(out, f->path);
}

/* The oldest is replaced by the rename; a rename that fails (somebody reads the file) leaves the
 * log longer than wanted, and complete. */
static void turn_over(struct logfile *f)
{
    SCOPED(buf_free) struct buf from = BUF_INIT, to = BUF_INIT;
    struct err err = ERR_INIT;
    fclose(f->file);
    f->file = NULL;
    for (unsigned n = f->keep; n-- > 0;) {
        numbered(f, n, &from);
        numbered(f, n + 1, &to);
        struct file_info info;
        if (file_stat(buf_str(&from), &info, &err) == ERR_OK &&
            file_rename(buf_str(&from), buf_str(&to), &err))
            break;
    }
    if (reopen(f, &err))
        f->file = NULL;
}

static void write_line(struct logfile *f, const char *line)
{
    struct err err = ERR_INIT;
    size_t len = strlen(line);
    if (f->file && f->size && f->size + len > f->max_bytes)
        turn_over(f);
    if (!f->file && reopen(f, &err)) {
        f->lost++;
        return;
    }
    if (fwrite(line, 1, len, f->file) != len || fflush(f->file)) {
        f->lost++;
        fclose(f->file);
        f->file = NULL;
        return;
    }
    f->size += len;
}

static void emit(void *self, const struct event *ev)
{
    static const char *const words[] = {"OK", "INFO", "WARNING", "CRITICAL"};
    struct logfile *f = self;
    char when[WHEN_TEXT_MAX];
    SCOPED(buf_free) struct buf line = BUF_INIT;
    if (ev->severity < f->lowest)
        return;
    if (f->lost)
        buf_printf(&line, "%s WARNING 0 %llu lines before this one could not be written\n",
                   when_format(ev->when, when), (unsigned long long)f->lost);
    f->lost = 0;
    buf_printf(&line, "%s %s %u ", when_format(ev->when, when),
               words[(unsigned)ev->severity < ARRAY_LEN(words) ? ev->severity : SEV_CRITICAL],
               ev->id);
    /* One event stays one line, whatever is in its text. */
    for (const char *p = ev->text ? ev->text : ""; *p; p++)
        buf_putc(&line, (unsigned char)*p < 0x20 ? ' ' : *p);
    buf_putc(&line, '\n');
    write_line(f, buf_str(&line));
}

struct event_sink logfile_sink(struct logfile *f)
{
    return (struct event_sink){emit, f};
}
