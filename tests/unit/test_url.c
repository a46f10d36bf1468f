/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "base/str.h"
#include "cdp/tokens.h"
#include "cdp/url.h"

static void url_parse__bad_input__refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"", ERR_INVALID},
        {"ftp://h/x", ERR_UNSUPPORTED},
        {"javascript://x", ERR_UNSUPPORTED},
        {"http://", ERR_INVALID},
        {"http:///x", ERR_INVALID},
        {"http://user:pw@h/x", ERR_INVALID},
        {"http://user@h/x", ERR_INVALID},
        {"http://h:0/x", ERR_INVALID},
        {"http://h:65536/x", ERR_INVALID},
        {"http://h:8x/x", ERR_INVALID},
        {"http://h/x#frag", ERR_INVALID},
        {"http://h/%zz", ERR_INVALID},
        {"http://h/\r\nHost: evil", ERR_INVALID},
        {"http://h/\x7f", ERR_INVALID},
        {"http://h\xff/x", ERR_INVALID},
        {"http://[::1/x", ERR_INVALID},
        {"http://[::1]x/x", ERR_INVALID},
        {"http://h h/x", ERR_INVALID},
        {"ldap:///", ERR_INVALID},
        {"ldap:///cn=a?b?wrong", ERR_INVALID},
        {"ldap:///cn=%00", ERR_PARSE},
        {"file://", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct url u;
        memset(&u, 0x55, sizeof u);
        int rc = url_parse(cases[i].text, &u, &err);
        if (rc != cases[i].code)
            fail_msg("'%s': %d '%s'", cases[i].text, rc, err.text);
        assert_int_equal(u.host[0], 0x55); /* untouched on failure */
        assert_true(err.text[0] != '\0');
    }
}

static void url_parse__longer_than_the_limit__refused(void **state)
{
    (void)state;
    char text[LIMIT_URL_CHARS + 2];
    struct url u;
    memset(text, 'a', sizeof text);
    memcpy(text, "http://h/", 9);
    text[LIMIT_URL_CHARS + 1] = '\0';
    assert_int_equal(url_parse(text, &u, NULL), ERR_LIMIT);
    text[LIMIT_URL_CHARS] = '\0';
    assert_int_equal(url_parse(text, &u, NULL), ERR_OK);
    /* each of these blanks becomes three characters */
    memset(text + 9, ' ', LIMIT_URL_CHARS - 9);
    assert_int_equal(url_parse(text, &u, NULL), ERR_LIMIT);
}

static void url_parse__table__normal_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *normal, *host, *path;
        enum location_kind kind;
        uint16_t port;
    } cases[] = {
        {"HTTP://PKI.Example.COM:80/A b.crl", "http://pki.example.com/A%20b.crl", "pki.example.com",
         "/A%20b.crl", LOC_HTTP, 0},
        {"http://pki/x+.crl", "http://pki/x+.crl", "pki", "/x+.crl", LOC_HTTP, 0},
        {"http://h", "http://h/", "h", "/", LOC_HTTP, 0},
        {"http://h?a=b", "http://h/?a=b", "h", "/?a=b", LOC_HTTP, 0},
        {"https://h:8443/x", "https://h:8443/x", "h", "/x", LOC_HTTPS, 8443},
        {"http://[2001:DB8::1]:81/x", "http://[2001:db8::1]:81/x", "2001:db8::1", "/x", LOC_HTTP,
         81},
        {"http://h/\xC3\xA4", "http://h/%C3%A4", "h", "/%C3%A4", LOC_HTTP, 0},
        {"ldap:///CN=A%20B,DC=x?certificateRevocationList?base?objectClass=cRLDistributionPoint",
         "ldap:///CN=A%20B,DC=x?certificateRevocationList?base?objectClass=cRLDistributionPoint",
         "", "CN=A B,DC=x", LOC_LDAP, 0},
        {"ldap://DC1:3268/cn=a", "ldap://dc1:3268/cn=a", "dc1", "cn=a", LOC_LDAP, 3268},
        {"file:///C:/Windows/x.crl", "C:/Windows/x.crl", "", "C:/Windows/x.crl", LOC_FILE, 0},
        {"file:///tmp/a%20b", "/tmp/a b", "", "/tmp/a b", LOC_FILE, 0},
        {"file://srv/share/x.crl", "\\\\srv\\share\\x.crl", "srv", "\\\\srv\\share\\x.crl",
         LOC_FILE, 0},
        {"\\\\srv\\share\\x.crl", "\\\\srv\\share\\x.crl", "srv", "\\\\srv\\share\\x.crl", LOC_FILE,
         0},
        {"/tmp/x.crl", "/tmp/x.crl", "", "/tmp/x.crl", LOC_FILE, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct url u;
        if (url_parse(cases[i].text, &u, &err))
            fail_msg("'%s': %s", cases[i].text, err.text);
        assert_string_equal(u.text, cases[i].normal);
        assert_string_equal(u.host, cases[i].host);
        assert_string_equal(u.path, cases[i].path);
        assert_int_equal(u.kind, cases[i].kind);
        assert_int_equal(u.port, cases[i].port);
        struct url again;
        assert_int_equal(url_parse(u.text, &again, NULL), ERR_OK);
        assert_string_equal(again.text, u.text);
    }
}

