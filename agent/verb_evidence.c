/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent evidence verify FILE, crlagent evidence show FILE */
#include <string.h>

#include "agent/compare.h"
#include "agent/verbs.h"
#include "base/file.h"
#include "base/str.h"
#include "health/finding.h"
#include "report/evidence.h"
#include "report/reread.h"

/* Reads and verifies; the exit code in *ret_code when it is not what was written. */
static bool read_verified(struct cli *cli, const char *path, const char *head, struct buf *data,
                          struct evidence_facts *f, int *ret_code)
{
    struct err err = ERR_INIT;
    if (file_read(path, EVIDENCE_BYTES_MAX, data, &err)) {
        *ret_code = cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
        return false;
    }
    int rc = evidence_verify(buf_str(data), data->len, f, &err);
    if (!rc && head && !str_eq_nocase(head, f->head))
        rc = err_set(&err, ERR_CRYPTO,
                     "every entry fits, but the last hash is not the noted one: the bundle was "
                     "replaced as a whole. Expected %.64s, found %s",
                     head, f->head);
    if (!rc)
        return true;
    err_context(&err, "evidence '%s'", path);
    if (rc == ERR_CRYPTO)
        err_context(&err, "%s (crlagent explain %u)",
                    finding_kind_by_id(FIND_EVIDENCE_BROKEN)->title, FIND_EVIDENCE_BROKEN);
    *ret_code = cli_fail(cli, rc == ERR_CRYPTO ? EXIT_CHECK_CRITICAL : EXIT_CHECK_UNKNOWN, &err);
    return false;
}

int verb_evidence_verify(struct cli *cli, int argc, char **argv)
{
    const char *head = NULL;
    const struct opt table[] = {
        {"head", OPT_TEXT, &head, "HEX", "the last hash as noted on the ticket"}};
    const struct opts opts = {table, ARRAY_LEN(table), 1, 1};
    SCOPED(buf_free) struct buf data = BUF_INIT;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct evidence_facts f;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (!read_verified(cli, argv[0], head, &data, &f, &code))
        return code;
    buf_printf(&text, "OK: %zu entries of change '%s' (%s) are as they were written\nhead %s%s\n",
               f.entries, f.change_id, f.ca, f.head,
               head ? " (as noted)" : "; compare it with the one on the ticket: --head HEX");
    return cli_write(cli, &text, EXIT_DONE);
}

/* ERR_NOT_FOUND also where the bundle has single figures instead of a report. */
static int report_of(const struct buf *bundle, const char *phase, struct report_copy **ret,
                     struct err *err)
{
    SCOPED(buf_free) struct buf json = BUF_INIT;
    int rc = evidence_entry(buf_str(bundle), bundle->len, phase, &json, err);
    if (!rc && buf_str(&json)[0] != '{')
        rc = err_set(err, ERR_NOT_FOUND, "the entry '%s' is no health report", phase);
    return rc ? rc : report_reread(buf_str(&json), json.len, ret, err);
}

/* The newest report of the maintenance, unless one is asked for by name. */
static int newest_report(const struct buf *bundle, const char *phase, struct report_copy **ret,
                         struct err *err)
{
    static const char *const phases[] = {"after", "during", "before"};
    int rc = ERR_NOT_FOUND;
    if (phase)
        return report_of(bundle, phase, ret, err);
    for (size_t i = 0; i < ARRAY_LEN(phases) && rc == ERR_NOT_FOUND; i++)
        rc = report_of(bundle, phases[i], ret, err);
    return rc;
}

int verb_evidence_show(struct cli *cli, int argc, char **argv)
{
    const char *head = NULL, *format_name = "text", *output = NULL, *phase = NULL;
    const struct opt table[] = {
        {"head", OPT_TEXT, &head, "HEX", "the last hash as noted on the ticket"},
        {"format", OPT_TEXT, &format_name, "FORMAT", "text, html"},
        {"phase", OPT_TEXT, &phase, "PHASE", "before, during, after; default the last there is"},
        {"output", OPT_TEXT, &output, "FILE", "write there, whole or not at all"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 1, 1};
    SCOPED(buf_free) struct buf data = BUF_INIT;
    SCOPED(report_copy_free) struct report_copy *now = NULL;
    SCOPED(report_copy_free) struct report_copy *then = NULL;
    struct evidence_facts f;
    struct err err = ERR_INIT, ignored = ERR_INIT;
    enum report_format format = REPORT_TEXT;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    int rc = report_format_parse(format_name, &format, &err);
    if (!rc && format != REPORT_TEXT && format != REPORT_HTML)
        rc = err_set(&err, ERR_INVALID, "--format: expected text or html; the JSON is in the file");
    if (!rc && phase && strcmp(phase, "before") != 0 && strcmp(phase, "during") != 0 &&
        strcmp(phase, "after") != 0)
        rc = err_set(&err, ERR_INVALID, "--phase: expected before, during or after, found '%.40s'",
                     phase);
    if (rc)
        return cli_fail(cli, EXIT_USAGE, &err);
    if (!read_verified(cli, argv[0], head, &data, &f, &code))
        return code;
    if (newest_report(&data, phase, &now, &err)) {
        err_context(&err, "evidence '%s'", argv[0]);
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    }
    if (strcmp(now->report.phase, "before") != 0 && !report_of(&data, "before", &then, &ignored))
        now->report.before = &then->report;
    fprintf(cli->err, "change '%s': %zu entries are as they were written, head %s\n", f.change_id,
            f.entries, f.head);
    return compare_deliver(cli, &now->report, format, output, EXIT_DONE);
}
