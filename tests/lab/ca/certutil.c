/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab's certutil.exe: the verbs that the product and an administrator use around CRLs. The exit
 * code is the HRESULT; the texts are German when the setting certutil_lang=de says so, because
 * nobody may depend on them; certutil_hang=1 never ends, certutil_delay_ms waits first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ossl.h"

#include "base/file.h"
#include "camodel.h"
#include "crlmake.h"
#include "labwin.h"
#include "publish.h"
#include "rpc.h"

struct args {
    int n;
    char **v; /* after the verb */
};

static bool german(void)
{
    char lang[16];
    return strcmp(lab_text("certutil_lang", "en", lang, sizeof lang), "de") == 0;
}

/* "dd:hh" in seconds; -1 when it is not that. */
static int64_t span(const char *text)
{
    unsigned days = 0, hours = 0;
    char end = 0;
    if (sscanf(text, "%u:%u%c", &days, &hours, &end) != 2)
        return -1;
    return (int64_t)days * 86400 + (int64_t)hours * 3600;
}

static HRESULT verb_crl(const struct args *a)
{
    int flags = PUBLISH_BASE;
    int64_t until = 0;
    bool republish = false;
    for (int i = 0; i < a->n; i++) {
        if (str_eq_nocase(a->v[i], "delta"))
            flags = PUBLISH_DELTA;
        else if (str_eq_nocase(a->v[i], "republish"))
            republish = true;
        else if (span(a->v[i]) >= 0)
            until = lab_now() + span(a->v[i]);
        else
            return E_INVALIDARG;
    }
    return rpc_call(json_pack("{s:s,s:i,s:I,s:s}", "op", "publish", "flags",
                              flags | (republish ? PUBLISH_REPUBLISH : 0), "until",
                              (json_int_t)until, "caller", "certutil"),
                    NULL, NULL);
}

static HRESULT verb_ping(const struct args *a)
{
    (void)a;
    return rpc_call(json_pack("{s:s}", "op", "ping"), NULL, NULL);
}

static HRESULT verb_shutdown(const struct args *a)
{
    (void)a;
    return rpc_call(json_pack("{s:s}", "op", "shutdown"), NULL, NULL);
}

static HRESULT prop(int id, int index, int type, json_t **answer, struct buf *bytes)
{
    return rpc_call(
        json_pack("{s:s,s:i,s:i,s:i}", "op", "prop", "id", id, "index", index, "type", type),
        answer, bytes);
}

static HRESULT verb_getcrl(const struct args *a)
{
    struct buf bytes = BUF_INIT;
    int index = -1, id = 0x11;
    if (a->n < 1)
        return E_INVALIDARG;
    for (int i = 1; i < a->n; i++) {
        if (str_eq_nocase(a->v[i], "delta"))
            id = 0x12;
        else
            index = (int)strtol(a->v[i], NULL, 10);
    }
    HRESULT hr = prop(id, index, 3, NULL, &bytes);
    if (SUCCEEDED(hr))
        hr = HRESULT_FROM_WIN32(lab_write_file(a->v[0], bytes.data, bytes.len));
    buf_free(&bytes);
    return hr;
}

static const struct {
    const char *name;
    int id, type;
    bool indexed;
} infos[] = {
    {"name", 0x06, 4, false},
    {"sanitizedname", 0x07, 4, false},
    {"sanitizedshortname", 0x28, 4, false},
    {"dsname", 0x28, 4, false},
    {"dns", 0x16, 4, false},
    {"type", 0x0A, 1, false},
    {"certcount", 0x0B, 1, false},
    {"certstate", 0x13, 1, true},
    {"certversion", 0x27, 1, true},
    {"crlstate", 0x14, 1, true},
    {"crlstatus", 0x1E, 1, true},
    {"deltacrlstatus", 0x1F, 1, true},
    {"cdp", 0x29, 4, true},
    {"aia", 0x2A, 4, true},
    {"role", 0x17, 1, false},
    {"file", 0x01, 4, false},
    {"product", 0x02, 4, false},
};

