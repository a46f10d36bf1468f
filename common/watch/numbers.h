/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* CRL numbers over time. The highest number of each line (key, partition, base or delta; another
 * authority key identifier is another CA) is in the store, so that a number that has gone back is
 * found also after a restart, and stays a finding until the number is above the former one: until
 * then clients that hold the former CRL may take the new one for the older. */
#ifndef CRLAGENT_WATCH_NUMBERS_H
#define CRLAGENT_WATCH_NUMBERS_H

#include "watch/own.h"

/* Judged is what the CA holds; of a line that the CA was never asked about, the newest that a
 * location serves. Adds 4019 (once per key; no longer critical when the CRL with the highest number
 * has expired) and 4020, and keeps the new highest numbers. AD CS gives one number to every
 * CRL of a publish run, so gaps are looked for over base and delta together. ERR_NOMEM only. */
MUST_CHECK int numbers_judge(struct store *store, const struct ca_view *view,
                             const struct probe_round *round, const struct own_list *own,
                             struct findings *findings, struct err *err);

#endif
