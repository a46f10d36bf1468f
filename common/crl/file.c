/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reading from a stdio stream. Two digests over the same bytes are wanted: that of the whole file
 * and that of the signed part, which begins some octets later, so neither can be had from the
 * other. For inputs beyond one block they are computed at the same time: while this thread
 * understands and hashes one block, another hashes it as part of the file and reads the next one.
 */
#include "crl/reader_int.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/parallel.h"

#define STREAM_BLOCK (1024u * 1024)

struct stream {
    FILE *f;
    uint8_t *block[2];
    size_t len[2];
    int cur; /* the block being understood */
    int read_errno;
    EVP_MD_CTX *whole;
    bool hash_ok;
};

static void close_file(FILE **f)
{
    if (*f)
        fclose(*f);
}

static void stream_read(struct stream *s, int which)
{
    s->len[which] = fread(s->block[which], 1, STREAM_BLOCK, s->f);
    if (ferror(s->f) && !s->read_errno)
        s->read_errno = errno ? errno : EIO;
}

/* On the other thread. */
static void hash_and_read(void *arg, size_t i)
{
    struct stream *s = arg;
    (void)i;
    if (s->whole && EVP_DigestUpdate(s->whole, s->block[s->cur], s->len[s->cur]) != 1)
        s->hash_ok = false;
    stream_read(s, !s->cur);
}

static int one_block(struct stream *s, struct crl_reader *r, struct err *err)
{
    SCOPED(parallel_wait) struct parallel *other = NULL;
    int rc = parallel_start(1, 1, hash_and_read, s, &other, err);
    return rc ? rc : crl_reader_feed(r, s->block[s->cur], s->len[s->cur], err);
}

static int run_parallel(struct stream *s, struct crl_reader *r, const struct crl_progress *progress,
                        struct err *err)
{
    uint64_t done = 0;
    while (s->len[s->cur]) {
        int rc = one_block(s, r, err);
        if (rc)
            return rc;
        done += s->len[s->cur];
        s->cur = !s->cur;
        if (progress && progress->tell)
            progress->tell(progress->arg, done, progress->total);
    }
    return s->hash_ok ? ERR_OK : err_set(err, ERR_CRYPTO, "SHA-256 failed");
}

int crl_read_stream(FILE *f, const char *label, const struct crl_reader_options *opt,
                    const struct crl_progress *progress, struct crl_facts *ret_facts,
                    enum crl_signature *ret_sig, struct err *sig_why, struct err *err)
{
    SCOPED(crl_reader_free) struct crl_reader *r = NULL;
    SCOPED(scope_free) uint8_t *memory = malloc(2 * STREAM_BLOCK);
    int rc = memory ? crl_reader_new(label, opt, &r, err) : err_nomem(err);
    if (rc)
        return rc;
    struct stream s = {.f = f, .block = {memory, memory + STREAM_BLOCK}, .hash_ok = true};
    stream_read(&s, 0);
    if (s.len[0] == STREAM_BLOCK && s.block[0][0] == DER_SEQUENCE) {
        r->whole_elsewhere = true;
        s.whole = r->opt.entries_only ? NULL : r->whole;
    }
    if (s.len[0] == STREAM_BLOCK)
        rc = run_parallel(&s, r, progress, err);
    else
        rc = crl_reader_feed(r, s.block[0], s.len[0], err);
    if (!rc && s.read_errno)
        rc = err_set_errno(err, s.read_errno, "reading '%s'", label);
    r->whole_elsewhere = false; /* the digest is in r->whole, complete */
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
