/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the operator sees. Plain lines go to standard error; on a terminal a progress line is
 * repainted in place, elsewhere a plain line appears now and then. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "driver/driver.h"
#include "driver/term.h"

#define PLAIN_EVERY_MS 30000
#define BAR_CELLS 24
#define NO_LIMIT_MS (12 * 3600 * 1000)
#define TEXT_COLUMN 9 /* behind the time */

int64_t driver_now(const struct driver *drv)
{
    return clock_now(drv->clock);
}

void progress_end(struct driver *drv)
{
    if (drv->bar_shown)
        fputc('\n', drv->err);
    drv->bar_shown = false;
}

static void clear_line(struct driver *drv)
{
    if (drv->bar_shown)
        fprintf(drv->err, "\r\x1b[K");
    drv->bar_shown = false;
}

/* On a terminal a long text goes on below its own beginning; a word is never cut. */
static void print_wrapped(struct driver *drv, const char *head, const char *text)
{
    size_t width = drv->err_tty ? (size_t)drv->columns - 1 : SIZE_MAX, column = strlen(head);
    fputs(head, drv->err);
    while (*text) {
        size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " ");
        if (column + blanks + word > width && column > TEXT_COLUMN) {
            fprintf(drv->err, "\n%*s", TEXT_COLUMN, "");
            column = TEXT_COLUMN;
            text += blanks;
            blanks = 0;
        }
        fprintf(drv->err, "%.*s", (int)(blanks + word), text);
        column += blanks + word;
        text += blanks + word;
    }
    fputc('\n', drv->err);
}

void say(struct driver *drv, const char *owner, const char *fmt, ...)
{
    SCOPED(buf_free) struct buf clean = BUF_INIT;
    struct err ignored = ERR_INIT;
    char text[1600], head[100];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    transcript_redact(drv->transcript, text, strlen(text), &clean);
    clear_line(drv);
    struct when_civil c = when_to_civil(clock_now(drv->clock));
    snprintf(head, sizeof head, "%02d:%02d:%02d %s%s%s", c.hour, c.minute, c.second,
             owner[0] ? "[" : "", owner, owner[0] ? "] " : "");
    print_wrapped(drv, head, buf_str(&clean));
    fflush(drv->err);
    drv->told_ms = 0;
    transcript_note(drv->transcript, clock_now(drv->clock), buf_str(&clean));
    if (drv->journal)
        (void)!journal_event(drv->journal, clock_now(drv->clock), owner, buf_str(&clean), &ignored);
}

/* On a terminal: the line is repainted. Elsewhere: at the first call and then every 30 s. */
static void paint(struct driver *drv, const char *owner, const char *text)
{
    int64_t now = clock_mono_ms(drv->clock);
    if (drv->opt.quiet)
        return;
    if (drv->err_tty) {
        fprintf(drv->err, "\r\x1b[K%.*s", drv->columns - 1, text);
        drv->bar_shown = true;
    } else if (!drv->told_ms || now - drv->told_ms >= PLAIN_EVERY_MS) {
        fprintf(drv->err, "         [%s] %s\n", owner, text);
        drv->told_ms = now;
    }
    fflush(drv->err);
}

void progress_transfer(struct driver *drv, const char *owner, uint64_t done, uint64_t size,
                       int64_t elapsed_ms)
{
    char bar[BAR_CELLS + 1], text[200], left[WHEN_TEXT_MAX] = "-";
    double share = size ? (double)done / (double)size : 1;
    double rate = elapsed_ms > 0 ? (double)done / 1048576.0 / ((double)elapsed_ms / 1000.0) : 0;
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = i < (int)(share * BAR_CELLS) ? '#' : '.';
    bar[BAR_CELLS] = '\0';
    if (rate > 0)
        duration_format((int64_t)((double)(size - done) / 1048576.0 / rate), left);
    snprintf(text, sizeof text,
             "transfer [%s] %3d %%  %" PRIu64 " of %" PRIu64 " MiB  %.1f MiB/s  %s left", bar,
             (int)(share * 100), done >> 20, size >> 20, rate, left);
    paint(drv, owner, text);
}

void progress_wait(struct driver *drv, const char *owner, const char *what,
                   const struct family_rule *ped, int64_t elapsed_ms, int64_t left_ms)
{
    char text[300], since[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX], end[64] = "";
    duration_format(elapsed_ms / 1000, since);
    /* A person who types has no time-out worth telling. */
    if (left_ms < NO_LIMIT_MS)
        snprintf(end, sizeof end, "given up in %s", duration_format(left_ms / 1000, left));
    if (ped)
        snprintf(text, sizeof text, "PRESENT THE %s KEY (%s) at its PED now%s%s", ped->key,
                 ped->who, end[0] ? "; " : "", end);
    else
        snprintf(text, sizeof text, "%s: waiting for %s%s%s", what, since, end[0] ? ", " : "", end);
    if (ped && elapsed_ms < 1500)
        drv->told_ms = 0; /* the request for a key is always printed at once */
    paint(drv, owner, text);
}

int ask(struct driver *drv, const char *question, struct buf *ret, struct err *err)
{
    if (!term_interactive())
        return err_set(err, ERR_STATE, "nobody can be asked: %s", question);
    progress_end(drv);
    fprintf(drv->err, "%s ", question);
    fflush(drv->err);
    return term_read_line(true, ret, err);
}
