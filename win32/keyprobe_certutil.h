/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The key test by certutil -verifykeys, which tries the private key of every CA certificate; and
 * the one that tests nothing, for a configuration that says so. Judged by the exit code only: the
 * text is in the system's language. */
#ifndef CRLAGENT_WIN32_KEYPROBE_CERTUTIL_H
#define CRLAGENT_WIN32_KEYPROBE_CERTUTIL_H

#include "ca/keyprobe.h"

/* Static; need no release. */
const struct key_probe *key_probe_certutil(void);
const struct key_probe *key_probe_off(void);

#endif
