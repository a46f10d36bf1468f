/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* %ProgramData% lets every user make sub-folders. So a user could make ours before us, or put a
 * file into it, and would own what a privileged service then reads. Hence: folders are made with
 * their ACL in one step, and whatever is there already is checked before it is used. */
#include "win32/places.h"

#include <windows.h>
#include <sddl.h>
#include <shlobj.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ca/secdesc.h"
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
 * not change access lists (0x1301bf); users (BU) may read reports, and the folder above them with
 * the files directly in it (OINP), which setup looks for without an administrator's rights; no more
 * (0x1200a9 = read and execute). Former access lists are for administrators alone: what stands
 * there is what revoke restores. */
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
        buf_puts(ret, "(A;OINP;0x1200a9;;;BU)");
    return buf_check(ret, "an access list", err);
}

/* Verification -------------------------------------------------------------------------------- */

struct trusted {
    struct sid_bytes sid[8];
    size_t n;
};

static int trust(struct trusted *t, PSID sid, struct err *err)
{
    size_t len = GetLengthSid(sid);
    if (len > sizeof t->sid[0].b || t->n == ARRAY_LEN(t->sid))
        return err_set(err, ERR_INTERNAL, "no room for a SID of %zu bytes", len);
    memcpy(t->sid[t->n].b, sid, len);
    t->sid[t->n++].len = len;
    return ERR_OK;
}

/* The account we run as is trusted too: it could do no more to us than we can. */
static int add_own_user(struct trusted *t, struct err *err)
{
    SCOPED(handle_close) HANDLE token = NULL;
    SCOPED(scope_free) TOKEN_USER *user = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return err_set_win32(err, GetLastError(), "asking for our own account");
    int rc = token_user(token, &user, err);
    return rc ? rc : trust(t, user->User.Sid, err);
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
        rc = sid_parse(fixed[i], &t->sid[t->n], err);
        t->n += !rc;
    }
    if (!rc && service_too) {
        SCOPED(local_free) PSID service = NULL;
        rc = sid_of_service(SERVICE_NAME, &service, err);
        if (!rc)
            rc = trust(t, service, err);
    }
    return rc ? rc : add_own_user(t, err);
}

#define WRITE_BITS                                                                                 \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES |                  \
     FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)

static int refuse(const char *path, const struct sd_finding *f, struct err *err)
{
    static const char *const what[] = {
        [SD_NO_OWNER] = "has no owner; ",
        [SD_OWNER] = "belongs to",
        [SD_OPEN] = "can be written by everybody (no access list at all); ",
        [SD_OTHER] = "can be written by",
        [SD_ODD_ENTRY] = "has an access list with an entry that is not understood; ",
    };
    char name[256] = "";
    bool named = f->flaw == SD_OWNER || f->flaw == SD_OTHER;
    struct sid_bytes who = f->who;
    if (named)
        sid_name(who.b, name, sizeof name);
    return err_set(err, ERR_DENIED,
                   "'%s' %s%s%s%s expected SYSTEM, Administrators or the crlagent service alone. "
                   "Nothing in it is used. Look at what is there, then repair it: takeown /f "
                   "\"%s\" /a /r, and 'crlagent install'",
                   path, what[f->flaw], named ? " '" : "", name, named ? "';" : "", path);
}

static int refuse_link(const char *path, struct err *err)
{
    return err_set(err, ERR_DENIED, "'%s' is a link to somewhere else; it is not used. Remove it",
                   path);
}

/* The descriptor of what is open, so that nothing can be put in its place meanwhile; malloc'ed. */
static int read_descriptor(HANDLE file, const char *path, void **ret, DWORD *ret_n, struct err *err)
{
    const SECURITY_INFORMATION what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    DWORD need = 0;
    if (GetKernelObjectSecurity(file, what, NULL, 0, &need) ||
        GetLastError() != ERROR_INSUFFICIENT_BUFFER)
        return err_set_win32(err, GetLastError(), "reading the access list of '%s'", path);
    SCOPED(scope_free) void *sd = calloc(1, need);
    if (!sd)
        return err_nomem(err);
    if (!GetKernelObjectSecurity(file, what, sd, need, &need))
        return err_set_win32(err, GetLastError(), "reading the access list of '%s'", path);
    *ret = steal_ptr(sd);
    *ret_n = need;
    return ERR_OK;
}

static int verify_wide(const wchar_t *wide, const char *path, bool service_too, struct err *err)
{
    SCOPED(handle_close) HANDLE file = NULL;
    SCOPED(scope_free) void *sd = NULL;
    struct trusted t = {.n = 0};
    struct sd_finding f = {.flaw = SD_SOUND};
    BY_HANDLE_FILE_INFORMATION info = {0};
    DWORD n = 0, attributes = GetFileAttributesW(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return err_set_win32(err, GetLastError(), "looking at '%s'", path);
    if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return refuse_link(path, err);
    file = CreateFileW(wide, READ_CONTROL | FILE_READ_ATTRIBUTES,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (file == INVALID_HANDLE_VALUE || !GetFileInformationByHandle(file, &info))
        return err_set_win32(err, GetLastError(), "looking at '%s'", path);
    if (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return refuse_link(path, err);
    int rc = read_descriptor(file, path, &sd, &n, err);
    if (!rc)
        rc = trusted_fill(&t, service_too, err);
    if (!rc)
        rc = sd_trusted(sd, n, t.sid, t.n, WRITE_BITS, &f, err);
    if (rc)
        return err_context(err, "'%s'", path);
    return f.flaw == SD_SOUND ? ERR_OK : refuse(path, &f, err);
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
