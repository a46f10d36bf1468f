#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The continuous watch, end to end: a stale web node becomes an event, a metric, a webhook call and a mail; its recovery too;
# during a maintenance what is not expected is still told; the evidence bundle shows an edit.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

# sink NAME FOLDER: the test's mail server and webhook inside of the lab, ended with it
sink_up() {
    mkdir -p "$T/sink"
    SINK_PASSWORD=$(openssl rand -hex 12)
    export SINK_PASSWORD
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/sink/k.pem" -out "$T/sink/c.pem" -days 2 \
        -subj /CN=127.0.0.1 2>/dev/null
    lab exec python3 "$E2E/../lab/web/sink.py" "$T/sink" "$T/sink/c.pem" "$T/sink/k.pem" > "$T/sink/log" 2>&1 &
    eventually 5 "the sink" grep -q ready "$T/sink/log"
}
# old_world: certificates that the CA issued before its configuration changed: one with a CDP that is in no configuration any
# more, one that has expired, one with an OCSP URL, whose responder runs in the lab with a certificate of this CA.
old_world() {
    mkdir -p "$T/ocsp"
    openssl ecparam -name prime256v1 -genkey -noout -out "$T/ocsp/signer.key"
    openssl ec -in "$T/ocsp/signer.key" -pubout -out "$L/prefix/drive_c/signer.pub" 2>/dev/null
    ln -s "Lab Issuing CA.crl" "$L/www/pki/old.crl"
    ln -s "Lab Issuing CA.crl" "$L/www/pki/gone.crl"
    win certutil.exe -labissue "OCSP signer" 14 'public=C:\signer.pub' signing=1 'out=C:\signer.crt' > /dev/null
    win certutil.exe -labissue "Retired Server" 30 back=300 cdp=http://pki.lab.test/pki/gone.crl > /dev/null
    win certutil.exe -labissue "Old Server" 90 back=300 cdp=http://pki.lab.test/pki/old.crl > /dev/null
    win certutil.exe -labissue "Server" 365 "cdp=http://pki.lab.test/pki/Lab%20Issuing%20CA.crl" ocsp=http://127.0.0.1:8091/ocsp/delegated \
        'out=C:\leaf.crt' > /dev/null
    win certutil.exe -labissue "Attacker" 365 'cdp=file://thief.test/share/x.crl' > /dev/null
    win certutil.exe -labissue "Over" -1 back=300 cdp=http://pki.lab.test/pki/over.crl > /dev/null
    win labadm.exe prop 0x0C 0 3 'C:\ca.crt' > /dev/null
    local n
    for n in signer leaf ca; do openssl x509 -inform DER -in "$L/prefix/drive_c/$n.crt" -out "$T/ocsp/$n.pem"; done
    lab exec /usr/bin/python3 "$E2E/../lab/web/ocsp.py" "$T/ocsp" 8091 > "$T/ocsp/log" 2>&1 &
    eventually 5 "the responder" grep -q ready "$T/ocsp/log"
}
# A proxy in front of a web server whose name only the proxy knows; the webhook is called through it too.
proxy_up() {
    mkdir -p "$T/proxy"
    lab exec python3 "$E2E/../lab/web/proxy.py" "$T/proxy" 8092 127.0.1.1 > "$T/proxy/log" 2>&1 &
    eventually 5 "the proxy" grep -q ready "$T/proxy/log"
}
hooks() { cat "$T/sink/hooks.jsonl" 2>/dev/null; }
# mail_parts WORDS: what the last mail with these words in its text is made of
mail_parts() {
    /usr/bin/python3 - "$T/sink/mails.txt" "$1" <<'E'
import email, email.policy, sys
found = ""
for data in open(sys.argv[1], "rb").read().split(b"\r\n.\r\n"):
    mail = email.message_from_bytes(data, policy=email.policy.default)
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    if not text or sys.argv[2] not in " ".join(text.get_content().split()):
        continue
    report = [a.get_content() for a in mail.iter_attachments() if a.get_filename() == "crl-health.html"]
    found = "text" + (" html" if page and sys.argv[2] in " ".join(page.get_content().split()) else "") + \
        (" report" if report and "<svg" in report[0] else "")
print(found)
E
}
mail_is() { [ "$(mail_parts "$1")" = "$2" ]; }
metric() { grep -E "$1" "$DATA/metrics.prom" 2>/dev/null; }
after_pause() { sed -n '/ 5003 /,$p' "$DATA/logs/crlagent.log" | grep -E "$1"; }
look() { agent check --format nagios > /dev/null 2>&1 || true; }

