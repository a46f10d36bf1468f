#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crlagent crl show, verify, diff and find as an administrator types them: files, standard input, a URL, exit codes,
# the texts of refusals. Natively, and the .exe under Wine.
set -euo pipefail
build=${CRLAGENT_BUILD:?}
work=$(mktemp -d)
web=
trap '[ -z "$web" ] || kill "$web" 2>/dev/null; rm -rf "$work"' EXIT
agent=("$build/bin/crlagent")
gen=("$build/bin/crlgen")
if [ -e "$build/bin/crlagent.exe" ]; then
    agent=(wine "$build/bin/crlagent.exe")
    gen=(wine "$build/bin/crlgen.exe")
    export WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
fi
cd "$work"
passed=0 failed=0

# expect NAME EXIT PATTERN COMMAND...: exit code and a pattern in the output
expect() {
    local name=$1 want=$2 pattern=$3 rc=0
    shift 3
    "$@" > out 2>&1 || rc=$?
    if [ "$rc" = "$want" ] && grep -qE -- "$pattern" out; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: exit code %s (expected %s), looking for: %s\n' "$name" "$rc" "$want" "$pattern"
        sed 's/^/    /' out | head -12
    fi
}

"${gen[@]}" --key k.pem --ca ca.pem --out old.crl --entries 2000 --number 41
"${gen[@]}" --key k.pem --ca ca.pem --out new.crl --entries 2000 --number 43 --first 3
"${gen[@]}" --key k.pem --ca ca.pem --out expired.crl --entries 3 --number 40 --this-update 1600000000
"${gen[@]}" --key k.pem --ca ca.pem --out big.crl --entries 60000 --number 44
"${gen[@]}" --key other.key --ca other.pem --out other.crl --entries 1 --cn "Other CA"
openssl crl -inform DER -in old.crl -out old.pem
head -c 5000 old.crl > cut.crl
printf '<html>404</html>' > page.crl
cp old.crl damaged.crl
# the last octet of a serial number, just before its UTCTime
at=$(LC_ALL=C grep -abo -m1 $'\x17\x0d' old.crl | sed -n 3p | cut -d: -f1)
printf '\125' | dd of=damaged.crl bs=1 seek=$((at - 1)) conv=notrunc status=none
sha=$(sha256sum old.crl | cut -d' ' -f1)
bigsha=$(sha256sum big.crl | cut -d' ' -f1)

expect "show" 0 "^SHA-256 +$sha" "${agent[@]}" crl show old.crl
expect "show of a CRL of several blocks" 0 "^SHA-256 +$bigsha" "${agent[@]}" crl show big.crl
expect "show: number and entries" 0 '^Entries +2000' "${agent[@]}" crl show old.crl
expect "show JSON" 0 '"number": "41"' "${agent[@]}" crl show --json old.crl
"${agent[@]}" crl show --json old.crl | python3 -c 'import json,sys; d=json.load(sys.stdin); assert d["entries"] == 2000 and d["type"] == "base"'
expect "show: PEM is read and told" 0 'PEM armour' "${agent[@]}" crl show old.pem
expect "show: standard input" 0 "^SHA-256 +$sha" bash -c '"$@" < old.crl' -- "${agent[@]}" crl show -
expect "show: an HTML page" 3 "not-a-crl .*HTML or XML page" "${agent[@]}" crl show page.crl
expect "show: cut" 3 "truncated .*expected [0-9]+ bytes in all, the input ends after 5000" "${agent[@]}" crl show cut.crl
expect "show: no such file" 3 "nothere.crl" "${agent[@]}" crl show nothere.crl
expect "show: no argument" 20 'usage: crlagent crl show' "${agent[@]}" crl show

expect "verify" 0 '^Signature +good' "${agent[@]}" crl verify --issuer ca.pem old.crl
expect "verify: several blocks" 0 '^Signature +good' "${agent[@]}" crl verify --issuer ca.pem big.crl
expect "verify: several blocks from standard input" 0 '^Signature +good' bash -c '"$@" < big.crl' -- "${agent[@]}" crl verify --issuer ca.pem -
expect "verify: needs an issuer" 20 '--issuer CA.pem' "${agent[@]}" crl verify old.crl
expect "verify: another CA" 2 'none of the 1 given CA certificates is named' "${agent[@]}" crl verify --issuer other.pem old.crl
expect "verify: damaged" 2 'signature does not verify|State +Error' "${agent[@]}" crl verify --issuer ca.pem damaged.crl
expect "verify: expired" 2 '^State +Expired \(expired' "${agent[@]}" crl verify --issuer ca.pem expired.crl

expect "diff: changes" 0 '3 added' "${agent[@]}" crl diff old.crl new.crl
expect "diff: gap" 0 '1 numbers between the two were not seen' "${agent[@]}" crl diff old.crl new.crl
expect "diff: within the life of a certificate" 1 '3 vanished within the life of a certificate' \
    "${agent[@]}" crl diff --certificate-life 520w old.crl new.crl
expect "diff: regress" 2 'REGRESS' "${agent[@]}" crl diff new.crl old.crl
expect "diff: two issuers" 3 'two issuers' "${agent[@]}" crl diff old.crl other.crl
expect "diff: JSON" 0 '"added": 3' "${agent[@]}" crl diff --json old.crl new.crl

serial=$(openssl crl -inform DER -in old.crl -noout -text | sed -n 's/ *Serial Number: //p' | sed -n 7p)
expect "find" 0 "^${serial,,} revoked 20" "${agent[@]}" crl find "$serial" old.crl
expect "find: with colons" 0 "^${serial,,} revoked 20" "${agent[@]}" crl find "$(sed 's/../&:/g; s/:$//' <<< "$serial")" old.crl
expect "find: not there" 1 'is not in this CRL' "${agent[@]}" crl find 0102 old.crl
expect "find: no hex" 20 'given in hex' "${agent[@]}" crl find xyz old.crl

if [ "${agent[0]}" != wine ]; then
    python3 -m http.server --bind 127.0.0.1 18973 > /dev/null 2>&1 &
    web=$!
    for _ in $(seq 50); do
        (: < /dev/tcp/127.0.0.1/18973) 2> /dev/null && break
        sleep 0.1
    done
    export no_proxy=127.0.0.1
    expect "show: URL" 0 "^SHA-256 +$sha" "${agent[@]}" crl show http://127.0.0.1:18973/old.crl
    expect "verify: URL" 0 '^Signature +good' "${agent[@]}" crl verify --issuer ca.pem http://127.0.0.1:18973/old.crl
    expect "show: URL that is not there" 3 '404' "${agent[@]}" crl show http://127.0.0.1:18973/none.crl
fi
printf '%d checks, %d failed\n' $((passed + failed)) "$failed"
[ "$failed" = 0 ]
