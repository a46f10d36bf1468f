/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "config/config.h"
#include "unit/cmocka_unit.h"

struct row {
    const char *xml;   /* inside <crlagent> unless it starts with '<?' or '<!' or '!' */
    const char *words; /* must be in the error text, separated by '|' */
};

static int parse(const char *xml, struct config *ret, struct buf *problems, struct err *err)
{
    return config_parse("test.xml", xml, strlen(xml), ret, problems, err);
}

static void assert_words(const char *text, const char *words)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok(copy, "|"); w; w = strtok(NULL, "|")) {
        if (!strstr(text, w))
            fail_msg("'%s' is not in: %s", w, text);
    }
}

static void refuse(const char *xml, const char *words)
{
    SCOPED(config_free) struct config c = {0};
    SCOPED(buf_free) struct buf problems = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_not_equal(parse(xml, &c, &problems, &err), ERR_OK);
    assert_words(err.text, words);
    assert_true(problems.len > 0 || err.code == ERR_LIMIT);
    assert_null(c.access.operators); /* untouched */
}

static void config_parse__wrong_documents__named_with_line(void **state)
{
    (void)state;
    refuse("", "test.xml");
    refuse("hello", "test.xml:1");
    refuse("<crlagent>", "test.xml:1");
    refuse("<crlagent>\n<ca>\n</crlagent>", "test.xml:3");
    refuse("<other/>", "test.xml:1|other");
    refuse("<crlagent>\n <nonsense/>\n</crlagent>",
           "test.xml:2|nonsense|Allowed here, once each: ca, maintenance");
    refuse("<crlagent><ca>\n<administratoin>com</administratoin></ca></crlagent>",
           "test.xml:2|administratoin|administration");
    refuse("<crlagent colour=\"red\"/>", "test.xml:1|colour");
    refuse("<crlagent version=\"2\"/>", "test.xml:1|version");
    refuse("<crlagent><ca><watch>alarm</watch><watch>alarm</watch></ca></crlagent>", "watch");
}

static void config_parse__two_wrong_attributes_of_one_element__both_named(void **state)
{
    (void)state;
    static const char xml[] = "<crlagent><locations>\n<location url=\"http://a.test/a.crl\" "
                              "role=\"none\" warning=\"soon\"/></locations></crlagent>";
    SCOPED(config_free) struct config c = {0};
    SCOPED(buf_free) struct buf problems = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(parse(xml, &c, &problems, &err), ERR_PARSE);
    assert_words(err.text, "test.xml:2|'role'|(and 1 more)");
    assert_words(buf_str(&problems), "'role'|'none'|'warning'|'soon'");
}

static void config_parse__nul_bytes__said_in_words(void **state)
{
    (void)state;
    static const char xml[] = "<crlagent>\0</crlagent>";
    SCOPED(config_free) struct config c = {0};
    struct err err = ERR_INIT;
    assert_int_equal(config_parse("test.xml", xml, sizeof xml - 1, &c, NULL, &err), ERR_PARSE);
    assert_words(err.text, "test.xml|expected UTF-8 text");
}

