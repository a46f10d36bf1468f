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
grep -qi '^Content-Type: multipart/alternative' "$work/mail.txt" && grep -qi '^Content-Type: text/plain' "$work/mail.txt" &&
    grep -qi '^Content-Type: text/html' "$work/mail.txt" && ! grep -qi 'filename=' "$work/mail.txt" && pass || fail "text and HTML: $(cat "$work/mail.txt")"
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

# An outage with many alarms: within what Slack and Teams take, and in a few lines where the whole is refused for good.
printf '127.0.0.1 hooks.slack.com lab.webhook.office.com\n' > "$work/hosts"
mount --bind "$work/hosts" /etc/hosts
# big URL LINES: leaves rc, $asked (the sizes and answers of the calls) and $work/hook.json
big() {
    : > "$work/asked.txt"
    rm -f "$work/hook.json"
    rc=0
    "${CRLAGENT_BUILD:?}/bin/big_notice" "$1" "$2" > "$work/line" 2>&1 || rc=$?
    asked=$(cut -d' ' -f3 "$work/asked.txt" | tr '\n' ' ')
}
hook() { python3 -c "import json; r=json.load(open('$work/hook.json')); print($1)"; }
slack=http://hooks.slack.com:8090/slack teams=http://lab.webhook.office.com:8090/teams
for lines in 1 100 4096; do
    big $slack/x $lines
    [ $rc = 0 ] && [ "$asked" = '200 ' ] && pass || fail "slack, $lines lines: rc $rc, $asked, $(cat "$work/line")"
    big $teams/x $lines
    [ $rc = 0 ] && [ "$asked" = '202 ' ] && pass || fail "teams, $lines lines: rc $rc, $asked, $(cat "$work/line")"
done
big $slack/x 100
[ "$(hook "'Issuing%20CA%200.crl' in r['blocks'][0]['text']['text'] and ' more: crlagent report' in r['blocks'][0]['text']['text']")" = True ] && pass ||
    fail "slack text: $(cat "$work/hook.json")"
big http://127.0.0.1:8090/brief/x 100
[ $rc = 0 ] && [ "$asked" = '413 200 ' ] && [ "$(hook "len(r['text']) <= 600 and ' more: crlagent report' in r['text']")" = True ] && pass ||
    fail "refused for its length: rc $rc, $asked"
big http://127.0.0.1:8090/brief/x 1
[ $rc = 0 ] && [ "$asked" = '200 ' ] && pass || fail "short from the start: rc $rc, $asked"
big http://lab.webhook.office.com:8090/teams-says/x 100
[ $rc = 0 ] && [ "$asked" = '200 200 ' ] && [ -s "$work/hook.json" ] && pass || fail "refused in the body of a 200: rc $rc, $asked"
big http://127.0.0.1:8090/fail/x 100
[ $rc = 1 ] && [ "$asked" = '500 ' ] && pass || fail "out of order is no refusal: rc $rc, $asked"

# Evidence that is none.
echo '{}' > "$work/e.json"
rc=0; "$crlagent" evidence verify "$work/e.json" 2> "$work/line" || rc=$?
[ $rc = 3 ] && grep -q 'crlagent-evidence' "$work/line" && pass || fail "evidence: rc $rc, $(cat "$work/line")"
finish