step "a CA, a webhook and a mail server; looks every two seconds"
lab_up --no-ad
sink_up
proxy_up
old_world
# Without it nobody is told for so long after a publication: tests/unit/test_own.c.
PROPAGATION=0s agent_install "" "" '<notify><minimum>critical</minimum><smtp-server>127.0.0.1:2525</smtp-server><smtp-security>none</smtp-security>
  <smtp-from>crlagent@lab.test</smtp-from><smtp-to><receiver>pki@lab.test</receiver></smtp-to>
  <webhook-url>http://127.0.0.1:8090/ok/x</webhook-url><webhook-proxy>http://127.0.0.1:8092</webhook-proxy></notify>
  <locations><location url="http://cdn.example.test/pki/Lab%20Issuing%20CA.crl"/></locations>
  <thresholds><delta-critical>25m</delta-critical><overdue-grace>0s</overdue-grace></thresholds>' '<interval>2s</interval><maintenance-interval>2s</maintenance-interval>
    <proxy>http://127.0.0.1:8092</proxy><proxy-bypass><host>.lab.test</host><host>127.0.0.1</host></proxy-bypass>' \
  '<metrics-file>C:\ProgramData\crlagent\metrics.prom</metrics-file>'

step "all is well: metrics are there, a test signature was made, nobody was told anything"
eventually 10 "metrics" metric '^crlagent_cdp_up'
expect "all locations up" "$(metric '^crlagent_cdp_up' | grep -vc ' 1$')" 0
eventually 10 "key test in the metrics" metric '^crlagent_hsm_up\{.*\} 1'
expect_out 0 report --format json
expect "HSM history in the report" "$(json '.hsm.good')" true
expect "nothing told" "$(hooks | wc -l)" 0

step "an unchanged CRL is not fetched again: the server answers 304; who asks gets the whole"
asked_if_changed() { grep -E '" 304 0 ".+" ".+ GMT"$' "$L/log/web$1.log"; }
eventually 10 "304 of node 1" asked_if_changed 1
eventually 10 "304 of node 2" asked_if_changed 2
expect_out 0 report --format json
expect "the CRL is judged all the same" "$(json '[.locations[] | select(.http_status == 304 and .crl != null)] | length > 0')" true
expect "not a byte of it came" "$(json '[.locations[] | select(.http_status == 304) | .bytes] | add')" 0
expect_out 0 check --format json
expect "a person gets whole CRLs" "$(json '[.locations[] | select(.http_status == 304)] | length')" 0
bytes_now() { tail -n 20 "$L/log/web1.log" | grep -E '" 200 [0-9]+ ".+" ".+ GMT"$'; }
win labadm.exe publish 3 > /dev/null
eventually 10 "asked for a change, got the new one" bytes_now

step "on the CA host check and simulate ask the service; what it would not honour is refused"
expect_out 0 simulate --outage 2h
expect_match "the runway first" "$(head -1 <<< "$OUT")" '^Runway: .* at the weakest location'
expect_match "base and delta" "$OUT" 'delta +0 .*ng%20CA\+.crl @127.0.1.2'
expect_match "it fits" "$OUT" 'No location expires'
expect "not wider than a console" "$(grep -cE '.{101}' <<< "$OUT")" 0
expect_rc 20 agent simulate --outage 2h --propagation 1h
expect_match "whose business it is" "$OUT" 'propagation is for locations that are named here.*crlagent config show'
expect_rc 20 agent check --warn 2d
expect_match "the same of check" "$OUT" 'warn is for locations that are named here'
expect_rc 0 agent check --format html --output 'C:\now.html'
grep -q '<svg' "$L/prefix/drive_c/now.html" || fail "no report in the file"

step "what check fetches is parsed in a worker, which is told how to ask"
agent check --url http://127.0.0.1:2527/silent.crl --url http://pki.lab.test/pki/Lab%20Issuing%20CA.crl --timeout 3s --parallel 7 --parallel-host 3 \
    --proxy none --format json > "$T/silent.json" 2>&1 &
