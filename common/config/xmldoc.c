/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "config/xmldoc.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"

#define PROBLEMS_MAX 50 /* the rest is counted only */

/* What one reading has found so far. */
struct reading {
    const char *label;
    xmlDocPtr schema_doc; /* the schema as a document, for "allowed: ..." */
    const struct xml_schema *schema;
    struct buf *all;  /* may be NULL */
    struct buf shown; /* the first problems, for err->text */
    size_t count;
    char facet_of[200]; /* whose facet the last problem was about; "" = it was another one */
    bool refused_dtd;
};

bool xmldoc_is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* The first of these siblings. */
static xmlNode *first_of(xmlNode *node, const char *name)
{
    while (node && !(name ? xmldoc_is(node, name) : node->type == XML_ELEMENT_NODE))
        node = node->next;
    return node;
}

xmlNode *xmldoc_next(const xmlNode *node, const char *name)
{
    return node ? first_of(node->next, name) : NULL;
}

xmlNode *xmldoc_child(const xmlNode *parent, const char *name)
{
    return parent ? first_of(parent->children, name) : NULL;
}

/* Cuts the white space around and folds runs inside to one blank when fold is set. */
static char *tidy(const char *text, bool fold)
{
    static const char blanks[] = " \t\r\n";
    char *out = malloc(strlen(text) + 1), *to = out;
    text += strspn(text, blanks);
    while (out && *text) {
        size_t gap = strspn(text, blanks);
        if (gap && text[gap] == '\0')
            break;
        if (gap && fold) {
            *to++ = ' ';
            text += gap;
        } else {
            *to++ = *text++;
        }
    }
    if (out)
        *to = '\0';
    return out;
}

static char *from_xml(xmlChar *value, bool fold)
{
    char *copy = value ? tidy((const char *)value, fold) : NULL;
    xmlFree(value);
    return copy;
}

char *xmldoc_text(const xmlNode *node)
{
    return from_xml(xmlNodeGetContent(node), false);
}

char *xmldoc_attribute(const xmlNode *node, const char *name)
{
    return from_xml(xmlGetNoNsProp(node, (const xmlChar *)name), false);
}

int xmldoc_at(const xmlNode *node, const char *label, struct err *err)
{
    return err_context(err, "%s:%ld: element '%s'", label, xmlGetLineNo(node),
                       (const char *)node->name);
}

void xmldoc_free(xmlDocPtr *doc)
{
    if (*doc)
        xmlFreeDoc(*doc);
    *doc = NULL;
}

static xmlNodePtr find_named(xmlNodePtr node, const char *kind, const char *name)
{
    for (node = xmldoc_child(node, NULL); node; node = xmldoc_next(node, NULL)) {
        SCOPED(scope_free) char *has = xmldoc_attribute(node, "name");
        if (xmldoc_is(node, kind) && has && strcmp(has, name) == 0)
            return node;
        xmlNodePtr inside = find_named(node, kind, name);
        if (inside)
            return inside;
    }
    return NULL;
}

static char *documentation_of(xmlNodePtr node)
{
    xmlNodePtr text = xmldoc_child(xmldoc_child(node, "annotation"), "documentation");
    return text ? from_xml(xmlNodeGetContent(text), true) : NULL;
}

char *xmldoc_documentation(xmlDocPtr schema, const char *kind, const char *name)
{
    return documentation_of(find_named(xmlDocGetRootElement(schema), kind, name));
}

/* "allowed: ..." from the documentation of the simple type of a schema element or attribute. */
static char *allowed_here(const struct reading *r, const char *name)
{
    xmlNodePtr root = r->schema_doc ? xmlDocGetRootElement(r->schema_doc) : NULL;
    xmlNodePtr decl = root ? find_named(root, "element", name) : NULL;
    if (!decl && root)
        decl = find_named(root, "attribute", name);
    SCOPED(scope_free) char *type = decl ? xmldoc_attribute(decl, "type") : NULL;
    return type ? xmldoc_documentation(r->schema_doc, "simpleType", type) : NULL;
}

/* The names of the elements that may stand in a schema element, "a, b, c". libxml2 lists them for a
 * sequence only, not where the order is free. */
