/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What is done to a Luna Network HSM. Order as the vendor has it: reboot patch, appliance software,
 * reboot, firmware; the firmware image comes inside the appliance package. */
#include "driver/steps.h"

#include <string.h>

#include "base/str.h"
#include "driver/agents.h"
#include "driver/hop.h"
#include "driver/inventory.h"
#include "driver/site.h"
#include "driver/steps_int.h"
#include "driver/typed.h"

/* ---- what is needed ---- */

void steps_fact(struct site *s, const char *key, struct buf *ret)
{
    struct err ignored = ERR_INIT;
    (void)!journal_fact(s->drv->journal, s->a->name, key, ret, &ignored);
}

static bool always(struct site *s)
{
    (void)s;
    return true;
}

void steps_hop_fact(struct site *s, size_t hop, const char *name, struct buf *ret)
{
    char key[HOP_NAME_MAX];
    steps_fact(s, hop_name(&s->drv->plan, hop, name, key), ret);
}

bool steps_hop_fact_is(struct site *s, const char *name, const char *value)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    steps_hop_fact(s, s->hop, name, &b);
    return strcmp(buf_str(&b), value) == 0;
}

static int set_hop_fact(struct site *s, const char *name, const char *value, struct err *err)
{
    char key[HOP_NAME_MAX];
    return journal_set_fact(s->drv->journal, s->a->name, hop_name(&s->drv->plan, s->hop, name, key),
                            value, err);
}

static bool needs_software_at(struct site *s, size_t hop)
{
    SCOPED(buf_free) struct buf before = BUF_INIT;
    steps_hop_fact(s, hop, "before.software", &before);
    return hop_needs_software(&s->drv->plan, hop, buf_str(&before));
}

static bool needs_firmware_at(struct site *s, size_t hop)
{
    SCOPED(buf_free) struct buf before = BUF_INIT;
    steps_hop_fact(s, hop, "before.firmware", &before);
    return hop_needs_firmware(&s->drv->plan, hop, buf_str(&before));
}

static bool needs_software(struct site *s)
{
    return needs_software_at(s, s->hop);
}

static bool needs_firmware(struct site *s)
{
    return needs_firmware_at(s, s->hop);
}

static bool needs_patch(struct site *s)
{
    SCOPED(buf_free) struct buf patched = BUF_INIT;
    steps_hop_fact(s, s->hop, "before.patched", &patched);
    return hop_of(s)->patch.present && needs_software(s) && strcmp(buf_str(&patched), "no") == 0;
}

/* Once, at the end: between two hops nobody uses the partitions. */
static bool needs_activation(struct site *s)
{
    bool changed = false;
    for (size_t i = 0; i < s->drv->plan.n_hops; i++)
        changed = changed || needs_software_at(s, i) || needs_firmware_at(s, i);
    return s->drv->plan.activation != ACTIVATE_NONE && hop_is_last(s) && changed;
}

/* ---- before ---- */

static int do_before(struct site *s, struct err *err)
{
    SCOPED(inventory_free) struct inventory now = {0};
    SCOPED(buf_free) struct buf packages = BUF_INIT;
    SCOPED(buf_free) struct buf diff = BUF_INIT;
    SCOPED(buf_free) struct buf checked = BUF_INIT;
    int rc = inventory_read(s, &now, err);
    steps_fact(s, "check.when", &checked);
    if (!rc && checked.len && s->hop == 0)
        rc = inventory_compare(s, "check", &now, &diff, err);
    if (!rc && diff.len)
        say(s->drv, s->a->name, "changed since the check of %s: %s", buf_str(&checked),
            buf_str(&diff));
    if (!rc)
        rc = site_ask(s, "packages", NULL, &packages, err);
    if (!rc)
        rc = inventory_save(s, &now, err);
    if (!rc)
        rc = set_hop_fact(s, "before.patched",
                          strstr(buf_str(&packages), "reboot-patch") ? "yes" : "no", err);
    return rc;
}

/* ---- transfer ---- */

