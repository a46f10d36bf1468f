/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "config/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"

static const char *const admin_words[] = {"auto", "com", "certutil", NULL};
static const char *const key_words[] = {"cng", "capi", "certutil", "off", NULL};
static const char *const watch_words[] = {"alarm", "stop-again", NULL};
static const char *const deadline_words[] = {"hold", "resume", NULL};
static const char *const reserve_words[] = {"off", "wanted", "required", NULL};
static const char *const release_words[] = {"by-operator", "when-runway-ends", NULL};
static const char *const number_words[] = {"next", "same", NULL};
static const char *const log_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const mail_words[] = {"starttls", "tls", "none", NULL};
/* SEV_OK and SEV_INFO cannot be chosen: the schema lets only the other two through. */
static const char *const severity_words[] = {"ok", "info", "warning", "critical", NULL};

#define AT(member) offsetof(struct config, member)
#define DURATION(s, e, member)                                                                     \
    {                                                                                              \
        s, e, FIELD_DURATION, AT(member), NULL, NULL                                               \
    }
#define CHOICE(s, e, member, words)                                                                \
    {                                                                                              \
        s, e, FIELD_CHOICE, AT(member), words, NULL                                                \
    }
#define BOOL(s, e, member)                                                                         \
    {                                                                                              \
        s, e, FIELD_BOOL, AT(member), NULL, NULL                                                   \
    }
#define NUMBER(s, e, member)                                                                       \
    {                                                                                              \
        s, e, FIELD_NUMBER, AT(member), NULL, NULL                                                 \
    }
#define TEXT(s, e, member)                                                                         \
    {                                                                                              \
        s, e, FIELD_TEXT, AT(member), NULL, NULL                                                   \
    }
#define THRESHOLD(s, e, member)                                                                    \
    {                                                                                              \
        s, e, FIELD_THRESHOLD, AT(member), NULL, NULL                                              \
    }
#define LIST(s, e, member, item)                                                                   \
    {                                                                                              \
        s, e, FIELD_LIST, AT(member), NULL, item                                                   \
    }

/* clang-format off */
const struct field config_fields[] = {
    CHOICE("ca", "administration", ca.administration, admin_words),
    CHOICE("ca", "key-probe", ca.key_probe, key_words),
    DURATION("ca", "key-probe-timeout", ca.key_probe_timeout),
    DURATION("ca", "answer-timeout", ca.answer_timeout),
    DURATION("ca", "publish-timeout", ca.publish_timeout),
    DURATION("ca", "stop-timeout", ca.stop_timeout),
    DURATION("ca", "start-timeout", ca.start_timeout),
    DURATION("ca", "minimum-stop-time", ca.minimum_stop_time),
    BOOL("ca", "change-start-type", ca.change_start_type),
    CHOICE("ca", "watch", ca.watch, watch_words),
    LIST("ca", "stop-with", ca.stop_with, "service"),
    DURATION("maintenance", "propagation", maintenance.propagation),
    DURATION("maintenance", "reserve", maintenance.reserve),
    DURATION("maintenance", "maximum-window", maintenance.maximum_window),
    DURATION("maintenance", "maximum-cover", maintenance.maximum_cover),
    BOOL("maintenance", "cover-crl", maintenance.cover_crl),
    DURATION("maintenance", "proof-timeout", maintenance.proof_timeout),
    CHOICE("maintenance", "deadline-action", maintenance.deadline_action, deadline_words),
    CHOICE("maintenance", "reserve-crl", maintenance.reserve_crl, reserve_words),
    DURATION("maintenance", "reserve-crl-life", maintenance.reserve_life),
    CHOICE("maintenance", "reserve-crl-release", maintenance.reserve_release, release_words),
    CHOICE("maintenance", "reserve-crl-number", maintenance.reserve_number, number_words),
    THRESHOLD("thresholds", "base-warning", thresholds.base_warning),
    THRESHOLD("thresholds", "base-critical", thresholds.base_critical),
    THRESHOLD("thresholds", "delta-warning", thresholds.delta_warning),
    THRESHOLD("thresholds", "delta-critical", thresholds.delta_critical),
    DURATION("thresholds", "overdue-grace", thresholds.overdue_grace),
    DURATION("thresholds", "clock-skew", thresholds.clock_skew),
    DURATION("probe", "interval", probe.interval),
    DURATION("probe", "maintenance-interval", probe.maintenance_interval),
    DURATION("probe", "timeout", probe.timeout),
    DURATION("probe", "history", probe.history),
    DURATION("probe", "key-test-interval", probe.key_test_interval),
    NUMBER("probe", "issued-count", probe.issued_count),
    DURATION("probe", "issued-age", probe.issued_age),
    TEXT("probe", "proxy", probe.proxy),
    LIST("probe", "proxy-bypass", probe.direct, "host"),
    BOOL("probe", "as-client", probe.as_client),
    TEXT("access", "operators", access.operators),
    TEXT("access", "readers", access.readers),
    TEXT("output", "metrics-file", output.metrics_file),
    BOOL("output", "event-log", output.event_log),
    CHOICE("output", "log-level", output.log_level, log_words),
    TEXT("output", "log-file", output.log_file),
    NUMBER("output", "log-size", output.log_size),
    NUMBER("output", "log-keep", output.log_keep),
    CHOICE("notify", "minimum", notify.minimum, severity_words),
    DURATION("notify", "reminder", notify.reminder),
    DURATION("notify", "send-timeout", notify.send_timeout),
    TEXT("notify", "smtp-server", notify.smtp_server),
    CHOICE("notify", "smtp-security", notify.smtp_security, mail_words),
    TEXT("notify", "smtp-from", notify.smtp_from),
    LIST("notify", "smtp-to", notify.smtp_to, "receiver"),
    TEXT("notify", "smtp-credential", notify.smtp_credential),
    TEXT("notify", "webhook-url", notify.webhook_url),
    TEXT("notify", "webhook-credential", notify.webhook_credential),
    TEXT("notify", "webhook-proxy", notify.webhook_proxy),
};
/* clang-format on */
const size_t config_field_count = ARRAY_LEN(config_fields);

