#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The CRL engine beside openssl, Go, pyca/cryptography and certtool, all in this run."""
import os
import shutil
import subprocess
import sys

NATIVE, MINGW, DIR = (os.environ[k] for k in ("BENCH_NATIVE", "BENCH_MINGW", "BENCH_DIR"))
RUNS = int(os.environ["BENCH_RUNS"])
HERE = os.path.dirname(os.path.abspath(__file__))
AGENT, KEY, CA = f"{NATIVE}/crlagent", f"{DIR}/crl-key.pem", f"{DIR}/crl-ca.pem"
CERTTOOL_ENTRIES = 20_000
bad = []


def measure(argv, runs=RUNS, want=0):
    out = subprocess.run([f"{NATIVE}/measure", str(runs), *argv], capture_output=True, text=True, check=True).stdout
    wall, cpu, peak, code = out.split()
    if int(code) != want:
        sys.exit(f"{' '.join(argv)}: exit code {code}, expected {want}")
    return float(wall), float(cpu), int(peak)


def crl(name, entries, *more):
    path = f"{DIR}/crl-{name}.crl"
    subprocess.run([f"{NATIVE}/crlgen", "--key", KEY, "--ca", CA, "--out", path, "--entries", str(entries), *more],
                   check=True)
    return path


def row(what, wall, peak, note=""):
    print(f"  {what:<44} {wall:9.4f} s {peak / 1024:9.1f} MiB  {note}")


def goal(text, value, limit, at_least=False):
    ok = value >= limit if at_least else value <= limit
    if not ok:
        bad.append(text)
    print(f"  {'met   ' if ok else 'MISSED'} {text}: {value:.2f} (goal {'>=' if at_least else '<='} {limit})")


def verify(path, runs=RUNS):
    return measure([AGENT, "crl", "verify", "--issuer", CA, path], runs)


def go_peer():
    if not shutil.which("go"):
        return None
    exe = f"{DIR}/crlverify-go"
    env = dict(os.environ, GOCACHE=f"{DIR}/gocache", GOFLAGS="-mod=mod", GO111MODULE="off")
    subprocess.run(["go", "build", "-o", exe, f"{HERE}/peers/crlverify.go"], check=True, env=env)
    return exe


def main():
    for f in (KEY, CA):
        if os.path.exists(f):
            os.remove(f)
    three = crl("3m", 3_000_000, "--number", "1")
    three_next = crl("3m-next", 3_000_000, "--number", "2", "--first", "1000", "--change-every", "100001")
    empty = measure([AGENT, "version"], 20)

    print("3,000,000 entries, %.0f MB: verify and facts (smallest wall of %d runs, largest peak)"
          % (os.path.getsize(three) / 1e6, RUNS))
    sha = measure(["openssl", "dgst", "-sha256", three])
    ours = verify(three)
    row("openssl dgst -sha256 (the line to be close to)", *sha[::2])
    row("crlagent crl verify", *ours[::2], f"{ours[1]:.3f} s CPU; {(ours[2] - empty[2]) / 1024:.1f} MiB above empty")
    ossl = measure(["openssl", "crl", "-inform", "DER", "-in", three, "-CAfile", CA, "-noout"], 2)
    row("openssl crl -CAfile", *ossl[::2])
    go = go_peer()
    if go:
        row("Go crypto/x509", *measure([go, CA, three], 2)[::2])
    else:
        print("  Go is not installed")
    row("pyca/cryptography", *measure([sys.executable, f"{HERE}/peers/crlverify.py", CA, three], 2)[::2])
    small_ct = crl("certtool", CERTTOOL_ENTRIES)
    if shutil.which("certtool"):
        pem = f"{DIR}/crl-certtool.pem"  # certtool wants CRL and CA in the same form
        subprocess.run(["openssl", "crl", "-inform", "DER", "-in", small_ct, "-out", pem], check=True)
        ct = measure(["certtool", "--verify-crl", "--load-ca-certificate", CA, "--infile", pem], 1)
        row(f"certtool, {CERTTOOL_ENTRIES} entries only (grows with n^2)", *ct[::2])
        row(f"crlagent, {CERTTOOL_ENTRIES} entries", *verify(small_ct)[::2])
    goal("verify + facts / openssl dgst", ours[0] / sha[0], 1.3)
    print(f"         two SHA-256 over the same bytes and the reading: {ours[1]:.3f} s of CPU on two threads, "
          f"{ours[1] / ours[0]:.2f} cores had")
    goal("openssl crl -CAfile / verify + facts", ossl[0] / ours[0], 40, at_least=True)
    goal("MiB above an empty process", (ours[2] - empty[2]) / 1024, 8)

    print("growth")
    per = []
    base_wall, base_cpu = measure([AGENT, "version"], 20)[:2]
    for name, n in (("100k", 100_000), ("1m", 1_000_000), ("3m", 3_000_000), ("10m", 10_000_000)):
        path = three if name == "3m" else crl(name, n)
        wall, cpu, peak = verify(path)
        per.append((cpu - base_cpu) / n * 1e9)
        row(f"{n:>10,} entries", wall, peak,
            f"{per[-1]:.1f} ns of CPU per entry; {(peak - empty[2]) / 1024:.1f} MiB above empty")
        if name not in ("3m", "100k"):
            os.remove(path)
    goal("largest / smallest CPU time per entry, 1 to 10 million", max(per[1:]) / min(per[1:]), 1.1)

    print("two CRLs of 3,000,000 entries")
    d_empty = measure([AGENT, "crl", "diff", "--list", "0", small_ct, small_ct])
    d = measure([AGENT, "crl", "diff", "--list", "0", three, three_next])
    row("crlagent crl diff", *d[::2], f"{d[1]:.3f} s CPU, {d[1] / ours[1]:.1f} x that of verify")
    goal("diff / verify", d[0] / ours[0], 6)
    goal("bytes per entry of the older CRL", (d[2] - d_empty[2]) * 1024 / 3e6, 16)

    print("10 entries, whole process")
    ten = crl("10", 10)
    a = measure([AGENT, "crl", "show", "--issuer", CA, ten], 40)
    b = measure(["openssl", "crl", "-inform", "DER", "-in", ten, "-CAfile", CA, "-noout", "-text"], 40)
    row("crlagent crl show --issuer", *a[::2])
    row("openssl crl -CAfile -text", *b[::2])
    row("crlagent version (its libraries only)", *empty[::2])
    goal("crlagent / openssl", a[0] / b[0], 1.0)

    exe = f"{MINGW}/crlagent.exe"
    if shutil.which("wine") and os.path.exists(exe):
        print("the .exe under Wine, beside the native build")
        subprocess.run(["wine", exe, "version"], capture_output=True, check=True)
        start = measure(["wine", exe, "version"], 5)
        w = measure(["wine", exe, "crl", "verify", "--issuer", CA, three], 5)
        row("crlagent.exe version (start of Wine and all)", *start[::2])
        row("crlagent.exe crl verify, 3,000,000 entries", *w[::2], f"{(w[0] - start[0]) / (ours[0] - base_wall):.2f} x native without the start")
    for f in (three, three_next):
        os.remove(f)
    print("goals missed: %s" % (", ".join(bad) if bad else "none"))


main()
