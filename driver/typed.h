/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The mark of a one-way command in the journal, for the step that the site is in: what was never
 * typed cannot have happened, what was typed may go on over there whatever became of us. */
#ifndef CRLAGENT_DRIVER_TYPED_H
#define CRLAGENT_DRIVER_TYPED_H

#include "driver/driver.h"

enum typed {
    TYPED_NO,    /* not, or it was left at its first question with 'quit' */
    TYPED_OPEN,  /* it was, and nobody saw its end */
    TYPED_ENDED, /* its result line and the prompt were seen */
};

/* A journal that cannot be read is no proof that nothing was done: TYPED_OPEN. */
enum typed typed_read(struct site *s);
MUST_CHECK int typed_mark(struct site *s, enum typed t, struct err *err);

/* Types the command, marked before and after. ERR_UNAVAILABLE, too, where an answer came that was
 * too large to be read. */
MUST_CHECK int typed_run(struct site *s, const struct site_command *c, struct exchange *ret,
                         struct err *err);

#endif
