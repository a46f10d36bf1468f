/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A small COM client for tests of the lab itself: the calls an administrator's program makes.
 *   labadm publish FLAGS [SECONDS-FROM-NOW] | prop ID INDEX TYPE [OUTFILE] | roles | config NODE
 * NAME labadm start|stop|query SERVICE Prints JSON; the exit code is 0, or 1 with "hr" in the
 * output. */
#include <windows.h>
#include <oleauto.h>
#include <certadm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labwin.h"

static const GUID clsid_cert_admin = {
    0x37EABAF0, 0x7FB6, 0x11D0, {0x88, 0x17, 0x00, 0xA0, 0xC9, 0x03, 0xB8, 0x3C}};
static const GUID iid_cert_admin2 = {
    0xF7C3AC41, 0xB8CE, 0x4FB4, {0xAA, 0x58, 0x3D, 0x1D, 0xC0, 0xE3, 0x6B, 0x39}};

static int done(HRESULT hr)
{
    printf("{\"hr\":\"0x%08lx\"}\n", (unsigned long)hr);
    return SUCCEEDED(hr) ? 0 : 1;
}

static BSTR config_string(void)
{
    struct buf key = BUF_INIT, text = BUF_INIT;
    char *active = reg_text(LAB_CONFIG_KEY, "Active");
    buf_printf(&key, LAB_CONFIG_KEY "\\%s", active ? active : "");
    char *server = reg_text(buf_str(&key), "CAServerName"),
         *name = reg_text(buf_str(&key), "CommonName");
    buf_printf(&text, "%s\\%s", server ? server : "", name ? name : "");
    wchar_t *w = lab_wide(buf_str(&text));
    BSTR s = SysAllocString(w);
    free(w), free(active), free(server), free(name);
    buf_free(&key);
    buf_free(&text);
    return s;
}

