/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Builds a run from plan and command line, and takes it apart again. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "driver/digest.h"
#include "driver/driver.h"
#include "driver/manual.h"
#include "driver/serial.h"
#include "driver/site.h"
#include "driver/ssh.h"
#include "driver/term.h"

static void on_tick(void *self, const char *command, const struct family_rule *ped,
                    int64_t elapsed_ms, int64_t left_ms)
{
    struct site *s = self;
    /* Short answers need no progress line. */
    if (ped || elapsed_ms >= 3000)
        progress_wait(s->drv, s->a->name, command, ped, elapsed_ms, left_ms);
}

static int make_ssh(struct site *s, struct transport *ret, struct err *err)
{
    struct ssh_config c = {.plan = s->a->ssh,
                           .name = s->a->name,
                           .connect_ms = s->drv->plan.timeouts.connect * 1000,
                           .transfer_ms = s->drv->plan.timeouts.command * 1000};
    str_copy(c.plan.fingerprint, sizeof c.plan.fingerprint, s->pinned);
    int rc = ERR_OK;
    if (c.plan.login == SSH_LOGIN_PASSWORD) {
        char key[80], prompt[160];
        const char *password = NULL;
        snprintf(key, sizeof key, "password:%s", s->a->name);
        snprintf(prompt, sizeof prompt, "Password of '%s' on %s", s->a->ssh.user, s->a->name);
        rc = secret_get(s->drv, key, prompt, false, &password, err);
        if (!rc)
            str_copy(c.password, sizeof c.password, password);
    }
    if (!rc)
        rc = ssh_transport(&c, ret, err);
    secret_wipe(&c, sizeof c);
    return rc;
}

/* Made at the first login, because a password may have to be asked for. */
int site_connect_transports(struct site *s, struct err *err)
{
    int rc = ERR_OK;
    if (s->t.ops)
        return ERR_OK;
    if (s->a->console == CONSOLE_SSH)
        rc = make_ssh(s, &s->t, err);
    else if (s->a->console == CONSOLE_SERIAL)
        rc = serial_transport(&s->a->serial, &s->t, err);
    else
        rc = manual_transport(s->a->name, s->drv->err, &s->t, err);
    if (!rc && s->a->console != CONSOLE_SSH && s->a->ssh.present)
        rc = make_ssh(s, &s->file, err);
    if (!rc && s->a->console == CONSOLE_SERIAL && !s->a->ssh.present)
        rc = manual_transport(s->a->name, s->drv->err, &s->file, err);
    if (rc)
        return rc;
    dialogue_init(&s->d, &s->t, &s->drv->family, s->drv->clock, s->drv->transcript);
    s->d.watch = (struct dialogue_watch){on_tick, s};
    return ERR_OK;
}

void site_pin(struct site *s, const char *fingerprint)
{
    str_copy(s->pinned, sizeof s->pinned, fingerprint);
}

/* --accept-host-key NAME=SHA256:...: recorded, and in force for later runs too. */
static int accept_host_keys(struct driver *drv, struct err *err)
{
    for (size_t k = 0; k < drv->opt.host_keys.n; k++) {
        const char *item = drv->opt.host_keys.item[k];
        size_t name = strcspn(item, "=");
        bool found = false;
        for (size_t i = 0; i < drv->n_sites; i++) {
            struct site *s = &drv->site[i];
            if (strlen(s->a->name) != name || strncmp(s->a->name, item, name) != 0 || !item[name])
                continue;
            found = str_starts(item + name + 1, "SHA256:") && strlen(item + name + 1) == 50;
            int rc = found && drv->journal ? journal_set_fact(drv->journal, s->a->name, "host-key",
                                                              item + name + 1, err)
                                           : ERR_OK;
            if (rc)
                return rc;
            if (found)
                site_pin(s, item + name + 1);
        }
        if (!found)
            return err_set(
                err, ERR_INVALID,
                "--accept-host-key: expected NAME=SHA256:... with an appliance of the plan, "
                "found '%s'",
                item);
    }
    return ERR_OK;
}

