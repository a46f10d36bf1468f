# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""Package files of the lab: one header line that says what is inside, then padding up to the asked size.

A real .spkg is signed and encrypted by Thales; here the header carries the hash of the authorization code and of the
padding, so that a wrong code, a cut transfer and a flipped byte fail at the step where the appliance would fail.
"""
import hashlib
import json
import secrets
import string

MAGIC = b"LUNALAB-SPKG "
CHUNK = 1 << 20
ALPHABET = string.ascii_letters + string.digits + "/"


def new_authcode():
    return "".join(secrets.choice(ALPHABET) for _ in range(16))


def _code_hash(salt, code):
    return hashlib.sha256((salt + code).encode()).hexdigest()


def write(path, kind, version, firmware, authcode, size):
    """Writes a package. Its padding is a repeated random megabyte: cheap to make, impossible to compress."""
    block = secrets.token_bytes(CHUNK)
    digest = hashlib.sha256()
    left = size
    while left > 0:
        digest.update(block[:min(left, CHUNK)])
        left -= CHUNK
    salt = secrets.token_hex(8)
    head = {"kind": kind, "version": version, "firmware": firmware, "salt": salt, "code": _code_hash(salt, authcode),
            "payload": size, "sha256": digest.hexdigest()}
    with open(path, "wb") as f:
        f.write(MAGIC + json.dumps(head).encode() + b"\n")
        left = size
        while left > 0:
            f.write(block[:min(left, CHUNK)])
            left -= CHUNK


def read_head(path):
    """The header, or None when the file is none of ours."""
    with open(path, "rb") as f:
        line = f.readline(4096)
    if not line.startswith(MAGIC) or not line.endswith(b"\n"):
        return None
    return json.loads(line[len(MAGIC):])


def code_matches(head, code):
    return _code_hash(head["salt"], code) == head["code"]


def intact(path, head):
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as f:
        f.readline(4096)
        while block := f.read(CHUNK):
            digest.update(block)
            size += len(block)
    return size == head["payload"] and digest.hexdigest() == head["sha256"]