static HRESULT info_one(size_t i, int index)
{
    struct buf bytes = BUF_INIT;
    json_t *answer = NULL;
    HRESULT hr = prop(infos[i].id, index, infos[i].type, &answer, &bytes);
    if (SUCCEEDED(hr)) {
        printf("%s[%d]: ", infos[i].name, index);
        if (infos[i].type == 1)
            printf("%lld\n", (long long)json_integer_value(json_object_get(answer, "number")));
        else
            printf("%s\n", buf_str(&bytes));
    }
    json_decref(answer);
    buf_free(&bytes);
    return hr;
}

static HRESULT verb_cainfo(const struct args *a)
{
    HRESULT hr = E_INVALIDARG;
    for (size_t i = 0; i < ARRAY_LEN(infos); i++) {
        if (a->n > 0 && !str_eq_nocase(a->v[0], infos[i].name))
            continue;
        hr = info_one(i, a->n > 1 ? (int)strtol(a->v[1], NULL, 10) : infos[i].indexed ? 0 : -1);
        if (FAILED(hr) && a->n > 0)
            return hr;
    }
    return a->n > 0 ? hr : S_OK;
}

static HRESULT verb_verifykeys(const struct args *a)
{
    static struct ca ca;
    struct hsm *hsm = NULL;
    (void)a;
    HRESULT hr = ca_load(&ca);
    if (SUCCEEDED(hr))
        hr = hsm_open(&hsm);
    for (size_t i = 0; i < ca.n_certs && SUCCEEDED(hr); i++) {
        if (ca.certs[i].x509 == NULL)
            continue;
        hr = hsm_test_key(hsm, ca.certs[i].label, ca.certs[i].public_key);
        printf("%u: %s: %s\n", ca.certs[i].index, ca.certs[i].label,
               SUCCEEDED(hr) ? "OK" : "FAILED");
    }
    hsm_close(hsm);
    return hr;
}

/* "ca\CRLPublicationURLs", "ca\csp\Provider", "CRLPeriod": the path without "ca" is below the CA.
 */
static HRESULT verb_getreg(const struct args *a)
{
    struct buf key = BUF_INIT;
    char *active = reg_text(LAB_CONFIG_KEY, "Active");
    const char *path = a->n > 0 ? a->v[0] : "";
    const char *last = strrchr(path, '\\');
    const char *name = last ? last + 1 : path;
    if (str_starts_nocase(path, "ca\\"))
        path += 3;
    buf_printf(&key, LAB_CONFIG_KEY "\\%s", active ? active : "");
    if (name > path)
        buf_printf(&key, "\\%.*s", (int)(name - path - 1), path);
    char *text = reg_text(buf_str(&key), name), **list = reg_multi(buf_str(&key), name);
    DWORD number = reg_dword(buf_str(&key), name, 0);
    bool is_number = number == reg_dword(buf_str(&key), name, 1);
    printf("HKEY_LOCAL_MACHINE\\%s:\n\n", buf_str(&key));
    if (text)
        printf("  %s REG_SZ = %s\n", name, text);
    else if (is_number)
        printf("  %s REG_DWORD = %lx (%lu)\n", name, number, number);
    for (size_t i = 0; list && list[i]; i++)
        printf("  %s REG_MULTI_SZ = %zu: %s\n", name, i, list[i]);
    HRESULT hr = text || is_number || list ? S_OK : HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);
    free(text), free(active);
    reg_multi_free(list);
    buf_free(&key);
    return hr;
}

static HRESULT view_crls(void)
{
    json_t *answer = NULL;
    HRESULT hr = rpc_call(json_pack("{s:s}", "op", "table"), &answer, NULL);
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(answer, "rows"), i, row)
    {
        char *text = json_dumps(row, JSON_PRESERVE_ORDER);
        printf("Row %zu: %s\n", i + 1, text);
        free(text);
    }
    json_decref(answer);
    return hr;
}

static void print_armoured(const uint8_t *der, size_t len)
{
    DWORD n = 0;
    CryptBinaryToStringA(der, (DWORD)len, CRYPT_STRING_BASE64HEADER, NULL, &n);
    char *text = calloc(1, n + 1);
    if (text && CryptBinaryToStringA(der, (DWORD)len, CRYPT_STRING_BASE64HEADER, text, &n))
        printf("\"%s\"\n", text);
    free(text);
}

