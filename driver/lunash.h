/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the show commands of a Luna appliance print, as structs. Parsers are (text) -> struct, keep
 * to "key:" with tolerance for blanks, and say which line was missing. */
#ifndef CRLAGENT_DRIVER_LUNASH_H
#define CRLAGENT_DRIVER_LUNASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The only value of "HSM Admin login attempts left" with which a login may be tried. */
#define LUNA_ATTEMPTS_FULL "3 before HSM zeroization!"

enum luna_yes { LUNA_UNSAID, LUNA_NO, LUNA_YES };

/* "hsm show", both dialects ("Hardware Model" of 5.x, "HSM Model" later). "" = not printed. */
struct luna_show {
    char software[48]; /* "7.2.0-220" */
    char firmware[32]; /* "7.0.3" */
    char model[48];    /* "Luna K7" */
    char label[64];    /* HSM Label */
    char serial[32];
    char auth[48];         /* Authentication Method */
    char login_status[32]; /* "Not Logged In" */
    char attempts[64];     /* literal: "3 before HSM zeroization!" */
    char tamper[64];       /* HSM Tamper State, "" before 7.x */
    enum luna_yes stm;     /* Secure Transport Mode */
    enum luna_yes fips;    /* approved mode */
    enum luna_yes rpv;     /* remote PED vector */
    enum luna_yes manually_zeroized;
    int attempts_left; /* 0..3; -1 when the literal is none we know */
    bool zeroized;
    int64_t space_free;                   /* bytes; -1 = not printed */
    double battery, battery_warning;      /* volts; 0 = not printed */
    int temperature, temperature_warning; /* deg. C; 0 = not printed */
};
/* ERR_PARSE names the missing line: software, firmware and attempts are needed. ERR_UNAVAILABLE
 * when the card does not answer ("Unable to communicate with HSM"). */
MUST_CHECK int luna_parse_show(const char *text, struct luna_show *ret, struct err *err);

#define LUNA_LIST_MAX 128
struct luna_row {
    char name[72];
    char detail[96]; /* partition: serial; route: gateway and device */
    int64_t number;  /* partition: objects; file: size; -1 = none */
};
struct luna_list {
    struct luna_row row[LUNA_LIST_MAX];
    size_t n;
};

/* "partition list": name, serial, object count. ERR_PARSE when it is neither a table nor "There are
 * no partitions." */
MUST_CHECK int luna_parse_partitions(const char *text, struct luna_list *ret, struct err *err);
/* "client list" */
MUST_CHECK int luna_parse_clients(const char *text, struct luna_list *ret, struct err *err);
/* "network route show", the kernel table: destination, "gateway genmask device". */
MUST_CHECK int luna_parse_routes(const char *text, struct luna_list *ret, struct err *err);
/* Rows whose destination is 0.0.0.0 (or "default"). */
size_t luna_default_routes(const struct luna_list *routes);
/* "package list": RPM names. */
MUST_CHECK int luna_parse_packages(const char *text, struct luna_list *ret, struct err *err);
/* "package listfile" / "my file list": names ending in .spkg, with the size when a number stands in
 * the same line. */
MUST_CHECK int luna_parse_files(const char *text, struct luna_list *ret, struct err *err);
/* "service status NAME": LUNA_UNSAID when neither form is there. */
enum luna_yes luna_parse_service(const char *text);
/* "status disk": the lowest free share over its lines that hold "NN%" used; -1 when none was found.
 */
int luna_parse_disk_free_percent(const char *text);
/* The first date and time in the text, UTC; WHEN_NONE when there is none that is understood. */
int64_t luna_parse_date(const char *text);
/* "hsm information show": one counter by its name; -1 when it is not printed. */
int64_t luna_parse_counter(const char *text, const char *name);
/* Value behind "key:" (trimmed) in a line that begins with key, into dst; false when not there. */
bool luna_value(const char *text, const char *key, char *dst, size_t size);

#endif
