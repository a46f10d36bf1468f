/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/opts.h"
#include "driver/driver.h"
#include "driver/gates.h"
#include "driver/run.h"
#include "driver/status.h"
#include "driver/stop.h"
#include "health/finding.h"

/* One row of the table below. */
struct hu_verb {
    const char *name; /* one or two words */
    const char *args;
    const char *summary;
    int (*run)(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv);
};

struct parsed {
    struct driver_options o;
    const char *now;       /* --now: time of the window's clock, for rehearsals */
    const char *metrics;   /* --metrics FILE */
    bool no_agents;        /* --no-agents */
    const char *component; /* path: what */
};

static int fail(struct hu_cli *cli, int code, const struct err *err)
{
    fprintf(cli->err, "hsmupgrade: %s\n", err->text);
    return code;
}

static int put(struct hu_cli *cli, const struct buf *text, int code)
{
    if (fwrite(buf_str(text), 1, text->len, cli->out) == text->len && fflush(cli->out) == 0)
        return code;
    fprintf(cli->err, "hsmupgrade: the output could not be written\n");
    return HU_FAILED;
}

/* Options common to the verbs that read a plan. 0 = go on, 1 = *ret is the exit code. */
static int parse(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv,
                 struct parsed *p, size_t args, int *ret)
{
    const struct opt table[] = {
        {"state", OPT_TEXT, &p->o.state_dir, "DIR", "folder of journals and transcripts"},
        {"json", OPT_FLAG, &p->o.json, NULL, "one JSON document on standard output"},
        {"quiet", OPT_FLAG, &p->o.quiet, NULL, "no progress lines"},
        {"secrets-stdin", OPT_FLAG, &p->o.secrets_stdin, NULL,
         "KEY=VALUE lines (password:NAME, authcode, authcode:patch) up to an empty line"},
        {"accept-unlisted-path", OPT_TEXT, &p->o.unlisted_reason, "REASON",
         "go where the table of updates knows no way"},
        {"accept-changed-plan", OPT_TEXT, &p->o.changed_plan, "REASON",
         "go on with another plan than the one the run began with"},
        {"accept-host-key", OPT_LIST, &p->o.host_keys, "NAME=SHA256:...",
         "a new host key that was compared at the console"},
        {"repeat", OPT_LIST, &p->o.repeat, "NAME:STEP",
         "repeat a one-way step that was not proven"},
        {"assume-done", OPT_LIST, &p->o.assume, "NAME:STEP", "take a step as done"},
        {"retry-so-login", OPT_FLAG, &p->o.retry_so_login, NULL, "allow one more SO login"},
        {"extend-window", OPT_DURATION, &p->o.extend_window, "DURATION", "move the window's end"},
        {"now", OPT_TIME, &p->o.now, "TIME", "judge the window as if it were then (rehearsals)"},
        {"metrics", OPT_TEXT, &p->metrics, "FILE", "watch: also write OpenMetrics to a file"},
        {"no-agents", OPT_FLAG, &p->no_agents, NULL, "check: do not ask the agents"},
    };
    const struct opts o = {table, ARRAY_LEN(table), args, args};
    struct err err = ERR_INIT;
    bool help = false;
    int n = 0;
    if (opts_parse(&o, argc, argv, &n, &help, &err)) {
        fprintf(cli->err, "hsmupgrade %s: %s\nusage: hsmupgrade %s [options] %s\n", verb->name,
                err.text, verb->name, verb->args);
        *ret = HU_USAGE;
        return 1;
    }
    if (!help)
        return 0;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_printf(&text, "usage: hsmupgrade %s [options] %s\n\n%s\n\noptions:\n", verb->name,
               verb->args, verb->summary);
    opts_help(&o, &text);
    *ret = put(cli, &text, HU_DONE);
    return 1;
}

