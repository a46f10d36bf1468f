/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the crl verbs share: reading a FILE or standard input, with a progress line. */
#ifndef CRLAGENT_AGENT_CRL_INPUT_H
#define CRLAGENT_AGENT_CRL_INPUT_H

#include "agent/cli.h"
#include "crl/compare.h"

/* A progress line with rate on the console, for what takes longer than a moment. */
struct crl_meter {
    struct cli *cli;
    const char *label;
    int64_t begin_ms, shown_ms;
};
/* Progress for crl_read_* and crl_compare; listens only when standard error is a console. */
struct crl_progress crl_meter_start(struct crl_meter *m, struct cli *cli, const char *label,
                                    uint64_t total);
void crl_meter_end(struct crl_meter *m);

/* "-" is standard input, "http:", "https:", "ldap:" and "file:" go to the fetcher, all else is a
 * path. */
int crl_input_read(struct cli *cli, const char *name, const struct crl_reader_options *opt,
                   struct crl_facts *ret_facts, enum crl_signature *ret_sig, struct err *sig_why,
                   struct err *err);

/* All certificates of the files (--issuer may be given more than once). */
int crl_input_issuers(const struct opt_list *files, struct crl_issuers **set, struct err *err);

#endif
