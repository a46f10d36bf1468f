/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* SSH to an appliance by libssh2: an interactive shell on a wide PTY, and file upload by SCP or
 * SFTP over a connection of its own. The host key must be the pinned one. One thread. */
#ifndef CRLAGENT_DRIVER_SSH_H
#define CRLAGENT_DRIVER_SSH_H

#include "driver/plan.h"
#include "driver/transport.h"

#define SSH_COLUMNS 250 /* wide, so that long command lines are not wrapped in the echo */
#define SSH_ROWS 50

struct ssh_config {
    struct plan_ssh plan;
    const char *name;    /* of the appliance in the plan; outlives the transport */
    char password[256];  /* password or key passphrase; "" = none */
    int64_t connect_ms;  /* TCP, key exchange and login together */
    int64_t transfer_ms; /* upload: longest time without an acknowledged byte */
};

/* The transport keeps its own copy of the configuration and wipes it when it is freed. */
MUST_CHECK int ssh_transport(const struct ssh_config *c, struct transport *ret, struct err *err);

/* "SHA256:" and base64 without padding of a 32-byte digest. */
void ssh_fingerprint_text(const uint8_t digest[32], char ret[64]);

#endif
