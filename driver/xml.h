/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* XML files the driver reads (plans, path tables, families): no DTD, no entities of their own, no
 * network, bounded size; errors carry label, line, element and what is allowed. */
#ifndef CRLAGENT_DRIVER_XML_H
#define CRLAGENT_DRIVER_XML_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "base/err.h"

/* Parses bytes and, when schema is not NULL, validates against that XSD text. ERR_LIMIT,
 * ERR_PARSE with at most five messages, one per line. The caller frees with xml_free. */
MUST_CHECK int xml_load(const char *label, const char *bytes, size_t len, const char *schema,
                        xmlDoc **ret, struct err *err);
/* The same from a file. */
MUST_CHECK int xml_load_file(const char *path, const char *schema, xmlDoc **ret, struct err *err);
void xml_free(xmlDoc **doc); /* for SCOPED() */

/* First child element of that name (any name when NULL), and the next sibling of the same name. */
xmlNode *xml_child(const xmlNode *parent, const char *name);
xmlNode *xml_next(const xmlNode *node, const char *name);

bool xml_is(const xmlNode *node, const char *name);

/* Attribute value as a malloc'ed copy; NULL when it is not there. */
char *xml_attr(const xmlNode *node, const char *name);
/* Copies into a fixed field; "" when it is not there. ERR_LIMIT with line and element when it does
 * not fit. */
MUST_CHECK int xml_attr_copy(const char *label, const xmlNode *node, const char *name, char *dst,
                             size_t size, struct err *err);
/* Text of the element, white space at both ends removed, malloc'ed. */
char *xml_text(const xmlNode *node);

/* err_set with "LABEL:LINE: <ELEMENT>: " in front. */
int xml_fail(const char *label, const xmlNode *node, struct err *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#endif
