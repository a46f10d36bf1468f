/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Upload: SCP (every appliance; its only protocol before 7.9.0) and SFTP. Both over a connection of
 * their own, so that the shell is not in the way of the data. */
#include <libssh2_sftp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/when.h"
#include "driver/ssh_int.h"

/* Large enough that SFTP keeps many packets in flight, small enough to show progress. */
#define BLOCK (1024 * 1024)

struct put {
    struct ssh *s;
    const struct upload *u;
    FILE *file;
    char *block; /* two of them: one is sent while the other is read */
    LIBSSH2_CHANNEL *scp;
    LIBSSH2_SFTP *sftp;
    LIBSSH2_SFTP_HANDLE *handle;
    uint64_t done;
    int64_t deadline; /* mono_ms; moves on with every acknowledged byte */
};

static void more_time(struct put *p)
{
    p->deadline = clock_mono_ms(clock_system()) + p->s->c.transfer_ms;
}

static int retry(struct put *p, const char *doing, struct err *err)
{
    if (libssh2_session_last_errno(p->s->session) != LIBSSH2_ERROR_EAGAIN)
        return ssh_error(p->s, ERR_UNAVAILABLE, doing, err);
    return ssh_await(p->s, p->deadline, err);
}

static int open_scp(struct put *p, struct err *err)
{
    int rc = ERR_OK;
    while (!rc && !(p->scp = libssh2_scp_send64(p->s->session, p->u->name, 0600,
                                                (libssh2_int64_t)p->u->size, 0, 0)))
        rc = retry(p, "starting the SCP upload to", err);
    return rc;
}

static unsigned name_len(const struct put *p)
{
    return (unsigned)strlen(p->u->name);
}

static int open_sftp(struct put *p, struct err *err)
{
    int rc = ERR_OK;
    while (!rc && !(p->sftp = libssh2_sftp_init(p->s->session)))
        rc = retry(p, "starting SFTP with", err);
    while (!rc && !(p->handle = libssh2_sftp_open_ex(p->sftp, p->u->name, name_len(p),
                                                     LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT |
                                                         LIBSSH2_FXF_TRUNC,
                                                     0600, LIBSSH2_SFTP_OPENFILE)))
        rc = retry(p, "creating the file on", err);
    return rc;
}