check_pid=$!
eventually 8 "a worker of its own" pgrep -f 'crlagent.exe worker --parallel 7 --parallel-host 3 --proxy none'
wait $check_pid || true
expect "its answers" "$(jq -c '[.locations[].status] | sort' "$T/silent.json")" '["ok","ok","timeout"]'

step "a server that says 304 to everything is believed until the whole is asked for"
lab web notmodified 2 > /dev/null
expect_out 1 check --format json
expect "found" "$(json '[.findings[] | select(.id == 4031 and (.found | test("found 304")))] | length > 0')" true
lab web fresh 2 > /dev/null
look; look

step "what only earlier certificates carry is watched and marked; the OCSP responder is asked about an issued certificate"
rm "$L/www/pki/gone.crl"
expect_out 1 check --format json
expect "the old CDP's origin" "$(json '[.locations[] | select(.url | endswith("/old.crl")) | .origins | join("+")] | unique | join(" ")')" certificate
expect_match "and its end" "$(json '[.locations[] | select(.url | endswith("/old.crl")) | .carried_until][0]')" '^20..-..-..T'
expect "the present CDP's origins" "$(json '[.locations[] | select(.url | endswith("pki.lab.test/pki/Lab%20Issuing%20CA.crl")) | .origins | join("+")] | unique | join(" ")')" \
    ca-cdp+certificate
expect "a dead one is a warning that names them" \
    "$(json '[.findings[] | select(.url | endswith("/gone.crl")) | "\(.id) \(.severity) \(.found | test("only certificates issued earlier name it, until 20"))"] | unique | join(" ")')" \
    "4044 warning true"
expect "neither the expired one's nor a file server's" "$(json '[.locations[] | select(.url | test("over.crl|thief"))] | length')" 0
expect "responder" "$(json '[.locations[] | select(.type == "ocsp") | "\(.state) \(.ocsp.signer) \(.ocsp.certificate)"] | join(" ")')" "OK delegated good"
expect_out 1 check
expect_match "text" "$OUT" 'base\*.*old.crl.*only certificates issued earlier name this location'
expect_out 0 check --fail-on critical
eventually 8 "metric of it" metric '^crlagent_cdp_up\{.*old.crl.*scope="issued".* 1'
ln -sf "Lab Issuing CA.crl" "$L/www/pki/gone.crl"

step "an entry of the CA's registry that is no URL is told, without its password"
reg_key='HKLM\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration\Lab Issuing CA'
entries=$(win reg.exe query "$reg_key" /v CRLPublicationURLs | sed -n 's/.*REG_MULTI_SZ *//p')
lab ca reg CRLPublicationURLs REG_MULTI_SZ "$entries"'\02:ftp://user:geheim@ca01/%3%8.crl'
expect_out 1 check --format json
expect "told" "$(json '[.findings[] | select(.id == 2008) | "\(.severity) \(.url)"] | sort | join(" ")')" \
    "warning ftp://***@ca01/Lab Issuing CA.crl"
grep -q geheim <<< "$OUT" && fail "a password is in the report"
lab ca reg CRLPublicationURLs REG_MULTI_SZ "$entries"
expect_out 0 check --format json --fail-on critical
expect "over" "$(json '[.findings[] | select(.id == 2008)] | length')" 0

step "behind the proxy: by name, and as clients do; a cache that keeps the old CRL is found"
touch "$T/proxy/cache"
look
win labadm.exe publish 3 > /dev/null
expect_out 1 check --format json
cdn='.locations[] | select(.url | startswith("http://cdn."))'
expect "asked through the proxy" "$(json "[$cdn | .via_proxy] | unique | join(\" \")")" true
expect "with and without caches" "$(json "[$cdn | .caches_allowed] | sort | join(\" \")")" "false true"
expect "past the proxy, each server" "$(json '[.locations[] | select((.url | startswith("http://pki.")) and (.caches_allowed | not) and .via_proxy)] | length')" 0
expect "what clients get" "$(json '[.findings[] | select(.id == 4068) | .url | startswith("http://cdn.")] | join(" ")')" true
rm "$T/proxy/cache"

