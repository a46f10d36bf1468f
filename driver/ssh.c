/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/when.h"
#include "driver/digest.h"
#include "driver/ssh_int.h"

/* What libssh2 does not know of a list is left out. CTR stands before GCM: libssh2 1.11.1 is slower
 * with GCM (docs/performance.md), and CTR with an encrypt-then-MAC digest is as sound. RSA
 * keys with SHA-1 signatures, CBC and SHA-1 exchanges belong to 5.x appliances only. */
struct algorithms {
    int method;
    const char *modern, *legacy;
};
static const struct algorithms algorithms[] = {
    {LIBSSH2_METHOD_KEX,
     "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
     "ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,"
     "diffie-hellman-group18-sha512,diffie-hellman-group14-sha256",
     ",diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1"},
    {LIBSSH2_METHOD_HOSTKEY,
     "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,"
     "rsa-sha2-256",
     ",ssh-rsa,ssh-dss"},
    {LIBSSH2_METHOD_CRYPT_CS,
     "aes128-ctr,aes192-ctr,aes256-ctr,aes256-gcm@openssh.com,aes128-gcm@openssh.com",
     ",aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc"},
    {LIBSSH2_METHOD_CRYPT_SC,
     "aes128-ctr,aes192-ctr,aes256-ctr,aes256-gcm@openssh.com,aes128-gcm@openssh.com",
     ",aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc"},
    {LIBSSH2_METHOD_MAC_CS,
     "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512",
     ",hmac-sha1,hmac-md5"},
    {LIBSSH2_METHOD_MAC_SC,
     "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512",
     ",hmac-sha1,hmac-md5"},
};

int ssh_error(struct ssh *s, enum err_code code, const char *doing, struct err *err)
{
    char *text = NULL;
    int number = s->session ? libssh2_session_last_error(s->session, &text, NULL, 0) : 0;
    return err_set_os(err, code, number, "%s %s: %s", doing, s->c.plan.host,
                      text && *text ? text : "connection lost");
}

int ssh_await(struct ssh *s, int64_t deadline, struct err *err)
{
    int64_t left = deadline - clock_mono_ms(clock_system());
    if (left <= 0)
        return err_set(err, ERR_TIMEOUT, "no answer from %s in time", s->c.plan.host);
    int d = libssh2_session_block_directions(s->session);
    bool in = (d & LIBSSH2_SESSION_BLOCK_INBOUND) || !d;
    int n = net_wait(s->fd, in, (d & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0, left);
    if (n < 0)
        return err_set(err, ERR_UNAVAILABLE, "the connection to %s broke", s->c.plan.host);
    return n ? ERR_OK : err_set(err, ERR_TIMEOUT, "no answer from %s in time", s->c.plan.host);
}

void ssh_fingerprint_text(const uint8_t digest[32], char ret[64])
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t o = 7;
    memcpy(ret, "SHA256:", o);
    for (size_t i = 0; i < 32; i += 3) {
        uint32_t v = (uint32_t)digest[i] << 16 | (i + 1 < 32 ? (uint32_t)digest[i + 1] << 8 : 0) |
                     (i + 2 < 32 ? digest[i + 2] : 0);
        size_t chars = 32 - i >= 3 ? 4 : 32 - i + 1;
        for (size_t k = 0; k < chars; k++)
            ret[o++] = abc[v >> (18 - 6 * k) & 63];
    }
    ret[o] = '\0';
}

/* The names of `list` that libssh2 knows, in our order. Older ones (1.10) move memory over itself
 * when they drop unknown names, so they get none. */
static void add_supported(const char *list, const char *const *known, int n, struct buf *out)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        for (int i = 0; i < n && len; i++) {
            if (strlen(known[i]) == len && memcmp(known[i], list, len) == 0) {
                buf_printf(out, "%s%.*s", out->len ? "," : "", (int)len, list);
                break;
            }
        }
        list += len + (list[len] == ',');
    }
}

static int set_algorithms(struct ssh *s, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        const struct algorithms *a = &algorithms[i];
        SCOPED(buf_free) struct buf list = BUF_INIT;
        const char **known = NULL;
        int n = libssh2_session_supported_algs(s->session, a->method, &known);
        if (n <= 0)
            return ssh_error(s, ERR_UNSUPPORTED, "listing algorithms for", err);
        add_supported(a->modern, known, n, &list);
        if (s->c.plan.legacy)
            add_supported(a->legacy, known, n, &list);
        libssh2_free(s->session, known);
        if (libssh2_session_method_pref(s->session, a->method, buf_str(&list)))
            return ssh_error(s, ERR_UNSUPPORTED, "choosing algorithms for", err);
    }
    return ERR_OK;
}

