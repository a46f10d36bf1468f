/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab's failover cluster: the few functions of clusapi.dll that a program needs to operate a
 * resource. Its state and its moods are an INI file, C:\lab\cluster.ini or the one that the
 * environment variable CRLAGENT_LAB_CLUSTER names (README.md beside this folder tells the keys). A
 * Generic Service resource that this computer owns starts and stops the real service; one that is
 * online and whose service was stopped by somebody else counts as failed and is started again. */
#undef _WIN32_WINNT
#undef NTDDI_VERSION
#undef WINVER
#define _WIN32_WINNT 0x0501 /* newer parts of the compiler's clusapi.h do not compile */
#include <windows.h>
#include <clusapi.h>

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#define CHARS 512

struct resource {
    wchar_t name[CHARS];
};
struct list {
    DWORD n;
    wchar_t (*name)[CHARS];
};

static const wchar_t *file(void)
{
    static wchar_t path[MAX_PATH];
    if (!GetEnvironmentVariableW(L"CRLAGENT_LAB_CLUSTER", path, MAX_PATH))
        wcscpy(path, L"C:\\lab\\cluster.ini");
    return path;
}

/* Wine writes the file in place: nobody may read it meanwhile, in whatever process. */
static HANDLE locked(void)
{
    HANDLE mutex = CreateMutexW(NULL, FALSE, L"Global\\crlagent-lab-cluster");
    WaitForSingleObject(mutex, INFINITE);
    return mutex;
}

static void unlock(HANDLE mutex)
{
    ReleaseMutex(mutex);
    CloseHandle(mutex);
}

static void get(const wchar_t *section, const wchar_t *key, wchar_t *dst)
{
    HANDLE mutex = locked();
    GetPrivateProfileStringW(section, key, L"", dst, CHARS, file());
    unlock(mutex);
}

static long number(const wchar_t *section, const wchar_t *key, long otherwise)
{
    wchar_t text[CHARS];
    get(section, key, text);
    return text[0] ? wcstol(text, NULL, 0) : otherwise;
}

static void put(const wchar_t *section, const wchar_t *key, const wchar_t *value)
{
    HANDLE mutex = locked();
    WritePrivateProfileStringW(section, key, value, file());
    unlock(mutex);
}

static void put_number(const wchar_t *section, const wchar_t *key, long value)
{
    wchar_t text[32];
    swprintf(text, 32, L"%ld", value);
    put(section, key, text);
}

/* Calls that change something, and the opening, are counted by name; [moods] NAME.hang =
 * milliseconds, NAME.error = code. */
static DWORD mood(const wchar_t *name)
{
    wchar_t key[CHARS];
    if (wcsstr(name, L"lineClusterResource") || wcscmp(name, L"OpenCluster") == 0)
        put_number(L"calls", name, number(L"calls", name, 0) + 1);
    swprintf(key, CHARS, L"%ls.hang", name);
    for (long ms = 0; ms < number(L"moods", key, 0); ms += 50)
        Sleep(50);
    swprintf(key, CHARS, L"%ls.error", name);
    return (DWORD)number(L"moods", key, 0);
}

static BOOL fails(const wchar_t *name)
{
    DWORD e = mood(name);
    SetLastError(e);
    return e != 0;
}

/* ---- services ---- */

static BOOL owned_here(const wchar_t *resource)
{
    wchar_t own[CHARS], owner[CHARS];
    DWORD len = CHARS;
    get(resource, L"owner", owner);
    return GetComputerNameExW(ComputerNamePhysicalNetBIOS, own, &len) && _wcsicmp(own, owner) == 0;
}

static SC_HANDLE service_of(const wchar_t *resource)
{
    wchar_t name[CHARS];
    get(resource, L"service", name);
    if (!name[0] || !owned_here(resource))
        return NULL;
    SC_HANDLE scm = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service =
        OpenServiceW(scm, name, SERVICE_START | SERVICE_STOP | SERVICE_QUERY_STATUS);
    CloseServiceHandle(scm);
    return service;
}

/* 0 = there is none to look at. */
static DWORD service_state(const wchar_t *resource)
{
    SERVICE_STATUS status = {0};
    SC_HANDLE service = service_of(resource);
    if (service && !QueryServiceStatus(service, &status))
        status.dwCurrentState = 0;
    if (service)
        CloseServiceHandle(service);
    return status.dwCurrentState;
}

static void operate(const wchar_t *resource, BOOL start)
{
    SERVICE_STATUS status;
    SC_HANDLE service = service_of(resource);
    if (!service)
        return;
    if (start)
        StartServiceW(service, 0, NULL);
    else
        ControlService(service, SERVICE_CONTROL_STOP, &status);
    CloseServiceHandle(service);
}

/* ---- states ---- */

static BOOL time_is_up(const wchar_t *resource)
{
    return (long)(GetTickCount() - (DWORD)number(resource, L"since", 0)) >=
           number(resource, L"pending_ms", 0);
}

