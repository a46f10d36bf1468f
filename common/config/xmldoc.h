/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reading XML that a person wrote: validated against a schema built into the program. No DTD, no
 * entity beyond the five of XML, nothing from the network, at most LIMIT_XML_BYTES. A problem names
 * the file, the line, the element and what is allowed there. Used for the configuration and for
 * upgrade plans. */
#ifndef CRLAGENT_CONFIG_XMLDOC_H
#define CRLAGENT_CONFIG_XMLDOC_H

#include <libxml/tree.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct xml_schema {
    const char *name; /* "crlagent.xsd", for messages */
    const char *text; /* NUL-terminated XSD, from crla_embed_text(); NULL = well-formed is enough */
    unsigned shown;   /* problems in err->text, one per line; 0 = the first */
    const char *secret; /* an attribute whose value is never repeated in a message; NULL = none */
};

/* Parses and validates bytes. label is the file name for messages. All problems go to *problems
 * (may be NULL), one line each; the first ones are in err->text with the number of the others.
 * ERR_PARSE: not well-formed or against the schema; ERR_LIMIT: too large. The caller frees *ret
 * with xmldoc_free. */
MUST_CHECK int xmldoc_parse(const char *label, const void *bytes, size_t len,
                            const struct xml_schema *schema, struct buf *problems, xmlDocPtr *ret,
                            struct err *err);

/* Is it an element, and of that name? */
bool xmldoc_is(const xmlNode *node, const char *name);
/* First child element with that name, or any when name is NULL; NULL when there is none. */
xmlNode *xmldoc_child(const xmlNode *parent, const char *name);
/* Next sibling element with that name, or any when name is NULL. */
xmlNode *xmldoc_next(const xmlNode *node, const char *name);

/* Text of an element without the white space around it, malloc'ed, "" when empty; NULL without
 * memory. */
char *xmldoc_text(const xmlNode *node);
/* Value of an attribute, malloc'ed; NULL when absent or without memory. */
char *xmldoc_attribute(const xmlNode *node, const char *name);

/* "FILE:LINE: element 'NAME': TEXT" in front of what err holds. */
int xmldoc_at(const xmlNode *node, const char *label, struct err *err);

/* For SCOPED(xmldoc_free). */
void xmldoc_free(xmlDocPtr *doc);

/* Documentation of the type or element with that name in the schema document (xs:documentation),
 * malloc'ed, one line; NULL when there is none. kind is "element" or "simpleType". */
char *xmldoc_documentation(xmlDocPtr schema, const char *kind, const char *name);

#endif
