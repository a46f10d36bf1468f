/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "ca/secdesc.h"

#include <string.h>

#include "base/str.h"

/* Header: revision, 0, control (2), then the offsets of owner, group, audit list, access list. */
#define HEADER 20
#define OWNER_AT 4
#define GROUP_AT 8
#define SACL_AT 12
#define DACL_AT 16
#define CONTROL_DACL_PRESENT 0x0004u
#define CONTROL_SACL_PRESENT 0x0010u
#define CONTROL_SELF_RELATIVE 0x8000u

#define ACL_HEADER 8
#define ACE_HEADER 8 /* type, flags, size (2), mask (4) */
#define ACE_ALLOW 0
#define ACE_DENY 1
#define ACE_ALARM 3
#define ACE_DENY_OBJECT 6
#define ACE_ALLOW_CALLBACK 9 /* with a condition behind the SID */
#define ACE_DENY_CALLBACK 10
#define ACE_DENY_CALLBACK_OBJECT 12
#define ACE_INHERIT_ONLY 0x08
#define ACE_INHERITED 0x10

struct span {
    const uint8_t *p; /* NULL = absent */
    size_t len;
};

struct parts {
    uint32_t control;
    struct span owner, group, sacl, dacl;
};

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | le16(p + 2) << 16;
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, size_t v)
{
    put16(p, v);
    put16(p + 2, v >> 16);
}

int sid_parse(const char *text, struct sid_bytes *ret, struct err *err)
{
    struct sid_bytes sid = {.b = {1}};
    const char *p = text;
    uint64_t part;
    size_t n = 0;
    if (!str_starts_nocase(p, "S-1-"))
        return err_set(err, ERR_PARSE, "'%.100s' is not a SID; expected S-1-...", text);
    for (p += 4;; p++, n++) {
        char digits[16];
        size_t len = strspn(p, "0123456789");
        if (!len || len >= sizeof digits || n > 15 || (p[len] && p[len] != '-'))
            return err_set(err, ERR_PARSE, "'%.100s' is not a SID", text);
        memcpy(digits, p, len);
        digits[len] = '\0';
        int rc = str_parse_u64(digits, 0, UINT32_MAX, &part, err);
        if (rc)
            return err_context(err, "the SID '%.100s'", text);
        if (n == 0) /* authority, 48 bits big-endian */
            for (int i = 0; i < 4; i++)
                sid.b[4 + i] = (uint8_t)(part >> (24 - 8 * i));
        else
            put32(sid.b + 8 + 4 * (n - 1), (size_t)part);
        p += len;
        if (!*p)
            break;
    }
    sid.b[1] = (uint8_t)n;
    sid.len = 8 + 4 * n;
    *ret = sid;
    return ERR_OK;
}

static int broken(size_t at, const char *what, struct err *err)
{
    return err_set(err, ERR_PARSE, "security descriptor, offset %zu: %s", at, what);
}

static int take_sid(const uint8_t *sd, size_t len, size_t at, struct span *ret, struct err *err)
{
    if (!at)
        return ERR_OK;
    if (at < HEADER || at > len || len - at < 8)
        return broken(at, "a SID outside of it", err);
    size_t size = 8 + 4 * (size_t)sd[at + 1];
    if (sd[at] != 1 || sd[at + 1] > 15 || len - at < size)
        return broken(at, "not a SID", err);
    *ret = (struct span){sd + at, size};
    return ERR_OK;
}

/* Every entry is walked once here, so that the others may trust the sizes. */
static int take_acl(const uint8_t *sd, size_t len, size_t at, struct span *ret, struct err *err)
{
    if (!at)
        return ERR_OK;
    if (at < HEADER || at > len || len - at < ACL_HEADER)
        return broken(at, "an access list outside of it", err);
    size_t size = le16(sd + at + 2), used = ACL_HEADER;
    if (size < ACL_HEADER || len - at < size)
        return broken(at, "an access list longer than what is there", err);
    for (uint32_t i = le16(sd + at + 4); i; i--) {
        if (size - used < ACE_HEADER)
            return broken(at + used, "an entry is cut", err);
        size_t ace = le16(sd + at + used + 2);
        if (ace < ACE_HEADER || ace > size - used)
            return broken(at + used, "an entry with an impossible length", err);
        used += ace;
    }
    *ret = (struct span){sd + at, used};
    return ERR_OK;
}

