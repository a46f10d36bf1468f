/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
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

static void plan_parse__broken__line_element_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"<change id=\"CHG0000000\"", "<change", "change"},
        {"software=\"7.7.0-317\"", "software=\"newest\"", "software"},
        {"2030-01-13T02:00:00Z", "2030-01-12T02:00:00Z", "ends before it starts"},
        {"2030-01-12T20:00:00Z", "2030-01-12T20:00:00", "'start'"},
        {"authcode=\"prompt\"", "authcode=\"5/Rd79MAGd/G9EY5\"", "prompt"},
        {"fingerprint=\"SHA256:0000000000000000000000000000000000000000000\"",
         "fingerprint=\"any\"", "fingerprint"},
        {"role=\"secondary\"", "role=\"primary\"", "secondaries first, the primary last"},
        {"name=\"hsm-a\"", "name=\"hsm-b\"", "second appliance"},
        {"<serial device", "<serial xdevice", "device"},
        {"console=\"serial\">", "console=\"serial\"><manual/>", "line"},
        {"ped=\"1000s\"", "ped=\"1000\"", "ped"},
        {"ped=\"1000s\"", "ped=\"0s\"", "longer than 0s"},
        {"lunasa_update-7.7.0-317.spkg\"", ".hidden\"", "not starting with '.'"},
        {"<agents>", "<agent>", "plan.xml:"},
        {"<hsmplan xmlns=\"urn:crlagent:hsmplan:1\">", "<hsmplan>", "hsmplan"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(buf_free) struct buf text = BUF_INIT;
        SCOPED(plan_free) struct plan p;
        struct err err = ERR_INIT;
        example_with(cases[i].from, cases[i].to, &text);
        int rc = plan_parse("plan.xml", buf_str(&text), text.len, &p, &err);
        if (rc != ERR_PARSE || !strstr(err.text, "plan.xml:") ||
            (strcmp(cases[i].says, "line") != 0 && !strstr(err.text, cases[i].says)))
            fail_msg("case %zu: code %d: %s", i, rc, err.text);
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
    assert_string_equal(p.package.name, "lunasa_update-7.7.0-317.spkg");
    assert_true(p.patch.present);
    assert_int_equal(p.n_agents, 2);
    assert_int_equal(p.agent[1].command.n, 3);
    assert_null(p.agent[1].command.arg[3]);
    assert_int_equal(p.timeouts.ped, 1000);
    assert_int_equal(strlen(p.digest), 64);
    /* everybody is called NAME: nobody has attested anything */
    assert_int_equal(plan_check_attestations(&p, &err), ERR_STATE);
    assert_non_null(strstr(err.text, "backup-restored"));
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
    assert_int_equal(paths_route(&p, COMPONENT_FIRMWARE, "newest", "7.7.0", &r, &err), ERR_PARSE);
}

static void paths_route__several_hops__shortest_chain(void **state)
{
    (void)state;
    static const char xml[] =
        "<paths><source id='s' ref='r'/>"
        "<update component='software' from='1.0' to='1.1.0' minutes='1-2' source='s'/>"
        "<update component='software' from='1.1' to='1.2.0' minutes='1-2' source='s'/>"
        "<update component='software' from='1.2' to='1.0.0' minutes='1-2' source='s'/>"
        "<update component='software' from='1.2' to='1.3.0' minutes='1-2' source='s'/></paths>";
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
        cmocka_unit_test(plan_parse__broken__line_element_and_reason),
        cmocka_unit_test(plan_parse__example__complete),
        cmocka_unit_test(plan_check_package__other_bytes__expected_and_found),
        cmocka_unit_test(paths_load__row_without_source__refused),
        cmocka_unit_test(paths_route__table__verdicts),
        cmocka_unit_test(paths_route__several_hops__shortest_chain),
        cmocka_unit_test(paths_ped_suits__table__as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
