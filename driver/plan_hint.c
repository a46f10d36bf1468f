/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the schema cannot say: what to do about an error, in the words of the person who fills in a
 * plan, and that a secret does not belong in it. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "driver/plan_int.h"

static const struct {
    const char *about; /* in the schema's message */
    const char *hint;
} hints[] = {
    {"'fingerprint'", "SHA256: and 43 characters, read at the appliance's own console, never from "
                      "the network that it is to protect"},
    {"'sha256'", "64 hex digits, from the vendor's download page: compare with 'certutil -hashfile "
                 "FILE SHA256'"},
    {"'authcode'", "only where the code comes from, 'prompt' or 'credential-manager'; never the "
                   "code itself. If it stood here, take it out and look who could read this file"},
    {"'password'", "a plan holds no secret: passwords are asked for, or come by --secrets-stdin"},
    {"Element 'authcode'", "write it as an attribute that says where the code comes from: "
                           "authcode=\"prompt\""},
    {"'start'", "a time with its zone: 2030-01-12T20:00:00Z, or 2030-01-12T21:00:00+01:00"},
    {"'end'", "a time with its zone: 2030-01-12T20:00:00Z, or 2030-01-12T21:00:00+01:00"},
    {"'date'", "the day on which it was attested: 2030-01-10"},
    {"'role'", "single, or in an HA group secondary and primary: secondaries first, the primary "
               "last"},
    {"'what'", "'hsmupgrade plan init' writes every attestation there is"},
    {"'software'", "as the appliance prints it: 7.7.0-317"},
    {"'firmware'", "as 'hsm show' prints it, without a build: 7.7.0"},
    {"'port'", "a number from 1 to 65535"},
    {"'id'", "letters, digits and '_ . -', not longer than 48, beginning with a letter or digit"},
    {"'name'", "letters, digits and '_ . -', not longer than 48, beginning with a letter or digit"},
    {"The value", "durations are whole numbers with a unit each, falling: 90s, 15m, 4h, 1d12h"},
    {"is not expected", "elements stand in the order of the example: 'hsmupgrade plan init' writes "
                        "one"},
    {"No matching global declaration",
     "the first element is <hsmplan xmlns=\"urn:crlagent:hsmplan:1\">, and there is one change in "
     "a file"},
    {"Missing child element", "'hsmupgrade plan init' writes an example with every element"},
};

void plan_hint(struct err *err)
{
    char what[ERR_TEXT_MAX];
    str_copy(what, sizeof what, err->text);
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        if (!strstr(what, hints[i].about))
            continue;
        (void)err_set(err, err->code, "%s\n  do: %s", what, hints[i].hint);
        return;
    }
}

/* A code has 16 characters of [A-Za-z0-9/]; a word of that length with all three kinds in it is
 * hardly anything else. */
static bool looks_like_code(const char *word, size_t n)
{
    bool upper = false, lower = false, digit = false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)word[i];
        if (!isalnum(c) && c != '/')
            return false;
        upper = upper || isupper(c);
        lower = lower || islower(c);
        digit = digit || isdigit(c);
    }
    return n == 16 && upper && lower && digit;
}

static bool holds_code(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, " \t\r\n:;,=()");
        if (looks_like_code(text, n))
            return true;
        text += n;
        text += strspn(text, " \t\r\n:;,=()");
    }
    return false;
}

static bool secret_word(const char *arg)
{
    static const char *const words[] = {"-pw", "-authcode", "--password", "-password", "--secret"};
    static const char *const parts[] = {"password=", "/password:", "authcode=", "passwd="};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq_nocase(arg, words[i]))
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        for (const char *p = arg; *p; p++) {
            if (str_starts_nocase(p, parts[i]))
                return true;
        }
    }
    return false;
}

static int secret_here(const char *label, const xmlNode *node, const char *where, struct err *err)
{
    return xml_fail(label, node, err,
                    "%s holds what looks like a secret (it is not shown here): a plan is read by "
                    "many and holds none. Take it out; passwords and codes are asked for, or come "
                    "by --secrets-stdin or the Credential Manager. If it was one, change it",
                    where);
}

int plan_refuse_secrets(const char *label, const xmlNode *node, struct err *err)
{
    static const char *const free_text[] = {"reason", "by"};
    for (size_t i = 0; i < ARRAY_LEN(free_text); i++) {
        SCOPED(scope_free) char *v = xmldoc_attribute(node, free_text[i]);
        char where[48];
        snprintf(where, sizeof where, "attribute '%s'", free_text[i]);
        if (v && (holds_code(v) || secret_word(v)))
            return secret_here(label, node, where, err);
    }
    if (xmldoc_is(node, "arg")) {
        SCOPED(scope_free) char *v = xmldoc_text(node);
        if (v && secret_word(v))
            return secret_here(label, node, "the command line", err);
    }
    for (const xmlNode *c = xmldoc_child(node, NULL); c; c = xmldoc_next(c, NULL)) {
        int rc = plan_refuse_secrets(label, c, err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}
