#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Telling people: mail with STARTTLS, a server that refuses, one that is silent, webhooks; and evidence that was edited.
. "$(dirname "$0")/health_lib.sh"
make_ca
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/m.key" -out "$work/m.csr" -subj /CN=127.0.0.1 2>/dev/null
openssl x509 -req -in "$work/m.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 -out "$work/m.pem" \
    -extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
python3 "$here/../lab/web/sink.py" "$work" "$work/m.pem" "$work/m.key" > "$work/sink.log" 2>&1 &
web_pid=$!
for i in $(seq 100); do grep -q ready "$work/sink.log" && break; sleep 0.05; done

# test_notice NOTIFY-XML: leaves rc and $work/line
test_notice() {
    printf '<?xml version="1.0"?>\n<crlagent version="1"><notify>%s</notify></crlagent>\n' "$1" > "$work/config.xml"
    rc=0
    "$crlagent" notify --test --config "$work/config.xml" --ca-file "$work/ca.pem" > "$work/line" 2>&1 || rc=$?
}
who='<smtp-from>crlagent@lab.test</smtp-from><smtp-to><receiver>pki@lab.test</receiver><receiver>duty@lab.test</receiver></smtp-to>'

test_notice "<smtp-server>127.0.0.1:2525</smtp-server><smtp-security>starttls</smtp-security>$who"
[ $rc = 0 ] && grep -q '^mail  *sent' "$work/line" && pass || fail "mail: rc $rc, $(cat "$work/line")"
grep -q '^TLS' "$work/mail.txt" && grep -qi '^Subject: \[INFO\] Test notice' "$work/mail.txt" && grep -qi '^To: pki@lab.test, duty@lab.test' "$work/mail.txt" &&
    grep -qi '^Auto-Submitted: auto-generated' "$work/mail.txt" && grep -qE '^Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]+ ' "$work/mail.txt" && pass ||
    fail "mail text: $(cat "$work/mail.txt")"
LC_ALL=C date -u -d "$(sed -n 's/^Date: //Ip' "$work/mail.txt" | tr -d '\r')" '+%a, %-d %b %Y %H:%M:%S +0000' | cmp -s - <(sed -n 's/^Date: //Ip' "$work/mail.txt" | tr -d '\r') && pass || fail "weekday in Date"
test_notice "<smtp-server>127.0.0.1:2526</smtp-server><smtp-security>starttls</smtp-security>$who"
[ $rc = 2 ] && grep -q '127.0.0.1:2526.*550' "$work/line" && pass || fail "refusing: rc $rc, $(cat "$work/line")"
test_notice "<smtp-server>127.0.0.1:2528</smtp-server><smtp-security>none</smtp-security>$who"
[ $rc = 2 ] && grep -q 'FAILED' "$work/line" && pass || fail "nobody there: rc $rc, $(cat "$work/line")"
test_notice "<smtp-server>127.0.0.1:2525</smtp-server><smtp-security>starttls</smtp-security>$who<smtp-credential>x</smtp-credential>"
[ $rc = 2 ] && grep -q 'credential' "$work/line" && pass || fail "credential: rc $rc, $(cat "$work/line")"
test_notice '<webhook-url>http://127.0.0.1:8090/ok/secret-token</webhook-url>'
[ $rc = 0 ] && python3 -c "import json; r=json.load(open('$work/hook.json')); assert r['schema']=='crlagent-notice' and r['severity']=='info' and r['title']" && pass ||
    fail "webhook: rc $rc, $(cat "$work/line")"
test_notice '<webhook-url>http://127.0.0.1:8090/fail/secret-token</webhook-url>'
[ $rc = 2 ] && grep -q 'found 500' "$work/line" && ! grep -q secret-token "$work/line" && pass || fail "webhook 500: rc $rc, $(cat "$work/line")"
test_notice ''
[ $rc = 2 ] && grep -q 'No way of telling' "$work/line" && pass || fail "nothing configured: rc $rc, $(cat "$work/line")"

# Evidence that is none.
echo '{}' > "$work/e.json"
rc=0; "$crlagent" evidence verify "$work/e.json" 2> "$work/line" || rc=$?
[ $rc = 3 ] && grep -q 'crlagent-evidence' "$work/line" && pass || fail "evidence: rc $rc, $(cat "$work/line")"
finish
