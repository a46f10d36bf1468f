/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/listener.h"

#define POLL_MS 100

int listener_find(const struct svc_control *scm, const char *name, const struct clock *clock,
                  uint32_t *ret_pid, struct err *err)
{
    int64_t end = clock_mono_ms(clock) + LISTENER_START_MS;
    struct svc_info info;
    for (;;) {
        if (scm->ops->query(scm->self, name, &info, NULL)) {
            *ret_pid = 0;
            return ERR_OK;
        }
        if (info.state != SVC_START_PENDING || clock_mono_ms(clock) >= end ||
            clock_sleep_ms(clock, POLL_MS))
            break;
    }
    if (info.state == SVC_RUNNING) {
        *ret_pid = info.pid;
        return ERR_OK;
    }
    return err_set(err, ERR_UNAVAILABLE,
                   "the service '%s' is known to Windows and does not run (it is %s), so whoever "
                   "has its pipe is not it; nothing was sent",
                   name, svc_state_name(info.state));
}
