/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What a fuzzing harness defines. FUZZ_CHECK ends the program, so that the fuzzer keeps the input.
 */
#ifndef CRLAGENT_TESTS_FUZZ_HARNESS_H
#define CRLAGENT_TESTS_FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(x)                                                                              \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #x);                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