static void list_children(const struct reading *r, const char *parent, struct buf *out)
{
    xmlNodePtr root = r->schema_doc ? xmlDocGetRootElement(r->schema_doc) : NULL;
    xmlNodePtr type =
        xmldoc_child(root ? find_named(root, "element", parent) : NULL, "complexType");
    xmlNodePtr group = xmldoc_child(type, "all");
    group = group ? group : xmldoc_child(type, "sequence");
    const char *separator = " Allowed here, once each: ";
    for (xmlNodePtr e = xmldoc_child(group, "element"); e; e = xmldoc_next(e, "element")) {
        SCOPED(scope_free) char *name = xmldoc_attribute(e, "name");
        buf_printf(out, "%s%s", separator, name ? name : "");
        separator = ", ";
    }
}

static size_t shown_at_most(const struct reading *r)
{
    return r->schema->shown ? r->schema->shown : 1;
}

static void note(struct reading *r, const char *line)
{
    if (r->count++ < shown_at_most(r))
        buf_printf(&r->shown, "%s%s", r->count > 1 ? "\n" : "", line);
    if (r->all && r->count <= PROBLEMS_MAX)
        buf_printf(r->all, "%s\n", line);
}

/* "Element '{urn:crlagent:hsmplan:1}window': ..." without the name of the namespace, and without a
 * secret that somebody typed where its origin belongs. */
static char *plain_words(const struct reading *r, const char *message)
{
    char named[80];
    SCOPED(scope_free) char *text = tidy(message, true);
    SCOPED(buf_free) struct buf out = BUF_INIT;
    snprintf(named, sizeof named, "attribute '%s'", r->schema->secret ? r->schema->secret : "");
    bool hide = text && r->schema->secret && strstr(text, named);
    for (const char *p = text; p && *p;) {
        const char *end = str_starts(p, "{urn:") ? strchr(p, '}') : NULL;
        if (end) {
            p = end + 1;
        } else if (hide && str_starts(p, "value '")) {
            buf_puts(&out, "value '****");
            p += strlen("value '");
            p += strcspn(p, "'");
        } else {
            buf_putc(&out, *p++);
        }
    }
    return text ? buf_steal(&out) : NULL;
}

/* libxml2 reports one bad value twice, first its facet and then its type: "Element 'x', attribute
 * 'y': [facet 'pattern'] ...", "Element 'x', attribute 'y': 'v' is not a valid value of ...". */
static bool told_before(struct reading *r, const char *text, int line)
{
    char who[sizeof r->facet_of];
    const char *rest = strstr(text, ": ");
    snprintf(who, sizeof who, "%d %.*s", line, rest ? (int)(rest - text) : 0, text);
    bool again = rest && strcmp(who, r->facet_of) == 0 && strstr(rest, "is not a valid value of");
    bool facet = rest && str_starts(rest, ": [facet");
    (void)str_copy(r->facet_of, sizeof r->facet_of, facet ? who : "");
    return again;
}

/* libxml2 ends its messages with a line feed; its schema messages start with "Element 'x': ". */
static void on_problem(void *arg, const xmlError *e)
{
    struct reading *r = arg;
    if (e->level < XML_ERR_ERROR || r->refused_dtd)
        return;
    SCOPED(scope_free) char *text = plain_words(r, e->message ? e->message : "not well-formed");
    if (text && told_before(r, text, e->line))
        return;
    SCOPED(buf_free) struct buf line = BUF_INIT;
    const xmlNode *node = e->node;
    bool unknown = text && strstr(text, "not expected") != NULL;
    SCOPED(scope_free)
    char *allowed =
        node && node->name && !unknown ? allowed_here(r, (const char *)node->name) : NULL;
    buf_printf(&line, "%s:%d: %s", r->label, e->line, text ? text : "not well-formed");
    if (allowed)
        buf_printf(&line, " Allowed: %s", allowed);
    else if (unknown && node && node->parent && !strstr(text, "Expected is"))
        list_children(r, (const char *)node->parent->name, &line);
    note(r, buf_str(&line));
}

static void on_problem_cb(void *arg, xmlErrorPtr e)
{
    on_problem(arg, e);
}

static void note_at(struct reading *r, int line, const char *text)
{
    SCOPED(buf_free) struct buf out = BUF_INIT;
    buf_printf(&out, "%s:%d: %s", r->label, line, text);
    note(r, buf_str(&out));
}

/* libxml2 takes a text with NUL bytes for cut off at the first. Only UTF-16 has them by right. */
static bool has_nul(struct reading *r, const char *bytes, size_t len)
{
    bool utf16 =
        len > 1 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0);
    const char *nul = len && !utf16 ? memchr(bytes, '\0', len) : NULL;
    int line = 1;
    for (const char *p = bytes; nul && p < nul; p++)
        line += *p == '\n';
    if (nul)
        note_at(r, line, "expected UTF-8 text, found a NUL byte");
    return nul != NULL;
}