/* What became of a resource since somebody looked last. */
static void settle(const wchar_t *resource)
{
    long state = number(resource, L"state", ClusterResourceOffline);
    DWORD service = service_state(resource);
    if (number(resource, L"lame", 0))
        return;
    if (state == ClusterResourceOnlinePending && time_is_up(resource)) {
        if (service == SERVICE_STOPPED)
            put_number(resource, L"state", ClusterResourceFailed);
        else if (!service || service == SERVICE_RUNNING)
            put_number(resource, L"state", ClusterResourceOnline);
    } else if (state == ClusterResourceOfflinePending && time_is_up(resource)) {
        if (!service || service == SERVICE_STOPPED)
            put_number(resource, L"state", ClusterResourceOffline);
    } else if (state == ClusterResourceOnline && service == SERVICE_STOPPED) {
        put_number(resource, L"restarts", number(resource, L"restarts", 0) + 1);
        operate(resource, TRUE);
    }
}

static struct list *resources(const wchar_t *needs)
{
    static wchar_t sections[32768];
    struct list *l = calloc(1, sizeof *l);
    l->name = calloc(64, sizeof *l->name);
    HANDLE mutex = locked();
    GetPrivateProfileSectionNamesW(sections, 32768, file());
    unlock(mutex);
    for (const wchar_t *s = sections; *s && l->n < 64; s += wcslen(s) + 1) {
        wchar_t type[CHARS], needed[CHARS];
        get(s, L"type", type);
        get(s, L"needs", needed);
        if (type[0] && (!needs || _wcsicmp(needs, needed) == 0))
            wcscpy(l->name[l->n++], s);
    }
    return l;
}

static DWORD give(struct list *l, DWORD i, LPWSTR name, LPDWORD len)
{
    if (i >= l->n)
        return ERROR_NO_MORE_ITEMS;
    if (wcslen(l->name[i]) >= *len)
        return ERROR_MORE_DATA;
    wcscpy(name, l->name[i]);
    *len = (DWORD)wcslen(name);
    return ERROR_SUCCESS;
}

static DWORD forget(struct list *l)
{
    free(l->name);
    free(l);
    return ERROR_SUCCESS;
}

/* ---- what is exported ---- */

DWORD WINAPI GetNodeClusterState(LPCWSTR node, DWORD *ret)
{
    (void)node;
    DWORD e = mood(L"GetNodeClusterState");
    *ret = (DWORD)number(L"cluster", L"node_state", 0);
    return e;
}

HCLUSTER WINAPI OpenCluster(LPCWSTR name)
{
    (void)name;
    return fails(L"OpenCluster") ? NULL : (HCLUSTER)(UINT_PTR)1;
}

WINBOOL WINAPI CloseCluster(HCLUSTER cluster)
{
    (void)cluster;
    return TRUE;
}

HCLUSENUM WINAPI ClusterOpenEnum(HCLUSTER cluster, DWORD what)
{
    (void)cluster;
    (void)what;
    return fails(L"ClusterOpenEnum") ? NULL : (HCLUSENUM)(void *)resources(NULL);
}

DWORD WINAPI ClusterEnum(HCLUSENUM list, DWORD i, LPDWORD type, LPWSTR name, LPDWORD len)
{
    *type = CLUSTER_ENUM_RESOURCE;
    return give((struct list *)(void *)list, i, name, len);
}

DWORD WINAPI ClusterCloseEnum(HCLUSENUM list)
{
    return forget((struct list *)(void *)list);
}

HRESOURCE WINAPI OpenClusterResource(HCLUSTER cluster, LPCWSTR name)
{
    wchar_t type[CHARS];
    (void)cluster;
    get(name, L"type", type);
    if (fails(L"OpenClusterResource"))
        return NULL;
    SetLastError(ERROR_RESOURCE_NOT_FOUND);
    if (!type[0])
        return NULL;
    struct resource *r = calloc(1, sizeof *r);
    wcscpy(r->name, name);
    return (HRESOURCE)(void *)r;
}

WINBOOL WINAPI CloseClusterResource(HRESOURCE resource)
{
    free((void *)resource);
    return TRUE;
}

/* One "name, value" of a property list (CLUSPROP_LIST): syntax, length, text, filled up to four
 * bytes. */
static DWORD put_text(BYTE *dst, DWORD at, DWORD syntax, const wchar_t *text)
{
    DWORD bytes = (DWORD)((wcslen(text) + 1) * sizeof *text);
    memcpy(dst + at, &syntax, 4);
    memcpy(dst + at + 4, &bytes, 4);
    memcpy(dst + at + 8, text, bytes);
    return at + 8 + (bytes + 3) / 4 * 4;
}

