/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the CAs' agents would do: the dry run of their pre-upgrade, read from its JSON document. */
#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "base/str.h"
#include "driver/agents.h"
#include "driver/gates.h"
#include "health/finding.h"

/* Progress and document come mixed: the document begins a line with '{'. NULL when there is none.
 */
static json_t *document_in(const char *text)
{
    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        json_t *o = *p == '{' ? json_loads(p, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
        if (json_is_object(o))
            return o;
        json_decref(o);
    }
    return NULL;
}

static const char *text_at(const json_t *o, const char *name)
{
    const char *v = json_string_value(json_object_get(o, name));
    return v ? v : "";
}

static void cover(struct gates *g, const struct plan_agent *a, const json_t *gate)
{
    char weakest[WHEN_TEXT_MAX], need[WHEN_TEXT_MAX];
    struct gate *t = gate_add(g, FIND_HSM_COVER, SEV_WARNING, a->name);
    duration_format((int64_t)json_integer_value(json_object_get(gate, "need")), need);
    duration_format((int64_t)json_integer_value(json_object_get(gate, "weakest")), weakest);
    snprintf(t->expected, sizeof t->expected, "a runway of %s (window and reserve)", need);
    snprintf(t->found, sizeof t->found,
             "%s (%.200s): needs a cover CRL, which pre-upgrade publishes (until %s)", weakest,
             text_at(gate, "decides"), text_at(gate, "cover-until"));
}

/* One that ended well, or a refusal with the agent's own reason. */
static void judge(struct driver *drv, const struct plan_agent *a, uint32_t code, const char *raw,
                  const struct buf *said, struct gates *g)
{
    json_t *doc = document_in(raw);
    const json_t *gate = json_object_get(doc, "gate");
    const char *why = text_at(json_object_get(doc, "error"), "text");
    bool covers = code == 0 && json_is_true(json_object_get(gate, "cover-needed"));
    say(drv, a->name, "pre-upgrade --dry-run: %s",
        code     ? "refused"
        : covers ? "would publish a cover CRL, then pause"
                 : "would pause");
    if (covers)
        cover(g, a, gate);
    if (code) {
        struct gate *t = gate_add(g, FIND_HSM_AGENT, SEV_CRITICAL, a->name);
        str_copy(t->expected, sizeof t->expected, "hook pre-upgrade --dry-run ends with 0");
        int n = snprintf(t->found, sizeof t->found, "exit code %u: ", (unsigned)code);
        str_copy_words(t->found + n, sizeof t->found - (size_t)n, *why ? why : buf_str(said));
    }
    json_decref(doc);
}

void gates_agents(struct driver *drv, struct gates *g)
{
    for (size_t i = 0; i < drv->plan.n_agents; i++) {
        const struct plan_agent *a = &drv->plan.agent[i];
        SCOPED(buf_free) struct buf said = BUF_INIT;
        SCOPED(buf_free) struct buf raw = BUF_INIT;
        uint32_t code = 0;
        struct err err = ERR_INIT;
        int rc = agent_ask(drv, a, HOOK_PRE_DRY, &code, &raw, &said, &err);
        if (!rc) {
            judge(drv, a, code, buf_str(&raw), &said, g);
            continue;
        }
        say(drv, a->name, "pre-upgrade --dry-run: %s", err.text);
        struct gate *t = gate_add(g, FIND_HSM_AGENT, SEV_CRITICAL, a->name);
        str_copy(t->expected, sizeof t->expected, "hook pre-upgrade --dry-run ends with 0");
        str_copy(t->found, sizeof t->found, err.text);
    }
}
