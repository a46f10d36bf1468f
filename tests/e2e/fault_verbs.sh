#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# People and drivers who do not agree: an extension that the runway does not hold, a token of an older maintenance, an abort
# in the middle of a running hook. Each is refused with who holds the CA, or restores exactly the former state.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with the agent"
lab_up --no-ad --set CRLPeriod=Hours --set CRLPeriodUnits=8 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=4
PROOF=4s agent_install
before=$(service_state CertSvc)
pre() { expect_out "$1" hook pre-upgrade --change "$2" --window 30m --reserve 10m --json "${@:3}"; }
post() { expect_out "$1" hook post-upgrade --change "$2" --json "${@:3}"; }

step "extend: within the runway, not beyond it, not into the past"
pre 0 S-TOKEN
first=$(json .token)
by=$(json '.maintenance."resume-by"')
expect_out 0 extend --change S-TOKEN --window 1h --json
[[ "$(json .maintenance.deadline)" > "$(date -u -d '+50 minutes' +%Y-%m-%dT%H:%M:%SZ)" ]] || fail "the deadline was not moved: $OUT"
expect_out 10 extend --change S-TOKEN --window 20h --json
expect_match "says how far it can go" "$(json .error.text)" "$by"
sleep 1.5 # the pause itself may be younger than the second that is asked for
expect_out 20 extend --change S-TOKEN --window 1s --json
expect_out 11 extend --change S-OTHER --window 1h --json
expect "CA" "$(certsvc .state)" 1
post 0 S-TOKEN --token "$first"
expect "CA as before" "$(service_state CertSvc)" "$before"

step "a token of an old maintenance, and one of an older taking, act on nothing"
pre 0 S-NEXT
second=$(json .token)
[ "$second" != "$first" ] || fail "two maintenances have the same token $first"
post 11 S-NEXT --token "$first"
expect_match "says which token counts" "$(json .error.text)" "$first.*older.*$second"
expect_out 11 abort --change S-NEXT --token "$first" --json
expect_out 11 extend --change S-NEXT --token "$first" --window 1h --json
expect "CA" "$(certsvc .state)" 1
expect_out 0 abort --change S-NEXT --token "$second" --json
expect "CA as before" "$(service_state CertSvc)" "$before"

step "abort in the middle of a running hook: it ends, the former state is back, the hook's caller is told"
lab ca set stop_delay_ms 3000
( rc=0
    agent_out hook pre-upgrade --change S-ABORT --window 30m --reserve 10m --json > "$T/hook" || rc=$?
    echo $rc > "$T/hook.rc" ) &
hook=$!
pausing() { [ "$(agent_out status --json 2> /dev/null | jq -r .maintenance.state)" = pausing ]; }
eventually 15 "pausing" pausing
expect_out 0 abort --change S-ABORT --json
wait $hook || true
lab ca unset stop_delay_ms
expect "state" "$(json .state)" aborted
expect "the hook's exit code" "$(cat "$T/hook.rc")" 23
expect_match "the hook's caller is told" "$(jq -r .error.text "$T/hook")" '.'
expect "CA as before" "$(service_state CertSvc)" "$before"
passed
