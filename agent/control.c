/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/control.h"

#include <string.h>

#include "agent/render.h"
#include "base/file.h"
#include "base/str.h"

struct asking {
    struct cli *cli;
    const struct control_style *style;
    struct protocol_reader reader;
    struct protocol_final final;
    struct err err;
    bool answered;
};

static void show_progress(const struct asking *a, const struct protocol_progress *p)
{
    char when[WHEN_TEXT_MAX];
    if (a->style->quiet)
        return;
    /* Only the time of day: the line must stay short on a console. */
    when_format(p->when, when);
    const char *clock = strlen(when) == 20 ? when + 11 : when;
    /* A dry run or a publication on its own is no maintenance and has no state. */
    const char *state = strcmp(p->state, "none") == 0 ? "-" : p->state;
    fprintf(a->cli->err, "%.9s  %-9s  %s\n", clock, state, p->text);
    fflush(a->cli->err);
}

static enum control_take take(void *arg, const char *data, size_t len)
{
    struct asking *a = arg;
    struct protocol_progress progress;
    enum protocol_kind kind;
    if (protocol_reader_take(&a->reader, data, len, &kind, &progress, &a->final, &a->err))
        return CONTROL_BROKEN;
    if (kind == PROTOCOL_PROGRESS)
        show_progress(a, &progress);
    a->answered = kind == PROTOCOL_FINAL;
    return a->answered ? CONTROL_LAST : CONTROL_MORE;
}

static int exit_of(enum err_code code)
{
    switch (code) {
    case ERR_DENIED:
        return EXIT_NOT_PERMITTED;
    case ERR_INVALID:
    case ERR_LIMIT:
        return EXIT_USAGE;
    case ERR_UNAVAILABLE:
    case ERR_NOT_FOUND:
    case ERR_TIMEOUT:
    case ERR_BUSY:
        return EXIT_NO_SERVICE;
    default:
        return EXIT_FAILED;
    }
}

static int show_document(struct asking *a)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    const struct buf *doc = &a->final.document;
    if (doc->len == 0)
        return a->final.exit_code;
    if (a->style->plain || a->style->json) {
        buf_add(&text, doc->data, doc->len);
        if (doc->data[doc->len - 1] != '\n')
            buf_putc(&text, '\n');
    } else {
        int rc = render_document(doc->data, doc->len, a->cli, &text, &a->err);
        if (rc)
            return cli_fail(a->cli, EXIT_FAILED, &a->err);
    }
    int code = cli_write(a->cli, &text, a->final.exit_code);
    return code;
}

static int failed(struct asking *a, int rc, const struct err *err)
{
    struct err e = a->err.code ? a->err : *err;
    if (rc == ERR_UNAVAILABLE && a->reader.parts == 0)
        err_context(&e, "the crlagent service cannot be reached ('crlagent start' starts it; what "
                        "it has begun goes on, and the same call again gives the result)");
    return cli_fail(a->cli, exit_of((enum err_code)rc), &e);
}

/* What is done with the answer. */
typedef int (*finish_fn)(struct asking *a, void *output);

static int to_console(struct asking *a, void *output)
{
    (void)output;
    return show_document(a);
}

static int to_file(struct asking *a, void *output)
{
    const struct buf *doc = &a->final.document;
    if (doc->len == 0 || a->final.exit_code > EXIT_CHECK_UNKNOWN)
        return a->final.exit_code;
    int rc = file_write_atomic(output, doc->data, doc->len, &a->err);
    return rc ? cli_fail(a->cli, EXIT_CHECK_UNKNOWN, &a->err) : a->final.exit_code;
}

static int run(struct cli *cli, const struct protocol_request *req,
               const struct control_style *style, finish_fn finish, void *output)
{
    SCOPED(buf_free) struct buf message = BUF_INIT;
    struct asking a = {.cli = cli, .style = style, .reader = PROTOCOL_READER_INIT};
    struct err err = ERR_INIT;
    if (!cli->control) {
        err_set(&err, ERR_UNSUPPORTED, "this build has no service; '%s' works on a CA host only",
                cli->verb->name);
        return cli_fail(cli, EXIT_NO_SERVICE, &err);
    }
    int rc = protocol_request_write(req, &message, &err);
    if (rc)
        return cli_fail(cli, EXIT_USAGE, &err);
    rc = cli->control->ask(cli->control->self, buf_str(&message), message.len, -1, take, &a, &err);
    int code;
    if (rc || !a.answered) {
        code = failed(&a, rc ? rc : ERR_UNAVAILABLE, &err);
    } else {
        if (*a.final.message)
            fprintf(cli->err, "crlagent: %s\n", a.final.message);
        code = finish(&a, output);
    }
    if (style->silent && a.final.document.len == 0)
        fprintf(cli->out, "%s\n", style->silent);
    protocol_reader_free(&a.reader);
    buf_free(&a.final.document);
    return code;
}

int control_run(struct cli *cli, const struct protocol_request *req,
                const struct control_style *style)
{
    return run(cli, req, style, to_console, NULL);
}

static int to_buf(struct asking *a, void *output)
{
    struct buf *ret = output;
    if (buf_add(ret, a->final.document.data, a->final.document.len))
        buf_clear(ret);
    return a->final.exit_code;
}

int control_fetch(struct cli *cli, const struct protocol_request *req, struct buf *ret)
{
    const struct control_style style = {.plain = true, .quiet = true};
    return run(cli, req, &style, to_buf, ret);
}

int control_check(struct cli *cli, const struct protocol_request *req, const char *output,
                  const char *silent)
{
    const struct control_style style = {.plain = true, .quiet = true, .silent = silent};
    int code = run(cli, req, &style, output ? to_file : to_console, (void *)(uintptr_t)output);
    return code > EXIT_CHECK_UNKNOWN ? EXIT_CHECK_UNKNOWN : code;
}

int control_token(const char *text, struct protocol_request *req, struct err *err)
{
    char id[24] = "";
    uint64_t n = 0, epoch = 0;
    if (!text)
        return ERR_OK;
    size_t dot = strcspn(text, ".");
    if (dot == 0 || dot >= sizeof id || text[dot] != '.')
        return err_set(err, ERR_INVALID, "--token: expected ID.EPOCH as in the answer, found '%s'",
                       text);
    memcpy(id, text, dot);
    int rc = str_parse_u64(id, 1, INT64_MAX, &n, err);
    if (!rc)
        rc = str_parse_u64(text + dot + 1, 1, INT64_MAX, &epoch, err);
    if (rc) {
        err_context(err, "--token");
        return rc;
    }
    req->token_id = (int64_t)n;
    req->token_epoch = (int64_t)epoch;
    return ERR_OK;
}

int control_text(const char *option, const char *text, size_t max_chars, char *dst, size_t dst_size,
                 struct err *err)
{
    size_t n = 0;
    for (const char *p = text ? text : ""; *p; p++)
        n += ((unsigned char)*p & 0xc0) != 0x80;
    if (n > max_chars)
        return err_set(err, ERR_LIMIT, "--%s: at most %zu characters, found %zu", option, max_chars,
                       n);
    (void)str_copy(dst, dst_size, text ? text : "");
    return ERR_OK;
}
