#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The service is killed in every state of the maintenance and started again: the maintenance goes on or holds, the same call
# gives its result, and at the end the former state is there exactly. The command line is killed too: nothing changes.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with a dependant; the plan names a service that is stopped: nobody may start it"
lab_up --no-ad --dependant --set CRLPeriod=Hours --set CRLPeriodUnits=2 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=1
agent_install '<stop-with><service>Spooler</service></stop-with>'
spooler_before=$(service_state Spooler)
expect "a service of the plan is stopped before" "${spooler_before% *}" 1
base="$L/www/pki/Lab Issuing CA.crl"
ca_before=$(service_state CertSvc)
dependant_before=$(service_state "LabWebEnroll")

# Which state a kill met stands in $T/killed.
kill_service() {
    state >> "$T/killed"
    win taskkill.exe /f /im crlagent.exe > /dev/null
}
# Wine's SCM believes in the dead process until somebody starts the service.
start_service() { win labadm.exe start crlagent > /dev/null || true; eventually 20 "service answers" agent status --json; }
state() { agent_out status --json 2>/dev/null | jq -r '.maintenance.state // "none"'; }
in_state() { [ "$(state)" = "$1" ]; }
newest() { agent_out history --json 2>/dev/null | jq -r '.maintenances[0].state'; }
newest_is() { [ "$(newest)" = "$1" ]; }
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

as_before() { # WHAT
    expect "$1: CA as before" "$(service_state CertSvc)" "$ca_before"
    expect "$1: dependant as before" "$(service_state "LabWebEnroll")" "$dependant_before"
    expect "$1: what was stopped before" "$(service_state Spooler)" "$spooler_before"
}

# finished CHANGE: post-upgrade ends well and everything is as before
finished() {
    local rc=0
    post "$1" > "$T/post.$1" || rc=$?
    [ $rc = 0 ] || fail "post-upgrade of $1 after the kill: exit code $rc: $(cat "$T/post.$1" "$T/stderr")"
    expect "$1: state" "$(jq -r .state "$T/post.$1")" closed
    as_before "$1"
}

step "killed while preparing (a cover CRL is being published): refused, nothing was touched"
lab ca set publish_delay_ms 4000
killed_in preparing C-ONE pre C-ONE
lab ca unset publish_delay_ms
expect "state" "$(newest)" refused
as_before "after preparing"

step "the same call; killed while pausing (the CA does not stop): undone, what ran runs again"
lab ca set stop_hang 1
killed_in pausing C-ONE pre C-ONE
lab ca unset stop_hang
eventually 20 "the pause is undone" newest_is aborted
as_before "after pausing"

step "the same call; killed while paused: still paused after the start, the CA stays down"
pre C-ONE > "$T/out" || fail "the same call after the kill: $(cat "$T/out" "$T/stderr")"
expect "state" "$(jq -r .state "$T/out")" paused
kill_service
start_service
expect "state" "$(state)" paused
expect "CA" "$(certsvc .state)" 1

step "killed while resuming (the CA does not start), and again while verifying: it goes on to the end"
lab ca set start_hang 1
lab ca set publish_delay_ms 4000
killed_in resuming C-ONE post C-ONE
lab ca unset start_hang
eventually 20 "state verifying" in_state verifying
kill_service
lab ca unset publish_delay_ms
start_service
finished C-ONE

step "killed when ready; the same call goes on"
expect_out 0 hook pre-upgrade --change C-TWO --window 4h --reserve 30m --prepare-only --json
expect "state" "$(json .state)" ready
kill_service
start_service
expect "state" "$(state)" ready
as_before "when ready"

step "the command line is killed in the middle: the service goes on, the same call gives the result"
lab ca set stop_hang 1
( pre C-TWO > /dev/null 2>&1 || true ) &
eventually 20 "state pausing" in_state pausing
client=$("$LAB" exec "$L" pgrep -f 'crlagent.exe hook pre-upgrade' | head -1)
"$LAB" exec "$L" kill -9 "$client"
expect "the service does not notice" "$(state)" pausing
lab ca unset stop_hang
eventually 20 "paused without its client" in_state paused
pre C-TWO > "$T/out" || fail "the same call after the kill: $(cat "$T/out" "$T/stderr")"
expect "repeated" "$(jq -r .repeated "$T/out")" true

step "killed while held; a person goes on"
lab ca set start_refused 0x80070005
expect_out 15 hook post-upgrade --change C-TWO --json
expect "state" "$(state)" held
kill_service
start_service
expect "state" "$(state)" held
lab ca unset start_refused
finished C-TWO

step "every state that is not final was met by a kill"
expect "states" "$(sort -u "$T/killed" | tr '\n' ' ')" "held paused pausing preparing ready resuming verifying "
passed
