/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* %ProgramData% lets every user make sub-folders. So a user could make ours before us, or put a
 * file into it, and would own what a privileged service then reads. Hence: folders are made with
 * their ACL in one step, and whatever is there already is checked before it is used. */
#include "win32/places.h"

#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
#include <shlobj.h>

#include <stdbool.h>

#include "base/str.h"
#include "win32/token.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define SERVICE_NAME "crlagent"

static int known_folder(REFKNOWNFOLDERID id, struct buf *ret, struct err *err)
{
    wchar_t *wide = NULL;
    SCOPED(scope_free) char *text = NULL;
    HRESULT hr = SHGetKnownFolderPath(id, 0, NULL, &wide);
    int rc = FAILED(hr) ? err_set_hresult(err, hr, "asking for a system folder")
                        : utf_from_wide(wide, &text, err);
    CoTaskMemFree(wide);
    if (!rc && buf_puts(ret, text))
        rc = buf_check(ret, "a path", err);
    return rc;
}

static int system32(struct buf *ret, struct err *err)
{
    wchar_t wide[MAX_PATH];
    SCOPED(scope_free) char *text = NULL;
    UINT n = GetSystemDirectoryW(wide, ARRAY_LEN(wide));
    if (!n || n >= ARRAY_LEN(wide))
        return err_set_win32(err, GetLastError(), "asking for the system folder");
    int rc = utf_from_wide(wide, &text, err);
    if (!rc && buf_puts(ret, text))
        rc = buf_check(ret, "a path", err);
    return rc;
}

static int own_program(bool folder_only, struct buf *ret, struct err *err)
{
    wchar_t wide[1024];
    SCOPED(scope_free) char *text = NULL;
    DWORD n = GetModuleFileNameW(NULL, wide, ARRAY_LEN(wide));
    if (!n || n >= ARRAY_LEN(wide))
        return err_set_win32(err, GetLastError(), "asking for the path of this program");
    wchar_t *slash = wcsrchr(wide, L'\\');
    if (folder_only && slash)
        *slash = L'\0';
    int rc = utf_from_wide(wide, &text, err);
    if (!rc && buf_puts(ret, text))
        rc = buf_check(ret, "a path", err);
    return rc;
}

int place_path(enum place which, struct buf *ret, struct err *err)
{
    static const char *const below[] = {
        [PLACE_DATA] = "\\crlagent",
        [PLACE_CONFIG] = "\\crlagent\\config",
        [PLACE_STATE] = "\\crlagent\\state",
        [PLACE_LOGS] = "\\crlagent\\logs",
        [PLACE_REPORTS] = "\\crlagent\\reports",
        [PLACE_SECRETS] = "\\crlagent\\secrets",
        [PLACE_RESERVE] = "\\crlagent\\reserve",
        [PLACE_GRANTS] = "\\crlagent\\grants",
    };
    if (which == PLACE_SYSTEM32)
        return system32(ret, err);
    if (which == PLACE_PROGRAM || which == PLACE_BINARIES)
        return own_program(which == PLACE_BINARIES, ret, err);
    int rc = known_folder(&FOLDERID_ProgramData, ret, err);
    if (!rc && buf_puts(ret, below[which]))
        rc = buf_check(ret, "a path", err);
    return rc;
}

/* In words: not inherited from above (P); SYSTEM (SY) and Administrators (BA) have full access (FA)
 * to this folder and what is in it (OICI); our service's account may read, write and delete, but
 * not change access lists (0x1301bf); users (BU) may read reports and enter the folder above them,
 * no more (0x1200a9 = read and execute; on the folder alone where there is no OICI). Former access
 * lists are for administrators alone: what stands there is what revoke restores. */
