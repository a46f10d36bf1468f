/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The seams of win32/ asked one question each, for win32_seams.sh: "COM|CERTUTIL VERB ...". Prints
 * one line; exit code 0, or the err_code. */
#include "win32/caadmin.h"

#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "cdp/ldap.h"
#include "win32/casettings.h"
#include "win32/service.h"

static int64_t number(const char *text)
{
    return strtoll(text, NULL, 0);
}

static int finish(int rc, const struct err *err)
{
    if (rc)
        printf("%s 0x%08lx %s\n", err_code_name((enum err_code)rc), (unsigned long)err->os_code,
               err->text);
    return rc;
}

static int property(const struct ca_admin *a, const char *kind, int argc, char **argv,
                    struct err *err)
{
    enum ca_prop id = (enum ca_prop)number(argv[0]);
    int32_t index = argc > 1 ? (int32_t)number(argv[1]) : 0;
    SCOPED(buf_free) struct buf b = BUF_INIT;
    int32_t n = 0;
    int rc = !strcmp(kind, "long")   ? a->ops->prop_long(a->self, id, index, &n, err)
             : !strcmp(kind, "text") ? a->ops->prop_text(a->self, id, index, &b, err)
                                     : a->ops->prop_blob(a->self, id, index, &b, err);
    if (!rc && !strcmp(kind, "long"))
        printf("%ld\n", (long)n);
    else if (!rc)
        fwrite(b.data, 1, b.len, stdout);
    return rc;
}

/* DER, one after the other, newest first. */
static int issued(const struct ca_admin *a, uint32_t max, int64_t age, struct err *err)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    int64_t now = clock_now(clock_system());
    const struct ca_issued_query query = {.max = max, .now = now, .since = age ? now - age : 0};
    int rc = a->ops->issued(a->self, &query, &b, err);
    if (!rc)
        fwrite(b.data, 1, b.len, stdout);
    return rc;
}

static int ask_ca(enum ca_admin_way way, int argc, char **argv, struct err *err)
{
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    struct ca_admin a = {NULL, NULL};
    int rc = ca_settings_registry()->read(NULL, &s, err);
    struct ca_admin_setup setup = {
        .config_string = s.config_string, .way = way, .timeout_ms = 3000};
    if (!rc)
        rc = ca_admin_open(&setup, &a, err);
    if (rc)
        return rc;
    int64_t in = argc > 2 ? number(argv[2]) : 0;
    uint32_t roles = 0;
    if (!strcmp(argv[0], "publish"))
        rc = a.ops->publish(a.self, (unsigned)number(argv[1]),
                            in ? clock_now(clock_system()) + in : 0, err);
    else if (!strcmp(argv[0], "ping"))
        rc = a.ops->ping(a.self, err);
    else if (!strcmp(argv[0], "way"))
        printf("%s\n", a.ops->name);
    else if (!strcmp(argv[0], "roles")) {
        rc = a.ops->roles(a.self, &roles, err);
        if (!rc)
            printf("0x%x\n", (unsigned)roles);
    } else if (!strcmp(argv[0], "issued"))
        rc = issued(&a, (uint32_t)number(argv[1]), in, err);
    else
        rc = property(&a, argv[0], argc - 1, argv + 1, err);
    ca_admin_close(&a);
    return rc;
}

static int settings(struct err *err)
{
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    int rc = ca_settings_registry()->read(NULL, &s, err);
    if (!rc)
        printf("%s|%s %u|%s %u|urls %zu|certs %zu|%s\n", s.config_string, s.crl_period.unit,
               (unsigned)s.crl_period.count, s.delta_period.unit, (unsigned)s.delta_period.count,
               s.n_crl_urls, s.n_cert_hashes, s.provider ? s.provider : "-");
    return rc;
}

static int count_crl(void *arg, const uint8_t *der, size_t len)
{
    if (len > 2 && der[0] == 0x30)
        ++*(int *)arg;
    return 0;
}

static int store(struct err *err)
{
    int n = 0;
    int rc = ca_store_each_crl(CA_CRL_STORE_ROOT, count_crl, &n, NULL, err);
    if (!rc)
        printf("%d\n", n);
    return rc;
}

static int one_value(void *arg, const void *data, size_t len)
{
    *(size_t *)arg = len;
    (void)data;
    return 0;
}

/* SERVER DN ATTRIBUTE [MS] */
static int ldap(int argc, char **argv)
{
    size_t last = 0;
    struct ldap_answer answer;
    struct ldap_request rq = {.server = argv[0],
                              .dn = argv[1],
                              .attribute = argv[2],
                              .timeout_ms = argc > 3 ? number(argv[3]) : 5000,
                              .max_bytes = 1u << 20};
    int64_t start = clock_mono_ms(clock_system());
    ldap_system()->fetch(NULL, &rq, one_value, &last, &answer);
    printf("%s|%zu|%zu|%lld ms|%s\n", probe_status_name(answer.status), answer.values, last,
           (long long)(clock_mono_ms(clock_system()) - start), answer.detail);
    return 0;
}

static int service(int argc, char **argv, struct err *err)
{
    const struct svc_ops *ops = svc_control_scm()->ops;
    struct svc_info info;
    int rc = argc < 2                    ? ops->query(NULL, argv[0], &info, err)
             : !strcmp(argv[1], "stop")  ? ops->stop(NULL, argv[0], err)
             : !strcmp(argv[1], "start") ? ops->start(NULL, argv[0], err)
                                         : ERR_INVALID;
    if (!rc && argc < 2)
        printf("%s, %s\n", svc_state_name(info.state),
               svc_start_name(info.start, info.delayed_auto));
    return rc;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    _setmode(_fileno(stdout), _O_BINARY);
    if (argc >= 3 && !strcmp(argv[1], "com"))
        return finish(ask_ca(CA_ADMIN_COM, argc - 2, argv + 2, &err), &err);
    if (argc >= 3 && !strcmp(argv[1], "certutil"))
        return finish(ask_ca(CA_ADMIN_CERTUTIL, argc - 2, argv + 2, &err), &err);
    if (argc >= 3 && !strcmp(argv[1], "auto"))
        return finish(ask_ca(CA_ADMIN_AUTO, argc - 2, argv + 2, &err), &err);
    if (argc == 2 && !strcmp(argv[1], "settings"))
        return finish(settings(&err), &err);
    if (argc == 2 && !strcmp(argv[1], "store"))
        return finish(store(&err), &err);
    if (argc >= 5 && !strcmp(argv[1], "ldap"))
        return ldap(argc - 2, argv + 2);
    if (argc >= 3 && !strcmp(argv[1], "service"))
        return finish(service(argc - 2, argv + 2, &err), &err);
    return 255;
}
