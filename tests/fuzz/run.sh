#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every harness for some seconds, as many at a time as there are cores (JOBS): tests/fuzz/run.sh [SECONDS] [NOUN...].
# Inputs that are found stay in build/fuzz/found/<noun>; a failing one is named in the output and ends the run with an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "fuzz: '$seconds' is no number of seconds" >&2; exit 2; }
shift || true
build=$PWD/build/fuzz
jobs=${JOBS:-$(nproc)}
launcher=()
! command -v ccache > /dev/null || launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)

cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCRLAGENT_SANITIZE=ON \
    -DCRLAGENT_FUZZ=ON "${launcher[@]}" > "$build.log" 2>&1 || { tail -20 "$build.log" >&2; exit 1; }
nouns=()
for f in "$build"/fuzz/*.corpus; do
    noun=$(basename "$f" .corpus)
    [ -e "tests/fuzz/fuzz_$noun.c" ] || continue # of a harness that is gone
    [ $# -eq 0 ] || [[ " $* " == *" $noun "* ]] || continue
    nouns+=("$noun")
done
[ ${#nouns[@]} -gt 0 ] || { echo "fuzz: no harness of that name" >&2; exit 2; }
cmake --build "$build" -j "$jobs" --target "${nouns[@]/#/fuzz_}" -- --quiet

# One harness, one line of result; its exit code is the harness's.
fuzz() {
    local noun=$1 found=$build/found/$1 log=$build/fuzz/$1.log rc=0 corpus dict=() runs cov
    mkdir -p "$found"
    IFS=';' read -ra corpus < "$build/fuzz/$noun.corpus" || true
    [ ! -e "tests/fuzz/$noun.dict" ] || dict=("-dict=tests/fuzz/$noun.dict")
    "$build/bin/fuzz_$noun" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$found/failing-" "${dict[@]}" "$found" "${corpus[@]}" > "$log" 2>&1 || rc=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    cov=$(grep -oE 'cov: [0-9]+' "$log" | tail -1) || true
    # A harness that did not run at all has found nothing, whatever its exit code says.
    [ "${runs:-0}" -gt 0 ] || [ $rc != 0 ] || rc=1
    printf '%-16s %10s runs, %s, %s\n' "$noun" "${runs:-?}" "${cov:-cov: ?}" "$([ $rc = 0 ] && echo ok || echo "FAILED ($rc)")"
    [ $rc = 0 ] || tail -30 "$log" >&2
    return $rc
}

failed=0 running=0
for noun in "${nouns[@]}"; do
    if [ $running -ge "$jobs" ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
    fuzz "$noun" &
    running=$((running + 1))
done
while [ $running -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
exit $failed
