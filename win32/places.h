/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Where things are on Windows, and folders that only SYSTEM, Administrators and our service may
 * write to. */
#ifndef CRLAGENT_WIN32_PLACES_H
#define CRLAGENT_WIN32_PLACES_H

#include "base/buf.h"
#include "base/err.h"

enum place {
    PLACE_PROGRAM,  /* full path of the running program */
    PLACE_BINARIES, /* its folder */
    PLACE_SYSTEM32,
    PLACE_DATA,    /* %ProgramData%\\crlagent */
    PLACE_CONFIG,  /* ...\\config */
    PLACE_STATE,   /* ...\\state: the store */
    PLACE_LOGS,    /* ...\\logs */
    PLACE_REPORTS, /* ...\\reports: readable by users */
    PLACE_SECRETS, /* ...\secrets: encrypted for this machine */
    PLACE_RESERVE, /* ...\\reserve: sealed reserve CRLs */
    PLACE_GRANTS,  /* ...\\grants: former access lists; the service itself cannot write there */
};

/* Appends the path (UTF-8, no separator at the end). */
MUST_CHECK int place_path(enum place which, struct buf *ret, struct err *err);

/* Makes the folder with the ACL of its kind when it is missing (PLACE_DATA and then itself), else
 * verifies it. ERR_DENIED when somebody else owns it or may write to it, or when it is a link:
 * nothing in it is used then; the text says who, and what to type. */
MUST_CHECK int place_secure(enum place which, struct err *err);

/* The same at another path, for which's kind of ACL. */
MUST_CHECK int place_secure_at(const char *path, enum place which, struct err *err);

/* The check alone, for a file or folder that exists (configuration, store). */
MUST_CHECK int place_verify(const char *path, struct err *err);

/* ACL for a folder of that kind: SYSTEM, Administrators and the service's own SID; reports can be
 * read by users. Appended as SDDL. */
MUST_CHECK int place_sddl(enum place which, struct buf *ret, struct err *err);

#endif
