/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "driver/exitcode.h"

static volatile sig_atomic_t wanted;
static int wake[2] = {-1, -1}; /* readable for ever once a stop is wanted */

static void on_signal(int number)
{
    static const char first[] =
        "\nstopping at the next safe point; once more: at once (the journal knows where)\n";
    int e = errno;
    (void)number;
    if (wanted)
        _exit(HU_INTERRUPTED);
    wanted = 1;
    (void)!write(STDERR_FILENO, first, sizeof first - 1);
    (void)!write(wake[1], "", 1);
    errno = e;
}

void stop_install(void)
{
    /* Reads and writes of the journal go on; only waits are cut short, by the pipe. */
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (wake[0] >= 0 || pipe2(wake, O_CLOEXEC | O_NONBLOCK))
        return;
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    struct sigaction before;
    /* Somebody who started us with nohup wants us to go on. */
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &a, NULL);
}

bool stop_wanted(void)
{
    return wanted != 0;
}

static int sleep_ms(void *self, int64_t ms)
{
    int64_t end = clock_system_mono_ms(self) + ms;
    while (!wanted && ms > 0) {
        struct pollfd p = {.fd = wake[0], .events = POLLIN};
        poll(&p, 1, ms > 1000000 ? 1000000 : (int)ms);
        ms = end - clock_system_mono_ms(self);
    }
    return wanted != 0;
}

const struct clock *stop_clock(void)
{
    static const struct clock_ops ops = {clock_system_now, clock_system_mono_ms, sleep_ms};
    static const struct clock clock = {&ops, NULL};
    return &clock;
}

bool stop_wait_input(void)
{
    while (!wanted) {
        struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = wake[0], .events = POLLIN}};
        if (poll(p, 2, -1) > 0 && p[0].revents)
            return true;
    }
    return false;
}
