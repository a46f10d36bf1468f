/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/marker.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"

int marker_set(const char *folder, enum marker which, bool there, struct err *err)
{
    static const struct {
        const char *name, *text;
    } markers[] = {
        [MARKER_MAINTENANCE] = {"maintenance.open",
                                "A maintenance holds this CA; setup waits until it is closed. See "
                                "'crlagent maintenance'.\n"},
        [MARKER_RUNNING] = {"service.running",
                            "The crlagent service runs; after an upgrade or a repair, setup starts "
                            "it again.\n"},
        [MARKER_GRANTS] =
            {"grants.in-force",
             "Rights given by 'crlagent grant' are in force; their former access "
             "lists are in the folder 'grants'. 'crlagent revoke' takes them back.\n"},
    };
    SCOPED(buf_free) struct buf path = BUF_INIT;
    buf_printf(&path, "%s/%s", folder, markers[which].name);
    int rc = buf_check(&path, "the path of the marker file", err);
    if (rc)
        return rc;
    if (!there)
        return file_remove(buf_str(&path), err);
    return file_write_atomic(buf_str(&path), markers[which].text, strlen(markers[which].text), err);
}