static int take_apart(const void *bytes, size_t len, struct parts *ret, struct err *err)
{
    const uint8_t *sd = bytes;
    struct parts p = {0};
    if (len < HEADER || len > SD_MAX_BYTES * 4 || sd[0] != 1)
        return err_set(err, ERR_PARSE, "%zu bytes are no security descriptor", len);
    p.control = le16(sd + 2);
    if (!(p.control & CONTROL_SELF_RELATIVE))
        return broken(2, "not self-relative", err);
    int rc = take_sid(sd, len, le32(sd + OWNER_AT), &p.owner, err);
    if (!rc)
        rc = take_sid(sd, len, le32(sd + GROUP_AT), &p.group, err);
    if (!rc && p.control & CONTROL_SACL_PRESENT)
        rc = take_acl(sd, len, le32(sd + SACL_AT), &p.sacl, err);
    if (!rc && p.control & CONTROL_DACL_PRESENT)
        rc = take_acl(sd, len, le32(sd + DACL_AT), &p.dacl, err);
    if (!rc)
        *ret = p;
    return rc;
}

/* The SID of an allow or deny entry. */
static bool ace_is_for(const uint8_t *ace, const struct sid_bytes *sid)
{
    return le16(ace + 2) >= ACE_HEADER + sid->len &&
           memcmp(ace + ACE_HEADER, sid->b, sid->len) == 0;
}

static bool ace_is_for_any(const uint8_t *ace, const struct sid_bytes *sids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ace_is_for(ace, &sids[i]))
            return true;
    }
    return false;
}

int sd_access(const void *sd, size_t len, const struct sid_bytes *sids, size_t n, uint32_t *ret,
              struct err *err)
{
    struct parts p;
    uint32_t allowed = 0, denied = 0;
    int rc = take_apart(sd, len, &p, err);
    if (rc)
        return rc;
    if (!p.dacl.p) {
        *ret = UINT32_MAX;
        return ERR_OK;
    }
    const uint8_t *ace = p.dacl.p + ACL_HEADER;
    for (; ace < p.dacl.p + p.dacl.len; ace += le16(ace + 2)) {
        if (ace[1] & ACE_INHERIT_ONLY || ace[0] > ACE_DENY || !ace_is_for_any(ace, sids, n))
            continue;
        if (ace[0] == ACE_ALLOW)
            allowed |= le32(ace + 4) & ~denied;
        else
            denied |= le32(ace + 4) & ~allowed;
    }
    *ret = allowed;
    return ERR_OK;
}

static bool is_one_of(struct span sid, const struct sid_bytes *sids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sid.len == sids[i].len && memcmp(sid.p, sids[i].b, sid.len) == 0)
            return true;
    }
    return false;
}

static enum sd_flaw name_him(enum sd_flaw flaw, struct span sid, struct sd_finding *ret)
{
    ret->who.len = sid.len < sizeof ret->who.b ? sid.len : sizeof ret->who.b;
    memcpy(ret->who.b, sid.p, ret->who.len);
    return flaw;
}

static bool allows_nothing(uint8_t type)
{
    return (type >= ACE_DENY && type <= ACE_ALARM) || type == ACE_DENY_OBJECT ||
           type == ACE_DENY_CALLBACK || type == ACE_DENY_CALLBACK_OBJECT;
}

static enum sd_flaw judge_entry(const uint8_t *ace, const struct sid_bytes *trusted, size_t n,
                                uint32_t mask, struct sd_finding *ret)
{
    size_t size = le16(ace + 2), sid_size;
    if (allows_nothing(ace[0]) || !(le32(ace + 4) & mask))
        return SD_SOUND;
    if ((ace[0] != ACE_ALLOW && ace[0] != ACE_ALLOW_CALLBACK) || size < ACE_HEADER + 8)
        return SD_ODD_ENTRY;
    sid_size = 8 + 4 * (size_t)ace[ACE_HEADER + 1];
    if (ace[ACE_HEADER + 1] > 15 || size < ACE_HEADER + sid_size)
        return SD_ODD_ENTRY;
    const struct span sid = {ace + ACE_HEADER, sid_size};
    return is_one_of(sid, trusted, n) ? SD_SOUND : name_him(SD_OTHER, sid, ret);
}

int sd_trusted(const void *sd, size_t len, const struct sid_bytes *trusted, size_t n, uint32_t mask,
               struct sd_finding *ret, struct err *err)
{
    struct sd_finding f = {SD_SOUND, {{0}, 0}};
    struct parts p;
    int rc = take_apart(sd, len, &p, err);
    if (rc)
        return rc;
    if (!p.owner.p)
        f.flaw = SD_NO_OWNER;
    else if (!is_one_of(p.owner, trusted, n))
        f.flaw = name_him(SD_OWNER, p.owner, &f);
    else if (!p.dacl.p)
        f.flaw = SD_OPEN;
    const uint8_t *ace = p.dacl.p + (p.dacl.p ? ACL_HEADER : 0);
    for (; p.dacl.p && !f.flaw && ace < p.dacl.p + p.dacl.len; ace += le16(ace + 2))
        f.flaw = judge_entry(ace, trusted, n, mask, &f);
    *ret = f;
    return ERR_OK;
}