static int open_sites(struct driver *drv, struct err *err)
{
    for (size_t i = 0; i < drv->plan.n_appliances; i++) {
        struct site *s = &drv->site[drv->n_sites++];
        SCOPED(buf_free) struct buf key = BUF_INIT;
        s->drv = drv;
        s->a = &drv->plan.appliance[i];
        site_pin(s, s->a->ssh.fingerprint);
        int rc =
            drv->journal ? journal_fact(drv->journal, s->a->name, "host-key", &key, err) : ERR_OK;
        if (rc)
            return rc;
        if (key.len)
            site_pin(s, buf_str(&key));
    }
    return accept_host_keys(drv, err);
}

static int lock_everything(struct driver *drv, struct err *err)
{
    int rc = journal_lock(drv->journal, drv->plan.change, err);
    for (size_t i = 0; i < drv->plan.n_appliances && !rc; i++) {
        const struct plan_appliance *a = &drv->plan.appliance[i];
        char name[400];
        if (a->ssh.present)
            snprintf(name, sizeof name, "%s:%u", a->ssh.host, a->ssh.port);
        else
            snprintf(name, sizeof name, "%s", a->serial.present ? a->serial.device : a->name);
        rc = journal_lock(drv->journal, name, err);
    }
    return rc;
}

static int state_dir(struct driver *drv, struct buf *dir, struct err *err)
{
    if (!drv->opt.state_dir)
        return term_state_dir(dir, err);
    buf_puts(dir, drv->opt.state_dir);
    return buf_check(dir, "path", err);
}

/* 'check' runs beside a run, and on hosts where nothing may be written. */
static int open_to_look(struct driver *drv, struct err *err)
{
    SCOPED(buf_free) struct buf dir = BUF_INIT;
    struct err why = ERR_INIT;
    int rc = state_dir(drv, &dir, &why);
    drv->looking = true;
    if (!rc)
        rc = journal_open(buf_str(&dir), drv->plan.change, false, &drv->journal, &why);
    rc = transcript_open(NULL, &drv->transcript, err);
    if (!rc && why.code)
        say(drv, "", "what is seen is not written down for the comparison: %s", why.text);
    return rc;
}

static void without_secrets(const void *self, const char *text, struct buf *ret)
{
    transcript_redact(self, text, strlen(text), ret);
}

static int open_journal(struct driver *drv, struct err *err)
{
    SCOPED(buf_free) struct buf dir = BUF_INIT;
    SCOPED(buf_free) struct buf path = BUF_INIT;
    int rc = state_dir(drv, &dir, err);
    if (!rc)
        rc = journal_open(buf_str(&dir), drv->plan.change, false, &drv->journal, err);
    if (!rc)
        rc = lock_everything(drv, err);
    buf_printf(&path, "%s/%s.transcript", buf_str(&dir), drv->plan.change);
    if (!rc)
        rc = transcript_open(buf_str(&path), &drv->transcript, err);
    if (!rc)
        journal_clean_with(drv->journal, without_secrets, drv->transcript);
    return rc;
}

int driver_open(struct driver *drv, const char *plan_path, enum driver_for what, struct err *err)
{
    int rc = plan_load(plan_path, &drv->plan, err);
    if (!rc)
        rc = paths_builtin(&drv->paths, err);
    if (!rc)
        rc = family_builtin(&drv->family, err);
    if (!rc)
        rc = what == DRIVER_RUN     ? open_journal(drv, err)
             : what == DRIVER_CHECK ? open_to_look(drv, err)
                                    : transcript_open(NULL, &drv->transcript, err);
    if (!rc && drv->opt.secrets_stdin)
        rc = secrets_read_stdin(drv, err);
    return rc ? rc : open_sites(drv, err);
}

void driver_close(struct driver *drv)
{
    for (size_t i = 0; i < drv->n_sites; i++) {
        struct site *s = &drv->site[i];
        if (s->t.ops) {
            site_leave(s);
            dialogue_free(&s->d);
        }
        inventory_free(&s->inventory);
        transport_free(&s->t);
        transport_free(&s->file);
    }
    progress_end(drv);
    secrets_wipe(drv);
    transcript_close(&drv->transcript);
    journal_close(&drv->journal);
    plan_free(&drv->plan);
}
