/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One small function per rule. A rule that does not hold adds one item with what decides, what was
 * expected, what was found and what to type. */
#include "maint/gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define INTERFACE_NO_LOCAL_ADMIN 0x20u /* IF_NOLOCALICERTADMIN, certsrv.h */
#define CRLF_IGNORE_OFFLINE 0x8u       /* CRLF_REVCHECK_IGNORE_OFFLINE, certsrv.h */
#define AUDIT_START_STOP 0x1u

struct judge {
    const struct gate_input *in;
    const struct maint_policy *policy;
    struct gate_report *r;
    bool refused; /* for a reason that a cover CRL does not cure */
    bool too_short;
};

static struct finding *add(struct judge *j, uint32_t id, enum severity severity)
{
    static struct finding overflow; /* written to, never read */
    if (j->r->n == GATE_ITEMS_MAX)
        return &overflow;
    struct finding *f = &j->r->item[j->r->n++];
    *f = (struct finding){.id = id, .severity = severity};
    if (j->in->view->settings.common_name)
        str_copy(f->ca, sizeof f->ca, j->in->view->settings.common_name);
    return f;
}

static struct finding *refuse(struct judge *j, uint32_t id)
{
    if (id == FIND_GATE_RUNWAY_SHORT)
        j->too_short = true;
    else
        j->refused = true;
    return add(j, id, SEV_CRITICAL);
}

static void at_probe(struct finding *f, const struct probe_round *round, size_t i)
{
    const struct probe_target *t = &round->target[i];
    str_copy(f->url, sizeof f->url, t->url);
    str_copy(f->address, sizeof f->address, t->address[0] ? t->address : round->result[i].address);
    f->key_index = t->key_index;
}

static void rule_window(struct judge *j)
{
    char asked[WHEN_TEXT_MAX], most[WHEN_TEXT_MAX];
    if (j->in->window <= j->policy->window_max)
        return;
    struct finding *f = refuse(j, FIND_GATE_WINDOW);
    snprintf(f->expected, sizeof f->expected, "a window of at most %s",
             duration_format(j->policy->window_max, most));
    snprintf(f->found, sizeof f->found, "%s", duration_format(j->in->window, asked));
    snprintf(f->remedy, sizeof f->remedy,
             "ask for a shorter --window, or raise the limit in the configuration");
}

/* The registry of this node says that CertSvc is a cluster resource, the cluster does not. */
static void cluster_not_known(struct judge *j)
{
    const struct svc_info *ca = j->in->n_services ? &j->in->service[j->in->n_services - 1] : NULL;
    if (!j->in->view->settings.clustered || (ca && ca->resource[0]))
        return;
    struct finding *f = refuse(j, FIND_GATE_CLUSTERED);
    snprintf(f->expected, sizeof f->expected, "a cluster that can be asked for '%.200s'",
             j->policy->service);
    snprintf(f->found, sizeof f->found,
             "the registry (HKLM\\Cluster) names it as a resource, the cluster does not");
    snprintf(f->remedy, sizeof f->remedy,
             "Get-ClusterResource; the account of the service needs access to the cluster: "
             "Grant-ClusterAccess -Full");
}

static void rule_cluster(struct judge *j)
{
    static const char *const remedies[] = {
        [SVC_FINE] = "",
        [SVC_ELSEWHERE] = "run the maintenance on the node that owns the role, or move the role to "
                          "this node first (Failover Cluster Manager, or Move-ClusterGroup)",
        [SVC_OUTSIDE] = "end it where it was started, then bring the resource online in Failover "
                        "Cluster Manager",
        [SVC_FAILED] = "the cluster may start it again at any time: bring the resource online, or "
                       "take it offline, in Failover Cluster Manager",
    };
    char text[SVC_TEXT_MAX];
    cluster_not_known(j);
    for (size_t i = 0; i < j->in->n_services; i++) {
        const struct svc_info *s = &j->in->service[i];
        if (s->trouble == SVC_FINE)
            continue;
        struct finding *f = refuse(j, FIND_GATE_CLUSTERED);
        snprintf(f->expected, sizeof f->expected,
                 "'%.100s' a cluster resource in order and owned by this node", s->name);
        snprintf(f->found, sizeof f->found, "%.400s", svc_info_text(s, text));
        snprintf(f->remedy, sizeof f->remedy, "%s", remedies[s->trouble]);
    }
}

