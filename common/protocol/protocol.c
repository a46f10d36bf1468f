/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "protocol/protocol.h"

#include <string.h>

#include "base/str.h"
#include "protocol/fields.h"

#define YEAR_9999 253402300799ll
#define ROWS_MAX 1000

#define TEXT(type, name, member, max_chars)                                                        \
    {                                                                                              \
        name, JSON_FIELD_TEXT, offsetof(struct type, member), sizeof(((struct type *)0)->member),  \
            0, max_chars, 0                                                                        \
    }
#define NUMBER(type, name, member, min, max, absent)                                               \
    {                                                                                              \
        name, JSON_FIELD_NUMBER, offsetof(struct type, member), 0, min, max, absent                \
    }
#define BOOL(type, name, member)                                                                   \
    {                                                                                              \
        name, JSON_FIELD_BOOL, offsetof(struct type, member), 0, 0, 0, 0                           \
    }

static const struct json_field request_fields[] = {
    TEXT(protocol_request, "verb", verb, 0),
    TEXT(protocol_request, "change", change, LIMIT_CHANGE_ID_CHARS),
    TEXT(protocol_request, "reason", reason, LIMIT_REASON_CHARS),
    NUMBER(protocol_request, "window", window, 0, LIMIT_WINDOW_SECONDS, -1),
    NUMBER(protocol_request, "reserve", reserve, 0, LIMIT_WINDOW_SECONDS, -1),
    NUMBER(protocol_request, "until", until, 0, YEAR_9999, -1),
    NUMBER(protocol_request, "token-id", token_id, 1, INT64_MAX, 0),
    NUMBER(protocol_request, "token-epoch", token_epoch, 1, INT64_MAX, 0),
    NUMBER(protocol_request, "limit", limit, 1, ROWS_MAX, 0),
    TEXT(protocol_request, "format", format, 0),
    TEXT(protocol_request, "fail-on", fail_on, 0),
    TEXT(protocol_request, "deadline", deadline, 0),
    BOOL(protocol_request, "dry-run", dry_run),
    BOOL(protocol_request, "prepare-only", prepare_only),
    BOOL(protocol_request, "take-over", take_over),
};

static const struct json_field progress_fields[] = {
    NUMBER(protocol_progress, "maintenance", maintenance, 0, INT64_MAX, 0),
    NUMBER(protocol_progress, "when", when, 0, YEAR_9999, 0),
    TEXT(protocol_progress, "state", state, 0),
    TEXT(protocol_progress, "step", step, 0),
    TEXT(protocol_progress, "subject", subject, 0),
    TEXT(protocol_progress, "text", text, 0),
};

struct final_fields {
    int64_t exit_code, parts;
    char message[ERR_TEXT_MAX];
};
static const struct json_field final_table[] = {
    NUMBER(final_fields, "exit", exit_code, 0, 255, -1),
    NUMBER(final_fields, "parts", parts, 0, 1000000, 0),
    TEXT(final_fields, "message", message, 0),
};

struct protocol_request protocol_request_init(const char *verb)
{
    struct protocol_request r = {.window = -1, .reserve = -1, .until = -1};
    (void)str_copy(r.verb, sizeof r.verb, verb);
    return r;
}

static json_t *object_of(const char *type)
{
    return json_pack("{s:i,s:s}", "version", PROTOCOL_VERSION, "type", type);
}

int protocol_request_write(const struct protocol_request *req, struct buf *out, struct err *err)
{
    SCOPED(json_object_free) json_t *object = object_of("request");
    int rc = object ? json_fields_put(object, request_fields, ARRAY_LEN(request_fields), req, err)
                    : err_nomem(err);
    return rc ? rc : json_object_write(&object, out, err);
}

static int take_header(json_t *object, char type[16], struct err *err)
{
    struct header {
        int64_t version;
        char type[16];
    } h = {0, ""};
    static const struct json_field table[] = {
        NUMBER(header, "version", version, 0, INT64_MAX, 0),
        TEXT(header, "type", type, 0),
    };
    int rc = json_fields_take(object, table, ARRAY_LEN(table), &h, err);
    if (rc)
        return rc;
    if (h.version != PROTOCOL_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "message version %lld, expected %d: the command line and the service are of "
                       "different releases; restart the service after an update",
                       (long long)h.version, PROTOCOL_VERSION);
    memcpy(type, h.type, sizeof h.type);
    return ERR_OK;
}

