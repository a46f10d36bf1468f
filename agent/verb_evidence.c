/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent evidence verify FILE */
#include <string.h>

#include "agent/cli.h"
#include "agent/verbs.h"
#include "base/file.h"
#include "base/str.h"
#include "report/evidence.h"

int verb_evidence_verify(struct cli *cli, int argc, char **argv)
{
    const char *head = NULL;
    const struct opt table[] = {
        {"head", OPT_TEXT, &head, "HEX", "the last hash as noted on the ticket"}};
    const struct opts opts = {table, ARRAY_LEN(table), 1, 1};
    SCOPED(buf_free) struct buf data = BUF_INIT;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct evidence_facts f;
    struct err err = ERR_INIT;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (file_read(argv[0], EVIDENCE_BYTES_MAX, &data, &err))
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    int rc = evidence_verify(buf_str(&data), data.len, &f, &err);
    if (!rc && head && !str_eq_nocase(head, f.head))
        rc = err_set(&err, ERR_CRYPTO,
                     "every entry fits, but the last hash is not the noted one: the bundle was "
                     "replaced as a whole. Expected %.64s, found %s",
                     head, f.head);
    if (rc) {
        err_context(&err, "evidence '%s'", argv[0]);
        return cli_fail(cli, rc == ERR_CRYPTO ? EXIT_CHECK_CRITICAL : EXIT_CHECK_UNKNOWN, &err);
    }
    buf_printf(&text, "OK: %zu entries of change '%s' (%s) are as they were written\nhead %s%s\n",
               f.entries, f.change_id, f.ca, f.head,
               head ? " (as noted)" : "; compare it with the one on the ticket: --head HEX");
    return cli_write(cli, &text, EXIT_DONE);
}
