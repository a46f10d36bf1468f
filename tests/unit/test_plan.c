/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "driver/hagroup.h"
#include "driver/hop.h"
#include "driver/paths.h"
#include "driver/plan.h"

/* The example with one text replaced by another. */
static void example_with(const char *from, const char *to, struct buf *out)
{
    size_t len;
    const char *text = plan_example(&len);
    const char *at = strstr(text, from);
    assert_non_null(at);
    buf_add(out, text, (size_t)(at - text));
    buf_puts(out, to);
    buf_puts(out, at + strlen(from));
}

/* Twenty ways and more to fill it in wrongly: each error has the line, what it is about, what was
 * expected, and what to do. */
static void plan_parse__broken__line_what_expected_and_what_to_do(void **state)
{
    (void)state;
#define FINGERPRINT "fingerprint=\"SHA256:0000000000000000000000000000000000000000000\""
    static const struct {
        const char *from, *to, *says, *does;
    } cases[] = {
        {"<change id=\"CHG0000000\"", "<change", "attribute 'id' is required",
         "not longer than 48"},
        {"id=\"CHG0000000\"", "id=\"CHG 1/2\"", "'id'", "letters, digits"},
        {"software=\"7.7.0-317\"", "software=\"newest\"", "'software'",
         "as the appliance prints it"},
        {"firmware=\"7.7.0\" client", "firmware=\"v7.7\" client", "'firmware'", "without a build"},
        {"software=\"7.7.0-317\" firmware=\"7.7.0\" client", "client",
         "a target 'software' or 'firmware' is needed", ""},
        {"2030-01-13T02:00:00Z", "2030-01-12T02:00:00Z", "ends before it starts", ""},
        {"2030-01-13T02:00:00Z", "2030-03-12T02:00:00Z", "longer than 30 days", ""},
        {"2030-01-12T20:00:00Z", "2030-01-12T20:00:00", "'start'", "a time"},
        {"2030-01-12T20:00:00Z", "12.01.2030 20:00", "'start'", "a time with its zone"},
        {"date=\"2030-01-10\"", "date=\"10.01.2030\"", "'date'", "2030-01-10"},
        {"authcode=\"prompt\"", "authcode=\"5/Rd79MAGd/G9EY5\"", "'authcode'",
         "never the code itself"},
        {"authcode=\"prompt\"", "authcode=\"prompt\" password=\"x\"", "'password'", "no secret"},
        {"reason=\"Luna", "reason=\"5/Rd79MAGd/G9EY5 Luna", "looks like a secret", "Take it out"},
        {"<arg>crlagent</arg>", "<arg>--password=x</arg>", "looks like a secret", "Take it out"},
        {"sha256=\"0000", "sha256=\"00", "'sha256'", "64 hex digits"},
        {FINGERPRINT, "", "'fingerprint' is required", "at the appliance's own console"},
        {FINGERPRINT, "fingerprint=\"any\"", "'fingerprint'", "at the appliance's own console"},
        {"role=\"secondary\"", "role=\"primary\"", "secondaries first, the primary last", ""},
        {"role=\"secondary\"", "role=\"backup\"", "'role'", "secondary and primary"},
        {"name=\"hsm-a\"", "name=\"hsm-b\"", "a second appliance 'hsm-b'", "a name of its own"},
        {"host=\"hsm-a.example.net\"", "host=\"HSM-B.example.net\"", "the same place", "once"},
        {"<agent name=\"CA02\">", "<agent name=\"CA01\">", "a second agent 'CA01'",
         "a name of its own"},
        {"<serial device", "<serial xdevice", "device", ""},
        {"user=\"admin\" fingerprint", "user=\"admin\" port=\"0\" fingerprint", "'port'",
         "1 to 65535"},
        {"console=\"serial\">", "console=\"serial\"><manual/>", "'ssh'", "order of the example"},
        {"<attestations>", "<attested>", "plan.xml:", ""},
        {"<activation by", "<reactivation/><activation by", "'reactivation'",
         "order of the example"},
        {"what=\"ups\"", "what=\"power\"", "'what'", "plan init"},
        {"ped=\"1000s\"", "ped=\"1000\"", "'ped'", "durations"},
        {"ped=\"1000s\"", "ped=\"0s\"", "longer than 0s", ""},
        {"lunasa_update-7.7.0-317.spkg\"", ".hidden\"", "not starting with '.'", ""},
        {"<agents>", "<agent>", "plan.xml:", ""},
        {"<hsmplan xmlns=\"urn:crlagent:hsmplan:1\">", "<hsmplan>", "hsmplan", "the first element"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(buf_free) struct buf text = BUF_INIT;
        SCOPED(plan_free) struct plan p;
        struct err err = ERR_INIT;
        example_with(cases[i].from, cases[i].to, &text);
        int rc = plan_parse("plan.xml", buf_str(&text), text.len, &p, &err);
        if (rc != ERR_PARSE || !str_starts(err.text, "plan.xml:") ||
            !strchr("0123456789", err.text[9]) || !strstr(err.text, cases[i].says) ||
            !strstr(err.text, cases[i].does) || strstr(err.text, "G9EY5"))
            fail_msg("case %zu: code %d: %s", i, rc, err.text);
    }
}

#define VIA                                                                                        \
    "<via software=\"7.4.0-226\" firmware=\"7.4.0\"><package file=\"a.spkg\" "                     \
    "sha256=\"0000000000000000000000000000000000000000000000000000000000000000\" "                 \
    "authcode=\"prompt\"/></via>"

static void plan_parse__hops__in_order_with_a_package_each(void **state)
{
    (void)state;
    static const struct {
        const char *via, *says; /* says NULL: good */
    } cases[] = {
        {VIA, NULL},
        {"<via firmware=\"7.4.0\"/>", NULL},
        {"<via/>", "a target 'software' or 'firmware' is needed"},
        {"<via software=\"7.4.0-226\"/>", "needs the element <package>"},
        {"<via firmware=\"7.7.0\"/>", "expected a version after 7.7.0"},
        {"<via firmware=\"7.8.0\"/>", "expected a version after 7.8.0"},
        {"<via firmware=\"7.4.0\"/><via firmware=\"7.2.0\"/>", "expected a version after 7.4.0"},
        {VIA VIA, "expected a version after 7.4.0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(buf_free) struct buf text = BUF_INIT;
        SCOPED(buf_free) struct buf to = BUF_INIT;
        SCOPED(plan_free) struct plan p;
        struct err err = ERR_INIT;
        buf_printf(&to, "%s<package file=\"C:", cases[i].via);
        size_t len;
        const char *example = plan_example(&len);
        /* the first one stands in a comment */
        const char *at = strstr(strstr(example, "-->\n\n  <!-- authcode"), "<package file=\"C:");
        buf_add(&text, example, (size_t)(at - example));
        buf_puts(&text, buf_str(&to));
        buf_puts(&text, at + strlen("<package file=\"C:"));
        int rc = plan_parse("plan.xml", buf_str(&text), text.len, &p, &err);
        if (cases[i].says ? rc != ERR_PARSE || !strstr(err.text, cases[i].says) : rc != ERR_OK)
            fail_msg("case %zu: code %d: %s", i, rc, err.text);
        if (cases[i].says)
            continue;
        assert_int_equal(p.n_hops, 2);
        assert_string_equal(p.hop[0].firmware, "7.4.0");
        assert_string_equal(plan_target(&p)->software, "7.7.0-317");
    }
}

static void plan_parse__example__complete(void **state)
{
    (void)state;
    size_t len;
    const char *text = plan_example(&len);
    SCOPED(plan_free) struct plan p;
    struct err err = ERR_INIT;
    assert_int_equal(plan_parse("plan.xml", text, len, &p, &err), ERR_OK);
    assert_string_equal(p.change, "CHG0000000");
    assert_int_equal(p.window_end - p.window_start, 6 * 3600);
    assert_int_equal(p.n_appliances, 2);
    assert_int_equal(p.appliance[0].role, ROLE_SECONDARY);
    assert_int_equal(p.appliance[0].ssh.port, 22);
    assert_int_equal(p.appliance[1].console, CONSOLE_SERIAL);
    assert_string_equal(p.appliance[1].serial.device, "\\\\.\\COM3");
    assert_int_equal(p.n_hops, 1);
    assert_string_equal(plan_target(&p)->package.name, "lunasa_update-7.7.0-317.spkg");
    assert_true(plan_target(&p)->patch.present);
    assert_int_equal(p.n_agents, 2);
    assert_int_equal(p.agent[1].command.n, 3);
    assert_null(p.agent[1].command.arg[3]);
    assert_int_equal(p.timeouts.ped, 1000);
    assert_int_equal(strlen(p.digest), 64);
    /* everybody is called NAME: nobody has attested anything */
    assert_int_equal(plan_check_attestations(&p, 1900000000, &err), ERR_STATE);
    assert_non_null(strstr(err.text, "backup-restored (still the placeholder NAME)"));
}

static void plan_attested__name_and_day__both_count(void **state)
{
    (void)state;
    struct plan p = {.n_attest = 2,
                     .attest = {{"ups", "NAME", "2029-01-01"}, {"ups", "J. Doe", "2030-01-10"}}};
    int64_t noon;
    struct err err = ERR_INIT;
    assert_int_equal(when_parse("2030-01-10T12:00:00Z", &noon, &err), ERR_OK);
    assert_null(plan_attested(&p, "dr-plan", noon));
    assert_null(plan_attested(&p, "ups", noon - 2 * 86400)); /* the day has not come */
    assert_string_equal(plan_attested(&p, "ups", noon)->by, "J. Doe");
    /* in the easternmost zone the day begins twelve hours before it does in UTC */
    assert_non_null(plan_attested(&p, "ups", noon - 86400 + 60));
    assert_int_equal(plan_check_attestations(&p, noon - 2 * 86400, &err), ERR_STATE);
    assert_non_null(strstr(err.text, "ups (still the placeholder NAME) (dated in the future)"));
}

static void hop_needs__shown_version__nothing_goes_back(void **state)
{
    (void)state;
    static const struct {
        const char *shown;
        bool first, second;
    } cases[] = {
        {"7.2.0-220", true, true}, {"7.4.0-226", false, true}, {"7.7.0-317", false, false},
        {"7.7.0-300", true, true}, /* another build: the route decides */
        {"7.9.0-1", true, true},
    };
    struct plan p = {
        .n_hops = 2,
        .hop = {{.software = "7.4.0-226", .package.name = "a.spkg", .patch.name = "p.spkg"},
                {.software = "7.7.0-317", .package.name = "b.spkg"}}};
    char text[80];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(hop_needs_software(&p, 0, cases[i].shown), cases[i].first);
        assert_int_equal(hop_needs_software(&p, 1, cases[i].shown), cases[i].second);
        assert_false(hop_needs_firmware(&p, 0, cases[i].shown));
    }
    assert_string_equal(hop_name(&p, 1, "update", text), "update@2");
    assert_string_equal(hop_code_key(&p, 0, false, text), "authcode:a.spkg");
    assert_string_equal(hop_code_key(&p, 0, true, text), "authcode:p.spkg");
    assert_string_equal(hop_code_key(&p, 1, false, text), "authcode");
    p.n_hops = 1;
    assert_string_equal(hop_name(&p, 0, "update", text), "update");
}

static void plan_check_package__other_bytes__expected_and_found(void **state)
{
    (void)state;
    struct plan_package k = {.present = true, .file = "test-package.bin"};
    uint64_t size = 0;
    struct err err = ERR_INIT;
    assert_int_equal(plan_check_package(&k, &size, &err), ERR_NOT_FOUND);
    assert_int_equal(file_write_atomic("test-package.bin", "abc", 3, &err), ERR_OK);
    assert_int_equal(plan_check_package(&k, &size, &err), ERR_CRYPTO);
    assert_non_null(
        strstr(err.text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    assert_int_equal(file_remove("test-package.bin", &err), ERR_OK);
}

static void paths_route__table__verdicts(void **state)
{
    (void)state;
    static const struct {
        enum component c;
        const char *from, *to;
        enum route_verdict verdict;
        size_t hops;
    } cases[] = {
        {COMPONENT_SOFTWARE, "7.2.0-220", "7.7.0-317", ROUTE_FOUND, 1},
        {COMPONENT_SOFTWARE, "7.7.0-317", "7.7.0-317", ROUTE_ALREADY, 0},
        {COMPONENT_SOFTWARE, "6.2.2-5", "7.7.0-317", ROUTE_BARRIER, 0},
        {COMPONENT_SOFTWARE, "5.3.0-11", "7.0.0", ROUTE_BARRIER, 0},
        {COMPONENT_SOFTWARE, "7.9.0-300", "7.7.0", ROUTE_DOWNGRADE, 0},
        {COMPONENT_SOFTWARE, "7.7.0", "7.8.0", ROUTE_WITHDRAWN, 0},
        {COMPONENT_SOFTWARE, "7.7.0", "7.9.0", ROUTE_UNLISTED, 0},
        {COMPONENT_SOFTWARE, "5.1.3", "6.2.2", ROUTE_UNLISTED, 0},
        {COMPONENT_FIRMWARE, "7.0.3", "7.7.0", ROUTE_FOUND, 1},
        {COMPONENT_FIRMWARE, "7.0.3", "7.8.4", ROUTE_FOUND, 1},
        {COMPONENT_FIRMWARE, "7.3.1", "7.7.0", ROUTE_UNLISTED, 0},
        {COMPONENT_FIRMWARE, "7.7.0", "7.7.1-20", ROUTE_FOUND, 1},
        {COMPONENT_FIRMWARE, "7.7.1-20", "7.7.1-20", ROUTE_ALREADY, 0},
        {COMPONENT_FIRMWARE, "7.7.1", "7.7.1", ROUTE_ALREADY, 0},
        {COMPONENT_CLIENT, "6.2.2", "10.3.0", ROUTE_FOUND, 1},
        {COMPONENT_PED, "2.6.0", "2.7.4", ROUTE_FOUND, 1},
        {COMPONENT_PED, "2.8.0", "2.9.0", ROUTE_FOUND, 1},
        {COMPONENT_PED, "2.7.4", "2.9.0", ROUTE_UNLISTED, 0},
        {COMPONENT_BACKUP, "6.26.0", "6.28.0", ROUTE_FOUND, 1},
        {COMPONENT_FIRMWARE, "6.10.9", "7.0.3", ROUTE_BARRIER, 0},
    };
    static struct paths p;
    struct err err = ERR_INIT;
    assert_int_equal(paths_builtin(&p, &err), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct route r;
        assert_int_equal(paths_route(&p, cases[i].c, cases[i].from, cases[i].to, &r, &err), ERR_OK);
        if (r.verdict != cases[i].verdict || r.n != cases[i].hops)
            fail_msg("case %zu: verdict %d, %zu hops: %s", i, (int)r.verdict, r.n, r.why);
        SCOPED(buf_free) struct buf text = BUF_INIT;
        paths_explain(&p, cases[i].c, cases[i].from, cases[i].to, &r, &text);
        assert_true(text.len > 20);
    }
    struct route r;
    /* The row of the very build, not that of its level; and a step that nothing would prove. */
    assert_int_equal(paths_route(&p, COMPONENT_FIRMWARE, "7.0.3", "7.7.1-20", &r, &err), ERR_OK);
    assert_string_equal(r.hop[0]->to, "7.7.1-20");
    assert_false(r.unprovable);
    assert_int_equal(paths_route(&p, COMPONENT_FIRMWARE, "7.7.1", "7.7.1-20", &r, &err), ERR_OK);
    assert_true(r.unprovable);
    assert_int_equal(paths_route(&p, COMPONENT_FIRMWARE, "newest", "7.7.0", &r, &err), ERR_PARSE);
}

static void explained(enum component c, const char *from, const char *to, struct buf *out)
{
    static struct paths p;
    struct route r;
    struct err err = ERR_INIT;
    assert_int_equal(paths_builtin(&p, &err), ERR_OK);
    assert_int_equal(paths_route(&p, c, from, to, &r, &err), ERR_OK);
    paths_explain(&p, c, from, to, &r, out);
}

/* What an administrator must read before deciding: why not, what instead, what cannot be taken
 * back, how long. */
static void paths_explain__texts__whole(void **state)
{
    (void)state;
    static const struct {
        enum component c;
        const char *from, *to, *says[6];
    } cases[] = {
        {COMPONENT_SOFTWARE,
         "6.0.0",
         "7.7.0",
         {"no route: there is no update in place from 5.x or 6.x to 7.x",
          "K7 card in another chassis", "instead: a new appliance is needed",
          "backup and restore, cloning from slot to slot",
          "6.0 to 6.5 to 7.0 to 7.7, is not obeyed", "migration.htm"}},
        {COMPONENT_SOFTWARE,
         "7.2.0-220",
         "7.7.0-317",
         {"1. 7.2.0-220 -> 7.7.0   15 to 60 minutes", "minutes: our own estimate",
          "going back: one-way", "zeroizes the HSM and deletes roles, partitions, objects, clients",
          "lunasa-reboot-patch-3", "one firmware in reserve only"}},
        {COMPONENT_FIRMWARE,
         "7.0.3",
         "7.7.0",
         {"15 to 240 minutes", "7-7-0_upgrade_guidance.htm", "hsm firmware rollback",
          "every partition restored from backup", "cannot clone to each other",
          "2.7.4 (older PED)"}},
        {COMPONENT_FIRMWARE,
         "7.7.0",
         "7.8.4",
         {"FIPS 140-3 level 3, no. 4684", "update the clients", "policy 50"}},
        {COMPONENT_SOFTWARE,
         "7.7.0",
         "7.9.0",
         {"--accept-unlisted-path REASON", "going back: one-way"}},
        {COMPONENT_FIRMWARE, "7.7.1", "7.7.1-20", {"cannot be proven", "bootloader 1.1.5"}},
        {COMPONENT_SOFTWARE, "7.7.0", "7.8.0", {"withdrew 7.8.0; use 7.8.1 or later", "7-8-0.htm"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(buf_free) struct buf text = BUF_INIT;
        explained(cases[i].c, cases[i].from, cases[i].to, &text);
        for (size_t k = 0; k < 6 && cases[i].says[k]; k++) {
            if (!strstr(buf_str(&text), cases[i].says[k]))
                fail_msg("case %zu: not said: %s\n%s", i, cases[i].says[k], buf_str(&text));
        }
    }
}

static void paths_route__several_hops__shortest_chain(void **state)
{
    (void)state;
    static const char xml[] = "<paths><source id='s' ref='r'/>"
                              "<update component='software' from='1.0' to='1.1.0' minutes='1-2' "
                              "minutes-source='estimate' source='s'/>"
                              "<update component='software' from='1.1' to='1.2.0' minutes='1-2' "
                              "minutes-source='estimate' source='s'/>"
                              "<update component='software' from='1.2' to='1.0.0' minutes='1-2' "
                              "minutes-source='estimate' source='s'/>"
                              "<update component='software' from='1.2' to='1.3.0' minutes='1-2' "
                              "minutes-source='estimate' source='s'/></paths>";
    static struct paths p;
    struct route r;
    struct err err = ERR_INIT;
    assert_int_equal(paths_load("p.xml", xml, sizeof xml - 1, &p, &err), ERR_OK);
    assert_int_equal(paths_route(&p, COMPONENT_SOFTWARE, "1.0.5", "1.3.0", &r, &err), ERR_OK);
    assert_int_equal(r.verdict, ROUTE_FOUND);
    assert_int_equal(r.n, 3);
    assert_string_equal(r.hop[0]->to, "1.1.0");
    assert_string_equal(r.hop[2]->to, "1.3.0");
    assert_int_equal(r.minutes_high, 6);
}

static void paths_load__row_without_source__refused(void **state)
{
    (void)state;
    static const char xml[] =
        "<paths>\n<update component='software' from='1.0' to='1.1.0' minutes='1-2'/></paths>";
    static struct paths p;
    struct err err = ERR_INIT;
    assert_int_equal(paths_load("p.xml", xml, sizeof xml - 1, &p, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "p.xml:2: <update>"));
}

static void hagroup_parse__transcript__members_and_sync(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct ha_groups g;
    struct err err = ERR_INIT;
    static const char *const bad[] = {
        "",
        "Command Result : 0 (Success)",
        "HA Group Label:  x\n Needs sync:  no\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(hagroup_parse(bad[i], &g, &err), ERR_PARSE);
    assert_int_equal(file_read(TEST_CORPUS "/luna/hagroup-listgroups.txt", 65536, &text, &err),
                     ERR_OK);
    assert_int_equal(hagroup_parse(buf_str(&text), &g, &err), ERR_OK);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.group[0].label, "myHAgroup");
    assert_true(g.group[0].sync_known);
    assert_false(g.group[0].needs_sync);
    assert_int_equal(g.group[0].alive, 1);
    assert_int_equal(g.group[0].others, 1);
    assert_string_equal(g.group[0].bad, "1238700701509 down");
}

static void paths_ped_suits__table__as_published(void **state)
{
    (void)state;
    static const struct {
        const char *ped, *firmware;
        bool suits;
    } cases[] = {
        {"2.7.1", "7.7.0", false}, {"2.7.4", "7.7.0", true}, {"2.8.0", "7.7.0", false},
        {"2.9.0", "7.7.0", true},  {"2.7.1", "7.4.2", true}, {"", "7.7.0", true},
    };
    static struct paths p;
    struct err err = ERR_INIT;
    assert_int_equal(paths_builtin(&p, &err), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(paths_ped_suits(&p, cases[i].ped, cases[i].firmware), cases[i].suits);
    assert_false(paths_client_suits(&p, "10.2.0", "7.8.4"));
    assert_true(paths_client_suits(&p, "10.3.0", "7.8.4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_parse__broken__line_what_expected_and_what_to_do),
        cmocka_unit_test(plan_parse__hops__in_order_with_a_package_each),
        cmocka_unit_test(plan_attested__name_and_day__both_count),
        cmocka_unit_test(hop_needs__shown_version__nothing_goes_back),
        cmocka_unit_test(hagroup_parse__transcript__members_and_sync),
        cmocka_unit_test(paths_explain__texts__whole),
        cmocka_unit_test(plan_parse__example__complete),
        cmocka_unit_test(plan_check_package__other_bytes__expected_and_found),
        cmocka_unit_test(paths_load__row_without_source__refused),
        cmocka_unit_test(paths_route__table__verdicts),
        cmocka_unit_test(paths_route__several_hops__shortest_chain),
        cmocka_unit_test(paths_ped_suits__table__as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