static int check_host_key(struct ssh *s, struct err *err)
{
    const char *hash = libssh2_hostkey_hash(s->session, LIBSSH2_HOSTKEY_HASH_SHA256);
    if (!hash)
        return ssh_error(s, ERR_CRYPTO, "reading the host key of", err);
    ssh_fingerprint_text((const uint8_t *)hash, s->found);
    if (strcmp(s->found, s->c.plan.fingerprint) == 0)
        return ERR_OK;
    return err_set(
        err, ERR_CRYPTO,
        "%s shows the host key %s, the plan pins %s. Nothing was sent to it. Compare with "
        "the appliance's own console; if it is right: --accept-host-key %s=%s",
        s->c.plan.host, s->found, s->c.plan.fingerprint, s->c.name, s->found);
}

static int handshake(struct ssh *s, int64_t deadline, struct err *err)
{
    s->session = libssh2_session_init();
    if (!s->session)
        return err_nomem(err);
    *libssh2_session_abstract(s->session) = s;
    libssh2_session_set_blocking(s->session, 0);
    int rc = set_algorithms(s, err);
    while (!rc) {
        int e = libssh2_session_handshake(s->session, (libssh2_socket_t)s->fd);
        if (e == 0)
            break;
        rc = e == LIBSSH2_ERROR_EAGAIN
                 ? ssh_await(s, deadline, err)
                 : ssh_error(s, e == LIBSSH2_ERROR_KEX_FAILURE ? ERR_UNSUPPORTED : ERR_UNAVAILABLE,
                             "key exchange with", err);
    }
    if (rc == ERR_UNSUPPORTED && !s->c.plan.legacy)
        err_context(err, "no common algorithm (algorithms='legacy' in the plan allows old ones)");
    return rc ? rc : check_host_key(s, err);
}

/* Answers exactly one hidden prompt with the password, once; anything else gets no answer. */
static void keyboard(const char *name, int name_len, const char *text, int text_len, int n,
                     const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
                     LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract)
{
    struct ssh *s = *abstract;
    (void)name;
    (void)name_len;
    (void)text;
    (void)text_len;
    if (n != 1 || prompts[0].echo || s->kbd_answers++)
        return;
    responses[0].text = str_dup(s->c.password);
    responses[0].length = responses[0].text ? (unsigned)strlen(s->c.password) : 0;
}

/* One try of one method; a libssh2 code. */
static int try_method(struct ssh *s, const char *method)
{
    const char *user = s->c.plan.user;
    unsigned n = (unsigned)strlen(user);
    if (strcmp(method, "password") == 0)
        return libssh2_userauth_password_ex(s->session, user, n, s->c.password,
                                            (unsigned)strlen(s->c.password), NULL);
    if (strcmp(method, "keyboard-interactive") == 0)
        return libssh2_userauth_keyboard_interactive_ex(s->session, user, n, keyboard);
    return libssh2_userauth_publickey_fromfile_ex(s->session, user, n, NULL, s->c.plan.keyfile,
                                                  s->c.password);
}

/* The connection is what failed, not the account: a machine that is going down or coming up. */
static bool is_loss(int e)
{
    return e == LIBSSH2_ERROR_SOCKET_DISCONNECT || e == LIBSSH2_ERROR_SOCKET_RECV ||
           e == LIBSSH2_ERROR_SOCKET_SEND || e == LIBSSH2_ERROR_SOCKET_TIMEOUT ||
           e == LIBSSH2_ERROR_BAD_SOCKET || e == LIBSSH2_ERROR_TIMEOUT ||
           e == LIBSSH2_ERROR_SOCKET_NONE;
}

static int run_method(struct ssh *s, const char *method, int64_t deadline, struct err *err)
{
    for (;;) {
        int e = try_method(s, method);
        if (e == 0)
            return ERR_OK;
        if (e != LIBSSH2_ERROR_EAGAIN)
            return ssh_error(s, is_loss(e) ? ERR_UNAVAILABLE : ERR_DENIED, "login to", err);
        int rc = ssh_await(s, deadline, err);
        if (rc)
            return rc;
    }
}

