/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "health/caevent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/when.h"

static const xmlNode *child(const xmlNode *n, const char *name)
{
    for (const xmlNode *c = n ? n->children : NULL; c; c = c->next) {
        if (c->type == XML_ELEMENT_NODE && xmlStrEqual(c->name, BAD_CAST name))
            return c;
    }
    return NULL;
}

static bool number_in(const xmlNode *n, uint64_t max, uint64_t *ret)
{
    xmlChar *text = n ? xmlNodeGetContent(n) : NULL;
    bool good = text && str_parse_u64((const char *)text, 0, max, ret, NULL) == ERR_OK;
    xmlFree(text);
    return good;
}

/* "2026-11-23T13:31:41.1234567Z": the fraction is of no interest. */
static bool time_in(const xmlNode *n, int64_t *ret)
{
    xmlChar *text = n ? xmlGetProp(n, BAD_CAST "SystemTime") : NULL;
    char whole[32] = "";
    if (text && xmlStrlen(text) >= 19)
        snprintf(whole, sizeof whole, "%.19sZ", (const char *)text);
    xmlFree(text);
    return whole[0] && when_parse(whole, ret, NULL) == ERR_OK;
}

static bool is_place(const char *s)
{
    bool drive = ((s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z')) && s[1] == ':' &&
                 s[2] == '\\';
    return strstr(s, "://") || (s[0] == '\\' && s[1] == '\\') || drive;
}

/* "1", or "1.3" with partitions. */
static int32_t key_of(const char *s)
{
    size_t n = strspn(s, "0123456789");
    if (!n || n > 4 || (s[n] && s[n] != '.'))
        return -1;
    return (int32_t)strtol(s, NULL, 10);
}

static void clean(char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            *s = ' ';
    }
}

/* Parameters in order; their names differ between releases, so nothing depends on them. */
static void take_data(const xmlNode *data, struct health_ca_event *e)
{
    SCOPED(buf_free) struct buf all = BUF_INIT;
    for (const xmlNode *c = data ? data->children : NULL; c; c = c->next) {
        if (c->type != XML_ELEMENT_NODE || !xmlStrEqual(c->name, BAD_CAST "Data"))
            continue;
        xmlChar *text = xmlNodeGetContent(c);
        const char *s = text ? (const char *)text : "";
        if (!all.len)
            e->key = key_of(s);
        if (!e->where[0] && is_place(s))
            (void)str_copy(e->where, sizeof e->where, s);
        if (*s)
            buf_printf(&all, "%s%s", all.len ? "; " : "", s);
        xmlFree(text);
    }
    (void)str_copy(e->text, sizeof e->text, buf_str(&all));
    clean(e->where);
    clean(e->text);
}

static int take(const xmlNode *root, struct health_ca_event *e, struct err *err)
{
    const xmlNode *system = child(root, "System");
    uint64_t id = 0, record = 0;
    if (!root || !xmlStrEqual(root->name, BAD_CAST "Event") || !system)
        return err_set(err, ERR_PARSE, "expected <Event><System>, found another document");
    if (!number_in(child(system, "EventID"), 65535, &id))
        return err_set(err, ERR_PARSE, "an event without a number in <EventID>");
    if (!time_in(child(system, "TimeCreated"), &e->when))
        return err_set(err, ERR_PARSE, "event %llu has no time in <TimeCreated SystemTime=>",
                       (unsigned long long)id);
    if (number_in(child(system, "EventRecordID"), UINT64_MAX, &record))
        e->record = record;
    e->id = (uint32_t)id;
    const xmlNode *data = child(root, "EventData");
    if (!data) /* a provider with a manifest may use an element of its own in here */
        data = child(root, "UserData");
    if (data && !child(data, "Data"))
        for (const xmlNode *c = data->children; c; c = c->next) {
            if (c->type == XML_ELEMENT_NODE) {
                data = c;
                break;
            }
        }
    take_data(data, e);
    return ERR_OK;
}

int ca_event_parse(const char *xml, size_t len, struct health_ca_event *ret, struct err *err)
{
    struct health_ca_event e = {.key = -1};
    if (len > CA_EVENT_XML_MAX)
        return err_set(err, ERR_LIMIT, "an event of %zu bytes, the limit is %u", len,
                       CA_EVENT_XML_MAX);
    xmlDoc *doc = xmlReadMemory(xml, (int)len, "event", "UTF-8",
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!doc)
        return err_set(err, ERR_PARSE, "an event that is no XML");
    int rc = take(xmlDocGetRootElement(doc), &e, err);
    xmlFreeDoc(doc);
    if (!rc)
        *ret = e;
    return rc;
}
