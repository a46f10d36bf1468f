/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The shell around a Windows service: speaks with the SCM, so that the program inside only knows
 * start and stop. The same program can run in a console for debugging. */
#ifndef CRLAGENT_WIN32_SVCMAIN_H
#define CRLAGENT_WIN32_SVCMAIN_H

#include <stdint.h>

#include "base/err.h"

enum svc_stop_reason { SVC_STOP_ASKED, SVC_STOP_SHUTDOWN, SVC_STOP_CONSOLE };

struct svc_program {
    /* Runs on the service thread; returns when the program works (its own threads run by then).
     * While it runs, "start pending" is reported with moving check points. A failure ends the
     * service with an error, and with err in the SCM's exit code. */
    int (*start)(void *self, struct err *err);
    /* Asks the program to end and waits until it did; "stop pending" is reported meanwhile. Called
     * once after a successful start. */
    void (*stop)(void *self, enum svc_stop_reason why);
    void *self;
};

/* Blocks until the service has stopped. ERR_STATE when the process was not started by the SCM. */
MUST_CHECK int svc_main_run(const char *name, const struct svc_program *program, struct err *err);

/* The same in a console until Ctrl-C, Ctrl-Break or the closing of the window. */
MUST_CHECK int svc_main_console(const struct svc_program *program, struct err *err);

#endif