/* The service control manager does not start a disabled service, not even to what it was. */
static void no_way_back(struct judge *j, const struct svc_info *s)
{
    struct finding *f = refuse(j, FIND_GATE_SERVICE_STATE);
    snprintf(f->expected, sizeof f->expected, "service '%.100s' one that can be started again",
             s->name);
    snprintf(f->found, sizeof f->found, "it runs, and its start type is disabled");
    snprintf(f->remedy, sizeof f->remedy, "sc config \"%.100s\" start= demand, or stop it first",
             s->name);
}

static void rule_services(struct judge *j)
{
    char text[SVC_TEXT_MAX];
    for (size_t i = 0; i < j->in->n_services; i++) {
        const struct svc_info *s = &j->in->service[i];
        if (s->state == SVC_RUNNING && s->start == SVC_DISABLED) {
            no_way_back(j, s);
            continue;
        }
        if (s->state == SVC_RUNNING || s->state == SVC_STOPPED)
            continue;
        struct finding *f = refuse(j, FIND_GATE_SERVICE_STATE);
        snprintf(f->expected, sizeof f->expected, "service '%.100s' running or stopped", s->name);
        snprintf(f->found, sizeof f->found, "%.400s", svc_info_text(s, text));
        snprintf(f->remedy, sizeof f->remedy, "wait, then look again: sc query \"%.100s\"",
                 s->name);
    }
    if (!j->in->view->asked) {
        struct finding *f = add(j, FIND_GATE_CA_STOPPED, SEV_WARNING);
        snprintf(f->expected, sizeof f->expected, "'%.200s' running", j->policy->service);
        snprintf(f->found, sizeof f->found, "stopped; it will not be started at the end either");
        snprintf(f->remedy, sizeof f->remedy, "net start \"%.100s\" - if it should run",
                 j->policy->service);
    }
}

static void rule_rights(struct judge *j)
{
    bool no_interface = j->in->view->settings.interface_flags & INTERFACE_NO_LOCAL_ADMIN;
    if (!j->in->view->asked)
        return;
    if (no_interface) {
        struct finding *f = refuse(j, FIND_GATE_RIGHTS);
        snprintf(f->expected, sizeof f->expected, "the CA's local administration interface");
        snprintf(f->found, sizeof f->found, "InterfaceFlags 0x%x switch it off",
                 j->in->view->settings.interface_flags);
        snprintf(f->remedy, sizeof f->remedy,
                 "certutil -setreg CA\\InterfaceFlags -IF_NOLOCALICERTADMIN, then restart the CA");
    }
    if (j->in->roles_known && !(j->in->roles & CA_ROLE_ADMIN)) {
        struct finding *f = refuse(j, FIND_GATE_RIGHTS);
        snprintf(f->expected, sizeof f->expected, "the right Manage CA for this service's account");
        snprintf(f->found, sizeof f->found, "role bits 0x%x%s", j->in->roles,
                 j->in->view->settings.role_separation ? "; role separation is on" : "");
        snprintf(f->remedy, sizeof f->remedy,
                 "crlagent grant --ca (or certsrv.msc, properties of the CA, Security: Manage CA), "
                 "then restart CertSvc: it reads its access list when it starts");
    }
}

static void rule_ca_certificate(struct judge *j)
{
    const struct ca_view *v = j->in->view;
    if (!v->n_keys)
        return;
    const struct ca_key *k = &v->key[v->n_keys - 1];
    if (k->cert_state != CA_DISP_REVOKED && k->cert_state != CA_DISP_INVALID)
        return;
    struct finding *f = refuse(j, FIND_GATE_CA_CERT);
    f->key_index = k->key_index;
    snprintf(f->expected, sizeof f->expected, "the newest CA certificate valid");
    snprintf(f->found, sizeof f->found, "certificate %d is %s", k->cert_index,
             k->cert_state == CA_DISP_REVOKED ? "revoked" : "expired or not trusted");
    snprintf(f->remedy, sizeof f->remedy,
             "renew it first: CertSvc would not start again; see: certutil -CAInfo certstate");
}

static void rule_keys(struct judge *j)
{
    if (!j->in->key_tested || !j->in->key_err || j->in->key_err->code == ERR_OK)
        return;
    struct finding *f = refuse(j, FIND_GATE_KEY);
    f->key_index = j->in->key_failed < 0 ? 0 : (uint32_t)j->in->key_failed;
    snprintf(f->expected, sizeof f->expected, "a good test signature by every CA key");
    snprintf(f->found, sizeof f->found, "%.500s", j->in->key_err->text);
    snprintf(f->remedy, sizeof f->remedy,
             "certutil -verifykeys; put the HSM in order before it is upgraded");
}