static void config_parse__wrong_values__named_with_what_is_allowed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"<crlagent><ca>\n\n<administration>dcom</administration></ca></crlagent>",
         "test.xml:3|administration|dcom|auto, com or certutil"},
        {"<crlagent><ca><stop-timeout>10</stop-timeout></ca></crlagent>",
         "stop-timeout|'10'|90s, 4h, 1d12h"},
        {"<crlagent><ca><stop-timeout>4h1d</stop-timeout></ca></crlagent>", "stop-timeout|4h1d"},
        {"<crlagent><ca><stop-timeout>1s</stop-timeout></ca></crlagent>",
         "test.xml:1|stop-timeout|expected a duration from"},
        {"<crlagent><ca><stop-timeout>99999999999999999999d</stop-timeout></ca></crlagent>",
         "stop-timeout"},
        {"<crlagent><thresholds><base-warning>0%</base-warning></thresholds></crlagent>",
         "base-warning|1% to 99%"},
        {"<crlagent><thresholds><base-warning>90%</base-warning><base-critical>80%</base-critical>"
         "</thresholds></crlagent>",
         "base-critical|before the warning"},
        {"<crlagent><output><metrics-file>C:\\m.txt</metrics-file></output></crlagent>",
         "metrics-file|.prom|m.txt"},
        {"<crlagent><output><log-keep>0</log-keep></output></crlagent>", "log-keep|from 1 to 100"},
        {"<crlagent><notify><smtp-server>mail:25</smtp-server></notify></crlagent>",
         "smtp-server|smtp-from"},
        {"<crlagent><notify><webhook-url>http://x/</webhook-url><webhook-credential>w"
         "</webhook-credential></notify></crlagent>",
         "webhook-url|https"},
        {"<crlagent><probe><proxy>http://me:secret@proxy:3128</proxy></probe></crlagent>",
         "proxy|without user name and password"},
        {"<crlagent><notify><webhook-proxy>proxy</webhook-proxy></notify></crlagent>",
         "webhook-proxy|http://host:port"},
        {"<crlagent><probe><proxy-bypass><host>a/b</host></proxy-bypass></probe></crlagent>",
         "host|.domain"},
        {"<crlagent><locations><location/></locations></crlagent>", "location|url"},
        {"<crlagent><locations><location url=\"gopher://x\"/></locations></crlagent>",
         "gopher|ldap"},
        {"<crlagent><locations><location url=\"http://x/\" key=\"70000\"/></locations></crlagent>",
         "key|65535"},
        {"<crlagent><locations><location url=\"http://x/\" partition=\"1\"/></locations>"
         "</crlagent>",
         "partition|key"},
        {"<crlagent><ca><stop-with><service></service></stop-with></ca></crlagent>",
         "service|1 to 256"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        refuse(rows[i].xml, rows[i].words);
}

static void config_parse__document_type__refused_before_it_is_read(void **state)
{
    (void)state;
    refuse("<!DOCTYPE crlagent [<!ENTITY a \"b\">]><crlagent>&a;</crlagent>", "DOCTYPE");
    refuse("<!DOCTYPE crlagent SYSTEM \"file:///etc/passwd\"><crlagent/>", "DOCTYPE");
    refuse("<!DOCTYPE crlagent [<!ENTITY % x SYSTEM \"http://127.0.0.1/x\"> %x;]><crlagent/>",
           "DOCTYPE");
    refuse("<crlagent>&undeclared;</crlagent>", "test.xml:1");
}

static void config_parse__too_large__limit(void **state)
{
    (void)state;
    size_t len = LIMIT_XML_BYTES + 1u;
    char *big = malloc(len);
    assert_non_null(big);
    memset(big, ' ', len);
    struct config c = {0};
    struct err err = ERR_INIT;
    assert_int_equal(config_parse("big.xml", big, len, &c, NULL, &err), ERR_LIMIT);
    assert_words(err.text, "big.xml");
    free(big);
}

static void config_parse__deep_nesting__refused(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf xml = BUF_INIT;
    for (int i = 0; i < 100000; i++)
        buf_puts(&xml, "<ca>");
    refuse(buf_str(&xml), "test.xml");
}

static void config_parse__several_problems__all_listed(void **state)
{
    (void)state;
    struct config c = {0};
    SCOPED(buf_free) struct buf problems = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(parse("<crlagent><ca>\n<watch>x</watch>\n<key-probe>y</key-probe></ca>"
                           "</crlagent>",
                           &c, &problems, &err),
                     ERR_PARSE);
    assert_words(err.text, "test.xml:2|and 1 more");
    assert_words(buf_str(&problems), "test.xml:2|test.xml:3|key-probe");
}

static void config_load__no_file__not_found(void **state)
{
    (void)state;
    struct config c = {0};
    struct err err = ERR_INIT;
    assert_int_equal(config_load("no-such-file.xml", &c, NULL, &err), ERR_NOT_FOUND);
}

static void config_parse__empty_root__all_defaults(void **state)
{
    (void)state;
    SCOPED(config_free) struct config c = {0};
    struct err err = ERR_INIT;
    assert_int_equal(parse("<crlagent/>", &c, NULL, &err), ERR_OK);
    assert_int_equal(c.ca.administration, CONFIG_ADMIN_AUTO);
    assert_int_equal(c.ca.stop_timeout, 600);
    assert_true(c.ca.minimum_stop_time == CONFIG_AUTO);
    assert_true(c.ca.change_start_type);
    assert_int_equal(c.maintenance.reserve, 7200);
    assert_int_equal(c.maintenance.deadline_action, CONFIG_DEADLINE_HOLD);
    assert_int_equal(c.thresholds.base_warning.percent, 80);
    assert_int_equal(c.notify.minimum, SEV_CRITICAL);
    assert_int_equal(c.output.log_size, 10485760);
    assert_string_equal(c.access.operators, "");
    assert_int_equal(c.n_locations, 0);
}

