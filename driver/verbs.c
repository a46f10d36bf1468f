/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/verbs_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/opts.h"
#include "driver/answer.h"
#include "driver/run.h"
#include "driver/status.h"
#include "driver/stop.h"

int hu_fail(struct hu_cli *cli, const struct parsed *p, int code, const struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err ignored = ERR_INIT;
    fprintf(cli->err, "hsmupgrade: %s\n", err->text);
    if (!p->o.json)
        return code;
    json_t *doc = answer_new("error", code);
    answer_error(doc, err, p->file);
    return answer_write(doc, &text, &ignored) ? code : hu_put(cli, &text, code);
}

int hu_put(struct hu_cli *cli, const struct buf *text, int code)
{
    if (fwrite(buf_str(text), 1, text->len, cli->out) == text->len && fflush(cli->out) == 0)
        return code;
    fprintf(cli->err, "hsmupgrade: the output could not be written\n");
    return HU_FAILED;
}

struct option {
    unsigned verbs;
    struct opt opt;
};
#define OPTIONS_MAX 16
#define ACTS (V_RUN | V_RESUME | V_ABORT)
#define TALKS (V_CHECK | V_WATCH | ACTS)

/* Only the options that the verb acts upon. */
static size_t options_of(const struct hu_verb *verb, struct parsed *p, struct opt *table)
{
    const struct option all[] = {
        {V_CHECK | ACTS | V_STATUS,
         {"state", OPT_TEXT, &p->o.state_dir, "DIR", "folder of journals and transcripts"}},
        {TALKS | V_STATUS | V_PLAN_CHECK | V_PATH,
         {"json", OPT_FLAG, &p->o.json, NULL, "one JSON document on standard output"}},
        {TALKS, {"quiet", OPT_FLAG, &p->o.quiet, NULL, "no progress lines"}},
        {TALKS,
         {"secrets-stdin", OPT_FLAG, &p->o.secrets_stdin, NULL,
          "KEY=VALUE lines (password:NAME, authcode, authcode:patch) up to an empty line"}},
        {V_CHECK | V_RUN | V_RESUME,
         {"accept-unlisted-path", OPT_TEXT, &p->o.unlisted_reason, "REASON",
          "go where the table of updates knows no way"}},
        {ACTS,
         {"accept-changed-plan", OPT_TEXT, &p->o.changed_plan, "REASON",
          "go on with another plan than the one the run began with"}},
        {TALKS,
         {"accept-host-key", OPT_LIST, &p->o.host_keys, "NAME=SHA256:...",
          "a new host key that was compared at the console"}},
        {V_RUN | V_RESUME,
         {"repeat", OPT_LIST, &p->o.repeat, "NAME:STEP",
          "repeat a step: one-way and not proven, or harmless"}},
        {V_RUN | V_RESUME,
         {"assume-done", OPT_LIST, &p->o.assume, "NAME:STEP", "take a step as done"}},
        {V_ABORT,
         {"accept-unproven", OPT_LIST, &p->o.unproven, "NAME:STEP",
          "nothing is at work there any more, though the step is not proven"}},
        {V_RUN | V_RESUME,
         {"retry-so-login", OPT_FLAG, &p->o.retry_so_login, NULL, "allow one more SO login"}},
        {V_CHECK | V_RUN | V_RESUME,
         {"extend-window", OPT_DURATION, &p->o.extend_window, "DURATION", "move the window's end"}},
        {V_WATCH, {"metrics", OPT_TEXT, &p->metrics, "FILE", "also write OpenMetrics to a file"}},
        {V_CHECK, {"no-agents", OPT_FLAG, &p->no_agents, NULL, "do not ask the agents"}},
    };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i].verbs & verb->bit)
            table[n++] = all[i].opt;
    }
    return n;
}

/* Also where the command line itself is wrong. */
static bool wants_json(const struct hu_verb *verb, int argc, char **argv)
{
    bool found = false;
    for (int i = 0; i < argc; i++)
        found = found || strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-json") == 0;
    return found && verb->bit && verb->bit != V_PLAN_INIT;
}

