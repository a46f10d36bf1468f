/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/marker.h"

#include <string.h>

#include "base/file.h"
#include "unit/cmocka_unit.h"

static bool there(const char *path)
{
    struct file_info info;
    struct err err = ERR_INIT;
    return file_stat(path, &info, &err) == ERR_OK;
}

static void marker_set__folder_missing__error_names_it(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_not_equal(marker_set("no-such-folder", MARKER_MAINTENANCE, true, &err), ERR_OK);
    assert_non_null(strstr(err.text, "no-such-folder"));
}

static void marker_set__closed_when_not_there__fine(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(marker_set(".", MARKER_MAINTENANCE, false, &err), ERR_OK);
    assert_false(there("maintenance.open"));
}

/* The names are those that setup looks for. */
static void marker_set__each_twice_then_removed__its_own_file(void **state)
{
    (void)state;
    static const char *const name[] = {
        [MARKER_MAINTENANCE] = "marker-test/maintenance.open",
        [MARKER_RUNNING] = "marker-test/service.running",
        [MARKER_GRANTS] = "marker-test/grants.in-force",
    };
    struct err err = ERR_INIT;
    assert_int_equal(file_make_dirs("marker-test", &err), ERR_OK);
    for (int i = MARKER_MAINTENANCE; i <= MARKER_GRANTS; i++) {
        assert_int_equal(marker_set("marker-test", (enum marker)i, true, &err), ERR_OK);
        assert_int_equal(marker_set("marker-test", (enum marker)i, true, &err), ERR_OK);
        assert_true(there(name[i]));
    }
    assert_int_equal(marker_set("marker-test", MARKER_RUNNING, false, &err), ERR_OK);
    assert_false(there(name[MARKER_RUNNING]));
    assert_true(there(name[MARKER_MAINTENANCE]));
    assert_int_equal(marker_set("marker-test", MARKER_MAINTENANCE, false, &err), ERR_OK);
    assert_int_equal(marker_set("marker-test", MARKER_GRANTS, false, &err), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marker_set__folder_missing__error_names_it),
        cmocka_unit_test(marker_set__closed_when_not_there__fine),
        cmocka_unit_test(marker_set__each_twice_then_removed__its_own_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
