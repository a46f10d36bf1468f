/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/certutiladmin.h"

#include <windows.h>
#include <wincrypt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/str.h"
#include "base/when.h"
#include "ca/settings.h"
#include "win32/casettings.h"
#include "win32/castorecert.h"
#include "win32/places.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define ARGS_MAX 10

struct certutil {
    char *config, *program, *root;
    int64_t timeout_ms, publish_timeout_ms;
};

/* Runs certutil -silent -config C verb...; the exit code is the HRESULT. -silent turns a question
 * of a key provider into an error instead of a window nobody sees. */
static int run(struct certutil *c, int64_t timeout_ms, const char *const *verb, struct err *err)
{
    const char *argv[ARGS_MAX + 6] = {c->program, "-silent", "-config", c->config};
    struct process_result r;
    size_t n = 4;
    for (size_t i = 0; verb[i] && i < ARGS_MAX; i++)
        argv[n++] = verb[i];
    int rc = process_run(argv, NULL, timeout_ms, &r, err);
    buf_clear(&r.out);
    if (rc)
        return err_context(err, "certutil %s", verb[0]);
    if (r.exit_code == 0)
        return ERR_OK;
    struct ca_hresult_hint hint = ca_hresult_explain(r.exit_code);
    return err_set_hresult(err, (long)(int32_t)r.exit_code, "certutil %s: %s", verb[0], hint.text);
}

/* certutil takes a length from now, days and hours; rounded up, so that the CRL lives at least as
 * long as asked. */
static int validity(int64_t until, char dst[24], struct err *err)
{
    int64_t hours = (until - clock_now(clock_system()) + 3599) / 3600;
    if (hours <= 0)
        return err_set(err, ERR_INVALID, "the CRL's end lies in the past");
    snprintf(dst, 24, "%lld:%02lld", (long long)(hours / 24), (long long)(hours % 24));
    return ERR_OK;
}

static int cu_publish(void *self, unsigned what, int64_t until, struct err *err)
{
    struct certutil *c = self;
    char length[24];
    const char *verb[4] = {"-CRL"};
    size_t n = 1;
    if (!(what & (CA_CRL_BASE | CA_CRL_DELTA)))
        return err_set(err, ERR_INVALID, "neither base nor delta CRL was asked for");
    if (what & CA_CRL_REPUBLISH) {
        verb[n++] = "republish";
    } else if (until) {
        int rc = validity(until, length, err);
        if (rc)
            return rc;
        verb[n++] = length;
    }
    if (!(what & CA_CRL_BASE))
        verb[n++] = "delta";
    return run(c, c->publish_timeout_ms, verb, err);
}

static int unsupported(enum ca_prop id, struct err *err)
{
    return err_set(
        err, ERR_UNSUPPORTED,
        "CA property 0x%02x: certutil only prints it, in the language of the system; the "
        "COM class ICertAdmin2 is needed",
        (unsigned)id);
}

static int cu_prop_long(void *self, enum ca_prop id, int32_t index, int32_t *ret, struct err *err)
{
    struct certutil *c = self;
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    (void)index;
    if (id != CA_PROP_CERT_COUNT && id != CA_PROP_TYPE && id != CA_PROP_ROLE_SEPARATION)
        return unsupported(id, err);
    int rc = ca_settings_read_from(c->root, &s, err);
    if (rc)
        return rc;
    *ret = (int32_t)(id == CA_PROP_CERT_COUNT ? s.n_cert_hashes
                     : id == CA_PROP_TYPE     ? s.ca_type
                                              : s.role_separation);
    return ERR_OK;
}

static int cu_prop_text(void *self, enum ca_prop id, int32_t index, struct buf *ret,
                        struct err *err)
{
    struct certutil *c = self;
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    (void)index;
    if (id != CA_PROP_NAME && id != CA_PROP_SANITIZED_NAME && id != CA_PROP_DNS_NAME)
        return unsupported(id, err);
    int rc = ca_settings_read_from(c->root, &s, err);
    if (!rc && buf_puts(ret, id == CA_PROP_NAME             ? s.common_name
                             : id == CA_PROP_SANITIZED_NAME ? s.registry_name
                                                            : s.server_name))
        rc = buf_check(ret, "a CA property", err);
    return rc;
}

static int temporary_file(char **ret, struct err *err)
{
    wchar_t folder[MAX_PATH + 1], file[MAX_PATH + 1];
    if (!GetTempPathW(ARRAY_LEN(folder), folder) || !GetTempFileNameW(folder, L"crl", 0, file))
        return err_set_win32(err, GetLastError(), "making a temporary file");
    return utf_from_wide(file, ret, err);
}

static int get_crl(struct certutil *c, int32_t index, bool delta, struct buf *ret, struct err *err)
{
    SCOPED(scope_free) char *file = NULL;
    char number[16];
    const char *verb[6] = {"-f", "-GetCRL"};
    int rc = temporary_file(&file, err);
    if (rc)
        return rc;
    size_t n = 2;
    verb[n++] = file;
    snprintf(number, sizeof number, "%d", (int)index);
    if (index >= 0)
        verb[n++] = number;
    if (delta)
        verb[n++] = "delta";
    rc = run(c, c->timeout_ms, verb, err);
    if (!rc)
        rc = file_read(file, LIMIT_CRL_BYTES, ret, err);
    if (!rc && !ret->len)
        rc = err_set(err, ERR_NOT_FOUND, "certutil -GetCRL wrote an empty file");
    if (file_remove(file, NULL)) { /* it stays in the temporary folder; nothing depends on it */
    }
    return rc;
}

