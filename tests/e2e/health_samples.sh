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
make_crl "$work/web/plain.crl" 42 -$day $((6 * day))
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
"$crlagent" simulate "${args[@]::8}" --outage 36h > "$work/simulate.txt" || true # without --propagation
"$crlagent" explain 4030 > "$out/explain.txt"

for f in report simulate; do
    head -1 "$out/$f.txt" | grep -q '^Runway: ' && pass || fail "runway is not first: $(head -1 "$out/$f.txt")"
done
! grep -qiE '<script|http-equiv="refresh"|src=|url\(' "$out/report.html" && pass || fail "HTML asks for something from elsewhere"
grep -q 'please sign in' "$out/report.html" && fail "foreign HTML came through" || pass
grep -q '^crlagent_runway_seconds{' "$out/report.prom" && [ "$(tail -c1 "$out/report.prom" | od -An -c | tr -d ' ')" = '\n' ] && pass || fail "metrics"

# Every field, of what the lab gave and of the model reports with maintenance, HSM, history and comparison in them.
mkdir "$work/model"
CRLAGENT_TEST_PAGES=$work/model "$CRLAGENT_BUILD/bin/test_report_page" > "$work/model.txt" 2>&1 && pass || fail "test_report_page"
cp "$out"/report.{json,xml,prom} "$work/model/"
/usr/bin/python3 "$top/tests/tools/check_reports.py" "$top" "$work"/model/*.{json,xml,prom} && pass || fail "reports and their schemas"

# The monitoring files: promtool on metrics, rules and the tests of the rules; the dashboard's expressions as rules.
for f in "$work"/model/{full,report}.prom; do
    promtool check metrics < "$f" > "$work/prom.txt" 2>&1 && pass || fail "promtool, $f: $(cat "$work/prom.txt")"
done
rules=$top/installer/monitoring/crlagent.rules.yml
sed "s#RULES#$rules#" "$here/alert_rules_test.yml" > "$work/rules_test.yml"
promtool test rules "$work/rules_test.yml" > "$work/prom.txt" 2>&1 && pass || fail "rules: $(cat "$work/prom.txt")"
for a in $(sed -n 's/.*alert: //p' "$rules"); do
    grep -A9 "alertname: $a\$" "$here/alert_rules_test.yml" | grep -q exp_labels && pass || fail "no test in which alert $a fires"
done
python3 - "$top" > "$work/panels.yml" <<'PY'
import json, sys
d = json.load(open(sys.argv[1] + "/installer/monitoring/grafana-crl-health.json"))
rules = [{"record": f"panel:{p['id']}:{t['refId']}", "expr": t["expr"].replace("$ca", ".*")} for p in d["panels"] for t in p["targets"]]
assert len(rules) >= 10
print(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
PY
promtool check rules "$rules" "$work/panels.yml" > "$work/prom.txt" 2>&1 && pass || fail "rules, dashboard: $(cat "$work/prom.txt")"

# The Nagios command as it stands in the file, with the arguments of its service; only URL and certificate are the lab's.
cfg=$top/installer/monitoring/nagios-crlagent.cfg
line=$(sed -n 's/^ *command_line *//p' "$cfg")
IFS='!' read -r name arg1 arg2 arg3 arg4 < <(sed -n 's/^ *check_command *//p' "$cfg")
[ "$name" = "$(sed -n 's/^ *command_name *//p' "$cfg")" ] && [ "${arg1#http}" != "$arg1" ] && [ "${arg2%.pem}" != "$arg2" ] && pass || fail "nagios file"
line=${line//'$USER1$'/"$CRLAGENT_BUILD/bin"}
line=${line//'$ARG3$'/"$arg3"}
line=${line//'$ARG4$'/"$arg4"}
line=${line//'$ARG2$'/"$work/ca.pem"}
# plug-in guidelines: one line, status word, then 'label'=value[unit];warn;crit;min;max pairs
shape="^CRL (OK|WARNING|CRITICAL|UNKNOWN) - [^|]+ \\|( '[a-z_]+'=(U|-?[0-9.]+s?)(;[0-9]*){0,4})+\$"
for case in 0:plain.crl 2:none.crl 2:html; do
    rc=0
    bash -c "${line//'$ARG1$'/http://cdp.lab.test:8080/${case#*:}}" > "$work/line" 2> "$work/err" || rc=$?
    [ $rc = "${case%:*}" ] && grep -qE "$shape" "$work/line" && [ "$(wc -l < "$work/line")" = 1 ] && pass ||
        fail "nagios, ${case#*:}: rc $rc, $(cat "$work/line" "$work/err")"
done

# On a terminal of 100 columns: in colour, no line wider; into a file: no colour.
script -qec "stty cols 100; $(printf '%q ' "$crlagent" check "${args[@]}") 2> /dev/null" /dev/null > "$work/tty.txt" || true
grep -q $'\033\[1;31mRunway: none' "$work/tty.txt" && pass || fail "no colour on a terminal: $(head -1 "$work/tty.txt")"
python3 - "$work/tty.txt" "$out/report.txt" "$out/simulate.txt" "$work/simulate.txt" <<'PY' && pass || fail "text wider than 100 columns"
import re, sys
for f in sys.argv[1:]:
    text = open(f, encoding="utf-8", newline="").read().replace("\r\n", "\n")
    plain = re.sub("\033\\[[0-9;]*m", "", text)
    wide = [line for line in plain.split("\n") if len(line) > 100]
    if wide or "tty" not in f and plain != text:
        sys.exit(f"{f}: {wide[:1]}")
PY
"$crlagent" explain --markdown | cmp -s - "$top/docs/findings.md" && pass || fail "docs/findings.md is out of date: crlagent explain --markdown > docs/findings.md"
if [ -n "$keep" ]; then
    mkdir -p "$keep"
    for f in "$out"/*; do sed "s#$work#/srv/lab#g" "$f" > "$keep/$(basename "$f")"; done
fi
finish