step "one of two web nodes serves yesterday's CRL: one event, a metric, a webhook call and a mail"
lab web stale 2 > /dev/null
win labadm.exe publish 3 > /dev/null
look
eventually 8 "event in the log" grep -q ' CRITICAL 4030 ' "$DATA/logs/crlagent.log"
eventually 8 "metric" metric '^crlagent_findings\{.*stale_node'
eventually 8 "webhook" grep -q 4030 "$T/sink/hooks.jsonl"
eventually 8 "mail" grep -q 'older CRL' "$T/sink/mails.txt"
eventually 8 "as text, as HTML and with the report" mail_is 'older CRL' 'text html report'
expect_match "the webhook's proxy" "$(cat "$T/proxy/posts")" 'http://127.0.0.1:8090/ok/x'
told=$(grep -c ' CRITICAL 4030 ' "$DATA/logs/crlagent.log")
look; look
expect "told once for base and for delta, not at every look" "$(grep -c ' CRITICAL 4030 ' "$DATA/logs/crlagent.log")" "$told"

step "the node is right again: its end is told"
lab web fresh 2 > /dev/null
eventually 12 "recovery" grep -q ' INFO 4090 Over after .*older CRL' "$DATA/logs/crlagent.log"
eventually 8 "recovery by webhook" grep -q '"recovered": *true' "$T/sink/hooks.jsonl"

step "the CA publishes and no web server follows: all of them are behind the CA's own CRL"
lab web stale > /dev/null
win labadm.exe publish 3 > /dev/null
look
eventually 8 "event in the log" grep -qE ' CRITICAL 4006 .*http:.*expected CRL number .*as the CA itself holds it' "$DATA/logs/crlagent.log"
eventually 8 "metric" metric '^crlagent_cdp_matches_ca\{.*http:.*scope="own"\} 0'
lab web fresh > /dev/null

