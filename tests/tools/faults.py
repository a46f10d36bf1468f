#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the fault tests from their sources, and how often the kill test really killed: faults.py [FOLDER-OF-PROGRAMS]

A fault is a step of tests/e2e/fault_*.sh, a case of driver.sh, one bad location of health_*.sh, or a unit test whose name
says refusal, damage, death, hang, loss or limit. Each of them checks what the row says is not lost; all are run by './dev test'.
"""
import pathlib
import re
import subprocess
import sys

top = pathlib.Path(__file__).resolve().parents[2]
WORDS = re.compile(r"kill|dies|died|dead|full|damaged|hostile|garbage|malformed|broken|cut|truncat|hang|flood|silent|refused|denied"
                   r"|time_out|timeout|missing|wrong|foreign|newer|too_|limit|not_found|unavailable|set_back|lost|every_byte|overflow"
                   r"|bad|invalid|error|never|halves|fails|failed|unknown|no_such|nowhere|forged|false|planted|may_write")


def read(path):
    return path.read_text(encoding="utf-8")


def count(pattern, *paths):
    return sum(len(re.findall(pattern, read(p), re.M)) for p in paths)


def rows():
    e2e = top / "tests/e2e"
    for name, lost in (("input", "the service, the installed configuration, other callers"),
                       ("ca", "the CA's state, the maintenance"), ("service", "the former state of every service"),
                       ("store", "the services: nothing is done that cannot be written down"),
                       ("kill", "the maintenance and the former state"), ("web", "proof: nothing counts that a client cannot have"),
                       ("directory", "proof"), ("verbs", "the maintenance of somebody else")):
        path = e2e / f"fault_{name}.sh"
        yield path.name, count(r"^\s*step \"", path), lost
    known = {"input", "ca", "service", "store", "kill", "web", "directory", "verbs"}
    for path in sorted(e2e.glob("fault_*.sh")):
        if path.stem.removeprefix("fault_") not in known:
            yield path.name, count(r"^\s*step \"", path), "what its head says"
    yield "driver.sh", count(r"^case_\w+\(\)", e2e / "driver.sh"), "the HSM's keys, the login counter, the journal"
    health = sorted(e2e.glob("health_*.sh"))
    yield "health_*.sh", count(r"^\s*(?:expect_one|expect_\w*|ldap_case|case_\w+) ", *health), "the verdict on the other locations"
    unit = sorted((top / "tests/unit").glob("test_*.c"))
    cases = {(p.name, c) for p in unit for c in re.findall(r"\b(\w+?__\w+__\w+)\b", read(p))}
    yield "tests/unit, by name", sum(1 for _, c in cases if WORDS.search(c.split("__", 1)[1])), "memory (sanitizers), the old content, the caller's outputs"
    yield "tests/fuzz, harnesses", len(list((top / "tests/fuzz").glob("fuzz_*.c"))), "memory (sanitizers), time"


def killed(folder):
    program = pathlib.Path(folder).resolve() / "test_maint_kill"
    done = subprocess.run([program], capture_output=True, text=True, cwd=folder, timeout=600, check=False)
    found = re.findall(r"killed at (\d+) moments", done.stdout + done.stderr)
    if done.returncode or not found:
        sys.exit(f"{program} failed: {(done.stdout + done.stderr)[-400:]}")
    return int(found[0])


def main(folder):
    total = 0
    print("| tests | faults | not lost |\n|---|---|---|")
    for name, n, lost in rows():
        if not n:
            sys.exit(f"faults: no fault was found in {name}: it was renamed, or this script is out of date")
        total += n
        print(f"| `{name}` | {n} | {lost} |")
    print(f"| **together** | **{total}** | |")
    if folder:
        print(f"| `test_maint_kill`, moments of death | {killed(folder)} | nothing left stopped, nothing started that was stopped |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
