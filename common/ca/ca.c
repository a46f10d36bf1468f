/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ca/admin.h"
#include "ca/service.h"
#include "ca/settings.h"

const char *svc_state_name(enum svc_state state)
{
    static const char *const names[] = {
        [SVC_STOPPED] = "stopped",
        [SVC_START_PENDING] = "start pending",
        [SVC_STOP_PENDING] = "stop pending",
        [SVC_RUNNING] = "running",
        [SVC_CONTINUE_PENDING] = "continue pending",
        [SVC_PAUSE_PENDING] = "pause pending",
        [SVC_PAUSED] = "paused",
    };
    return (size_t)state < ARRAY_LEN(names) && names[state] ? names[state] : "unknown";
}

const char *svc_start_name(enum svc_start start, bool delayed_auto)
{
    switch (start) {
    case SVC_BOOT:
        return "boot";
    case SVC_SYSTEM:
        return "system";
    case SVC_AUTO:
        return delayed_auto ? "automatic (delayed)" : "automatic";
    case SVC_DEMAND:
        return "manual";
    case SVC_DISABLED:
        return "disabled";
    }
    return "unknown";
}

const char *svc_info_text(const struct svc_info *info, char dst[SVC_TEXT_MAX])
{
    static const char *const troubles[] = {
        [SVC_FINE] = "",
        [SVC_ELSEWHERE] = ", not this computer",
        [SVC_OUTSIDE] = ", but started outside the cluster",
        [SVC_FAILED] = ", failed",
    };
    if (!info->resource[0])
        snprintf(dst, SVC_TEXT_MAX, "%s", svc_state_name(info->state));
    else
        snprintf(dst, SVC_TEXT_MAX, "%s: cluster resource '%.200s' on %s%s",
                 svc_state_name(info->state), info->resource, info->owner, troubles[info->trouble]);
    return dst;
}

const char *ca_cpf_format(uint32_t flags, char *dst, size_t dst_size)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } bits[] = {
        {CPF_BASE, "BASE"},
        {CPF_DELTA, "DELTA"},
        {CPF_COMPLETE, "COMPLETE"},
        {CPF_SHADOW, "SHADOW"},
        {CPF_CASTORE_ERROR, "CASTORE_ERROR"},
        {CPF_BADURL_ERROR, "BADURL_ERROR"},
        {CPF_MANUAL, "MANUAL"},
        {CPF_SIGNATURE_ERROR, "SIGNATURE_ERROR"},
        {CPF_LDAP_ERROR, "LDAP_ERROR"},
        {CPF_FILE_ERROR, "FILE_ERROR"},
        {CPF_FTP_ERROR, "FTP_ERROR"},
        {CPF_HTTP_ERROR, "HTTP_ERROR"},
        {CPF_POSTPONED_BASE_LDAP, "POSTPONED_BASE_LDAP"},
        {CPF_POSTPONED_BASE_FILE, "POSTPONED_BASE_FILE"},
    };
    if (!flags) {
        str_copy(dst, dst_size, "0 (unknown)");
        return dst;
    }
    size_t used = 0;
    dst[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(bits) && used < dst_size; i++) {
        if (flags & bits[i].bit)
            used += (size_t)snprintf(dst + used, dst_size - used, "%s%s", used ? "|" : "",
                                     bits[i].name);
    }
    return dst;
}

enum ca_publish_verdict ca_cpf_verdict(uint32_t flags)
{
    if (flags == 0)
        return CA_PUBLISH_UNKNOWN;
    if (flags & CPF_SIGNATURE_ERROR)
        return CA_PUBLISH_FAILED;
    if (flags & CPF_ERROR_MASK)
        return CA_PUBLISH_PARTIAL;
    return flags & CPF_COMPLETE ? CA_PUBLISH_COMPLETE : CA_PUBLISH_UNKNOWN;
}

