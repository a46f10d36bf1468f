/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlgen: makes signed CRLs of any size, in the shape of AD CS, at about the speed of the digest.
 * The lengths are computed first, then the bytes go out as they are made: memory stays constant.
 * Key and CA certificate are made on the first call and reused when the files exist. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ossl.h"
#include "base/when.h"

#define BLOCK (256u * 1024)
#define SERIAL_LEN 19u /* what AD CS makes */
#define PLAIN (2 + 2 + SERIAL_LEN + 15)
#define WITH_REASON (PLAIN + 14)

struct plan {
    uint64_t entries, first, number, change_every, seed;
    int64_t this_update, days;
    const char *key, *ca, *out, *cn;
};

struct sink {
    FILE *f;
    EVP_MD_CTX *md;
    unsigned char block[BLOCK];
    size_t used;
};

static void die(const char *what)
{
    fprintf(stderr, "crlgen: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void sink_flush(struct sink *s)
{
    if (s->used && (fwrite(s->block, 1, s->used, s->f) != s->used ||
                    (s->md && EVP_DigestSignUpdate(s->md, s->block, s->used) != 1)))
        die("cannot write or hash");
    s->used = 0;
}

static void put(struct sink *s, const void *p, size_t n)
{
    if (s->used + n > BLOCK)
        sink_flush(s);
    memcpy(s->block + s->used, p, n);
    s->used += n;
}

/* Tag and length; returns how many octets they take. s NULL: only counts. */
static size_t head(struct sink *s, unsigned char tag, uint64_t len)
{
    unsigned char b[10] = {tag};
    size_t n = 0;
    for (uint64_t v = len; v; v >>= 8)
        n++;
    if (len < 0x80) {
        b[1] = (unsigned char)len;
        n = 0;
    } else {
        b[1] = (unsigned char)(0x80 | n);
        for (size_t i = 0; i < n; i++)
            b[2 + i] = (unsigned char)(len >> (8 * (n - 1 - i)));
    }
    if (s)
        put(s, b, 2 + n);
    return 2 + n;
}

static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static bool has_reason(uint64_t i)
{
    return i & 1;
}

static void put_time(struct sink *s, int64_t when)
{
    struct when_civil c = when_to_civil(when);
    char text[32];
    if (c.year >= 2050)
        die("times after 2049 are not made");
    snprintf(text, sizeof text, "%02d%02d%02d%02d%02d%02dZ", (int)(c.year % 100), c.month, c.day,
             c.hour, c.minute, c.second);
    head(s, 0x17, 13);
    put(s, text, 13);
}

static void put_entry(struct sink *s, const struct plan *p, uint64_t i)
{
    static const unsigned char reason[] = {0x30, 0x0C, 0x30, 0x0A, 0x06, 0x03, 0x55,
                                           0x1D, 0x15, 0x04, 0x03, 0x0A, 0x01};
    unsigned char serial[SERIAL_LEN] = {0x1A, 0};
    uint64_t r = mix(p->seed ^ i);
    memcpy(serial + 2, &r, 8);
    for (unsigned b = 0; b < 8; b++)
        serial[SERIAL_LEN - 1 - b] = (unsigned char)(i >> (8 * b));
    head(s, 0x30, has_reason(i) ? WITH_REASON - 2 : PLAIN - 2);
    head(s, 0x02, SERIAL_LEN);
    put(s, serial, SERIAL_LEN);
    put_time(s, 1704067200 + (int64_t)(r % (730u * 86400u)));
    if (has_reason(i)) {
        unsigned char code = (unsigned char)(r >> 60 & 1 ? 1 : 4);
        if (p->change_every && i % p->change_every == 1)
            code = 5;
        put(s, reason, sizeof reason);
        put(s, &code, 1);
    }
}

static EVP_PKEY *get_key(const char *path)
{
    EVP_PKEY *key = NULL;
    FILE *f = fopen(path, "rb");
    if (f) {
        key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
        fclose(f);
    } else {
        key = EVP_RSA_gen(2048);
        f = fopen(path, "wb");
        if (!key || !f || !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL))
            die("cannot make the key");
        fclose(f);
    }
    if (!key)
        die("cannot read the key");
    return key;
}

static void add_ext(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!x || !X509_add_ext(cert, x, -1))
        die("cannot add an extension");
    X509_EXTENSION_free(x);
}

