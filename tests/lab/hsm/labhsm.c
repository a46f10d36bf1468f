/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Lab HSM: a process that holds private keys (made at run time, never written anywhere) and signs
 * digests over TCP, like a network HSM behind its client. It can be away, silent, slow, not
 * activated, broken or hold the wrong keys; labhsm tells it so over a UNIX socket:
 *     labhsm serve ADDRESS PORT CONTROL-SOCKET     labhsm ctl CONTROL-SOCKET COMMAND
 * Requests are lines: PUBKEY LABEL | GENKEY LABEL rsa2048|ec256 | SIGN LABEL HASH DIGEST-HEX;
 * answers: "OK HEX" or "ERR WORD". */
#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum { KEYS_MAX = 64, SESSIONS_MAX = 128, LINE_MAX_BYTES = 4096 };

enum reach { PRESENT, AWAY, SILENT };
enum quality { GOOD, BROKEN, WRONG_KEY };

struct hsm_key {
    char label[128];
    EVP_PKEY *key;
    EVP_PKEY *impostor; /* used in state wrongkey; made when first needed */
};

static struct {
    pthread_mutex_t lock;
    enum reach reach;
    enum quality quality;
    bool activated;
    long slow_ms;
    unsigned long signatures; /* successful ones since the start */
    unsigned long attempts;   /* signing requests, refused ones included */
    unsigned sessions;
    int session_fd[SESSIONS_MAX];
    struct hsm_key keys[KEYS_MAX];
    size_t n_keys;
} hsm = {.lock = PTHREAD_MUTEX_INITIALIZER, .activated = true};

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

static struct hsm_key *key_find(const char *label)
{
    for (size_t i = 0; i < hsm.n_keys; i++)
        if (strcmp(hsm.keys[i].label, label) == 0)
            return &hsm.keys[i];
    return NULL;
}

static EVP_PKEY *key_like(const EVP_PKEY *key)
{
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
}

static void to_hex(char *dst, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        snprintf(dst + 2 * i, 3, "%02x", bytes[i]);
}

static size_t from_hex(const char *hex, uint8_t *dst, size_t max)
{
    size_t n = 0;
    unsigned byte = 0;
    while (n < max && sscanf(hex + 2 * n, "%2x", &byte) == 1)
        dst[n++] = (uint8_t)byte;
    return n;
}

static void answer_public(EVP_PKEY *key, char *out, size_t out_size)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0 || (size_t)len * 2 + 4 > out_size) {
        snprintf(out, out_size, "ERR device");
        return;
    }
    snprintf(out, out_size, "OK ");
    to_hex(out + 3, der, (size_t)len);
    OPENSSL_free(der);
}

/* Called with the lock held. */
static void do_genkey(const char *label, const char *type, char *out, size_t out_size)
{
    if (key_find(label) != NULL || hsm.n_keys == KEYS_MAX) {
        snprintf(out, out_size, "ERR %s", hsm.n_keys == KEYS_MAX ? "full" : "exists");
        return;
    }
    EVP_PKEY *key = strcmp(type, "ec256") == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
    if (key == NULL) {
        snprintf(out, out_size, "ERR device");
        return;
    }
    struct hsm_key *k = &hsm.keys[hsm.n_keys++];
    snprintf(k->label, sizeof k->label, "%s", label);
    k->key = key;
    answer_public(key, out, out_size);
}

static size_t sign_digest(EVP_PKEY *key, const EVP_MD *md, const uint8_t *digest, size_t len,
                          uint8_t *sig, size_t sig_size)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = ctx != NULL && EVP_PKEY_sign_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
              EVP_PKEY_sign(ctx, sig, &sig_size, digest, len) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok ? sig_size : 0;
}

/* Called with the lock held. */
static void do_sign(const char *label, const char *hash, const char *hex, char *out,
                    size_t out_size)
{
    struct hsm_key *k = key_find(label);
    const EVP_MD *md = EVP_get_digestbyname(hash);
    uint8_t digest[64], sig[1024];
    size_t len = from_hex(hex, digest, sizeof digest);
    hsm.attempts++;
    if (k == NULL || md == NULL || len != (size_t)EVP_MD_get_size(md)) {
        snprintf(out, out_size, "ERR %s", k == NULL ? "no-key" : "argument");
        return;
    }
    EVP_PKEY *key = k->key;
    if (hsm.quality == WRONG_KEY) {
        if (k->impostor == NULL)
            k->impostor = key_like(k->key);
        key = k->impostor;
    }
    size_t n = sign_digest(key, md, digest, len, sig, sizeof sig);
    if (n == 0) {
        snprintf(out, out_size, "ERR device");
        return;
    }
    if (hsm.quality == BROKEN)
        sig[n / 2] ^= 0x40;
    hsm.signatures++;
    snprintf(out, out_size, "OK ");
    to_hex(out + 3, sig, n);
}

