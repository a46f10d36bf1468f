#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OCSP responders asked for real: every way to misbehave is named by its own finding, within its time-out.
. "$(dirname "$0")/health_lib.sh"

mkdir -p "$work/web" "$work/ocsp"
make_ca
make_crl "$work/web/good.crl" 17 -7200 $((6 * 86400))
cp "$work/ca.pem" "$work/ca.key" "$work/ocsp/"
url=http://127.0.0.1:8090/ocsp

# issue NAME DAYS EXTENSIONS [ISSUER]: a certificate of the CA
issue() {
    local by=${4:-ca}
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ocsp/$1.key" -out "$work/$1.csr" \
        -subj "/CN=$1" 2>>"$work/openssl.log"
    openssl x509 -req -in "$work/$1.csr" -CA "$work/$by.pem" -CAkey "$work/$by.key" -set_serial "0x$(openssl rand -hex 8)" -days "$2" \
        -out "$work/ocsp/$1.pem" -extfile <(printf '%b' "$3") 2>>"$work/openssl.log"
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/stranger.key" -out "$work/stranger.pem" -days 9 \
    -subj "/CN=Somebody Else" 2>/dev/null
signing='extendedKeyUsage=OCSPSigning\nnoCheck=ignored\n'
issue leaf 30 "crlDistributionPoints=URI:http://127.0.0.1:8080/good.crl\n"
issue signer 14 "$signing"
issue plain 14 'extendedKeyUsage=serverAuth\n'
issue old 0 "$signing"
issue other 14 "$signing" stranger

start_web
/usr/bin/python3 "$here/../lab/web/ocsp.py" "$work/ocsp" 8090 --seconds 120 > "$work/ocsp.log" 2>&1 &
ocsp_pid=$!
trap 'kill "$ocsp_pid" $web_pid 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do grep -qs ready "$work/ocsp.log" && break; sleep 0.05; done

# A certificate like the leaf, with the OCSP URLs that misbehave in these ways: the same serial, so the responder knows it.
serial=$(openssl x509 -in "$work/ocsp/leaf.pem" -noout -serial | cut -d= -f2)
leaf_with() { # PATH-OR-URL...
    local at list=
    for at in "$@"; do
        case $at in *://*) ;; *) at=$url/$at ;; esac
        list=$list${list:+,}OCSP\;URI:$at
    done
    openssl x509 -req -in "$work/leaf.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -set_serial "0x$serial" -days 30 \
        -out "$work/asked.pem" -extfile <(printf 'authorityInfoAccess=%s\n' "$list") 2>>"$work/openssl.log"
}
check_leaf() { run_check --cert "$work/asked.pem" --url http://127.0.0.1:8080/good.crl --issuer "$work/ca.pem" --timeout 2s "$@"; }

# All at once: the state of each responder's row, and every finding about it.
cat > "$work/table" <<'E2'
good|OK||
delegated|OK||
moved|OK||
revoked|OK||
unknown|OK|4089|unknown
stale|Expired|4083 4087|nextUpdate
oldcrl|OK|4087|thisUpdate
future|Error|4095|thisUpdate
plain|Error|4086|lacks the extended key usage OCSP Signing
other|Error|4086|not issued with the CA key
expired|Error|4086|old expired at
spoilt|Error|4085|does not verify
unauthorized|Error|4084|unauthorized (6)
trylater|Error|4084|tryLater (3)
malformed|Error|4084|malformedRequest (1)
mime|OK|4092|text/plain
html|Error|4088|an HTML page
garbage|Error|4088|bytes that begin with 00 01
cut|Unable to Download|4088|the length in the DER header
empty|Unable to Download|4088|0 bytes
down|Unable to Download|4082|expected 200, found 503
silence|Unable to Download|4082|within 2.0 s
http://127.0.0.1:8091/ocsp|Unable to Download|4082|no connection
E2
date +%s > "$work/ocsp/thisupdate"
leaf_with $(cut -d'|' -f1 "$work/table")
check_leaf
[ $rc = 2 ] && pass || fail "all: rc $rc $(cat "$work/err.txt")"
[ "$ms" -lt 5000 ] && pass || fail "all: took $ms ms with a time-out of 2 s"
python3 - "$work/out.json" "$work/table" "$url" > "$work/verdict" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
rows = {l["url"]: l for l in r["locations"] if l["type"] == "ocsp"}
for line in open(sys.argv[2]):
    name, state, ids, text = line.rstrip("\n").split("|")
    at = name if "://" in name else sys.argv[3] + "/" + name
    found = [f for f in r["findings"] if f["url"] == at]
    got = (rows[at]["state"], " ".join(str(f["id"]) for f in found), any(text in f["found"] for f in found) or not text)
    print("pass" if got == (state, ids, True) else "fail %s: %s %s" % (name, got, [f["found"] for f in found]))
PY
while read -r line; do [ "$line" = pass ] && pass || fail "$line"; done < "$work/verdict"
[ "$(grep -c . "$work/verdict")" = 23 ] && pass || fail "table: $(cat "$work/verdict")"

leaf_with delegated
check_leaf --ocsp-nonce
[ $rc = 0 ] && pass || fail "a nonce that is not returned is no error: rc $rc $(json "r['findings']")"
[ "$(json "[(o['signer'], o['nocheck'], o['certificate'], o['nonce']) for o in [l['ocsp'] for l in r['locations'] if l['ocsp']]][0]")" = \
    "('delegated', True, 'good', 'absent')" ] && pass || fail "delegated: $(json "[l['ocsp'] for l in r['locations']]")"
leaf_with nonce
check_leaf --ocsp-nonce
[ "$(json "[f['id'] for f in r['findings']]")" = '[4088]' ] && pass || fail "other nonce: $(json "r['findings']")"
leaf_with oldcrl
check_leaf
[ $rc = 1 ] && json "r['findings'][0]['expected']" | grep -q 'base CRL number 17' && pass || fail "oldcrl: rc $rc $(json "r['findings']")"

# Without the issuer nothing can be asked: said, and no more than that.
leaf_with good
run_check --cert "$work/asked.pem" --url http://127.0.0.1:8080/good.crl
[ "$(json "sorted(f['id'] for f in r['findings'])")" = '[4024, 4094]' ] && pass || fail "no issuer: $(json "r['findings']")"

# Three CAs above each other: every level's CRL is judged; the missing certificates come from AIA (DER, PKCS#7).
ca_below() { # NAME ISSUER EXTENSIONS
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=Lab $1" \
        2>>"$work/openssl.log"
    openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.pem" -CAkey "$work/$2.key" -set_serial "0x$(openssl rand -hex 8)" -days 900 \
        -out "$work/$1.pem" -extfile <(printf 'basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n%b' "$3") 2>>"$work/openssl.log"
}
crl_of() { # NAME FROM TO: web/NAME.crl
    mkdir -p "$work/as"
    (work_was=$work; work=$work/as; cp "$work_was/$1.pem" "$work/ca.pem"; cp "$work_was/$1.key" "$work/ca.key"; : > "$work/index.txt"
        make_crl "$work_was/web/$1.crl" 5 "$2" "$3")
}
cp "$work/ca.pem" "$work/root.pem"
cp "$work/ca.key" "$work/root.key"
site=http://127.0.0.1:8080
ca_below policy root "crlDistributionPoints=URI:$site/root.crl\nauthorityInfoAccess=caIssuers;URI:$site/root.cer\n"
ca_below issuing policy "crlDistributionPoints=URI:$site/policy.crl\nauthorityInfoAccess=caIssuers;URI:$site/policy.p7c\n"
openssl x509 -in "$work/root.pem" -outform DER -out "$work/web/root.cer"
openssl crl2pkcs7 -nocrl -certfile "$work/stranger.pem" -certfile "$work/policy.pem" -outform DER -out "$work/web/policy.p7c"
for n in root policy issuing; do crl_of $n -7200 $((60 * 86400)); done
up() { run_check --url $site/issuing.crl --issuer "$work/issuing.pem" --parents --timeout 2s "$@"; }
ids() { json "' '.join(str(f['id']) for f in r['findings'] if f['severity'] != 'info')"; }
up
[ "$(json "sorted(l['url'].split('/')[-1] + ' ' + (l['crl'] or {}).get('signature', '-') for l in r['locations'] if l['parent'])")" = \
    "['policy.crl good', 'policy.p7c -', 'root.cer -', 'root.crl good']" ] && pass || fail "up to the root: $(json "r['locations']")"
[ "$(ids)" = '' ] && pass || fail "up to the root: $(json "r['findings']")"
crl_of root -864000 -3600
up
[ $rc = 2 ] && [ "$(json "[f['expected'] for f in r['findings'] if f['id'] == 4070]")" = \
    "['a valid CRL of the CA 2 levels up at one of 1 locations']" ] && pass || fail "the root's CRL has expired: rc $rc $(json "r['findings']")"
crl_of root -7200 $((60 * 86400))
rm "$work/web/policy.crl"
up
[ $rc = 2 ] && [ "$(json "[f['expected'] for f in r['findings'] if f['id'] == 4070]")" = \
    "['a valid CRL of the parent CA at one of 1 locations']" ] && pass || fail "no parent CRL: rc $rc $(json "r['findings']")"
crl_of policy -7200 $((60 * 86400))
rm "$work/web/policy.p7c"
up
json "[f['found'] for f in r['findings'] if f['id'] == 4098][0]" | grep -q "Lab policy.*policy.p7c: expected 200, found 404" && pass ||
    fail "no certificate: $(json "r['findings']")"

rc=0
"$crlagent" check --ca-config 'ca01.lab.test\Lab CA' 2> "$work/err.txt" || rc=$?
[ $rc = 20 ] && grep -q 'only the Windows program can do; name what it would say: --url URL' "$work/err.txt" && pass || fail "--ca-config: rc $rc $(cat "$work/err.txt")"

# The other forms take the same model.
leaf_with stale
"$crlagent" check --cert "$work/asked.pem" --issuer "$work/ca.pem" --format xml > "$work/out.xml" && fail "stale must not exit 0" || pass
xmllint --noout --schema "$here/../../installer/schema/report.xsd" "$work/out.xml" 2>"$work/err.txt" && pass || fail "xml: $(cat "$work/err.txt")"
grep -q '<ocsp response="successful"' "$work/out.xml" && pass || fail "xml: no ocsp element"
[ "$(grep -c Traceback "$work/ocsp.log")" = 0 ] && pass || fail "responder: $(cat "$work/ocsp.log")"
finish
