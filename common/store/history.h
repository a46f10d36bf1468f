/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Probe history and the queue of notices. */
#ifndef CRLAGENT_STORE_HISTORY_H
#define CRLAGENT_STORE_HISTORY_H

#include "base/limits.h"
#include "store/store.h"

/* One location asked at one address. */
struct store_probe {
    int64_t when;
    char url[LIMIT_URL_CHARS + 1];
    char address[80];
    uint32_t key_index, partition;
    bool delta;
    int32_t status;  /* enum probe_status */
    char number[48]; /* "-" when no CRL was read */
    int64_t this_update, next_update;
    char sha256[65]; /* "" when no CRL was read */
    uint64_t bytes;
    int64_t total_ms;
    int64_t visible_seconds; /* from publishing to being served here; WHEN_NONE = not measured */
};
MUST_CHECK int store_probe_add(struct store *s, const struct store_probe *p, struct err *err);
/* Newest first; url NULL = all; since WHEN_NONE = all. */
MUST_CHECK int store_probe_list(struct store *s, const char *url, int64_t since,
                                struct store_probe *ret, size_t max, size_t *ret_n,
                                struct err *err);

/* The newest row of each location and address within from..until (both included), by URL. */
MUST_CHECK int store_probe_newest(struct store *s, int64_t from, int64_t until,
                                  struct store_probe *ret, size_t max, size_t *ret_n,
                                  struct err *err);

/* One look at all locations. */
struct store_round {
    int64_t when;
    int64_t weakest, effective; /* seconds of runway; WHEN_NONE = nothing usable */
    int64_t findings;           /* warnings and worse */
    int64_t visible; /* seconds from a publication to the last location; WHEN_NONE = none. Taken
                        from the probes by store_round_add, which ignores it here */
};
MUST_CHECK int store_round_add(struct store *s, const struct store_round *r, struct err *err);
/* Newest first. */
MUST_CHECK int store_round_list(struct store *s, int64_t since, struct store_round *ret, size_t max,
                                size_t *ret_n, struct err *err);

/* One test signature with a key of the CA. */
struct store_keytest {
    int64_t when;
    uint32_t key_index;
    bool good;
    int64_t ms; /* of the signature; of the whole test when it failed */
    char detail[256];
};
MUST_CHECK int store_keytest_add(struct store *s, const struct store_keytest *t, struct err *err);
/* Newest first. */
MUST_CHECK int store_keytest_list(struct store *s, int64_t since, struct store_keytest *ret,
                                  size_t max, size_t *ret_n, struct err *err);

/* A notice waiting to be sent (mail, webhook). The queue knows nothing of the channel: body is what
 * the channel stored. */
struct store_notice {
    int64_t id;
    int64_t created;
    char channel[64]; /* name of the configured receiver */
    char key[128];    /* equal keys of one channel that still wait are one notice (newest body) */
    int64_t next_try; /* UTC */
    int32_t tries;
    char last_error[256];
};
/* body: any bytes. */
MUST_CHECK int store_notice_add(struct store *s, const char *channel, const char *key,
                                const void *body, size_t len, int64_t now, struct err *err);
/* Due ones (next_try <= now) of one channel, NULL = all; oldest first. */
MUST_CHECK int store_notice_due(struct store *s, const char *channel, int64_t now,
                                struct store_notice *ret, size_t max, size_t *ret_n,
                                struct err *err);
MUST_CHECK int store_notice_body(struct store *s, int64_t id, struct buf *ret, struct err *err);
/* The row is kept for the record, its body is not: a month of reports would be hundreds of MB. */
MUST_CHECK int store_notice_sent(struct store *s, int64_t id, int64_t now, struct err *err);
MUST_CHECK int store_notice_failed(struct store *s, int64_t id, int64_t next_try, const char *why,
                                   struct err *err);
/* All that wait in that channel and would be due before next_try wait until then; their tries do
 * not count. */
MUST_CHECK int store_notice_postpone(struct store *s, const char *channel, int64_t next_try,
                                     struct err *err);
/* Has one that waits in that channel been tried already (other than that id)? What waits beyond
 * horizon has been given up and does not count. */
MUST_CHECK int store_notice_failing(struct store *s, const char *channel, int64_t id,
                                    int64_t horizon, bool *ret, struct err *err);
/* What waits beyond horizon has been given up and stays so; the rest is due now. */
MUST_CHECK int store_notice_retry_all(struct store *s, int64_t now, int64_t horizon,
                                      struct err *err);
/* Puts off until given_up what waits, up to horizon, in a channel that is none of keep[0..n-1]
 * (n 1 or 2). */
MUST_CHECK int store_notice_drop_others(struct store *s, const char *const *keep, size_t n,
                                        int64_t horizon, int64_t given_up, const char *why,
                                        int64_t *ret_count, struct err *err);
/* Earliest next_try of all that wait in that channel, NULL = in any; WHEN_NONE when none does. */
MUST_CHECK int store_notice_next(struct store *s, const char *channel, int64_t *ret_due,
                                 struct err *err);

#endif