int hu_parse(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv,
             struct parsed *p, size_t args, int *ret)
{
    struct opt table[OPTIONS_MAX];
    const struct opts o = {table, options_of(verb, p, table), args, args};
    struct err err = ERR_INIT;
    bool help = false, json = wants_json(verb, argc, argv);
    int n = 0;
    if (opts_parse(&o, argc, argv, &n, &help, &err)) {
        p->o.json = json;
        *ret = hu_fail(cli, p, HU_USAGE, &err);
        fprintf(cli->err, "usage: hsmupgrade %s [options] %s\n", verb->name, verb->args);
        return 1;
    }
    p->file = n ? argv[0] : NULL;
    if (!help)
        return 0;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_printf(&text, "usage: hsmupgrade %s [options] %s\n\n%s\n\noptions:\n", verb->name,
               verb->args, verb->summary);
    opts_help(&o, &text);
    *ret = hu_put(cli, &text, HU_DONE);
    return 1;
}

int hu_open_failed(struct hu_cli *cli, const struct parsed *p, const struct err *err)
{
    switch (err->code) {
    case ERR_BUSY:
        return hu_fail(cli, p, HU_BUSY, err);
    case ERR_DENIED:
        return hu_fail(cli, p, HU_NOT_PERMITTED, err);
    case ERR_PARSE:
    case ERR_NOT_FOUND:
    case ERR_INVALID:
        return hu_fail(cli, p, HU_USAGE, err);
    default:
        return hu_fail(cli, p, HU_FAILED, err);
    }
}

struct driver *hu_driver(struct hu_cli *cli, const struct parsed *p)
{
    struct driver *drv = calloc(1, sizeof *drv);
    if (!drv)
        return NULL;
    drv->opt = p->o;
    drv->clock = cli->clock;
    drv->out = cli->out;
    drv->err = cli->err;
    drv->err_tty = cli->err_tty && !p->o.json;
    drv->columns = cli->columns;
    return drv;
}

void hu_end_driver(struct driver **drv)
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
    if (hu_parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    SCOPED(hu_end_driver) struct driver *drv = hu_driver(cli, &p);
    if (!drv)
        return HU_FAILED;
    if (driver_open(drv, argv[0], DRIVER_RUN, &err))
        return hu_open_failed(cli, &p, &err);
    stop_install();
    code = what(drv);
    if (p.o.json) {
        SCOPED(buf_free) struct buf text = BUF_INIT;
        if (status_json(drv->journal, drv->plan.change, code, &text, &err))
            return hu_fail(cli, &p, HU_FAILED, &err);
        return hu_put(cli, &text, code);
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
    if (hu_parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    if (plan_load(argv[0], &plan, &err))
        return hu_fail(cli, &p, HU_USAGE, &err);
    SCOPED(journal_close) struct journal *j = NULL;
    if (status_open(p.o.state_dir, plan.change, &j, &err))
        return hu_fail(cli, &p, HU_USAGE, &err);
    int rc = p.o.json ? status_json(j, plan.change, -1, &text, &err)
                      : status_text(j, plan.change, clock_now(cli->clock), &text, &err);
    return rc ? hu_fail(cli, &p, HU_FAILED, &err) : hu_put(cli, &text, HU_DONE);
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
    return hu_put(cli, &text, HU_DONE);
}

static const struct hu_verb verbs[] = {
    {"plan init", "PLAN.xml", "Write a commented example of a plan.", verb_plan_init, V_PLAN_INIT},
    {"plan check", "PLAN.xml", "Is the plan complete, are the packages there?", verb_plan_check,
     V_PLAN_CHECK},
    {"path", "COMPONENT FROM TO", "Explain the way of software, firmware, client, ped or backup.",
     verb_path, V_PATH},
    {"check", "PLAN.xml", "Look at everything, change nothing (exit 0, 1, 2, 3).", verb_check,
     V_CHECK},
    {"run", "PLAN.xml", "Do the change.", verb_run, V_RUN},
    {"resume", "PLAN.xml", "Go on after a stop; the appliance is asked for the truth first.",
     verb_resume, V_RESUME},
    {"abort", "PLAN.xml", "End a run; resume the CAs if the HSM passes.", verb_abort, V_ABORT},
    {"status", "PLAN.xml", "What a run has done (also while it runs).", verb_status, V_STATUS},
    {"watch", "PLAN.xml", "The daily look at the appliances (exit 0, 1, 2, 3).", verb_watch,
     V_WATCH},
    {"version", "", "Print the version.", verb_version, 0},
    {"help", "", "List the verbs.", verb_help, 0},
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
    return hu_put(cli, &text, HU_DONE);
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
