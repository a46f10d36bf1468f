#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The service is killed in every state of the maintenance and started again: the maintenance goes on or holds, the same call
# gives its result, and at the end the former state is there exactly. The command line is killed too: nothing changes.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with a dependant and slow parts; a service that was stopped before stays so"
lab_up --no-ad --dependant --set CRLPeriod=Hours --set CRLPeriodUnits=2 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=1
agent_install
base="$L/www/pki/Lab Issuing CA.crl"
ca_before=$(service_state CertSvc)
dependant_before=$(service_state "LabWebEnroll")

kill_service() { win taskkill.exe /f /im crlagent.exe > /dev/null; }
# Wine's SCM believes in the dead process until somebody starts the service.
start_service() { win labadm.exe start crlagent > /dev/null || true; eventually 20 "service answers" agent status --json; }
state() { agent_out status --json 2>/dev/null | jq -r '.maintenance.state // "none"'; }
in_state() { [ "$(state)" = "$1" ]; }
slow() { lab ca set publish_delay_ms "$1"; lab ca set stop_delay_ms "$2"; lab ca set start_delay_ms "$3"; }
pre() { agent_out hook pre-upgrade --change "$1" --window 4h --reserve 30m --json "${@:2}"; }
post() { agent_out hook post-upgrade --change "$1" --json; }

# killed_in STATE CHANGE COMMAND...: starts the call, kills the service when that state is reached, starts it again
killed_in() {
    local want=$1 change=$2
    shift 2
    ( "$@" > "$T/call.$change" 2>&1 || true ) &
    local call=$!
    eventually 20 "state $want" in_state "$want"
    kill_service
    wait $call || true
    start_service
}

# finished CHANGE: post-upgrade ends well and everything is as before
finished() {
    local rc=0
    slow 0 0 0
    post "$1" > "$T/post.$1" || rc=$?
    [ $rc = 0 ] || fail "post-upgrade of $1 after the kill: exit code $rc: $(cat "$T/post.$1" "$T/stderr")"
    expect "$1: state" "$(jq -r .state "$T/post.$1")" closed
    expect "$1: CA as before" "$(service_state CertSvc)" "$ca_before"
    expect "$1: dependant as before" "$(service_state "LabWebEnroll")" "$dependant_before"
}

step "killed while preparing (a cover CRL is being published)"
slow 4000 0 0
killed_in preparing C-PREPARING pre C-PREPARING
slow 0 0 0
pre C-PREPARING > "$T/out" || fail "the same call after the kill: $(cat "$T/out" "$T/stderr")"
expect "state" "$(jq -r .state "$T/out")" paused
finished C-PREPARING

step "killed when ready"
expect_out 0 hook pre-upgrade --change C-READY --window 4h --reserve 30m --prepare-only --json
expect "state" "$(json .state)" ready
kill_service
start_service
pre C-READY > "$T/out" || fail "the same call after the kill: $(cat "$T/out" "$T/stderr")"
expect "state" "$(jq -r .state "$T/out")" paused
finished C-READY

step "killed while pausing"
slow 0 3000 0
killed_in pausing C-PAUSING pre C-PAUSING
pre C-PAUSING > "$T/out" || fail "the same call after the kill: $(cat "$T/out" "$T/stderr")"
expect "state" "$(jq -r .state "$T/out")" paused
finished C-PAUSING

step "killed while paused: still paused after the start, the CA stays down"
expect_out 0 hook pre-upgrade --change C-PAUSED --window 4h --reserve 30m --json
kill_service
start_service
expect "state" "$(state)" paused
expect "CA" "$(certsvc .state)" 1

step "killed while resuming"
slow 0 0 4000
killed_in resuming C-PAUSED post C-PAUSED
finished C-PAUSED

step "killed while verifying"
expect_out 0 hook pre-upgrade --change C-VERIFYING --window 4h --reserve 30m --json
slow 4000 0 0
killed_in verifying C-VERIFYING post C-VERIFYING
finished C-VERIFYING

step "killed while held; a person goes on"
expect_out 0 hook pre-upgrade --change C-HELD --window 4h --reserve 30m --json
lab ca set start_refused 0x80070005
expect_out 15 hook post-upgrade --change C-HELD --json
expect "state" "$(state)" held
kill_service
start_service
expect "state" "$(state)" held
lab ca unset start_refused
finished C-HELD

step "the command line is killed in the middle: the service goes on, the same call gives the result"
slow 0 3000 0
( pre C-CLIENT > /dev/null 2>&1 || true ) &
eventually 20 "state pausing" in_state pausing
client=$("$LAB" exec "$L" pgrep -f 'crlagent.exe hook pre-upgrade' | head -1)
"$LAB" exec "$L" kill -9 "$client"
eventually 20 "paused without its client" in_state paused
pre C-CLIENT > "$T/out" || fail "the same call after the kill: $(cat "$T/out" "$T/stderr")"
expect "repeated" "$(jq -r .repeated "$T/out")" true
finished C-CLIENT
passed
