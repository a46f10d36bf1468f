/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/ask.h"

#include <string.h>

#include "agent/control.h"
#include "base/str.h"

struct ask_values {
    const char *change, *reason, *deadline, *token;
    int64_t window, reserve, until;
    uint64_t limit;
    bool dry_run, prepare_only, take_over, json, quiet;
};

#define ASK_ROWS 15

/* Only the rows that the verb has. */
static size_t option_table(unsigned set, struct ask_values *v, struct opt table[ASK_ROWS])
{
    const struct {
        unsigned bit;
        struct opt opt;
    } all[] = {
        {ASK_CHANGE, {"change", OPT_TEXT, &v->change, "ID", "change ticket, e.g. CHG0012345"}},
        {ASK_WINDOW,
         {"window", OPT_DURATION, &v->window, "DURATION", "how long the HSM is away: 90m, 4h"}},
        {ASK_RESERVE,
         {"reserve", OPT_DURATION, &v->reserve, "DURATION",
          "runway that must be left when the window ends (default: configuration)"}},
        {ASK_REASON, {"reason", OPT_TEXT, &v->reason, "TEXT", "why, for the record"}},
        {ASK_DEADLINE,
         {"deadline", OPT_TEXT, &v->deadline, "hold|resume",
          "what happens at the deadline (default: configuration)"}},
        {ASK_UNTIL,
         {"until", OPT_TIME, &v->until, "TIME",
          "explicit end, e.g. 2026-11-24T06:00Z (default: the CA's own periods)"}},
        {ASK_LIMIT, {"limit", OPT_NUMBER, &v->limit, "N", "newest rows to show (default 20)"}},
        {ASK_TOKEN,
         {"token", OPT_TEXT, &v->token, "ID.EPOCH", "act on this maintenance only, as answered"}},
        {ASK_DRY_RUN,
         {"dry-run", OPT_FLAG, &v->dry_run, NULL, "judge only; nothing is published or stopped"}},
        {ASK_PREPARE_ONLY,
         {"prepare-only", OPT_FLAG, &v->prepare_only, NULL,
          "stop before the CA is paused; the same call without it goes on"}},
        {ASK_TAKE_OVER,
         {"take-over", OPT_FLAG, &v->take_over, NULL,
          "act on whatever maintenance there is, as an operator"}},
        {~0u, {"json", OPT_FLAG, &v->json, NULL, "one JSON document on standard output"}},
        {~0u, {"quiet", OPT_FLAG, &v->quiet, NULL, "no progress on standard error"}},
    };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (set & all[i].bit || all[i].bit == ~0u)
            table[n++] = all[i].opt;
    }
    return n;
}

static int check_given(unsigned set, const struct ask_values *v, struct err *err)
{
    if (set & ASK_CHANGE_NEEDED && !v->take_over && (!v->change || !*v->change))
        return err_set(err, ERR_INVALID, "--change is required: the change ticket of this work");
    if (set & ASK_WINDOW_NEEDED && v->window <= 0)
        return err_set(err, ERR_INVALID,
                       "--window is required: how long the HSM is away, e.g. --window 4h");
    if (v->deadline && strcmp(v->deadline, "hold") != 0 && strcmp(v->deadline, "resume") != 0)
        return err_set(err, ERR_INVALID, "--deadline: expected 'hold' or 'resume', found '%s'",
                       v->deadline);
    if (v->limit > 1000)
        return err_set(err, ERR_INVALID, "--limit: at most 1000");
    return ERR_OK;
}

static int fill(const struct ask_values *v, struct protocol_request *req, struct err *err)
{
    int rc = control_text("change", v->change, LIMIT_CHANGE_ID_CHARS, req->change,
                          sizeof req->change, err);
    if (!rc)
        rc = control_text("reason", v->reason, LIMIT_REASON_CHARS, req->reason, sizeof req->reason,
                          err);
    if (!rc)
        rc = control_token(v->token, req, err);
    if (rc)
        return rc;
    (void)str_copy(req->deadline, sizeof req->deadline, v->deadline ? v->deadline : "");
    req->window = v->window;
    req->reserve = v->reserve;
    req->until = v->until;
    req->limit = (int64_t)v->limit;
    req->dry_run = v->dry_run;
    req->prepare_only = v->prepare_only;
    req->take_over = v->take_over;
    return ERR_OK;
}

int ask_service(struct cli *cli, int argc, char **argv, const char *verb, unsigned options)
{
    struct ask_values v = {.window = -1, .reserve = -1, .until = -1};
    struct opt table[ASK_ROWS];
    const struct opts opts = {table, option_table(options, &v, table), 0, 0};
    struct protocol_request req = protocol_request_init(verb);
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    int rc = check_given(options, &v, &err);
    if (!rc)
        rc = fill(&v, &req, &err);
    if (rc)
        return cli_fail(cli, EXIT_USAGE, &err);
    const struct control_style style = {.json = v.json, .quiet = v.quiet};
    return control_run(cli, &req, &style);
}
