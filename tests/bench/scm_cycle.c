/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* scm_cycle SERVICE [RUNS]: the bare stop and start of a service through the SCM, as short as it
 * can be done; prints one line "STOP_MS START_MS" per run. What the agent adds is measured against
 * it. */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static int wait_for(SC_HANDLE service, DWORD want)
{
    SERVICE_STATUS_PROCESS s;
    DWORD used;
    for (int i = 0; i < 60000; i++) {
        if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&s, sizeof s, &used))
            return 1;
        if (s.dwCurrentState == want)
            return 0;
        Sleep(1);
    }
    return 1;
}

static double now_ms(void)
{
    LARGE_INTEGER count, per_second;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&per_second);
    return (double)count.QuadPart * 1000.0 / (double)per_second.QuadPart;
}

int wmain(int argc, wchar_t **argv); /* mingw-w64 declares none */
int wmain(int argc, wchar_t **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: scm_cycle SERVICE [RUNS]\n");
        return 2;
    }
    long runs = argc > 2 ? wcstol(argv[2], NULL, 10) : 1;
    SC_HANDLE scm = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service =
        scm ? OpenServiceW(scm, argv[1], SERVICE_START | SERVICE_STOP | SERVICE_QUERY_STATUS)
            : NULL;
    if (!service) {
        fprintf(stderr, "scm_cycle: the service cannot be opened (error %lu)\n", GetLastError());
        return 1;
    }
    for (long i = 0; i < runs; i++) {
        SERVICE_STATUS status;
        double t0 = now_ms();
        if (!ControlService(service, SERVICE_CONTROL_STOP, &status) ||
            wait_for(service, SERVICE_STOPPED))
            return 1;
        double t1 = now_ms();
        if (!StartServiceW(service, 0, NULL) || wait_for(service, SERVICE_RUNNING))
            return 1;
        printf("%.1f %.1f\n", t1 - t0, now_ms() - t1);
        fflush(stdout);
    }
    CloseServiceHandle(service);
    CloseServiceHandle(scm);
    return 0;
}