static DWORD properties(const wchar_t *resource, BYTE *dst)
{
    wchar_t service[CHARS], long_text[CHARS];
    DWORD n = 3, at = 4;
    memcpy(dst, &n, 4);
    get(resource, L"service", service);
    /* Long enough that the first question of a caller falls short. */
    wmemset(long_text, L'x', CHARS - 1);
    long_text[CHARS - 1] = 0;
    at = put_text(dst, at, 0x00040003, L"StartupParameters"); /* CLUSPROP_SYNTAX_NAME */
    at = put_text(dst, at, 0x00010003, long_text);            /* ..._LIST_VALUE_SZ */
    at += 4;                                                  /* CLUSPROP_SYNTAX_ENDMARK */
    at = put_text(dst, at, 0x00040003, L"ServiceName");
    at = put_text(dst, at, 0x00010003, service);
    at += 4;
    at = put_text(dst, at, 0x00040003, L"UseNetworkName");
    at = put_text(dst, at, 0x00010003, L"1");
    return at + 4;
}

DWORD WINAPI ClusterResourceControl(HRESOURCE resource, HNODE node, DWORD code, LPVOID in,
                                    DWORD in_size, LPVOID out, DWORD out_size, LPDWORD ret_n)
{
    BYTE answer[8192] = {0};
    const struct resource *r = (const void *)resource;
    (void)node;
    (void)in;
    (void)in_size;
    DWORD e = mood(L"ClusterResourceControl"), n = 0;
    if (e)
        return e;
    if (code == CLUSCTL_RESOURCE_GET_RESOURCE_TYPE) {
        get(r->name, L"type", (wchar_t *)answer);
        n = (DWORD)((wcslen((wchar_t *)answer) + 1) * sizeof(wchar_t));
    } else if (code == CLUSCTL_RESOURCE_GET_PRIVATE_PROPERTIES) {
        n = properties(r->name, answer);
    } else {
        return ERROR_INVALID_FUNCTION;
    }
    *ret_n = n;
    if (n > out_size)
        return ERROR_MORE_DATA;
    memcpy(out, answer, n);
    return ERROR_SUCCESS;
}

CLUSTER_RESOURCE_STATE WINAPI GetClusterResourceState(HRESOURCE resource, LPWSTR node,
                                                      LPDWORD node_len, LPWSTR group,
                                                      LPDWORD group_len)
{
    const struct resource *r = (const void *)resource;
    wchar_t owner[CHARS];
    (void)group;
    (void)group_len;
    if (fails(L"GetClusterResourceState"))
        return ClusterResourceStateUnknown;
    settle(r->name);
    get(r->name, L"owner", owner);
    if (node && wcslen(owner) < *node_len)
        wcscpy(node, owner);
    return (CLUSTER_RESOURCE_STATE)number(r->name, L"state", ClusterResourceOffline);
}

HRESENUM WINAPI ClusterResourceOpenEnum(HRESOURCE resource, DWORD what)
{
    const struct resource *r = (const void *)resource;
    if (fails(L"ClusterResourceOpenEnum") || what != CLUSTER_RESOURCE_ENUM_PROVIDES)
        return NULL;
    return (HRESENUM)(void *)resources(r->name);
}

DWORD WINAPI ClusterResourceEnum(HRESENUM list, DWORD i, LPDWORD type, LPWSTR name, LPDWORD len)
{
    *type = CLUSTER_RESOURCE_ENUM_PROVIDES;
    return give((struct list *)(void *)list, i, name, len);
}

DWORD WINAPI ClusterResourceCloseEnum(HRESENUM list)
{
    return forget((struct list *)(void *)list);
}

static void begin(const wchar_t *resource, long state, BOOL start)
{
    put_number(resource, L"since", (long)GetTickCount());
    put_number(resource, L"persistent", start);
    put_number(resource, L"state", state);
    operate(resource, start);
}

DWORD WINAPI OnlineClusterResource(HRESOURCE resource)
{
    const struct resource *r = (const void *)resource;
    DWORD e = mood(L"OnlineClusterResource");
    if (e)
        return e;
    if (number(r->name, L"state", 0) == ClusterResourceOnline)
        return ERROR_SUCCESS;
    begin(r->name, ClusterResourceOnlinePending, TRUE);
    return ERROR_IO_PENDING;
}

/* What depends on a resource goes offline before it, and stays so. */
DWORD WINAPI OfflineClusterResource(HRESOURCE resource)
{
    const struct resource *r = (const void *)resource;
    DWORD e = mood(L"OfflineClusterResource");
    long state = number(r->name, L"state", ClusterResourceOffline);
    if (e || state == ClusterResourceOffline)
        return e;
    if (state != ClusterResourceOnline && state != ClusterResourceFailed)
        return ERROR_INVALID_STATE;
    struct list *l = resources(r->name);
    for (DWORD i = 0; i < l->n; i++) {
        if (number(l->name[i], L"state", ClusterResourceOffline) == ClusterResourceOnline)
            begin(l->name[i], ClusterResourceOfflinePending, FALSE);
    }
    forget(l);
    if (state == ClusterResourceFailed) {
        put_number(r->name, L"persistent", 0);
        return ERROR_RESOURCE_FAILED;
    }
    begin(r->name, ClusterResourceOfflinePending, FALSE);
    return ERROR_IO_PENDING;
}