static int is_listed(struct site *s, const struct plan_package *k, uint64_t size, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct luna_list l;
    int rc = site_ask(s, "files", NULL, &body, err);
    if (!rc)
        rc = luna_parse_files(buf_str(&body), &l, err);
    for (size_t i = 0; !rc && i < l.n; i++) {
        if (strcmp(l.row[i].name, k->name) != 0)
            continue;
        if (l.row[i].number >= 0 && (uint64_t)l.row[i].number != size)
            return err_set(err, ERR_IO, "'%s' has %lld bytes on the appliance, expected %llu",
                           k->name, (long long)l.row[i].number, (unsigned long long)size);
        return ERR_OK;
    }
    return rc ? rc
              : err_set(err, ERR_IO, "the appliance does not list '%s' after the transfer",
                        k->name);
}

static int put_package(struct site *s, const struct plan_package *k, struct err *err)
{
    uint64_t size = 0;
    struct luna_show show;
    int rc = plan_check_package(k, &size, err);
    if (!rc)
        rc = site_fresh_show(s, &show, err);
    if (!rc)
        rc = site_put(s, k, size, err);
    if (!rc)
        rc = is_listed(s, k, size, err);
    /* A transfer can be repeated: a lost connection in it is an ordinary failure. */
    if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT)
        err->code = ERR_IO;
    return rc ? (int)err->code : ERR_OK;
}

static int do_transfer_patch(struct site *s, struct err *err)
{
    return put_package(s, &hop_of(s)->patch, err);
}

static int do_transfer(struct site *s, struct err *err)
{
    return put_package(s, &hop_of(s)->package, err);
}

/* ---- packages ---- */

static int authcode(struct site *s, const struct plan_package *k, const char *key, const char **ret,
                    struct err *err)
{
    char prompt[160];
    *ret = NULL;
    if (s->t.by_hand)
        return ERR_OK;
    snprintf(prompt, sizeof prompt, "Authorization code of %s", k->name);
    int rc = secret_get(s->drv, key, prompt, k->authcode == AUTHCODE_CREDENTIAL, ret, err);
    if (!rc && strlen(*ret) != 16)
        return err_set(err, ERR_INVALID,
                       "an authorization code has 16 characters, this one has %zu", strlen(*ret));
    return rc;
}

static int package_command(struct site *s, bool one_way, const char *id,
                           const struct plan_package *k, struct err *err)
{
    int64_t seconds = s->drv->plan.timeouts.update;
    SCOPED(exchange_free) struct exchange x = {0};
    char command[24], key[80];
    const char *code = NULL;
    snprintf(command, sizeof command, "%s%s", id, k->in_software ? "-evp" : "");
    int rc = s->d.open ? ERR_OK : site_login(s, err);
    if (!rc)
        rc = authcode(s, k, hop_code_key(&s->drv->plan, s->hop, k == &hop_of(s)->patch, key), &code,
                      err);
    if (!rc && !k->in_software)
        rc = site_so_login(s, err);
    struct site_command c = {
        .id = command, .file = k->name, .code = code, .total_ms = seconds * 1000};
    if (!rc)
        rc = one_way ? typed_run(s, &c, &x, err) : site_run(s, &c, &x, err);
    if (!rc && !exchange_ok(&x))
        rc = site_exchange_error(s, id, &x, err);
    return rc;
}

static int do_patch(struct site *s, struct err *err)
{
    return package_command(s, true, "update", &hop_of(s)->patch, err);
}

static int proof_patch(struct site *s, bool *ret_reached, struct err *err)
{
    SCOPED(buf_free) struct buf packages = BUF_INIT;
    struct luna_show show;
    int rc = site_fresh_show(s, &show, err);
    if (!rc)
        rc = site_ask(s, "packages", NULL, &packages, err);
    if (!rc)
        *ret_reached = strstr(buf_str(&packages), "reboot-patch") != NULL;
    return rc;
}

static int do_verify(struct site *s, struct err *err)
{
    int rc = package_command(s, false, "verify", &hop_of(s)->package, err);
    if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT)
        err->code = ERR_IO; /* reading only: an ordinary failure */
    return rc ? (int)err->code : ERR_OK;
}

