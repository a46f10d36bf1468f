/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/crl_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "cdp/fetch.h"
#include "cdp/url.h"

#define METER_EVERY_MS 200
#define METER_AFTER_MS 500 /* shorter work shows none */
#define BAR 24

static void meter_tell(void *arg, uint64_t done, uint64_t total)
{
    struct crl_meter *m = arg;
    int64_t now = clock_mono_ms(m->cli->clock);
    if (now - m->begin_ms < METER_AFTER_MS || now - m->shown_ms < METER_EVERY_MS)
        return;
    m->shown_ms = now;
    double mib = (double)done / (1024 * 1024);
    double rate = mib * 1000 / (double)(now - m->begin_ms);
    if (total == 0) {
        fprintf(m->cli->err, "\r%s %.0f MiB, %.0f MiB/s ", m->label, mib, rate);
    } else {
        char bar[BAR + 1];
        size_t full = (size_t)((done < total ? done : total) * BAR / total);
        memset(bar, '.', BAR);
        memset(bar, '#', full);
        bar[BAR] = '\0';
        fprintf(m->cli->err, "\r%s [%s] %3u %%, %.0f MiB/s ", m->label, bar,
                (unsigned)((done < total ? done : total) * 100 / total), rate);
    }
    fflush(m->cli->err);
}

struct crl_progress crl_meter_start(struct crl_meter *m, struct cli *cli, const char *label,
                                    uint64_t total)
{
    *m = (struct crl_meter){.cli = cli, .label = label, .begin_ms = clock_mono_ms(cli->clock)};
    return (struct crl_progress){cli->err_tty ? meter_tell : NULL, m, total};
}

void crl_meter_end(struct crl_meter *m)
{
    if (m->shown_ms)
        fprintf(m->cli->err, "\r%*s\r", m->cli->columns > 1 ? m->cli->columns - 1 : 1, "");
}

static bool is_url(const char *name)
{
    static const char *const schemes[] = {"http:", "https:", "ldap:", "ldaps:", "file:"};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (str_starts_nocase(name, schemes[i]))
            return true;
    }
    return false;
}

static int read_url(struct cli *cli, const char *name, const struct crl_reader_options *opt,
                    struct crl_facts *ret_facts, enum crl_signature *ret_sig, struct err *sig_why,
                    struct err *err)
{
    SCOPED(fetch_prober_free) struct prober prober = {0};
    SCOPED(scope_free) struct probe_target *target = calloc(1, sizeof *target);
    SCOPED(scope_free) struct probe_result *result = calloc(1, sizeof *result);
    SCOPED(scope_free) struct url *url = calloc(1, sizeof *url);
    struct fetch_options fetch = {.ldap = cli->ldap, .clock = cli->clock};
    if (!target || !result || !url)
        return err_nomem(err);
    if (opt->on_entry)
        return err_set(err, ERR_UNSUPPORTED,
                       "'%s': entries are searched in files only; download it first", name);
    int rc = url_parse(name, url, err);
    if (!rc)
        rc = fetch_setup(err);
    if (!rc)
        rc = fetch_prober_new(&fetch, &prober, err);
    if (rc)
        return rc;
    str_copy(target->url, sizeof target->url, url->text);
    target->kind = url->kind;
    target->role = ROLE_CRL_BASE;
    target->origin = FROM_COMMAND_LINE;
    target->timeout_ms = 60000;
    rc = prober.run(prober.self, target, 1, opt->issuers, result, err);
    if (rc)
        return rc;
    if (result->status != PROBE_OK)
        return err_set_os(err, ERR_UNAVAILABLE, result->os_code, "'%s': %s: %s", name,
                          probe_status_name(result->status), result->detail);
    *ret_facts = result->facts;
    *ret_sig = result->signature;
    if (sig_why)
        str_copy(sig_why->text, sizeof sig_why->text, result->signature_why);
    return ERR_OK;
}

static void close_file(FILE **f)
{
    if (*f && *f != stdin)
        fclose(*f);
}

int crl_input_read(struct cli *cli, const char *name, const struct crl_reader_options *opt,
                   struct crl_facts *ret_facts, enum crl_signature *ret_sig, struct err *sig_why,
                   struct err *err)
{
    SCOPED(close_file) FILE *f = NULL;
    struct file_info info = {0};
    struct crl_meter meter;
    if (is_url(name))
        return read_url(cli, name, opt, ret_facts, ret_sig, sig_why, err);
    int rc = ERR_OK;
    if (strcmp(name, "-") == 0) {
        f = stdin;
        name = "standard input";
    } else {
        rc = file_stat(name, &info, err);
        if (!rc && info.is_dir)
            rc = err_set(err, ERR_INVALID, "'%s' is a folder", name);
        if (!rc)
            rc = file_open(name, "rb", &f, err);
    }
    if (rc)
        return rc;
    struct crl_progress progress = crl_meter_start(&meter, cli, "reading", info.size);
    rc = crl_read_stream(f, name, opt, &progress, ret_facts, ret_sig, sig_why, err);
    crl_meter_end(&meter);
    return rc;
}

int crl_input_issuers(const struct opt_list *files, struct crl_issuers **set, struct err *err)
{
    for (size_t i = 0; i < files->n; i++) {
        SCOPED(buf_free) struct buf text = BUF_INIT;
        int rc = file_read(files->item[i], LIMIT_CA_CERTS * LIMIT_CERT_BYTES, &text, err);
        if (!rc)
            rc = crl_issuers_add(set, files->item[i], buf_str(&text), text.len, err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}
