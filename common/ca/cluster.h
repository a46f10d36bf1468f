/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A service that is a resource of a failover cluster is operated through the cluster: stopped
 * through the service control manager it would be taken for a failure and started again, here or on
 * another node. cluster_services_seam() puts both behind the seam of ca/service.h: what is a
 * Generic Service resource goes through the cluster, everything else to the inner seam.
 *
 * Only the node that owns a resource may take it down and up. The key test, the HSM client, the
 * CA's database and our own store are this computer's: from another node the wrong HSM connection
 * would be tested, and two agents could hold one CA. Microsoft's procedures for a clustered CA
 * begin with "log on to the active node" as well. */
#ifndef CRLAGENT_CA_CLUSTER_H
#define CRLAGENT_CA_CLUSTER_H

#include "ca/service.h"

/* Values are the cluster's own (clusapi.h, CLUSTER_RESOURCE_STATE). */
enum cluster_state {
    CLUSTER_INHERITED = 0,
    CLUSTER_INITIALIZING = 1,
    CLUSTER_ONLINE = 2,
    CLUSTER_OFFLINE = 3,
    CLUSTER_FAILED = 4,
    CLUSTER_PENDING = 128,
    CLUSTER_ONLINE_PENDING = 129,
    CLUSTER_OFFLINE_PENDING = 130,
};

struct cluster_resource {
    char name[SVC_NAME_MAX];
    char service[SVC_NAME_MAX]; /* ServiceName of a Generic Service; "" = of another type */
    char owner[SVC_NODE_MAX];
    bool here; /* the owner is this computer */
    enum cluster_state state;
};

struct cluster_ops {
    /* The Generic Service resource of that service or, with by_name, the resource of that name.
     * ERR_NOT_FOUND: there is none, or this computer belongs to no cluster. Any other error: it is
     * not known, and nothing may be done to the service. */
    int (*find)(void *self, const char *what, bool by_name, struct cluster_resource *ret,
                struct err *err);
    /* All that depend on a resource, directly or not, in the order in which they go offline. At
     * most max are stored; ERR_LIMIT when there are more. */
    int (*dependants)(void *self, const char *resource, struct cluster_resource *ret, size_t max,
                      size_t *ret_n, struct err *err);
    /* Asks for it and returns; ERR_OK when it is on its way. The cluster then keeps it so, also
     * over a fail-over and its own restart. */
    int (*turn)(void *self, const char *resource, bool online, struct err *err);
};
struct cluster {
    const struct cluster_ops *ops;
    void *self;
};

/* Filled by the caller; must outlive the seam. */
struct cluster_services {
    struct svc_control inner; /* the service control manager */
    struct cluster cluster;
};
/* A resource that is no Generic Service has the name "cluster:" and its own. The start type of a
 * clustered service is given as manual and is never changed: it is the cluster's, whose copy of
 * the registry key of CertSvc goes from node to node. */
struct svc_control cluster_services_seam(struct cluster_services *s);

const char *cluster_state_name(enum cluster_state state); /* "online", "offline pending" ... */

#endif