/* Every key the agent holds, in turn. Returns a text for what is wrong, NULL when one was taken. */
static const char *offer_keys(struct ssh *s, LIBSSH2_AGENT *agent, size_t *ret_keys)
{
    struct libssh2_agent_publickey *key = NULL, *before = NULL;
    *ret_keys = 0;
    if (!agent || libssh2_agent_connect(agent))
        return "no key agent answers (SSH_AUTH_SOCK; on Windows the service 'OpenSSH "
               "Authentication Agent', or Pageant)";
    if (libssh2_agent_list_identities(agent))
        return "the key agent does not list its keys";
    for (; libssh2_agent_get_identity(agent, &key, before) == 0; before = key) {
        ++*ret_keys;
        if (libssh2_agent_userauth(agent, s->c.plan.user, key) == 0)
            return NULL;
        if (is_loss(libssh2_session_last_errno(s->session)))
            return "the connection was lost";
    }
    return *ret_keys ? "none is accepted" : "the key agent holds no key ('ssh-add' puts one in)";
}

static int login_with_agent(struct ssh *s, int64_t deadline, struct err *err)
{
    /* The agent protocol is local, and somebody may be asked for a touch: blocking is fine for it.
     * Each wait for the appliance is bounded. */
    int64_t left = deadline - clock_mono_ms(clock_system());
    libssh2_session_set_timeout(s->session, left > 1 ? (long)left : 1);
    libssh2_session_set_blocking(s->session, 1);
    LIBSSH2_AGENT *agent = libssh2_agent_init(s->session);
    size_t keys = 0;
    const char *wrong = offer_keys(s, agent, &keys);
    int lost = libssh2_session_last_errno(s->session);
    if (agent) {
        libssh2_agent_disconnect(agent);
        libssh2_agent_free(agent);
    }
    libssh2_session_set_blocking(s->session, 0);
    if (wrong && is_loss(lost))
        return err_set(err, ERR_UNAVAILABLE, "login to %s as '%s': %s", s->c.plan.host,
                       s->c.plan.user, wrong);
    if (wrong && keys)
        return err_set(err, ERR_DENIED,
                       "login to %s as '%s': none of the %zu keys of the key agent is accepted",
                       s->c.plan.host, s->c.plan.user, keys);
    return wrong ? err_set(err, ERR_DENIED, "login to %s as '%s': %s", s->c.plan.host,
                           s->c.plan.user, wrong)
                 : ERR_OK;
}

static int login(struct ssh *s, int64_t deadline, struct err *err)
{
    const char *user = s->c.plan.user;
    char *methods = NULL;
    if (s->c.plan.login == SSH_LOGIN_AGENT)
        return login_with_agent(s, deadline, err);
    if (s->c.plan.login == SSH_LOGIN_PUBLICKEY)
        return run_method(s, "publickey", deadline, err);
    while (!(methods = libssh2_userauth_list(s->session, user, (unsigned)strlen(user)))) {
        if (libssh2_session_last_errno(s->session) != LIBSSH2_ERROR_EAGAIN)
            return ssh_error(s, ERR_UNAVAILABLE, "asking for login methods of", err);
        int rc = ssh_await(s, deadline, err);
        if (rc)
            return rc;
    }
    if (strstr(methods, "password"))
        return run_method(s, "password", deadline, err);
    if (strstr(methods, "keyboard-interactive"))
        return run_method(s, "keyboard-interactive", deadline, err);
    return err_set(err, ERR_DENIED, "login to %s as '%s': the server offers '%s' only, no password",
                   s->c.plan.host, user, methods);
}

static int reach(struct ssh *s, int64_t deadline, struct err *err)
{
    static bool ready;
    if (!ready && libssh2_init(0))
        return err_set(err, ERR_INTERNAL, "libssh2 cannot be initialised");
    ready = true;
    s->kbd_answers = 0;
    int rc = net_connect(s->c.plan.host, s->c.plan.port, s->c.connect_ms, &s->fd, err);
    return rc ? rc : handshake(s, deadline, err);
}

int ssh_connect(struct ssh *s, struct err *err)
{
    int64_t deadline = clock_mono_ms(clock_system()) + s->c.connect_ms;
    int rc = reach(s, deadline, err);
    if (!rc)
        rc = login(s, deadline, err);
    if (rc)
        ssh_disconnect(s);
    return rc;
}

