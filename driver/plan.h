/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The plan of one change: what is upgraded to what, over which connection, with which agents, in
 * which window, and who attested what. Reference: docs/hsmupgrade.md. No secret is in it. */
#ifndef CRLAGENT_DRIVER_PLAN_H
#define CRLAGENT_DRIVER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PLAN_APPLIANCES_MAX 16
#define PLAN_AGENTS_MAX 16
#define PLAN_ARGS_MAX 32
#define PLAN_ATTEST_MAX 32
#define PLAN_HOPS_MAX 5
#define PLAN_NAME_MAX 48

enum console { CONSOLE_SSH, CONSOLE_SERIAL, CONSOLE_MANUAL };
enum ssh_login { SSH_LOGIN_PASSWORD, SSH_LOGIN_PUBLICKEY, SSH_LOGIN_AGENT };
enum ha_role { ROLE_SINGLE, ROLE_SECONDARY, ROLE_PRIMARY };
enum activation { ACTIVATE_BLACK_KEY, ACTIVATE_AUTO, ACTIVATE_NONE };
enum authcode_from { AUTHCODE_PROMPT, AUTHCODE_CREDENTIAL };

struct plan_package {
    bool present;
    char file[256];
    char name[72]; /* on the appliance; the last part of file unless given */
    uint8_t sha256[32];
    enum authcode_from authcode;
    bool in_software; /* -useevp: no SO login needed */
};

struct plan_ssh {
    bool present;
    char host[256];
    uint16_t port;
    char user[PLAN_NAME_MAX + 1];
    char fingerprint[56]; /* "SHA256:..." without padding */
    enum ssh_login login;
    char keyfile[256];
    bool legacy; /* algorithms of 5.x appliances allowed too */
};

struct plan_serial {
    bool present;
    char device[256];
    uint32_t speed; /* baud */
    char user[PLAN_NAME_MAX + 1];
};

struct plan_appliance {
    char name[PLAN_NAME_MAX + 1];
    enum ha_role role;
    enum console console;
    struct plan_ssh ssh;
    struct plan_serial serial;
};

struct plan_command {
    char *arg[PLAN_ARGS_MAX + 1]; /* ends with NULL; empty = not configured */
    size_t n;
    int64_t timeout; /* seconds */
};

struct plan_agent {
    char name[PLAN_NAME_MAX + 1];
    struct plan_command command;
};

struct plan_attest {
    char what[24];
    char by[128];
    char date[16]; /* YYYY-MM-DD */
};

/* One update of an appliance: the firmware image comes inside the package of its own hop. */
struct plan_hop {
    char software[48], firmware[48]; /* targets; "" = keep */
    struct plan_package package, patch;
};

/* Seconds each. */
struct plan_timeouts {
    int64_t connect;    /* TCP, SSH and login together */
    int64_t command;    /* a show command */
    int64_t ped;        /* a command that waits for a PED key */
    int64_t update;     /* package update */
    int64_t firmware;   /* hsm firmware upgrade */
    int64_t boot;       /* reboot until the HSM answers again */
    int64_t settle;     /* how long a new version may need to show after a step that said success */
    int64_t poll;       /* between two looks while waiting */
    int64_t agent;      /* one hook */
    int64_t activation; /* until the activation check passes */
};

struct plan {
    char change[PLAN_NAME_MAX + 1];
    char reason[256];
    int64_t window_start, window_end;   /* UTC */
    int64_t reserve;                    /* seconds */
    struct plan_hop hop[PLAN_HOPS_MAX]; /* every <via> in order, then the target: the last one */
    size_t n_hops;
    char client[48], ped[48]; /* installed versions as attested; "" = not said */
    struct plan_appliance appliance[PLAN_APPLIANCES_MAX];
    size_t n_appliances;
    struct plan_agent agent[PLAN_AGENTS_MAX];
    size_t n_agents;
    enum activation activation;
    struct plan_command activation_check;
    struct plan_command ha_check; /* prints what 'lunacm hagroup listgroups' prints */
    struct plan_timeouts timeouts;
    struct plan_attest attest[PLAN_ATTEST_MAX];
    size_t n_attest;
    char digest[65]; /* SHA-256 of the file, hex: a run remembers which plan it began with */
};

/* Reads and checks a plan. Errors are "PLAN.xml:LINE: ..." with the element and what is allowed.
 * The caller frees with plan_free, also after an error. */
MUST_CHECK int plan_load(const char *path, struct plan *ret, struct err *err);
MUST_CHECK int plan_parse(const char *label, const char *bytes, size_t len, struct plan *ret,
                          struct err *err);
void plan_free(struct plan *p); /* for SCOPED(); memset-zero plans are fine */

/* The commented example that 'plan init' writes. */
const char *plan_example(size_t *ret_len);

/* Where the change ends: the last hop. */
const struct plan_hop *plan_target(const struct plan *p);

/* The seven attestations a run needs; ERR_STATE lists what is missing, and what is dated after
 * now (UTC). */
MUST_CHECK int plan_check_attestations(const struct plan *p, int64_t now, struct err *err);
/* Who attested one thing; NULL when nobody did, or only the placeholder of the example, or a day
 * that has not come. */
const struct plan_attest *plan_attested(const struct plan *p, const char *what, int64_t now);

/* Does the package file exist with the plan's SHA-256? *ret_size in bytes. ERR_NOT_FOUND,
 * ERR_CRYPTO with expected and found. */
MUST_CHECK int plan_check_package(const struct plan_package *p, uint64_t *ret_size,
                                  struct err *err);

const char *console_name(enum console c);
const char *role_name(enum ha_role r);

#endif
