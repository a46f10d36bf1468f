/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent crl show | verify | diff | find: the CRL engine on the command line. Works without the
 * service and without rights. Exit codes are those of a check: 0 fine, 1 warning, 2 critical, 3 the
 * input could not be read. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/crl_input.h"
#include "agent/verbs.h"
#include "base/file.h"
#include "base/str.h"
#include "crl/print.h"

#define DIFF_LIST_DEFAULT 20

static int write_json(struct cli *cli, json_t *o, int exit_code)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    char *dump = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
    json_decref(o);
    if (!dump || buf_puts(&text, dump) || buf_putc(&text, '\n')) {
        free(dump);
        struct err err = ERR_INIT;
        err_nomem(&err);
        return cli_fail(cli, EXIT_FAILED, &err);
    }
    free(dump);
    return cli_write(cli, &text, exit_code);
}

/* What show and verify have read. */
struct look {
    struct crl_facts facts;
    enum crl_signature signature;
    struct err why;
    uint32_t verdicts;
};

static const uint32_t critical_verdicts =
    CRL_V_EXPIRED | CRL_V_EXPIRING_SOON | CRL_V_FROM_FUTURE | CRL_V_WRONG_ISSUER |
    CRL_V_BAD_SIGNATURE | CRL_V_UNKNOWN_CRITICAL | CRL_V_SIGNATURE_UNSUPPORTED | CRL_V_SHORT;

static int verdict_exit(uint32_t verdicts)
{
    if (verdicts & critical_verdicts)
        return EXIT_CHECK_CRITICAL;
    return verdicts ? EXIT_CHECK_WARNING : EXIT_DONE;
}

static int print_look(struct cli *cli, const struct look *l, bool json, int exit_code)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    if (json) {
        json_t *o = crl_json_facts(&l->facts);
        if (o) {
            json_object_set_new(o, "signature", json_string(crl_signature_name(l->signature)));
            json_object_set_new(o, "signature_why",
                                l->why.text[0] ? json_string(l->why.text) : json_null());
            json_object_set_new(o, "state", json_string(crl_verdict_state(l->verdicts)));
            json_object_set_new(o, "verdicts", crl_json_verdicts(l->verdicts));
        }
        return write_json(cli, o, exit_code);
    }
    buf_printf(&text, "%-22s %s (", "State", crl_verdict_state(l->verdicts));
    crl_print_verdicts(l->verdicts, &text);
    buf_printf(&text, ")\n%-22s %s%s%s\n", "Signature", crl_signature_name(l->signature),
               l->why.text[0] ? ": " : "", l->why.text);
    crl_print_facts(&l->facts, clock_now(cli->clock), &text);
    return cli_write(cli, &text, exit_code);
}

/* Reads and judges; returns ERR_OK, or the exit code through *ret_exit. */
static int look_at(struct cli *cli, const char *name, const struct opt_list *issuer_files,
                   struct look *l, int *ret_exit)
{
    SCOPED(crl_issuers_free) struct crl_issuers *issuers = NULL;
    struct err err = ERR_INIT;
    int rc = crl_input_issuers(issuer_files, &issuers, &err);
    struct crl_reader_options opt = {.issuers = issuers, .max_held_bytes = LIMIT_CRL_BYTES};
    if (!rc)
        rc = crl_input_read(cli, name, &opt, &l->facts, &l->signature, &l->why, &err);
    if (rc) {
        *ret_exit = cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
        return rc;
    }
    struct crl_expectation e = {.delta = crl_is_delta(&l->facts), .signature = l->signature};
    l->verdicts = crl_judge(&l->facts, &e, NULL, clock_now(cli->clock));
    return ERR_OK;
}

int verb_crl_show(struct cli *cli, int argc, char **argv)
{
    bool json = false;
    struct opt_list issuers = {0};
    const struct opt table[] = {
        {"issuer", OPT_LIST, &issuers, "CA.pem", "check the signature with these certificates"},
        {"json", OPT_FLAG, &json, NULL, "print JSON"}};
    const struct opts o = {table, ARRAY_LEN(table), 1, 1};
    SCOPED(scope_free) struct look *l = calloc(1, sizeof *l);
    int args, code;
    if (cli_options(cli, &o, argc, argv, &args, &code))
        return code;
    if (!l || look_at(cli, argv[0], &issuers, l, &code))
        return l ? code : EXIT_FAILED;
    return print_look(cli, l, json, EXIT_DONE);
}

