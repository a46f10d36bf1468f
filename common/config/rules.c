/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "config/rules.h"

#include "base/limits.h"
#include "base/str.h"
#include "base/when.h"

struct range {
    const char *section, *element;
    size_t offset; /* of an int64_t in struct config */
    int64_t min, max;
};

#define DAY 86400ll
#define AT(member) offsetof(struct config, member)
static const struct range ranges[] = {
    {"ca", "key-probe-timeout", AT(ca.key_probe_timeout), 1, 3600},
    {"ca", "answer-timeout", AT(ca.answer_timeout), 1, 3600},
    {"ca", "publish-timeout", AT(ca.publish_timeout), 10, 6 * 3600},
    {"ca", "stop-timeout", AT(ca.stop_timeout), 10, 6 * 3600},
    {"ca", "start-timeout", AT(ca.start_timeout), 10, 6 * 3600},
    {"ca", "minimum-stop-time", AT(ca.minimum_stop_time), 0, 3600},
    {"maintenance", "propagation", AT(maintenance.propagation), 0, 7 * DAY},
    {"maintenance", "reserve", AT(maintenance.reserve), 0, 30 * DAY},
    {"maintenance", "maximum-window", AT(maintenance.maximum_window), 60, LIMIT_WINDOW_SECONDS},
    {"maintenance", "maximum-cover", AT(maintenance.maximum_cover), 3600, 366 * DAY},
    {"maintenance", "proof-timeout", AT(maintenance.proof_timeout), 1, DAY},
    {"maintenance", "reserve-crl-life", AT(maintenance.reserve_life), 3600, 90 * DAY},
    {"thresholds", "overdue-grace", AT(thresholds.overdue_grace), 0, 30 * DAY},
    {"thresholds", "clock-skew", AT(thresholds.clock_skew), 0, DAY},
    {"probe", "interval", AT(probe.interval), 1, DAY},
    {"probe", "maintenance-interval", AT(probe.maintenance_interval), 1, DAY},
    {"probe", "timeout", AT(probe.timeout), 1, 600},
    {"probe", "history", AT(probe.history), DAY, 3660 * DAY},
    {"probe", "key-test-interval", AT(probe.key_test_interval), 0, 31 * DAY},
    {"probe", "issued-age", AT(probe.issued_age), 0, 36500 * DAY},
    {"notify", "reminder", AT(notify.reminder), 0, 31 * DAY},
    {"notify", "send-timeout", AT(notify.send_timeout), 1, 300},
};

static int at(xmlNodePtr root, const char *section, const char *element, const char *label,
              struct err *err)
{
    xmlNodePtr node = xmldoc_child(root, section);
    xmlNodePtr inner = xmldoc_child(node, element);
    return xmldoc_at(inner ? inner : node ? node : root, label, err);
}

static int check_range(const struct range *r, const struct config *c, xmlNodePtr root,
                       const char *label, struct err *err)
{
    int64_t value = *(const int64_t *)(const void *)((const char *)c + r->offset);
    char min[WHEN_TEXT_MAX], max[WHEN_TEXT_MAX], found[WHEN_TEXT_MAX];
    if (value == CONFIG_AUTO || (value >= r->min && value <= r->max))
        return ERR_OK;
    err_set(err, ERR_INVALID, "expected a duration from %s to %s, found %s",
            duration_format(r->min, min), duration_format(r->max, max),
            duration_format(value, found));
    at(root, r->section, r->element, label, err);
    return ERR_INVALID;
}

/* Both in the same measure: then the critical one must come later. */
static int check_order(const struct config_threshold *warn, const struct config_threshold *crit,
                       const char *element, xmlNodePtr root, const char *label, struct err *err)
{
    bool wrong = (warn->percent && crit->percent && crit->percent < warn->percent) ||
                 (warn->seconds && crit->seconds && crit->seconds > warn->seconds);
    if (!wrong)
        return ERR_OK;
    err_set(err, ERR_INVALID, "the critical threshold would be reached before the warning");
    at(root, "thresholds", element, label, err);
    return ERR_INVALID;
}

static int check_texts(const struct config *c, xmlNodePtr root, const char *label, struct err *err)
{
    const char *metrics = c->output.metrics_file;
    if (*metrics && !str_ends_nocase(metrics, ".prom")) {
        err_set(err, ERR_INVALID,
                "expected a name that ends with .prom (the textfile collector reads no other), "
                "found '%s'",
                metrics);
        at(root, "output", "metrics-file", label, err);
        return ERR_INVALID;
    }
    if (*c->notify.smtp_server && (!*c->notify.smtp_from || c->notify.smtp_to.n == 0)) {
        err_set(err, ERR_INVALID, "a mail server needs 'smtp-from' and at least one 'receiver'");
        at(root, "notify", "smtp-server", label, err);
        return ERR_INVALID;
    }
    if (*c->notify.smtp_credential && c->notify.smtp_security == CONFIG_MAIL_PLAIN) {
        err_set(err, ERR_INVALID, "a login is not sent over a connection without TLS");
        at(root, "notify", "smtp-security", label, err);
        return ERR_INVALID;
    }
    if (*c->notify.webhook_credential && !str_starts_nocase(c->notify.webhook_url, "https://")) {
        err_set(err, ERR_INVALID, "a token is sent over https:// only, found '%s'",
                c->notify.webhook_url);
        at(root, "notify", "webhook-url", label, err);
        return ERR_INVALID;
    }
    return ERR_OK;
}

int config_rules(const struct config *c, xmlNodePtr root, const char *label, struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(ranges) && !rc; i++)
        rc = check_range(&ranges[i], c, root, label, err);
    if (!rc)
        rc = check_order(&c->thresholds.base_warning, &c->thresholds.base_critical, "base-critical",
                         root, label, err);
    if (!rc)
        rc = check_order(&c->thresholds.delta_warning, &c->thresholds.delta_critical,
                         "delta-critical", root, label, err);
    return rc ? rc : check_texts(c, root, label, err);
}
