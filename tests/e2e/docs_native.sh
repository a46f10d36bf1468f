#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the documents tell somebody to type that needs no Windows: every command line of hsmupgrade, against the lab appliance, and
# what crlagent answers without a service. Which lines these are and how each must end is said by doclines.py.
. "$(dirname "${BASH_SOURCE[0]}")/driver_lib.sh"
cd "$W" # relative names of the pages

# A change of another appliance that stopped half way, for the lines that go on with it or end it: the code was mistyped.
stopped_change() { # NAME
    appliance "$1"
    PLAN_CHANGE=CHG-$1 plan "$1"
    CODE=AAAABBBBCCCCDDDD hu 15 run
}

appliance hsm1
package lunasa_update-7.7.0-317
plan hsm1
ran=0
declare -A SEEN
"$TOP/tests/e2e/doclines.py" native > lines || fail "a line of the pages has no world"
while IFS=$'\t' read -r want place _ line <&3; do
    line=$(sed -E "s# (luna|PLAN)\.xml# $W/plan.xml#" <<< "$line")
    [ -z "${SEEN[$line]:-}" ] || continue
    SEEN[$line]=1
    case $line in
        "hsmupgrade plan init"*) rm "$W/plan.xml" ;;
        "hsmupgrade resume"* | "hsmupgrade abort"*) stopped_change "hsm$((ran + 2))" ;;
    esac
    read -ra words <<< "$line"
    program=$CRLAGENT_BUILD/bin/${words[0]} given=()
    case $line in
        # where the journal is, and the secrets that a person would be asked for
        "hsmupgrade watch "*) given=(--secrets-stdin) ;;
        "hsmupgrade status "*) given=(--state "$W/state") ;;
        "hsmupgrade check "* | "hsmupgrade run "* | "hsmupgrade resume "* | "hsmupgrade abort "*) given=(--state "$W/state" --secrets-stdin) ;;
    esac
    rc=0
    timeout 240 "$program" "${words[@]:1}" "${given[@]}" < <(secrets 2> /dev/null) > "$W/out" 2>&1 || rc=$?
    [[ " $want " == *" $rc "* ]] || fail "$place: '$line' ended with $rc, expected one of '$want'"
    [ -s "$W/out" ] || fail "$place: '$line' said nothing"
    printf '%6ss  %s  %s\n' "$SECONDS" "$place" "$line"
    ran=$((ran + 1))
    case $line in
        "hsmupgrade plan init"*)
            [ -s "$W/plan.xml" ] || fail "plan init wrote nothing"
            plan hsm1
            ;;
        "hsmupgrade run"*) versions hsm1 7.7.0-317 7.7.0 ;;
        "hsmupgrade resume"*) versions "hsm$((ran + 1))" 7.7.0-317 7.7.0 ;;
        "hsmupgrade abort"*) versions "hsm$((ran + 1))" 7.2.0-220 7.0.3 ;;
    esac
done 3< lines
[ $ran -ge 18 ] || fail "only $ran lines were found in the pages"
echo "ok: $ran command lines"
