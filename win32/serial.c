/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A COM port for hsmupgrade; see driver/serial_int.h. Read time-outs are set per read, so that a
 * wait ends when the first byte is there. */
#include <windows.h>

#include "driver/serial_int.h"
#include "win32/utf.h"

static HANDLE port_of(const struct serial *s)
{
    return (HANDLE)s->port; /* SERIAL_CLOSED = INVALID_HANDLE_VALUE */
}

static int os_error(struct serial *s, enum err_code code, const char *doing, struct err *err)
{
    DWORD e = GetLastError();
    return err_set_os(err, code, (long)e, "%s the serial port '%s' failed (error %lu)", doing,
                      s->c.device, (unsigned long)e);
}

void serial_close(void *self)
{
    struct serial *s = self;
    if (s->port != SERIAL_CLOSED)
        CloseHandle(port_of(s));
    s->port = SERIAL_CLOSED;
}

static int set_line(struct serial *s, struct err *err)
{
    DCB dcb = {.DCBlength = sizeof dcb};
    if (!GetCommState(port_of(s), &dcb))
        return os_error(s, ERR_INVALID, "asking", err);
    dcb.BaudRate = s->c.speed;
    dcb.ByteSize = 8;
    dcb.Parity = NOPARITY;
    dcb.StopBits = ONESTOPBIT;
    dcb.fBinary = TRUE;
    dcb.fParity = dcb.fOutxCtsFlow = dcb.fOutxDsrFlow = FALSE;
    dcb.fOutX = dcb.fInX = FALSE;
    dcb.fNull = FALSE;
    dcb.fAbortOnError = FALSE;
    dcb.fDtrControl = DTR_CONTROL_ENABLE;
    dcb.fRtsControl = RTS_CONTROL_ENABLE;
    return SetCommState(port_of(s), &dcb) ? ERR_OK : os_error(s, ERR_INVALID, "setting up", err);
}

int serial_open(void *self, struct err *err)
{
    struct serial *s = self;
    SCOPED(scope_free) wchar_t *name = NULL;
    serial_close(s);
    int rc = utf_to_wide(s->c.device, &name, err);
    if (rc)
        return rc;
    HANDLE h = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    s->port = (intptr_t)h;
    if (s->port == SERIAL_CLOSED)
        return os_error(s, GetLastError() == ERROR_FILE_NOT_FOUND ? ERR_NOT_FOUND : ERR_DENIED,
                        "opening", err);
    rc = set_line(s, err);
    if (rc)
        serial_close(s);
    else
        PurgeComm(port_of(s), PURGE_RXCLEAR | PURGE_TXCLEAR);
    return rc;
}

int serial_write(void *self, const void *bytes, size_t len, struct err *err)
{
    struct serial *s = self;
    const char *p = bytes;
    COMMTIMEOUTS t = {.WriteTotalTimeoutConstant = 10000};
    SetCommTimeouts(port_of(s), &t);
    while (len) {
        DWORD n = 0;
        if (!WriteFile(port_of(s), p, (DWORD)len, &n, NULL) || n == 0)
            return os_error(s, ERR_UNAVAILABLE, "writing to", err);
        p += n;
        len -= n;
    }
    return ERR_OK;
}

int serial_read(void *self, void *bytes, size_t cap, int64_t timeout_ms, size_t *ret_n,
                struct err *err)
{
    struct serial *s = self;
    DWORD n = 0;
    /* MAXDWORD twice: return as soon as one byte is there, at the latest after the constant. */
    COMMTIMEOUTS t = {.ReadIntervalTimeout = MAXDWORD,
                      .ReadTotalTimeoutMultiplier = MAXDWORD,
                      .ReadTotalTimeoutConstant = timeout_ms < 1 ? 1 : (DWORD)timeout_ms};
    SetCommTimeouts(port_of(s), &t);
    if (!ReadFile(port_of(s), bytes, (DWORD)(cap > 65536 ? 65536 : cap), &n, NULL))
        return os_error(s, ERR_UNAVAILABLE, "reading from", err);
    if (n == 0)
        return err_set(err, ERR_TIMEOUT, "nothing came from '%s'", s->c.device);
    *ret_n = n;
    return ERR_OK;
}