static int send_block(struct put *p, const char *at, size_t len, struct err *err)
{
    while (len) {
        ssize_t n = p->scp ? libssh2_channel_write(p->scp, at, len)
                           : libssh2_sftp_write(p->handle, at, len);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
            p->done += (uint64_t)n;
            more_time(p);
            continue;
        }
        int rc = n == LIBSSH2_ERROR_EAGAIN ? ssh_await(p->s, p->deadline, err)
                                           : ssh_error(p->s, ERR_UNAVAILABLE, "uploading to", err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

/* The next part of the file, read on a thread of its own: reading costs a fifth of the time. */
struct reading {
    FILE *file;
    char *to;
    size_t want, got;
};

static void read_part(void *arg, size_t i)
{
    struct reading *r = arg;
    (void)i;
    r->got = fread(r->to, 1, r->want, r->file);
}

static size_t part_after(const struct put *p, uint64_t at)
{
    uint64_t left = p->u->size - at;
    return left < BLOCK ? (size_t)left : BLOCK;
}

static int send_part(struct put *p, const struct reading *r, struct err *err)
{
    if (r->got != r->want)
        return err_set(err, ERR_IO, "'%s' became shorter while it was sent", p->u->path);
    int rc = send_block(p, r->to, r->got, err);
    if (!rc && p->u->progress && p->u->progress(p->u->arg, p->done))
        return err_set(err, ERR_CANCELLED, "interrupted while the package was sent");
    return rc;
}

static int send_all(struct put *p, struct err *err)
{
    struct reading now = {p->file, p->block, part_after(p, 0), 0};
    int rc = ERR_OK;
    read_part(&now, 0);
    while (!rc && p->done < p->u->size) {
        struct parallel *thread = NULL;
        struct reading next = {p->file, now.to == p->block ? p->block + BLOCK : p->block,
                               part_after(p, p->done + now.want), 0};
        rc = parallel_start(next.want > 0, 1, read_part, &next, &thread, err);
        if (!rc)
            rc = send_part(p, &now, err);
        parallel_wait(&thread);
        now = next;
    }
    return rc;
}

/* The server says whether it has kept everything only after the last byte. */
static int finish_scp(struct put *p, struct err *err)
{
    int rc = ERR_OK, e;
    char status = 1;
    ssize_t n;
    more_time(p);
    /* The protocol ends a file with a NUL; without it the other side never says whether it kept it.
     */
    while (!rc && (n = libssh2_channel_write(p->scp, "", 1)) != 1)
        rc = n == LIBSSH2_ERROR_EAGAIN
                 ? ssh_await(p->s, p->deadline, err)
                 : ssh_error(p->s, ERR_UNAVAILABLE, "ending the upload to", err);
    while (!rc && (n = libssh2_channel_read(p->scp, &status, 1)) != 1)
        rc = n == LIBSSH2_ERROR_EAGAIN
                 ? ssh_await(p->s, p->deadline, err)
                 : ssh_error(p->s, ERR_UNAVAILABLE, "ending the upload to", err);
    if (!rc && status != 0) {
        char text[256] = "";
        ssize_t k = libssh2_channel_read(p->scp, text, sizeof text - 1);
        if (k > 0 && text[k - 1] == '\n')
            text[k - 1] = '\0';
        return err_set(err, ERR_IO, "the appliance refused the file: %s",
                       text[0] ? text : "no reason");
    }
    while (!rc && (e = libssh2_channel_send_eof(p->scp)) != 0)
        rc = e == LIBSSH2_ERROR_EAGAIN
                 ? ssh_await(p->s, p->deadline, err)
                 : ssh_error(p->s, ERR_UNAVAILABLE, "ending the upload to", err);
    return rc;
}

static int finish_sftp(struct put *p, struct err *err)
{
    LIBSSH2_SFTP_ATTRIBUTES a = {0};
    int rc = ERR_OK, e;
    while (!rc && (e = libssh2_sftp_close(p->handle)) != 0)
        rc = retry(p, "closing the file on", err);
    p->handle = NULL;
    while (!rc &&
           (e = libssh2_sftp_stat_ex(p->sftp, p->u->name, name_len(p), LIBSSH2_SFTP_STAT, &a)) != 0)
        rc = retry(p, "looking at the file on", err);
    if (!rc && (a.flags & LIBSSH2_SFTP_ATTR_SIZE) && a.filesize != p->u->size)
        return err_set(err, ERR_IO, "the file on the appliance has %llu bytes, expected %llu",
                       (unsigned long long)a.filesize, (unsigned long long)p->u->size);
    return rc;
}

static int transfer(struct put *p, struct err *err)
{
    more_time(p);
    int rc = p->u->sftp ? open_sftp(p, err) : open_scp(p, err);
    if (!rc)
        rc = send_all(p, err);
    if (!rc)
        rc = p->scp ? finish_scp(p, err) : finish_sftp(p, err);
    return rc;
}

int ssh_put_file(void *self, const struct upload *u, struct err *err)
{
    const struct ssh *shell = self;
    struct ssh own = {.c = shell->c, .fd = NET_NONE};
    struct put p = {.s = &own, .u = u};
    int rc = file_open(u->path, "rb", &p.file, err);
    if (rc)
        return rc;
    p.block = malloc(2 * (size_t)BLOCK);
    rc = p.block ? ssh_connect(&own, err) : err_nomem(err);
    if (!rc)
        rc = transfer(&p, err);
    fclose(p.file);
    free(p.block);
    if (p.handle)
        libssh2_sftp_close(p.handle);
    if (p.sftp)
        libssh2_sftp_shutdown(p.sftp);
    if (p.scp)
        libssh2_channel_free(p.scp);
    ssh_disconnect(&own);
    return rc;
}
