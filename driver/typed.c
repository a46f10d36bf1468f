/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/typed.h"

#include <string.h>

#include "base/str.h"

static const char *const words[] = {
    [TYPED_NO] = "no", [TYPED_OPEN] = "yes", [TYPED_ENDED] = "ended"};

static void key_of(const struct site *s, char key[64])
{
    snprintf(key, 64, "%s.typed", s->step_name);
}

enum typed typed_read(struct site *s)
{
    SCOPED(buf_free) struct buf value = BUF_INIT;
    struct err ignored = ERR_INIT;
    char key[64];
    key_of(s, key);
    if (journal_fact(s->drv->journal, s->a->name, key, &value, &ignored))
        return TYPED_OPEN;
    if (!value.len || strcmp(value.data, words[TYPED_NO]) == 0)
        return TYPED_NO;
    return strcmp(value.data, words[TYPED_ENDED]) == 0 ? TYPED_ENDED : TYPED_OPEN;
}

int typed_mark(struct site *s, enum typed t, struct err *err)
{
    char key[64];
    key_of(s, key);
    return journal_set_fact(s->drv->journal, s->a->name, key, words[t], err);
}

/* What the end of the exchange says. A prompt without a result line may be text of the command. */
static enum typed after(const struct exchange *x)
{
    if (x->outcome == OUTCOME_REFUSED && !x->proceeded)
        return TYPED_NO;
    return x->outcome == OUTCOME_DONE || x->outcome == OUTCOME_REFUSED ? TYPED_ENDED : TYPED_OPEN;
}

int typed_run(struct site *s, const struct site_command *c, struct exchange *ret, struct err *err)
{
    struct err later = ERR_INIT;
    int rc = typed_mark(s, TYPED_OPEN, err);
    if (rc)
        return rc;
    rc = site_run(s, c, ret, err);
    if (rc == ERR_LIMIT)
        return err_set(err, ERR_UNAVAILABLE, "the answer is too large to be read");
    /* Every other error means that nothing could be typed. When the mark cannot be corrected, the
     * careful one stays. */
    enum typed t = rc ? TYPED_NO : after(ret);
    if (t != TYPED_OPEN)
        (void)!typed_mark(s, t, &later);
    return rc;
}