/* Without an index certutil means the newest CA certificate for a base CRL; a delta needs one. */
static int newest_index(struct certutil *c, int32_t *index, struct err *err)
{
    int32_t count = 0;
    if (*index >= 0)
        return ERR_OK;
    int rc = cu_prop_long(c, CA_PROP_CERT_COUNT, 0, &count, err);
    if (!rc && count <= 0)
        rc = err_set(err, ERR_NOT_FOUND, "the CA's registry lists no CA certificate");
    if (!rc)
        *index = count - 1;
    return rc;
}

static int get_certificate(struct certutil *c, int32_t index, struct buf *ret, struct err *err)
{
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    int rc = ca_settings_read_from(c->root, &s, err);
    if (rc)
        return rc;
    if ((size_t)index >= s.n_cert_hashes)
        return err_set(err, ERR_NOT_FOUND, "the CA has %zu certificates, none with index %d",
                       s.n_cert_hashes, (int)index);
    return ca_store_certificate(s.cert_hashes[index], ret, err);
}

static int cu_prop_blob(void *self, enum ca_prop id, int32_t index, struct buf *ret,
                        struct err *err)
{
    struct certutil *c = self;
    if (id != CA_PROP_CERT && id != CA_PROP_BASE_CRL && id != CA_PROP_DELTA_CRL)
        return unsupported(id, err);
    int rc = newest_index(c, &index, err);
    if (rc)
        return rc;
    return id == CA_PROP_CERT ? get_certificate(c, index, ret, err)
                              : get_crl(c, index, id == CA_PROP_DELTA_CRL, ret, err);
}

static int cu_ping(void *self, struct err *err)
{
    struct certutil *c = self;
    const char *verb[] = {"-pingadmin", NULL};
    return run(c, c->timeout_ms, verb, err);
}

static int cu_roles(void *self, uint32_t *ret, struct err *err)
{
    (void)self;
    (void)ret;
    return err_set(err, ERR_UNSUPPORTED, "certutil cannot tell the roles of this account");
}

/* The certificates stand in PEM armour in whatever the program prints around them, in any language.
 */
static int take_armoured(const char *text, uint32_t max, struct buf *ret, struct err *err)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    int rc = ERR_OK;
    for (uint32_t n = 0; n < max && !rc; n++) {
        const char *from = strstr(text, begin);
        const char *to = from ? strstr(from, end) : NULL;
        if (!to)
            break;
        DWORD len = 0, chars = (DWORD)(to + sizeof end - 1 - from);
        if (CryptStringToBinaryA(from, chars, CRYPT_STRING_BASE64HEADER, NULL, &len, NULL, NULL) &&
            len <= LIMIT_CERT_BYTES) {
            SCOPED(scope_free) BYTE *der = malloc(len + 1);
            if (!der)
                return err_nomem(err);
            if (CryptStringToBinaryA(from, chars, CRYPT_STRING_BASE64HEADER, der, &len, NULL,
                                     NULL) &&
                buf_add(ret, der, len))
                rc = buf_check(ret, "issued certificates", err);
        }
        text = to;
    }
    return rc;
}

/* Newest first by the minus sign. What has expired or is too old is left to the reader: dates on
 * this command line would depend on the language of the system. Output beyond LIMIT_CHILD_OUTPUT is
 * dropped, so several hundred certificates come at most. */
static int cu_issued(void *self, const struct ca_issued_query *query, struct buf *ret,
                     struct err *err)
{
    struct certutil *c = self;
    struct process_result r = {0};
    const char *const argv[] = {c->program,
                                "-silent",
                                "-config",
                                c->config,
                                "-view",
                                "-restrict",
                                "-RequestID>0,Disposition=20",
                                "-out",
                                "RawCertificate",
                                "csv",
                                NULL};
    int rc = process_run(argv, NULL, c->timeout_ms, &r, err);
    if (rc)
        err_context(err, "certutil -view");
    else if (r.exit_code != 0)
        rc = err_set_hresult(err, (long)(int32_t)r.exit_code, "certutil -view: %s",
                             ca_hresult_explain(r.exit_code).text);
    else
        rc = take_armoured(buf_str(&r.out), query->max, ret, err);
    buf_clear(&r.out);
    return rc;
}

static int default_program(char **ret, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    int rc = place_path(PLACE_SYSTEM32, &path, err);
    if (rc)
        return rc;
    buf_puts(&path, "\\certutil.exe");
    *ret = buf_steal(&path);
    return *ret ? ERR_OK : err_nomem(err);
}

int certutil_admin_open(const struct certutil_setup *setup, struct ca_admin *ret, struct err *err)
{
    static const struct ca_admin_ops ops = {
        .name = "certutil",
        .publish = cu_publish,
        .prop_long = cu_prop_long,
        .prop_text = cu_prop_text,
        .prop_blob = cu_prop_blob,
        .ping = cu_ping,
        .roles = cu_roles,
        .issued = cu_issued,
    };
    struct file_info info;
    struct certutil *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(err);
    struct ca_admin admin = {&ops, c};
    c->config = str_dup(setup->config_string);
    c->root = str_dup(setup->registry_root ? setup->registry_root : CA_REGISTRY_ROOT);
    c->program = str_dup(setup->program);
    c->timeout_ms = setup->timeout_ms;
    c->publish_timeout_ms = setup->publish_timeout_ms;
    int rc = c->config && c->root ? ERR_OK : err_nomem(err);
    if (!rc && !c->program)
        rc = default_program(&c->program, err);
    if (!rc)
        rc = file_stat(c->program, &info, err);
    if (rc) {
        certutil_admin_close(&admin);
        return rc;
    }
    *ret = admin;
    return ERR_OK;
}

void certutil_admin_close(struct ca_admin *admin)
{
    struct certutil *c = admin->self;
    if (c) {
        free(c->config);
        free(c->program);
        free(c->root);
        free(c);
    }
    *admin = (struct ca_admin){NULL, NULL};
}
