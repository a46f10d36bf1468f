/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Telling people from the service: takes events on any thread without blocking, puts those that
 * count into the durable queue, and sends what is due. One thread fills the queue, one for each
 * channel sends, so that a mail server that is silent delays nothing but mail. */
#ifndef CRLAGENT_AGENT_TELLER_H
#define CRLAGENT_AGENT_TELLER_H

#include "base/event.h"
#include "ca/settings.h"
#include "config/config.h"
#include "notify/secret.h"

struct teller;

struct teller_setup {
    const struct config *config;
    const struct secret_store *secrets;
    struct ca_settings_reader settings; /* for the CA's name */
    struct event_sink below;            /* gets every event first */
    const char *store_path;
};

/* Takes events from now on; nothing is written before teller_start. What setup points to must
 * outlive the teller. */
MUST_CHECK int teller_new(const struct teller_setup *setup, struct teller **ret, struct err *err);
struct event_sink teller_sink(struct teller *t);
/* The store exists now. Without a configured way of telling there is nothing to start. */
MUST_CHECK int teller_start(struct teller *t, struct err *err);
/* Notices may be waiting in the queue. Any thread. */
void teller_poke(void *t);
/* As watcher_stop(); what is in the queue is sent after the next start. */
bool teller_stop(struct teller *t);

#endif