static void url_parse__ldap__parts(void **state)
{
    (void)state;
    struct url u;
    assert_int_equal(url_parse("ldaps://dc/cn=a?deltaRevocationList?sub?(cn=*)", &u, NULL), ERR_OK);
    assert_true(u.tls);
    assert_string_equal(u.attribute, "deltaRevocationList");
    assert_int_equal(u.scope, 2);
    assert_string_equal(u.filter, "(cn=*)");
    assert_int_equal(url_parse("ldap:///cn=a??one?objectClass=x", &u, NULL), ERR_OK);
    assert_string_equal(u.attribute, "");
    assert_int_equal(u.scope, 1);
    assert_string_equal(u.filter, "(objectClass=x)");
}

static void url_same__case_of_host__same(void **state)
{
    (void)state;
    assert_true(url_same("http://PKI/a.crl", "http://pki:80/a.crl"));
    assert_false(url_same("http://pki/A.crl", "http://pki/a.crl"));
}

static const struct token_values values = {
    .server_dns = "ca01.corp.example.com",
    .ca_name = "Lab Issuing CA",
    .domain_dn = "DC=corp,DC=example,DC=com",
    .config_dn = "CN=Configuration,DC=corp,DC=example,DC=com",
};

static void tokens_expand__unknown_token__refused(void **state)
{
    (void)state;
    char out[256];
    struct err err = ERR_INIT;
    assert_int_equal(tokens_expand("x%12y", &values, out, sizeof out, &err), ERR_INVALID);
    assert_int_equal(tokens_expand("%0", &values, out, sizeof out, &err), ERR_INVALID);
    struct token_values none = values;
    none.config_dn = NULL;
    assert_int_equal(tokens_expand("ldap:///%6", &none, out, sizeof out, &err), ERR_INVALID);
    assert_int_equal(tokens_expand("%1%1%1", &values, out, 20, &err), ERR_LIMIT);
}

static void tokens_expand__table__known_values(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *want;
        uint32_t key, partition;
        bool delta, encode;
    } cases[] = {
        {"http://%1/CertEnroll/%3%8%9.crl",
         "http://ca01.corp.example.com/CertEnroll/Lab%20Issuing%20CA.crl", 0, 0, false, true},
        {"http://%1/%3%8%9.crl", "http://ca01.corp.example.com/Lab%20Issuing%20CA(2)+.crl", 2, 0,
         true, true},
        {"C:\\CertEnroll\\%3%8%9.crl", "C:\\CertEnroll\\Lab Issuing CA+.crl", 0, 0, true, false},
        /* %10 is recognised before %1 */
        {"x%10", "x?certificateRevocationList?base?objectClass=cRLDistributionPoint", 0, 0, false,
         true},
        {"x%10", "x?deltaRevocationList?base?objectClass=cRLDistributionPoint", 0, 0, true, true},
        {"%11", "?cACertificate?base?objectClass=certificationAuthority", 0, 0, false, true},
        {"%2", "CA01", 0, 0, false, true},
        {"a%20b", "a%20b", 0, 0, false, true},
        {"%3<CRLPartitionIndex>%9.crl", "Lab Issuing CA_Partition00007.crl", 0, 7, false, false},
        {"<CRLPartitionIndex><CRLPartitionIndex>", "<CRLPartitionIndex>", 0, 0, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[512];
        struct token_values v = values;
        struct err err = ERR_INIT;
        v.key_index = cases[i].key;
        v.partition = cases[i].partition;
        v.delta = cases[i].delta;
        v.url_encode = cases[i].encode;
        if (tokens_expand(cases[i].pattern, &v, out, sizeof out, &err))
            fail_msg("'%s': %s", cases[i].pattern, err.text);
        assert_string_equal(out, cases[i].want);
    }
}

