/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Any user may create a pipe of any name, but nobody may give it an owner that is not his: a new
 * object's owner is the user, or a group that the token marks as "may own" (SE_GROUP_OWNER). For
 * Administrators that mark is in elevated tokens alone, for a service's SID in what the SCM started
 * as that service (SERVICE_SID_INFO). So the owner tells a client who made the pipe, also where it
 * may not ask the SCM. */
#include "win32/pipe_int.h"

#include <aclapi.h>

#include <stdlib.h>

#include "base/str.h"
#include "win32/token.h"
#include "win32/werr.h"

#define SERVICE_NAME "crlagent"

static bool owned_by(PSID owner, const char *sid)
{
    SCOPED(local_free) PSID wanted = NULL;
    return !sid_of(sid, &wanted, NULL) && EqualSid(owner, wanted);
}

bool pipe_owner_trusted(PSID owner)
{
    SCOPED(local_free) PSID service = NULL;
    if (!owner || !IsValidSid(owner))
        return false;
    if (owned_by(owner, "S-1-5-18") || owned_by(owner, "S-1-5-32-544"))
        return true;
    return !sid_of_service(SERVICE_NAME, &service, NULL) && EqualSid(owner, service);
}

int pipe_owner_check(HANDLE pipe, struct err *err)
{
    SCOPED(local_free) PSECURITY_DESCRIPTOR sd = NULL;
    PSID owner = NULL;
    char name[256] = "nobody";
    DWORD e = GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL,
                              NULL, NULL, &sd);
    if (e)
        return err_set_win32(err, e, "asking who owns the control pipe");
    if (pipe_owner_trusted(owner))
        return ERR_OK;
    if (owner)
        sid_name(owner, name, sizeof name);
    return err_set(
        err, ERR_UNAVAILABLE,
        "the control pipe was made by '%s', not by the crlagent service; expected SYSTEM, "
        "Administrators or NT SERVICE\\crlagent as its owner. Nothing was sent. Find the "
        "program that took the name, then 'crlagent start'",
        name);
}

/* The groups of our own token, malloc'ed. */
static int own_groups(TOKEN_GROUPS **ret, struct err *err)
{
    SCOPED(handle_close) HANDLE token = NULL;
    DWORD need = 0;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return err_set_win32(err, GetLastError(), "reading our own token");
    GetTokenInformation(token, TokenGroups, NULL, 0, &need);
    SCOPED(scope_free) TOKEN_GROUPS *groups = calloc(1, need ? need : sizeof *groups);
    if (!groups)
        return err_nomem(err);
    if (!GetTokenInformation(token, TokenGroups, groups, need, &need))
        return err_set_win32(err, GetLastError(), "reading the groups of our own token");
    *ret = steal_ptr(groups);
    return ERR_OK;
}

static bool may_own(const TOKEN_GROUPS *groups, PSID sid)
{
    for (DWORD i = 0; i < groups->GroupCount; i++) {
        if (groups->Groups[i].Attributes & SE_GROUP_OWNER && EqualSid(groups->Groups[i].Sid, sid))
            return true;
    }
    return false;
}

int pipe_owner_give(struct buf *sddl, struct err *err)
{
    SCOPED(scope_free) TOKEN_GROUPS *groups = NULL;
    SCOPED(local_free) PSID service = NULL;
    SCOPED(local_free) PSID admins = NULL;
    char text[190] = "";
    int rc = own_groups(&groups, err);
    if (!rc)
        rc = sid_of_service(SERVICE_NAME, &service, err);
    if (!rc)
        rc = sid_of("S-1-5-32-544", &admins, err);
    if (rc)
        return rc;
    PSID owner = may_own(groups, service) ? service : may_own(groups, admins) ? admins : NULL;
    if (!owner)
        return ERR_OK;
    rc = sid_format(owner, text, sizeof text, err);
    if (!rc)
        buf_printf(sddl, "O:%s", text);
    return rc;
}
