/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* measure N PROGRAM ARGS...: runs a program N times, its output thrown away, and prints one line:
 * the smallest wall time, the CPU time of that run (both in seconds), the largest peak memory (KiB)
 * and the exit code. A small program of its own, because a child's peak begins with what its parent
 * had when it was started. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_once(char **argv, double *wall, struct rusage *usage)
{
    int status = 0;
    double begin = now();
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (wait4(pid, &status, 0, usage) < 0)
        return -1;
    *wall = now() - begin;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    int runs = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0, code = 0;
    double best = 0, cpu = 0;
    long peak = 0;
    if (runs < 1) {
        fputs("usage: measure N PROGRAM ARGS...\n", stderr);
        return 2;
    }
    for (int i = 0; i < runs; i++) {
        struct rusage u = {0};
        double wall = 0;
        code = run_once(argv + 2, &wall, &u);
        if (i == 0 || wall < best) {
            best = wall;
            cpu = seconds(&u.ru_utime) + seconds(&u.ru_stime);
        }
        peak = u.ru_maxrss > peak ? u.ru_maxrss : peak;
    }
    printf("%.4f %.4f %ld %d\n", best, cpu, peak, code);
    return 0;
}
