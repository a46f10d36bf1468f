#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Renders every report format from one lab run: a farm with a stale server, a blocked delta, a page instead of a CRL.
# Checks what can be checked by other programs; with a folder as argument leaves the files there (docs/samples).
keep=${1:-}
. "$(dirname "$0")/health_lib.sh"
top=$(cd "$here/../.." && pwd)

mkdir -p "$work/web/old"
make_ca
day=86400
next() { # NEXT-PUBLISH-SECONDS: the Microsoft extension as UTCTime
    printf '1.3.6.1.4.1.311.21.4=DER:17:0D:%s' "$(date -u -d "@$(($(date +%s) + $1))" +%y%m%d%H%M%SZ | tr -d '\n' | od -An -tx1 | tr -d '\n' | sed 's/^ //; s/ /:/g')"
}
make_crl "$work/web/lab.crl" 42 -$day $((6 * day)) "$(next $((5 * day)))" 'freshestCRL=URI:http://pki.lab.test:8080/lab+.crl'
make_crl "$work/web/old/lab.crl" 41 -$((6 * day)) $((day + 7200)) "$(next $((-2 * day)))"
cp "$work/web/lab.crl" "$work/web/second.crl"
{ for i in 1 2 3 4; do echo "127.0.0.$i pki.lab.test"; done; echo '127.0.0.1 cdp.lab.test'; echo "127.0.0.1 $(hostname)"; } > "$work/hosts"
mount --bind "$work/hosts" /etc/hosts
start_web
args=(--issuer "$work/ca.pem" --url http://pki.lab.test:8080/lab.crl --url http://cdp.lab.test:8080/second.crl
    --url http://cdp.lab.test:8080/html --url "$work/web/lab.crl" --propagation 10m)
out=$work/samples
mkdir -p "$out"
for f in text json xml html metrics nagios; do
    ext=$f
    case $f in text) ext=txt ;; metrics) ext=prom ;; esac
    rc=0
    "$crlagent" check "${args[@]}" --format $f --output "$out/report.$ext" || rc=$?
    [ $rc = 2 ] && [ -s "$out/report.$ext" ] && pass || fail "$f: rc $rc"
done
"$crlagent" simulate "${args[@]}" --outage 36h > "$out/simulate.txt" || true
"$crlagent" explain 4030 > "$out/explain.txt"

head -1 "$out/report.txt" | grep -q '^Runway: ' && pass || fail "runway is not first: $(head -1 "$out/report.txt")"
awk 'length($0) > 100 {exit 1}' "$out/report.txt" && pass || fail "a line is wider than 100 columns"
python3 -m json.tool "$out/report.json" > /dev/null && pass || fail "JSON"
xmllint --noout --schema "$top/installer/schema/report.xsd" "$out/report.xml" 2> "$work/xsd.txt" && pass || fail "XSD: $(cat "$work/xsd.txt")"
! grep -qiE '<script|http-equiv="refresh"|src=|url\(' "$out/report.html" && pass || fail "HTML asks for something from elsewhere"
grep -q 'please sign in' "$out/report.html" && fail "foreign HTML came through" || pass
grep -q '^crlagent_runway_seconds{' "$out/report.prom" && [ "$(tail -c1 "$out/report.prom" | od -An -c | tr -d ' ')" = '\n' ] && pass || fail "metrics"
if command -v promtool > /dev/null; then
    promtool check metrics < "$out/report.prom" > "$work/prom.txt" 2>&1 && pass || fail "promtool: $(cat "$work/prom.txt")"
    promtool check rules "$top/installer/monitoring/crlagent.rules.yml" > "$work/prom.txt" 2>&1 && pass || fail "rules: $(cat "$work/prom.txt")"
fi
python3 -m json.tool "$top/installer/monitoring/grafana-crl-health.json" > /dev/null && pass || fail "dashboard is no JSON"
"$crlagent" explain --markdown | cmp -s - "$top/docs/findings.md" && pass || fail "docs/findings.md is out of date: crlagent explain --markdown > docs/findings.md"
if [ -n "$keep" ]; then
    mkdir -p "$keep"
    for f in "$out"/*; do sed "s#$work#/srv/lab#g" "$f" > "$keep/$(basename "$f")"; done
fi
finish
