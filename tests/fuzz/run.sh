#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every harness for some seconds: tests/fuzz/run.sh [SECONDS] [NOUN...]. Inputs that are found stay in
# build/fuzz/found/<noun>; a failing one is named in the output and ends the run with an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "fuzz: '$seconds' is no number of seconds" >&2; exit 2; }
shift || true
build=$PWD/build/fuzz

cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCRLAGENT_SANITIZE=ON \
    -DCRLAGENT_FUZZ=ON > "$build.log" 2>&1 || { tail -20 "$build.log" >&2; exit 1; }
nouns=()
for f in "$build"/fuzz/*.corpus; do
    noun=$(basename "$f" .corpus)
    [ $# -eq 0 ] || [[ " $* " == *" $noun "* ]] || continue
    nouns+=("$noun")
done
[ ${#nouns[@]} -gt 0 ] || { echo "fuzz: no harness of that name" >&2; exit 2; }
cmake --build "$build" --target "${nouns[@]/#/fuzz_}" -- --quiet

failed=0
for noun in "${nouns[@]}"; do
    found=$build/found/$noun
    log=$build/fuzz/$noun.log
    mkdir -p "$found" "$build/fuzz"
    IFS=';' read -ra corpus < "$build/fuzz/$noun.corpus" || true
    dict=()
    [ ! -e "tests/fuzz/$noun.dict" ] || dict=("-dict=tests/fuzz/$noun.dict")
    rc=0
    "$build/bin/fuzz_$noun" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$found/failing-" "${dict[@]}" "$found" "${corpus[@]}" > "$log" 2>&1 || rc=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    cov=$(grep -oE 'cov: [0-9]+' "$log" | tail -1)
    printf '%-16s %10s runs, %s, %s\n' "$noun" "${runs:-?}" "${cov:-cov: ?}" "$([ $rc = 0 ] && echo ok || echo "FAILED ($rc)")"
    if [ $rc != 0 ]; then
        tail -30 "$log" >&2
        failed=1
    fi
done
exit $failed
