/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Preloaded into the Wine server. Half a second after a program's last word to it the server sends
 * SIGKILL, in case the program does not end by itself. On a busy machine a good program can need
 * that long to leave, and its caller then reads 137 where the exit code was 0. Here the SIGKILL
 * comes ten seconds later, and only to a process that is still the same one.
 * Ending a program from another one (TerminateProcess) does not come this way: its threads are
 * told with other signals, at once. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static int send_signal(pid_t pid, int sig)
{
    return (int)syscall(SYS_kill, pid, sig);
}

/* The handle stands for this very process, whoever gets its number later; it becomes readable at
 * the end of the process. */
static void *wait_then_kill(void *arg)
{
    struct pollfd p = {.fd = (int)(intptr_t)arg, .events = POLLIN};
    if (poll(&p, 1, PATIENCE_MS) == 0)
        syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0);
    close(p.fd);
    return NULL;
}

int kill(pid_t pid, int sig)
{
    int handle = sig == SIGKILL && pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (handle < 0)
        return send_signal(pid, sig);
    sigset_t all, old;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* the server's handlers stay with its own thread */
    int rc = pthread_create(&thread, NULL, wait_then_kill, (void *)(intptr_t)handle);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc) {
        close(handle);
        return send_signal(pid, sig);
    }
    pthread_detach(thread);
    return 0;
}
