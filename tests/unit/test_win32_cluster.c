/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* win32/cluster.c against the lab's clusapi.dll and resutils.dll, which are loaded by their full
 * path here. The product loads from System32 alone; it has no way to be given another place. */
#include "win32/clusterapi.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "unit/cmocka_unit.h"
#include "win32/deadline.h"
#include "win32/service.h"
#include "win32/utf.h"

static wchar_t ini[MAX_PATH], own[64];
static struct cluster_api api;
static struct cluster_services services;
static struct svc_control svc;

static void put(const wchar_t *section, const wchar_t *key, const wchar_t *value)
{
    WritePrivateProfileStringW(section, key, value, ini);
}

static unsigned calls(const wchar_t *name)
{
    return GetPrivateProfileIntW(L"calls", name, 0, ini);
}

static void resource(const wchar_t *name, const wchar_t *type, const wchar_t *service,
                     const wchar_t *needs)
{
    put(name, L"type", type);
    put(name, L"service", service);
    put(name, L"needs", needs);
    put(name, L"owner", own);
    put(name, L"state", L"2");
    put(name, L"pending_ms", L"50");
}

static int load(void **state)
{
    wchar_t path[MAX_PATH], *slash;
    struct err err = ERR_INIT;
    DWORD len = ARRAY_LEN(own);
    (void)state;
    GetModuleFileNameW(NULL, path, MAX_PATH);
    slash = wcsrchr(path, L'\\');
    wcscpy(slash, L"\\lab\\cluster\\clusapi.dll");
    HMODULE clusapi = LoadLibraryW(path);
    wcscpy(slash, L"\\lab\\cluster\\resutils.dll");
    HMODULE resutils = LoadLibraryW(path);
    GetTempPathW(MAX_PATH, ini);
    swprintf(wcschr(ini, 0), 64, L"crlagent-cluster-%lu.ini", GetCurrentProcessId());
    SetEnvironmentVariableW(L"CRLAGENT_LAB_CLUSTER", ini);
    GetComputerNameExW(ComputerNamePhysicalNetBIOS, own, &len);
    if (!clusapi || !resutils || cluster_api_bind(clusapi, resutils, &api, &err))
        print_message("%lu %s\n", GetLastError(), err.text);
    return clusapi && resutils ? 0 : -1;
}

static int setup(void **state)
{
    (void)state;
    DeleteFileW(ini);
    put(L"cluster", L"node_state", L"19");
    resource(L"Lab Disk", L"Physical Disk", L"", L"");
    resource(L"Lab CA", L"Generic Service", L"NoSuchCertSvc", L"Lab Disk");
    resource(L"Lab Web", L"Generic Application", L"", L"Lab CA");
    resource(L"Lab Web Front", L"Generic Application", L"", L"Lab Web");
    services = (struct cluster_services){*svc_control_scm(), cluster__with(&api, 10000)};
    svc = cluster_services_seam(&services);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    DeleteFileW(ini);
    return 0;
}

static enum svc_state state_after(enum svc_state leave)
{
    struct svc_info info = {.state = leave};
    for (int i = 0; i < 500 && info.state == leave; i++) {
        Sleep(20);
        assert_int_equal(svc.ops->query(svc.self, "NoSuchCertSvc", &info, NULL), ERR_OK);
    }
    return info.state;
}

static void bind__function_missing__unsupported_and_named(void **state)
{
    (void)state;
    struct cluster_api ret;
    struct err err = ERR_INIT;
    HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
    assert_int_equal(cluster_api_bind(kernel, kernel, &ret, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "GetNodeClusterState"));
}

