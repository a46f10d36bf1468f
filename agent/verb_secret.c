/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent secret set|remove: passwords for mail servers and webhooks. The password comes from the
 * console without echo, or as one line on standard input; never from the command line, where every
 * user of the machine could read it. */
#include <windows.h>

#include <stdio.h>
#include <string.h>

#include "agent/cli.h"
#include "agent/verbs.h"
#include "base/str.h"
#include "win32/secretstore.h"

static int read_console(HANDLE console, DWORD mode, struct secret *s, struct err *err)
{
    wchar_t wide[SECRET_MAX];
    DWORD n = 0;
    fputs("Password: ", stderr);
    fflush(stderr);
    SetConsoleMode(console, (mode & ~(DWORD)ENABLE_ECHO_INPUT) | ENABLE_LINE_INPUT);
    BOOL ok = ReadConsoleW(console, wide, ARRAY_LEN(wide) - 1, &n, NULL);
    SetConsoleMode(console, mode);
    fputs("\n", stderr);
    while (n && (wide[n - 1] == L'\r' || wide[n - 1] == L'\n'))
        n--;
    wide[n] = L'\0';
    ok = ok && WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, s->password,
                                   sizeof s->password, NULL, NULL) > 0;
    SecureZeroMemory(wide, sizeof wide);
    return ok ? ERR_OK : err_set(err, ERR_IO, "no password could be read, or it is too long");
}

static int read_line(struct secret *s, struct err *err)
{
    if (!fgets(s->password, sizeof s->password, stdin))
        return err_set(err, ERR_INVALID, "standard input is empty; expected the password");
    size_t n = strcspn(s->password, "\r\n");
    if (!s->password[n])
        return err_set(err, ERR_LIMIT,
                       "the password on standard input has no line end or is "
                       "longer than %d bytes",
                       SECRET_MAX - 2);
    s->password[n] = '\0';
    return str_is_utf8(s->password, n)
               ? ERR_OK
               : err_set(err, ERR_PARSE, "the password on standard input is not UTF-8");
}

static int read_password(struct secret *s, struct err *err)
{
    HANDLE console = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode;
    int rc =
        GetConsoleMode(console, &mode) ? read_console(console, mode, s, err) : read_line(s, err);
    if (!rc && !s->password[0])
        rc = err_set(err, ERR_INVALID, "the password is empty");
    return rc;
}

int verb_secret_set(struct cli *cli, int argc, char **argv)
{
    const char *user = "";
    const struct opt table[] = {{"user", OPT_TEXT, &user, "USER", "Account that goes with it."}};
    const struct opts opts = {table, ARRAY_LEN(table), 1, 1};
    struct secret s = {0};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    int rc = str_copy(s.user, sizeof s.user, user)
                 ? ERR_OK
                 : err_set(&err, ERR_LIMIT, "the user name is too long");
    if (!rc)
        rc = read_password(&s, &err);
    if (!rc)
        rc = secret_store_put(argv[0], &s, &err);
    SecureZeroMemory(&s, sizeof s);
    if (rc)
        return cli_fail(cli, rc == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED, &err);
    fprintf(cli->out, "The secret '%s' is stored.\n", argv[0]);
    return EXIT_DONE;
}

int verb_secret_remove(struct cli *cli, int argc, char **argv)
{
    static const struct opts opts = {NULL, 0, 1, 1};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    int rc = secret_store_remove(argv[0], &err);
    if (rc)
        return cli_fail(cli, rc == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED, &err);
    fprintf(cli->out, "The secret '%s' is no longer stored.\n", argv[0]);
    return EXIT_DONE;
}
