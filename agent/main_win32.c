/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Entry of crlagent.exe. */
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#include "agent/askca_win32.h"
#include "agent/askworker_win32.h"
#include "agent/cli.h"
#include "agent/control_win32.h"
#include "agent/wire_win32.h"
#include "cdp/ldap.h"
#include "win32/places.h"
#include "win32/secretstore.h"
#include "win32/utf.h"

static int console_columns(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &info)) {
        int columns = info.srWindow.Right - info.srWindow.Left + 1;
        if (columns >= 40)
            return columns;
    }
    return 100;
}

static bool is_console(DWORD which)
{
    DWORD mode;
    return GetConsoleMode(GetStdHandle(which), &mode) != 0;
}

static char **utf8_arguments(int argc, wchar_t **wide)
{
    char **argv = calloc((size_t)argc + 1, sizeof *argv);
    struct err err = ERR_INIT;
    for (int i = 0; argv && i < argc; i++) {
        if (utf_from_wide(wide[i], &argv[i], &err)) {
            fprintf(stderr, "crlagent: argument %d: %s\n", i, err.text);
            return NULL;
        }
    }
    return argv;
}

/* The folder of the installed configuration gets its rights; a file elsewhere is its owner's. */
static int prepare_config(const char *path, struct err *err)
{
    SCOPED(scope_free) char *installed = NULL;
    int rc = wiring_config_path(&installed, err);
    if (rc || strcmp(path, installed) != 0)
        return rc;
    return place_secure(PLACE_CONFIG, err);
}

int wmain(int argc, wchar_t **wide); /* mingw-w64 declares none */
int wmain(int argc, wchar_t **wide)
{
    /* Only System32 may give us DLLs: a DLL planted beside the program or in the current folder is
     * never loaded. */
    SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    SetConsoleOutputCP(CP_UTF8);
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    char **argv = utf8_arguments(argc, wide);
    if (!argv)
        return EXIT_USAGE;
    SCOPED(scope_free) char *config_path = NULL;
    struct err err = ERR_INIT;
    if (wiring_config_path(&config_path, &err)) {
        fprintf(stderr, "crlagent: %s\n", err.text);
        return EXIT_FAILED;
    }
    struct cli cli = {
        .program = argv[0],
        .out = stdout,
        .err = stderr,
        .out_tty = is_console(STD_OUTPUT_HANDLE),
        .err_tty = is_console(STD_ERROR_HANDLE),
        .columns = console_columns(),
        .clock = clock_system(),
        .control = control_pipe(),
        .ldap = ldap_system(),
        .ask_ca = ask_ca,
        .ask_locations = ask_in_worker,
        .secrets = secret_store_system(),
        .config_path = config_path,
        .prepare_config = prepare_config,
    };
    return cli_main(&cli, argc, argv);
}
