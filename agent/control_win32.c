/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/control_win32.h"

#include "agent/listener.h"
#include "agent/wire_win32.h"
#include "win32/pipe.h"
#include "win32/service.h"

#define CONNECT_MS 10000
#define SEND_MS 10000
#define SLICE_MS 60000

static int receive(struct pipe_client *c, int64_t wait_ms,
                   enum control_take (*take)(void *arg, const char *data, size_t len), void *arg,
                   struct err *err)
{
    for (;;) {
        SCOPED(buf_free) struct buf message = BUF_INIT;
        enum pipe_kind kind;
        int rc = pipe_client_receive(c, wait_ms < 0 ? SLICE_MS : wait_ms, &kind, &message, err);
        if (rc == ERR_TIMEOUT && wait_ms < 0)
            continue; /* the service works; that it is alive is what the pipe tells */
        if (rc)
            return rc;
        enum control_take said = take(arg, buf_str(&message), message.len);
        if (said == CONTROL_LAST)
            return ERR_OK;
        if (said == CONTROL_BROKEN)
            return err_set(err, ERR_PARSE, "the service's answer cannot be read");
    }
}

static int ask(void *self, const char *data, size_t len, int64_t wait_ms,
               enum control_take (*take)(void *arg, const char *data, size_t len), void *arg,
               struct err *err)
{
    (void)self;
    struct pipe_client *c = NULL;
    uint32_t pid = 0;
    int rc = listener_find(svc_control_scm(), SERVICE_NAME, clock_system(), &pid, err);
    if (!rc)
        rc = pipe_client_open(PIPE_CONTROL_NAME, pid, CONNECT_MS, &c, err);
    if (!rc)
        rc = pipe_client_send(c, data, len, SEND_MS, err);
    if (!rc)
        rc = receive(c, wait_ms, take, arg, err);
    pipe_client_close(c);
    return rc;
}

const struct control *control_pipe(void)
{
    static const struct control pipe = {ask, NULL};
    return &pipe;
}
