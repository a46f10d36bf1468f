/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/manual.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/term.h"

struct manual {
    const struct transport *t; /* the one we are behind */
    char name[64];
    FILE *to;
    struct buf pasted; /* lines not handed over yet */
    bool opened;
};

static int manual_open(void *self, struct err *err)
{
    struct manual *m = self;
    (void)err;
    fprintf(
        m->to,
        "\n== %s: log in %sto its shell (serial console, crossover cable).\n"
        "   Paste what it printed, up to and with the prompt 'lunash:>', or type a single '.'\n",
        m->name, m->opened ? "AGAIN (a new login) " : "");
    fflush(m->to);
    m->opened = true;
    buf_clear(&m->pasted);
    return ERR_OK;
}

static int manual_write(void *self, const void *bytes, size_t len, struct err *err)
{
    struct manual *m = self;
    (void)err;
    size_t n = len;
    while (n && strchr("\r\n", ((const char *)bytes)[n - 1]))
        n--;
    fprintf(m->to,
            "\n== %s: type this, then paste the answer up to the prompt (or end it with a single "
            "'.'):\n\n      %.*s\n\n",
            m->name, (int)n, (const char *)bytes);
    if (m->t->expect)
        fprintf(m->to, "   Expect: %s\n\n", m->t->expect);
    fflush(m->to);
    return ERR_OK;
}

/* A prompt, and the '>' of a question, have no line end on the appliance. */
static void take_line(struct manual *m, struct buf *line)
{
    while (line->len && strchr(" \t", line->data[line->len - 1]))
        line->data[--line->len] = '\0';
    const char *text = buf_str(line);
    const char *word = text + strspn(text, " \t");
    if (strcmp(word, ".") == 0)
        buf_puts(&m->pasted, "\nlunash:>");
    else if (str_ends_nocase(word, "lunash:>") || strcmp(word, ">") == 0)
        buf_puts(&m->pasted, text);
    else
        buf_printf(&m->pasted, "%s\n", text);
}

/* One pasted line becomes bytes of the stream. */
static int manual_read(void *self, void *bytes, size_t cap, int64_t timeout_ms, size_t *ret_n,
                       struct err *err)
{
    struct manual *m = self;
    SCOPED(buf_free) struct buf line = BUF_INIT;
    /* Nothing follows a prompt until the next command was shown. */
    if (timeout_ms < 1000 && m->pasted.len == 0)
        return err_set(err, ERR_TIMEOUT, "silence");
    if (m->pasted.len == 0) {
        int rc = term_read_line(true, &line, err);
        if (rc)
            return rc == ERR_NOT_FOUND ? err_set(err, ERR_UNAVAILABLE, "the operator has left")
                                       : rc;
        if (str_eq_nocase(buf_str(&line), "lost"))
            return err_set(err, ERR_UNAVAILABLE, "the operator says the connection is lost");
        take_line(m, &line);
        rc = buf_check(&m->pasted, "line", err);
        if (rc)
            return rc;
    }
    size_t n = m->pasted.len < cap ? m->pasted.len : cap;
    memcpy(bytes, m->pasted.data, n);
    memmove(m->pasted.data, m->pasted.data + n, m->pasted.len - n + 1);
    m->pasted.len -= n;
    *ret_n = n;
    return ERR_OK;
}

static void manual_close(void *self)
{
    (void)self;
}

/* One step of a person; what it did is not believed but looked at later ('package listfile'). */
static int by_person(struct manual *m, int number, const char *text, struct err *err)
{
    SCOPED(buf_free) struct buf answer = BUF_INIT;
    fprintf(m->to,
            "\n== %s: bring the package, %d of 3. %s\n   Type 'done' when it is so: ", m->name,
            number, text);
    fflush(m->to);
    int rc = term_read_line(true, &answer, err);
    if (rc || str_eq_nocase(buf_str(&answer), "done"))
        return rc;
    return err_set(err, ERR_STATE, "the operator did not bring the package: step %d, typed '%.40s'",
                   number, buf_str(&answer));
}

static int manual_put(void *self, const struct upload *u, struct err *err)
{
    struct manual *m = self;
    SCOPED(buf_free) struct buf file = BUF_INIT;
    SCOPED(buf_free) struct buf copy = BUF_INIT;
    buf_printf(&file,
               "The file on this computer.\n"
               "   Expect '%s', %llu bytes, with the SHA-256 of the plan. If the vendor gave a\n"
               "   .tar, unpack it ('tar -xf FILE.tar'): the .spkg is what is needed.",
               u->path, (unsigned long long)u->size);
    buf_printf(&copy,
               "Copy it into the folder of the account you use there.\n"
               "   pscp -scp \"%s\" admin@ADDRESS:   (or scp)\n"
               "   Expect 100%% at the end; its name there must be '%s'.",
               u->path, u->name);
    int rc = buf_check(&copy, "what to type", err);
    if (!rc)
        rc = by_person(m, 1, buf_str(&file), err);
    if (!rc)
        rc = by_person(
            m, 2,
            "A way to the appliance.\n"
            "   In its network: nothing to do. With a crossover cable: 'status interface' there\n"
            "   shows the address and mask of the port; give this computer a free fixed address "
            "of\n"
            "   the same network, plug the cable in, 'ping ADDRESS'. Expect an answer.",
            err);
    return rc ? rc : by_person(m, 3, buf_str(&copy), err);
}

static void manual_free(void *self)
{
    struct manual *m = self;
    buf_free(&m->pasted);
    free(m);
}

static const struct transport_ops manual_ops = {manual_open,  manual_write, manual_read,
                                                manual_close, manual_put,   manual_free};

int manual_transport(const char *name, FILE *to, struct transport *ret, struct err *err)
{
    struct manual *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(err);
    str_copy(m->name, sizeof m->name, name);
    m->to = to;
    m->t = ret;
    *ret = (struct transport){.ops = &manual_ops,
                              .self = m,
                              .kind = "manual",
                              .eol = "\n",
                              .by_hand = true,
                              .survives = true};
    return ERR_OK;
}
