/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The configuration: XML validated against installer/schema/crlagent.xsd into one plain struct.
 * Every setting has a default, so an empty <crlagent/> is a complete configuration. No secret is
 * ever in it: a "credential" is the name of an entry of the credential store. */
#ifndef CRLAGENT_CONFIG_CONFIG_H
#define CRLAGENT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/event.h"
#include "crl/judge.h"

#define CONFIG_AUTO INT64_MIN /* a duration that is derived from what is found at run time */

enum config_admin { CONFIG_ADMIN_AUTO, CONFIG_ADMIN_COM, CONFIG_ADMIN_CERTUTIL };
enum config_key_probe {
    CONFIG_KEY_CNG,
    CONFIG_KEY_CAPI,
    CONFIG_KEY_CERTUTIL,
    CONFIG_KEY_OFF,
};
enum config_watch { CONFIG_WATCH_ALARM, CONFIG_WATCH_STOP_AGAIN };
enum config_deadline { CONFIG_DEADLINE_HOLD, CONFIG_DEADLINE_RESUME };
enum config_reserve { CONFIG_RESERVE_OFF, CONFIG_RESERVE_WANTED, CONFIG_RESERVE_REQUIRED };
enum config_release { CONFIG_RELEASE_OPERATOR, CONFIG_RELEASE_RUNWAY_ENDS };
enum config_number { CONFIG_NUMBER_NEXT, CONFIG_NUMBER_SAME };
enum config_log_level { CONFIG_LOG_ERROR, CONFIG_LOG_WARNING, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };
enum config_mail_tls { CONFIG_MAIL_STARTTLS, CONFIG_MAIL_TLS, CONFIG_MAIL_PLAIN };
enum config_location_role { CONFIG_ROLE_BASE, CONFIG_ROLE_DELTA };

/* A list of texts; n items, all malloc'ed. */
struct config_list {
    char **item;
    size_t n;
};

/* A limit for the remaining life of a CRL: a duration, or the share of its life that may be used
 * up. Exactly one is set. */
struct config_threshold {
    int64_t seconds; /* remaining life; 0 = percent is set */
    uint8_t percent; /* 1-99 of the life used up; 0 = seconds is set */
};

/* A location besides those the CA's own configuration names, or other thresholds for one of them
 * (matched by URL). */
struct config_location {
    char *url;
    enum config_location_role role;
    bool has_key; /* key and partition were named */
    uint32_t key, partition;
    struct config_threshold warning, critical; /* both zero = the general ones */
    struct config_list addresses; /* IP addresses or domain controllers asked one by one; empty = as
                                     resolved */
};

struct config {
    struct {
        enum config_admin administration;
        enum config_key_probe key_probe;
        int64_t key_probe_timeout; /* seconds */
        int64_t answer_timeout;    /* seconds, one question to the CA */
        int64_t publish_timeout;   /* seconds, one PublishCRLs call */
        int64_t stop_timeout;      /* seconds, per service */
        int64_t start_timeout;     /* seconds, per service, and until the CA answers */
        int64_t minimum_stop_time; /* seconds; CONFIG_AUTO = 60 with a SafeNet provider, else 0 */
        bool change_start_type;    /* set to manual during the pause, where rights allow */
        enum config_watch watch;   /* when somebody starts the CA during the pause */
        struct config_list stop_with; /* services stopped before the CA, in this order */
    } ca;
    struct {
        int64_t propagation;    /* seconds until a new CRL is at every client */
        int64_t reserve;        /* seconds of runway left at the end of the window */
        int64_t maximum_window; /* seconds */
        int64_t maximum_cover;  /* seconds a cover CRL may reach into the future */
        bool cover_crl;         /* publish one when the runway is too short; false = refuse */
        int64_t proof_timeout;  /* seconds for every location to serve the new CRL */
        enum config_deadline deadline_action;
        enum config_reserve reserve_crl;
        int64_t reserve_life; /* seconds a reserve CRL lasts */
        enum config_release reserve_release;
        enum config_number reserve_number;
    } maintenance;
    struct {
        struct config_threshold base_warning, base_critical, delta_warning, delta_critical;
        int64_t overdue_grace; /* seconds after Next CRL Publish */
        int64_t clock_skew;    /* seconds */
    } thresholds;
    struct {
        int64_t interval;             /* seconds between two rounds */
        int64_t maintenance_interval; /* seconds, while a maintenance is open */
        int64_t timeout;              /* seconds per location */
        int64_t history;              /* seconds that results are kept */
        int64_t key_test_interval;    /* seconds between two test signatures; 0 = none */
        uint64_t issued_count;        /* issued certificates read for their locations; 0 = none */
        int64_t issued_age;           /* seconds since they became valid; 0 = any */
        char *proxy;                  /* "http://host:port"; "" = none */
        struct config_list direct;    /* hosts that are asked past the proxy; ".x" = all below x */
        bool as_client;               /* each look asks once more by name, caches allowed */
    } probe;
    struct config_location *locations;
    size_t n_locations;
    struct {
        char *operators; /* group or account, name or SID; "" = Administrators only */
        char *readers;   /* the same; "" = operators and Administrators only */
    } access;
    struct {
        char *metrics_file; /* *.prom; "" = none */
        bool event_log;
        enum config_log_level log_level;
        char *log_file;    /* "" = logs\crlagent.log in the data folder */
        uint64_t log_size; /* bytes, then it is turned over */
        uint64_t log_keep; /* old files kept */
    } output;
    struct {
        enum severity minimum; /* SEV_WARNING or SEV_CRITICAL */
        int64_t send_timeout;  /* seconds for one notice */
        int64_t reminder;      /* seconds until a lasting alarm is told again; 0 = never */
        char *smtp_server;     /* "host:port"; "" = no mail */
        enum config_mail_tls smtp_security;
        char *smtp_from;
        struct config_list smtp_to;
        char *smtp_credential; /* name in the credential store; "" = none */
        char *webhook_url;     /* "" = no webhook */
        char *webhook_credential;
        char *webhook_proxy; /* "http://host:port"; "" = none */
    } notify;
};

/* All defaults. For SCOPED(config_free): takes a zeroed struct. ERR_NOMEM. */
MUST_CHECK int config_defaults(struct config *ret, struct err *err);
void config_free(struct config *c);

/* Reads and checks a file. ERR_NOT_FOUND when there is none, ERR_PARSE with "FILE:LINE: ..." when
 * it is wrong; problems (may be NULL) gets every problem, one line each. *ret untouched on failure.
 */
MUST_CHECK int config_load(const char *path, struct config *ret, struct buf *problems,
                           struct err *err);
/* The same from memory; label stands for the file in messages. */
MUST_CHECK int config_parse(const char *label, const void *bytes, size_t len, struct config *ret,
                            struct buf *problems, struct err *err);

/* The configuration in effect as a complete XML document that config_parse reads back to the same.
 */
MUST_CHECK int config_write(const struct config *c, struct buf *out, struct err *err);

/* A file to begin with: every setting with its explanation and its default. */
MUST_CHECK int config_template(struct buf *out, struct err *err);

/* The reference page (Markdown), made from the schema. */
MUST_CHECK int config_reference(struct buf *out, struct err *err);

/* Thresholds in the form crl_judge wants; location may be NULL. */
struct crl_thresholds config_thresholds(const struct config *c,
                                        const struct config_location *location, bool delta);

#endif