void ssh_disconnect(struct ssh *s)
{
    if (s->session) {
        /* Closing must not wait for a peer that may be gone. */
        libssh2_session_set_blocking(s->session, 0);
        libssh2_session_disconnect(s->session, "done");
        net_close(&s->fd);
        if (s->channel)
            libssh2_channel_free(s->channel);
        libssh2_session_free(s->session);
    }
    s->channel = NULL;
    s->session = NULL;
    net_close(&s->fd);
}

/* Repeats a libssh2 call until it stops saying EAGAIN; 0 or its error. */
#define SSH_REPEAT(s, deadline, rc, err, call)                                                     \
    do {                                                                                           \
        int e_ = (call);                                                                           \
        if (e_ == 0)                                                                               \
            break;                                                                                 \
        rc = e_ == LIBSSH2_ERROR_EAGAIN                                                            \
                 ? ssh_await(s, deadline, err)                                                     \
                 : ssh_error(s, ERR_UNAVAILABLE, "opening a shell on", err);                       \
    } while (!(rc))

static int open_shell(struct ssh *s, int64_t deadline, struct err *err)
{
    int rc = ERR_OK;
    while (!rc && !(s->channel = libssh2_channel_open_session(s->session))) {
        if (libssh2_session_last_errno(s->session) != LIBSSH2_ERROR_EAGAIN)
            return ssh_error(s, ERR_UNAVAILABLE, "opening a channel on", err);
        rc = ssh_await(s, deadline, err);
    }
    if (!rc)
        SSH_REPEAT(s, deadline, rc, err,
                   libssh2_channel_request_pty_ex(s->channel, "vt100", 5, NULL, 0, SSH_COLUMNS,
                                                  SSH_ROWS, 0, 0));
    if (!rc)
        SSH_REPEAT(s, deadline, rc, err, libssh2_channel_shell(s->channel));
    return rc;
}

static int ssh_open(void *self, struct err *err)
{
    struct ssh *s = self;
    ssh_disconnect(s);
    int rc = ssh_connect(s, err);
    if (!rc)
        rc = open_shell(s, clock_mono_ms(clock_system()) + s->c.connect_ms, err);
    if (rc)
        ssh_disconnect(s);
    return rc;
}

static int ssh_write(void *self, const void *bytes, size_t len, struct err *err)
{
    struct ssh *s = self;
    const char *p = bytes;
    int64_t deadline = clock_mono_ms(clock_system()) + s->c.connect_ms;
    if (!s->channel)
        return err_set(err, ERR_UNAVAILABLE, "not connected to %s", s->c.plan.host);
    while (len) {
        ssize_t n = libssh2_channel_write(s->channel, p, len);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else {
            int rc = n == LIBSSH2_ERROR_EAGAIN ? ssh_await(s, deadline, err)
                                               : ssh_error(s, ERR_UNAVAILABLE, "writing to", err);
            if (rc)
                return rc;
        }
    }
    return ERR_OK;
}

static int ssh_read(void *self, void *bytes, size_t cap, int64_t timeout_ms, size_t *ret_n,
                    struct err *err)
{
    struct ssh *s = self;
    int64_t deadline = clock_mono_ms(clock_system()) + timeout_ms;
    if (!s->channel)
        return err_set(err, ERR_UNAVAILABLE, "not connected to %s", s->c.plan.host);
    for (;;) {
        ssize_t n = libssh2_channel_read(s->channel, bytes, cap);
        if (n > 0) {
            *ret_n = (size_t)n;
            return ERR_OK;
        }
        if (n == 0 && libssh2_channel_eof(s->channel))
            return err_set(err, ERR_UNAVAILABLE, "%s closed the connection", s->c.plan.host);
        if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
            return ssh_error(s, ERR_UNAVAILABLE, "reading from", err);
        int rc = ssh_await(s, deadline, err);
        if (rc)
            return rc;
    }
}

static void ssh_close(void *self)
{
    ssh_disconnect(self);
}

static void ssh_free(void *self)
{
    struct ssh *s = self;
    secret_wipe(s, sizeof *s);
    free(s);
}

static const struct transport_ops ssh_ops = {ssh_open,  ssh_write,    ssh_read,
                                             ssh_close, ssh_put_file, ssh_free};

int ssh_transport(const struct ssh_config *c, struct transport *ret, struct err *err)
{
    struct ssh *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(err);
    s->c = *c;
    s->fd = NET_NONE;
    *ret = (struct transport){.ops = &ssh_ops, .self = s, .kind = "ssh", .eol = "\n"};
    return ERR_OK;
}
