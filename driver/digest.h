/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* SHA-256 and wiping of secrets. Apart from base/err.h on purpose: OpenSSL has names of its own
 * that begin with ERR_. */
#ifndef CRLAGENT_DRIVER_DIGEST_H
#define CRLAGENT_DRIVER_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

bool digest_bytes(const void *bytes, size_t len, uint8_t ret[32]);
/* From the present position to the end; *ret_size in bytes. False on a read error. */
bool digest_file(FILE *f, uint8_t ret[32], uint64_t *ret_size);

/* Overwrites memory that held a secret; not optimised away. NULL is allowed. */
void secret_wipe(void *bytes, size_t len);

#endif