/* Not looked at again: an unwritten note means one reboot more than needed. */
static void note(struct site *s, const char *name)
{
    struct err ignored = ERR_INIT;
    (void)!set_hop_fact(s, name, "yes", &ignored);
}

static int do_update(struct site *s, struct err *err)
{
    int rc = set_hop_fact(s, "update.lost", "no", err);
    if (!rc)
        rc = set_hop_fact(s, "update.away", "no", err);
    if (!rc)
        rc = package_command(s, true, "update", &hop_of(s)->package, err);
    if ((rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT) && typed_read(s) != TYPED_NO)
        note(s, "update.lost");
    return rc;
}

/* Installed? Either the software shows the target already (it has rebooted by itself), or the
 * firmware image that came in the package stands in reserve now and did not before. */
static int proof_update(struct site *s, bool *ret_reached, struct err *err)
{
    struct luna_show show;
    char standby[32] = "";
    const struct plan_hop *p = hop_of(s);
    SCOPED(buf_free) struct buf before = BUF_INIT;
    int rc = site_fresh_show(s, &show, err);
    if ((rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT) && steps_hop_fact_is(s, "update.lost", "yes"))
        note(s, "update.away");
    if (rc)
        return rc;
    *ret_reached = version_reached(show.software, p->software);
    if (*ret_reached || !p->firmware[0] || inventory_standby(s, standby, err))
        return *ret_reached || s->d.open ? ERR_OK : (int)err->code;
    steps_hop_fact(s, s->hop, "before.standby", &before);
    *ret_reached = version_reached(standby, p->firmware) && strcmp(buf_str(&before), standby) != 0;
    return ERR_OK;
}

/* ---- firmware ---- */

static int do_firmware(struct site *s, struct err *err)
{
    SCOPED(exchange_free) struct exchange x = {0};
    struct site_command c = {.id = "firmware", .total_ms = s->drv->plan.timeouts.firmware * 1000};
    char standby[32] = "";
    int rc = site_login(s, err);
    if (!rc)
        rc = inventory_standby(s, standby, err);
    if (!rc && standby[0] && !version_reached(standby, hop_of(s)->firmware))
        return err_set(
            err, ERR_STATE,
            "the firmware in reserve is %s, the plan wants %s: it comes with the appliance "
            "package",
            standby, hop_of(s)->firmware);
    if (!rc)
        rc = site_so_login(s, err);
    if (!rc)
        rc = typed_run(s, &c, &x, err);
    if (!rc && !exchange_ok(&x))
        rc = site_exchange_error(s, "hsm firmware upgrade", &x, err);
    return rc;
}

static int proof_firmware(struct site *s, bool *ret_reached, struct err *err)
{
    struct luna_show show;
    int rc = site_fresh_show(s, &show, err);
    if (!rc)
        *ret_reached = version_reached(show.firmware, hop_of(s)->firmware);
    return rc;
}

/* ---- after ---- */

static int do_compare(struct site *s, struct err *err)
{
    SCOPED(inventory_free) struct inventory now = {0};
    SCOPED(buf_free) struct buf diff = BUF_INIT;
    int rc = inventory_read(s, &now, err);
    if (!rc)
        rc = inventory_compare(s, "before", &now, &diff, err);
    if (rc)
        return rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT ? err_set(err, ERR_IO, "%s", err->text)
                                                          : rc;
    if (diff.len)
        return err_set(err, ERR_STATE, "not as before: %s", buf_str(&diff));
    say(s->drv, s->a->name, "partitions, clients, routes and services are as before");
    return ERR_OK;
}

static int poll_check(struct site *s, struct err *err)
{
    struct driver *drv = s->drv;
    const struct plan_command *c = &drv->plan.activation_check;
    int64_t start = clock_mono_ms(drv->clock);
    int64_t limit = drv->plan.timeouts.activation * 1000;
    for (;;) {
        SCOPED(buf_free) struct buf said = BUF_INIT;
        if (command_passes(drv, c, &said))
            return ERR_OK;
        int64_t spent = clock_mono_ms(drv->clock) - start;
        if (spent >= limit)
            return err_set(err, ERR_STATE, "the partitions are not active: the check says: %s",
                           buf_str(&said));
        progress_wait(drv, s->a->name, "activation check", NULL, spent, limit - spent);
        if (clock_sleep_ms(drv->clock, drv->plan.timeouts.poll * 1000))
            return err_set(err, ERR_CANCELLED, "stopped while waiting for the activation");
    }
}

