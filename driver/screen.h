/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Terminal bytes to plain text: CR LF becomes LF, escape sequences, NULs and other control
 * characters are dropped, a backspace takes a character back, bytes outside ASCII become '?'. */
#ifndef CRLAGENT_DRIVER_SCREEN_H
#define CRLAGENT_DRIVER_SCREEN_H

#include "base/buf.h"

#define SCREEN_BYTES_MAX (2u * 1024 * 1024) /* text kept for one command */

struct screen {
    struct buf text;
    enum { SCREEN_PLAIN, SCREEN_ESC, SCREEN_CSI, SCREEN_OSC } state;
};

void screen_init(struct screen *s);
/* Adds what arrived. Returns non-zero when SCREEN_BYTES_MAX is exceeded. */
int screen_feed(struct screen *s, const void *bytes, size_t len);
/* Forgets the text, keeps a half-received escape sequence. */
void screen_clear(struct screen *s);
void screen_free(struct screen *s);

#endif
