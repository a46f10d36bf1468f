/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What a web server, or who stands in its place, may answer: the first byte chooses the role of the
 * location, the rest is the answer as it stands on the wire. libcurl reads it from a local
 * socket, so that our own callbacks meet it as in the worker; a redirect meets a server that says
 * nothing. The result must be one that the service can keep and show. */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "cdp/fetch_http.h"
#include "fuzz/harness.h"

#define SERVER "crlagent-fuzz-%ld" /* abstract: no file, gone with the process */

struct wire {
    const uint8_t *data;
    size_t size;
    int listener, kept, answered;
};

static void listen_once(struct wire *w, char name[40])
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(name, 40, SERVER, (long)getpid());
    if (w->listener > 0)
        return;
    memcpy(a.sun_path + 1, name, strlen(name));
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    w->kept = -1;
    w->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    FUZZ_CHECK(bind(w->listener, (struct sockaddr *)&a, len) == 0 && listen(w->listener, 8) == 0);
}

/* The connection stands, the request has not gone out: the whole answer is put on the wire. Only
 * the first connection gets one. */
static int answer(void *arg, char *remote, char *local, int remote_port, int local_port)
{
    struct wire *w = arg;
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (w->kept >= 0)
        close(w->kept);
    w->kept = accept(w->listener, NULL, NULL);
    FUZZ_CHECK(w->kept >= 0);
    if (w->answered++ == 0) {
        ssize_t n = send(w->kept, w->data, w->size, MSG_NOSIGNAL);
        FUZZ_CHECK(n == (ssize_t)w->size);
    }
    shutdown(w->kept, SHUT_WR);
    return CURL_PREREQFUNC_OK;
}

static void check_text(const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    FUZZ_CHECK(end);
    FUZZ_CHECK(str_is_utf8(text, (size_t)(end - text)));
    for (const char *p = text; *p; p++)
        FUZZ_CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void check(const struct probe_result *r, const struct probe_target *t)
{
    FUZZ_CHECK(r->status >= PROBE_OK && r->status <= PROBE_NOT_MODIFIED);
    FUZZ_CHECK(r->status == PROBE_OK || r->detail[0]);
    FUZZ_CHECK(r->status != PROBE_OK || t->role == ROLE_AIA || t->role == ROLE_OCSP ||
               (r->facts.bytes && r->http_status == 200));
    check_text(r->content_type, sizeof r->content_type);
    check_text(r->etag, sizeof r->etag);
    check_text(r->last_modified, sizeof r->last_modified);
    check_text(r->cache_control, sizeof r->cache_control);
    FUZZ_CHECK(str_is_utf8(r->detail, strlen(r->detail)));
    FUZZ_CHECK(r->age >= -1);
}

/* libcurl 7.88 (Debian 12) keeps a pointer to a freed header when an answer after another one, on
 * the same handle or behind a redirect, begins with a folded line. The programs carry a later one.
 */
static bool folds(const uint8_t *data, size_t size)
{
    static bool sound;
    sound = sound || curl_version_info(CURLVERSION_NOW)->version_num >= 0x080e00;
    for (size_t i = 1; i < size && !sound; i++) {
        if (data[i - 1] == '\n' && (data[i] == ' ' || data[i] == '\t'))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_transfer t;
    static struct probe_result r;
    static struct probe_target target;
    static const enum location_role roles[] = {ROLE_CRL_BASE, ROLE_CRL_DELTA, ROLE_AIA, ROLE_OCSP};
    static const struct fetch_options opt = {.proxy = ""};
    if (size < 1 || size > 65536)
        return 0;
    if (folds(data, size))
        return 0;
    if (!t.easy)
        t.easy = curl_easy_init();
    char name[40];
    static struct wire w;
    listen_once(&w, name);
    w.data = data + 1;
    w.size = size - 1;
    w.answered = 0;
    memset(&r, 0, sizeof r);
    target = (struct probe_target){.role = roles[data[0] & 3],
                                   .timeout_ms = 2000,
                                   .max_bytes = 32768,
                                   .direct = true,
                                   .url = "http://127.0.0.1/ca.crl"};
    if (data[0] & 4)
        str_copy(target.if_etag, sizeof target.if_etag, "\"1\"");
    r.age = -1;
    r.server_date = WHEN_NONE;
    if (http_begin(&t, &opt, NULL, &target, &r) == 0) {
        curl_easy_setopt(t.easy, CURLOPT_ABSTRACT_UNIX_SOCKET, name);
        curl_easy_setopt(t.easy, CURLOPT_PREREQFUNCTION, answer);
        curl_easy_setopt(t.easy, CURLOPT_PREREQDATA, &w);
        curl_easy_setopt(t.easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(t.easy, CURLOPT_FORBID_REUSE, 1L);
        CURLcode code = curl_easy_perform(t.easy);
        http_end(&t, code);
    }
    check(&r, &target);
    return 0;
}
