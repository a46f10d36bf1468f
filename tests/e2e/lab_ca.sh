#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The lab CA itself: what others rely on when they test against it, without a directory.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "a lab with two keys and a same-key renewal"
lab_up --no-ad --keys 2 --same-key --dependant
base="$L/www/pki/Lab Issuing CA.crl" delta="$L/www/pki/Lab Issuing CA+.crl" base1="$L/www/pki/Lab Issuing CA(1).crl"
expect "first base number" "$(crl_number "$base")" 1
expect "events" "$(events)" "26 "

step "publish over COM: one number for all keys and kinds, verified by openssl"
expect_rc 0 win labadm.exe publish 1
for f in "$base" "$delta" "$base1"; do expect "number of $f" "$(crl_number "$f")" 2; done
expect_rc 0 openssl crl -inform DER -in "$base" -CAfile "$L/pki/ca0.pem" -verify -noout
expect_rc 0 openssl crl -inform DER -in "$base1" -CAfile "$L/pki/ca1.pem" -verify -noout
openssl crl -inform DER -in "$delta" -noout -text > "$T/delta.txt"
expect_match "delta indicator is critical" "$(cat "$T/delta.txt")" 'Delta CRL Indicator: critical'
expect_match "next publish is there" "$(cat "$T/delta.txt")" '1\.3\.6\.1\.4\.1\.311\.21\.4'

step "status bits, states and URLs by GetCAProperty"
expect_rc 0 win labadm.exe prop 0x1E 0 1
expect "base status" "$(json .value)" 69
expect_rc 0 win labadm.exe prop 0x14 1 1
expect "CRL state of a certificate whose key another one stands for" "$(json .value)" 1
expect_rc 0 win labadm.exe prop 0x29 0 4
expect "CDP URL" "$(json .value)" "http://pki.lab.test/pki/Lab%20Issuing%20CA.crl"
expect_rc 0 win labadm.exe prop 0x11 -1 3 'C:\lab\out.crl'
cmp -s "$L/prefix/drive_c/lab/out.crl" "$base1" || fail "the property's CRL is not the published one"
expect_rc 1 win labadm.exe prop 0x1E 0 3
expect "wrong type" "$(json .hr)" 0x80070057
expect_rc 1 win labadm.exe prop 0x2F 0 3
expect "partitions are off" "$(json .hr)" 0x80070057

step "explicit Date: not before now, and nextUpdate after it"
expect_rc 1 win labadm.exe publish 1 -60
expect "past date" "$(json .hr)" 0x80070057
expect_rc 1 win labadm.exe publish 0x10
expect "republish alone" "$(json .hr)" 0x80070057
want=$(($(date +%s) + 30 * 86400))
expect_rc 0 win labadm.exe publish 1 $((30 * 86400))
[ "$(date -d "$(crl_field "$base" nextupdate)" +%s)" -ge "$want" ] || fail "nextUpdate is before the asked date"

step "republish signs nothing"
before=$(lab hsm status | jq .signatures)
expect_rc 0 win labadm.exe publish 0x11
expect "signatures" "$(lab hsm status | jq .signatures)" "$before"

step "the web serves what was published, at both nodes"
for n in 127.0.1.1 127.0.1.2; do
    lab exec curl -sf -o "$T/got" --resolve "pki.lab.test:80:$n" "http://pki.lab.test/pki/Lab%20Issuing%20CA+.crl"
    cmp -s "$T/got" "$delta" || fail "node $n serves something else"
done
lab web stale 2
expect_rc 0 win labadm.exe publish 1
lab exec curl -sf -o "$T/got" --resolve "pki.lab.test:80:127.0.1.2" "http://pki.lab.test/pki/Lab%20Issuing%20CA.crl"
expect "number at the stale node" "$(crl_number "$T/got")" 3
lab web fresh 2

step "a failing location: created, not everywhere delivered; retried, with its event"
lab ca set retry_seconds 1
lab ca set fail.1 0x80070005
expect_rc 1 win labadm.exe publish 1
expect "first failed location" "$(json .hr)" 0x80070005
expect "the web's copy is the old one" "$(crl_number "$base")" 4
expect_rc 0 win labadm.exe prop 0x1E 0 1
expect "file error, not complete" "$(json .value)" $((0x241))
expect_rc 0 win labadm.exe prop 0x1F 0 1
expect "delta held back" "$(json .value)" $((0x2042))
expect_match "event 65" "$(events)" ' 65 '
lab ca unset fail.1
delivered() { [ "$(crl_number "$base")" = 5 ]; }
eventually 10 "the retry timer delivers" delivered

step "certutil: exit codes are the HRESULT, German or not"
expect_rc 0 win certutil.exe -config 'ca01.lab.test\Lab Issuing CA' -CRL delta
lab ca set certutil_lang de
expect_rc 87 win certutil.exe -CRL nonsense # the low byte of 0x80070057 is what this host's shell sees
expect_match "German" "$OUT" "fehlgeschlagen: 0x80070057"
expect_rc 0 win certutil.exe -verifykeys
lab ca set certutil_lang en
expect_rc 0 win certutil.exe -sign "P:\\Lab Issuing CA.crl" 'C:\lab\long.crl' now+90:00
expect_rc 0 openssl crl -inform DER -in "$L/prefix/drive_c/lab/long.crl" -CAfile "$L/pki/ca0.pem" -verify -noout

