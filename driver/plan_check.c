/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What a plan that could be read must still show before a run: attestations and package files. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "driver/digest.h"
#include "driver/embedded.h"
#include "driver/plan.h"

const char *plan_example(size_t *ret_len)
{
    *ret_len = strlen(embedded_plan_example);
    return embedded_plan_example;
}

const struct plan_hop *plan_target(const struct plan *p)
{
    return &p->hop[p->n_hops ? p->n_hops - 1 : 0];
}

#define DAY_SECONDS 86400

/* Midnight UTC at which that day begins; a day in a zone east of it has begun half a day before. */
static bool has_come(const char *date, int64_t now)
{
    char text[32];
    int64_t begins;
    snprintf(text, sizeof text, "%.10sT00:00:00Z", date);
    return when_parse(text, &begins, NULL) == ERR_OK && begins <= now + DAY_SECONDS / 2;
}

const struct plan_attest *plan_attested(const struct plan *p, const char *what, int64_t now)
{
    for (size_t i = 0; i < p->n_attest; i++) {
        const struct plan_attest *a = &p->attest[i];
        if (strcmp(a->what, what) == 0 && strcmp(a->by, "NAME") != 0 && has_come(a->date, now))
            return a;
    }
    return NULL;
}

int plan_check_attestations(const struct plan *p, int64_t now, struct err *err)
{
    static const char *const needed[] = {"backup-restored", "dr-plan",    "ha",         "ups",
                                         "local-ped",       "teams-told", "access-path"};
    SCOPED(buf_free) struct buf missing = BUF_INIT;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (plan_attested(p, needed[i], now))
            continue;
        buf_printf(&missing, "%s%s", missing.len ? ", " : "", needed[i]);
        for (size_t k = 0; k < p->n_attest; k++) {
            if (strcmp(p->attest[k].what, needed[i]) == 0)
                buf_printf(&missing, " (%s)",
                           strcmp(p->attest[k].by, "NAME") == 0 ? "still the placeholder NAME"
                                                                : "dated in the future");
        }
    }
    return missing.len ? err_set(err, ERR_STATE, "nobody has attested: %s", buf_str(&missing))
                       : ERR_OK;
}

int plan_check_package(const struct plan_package *p, uint64_t *ret_size, struct err *err)
{
    FILE *f = NULL;
    uint8_t digest[32];
    uint64_t size = 0;
    int rc = file_open(p->file, "rb", &f, err);
    if (rc)
        return rc;
    bool ok = digest_file(f, digest, &size);
    fclose(f);
    if (!ok)
        return err_set(err, ERR_IO, "'%s' could not be read to its end", p->file);
    if (memcmp(digest, p->sha256, sizeof digest) != 0) {
        char want[65], found[65];
        str_hex(want, p->sha256, 32);
        str_hex(found, digest, 32);
        return err_set(err, ERR_CRYPTO, "'%s': expected SHA-256 %s, found %s", p->file, want,
                       found);
    }
    *ret_size = size;
    return ERR_OK;
}
