/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/embedded.h"
#include "driver/paths.h"
#include "driver/xml.h"

struct reader {
    const char *label;
    struct paths *p;
    struct err *err;
};

#define COPY(r, node, name, field)                                                                 \
    xml_attr_copy((r)->label, node, name, field, sizeof(field), (r)->err)

static int read_source_of(struct reader *r, const xmlNode *node, const char *attr,
                          const struct path_source **ret)
{
    char id[24];
    int rc = COPY(r, node, attr, id);
    for (size_t i = 0; !rc && i < r->p->n_sources; i++) {
        if (strcmp(r->p->source[i].id, id) == 0) {
            *ret = &r->p->source[i];
            return ERR_OK;
        }
    }
    return rc ? rc
              : xml_fail(r->label, node, r->err,
                         "attribute '%s' is '%s': every row needs a <source> that stands before it",
                         attr, id);
}

static int read_component(struct reader *r, const xmlNode *node, enum component *ret)
{
    char name[16];
    int rc = COPY(r, node, "component", name);
    if (rc)
        return rc;
    *ret = component_find(name);
    return *ret < COMPONENTS
               ? ERR_OK
               : xml_fail(r->label, node, r->err,
                          "attribute 'component' is '%s', allowed: software, firmware, client, "
                          "ped, backup",
                          name);
}

static int read_source(struct reader *r, const xmlNode *node)
{
    if (r->p->n_sources == PATHS_SOURCES_MAX)
        return xml_fail(r->label, node, r->err, "more than %d sources", PATHS_SOURCES_MAX);
    struct path_source *s = &r->p->source[r->p->n_sources];
    int rc = COPY(r, node, "id", s->id);
    if (!rc)
        rc = COPY(r, node, "ref", s->ref);
    if (!rc && (!s->id[0] || !s->ref[0]))
        rc = xml_fail(r->label, node, r->err, "attributes 'id' and 'ref' are needed");
    if (!rc)
        r->p->n_sources++;
    return rc;
}

static int read_update(struct reader *r, const xmlNode *node)
{
    char minutes[24];
    struct version v;
    if (r->p->n_updates == PATHS_UPDATES_MAX)
        return xml_fail(r->label, node, r->err, "more than %d updates", PATHS_UPDATES_MAX);
    struct path_update *u = &r->p->update[r->p->n_updates];
    int rc = read_component(r, node, &u->component);
    if (!rc)
        rc = COPY(r, node, "from", u->from);
    if (!rc)
        rc = COPY(r, node, "to", u->to);
    if (!rc)
        rc = COPY(r, node, "minutes", minutes);
    if (!rc)
        rc = read_source_of(r, node, "source", &u->source);
    if (!rc && (!u->from[0] || version_parse(u->to, &v, NULL)))
        rc = xml_fail(r->label, node, r->err,
                      "attributes 'from' (versions, or 'any') and 'to' (a version) are needed");
    SCOPED(scope_free) char *whose = xmldoc_attribute(node, "minutes-source");
    if (!rc && whose && strcmp(whose, "estimate") != 0)
        rc = read_source_of(r, node, "minutes-source", &u->minutes_source);
    if (!rc && minutes[0] && !whose)
        rc = xml_fail(r->label, node, r->err,
                      "attribute 'minutes' needs 'minutes-source': a source, or 'estimate'");
    if (!rc && minutes[0] && sscanf(minutes, "%d-%d", &u->minutes_low, &u->minutes_high) != 2)
        rc = xml_fail(r->label, node, r->err,
                      "attribute 'minutes' must look like '15-60', found '%s'", minutes);
    if (!rc)
        r->p->n_updates++;
    return rc;
}

static int read_text(struct reader *r, const xmlNode *node, enum path_text_kind kind)
{
    static const char *const version_attr[] = {"below", "version",  "from-version",
                                               "",      "firmware", ""};
    if (r->p->n_texts == PATHS_TEXTS_MAX)
        return xml_fail(r->label, node, r->err, "more than %d notes", PATHS_TEXTS_MAX);
    struct path_text *t = &r->p->text[r->p->n_texts];
    t->kind = kind;
    t->component = COMPONENT_FIRMWARE;
    int rc = ERR_OK;
    if (kind != PATH_BARRIER && kind != PATH_CERTIFICATE && kind != PATH_INSTEAD)
        rc = read_component(r, node, &t->component);
    if (!rc && version_attr[kind][0])
        rc = COPY(r, node, version_attr[kind], t->version);
    if (!rc)
        rc = COPY(r, node, kind == PATH_WITHDRAWN ? "use" : "to", t->to);
    if (!rc)
        rc = COPY(r, node, "text", t->text);
    if (!rc)
        rc = read_source_of(r, node, "source", &t->source);
    if (!rc)
        r->p->n_texts++;
    return rc;
}

static int read_minimum(struct reader *r, const xmlNode *node)
{
    struct paths *p = r->p;
    char what[16];
    int rc = COPY(r, node, "component", what);
    if (rc)
        return rc;
    if (strcmp(what, "client") == 0) {
        rc = COPY(r, node, "firmware", p->client_firmware);
        return rc ? rc : COPY(r, node, "older", p->client_minimum);
    }
    if (strcmp(what, "ped") != 0)
        return xml_fail(r->label, node, r->err,
                        "attribute 'component' is '%s', allowed: ped, client", what);
    rc = COPY(r, node, "firmware", p->ped_firmware);
    if (!rc)
        rc = COPY(r, node, "older", p->ped_older);
    if (!rc)
        rc = COPY(r, node, "below", p->ped_below);
    return rc ? rc : COPY(r, node, "or-from", p->ped_from);
}

static int read_row(struct reader *r, const xmlNode *node)
{
    static const struct {
        const char *name;
        enum path_text_kind kind;
    } texts[] = {
        {"barrier", PATH_BARRIER}, {"withdrawn", PATH_WITHDRAWN},     {"note", PATH_NOTE},
        {"one-way", PATH_ONE_WAY}, {"certificate", PATH_CERTIFICATE}, {"instead", PATH_INSTEAD},
    };
    if (xmldoc_is(node, "source"))
        return read_source(r, node);
    if (xmldoc_is(node, "update"))
        return read_update(r, node);
    if (xmldoc_is(node, "minimum"))
        return read_minimum(r, node);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (xmldoc_is(node, texts[i].name))
            return read_text(r, node, texts[i].kind);
    }
    return xml_fail(r->label, node, r->err,
                    "unknown element, allowed: source, update, barrier, withdrawn, note, one-way, "
                    "minimum, certificate, instead");
}

int paths_load(const char *label, const char *bytes, size_t len, struct paths *ret, struct err *err)
{
    SCOPED(xmldoc_free) xmlDoc *doc = NULL;
    memset(ret, 0, sizeof *ret);
    int rc = xmldoc_parse(label, bytes, len, &(struct xml_schema){.name = label}, NULL, &doc, err);
    if (rc)
        return rc;
    struct reader r = {label, ret, err};
    const xmlNode *root = xmlDocGetRootElement(doc);
    if (!xmldoc_is(root, "paths"))
        return xml_fail(label, root, err, "expected the root element <paths>");
    rc = COPY(&r, root, "family", ret->family);
    for (const xmlNode *n = xmldoc_child(root, NULL); n && !rc; n = xmldoc_next(n, NULL))
        rc = read_row(&r, n);
    return rc;
}

int paths_builtin(struct paths *ret, struct err *err)
{
    return paths_load("paths/luna.xml", embedded_paths_luna, strlen(embedded_paths_luna), ret, err);
}
