/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The sealed folder of reserve CRLs (PLACE_RESERVE) and the files the CA writes to, behind the seam
 * of maint/reserve.h. The folder and what is read from it are checked before each use: somebody
 * else's is refused. */
#ifndef CRLAGENT_AGENT_RESERVEFILES_WIN32_H
#define CRLAGENT_AGENT_RESERVEFILES_WIN32_H

#include "maint/reserve.h"

struct reserve_folder;
MUST_CHECK int reserve_folder_new(struct reserve_folder **ret, struct err *err);
struct reserve_files reserve_folder_seam(struct reserve_folder *f);
const char *reserve_folder_path(const struct reserve_folder *f);
void reserve_folder_free(struct reserve_folder **f); /* takes NULL */

#endif
