/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The configuration file: any bytes give an error that names the file, or a configuration within
 * its limits that comes back the same when it is written and read again. */
#include <string.h>

#include "config/config.h"
#include "fuzz/harness.h"

static void check_limits(const struct config *c)
{
    FUZZ_CHECK(c->maintenance.maximum_window >= 60);
    FUZZ_CHECK(c->maintenance.propagation >= 0 && c->maintenance.reserve >= 0);
    FUZZ_CHECK(c->ca.publish_timeout >= 10 && c->ca.answer_timeout >= 1);
    FUZZ_CHECK(c->probe.interval >= 1 && c->probe.timeout >= 1);
    FUZZ_CHECK(c->notify.minimum == SEV_WARNING || c->notify.minimum == SEV_CRITICAL);
    FUZZ_CHECK(!c->thresholds.base_warning.percent != !c->thresholds.base_warning.seconds);
    for (size_t i = 0; i < c->n_locations; i++)
        FUZZ_CHECK(c->locations[i].url && c->locations[i].url[0]);
}

static void round_trip(const struct config *c)
{
    SCOPED(buf_free) struct buf first = BUF_INIT;
    SCOPED(buf_free) struct buf second = BUF_INIT;
    SCOPED(config_free) struct config again = {0};
    struct err err = ERR_INIT;
    FUZZ_CHECK(config_write(c, &first, &err) == ERR_OK);
    FUZZ_CHECK(config_parse("again", buf_str(&first), first.len, &again, NULL, &err) == ERR_OK);
    FUZZ_CHECK(config_write(&again, &second, &err) == ERR_OK);
    FUZZ_CHECK(strcmp(buf_str(&first), buf_str(&second)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(config_free) struct config c = {0};
    SCOPED(buf_free) struct buf problems = BUF_INIT;
    struct err err = ERR_INIT;
    if (config_parse("crlagent.xml", size ? (const void *)data : "", size, &c, &problems, &err)) {
        FUZZ_CHECK(strstr(err.text, "crlagent.xml"));
        FUZZ_CHECK(problems.len || err.code == ERR_LIMIT);
        return 0;
    }
    check_limits(&c);
    round_trip(&c);
    return 0;
}
