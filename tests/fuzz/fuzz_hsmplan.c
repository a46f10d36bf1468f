/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Plans, path tables and family files: any bytes give an error with a text, or an object that keeps
 * the promises of its header. */
#include <string.h>

#include "driver/family.h"
#include "driver/paths.h"
#include "driver/plan.h"
#include "fuzz/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct paths paths;
    static struct family family;
    struct plan plan;
    struct err err = ERR_INIT;
    const char *text = (const char *)data;
    if (plan_parse("plan.xml", text, size, &plan, &err) == ERR_OK) {
        FUZZ_CHECK(plan.n_appliances >= 1 && plan.window_end > plan.window_start);
        FUZZ_CHECK(plan.timeouts.ped > 0 && plan.timeouts.poll > 0);
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    plan_free(&plan);
    err_clear(&err);
    if (paths_load("paths.xml", text, size, &paths, &err))
        FUZZ_CHECK(err.text[0]);
    err_clear(&err);
    if (family_load("family.xml", text, size, &family, &err))
        FUZZ_CHECK(err.text[0]);
    return 0;
}