static int do_activate(struct site *s, struct err *err)
{
    SCOPED(buf_free) struct buf answer = BUF_INIT;
    struct driver *drv = s->drv;
    if (drv->plan.activation == ACTIVATE_BLACK_KEY)
        say(drv, s->a->name,
            "the reboot has ended the activation of every partition without auto-activation. For "
            "each, on a client and at the PED: lunacm, 'slot set -slot N', 'role login -name co', "
            "with the BLACK key of its Crypto Officer and, where it asks, the challenge secret");
    if (drv->plan.activation_check.n) {
        int rc = poll_check(s, err);
        if (!rc)
            say(drv, s->a->name, "the activation check passes");
        return rc;
    }
    if (drv->plan.activation == ACTIVATE_AUTO)
        return ERR_OK;
    int rc = ask(drv, "Type 'done' when every partition is active:", &answer, err);
    if (!rc && !str_eq_nocase(buf_str(&answer), "done"))
        rc = err_set(err, ERR_STATE, "the partitions were not activated");
    return rc;
}

/* ---- the list ---- */

static int64_t of_update(const struct plan *p)
{
    return p->timeouts.update;
}
static int64_t of_boot(const struct plan *p)
{
    return p->timeouts.boot;
}
static int64_t of_firmware(const struct plan *p)
{
    return p->timeouts.firmware;
}
static int64_t of_settle(const struct plan *p)
{
    return p->timeouts.settle;
}

static const struct step table[] = {
    {.name = "before",
     .title = "writing down what is there",
     .needed = always,
     .action = do_before},
    {.name = "transfer-patch",
     .title = "transferring the reboot patch",
     .in_window = true,
     .needed = needs_patch,
     .action = do_transfer_patch},
    {.name = "patch",
     .title = "installing the reboot patch",
     .one_way = true,
     .in_window = true,
     .needed = needs_patch,
     .action = do_patch,
     .proof = proof_patch,
     .patience = of_update,
     .settle = of_update},
    {.name = "reboot-patch",
     .title = "rebooting for the patch",
     .in_window = true,
     .needed = needs_patch,
     .action = reboot_do_patch,
     .proof = reboot_proof_back,
     .proof_after = true,
     .patience = of_boot,
     .settle = of_boot},
    {.name = "transfer",
     .title = "transferring the package",
     .in_window = true,
     .needed = needs_software,
     .action = do_transfer},
    {.name = "verify",
     .title = "verifying the package on the appliance",
     .in_window = true,
     .needed = needs_software,
     .action = do_verify},
    {.name = "update",
     .title = "updating the appliance software (one-way)",
     .one_way = true,
     .in_window = true,
     .needed = needs_software,
     .action = do_update,
     .proof = proof_update,
     .patience = of_update,
     .settle = of_update},
    {.name = "reboot",
     .title = "rebooting into the new software",
     .needed = needs_software,
     .action = reboot_do,
     .proof = reboot_proof,
     .proof_after = true,
     .patience = of_boot,
     .settle = of_settle},
    {.name = "firmware",
     .title = "updating the HSM firmware (no way back but zeroizing)",
     .one_way = true,
     .in_window = true,
     .needed = needs_firmware,
     .action = do_firmware,
     .proof = proof_firmware,
     .proof_after = true,
     .patience = of_firmware,
     .settle = of_settle},
    {.name = "compare", .title = "comparing with before", .needed = always, .action = do_compare},
    {.name = "activate",
     .title = "activating the partitions",
     .needed = needs_activation,
     .action = do_activate},
};
const struct step *const luna_steps = table;
const size_t luna_step_count = ARRAY_LEN(table);