static X509 *get_ca(const struct plan *p, EVP_PKEY *key)
{
    FILE *f = fopen(p->ca, "rb");
    X509 *cert = f ? PEM_read_X509(f, NULL, NULL, NULL) : X509_new();
    if (!cert)
        die("cannot read the CA certificate");
    if (f) {
        fclose(f);
        return cert;
    }
    X509_NAME *name = X509_get_subject_name(cert);
    f = fopen(p->ca, "wb");
    if (!f || !X509_set_version(cert, 2) ||
        !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)p->cn, -1, -1,
                                    0) ||
        !X509_set_issuer_name(cert, name) || !X509_set_pubkey(cert, key) ||
        !ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) ||
        !ASN1_TIME_set(X509_getm_notBefore(cert), 1577836800) ||
        !ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)2493072000))
        die("cannot make the CA certificate");
    add_ext(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_ext(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_ext(cert, NID_subject_key_identifier, "hash");
    if (!X509_sign(cert, key, EVP_sha256()) || !PEM_write_X509(f, cert))
        die("cannot write the CA certificate");
    fclose(f);
    return cert;
}

static uint64_t list_len(const struct plan *p)
{
    uint64_t odd = (p->first + p->entries) / 2 - p->first / 2; /* with reason */
    return odd * WITH_REASON + (p->entries - odd) * PLAIN;
}

/* The CRL number extension, minimal INTEGER; returns its length. */
static size_t put_number(uint64_t v, unsigned char *out)
{
    unsigned char value[9] = {0};
    size_t skip = 0, n;
    for (unsigned b = 0; b < 8; b++)
        value[8 - b] = (unsigned char)(v >> (8 * b));
    while (skip < 8 && value[skip] == 0 && value[skip + 1] < 0x80)
        skip++;
    n = sizeof value - skip;
    const unsigned char prefix[] = {
        0x30, (unsigned char)(9 + n), 0x06, 0x03, 0x55, 0x1D, 0x14, 0x04, (unsigned char)(2 + n),
        0x02, (unsigned char)n};
    memcpy(out, prefix, sizeof prefix);
    memcpy(out + sizeof prefix, value + skip, n);
    return sizeof prefix + n;
}

/* crlExtensions with AKI and number. */
static size_t make_extensions(const struct plan *p, X509 *ca, unsigned char *out)
{
    static const unsigned char aki[] = {0x30, 0x1F, 0x06, 0x03, 0x55, 0x1D, 0x23,
                                        0x04, 0x18, 0x30, 0x16, 0x80, 0x14};
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(ca);
    if (!ski || ASN1_STRING_length(ski) != 20)
        die("the CA certificate has no usual key identifier");
    unsigned char *q = out + 4;
    memcpy(q, aki, sizeof aki);
    memcpy(q + sizeof aki, ASN1_STRING_get0_data(ski), 20);
    q += sizeof aki + 20;
    q += put_number(p->number, q);
    size_t len = (size_t)(q - out);
    out[0] = 0xA0;
    out[1] = (unsigned char)(len - 2);
    out[2] = 0x30;
    out[3] = (unsigned char)(len - 4);
    return len;
}

static void make_crl(const struct plan *p, EVP_PKEY *key, X509 *ca)
{
    static const unsigned char alg[] = {0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                        0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00};
    static struct sink s;
    unsigned char ext[128], *name = NULL, signature[1024];
    size_t ext_len = make_extensions(p, ca, ext), sig_len = (size_t)EVP_PKEY_get_size(key);
    int name_len = i2d_X509_NAME(X509_get_subject_name(ca), &name);
    uint64_t list = list_len(p);
    if (name_len <= 0)
        die("no name");
    uint64_t tbs = 3 + sizeof alg + (unsigned)name_len + 2 * 15 + ext_len +
                   (p->entries ? head(NULL, 0x30, list) + list : 0);
    uint64_t all =
        head(NULL, 0x30, tbs) + tbs + sizeof alg + head(NULL, 3, sig_len + 1) + sig_len + 1;
    s.f = fopen(p->out, "wb");
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (!s.f || !md || EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) != 1)
        die("cannot begin");
    head(&s, 0x30, all);
    sink_flush(&s);
    s.md = md;
    head(&s, 0x30, tbs);
    put(&s, "\x02\x01\x01", 3);
    put(&s, alg, sizeof alg);
    put(&s, name, (size_t)name_len);
    put_time(&s, p->this_update);
    put_time(&s, p->this_update + p->days * 86400);
    if (p->entries)
        head(&s, 0x30, list);
    for (uint64_t i = 0; i < p->entries; i++)
        put_entry(&s, p, p->first + i);
    put(&s, ext, ext_len);
    sink_flush(&s);
    s.md = NULL;
    if (EVP_DigestSignFinal(md, signature, &sig_len) != 1)
        die("cannot sign");
    put(&s, alg, sizeof alg);
    head(&s, 3, sig_len + 1);
    put(&s, "", 1);
    put(&s, signature, sig_len);
    sink_flush(&s);
    if (fclose(s.f))
        die("cannot write");
    EVP_MD_CTX_free(md);
    OPENSSL_free(name);
}

