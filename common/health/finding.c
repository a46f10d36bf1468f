/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "health/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

static const struct finding_kind kinds[] = {
#define FINDING(id, symbol, severity, title, cause, remedy, reference)                             \
    {id, #symbol, severity, title, cause, remedy, reference},
#include "health/findings.def"
#undef FINDING
};

const struct finding_kind *finding_kinds(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(kinds);
    return kinds;
}

const struct finding_kind *finding_kind_by_id(uint32_t id)
{
    size_t low = 0;
    for (size_t high = ARRAY_LEN(kinds); low < high;) {
        size_t mid = (low + high) / 2;
        if (kinds[mid].id == id)
            return &kinds[mid];
        if (kinds[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

struct finding *findings_add(struct findings *list, uint32_t id)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 8;
        struct finding *p = realloc(list->item, cap * sizeof *p);
        if (!p)
            return NULL;
        list->item = p;
        list->cap = cap;
    }
    const struct finding_kind *kind = finding_kind_by_id(id);
    struct finding *f = &list->item[list->n++];
    memset(f, 0, sizeof *f);
    f->id = id;
    f->severity = kind ? kind->severity : SEV_WARNING;
    return f;
}

void findings_free(struct findings *list)
{
    free(list->item);
    list->item = NULL;
    list->n = list->cap = 0;
}

enum severity findings_worst(const struct findings *list)
{
    enum severity worst = SEV_OK;
    for (size_t i = 0; i < list->n; i++)
        worst = list->item[i].severity > worst ? list->item[i].severity : worst;
    return worst;
}

void finding_remedy_text(const struct finding_kind *kind, const struct finding *f, struct buf *out)
{
    const struct {
        const char *name, *word, *value;
    } fields[] = {{"{ca}", "CA", f ? f->ca : ""},
                  {"{url}", "URL", f ? f->url : ""},
                  {"{address}", "ADDRESS", f ? f->address : ""},
                  {"{change}", "CHANGE", ""}};
    for (const char *p = kind->remedy; *p;) {
        size_t used = 0;
        for (size_t i = 0; !used && i < ARRAY_LEN(fields); i++) {
            if (str_starts(p, fields[i].name)) {
                buf_puts(out, fields[i].value[0] ? fields[i].value : fields[i].word);
                used = strlen(fields[i].name);
            }
        }
        if (!used) {
            buf_putc(out, *p);
            used = 1;
        }
        p += used;
    }
}

void finding_fill_remedy(struct finding *f)
{
    const struct finding_kind *kind = finding_kind_by_id(f->id);
    SCOPED(buf_free) struct buf out = BUF_INIT;
    if (f->remedy[0] || !kind)
        return;
    finding_remedy_text(kind, f, &out);
    str_copy(f->remedy, sizeof f->remedy, buf_str(&out));
}

static const char *const severity_names[] = {"ok", "info", "warning", "critical"};

const char *severity_name(enum severity s)
{
    return (size_t)s < ARRAY_LEN(severity_names) ? severity_names[s] : "unknown";
}

int severity_parse(const char *text, enum severity *ret, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(severity_names); i++) {
        if (str_eq_nocase(text, severity_names[i])) {
            *ret = (enum severity)i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID,
                   "'%.40s' is no severity; expected ok, info, warning or critical", text);
}

int findings_tell(struct findings *list, uint32_t id, const char *expected, const char *found,
                  struct err *err)
{
    struct finding *f = findings_add(list, id);
    if (!f)
        return err_nomem(err);
    (void)str_copy(f->expected, sizeof f->expected, expected ? expected : "");
    (void)str_copy(f->found, sizeof f->found, found ? found : "");
    finding_fill_remedy(f);
    return ERR_OK;
}
