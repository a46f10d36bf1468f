# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The exec channel of the appliance: file transfer by SCP (all releases) and SFTP (7.9.0 and later), nothing else.

The sink of the SCP protocol is written here because the appliance's own refusals belong in it: names, '../', the size
of its disk, a link that drops half way. Sending a file back to the client is left to OpenSSH's scp.
"""
import os
import re
import shlex
import sys

from .state import version
from .terminal import session_pids

NAME = re.compile(r"^(?!\.)[A-Za-z0-9_. -]{1,64}(?<! )$")
SFTP_SERVER = "/usr/lib/openssh/sftp-server"
CHUNK = 1 << 18


def run(store, command):
    """Runs the command of an exec request or of the sftp subsystem; returns its exit status."""
    words = shlex.split(command)
    s = store.read()
    home = store.file("files")
    if words == ["luna-sftp"]:
        if version(s["sw"]) < (7, 9, 0):
            sys.stderr.write("subsystem request failed\n")
            return 1
        os.execv(SFTP_SERVER, [SFTP_SERVER, "-d", home])
    if words[:1] == ["scp"] and any(re.fullmatch("-[a-z]*t[a-z]*", w) for w in words[1:]):
        return sink(store, words)
    if words[:1] == ["scp"]:
        os.chdir(home)
        os.execv("/usr/bin/scp", words)
    sys.stderr.write("This account is currently not available for commands.\n")
    return 1


class Refused(Exception):
    pass


def sink(store, words):
    """scp -t DIRECTORY-OR-NAME: one file at a time into the user's file area."""
    target = words[-1] if not words[-1].startswith("-") else "."
    try:
        os.write(1, b"\0")
        while line := _line():
            if line[0] in "TE":
                os.write(1, b"\0")
                continue
            if line[0] != "C":
                raise Refused("scp: protocol not understood")
            _, size, name = line[1:].rstrip("\n").split(" ", 2)
            _receive(store, _place(store, target, name), int(size))
    except Refused as e:
        os.write(1, b"\x01" + str(e).encode() + b"\n")
        return 1
    return 0


def _line():
    out = b""
    while not out.endswith(b"\n"):
        c = os.read(0, 1)
        if not c:
            return ""
        out += c
    return out.decode("utf-8", "replace")


def _place(store, target, name):
    s = store.read()
    if "../" in target + "/" and version(s["sw"]) >= (7, 9, 0):
        raise Refused(f"scp: {target}: path not allowed")
    if target not in (".", "", "./", "~", "~/"):
        name = os.path.basename(target.rstrip("/"))
    if not NAME.match(name):
        raise Refused(f"scp: {name}: file name not valid")
    return store.file("files", name)


def _receive(store, path, size):
    s = store.read()
    room = s["disk"]["size"] - s["disk"]["used"] - used_by_files(store)
    drop = s["fault"]["drop"]
    limit = int(drop.partition("@")[2] or 0) if drop.startswith("transfer") else None
    os.write(1, b"\0")
    written = 0
    with open(path, "wb") as f:
        while written < size:
            block = os.read(0, min(CHUNK, size - written))
            if not block:
                return
            if limit is not None and written + len(block) > limit:
                f.write(block[:limit - written])
                f.flush()
                _drop(store)
            if written + len(block) > room:
                _drain(size - written - len(block))
                raise Refused(f"scp: {os.path.basename(path)}: No space left on device")
            f.write(block)
            written += len(block)
    os.read(0, 1)
    os.write(1, b"\0")


def _drain(left):
    while left > 0 and (block := os.read(0, min(CHUNK, left))):
        left -= len(block)


def _drop(store):
    with store.change() as s:
        s["fault"]["drop"] = ""
    for pid in session_pids():
        os.kill(pid, 9)
    os._exit(1)


def used_by_files(store):
    with os.scandir(store.file("files")) as entries:
        return sum(e.stat().st_size for e in entries if e.is_file())
