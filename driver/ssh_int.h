/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Shared by ssh.c (login, shell) and ssh_put.c (upload). */
#ifndef CRLAGENT_DRIVER_SSH_INT_H
#define CRLAGENT_DRIVER_SSH_INT_H

#include <libssh2.h>

#include "driver/net.h"
#include "driver/ssh.h"

struct ssh {
    struct ssh_config c;
    intptr_t fd;
    LIBSSH2_SESSION *session;
    LIBSSH2_CHANNEL *channel; /* the shell */
    int kbd_answers;          /* keyboard-interactive: one password is given once */
    char found[64];           /* fingerprint of the server */
};

/* TCP, key exchange, host key, login. */
int ssh_connect(struct ssh *s, struct err *err);
void ssh_disconnect(struct ssh *s);

/* Waits for the direction libssh2 wants. ERR_TIMEOUT at the deadline (mono_ms), ERR_UNAVAILABLE. */
int ssh_await(struct ssh *s, int64_t deadline, struct err *err);

/* libssh2's last error as ours. */
int ssh_error(struct ssh *s, enum err_code code, const char *doing, struct err *err);

int ssh_put_file(void *self, const struct upload *u, struct err *err);

#endif
