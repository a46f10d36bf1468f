/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A folder for one test case, below the current folder, empty at the start. */
#ifndef CRLAGENT_TESTS_SUPPORT_SCRATCH_H
#define CRLAGENT_TESTS_SUPPORT_SCRATCH_H

#define SCRATCH_MAX 256

/* Makes "<name>.scratch" (removing what is in it) and writes its path into dst. */
void scratch_make(const char *name, char dst[SCRATCH_MAX]);
void scratch_remove(const char *dir);

#endif