step "stopped: COM and certutil say so, the local store stays, the HSM has no session left"
expect_rc 0 win labadm.exe stop CertSvc
expect_rc 1 win labadm.exe publish 1
expect "no COM" "$(json .hr)" 0x800706ba
expect_rc $((0xBA)) win certutil.exe -ping
expect "HSM sessions" "$(lab hsm status | jq .sessions)" 0
expect_rc 0 win reg.exe query 'HKLM\SOFTWARE\Microsoft\SystemCertificates\CA\CRLs'
expect "one stored CRL per key and kind" "$(grep -c 'CRLs\\' <<< "$OUT")" 4

step "start is refused while the HSM is away, not activated, or holds other keys"
refused() { # HRESULT
    expect_rc 1 win labadm.exe start CertSvc
    expect "service exit code" "$(json .exit)" "$1"
    expect "last event" "$(lab ca events | tail -1 | jq -r '"\(.id) \(.strings[2])"')" "100 $1"
}
lab hsm away > /dev/null
refused 0x80090030
lab hsm present > /dev/null
lab hsm deactivate > /dev/null
refused 0x80090016
lab hsm activate > /dev/null
lab hsm wrongkey > /dev/null
refused 0x80090015
lab hsm good > /dev/null
lab hsm broken > /dev/null
refused 0x80090006
expect_rc $((0x06)) win certutil.exe -verifykeys
lab hsm good > /dev/null

step "start is refused with a stale or unreachable CRL of the parent"
lab parent stale
refused 0x80092013
lab parent fresh
lab parent off
refused 0x80092013
lab parent on
expect_rc 0 win labadm.exe start CertSvc

step "the HSM leaves while the CA runs: nothing is created, event 130, until CertSvc starts again"
lab hsm away > /dev/null
expect_rc 1 win labadm.exe publish 1
expect "publish without HSM" "$(json .hr)" 0x80090030
expect "event" "$(lab ca events | tail -1 | jq .id)" 130
lab hsm present > /dev/null
expect_rc 1 win labadm.exe publish 1
expect_rc 0 win labadm.exe stop CertSvc
expect_rc 0 win labadm.exe start CertSvc
before=$(crl_number "$delta") # one counter for both kinds
expect_rc 0 win labadm.exe publish 1
expect "next number" "$(crl_number "$base")" $((before + 1))

step "a broken HSM signature is found before anything is published"
lab hsm broken > /dev/null
expect_rc 1 win labadm.exe publish 1
expect "bad signature" "$(json .hr)" 0x80090006
expect "published CRL" "$(crl_number "$base")" $((before + 1))
lab hsm good > /dev/null

step "an HSM that is slow, and one that says nothing"
lab hsm slow 200 > /dev/null
t0=$(date +%s%N)
expect_rc 0 win labadm.exe publish 1
[ $((($(date +%s%N) - t0) / 1000000)) -ge 800 ] || fail "four signatures of 200 ms took less than 800 ms"
lab hsm good > /dev/null
lab hsm silent > /dev/null
expect_rc 0 win labadm.exe stop CertSvc
lab ca set hsm_timeout_ms 300
refused 0x80090030
lab hsm present > /dev/null
lab ca unset hsm_timeout_ms
expect_rc 0 win labadm.exe start CertSvc

step "whoever asks for the CA Exchange certificate fills the HSM; the local interface can be off"
before=$(lab hsm status | jq .keys)
expect_rc 1 win labadm.exe prop 0x0F 0 3
expect "keys in the HSM" "$(lab hsm status | jq .keys)" $((before + 1))
lab ca reg InterfaceFlags REG_DWORD 0x20
expect_rc 1 win labadm.exe roles
expect "no local ICertAdmin" "$(json .hr)" 0x80070005
lab ca reg InterfaceFlags REG_DWORD 0x641
expect_rc 0 win labadm.exe roles
expect "roles" "$(json .value)" $((0x303))

step "crash while signing; access denied; class missing; tool missing"
lab ca set crash_at sign
expect_rc 1 win labadm.exe publish 1
expect "caller of a dead CA" "$(json .hr)" 0x800706ba
lab ca unset crash_at
expect_rc 0 win labadm.exe start CertSvc # Wine's SCM says "running" until then
expect_rc 0 win labadm.exe publish 1
lab ca set deny_admin 1
expect_rc 1 win labadm.exe publish 1
expect "no right" "$(json .hr)" 0x80070005
lab ca unset deny_admin
lab ca com off
expect_rc 1 win labadm.exe publish 1
expect "class" "$(json .hr)" 0x80040154
lab ca com on
lab ca certutil missing
expect_rc 53 win 'C:\windows\system32\certutil.exe' -ping
lab ca certutil present

step "a stop that hangs"
lab ca set stop_hang 1
win labadm.exe stop CertSvc > /dev/null &
pending() { lab ca status | grep -q '"state":3'; }
eventually 10 "stop pending" pending
lab ca set stop_hang 0
wait $! || fail "the stop did not end after it was let go"

passed
