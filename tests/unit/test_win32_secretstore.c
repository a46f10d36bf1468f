/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Secrets of the service: file and Credential Manager. */
#include "cmocka_unit.h"

#include <windows.h>
#include <wincred.h>

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "win32/places.h"
#include "win32/secretstore.h"

#define NAME "unit-test.smtp"

static int clean(void **state)
{
    (void)state;
    CredDeleteW(L"unit-test.smtp", CRED_TYPE_GENERIC, 0);
    return secret_store_remove(NAME, NULL);
}

static int fetch(const char *name, struct secret *ret, struct err *err)
{
    return secret_store_system()->get(NULL, name, ret, err);
}

static void put__bad_names__invalid(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "..", "a/b", "a\\b", "a b", ".hidden", "x\xC3\xBC"};
    struct secret s = {0};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_not_equal(fetch(bad[i], &s, NULL), ERR_OK);
        assert_int_equal(secret_store_put(bad[i], &s, NULL), ERR_INVALID);
        assert_int_equal(secret_store_remove(bad[i], NULL), ERR_INVALID);
    }
}

static void get__nowhere__not_found(void **state)
{
    (void)state;
    struct secret s = {0};
    struct err err = ERR_INIT;
    assert_int_equal(fetch(NAME, &s, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, NAME));
}

static void put__then_get__same_and_not_in_the_file(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf path = BUF_INIT;
    SCOPED(buf_free) struct buf bytes = BUF_INIT;
    struct secret in = {"mailer@corp.example", "p\xC3\xA4ss word!"}, out = {0};
    struct err err = ERR_INIT;
    if (secret_store_put(NAME, &in, &err))
        fail_msg("%s", err.text);
    if (fetch(NAME, &out, &err))
        fail_msg("%s", err.text);
    assert_string_equal(out.user, in.user);
    assert_string_equal(out.password, in.password);
    assert_int_equal(place_path(PLACE_SECRETS, &path, NULL), ERR_OK);
    buf_puts(&path, "\\" NAME ".bin");
    assert_int_equal(file_read(buf_str(&path), 10000, &bytes, NULL), ERR_OK);
    for (size_t i = 0; i + 5 < bytes.len; i++)
        assert_memory_not_equal(bytes.data + i, "word!", 5);
    assert_int_equal(secret_store_remove(NAME, NULL), ERR_OK);
    assert_int_equal(fetch(NAME, &out, &err), ERR_NOT_FOUND);
}

static void get__damaged_file__error_not_garbage(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf path = BUF_INIT;
    struct secret in = {"u", "p"}, out = {0};
    assert_int_equal(secret_store_put(NAME, &in, NULL), ERR_OK);
    assert_int_equal(place_path(PLACE_SECRETS, &path, NULL), ERR_OK);
    buf_puts(&path, "\\" NAME ".bin");
    assert_int_equal(file_write_atomic(buf_str(&path), "garbage", 7, NULL), ERR_OK);
    assert_int_not_equal(fetch(NAME, &out, NULL), ERR_OK);
    assert_string_equal(out.password, "");
}

static void get__in_the_manager__comes_first(void **state)
{
    (void)state;
    struct secret in = {"file", "file"}, out = {0};
    wchar_t target[] = L"unit-test.smtp", user[] = L"manager", password[] = L"g\u00FCt";
    CREDENTIALW c = {.Type = CRED_TYPE_GENERIC,
                     .TargetName = target,
                     .UserName = user,
                     .CredentialBlob = (BYTE *)password,
                     .CredentialBlobSize = sizeof password - sizeof(wchar_t),
                     .Persist = CRED_PERSIST_LOCAL_MACHINE};
    assert_int_equal(secret_store_put(NAME, &in, NULL), ERR_OK);
    assert_true(CredWriteW(&c, 0));
    assert_int_equal(fetch(NAME, &out, NULL), ERR_OK);
    assert_string_equal(out.user, "manager");
    assert_string_equal(out.password, "g\xC3\xBCt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put__bad_names__invalid),
        cmocka_unit_test_setup_teardown(get__nowhere__not_found, clean, clean),
        cmocka_unit_test_setup_teardown(put__then_get__same_and_not_in_the_file, clean, clean),
        cmocka_unit_test_setup_teardown(get__damaged_file__error_not_garbage, clean, clean),
        cmocka_unit_test_setup_teardown(get__in_the_manager__comes_first, clean, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
