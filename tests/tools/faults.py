#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the fault tests from their sources, and how often the kill test really killed.

    faults.py [FOLDER-OF-PROGRAMS]    prints the table; with the folder also the moments of death
    faults.py --check                 does the table of docs/performance.md hold? Its figures are "at least": a test that is
                                      new does not make it wrong, one that is gone does
    faults.py --write [FOLDER]        writes the table into that page, larger figures rounded down to tens: cases that are
                                      joined into one are no loss

A fault is a step of tests/e2e/fault_*.sh, a case of driver.sh, one bad location of health_*.sh, or a unit test whose name
says refusal, damage, death, hang, loss or limit. Each of them checks what the row says is not lost; all are run by './dev test'.
"""
import pathlib
import re
import subprocess
import sys

top = pathlib.Path(__file__).resolve().parents[2]
PAGE = top / "docs/performance.md"
TABLE = re.compile(r"^\| tests \| faults.*\n(?:\|.*\n)+", re.M)
TOGETHER, DEATHS = "**together**", "`test_maint_kill`, moments of death"
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


def table(folder, rounded=False):
    """The lines of the table; without the folder that of the kill test is left as the page has it."""
    counted = [(name, n // 10 * 10 if rounded and n > 20 else n, lost) for name, n, lost in rows()]
    for name, n, _ in counted:
        if not n:
            sys.exit(f"faults: no fault was found in {name}: it was renamed, or this script is out of date")
    lines = ["| tests | faults, at least | not lost |", "|---|---|---|"]
    lines += [f"| `{name}` | {n} | {lost} |" for name, n, lost in counted]
    lines.append(f"| **together** | **{sum(n for _, n, _ in counted)}** | |")
    if folder:
        lines.append(f"| {DEATHS} | {killed(folder)} | nothing left stopped, nothing started that was stopped |")
    return lines


def figures(lines):
    """Name of the row: its figure."""
    found = (re.match(r"\| (.+?) \| \**([\d,]+)\** \|", line) for line in lines)
    return {m[1]: int(m[2].replace(",", "")) for m in found if m}


def check():
    said = figures(TABLE.search(read(PAGE))[0].splitlines())
    said.pop(DEATHS, None)
    true = figures(table(""))
    wrong = [f"{PAGE.name}: '{name}': at least {n} are said, {true.get(name, 'no such row')} are there" for name, n in said.items()
             if n > true.get(name, 0)]
    wrong += [f"{PAGE.name}: '{name}' is not in the table" for name in true.keys() - said.keys()]
    parts = sum(n for name, n in said.items() if name != TOGETHER)
    if parts != said.get(TOGETHER):
        wrong.append(f"{PAGE.name}: the rows together are {parts}, {said.get(TOGETHER)} is said")
    if wrong:
        sys.exit("\n".join(wrong + ["faults: write the table anew: tests/tools/faults.py --write"]))


def write(folder):
    page = read(PAGE)
    lines = table(folder, rounded=True)
    if not folder:
        lines += [line for line in TABLE.search(page)[0].splitlines() if DEATHS in line]
    PAGE.write_text(TABLE.sub(lambda _: "\n".join(lines) + "\n", page, count=1), encoding="utf-8")


def main(words):
    what = words.pop(0) if words and words[0].startswith("--") else ""
    folder = words[0] if words else ""
    if what == "--check":
        check()
    elif what == "--write":
        write(folder)
    elif what:
        sys.exit(__doc__)
    else:
        print("\n".join(table(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
