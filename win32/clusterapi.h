/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The few functions of clusapi.dll and resutils.dll that are used, found at run time: most CA hosts
 * are in no cluster, and a Windows without the feature must be able to run the program. */
#ifndef CRLAGENT_WIN32_CLUSTERAPI_H
#define CRLAGENT_WIN32_CLUSTERAPI_H

#include <windows.h>

#include "base/err.h"
#include "ca/cluster.h"

/* From clusapi.h, which the compiler's headers for this version of Windows have in a form that does
 * not compile. Handles are opaque there as well. */
typedef struct cluster_h *cluster_h;
typedef struct cluster_enum_h *cluster_enum_h;
typedef struct cluster_resource_h *cluster_resource_h;
typedef struct cluster_resource_enum_h *cluster_resource_enum_h;
#define CLUSTER_STATE_UNKNOWN (-1)
#define CLUSTER_ENUM_RESOURCES 0x00000004
#define CLUSTER_RESOURCE_ENUM_DEPENDANTS 0x00000002 /* CLUSTER_RESOURCE_ENUM_PROVIDES */
#define CLUSTER_CONTROL_GET_TYPE 0x0100002D         /* CLUSCTL_RESOURCE_GET_RESOURCE_TYPE */
#define CLUSTER_CONTROL_GET_PRIVATE 0x01000081      /* CLUSCTL_RESOURCE_GET_PRIVATE_PROPERTIES */

struct cluster_api {
    DWORD(WINAPI *node_state)(LPCWSTR node, DWORD *ret); /* GetNodeClusterState */
    cluster_h(WINAPI *open)(LPCWSTR name);
    BOOL(WINAPI *close)(cluster_h cluster);
    cluster_enum_h(WINAPI *open_enum)(cluster_h cluster, DWORD what);
    DWORD(WINAPI *next)(cluster_enum_h list, DWORD i, LPDWORD type, LPWSTR name, LPDWORD len);
    DWORD(WINAPI *close_enum)(cluster_enum_h list);
    cluster_resource_h(WINAPI *open_resource)(cluster_h cluster, LPCWSTR name);
    BOOL(WINAPI *close_resource)(cluster_resource_h resource);
    DWORD(WINAPI *control)
    (cluster_resource_h resource, void *node, DWORD code, LPVOID in, DWORD in_size, LPVOID out,
     DWORD out_size, LPDWORD ret_n);
    int(WINAPI *state)(cluster_resource_h resource, LPWSTR node, LPDWORD node_len, LPWSTR group,
                       LPDWORD group_len);
    cluster_resource_enum_h(WINAPI *open_resource_enum)(cluster_resource_h resource, DWORD what);
    DWORD(WINAPI *next_resource)
    (cluster_resource_enum_h list, DWORD i, LPDWORD type, LPWSTR name, LPDWORD len);
    DWORD(WINAPI *close_resource_enum)(cluster_resource_enum_h list);
    DWORD(WINAPI *online)(cluster_resource_h resource);
    DWORD(WINAPI *offline)(cluster_resource_h resource);
    /* ResUtilFindSzProperty: *ret is freed with LocalFree */
    DWORD(WINAPI *find_text)(const PVOID list, DWORD size, LPCWSTR name, LPWSTR *ret);
};

/* ERR_UNSUPPORTED with the name of the function that is missing. */
MUST_CHECK int cluster_api_bind(HMODULE clusapi, HMODULE resutils, struct cluster_api *ret,
                                struct err *err);
/* Both libraries from System32, and nowhere else. ERR_UNSUPPORTED when they are not there. */
MUST_CHECK int cluster_api_load(struct cluster_api *ret, struct err *err);

/* The cluster behind ca/cluster.h, each call on a thread of its own with a limit. Static, any
 * thread. */
const struct cluster *cluster_system(void);

/* For tests: another binding and other limits; the service "ClusSvc" is not asked for. Not
 * thread-safe. */
struct cluster cluster__with(const struct cluster_api *api, int64_t timeout_ms);

#endif
