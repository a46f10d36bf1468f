/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Seam: control of other Windows services. win32/ has the SCM, tests have a fake. Calls return at
 * once; waiting for a state, wait hints and upper limits are the caller's business (common/maint).
 * Any thread may call, one at a time. */
#ifndef CRLAGENT_CA_SERVICE_H
#define CRLAGENT_CA_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SVC_NAME_MAX 257 /* 256 characters: CreateService */
#define SVC_NODE_MAX 64  /* a computer's name in a cluster */

/* Values are the SCM's own (winsvc.h). */
enum svc_state {
    SVC_STOPPED = 1,
    SVC_START_PENDING = 2,
    SVC_STOP_PENDING = 3,
    SVC_RUNNING = 4,
    SVC_CONTINUE_PENDING = 5,
    SVC_PAUSE_PENDING = 6,
    SVC_PAUSED = 7,
};
enum svc_start { SVC_BOOT = 0, SVC_SYSTEM = 1, SVC_AUTO = 2, SVC_DEMAND = 3, SVC_DISABLED = 4 };

/* Why a service cannot be operated from this computer as it is. */
enum svc_trouble {
    SVC_FINE = 0,
    SVC_ELSEWHERE, /* another node of the failover cluster owns it */
    SVC_OUTSIDE,   /* runs, but not through the cluster that it belongs to */
    SVC_FAILED,    /* the cluster gave it up; it may try again by itself */
};

struct svc_info {
    char name[SVC_NAME_MAX];
    enum svc_state state;
    enum svc_start start;
    bool delayed_auto;   /* delayed automatic start */
    uint32_t pid;        /* 0 when not running */
    uint32_t checkpoint; /* grows while pending */
    uint32_t wait_hint_ms;
    uint32_t exit_code;          /* Win32 or service-specific exit code of the last stop */
    char resource[SVC_NAME_MAX]; /* of a failover cluster; "" = a plain service */
    char owner[SVC_NODE_MAX];    /* node that owns the resource */
    enum svc_trouble trouble;
};

struct svc_ops {
    /* ERR_NOT_FOUND when there is no such service, ERR_DENIED. */
    int (*query)(void *self, const char *name, struct svc_info *ret, struct err *err);
    /* Active and inactive dependants, in the order in which they must be stopped (reverse start
     * order). At most max are stored; *ret_n tells how many there are. ERR_LIMIT when more than
     * max. */
    int (*dependants)(void *self, const char *name, struct svc_info *ret, size_t max, size_t *ret_n,
                      struct err *err);
    int (*set_start)(void *self, const char *name, enum svc_start start, bool delayed_auto,
                     struct err *err);
    /* Sends the stop control; ERR_OK when it is stopped or stopping already. Never stops dependants
     * itself. */
    int (*stop)(void *self, const char *name, struct err *err);
    /* ERR_OK when it runs or is starting already. */
    int (*start)(void *self, const char *name, struct err *err);
};
struct svc_control {
    const struct svc_ops *ops;
    void *self;
};

const char *svc_state_name(enum svc_state state); /* "running", "stop pending" ... */
const char *svc_start_name(enum svc_start start, bool delayed_auto); /* "automatic (delayed)" ... */

#define SVC_TEXT_MAX 512
/* "running", "stopped: cluster resource 'Lab CA' on CA01, failed" ... Returns dst. */
const char *svc_info_text(const struct svc_info *info, char dst[SVC_TEXT_MAX]);

#endif
