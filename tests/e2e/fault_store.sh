#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The disk with the state is full or read-only: nothing is touched before it can be written down, and the error says so. A disk
# that fills while the CA is paused keeps nobody from bringing it back once there is room.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with the agent, whose state lies on a disk of its own"
lab_up --no-ad --set CRLPeriod=Hours --set CRLPeriodUnits=8 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=4
# The agent follows no links, and Wine takes a mount point for one: the disk is mounted above the folders it looks at. Only
# the lab sees it; from here it is reached through the lab's first process.
lab exec mount -t tmpfs -o size=4m none "$(dirname "$DATA")"
DATA=/proc/$(cat "$L/pid")/root$DATA
LOG_FILE='C:\lab\crlagent.log' PROOF=4s agent_install '' '' '' '<maintenance-interval>1s</maintenance-interval>'
agent_log() { cat "$L/prefix/drive_c/lab/crlagent.log"; }
before=$(service_state CertSvc)
number=$(crl_number "$L/www/pki/Lab Issuing CA.crl")
pre() { expect_out "$1" hook pre-upgrade --change "$2" --window 30m --reserve 10m --json; }
fill() { head -c 8m /dev/zero > "$DATA/state/ballast" 2> /dev/null || true; }
untouched() {
    expect "$1: CA" "$(service_state CertSvc)" "$before"
    expect "$1: CRL number" "$(crl_number "$L/www/pki/Lab Issuing CA.crl")" "$number"
}

step "the disk is full: the pause is refused with a clear error, nothing is touched, and the log says so"
fill
pre 23 D-FULL
expect_match "says what cannot be written" "$(json .error.text)" '([Ff]ull|space)'
untouched "full"
expect_match "log" "$(agent_log)" ' 1102 .*(full|space)'

step "room again: the same call works; the disk fills while the CA is paused"
rm -f "$DATA/state/ballast"
pre 0 D-FULL
expect "CA" "$(certsvc .state)" 1
fill
expect_out 23 hook post-upgrade --change D-FULL --json
expect_match "says what cannot be written" "$(json .error.text)" '([Ff]ull|space)'
expect "the CA stays paused" "$(certsvc .state)" 1
# What is due and cannot be done is tried again later, not at once and for ever.
lines=$(agent_log | wc -l)
sleep 3
lines=$(($(agent_log | wc -l) - lines))
[ "$lines" -le 20 ] || fail "$lines lines in the log in three seconds"
rm -f "$DATA/state/ballast"
expect_out 0 hook post-upgrade --change D-FULL --json
expect "CA as before" "$(service_state CertSvc)" "$before"
number=$(crl_number "$L/www/pki/Lab Issuing CA.crl")

step "the disk is read-only when the service starts while the CA is paused: it says why it cannot, nothing is touched"
pre 0 D-READONLY
expect_rc 0 agent stop
lab exec mount -o remount,ro "$L/prefix/drive_c/ProgramData"
expect_rc 23 agent start
expect_match "log" "$(agent_log)" ' 1003 .*state'
expect_rc 22 agent status
expect "the CA stays paused" "$(certsvc .state)" 1
lab exec mount -o remount,rw "$L/prefix/drive_c/ProgramData"

step "writable again: the service starts, the maintenance is where it was, abort restores"
expect_rc 0 agent start
expect_out 0 status --json
expect "state" "$(json .maintenance.state)" paused
expect_out 0 abort --change D-READONLY --json
expect "CA as before" "$(service_state CertSvc)" "$before"
passed
