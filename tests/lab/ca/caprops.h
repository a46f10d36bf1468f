/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* ICertAdmin2::GetCAProperty of the lab CA ([MS-WCCE] 3.2.1.4.3.2; certcli.h CR_PROP_*). */
#ifndef LAB_CAPROPS_H
#define LAB_CAPROPS_H

#include "camodel.h"
#include "hsmclient.h"

struct ca_value {
    long type; /* PROPTYPE_*: 1 long, 3 binary, 4 string */
    long number;
    struct buf bytes; /* binary, or UTF-8 text */
};

/* E_INVALIDARG: unknown id, bad index, wrong type. CERTSRV_E_PROPERTY_EMPTY: nothing there. */
HRESULT caprops_get(const struct ca *ca, struct hsm *hsm, long id, long index, long type,
                    struct ca_value *ret);

#endif
