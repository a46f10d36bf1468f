#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every fault of a location ends within its time-out, with the one finding that names it, and leaves the others alone.
. "$(dirname "$0")/health_lib.sh"

mkdir -p "$work/web/old"
make_ca
day=86400
make_crl "$work/web/good.crl" 17 -3600 $((6 * day))
cp "$work/crl.pem" "$work/web/pem.crl"
make_crl "$work/web/old/good.crl" 16 -$((2 * day)) $((5 * day))
make_crl "$work/web/expired.crl" 15 -$((9 * day)) -$day
make_crl "$work/web/future.crl" 17 7200 $((6 * day))
make_crl "$work/web/nearly.crl" 17 -$((6 * day)) 3600
make_crl "$work/web/base17.crl" 17 -3600 $((6 * day)) 'freshestCRL=URI:http://127.0.0.1:8080/base17+.crl'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/o.key" -out "$work/other.pem" -days 999 \
    -subj "/CN=Somebody Else" 2>/dev/null
# The same CA renewed with another key, and another CA: what they sign is good, too, and its own.
make_crl "$work/web/aged.crl" 17 -3600 $((6 * day))
make_crl "$work/web/old/aged.crl" 12 -$((9 * day)) -$day
cp "$work/web/good.crl" "$work/web/mixed.crl"
sign_as() { # CERTIFICATE KEY FILE NUMBER
    mv "$work/ca.pem" "$work/kept.pem"; mv "$work/ca.key" "$work/kept.key"
    cp "$work/$1" "$work/ca.pem"; cp "$work/$2" "$work/ca.key"
    make_crl "$work/web/$3" "$4" -3600 $((6 * day))
    mv "$work/kept.pem" "$work/ca.pem"; mv "$work/kept.key" "$work/ca.key"
}
cp "$work/ca.pem" "$work/k0.pem"; cp "$work/ca.key" "$work/k0.key"
make_ca; mv "$work/ca.pem" "$work/k1.pem"; mv "$work/ca.key" "$work/k1.key"
cp "$work/k0.pem" "$work/ca.pem"; cp "$work/k0.key" "$work/ca.key"
sign_as k1.pem k1.key k1.crl 18
sign_as other.pem o.key other.crl 3
sign_as other.pem o.key old/mixed.crl 99
{
    echo 'crlDistributionPoints=URI:http://127.0.0.1:8080/good.crl,URI:http://127.0.0.2:8080/good.crl,URI:http://127.0.0.4:8080/good.crl'
    echo 'freshestCRL=URI:http://127.0.0.1:8080/base17+.crl'
    echo 'authorityInfoAccess=caIssuers;URI:http://farm.test:8080/ca.crt,OCSP;URI:http://farm.test:8081/ocsp'
} > "$work/leaf.cnf"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/leaf.key" -out "$work/leaf.csr" -subj /CN=leaf 2>/dev/null
openssl x509 -req -in "$work/leaf.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 9 -out "$work/leaf.pem" \
    -extfile "$work/leaf.cnf" 2>/dev/null
tls() { # NAME DAYS SUBJECT
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=$3" 2>/dev/null
    openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days "$2" -out "$work/$1.pem" \
        -extfile <(printf 'subjectAltName=%s' "$4") 2>/dev/null
}
tls tlsgood 9 127.0.0.1 IP:127.0.0.1
tls tlswrong 9 wrong.test DNS:wrong.test
tls tlsexpired 0 127.0.0.1 IP:127.0.0.1
{ for i in $(seq 1 16); do echo "127.0.0.$i farm.test"; done; echo '::1 v6.test'; echo '127.0.0.5 other.test'; echo "127.0.0.1 $(hostname)"; } > "$work/hosts"
echo 'nameserver 127.0.0.1' > "$work/resolv.conf"
mount --bind "$work/hosts" /etc/hosts
mount --bind "$work/resolv.conf" /etc/resolv.conf
start_web --tls "$work/tlsgood.pem" "$work/tlsgood.key" 8443 --tls "$work/other.pem" "$work/o.key" 8444 \
    --tls "$work/tlswrong.pem" "$work/tlswrong.key" 8445 --tls "$work/tlsexpired.pem" "$work/tlsexpired.key" 8446 --dns

base=http://127.0.0.1:8080

