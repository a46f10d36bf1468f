/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/screen.h"

#include <string.h>

void screen_init(struct screen *s)
{
    memset(s, 0, sizeof *s);
    s->text.max = SCREEN_BYTES_MAX;
}

static void plain(struct screen *s, unsigned char c)
{
    struct buf *t = &s->text;
    if (c == 0x1B) {
        s->state = SCREEN_ESC;
    } else if (c == '\b') {
        if (t->len && t->data[t->len - 1] != '\n')
            t->data[--t->len] = '\0';
    } else if (c == '\n' || c == '\t') {
        buf_putc(t, (char)c);
    } else if (c >= 0x80) {
        buf_putc(t, '?');
    } else if (c >= 0x20 && c != 0x7F) {
        buf_putc(t, (char)c);
    }
}

static void feed_one(struct screen *s, unsigned char c)
{
    switch (s->state) {
    case SCREEN_PLAIN:
        plain(s, c);
        break;
    case SCREEN_ESC:
        s->state = c == '[' ? SCREEN_CSI : c == ']' ? SCREEN_OSC : SCREEN_PLAIN;
        break;
    case SCREEN_CSI:
        /* A line end inside a sequence is line noise, not a sequence. */
        if (c == '\n') {
            s->state = SCREEN_PLAIN;
            plain(s, c);
        } else if (c >= 0x40 && c <= 0x7E) {
            s->state = SCREEN_PLAIN;
        }
        break;
    case SCREEN_OSC:
        if (c == '\n') {
            s->state = SCREEN_PLAIN;
            plain(s, c);
        } else if (c == 0x07 || c == 0x1B) {
            s->state = c == 0x07 ? SCREEN_PLAIN : SCREEN_ESC;
        }
        break;
    }
}

int screen_feed(struct screen *s, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        feed_one(s, p[i]);
    return s->text.failed;
}

void screen_clear(struct screen *s)
{
    buf_clear(&s->text);
}

void screen_free(struct screen *s)
{
    buf_free(&s->text);
}