static void tokens_sanitize__odd_characters__escaped(void **state)
{
    (void)state;
    char out[256];
    assert_int_equal(tokens_sanitize("A/B \"C\" \xC3\xA4 \xF0\x9F\x94\x91", out, sizeof out, NULL),
                     ERR_OK);
    assert_string_equal(out, "A!002fB !0022C!0022 !00e4 !d83d!dd11");
    assert_int_equal(tokens_sanitize("A/B", out, 5, NULL), ERR_LIMIT);
    assert_int_equal(tokens_sanitize("\xff", out, sizeof out, NULL), ERR_PARSE);
}

static void tokens_sanitize_short__long_name__cut_outside_an_escape(void **state)
{
    (void)state;
    char out[128];
    assert_int_equal(tokens_sanitize_short("short", out, sizeof out, NULL), ERR_OK);
    assert_string_equal(out, "short");
    /* 49 letters, then an escape across the cut at 51: the cut moves in front of it */
    assert_int_equal(tokens_sanitize_short("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/tail",
                                           out, sizeof out, NULL),
                     ERR_OK);
    assert_int_equal(strlen(out), 49 + 1 + 5);
    assert_memory_equal(out, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-", 50);
    /* rotate-and-add over "ab": 'a' = 97; 97*2+98 = 292 */
    assert_int_equal(tokens_sanitize_short("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                                           out, sizeof out, NULL),
                     ERR_OK);
    assert_string_equal(out + 51, "-00292");
}

static void url_may_follow__table__only_where_no_log_on_happens(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool may;
    } cases[] = {
        {"http://pki.test/a.crl", true},
        {"HTTPS://pki.test/a.crl", true},
        {"ldap:///CN=x?a?base", true},
        {"ldaps:///CN=x?a?base", true},
        {"ldap://thief.test/CN=x", false},
        {"ldaps://thief.test/CN=x", false},
        {"file:///etc/hostname", false},
        {"file://thief.test/s/x", false},
        {"\\\\thief.test\\s\\x", false},
        {"//thief.test/s/x", false},
        {"C:\\x.crl", false},
        {"/etc/hostname", false},
        {"ftp://x/y", false},
        {"http:\\\\thief.test\\x", false},
        {" http://pki.test/", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (url_may_follow(cases[i].url) != cases[i].may)
            fail_msg("'%s': not as expected", cases[i].url);
    }
}

static void url_mask__table__no_password_is_left(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"http://user:pw@h/x.crl", "http://***@h/x.crl"},
        {"ftp://user:pw@h/x.crl", "ftp://***@h/x.crl"},
        {"ftp://user@h/x.crl", "ftp://***@h/x.crl"},
        {"http://u:p@w@h/x.crl", "http://***@h/x.crl"},
        {"http://u:p/w@h/x.crl", "http://***@h/x.crl"},
        {"http://CORP\\u:pw@h/x.crl", "http://***@h/x.crl"},
        {"user:pw@h/x.crl", "***@h/x.crl"},
        /* nothing to hide */
        {"http://h:8080/ca@corp.crl", "http://h:8080/ca@corp.crl"},
        {"http://[::1]:80/ca@corp.crl", "http://[::1]:80/ca@corp.crl"},
        {"ldap:///CN=a@b,DC=c?certificateRevocationList",
         "ldap:///CN=a@b,DC=c?certificateRevocationList"},
        {"C:\\a@b.crl", "C:\\a@b.crl"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[LIMIT_URL_CHARS + 8];
        assert_string_equal(url_mask(cases[i][0], out, sizeof out), cases[i][1]);
    }
}

static void url_parse__password__never_in_the_error(void **state)
{
    (void)state;
    static const char *const cases[] = {"http://user:geheim@h/x", "http://user:ge/geheim@h/x",
                                        "ftp://user:geheim@h/x", "ldap://u:geheim@h/cn=x",
                                        "http://CORP\\user:geheim@h/x"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url u;
        struct err err = ERR_INIT;
        assert_int_not_equal(url_parse(cases[i], &u, &err), ERR_OK);
        assert_null(strstr(err.text, "geheim"));
        assert_null(strstr(err.text, "ge'"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_may_follow__table__only_where_no_log_on_happens),
        cmocka_unit_test(url_mask__table__no_password_is_left),
        cmocka_unit_test(url_parse__password__never_in_the_error),
        cmocka_unit_test(url_parse__bad_input__refused),
        cmocka_unit_test(url_parse__longer_than_the_limit__refused),
        cmocka_unit_test(url_parse__table__normal_form),
        cmocka_unit_test(url_parse__ldap__parts),
        cmocka_unit_test(url_same__case_of_host__same),
        cmocka_unit_test(tokens_expand__unknown_token__refused),
        cmocka_unit_test(tokens_expand__table__known_values),
        cmocka_unit_test(tokens_sanitize__odd_characters__escaped),
        cmocka_unit_test(tokens_sanitize_short__long_name__cut_outside_an_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