/* Puts a descriptor together from p, its access list being head, then add, then tail. */
static int put_together(const struct parts *p, struct span head, struct span add, struct span tail,
                        struct buf *ret, struct err *err)
{
    static const uint8_t zero[HEADER];
    SCOPED(buf_free) struct buf out = BUF_INIT;
    const struct span *const part[] = {&p->owner, &p->group, &p->sacl};
    size_t at[] = {0, 0, 0, 0}, size = head.len + add.len + tail.len;
    buf_add(&out, zero, sizeof zero);
    for (size_t i = 0; i < ARRAY_LEN(part); i++) {
        at[i] = part[i]->p ? out.len : 0;
        if (part[i]->p)
            buf_add(&out, part[i]->p, part[i]->len);
    }
    at[3] = out.len;
    buf_add(&out, head.p, head.len);
    if (add.len)
        buf_add(&out, add.p, add.len);
    if (tail.len)
        buf_add(&out, tail.p, tail.len);
    if (buf_check(&out, "a security descriptor", err))
        return ERR_NOMEM;
    if (size > UINT16_MAX)
        return err_set(err, ERR_LIMIT, "the access list is full (%zu bytes)", size);
    uint8_t *sd = (uint8_t *)out.data;
    sd[0] = 1;
    put16(sd + 2, p->control);
    for (size_t i = 0; i < ARRAY_LEN(at); i++)
        put32(sd + OWNER_AT + 4 * i, at[i]);
    put16(sd + at[3] + 2, size);
    return buf_add(ret, out.data, out.len) ? err_nomem(err) : ERR_OK;
}

/* Entry count of a list inside a descriptor that was just put together at the end of b. */
static void count_entries(struct buf *b, size_t start, int change)
{
    uint8_t *sd = (uint8_t *)b->data + start;
    uint8_t *acl = sd + le32(sd + DACL_AT);
    put16(acl + 4, (size_t)((int)le16(acl + 4) + change));
}

static struct span until(const uint8_t *from, const uint8_t *to)
{
    return (struct span){from, (size_t)(to - from)};
}

int sd_allow(const void *sd, size_t len, const struct sid_bytes *sid, uint32_t mask,
             struct buf *ret, struct err *err)
{
    uint8_t entry[ACE_HEADER + sizeof sid->b] = {ACE_ALLOW};
    struct parts p;
    size_t start = ret->len;
    int rc = take_apart(sd, len, &p, err);
    if (rc)
        return rc;
    if (!p.dacl.p)
        return err_set(err, ERR_STATE,
                       "there is no access list: everybody has every right. Give it one first");
    put16(entry + 2, ACE_HEADER + sid->len);
    put32(entry + 4, mask);
    memcpy(entry + ACE_HEADER, sid->b, sid->len);
    const uint8_t *ace = p.dacl.p + ACL_HEADER, *end = p.dacl.p + p.dacl.len;
    while (ace < end && !(ace[1] & ACE_INHERITED))
        ace += le16(ace + 2);
    rc = put_together(&p, until(p.dacl.p, ace), (struct span){entry, ACE_HEADER + sid->len},
                      until(ace, end), ret, err);
    if (!rc)
        count_entries(ret, start, 1);
    return rc;
}

int sd_disallow(const void *sd, size_t len, const struct sid_bytes *sid, uint32_t mask,
                struct buf *ret, bool *ret_found, struct err *err)
{
    struct parts p;
    size_t start = ret->len;
    int rc = take_apart(sd, len, &p, err);
    if (rc)
        return rc;
    if (!p.dacl.p) {
        *ret_found = false;
        return buf_add(ret, sd, len) ? err_nomem(err) : ERR_OK;
    }
    const uint8_t *ace = p.dacl.p + ACL_HEADER, *end = p.dacl.p + p.dacl.len;
    while (ace < end && (ace[0] != ACE_ALLOW || ace[1] || le32(ace + 4) != mask ||
                         le16(ace + 2) != ACE_HEADER + sid->len || !ace_is_for(ace, sid)))
        ace += le16(ace + 2);
    bool found = ace < end;
    const uint8_t *next = found ? ace + le16(ace + 2) : end;
    rc = put_together(&p, until(p.dacl.p, ace), (struct span){NULL, 0}, until(next, end), ret, err);
    if (rc)
        return rc;
    if (found)
        count_entries(ret, start, -1);
    *ret_found = found;
    return ERR_OK;
}

bool sd_same_access(const void *a, size_t a_len, const void *b, size_t b_len)
{
    struct parts x, y;
    if (take_apart(a, a_len, &x, NULL) || take_apart(b, b_len, &y, NULL))
        return false;
    if (!x.dacl.p || !y.dacl.p)
        return !x.dacl.p && !y.dacl.p;
    return x.dacl.len == y.dacl.len &&
           memcmp(x.dacl.p + ACL_HEADER, y.dacl.p + ACL_HEADER, x.dacl.len - ACL_HEADER) == 0;
}
