/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/certutilsign.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/str.h"
#include "ca/admin.h"
#include "win32/places.h"
#include "win32/werr.h"

#define OID_NUMBER "2.5.29.20"
#define OID_FRESHEST "2.5.29.46"
#define OID_NEXT_PUBLISH "1.3.6.1.4.1.311.21.4"

struct certutil_sign {
    char *program;
    char *folder;
    char *in, *out, *inf; /* paths */
    int64_t timeout_ms;
};

/* An empty value removes the extension; a value is its DER in hex, here an INTEGER. */
int certutil_sign__extensions(const struct ca_resign *what, struct buf *ret)
{
    const struct crl_number *n = &what->number;
    char hex[2 * CRL_NUMBER_MAX + 1];
    buf_puts(ret, "[Extensions]\r\n");
    if (what->drop_freshest)
        buf_puts(ret, OID_FRESHEST "=\r\n");
    if (what->drop_next_publish)
        buf_puts(ret, OID_NEXT_PUBLISH "=\r\n");
    if (n->len) {
        bool pad = (n->bytes[0] & 0x80) != 0;
        str_hex(hex, n->bytes, n->len);
        buf_puts(ret, OID_NUMBER "=\"{hex}\"\r\n_continue_=\"");
        buf_printf(ret, "02%02x%s%s\"\r\n", (unsigned)(n->len + pad), pad ? "00" : "", hex);
    }
    return buf_check(ret, "the extension file", NULL);
}

/* "-2.5.29.46,1.3...": without a new number the list of what is taken out is enough. */
static bool removal_list(const struct ca_resign *what, char dst[64])
{
    snprintf(dst, 64, "%s%s%s%s", what->drop_freshest || what->drop_next_publish ? "-" : "",
             what->drop_freshest ? OID_FRESHEST : "",
             what->drop_freshest && what->drop_next_publish ? "," : "",
             what->drop_next_publish ? OID_NEXT_PUBLISH : "");
    return dst[0] != 0;
}

static int run(struct certutil_sign *s, const struct ca_resign *what, struct err *err)
{
    char life[40], list[64];
    SCOPED(buf_free) struct buf at = BUF_INIT;
    const char *argv[10] = {s->program, "-silent", "-f", "-sign", s->in, s->out, life};
    struct process_result r;
    int64_t hours = what->life / 3600;
    snprintf(life, sizeof life, "now+%lld:%02lld", (long long)(hours / 24),
             (long long)(hours % 24));
    if (what->number.len) {
        buf_printf(&at, "@%s", s->inf);
        argv[7] = buf_str(&at);
    } else if (removal_list(what, list)) {
        argv[7] = list;
    }
    int rc = process_run(argv, NULL, s->timeout_ms, &r, err);
    buf_clear(&r.out);
    if (rc)
        return err_context(err, "certutil -sign");
    if (r.exit_code == 0)
        return ERR_OK;
    struct ca_hresult_hint hint = ca_hresult_explain(r.exit_code);
    return err_set_hresult(err, (long)(int32_t)r.exit_code, "certutil -sign: %s", hint.text);
}

/* A CRL that lasts long must not lie about. */
static int clean(struct certutil_sign *s, struct err *err)
{
    int rc = file_remove(s->out, err);
    if (!rc)
        rc = file_remove(s->in, err);
    return rc ? rc : file_remove(s->inf, err);
}

static int sign(struct certutil_sign *s, const struct ca_resign *what, struct buf *ret,
                struct err *err)
{
    SCOPED(buf_free) struct buf inf = BUF_INIT;
    int rc = place_secure_at(s->folder, PLACE_RESERVE, err);
    if (!rc)
        rc = clean(s, err);
    if (!rc)
        rc = file_write_atomic(s->in, what->crl, what->len, err);
    if (!rc && certutil_sign__extensions(what, &inf))
        rc = err_nomem(err);
    if (!rc && what->number.len)
        rc = file_write_atomic(s->inf, buf_str(&inf), inf.len, err);
    if (!rc)
        rc = run(s, what, err);
    if (!rc)
        rc = file_read(s->out, LIMIT_CRL_BYTES, ret, err);
    if (!rc && !ret->len)
        rc = err_set(err, ERR_NOT_FOUND, "certutil -sign wrote an empty file");
    return rc;
}

/* A tool that was ended at its time-out may still hold its file: what cannot be removed now is an
 * error, and is removed before the next signing. */
static int resign(void *self, const struct ca_resign *what, struct buf *ret, struct err *err)
{
    struct err why = ERR_INIT;
    int rc = sign(self, what, ret, err);
    int left = clean(self, &why);
    if (!rc && left) {
        if (err)
            *err = why;
        return err_context(err, "what certutil -sign left");
    }
    return rc;
}

struct ca_resigner certutil_sign_seam(struct certutil_sign *s)
{
    return (struct ca_resigner){resign, s};
}

static int in_folder(const char *folder, const char *name, char **ret, struct err *err)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    buf_printf(&b, "%s\\%s", folder, name);
    *ret = buf_steal(&b);
    return *ret ? ERR_OK : err_nomem(err);
}

int certutil_sign_open(const struct certutil_sign_setup *setup, struct certutil_sign **ret,
                       struct err *err)
{
    struct file_info info;
    SCOPED(buf_free) struct buf system = BUF_INIT;
    SCOPED(certutil_sign_close) struct certutil_sign *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(err);
    s->timeout_ms = setup->timeout_ms;
    s->folder = str_dup(setup->folder);
    int rc = s->folder ? ERR_OK : err_nomem(err);
    if (!rc && setup->program) {
        s->program = str_dup(setup->program);
        rc = s->program ? ERR_OK : err_nomem(err);
    } else if (!rc) {
        rc = place_path(PLACE_SYSTEM32, &system, err);
        if (!rc)
            rc = in_folder(buf_str(&system), "certutil.exe", &s->program, err);
    }
    if (!rc)
        rc = file_stat(s->program, &info, err);
    if (!rc)
        rc = in_folder(setup->folder, "sign-in.crl", &s->in, err);
    if (!rc)
        rc = in_folder(setup->folder, "sign-out.crl", &s->out, err);
    if (!rc)
        rc = in_folder(setup->folder, "sign.inf", &s->inf, err);
    if (!rc)
        *ret = steal_ptr(s);
    return rc;
}

void certutil_sign_close(struct certutil_sign **s)
{
    if (!*s)
        return;
    free((*s)->program);
    free((*s)->folder);
    free((*s)->in);
    free((*s)->out);
    free((*s)->inf);
    free(*s);
    *s = NULL;
}