static const char full[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<crlagent version=\"1\">\n"
    "<locations><location url=\"http://a/b%20c.crl\" role=\"delta\" key=\"1\" partition=\"3\" "
    "warning=\"4h\">"
    "<address>192.0.2.1</address><address>2001:db8::1</address></location>"
    "<location url=\"ldap:///CN=x?certificateRevocationList\"/></locations>\n"
    "<ca><watch>stop-again</watch><stop-with><service>A</service><service>B &amp; C</service>"
    "</stop-with><minimum-stop-time>61s</minimum-stop-time></ca>\n"
    "<access><operators>EXAMPLE\\PKI-Op\xc3\xa9rateurs</operators></access></crlagent>";

static void config_parse__all_kinds_in_any_order__read(void **state)
{
    (void)state;
    SCOPED(config_free) struct config c = {0};
    struct err err = ERR_INIT;
    if (parse(full, &c, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(c.n_locations, 2);
    assert_int_equal(c.locations[0].role, CONFIG_ROLE_DELTA);
    assert_int_equal(c.locations[0].addresses.n, 2);
    assert_true(c.locations[0].has_key);
    assert_int_equal(c.locations[0].key, 1);
    assert_int_equal(c.locations[0].partition, 3);
    assert_false(c.locations[1].has_key);
    assert_string_equal(c.locations[0].addresses.item[1], "2001:db8::1");
    assert_int_equal(c.ca.stop_with.n, 2);
    assert_string_equal(c.ca.stop_with.item[1], "B & C");
    assert_int_equal(c.ca.minimum_stop_time, 61);
    assert_string_equal(c.access.operators, "EXAMPLE\\PKI-Op\xc3\xa9rateurs");
    struct crl_thresholds t = config_thresholds(&c, &c.locations[0], true);
    assert_int_equal(t.warn_seconds, 4 * 3600);
    assert_int_equal(t.warn_percent, 0);
    assert_int_equal(t.crit_percent, 95);
    assert_int_equal(t.skew, 300);
}

static void config_write__round_trip__same_again(void **state)
{
    (void)state;
    SCOPED(config_free) struct config a = {0}, b = {0};
    SCOPED(buf_free) struct buf first = BUF_INIT, second = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(parse(full, &a, NULL, &err), ERR_OK);
    assert_int_equal(config_write(&a, &first, &err), ERR_OK);
    if (parse(buf_str(&first), &b, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(config_write(&b, &second, &err), ERR_OK);
    assert_string_equal(buf_str(&first), buf_str(&second));
}

static void config_template__read_back__equals_defaults(void **state)
{
    (void)state;
    SCOPED(config_free) struct config a = {0}, b = {0};
    SCOPED(buf_free) struct buf text = BUF_INIT, from_file = BUF_INIT, from_program = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(config_template(&text, &err), ERR_OK);
    if (parse(buf_str(&text), &a, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(config_defaults(&b, &err), ERR_OK);
    assert_int_equal(config_write(&a, &from_file, &err), ERR_OK);
    assert_int_equal(config_write(&b, &from_program, &err), ERR_OK);
    assert_string_equal(buf_str(&from_file), buf_str(&from_program));
    assert_words(buf_str(&text), "Allowed: auto, com or certutil|<address>192.0.2.10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_parse__wrong_documents__named_with_line),
        cmocka_unit_test(config_parse__two_wrong_attributes_of_one_element__both_named),
        cmocka_unit_test(config_parse__nul_bytes__said_in_words),
        cmocka_unit_test(config_parse__wrong_values__named_with_what_is_allowed),
        cmocka_unit_test(config_parse__document_type__refused_before_it_is_read),
        cmocka_unit_test(config_parse__too_large__limit),
        cmocka_unit_test(config_parse__deep_nesting__refused),
        cmocka_unit_test(config_parse__several_problems__all_listed),
        cmocka_unit_test(config_load__no_file__not_found),
        cmocka_unit_test(config_parse__empty_root__all_defaults),
        cmocka_unit_test(config_parse__all_kinds_in_any_order__read),
        cmocka_unit_test(config_write__round_trip__same_again),
        cmocka_unit_test(config_template__read_back__equals_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