# expect_one URL STATUS FINDING-ID [ARGS]: alone, that probe status and that finding, in time
expect_one() {
    local url=$1 status=$2 id=$3
    shift 3
    run_check --url "$url" --issuer "$work/ca.pem" --timeout 2s --ca-file "$work/ca.pem" "$@"
    local got ids
    got=$(json "r['locations'][0]['status']") || { fail "$url: $(cat "$work/err.txt")"; return; }
    # 4033: this is the only location there is
    ids=$(json "' '.join(sorted({str(f['id']) for f in r['findings']} - {'4033'}))")
    [ "$got" = "$status" ] && pass || fail "$url: status $got, expected $status ($(json "r['locations'][0]['detail']"))"
    [ "$ids" = "$id" ] && pass || fail "$url: findings '$ids', expected $id alone"
    [ "$ms" -lt 8000 ] && pass || fail "$url: took $ms ms with a time-out of 2 s"
}

expect_one $base/silent timeout 4043
expect_one $base/drip timeout 4043
expect_one $base/headers truncated 4047 --timeout 20s # the limit of headers is meant, not the clock
expect_one $base/garbage not-a-crl 4052
expect_one $base/loop redirect 4045
expect_one $base/tofile redirect 4045
expect_one $base/gzip not-a-crl 4052
expect_one $base/short truncated 4047
expect_one $base/less truncated 4047
expect_one $base/endless not-a-crl 4052
expect_one $base/cut truncated 4047
expect_one $base/chunkcut truncated 4047
expect_one $base/announce too-large 4046
expect_one $base/empty empty 4053
expect_one $base/html not-a-crl 4057
expect_one $base/auth http-status 4044
expect_one $base/broken http-status 4044
expect_one $base/missing.crl http-status 4044
expect_one $base/close truncated 4047
expect_one http://127.0.0.1:8081/x connect 4041
expect_one http://nowhere.test/x dns 4040
expect_one https://127.0.0.1:8444/good.crl tls 4042
expect_one https://127.0.0.1:8445/good.crl tls 4042
expect_one https://127.0.0.1:8446/good.crl tls 4042
expect_one https://127.0.0.1:8443/good.crl ok 4063
expect_one $base/good.crl proxy 4055 --proxy http://127.0.0.1:8080
expect_one https://127.0.0.1:8443/good.crl proxy 4055 --proxy http://127.0.0.1:8080
expect_one $base/toother ok 4064
expect_one $base/mime ok 4060
expect_one $base/cache ok 4061
expect_one $base/skew ok 4062
expect_one $base/pem.crl ok 4022
expect_one $base/expired.crl ok 4001
expect_one $base/future.crl ok 4005
expect_one $base/nearly.crl ok 4002
expect_one $base/base17.crl ok 4058
expect_one $base/nobase.crl http-status 4044 --delta-url "$base/nobase+.crl" # the base is missing too: no word of '+'
expect_one "$work/none.crl" not-found 4048
expect_one "$work" not-found 4048
expect_one ldap://127.0.0.1:8081/cn=x connect 4041

run_check --url $base/good.crl --issuer "$work/other.pem"
[ "$(json "[f['id'] for f in r['findings']][0:2]")" = '[4033, 4008]' ] && pass || fail "wrong issuer: $(json "r['findings']")"
run_check --url $base/tells --issuer "$work/ca.pem"
[ "$(json "r['locations'][0]['status']")" = ok ] && pass || fail "credentials were sent"

# A clean one: exit code 0, nothing found.
run_check --url $base/good.crl --issuer "$work/ca.pem"
[ $rc = 0 ] && [ "$(json "len(r['findings'])")" = 0 ] && pass || fail "clean check: rc $rc, $(json "r['findings']")"

# 16 servers, 3 of them stale: one finding that names them.
run_check --url http://farm.test:8080/good.crl --issuer "$work/ca.pem"
[ "$(json "len(r['locations'])")" = 16 ] && pass || fail "farm: $(json "len(r['locations'])") locations"
[ "$(json "[f['id'] for f in r['findings']]")" = '[4030]' ] && pass || fail "farm: $(json "[f['id'] for f in r['findings']]")"
json "r['findings'][0]['found']" | grep -q '^3 of 16 servers (127.0.0.3, 127.0.0.7, 127.0.0.9) serve CRL number 16' && pass ||
    fail "farm: $(json "r['findings'][0]['found']")"

