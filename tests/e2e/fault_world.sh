#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The world around the agent misbehaves: tools missing, locations failing, nodes stale, the CA stopped, hanging or started by
# somebody. Each ends with the right verdict and a way out.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with the agent; whoever starts the CA while it is paused is stopped again"
lab_up --no-ad --set CRLPeriod=Hours --set CRLPeriodUnits=2 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=1
PROOF=4s STOP=10s agent_install '<watch>stop-again</watch>'
base="$L/www/pki/Lab Issuing CA.crl"

step "check sees a stale node, HTML with 200, truncated bytes, an endless body, a node that is down"
sees() { # EXIT WORDS
    expect_out "$1" check
    expect_match "what check says" "$OUT" "$2"
}
win labadm.exe publish 1 > /dev/null
lab web stale 2; win labadm.exe publish 1 > /dev/null; sees 2 'older|stale|STALE'
lab web html 2; sees 1 'HTML'
lab web truncate 2; sees 1 'fewer|runcated'
lab web endless 2; sees 1 'expected the end of the input'
lab web off 2; sees 1 'onnect'
lab web fresh 2; sees 0 '[Rr]unway'

step "gate: a location that serves nothing refuses the pause; the answer names it"
lab web error 2
expect_out 10 hook pre-upgrade --change W-LOCATION --window 30m --reserve 10m --json
expect "gate" "$(json .gate.verdict)" refused
expect_match "names the location" "$OUT" 'pki.lab.test'
expect "CA" "$(certsvc .state)" 4
lab web fresh 2

step "publish: one location cannot be written, so the cover is created and not delivered: no pause"
lab ca set fail.1 0x80070005
number=$(crl_number "$base")
expect_out 12 hook pre-upgrade --change W-DELIVERY --window 4h --reserve 10m --json
expect_match "verdict" "$(json .proof.verdict)" 'not-delivered'
expect "CA" "$(certsvc .state)" 4
lab ca unset fail.1
expect_rc 0 agent publish
[ "$(crl_number "$base")" -gt "$number" ] || fail "publish did not bring a new number"

step "the parent's CRL is too old: CertSvc would not start again, so the gate refuses"
lab parent stale
expect_out 10 hook pre-upgrade --change W-PARENT --window 30m --reserve 10m --json
expect_match "names the parent" "$OUT" 'root.lab.test'
lab parent fresh

step "the COM class is not registered: certutil is used; neither: a clear error"
lab ca com off
expect_rc 0 agent stop
expect_rc 0 agent start
expect_rc 0 agent publish
lab ca set certutil_lang de
expect_rc 0 agent publish
lab ca set certutil_lang en
lab ca certutil missing
expect_rc 0 agent stop
expect_rc 0 agent start
expect_out 23 publish --json
expect_match "says what is missing" "$(cat "$T/stderr")" 'certutil'
lab ca certutil present
lab ca com on
expect_rc 0 agent stop
expect_rc 0 agent start

step "somebody starts the CA while it is paused: it is stopped again at once"
expect_out 0 hook pre-upgrade --change W-WATCH --window 30m --reserve 10m --json
lab ca start > /dev/null || true
stopped() { [ "$(certsvc .state)" = 1 ]; }
eventually 10 "the CA is stopped again" stopped
expect_match "log" "$(agent_log)" ' 501[34] '
expect_out 0 abort --change W-WATCH --json
expect "CA runs" "$(certsvc .state)" 4

step "a CA that does not stop in time: held with the reason; once it moves again, abort restores it"
lab ca set stop_hang 1
expect_out 15 hook pre-upgrade --change W-HANG --window 30m --reserve 10m --json
expect "state" "$(json .state)" held
expect_match "says which service hangs in which state" "$(json .error.text)" "'CertSvc'.*stop pending"
lab ca set stop_hang 0
eventually 20 "the stop has ended" stopped
expect_out 0 abort --change W-HANG --json
expect "CA runs" "$(certsvc .state)" 4

step "a CA that was stopped before stays stopped, whatever is asked"
win labadm.exe stop CertSvc > /dev/null
agent_out hook pre-upgrade --change W-STOPPED --window 30m --reserve 10m --json > /dev/null || true
expect "CA" "$(certsvc .state)" 1
agent_out hook post-upgrade --change W-STOPPED --json > /dev/null || true
expect "CA" "$(certsvc .state)" 1
passed
