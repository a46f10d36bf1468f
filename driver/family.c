/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/family.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "driver/embedded.h"
#include "driver/pattern.h"
#include "driver/xml.h"

struct reader {
    const char *label;
    struct family *f;
    struct err *err;
};

static int read_rule(struct reader *r, const xmlNode *node, enum rule_kind kind)
{
    if (r->f->n_rules == FAMILY_RULES_MAX)
        return xml_fail(r->label, node, r->err, "more than %d patterns", FAMILY_RULES_MAX);
    struct family_rule *rule = &r->f->rule[r->f->n_rules];
    memset(rule, 0, sizeof *rule);
    rule->kind = kind;
    int rc = xml_attr_copy(r->label, node, "id", rule->id, sizeof rule->id, r->err);
    if (!rc)
        rc = xml_attr_copy(r->label, node, "match", rule->match, sizeof rule->match, r->err);
    if (!rc)
        rc =
            xml_attr_copy(r->label, node, "command", rule->commands, sizeof rule->commands, r->err);
    if (!rc)
        rc = xml_attr_copy(r->label, node, "key", rule->key, sizeof rule->key, r->err);
    if (!rc)
        rc = xml_attr_copy(r->label, node, "who", rule->who, sizeof rule->who, r->err);
    if (!rc)
        rc = xml_attr_copy(r->label, node, "text", rule->text, sizeof rule->text, r->err);
    if (!rc && !rule->match[0])
        rc = xml_fail(r->label, node, r->err, "attribute 'match' is missing or empty");
    if (!rc && kind == RULE_QUESTION && !rule->commands[0])
        rc = xml_fail(
            r->label, node, r->err,
            "attribute 'command' is missing: a question is answered for named commands only");
    if (!rc)
        r->f->n_rules++;
    return rc;
}

static int read_login(struct reader *r, const xmlNode *node)
{
    char ask[16];
    int rc = xml_attr_copy(r->label, node, "ask", ask, sizeof ask, r->err);
    if (rc)
        return rc;
    if (strcmp(ask, "user") == 0)
        return read_rule(r, node, RULE_LOGIN_USER);
    if (strcmp(ask, "password") == 0)
        return read_rule(r, node, RULE_LOGIN_PASSWORD);
    if (strcmp(ask, "refused") == 0)
        return read_rule(r, node, RULE_LOGIN_REFUSED);
    return xml_fail(r->label, node, r->err,
                    "attribute 'ask' is '%s', allowed: user, password, refused", ask);
}

static int read_command(struct reader *r, const xmlNode *node)
{
    if (r->f->n_commands == FAMILY_COMMANDS_MAX)
        return xml_fail(r->label, node, r->err, "more than %d commands", FAMILY_COMMANDS_MAX);
    struct family_command *c = &r->f->command[r->f->n_commands];
    int rc = xml_attr_copy(r->label, node, "id", c->id, sizeof c->id, r->err);
    if (!rc)
        rc = xml_attr_copy(r->label, node, "text", c->text, sizeof c->text, r->err);
    if (!rc)
        rc = xml_attr_copy(r->label, node, "expect", c->expect, sizeof c->expect, r->err);
    if (!rc && (!c->id[0] || !c->text[0]))
        rc = xml_fail(r->label, node, r->err, "attributes 'id' and 'text' are needed");
    if (!rc)
        r->f->n_commands++;
    return rc;
}

static int read_element(struct reader *r, const xmlNode *node)
{
    static const struct {
        const char *name;
        enum rule_kind kind;
    } kinds[] = {
        {"question", RULE_QUESTION}, {"never", RULE_NEVER}, {"stop", RULE_STOP}, {"ped", RULE_PED},
        {"absent", RULE_ABSENT},     {"bad", RULE_BAD},     {"good", RULE_GOOD},
    };
    if (xmldoc_is(node, "prompt"))
        return xml_attr_copy(r->label, node, "text", r->f->prompt, sizeof r->f->prompt, r->err);
    if (xmldoc_is(node, "result"))
        return xml_attr_copy(r->label, node, "text", r->f->result, sizeof r->f->result, r->err);
    if (xmldoc_is(node, "command"))
        return read_command(r, node);
    if (xmldoc_is(node, "login"))
        return read_login(r, node);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (xmldoc_is(node, kinds[i].name))
            return read_rule(r, node, kinds[i].kind);
    }
    return xml_fail(
        r->label, node, r->err,
        "unknown element, allowed: prompt, result, command, question, never, stop, ped, "
        "login, absent, bad, good");
}