static void find__in_no_cluster__not_found(void **state)
{
    (void)state;
    struct cluster_resource r;
    struct err err = ERR_INIT;
    put(L"cluster", L"node_state", L"0");
    assert_int_equal(services.cluster.ops->find(services.cluster.self, "CertSvc", false, &r, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(calls(L"OpenCluster"), 0);
    put(L"cluster", L"node_state", L"19");
    assert_int_equal(services.cluster.ops->find(services.cluster.self, "Other", false, &r, &err),
                     ERR_NOT_FOUND);
}

/* What is not known is not "not clustered": the service control manager would be used then. */
static void find__cannot_be_asked__error_not_not_found(void **state)
{
    (void)state;
    static const wchar_t *const moods[] = {L"GetNodeClusterState",    L"OpenCluster",
                                           L"ClusterOpenEnum",        L"OpenClusterResource",
                                           L"ClusterResourceControl", L"GetClusterResourceState"};
    struct svc_info info;
    for (size_t i = 0; i < ARRAY_LEN(moods); i++) {
        struct err err = ERR_INIT;
        wchar_t key[64];
        swprintf(key, 64, L"%ls.error", moods[i]);
        put(L"moods", key, L"5");
        assert_int_equal(svc.ops->query(svc.self, "NoSuchCertSvc", &info, &err), ERR_DENIED);
        assert_non_null(strstr(err.text, "is not known, so nothing is done to it"));
        put(L"moods", key, NULL);
    }
    struct err err = ERR_INIT;
    put(L"cluster", L"node_state", L"3");
    assert_int_equal(svc.ops->query(svc.self, "NoSuchCertSvc", &info, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "net start ClusSvc"));
}

static void find__two_resources_for_one_service__refused(void **state)
{
    (void)state;
    struct svc_info info;
    struct err err = ERR_INIT;
    resource(L"Lab CA 2", L"Generic Service", L"nosuchcertsvc", L"");
    assert_int_equal(svc.ops->query(svc.self, "NoSuchCertSvc", &info, &err), ERR_STATE);
    assert_non_null(strstr(err.text, "Lab CA 2"));
}

static void query__clustered__resource_owner_and_state(void **state)
{
    (void)state;
    static const struct {
        const wchar_t *state;
        enum svc_state is;
    } cases[] = {{L"2", SVC_RUNNING},        {L"3", SVC_STOPPED},
                 {L"4", SVC_STOPPED},        {L"129", SVC_START_PENDING},
                 {L"130", SVC_STOP_PENDING}, {L"1", SVC_START_PENDING}};
    struct svc_info info;
    struct err err = ERR_INIT;
    put(L"Lab CA", L"lame", L"1");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put(L"Lab CA", L"state", cases[i].state);
        assert_int_equal(svc.ops->query(svc.self, "NoSuchCertSvc", &info, &err), ERR_OK);
        assert_int_equal(info.state, cases[i].is);
        assert_string_equal(info.resource, "Lab CA");
        assert_int_equal(info.trouble, wcscmp(cases[i].state, L"4") ? SVC_FINE : SVC_FAILED);
    }
    put(L"Lab CA", L"owner", L"CA02");
    assert_int_equal(svc.ops->query(svc.self, "NoSuchCertSvc", &info, &err), ERR_OK);
    assert_int_equal(info.trouble, SVC_ELSEWHERE);
    assert_string_equal(info.owner, "CA02");
}

static void dependants__of_dependants__in_the_order_of_going_offline(void **state)
{
    (void)state;
    struct cluster_resource r[4];
    struct err err = ERR_INIT;
    size_t n = 0;
    assert_int_equal(
        services.cluster.ops->dependants(services.cluster.self, "Lab CA", r, 4, &n, &err), ERR_OK);
    assert_int_equal(n, 2);
    assert_string_equal(r[0].name, "Lab Web Front");
    assert_string_equal(r[1].name, "Lab Web");
    assert_int_equal(
        services.cluster.ops->dependants(services.cluster.self, "Lab CA", r, 1, &n, &err),
        ERR_LIMIT);
    put(L"Lab Web", L"needs", L"Lab Web Front"); /* a circle */
    assert_int_equal(
        services.cluster.ops->dependants(services.cluster.self, "Lab Web", r, 4, &n, &err),
        ERR_LIMIT);
}

static void stop_and_start__pending__then_there(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(svc.ops->stop(svc.self, "NoSuchCertSvc", &err), ERR_OK);
    assert_int_equal(state_after(SVC_STOP_PENDING), SVC_STOPPED);
    assert_int_equal(svc.ops->stop(svc.self, "NoSuchCertSvc", &err), ERR_OK);
    assert_int_equal(calls(L"OfflineClusterResource"), 1);
    assert_int_equal(GetPrivateProfileIntW(L"Lab CA", L"persistent", 9, ini), 0);
    assert_int_equal(svc.ops->start(svc.self, "NoSuchCertSvc", &err), ERR_OK);
    assert_int_equal(state_after(SVC_START_PENDING), SVC_RUNNING);
    assert_int_equal(GetPrivateProfileIntW(L"Lab CA", L"persistent", 9, ini), 1);
}

static void stop__refused__error_with_resource_and_code(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    put(L"moods", L"OfflineClusterResource.error", L"5023"); /* ERROR_INVALID_STATE */
    assert_int_not_equal(svc.ops->stop(svc.self, "NoSuchCertSvc", &err), ERR_OK);
    assert_int_equal(err.os_code, 5023);
    assert_non_null(strstr(err.text, "Lab CA"));
}

static void start__owned_by_another_node__refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    put(L"Lab CA", L"state", L"3");
    put(L"Lab CA", L"owner", L"CA02");
    assert_int_equal(svc.ops->start(svc.self, "NoSuchCertSvc", &err), ERR_STATE);
    assert_non_null(strstr(err.text, "CA02"));
    assert_int_equal(calls(L"OnlineClusterResource"), 0);
}