step "maintenance: teams are told before and during; the expected is muted, a CRL that cannot be had is not"
# A delta that is due after a second, and critical by the threshold above: it comes back during the pause.
delta=$(ls "$L"/www/pki/*+.crl)
lab ca set no_schedule 1
lab ca reg CRLDeltaPeriod REG_SZ Seconds
lab ca reg CRLDeltaPeriodUnits REG_DWORD 1
win labadm.exe publish 3 > /dev/null
cp "$delta" "$T/due.crl"
lab ca reg CRLDeltaPeriod REG_SZ Days
win labadm.exe publish 3 > /dev/null
lab ca unset no_schedule
expect_out 0 hook pre-upgrade --change CHG0004711 --window 1h --reserve 10m --reason "firmware" --json
eventually 8 "before" grep -q '"id": *5001' "$T/sink/hooks.jsonl"
eventually 8 "during" grep -q '"id": *5003' "$T/sink/hooks.jsonl"
eventually 8 "its mail has the report from before" mail_is 'of change CHG0004711 is ready' 'text html report'
lab web missing > /dev/null
eventually 10 "told while paused" after_pause ' CRITICAL 404[0-9] '
lab web fresh > /dev/null

step "a delta is due and expires soon while the CA is out of use: the first is muted and counted, the second is told"
cp "$T/due.crl" "$delta"
eventually 15 "the end of a CRL is told" after_pause ' CRITICAL 4002 '
eventually 8 "to people, too" grep -q '"id": *4002' "$T/sink/hooks.jsonl"
muted() { OUT=$(agent_out status --json) && [ "$(json '."muted-alarms"')" -gt 0 ]; }
eventually 10 "the count in status" muted
expect_rc 0 agent status
expect_match "the count as text" "$OUT" 'muted: +[1-9][0-9]* expected alarms'
after_pause ' 4004 ' > /dev/null && fail "the overdue delta was told during the maintenance"
OUT=$(agent_out report --format json || true)
expect "the count in the report" "$(json '.maintenance.muted > 0')" true

step "after it: told, and the evidence bundle is named in the answer"
expect_out 0 hook post-upgrade --change CHG0004711 --json
bundle=$(json .evidence.path) head=$(json .evidence.head)
expect_match "bundle" "$bundle" 'crlagent.reports.CHG0004711-1.json$'
expect_rc 0 agent evidence verify "$bundle" --head "$head"
eventually 8 "after" grep -q '"id": *5005' "$T/sink/hooks.jsonl"
eventually 8 "its mail has the report from after" mail_is 'of change CHG0004711 is closed' 'text html report'
file="$DATA/reports/CHG0004711-1.json"
for kind in before during after diff figures step audit verdict; do
    [ "$(jq "[.. | objects | select(.kind? == \"$kind\")] | length" "$file")" -gt 0 ] || fail "no '$kind' in the bundle"
done
data() { jq -r ".entries[] | select(.kind == \"$1\") | .data | $2" "$file"; }
for phase in before during after; do
    expect "whole report $phase" "$(data $phase '[.schema, .phase] | join(" ")')" "crlagent-report $phase"
    expect "its runway and locations" "$(data $phase '(.runway | has("weakest_seconds")) and (.locations | length > 0)')" true
done
expect "the bad hour of the pause is in it" "$(data during '[.findings[] | select(.severity == "critical")] | length > 0')" true
expect "the difference" "$(data diff .good)" true
expect_out 0 hook post-upgrade --change CHG0004711
expect_match "text answer" "$OUT" 'evidence: .*CHG0004711-1.json'

step "before and after as a page and as text, for people"
expect_out 0 evidence show "$bundle" --head "$head"
expect_match "the runway first" "$(head -1 <<< "$OUT")" '^Runway: '
expect_match "beside the one before" "$OUT" 'Compared with the report before'
expect_match "nothing is worse" "$OUT" ' 0 locations worse than before'
expect_match "what it is" "$(cat "$T/stderr")" "change 'CHG0004711': .* entries are as they were written, head $head"
expect_rc 0 agent evidence show "$bundle" --format html --output 'C:\change.html'
grep -q 'before' "$L/prefix/drive_c/change.html" && grep -q '<svg' "$L/prefix/drive_c/change.html" || fail "no comparison in the page"
expect_out 0 evidence show "$bundle" --phase during
expect_match "the bad hour" "$OUT" '[1-9][0-9]* locations? worse than before'
expect_rc 0 agent report --format json --output 'C:\then.json'
expect_out 0 report --before 'C:\then.json'
expect_match "the service's report beside a kept one" "$OUT" 'Compared with the report before.* 0 locations worse'
expect_rc 3 agent check --before 'C:\nowhere.json'

step "one changed byte shows"
sed 's/firmware/firmwarf/' "$file" > "$DATA/reports/edited.json"
cmp -s "$file" "$DATA/reports/edited.json" && fail "nothing was changed"
expect_rc 2 agent evidence verify 'C:\ProgramData\crlagent\reports\edited.json'
expect_out 2 evidence show 'C:\ProgramData\crlagent\reports\edited.json'
expect "nothing is shown of it" "$OUT" ""

step "the report as a page, from the last look"
expect_rc 0 agent report --format html --output 'C:\r.html'
grep -q '<svg' "$L/prefix/drive_c/r.html" || fail "no chart in the report"

step "a CA named by its configuration string is asked for its locations, without the service"
OUT=$(agent_out check --ca-config 'ca01.lab.test\Lab Issuing CA' --format json) || true
expect "the CA" "$(json '.ca + " " + .config')" 'CN=Lab Issuing CA,DC=lab,DC=test ca01.lab.test\Lab Issuing CA'
expect "its CRLs, an old CDP, its responder, the CA above" \
    "$(json '[.locations[] | select(.state == "OK") | "\(.type) \(.url | split("/") | last)"] | unique | join(", ")')" \
    "aia ca01.lab.test_Lab%20Issuing%20CA.crt, aia root.cer, base Lab%20Issuing%20CA.crl, base gone.crl, base old.crl, base root.crl, delta Lab%20Issuing%20CA+.crl, ocsp delegated"
expect "signatures" "$(json '[.locations[].crl | select(. != null) | .signature] | unique | join(" ")')" good
expect "a file server that an issued certificate names is told, not asked" \
    "$(json '[.findings[] | select(.id == 4059) | "\(.severity) \(.url)"] | join(" ")')" 'warning \\thief.test\share\x.crl'
expect_rc 20 agent check --ca-config 'Lab Issuing CA'
expect_match "what is expected" "$OUT" 'expected HOST'
expect_rc 3 agent check --ca-config 'nowhere.test\Lab Issuing CA'
expect_match "what failed" "$OUT" "asking the CA 'nowhere.test"

step "a directory that is silent, also in the TLS handshake: two time-outs, and the location beside them is judged"
OUT=$(agent_out check --url 'ldaps://127.0.0.1:2527/cn=x?certificateRevocationList' --url 'ldap://127.0.0.1:2527/cn=x?certificateRevocationList' \
    --url http://pki.lab.test/pki/Lab%20Issuing%20CA.crl --one-address --timeout 2s --format json) || true
expect "each" "$(json '[.locations[] | "\(.url[:6]) \(.status)"] | sort | join(", ")')" 'http:/ ok, ldap:/ timeout, ldaps: timeout'

step "a mail server that wants a login: PLAIN and LOGIN after STARTTLS, a wrong password, no secret left behind"
cp "$T/sink/c.pem" "$L/prefix/drive_c/c.pem"
# test_mail CODE PORT: leaves the answer in $OUT
test_mail() {
    cat > "$L/prefix/drive_c/mail.xml" <<E
<?xml version="1.0"?><crlagent version="1"><notify><smtp-server>127.0.0.1:$2</smtp-server><smtp-from>crlagent@lab.test</smtp-from>
<smtp-to><receiver>pki@lab.test</receiver></smtp-to><smtp-credential>lab-mail</smtp-credential></notify></crlagent>
E
    expect_rc "$1" agent notify --test --config 'C:\mail.xml' --ca-file 'C:\c.pem'
}
test_mail 2 2529
expect_match "no credential yet" "$OUT" "FAILED.*lab-mail"
printf 'wrong-%s\n' "$SINK_PASSWORD" | agent secret set lab-mail --user crl > /dev/null
test_mail 2 2529
expect_match "wrong password" "$OUT" "FAILED.*login of 'crl' was refused .535.*crlagent secret set lab-mail --user crl"
printf '%s\n' "$SINK_PASSWORD" | agent secret set lab-mail --user crl > /dev/null
for port in 2529 2530; do
    test_mail 0 $port
    expect_match "login at $port" "$OUT" '^mail +sent'
done
expect "by both ways" "$(tr '\n' ' ' < "$T/sink/auth.txt")" "PLAIN LOGIN "
expect_rc 0 agent secret remove lab-mail

step "a silent mail server and a webhook that answers 500: the service works and stops in time"
# ways MAIL-PORT HOOK-PATH: from the next start on
ways() {
    agent_config "" "" "<notify><minimum>critical</minimum><smtp-server>127.0.0.1:$1</smtp-server><smtp-security>none</smtp-security>
      <smtp-from>crlagent@lab.test</smtp-from><smtp-to><receiver>pki@lab.test</receiver></smtp-to>
      <webhook-url>http://127.0.0.1:8090/$2</webhook-url></notify>" '<interval>2s</interval>'
}
expect_rc 0 agent stop
ways 2527 fail/secret-token
expect_rc 0 agent start
lab exec mount -t tmpfs -o ro,size=64k none "$DATA/reports"
expect_rc 0 agent hook pre-upgrade --change CHG0004712 --window 10m --prepare-only
expect_rc 0 agent abort --change CHG0004712
expect_match "no bundle" "$(agent_log | grep ' 7001 ')" 'evidence bundle, tried again every 5 min'
lab exec umount "$DATA/reports"
lab web missing > /dev/null
not_sent() { agent_log | grep -E " 7002 .*$1"; }
eventually 15 "the webhook's failure" not_sent 'webhook.*found 500'
began=$SECONDS
expect_rc 0 agent status
[ $((SECONDS - began)) -le 3 ] || fail "status took $((SECONDS - began)) s beside a silent mail server"
expect "the mail is still on its way" "$(not_sent mail | wc -l)" 0
began=$SECONDS
expect_rc 0 agent stop
[ $((SECONDS - began)) -le 6 ] || fail "the stop took $((SECONDS - began)) s"
lab web fresh > /dev/null

step "what waited is sent after the next start; a mail server that refuses is told"
before=$(wc -l < "$T/sink/hooks.jsonl")
ways 2526 ok/x
expect_rc 0 agent start
eventually 5 "the bundle that could not be written" test -s "$DATA/reports/CHG0004712-2.json"
expect_rc 0 agent evidence verify 'C:\ProgramData\crlagent\reports\CHG0004712-2.json'
queued() { [ "$(wc -l < "$T/sink/hooks.jsonl")" -gt "$before" ]; }
eventually 10 "the waiting notice" queued
eventually 10 "the refusal" not_sent 'mail.*550'
expect_rc 0 agent stop
leaked() { grep -raqF -e "$SINK_PASSWORD" -e "$(printf '\0crl\0%s' "$SINK_PASSWORD" | base64 -w0)" -e secret-token "$@"; }
leaked "$DATA/logs" "$DATA/state" && fail "a secret is in logs or queue"
passed