static void rule_audit_filter(struct judge *j)
{
    if (!(j->in->view->settings.audit_filter & AUDIT_START_STOP))
        return;
    struct finding *f = add(j, FIND_GATE_SLOW_STOP, SEV_WARNING);
    snprintf(f->expected, sizeof f->expected, "AuditFilter without bit 1");
    snprintf(f->found, sizeof f->found,
             "AuditFilter %u: the CA hashes its database at every start and stop",
             j->in->view->settings.audit_filter);
    snprintf(f->remedy, sizeof f->remedy, "plan the time; or: certutil -setreg CA\\AuditFilter %u",
             j->in->view->settings.audit_filter & ~AUDIT_START_STOP);
}

static void rule_publish_status(struct judge *j)
{
    char name[64], bits[256];
    for (size_t i = 0; i < j->in->n_lines; i++) {
        int32_t cpf = j->in->cpf ? j->in->cpf[i] : -1;
        if (cpf < 0)
            continue;
        enum ca_publish_verdict v = ca_cpf_verdict((uint32_t)cpf);
        if (v == CA_PUBLISH_COMPLETE)
            continue;
        bool unknown = v == CA_PUBLISH_UNKNOWN;
        struct finding *f = unknown ? add(j, FIND_GATE_STATUS_UNKNOWN, SEV_WARNING)
                                    : refuse(j, FIND_GATE_PUBLISH_ERROR);
        f->key_index = j->in->line[i].key_index;
        snprintf(f->expected, sizeof f->expected, "%s: publish status COMPLETE without errors",
                 crl_line_name(&j->in->line[i], name));
        snprintf(f->found, sizeof f->found, "%s", ca_cpf_format((uint32_t)cpf, bits, sizeof bits));
        snprintf(f->remedy, sizeof f->remedy,
                 unknown ? "crlagent publish - shows whether delivery works"
                         : "repair the location (events 65, 66, 74, 75 of the CA name it), then: "
                           "crlagent publish");
    }
}

static void rule_locations(struct judge *j)
{
    char name[64];
    for (size_t l = 0; l < j->in->n_lines; l++) {
        bool any = false;
        for (size_t i = 0; i < j->in->round->n && !any; i++)
            any = crl_line_at(&j->in->line[l], &j->in->round->target[i]);
        if (any)
            continue;
        struct finding *f = refuse(j, FIND_GATE_NO_LOCATION);
        f->key_index = j->in->line[l].key_index;
        snprintf(f->expected, sizeof f->expected, "%s: at least one location",
                 crl_line_name(&j->in->line[l], name));
        snprintf(f->found, sizeof f->found,
                 "neither the CA, the registry nor the configuration names one");
        snprintf(f->remedy, sizeof f->remedy,
                 "certutil -getreg CA\\CRLPublicationURLs, or add <location> to the configuration");
    }
}

/* A location that only certificates issued earlier name and that serves nothing already does not
 * get worse by the maintenance: it is said, and no reason to refuse. */
static void unusable(struct judge *j, size_t i)
{
    const struct probe_result *p = &j->in->round->result[i];
    struct finding *f = probe_carried_only(&j->in->round->target[i])
                            ? add(j, FIND_GATE_LOCATION_UNUSABLE, SEV_WARNING)
                            : refuse(j, FIND_GATE_LOCATION_UNUSABLE);
    at_probe(f, j->in->round, i);
    snprintf(f->expected, sizeof f->expected, "a %s CRL with a good signature",
             j->in->round->target[i].role == ROLE_CRL_DELTA ? "delta" : "base");
    if (p->status != PROBE_OK)
        snprintf(f->found, sizeof f->found, "%s: %.400s", probe_status_name(p->status), p->detail);
    else if (p->signature != CRL_SIG_GOOD && p->signature != CRL_SIG_NOT_CHECKED)
        snprintf(f->found, sizeof f->found, "signature %s: %.255s",
                 crl_signature_name(p->signature), p->signature_why);
    else
        snprintf(f->found, sizeof f->found, "%s",
                 p->facts.next_update == WHEN_NONE ? "a CRL without nextUpdate"
                 : crl_is_delta(&p->facts)         ? "a delta CRL"
                                                   : "a base CRL");
    snprintf(f->remedy, sizeof f->remedy, "crlagent check; repair this location first");
}

static bool probe_usable(const struct probe_target *t, const struct probe_result *r)
{
    return r->status == PROBE_OK && crl_is_delta(&r->facts) == (t->role == ROLE_CRL_DELTA) &&
           (r->signature == CRL_SIG_GOOD || r->signature == CRL_SIG_NOT_CHECKED) &&
           r->facts.next_update != WHEN_NONE;
}

static bool own_crl(const struct probe_target *t)
{
    return !t->parent && (t->role == ROLE_CRL_BASE || t->role == ROLE_CRL_DELTA);
}