static int check_request(const struct protocol_request *r, struct err *err)
{
    if (!*r->verb)
        return err_set(err, ERR_PARSE, "field 'verb' is missing");
    if (*r->deadline && strcmp(r->deadline, "hold") != 0 && strcmp(r->deadline, "resume") != 0)
        return err_set(err, ERR_PARSE, "field 'deadline': expected 'hold' or 'resume', found '%s'",
                       r->deadline);
    if ((r->token_id != 0) != (r->token_epoch != 0))
        return err_set(err, ERR_PARSE, "a token has both 'token-id' and 'token-epoch'");
    return ERR_OK;
}

int protocol_request_read(const char *data, size_t len, struct protocol_request *ret,
                          struct err *err)
{
    SCOPED(json_object_free) json_t *object = NULL;
    struct protocol_request r = protocol_request_init("");
    char type[16];
    int rc = json_object_read(data, len, &object, err);
    if (!rc)
        rc = take_header(object, type, err);
    if (!rc && strcmp(type, "request") != 0)
        rc = err_set(err, ERR_PARSE, "expected a message of type 'request', found '%s'", type);
    if (!rc)
        rc = json_fields_take(object, request_fields, ARRAY_LEN(request_fields), &r, err);
    if (!rc)
        rc = json_fields_done(object, err);
    if (!rc)
        rc = check_request(&r, err);
    if (!rc)
        *ret = r;
    return rc;
}

int protocol_progress_write(const struct protocol_progress *p, struct buf *out, struct err *err)
{
    SCOPED(json_object_free) json_t *object = object_of("progress");
    int rc = object ? json_fields_put(object, progress_fields, ARRAY_LEN(progress_fields), p, err)
                    : err_nomem(err);
    return rc ? rc : json_object_write(&object, out, err);
}