static void usage(void)
{
    fputs("usage: crlgen --key KEY.pem --ca CA.pem --out FILE [--entries N] [--first N] [--number "
          "N]\n"
          "              [--this-update SECONDS] [--days N] [--change-every N] [--seed N] [--cn "
          "NAME]\n"
          "Key and CA certificate are made when the files do not exist. Entries are numbered from\n"
          "--first on; the same number gives the same entry, so that two calls make two CRLs to "
          "compare.\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    struct plan p = {.number = 1, .days = 7, .cn = "Bench CA", .this_update = (int64_t)time(NULL)};
    const struct {
        const char *name;
        const char **text;
        uint64_t *number;
        int64_t *signed_number;
    } opts[] = {
        {"--key", &p.key, NULL, NULL},
        {"--ca", &p.ca, NULL, NULL},
        {"--out", &p.out, NULL, NULL},
        {"--cn", &p.cn, NULL, NULL},
        {"--entries", NULL, &p.entries, NULL},
        {"--first", NULL, &p.first, NULL},
        {"--number", NULL, &p.number, NULL},
        {"--change-every", NULL, &p.change_every, NULL},
        {"--seed", NULL, &p.seed, NULL},
        {"--days", NULL, NULL, &p.days},
        {"--this-update", NULL, NULL, &p.this_update},
    };
    for (int i = 1; i < argc; i += 2) {
        size_t k = 0;
        while (k < sizeof opts / sizeof opts[0] && strcmp(opts[k].name, argv[i]) != 0)
            k++;
        if (k == sizeof opts / sizeof opts[0] || i + 1 >= argc)
            usage();
        if (opts[k].text)
            *opts[k].text = argv[i + 1];
        else if (opts[k].number)
            *opts[k].number = strtoull(argv[i + 1], NULL, 10);
        else
            *opts[k].signed_number = strtoll(argv[i + 1], NULL, 10);
    }
    if (!p.key || !p.ca || !p.out)
        usage();
    EVP_PKEY *key = get_key(p.key);
    X509 *ca = get_ca(&p, key);
    make_crl(&p, key, ca);
    X509_free(ca);
    EVP_PKEY_free(key);
    return 0;
}
