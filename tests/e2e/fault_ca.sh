#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The CA and its tools do not do what they should: class or tool missing, hanging, slow, speaking German, access refused. Each
# ends within its time, with an error that names the cause, and the next call after the repair works.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with the agent; the CA must answer within two seconds"
lab_up --no-ad --set CRLPeriod=Hours --set CRLPeriodUnits=8 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=4
PROOF=4s agent_install '<answer-timeout>2s</answer-timeout><publish-timeout>10s</publish-timeout>'
base="$L/www/pki/Lab Issuing CA.crl"
before=$(service_state CertSvc)
pre() { expect_out "$1" hook pre-upgrade --change "$2" --window 30m --reserve 10m --json; }
# untouched WHAT: no service was stopped, no maintenance is open
untouched() {
    expect "$1: CA" "$(service_state CertSvc)" "$before"
    expect_out 0 status --json
    expect "$1: open maintenance" "$(json .active)" false
}
restart() {
    expect_rc 0 agent stop
    expect_rc 0 agent start
}
# within SECONDS COMMAND...
within() {
    local limit=$1 begin=$SECONDS
    shift
    "$@"
    CHECKS=$((CHECKS + 1))
    [ $((SECONDS - begin)) -le "$limit" ] || fail "'$*' took $((SECONDS - begin)) s, expected at most $limit"
}

step "the CA hangs: an error within its time, nothing is touched, and all is well when it answers again"
lab ca set com_hang 1
within 8 pre 23 CA-HANG
expect_match "says who did not answer" "$(json .error.text)" 'ICertAdmin2.*no answer within 2000 ms'
lab ca unset com_hang
untouched "hanging CA"

step "the CA is slow: patience, not failure"
lab ca set com_delay_ms 300
expect_rc 0 agent publish
lab ca unset com_delay_ms

step "the CA refuses: the account has no right to manage it"
lab ca set deny_admin 1
number=$(crl_number "$base")
pre 10 CA-REFUSES
expect_match "names the right" "$(json .error.text)" 'Manage CA'
expect_out 12 publish --json
expect_match "the CA's own code and what it means" "$(json .error.text)" '80070005'
expect "CRL number" "$(crl_number "$base")" "$number"
lab ca unset deny_admin
untouched "refusing CA"

step "CertSvc dies; the SCM may go on calling it running: a clear error, nothing is stopped"
lab ca kill > /dev/null
expect_out 23 publish --json
expect_match "names the interface" "$(json .error.text)" "(CertSvc.*runs|stopped|not running)"
win labadm.exe start CertSvc > /dev/null || true
eventually 10 "the CA answers again" agent publish
untouched "dead CA"

step "the COM class is not registered: certutil is used, whatever language it speaks"
lab ca com off
restart
expect_rc 0 agent publish
lab ca set certutil_lang de
number=$(crl_number "$base")
expect_rc 0 agent publish
[ "$(crl_number "$base")" -gt "$number" ] || fail "publish through certutil did not bring a new number"
lab ca unset certutil_lang

step "certutil hangs: ended after its time, with a clear error; no process of it is left"
lab ca set certutil_hang 1
within 16 expect_out 23 publish --json
expect_match "says what did not end" "$(json .error.text)" 'certutil.*(2000 ms|2 s|in time|time)'
eventually 5 "no certutil is left" bash -c "! '$LAB' exec '$L' pgrep -f 'certutil.exe -silent'"
lab ca unset certutil_hang
expect_rc 0 agent publish
untouched "hanging certutil"

step "neither class nor tool: a clear error"
lab ca certutil missing
restart
expect_out 23 publish --json
expect_match "says what is missing" "$(json .error.text)" 'certutil'
lab ca certutil present
lab ca com on
restart
expect_rc 0 agent publish
untouched "at the end"
passed
