/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/rights_win32.h"

#include <stdlib.h>

#include "base/str.h"
#include "win32/service.h"

#define CA_SERVICE "CertSvc"
#define DEPENDANTS_MAX 64

int rights_config(const char *path, struct config *ret, struct err *err)
{
    int rc = config_load(path, ret, NULL, err);
    if (rc != ERR_NOT_FOUND)
        return rc;
    err_clear(err);
    return config_defaults(ret, err);
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
