/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The operator's terminal: term_posix.c and win32/term.c. */
#ifndef CRLAGENT_DRIVER_TERM_H
#define CRLAGENT_DRIVER_TERM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Is somebody there to be asked (standard input is a terminal)? */
bool term_interactive(void);

/* One line from standard input without its end; echo false for secrets (only when it is a
 * terminal). ERR_NOT_FOUND at the end of the input, ERR_LIMIT beyond 4096 characters. */
MUST_CHECK int term_read_line(bool echo, struct buf *ret, struct err *err);

/* A secret from the system's store (Windows Credential Manager, target
 * "crlagent/hsmupgrade/NAME"); ERR_NOT_FOUND, ERR_UNSUPPORTED where there is no such store. */
MUST_CHECK int term_stored_secret(const char *name, struct buf *ret, struct err *err);

/* Folder for journals and transcripts when the command line names none. */
MUST_CHECK int term_state_dir(struct buf *ret, struct err *err);

#endif
