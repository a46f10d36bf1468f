/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/clusterapi.h"

#include "base/str.h"

int cluster_api_bind(HMODULE clusapi, HMODULE resutils, struct cluster_api *ret, struct err *err)
{
    struct cluster_api api;
    const struct {
        HMODULE dll;
        const char *name;
        void *slot;
    } wanted[] = {
        {clusapi, "GetNodeClusterState", &api.node_state},
        {clusapi, "OpenCluster", &api.open},
        {clusapi, "CloseCluster", &api.close},
        {clusapi, "ClusterOpenEnum", &api.open_enum},
        {clusapi, "ClusterEnum", &api.next},
        {clusapi, "ClusterCloseEnum", &api.close_enum},
        {clusapi, "OpenClusterResource", &api.open_resource},
        {clusapi, "CloseClusterResource", &api.close_resource},
        {clusapi, "ClusterResourceControl", &api.control},
        {clusapi, "GetClusterResourceState", &api.state},
        {clusapi, "ClusterResourceOpenEnum", &api.open_resource_enum},
        {clusapi, "ClusterResourceEnum", &api.next_resource},
        {clusapi, "ClusterResourceCloseEnum", &api.close_resource_enum},
        {clusapi, "OnlineClusterResource", &api.online},
        {clusapi, "OfflineClusterResource", &api.offline},
        {resutils, "ResUtilFindSzProperty", &api.find_text},
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        FARPROC found = GetProcAddress(wanted[i].dll, wanted[i].name);
        if (!found)
            return err_set_os(err, ERR_UNSUPPORTED, (long)GetLastError(),
                              "the failover cluster's libraries have no function '%s'",
                              wanted[i].name);
        memcpy(wanted[i].slot, &found, sizeof found);
    }
    *ret = api;
    return ERR_OK;
}

static int load(const wchar_t *name, const char *shown, HMODULE *ret, struct err *err)
{
    *ret = LoadLibraryExW(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (!*ret)
        return err_set_os(err, ERR_UNSUPPORTED, (long)GetLastError(),
                          "'%s' cannot be loaded from the system folder (error %lu)", shown,
                          (unsigned long)GetLastError());
    return ERR_OK;
}

/* Once, when they are first needed: what was missing then may have been installed since. They stay
 * loaded, for a call that hangs may still be in them. */
int cluster_api_load(struct cluster_api *ret, struct err *err)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static struct cluster_api api;
    static bool ready;
    HMODULE clusapi = NULL, resutils = NULL;
    int rc = ERR_OK;
    AcquireSRWLockExclusive(&lock);
    if (!ready) {
        rc = load(L"clusapi.dll", "clusapi.dll", &clusapi, err);
        if (!rc)
            rc = load(L"resutils.dll", "resutils.dll", &resutils, err);
        if (!rc)
            rc = cluster_api_bind(clusapi, resutils, &api, err);
        ready = !rc;
    }
    if (ready)
        *ret = api;
    ReleaseSRWLockExclusive(&lock);
    return rc;
}
