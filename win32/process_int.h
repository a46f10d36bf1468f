/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What process_run and the worker share. */
#ifndef CRLAGENT_WIN32_PROCESS_INT_H
#define CRLAGENT_WIN32_PROCESS_INT_H

#include <windows.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* One overlapped transfer on our end of a child's pipe. */
struct child_pipe {
    HANDLE ours;   /* overlapped */
    HANDLE theirs; /* inheritable; closed after the start */
    OVERLAPPED ov;
    bool pending;
};

struct child {
    HANDLE process, job;
    struct child_pipe in, out;
    struct child_pipe says; /* its standard error, with CHILD_ERROR_PIPE */
    HANDLE null_error;      /* inheritable NUL for standard error, with CHILD_ERROR_DROPPED */
};

enum child_error { CHILD_ERROR_WITH_OUT, CHILD_ERROR_DROPPED, CHILD_ERROR_PIPE };

struct child_setup {
    const char *const *argv;
    HANDLE token; /* NULL = our own */
    const JOBOBJECT_EXTENDED_LIMIT_INFORMATION *limits;
    const JOBOBJECT_BASIC_UI_RESTRICTIONS *ui; /* NULL = none */
    enum child_error error;                    /* where its standard error goes */
    bool no_console; /* none at all; else one without a window, which is a second process */
};

/* Starts the program inside its job before its first instruction runs. */
MUST_CHECK int child_start(const struct child_setup *setup, struct child *ret, struct err *err);
/* Kills it with its descendants, cancels and closes everything. Takes half-built ones. */
void child_end(struct child *c);

/* The token of a restricted worker: a primary token of our own logon session. Exposed for tests. */
MUST_CHECK int worker_token(HANDLE *ret, struct err *err);

/* Begin a transfer and look at its result; 0 or the Win32 error. */
DWORD child_read(struct child_pipe *p, void *data, DWORD len);
DWORD child_write(struct child_pipe *p, const void *data, DWORD len);
DWORD child_result(struct child_pipe *p, DWORD *ret_len);
void child_pipe_close(struct child_pipe *p);

/* A pair of connected ends into *ret (all zero before); close it also after a failure. Exposed for
 * tests, as the name. */
MUST_CHECK int child_pipe_make(bool we_read, struct child_pipe *ret, struct err *err);
#define CHILD_PIPE_NAME_MAX 80
MUST_CHECK int child_pipe_name(wchar_t name[CHILD_PIPE_NAME_MAX], struct err *err);

#endif
