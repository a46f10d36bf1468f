/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Makes a fresh Wine prefix a CA host, once per lab: registry, certificates, services, COM class,
 * from the settings in C:\lab\ca.conf.   labsetup | labsetup com on | labsetup com off */
#include "ossl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camodel.h"
#include "labwin.h"

#define CLASSES "SOFTWARE\\Classes\\CLSID\\"
#define PROVIDER "SafeNet Key Storage Provider"

static int failures;

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "labsetup: %s failed (error %lu)\n", what, GetLastError());
        failures++;
    }
}

static const struct {
    const wchar_t *key;
    const char *text, *server, *name;
} classes[] = {
    {L"" CLASSES "{37EABAF0-7FB6-11D0-8817-00A0C903B83C}",
     CLASSES "{37EABAF0-7FB6-11D0-8817-00A0C903B83C}",
     CLASSES "{37EABAF0-7FB6-11D0-8817-00A0C903B83C}\\InprocServer32", "CertAdmin Class"},
    {L"" CLASSES "{A12D0F7A-1E84-11D1-9BD6-00C04FB683FA}",
     CLASSES "{A12D0F7A-1E84-11D1-9BD6-00C04FB683FA}",
     CLASSES "{A12D0F7A-1E84-11D1-9BD6-00C04FB683FA}\\InprocServer32", "CertView Class"},
};

static void com(bool on)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (!on)
            must(RegDeleteTreeW(HKEY_LOCAL_MACHINE, classes[i].key) == ERROR_SUCCESS,
                 "un-registering a COM class");
        else
            must(reg_put_text(classes[i].text, "", classes[i].name) &&
                     reg_put_text(classes[i].server, "", "C:\\windows\\system32\\certadm.dll") &&
                     reg_put_text(classes[i].server, "ThreadingModel", "Both"),
                 "registering a COM class");
    }
}

static PCCERT_CONTEXT read_cert(const char *path)
{
    uint8_t der[8192];
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    size_t n = fread(der, 1, sizeof der, f);
    fclose(f);
    return CertCreateCertificateContext(X509_ASN_ENCODING, der, (DWORD)n);
}

static bool add_to_store(const wchar_t *name, PCCERT_CONTEXT cert)
{
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, name);
    bool ok = store &&
              CertAddCertificateContextToStore(store, cert, CERT_STORE_ADD_REPLACE_EXISTING, NULL);
    if (store)
        CertCloseStore(store, 0);
    return ok;
}

static bool set_key(PCCERT_CONTEXT cert, const char *label)
{
    wchar_t provider[] = L"" PROVIDER, *container = lab_wide(label);
    CRYPT_KEY_PROV_INFO info = {
        .pwszContainerName = container, .pwszProvName = provider, .dwFlags = CRYPT_MACHINE_KEYSET};
    bool ok = CertSetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID, 0, &info);
    free(container);
    return ok;
}

/* C:\lab\cert0.cer ... with the key labels label.0 ...; their thumbprints become CACertHash. */
static void certificates(const char *key)
{
    char path[64], name[32], label[128], hashes[CA_CERTS_MAX][64];
    const char *list[CA_CERTS_MAX];
    size_t n = 0;
    for (; n < CA_CERTS_MAX; n++) {
        uint8_t thumb[20];
        DWORD len = sizeof thumb;
        snprintf(path, sizeof path, LAB_DIR "\\cert%zu.cer", n);
        snprintf(name, sizeof name, "label.%zu", n);
        PCCERT_CONTEXT cert = read_cert(path);
        if (cert == NULL)
            break;
        must(set_key(cert, lab_text(name, "", label, sizeof label)) && add_to_store(L"MY", cert) &&
                 add_to_store(L"CA", cert) &&
                 CertGetCertificateContextProperty(cert, CERT_SHA1_HASH_PROP_ID, thumb, &len),
             "storing a CA certificate");
        for (size_t i = 0; i < sizeof thumb; i++)
            snprintf(hashes[n] + 3 * i, 4, "%02x%s", thumb[i], i + 1 < sizeof thumb ? " " : "");
        list[n] = hashes[n];
        CertFreeCertificateContext(cert);
    }
    must(n > 0 && reg_put_multi(key, "CACertHash", list, n), "writing CACertHash");
    PCCERT_CONTEXT root = read_cert(LAB_DIR "\\root.cer");
    must(root && add_to_store(L"ROOT", root) && add_to_store(L"CA", root),
         "storing the root certificate");
    if (root)
        CertFreeCertificateContext(root);
}

static void urls(const char *key, const char *value, const char *setting)
{
    char name[32], text[8][512];
    const char *list[8];
    size_t n = 0;
    for (; n < ARRAY_LEN(text); n++) {
        snprintf(name, sizeof name, "%s.%zu", setting, n);
        lab_text(name, "", text[n], sizeof text[n]);
        if (text[n][0] == 0)
            break;
        list[n] = text[n];
    }
    must(reg_put_multi(key, value, list, n), value);
}

