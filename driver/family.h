/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A product family as data: prompt, result line, the commands that are typed and the texts that
 * mean something. The compiled-in default is installer/families/luna.xml. */
#ifndef CRLAGENT_DRIVER_FAMILY_H
#define CRLAGENT_DRIVER_FAMILY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum rule_kind {
    RULE_QUESTION,       /* may be answered 'proceed' for the commands named */
    RULE_NEVER,          /* a question that is always answered 'quit' */
    RULE_STOP,           /* a person must take over */
    RULE_PED,            /* the command now waits for a key on the PED */
    RULE_LOGIN_USER,     /* console login asks for the account */
    RULE_LOGIN_PASSWORD, /* ... for the password */
    RULE_LOGIN_REFUSED,  /* ... refused */
    RULE_ABSENT,         /* the shell works, the HSM card does not answer */
    RULE_BAD,            /* failure in the body, whatever the result number says */
    RULE_GOOD,           /* must be in the body for success */
};

struct family_rule {
    enum rule_kind kind;
    char id[32];
    char match[160];    /* pattern.h */
    char commands[128]; /* blank-separated command ids it belongs to; "" = every command */
    char key[16];       /* PED: colour of the key */
    char who[32];       /* PED: the role the key stands for */
    char text[160];     /* STOP: what to tell the operator */
};

struct family_command {
    char id[24];
    char text[128];   /* template: {file} {authcode} {name} */
    char expect[192]; /* for the operator who types it by hand */
};

#define FAMILY_RULES_MAX 64
#define FAMILY_COMMANDS_MAX 48

struct family {
    char name[32];
    char prompt[32]; /* the end of the prompt: "lunash:>" */
    char result[32]; /* the beginning of the result line: "Command Result :" */
    struct family_rule rule[FAMILY_RULES_MAX];
    size_t n_rules;
    struct family_command command[FAMILY_COMMANDS_MAX];
    size_t n_commands;
};

/* Reads a family file (ERR_PARSE with line and element). *ret is untouched on failure. */
MUST_CHECK int family_load(const char *label, const char *bytes, size_t len, struct family *ret,
                           struct err *err);
/* The built-in Luna family. */
MUST_CHECK int family_builtin(struct family *ret, struct err *err);

/* The first rule of that kind whose pattern occurs in text and that belongs to the command (NULL =
 * do not look at commands); NULL when there is none. */
const struct family_rule *family_match(const struct family *f, enum rule_kind kind,
                                       const char *command_id, const char *text, size_t len);

const struct family_command *family_command(const struct family *f, const char *id);

/* Fills the template. `file` and `name` may hold letters, digits and "_. -" only, `authcode`
 * letters, digits and '/': ERR_INVALID otherwise, so that nothing typed can hold a control
 * character, a Tab or a '?'. NULL for what the template does not use. */
MUST_CHECK int family_fill(const struct family_command *c, const char *file, const char *authcode,
                           const char *name, struct buf *ret, struct err *err);

#endif