/* Every location that is too short or serves nothing usable is named, not only the worst one. */
static void rule_runway(struct judge *j)
{
    char until[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX], need[WHEN_TEXT_MAX];
    const struct probe_round *round = j->in->round;
    for (size_t i = 0; i < round->n; i++) {
        const struct probe_result *p = &round->result[i];
        if (!own_crl(&round->target[i]))
            continue;
        if (!probe_usable(&round->target[i], p)) {
            unusable(j, i);
            continue;
        }
        int64_t runway = p->facts.next_update - j->in->now - j->policy->propagation;
        if (runway >= j->r->need)
            continue;
        struct finding *f = refuse(j, FIND_GATE_RUNWAY_SHORT);
        at_probe(f, round, i);
        snprintf(f->expected, sizeof f->expected, "a runway of %s (window and reserve)",
                 duration_format(j->r->need, need));
        snprintf(f->found, sizeof f->found, "%s: the %s CRL of key %u served there ends %s",
                 duration_format(runway, left),
                 round->target[i].role == ROLE_CRL_DELTA ? "delta" : "base",
                 round->target[i].key_index, when_format(p->facts.next_update, until));
        when_format(j->in->now + j->r->need + j->policy->propagation, until);
        if (j->in->view->asked)
            snprintf(f->remedy, sizeof f->remedy,
                     "crlagent publish --until %s, or ask for a shorter --window", until);
        else
            snprintf(f->remedy, sizeof f->remedy,
                     "the CA is stopped and cannot publish one that lasts until %s: ask for a "
                     "shorter --window, or start the CA first, if it should run",
                     until);
    }
}

/* The parent's own certificate need not be at hand, so its signature may be unchecked here: CertSvc
 * checks it when it starts. A signature that is known to be bad is another matter. */
static bool parent_usable(const struct probe_target *t, const struct probe_result *p)
{
    struct probe_result copy;
    if (p->status != PROBE_OK || p->signature != CRL_SIG_NO_ISSUER)
        return probe_usable(t, p);
    copy = *p;
    copy.signature = CRL_SIG_NOT_CHECKED;
    return probe_usable(t, &copy);
}

static bool parent_lasts(const struct judge *j, size_t i)
{
    const struct probe_round *r = j->in->round;
    return parent_usable(&r->target[i], &r->result[i]) &&
           r->result[i].facts.next_update >= j->in->now + j->r->need;
}

/* A parent's CRL is needed from one of its locations: the chain engine tries them in order. The
 * first target of each CA certificate speaks for all of them. */
static void parent_group(struct judge *j, size_t first, bool lenient)
{
    const struct probe_round *r = j->in->round;
    const struct probe_target *t = &r->target[first];
    char until[WHEN_TEXT_MAX];
    size_t best = first;
    for (size_t i = 0; i < r->n; i++) {
        if (r->target[i].parent != t->parent || r->target[i].key_index != t->key_index ||
            r->target[i].role != t->role)
            continue;
        if (i < first || parent_lasts(j, i))
            return;
        if (parent_usable(&r->target[i], &r->result[i]))
            best = i;
    }
    struct finding *f =
        lenient ? add(j, FIND_GATE_PARENT_CRL, SEV_WARNING) : refuse(j, FIND_GATE_PARENT_CRL);
    at_probe(f, r, best);
    snprintf(f->expected, sizeof f->expected, "the parent CA's CRL valid until %s",
             when_format(j->in->now + j->r->need, until));
    if (parent_usable(&r->target[best], &r->result[best]))
        snprintf(f->found, sizeof f->found, "it ends %s",
                 when_format(r->result[best].facts.next_update, until));
    else
        snprintf(f->found, sizeof f->found, "%s: %.400s", probe_status_name(r->result[best].status),
                 r->result[best].detail);
    snprintf(f->remedy, sizeof f->remedy,
             "publish the parent CA's CRL and copy it there: CertSvc does not start without it "
             "(0x80092013, event 100)");
}

static void rule_parents(struct judge *j)
{
    const struct probe_round *r = j->in->round;
    const struct ca_settings *s = &j->in->view->settings;
    bool root = s->ca_type == 0 || s->ca_type == 3;
    bool any = false;
    for (size_t i = 0; i < r->n; i++) {
        bool crl = r->target[i].role == ROLE_CRL_BASE || r->target[i].role == ROLE_CRL_DELTA;
        if (!r->target[i].parent || !crl)
            continue;
        any = true;
        /* A parent's delta CRL is optional for the chain engine as long as the base is fresh. */
        parent_group(j, i,
                     (s->crl_flags & CRLF_IGNORE_OFFLINE) || r->target[i].role == ROLE_CRL_DELTA);
    }
    if (any || root)
        return;
    struct finding *f = add(j, FIND_GATE_PARENT_CRL, SEV_WARNING);
    snprintf(f->expected, sizeof f->expected, "a location of the parent CA's CRL");
    snprintf(f->found, sizeof f->found, "no CA certificate names one");
    snprintf(f->remedy, sizeof f->remedy, "certutil -verify -urlfetch on the CA certificate");
}