int verb_crl_verify(struct cli *cli, int argc, char **argv)
{
    bool json = false;
    struct opt_list issuers = {0};
    const struct opt table[] = {
        {"issuer", OPT_LIST, &issuers, "CA.pem", "CA certificates (PEM or DER); may be repeated"},
        {"json", OPT_FLAG, &json, NULL, "print JSON"}};
    const struct opts o = {table, ARRAY_LEN(table), 1, 1};
    SCOPED(scope_free) struct look *l = calloc(1, sizeof *l);
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &o, argc, argv, &args, &code))
        return code;
    if (!issuers.n) {
        err_set(&err, ERR_INVALID, "crl verify needs the CA certificate: --issuer CA.pem");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    if (!l || look_at(cli, argv[0], &issuers, l, &code))
        return l ? code : EXIT_FAILED;
    return print_look(cli, l, json, verdict_exit(l->verdicts));
}

/* crl find */
struct find {
    uint8_t serial[LIMIT_CRL_ENTRY_BYTES];
    size_t len;
    struct crl_entry hit;
    bool found;
};

static int find_entry(void *arg, const struct crl_entry *e)
{
    struct find *f = arg;
    const uint8_t *p = e->serial;
    size_t len = e->serial_len;
    if (len > 1 && p[0] == 0) { /* the octet that keeps a number positive */
        p++;
        len--;
    }
    if (len != f->len || memcmp(p, f->serial, len) != 0)
        return 0;
    f->hit = *e;
    f->hit.serial = f->serial;
    f->hit.serial_len = f->len;
    f->found = true;
    return 0; /* to the end: a later entry of a delta wins, and the rest is still checked */
}

/* Hex with colons, spaces or "0x", as certutil, openssl and MMC show it; leading zeros are fine. */
static int parse_serial(const char *text, struct find *f, struct err *err)
{
    char hex[2 * 64 + 2] = "0";
    size_t n = 1;
    const char *p = str_starts_nocase(text, "0x") ? text + 2 : text;
    while (*p == '0' || *p == ':' || *p == ' ')
        p++;
    for (; *p && n < sizeof hex - 1; p++) {
        if (*p != ':' && *p != ' ')
            hex[n++] = *p;
    }
    hex[n] = '\0';
    if (*p)
        return err_set(err, ERR_LIMIT, "'%.80s' is too long for a serial number", text);
    int rc = str_unhex(n == 1  ? "00"
                       : n % 2 ? hex + 1
                               : hex,
                       f->serial, sizeof f->serial, &f->len, err);
    return rc ? err_context(err, "a serial number is given in hex, for example 6100000004ab12")
              : rc;
}

static int print_find(struct cli *cli, const struct find *f, bool json)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    char hex[2 * 64 + 1], at[WHEN_TEXT_MAX];
    int code = f->found ? EXIT_DONE : EXIT_CHECK_WARNING;
    str_hex(hex, f->serial, f->len);
    if (json) {
        json_t *o = json_object();
        json_object_set_new(o, "serial", json_string(hex));
        json_object_set_new(o, "revoked", json_boolean(f->found));
        json_object_set_new(o, "entry", f->found ? crl_json_entry(&f->hit) : json_null());
        return write_json(cli, o, code);
    }
    if (!f->found)
        buf_printf(&text, "%s is not in this CRL\n", hex);
    else
        buf_printf(&text, "%s revoked %s, %s\n", hex, when_format(f->hit.revoked, at),
                   f->hit.reason < 0 ? "no reason given" : crl_reason_name(f->hit.reason));
    return cli_write(cli, &text, code);
}

int verb_crl_find(struct cli *cli, int argc, char **argv)
{
    bool json = false;
    const struct opt table[] = {{"json", OPT_FLAG, &json, NULL, "print JSON"}};
    const struct opts o = {table, ARRAY_LEN(table), 2, 2};
    SCOPED(scope_free) struct find *f = calloc(1, sizeof *f);
    SCOPED(scope_free) struct crl_facts *facts = calloc(1, sizeof *facts);
    struct err err = ERR_INIT;
    enum crl_signature sig = CRL_SIG_NOT_CHECKED;
    int args, code;
    if (cli_options(cli, &o, argc, argv, &args, &code))
        return code;
    if (!f || !facts) {
        err_nomem(&err);
        return cli_fail(cli, EXIT_FAILED, &err);
    }
    if (parse_serial(argv[0], f, &err))
        return cli_fail(cli, EXIT_USAGE, &err);
    struct crl_reader_options opt = {.on_entry = find_entry, .arg = f, .entries_only = true};
    if (crl_input_read(cli, argv[1], &opt, facts, &sig, NULL, &err))
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    return print_find(cli, f, json);
}