static void *slot(const struct field *f, struct config *c)
{
    return (char *)c + f->offset;
}

static const void *slot_const(const struct field *f, const struct config *c)
{
    return (const char *)c + f->offset;
}

struct config_list *field_list(const struct field *f, struct config *c)
{
    return slot(f, c);
}

int threshold_parse(const char *text, struct config_threshold *ret, struct err *err)
{
    struct config_threshold t = {0, 0};
    size_t len = strlen(text);
    if (len > 1 && len < 4 && text[len - 1] == '%') {
        char digits[4];
        uint64_t percent = 0;
        memcpy(digits, text, len - 1);
        digits[len - 1] = '\0';
        int rc = str_parse_u64(digits, 1, 99, &percent, err);
        if (rc)
            return rc;
        t.percent = (uint8_t)percent;
    } else {
        int rc = duration_parse(text, &t.seconds, err);
        if (rc)
            return rc;
        if (t.seconds <= 0)
            return err_set(err, ERR_PARSE, "expected a duration above zero, found '%s'", text);
    }
    *ret = t;
    return ERR_OK;
}

void duration_print(int64_t seconds, struct buf *out)
{
    static const struct {
        int64_t unit;
        char letter;
    } units[] = {{604800, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    if (seconds == 0)
        buf_puts(out, "0s");
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (seconds >= units[i].unit)
            buf_printf(out, "%" PRId64 "%c", seconds / units[i].unit, units[i].letter);
        seconds %= units[i].unit;
    }
}

void threshold_print(const struct config_threshold *t, struct buf *out)
{
    if (t->percent)
        buf_printf(out, "%u%%", t->percent);
    else
        duration_print(t->seconds, out);
}

static int set_duration(int64_t *target, const char *text, struct err *err)
{
    if (strcmp(text, "auto") == 0) {
        *target = CONFIG_AUTO;
        return ERR_OK;
    }
    return duration_parse(text, target, err);
}

static int set_choice(const struct field *f, unsigned *target, const char *text, struct err *err)
{
    for (unsigned i = 0; f->words[i]; i++) {
        if (strcmp(f->words[i], text) == 0) {
            *target = i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_PARSE, "'%s' is not one of the words allowed here", text);
}

static int set_text(char **target, const char *text, struct err *err)
{
    char *copy = str_dup(text);
    if (!copy)
        return err_nomem(err);
    free(*target);
    *target = copy;
    return ERR_OK;
}

static int add_item(struct config_list *list, const char *text, struct err *err)
{
    char **grown = realloc(list->item, (list->n + 1) * sizeof *grown);
    if (!grown)
        return err_nomem(err);
    list->item = grown;
    grown[list->n] = str_dup(text);
    if (!grown[list->n])
        return err_nomem(err);
    list->n++;
    return ERR_OK;
}

int field_set(const struct field *f, struct config *c, const char *text, struct err *err)
{
    void *target = slot(f, c);
    switch (f->kind) {
    case FIELD_DURATION:
        return set_duration(target, text, err);
    case FIELD_CHOICE:
        return set_choice(f, target, text, err);
    case FIELD_BOOL:
        *(bool *)target = strcmp(text, "yes") == 0;
        return ERR_OK;
    case FIELD_NUMBER:
        return str_parse_u64(text, 0, UINT64_MAX, target, err);
    case FIELD_TEXT:
        return set_text(target, text, err);
    case FIELD_THRESHOLD:
        return threshold_parse(text, target, err);
    case FIELD_LIST:
        return add_item(target, text, err);
    }
    return err_set(err, ERR_INTERNAL, "setting '%s' has no kind", f->element);
}

void field_get(const struct field *f, const struct config *c, struct buf *out)
{
    const void *from = slot_const(f, c);
    switch (f->kind) {
    case FIELD_DURATION:
        if (*(const int64_t *)from == CONFIG_AUTO)
            buf_puts(out, "auto");
        else
            duration_print(*(const int64_t *)from, out);
        break;
    case FIELD_CHOICE:
        buf_puts(out, f->words[*(const unsigned *)from]);
        break;
    case FIELD_BOOL:
        buf_puts(out, *(const bool *)from ? "yes" : "no");
        break;
    case FIELD_NUMBER:
        buf_printf(out, "%" PRIu64, *(const uint64_t *)from);
        break;
    case FIELD_TEXT:
        buf_puts(out, *(char *const *)from ? *(char *const *)from : "");
        break;
    case FIELD_THRESHOLD:
        threshold_print(from, out);
        break;
    case FIELD_LIST:
        break;
    }
}
