/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Child processes without a shell: full path, argv quoted by the CommandLineToArgvW rule on
 * Windows, no inherited handles but the three given, killed with its descendants at the time-out.
 * base/process_posix.c, win32/process.c. */
#ifndef CRLAGENT_BASE_PROCESS_H
#define CRLAGENT_BASE_PROCESS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct process_result {
    uint32_t exit_code; /* as the system gives it; an HRESULT for certutil */
    struct buf out; /* standard output and error together, at most LIMIT_CHILD_OUTPUT; the rest is
                       dropped */
    int64_t ms;     /* how long it ran */
};

/* argv[0] is a full path; argv ends with NULL. input may be NULL. ERR_NOT_FOUND: no such program;
 * ERR_TIMEOUT: killed (ret->out holds what it had said). The caller frees ret->out. */
MUST_CHECK int process_run(const char *const *argv, const char *input, int64_t timeout_ms,
                           struct process_result *ret, struct err *err);

/* What a program says on standard error, as it says it: each() is called on the calling thread for
 * every line (base/lines.h). */
struct process_listener {
    void (*each)(void *self, const char *line);
    void *self;
};

/* As process_run, without input: ret->out is standard output alone, standard error goes to the
 * listener, line by line. An interrupt from the keyboard does not reach the program. */
MUST_CHECK int process_run_heard(const char *const *argv, int64_t timeout_ms,
                                 const struct process_listener *listener,
                                 struct process_result *ret, struct err *err);

#endif
