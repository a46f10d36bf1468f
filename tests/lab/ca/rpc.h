/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab's stand-in for DCOM between certadm.dll or certutil.exe and CertSvc: a named pipe that is
 * there only while CertSvc runs. One request (JSON) and one answer (JSON and bytes) per connection.
 */
#ifndef LAB_RPC_H
#define LAB_RPC_H

#include <windows.h>
#include <jansson.h>
#include "base/buf.h"

#define RPC_PIPE L"\\\\.\\pipe\\lab-certsvc"
#define RPC_UNAVAILABLE ((HRESULT)0x800706BA)

/* Takes request's reference. Result: "hr" of the answer, or RPC_UNAVAILABLE. *ret_answer is the
 * caller's (json_decref), may be NULL on failure; bytes are appended to ret_bytes. */
HRESULT rpc_call(json_t *request, json_t **ret_answer, struct buf *ret_bytes);

/* Fills the answer object and the bytes; the result is sent as "hr". */
typedef HRESULT rpc_handler(const char *op, json_t *request, json_t *answer, struct buf *bytes);

/* Serves for ever, a thread per client; returns only when the pipe cannot be made. */
DWORD rpc_serve(rpc_handler *handler);

#endif
