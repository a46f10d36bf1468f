/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reading from a stdio stream. Two digests over the same bytes are wanted: that of the whole file
 * and that of the signed part, which begins some octets later, so neither can be had from the
 * other. For inputs beyond one block they are computed at the same time: one thread reads blocks
 * and hashes them as the file, this one understands them and hashes the signed part. Blocks go
 * round between the two; a block belongs to whoever has taken it from the tally that counts it. */
#include "crl/reader_int.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/tally.h"

#define STREAM_BLOCK (512u * 1024)
#define STREAM_BLOCKS 4u

struct stream {
    FILE *f;
    uint8_t *memory;
    size_t len[STREAM_BLOCKS];
    int read_errno;
    EVP_MD_CTX *whole; /* NULL: the other thread only reads */
    bool hash_ok;
    atomic_bool stop;           /* set by this thread; the other one looks before each block */
    struct tally *full, *empty; /* blocks ready to be understood, to be filled */
};

static void close_file(FILE **f)
{
    if (*f)
        fclose(*f);
}

static uint8_t *stream_block(const struct stream *s, size_t i)
{
    return s->memory + (i % STREAM_BLOCKS) * (size_t)STREAM_BLOCK;
}

static size_t stream_read(struct stream *s, size_t i)
{
    size_t n = fread(stream_block(s, i), 1, STREAM_BLOCK, s->f);
    if (ferror(s->f) && !s->read_errno)
        s->read_errno = errno ? errno : EIO;
    s->len[i % STREAM_BLOCKS] = n;
    return n;
}

/* The other thread: hashes block 0, which is there already, then reads and hashes the rest. */
static void read_and_hash(void *arg, size_t item)
{
    struct stream *s = arg;
    size_t n = s->len[0];
    (void)item;
    for (size_t i = 0;; i++) {
        if (i) {
            tally_wait(s->empty);
            if (s->stop)
                return;
            n = stream_read(s, i);
        }
        tally_post(s->full);
        /* Both read the block now; it is written again only after this thread has come round. */
        if (s->whole && n && EVP_DigestUpdate(s->whole, stream_block(s, i), n) != 1)
            s->hash_ok = false;
        if (n == 0)
            return;
    }
}

static int understand(struct stream *s, struct crl_reader *r, const struct crl_progress *progress,
                      struct err *err)
{
    uint64_t done = 0;
    for (size_t i = 0;; i++) {
        tally_wait(s->full);
        size_t n = s->len[i % STREAM_BLOCKS];
        if (n == 0)
            return ERR_OK;
        int rc = crl_reader_feed(r, stream_block(s, i), n, err);
        if (rc)
            return rc;
        tally_post(s->empty);
        done += n;
        if (progress && progress->tell)
            progress->tell(progress->arg, done, progress->total);
    }
}

/* No thread to be had (a full machine, a job with a process limit): one after the other. Block 0 is
 * there already. */
static int run_alone(struct stream *s, struct crl_reader *r, const struct crl_progress *progress,
                     struct err *err)
{
    uint64_t done = 0;
    r->whole_elsewhere = false;
    for (size_t i = 0;; i++) {
        size_t n = i ? stream_read(s, i) : s->len[0];
        if (n == 0)
            return ERR_OK;
        int rc = crl_reader_feed(r, stream_block(s, i), n, err);
        if (rc)
            return rc;
        done += n;
        if (progress && progress->tell)
            progress->tell(progress->arg, done, progress->total);
    }
}

static int run_parallel(struct stream *s, struct crl_reader *r, const struct crl_progress *progress,
                        struct err *err)
{
    SCOPED(tally_free) struct tally *full = NULL;
    SCOPED(tally_free) struct tally *empty = NULL;
    struct parallel *other = NULL;
    struct err none = ERR_INIT;
    int rc = tally_new(0, &full, &none);
    if (!rc)
        rc = tally_new(STREAM_BLOCKS - 1, &empty, &none);
    s->full = full;
    s->empty = empty;
    if (!rc)
        rc = parallel_start(1, 1, read_and_hash, s, &other, &none);
    if (rc)
        return run_alone(s, r, progress, err);
    rc = understand(s, r, progress, err);
    if (rc) { /* the other thread stops at its next block */
        s->stop = true;
        tally_post(s->empty);
    }
    parallel_wait(&other);
    return rc || s->hash_ok ? rc : err_set(err, ERR_CRYPTO, "SHA-256 failed");
}

int crl_read_stream(FILE *f, const char *label, const struct crl_reader_options *opt,
                    const struct crl_progress *progress, struct crl_facts *ret_facts,
                    enum crl_signature *ret_sig, struct err *sig_why, struct err *err)
{
    SCOPED(crl_reader_free) struct crl_reader *r = NULL;
    SCOPED(scope_free) uint8_t *memory = malloc((size_t)STREAM_BLOCKS * STREAM_BLOCK);
    int rc = memory ? crl_reader_new(label, opt, &r, err) : err_nomem(err);
    if (rc)
        return rc;
    struct stream s = {.f = f, .memory = memory, .hash_ok = true};
    stream_read(&s, 0);
    if (s.len[0] == STREAM_BLOCK) {
        bool der = memory[0] == DER_SEQUENCE;
        r->whole_elsewhere = der;
        s.whole = der && !r->opt.entries_only ? r->whole : NULL;
        rc = run_parallel(&s, r, progress, err);
        r->whole_elsewhere = false; /* the digest is in r->whole, complete */
    } else {
        rc = crl_reader_feed(r, memory, s.len[0], err);
    }
    if (!rc && s.read_errno)
        rc = err_set_errno(err, s.read_errno, "reading '%s'", label);
    return rc ? rc : crl_reader_finish(r, ret_facts, ret_sig, sig_why, err);
}

int crl_read_file(const char *path, const struct crl_reader_options *opt,
                  void (*progress)(void *arg, uint64_t done, uint64_t total), void *progress_arg,
                  struct crl_facts *ret_facts, enum crl_signature *ret_sig, struct err *err)
{
    SCOPED(close_file) FILE *f = NULL;
    struct file_info info = {0};
    int rc = file_stat(path, &info, err);
    if (!rc && info.is_dir)
        rc = err_set(err, ERR_INVALID, "'%s' is a folder", path);
    if (!rc)
        rc = file_open(path, "rb", &f, err);
    if (rc)
        return rc;
    struct crl_progress p = {progress, progress_arg, info.size};
    return crl_read_stream(f, path, opt, &p, ret_facts, ret_sig, NULL, err);
}
