/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The built-in schema as text and as a document. Internal to common/config. */
#ifndef CRLAGENT_CONFIG_SCHEMA_H
#define CRLAGENT_CONFIG_SCHEMA_H

#include "base/err.h"
#include "config/xmldoc.h"

extern const char schema_crlagent[]; /* installer/schema/crlagent.xsd */

/* The caller frees *ret with xmldoc_free. */
MUST_CHECK int schema_document(xmlDocPtr *ret, struct err *err);

/* The xs:all of the root element: its children are the sections. */
xmlNodePtr schema_sections(xmlDocPtr schema);
/* First entry of a section, NULL when it has no named entries; walk with xmldoc_next. */
xmlNodePtr schema_entries(xmlNodePtr section);
/* Declaration of section/element; NULL when there is none. */
xmlNodePtr schema_element(xmlDocPtr schema, const char *section, const char *element);

#endif
