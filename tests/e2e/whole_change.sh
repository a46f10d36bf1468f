#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The driver, the agent and the CA together: hsmupgrade pauses the CA through the agent's hook, takes two HA members through
# their upgrade while the CA's HSM really goes away, and resumes the CA. First the runway is too short: nothing is touched.
. "$(dirname "${BASH_SOURCE[0]}")/change_lib.sh"

step() { printf '%6ss  %s\n' "$SECONDS" "$*"; }
agent() { "$LAB" wine "$DIR" "$PROGRAM" "$@" > "$W/agent.out" 2>&1 || { cat "$W/agent.out" >&2; fail "crlagent $*"; }; }
certsvc() { "$LAB" ca "$DIR" status | jq -r .state; }
crl_number() { openssl crl -inform DER -in "$DIR/www/pki/Lab Issuing CA.crl" -noout -crlnumber; }
quiet() { :; }

step "a CA whose CRLs last four hours, its agent, two appliances"
LAB_QUIET=1 "$LAB" up "$DIR" --no-ad --set CRLPeriod=Hours --set CRLPeriodUnits=4 --set CRLDeltaPeriodUnits=0
mkdir -p "$PROGRAM_DIR"
cp "$CRLAGENT_BUILD/bin/crlagent.exe" "$PROGRAM_DIR/"
agent install
agent config init
agent_settings
sed -i 's#\(<!-- *\)\?<cover-crl>[^<]*</cover-crl>\( *-->\)\?#<cover-crl>no</cover-crl>#' "$DATA/config/crlagent.xml"
grep -q '<cover-crl>no</cover-crl>' "$DATA/config/crlagent.xml" || fail "cover CRLs are not switched off"
agent config test
agent start
change_appliances
for a in $MEMBERS; do "$LUNA" ped "$W/$a" auto none; done
number=$(crl_number)

step "a window of six hours: the agent refuses (runway), the driver ends with 13, nothing was touched"
PLAN_CHANGE=CHG1 change_plan '6 hours'
hu 2 check
said 'exit code 10'
hu 13 run
said 'an agent refused in its dry run: nothing was touched'
for a in $MEMBERS; do
    versions "$a" 7.2.0-220 7.0.3
    typed "$a" 0 'hsm login'
    typed "$a" 0 'package update'
    [ -z "$(ls "$W/$a/files")" ] || fail "a file was sent to $a"
    [ "$(lab_get "$a" boots)" = 1 ] || fail "$a was rebooted"
done
[ "$(certsvc)" = 4 ] || fail "the CA does not run"
[ "$(crl_number)" = "$number" ] || fail "a CRL was published"

step "a window of two hours: paused, both members upgraded, resumed"
PLAN_CHANGE=CHG2 change_plan '2 hours'
hu 0 check
said "pre-upgrade --dry-run: would pause"
: > "$W/out"
person_at_ped quiet &
person=$!
# Beside it: was the CA stopped, and its HSM away, while the primary was upgraded?
(
    end=$((SECONDS + 180))
    until grep -q '\[hsmb\] reboot: begun' "$W/out" || [ $SECONDS -ge $end ]; do sleep 0.1; done
    certsvc > "$W/seen.ca"
    until "$LAB" hsm "$DIR" status | tee -a "$W/seen.hsm" | grep -q away || [ $SECONDS -ge $end ]; do sleep 0.1; done
) &
watcher=$!
hu 0 run
wait $person || fail "the person at the PED waited in vain"
wait $watcher
[ "$(cat "$W/seen.ca")" = 1 ] || fail "the CA was not stopped in the upgrade: $(cat "$W/seen.ca")"
grep -q away "$W/seen.hsm" || fail "the CA's HSM never went away: $(sort -u "$W/seen.hsm")"
for a in $MEMBERS; do
    versions "$a" 7.7.0-317 7.7.0
    typed "$a" 2 'hsm login'
    typed "$a" 1 'package update'
done
[ "$(certsvc)" = 4 ] || fail "the CA was not resumed"
[ "$(crl_number)" != "$number" ] || fail "no new CRL proves that the CA can sign again"
"$LAB" hsm "$DIR" status | grep -q present || fail "the CA's HSM is not back"
"$HSMUPGRADE" status --state "$W/state" --json "$W/plan.xml" | jq -e \
    '[.steps[] | select(.owner == "agent:ca01") | .state] == ["done", "done"]' > /dev/null || fail "the journal does not show both hooks"
no_secrets
agent history
grep -q CHG2 "$W/agent.out" || fail "the agent's history does not know the change"
echo "passed: whole change in $SECONDS s"
