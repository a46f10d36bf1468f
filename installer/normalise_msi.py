#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""Makes an MSI reproducible: normalise_msi.py FILE SECONDS

wixl writes the time of day and a random package code into the summary information. Here the times become SECONDS (since
1970) and the package code is derived from all other bytes of the file: the same content has the same code, other content
another one, as Windows Installer demands.
"""
import hashlib
import struct
import sys
import uuid

FORMAT = uuid.UUID("f29f85e0-4ff9-1068-ab91-08002b27b3d9").bytes_le
CREATED, SAVED, REVISION = 12, 13, 9
VT_FILETIME, VT_LPSTR = 64, 30
NAMESPACE = uuid.UUID("8d0b6b0e-5a0f-4c86-9a5e-6d5ed2e0c1a7")


def properties(data):
    """{property id: offset of its type} of the summary stream. The stream is small and lies in one piece."""
    at = data.find(FORMAT)
    if at < 0 or data.find(FORMAT, at + 1) >= 0:
        sys.exit("normalise_msi: expected exactly one summary information stream")
    # Byte order, version, OS, class id and count (28 bytes) come before the format id.
    section = at - 28 + struct.unpack_from("<I", data, at + 16)[0]
    _, count = struct.unpack_from("<II", data, section)
    table = (struct.unpack_from("<II", data, section + 8 + 8 * i) for i in range(count))
    return {pid: section + offset for pid, offset in table}


def put(data, at, kind, value):
    if struct.unpack_from("<I", data, at)[0] != kind:
        sys.exit("normalise_msi: a summary property has an unexpected type")
    if kind == VT_FILETIME:
        struct.pack_into("<Q", data, at + 4, value)
        return
    size = struct.unpack_from("<I", data, at + 4)[0]
    if size < len(value) + 1:
        sys.exit("normalise_msi: no room for the package code")
    data[at + 8:at + 8 + len(value)] = value


def main(path, seconds):
    with open(path, "rb") as f:
        data = bytearray(f.read())
    where = properties(data)
    filetime = (seconds + 11644473600) * 10000000
    put(data, where[CREATED], VT_FILETIME, filetime)
    put(data, where[SAVED], VT_FILETIME, filetime)
    put(data, where[REVISION], VT_LPSTR, b"{" + b"0" * 36 + b"}")
    code = uuid.uuid5(NAMESPACE, hashlib.sha256(data).hexdigest())
    put(data, where[REVISION], VT_LPSTR, ("{" + str(code).upper() + "}").encode())
    with open(path, "wb") as f:
        f.write(data)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
