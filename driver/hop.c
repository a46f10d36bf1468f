/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/hop.h"

#include <stdio.h>

#include "base/str.h"

const struct plan_hop *hop_of(const struct site *s)
{
    return &s->drv->plan.hop[s->hop];
}

bool hop_is_last(const struct site *s)
{
    return s->hop + 1 >= s->drv->plan.n_hops;
}

const char *hop_name(const struct plan *p, size_t hop, const char *name, char dst[HOP_NAME_MAX])
{
    if (p->n_hops > 1)
        snprintf(dst, HOP_NAME_MAX, "%s@%zu", name, hop + 1);
    else
        snprintf(dst, HOP_NAME_MAX, "%s", name);
    return dst;
}

bool hop_needs_software(const struct plan *p, size_t hop, const char *shown)
{
    for (size_t i = hop; i < p->n_hops; i++) {
        if (version_reached(shown, p->hop[i].software))
            return false;
    }
    return p->hop[hop].software[0] != '\0';
}

bool hop_needs_firmware(const struct plan *p, size_t hop, const char *shown)
{
    for (size_t i = hop; i < p->n_hops; i++) {
        if (version_reached(shown, p->hop[i].firmware))
            return false;
    }
    return p->hop[hop].firmware[0] != '\0';
}

const char *hop_code_key(const struct plan *p, size_t hop, bool patch, char dst[80])
{
    const struct plan_hop *h = &p->hop[hop];
    if (hop + 1 < p->n_hops)
        snprintf(dst, 80, "authcode:%s", patch ? h->patch.name : h->package.name);
    else
        snprintf(dst, 80, "%s", patch ? "authcode:patch" : "authcode");
    return dst;
}