static void print_text(const wchar_t *w)
{
    char *s = lab_utf8(w);
    putchar('"');
    for (const char *p = s; *p; p++) {
        if (*p == '\n')
            printf("\\n");
        else if (*p != '\r')
            printf(*p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    }
    putchar('"');
    free(s);
}

static void print_variant(const VARIANT *v)
{
    if (V_VT(v) == VT_I4)
        printf("%ld", V_I4(v));
    else if (V_VT(v) == VT_BSTR)
        print_text(V_BSTR(v));
    else
        printf("{\"vt\":%u}", V_VT(v));
}

static int property(ICertAdmin2 *admin, BSTR config, int argc, char **argv)
{
    VARIANT v;
    long type = strtol(argv[4], NULL, 0);
    VariantInit(&v);
    HRESULT hr = ICertAdmin2_GetCAProperty(admin, config, strtol(argv[2], NULL, 0),
                                           strtol(argv[3], NULL, 0), type, type == 3 ? 2 : 0, &v);
    if (FAILED(hr))
        return done(hr);
    if (type == 3 && argc > 5) {
        FILE *f = fopen(argv[5], "wb");
        if (f == NULL || fwrite(V_BSTR(&v), 1, SysStringByteLen(V_BSTR(&v)), f) == 0)
            hr = E_FAIL;
        if (f)
            fclose(f);
        return done(hr);
    }
    printf("{\"hr\":\"0x00000000\",\"value\":");
    print_variant(&v);
    printf("}\n");
    VariantClear(&v);
    return 0;
}

static int config_entry(ICertAdmin2 *admin, BSTR config, char **argv)
{
    VARIANT v;
    wchar_t *node = lab_wide(argv[2]), *name = lab_wide(argv[3]);
    BSTR bnode = SysAllocString(node), bname = SysAllocString(name);
    VariantInit(&v);
    HRESULT hr = ICertAdmin2_GetConfigEntry(admin, config, bnode, bname, &v);
    SysFreeString(bnode);
    SysFreeString(bname);
    free(node), free(name);
    if (FAILED(hr))
        return done(hr);
    printf("{\"hr\":\"0x00000000\",\"value\":");
    print_variant(&v);
    printf("}\n");
    VariantClear(&v);
    return 0;
}

static int administration(int argc, char **argv)
{
    ICertAdmin2 *admin = NULL;
    LONG roles = 0;
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    HRESULT hr = CoCreateInstance(&clsid_cert_admin, NULL, CLSCTX_INPROC_SERVER, &iid_cert_admin2,
                                  (void **)&admin);
    if (FAILED(hr))
        return done(hr);
    BSTR config = config_string();
    int rc = 2;
    if (argc >= 3 && strcmp(argv[1], "publish") == 0) {
        double at =
            argc > 3 ? (double)(lab_now() + strtoll(argv[3], NULL, 10)) / 86400.0 + 25569.0 : 0.0;
        rc = done(ICertAdmin2_PublishCRLs(admin, config, at, strtol(argv[2], NULL, 0)));
    } else if (argc >= 5 && strcmp(argv[1], "prop") == 0) {
        rc = property(admin, config, argc, argv);
    } else if (argc >= 4 && strcmp(argv[1], "config") == 0) {
        rc = config_entry(admin, config, argv);
    } else if (strcmp(argv[1], "roles") == 0) {
        hr = ICertAdmin2_GetMyRoles(admin, config, &roles);
        if (FAILED(hr))
            rc = done(hr);
        else
            rc = printf("{\"hr\":\"0x00000000\",\"value\":%ld}\n", roles) < 0;
    }
    SysFreeString(config);
    ICertAdmin2_Release(admin);
    CoUninitialize();
    return rc;
}

/* start and stop wait up to 60 s for the final state; JSON with the SCM's own numbers. */
/* SERVICE_AUTO_START and so on; -1 = it cannot be asked. */
static long start_type(SC_HANDLE h)
{
    union {
        QUERY_SERVICE_CONFIGW config;
        BYTE bytes[8192]; /* the most that there can be */
    } c;
    DWORD n = 0;
    return QueryServiceConfigW(h, &c.config, sizeof c, &n) ? (long)c.config.dwStartType : -1;
}

static int service(const char *verb, const char *name)
{
    SERVICE_STATUS_PROCESS s = {0};
    DWORD n = 0, code = 0;
    wchar_t *w = lab_wide(name);
    SC_HANDLE scm = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE h = scm ? OpenServiceW(scm, w,
                                     SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG | SERVICE_START |
                                         SERVICE_STOP)
                      : NULL;
    free(w);
    bool query = strcmp(verb, "query") == 0, start = strcmp(verb, "start") == 0;
    if (h == NULL || (start && !StartServiceW(h, 0, NULL)) ||
        (!start && !query && !ControlService(h, SERVICE_CONTROL_STOP, (SERVICE_STATUS *)&s)))
        code = GetLastError();
    for (int i = 0; h && i < 1200; i++) {
        QueryServiceStatusEx(h, SC_STATUS_PROCESS_INFO, (BYTE *)&s, sizeof s, &n);
        if (query || s.dwCurrentState == SERVICE_STOPPED || s.dwCurrentState == SERVICE_RUNNING)
            break;
        Sleep(50);
    }
    printf(
        "{\"error\":%lu,\"state\":%lu,\"start\":%ld,\"pid\":%lu,\"exit\":\"0x%08lx\",\"hint\":%lu}"
        "\n",
        code, s.dwCurrentState, h ? start_type(h) : -1, s.dwProcessId, s.dwWin32ExitCode,
        s.dwWaitHint);
    bool ok = query || s.dwCurrentState == (start ? SERVICE_RUNNING : SERVICE_STOPPED);
    if (h)
        CloseServiceHandle(h);
    if (scm)
        CloseServiceHandle(scm);
    return code == 0 && ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && (strcmp(argv[1], "start") == 0 || strcmp(argv[1], "stop") == 0 ||
                      strcmp(argv[1], "query") == 0))
        return service(argv[1], argv[2]);
    if (argc >= 2)
        return administration(argc, argv);
    fprintf(stderr, "usage: labadm publish|prop|roles|config|start|stop|query ...\n");
    return 2;
}
