/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "rpc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX (1u << 30)

static bool put_all(HANDLE h, const void *data, size_t len)
{
    const char *p = data;
    while (len > 0) {
        DWORD done = 0, want = len > 65536 ? 65536 : (DWORD)len;
        if (!WriteFile(h, p, want, &done, NULL) || done == 0)
            return false;
        p += done;
        len -= done;
    }
    return true;
}

static bool get_all(HANDLE h, size_t len, struct buf *ret)
{
    char chunk[65536];
    while (len > 0) {
        DWORD done = 0, want = len > sizeof chunk ? sizeof chunk : (DWORD)len;
        if (!ReadFile(h, chunk, want, &done, NULL) || done == 0 || buf_add(ret, chunk, done) != 0)
            return false;
        len -= done;
    }
    return true;
}

static bool put_frame(HANDLE h, json_t *object, const struct buf *bytes)
{
    char *text = json_dumps(object, JSON_COMPACT);
    uint32_t head[2] = {text ? (uint32_t)strlen(text) : 0, bytes ? (uint32_t)bytes->len : 0};
    bool ok = text && put_all(h, head, sizeof head) && put_all(h, text, head[0]) &&
              (head[1] == 0 || put_all(h, bytes->data, head[1]));
    free(text);
    return ok;
}

static json_t *get_frame(HANDLE h, struct buf *ret_bytes)
{
    struct buf head = BUF_INIT, text = BUF_INIT;
    json_t *object = NULL;
    uint32_t len[2];
    if (get_all(h, sizeof len, &head)) {
        memcpy(len, head.data, sizeof len);
        if (len[0] < FRAME_MAX && len[1] < FRAME_MAX && get_all(h, len[0], &text) &&
            get_all(h, len[1], ret_bytes))
            object = json_loadb(text.data, text.len, 0, NULL);
    }
    buf_free(&head);
    buf_free(&text);
    return object;
}

static HANDLE open_pipe(void)
{
    for (int i = 0; i < 200; i++) {
        HANDLE h =
            CreateFileW(RPC_PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (h != INVALID_HANDLE_VALUE)
            return h;
        if (GetLastError() != ERROR_PIPE_BUSY)
            return NULL;
        WaitNamedPipeW(RPC_PIPE, 50);
    }
    return NULL;
}

HRESULT rpc_call(json_t *request, json_t **ret_answer, struct buf *ret_bytes)
{
    struct buf none = BUF_INIT;
    HRESULT hr = RPC_UNAVAILABLE;
    HANDLE h = open_pipe();
    json_t *answer = NULL;
    if (h != NULL) {
        if (put_frame(h, request, NULL))
            answer = get_frame(h, ret_bytes ? ret_bytes : &none);
        CloseHandle(h);
    }
    if (answer != NULL)
        hr = (HRESULT)json_integer_value(json_object_get(answer, "hr"));
    if (ret_answer)
        *ret_answer = json_incref(answer);
    json_decref(answer);
    json_decref(request);
    buf_free(&none);
    return hr;
}

struct client {
    HANDLE pipe;
    rpc_handler *handler;
};

static DWORD WINAPI serve_client(void *arg)
{
    struct client *c = arg;
    struct buf in = BUF_INIT, out = BUF_INIT;
    json_t *request = get_frame(c->pipe, &in);
    if (request != NULL) {
        json_t *answer = json_object();
        const char *op = json_string_value(json_object_get(request, "op"));
        HRESULT hr = c->handler(op ? op : "", request, answer, &out);
        json_object_set_new(answer, "hr", json_integer(hr));
        put_frame(c->pipe, answer, &out);
        FlushFileBuffers(c->pipe);
        json_decref(answer);
        json_decref(request);
    }
    DisconnectNamedPipe(c->pipe);
    CloseHandle(c->pipe);
    buf_free(&in);
    buf_free(&out);
    free(c);
    return 0;
}

static HANDLE make_pipe(void)
{
    return CreateNamedPipeW(RPC_PIPE, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_WAIT,
                            PIPE_UNLIMITED_INSTANCES, 65536, 65536, 0, NULL);
}

static void serve_apart(HANDLE pipe, rpc_handler *handler)
{
    struct client *c = malloc(sizeof *c);
    HANDLE thread = NULL;
    if (c != NULL) {
        *c = (struct client){pipe, handler};
        thread = CreateThread(NULL, 0, serve_client, c, 0, NULL);
    }
    if (thread != NULL) {
        CloseHandle(thread);
    } else {
        CloseHandle(pipe);
        free(c);
    }
}

/* The next instance is made before the present one is served: a client that is answered quickly
 * would otherwise take the last instance, and with it the name, away, and the next caller would
 * find a CA that runs and is not there. */
DWORD rpc_serve(rpc_handler *handler)
{
    HANDLE pipe = make_pipe();
    while (pipe != INVALID_HANDLE_VALUE) {
        bool come = ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED;
        HANDLE next = make_pipe();
        if (come)
            serve_apart(pipe, handler);
        else
            CloseHandle(pipe);
        pipe = next;
    }
    return GetLastError();
}
