/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What every lab program needs: the lab's settings file (C:\lab\ca.conf, "key=value" lines, read
 * again at every use so that a setting acts at once), the registry in UTF-8, the event writer. */
#ifndef LAB_LABWIN_H
#define LAB_LABWIN_H

#include <windows.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/when.h"

#define LAB_DIR "C:\\lab"
#define LAB_CONFIG_KEY "SYSTEM\\CurrentControlSet\\Services\\CertSvc\\Configuration"

/* The value of a setting in buf, or fallback. Returns buf. */
const char *lab_text(const char *key, const char *fallback, char *buf, size_t size);
long lab_number(const char *key, long fallback);
/* Sleeps for the milliseconds of that setting. */
void lab_delay(const char *key);

/* Registry below HKLM; malloc'ed results, NULL when absent. reg_multi: a NULL-terminated array in
 * one block per string (reg_multi_free). */
char *reg_text(const char *key, const char *name);
DWORD reg_dword(const char *key, const char *name, DWORD fallback);
char **reg_multi(const char *key, const char *name);
void reg_multi_free(char **list);
/* FILETIME in 8 bytes; WHEN_NONE when absent. */
int64_t reg_filetime(const char *key, const char *name);
bool reg_put(const char *key, const char *name, DWORD type, const void *data, size_t len);
bool reg_put_text(const char *key, const char *name, const char *text);
bool reg_put_dword(const char *key, const char *name, DWORD value);
bool reg_put_multi(const char *key, const char *name, const char *const *list, size_t n);
bool reg_put_filetime(const char *key, const char *name, int64_t when);

/* malloc'ed; malformed text becomes an empty string (lab input is our own). */
wchar_t *lab_wide(const char *text);
char *lab_utf8(const wchar_t *text);

/* An event of the CA: ReportEvent with source Microsoft-Windows-CertificationAuthority, and one
 * JSON line in C:\lab\events.log, because Wine keeps no event log that could be read back. type is
 * EVENTLOG_*_TYPE; strings as the real CA's insert strings. */
void lab_event(WORD type, DWORD id, const char *const *strings, size_t n);

int64_t lab_now(void);
/* Atomic replacement of a whole file; Win32 error code. */
DWORD lab_write_file(const char *path, const void *data, size_t len);

#endif
