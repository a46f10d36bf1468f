/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/marker.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"

int marker_set(const char *store_path, bool open, struct err *err)
{
    static const char text[] = "A maintenance holds this CA; setup waits until it is closed. See "
                               "'crlagent maintenance'.\n";
    SCOPED(buf_free) struct buf path = BUF_INIT;
    size_t folder = strlen(store_path);
    while (folder && store_path[folder - 1] != '\\' && store_path[folder - 1] != '/')
        folder--;
    buf_add(&path, store_path, folder);
    buf_puts(&path, MARKER_NAME);
    int rc = buf_check(&path, "the path of the marker file", err);
    if (rc)
        return rc;
    if (open)
        return file_write_atomic(buf_str(&path), text, sizeof text - 1, err);
    return file_remove(buf_str(&path), err);
}
