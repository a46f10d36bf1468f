/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The show parsers, on what appliances really printed: Azure Dedicated HSM examples (7.2.0-220),
 * AWS CloudHSM Classic CLI fixtures (5.3.0-11; Apache-2.0, (c) 2013-2014 Amazon), Thales
 * documentation pages. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/when.h"
#include "driver/lunash.h"
#include "driver/version.h"

static const char show_72[] =
    "\n\n   Appliance Details:\n   ==================\n"
    "   Software Version:                7.2.0-220\n\n   HSM Details:\n   ============\n"
    "   HSM Label:\n   Serial #:                           572413\n"
    "   Firmware:                           7.0.3\n   HSM Model:                          Luna K7\n"
    "   HSM Part Number:                    808-000066-001\n"
    "   Authentication Method:              Password\n"
    "   HSM Admin login status:             Not Logged In\n"
    "   HSM Admin login attempts left:      HSM IS ZEROIZED !!!!\n"
    "   RPV Initialized:                    No\n   Audit Role Initialized:             Yes\n"
    "   Remote Login Initialized:           No\n   Manually Zeroized:                  No\n"
    "   Secure Transport Mode:              No\n"
    "   HSM Tamper State:                   No tamper(s)\n\n"
    "   Partitions created on HSM:\n   ==============================\n   There are no "
    "partitions.\n\n\n"
    "   Number of partitions allowed:        10\n   Number of partitions created:        0\n\n"
    "   FIPS 140-2 Operation:\n   =====================\n"
    "   The HSM is NOT in FIPS 140-2 approved operation mode.\n\n"
    "   HSM Storage Information:\n   ========================\n"
    "   Maximum HSM Storage Space (Bytes):   33554432\n   Space In Use (Bytes):                0\n"
    "   Free Space Left (Bytes):             33554432\n\n"
    "   Environmental Information on HSM:\n   =================================\n"
    "   Battery Voltage:                     3.093 V\n"
    "   Battery Warning Threshold Voltage:   2.750 V\n"
    "   System Temp:                         35 deg. C\n"
    "   System Temp Warning Threshold:       75 deg. C\n\n\n\n";

static const char show_53[] =
    "\n\n   Appliance Details:\n   ==================\n   Software Version:                "
    "5.3.0-11\n\n"
    "   HSM Details: \n   ============\n   HSM Label:                          patchLuna\n"
    "   Serial #:                           157541\n   Firmware:                           6.10.1\n"
    "   Hardware Model:                     Luna K6\n   Authentication Method:              "
    "Password\n"
    "   HSM Admin login status:             Not Logged In\n"
    "   HSM Admin login attempts left:      3 before HSM zeroization!\n"
    "   Manually Zeroized:                  No\n\n   Partitions created on HSM: \n"
    "   ==========================\n   Partition: 157541008,     Name: patchPart\n";

static void parse_show__dialect_of_7__all_fields(void **state)
{
    (void)state;
    struct luna_show s;
    struct err err = ERR_INIT;
    assert_int_equal(luna_parse_show(show_72, &s, &err), ERR_OK);
    assert_string_equal(s.software, "7.2.0-220");
    assert_string_equal(s.firmware, "7.0.3");
    assert_string_equal(s.model, "Luna K7");
    assert_string_equal(s.label, "");
    assert_string_equal(s.serial, "572413");
    assert_int_equal(s.attempts_left, 0);
    assert_true(s.zeroized);
    assert_int_equal(s.stm, LUNA_NO);
    assert_string_equal(s.tamper, "No tamper(s)");
    assert_int_equal(s.fips, LUNA_NO);
    assert_int_equal(s.space_free, 33554432);
    assert_true(s.battery > 3.0 && s.battery_warning < 3.0);
    assert_int_equal(s.temperature, 35);
    assert_int_equal(s.temperature_warning, 75);
}

static void parse_show__dialect_of_5__all_fields(void **state)
{
    (void)state;
    struct luna_show s;
    struct err err = ERR_INIT;
    assert_int_equal(luna_parse_show(show_53, &s, &err), ERR_OK);
    assert_string_equal(s.model, "Luna K6");
    assert_string_equal(s.label, "patchLuna");
    assert_string_equal(s.attempts, LUNA_ATTEMPTS_FULL);
    assert_int_equal(s.attempts_left, 3);
    assert_false(s.zeroized);
    assert_int_equal(s.stm, LUNA_UNSAID);
    assert_string_equal(s.tamper, "");
}

