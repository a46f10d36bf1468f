/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Data files compiled in (driver/CMakeLists.txt makes the arrays); NUL-terminated, the length does
 * not count the NUL. */
#ifndef CRLAGENT_DRIVER_EMBEDDED_H
#define CRLAGENT_DRIVER_EMBEDDED_H

#include <stddef.h>

extern const char embedded_family_luna[]; /* installer/families/luna.xml */
extern const size_t embedded_family_luna_len;
extern const char embedded_paths_luna[]; /* installer/paths/luna.xml */
extern const size_t embedded_paths_luna_len;
extern const char embedded_plan_schema[]; /* installer/schema/hsmplan.xsd */
extern const size_t embedded_plan_schema_len;
extern const char embedded_plan_example[]; /* installer/schema/hsmplan-example.xml */
extern const size_t embedded_plan_example_len;

#endif