/* A short runway is mended by a cover CRL that pre-upgrade publishes: where the configuration lets
 * it, the CA runs, and the CRL need not last longer than is allowed. */
static void judge_cover(struct judge *j)
{
    const struct maint_policy *p = j->policy;
    int64_t until = j->in->now + j->r->need + p->propagation;
    char text[WHEN_TEXT_MAX], longest[WHEN_TEXT_MAX];
    bool allowed = until + p->cover_margin - j->in->now <= p->cover_max;
    if (j->r->verdict != GATE_SHORT || !p->cover || !j->in->view->asked || j->in->covered)
        return;
    j->r->cover = allowed;
    j->r->cover_until = allowed ? until : WHEN_NONE;
    for (size_t i = 0; i < j->r->n; i++) {
        struct finding *f = &j->r->item[i];
        if (f->id != FIND_GATE_RUNWAY_SHORT)
            continue;
        if (allowed) {
            f->severity = SEV_WARNING;
            snprintf(f->remedy, sizeof f->remedy,
                     "needs a cover CRL, which pre-upgrade publishes (valid until %s or longer)",
                     when_format(until, text));
        } else {
            snprintf(f->remedy, sizeof f->remedy,
                     "a cover CRL would have to last until %s, the configuration allows %s; ask "
                     "for a shorter --window",
                     when_format(until + p->cover_margin, text),
                     duration_format(p->cover_max, longest));
        }
    }
}

static void sum_up(struct judge *j)
{
    struct gate_report *r = j->r;
    const struct runway *rw = &j->in->round->runway;
    char where[LIMIT_URL_CHARS + 96];
    r->weakest = rw->weakest;
    r->weakest_until = rw->weakest_until;
    r->resume_by = rw->weakest_until == WHEN_NONE
                       ? WHEN_NONE
                       : rw->weakest_until - j->policy->propagation - j->in->reserve;
    if (rw->n) {
        const struct runway_line *l = &rw->line[rw->weakest_line];
        snprintf(r->decides, sizeof r->decides, "key %u %s at %s", l->key_index,
                 l->delta ? "delta" : "base",
                 probe_round_where(j->in->round, l->weakest_probe, where, sizeof where));
    }
    r->verdict = j->refused ? GATE_REFUSED : j->too_short ? GATE_SHORT : GATE_PASSED;
    judge_cover(j);
}

int gate_judge(const struct gate_input *in, const struct maint_policy *policy,
               struct gate_report *ret, struct err *err)
{
    static void (*const rules[])(struct judge *) = {
        rule_window,         rule_cluster, rule_services,       rule_rights,
        rule_ca_certificate, rule_keys,    rule_publish_status, rule_parents,
        rule_locations,      rule_runway,  rule_audit_filter,
    };
    struct gate_report r = {.when = in->now, .need = in->window + in->reserve};
    r.item = calloc(GATE_ITEMS_MAX, sizeof *r.item);
    if (!r.item)
        return err_nomem(err);
    struct judge j = {.in = in, .policy = policy, .r = &r};
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        rules[i](&j);
    sum_up(&j);
    *ret = r;
    return ERR_OK;
}

void gate_report_free(struct gate_report *r)
{
    free(r->item);
    memset(r, 0, sizeof *r);
}

const char *gate_refusal(const struct gate_report *r, char *dst, size_t dst_size)
{
    dst[0] = '\0';
    const struct finding *f = NULL;
    for (size_t i = 0; i < r->n && !f; i++)
        f = r->item[i].severity == SEV_CRITICAL ? &r->item[i] : NULL;
    for (size_t i = 0; i < r->n && !f; i++)
        f = r->item[i].id == FIND_GATE_RUNWAY_SHORT ? &r->item[i] : NULL;
    if (f)
        snprintf(dst, dst_size, "%s%s%s%s%sexpected %s, found %s; %s", f->url,
                 f->address[0] ? " (" : "", f->address, f->address[0] ? ")" : "",
                 f->url[0] ? ": " : "", f->expected, f->found, f->remedy);
    return dst;
}
