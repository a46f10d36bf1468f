#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job, end to end, as an administrator types it: install through the SCM, look, gate with a cover CRL, pause, HSM away
# and back, resume, prove, compare, uninstall.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a CA whose CRLs last two hours, with a dependant; the agent is installed through the SCM and started"
lab_up --no-ad --dependant --set CRLPeriod=Hours --set CRLPeriodUnits=2 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=1
win labadm.exe start Spooler > /dev/null
agent_install '<stop-with><service>Spooler</service></stop-with>'
base="$L/www/pki/Lab Issuing CA.crl"
number=$(crl_number "$base")
ca_before=$(service_state CertSvc) dependant_before=$(service_state LabWebEnroll) spooler_before=$(service_state Spooler)
expect "a service stopped with the CA runs" "${spooler_before% *}" 4

step "status: the CA runs, there is no maintenance"
expect_out 0 status --json
expect "active" "$(json .active)" false
expect_match "service" "$(json '."ca-service"')" 'CertSvc: running'

step "check through the service: every location of the CA, in the form of a monitoring plug-in and of JSON"
expect_out 0 check --format nagios
expect_match "plug-in line" "$OUT" '^CRL OK'
expect_out 0 check --format json
expect "every location is OK" "$(json '[.. | objects | select(has("state") and has("url")) | .state] | unique | join(",")')" OK

step "dry run of a four-hour window: the runway is too short, a cover CRL would mend it, nothing is touched"
expect_out 0 hook pre-upgrade --change CHG0012345 --window 4h --dry-run --json
expect "gate" "$(json .gate.verdict)" short
expect "cover" "$(json '."gate"."cover-needed"')" true
expect "no refusal among the findings" "$(json '[.gate.items[] | select(.severity == "critical")] | length')" 0
expect_match "what it says" "$(json '.gate.items[].remedy')" 'needs a cover CRL, which pre-upgrade publishes'
expect "CRL number" "$(crl_number "$base")" "$number"
expect "CA" "$(service_state CertSvc)" "$ca_before"

step "pre-upgrade: a cover CRL is published and proven, then the CA is paused"
expect_out 0 hook pre-upgrade --change CHG0012345 --window 4h --reserve 1h --reason "firmware 7.8.4" --json
expect "state" "$(json .state)" paused
expect "cover" "$(json .maintenance.cover)" true
expect "proof" "$(json .proof.verdict)" proven
token=$(json .token)
covered=$(crl_number "$base")
[ "$covered" -gt "$number" ] || fail "no cover CRL was published"
left=$(($(date -d "$(crl_field "$base" nextupdate)" +%s) - $(date +%s)))
[ $left -ge $((5 * 3600)) ] || fail "the cover CRL lasts $left s, expected five hours"
expect "CA is stopped, its start type manual" "$(service_state CertSvc)" "1 3"
expect "a service of the configuration is stopped" "$(service_state Spooler | cut -c1)" 1
expect_match "progress on standard error" "$(cat "$T/stderr")" 'paus'

step "the same call again gives the same result, and does nothing"
expect_out 0 hook pre-upgrade --change CHG0012345 --window 4h --reserve 1h --reason "firmware 7.8.4" --json
expect "repeated" "$(json .repeated)" true
expect "token" "$(json .token)" "$token"
expect "CRL number" "$(crl_number "$base")" "$covered"

step "another change is refused while this one holds the CA"
expect_out 11 hook pre-upgrade --change CHG0099999 --window 1h --json

step "status while paused: deadline and steps"
expect_out 0 status --json
expect "state" "$(json .maintenance.state)" paused
[ "$(json .left)" -gt $((3 * 3600)) ] || fail "no deadline in the status: $OUT"
covered_runway() { OUT=$(agent_out status --json) && [ "$(json '.runway.weakest // 0')" -gt $((4 * 3600)) ]; }
eventually 15 "the runway in status is that of the cover CRL, minutes before the next look is due" covered_runway
expect_out 0 maintenance
expect_match "steps for people" "$OUT" 'stop .*CertSvc'

step "the HSM goes away; resuming now is refused and the CA stays paused"
lab hsm away > /dev/null
expect_out 14 hook post-upgrade --change CHG0012345 --json
expect "CA is still stopped" "$(certsvc .state)" 1

step "the HSM is back: post-upgrade brings everything back and proves it"
lab hsm present > /dev/null
expect_out 0 hook post-upgrade --change CHG0012345 --json
expect "state" "$(json .state)" closed
expect "proof" "$(json .proof.verdict)" proven
expect "comparison" "$(json .comparison.good)" true
expect "services" "$(json '[.comparison.services[].same] | all')" true
[ "$(crl_number "$base")" -gt "$covered" ] || fail "no new CRL after the maintenance"
expect "CA as before" "$(service_state CertSvc)" "$ca_before"
expect "dependant as before" "$(service_state LabWebEnroll)" "$dependant_before"
expect "service of the configuration as before" "$(service_state Spooler)" "$spooler_before"

step "the result can be asked for again; history knows who did what"
expect_out 0 hook post-upgrade --change CHG0012345 --json
expect "repeated" "$(json .repeated)" true
expect_out 0 history --json
expect "state in history" "$(json '.maintenances[0].state')" closed
expect_match "audit has a SID" "$(json '.audit[0].sid')" '^S-1-'

step "stop and uninstall leave configuration and state"
SECONDS_BEFORE=$SECONDS
expect_rc 0 agent stop
[ $((SECONDS - SECONDS_BEFORE)) -le 5 ] || fail "the service took $((SECONDS - SECONDS_BEFORE)) s to stop"
expect_rc 22 agent status
expect_rc 0 agent uninstall
[ -e "$DATA/state/state.db" ] && [ -e "$DATA/config/crlagent.xml" ] || fail "uninstall removed data"
passed
