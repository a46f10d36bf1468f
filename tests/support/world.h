/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A small world behind every seam of the maintenance engine: a clock that only moves when somebody
 * waits, a service control manager, a CA with CRLs, an HSM, locations that serve them. It
 * misbehaves on request and can die at its n-th call: from then on nothing has any effect, as if
 * the process had been killed there. It keeps an account of what must never happen. */
#ifndef CRLAGENT_TESTS_SUPPORT_WORLD_H
#define CRLAGENT_TESTS_SUPPORT_WORLD_H

#include "ca/cluster.h"
#include "maint/maint.h"

#define WORLD_NOW 1764000000
#define WORLD_KEYS 2
#define WORLD_CERT_LIFE (3ll * 365 * 86400) /* of the CA certificates, from WORLD_NOW */
#define WORLD_LOCATIONS 16
#define WORLD_SERVICES 10

struct world_crl {
    uint64_t number;
    int64_t this_update, next_update;
    bool delta;
    uint32_t key;
    uint32_t entries;
    bool plain; /* no Freshest CRL, no Next CRL Publish: a reserve CRL */
};

struct world_file {
    char name[64]; /* of the sealed folder; "" = free */
    char text[160];
};

struct world_service {
    struct svc_info info;
    const char *needs;     /* must run while this one runs; NULL = none */
    int64_t pending_until; /* mono_ms at which a pending state is left */
    int64_t stop_ms, start_ms;
    bool deaf;             /* stop pending for ever */
    bool refuses_stop;     /* the stop control fails */
    bool fails_start;      /* goes back to stopped, exit code 1058 */
    bool fixed_start_type; /* changing the start type is denied */
    bool missing;          /* was uninstalled */
    int starts;            /* how often it was started */
};

/* A failover cluster of two nodes; resource[0] is the CA's. Its services are those of the world. */
struct world_resource {
    const char *name;
    const char *service; /* of the world; "" = of another type, such as a disk */
    const char *needs;   /* resource that must be online before this one */
    enum cluster_state state;
    bool refuses;         /* the call fails */
    bool lame;            /* is accepted and does nothing: pending for ever */
    int64_t settles;      /* mono_ms at which a pending state is left */
    bool persistent_down; /* the cluster was told to keep it offline */
    int turns;
};
struct world_cluster {
    bool on;      /* this computer is a node of it */
    bool deaf;    /* the cluster service does not answer */
    bool away;    /* the other node owns the role */
    bool bounces; /* when the CA fails to come online, the other node gets it online */
    struct world_resource resource[4];
    size_t n;
};

struct world_location {
    char url[96];
    char address[32];
    uint32_t key;
    bool delta, parent;
    struct world_crl serves;
    int64_t lag;             /* seconds until a new CRL is served here */
    bool as_client;          /* asked as clients do */
    bool down;               /* no connection */
    bool frozen;             /* keeps serving what it has */
    bool unwritten;          /* the CA cannot write here (publish status error) */
    struct world_crl coming; /* on its way, served from 'arrives' on */
    int64_t arrives;
};

struct world {
    int64_t now, mono_ms;
    /* dying */
    long calls, die_at; /* 0 = immortal */
    bool dead;
    bool stop_requested; /* what the 'stopping' seam says */
    /* services: [0] CertSvc, [1] a dependant that runs, [2] one that is stopped */
    struct world_service service[WORLD_SERVICES];
    size_t n_services;
    int64_t ca_stopped_at;
    struct world_cluster cluster;
    struct cluster_services cluster_seam;
    /* the CA */
    struct world_crl base[WORLD_KEYS], delta[WORLD_KEYS];
    uint32_t keys;
    bool deltas;
    int64_t period, delta_period; /* seconds a CRL lasts */
    uint32_t cpf_force;           /* status bits instead of the true ones; ~0 = true ones */
    bool silent;                  /* does not answer */
    bool publish_fails;           /* makes nothing, HRESULT of the HSM */
    bool publish_lies;            /* says success, makes nothing */
    bool publish_short;           /* ignores the Date */
    bool publish_warns;           /* makes it, but returns the HRESULT of a location */
    bool busy_publisher;          /* publishes a normal CRL by itself before the next question */
    uint32_t roles;
    bool clustered;
    const char *provider;
    uint32_t audit_filter;
    int publishes;
    /* reserve CRLs: a signing tool and its ways to go wrong, the sealed folder, one file per key
     * that the CA writes and the web servers serve */
    bool resign_refuses, resign_wrong_key, resign_drops_entries, resign_keeps_freshest;
    bool resign_keeps_number, resign_short;
    int resigns, releases; /* made; writes of a reserve to a file */
    bool at_reserve[4096]; /* which calls were of this kind */
    struct world_file sealed[16];
    struct world_crl file[WORLD_KEYS];
    bool has_files;   /* the CA's configuration names them */
    bool file_denied; /* they cannot be written */
    /* the HSM */
    bool hsm_away, hsm_wrong_key;
    uint32_t sign_ms;
    /* locations */
    struct world_location location[WORLD_LOCATIONS];
    size_t n_locations;
    bool prober_broken;
    struct err unknown_parent;
    /* what people were told */
    uint32_t events[256];
    size_t n_events;
    char last_text[512];
    size_t n_progress;
    /* what must never happen; "" = nothing did */
    char crime[256];
    /* called before the SCM is told to change anything */
    void (*on_touch)(struct world *w, const char *what, const char *service);
    void *arg;
    struct clock clock;
};

/* Two keys, deltas, two locations per CRL, a parent: all is well and lasts for days. */
void world_init(struct world *w);
void world_seams(struct world *w, struct maint_seams *ret);
/* CertSvc and RunningDependant become resources of a cluster, with a disk that the CA needs and one
 * resource of another type that needs the CA. Before world_seams. */
void world_make_cluster(struct world *w);
/* world_cluster.c */
struct cluster world_cluster_seam(struct world *w);
/* One more service; needs NULL = of nobody. */
struct world_service *world_add_service(struct world *w, const char *name, enum svc_state state,
                                        enum svc_start start, const char *needs);
struct world_service *world_service(struct world *w, const char *name);
/* Every location serves what the CA holds. */
void world_deliver_all(struct world *w);
/* The bytes of a CRL of this world, and back (world_crl.c). */
#define WORLD_CRL_TEXT 160
const char *world_crl_text(const struct world_crl *c, char dst[WORLD_CRL_TEXT]);
bool world_crl_parse(const void *data, size_t len, struct world_crl *ret);
/* The reserve side of the seams (world_reserve.c), and what the CA's publishing does to its files.
 */
void world_reserve_seams(struct world *w, struct maint_seams *ret);
void world_reserve_written(struct world *w, const struct world_crl *c);
/* How many files the sealed folder holds. */
size_t world_sealed(const struct world *w);
size_t world_count_event(const struct world *w, uint32_t id);
/* Counts one call; true when nothing may have an effect any more. Also for the store's fault. */
bool world_dies(struct world *w);

#endif
