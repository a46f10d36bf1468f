/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Seam: signing an existing CRL anew with the CA's key, past the running CA. win32/certutilsign.c
 * has certutil -sign; tests have a fake. What comes back is foreign bytes: maint/reserve.h judges
 * them before they count. */
#ifndef CRLAGENT_CA_RESIGN_H
#define CRLAGENT_CA_RESIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crl/facts.h"

struct ca_resign {
    const void *crl; /* DER */
    size_t len;
    int64_t life;             /* seconds from now; whole hours are used */
    struct crl_number number; /* len 0 = as it is */
    bool drop_freshest;       /* the Freshest CRL extension is there: take it out */
    bool drop_next_publish;   /* the same for Next CRL Publish (1.3.6.1.4.1.311.21.4) */
};

struct ca_resigner {
    /* Appends the new CRL to *ret. Blocks, at most as long as one publication may take; ERR_TIMEOUT
     * then. The HRESULT of the tool is in os_code. */
    int (*resign)(void *self, const struct ca_resign *what, struct buf *ret, struct err *err);
    void *self;
};

#endif