/* The one question that the product asks: "-RequestID>0,Disposition=20", column RawCertificate. */
static HRESULT view_issued(void)
{
    struct buf bytes = BUF_INIT;
    json_t *answer = NULL, *rows;
    HRESULT hr = rpc_call(json_pack("{s:s}", "op", "issued"), &answer, &bytes);
    rows = json_object_get(answer, "rows");
    printf(german() ? "\"Binäres Zertifikat\"\n" : "\"Binary Certificate\"\n");
    for (size_t i = json_array_size(rows); i-- > 0;) {
        const json_t *row = json_array_get(rows, i);
        if (json_integer_value(json_object_get(row, "disposition")) == 20)
            print_armoured((const uint8_t *)bytes.data +
                               json_integer_value(json_object_get(row, "at")),
                           (size_t)json_integer_value(json_object_get(row, "len")));
    }
    json_decref(answer);
    buf_free(&bytes);
    return hr;
}

static HRESULT verb_view(const struct args *a)
{
    static const char *const known[] = {"-restrict", "-RequestID>0,Disposition=20", "-out",
                                        "RawCertificate", "csv"};
    if (a->n == 0 || !str_eq_nocase(a->v[0], "-restrict"))
        return view_crls();
    if (a->n != (int)ARRAY_LEN(known))
        return E_INVALIDARG;
    for (int i = 0; i < a->n; i++) {
        if (strcmp(a->v[i], known[i]) != 0)
            return E_INVALIDARG;
    }
    return view_issued();
}

/* Not a verb of the real one: has the CA issue a certificate. labissue CN DAYS [cdp=URL] [aia=URL]
 * [ocsp=URL] [back=DAYS] [public=FILE.pem] [signing=1] [out=FILE] */
static HRESULT verb_labissue(const struct args *a)
{
    struct buf der = BUF_INIT, pem = BUF_INIT;
    const char *out = NULL;
    json_t *r = a->n >= 2 ? json_pack("{s:s,s:s,s:I}", "op", "issue", "cn", a->v[0], "days",
                                      (json_int_t)strtoll(a->v[1], NULL, 10))
                          : NULL;
    if (r == NULL)
        return E_INVALIDARG;
    for (int i = 2; i < a->n; i++) {
        char *eq = strchr(a->v[i], '=');
        if (eq == NULL)
            continue;
        *eq++ = 0;
        if (strcmp(a->v[i], "out") == 0)
            out = eq;
        else if (strcmp(a->v[i], "back") == 0)
            json_object_set_new(r, "back", json_integer(strtoll(eq, NULL, 10)));
        else if (strcmp(a->v[i], "public") == 0 && file_read(eq, 16384, &pem, NULL) == ERR_OK)
            json_object_set_new(r, "public", json_string(buf_str(&pem)));
        else
            json_object_set_new(r, a->v[i], json_string(eq));
    }
    HRESULT hr = rpc_call(r, NULL, &der);
    if (SUCCEEDED(hr) && out)
        hr = HRESULT_FROM_WIN32(lab_write_file(out, der.data, der.len));
    buf_free(&der);
    buf_free(&pem);
    return hr;
}

static HRESULT verb_revoke(const struct args *a)
{
    if (a->n < 1)
        return E_INVALIDARG;
    return rpc_call(json_pack("{s:s,s:s,s:i}", "op", "revoke", "serial", a->v[0], "reason",
                              a->n > 1 ? (int)strtol(a->v[1], NULL, 10) : 0),
                    NULL, NULL);
}

/* Not a verb of the real one: makes big CRLs possible. */
static HRESULT verb_labrevoke(const struct args *a)
{
    return rpc_call(json_pack("{s:s,s:I}", "op", "revoke", "count",
                              (json_int_t)strtoll(a->n > 0 ? a->v[0] : "1", NULL, 10)),
                    NULL, NULL);
}

static const struct ca_cert *signer_of(const struct ca *ca, X509_CRL *crl)
{
    AUTHORITY_KEYID *aki = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
    const struct ca_cert *found = NULL;
    for (size_t i = ca->n_certs; i-- > 0 && !found;) {
        const ASN1_OCTET_STRING *ski =
            ca->certs[i].x509 ? X509_get0_subject_key_id(ca->certs[i].x509) : NULL;
        if (ski && (!aki || !aki->keyid || ASN1_OCTET_STRING_cmp(ski, aki->keyid) == 0))
            found = &ca->certs[i];
    }
    AUTHORITY_KEYID_free(aki);
    return found;
}

