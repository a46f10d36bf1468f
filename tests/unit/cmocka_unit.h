/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* cmocka with the headers it wants, in the order it wants them. */
#ifndef CRLAGENT_TESTS_CMOCKA_UNIT_H
#define CRLAGENT_TESTS_CMOCKA_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
