#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Partitioned CRLs in the lab: keys x partitions x kinds, each with its IDP, and the properties to ask for them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "two keys, three partitions beside the whole CRL"
lab_up --no-ad --keys 2 --partitions 3
expect "published CRLs" "$(ls "$L/www/pki" | grep -c '\.crl$')" 16
part="$L/www/pki/Lab Issuing CA_Partition00002(1).crl" whole="$L/www/pki/Lab Issuing CA(1).crl"
[ -s "$part" ] || fail "no CRL of partition 2 of the second key; there is: $(ls "$L/www/pki")"
lab ca revoke 96 > /dev/null
expect_rc 0 win labadm.exe publish 1
entries() { openssl crl -inform DER -in "$1" -noout -text | grep -c 'Serial Number'; }
sum=0
for p in 1 2 3; do sum=$((sum + $(entries "$L/www/pki/Lab Issuing CA_Partition0000$p(1).crl"))); done
expect "entries of the whole CRL" "$(entries "$whole")" 96
expect "entries of all partitions" "$sum" 96
expect "one number for all" "$(crl_number "$part")" "$(crl_number "$whole")"
expect_match "IDP" "$(openssl crl -inform DER -in "$part" -noout -text)" 'Issuing Distribution Point: critical.*_Partition00002\(1\)\.crl'

step "properties"
expect_rc 0 win labadm.exe prop 0x2E 0 1
expect "count" "$(json .value)" 3
expect_rc 0 win labadm.exe prop 0x2F $((2 << 16 | 1)) 3 'C:\lab\part.crl'
cmp -s "$L/prefix/drive_c/lab/part.crl" "$part" || fail "the property's CRL is not the published one"
expect_rc 0 win labadm.exe prop 0x31 $((3 << 16 | 0)) 1
expect "status" "$(json .value)" $((0x45))
expect_rc 1 win labadm.exe prop 0x2F -1 3
expect "-1 is no partition" "$(json .hr)" 0x80070057
expect_rc 1 win labadm.exe prop 0x2F $((4 << 16)) 3
expect "unknown partition" "$(json .hr)" 0x80070057

passed
