# SPDX-License-Identifier: Apache-2.0
# The second part of ./dev demo, sourced by demo.sh: the whole change, driven by hsmupgrade.

# by_console VERB ARGUMENTS...: hsmupgrade with the secrets it asks for; by hand, a scripted person types and pastes
by_console() {
    local verb=$1
    shift
    if [ $CONSOLE = manual ]; then
        python3 tests/e2e/driver_operator.py "$W/hsma,$W/hsmb" "$W/lunasa_update-7.7.0-317.spkg" \
            "$W/lunasa_update-7.7.0-317.auth" "$HSMUPGRADE" "$verb" --state "$W/state" "$@" "$W/plan.xml"
    else
        secrets | "$HSMUPGRADE" "$verb" --state "$W/state" --secrets-stdin "$@" "$W/plan.xml"
    fi
}

# driver CODE VERB: types the command, shows what it says, insists on its exit code
driver() {
    local want=$1 verb=$2
    printf '\n   \033[36m$ hsmupgrade %s plan.xml\033[0m\n' "$verb"
    : > "$W/out"
    {
        local rc=0
        case $verb in
            check | run) by_console "$verb" || rc=$? ;;
            'plan check') "$HSMUPGRADE" plan check "$W/plan.xml" || rc=$? ;;
            *) "$HSMUPGRADE" "$verb" --state "$W/state" "$W/plan.xml" || rc=$? ;;
        esac
        echo $rc > "$W/rc"
    } 2>&1 | tee "$W/out" | indent
    if [ "$(< "$W/rc")" != "$want" ]; then
        echo "demo: 'hsmupgrade $verb' ended with exit code $(< "$W/rc"), expected $want" >&2
        KEEP=1
        exit 1
    fi
    say "(exit code $want)"
}
at_ped() { printf '   \033[33m         (PED of %s: %s)\033[0m\n' "$1" "$2"; }
members() {
    local a
    for a in $MEMBERS; do say "$a: software $(lab_get "$a" sw), firmware $(lab_get "$a" hsm.fw)"; done
}

bold "9. The whole change: two appliances, the secondary first, then the primary with this CA's keys"
say "Two lab appliances: lunash behind a real OpenSSH server, a PED each, times scaled down. The lab CA's provider knows" \
    "the primary only, so its reboot and its lost activation really take the CA's keys away."
change_appliances
for a in $MEMBERS; do "$LUNA" ped "$W/$a" auto none; done
members
PLAN_CHANGE=CHG0012346 PLAN_RESERVE=10m PLAN_CONSOLE=$CONSOLE PLAN_NO_SSH=
[ $CONSOLE != manual ] || PLAN_NO_SSH=1
change_plan '90 minutes'
say "The plan: what, when, in which order, who signed for what. No secret is in it."
grep -E '<(change|window|target|appliance |agent |activation)' "$W/plan.xml" | sed -E 's#<check.*##; s/^/      /'
driver 0 'plan check'

if [ $CONSOLE = manual ]; then
    bold "10. By hand: a person types what is shown and pastes the answer; the gates are the same"
else
    bold "10. Read-only gates: the appliances, the plan, and the agent's own dry run"
    driver 0 check
    say "(remarks only; what no appliance tells, a person has looked at: name and date are in the plan)"
fi

bold "11. Pause the CA, upgrade both members, resume the CA; one-way steps are proven from a fresh login"
person_at_ped at_ped &
PERSON=$!
driver 0 run
wait $PERSON || { echo "demo: the person at the PED waited in vain" >&2; exit 1; }
members
ca_state

bold "12. Both sides' records: the driver's steps, the agent's maintenances"
driver 0 status
agent 0 history