static void prepare(struct hu_cli *cli, const struct parsed *p, struct driver *drv)
{
    drv->opt = p->o;
    drv->clock = cli->clock;
    drv->out = cli->out;
    drv->err = cli->err;
    drv->err_tty = cli->err_tty && !p->o.json;
    drv->columns = cli->columns;
}

static int open_failed(struct hu_cli *cli, const struct err *err)
{
    switch (err->code) {
    case ERR_BUSY:
        return fail(cli, HU_BUSY, err);
    case ERR_DENIED:
        return fail(cli, HU_NOT_PERMITTED, err);
    case ERR_PARSE:
    case ERR_NOT_FOUND:
    case ERR_INVALID:
        return fail(cli, HU_USAGE, err);
    default:
        return fail(cli, HU_FAILED, err);
    }
}

static struct driver *new_driver(void)
{
    return calloc(1, sizeof(struct driver));
}

static void end_driver(struct driver **drv)
{
    if (*drv) {
        driver_close(*drv);
        free(*drv);
    }
    *drv = NULL;
}

/* ---- run, resume, abort ---- */

static int with_journal(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv,
                        int (*what)(struct driver *drv))
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    int code;
    if (parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    SCOPED(end_driver) struct driver *drv = new_driver();
    if (!drv)
        return HU_FAILED;
    prepare(cli, &p, drv);
    if (driver_open(drv, argv[0], true, &err))
        return open_failed(cli, &err);
    stop_install();
    code = what(drv);
    if (p.o.json) {
        SCOPED(buf_free) struct buf text = BUF_INIT;
        if (status_json(drv->journal, drv->plan.change, code, &text, &err))
            return fail(cli, HU_FAILED, &err);
        return put(cli, &text, code);
    }
    return code;
}

static int verb_run(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    return with_journal(cli, verb, argc, argv, run_begin);
}

static int verb_resume(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    return with_journal(cli, verb, argc, argv, run_resume);
}

static int verb_abort(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    return with_journal(cli, verb, argc, argv, run_abort);
}

