/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"

#define MESSAGES_MAX 5

struct messages {
    const char *label;
    struct buf text;
    int n;
};

/* "Element '{urn:crlagent:hsmplan:1}window': ..." without the name of the namespace. */
static void add_message(struct messages *m, const char *message, int line)
{
    if (m->n++ >= MESSAGES_MAX)
        return;
    buf_printf(&m->text, "%s%s:%d: ", m->n > 1 ? "\n" : "", m->label, line);
    /* Somebody may have typed the code itself where its origin belongs. */
    const char *secret =
        strstr(message, "attribute 'authcode'") ? strstr(message, "value '") : NULL;
    for (const char *p = message; *p; p++) {
        if (secret && p == secret + 7) {
            buf_puts(&m->text, "****");
            p += strcspn(p, "'");
        }
        if (str_starts(p, "{urn:")) {
            const char *end = strchr(p, '}');
            if (end) {
                p = end;
                continue;
            }
        }
        if (*p != '\n')
            buf_putc(&m->text, *p);
    }
}

static void on_error(void *arg, xmlErrorPtr e)
{
    if (e && e->message)
        add_message(arg, e->message, e->line);
}

static void quiet(void *arg, xmlErrorPtr e)
{
    (void)arg;
    (void)e;
}

static int validate(xmlDoc *doc, const char *schema_text, struct messages *m, struct err *err)
{
    int rc = ERR_INTERNAL;
    xmlSchemaParserCtxt *pc = xmlSchemaNewMemParserCtxt(schema_text, (int)strlen(schema_text));
    xmlSchema *schema = pc ? xmlSchemaParse(pc) : NULL;
    xmlSchemaValidCtxt *vc = schema ? xmlSchemaNewValidCtxt(schema) : NULL;
    if (!vc) {
        rc = err_set(err, ERR_INTERNAL, "the built-in schema cannot be read");
    } else {
        xmlSchemaSetValidStructuredErrors(vc, on_error, m);
        rc = xmlSchemaValidateDoc(vc, doc) == 0 ? ERR_OK : ERR_PARSE;
    }
    xmlSchemaFreeValidCtxt(vc);
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(pc);
    return rc;
}

/* A document type is where entities come from; a plan needs none. */
static int refuse_dtd(const char *label, const char *bytes, size_t len, struct err *err)
{
    if (memchr(bytes, '\0', len))
        return err_set(err, ERR_PARSE, "%s: expected UTF-8 text, found NUL bytes", label);
    for (const char *p = bytes; (p = memchr(p, '<', (size_t)(bytes + len - p))) != NULL; p++) {
        if ((size_t)(bytes + len - p) > 9 && memcmp(p, "<!DOCTYPE", 9) == 0)
            return err_set(err, ERR_PARSE, "%s: a document type (<!DOCTYPE) is not allowed", label);
    }
    return ERR_OK;
}

int xml_load(const char *label, const char *bytes, size_t len, const char *schema, xmlDoc **ret,
             struct err *err)
{
    if (len > LIMIT_XML_BYTES)
        return err_set(err, ERR_LIMIT, "%s: larger than %u bytes", label, LIMIT_XML_BYTES);
    int rc = refuse_dtd(label, bytes, len, err);
    if (rc)
        return rc;
    struct messages m = {label, BUF_INIT, 0};
    SCOPED(xml_free) xmlDoc *doc = NULL;
    xmlParserCtxt *ctxt = xmlNewParserCtxt();
    if (!ctxt)
        return err_nomem(err);
    xmlSetStructuredErrorFunc(&m, quiet);
    doc =
        xmlCtxtReadMemory(ctxt, bytes, (int)len, label, NULL, XML_PARSE_NONET | XML_PARSE_NOCDATA);
    if (!doc || doc->intSubset) {
        const xmlError *e = xmlCtxtGetLastError(ctxt);
        add_message(&m, e && e->message ? e->message : "not well-formed", e ? e->line : 0);
        rc = ERR_PARSE;
    }
    xmlFreeParserCtxt(ctxt);
    if (!rc && schema)
        rc = validate(doc, schema, &m, err);
    xmlSetStructuredErrorFunc(NULL, NULL);
    if (rc == ERR_PARSE) {
        if (m.n > MESSAGES_MAX)
            buf_printf(&m.text, "\n(and %d more)", m.n - MESSAGES_MAX);
        err_set(err, ERR_PARSE, "%s", buf_str(&m.text));
    }
    buf_free(&m.text);
    if (!rc)
        *ret = steal_ptr(doc);
    return rc;
}

int xml_load_file(const char *path, const char *schema, xmlDoc **ret, struct err *err)
{
    SCOPED(buf_free) struct buf bytes = BUF_INIT;
    int rc = file_read(path, LIMIT_XML_BYTES, &bytes, err);
    return rc ? rc : xml_load(path, buf_str(&bytes), bytes.len, schema, ret, err);
}

void xml_free(xmlDoc **doc)
{
    xmlFreeDoc(*doc);
    *doc = NULL;
}

bool xml_is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && (!name || strcmp((const char *)node->name, name) == 0);
}

static xmlNode *first_of(xmlNode *node, const char *name)
{
    while (node && !xml_is(node, name))
        node = node->next;
    return node;
}

xmlNode *xml_child(const xmlNode *parent, const char *name)
{
    return parent ? first_of(parent->children, name) : NULL;
}

xmlNode *xml_next(const xmlNode *node, const char *name)
{
    return first_of(node->next, name);
}

char *xml_attr(const xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    char *copy = str_dup((const char *)value);
    xmlFree(value);
    return copy;
}

int xml_attr_copy(const char *label, const xmlNode *node, const char *name, char *dst, size_t size,
                  struct err *err)
{
    SCOPED(scope_free) char *value = xml_attr(node, name);
    if (!str_copy(dst, size, value ? value : ""))
        return xml_fail(label, node, err, "attribute '%s' is longer than %zu characters", name,
                        size - 1);
    return ERR_OK;
}

char *xml_text(const xmlNode *node)
{
    xmlChar *raw = xmlNodeGetContent(node);
    const char *s = raw ? (const char *)raw : "";
    while (*s && strchr(" \t\r\n", *s))
        s++;
    size_t n = strlen(s);
    while (n && strchr(" \t\r\n", s[n - 1]))
        n--;
    char *copy = str_ndup(s, n);
    xmlFree(raw);
    return copy;
}

int xml_fail(const char *label, const xmlNode *node, struct err *err, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_set(err, ERR_PARSE, "%s:%ld: <%s>: %s", label, xmlGetLineNo(node),
                   (const char *)node->name, text);
}