# Two keys of one CA, and two CAs, in one check: each CRL is judged by its own, also when nothing can be verified.
two=(--url $base/good.crl --url $base/k1.crl --url $base/other.crl)
run_check "${two[@]}" --issuer "$work/k0.pem" --issuer "$work/k1.pem" --issuer "$work/other.pem"
[ "$rc $(json "[l['key'] for l in r['locations']], r['findings']")" = '0 [0, 1, 2] []' ] && pass || fail "two keys and two CAs: rc $rc, $(json "r['findings']")"
[ "$(json "[l['key'] for l in r['runway']['lines']]")" = '[0, 1, 2]' ] && pass || fail "two keys: $(json "r['runway']['lines']")"
run_check "${two[@]}"
[ "$(json "[f['id'] for f in r['findings']]")" = '[4024]' ] && pass || fail "nothing verified: $(json "r['findings']")"

# Three servers of the farm serve another CA's CRL with a high number: they are foreign, the 13 others are well. Three serve
# an older one that has expired: old, and expired.
run_check --url http://farm.test:8080/mixed.crl --issuer "$work/ca.pem" --issuer "$work/other.pem"
[ "$(json "[(f['id'], f['address']) for f in r['findings']], [l['state'] for l in r['locations']].count('OK')")" = "[(4008, '127.0.0.3')] 13" ] && pass ||
    fail "another CA on the farm: $(json "r['findings']")"
run_check --url http://farm.test:8080/aged.crl --issuer "$work/ca.pem"
[ "$(json "[(f['id'], f['address']) for f in r['findings']], [l['state'] for l in r['locations']].count('Expired')")" = "[(4030, '127.0.0.3'), (4001, '127.0.0.3')] 3" ] && pass ||
    fail "expired on the farm: $(json "[(f['id'], f['address']) for f in r['findings']], [l['state'] for l in r['locations']]")"

# A certificate with three CDPs, AIA and OCSP on the farm: one finding each; the delta that it and the CRL name is asked once.
run_check --cert "$work/leaf.pem" --issuer "$work/ca.pem"
[ "$(json "sorted(f['id'] for f in r['findings'])")" = '[4033, 4058, 4065, 4080, 4082]' ] && pass || fail "certificate: $(json "r['findings']")"
json "[f['found'] for f in r['findings'] if f['id'] == 4080][0]" | grep -q 'the same at 15 more servers' && pass || fail "AIA: $(json "r['findings']")"
"$crlagent" check --cert "$work/leaf.pem" --url $base/base17.crl --issuer "$work/ca.pem" --as-client --format metrics > "$work/all/certificate.prom" || true

# IPv6 only
run_check --url http://v6.test:8080/good.crl --issuer "$work/ca.pem"
[ $rc = 0 ] && [ "$(json "r['locations'][0]['address']")" = ::1 ] && pass || fail "IPv6: rc $rc"

# All faults at once: as long as the slowest, the good one unaffected.
run_check --timeout 3s --issuer "$work/ca.pem" --url $base/silent --url $base/drip --url $base/loop --url $base/garbage \
    --url $base/html --url $base/short --url $base/good.crl --url http://127.0.0.1:8081/x
[ "$(json "[l['state'] for l in r['locations'] if l['url'].endswith('good.crl')]")" = "['OK']" ] && pass || fail "together: $(json "r['locations']")"
[ "$ms" -lt 5000 ] && pass || fail "together: $ms ms"
[ $rc = 2 ] && pass || fail "together: rc $rc"

# Output that cannot be written: said, and the former file untouched.
echo former > "$work/report.json"
"$crlagent" check --url $base/good.crl --format html --output "$work/no/such/report.html" 2> "$work/err.txt" && fail "no folder" || pass
grep -q 'no/such' "$work/err.txt" && pass || fail "message: $(cat "$work/err.txt")"
mkdir "$work/full"
mount -t tmpfs -o size=8k none "$work/full"
echo former > "$work/full/report.html"
"$crlagent" check --url $base/good.crl --format html --output "$work/full/report.html" 2> "$work/err.txt" && fail "disk full" || pass
[ "$(cat "$work/full/report.html")" = former ] && pass || fail "the former report was damaged"
umount "$work/full"

: > "$work/notdir"
"$crlagent" check --url $base/good.crl --format html --output "$work/notdir/report.html" 2> "$work/err.txt" && fail "folder is a file" || pass
grep -q 'notdir/report.html' "$work/err.txt" && pass || fail "message: $(cat "$work/err.txt")"

