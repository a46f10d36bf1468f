/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/xml.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

int xml_attr_copy(const char *label, const xmlNode *node, const char *name, char *dst, size_t size,
                  struct err *err)
{
    SCOPED(scope_free) char *value = xmldoc_attribute(node, name);
    if (!str_copy(dst, size, value ? value : ""))
        return xml_fail(label, node, err, "attribute '%s' is longer than %zu characters", name,
                        size - 1);
    return ERR_OK;
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
