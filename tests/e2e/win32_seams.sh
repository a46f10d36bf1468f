#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The seams of win32/ against the lab CA: COM and certutil, registry, CRL store, service control, directory.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
seams() { win "$CRLAGENT_BUILD/bin/win32_seams.exe" "$@"; }
dn="CN=Lab Issuing CA,CN=CA01,CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration,DC=ad,DC=lab,DC=test"
base="$L/www/pki/Lab Issuing CA.crl"

step "a lab with a directory"
lab_up

step "registry and CRL store"
expect_rc 0 seams settings
expect "settings" "$OUT" 'ca01.lab.test\Lab Issuing CA|Weeks 1|Days 1|urls 4|certs 1|SafeNet Key Storage Provider'
expect_rc 0 seams store
expect "reference copies" "$OUT" 2

step "ICertAdmin2: publish, properties, roles"
expect_rc 0 seams auto way
expect "way" "$OUT" ICertAdmin2
expect_rc 0 seams com ping
expect_rc 0 seams com publish 1
expect "number" "$(crl_number "$base")" 2
expect_rc 0 seams com long 0x1E
expect "publish status" "$OUT" 69
expect_rc 0 seams com text 0x29
expect_match "expanded URLs" "$OUT" 'http://pki.lab.test/pki/Lab%20Issuing%20CA.crl'
"$LAB" wine "$L" "$CRLAGENT_BUILD/bin/win32_seams.exe" com blob 0x11 -1 > "$T/prop.crl" < /dev/null || fail "property 0x11"
expect_match "the property's CRL" "$(openssl crl -inform DER -in "$T/prop.crl" -noout -crlnumber)" '^crlNumber=0x0?2$'
expect_rc 1 seams com publish 1 -60
expect_match "past date" "$OUT" '^invalid 0x80070057'
want=$(($(date +%s) + 30 * 86400))
expect_rc 0 seams com publish 1 $((30 * 86400))
got=$(date -d "$(crl_field "$base" nextupdate)" +%s)
[ "$got" -ge "$want" ] || fail "an explicit date of 30 days gave a CRL that ends $((want - got)) s too early"

step "the certificates issued last: bounded by count and age, newest first, none that has expired"
for n in one two three; do win certutil.exe -labissue $n 30 > /dev/null; done
win certutil.exe -labissue over -1 back=90 > /dev/null
win certutil.exe -labissue aged 30 back=60 > /dev/null
issued() { # WAY MAX [AGE]: their names
    "$LAB" wine "$L" "$CRLAGENT_BUILD/bin/win32_seams.exe" "$1" issued "$2" ${3:+"$3"} > "$T/certs" < /dev/null || fail "issued, $1"
    /usr/bin/python3 - "$T/certs" <<'P'
import sys
from cryptography import x509
data, names = open(sys.argv[1], "rb").read(), []
while data:
    size = 4 + int.from_bytes(data[2:4], "big")
    names.append(x509.load_der_x509_certificate(data[:size]).subject.rfc4514_string()[3:])
    data = data[size:]
print(" ".join(names))
P
}
expect "all" "$(issued com 100)" "aged three two one"
expect "two" "$(issued com 2)" "aged three"
expect "of a month" "$(issued com 100 2592000)" "three two one"
lab ca set com_hang 1
expect_rc 6 seams com issued 10
lab ca unset com_hang

step "a call that hangs, a role that is missing"
lab ca set com_hang 1
expect_rc 6 seams com ping
expect_match "hang" "$OUT" 'no answer within 3000 ms'
lab ca unset com_hang
lab ca set deny_admin 1
expect_rc 4 seams com publish 1
expect_match "denied" "$OUT" 'Manage CA'
lab ca unset deny_admin

step "certutil where the class is not registered; its text is German"
lab ca com off
lab ca set certutil_lang de
expect_rc 13 seams com ping
expect_rc 0 seams auto way
expect "way" "$OUT" certutil
before=$(crl_number "$base")
expect_rc 0 seams auto publish 1
expect "number" "$(crl_number "$base")" $((before + 1))
expect_rc 13 seams auto long 0x1E
expect "issued, by certutil in German (what has expired is left to the reader)" "$(issued auto 3)" "aged over three"
expect_rc 1 seams auto publish 1 -7200
lab ca set certutil_hang 1
expect_rc 6 seams auto ping
lab ca unset certutil_hang
lab ca com on

step "service control; a stopped CA"
expect_rc 0 seams service CertSvc
expect_match "state" "$OUT" '^running'
expect_rc 0 seams service CertSvc stop
eventually 20 "CertSvc stops" bash -c "'$LAB' wine '$L' '$CRLAGENT_BUILD/bin/win32_seams.exe' service CertSvc | grep -q '^stopped'"
expect_rc 7 seams com ping
expect_rc 0 seams settings
expect_rc 0 seams store
expect_rc 0 seams service CertSvc start
expect_rc 2 seams service NoSuchService

step "the directory: found without a host, by name, by address; every way not to have a CRL"
ldap_status() { OUT=$(seams ldap "$@" < /dev/null); OUT=${OUT%%|*}; }
for server in "" dc1.ad.lab.test 127.0.2.1; do
    for attribute in certificateRevocationList deltaRevocationList; do
        ldap_status "$server" "$dn" $attribute
        expect "$attribute from '$server'" "$OUT" ok
    done
done
ldap_status dc1.ad.lab.test "CN=none,$dn" certificateRevocationList; expect "no object" "$OUT" not-found
lab ad remove-attribute
ldap_status dc1.ad.lab.test "$dn" certificateRevocationList; expect "no attribute" "$OUT" no-attribute
lab ad restore
ldap_status 127.0.9.9 "$dn" certificateRevocationList 3000; expect "nobody there" "$OUT" connect
ldap_status "" "CN=x,DC=no,DC=where" certificateRevocationList 3000; expect "no such domain" "$OUT" dns
passed