static void handle_line(const char *line, char *out, size_t out_size)
{
    char verb[16] = "", label[128] = "", a[64] = "", b[256] = "";
    sscanf(line, "%15s %127s %63s %255s", verb, label, a, b);
    pthread_mutex_lock(&hsm.lock);
    long delay = strcmp(verb, "SIGN") == 0 ? hsm.slow_ms : 0;
    pthread_mutex_unlock(&hsm.lock);
    if (delay > 0)
        pause_ms(delay);
    pthread_mutex_lock(&hsm.lock);
    struct hsm_key *k = key_find(label);
    if (!hsm.activated)
        snprintf(out, out_size, "ERR not-logged-in");
    else if (strcmp(verb, "GENKEY") == 0)
        do_genkey(label, a, out, out_size);
    else if (strcmp(verb, "SIGN") == 0)
        do_sign(label, a, b, out, out_size);
    else if (strcmp(verb, "PUBKEY") == 0 && k != NULL)
        answer_public(hsm.quality == WRONG_KEY && k->impostor ? k->impostor : k->key, out,
                      out_size);
    else
        snprintf(out, out_size, "ERR %s", strcmp(verb, "PUBKEY") == 0 ? "no-key" : "argument");
    pthread_mutex_unlock(&hsm.lock);
}

static bool session_register(int fd)
{
    bool ok = false;
    pthread_mutex_lock(&hsm.lock);
    for (size_t i = 0; i < SESSIONS_MAX && !ok; i++) {
        if (hsm.session_fd[i] == 0) {
            hsm.session_fd[i] = fd;
            hsm.sessions++;
            ok = true;
        }
    }
    pthread_mutex_unlock(&hsm.lock);
    return ok;
}

static void session_forget(int fd)
{
    pthread_mutex_lock(&hsm.lock);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (hsm.session_fd[i] == fd) {
            hsm.session_fd[i] = 0;
            hsm.sessions--;
        }
    }
    close(fd);
    pthread_mutex_unlock(&hsm.lock);
}

static void *session_run(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char line[LINE_MAX_BYTES], out[LINE_MAX_BYTES];
    FILE *f = fdopen(dup(fd), "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        pthread_mutex_lock(&hsm.lock);
        bool silent = hsm.reach == SILENT;
        pthread_mutex_unlock(&hsm.lock);
        if (silent)
            continue; /* as a dead box behind a living network */
        handle_line(line, out, sizeof out - 1);
        strncat(out, "\n", 2);
        if (send(fd, out, strlen(out), MSG_NOSIGNAL) < 0)
            break;
    }
    if (f != NULL)
        fclose(f);
    session_forget(fd);
    return NULL;
}

static int listen_tcp(const char *address, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (inet_pton(AF_INET, address, &a.sin_addr) != 1 ||
        bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 32) != 0) {
        perror("labhsm: listening");
        exit(1);
    }
    return fd;
}

static struct sockaddr_un control_address(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path) {
        fprintf(stderr, "labhsm: the control path is too long: '%s'\n", path);
        exit(2);
    }
    memcpy(a.sun_path, path, strlen(path));
    return a;
}

static void drop_sessions(void)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (hsm.session_fd[i] != 0)
            shutdown(hsm.session_fd[i], SHUT_RDWR);
}

static void report(char *out, size_t size)
{
    static const char *const reach[] = {"present", "away", "silent"};
    static const char *const quality[] = {"good", "broken", "wrongkey"};
    snprintf(out, size,
             "{\"state\":\"%s\",\"activated\":%s,\"signing\":\"%s\",\"slow_ms\":%ld,\"keys\":%zu,"
             "\"sessions\":%u,\"signatures\":%lu,\"attempts\":%lu}",
             reach[hsm.reach], hsm.activated ? "true" : "false", quality[hsm.quality], hsm.slow_ms,
             hsm.n_keys, hsm.sessions, hsm.signatures, hsm.attempts);
}