/* The request is on its way: its failure to come back is no failure to stop. */
static void stop__call_hangs__still_asked_and_state_decides(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    services.cluster = cluster__with(&api, 2000);
    put(L"moods", L"OfflineClusterResource.hang", L"60000"); /* until it is taken back */
    assert_int_equal(svc.ops->stop(svc.self, "NoSuchCertSvc", &err), ERR_OK);
    assert_int_equal(deadline_stuck(DEADLINE_CLUSTER), 1);
    services.cluster = cluster__with(&api, 10000);
    put(L"moods", L"OfflineClusterResource.hang", NULL);
    enum svc_state after = state_after(SVC_RUNNING);
    if (after == SVC_STOP_PENDING)
        after = state_after(SVC_STOP_PENDING);
    assert_int_equal(after, SVC_STOPPED);
    for (int i = 0; i < 100 && deadline_stuck(DEADLINE_CLUSTER); i++)
        Sleep(50);
    assert_int_equal(deadline_stuck(DEADLINE_CLUSTER), 0);
}

static void query__call_hangs__time_out(void **state)
{
    (void)state;
    struct svc_info info;
    struct err err = ERR_INIT;
    services.cluster = cluster__with(&api, 100);
    put(L"moods", L"ClusterOpenEnum.hang", L"60000");
    assert_int_equal(svc.ops->query(svc.self, "NoSuchCertSvc", &info, &err), ERR_TIMEOUT);
    assert_int_equal(deadline_stuck(DEADLINE_CA), 0);
    put(L"moods", L"ClusterOpenEnum.hang", NULL);
    for (int i = 0; i < 100 && deadline_stuck(DEADLINE_CLUSTER); i++)
        Sleep(50);
}

static void system__without_the_cluster_service__not_found(void **state)
{
    (void)state;
    struct cluster_resource r;
    struct err err = ERR_INIT;
    const struct cluster *c = cluster_system();
    assert_int_equal(c->ops->find(c->self, "CertSvc", false, &r, &err), ERR_NOT_FOUND);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(bind__function_missing__unsupported_and_named),
        CASE(find__in_no_cluster__not_found),
        CASE(find__cannot_be_asked__error_not_not_found),
        CASE(find__two_resources_for_one_service__refused),
        CASE(query__clustered__resource_owner_and_state),
        CASE(dependants__of_dependants__in_the_order_of_going_offline),
        CASE(stop_and_start__pending__then_there),
        CASE(stop__refused__error_with_resource_and_code),
        CASE(start__owned_by_another_node__refused),
        CASE(stop__call_hangs__still_asked_and_state_decides),
        CASE(query__call_hangs__time_out),
        CASE(system__without_the_cluster_service__not_found),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