static void parse_show__broken__refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *says;
    } cases[] = {
        {"", ERR_PARSE, "Software Version"},
        {"Software Version: 7.2.0-220\n", ERR_PARSE, "Firmware"},
        {"Software Version: 7.2.0-220\nFirmware: 7.0.3\n", ERR_PARSE, "attempts left"},
        {"\nError:    Unable to communicate with HSM.\nPlease run 'hsm supportInfo'\n",
         ERR_UNAVAILABLE, "does not"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct luna_show s;
        struct err err = ERR_INIT;
        assert_int_equal(luna_parse_show(cases[i].text, &s, &err), cases[i].code);
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

static void parse_show__attempts__only_the_literal_counts(void **state)
{
    (void)state;
    static const struct {
        const char *literal;
        int left;
    } cases[] = {
        {"3 before HSM zeroization!", 3},
        {"2 before HSM zeroization!", 2},
        {"1 before HSM zeroization!", 1},
        {"HSM IS ZEROIZED !!!!", 0},
        {"3", -1},
        {"3 before HSM", -1},
        {"13 before HSM zeroization!", -1},
        {"3 before HSM zeroization! ?", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        struct luna_show s;
        struct err err = ERR_INIT;
        snprintf(text, sizeof text,
                 "Software Version: 7.2.0\nFirmware: 7.0.3\nHSM Admin login attempts left: %s\n",
                 cases[i].literal);
        assert_int_equal(luna_parse_show(text, &s, &err), ERR_OK);
        assert_int_equal(s.attempts_left, cases[i].left);
    }
}

static void parse_partitions__table_with_blank_in_name__rows(void **state)
{
    (void)state;
    static const char text[] =
        "\n                                                      Storage (bytes)\n"
        "                                                ----------------------------\n"
        " Partition    Name                     Objects     Total      Used      Free\n"
        " ===========================================================================\n"
        " 157826004    testPar1                       0    102701         0    102701\n"
        " 1238700701509    test Par 2                 2    102701         0    102701\n";
    struct luna_list l;
    struct err err = ERR_INIT;
    assert_int_equal(luna_parse_partitions(text, &l, &err), ERR_OK);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.row[0].name, "testPar1");
    assert_string_equal(l.row[0].detail, "157826004");
    assert_int_equal(l.row[0].number, 0);
    assert_string_equal(l.row[1].name, "test Par 2");
    assert_int_equal(l.row[1].number, 2);
    assert_int_equal(luna_parse_partitions("   There are no partitions.\n", &l, &err), ERR_OK);
    assert_int_equal(l.n, 0);
    assert_int_equal(luna_parse_partitions("Error:  x\n", &l, &err), ERR_PARSE);
}

static void parse_partitions__another_layout__no_row_is_lost(void **state)
{
    (void)state;
    struct luna_list l;
    struct err err = ERR_INIT;
    assert_int_equal(luna_parse_partitions(" =====\n 1238700701509  par1  Keys  0  102701 V0\n"
                                           " 1238700701510  par2    0  102701  0  102701\n",
                                           &l, &err),
                     ERR_OK);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.row[0].detail, "1238700701509");
    assert_string_equal(l.row[0].name, "1238700701509 par1 Keys 0 102701 V0");
    assert_int_equal(l.row[0].number, -1);
    assert_string_equal(l.row[1].name, "par2");
    assert_int_equal(luna_parse_partitions(" =====\n par1  1238700701509  0\n", &l, &err),
                     ERR_PARSE);
    assert_non_null(strstr(err.text, "found 'par1"));
}

static void parse_clients__forms__names(void **state)
{
    (void)state;
    struct luna_list l;
    struct err err = ERR_INIT;
    assert_int_equal(luna_parse_clients("\nregistered client 1: client_name\n"
                                        "registered client 2: client name with spaces\n\n",
                                        &l, &err),
                     ERR_OK);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.row[1].name, "client name with spaces");
    assert_int_equal(luna_parse_clients("No clients are registered.\n", &l, &err), ERR_OK);
    assert_int_equal(l.n, 0);
    assert_int_equal(luna_parse_clients("nonsense\n", &l, &err), ERR_PARSE);
}

static void parse_routes__kernel_table__default_routes_counted(void **state)
{
    (void)state;
    static const char text[] =
        "\n\nManually configured routes\n10.0.106.0/24 via 172.16.106.1 metric 0 dev eth1\n\n"
        "Kernel IP routing table\n"
        "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
        "192.168.101.0   0.0.0.0         255.255.255.0   U     0      0        0 eth0\n"
        "172.16.106.0    0.0.0.0         255.255.255.0   U     0      0        0 eth1\n"
        "0.0.0.0         192.168.101.1   0.0.0.0         UG    0      0        0 eth0\n"
        "0.0.0.0         172.16.106.1    0.0.0.0         UG    0      0        0 eth1\n\n";
    struct luna_list l;
    struct err err = ERR_INIT;
    assert_int_equal(luna_parse_routes(text, &l, &err), ERR_OK);
    assert_int_equal(l.n, 4);
    assert_int_equal(luna_default_routes(&l), 2);
    assert_int_equal(luna_parse_routes("nothing here\n", &l, &err), ERR_PARSE);
}

