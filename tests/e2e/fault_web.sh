#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Web servers that do not serve what they should, seen through the service. One of two servers broken: somebody is hurt, a
# WARNING at least (CRITICAL when it serves an old CRL); both broken: CRITICAL. The gate and the proof refuse by name.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with two web servers behind one name"
lab_up --no-ad --set CRLPeriod=Hours --set CRLPeriodUnits=2 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=1
PROOF=4s PROPAGATION=0s agent_install
base="$L/www/pki/Lab Issuing CA.crl"

# sees EXIT ID WORDS: the exit code of check, the finding and what it says about node 2, or nothing (ID 0)
sees() {
    expect_out "$1" check --format json
    if [ "$2" = 0 ]; then
        expect "findings" "$(json '[.findings[] | select(.severity == "critical" or .severity == "warning") | .id] | join(" ")')" ""
        return
    fi
    expect_match "the findings" " $(json '[.findings[].id] | join(" ")') " " $2 "
    expect_match "what finding $2 says" "$(json ".findings[] | select(.id == $2) | .found, .address")" "$3"
}

step "check: one server stale, HTML with 200, truncated, cut, endless, an error, no entry, off"
sees 0 0
lab web stale 2
win labadm.exe publish 1 > /dev/null
sees 2 4030 '127\.0\.1\.2.*serves CRL number'
lab web html 2; sees 1 4031 '127\.0\.1\.2.*HTML page'
lab web truncate 2; sees 1 4031 '127\.0\.1\.2.*length in the DER header.*found'
lab web cut 2; sees 1 4031 '127\.0\.1\.2'
lab web endless 2; sees 1 4031 '127\.0\.1\.2.*more bytes follow the CRL'
lab web error 2; sees 1 4031 '127\.0\.1\.2.*503'
lab web missing 2; sees 1 4031 '127\.0\.1\.2.*404'
lab web off 2; sees 1 4031 '127\.0\.1\.2'

step "check: both servers, so nothing is left"
lab web html; sees 2 4057 'HTML page'
lab web endless; sees 2 4052 'more bytes follow the CRL'
lab web off; sees 2 4041 'onnect'
lab web fresh; sees 0 0

step "gate: a server that serves nothing refuses the pause; the answer names it; nothing is touched"
number=$(crl_number "$base")
before=$(service_state CertSvc)
lab web error 2
expect_out 10 hook pre-upgrade --change W-LOCATION --window 30m --reserve 10m --json
expect "gate" "$(json .gate.verdict)" refused
expect_match "names the server" "$OUT" '127\.0\.1\.2'
expect "CA" "$(service_state CertSvc)" "$before"
expect "CRL number" "$(crl_number "$base")" "$number"

step "proof: a server that keeps yesterday's CRL; the cover is made, but not everywhere: no pause"
lab web fresh 2
lab web stale 2
expect_out 12 hook pre-upgrade --change W-STALE --window 4h --reserve 10m --json
expect "verdict" "$(json .proof.verdict)" created-not-delivered
expect_match "names the server" "$(json .error.text)" '127\.0\.1\.2'
expect "CA" "$(service_state CertSvc)" "$before"
lab web fresh 2

step "proof: a folder that cannot be written: created, not delivered, no pause; later all is well again"
lab ca set fail.1 0x80070005
number=$(crl_number "$base")
expect_out 12 hook pre-upgrade --change W-DELIVERY --window 12h --reserve 10m --json
expect "verdict" "$(json .proof.verdict)" created-not-delivered
expect "CA" "$(service_state CertSvc)" "$before"
lab ca unset fail.1
expect_rc 0 agent publish
[ "$(crl_number "$base")" -gt "$number" ] || fail "publish did not bring a new number"

step "the parent's CRL is too old: CertSvc would not start again, so the gate refuses"
lab parent stale
expect_out 10 hook pre-upgrade --change W-PARENT --window 30m --reserve 10m --json
expect_match "names the parent" "$(json .error.text)" 'root\.lab\.test'
lab parent fresh
passed
