/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The single-valued and list settings as a table: where in the XML, where in struct config. Texts,
 * ranges and defaults are in the schema. Internal to common/config. */
#ifndef CRLAGENT_CONFIG_FIELDS_H
#define CRLAGENT_CONFIG_FIELDS_H

#include "config/config.h"

enum field_kind {
    FIELD_DURATION, /* int64_t seconds; "auto" = CONFIG_AUTO where the schema allows it */
    FIELD_CHOICE,   /* an enum: index into words */
    FIELD_BOOL,
    FIELD_NUMBER, /* uint64_t */
    FIELD_TEXT,   /* char * */
    FIELD_THRESHOLD,
    FIELD_LIST, /* struct config_list; item = element name of one entry */
};

struct field {
    const char *section, *element;
    enum field_kind kind;
    size_t offset;
    const char *const *words; /* FIELD_CHOICE; ends with NULL */
    const char *item;         /* FIELD_LIST */
};

extern const struct field config_fields[];
extern const size_t config_field_count;

/* Sets a field from its text in the XML. FIELD_LIST appends. ERR_PARSE names what is allowed. */
MUST_CHECK int field_set(const struct field *f, struct config *c, const char *text,
                         struct err *err);
/* Text of a field as in the XML (not FIELD_LIST). */
void field_get(const struct field *f, const struct config *c, struct buf *out);

struct config_list *field_list(const struct field *f, struct config *c);

MUST_CHECK int threshold_parse(const char *text, struct config_threshold *ret, struct err *err);
void threshold_print(const struct config_threshold *t, struct buf *out);
/* "1d12h", the form duration_parse reads. */
void duration_print(int64_t seconds, struct buf *out);

#endif