static void parse_routes__another_layout__no_row_is_lost(void **state)
{
    (void)state;
    struct luna_list l;
    struct err err = ERR_INIT;
    assert_int_equal(luna_parse_routes("Destination Gateway Genmask Flags Metric Iface\n"
                                       "0.0.0.0  192.168.101.1  0.0.0.0  UG  0  eth0\n"
                                       "default  172.16.106.1   0.0.0.0  UG  0  eth1\n",
                                       &l, &err),
                     ERR_OK);
    assert_int_equal(luna_default_routes(&l), 2);
    assert_string_equal(l.row[1].detail, "172.16.106.1 0.0.0.0 UG 0 eth1");
}

static void parse_small_ones__samples__values(void **state)
{
    (void)state;
    struct luna_list l;
    struct err err = ERR_INIT;
    assert_int_equal(luna_parse_service("\n   syslog is running\n\n"), LUNA_YES);
    assert_int_equal(luna_parse_service("\n   syslog is not running\n\n"), LUNA_NO);
    assert_int_equal(luna_parse_service("\n"), LUNA_UNSAID);
    assert_int_equal(luna_parse_counter("Operation Requests:   21998\n"
                                        "Crypto Operation Requests:    7\n",
                                        "Crypto Operation Requests"),
                     7);
    assert_int_equal(luna_parse_counter("x: y\n", "x"), -1);
    assert_int_equal(luna_parse_packages("\n\nRPM LIST (SYSTEM)\n-------------------\n"
                                         "libcryptoki-5.1.0-25\nrelease-SA-5.1.5-2\n\n"
                                         "RPM LIST (SOFTWARE)\n-------------------\n",
                                         &l, &err),
                     ERR_OK);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.row[1].name, "release-SA-5.1.5-2");
    assert_int_equal(luna_parse_files("\n    lunasa_update-7.7.0-317.spkg\n   523 a.spkg\n"
                                      "  12345678 Nov 1 b.spkg\n    supportInfo.txt\n",
                                      &l, &err),
                     ERR_OK);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.row[0].number, -1);
    assert_int_equal(l.row[2].number, 12345678);
    assert_int_equal(luna_parse_disk_free_percent("/dev/a  10 9 1  91% /\n/dev/b 1 1 1 12% /x\n"),
                     9);
    assert_int_equal(luna_parse_disk_free_percent("none\n"), -1);
    assert_int_equal(luna_parse_date("\nMon Nov 23 20:15:01 UTC 2026\n"), 1795464901);
    assert_int_equal(luna_parse_date("Mon Nov 23 20:15:01 CET 2026\n"), WHEN_NONE);
}

static void version__table__parse_compare_reach(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        "7",      "x",       "7.",
                                      "7.7.0.1", "7.7.0-", "7.7.0-x", "1234567.1"};
    struct version v, line;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (strcmp(bad[i], "7") != 0)
            assert_int_equal(version_parse(bad[i], &v, &err), ERR_PARSE);
    }
    assert_int_equal(version_parse("7.7.1-20", &v, &err), ERR_OK);
    assert_int_equal(v.build, 20);
    assert_int_equal(version_parse("7.7", &line, &err), ERR_OK);
    assert_true(version_in(&v, &line));
    assert_true(version_reached("7.7.0-317", "7.7.0-317"));
    assert_true(version_reached("7.7.1", "7.7.1-20"));
    assert_false(version_reached("7.7.0-316", "7.7.0-317"));
    assert_false(version_reached("7.7.0", "7.7.1"));
    assert_false(version_reached("", "7.7.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_show__broken__refused),
        cmocka_unit_test(parse_show__dialect_of_7__all_fields),
        cmocka_unit_test(parse_show__dialect_of_5__all_fields),
        cmocka_unit_test(parse_show__attempts__only_the_literal_counts),
        cmocka_unit_test(parse_partitions__table_with_blank_in_name__rows),
        cmocka_unit_test(parse_partitions__another_layout__no_row_is_lost),
        cmocka_unit_test(parse_clients__forms__names),
        cmocka_unit_test(parse_routes__kernel_table__default_routes_counted),
        cmocka_unit_test(parse_routes__another_layout__no_row_is_lost),
        cmocka_unit_test(parse_small_ones__samples__values),
        cmocka_unit_test(version__table__parse_compare_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
