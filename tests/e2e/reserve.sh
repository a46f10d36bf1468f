#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The HSM does not come back. Before the pause every base CRL was signed once more with a long life, judged and sealed; now it
# is released, proven, and replaced by a normal CRL as soon as the CA can publish again. A signing tool that goes wrong keeps
# the CA from being paused, and a file that somebody changed is never released.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a CA with two keys and a revoked certificate; a reserve CRL is required before a pause"
lab_up --no-ad --keys 2 --set CRLPeriod=Hours --set CRLPeriodUnits=8 --set CRLDeltaPeriod=Hours --set CRLDeltaPeriodUnits=4
PROOF=6s agent_install '<publish-timeout>10s</publish-timeout>' \
    '<reserve-crl>required</reserve-crl><reserve-crl-life>2d</reserve-crl-life>' \
    '<locations><location url="http://pki.lab.test/pki/Lab%20Issuing%20CA(1).crl" warning="1h"/></locations>'
lab ca revoke 3 > /dev/null
expect_out 0 publish --json
# A threshold for a URL of the second key is no location of the first: its proof is that of its own key.
expect_match "the second key's URL" "$OUT" 'Lab%20Issuing%20CA\(1\)\.crl'
expect "locations proven" "$(json '[.proof.locations[] | .proven] | all')" true
base="$L/www/pki/Lab Issuing CA.crl"
sealed="$DATA/reserve"
before=$(service_state CertSvc)
pre() { expect_out "$1" hook pre-upgrade --change "$2" --window 30m --reserve 10m --json; }
number=$(crl_number "$base")

step "the signing tool uses another key, drops an entry, hangs: nothing is sealed; when it refuses there is no pause"
for how in wrong-key:signature drop:'every entry' hang:'end|time'; do
    lab ca set certutil_sign "${how%%:*}"
    expect_out 23 reserve make --json
    expect_match "$how" "$(json .error.text)" "reserve CRL.*(${how#*:})"
done
lab ca set certutil_sign refuse
pre 10 R-REFUSED
expect_match "says so" "$(json .error.text)" 'without a reserve CRL there is no pause.*certutil -sign'
expect "CA" "$(service_state CertSvc)" "$before"
expect "nothing is left in the sealed folder" "$(find "$sealed" -type f | wc -l)" 0
lab ca unset certutil_sign
expect "CRL number" "$(crl_number "$base")" "$number"

step "pre-upgrade: sealed with the next number, a long life, every entry and no Freshest CRL"
pre 0 R-1
expect "two are sealed" "$(json '[.reserve[]?] | length')" 0
expect_out 0 status --json
expect "two are sealed" "$(json '[.reserve[] | select(.state == "sealed")] | length')" 2
file=$sealed/reserve-$(json '.reserve[] | select(.key == 0) | .id').crl
expect "number" "$(crl_number "$file")" $((number + 1))
left=$(($(date -d "$(crl_field "$file" nextupdate)" +%s) - $(date +%s)))
[ $left -gt $((47 * 3600)) ] && [ $left -le $((49 * 3600)) ] || fail "it lasts $left s, expected two days"
openssl crl -inform DER -in "$file" -noout -CAfile "$L/pki/ca0.pem" 2>&1 | grep -q 'verify OK' || fail "its signature is not the CA's"
text=$(openssl crl -inform DER -in "$file" -noout -text)
expect "entries" "$(grep -c 'Serial Number:' <<< "$text")" 3
! grep -q 'Freshest CRL\|1.3.6.1.4.1.311.21.4:' <<< "$text" || fail "Freshest CRL or Next CRL Publish is still there"
expect_out 0 reserve verify --json

step "a file that somebody changed is noticed and not released"
lab hsm away > /dev/null
expect_out 14 hook post-upgrade --change R-1 --json
expect_rc 20 agent reserve release
cp "$file" "$T/kept"
python3 -c 'import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[-9] ^= 1; open(p, "wb").write(b)' "$file"
expect_out 23 reserve verify --json
expect_out 23 reserve release --reason "HSM is dead" --json
expect_match "says so" "$(json .error.text)" 'not what was sealed'
expect "location" "$(crl_number "$base")" "$number"
cp "$T/kept" "$file"

step "release: written to the CA's files, proven at every web server, loud"
expect_out 0 reserve release --reason "HSM is dead, vendor comes tomorrow" --json
expect "proof" "$(json .proof.verdict)" proven
cmp -s "$file" "$base" || fail "the web servers do not serve the reserve CRL"
cmp -s "$L"/www/pki/*"(1).crl" "$sealed"/reserve-"$(json '.reserve[] | select(.key == 1) | .id')".crl || fail "key 1 is not released"
[[ "$(json '.maintenance."resume-by"')" > "$(date -u -d '+30 hours' +%Y-%m-%dT%H:%M:%SZ)" ]] || fail "the runway did not move: $OUT"
expect_rc 0 agent status
expect_match "status" "$OUT" 'IN USE.*released .* by .*vendor comes tomorrow'
expect_rc 1 agent check
expect_match "a finding in every report" "$OUT" 'reserve CRL number'
expect_rc 1 agent check --format metrics
expect_match "metrics" "$OUT" 'crlagent_reserve_crls\{[^}]*state="in_use"\} 2'
expect_match "log" "$(agent_log)" ' 5203 .*revocations after'
expect_out 20 abort --change R-1 --json

step "the HSM is back: the normal CRL has a higher number and replaces it, nothing of it is kept"
lab hsm present > /dev/null
expect_out 0 hook post-upgrade --change R-1 --json
expect "CA as before" "$(service_state CertSvc)" "$before"
[ "$(crl_number "$base")" -gt $((number + 1)) ] || fail "the normal CRL has no higher number than the reserve"
expect "sealed folder" "$(find "$sealed" -type f | wc -l)" 0
expect_out 0 reserve list --json
expect "all are over" "$(json '[.reserve[] | select(.state == "recalled")] | length')" 2
expect_out 0 history --json
expect_match "audit" "$(json '[.audit[].verb] | join(" ")')" 'reserve-recalled.*reserve-release.*reserve-seal'

step "by hand: made, not released while the CA signs, taken back"
expect_out 0 reserve make --json
expect "sealed folder" "$(find "$sealed" -type f | wc -l)" 2
expect_out 20 reserve release --reason "the CA signs" --json
expect_out 0 reserve recall --json
expect "sealed folder" "$(find "$sealed" -type f | wc -l)" 0
passed