/* One command of "labhsm ctl"; called with the lock held. */
static bool control(const char *command)
{
    long ms = 0;
    if (strcmp(command, "present") == 0) {
        hsm.reach = PRESENT;
    } else if (strcmp(command, "away") == 0 || strcmp(command, "silent") == 0) {
        hsm.reach = command[0] == 'a' ? AWAY : SILENT;
        if (hsm.reach == AWAY)
            drop_sessions();
    } else if (strcmp(command, "activate") == 0 || strcmp(command, "deactivate") == 0) {
        hsm.activated = command[0] == 'a';
    } else if (strcmp(command, "good") == 0) {
        hsm.quality = GOOD;
        hsm.slow_ms = 0;
    } else if (strcmp(command, "broken") == 0) {
        hsm.quality = BROKEN;
    } else if (strcmp(command, "wrongkey") == 0) {
        hsm.quality = WRONG_KEY;
        for (size_t i = 0; i < hsm.n_keys; i++)
            if (hsm.keys[i].impostor == NULL)
                hsm.keys[i].impostor = key_like(hsm.keys[i].key);
    } else if (sscanf(command, "slow %ld", &ms) == 1 && ms >= 0) {
        hsm.slow_ms = ms;
    } else {
        return strcmp(command, "status") == 0;
    }
    return true;
}

static void control_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    char command[256] = "", out[512] = "ERR unknown command";
    if (fd < 0)
        return;
    ssize_t n = read(fd, command, sizeof command - 1);
    if (n > 0) {
        command[strcspn(command, "\n")] = 0;
        pthread_mutex_lock(&hsm.lock);
        if (control(command))
            report(out, sizeof out);
        pthread_mutex_unlock(&hsm.lock);
        strncat(out, "\n", 2);
        if (write(fd, out, strlen(out)) < 0)
            perror("labhsm: control");
    }
    close(fd);
}

static void session_accept(int listener)
{
    pthread_t thread;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (!session_register(fd))
        close(fd);
    else if (pthread_create(&thread, NULL, session_run, (void *)(intptr_t)fd) != 0)
        session_forget(fd);
    else
        pthread_detach(thread);
}

static int serve(const char *address, uint16_t port, const char *control_path)
{
    struct sockaddr_un a = control_address(control_path);
    int ctl = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), tcp = listen_tcp(address, port);
    unlink(control_path);
    if (bind(ctl, (struct sockaddr *)&a, sizeof a) != 0 || listen(ctl, 16) != 0) {
        perror("labhsm: control socket");
        return 1;
    }
    for (;;) {
        struct pollfd fds[2] = {{.fd = ctl, .events = POLLIN}, {.fd = tcp, .events = POLLIN}};
        if (poll(fds, tcp >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
            return 1;
        if (fds[0].revents)
            control_accept(ctl);
        if (tcp >= 0 && fds[1].revents)
            session_accept(tcp);
        /* Away means that the port answers nobody: the kernel refuses. */
        if (hsm.reach == AWAY && tcp >= 0) {
            close(tcp);
            tcp = -1;
        } else if (hsm.reach != AWAY && tcp < 0) {
            tcp = listen_tcp(address, port);
        }
    }
}

static int ctl(const char *control_path, const char *command)
{
    struct sockaddr_un a = control_address(control_path);
    char answer[512] = "";
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        write(fd, command, strlen(command)) < 0 || read(fd, answer, sizeof answer - 1) <= 0) {
        fprintf(stderr, "labhsm: no lab HSM answers at '%s': %s\n", control_path, strerror(errno));
        return 1;
    }
    fputs(answer, stdout);
    return answer[0] == '{' ? 0 : 2;
}

/* Asks a running lab HSM for a new key and prints its public key as PEM. */
static int genkey(const char *address, uint16_t port, const char *label, const char *type)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    char line[LINE_MAX_BYTES] = "";
    uint8_t der[LINE_MAX_BYTES / 2];
    const uint8_t *p = der;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, address, &a.sin_addr);
    snprintf(line, sizeof line, "GENKEY %s %s\n", label, type);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0 || write(fd, line, strlen(line)) < 0) {
        perror("labhsm: connecting");
        return 1;
    }
    FILE *f = fdopen(fd, "r");
    if (f == NULL || fgets(line, sizeof line, f) == NULL || strncmp(line, "OK ", 3) != 0) {
        fprintf(stderr, "labhsm: no key: %s\n", line);
        return 1;
    }
    size_t n = from_hex(line + 3, der, sizeof der);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)n);
    return key != NULL && PEM_write_PUBKEY(stdout, key) ? 0 : 1;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 5 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], (uint16_t)strtoul(argv[3], NULL, 10), argv[4]);
    if (argc == 4 && strcmp(argv[1], "ctl") == 0)
        return ctl(argv[2], argv[3]);
    if (argc == 6 && strcmp(argv[1], "genkey") == 0)
        return genkey(argv[2], (uint16_t)strtoul(argv[3], NULL, 10), argv[4], argv[5]);
    fprintf(
        stderr,
        "usage: labhsm serve ADDRESS PORT CONTROL | labhsm ctl CONTROL COMMAND"
        " | labhsm genkey ADDRESS PORT LABEL rsa2048|ec256\n"
        "commands: present away silent slow MS activate deactivate broken wrongkey good status\n");
    return 2;
}