/* crl diff */
struct listing {
    json_t *json; /* array, or NULL for text */
    struct buf text;
    uint64_t max, n;
};

static int list_change(void *arg, enum crl_change what, const struct crl_entry *e)
{
    struct listing *l = arg;
    char hex[2 * 32 + 1], at[WHEN_TEXT_MAX];
    if (l->n++ >= l->max)
        return 0;
    if (l->json) {
        json_t *o = crl_json_entry(e);
        if (o)
            json_object_set_new(o, "change", json_string(crl_change_name(what)));
        return json_array_append_new(l->json, o) ? 1 : 0;
    }
    str_hex(hex, e->serial, e->serial_len);
    return buf_printf(&l->text, "%-9s %s revoked %s, %s\n", crl_change_name(what), hex,
                      when_format(e->revoked, at),
                      e->reason < 0 ? "no reason given" : crl_reason_name(e->reason));
}

static int diff_exit(const struct crl_diff *d)
{
    if (d->number_order < 0 || d->count[CRL_LOST] || d->old_signature == CRL_SIG_BAD ||
        d->new_signature == CRL_SIG_BAD || d->new_signature == CRL_SIG_NO_ISSUER)
        return EXIT_CHECK_CRITICAL;
    return d->count[CRL_EARLY] || d->count[CRL_DATE] || d->old_twice || d->new_twice
               ? EXIT_CHECK_WARNING
               : EXIT_DONE;
}

static int print_diff(struct cli *cli, const struct crl_diff *d, struct listing *l)
{
    if (l->json) {
        json_t *o = crl_json_diff(d);
        if (o) {
            json_object_set(o, "list", l->json);
            json_object_set_new(o, "listed_all", json_boolean(l->n <= l->max));
        }
        return write_json(cli, o, diff_exit(d));
    }
    SCOPED(buf_free) struct buf text = BUF_INIT;
    crl_print_diff(d, &text);
    if (l->text.len)
        buf_printf(&text, "\n%s", buf_str(&l->text));
    if (l->n > l->max && l->max)
        buf_printf(&text, "... and %llu more (--list N shows more)\n",
                   (unsigned long long)(l->n - l->max));
    return cli_write(cli, &text, diff_exit(d));
}

static uint64_t file_size(const char *path)
{
    struct file_info info = {0};
    return file_stat(path, &info, NULL) ? 0 : info.size;
}

static int run_diff(struct cli *cli, char **files, struct crl_diff_options *opt,
                    struct listing *list)
{
    SCOPED(scope_free) struct crl_diff *d = calloc(1, sizeof *d);
    struct crl_meter meter;
    struct err err = ERR_INIT;
    struct crl_source a = {crl_source_file, files[0]}, b = {crl_source_file, files[1]};
    uint64_t older = file_size(files[0]), newer = file_size(files[1]);
    struct crl_progress progress = crl_meter_start(&meter, cli, "comparing", 2 * older + newer);
    opt->progress = &progress;
    int rc = d ? crl_compare(&a, &b, opt, d, &err) : err_nomem(&err);
    crl_meter_end(&meter);
    return rc ? cli_fail(cli, EXIT_CHECK_UNKNOWN, &err) : print_diff(cli, d, list);
}

int verb_crl_diff(struct cli *cli, int argc, char **argv)
{
    bool json = false;
    SCOPED(crl_issuers_free) struct crl_issuers *issuers = NULL;
    struct opt_list issuer_files = {0};
    struct listing list = {.max = DIFF_LIST_DEFAULT};
    struct crl_diff_options opt = {0};
    const struct opt table[] = {
        {"issuer", OPT_LIST, &issuer_files, "CA.pem", "check both signatures"},
        {"certificate-life", OPT_DURATION, &opt.certificate_life, "TIME",
         "longest life of a certificate of this CA, for example 104w: what vanished sooner after "
         "its revocation is told"},
        {"list", OPT_NUMBER, &list.max, "N", "changes to list (default 20, 0 = counts only)"},
        {"json", OPT_FLAG, &json, NULL, "print JSON"}};
    const struct opts o = {table, ARRAY_LEN(table), 2, 2};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &o, argc, argv, &args, &code))
        return code;
    if (crl_input_issuers(&issuer_files, &issuers, &err))
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    list.json = json ? json_array() : NULL;
    opt.issuers = issuers;
    opt.on_change = list.max ? list_change : NULL;
    opt.arg = &list;
    code = run_diff(cli, argv, &opt, &list);
    buf_free(&list.text);
    json_decref(list.json);
    return code;
}
