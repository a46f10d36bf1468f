/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The key test through the CA's own provider, CNG or CAPI as the certificate's key says: opens the
 * machine key silently, signs a random digest and verifies the signature with the certificate. A
 * provider whose HSM is away may hang, so the test runs in a process of its own. */
#ifndef CRLAGENT_WIN32_KEYPROBE_H
#define CRLAGENT_WIN32_KEYPROBE_H

#include <stdio.h>

#include "ca/keyprobe.h"

/* program: full path of crlagent.exe, which must outlive the probe; it is started with the verb
 * KEY_PROBE_VERB. */
#define KEY_PROBE_VERB "keyprobe"
struct key_probe key_probe_provider(const char *program);

/* That verb: reads the certificate (hex) from in, writes one line to out. 0, or 1 when the line
 * says why not. */
int key_probe_child(FILE *in, FILE *out);

/* The test itself, in this process: may hang as long as the provider does. */
MUST_CHECK int key_probe_here(const uint8_t *cert_der, size_t cert_len,
                              struct key_probe_result *ret, struct err *err);

/* What a line of the child says. ERR_PARSE when it is none. Exposed for tests. */
MUST_CHECK int key_probe_read_line(const char *line, struct key_probe_result *ret, struct err *err);

#endif
