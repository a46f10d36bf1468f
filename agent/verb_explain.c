/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent explain: one finding of the catalogue, or the whole of it as the documentation page. */
#include <string.h>

#include "agent/cli.h"
#include "agent/verbs.h"
#include "base/str.h"
#include "health/finding.h"

static const struct finding_kind *find(const char *name)
{
    uint64_t id = 0;
    size_t n = 0;
    const struct finding_kind *kinds = finding_kinds(&n);
    if (!str_parse_u64(name, 1, UINT32_MAX, &id, NULL))
        return finding_kind_by_id((uint32_t)id);
    for (size_t i = 0; i < n; i++) {
        if (str_eq_nocase(kinds[i].symbol, name))
            return &kinds[i];
    }
    return NULL;
}

static void print_one(struct buf *out, const struct finding_kind *k)
{
    buf_printf(out, "%u %s (%s)\n\n%s\n", k->id, k->symbol, severity_name(k->severity), k->title);
    if (k->cause[0])
        buf_printf(out, "\nWhy: %s\n", k->cause);
    if (k->remedy[0]) {
        buf_puts(out, "\nDo: ");
        finding_remedy_text(k, NULL, out);
        buf_puts(out, "\n");
    }
    if (k->reference[0])
        buf_printf(out, "\nReference: %s\n", k->reference);
}

static void print_list(struct buf *out)
{
    size_t n = 0;
    const struct finding_kind *kinds = finding_kinds(&n);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%5u  %-8s  %s\n", kinds[i].id, severity_name(kinds[i].severity),
                   kinds[i].title);
}

/* docs/findings.md is this output; a test compares them. */
static void print_markdown(struct buf *out)
{
    static const struct {
        uint32_t from;
        const char *title;
    } rooms[] = {{1000, "Service"},
                 {2000, "Configuration of the CA"},
                 {3000, "Publishing"},
                 {4000, "CRLs and their locations"},
                 {5000, "Maintenance"},
                 {6000, "HSM"},
                 {7000, "Reports and notices"},
                 {9000, "Internal"}};
    size_t n = 0, room = SIZE_MAX;
    const struct finding_kind *kinds = finding_kinds(&n);
    buf_puts(out,
             "# Events and findings\n\nWritten by `crlagent explain --markdown`. The id is the "
             "event id in the Application log, the argument of\n`crlagent explain`, and the "
             "label of the metric `crlagent_findings`. An id is never reused.\n");
    for (size_t i = 0; i < n; i++) {
        const struct finding_kind *k = &kinds[i];
        for (size_t r = ARRAY_LEN(rooms); r-- > 0;) {
            if (k->id >= rooms[r].from) {
                if (r != room)
                    buf_printf(out, "\n## %s\n", rooms[r].title);
                room = r;
                break;
            }
        }
        buf_printf(out, "\n### %u %s\n\n**%s** (%s)\n", k->id, k->symbol, k->title,
                   severity_name(k->severity));
        if (k->cause[0])
            buf_printf(out, "\n%s\n", k->cause);
        if (k->remedy[0]) {
            buf_puts(out, "\n*Do:* ");
            finding_remedy_text(k, NULL, out);
            buf_puts(out, "\n");
        }
        if (k->reference[0])
            buf_printf(out, "\n*Reference:* %s\n", k->reference);
    }
}

int verb_explain(struct cli *cli, int argc, char **argv)
{
    bool markdown = false;
    const struct opt table[] = {
        {"markdown", OPT_FLAG, &markdown, NULL, "the whole catalogue as the documentation page"}};
    const struct opts opts = {table, ARRAY_LEN(table), 0, 1};
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (markdown) {
        print_markdown(&text);
    } else if (args == 0) {
        print_list(&text);
    } else {
        const struct finding_kind *k = find(argv[0]);
        if (!k) {
            err_set(&err, ERR_NOT_FOUND, "'%.40s' is no finding; 'crlagent explain' lists them all",
                    argv[0]);
            return cli_fail(cli, EXIT_USAGE, &err);
        }
        print_one(&text, k);
    }
    return cli_write(cli, &text, EXIT_DONE);
}
