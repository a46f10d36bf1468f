#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""CycloneDX 1.5 list of what is linked into the programs: sbom.py VERSION SECONDS SOURCES.txt < "name version" lines

SOURCES.txt is written by win32/thirdparty/build.sh: name, Debian version, SHA-256 of the source. Standard input names
what comes from the compiler (runtime libraries).
"""
import datetime
import hashlib
import json
import sys
import uuid

LICENCES = {"zlib": "Zlib", "openssl": "Apache-2.0", "libssh2": "BSD-3-Clause", "curl": "curl", "libxml2": "MIT",
            "sqlite3": "blessing", "jansson": "MIT", "mingw-w64": "ZPL-2.1", "gcc-mingw-w64": "GPL-3.0-or-later WITH GCC-exception-3.1"}
TEST_ONLY = {"cmocka"}


def component(name, version, sha256=None):
    c = {"type": "library", "bom-ref": f"{name}@{version}", "name": name, "version": version,
         "purl": f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch=source"}
    licence = LICENCES.get(name)
    if licence is None:
        sys.exit(f"sbom: no licence is known for '{name}'; add it to LICENCES in installer/sbom.py")
    c["licenses"] = [{"expression": licence}] if " " in licence else [{"license": {"id": licence}}]
    if sha256:
        c["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    return c


def main(version, seconds, sources):
    parts = []
    with open(sources, encoding="ascii") as f:
        for line in f:
            name, ver, digest = line.split()
            if name not in TEST_ONLY:
                parts.append(component(name, ver, digest))
    parts += [component(*line.split()) for line in sys.stdin if line.strip()]
    application = {"type": "application", "bom-ref": "crlagent", "name": "crlagent", "version": version,
                   "licenses": [{"license": {"id": "Apache-2.0"}}]}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(json.dumps(parts).encode()).hexdigest() + version)
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    json.dump({"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{serial}", "version": 1,
               "metadata": {"timestamp": when, "component": application}, "components": parts,
               "dependencies": [{"ref": "crlagent", "dependsOn": [p["bom-ref"] for p in parts]}]},
              sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
