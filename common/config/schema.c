/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "config/schema.h"

#include <libxml/parser.h>
#include <string.h>

int schema_document(xmlDocPtr *ret, struct err *err)
{
    xmlDocPtr doc = xmlReadMemory(schema_crlagent, (int)strlen(schema_crlagent), "crlagent.xsd",
                                  NULL, XML_PARSE_NONET);
    if (!doc)
        return err_set(err, ERR_INTERNAL, "the built-in schema 'crlagent.xsd' cannot be read");
    *ret = doc;
    return ERR_OK;
}

static xmlNodePtr all_of(xmlNodePtr element)
{
    return xmldoc_child(xmldoc_child(element, "complexType"), "all");
}

xmlNodePtr schema_sections(xmlDocPtr schema)
{
    return all_of(xmldoc_child(xmlDocGetRootElement(schema), "element"));
}

xmlNodePtr schema_entries(xmlNodePtr section)
{
    return xmldoc_child(all_of(section), "element");
}

static xmlNodePtr named(xmlNodePtr node, const char *name)
{
    for (; node; node = xmldoc_next(node, "element")) {
        SCOPED(scope_free) char *has = xmldoc_attribute(node, "name");
        if (has && strcmp(has, name) == 0)
            return node;
    }
    return NULL;
}

xmlNodePtr schema_element(xmlDocPtr schema, const char *section, const char *element)
{
    xmlNodePtr found = named(xmldoc_child(schema_sections(schema), "element"), section);
    return found ? named(schema_entries(found), element) : NULL;
}