int family_load(const char *label, const char *bytes, size_t len, struct family *ret,
                struct err *err)
{
    SCOPED(xmldoc_free) xmlDoc *doc = NULL;
    int rc = xmldoc_parse(label, bytes, len, &(struct xml_schema){.name = label}, NULL, &doc, err);
    if (rc)
        return rc;
    struct family f;
    memset(&f, 0, sizeof f);
    struct reader r = {label, &f, err};
    const xmlNode *root = xmlDocGetRootElement(doc);
    if (!xmldoc_is(root, "family"))
        return xml_fail(label, root, err, "expected the root element <family>");
    rc = xml_attr_copy(label, root, "name", f.name, sizeof f.name, err);
    for (const xmlNode *n = xmldoc_child(root, NULL); n && !rc; n = xmldoc_next(n, NULL))
        rc = read_element(&r, n);
    if (!rc && (!f.prompt[0] || !f.result[0]))
        rc = xml_fail(label, root, err, "<prompt> and <result> are needed");
    if (!rc)
        *ret = f;
    return rc;
}

int family_builtin(struct family *ret, struct err *err)
{
    return family_load("families/luna.xml", embedded_family_luna, strlen(embedded_family_luna), ret,
                       err);
}

const struct family_rule *family_match(const struct family *f, enum rule_kind kind,
                                       const char *command_id, const char *text, size_t len)
{
    for (size_t i = 0; i < f->n_rules; i++) {
        const struct family_rule *r = &f->rule[i];
        if (r->kind != kind)
            continue;
        if (command_id && r->commands[0] && !pattern_has_word(r->commands, command_id))
            continue;
        if (pattern_find(text, len, r->match))
            return r;
    }
    return NULL;
}

const struct family_command *family_command(const struct family *f, const char *id)
{
    for (size_t i = 0; i < f->n_commands; i++) {
        if (strcmp(f->command[i].id, id) == 0)
            return &f->command[i];
    }
    return NULL;
}

static bool only(const char *value, const char *extra)
{
    for (; *value; value++) {
        if (!isalnum((unsigned char)*value) && !strchr(extra, *value))
            return false;
    }
    return true;
}

static int put_value(const char *what, const char *value, const char *extra, struct buf *ret,
                     struct err *err)
{
    if (!value || !*value)
        return err_set(err, ERR_INVALID, "the command needs a %s and none was given", what);
    if (!only(value, extra))
        return err_set(
            err, ERR_INVALID,
            "the %s holds a character that is never typed (allowed: letters, digits, '%s')", what,
            extra);
    bool quote = strchr(value, ' ') != NULL;
    buf_printf(ret, quote ? "\"%s\"" : "%s", value);
    return ERR_OK;
}

int family_fill(const struct family_command *c, const char *file, const char *authcode,
                const char *name, struct buf *ret, struct err *err)
{
    int rc = ERR_OK;
    for (const char *p = c->text; *p && !rc;) {
        if (str_starts(p, "{file}")) {
            rc = put_value("file name", file, "_. -", ret, err);
            p += 6;
        } else if (str_starts(p, "{authcode}")) {
            rc = put_value("authorization code", authcode, "/", ret, err);
            p += 10;
        } else if (str_starts(p, "{name}")) {
            rc = put_value("name", name, "_. -", ret, err);
            p += 6;
        } else {
            buf_putc(ret, *p++);
        }
    }
    return rc ? rc : buf_check(ret, "command", err);
}
