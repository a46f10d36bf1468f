/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Passwords and authorization codes: asked for, read from the credential store, or given as lines
 * on standard input. Never on a command line, never in the environment, never in a file of ours. */
#include <string.h>

#include "base/str.h"
#include "driver/digest.h"
#include "driver/driver.h"
#include "driver/term.h"

static void wipe_buf(struct buf *b)
{
    secret_wipe(b->data, b->cap);
    buf_free(b);
}

static int keep(struct driver *drv, const char *key, const char *value, const char **ret,
                struct err *err)
{
    if (drv->n_secrets == SECRETS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d secrets", SECRETS_MAX);
    struct secret *s = &drv->secret[drv->n_secrets];
    if (!str_copy(s->key, sizeof s->key, key) || !str_copy(s->value, sizeof s->value, value))
        return err_set(err, ERR_LIMIT, "the secret '%s' is too long", key);
    int rc = transcript_hide(drv->transcript, s->value, err);
    if (rc)
        return rc;
    drv->n_secrets++;
    if (ret)
        *ret = s->value;
    return ERR_OK;
}

static const char *find(const struct driver *drv, const char *key)
{
    for (size_t i = 0; i < drv->n_secrets; i++) {
        if (strcmp(drv->secret[i].key, key) == 0)
            return drv->secret[i].value;
    }
    return NULL;
}

int secrets_read_stdin(struct driver *drv, struct err *err)
{
    for (;;) {
        SCOPED(wipe_buf) struct buf line = BUF_INIT;
        struct err end = ERR_INIT;
        if (term_read_line(false, &line, &end))
            return end.code == ERR_NOT_FOUND ? ERR_OK : err_set(err, end.code, "%s", end.text);
        if (line.len == 0)
            return ERR_OK; /* an empty line ends them: what follows are answers */
        char *eq = strchr(line.data, '=');
        if (!eq)
            return err_set(err, ERR_INVALID,
                           "--secrets-stdin: expected KEY=VALUE lines, found one without '='");
        *eq = '\0';
        int rc = keep(drv, line.data, eq + 1, NULL, err);
        if (rc)
            return rc;
    }
}

int secret_get(struct driver *drv, const char *key, const char *prompt, bool stored,
               const char **ret, struct err *err)
{
    SCOPED(wipe_buf) struct buf value = BUF_INIT;
    /* "password" stands for every "password:NAME". */
    char shorter[80];
    str_copy(shorter, sizeof shorter, key);
    shorter[strcspn(shorter, ":")] = '\0';
    const char *known = find(drv, key);
    if (!known && strcmp(shorter, "password") == 0)
        known = find(drv, shorter);
    if (known) {
        *ret = known;
        return ERR_OK;
    }
    if (stored) {
        int rc = term_stored_secret(key, &value, err);
        return rc ? rc : keep(drv, key, buf_str(&value), ret, err);
    }
    if (drv->opt.secrets_stdin || !term_interactive())
        return err_set(err, ERR_STATE,
                       "the secret '%s' is needed and nobody can be asked (--secrets-stdin)", key);
    progress_end(drv);
    fprintf(drv->err, "%s: ", prompt);
    fflush(drv->err);
    int rc = term_read_line(false, &value, err);
    return rc ? rc : keep(drv, key, buf_str(&value), ret, err);
}

void secrets_wipe(struct driver *drv)
{
    secret_wipe(drv->secret, sizeof drv->secret);
    drv->n_secrets = 0;
}
