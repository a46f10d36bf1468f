#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The lab CA and time: schedule, retries and their end, minimum pause between stop and start; and the unusual: elliptic
# curve keys, a name that must be sanitized, a big CRL.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "a CA with seconds for periods, an EC key and a name with an umlaut"
lab_up --no-ad --name "Lab CA Süd" --key-type ec256 --set CRLPeriod=Seconds --set CRLPeriodUnits=6 \
    --set CRLDeltaPeriod=Seconds --set CRLDeltaPeriodUnits=2
base="$L/www/pki/Lab CA S!00fcd.crl" delta="$L/www/pki/Lab CA S!00fcd+.crl"
[ -s "$base" ] || fail "no CRL with the sanitized name; there is: $(ls "$L/www/pki")"
expect_rc 0 openssl crl -inform DER -in "$base" -CAfile "$L/pki/ca0.pem" -verify -noout
expect_rc 0 win labadm.exe prop 0x06 0 4
expect "common name" "$(json .value)" "Lab CA Süd"

step "it publishes by itself: deltas between bases, one counter for both"
next_base() { [ "$(crl_number "$base")" -gt 1 ]; }
eventually 15 "the next base" next_base
[ "$(crl_number "$base")" -ge 3 ] || fail "no delta run lay between the bases: base number $(crl_number "$base")"

step "periods act at once; a stopped CA publishes nothing, and an overdue CRL is made at the start"
expect_rc 0 win labadm.exe stop CertSvc
before=$(crl_number "$delta")
sleep 3
expect "number while stopped" "$(crl_number "$delta")" "$before"
expect_rc 0 win labadm.exe start CertSvc
newer() { [ "$(crl_number "$delta")" -gt "$before" ]; }
eventually 10 "the overdue delta" newer
lab ca reg CRLPeriod REG_SZ Weeks
lab ca reg CRLDeltaPeriod REG_SZ Days
expect_rc 0 win labadm.exe publish 1

step "retries end after CRLPublishRetryCount, with event 67"
lab ca reg CRLPublishRetryCount REG_DWORD 2
lab ca set retry_seconds 1
lab ca set partial.1 1
expect_rc 1 win labadm.exe publish 1
expect "disk full" "$(json .hr)" 0x80070070
expect_rc 1 openssl crl -inform DER -in "$base" -noout
gave_up() { lab ca events | jq -e 'select(.id == 67)'; }
eventually 15 "event 67" gave_up
lab ca unset partial.1
expect_rc 0 win labadm.exe publish 0x11
expect_rc 0 openssl crl -inform DER -in "$base" -CAfile "$L/pki/ca0.pem" -verify -noout

step "too soon after the stop, as with the SafeNet provider"
lab ca set min_restart_seconds 3
expect_rc 0 win labadm.exe stop CertSvc
expect_rc 1 win labadm.exe start CertSvc
expect "event" "$(lab ca events | tail -1 | jq .id)" 34
sleep 3
expect_rc 0 win labadm.exe start CertSvc

step "a crash after the signature leaves no trace; the next number is the same"
before=$(crl_number "$base")
lab ca set crash_at store
expect_rc 1 win labadm.exe publish 1
lab ca unset crash_at
expect "published number" "$(crl_number "$base")" "$before"
expect_rc 0 win labadm.exe start CertSvc
expect_rc 0 win labadm.exe publish 1
expect "next number" "$(crl_number "$base")" $((before + 1))

step "50,000 revoked certificates; a delta has only those after its base"
lab ca revoke 50000 > /dev/null
expect_rc 0 win labadm.exe publish 1
entries() { openssl crl -inform DER -in "$1" -noout -text | grep -c 'Serial Number'; }
expect "entries of the base" "$(entries "$base")" 50000
expect_rc 0 openssl crl -inform DER -in "$base" -CAfile "$L/pki/ca0.pem" -verify -noout
expect_rc 0 win certutil.exe -revoke 61aabbccdd 1
expect_rc 0 win labadm.exe publish 2
expect_match "the last one is in the delta" "$(openssl crl -inform DER -in "$delta" -noout -text)" 61AABBCCDD

step "deltas turned off: one last empty delta, marked as shadow"
lab ca reg CRLDeltaPeriodUnits REG_DWORD 0
expect_rc 1 win labadm.exe publish 2
expect "a delta while deltas are off" "$(json .hr)" 0x80070057
expect_rc 0 win labadm.exe publish 1
expect_rc 0 win labadm.exe prop 0x1F 0 1
expect "delta status" "$(json .value)" $((0x4E))
expect "entries of the last delta" "$(entries "$delta" || true)" 0
before=$(crl_number "$delta")
expect_rc 0 win labadm.exe publish 1
expect "no further delta" "$(crl_number "$delta")" "$before"

passed