static int verb_status(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    SCOPED(plan_free) struct plan plan = {0};
    SCOPED(buf_free) struct buf text = BUF_INIT;
    int code;
    if (parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    if (plan_load(argv[0], &plan, &err))
        return fail(cli, HU_USAGE, &err);
    SCOPED(journal_close) struct journal *j = NULL;
    if (status_open(p.o.state_dir, plan.change, &j, &err))
        return fail(cli, HU_USAGE, &err);
    int rc = p.o.json ? status_json(j, plan.change, -1, &text, &err)
                      : status_text(j, plan.change, clock_now(cli->clock), &text, &err);
    return rc ? fail(cli, HU_FAILED, &err) : put(cli, &text, HU_DONE);
}

/* ---- check, watch ---- */

static int check_exit(enum severity worst)
{
    return worst == SEV_CRITICAL  ? HU_CHECK_CRITICAL
           : worst == SEV_WARNING ? HU_CHECK_WARNING
                                  : HU_DONE;
}

static void mixed_firmware(struct driver *drv, struct gates *g)
{
    for (size_t i = 1; i < drv->n_sites; i++) {
        const struct site *a = &drv->site[i - 1], *b = &drv->site[i];
        if (a->a->role == ROLE_SINGLE || !a->show.firmware[0] || !b->show.firmware[0] ||
            strcmp(a->show.firmware, b->show.firmware) == 0)
            continue;
        struct gate *t = gate_add(g, FIND_HSM_MIXED, SEV_WARNING, b->a->name);
        snprintf(t->expected, sizeof t->expected, "firmware %s as on %s", a->show.firmware,
                 a->a->name);
        snprintf(t->found, sizeof t->found, "%s", b->show.firmware);
    }
}

static int write_metrics(const char *path, const struct driver *drv, const struct gates *g,
                         struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    gates_metrics(drv, g, &text);
    int rc = buf_check(&text, "metrics", err);
    return rc ? rc : file_write_atomic(path, buf_str(&text), text.len, err);
}

static int look(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv, bool for_run)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    int code;
    if (parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    SCOPED(end_driver) struct driver *drv = new_driver();
    SCOPED(scope_free) struct gates *g = calloc(1, sizeof *g);
    SCOPED(buf_free) struct buf text = BUF_INIT;
    if (!drv || !g)
        return HU_CHECK_UNKNOWN;
    prepare(cli, &p, drv);
    if (driver_open(drv, argv[0], false, &err))
        return open_failed(cli, &err);
    if (for_run)
        gates_plan(drv, g);
    for (size_t i = 0; i < drv->n_sites; i++)
        gates_site(&drv->site[i], for_run, g);
    mixed_firmware(drv, g);
    if (for_run && !p.no_agents)
        gates_agents(drv, g);
    if (p.o.json && gates_json(drv, g, &text, &err))
        return fail(cli, HU_CHECK_UNKNOWN, &err);
    if (!p.o.json)
        gates_text(g, &text);
    if (p.metrics && write_metrics(p.metrics, drv, g, &err))
        return fail(cli, HU_CHECK_UNKNOWN, &err);
    return put(cli, &text, check_exit(gates_worst(g)));
}

static int verb_check(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    return look(cli, verb, argc, argv, true);
}

static int verb_watch(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    return look(cli, verb, argc, argv, false);
}

/* ---- plan init, plan check, path ---- */

static int verb_plan_init(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    struct file_info info;
    size_t len;
    int code;
    if (parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    if (file_stat(argv[0], &info, &err) == ERR_OK) {
        err_set(&err, ERR_EXISTS, "'%s' exists; it is not overwritten", argv[0]);
        return fail(cli, HU_USAGE, &err);
    }
    const char *text = plan_example(&len);
    if (file_write_atomic(argv[0], text, len, &err))
        return fail(cli, HU_FAILED, &err);
    fprintf(cli->err, "'%s' is written: fill it in, then 'hsmupgrade plan check %s'\n", argv[0],
            argv[0]);
    return HU_DONE;
}

static int verb_plan_check(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    SCOPED(plan_free) struct plan plan = {0};
    SCOPED(buf_free) struct buf text = BUF_INIT;
    char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX];
    int code;
    if (parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    if (plan_load(argv[0], &plan, &err))
        return fail(cli, HU_USAGE, &err);
    buf_printf(&text, "change %s, window %s to %s\ntarget: software %s, firmware %s\n", plan.change,
               when_format(plan.window_start, a), when_format(plan.window_end, b),
               plan.software[0] ? plan.software : "(kept)",
               plan.firmware[0] ? plan.firmware : "(kept)");
    for (size_t i = 0; i < plan.n_appliances; i++)
        buf_printf(&text, "%zu. %s (%s), by %s\n", i + 1, plan.appliance[i].name,
                   role_name(plan.appliance[i].role), console_name(plan.appliance[i].console));
    for (size_t i = 0; i < plan.n_agents; i++)
        buf_printf(&text, "agent %s\n", plan.agent[i].name);
    const struct plan_package *files[] = {&plan.package, &plan.patch};
    code = HU_DONE;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        uint64_t size = 0;
        if (!files[i]->present)
            continue;
        if (plan_check_package(files[i], &size, &err)) {
            buf_printf(&text, "PACKAGE: %s\n", err.text);
            code = HU_USAGE;
        } else {
            buf_printf(&text, "%s: %llu bytes, SHA-256 as in the plan\n", files[i]->name,
                       (unsigned long long)size);
        }
    }
    if (plan_check_attestations(&plan, &err)) {
        buf_printf(&text, "ATTESTATIONS: %s\n", err.text);
        code = HU_USAGE;
    }
    return put(cli, &text, code);
}

static int verb_path(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    struct route r;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    int code;
    if (parse(cli, verb, argc, argv, &p, 3, &code))
        return code;
    enum component c = strcmp(argv[0], "firmware") == 0 ? COMPONENT_FIRMWARE : COMPONENT_SOFTWARE;
    if (c == COMPONENT_SOFTWARE && strcmp(argv[0], "software") != 0) {
        err_set(&err, ERR_INVALID, "expected 'software' or 'firmware', found '%s'", argv[0]);
        return fail(cli, HU_USAGE, &err);
    }
    SCOPED(scope_free) struct paths *paths = calloc(1, sizeof *paths);
    if (!paths || paths_builtin(paths, &err))
        return fail(cli, HU_FAILED, &err);
    if (paths_route(paths, c, argv[1], argv[2], &r, &err))
        return fail(cli, HU_USAGE, &err);
    paths_explain(paths, c, argv[1], argv[2], &r, &text);
    return put(cli, &text,
               r.verdict == ROUTE_FOUND || r.verdict == ROUTE_ALREADY ? HU_DONE : HU_REFUSED);
}

/* ---- help, version ---- */

static int verb_help(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv);

static int verb_version(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    (void)verb;
    (void)argc;
    (void)argv;
    buf_puts(&text, "hsmupgrade " CRLAGENT_VERSION "\n");
    return put(cli, &text, HU_DONE);
}

static const struct hu_verb verbs[] = {
    {"plan init", "PLAN.xml", "Write a commented example of a plan.", verb_plan_init},
    {"plan check", "PLAN.xml", "Is the plan complete, are the packages there?", verb_plan_check},
    {"path", "software|firmware FROM TO", "Explain the way from one version to another.",
     verb_path},
    {"check", "PLAN.xml", "Look at everything, change nothing (exit 0, 1, 2, 3).", verb_check},
    {"run", "PLAN.xml", "Do the change.", verb_run},
    {"resume", "PLAN.xml", "Go on after a stop; the appliance is asked for the truth first.",
     verb_resume},
    {"abort", "PLAN.xml", "End a run; resume the CAs if the HSM passes.", verb_abort},
    {"status", "PLAN.xml", "What a run has done (also while it runs).", verb_status},
    {"watch", "PLAN.xml", "The daily look at the appliances (exit 0, 1, 2, 3).", verb_watch},
    {"version", "", "Print the version.", verb_version},
    {"help", "", "List the verbs.", verb_help},
};

static int verb_help(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    (void)verb;
    (void)argc;
    (void)argv;
    buf_puts(&text, "hsmupgrade " CRLAGENT_VERSION
                    " - takes an HSM through its upgrade, and the CAs around "
                    "it\n\nusage: hsmupgrade VERB [options] ...\n\n");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        buf_printf(&text, "  %-10s %-26s %s\n", verbs[i].name, verbs[i].args, verbs[i].summary);
    buf_puts(&text, "\n'hsmupgrade VERB --help' lists its options.\n");
    return put(cli, &text, HU_DONE);
}

/* Number of words of argv the verb's name takes, 0 = none. */
static int matches(const struct hu_verb *v, int argc, char **argv)
{
    const char *space = strchr(v->name, ' ');
    if (!space)
        return strcmp(argv[0], v->name) == 0;
    size_t n = (size_t)(space - v->name);
    return argc > 1 && strlen(argv[0]) == n && strncmp(argv[0], v->name, n) == 0 &&
                   strcmp(argv[1], space + 1) == 0
               ? 2
               : 0;
}

int hu_main(struct hu_cli *cli, int argc, char **argv)
{
    static char help[] = "help", version[] = "version";
    if (argc < 2) {
        fprintf(cli->err, "hsmupgrade: no verb given; 'hsmupgrade help' lists them\n");
        return HU_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "/?") == 0)
        argv[1] = help;
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        int words = matches(&verbs[i], argc - 1, argv + 1);
        if (words)
            return verbs[i].run(cli, &verbs[i], argc - 1 - words, argv + 1 + words);
    }
    fprintf(cli->err, "hsmupgrade: unknown verb '%s'; 'hsmupgrade help' lists them\n", argv[1]);
    return HU_USAGE;
}