/* How certutil_sign makes the tool go wrong: "refuse", "wrong-key", "drop", "keep-freshest",
 * "keep-number", "hang". */
static bool goes_wrong(const char *how)
{
    char text[32];
    return strcmp(lab_text("certutil_sign", "", text, sizeof text), how) == 0;
}

static void remove_extension(X509_CRL *crl, const char *oid)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    int at = obj ? X509_CRL_get_ext_by_OBJ(crl, obj, -1) : -1;
    ASN1_OBJECT_free(obj);
    if (at >= 0)
        X509_EXTENSION_free(X509_CRL_delete_ext(crl, at));
}

static bool set_extension(X509_CRL *crl, const char *oid, const char *hex)
{
    long len = 0;
    uint8_t *der = OPENSSL_hexstr2buf(hex, &len);
    remove_extension(crl, oid);
    return crl_add_der(crl, oid, false, der, der ? (int)len : 0);
}

/* "-OID,OID": extensions to be taken out. */
static void remove_list(X509_CRL *crl, const char *list)
{
    char one[64];
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, p);
        if (!goes_wrong("keep-freshest") || strcmp(one, "2.5.29.46") != 0)
            remove_extension(crl, one);
        p += n + (p[n] == ',');
    }
}

/* "@file": the section [Extensions]; OID= takes one out, OID="{hex}" with _continue_= sets one. */
static HRESULT apply_file(X509_CRL *crl, const char *path)
{
    char line[256], oid[64] = "";
    FILE *f = fopen(path, "rb");
    HRESULT hr = S_OK;
    if (f == NULL)
        return HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);
    while (SUCCEEDED(hr) && fgets(line, sizeof line, f)) {
        char hex[128] = "";
        line[strcspn(line, "\r\n")] = '\0';
        size_t eq = strcspn(line, "=");
        if (sscanf(line, "_continue_=\"%127[0-9a-fA-F]\"", hex) == 1) {
            if (!goes_wrong("keep-number"))
                hr = set_extension(crl, oid, hex) ? S_OK : E_INVALIDARG;
        } else if (line[eq] && eq < sizeof oid) {
            snprintf(oid, sizeof oid, "%.*s", (int)eq, line);
            if (!line[eq + 1])
                remove_list(crl, oid);
        } else if (line[0] && line[0] != '[') {
            hr = E_INVALIDARG;
        }
    }
    fclose(f);
    return hr;
}

/* InFile OutFile now+dd:hh [-OID,OID | @file]: new dates and signature, the CRL number stays unless
 * the file says another one. */
static HRESULT change(const struct args *a, X509_CRL *crl, int64_t *validity)
{
    HRESULT hr = S_OK;
    for (int i = 2; i < a->n && SUCCEEDED(hr); i++) {
        if (str_starts_nocase(a->v[i], "now+") && span(a->v[i] + 4) > 0)
            *validity = span(a->v[i] + 4);
        else if (a->v[i][0] == '-')
            remove_list(crl, a->v[i] + 1);
        else if (a->v[i][0] == '@')
            hr = apply_file(crl, a->v[i] + 1);
        else
            hr = E_INVALIDARG;
    }
    if (goes_wrong("drop")) {
        STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
        X509_REVOKED_free(sk_X509_REVOKED_pop(list));
    }
    return hr;
}

static HRESULT resign(const struct args *a, X509_CRL *crl)
{
    static struct ca ca;
    struct hsm *hsm = NULL;
    uint8_t *der = NULL;
    int64_t now = lab_now(), validity = 7 * 86400;
    HRESULT hr = change(a, crl, &validity);
    if (SUCCEEDED(hr))
        hr = ca_load(&ca);
    if (FAILED(hr))
        return hr;
    const struct ca_cert *cert = signer_of(&ca, crl);
    if (goes_wrong("wrong-key") && ca.n_certs > 1)
        cert = cert == &ca.certs[0] ? &ca.certs[1] : &ca.certs[0];
    if (cert == NULL || goes_wrong("refuse"))
        return NTE_NOT_FOUND;
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)now),
              *to = ASN1_TIME_set(NULL, (time_t)(now + validity));
    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, to);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    hr = hsm_open(&hsm);
    if (SUCCEEDED(hr))
        hr = crl_sign(crl, cert, hsm);
    hsm_close(hsm);
    int len = SUCCEEDED(hr) ? i2d_X509_CRL(crl, &der) : 0;
    if (SUCCEEDED(hr))
        hr = len > 0 ? HRESULT_FROM_WIN32(lab_write_file(a->v[1], der, (size_t)len)) : E_FAIL;
    OPENSSL_free(der);
    return hr;
}

