/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/process_int.h"

int process_run(const char *const *argv, const char *input, int64_t timeout_ms,
                struct process_result *ret, struct err *err)
{
    return process_talk(argv, input, timeout_ms, NULL, ret, err);
}

int process_run_heard(const char *const *argv, int64_t timeout_ms,
                      const struct process_listener *listener, struct process_result *ret,
                      struct err *err)
{
    struct lines lines = {.each = listener->each, .self = listener->self};
    return process_talk(argv, NULL, timeout_ms, &lines, ret, err);
}
