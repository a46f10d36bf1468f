#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The lab's directory: the CA writes its CRLs to a real Active Directory, and what goes wrong there looks as it should.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

base="$L/www/pki/Lab Issuing CA.crl"
# attribute NAME: the bytes of that attribute of the CDP object, read without a logon
attribute() { lab ad show | sed -n "s/^$1:: //p" | base64 -d; }
same_as_web() { cmp -s <(attribute certificateRevocationList) "$base"; }

step "a lab with a directory"
lab_up --keys 2
expect "everything was delivered at once" "$(events)" "26 "
same_as_web || fail "the directory has another base CRL than the web"
cmp -s <(lab ad show 1 | sed -n 's/^deltaRevocationList:: //p' | base64 -d) "$L/www/pki/Lab Issuing CA(1)+.crl" ||
    fail "the directory has another delta CRL of the second key than the web"
expect_rc 0 lab exec ldapsearch -x -LLL -H ldap://dc1.ad.lab.test -s base -b '' defaultNamingContext
expect_rc 0 win labadm.exe prop 0x29 1 4
openssl crl -inform DER -in "$base" -noout -text > "$T/base.txt"
expect_match "published locations" "$(cat "$T/base.txt")" '1\.3\.6\.1\.4\.1\.311\.21\.14'

step "object, attribute and rights missing"
lab ca set no_schedule 1
lab ca set retry_seconds 3600
lab ad remove-object
expect_rc 1 win labadm.exe publish 1
expect "no object" "$(json .hr)" 0x8007208d
expect_rc 0 win labadm.exe prop 0x1E 0 1
expect "LDAP error, not complete" "$(json .value)" $((0x141))
expect_match "event 74" "$(events)" ' 74 '
expect_match "error text of the CRL table" "$(win certutil.exe -view CRL)" 'ldap:///CN=Lab Issuing CA,CN=CA01'
lab ad restore
expect "placeholder" "$(attribute certificateRevocationList | od -An -tx1 | tr -d ' ')" 00
lab ad deny
expect_rc 1 win labadm.exe publish 1
expect "no right" "$(json .hr)" 0x80072098
lab ad restore
expect_rc 0 win labadm.exe publish 0x11
same_as_web || fail "republishing did not reach the directory"
lab ad remove-attribute
[ -z "$(attribute certificateRevocationList)" ] || fail "the attribute is still there"
expect_rc 0 win labadm.exe publish 0x11
lab ad placeholder
expect "placeholder" "$(attribute certificateRevocationList | od -An -tx1 | tr -d ' ')" 00

step "the domain controller is away and comes back; the retry timer delivers"
lab ad off
lab ca set retry_seconds 3 # ten tries must outlast the start of the domain controller
expect_rc 1 win labadm.exe publish 1
expect "no server" "$(json .hr)" 0x8007203a
lab ad on
eventually 35 "the retry timer delivers" same_as_web

step "a second domain controller that lags behind"
second() { lab exec ldapsearch -x -LLL -o ldif-wrap=no -H ldap://dc2.ad.lab.test -b "CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration,DC=ad,DC=lab,DC=test" '(cn=Lab Issuing CA)' certificateRevocationList | sed -n 's/^certificateRevocationList:: //p' | base64 -d; }
lab ad dc2 on
before=$(crl_number "$base")
cmp -s <(second) "$base" || fail "the copy differs from the first domain controller"
expect_rc 0 win labadm.exe publish 1
same_as_web || fail "the first domain controller did not get the new CRL"
second > "$T/second.crl"
expect "number at the second one" "$(crl_number "$T/second.crl")" "$before"
lab ad dc2 off

passed