/* Bytes of the next part: never in the middle of a UTF-8 sequence. */
static size_t part_length(const char *text, size_t left)
{
    if (left <= PROTOCOL_PART_BYTES)
        return left;
    size_t n = PROTOCOL_PART_BYTES;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static int emit_part(const char *text, size_t len, protocol_emit_fn emit, void *arg,
                     struct err *err)
{
    SCOPED(buf_free) struct buf out = BUF_INIT;
    SCOPED(json_object_free) json_t *object = object_of("part");
    json_t *piece = json_stringn(text, len);
    if (!object || !piece || json_object_set_new(object, "data", piece))
        return err_set(err, ERR_INVALID, "the document is not valid UTF-8");
    int rc = json_object_write(&object, &out, err);
    if (rc)
        return rc;
    if (emit(arg, false, buf_str(&out), out.len))
        return err_set(err, ERR_UNAVAILABLE, "the client has gone");
    return ERR_OK;
}

static int emit_final(const struct final_fields *f, const char *text, size_t len,
                      protocol_emit_fn emit, void *arg, struct err *err)
{
    SCOPED(buf_free) struct buf out = BUF_INIT;
    SCOPED(json_object_free) json_t *object = object_of("final");
    int rc = object ? json_fields_put(object, final_table, ARRAY_LEN(final_table), f, err)
                    : err_nomem(err);
    if (!rc && len) {
        json_t *piece = json_stringn(text, len);
        if (!piece || json_object_set_new(object, "document", piece))
            rc = err_set(err, ERR_INVALID, "the document is not valid UTF-8");
    }
    if (!rc)
        rc = json_object_write(&object, &out, err);
    if (rc)
        return rc;
    if (emit(arg, true, buf_str(&out), out.len))
        return err_set(err, ERR_UNAVAILABLE, "the client has gone");
    return ERR_OK;
}

/* A message is one line for people: what would be refused on the other side is made a blank. */
static void copy_message(char *dst, size_t size, const char *message)
{
    (void)str_copy(dst, size, message ? message : "");
    for (char *p = dst; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    }
}

int protocol_answer_write(int exit_code, const char *message, const char *document, size_t len,
                          protocol_emit_fn emit, void *arg, struct err *err)
{
    struct final_fields f = {.exit_code = exit_code};
    copy_message(f.message, sizeof f.message, message);
    if (len > PROTOCOL_DOCUMENT_BYTES)
        return err_set(err, ERR_LIMIT, "a document of %zu bytes, at most %u can be sent", len,
                       PROTOCOL_DOCUMENT_BYTES);
    while (len > PROTOCOL_PART_BYTES) {
        size_t n = part_length(document, len);
        int rc = emit_part(document, n, emit, arg, err);
        if (rc)
            return rc;
        document += n;
        len -= n;
        f.parts++;
    }
    return emit_final(&f, document, len, emit, arg, err);
}

void protocol_reader_free(struct protocol_reader *r)
{
    buf_free(&r->document);
}

/* Takes a text field out of the object and appends it to the document; an absent one is empty. */
static int take_piece(struct protocol_reader *r, json_t *object, const char *name, struct err *err)
{
    const json_t *value = json_object_get(object, name);
    if (value && !json_is_string(value))
        return err_set(err, ERR_PARSE, "field '%s': expected a text", name);
    if (value) {
        size_t len = json_string_length(value);
        if (r->document.len + len > PROTOCOL_DOCUMENT_BYTES)
            return err_set(err, ERR_LIMIT, "the document is larger than %u bytes",
                           PROTOCOL_DOCUMENT_BYTES);
        if (buf_add(&r->document, json_string_value(value), len))
            return err_nomem(err);
    }
    json_object_del(object, name);
    return ERR_OK;
}

static int take_final(struct protocol_reader *r, json_t *object, struct protocol_final *final,
                      struct err *err)
{
    struct final_fields f = {.exit_code = -1};
    int rc = json_fields_take(object, final_table, ARRAY_LEN(final_table), &f, err);
    if (!rc && f.exit_code < 0)
        rc = err_set(err, ERR_PARSE, "field 'exit' is missing");
    if (!rc)
        rc = take_piece(r, object, "document", err);
    if (!rc && f.parts != r->parts)
        rc = err_set(err, ERR_PARSE, "%lld parts of the answer were sent, %lld arrived",
                     (long long)f.parts, (long long)r->parts);
    if (rc)
        return rc;
    final->exit_code = (int)f.exit_code;
    final->parts = f.parts;
    memcpy(final->message, f.message, sizeof f.message);
    final->document = r->document;
    r->document = (struct buf)BUF_INIT;
    r->parts = 0;
    return ERR_OK;
}

int protocol_reader_take(struct protocol_reader *r, const char *data, size_t len,
                         enum protocol_kind *ret_kind, struct protocol_progress *progress,
                         struct protocol_final *final, struct err *err)
{
    SCOPED(json_object_free) json_t *object = NULL;
    struct protocol_progress p = {0};
    struct protocol_final f = {0};
    char type[16];
    enum protocol_kind kind = PROTOCOL_PART;
    int rc = json_object_read(data, len, &object, err);
    if (!rc)
        rc = take_header(object, type, err);
    if (rc)
        return rc;
    if (strcmp(type, "part") == 0) {
        rc = take_piece(r, object, "data", err);
        r->parts++;
    } else if (strcmp(type, "progress") == 0) {
        kind = PROTOCOL_PROGRESS;
        rc = json_fields_take(object, progress_fields, ARRAY_LEN(progress_fields), &p, err);
    } else if (strcmp(type, "final") == 0) {
        kind = PROTOCOL_FINAL;
        rc = take_final(r, object, &f, err);
    } else {
        rc = err_set(err, ERR_PARSE, "a message of the unknown type '%s'", type);
    }
    if (!rc)
        rc = json_fields_done(object, err);
    if (rc) {
        buf_free(&f.document);
        return rc;
    }
    *ret_kind = kind;
    if (kind == PROTOCOL_PROGRESS)
        *progress = p;
    if (kind == PROTOCOL_FINAL)
        *final = f;
    return ERR_OK;
}
