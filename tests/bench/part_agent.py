#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the agent adds to the bare SCM stop and start of the CA; start-up beside curl; the idle service; size and imports."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

NATIVE, MINGW = os.environ["BENCH_NATIVE"], os.environ["BENCH_MINGW"]
RUNS = int(os.environ["BENCH_RUNS"])
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
LAB = f"{TOP}/tests/lab/lab"
PROGRAM = r"C:\Program Files\crlagent\crlagent.exe"
CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<crlagent version="1">
  <ca><key-probe>certutil</key-probe><minimum-stop-time>0s</minimum-stop-time></ca>
  <maintenance><propagation>1m</propagation></maintenance>
</crlagent>
"""
missed = []


def lab(*argv, **more):
    return subprocess.run([LAB, *argv], check=True, capture_output=True, text=True, **more).stdout


def goal(text, value, limit, unit):
    if value > limit:
        missed.append(text)
    print(f"  {'met   ' if value <= limit else 'MISSED'} {text}: {value:.1f} {unit} (goal <= {limit} {unit})")


def hook(room, *argv):
    """Runs a hook; returns [(seconds, progress line)] as they arrive, the answer's first line last."""
    child = subprocess.Popen([LAB, "wine", room, PROGRAM, "hook", *argv], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, bufsize=1)
    lines = [(time.monotonic(), line) for line in child.stdout]
    code = child.wait(timeout=120)
    if code:
        sys.exit(f"hook {' '.join(argv)} ended with {code}: {lines[-1:]}")
    return lines


def first(lines, word):
    for when, line in lines:
        if word in line:
            return when
    sys.exit(f"no progress line with '{word}' in {[l for _, l in lines]}")


def pause_resume(room):
    bare = [tuple(map(float, line.split()))
            for line in lab("wine", room, "C:\\scm_cycle.exe", "CertSvc", str(RUNS)).splitlines()]
    stops, starts, downs, ups = [b[0] for b in bare], [b[1] for b in bare], [], []
    for i in range(RUNS):
        lines = hook(room, "pre-upgrade", "--change", f"CHG{i}", "--window", "1h", "--reserve", "10m")
        # Writing down, start type and stop lie between this line and the answer.
        downs.append((first(lines, "runway:") - first(lines, "writing down")) * 1000)
        lines = hook(room, "post-upgrade", "--change", f"CHG{i}")
        ups.append((first(lines, "waiting until the CA answers") - first(lines, "restoring the start type")) * 1000)
    stop, start, down, up = (statistics.median(x) for x in (stops, starts, downs, ups))
    print(f"  bare SCM: stop {stop:.0f} ms, start {start:.0f} ms; agent: pause {down:.0f} ms, resume {up:.0f} ms"
          f"  (median of {RUNS})")
    goal("added to pausing, over the bare stop", down - stop, 100, "ms")
    goal("added to resuming, over the bare start", up - start, 100, "ms")


def wall(argv):
    times = []
    for _ in range(RUNS):
        began = time.monotonic()
        subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


def start_up(room):
    url = "http://pki.lab.test/pki/Lab%20Issuing%20CA.crl"
    inside = [LAB, "exec", room]
    ca = f"{room}/pki/ca0.pem"
    empty = wall(inside + ["true"])
    rows = {"crlagent version": wall(inside + [f"{NATIVE}/crlagent", "version"]),
            "curl --version": wall(inside + ["curl", "--version"]),
            "crlagent check --url": wall(inside + [f"{NATIVE}/crlagent", "check", "--url", url, "--issuer", ca]),
            "curl of the same URL": wall(inside + ["curl", "-s", url, "-o", "/dev/null"])}
    for name, ms in rows.items():
        print(f"  {name:<28} {ms - empty:8.1f} ms")
    print(f"  check / curl: {(rows['crlagent check --url'] - empty) / (rows['curl of the same URL'] - empty):.2f}"
          "  (two addresses, signature verified, judged; curl asks one and looks at nothing)")


def service_process():
    """The service's process: the one whose program is our .exe, started with the verb 'service'."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                argv = f.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if argv[0].lower().endswith("crlagent.exe") and "service" in argv:
            return pid
    return None


def idle(pid):
    if not pid:
        sys.exit("the service's process was not found")

    def switches():
        with open(f"/proc/{pid}/status") as f:
            return sum(int(n) for n in re.findall(r"^(?:non)?voluntary_ctxt_switches:\s*(\d+)", f.read(), re.M))
    time.sleep(2)
    before = switches()
    time.sleep(10)
    with open(f"/proc/{pid}/status") as f:
        rss = int(re.search(r"VmRSS:\s*(\d+)", f.read()).group(1))
    print(f"  idle service: {rss / 1024:.1f} MiB resident (with Wine's own libraries), "
          f"{(switches() - before) / 10:.1f} wake-ups per second of its main thread")


def sizes():
    for name in ("crlagent.exe", "hsmupgrade.exe"):
        stripped = tempfile.NamedTemporaryFile(suffix=".exe")
        subprocess.run(["x86_64-w64-mingw32-strip", "-o", stripped.name, f"{MINGW}/{name}"], check=True)
        dump = subprocess.run(["x86_64-w64-mingw32-objdump", "-p", stripped.name], capture_output=True, text=True).stdout
        dlls = sorted(set(d.lower() for d in re.findall(r"DLL Name: (\S+)", dump)))
        print(f"  {name:<16} {os.path.getsize(stripped.name) / 1e6:.1f} MB stripped; imports {', '.join(dlls)}")


def main():
    base = tempfile.mkdtemp(prefix="crlagent-bench.")
    room = f"{base}/lab"
    try:
        lab("up", room, "--no-ad")
        prefix = f"{room}/prefix/drive_c"
        os.makedirs(f"{prefix}/Program Files/crlagent")
        os.makedirs(f"{prefix}/ProgramData/crlagent/config", exist_ok=True)
        shutil.copy(f"{MINGW}/crlagent.exe", f"{prefix}/Program Files/crlagent/")
        shutil.copy(f"{MINGW}/scm_cycle.exe", f"{prefix}/scm_cycle.exe")
        lab("wine", room, PROGRAM, "install")
        with open(f"{prefix}/ProgramData/crlagent/config/crlagent.xml", "w") as f:
            f.write(CONFIG)
        lab("wine", room, PROGRAM, "start")
        pause_resume(room)
        start_up(room)
        idle(service_process())
        sizes()
    finally:
        subprocess.run([LAB, "down", room], check=False)
        shutil.rmtree(base, ignore_errors=True)
    if missed:
        print("  missed: " + "; ".join(missed))


main()