struct ca_hresult_hint ca_hresult_explain(uint32_t hresult)
{
    static const struct {
        uint32_t code;
        struct ca_hresult_hint hint;
    } table[] = {
        {0x800706BA,
         {"ca-not-running",
          "the CA does not answer: CertSvc is stopped or the host cannot be reached"}},
        {0x80094006, {"ca-not-running", "the CA has shut its interfaces down"}},
        {0x80070005,
         {"access",
          "access denied: the account lacks 'Manage CA', or a file location refuses the CA host"}},
        {0x80094008,
         {"access", "role separation is on and the account holds more than one CA role"}},
        {0x80070057,
         {"argument",
          "the CA refused the arguments (date in the past, or delta CRLs are disabled)"}},
        {0x80094004, {"argument", "the CA has no value for this property"}},
        {0x80090006, {"hsm", "the CRL that was produced does not verify; it was not published"}},
        {0x80090016, {"hsm", "the CA's key cannot be opened"}},
        {0x80090011, {"hsm", "the CA's key container was not found"}},
        {0x80090030, {"hsm", "the HSM is not ready"}},
        {0x80090035, {"hsm", "the HSM was not found"}},
        {0x8009002D, {"hsm", "the key provider reports an internal error"}},
        {0x80090020, {"hsm", "the key provider failed"}},
        {0x8009001D, {"hsm", "the key provider's DLL could not be initialised"}},
        {0x8009001E, {"hsm", "the key provider's DLL was not found"}},
        {0x80090022, {"hsm", "the key provider wanted to ask a person, and this is a service"}},
        {0x80090023, {"hsm", "the HSM partition is full"}},
        {0x8007208D, {"directory", "the CDP object does not exist in Active Directory"}},
        {0x80072098,
         {"directory", "the CA's account may not write the CDP object (Cert Publishers?)"}},
        {0x8007203A, {"directory", "the directory server cannot be reached"}},
        {0x800700A1, {"location", "a publishing location has a scheme the CA cannot write to"}},
        {0x8007010B, {"location", "the folder of a publishing location is not valid"}},
        {0x80070003, {"location", "the folder of a publishing location does not exist"}},
        {0x800700B7, {"location", "a file of that name exists at a publishing location"}},
        {0x8007052E, {"location", "the logon at a publishing location failed"}},
        {0x80004004,
         {"location", "a delta CRL was held back because its base was not delivered there"}},
        {0x80092013, {"parent-crl", "the parent CA's CRL cannot be fetched or has expired"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].code == hresult)
            return table[i].hint;
    }
    /* The Luna provider's code for an absent HSM is not documented: any NTE_* (FACILITY_SECURITY,
     * 0x80090000) is the key side. */
    if ((hresult & 0xFFFFF000u) == 0x80090000u)
        return (struct ca_hresult_hint){"hsm", "the key provider reports an error"};
    return (struct ca_hresult_hint){"other", "no further explanation is known for this code"};
}

void ca_settings_free(struct ca_settings *s)
{
    char **texts[] = {&s->registry_name, &s->common_name, &s->server_name, &s->config_string,
                      &s->ds_config_dn,  &s->domain_dn,   &s->provider,    &s->hash_algorithm};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(*texts[i]);
    for (size_t i = 0; i < s->n_crl_urls; i++)
        free(s->crl_urls[i].url);
    for (size_t i = 0; i < s->n_aia_urls; i++)
        free(s->aia_urls[i].url);
    for (size_t i = 0; i < s->n_cert_hashes; i++)
        free(s->cert_hashes[i]);
    free(s->crl_urls);
    free(s->aia_urls);
    free(s->cert_hashes);
    memset(s, 0, sizeof *s);
}

int ca_period_seconds(const struct ca_period *p, int64_t *ret, struct err *err)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"Seconds", 1},    {"Minutes", 60},     {"Hours", 3600},    {"Days", 86400},
                 {"Weeks", 604800}, {"Months", 2592000}, {"Years", 31536000}};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_eq_nocase(p->unit, units[i].unit)) {
            *ret = units[i].seconds * (int64_t)p->count;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_PARSE,
                   "'%s' is not a period unit of the CA; expected Seconds, Minutes, Hours, Days, "
                   "Weeks, Months or Years",
                   p->unit);
}
