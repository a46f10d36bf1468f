/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "config/fields.h"
#include "config/rules.h"
#include "config/schema.h"
#include "config/xmldoc.h"

static void list_free(struct config_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->item[i]);
    free(list->item);
    *list = (struct config_list){NULL, 0};
}

void config_free(struct config *c)
{
    for (size_t i = 0; i < config_field_count; i++) {
        const struct field *f = &config_fields[i];
        if (f->kind == FIELD_TEXT)
            free(*(char **)((char *)c + f->offset));
        else if (f->kind == FIELD_LIST)
            list_free(field_list(f, c));
    }
    for (size_t i = 0; i < c->n_locations; i++) {
        free(c->locations[i].url);
        list_free(&c->locations[i].addresses);
    }
    free(c->locations);
    memset(c, 0, sizeof *c);
}

static int defaults_from(xmlDocPtr schema, struct config *c, struct err *err)
{
    for (size_t i = 0; i < config_field_count; i++) {
        const struct field *f = &config_fields[i];
        xmlNodePtr decl = schema_element(schema, f->section, f->element);
        if (!decl)
            return err_set(err, ERR_INTERNAL, "the built-in schema has no '%s/%s'", f->section,
                           f->element);
        if (f->kind == FIELD_LIST)
            continue;
        SCOPED(scope_free) char *text = xmldoc_attribute(decl, "default");
        int rc = field_set(f, c, text ? text : "", err);
        if (rc) {
            err_context(err, "default of '%s/%s'", f->section, f->element);
            return rc;
        }
    }
    return ERR_OK;
}

int config_defaults(struct config *ret, struct err *err)
{
    SCOPED(xmldoc_free) xmlDocPtr schema = NULL;
    SCOPED(config_free) struct config c = {0};
    int rc = schema_document(&schema, err);
    if (!rc)
        rc = defaults_from(schema, &c, err);
    if (rc)
        return rc;
    *ret = c;
    memset(&c, 0, sizeof c);
    return ERR_OK;
}

