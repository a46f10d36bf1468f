/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Folders of our own, and those of somebody else. */
#include "cmocka_unit.h"

#include <windows.h>
#include <aclapi.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "win32/places.h"
#include "win32/token.h"
#include "win32/utf.h"

static char folder[600];
static wchar_t wide[600];

static int setup(void **state)
{
    static int n;
    wchar_t temp[MAX_PATH];
    char *text = NULL;
    (void)state;
    GetTempPathW(MAX_PATH, temp);
    swprintf(wide, 600, L"%lscrlagent-places-%lu-%d", temp, GetCurrentProcessId(), n++);
    if (utf_from_wide(wide, &text, NULL))
        return -1;
    str_copy(folder, sizeof folder, text);
    free(text);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    RemoveDirectoryW(wide);
    DeleteFileW(wide);
    return 0;
}

static void sid_of_service__trusted_installer__known_value(void **state)
{
    (void)state;
    PSID sid = NULL;
    char text[190];
    assert_int_equal(sid_of_service("TrustedInstaller", &sid, NULL), ERR_OK);
    assert_int_equal(sid_format(sid, text, sizeof text, NULL), ERR_OK);
    assert_string_equal(text, "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
    LocalFree(sid);
}

static void sid_of__unknown_and_malformed__refused(void **state)
{
    (void)state;
    PSID sid = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(sid_of("no such account", &sid, &err), ERR_NOT_FOUND);
    assert_int_not_equal(sid_of("S-1-5-x", &sid, &err), ERR_OK);
    assert_null(sid);
}

static void place_path__each__full_path(void **state)
{
    (void)state;
    for (int i = PLACE_PROGRAM; i <= PLACE_GRANTS; i++) {
        SCOPED(buf_free) struct buf path = BUF_INIT;
        assert_int_equal(place_path((enum place)i, &path, NULL), ERR_OK);
        assert_int_equal(path.data[1], ':');
        assert_int_not_equal(path.data[path.len - 1], '\\');
    }
    SCOPED(buf_free) struct buf state_path = BUF_INIT;
    assert_int_equal(place_path(PLACE_STATE, &state_path, NULL), ERR_OK);
    assert_true(str_ends_nocase(buf_str(&state_path), "\\crlagent\\state"));
}

static void place_verify__missing__not_found(void **state)
{
    (void)state;
    assert_int_equal(place_verify(folder, NULL), ERR_NOT_FOUND);
}

static void place_secure_at__new_and_again__accepted(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    if (place_secure_at(folder, PLACE_STATE, &err))
        fail_msg("%s", err.text);
    assert_int_equal(place_secure_at(folder, PLACE_STATE, &err), ERR_OK);
    assert_int_equal(place_verify(folder, &err), ERR_OK);
}

/* The former access lists: a folder of the usual kind, which the service may write to, is not
 * taken for them. */
static void place_secure_at__grants_writable_by_service__refused(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf usual = BUF_INIT, grants = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(place_sddl(PLACE_STATE, &usual, &err), ERR_OK);
    assert_int_equal(place_sddl(PLACE_GRANTS, &grants, &err), ERR_OK);
    assert_non_null(strstr(buf_str(&usual), "S-1-5-80-"));
    assert_null(strstr(buf_str(&grants), "S-1-5-80-"));
    assert_int_equal(place_secure_at(folder, PLACE_STATE, &err), ERR_OK);
    /* Wine keeps access lists of files as the modes of its host: the service's entry is lost. */
    const bool on_wine = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
    assert_int_equal(place_secure_at(folder, PLACE_GRANTS, &err), on_wine ? ERR_OK : ERR_DENIED);
}

static void place_secure_at__users_may_write__refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    EXPLICIT_ACCESSW entry = {0};
    PACL acl = NULL;
    PSID everyone = NULL;
    assert_int_equal(place_secure_at(folder, PLACE_STATE, &err), ERR_OK);
    assert_int_equal(sid_of("S-1-1-0", &everyone, NULL), ERR_OK);
    entry.grfAccessPermissions = FILE_ALL_ACCESS;
    entry.grfAccessMode = SET_ACCESS;
    entry.Trustee.TrusteeForm = TRUSTEE_IS_SID;
    entry.Trustee.ptstrName = (wchar_t *)everyone;
    assert_int_equal(SetEntriesInAclW(1, &entry, NULL, &acl), ERROR_SUCCESS);
    assert_int_equal(
        SetNamedSecurityInfoW(wide, SE_FILE_OBJECT,
                              DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, NULL,
                              NULL, acl, NULL),
        ERROR_SUCCESS);
    assert_int_equal(place_secure_at(folder, PLACE_STATE, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "can be written by"));
    assert_non_null(strstr(err.text, "takeown"));
    LocalFree(acl);
    LocalFree(everyone);
}

static bool link_to_temp(wchar_t *temp)
{
    typedef BOOLEAN(WINAPI * link_fn)(LPCWSTR, LPCWSTR, DWORD);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "CreateSymbolicLinkW");
    link_fn make = NULL;
    GetTempPathW(MAX_PATH, temp);
    memcpy(&make, &found, sizeof make);
    /* 1 = to a folder, 2 = also for a developer who is no administrator */
    return make && make(wide, temp, 1 | 2) && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
}

/* Wine says that it made one and does not: there, tests/e2e/privilege.sh has a link of the host. */
static void place_verify__link__refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    wchar_t temp[MAX_PATH];
    if (!link_to_temp(temp))
        skip();
    assert_int_equal(place_verify(folder, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "is a link"));
    assert_int_equal(place_secure_at(folder, PLACE_STATE, &err), ERR_DENIED);
}

/* Giving something away takes a privilege, which is asked for; Wine has the owners of its host. */
static void place_verify__owned_by_users__refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    PSID users = NULL, owner = NULL;
    PSECURITY_DESCRIPTOR sd = NULL;
    HANDLE token = NULL;
    TOKEN_PRIVILEGES p = {.PrivilegeCount = 1};
    assert_int_equal(place_secure_at(folder, PLACE_STATE, &err), ERR_OK);
    assert_int_equal(sid_of("S-1-5-32-545", &users, NULL), ERR_OK);
    OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token);
    LookupPrivilegeValueW(NULL, L"SeRestorePrivilege", &p.Privileges[0].Luid);
    p.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    AdjustTokenPrivileges(token, FALSE, &p, 0, NULL, NULL);
    CloseHandle(token);
    SetNamedSecurityInfoW(wide, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, users, NULL, NULL,
                          NULL);
    GetNamedSecurityInfoW(wide, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL,
                          NULL, &sd);
    bool given = owner && EqualSid(owner, users);
    LocalFree(sd);
    LocalFree(users);
    if (!given)
        skip();
    assert_int_equal(place_verify(folder, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "belongs to"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(place_secure_at__grants_writable_by_service__refused, setup,
                                        teardown),
        cmocka_unit_test(sid_of_service__trusted_installer__known_value),
        cmocka_unit_test(sid_of__unknown_and_malformed__refused),
        cmocka_unit_test(place_path__each__full_path),
        cmocka_unit_test_setup_teardown(place_verify__missing__not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(place_secure_at__new_and_again__accepted, setup, teardown),
        cmocka_unit_test_setup_teardown(place_secure_at__users_may_write__refused, setup, teardown),
        cmocka_unit_test_setup_teardown(place_verify__link__refused, setup, teardown),
        cmocka_unit_test_setup_teardown(place_verify__owned_by_users__refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
