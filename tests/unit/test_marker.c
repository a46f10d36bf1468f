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
    assert_int_not_equal(marker_set("no-such-folder/state.db", true, &err), ERR_OK);
    assert_non_null(strstr(err.text, "no-such-folder"));
}

static void marker_set__closed_when_not_there__fine(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(marker_set("state.db", false, &err), ERR_OK);
    assert_false(there(MARKER_NAME));
}

static void marker_set__open_twice_then_closed__beside_the_store(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(file_make_dirs("marker-test", &err), ERR_OK);
    assert_int_equal(marker_set("marker-test/state.db", true, &err), ERR_OK);
    assert_int_equal(marker_set("marker-test/state.db", true, &err), ERR_OK);
    assert_true(there("marker-test/" MARKER_NAME));
    assert_int_equal(marker_set("marker-test/state.db", false, &err), ERR_OK);
    assert_false(there("marker-test/" MARKER_NAME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marker_set__folder_missing__error_names_it),
        cmocka_unit_test(marker_set__closed_when_not_there__fine),
        cmocka_unit_test(marker_set__open_twice_then_closed__beside_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
