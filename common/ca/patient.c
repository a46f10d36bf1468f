/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "ca/patient.h"

/* RPC_S_SERVER_UNAVAILABLE as HRESULT: the call did not reach a server ([MS-ERREF]). Any other
 * failure may have had an effect and is the caller's to judge. */
#define NOT_REACHED 0x800706BAu

/* One question to the inner object; only the fields that its kind needs are used. */
struct question {
    int (*ask)(const struct ca_admin *a, const struct question *q, struct err *err);
    unsigned what;
    int64_t until;
    enum ca_prop id;
    int32_t index;
    int32_t *ret_number;
    uint32_t *ret_roles;
    struct buf *ret;
    const struct ca_issued_query *query;
};

static bool service_runs(const struct ca_patient *p)
{
    struct svc_info info;
    struct err ignored = ERR_INIT;
    return p->svc.ops->query(p->svc.self, p->service, &info, &ignored) == ERR_OK &&
           info.state == SVC_RUNNING;
}

static bool not_reached(int rc, const struct err *why)
{
    return rc == ERR_UNAVAILABLE && (uint32_t)why->os_code == NOT_REACHED;
}

static int give_up(struct ca_patient *p, int tries, struct err *why)
{
    p->rest_until = clock_mono_ms(p->clock) + CA_PATIENT_REST_MS;
    return err_context(why,
                       "service '%s' runs, but its administration interface did not answer, "
                       "tried %d times; see its events, then: sc query %s",
                       p->service, tries, p->service);
}

static int ask(struct ca_patient *p, const struct question *q, struct err *err)
{
    static const int64_t waits_ms[CA_PATIENT_TRIES - 1] = {100, 300, 900};
    struct err why = ERR_INIT;
    int rc = q->ask(&p->inner, q, &why);
    bool rests = p->rest_until && clock_mono_ms(p->clock) < p->rest_until;
    for (int i = 1; not_reached(rc, &why) && !rests && service_runs(p); i++) {
        if (i == CA_PATIENT_TRIES) {
            rc = give_up(p, i, &why);
            break;
        }
        if (clock_sleep_ms(p->clock, waits_ms[i - 1]))
            break;
        err_clear(&why);
        rc = q->ask(&p->inner, q, &why);
    }
    if (!not_reached(rc, &why))
        p->rest_until = 0;
    if (rc && err)
        *err = why;
    return rc;
}

static int ask_publish(const struct ca_admin *a, const struct question *q, struct err *err)
{
    return a->ops->publish(a->self, q->what, q->until, err);
}

static int ask_long(const struct ca_admin *a, const struct question *q, struct err *err)
{
    return a->ops->prop_long(a->self, q->id, q->index, q->ret_number, err);
}

static int ask_text(const struct ca_admin *a, const struct question *q, struct err *err)
{
    return a->ops->prop_text(a->self, q->id, q->index, q->ret, err);
}

static int ask_blob(const struct ca_admin *a, const struct question *q, struct err *err)
{
    return a->ops->prop_blob(a->self, q->id, q->index, q->ret, err);
}

static int ask_ping(const struct ca_admin *a, const struct question *q, struct err *err)
{
    (void)q;
    return a->ops->ping(a->self, err);
}

static int ask_roles(const struct ca_admin *a, const struct question *q, struct err *err)
{
    return a->ops->roles(a->self, q->ret_roles, err);
}

static int ask_issued(const struct ca_admin *a, const struct question *q, struct err *err)
{
    return a->ops->issued
               ? a->ops->issued(a->self, q->query, q->ret, err)
               : err_set(err, ERR_UNSUPPORTED, "%s cannot list issued certificates", a->ops->name);
}

static int patient_publish(void *self, unsigned what, int64_t until, struct err *err)
{
    return ask(self, &(struct question){.ask = ask_publish, .what = what, .until = until}, err);
}

static int patient_long(void *self, enum ca_prop id, int32_t index, int32_t *ret, struct err *err)
{
    return ask(self,
               &(struct question){.ask = ask_long, .id = id, .index = index, .ret_number = ret},
               err);
}

static int patient_text(void *self, enum ca_prop id, int32_t index, struct buf *ret,
                        struct err *err)
{
    return ask(self, &(struct question){.ask = ask_text, .id = id, .index = index, .ret = ret},
               err);
}

static int patient_blob(void *self, enum ca_prop id, int32_t index, struct buf *ret,
                        struct err *err)
{
    return ask(self, &(struct question){.ask = ask_blob, .id = id, .index = index, .ret = ret},
               err);
}

static int patient_ping(void *self, struct err *err)
{
    return ask(self, &(struct question){.ask = ask_ping}, err);
}

static int patient_roles(void *self, uint32_t *ret, struct err *err)
{
    return ask(self, &(struct question){.ask = ask_roles, .ret_roles = ret}, err);
}

static int patient_issued(void *self, const struct ca_issued_query *query, struct buf *ret,
                          struct err *err)
{
    return ask(self, &(struct question){.ask = ask_issued, .query = query, .ret = ret}, err);
}

struct ca_admin ca_patient_seam(struct ca_patient *p)
{
    static const struct ca_admin_ops ops = {
        "CA administration", patient_publish, patient_long,  patient_text,
        patient_blob,        patient_ping,    patient_roles, patient_issued,
    };
    return (struct ca_admin){&ops, p};
}
