/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* DER written as text, for tables of malformed input: hex octets, "TAG( ... )" with the length put
 * in, 'text' for ASCII. "30( 02(01) 0c('CA') )" */
#ifndef CRLAGENT_TESTS_SUPPORT_DERTEXT_H
#define CRLAGENT_TESTS_SUPPORT_DERTEXT_H

#include "base/buf.h"

/* Appends the bytes; aborts the test program on a text that is not of this form. */
void dertext(struct buf *out, const char *text);

#endif
