# SPDX-License-Identifier: Apache-2.0
# Helpers for the end-to-end tests; source it first. Each test gets a folder $T of its own that is removed at the end, and
# may call lab_up once, whose lab is taken down at the end, however the test ends.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$E2E/../.." && pwd)
export CRLAGENT_BUILD=${CRLAGENT_BUILD:-$TOP/build/mingw} LAB_QUIET=1
LAB=$TOP/tests/lab/lab
export PATH=$TOP/tests/lab/wine:$PATH
T=$(mktemp -d "/tmp/crla-XXXXXX")
L=$T/lab
STEP= CHECKS=0

cleanup() {
    local rc=$?
    if [ $rc != 0 ]; then
        echo "FAILED (exit code $rc) in step: ${STEP:-start}" >&2
        tail -n 5 "$L"/log/*.log "$L"/prefix/drive_c/lab/events.log 2>/dev/null >&2 || true
    fi
    [ ! -d "$L" ] || "$LAB" down "$L" || true
    rm -rf "$T"
    return $rc
}
trap cleanup EXIT

step() { STEP=$*; printf '%6ss  %s\n' "$SECONDS" "$*"; }
fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }

# expect WHAT ACTUAL EXPECTED: equal text
expect() {
    CHECKS=$((CHECKS + 1))
    [ "$2" = "$3" ] || fail "$1: expected '$3', found '$2'"
}

# expect_match WHAT TEXT REGEX
expect_match() {
    CHECKS=$((CHECKS + 1))
    [[ $2 =~ $3 ]] || fail "$1: expected something like '$3', found '$2'"
}

# expect_rc CODE COMMAND...: exit code; the output is in $OUT
OUT=
expect_rc() {
    local want=$1 rc=0
    shift
    OUT=$("$@" 2>&1 | tr -d '\r'; exit "${PIPESTATUS[0]}") || rc=$?
    CHECKS=$((CHECKS + 1))
    [ $rc = "$want" ] || fail "'$*': expected exit code $want, found $rc; output: $OUT"
}

# json PATH: that field of the JSON in $OUT (jq syntax)
json() { jq -r "$1" <<< "$OUT"; }

# eventually SECONDS WHAT COMMAND...
eventually() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" > /dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "not within the time allowed: $what"
        sleep 0.2
    done
    CHECKS=$((CHECKS + 1))
}

lab_up() { "$LAB" up "$L" "$@"; }
lab() { local verb=$1; shift; "$LAB" "$verb" "$L" "$@"; }
win() { "$LAB" wine "$L" "$@" | tr -d '\r'; return "${PIPESTATUS[0]}"; }
events() { lab ca events | jq -r .id | tr '\n' ' '; }
crl_field() { openssl crl -inform DER -in "$1" -noout "-$2" 2>/dev/null | cut -d= -f2-; }
crl_number() { printf '%d' "$(crl_field "$1" crlnumber)"; }
passed() { printf 'ok: %s checks in %s s\n' "$CHECKS" "$SECONDS"; }
