/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The table of valid updates (installer/paths/luna.xml) and the route through it. What the table
 * does not list does not exist until somebody accepts it with a reason. */
#ifndef CRLAGENT_DRIVER_PATHS_H
#define CRLAGENT_DRIVER_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "driver/version.h"

enum component {
    COMPONENT_SOFTWARE, /* appliance software */
    COMPONENT_FIRMWARE, /* of the HSM */
    COMPONENT_CLIENT,   /* on the CA hosts */
    COMPONENT_PED,      /* firmware of the PED */
    COMPONENT_BACKUP,   /* firmware of a Backup HSM G5 */
    COMPONENTS
};
/* "software", "firmware", "client", "ped", "backup"; COMPONENTS when it is none of them. */
enum component component_find(const char *name);
const char *component_word(enum component c);

#define PATHS_UPDATES_MAX 64
#define PATHS_TEXTS_MAX 48
#define PATHS_SOURCES_MAX 48
#define ROUTE_HOPS_MAX 8

struct path_source {
    char id[24];
    char ref[160];
};

struct path_update {
    enum component component;
    char from[256]; /* blank-separated version lines */
    char to[24];
    int minutes_low, minutes_high; /* 0: not known */
    const struct path_source *source;
    const struct path_source *minutes_source; /* NULL: our own estimate */
};

enum path_text_kind {
    PATH_BARRIER,
    PATH_WITHDRAWN,
    PATH_NOTE,
    PATH_ONE_WAY,
    PATH_CERTIFICATE,
    PATH_INSTEAD /* what to do where a barrier stands */
};
const char *path_text_word(enum path_text_kind k);

struct path_text {
    enum path_text_kind kind;
    enum component component;
    char version[96]; /* BARRIER: below; WITHDRAWN: which; NOTE: from; CERTIFICATE: list */
    char to[24];      /* BARRIER: from this version on; WITHDRAWN: what to use instead */
    char text[640];
    const struct path_source *source;
};

struct paths {
    char family[32];
    struct path_source source[PATHS_SOURCES_MAX];
    size_t n_sources;
    struct path_update update[PATHS_UPDATES_MAX];
    size_t n_updates;
    struct path_text text[PATHS_TEXTS_MAX];
    size_t n_texts;
    char ped_older[24], ped_below[24], ped_from[24]; /* for firmware >= ped_firmware */
    char ped_firmware[24];
    char client_firmware[24], client_minimum[24];
};

/* ERR_PARSE with line and element. *ret is filled in place: a row points at its source in it, so it
 * must not be copied afterwards. */
MUST_CHECK int paths_load(const char *label, const char *bytes, size_t len, struct paths *ret,
                          struct err *err);
MUST_CHECK int paths_builtin(struct paths *ret, struct err *err);

enum route_verdict {
    ROUTE_ALREADY,   /* it is there */
    ROUTE_FOUND,     /* hops are filled */
    ROUTE_BARRIER,   /* impossible; why says it */
    ROUTE_DOWNGRADE, /* impossible */
    ROUTE_WITHDRAWN, /* the vendor took the target back */
    ROUTE_UNLISTED,  /* not in the table: only with an accepted reason */
};

struct route {
    enum route_verdict verdict;
    const struct path_update *hop[ROUTE_HOPS_MAX];
    size_t n;
    /* One hop, and 'hsm show' prints the same level before and after it: a fresh login proves
     * nothing, so a run refuses it. */
    bool unprovable;
    char why[1024];                /* for people, with the source */
    int minutes_low, minutes_high; /* sum over the hops; 0 when unknown */
};

/* The shortest route. ERR_PARSE when a version is none. */
MUST_CHECK int paths_route(const struct paths *p, enum component c, const char *from,
                           const char *to, struct route *ret, struct err *err);

/* Has the vendor taken back that installed version? ret->why says what to use instead. */
bool paths_withdrawn(const struct paths *p, enum component c, const char *version,
                     struct route *ret);

const char *route_verdict_name(enum route_verdict v);

/* Does that text belong to what is said about going to `to`? */
bool paths_says(const struct path_text *t, enum component c, const char *to, const struct route *r);

/* Everything known about going there: hops with sources, what is one-way, what a rollback would
 * destroy, notes, certificates. Appends lines. */
void paths_explain(const struct paths *p, enum component c, const char *from, const char *to,
                   const struct route *r, struct buf *out);

/* Is that PED firmware new enough for the HSM firmware? "" for either = true. */
bool paths_ped_suits(const struct paths *p, const char *ped, const char *firmware);
bool paths_client_suits(const struct paths *p, const char *client, const char *firmware);

#endif