# A folder that nobody may write to.
mkdir "$work/locked"
mount -t tmpfs -o ro none "$work/locked"
"$crlagent" check --url $base/good.crl --format html --output "$work/locked/report.html" 2> "$work/err.txt" && fail "read-only folder" || pass
grep -q 'locked/report.html' "$work/err.txt" && pass || fail "message: $(cat "$work/err.txt")"
umount "$work/locked"

# A CRL of 300 MB from a web server, made while it is sent: read to its end, in the memory a small one takes; and 50 MB of
# zeros in a gzip answer are not unpacked.
python3 - "$work/web" <<'PY'
import sys
def tlv(tag, *parts):
    n = sum(map(len, parts))
    size = bytes([n]) if n < 128 else bytes([0x84]) + n.to_bytes(4, "big")
    return bytes([tag]) + size + b"".join(parts)
alg = tlv(0x30, bytes.fromhex("06082a8648ce3d040302"))
name = tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex("0603550403"), tlv(0x0C, b"Lab Issuing CA"))))
when = b"\x17\x0d251101000000Z"
entries = b"".join(tlv(0x30, tlv(0x02, bytes([1]) + i.to_bytes(15, "big")), when) for i in range(30000))
n = 300_000_000 // len(entries) + 1
number = tlv(0xA0, tlv(0x30, tlv(0x30, bytes.fromhex("0603551d14"), tlv(0x04, tlv(2, b"\x11")))))
fields = b"\x02\x01\x01" + alg + name + when + b"\x17\x0d491101000000Z"
head4 = lambda tag, size: bytes([tag, 0x84]) + size.to_bytes(4, "big")
tail = alg + tlv(0x03, b"\0" + b"\x30\x06\x02\x01\x01\x02\x01\x01")
listed = head4(0x30, n * len(entries))
body = len(fields) + len(listed) + n * len(entries) + len(number)
head = head4(0x30, 6 + body + len(tail)) + head4(0x30, body) + fields + listed
open(sys.argv[1] + "/huge.head", "wb").write(b"%04d%08d" % (len(head), n) + head + entries)
open(sys.argv[1] + "/huge.tail", "wb").write(number + tail)
PY
peak() { python3 -c 'import resource,subprocess,sys; subprocess.run(sys.argv[2:], stdout=open(sys.argv[1],"w")); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)' "$work/out.json" "$crlagent" check --format json "$@"; }
small=$(peak --url $base/good.crl)
t0=$(date +%s%3N)
big=$(peak --url $base/huge --timeout 100s)
ms=$(($(date +%s%3N) - t0))
[ "$(json "r['locations'][0]['status'], r['locations'][0]['crl']['bytes'] > 300000000, r['locations'][0]['crl']['entries'] > 8000000")" = "ok True True" ] && pass ||
    fail "300 MB: $(json "r['locations'][0]")"
[ $((big - small)) -lt 16 ] && pass || fail "300 MB: $big MiB against $small MiB"
bomb=$(peak --url $base/gzip)
[ $((bomb - small)) -lt 16 ] && pass || fail "gzip bomb: $bomb MiB against $small MiB"
echo "300 MB over HTTP in $ms ms, $big MiB; gzip bomb $bomb MiB; small CRL $small MiB"

# 2,000 locations, of which one is silent, one missing and one a page: three findings, 1,997 are well.
{ seq -f "$base/good.crl?%.0f" 1997; echo $base/silent; echo $base/missing.crl; echo $base/html; } > "$work/urls"
run_check --url-file "$work/urls" --issuer "$work/ca.pem" --timeout 3s --parallel-host 64
[ "$(json "sum(l['state'] == 'OK' for l in r['locations']), sorted(f['id'] for f in r['findings'])")" = "1997 [4043, 4044, 4057]" ] && pass ||
    fail "2,000 locations: $(json "sum(l['state'] == 'OK' for l in r['locations']), sorted(f['id'] for f in r['findings'])[:9]")"
echo "2,000 locations, one of them silent for its 3 s: $ms ms"