/* A document type is where entity bombs and outside files come from: the parser stops at it, before
 * anything in it is read. */
static void refuse_dtd(void *ctx, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    xmlParserCtxtPtr parser = ctx;
    struct reading *r = parser->_private;
    note_at(r, parser->input ? parser->input->line : 1,
            "a document type (<!DOCTYPE ...>) is not allowed here");
    r->refused_dtd = true;
    xmlStopParser(parser);
}

static xmlDocPtr read_bytes(struct reading *r, const void *bytes, size_t len)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser)
        return NULL;
    parser->_private = r;
    parser->sax->internalSubset = refuse_dtd;
    /* Per thread, and the only way to have a pointer of ours in the call. */
    xmlSetStructuredErrorFunc(r, on_problem_cb);
    xmlDocPtr doc = xmlCtxtReadMemory(parser, bytes, (int)len, NULL, NULL, XML_PARSE_NONET);
    xmlSetStructuredErrorFunc(NULL, NULL);
    xmlFreeParserCtxt(parser);
    if (doc && (r->count || r->refused_dtd))
        xmldoc_free(&doc);
    return doc;
}

static xmlSchemaPtr load_schema(const struct xml_schema *schema)
{
    xmlSchemaParserCtxtPtr parser =
        xmlSchemaNewMemParserCtxt(schema->text, (int)strlen(schema->text));
    xmlSchemaPtr out = parser ? xmlSchemaParse(parser) : NULL;
    if (parser)
        xmlSchemaFreeParserCtxt(parser);
    return out;
}

static int validate(struct reading *r, xmlDocPtr doc, struct err *err)
{
    const struct xml_schema *schema = r->schema;
    xmlSchemaPtr compiled = load_schema(schema);
    xmlSchemaValidCtxtPtr valid = compiled ? xmlSchemaNewValidCtxt(compiled) : NULL;
    int rc = ERR_OK;
    if (!valid) {
        rc = err_set(err, ERR_INTERNAL, "the built-in schema '%s' cannot be used", schema->name);
    } else {
        xmlSchemaSetValidStructuredErrors(valid, on_problem_cb, r);
        int found = xmlSchemaValidateDoc(valid, doc);
        if (found && r->count == 0)
            rc = err_set(err, ERR_INTERNAL, "%s: validation failed without a reason (%d)", r->label,
                         found);
    }
    if (valid)
        xmlSchemaFreeValidCtxt(valid);
    if (compiled)
        xmlSchemaFree(compiled);
    return rc;
}

static int verdict(const struct reading *r, struct err *err)
{
    if (r->count == 0)
        return ERR_OK;
    size_t shown = shown_at_most(r);
    if (r->count <= shown)
        return err_set(err, ERR_PARSE, "%s", buf_str(&r->shown));
    return err_set(err, ERR_PARSE, "%s%c(and %zu more)", buf_str(&r->shown), shown > 1 ? '\n' : ' ',
                   r->count - shown);
}

int xmldoc_parse(const char *label, const void *bytes, size_t len, const struct xml_schema *schema,
                 struct buf *problems, xmlDocPtr *ret, struct err *err)
{
    if (len > LIMIT_XML_BYTES)
        return err_set(err, ERR_LIMIT, "%s: %zu bytes, at most %u are read", label, len,
                       LIMIT_XML_BYTES);
    SCOPED(xmldoc_free)
    xmlDocPtr schema_doc = schema->text ? xmlReadMemory(schema->text, (int)strlen(schema->text),
                                                        schema->name, NULL, XML_PARSE_NONET)
                                        : NULL;
    struct reading r = {
        .label = label, .schema = schema, .schema_doc = schema_doc, .all = problems};
    SCOPED(xmldoc_free) xmlDocPtr doc = has_nul(&r, bytes, len) ? NULL : read_bytes(&r, bytes, len);
    int rc = ERR_OK;
    if (!doc && r.count == 0)
        note_at(&r, 1, "no XML document");
    else if (doc && schema->text)
        rc = validate(&r, doc, err);
    if (!rc)
        rc = verdict(&r, err);
    buf_free(&r.shown);
    if (!rc)
        *ret = steal_ptr(doc);
    return rc;
}
