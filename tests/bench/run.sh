#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Figures, side by side with other tools, in one run: tests/bench/run.sh [PART...]. A part is tests/bench/part_<noun>.py
# or .sh and prints a small table. It finds in the environment: BENCH_NATIVE, BENCH_MINGW (folders of programs),
# BENCH_DIR (scratch, kept between runs for what is slow to make), BENCH_RUNS (how often a short thing is repeated).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export BENCH_NATIVE=$PWD/build/native/bin BENCH_MINGW=$PWD/build/mingw/bin
export BENCH_DIR=${BENCH_DIR:-$PWD/build/bench} BENCH_RUNS=${BENCH_RUNS:-7}
export WINEDEBUG=${WINEDEBUG:--all} WINEDLLOVERRIDES=${WINEDLLOVERRIDES:-mscoree,mshtml=}
mkdir -p "$BENCH_DIR"

printf 'machine: %s, %s cores, load %s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" \
    "$(cut -d' ' -f1-3 /proc/loadavg)"
failed=0 found=0
for part in tests/bench/part_*; do
    noun=${part##*/part_}
    noun=${noun%.*}
    [ $# -eq 0 ] || [[ " $* " == *" $noun "* ]] || continue
    found=1
    printf '\n== %s\n' "$noun"
    "$part" || { echo "bench: part '$noun' failed" >&2; failed=1; }
done
[ $found = 1 ] || { echo "bench: no such part; there are: $(ls tests/bench | sed -n 's/^part_\(.*\)\..*/\1/p' | tr '\n' ' ')" >&2; exit 2; }
exit $failed