# What a certificate or a CRL names sends this host nowhere; what is not asked is told, a password is not.
steal='freshestCRL=URI:file:///etc/hostname,URI:file://thief.test/share/x.crl,URI:ldap://thief.test/cn=x?deltaRevocationList'
make_crl "$work/web/steal.crl" 17 -3600 $((6 * day)) "$steal,URI:$base/base17.crl"
told() { json "sorted((f['id'], f['severity'], f['url']) for f in r['findings'] if f['id'] in (2008, 4059))"; }
run_check --url $base/steal.crl
[ "$(json "len(r['locations'])")" = 1 ] && [ "$(json "sum(f['id'] == 4059 and 'was not checked' in f['found'] for f in r['findings'])")" = 4 ] &&
    pass || fail "freshest of an unverified CRL: $(told)"
run_check --url $base/steal.crl --issuer "$work/other.pem"
[ "$(json "len(r['locations'])")" = 1 ] && pass || fail "freshest of somebody else's CRL: $(json "[l['url'] for l in r['locations']]")"
run_check --url $base/steal.crl --issuer "$work/ca.pem"
[ "$(json "[l['url'] for l in r['locations'][1:]]")" = "['$base/base17.crl']" ] && [ "$(json "sum(f['id'] == 4059 and f['severity'] == 'warning' for f in r['findings'])")" = 3 ] &&
    pass || fail "freshest of a verified CRL: $(told)"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/l.key" -out "$work/l.csr" -subj /CN=leaf 2>/dev/null
leaf() { # NAME EXTENSION LINE...
    printf '%s\n' "${@:2}" > "$work/leaf.cnf"
    openssl x509 -req -in "$work/l.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 9 -out "$work/$1.pem" -extfile "$work/leaf.cnf" 2>/dev/null
}
leaf five "crlDistributionPoints=URI:$base/good.crl,URI:http://user:geheim@127.0.0.1:8080/x.crl,URI:ftp://127.0.0.1/x.crl,URI:file:///etc/hostname,URI:ldap://thief.test/cn=x?certificateRevocationList"
run_check --cert "$work/five.pem" --issuer "$work/ca.pem"
[ "$(told)" = "[(2008, 'warning', 'ftp://127.0.0.1/x.crl'), (2008, 'warning', 'http://***@127.0.0.1:8080/x.crl'), (4059, 'warning', '/etc/hostname'), (4059, 'warning', 'ldap://thief.test/cn=x?certificateRevocationList')]" ] &&
    [ $rc = 1 ] && [ "$(json "len(r['locations'])")" = 1 ] && ! grep -q geheim "$work/out.json" && pass || fail "certificate with five CDPs: rc $rc $(told)"
run_check --cert "$work/five.pem" --issuer "$work/ca.pem" --url /etc/hostname
[ "$(json "len(r['locations'])")" = 2 ] && pass || fail "a file that the user names too: $(json "[l['url'] for l in r['locations']]")"
leaf file crlDistributionPoints=URI:file:///etc/hostname
run_check --cert "$work/file.pem"
[ $rc = 20 ] && grep -q 'not asked: /etc/hostname' "$work/err.txt" && pass || fail "certificate with a file: rc $rc $(cat "$work/err.txt")"
# The same delta by the certificate and by the CRL is one location.
make_crl "$work/web/twice.crl" 17 -3600 $((6 * day)) "freshestCRL=URI:$base/twice+.crl"
leaf twice "crlDistributionPoints=URI:$base/twice.crl" "freshestCRL=URI:$base/twice+.crl"
run_check --cert "$work/twice.pem" --issuer "$work/ca.pem"
[ "$(json "[l['type'] for l in r['locations']], r['locations'][1]['origins']")" = "['base', 'delta'] ['certificate', 'freshest']" ] && pass ||
    fail "delta named twice: $(json "[(l['url'], l['origins']) for l in r['locations']]")"

# Lists of URLs as PowerShell 5 writes them (Set-Content -Encoding UTF8, Out-File) and as people do.
printf '\xef\xbb\xbf%s\r\n' $base/good.crl > "$work/list1"
{ printf '\xff\xfe'; printf '%s\r\n' $base/good.crl | iconv -t UTF-16LE; } > "$work/list2"
printf '\r\n  # mine\r\n\t %s \t\r\n' $base/good.crl > "$work/list3"
for n in 1 2 3; do
    run_check --url-file "$work/list$n" --issuer "$work/ca.pem"
    [ $rc = 0 ] && [ "$(json "[l['url'] for l in r['locations']]")" = "['$base/good.crl']" ] && pass || fail "--url-file, kind $n: rc $rc $(cat "$work/err.txt")"
