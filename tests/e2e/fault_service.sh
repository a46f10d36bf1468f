#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The CA's service does not do what it should: it does not stop, somebody starts it while it is paused, it was stopped before.
# Nothing is started that was stopped, nothing is left stopped.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with the agent; whoever starts the CA while it is paused is stopped again"
lab_up --no-ad --set CRLPeriod=Hours --set CRLPeriodUnits=8 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=4
PROOF=4s STOP=10s agent_install '<watch>stop-again</watch>'
base="$L/www/pki/Lab Issuing CA.crl"
before=$(service_state CertSvc)
stopped() { [ "$(certsvc .state)" = 1 ]; }
pre() { expect_out "$1" hook pre-upgrade --change "$2" --window 30m --reserve 10m --json; }
post() { expect_out "$1" hook post-upgrade --change "$2" --json; }

step "somebody starts the CA while it is paused: it is stopped again at once"
pre 0 S-WATCH
lab ca start > /dev/null || true
told() { agent_log | grep -q ' 5014 '; }
eventually 10 "the log says that the CA was stopped again" told
eventually 10 "the CA is stopped again" stopped
expect_out 0 abort --change S-WATCH --json
expect "CA as before" "$(service_state CertSvc)" "$before"

step "a CA that does not stop in time: held with the reason; once it moves again, abort restores it"
lab ca set stop_hang 1
pre 15 S-HANG
expect "state" "$(json .state)" held
expect_match "says which service hangs in which state" "$(json .error.text)" "'CertSvc'.*stop pending"
lab ca set stop_hang 0
eventually 20 "the stop has ended" stopped
expect_out 0 abort --change S-HANG --json
expect "CA as before" "$(service_state CertSvc)" "$before"

step "a CA that was stopped before: the runway alone must do; it is never started, nothing is published"
win labadm.exe stop CertSvc > /dev/null
before=$(service_state CertSvc)
number=$(crl_number "$base")
expect_out 10 hook pre-upgrade --change S-SHORT --window 20h --reserve 10m --json
expect "gate" "$(json .gate.verdict)" short
expect_match "says what a stopped CA cannot do" "$(json '.error.text')" 'stopped.*cannot publish'
pre 0 S-STOPPED
expect "state" "$(json .state)" paused
expect_match "the gate warns" "$(json '.gate.items[] | select(.id == 5111) | .severity, .found')" 'warning.*stopped'
expect "CA" "$(certsvc .state)" 1
post 0 S-STOPPED
expect "state" "$(json .state)" closed
expect "CA as before" "$(service_state CertSvc)" "$before"
expect "CRL number" "$(crl_number "$base")" "$number"
expect_match "says that nothing was published" "$(json .maintenance.note)" 'stays stopped'
passed
