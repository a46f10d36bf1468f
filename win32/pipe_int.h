/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the files of the pipe share: overlapped reads and writes with a time-out, frames. */
#ifndef CRLAGENT_WIN32_PIPE_INT_H
#define CRLAGENT_WIN32_PIPE_INT_H

#include <windows.h>

#include "win32/pipe.h"

#define PIPE_HEADER 5u

/* One overlapped operation at a time: cancel, then wait, then free. */
struct pipe_io {
    OVERLAPPED ov; /* with a manual-reset event */
    bool pending;
};

MUST_CHECK int pipe_io_init(struct pipe_io *io, struct err *err);
/* Cancels what is pending on pipe and waits until the system has let go of the buffer. */
void pipe_io_end(struct pipe_io *io, HANDLE pipe);

/* Begin an operation; it may be complete already. 0 or the Win32 error. */
DWORD pipe_io_read(struct pipe_io *io, HANDLE pipe, void *data, DWORD len);
DWORD pipe_io_write(struct pipe_io *io, HANDLE pipe, const void *data, DWORD len);
/* Result of one that has completed: 0 and the bytes moved, or the Win32 error. */
DWORD pipe_io_result(struct pipe_io *io, HANDLE pipe, DWORD *ret_len);

/* Header and bytes of a message into *frame. ERR_LIMIT. */
MUST_CHECK int pipe_frame(enum pipe_kind kind, const char *data, size_t len, struct buf *frame,
                          struct err *err);
/* Reads a header. ERR_PARSE for a kind that is none, ERR_LIMIT for a length over the limit. */
MUST_CHECK int pipe_frame_head(const char *bytes, enum pipe_kind *ret_kind, size_t *ret_len,
                               struct err *err);

/* Who is at the other end of a connected pipe from which a message was read. Groups may be NULL. */
MUST_CHECK int pipe_peer_identify(HANDLE pipe, PSID operators, PSID readers, struct pipe_peer *ret,
                                  struct err *err);

/* Whoever owns a pipe made it, or could have: true for SYSTEM, Administrators and the service's own
 * SID. NULL is nobody. */
bool pipe_owner_trusted(PSID owner);
/* The owner of an open pipe (READ_CONTROL). ERR_UNAVAILABLE names one that is not trusted. */
MUST_CHECK int pipe_owner_check(HANDLE pipe, struct err *err);
/* Adds "O:..." to a security descriptor's text: the service's SID where our token may give that,
 * else Administrators, else nothing (the user). */
MUST_CHECK int pipe_owner_give(struct buf *sddl, struct err *err);

/* The descriptor of the pipe as text (SDDL). Groups may be NULL. Exposed for tests. */
MUST_CHECK int pipe_security__text(PSID operators, PSID readers, struct buf *sddl, struct err *err);
/* Security descriptor of the pipe; LocalFree'd by the caller. */
MUST_CHECK int pipe_security(PSID operators, PSID readers, PSECURITY_DESCRIPTOR *ret,
                             struct err *err);

/* A "\\.\pipe\..." name as wide text; ERR_INVALID for another form. */
MUST_CHECK int pipe_name(const char *name, wchar_t **ret, struct err *err);

#endif
