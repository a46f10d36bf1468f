/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Data files compiled in (driver/CMakeLists.txt); NUL-terminated. */
#ifndef CRLAGENT_DRIVER_EMBEDDED_H
#define CRLAGENT_DRIVER_EMBEDDED_H

extern const char embedded_family_luna[];  /* installer/families/luna.xml */
extern const char embedded_paths_luna[];   /* installer/paths/luna.xml */
extern const char embedded_plan_schema[];  /* installer/schema/hsmplan.xsd */
extern const char embedded_plan_example[]; /* installer/schema/hsmplan-example.xml */

#endif
