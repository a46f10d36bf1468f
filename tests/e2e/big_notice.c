/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* big_notice URL LINES: sends the notice of an outage with so many alarms. 0 = the webhook took it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/fetch.h"
#include "health/finding.h"
#include "notify/notify.h"

int main(int argc, char **argv)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    if (argc != 3)
        return 2;
    for (long i = 0, n = strtol(argv[2], NULL, 10); i < n; i++)
        buf_printf(
            &text,
            "No connection to the location: http://pki.example.com/cdp/Issuing%%20CA%%20%ld.crl"
            " at 10.0.0.%ld; found no connection; expected a base CRL <signed> & valid.\n",
            i, i);
    struct notify_channel ch = {.name = "webhook", .kind = notify_webhook_kind(argv[1])};
    (void)str_copy(ch.url, sizeof ch.url, argv[1]);
    const struct notice n = {.id = FIND_CRL_EXPIRED,
                             .severity = SEV_CRITICAL,
                             .when = 1795420800,
                             .ca = "Lab CA",
                             .title = "Lab CA: The CRL served has expired",
                             .text = buf_str(&text)};
    int rc = fetch_setup(&err);
    if (!rc)
        rc = notify_send(&ch, &n, NULL, &err);
    if (rc)
        printf("%s\n", err.text);
    return rc != 0;
}
