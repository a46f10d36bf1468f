/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Entry of hsmupgrade.exe. */
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>

#include "driver/exitcode.h"
#include "driver/stop.h"
#include "driver/verbs.h"
#include "win32/utf.h"

static int console_columns(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (GetConsoleScreenBufferInfo(GetStdHandle(STD_ERROR_HANDLE), &info)) {
        int columns = info.srWindow.Right - info.srWindow.Left + 1;
        if (columns >= 40)
            return columns;
    }
    return 100;
}

/* Repainting a line needs escape sequences, which the console of Server 2016 and later understands.
 */
static bool can_repaint(void)
{
    HANDLE h = GetStdHandle(STD_ERROR_HANDLE);
    DWORD mode;
    return GetConsoleMode(h, &mode) && SetConsoleMode(h, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

static char **utf8_arguments(int argc, wchar_t **wide)
{
    char **argv = calloc((size_t)argc + 1, sizeof *argv);
    struct err err = ERR_INIT;
    for (int i = 0; argv && i < argc; i++) {
        if (utf_from_wide(wide[i], &argv[i], &err)) {
            fprintf(stderr, "hsmupgrade: argument %d: %s\n", i, err.text);
            return NULL;
        }
    }
    return argv;
}

int wmain(int argc, wchar_t **wide); /* mingw-w64 declares none */
int wmain(int argc, wchar_t **wide)
{
    SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    SetConsoleOutputCP(CP_UTF8);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    /* The machine must not fall asleep in the middle: 15 s without us end the appliance's shell. */
    SetThreadExecutionState(ES_CONTINUOUS | ES_SYSTEM_REQUIRED);
    char **argv = utf8_arguments(argc, wide);
    if (!argv)
        return HU_USAGE;
    struct hu_cli cli = {
        .out = stdout,
        .err = stderr,
        .err_tty = can_repaint(),
        .columns = console_columns(),
        .clock = stop_clock(),
    };
    return hu_main(&cli, argc, argv);
}