static HRESULT verb_sign(const struct args *a)
{
    if (a->n < 2)
        return E_INVALIDARG;
    while (goes_wrong("hang"))
        Sleep(200);
    FILE *f = fopen(a->v[0], "rb");
    if (f == NULL)
        return HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);
    struct buf in = BUF_INIT;
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        buf_add(&in, chunk, n);
    fclose(f);
    const uint8_t *p = (const uint8_t *)in.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)in.len);
    HRESULT hr = crl ? resign(a, crl) : (HRESULT)CRYPT_E_ASN1_BADTAG;
    X509_CRL_free(crl);
    buf_free(&in);
    return hr;
}

static const struct {
    const char *name;
    HRESULT (*run)(const struct args *a);
} verbs[] = {
    {"CRL", verb_crl},           {"ping", verb_ping},
    {"pingadmin", verb_ping},    {"GetCRL", verb_getcrl},
    {"CAInfo", verb_cainfo},     {"verifykeys", verb_verifykeys},
    {"getreg", verb_getreg},     {"view", verb_view},
    {"revoke", verb_revoke},     {"labrevoke", verb_labrevoke},
    {"sign", verb_sign},         {"shutdown", verb_shutdown},
    {"labissue", verb_labissue},
};

static int finish(const char *verb, HRESULT hr)
{
    char text[512];
    if (SUCCEEDED(hr)) {
        printf(german() ? "CertUtil: -%s-Befehl wurde erfolgreich ausgeführt.\n"
                        : "CertUtil: -%s command completed successfully.\n",
               verb);
    } else {
        publish_error_text(hr, text, sizeof text);
        printf(german() ? "CertUtil: -%s-Befehl ist fehlgeschlagen: 0x%lx (%lu)\n"
                        : "CertUtil: -%s command FAILED: 0x%lx (%lu)\n",
               verb, (unsigned long)hr, (unsigned long)hr);
        printf("CertUtil: %s\n",
               german() ? "Der Vorgang konnte nicht abgeschlossen werden." : text);
    }
    return (int)hr;
}

int main(int argc, char **argv)
{
    int i = 1;
    for (; i < argc; i++) {
        if (str_eq_nocase(argv[i], "-config") || str_eq_nocase(argv[i], "-t") ||
            str_eq_nocase(argv[i], "-dc"))
            i++;
        else if (!str_eq_nocase(argv[i], "-f") && !str_eq_nocase(argv[i], "-silent") &&
                 !str_eq_nocase(argv[i], "-gmt") && !str_eq_nocase(argv[i], "-seconds") &&
                 !str_eq_nocase(argv[i], "-split"))
            break;
    }
    while (lab_number("certutil_hang", 0))
        Sleep(200);
    lab_delay("certutil_delay_ms");
    for (size_t k = 0; i < argc && k < ARRAY_LEN(verbs); k++) {
        if (argv[i][0] == '-' && str_eq_nocase(argv[i] + 1, verbs[k].name)) {
            struct args a = {0, argv + i + 1};
            for (int j = i + 1; j < argc;
                 j++) /* common options may stand behind the verb as well */
                if (!str_eq_nocase(argv[j], "-silent") && !str_eq_nocase(argv[j], "-split") &&
                    !str_eq_nocase(argv[j], "-f"))
                    a.v[a.n++] = argv[j];
            return finish(verbs[k].name, verbs[k].run(&a));
        }
    }
    printf("CertUtil: Unknown arg: %s\n", i < argc ? argv[i] : "(none)");
    return finish("?", E_INVALIDARG);
}