static void periods(const char *key)
{
    static const struct {
        const char *unit_name, *unit, *count_name;
        DWORD count;
    } p[] = {{"CRLPeriod", "Weeks", "CRLPeriodUnits", 1},
             {"CRLDeltaPeriod", "Days", "CRLDeltaPeriodUnits", 1},
             {"CRLOverlapPeriod", "Hours", "CRLOverlapUnits", 0},
             {"CRLDeltaOverlapPeriod", "Minutes", "CRLDeltaOverlapUnits", 0}};
    char text[64];
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        must(reg_put_text(key, p[i].unit_name,
                          lab_text(p[i].unit_name, p[i].unit, text, sizeof text)) &&
                 reg_put_dword(key, p[i].count_name,
                               (DWORD)lab_number(p[i].count_name, (long)p[i].count)),
             p[i].unit_name);
}

static void registry(void)
{
    char name[256], safe[256], key[512], sub[600], text[512];
    lab_text("ca_name", "Lab Issuing CA", name, sizeof name);
    ca_sanitize(name, safe, sizeof safe);
    snprintf(key, sizeof key, LAB_CONFIG_KEY "\\%s", safe);
    must(lab_write_file(LAB_DIR "\\registry-name", safe, strlen(safe)) == 0,
         "noting the CA's registry name");
    lab_text("config_dn", "", text, sizeof text);
    must(reg_put_text(LAB_CONFIG_KEY, "Active", safe) && reg_put_text(key, "CommonName", name) &&
             reg_put_dword(key, "UseDS", text[0] != 0) &&
             reg_put_dword(key, "CAType", text[0] ? 1 : 4),
         "writing the CA's names");
    if (text[0])
        must(reg_put_text(key, "DSConfigDN", text) &&
                 reg_put_text(key, "DSDomainDN", lab_text("domain_dn", "", text, sizeof text)),
             "writing the directory's names");
    must(reg_put_text(key, "CAServerName",
                      lab_text("ca_server", "ca01.lab.test", text, sizeof text)) &&
             reg_put_dword(key, "ClockSkewMinutes", 10) && reg_put_dword(key, "CRLFlags", 2) &&
             reg_put_dword(key, "CRLEditFlags", 0x100) &&
             reg_put_dword(key, "InterfaceFlags", 0x641) &&
             reg_put_dword(key, "AuditFilter", (DWORD)lab_number("AuditFilter", 0)) &&
             reg_put_dword(key, "RoleSeparationEnabled", 0) && reg_put_dword(key, "LogLevel", 3) &&
             reg_put_dword(key, "SetupStatus", 1) && reg_put_dword(key, "CRLAttemptRepublish", 0),
         "writing the CA's settings");
    snprintf(sub, sizeof sub, "%s\\CSP", key);
    must(reg_put_text(sub, "Provider", PROVIDER) && reg_put_dword(sub, "ProviderType", 0) &&
             reg_put_text(sub, "CNGHashAlgorithm", "SHA256") &&
             reg_put_text(sub, "CNGPublicKeyAlgorithm", "RSA") &&
             reg_put_dword(sub, "HashAlgorithm", 0xFFFFFFFF) &&
             reg_put_dword(sub, "MachineKeyset", 1),
         "writing CSP");
    snprintf(sub, sizeof sub, "%s\\EncryptionCSP", key);
    must(reg_put_text(sub, "Provider", "Microsoft Software Key Storage Provider"),
         "writing EncryptionCSP");
    if (lab_number("partitions", 0) > 0)
        must(reg_put_dword(key, "CRLMaxPartitions", (DWORD)lab_number("partitions", 0)),
             "writing CRLMaxPartitions");
    periods(key);
    urls(key, "CRLPublicationURLs", "cdp");
    urls(key, "CACertPublicationURLs", "aia");
    certificates(key);
}

static void service(SC_HANDLE scm, const wchar_t *name, const wchar_t *display, const wchar_t *path,
                    const wchar_t *depends)
{
    SC_HANDLE s = CreateServiceW(scm, name, display, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                                 SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, path, NULL, NULL,
                                 depends, NULL, NULL);
    must(s != NULL || GetLastError() == ERROR_SERVICE_EXISTS, "creating a service");
    if (s)
        CloseServiceHandle(s);
}

static void services(void)
{
    SC_HANDLE scm = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    must(scm != NULL, "opening the service control manager");
    service(scm, L"CertSvc", L"Active Directory Certificate Services",
            L"C:\\windows\\system32\\certsrv.exe", NULL);
    if (lab_number("dependant", 0))
        service(scm, L"LabWebEnroll", L"Lab service that depends on the CA",
                L"C:\\windows\\system32\\certsrv.exe dependant", L"CertSvc\0");
    if (scm)
        CloseServiceHandle(scm);
}

/* Wine has a certutil.exe of its own and would prefer it. */
static void native_certutil(void)
{
    static const wchar_t *const names[] = {L"certutil.exe", L"*certutil.exe"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        must(RegSetKeyValueW(HKEY_CURRENT_USER, L"Software\\Wine\\DllOverrides", names[i], REG_SZ,
                             L"native", sizeof L"native") == ERROR_SUCCESS,
             "preferring the lab's certutil.exe");
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "com") == 0) {
        com(strcmp(argv[2], "on") == 0);
        return failures;
    }
    CreateDirectoryW(L"C:\\windows\\system32\\CertLog", NULL);
    CreateDirectoryW(L"C:\\windows\\system32\\CertSrv", NULL);
    CreateDirectoryW(L"C:\\windows\\system32\\CertSrv\\CertEnroll", NULL);
    native_certutil();
    registry();
    com(true);
    services();
    return failures ? 1 : 0;
}