int place_sddl(enum place which, struct buf *ret, struct err *err)
{
    SCOPED(local_free) PSID service = NULL;
    char text[190];
    int rc = sid_of_service(SERVICE_NAME, &service, err);
    if (!rc)
        rc = sid_format(service, text, sizeof text, err);
    if (rc)
        return rc;
    buf_puts(ret, "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
    if (which != PLACE_GRANTS)
        buf_printf(ret, "(A;OICI;0x1301bf;;;%s)", text);
    if (which == PLACE_REPORTS)
        buf_puts(ret, "(A;OICI;0x1200a9;;;BU)");
    if (which == PLACE_DATA)
        buf_puts(ret, "(A;;0x1200a9;;;BU)");
    return buf_check(ret, "an access list", err);
}

/* Verification -------------------------------------------------------------------------------- */

struct trusted {
    PSID sid[8];
    size_t n;
};

static void trusted_free(struct trusted *t)
{
    for (size_t i = 0; i < t->n; i++)
        LocalFree(t->sid[i]);
}

/* The account we run as is trusted too: it could do no more to us than we can. */
static int add_own_user(struct trusted *t, struct err *err)
{
    SCOPED(handle_close) HANDLE token = NULL;
    SCOPED(scope_free) TOKEN_USER *user = NULL;
    char text[190];
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return err_set_win32(err, GetLastError(), "asking for our own account");
    int rc = token_user(token, &user, err);
    if (!rc)
        rc = sid_format(user->User.Sid, text, sizeof text, err);
    if (!rc)
        rc = sid_of(text, &t->sid[t->n], err);
    t->n += !rc;
    return rc;
}

/* SYSTEM, Administrators, TrustedInstaller, and the two placeholders for whoever owns the object
 * (which is checked by itself); our service; ourselves. */
static int trusted_fill(struct trusted *t, bool service_too, struct err *err)
{
    static const char *const fixed[] = {
        "S-1-5-18", "S-1-5-32-544",
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", "S-1-3-0", "S-1-3-4"};
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < ARRAY_LEN(fixed); i++) {
        rc = sid_of(fixed[i], &t->sid[t->n], err);
        t->n += !rc;
    }
    if (!rc && service_too) {
        rc = sid_of_service(SERVICE_NAME, &t->sid[t->n], err);
        t->n += !rc;
    }
    return rc ? rc : add_own_user(t, err);
}

static bool is_trusted(const struct trusted *t, PSID sid)
{
    for (size_t i = 0; i < t->n; i++) {
        if (EqualSid(t->sid[i], sid))
            return true;
    }
    return false;
}

static int refuse(const char *path, PSID sid, const char *what, struct err *err)
{
    char name[256];
    sid_name(sid, name, sizeof name);
    return err_set(
        err, ERR_DENIED,
        "'%s' %s '%s'; expected SYSTEM, Administrators or the crlagent service alone. "
        "Nothing in it is used. Look at what is there, then repair it: takeown /f \"%s\" "
        "/a /r, and 'crlagent install'",
        path, what, name, path);
}

#define WRITE_BITS                                                                                 \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES |                  \
     FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)

static int check_acl(const char *path, PACL acl, const struct trusted *t, struct err *err)
{
    if (!acl)
        return err_set(err, ERR_DENIED, "'%s' can be written by everybody (no access list at all)",
                       path);
    for (DWORD i = 0; i < acl->AceCount; i++) {
        void *ace = NULL;
        if (!GetAce(acl, i, &ace))
            return err_set_win32(err, GetLastError(), "reading the access list of '%s'", path);
        const ACCESS_ALLOWED_ACE *allowed = ace;
        if (allowed->Header.AceType != ACCESS_ALLOWED_ACE_TYPE || !(allowed->Mask & WRITE_BITS))
            continue;
        PSID sid = (PSID)(uintptr_t)&allowed->SidStart;
        if (!is_trusted(t, sid))
            return refuse(path, sid, "can be written by", err);
    }
    return ERR_OK;
}

static int verify_wide(wchar_t *wide, const char *path, bool service_too, struct err *err)
{
    SCOPED(local_free) PSECURITY_DESCRIPTOR descriptor = NULL;
    SCOPED(trusted_free) struct trusted t = {.n = 0};
    PSID owner = NULL;
    PACL acl = NULL;
    DWORD attributes = GetFileAttributesW(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return err_set_win32(err, GetLastError(), "looking at '%s'", path);
    if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return err_set(err, ERR_DENIED,
                       "'%s' is a link to somewhere else; it is not used. Remove it", path);
    DWORD e = GetNamedSecurityInfoW(wide, SE_FILE_OBJECT,
                                    OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                                    NULL, &acl, NULL, &descriptor);
    if (e)
        return err_set_win32(err, e, "reading the access list of '%s'", path);
    int rc = trusted_fill(&t, service_too, err);
    if (!rc && !is_trusted(&t, owner))
        rc = refuse(path, owner, "belongs to", err);
    return rc ? rc : check_acl(path, acl, &t, err);
}

int place_verify(const char *path, struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    int rc = utf_to_path(path, &wide, err);
    return rc ? rc : verify_wide(wide, path, true, err);
}

int place_secure_at(const char *path, enum place which, struct err *err)
{
    SCOPED(buf_free) struct buf sddl = BUF_INIT;
    SCOPED(scope_free) wchar_t *wide = NULL;
    SCOPED(scope_free) wchar_t *wide_sddl = NULL;
    SCOPED(local_free) PSECURITY_DESCRIPTOR descriptor = NULL;
    int rc = utf_to_path(path, &wide, err);
    if (!rc)
        rc = place_sddl(which, &sddl, err);
    if (!rc)
        rc = utf_to_wide(buf_str(&sddl), &wide_sddl, err);
    if (rc)
        return rc;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(wide_sddl, SDDL_REVISION_1,
                                                              &descriptor, NULL))
        return err_set_win32(err, GetLastError(), "building the access list of '%s'", path);
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, descriptor, FALSE};
    if (!CreateDirectoryW(wide, &attributes)) {
        DWORD e = GetLastError();
        if (e != ERROR_ALREADY_EXISTS)
            return err_set_win32(err, e, "making the folder '%s'", path);
    }
    return verify_wide(wide, path, which != PLACE_GRANTS, err);
}

int place_secure(enum place which, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    int rc = which == PLACE_DATA ? ERR_OK : place_secure(PLACE_DATA, err);
    if (!rc)
        rc = place_path(which, &path, err);
    return rc ? rc : place_secure_at(buf_str(&path), which, err);
}
