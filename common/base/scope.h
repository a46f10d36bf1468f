/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Scope-bound cleanup: an owning local is initialised on its line and released when it goes out of
 * scope. Hand a value over with steal_ptr(). gcc, clang and mingw-w64 have the attribute. */
#ifndef CRLAGENT_BASE_SCOPE_H
#define CRLAGENT_BASE_SCOPE_H

#include <stddef.h>

#define SCOPED(fn) __attribute__((cleanup(fn)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(gnu_printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#ifdef __clang__
#undef PRINTF_LIKE
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#endif

/* Releases a malloc'ed block held by a scoped pointer: SCOPED(scope_free) char *s = NULL; */
void scope_free(void *ptr_to_ptr);

static inline void *steal_ptr__raw(void *ptr_to_ptr)
{
    void **slot = (void **)ptr_to_ptr;
    void *p = *slot;
    *slot = NULL;
    return p;
}
/* Gives the pointer up: returns it and leaves NULL behind, so that the scope frees nothing. */
#define steal_ptr(p) ((__typeof__(p))steal_ptr__raw(&(p)))

#endif