done
printf '%s\r\n\r\nftp://x/y\r\n' $base/good.crl > "$work/list4"
run_check --url-file "$work/list4"
[ $rc = 3 ] && grep -q "list4, line 3: " "$work/err.txt" && pass || fail "--url-file, bad line: rc $rc $(cat "$work/err.txt")"

# Before and after: one CRL goes back, another location comes, one goes.
cp "$work/web/good.crl" "$work/web/moving.crl"
"$crlagent" check --url $base/moving.crl --url $base/base17.crl --no-freshest --issuer "$work/ca.pem" --format json --output "$work/before.json" || true
cp "$work/web/old/good.crl" "$work/web/moving.crl"
rc=0; "$crlagent" check --url $base/moving.crl --url $base/good.crl --no-freshest --issuer "$work/ca.pem" --before "$work/before.json" > "$work/line" || rc=$?
grep -q 'Compared with the report before' "$work/line" && grep -q '2 locations worse than before' "$work/line" && pass || fail "--before: $(cat "$work/line")"
"$crlagent" check --url $base/moving.crl --url $base/good.crl --no-freshest --issuer "$work/ca.pem" --before "$work/before.json" --format html > "$work/line" || true
grep -q '2 worse than before' "$work/line" && grep -q 'number 17, until .* number 16, until' "$work/line" && pass || fail "--before as a page"
run_check --url $base/moving.crl --url $base/good.crl --no-freshest --issuer "$work/ca.pem" --before "$work/before.json"
[ "$(json "r['comparison']['worse'], len(r['comparison']['changes'])")" = "2 3" ] && pass || fail "--before as JSON: $(json "r['comparison']")"
printf '{"schema":"crlagent-report","version":2}' > "$work/newer.json"
run_check --url $base/good.crl --before "$work/newer.json"
[ $rc = 3 ] && grep -q "newer.json': expected schema 'crlagent-report' version 1" "$work/err.txt" && pass || fail "--before, another version: rc $rc $(cat "$work/err.txt")"

# The monitoring line and --fail-on.
rc=0; "$crlagent" check --url $base/mime --issuer "$work/ca.pem" --format nagios > "$work/line" || rc=$?
[ $rc = 1 ] && grep -q "^CRL WARNING - runway .* | 'runway'=[0-9]*s" "$work/line" && [ "$(wc -l < "$work/line")" = 1 ] && pass ||
    fail "nagios: rc $rc, $(cat "$work/line")"
rc=0; "$crlagent" check --url $base/mime --issuer "$work/ca.pem" --fail-on critical > /dev/null || rc=$?
[ $rc = 0 ] && pass || fail "--fail-on critical: rc $rc"

rc=0; "$crlagent" check --url $base/missing.crl --format nagios > "$work/line" || rc=$?
[ $rc = 2 ] && grep -q 'CRL: base CRL of key 0: usable at 0 of 1 location, the first is http' "$work/line" && pass || fail "nagios: rc $rc, $(cat "$work/line")"

# An outage with nothing that a client accepts, and one that does not fit.
rc=0; "$crlagent" simulate --outage 36h --url $base/other.crl --issuer "$work/ca.pem" > "$work/line" || rc=$?
[ $rc = 2 ] && grep -q '1 of 1 locations serve no CRL now' "$work/line" && pass || fail "simulate: rc $rc $(cat "$work/line")"
rc=0; "$crlagent" simulate --outage 36h --url $base/nearly.crl --issuer "$work/ca.pem" > "$work/line" || rc=$?
[ $rc = 2 ] && grep -q 'does not fit' "$work/line" && pass || fail "simulate: rc $rc $(cat "$work/line")"
rc=0; "$crlagent" simulate --outage 36h --url $base/good.crl --issuer "$work/ca.pem" > "$work/line" || rc=$?
[ $rc = 0 ] && grep -q 'No location expires' "$work/line" && [[ "$(head -1 "$work/line")" == "Runway: 5d 23h until "* ]] &&
    ! grep -qE '.{101}' "$work/line" && pass || fail "simulate: rc $rc $(cat "$work/line")"
rc=0; "$crlagent" simulate --outage 36h --url $base/good.crl --issuer "$work/other.pem" > "$work/line" || rc=$?
[ $rc = 2 ] && grep -q '1 of 1 locations serve no CRL' "$work/line" && pass || fail "simulate with somebody else's CRL: rc $rc $(cat "$work/line")"
finish