static int read_list(const struct field *f, struct config *c, xmlNodePtr node, struct err *err)
{
    for (xmlNodePtr n = xmldoc_child(node, f->item); n; n = xmldoc_next(n, f->item)) {
        SCOPED(scope_free) char *text = xmldoc_text(n);
        int rc = text ? field_set(f, c, text, err) : err_nomem(err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

/* An element that is there but empty means its default, as the schema says. */
static int read_field(const struct field *f, struct config *c, xmlNodePtr root, const char *label,
                      struct err *err)
{
    xmlNodePtr node = xmldoc_child(xmldoc_child(root, f->section), f->element);
    if (!node)
        return ERR_OK;
    if (f->kind == FIELD_LIST)
        return read_list(f, c, node, err);
    SCOPED(scope_free) char *text = xmldoc_text(node);
    if (!text)
        return err_nomem(err);
    if (*text == '\0' && f->kind != FIELD_TEXT)
        return ERR_OK;
    int rc = field_set(f, c, text, err);
    if (rc)
        xmldoc_at(node, label, err);
    return rc;
}

static int read_threshold(xmlNodePtr node, const char *name, struct config_threshold *ret,
                          struct err *err)
{
    SCOPED(scope_free) char *text = xmldoc_attribute(node, name);
    return text ? threshold_parse(text, ret, err) : ERR_OK;
}

/* Absent: *ret stays. */
static int read_index(xmlNodePtr node, const char *name, bool *ret_has, uint32_t *ret,
                      struct err *err)
{
    SCOPED(scope_free) char *text = xmldoc_attribute(node, name);
    uint64_t v = 0;
    *ret_has = text != NULL;
    int rc = text ? str_parse_u64(text, 0, UINT16_MAX, &v, err) : ERR_OK;
    if (!rc && text)
        *ret = (uint32_t)v;
    return rc ? err_context(err, "%s", name) : ERR_OK;
}

static int read_key(struct config_location *loc, xmlNodePtr node, struct err *err)
{
    bool has_partition = false;
    int rc = read_index(node, "key", &loc->has_key, &loc->key, err);
    if (!rc)
        rc = read_index(node, "partition", &has_partition, &loc->partition, err);
    if (!rc && has_partition && !loc->has_key)
        rc = err_set(err, ERR_INVALID,
                     "partition says nothing without key: expected key=\"0\" or above beside it");
    return rc;
}

static int read_location(struct config_location *loc, xmlNodePtr node, struct err *err)
{
    SCOPED(scope_free) char *role = xmldoc_attribute(node, "role");
    loc->url = xmldoc_attribute(node, "url");
    if (!loc->url)
        return err_nomem(err);
    loc->role = role && strcmp(role, "delta") == 0 ? CONFIG_ROLE_DELTA : CONFIG_ROLE_BASE;
    int rc = read_key(loc, node, err);
    if (!rc)
        rc = read_threshold(node, "warning", &loc->warning, err);
    if (!rc)
        rc = read_threshold(node, "critical", &loc->critical, err);
    static const struct field addresses = {"location", "address", FIELD_LIST, 0, NULL, "address"};
    for (xmlNodePtr n = xmldoc_child(node, "address"); n && !rc; n = xmldoc_next(n, "address")) {
        SCOPED(scope_free) char *text = xmldoc_text(n);
        /* FIELD_LIST at offset 0 of this very list. */
        rc = text ? field_set(&addresses, (struct config *)(void *)&loc->addresses, text, err)
                  : err_nomem(err);
    }
    return rc;
}

static int read_locations(struct config *c, xmlNodePtr root, const char *label, struct err *err)
{
    xmlNodePtr list = xmldoc_child(root, "locations");
    for (xmlNodePtr n = xmldoc_child(list, "location"); n; n = xmldoc_next(n, "location")) {
        struct config_location *grown = realloc(c->locations, (c->n_locations + 1) * sizeof *grown);
        if (!grown)
            return err_nomem(err);
        c->locations = grown;
        grown[c->n_locations] = (struct config_location){.url = NULL};
        int rc = read_location(&grown[c->n_locations++], n, err);
        if (rc) {
            xmldoc_at(n, label, err);
            return rc;
        }
    }
    return ERR_OK;
}

int config_parse(const char *label, const void *bytes, size_t len, struct config *ret,
                 struct buf *problems, struct err *err)
{
    const struct xml_schema schema = {.name = "crlagent.xsd", .text = schema_crlagent};
    SCOPED(xmldoc_free) xmlDocPtr doc = NULL;
    SCOPED(config_free) struct config c = {0};
    int rc = xmldoc_parse(label, bytes, len, &schema, problems, &doc, err);
    if (rc)
        return rc;
    xmlNodePtr root = xmlDocGetRootElement(doc);
    rc = config_defaults(&c, err);
    for (size_t i = 0; i < config_field_count && !rc; i++)
        rc = read_field(&config_fields[i], &c, root, label, err);
    if (!rc)
        rc = read_locations(&c, root, label, err);
    if (!rc)
        rc = config_rules(&c, root, label, err);
    if (rc) {
        if (problems)
            buf_printf(problems, "%s\n", err ? err->text : "");
        return rc;
    }
    *ret = c;
    memset(&c, 0, sizeof c);
    return ERR_OK;
}

int config_load(const char *path, struct config *ret, struct buf *problems, struct err *err)
{
    SCOPED(buf_free) struct buf bytes = BUF_INIT;
    int rc = file_read(path, LIMIT_XML_BYTES, &bytes, err);
    if (rc)
        return rc;
    return config_parse(path, buf_str(&bytes), bytes.len, ret, problems, err);
}

static void apply_threshold(const struct config_threshold *t, int64_t *seconds, uint8_t *percent)
{
    *seconds = t->seconds;
    *percent = t->percent;
}

static bool is_set(const struct config_threshold *t)
{
    return t->seconds || t->percent;
}

struct crl_thresholds config_thresholds(const struct config *c,
                                        const struct config_location *location, bool delta)
{
    const struct config_threshold *warn =
        delta ? &c->thresholds.delta_warning : &c->thresholds.base_warning;
    const struct config_threshold *crit =
        delta ? &c->thresholds.delta_critical : &c->thresholds.base_critical;
    if (location && is_set(&location->warning))
        warn = &location->warning;
    if (location && is_set(&location->critical))
        crit = &location->critical;
    struct crl_thresholds t = {
        .overdue_grace = c->thresholds.overdue_grace,
        .skew = c->thresholds.clock_skew,
    };
    apply_threshold(warn, &t.warn_seconds, &t.warn_percent);
    apply_threshold(crit, &t.crit_seconds, &t.crit_percent);
    return t;
}
