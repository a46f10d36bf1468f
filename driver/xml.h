/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What plans, path tables and families need beyond config/xmldoc.h. */
#ifndef CRLAGENT_DRIVER_XML_H
#define CRLAGENT_DRIVER_XML_H

#include "config/xmldoc.h"

/* Copies an attribute into a fixed field; "" when it is not there. ERR_PARSE with line and element
 * when it does not fit. */
MUST_CHECK int xml_attr_copy(const char *label, const xmlNode *node, const char *name, char *dst,
                             size_t size, struct err *err);

/* err_set with "LABEL:LINE: <ELEMENT>: " in front; ERR_PARSE. */
int xml_fail(const char *label, const xmlNode *node, struct err *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#endif
