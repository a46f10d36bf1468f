/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/rights_win32.h"

#include <stdlib.h>
#include <string.h>

#include "agent/marker.h"
#include "base/file.h"
#include "base/str.h"
#include "win32/places.h"
#include "win32/regread.h"
#include "win32/service.h"

#define CA_SERVICE "CertSvc"
#define DEPENDANTS_MAX 64
#define SETUP_KEY "SOFTWARE\\crlagent"
#define SETUP_OPERATORS "Operators"
#define ACCOUNT_MAX 256 /* as in the schema */

int rights_operators(struct config *c, struct err *err)
{
    SCOPED(reg_close) struct reg_key key = {0};
    SCOPED(scope_free) char *text = NULL;
    if (*c->access.operators)
        return ERR_OK;
    int rc = reg_open(SETUP_KEY, &key, err);
    if (rc == ERR_NOT_FOUND) {
        err_clear(err);
        return ERR_OK;
    }
    if (!rc)
        rc = reg_text(&key, SETUP_OPERATORS, "", &text, err);
    if (rc)
        return rc;
    if (strlen(text) > ACCOUNT_MAX)
        return err_set(err, ERR_LIMIT,
                       "HKLM\\" SETUP_KEY ", value '" SETUP_OPERATORS "': expected at most %d "
                       "characters, found %zu. Name the group in the configuration instead",
                       ACCOUNT_MAX, strlen(text));
    free(c->access.operators);
    c->access.operators = steal_ptr(text);
    return ERR_OK;
}

static int is_record(void *arg, const char *file)
{
    *(bool *)arg |= str_ends_nocase(file, ".txt");
    return ERR_OK;
}

int marker_set_here(enum marker which, bool there, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    struct err own = ERR_INIT;
    int rc = place_path(PLACE_DATA, &path, &own);
    if (!rc)
        rc = place_verify(buf_str(&path), &own);
    if (rc == ERR_NOT_FOUND && !there)
        return ERR_OK;
    if (!rc)
        return marker_set(buf_str(&path), which, there, err);
    if (err)
        *err = own;
    return rc;
}

int rights_mark(bool *ret, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    bool any = false;
    int rc = place_path(PLACE_GRANTS, &path, err);
    if (!rc)
        rc = file_list(buf_str(&path), is_record, &any, err);
    if (rc == ERR_NOT_FOUND) {
        err_clear(err);
        rc = ERR_OK;
    }
    if (!rc)
        rc = marker_set_here(MARKER_GRANTS, any, err);
    if (!rc && ret)
        *ret = any;
    return rc;
}

int rights_config(const char *path, struct config *ret, struct err *err)
{
    int rc = config_load(path, ret, NULL, err);
    if (rc == ERR_NOT_FOUND) {
        err_clear(err);
        rc = config_defaults(ret, err);
    }
    return rc ? rc : rights_operators(ret, err);
}

static bool is_in(const char *name, const struct svc_info *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq_nocase(list[i].name, name))
            return true;
    }
    return str_eq_nocase(name, CA_SERVICE);
}

int rights_each_service(const char *config_path,
                        int (*each)(void *arg, const char *name, struct err *err), void *arg,
                        struct err *err)
{
    SCOPED(config_free) struct config c = {0};
    SCOPED(scope_free) struct svc_info *list = calloc(DEPENDANTS_MAX, sizeof *list);
    const struct svc_control *scm = svc_control_scm();
    size_t n = 0;
    if (!list)
        return err_nomem(err);
    int rc = rights_config(config_path, &c, err);
    if (!rc)
        rc = scm->ops->dependants(scm->self, CA_SERVICE, list, DEPENDANTS_MAX, &n, err);
    if (!rc)
        rc = each(arg, CA_SERVICE, err);
    for (size_t i = 0; !rc && i < n; i++)
        rc = each(arg, list[i].name, err);
    for (size_t i = 0; !rc && i < c.ca.stop_with.n; i++) {
        if (!is_in(c.ca.stop_with.item[i], list, n))
            rc = each(arg, c.ca.stop_with.item[i], err);
    }
    return rc;
}
