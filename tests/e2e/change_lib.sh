# SPDX-License-Identifier: Apache-2.0
# The whole change in one lab: a CA with the real agent, two HA members that a real hsmupgrade takes through their upgrade.
# A script sources this file (it brings driver_lib.sh along); the CA's lab is $DIR, everything else lies in $W.
CHANGE_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export CRLAGENT_BUILD=${CRLAGENT_BUILD:-$CHANGE_TOP/build/mingw} # the agent's; the driver is a program of this system
DRIVER_NS=1 # the lab is the namespace: every program below is put into it
. "$CHANGE_TOP/tests/e2e/driver_lib.sh"
LAB=$CHANGE_TOP/tests/lab/lab
DIR=$W/lab
PROGRAM='C:\Program Files\crlagent\crlagent.exe'
PROGRAM_DIR="$DIR/prefix/drive_c/Program Files/crlagent"
DATA="$DIR/prefix/drive_c/ProgramData/crlagent"
NATIVE=${CRLAGENT_NATIVE:-$CHANGE_TOP/build/native}
[ -x "$NATIVE/bin/hsmupgrade" ] || NATIVE=$CHANGE_TOP/build/native-asan
MEMBERS="hsma hsmb" # the secondary first, the primary last

change_down() {
    LAB_QUIET=1 "$LAB" down "$DIR" || true # ends the appliances too: they live in the lab's process space
    rm -rf "$W"
}
trap change_down EXIT

# program FILE WORDS...: a program that runs these words, and its arguments, with bash
program() {
    printf '#!/bin/bash\n%s "$@"\n' "$2" > "$1"
    chmod 755 "$1"
}

# What differs from a CA host: certutil is the lab's key test (there is no key provider under Wine), waits are short.
agent_settings() {
    python3 - "$DATA/config/crlagent.xml" <<'P'
import sys, re
path = sys.argv[1]
text = open(path, encoding='utf-8').read()
for name, value in (('key-probe', 'certutil'), ('minimum-stop-time', '0s'), ('propagation', '1m')):
    text, n = re.subn(r'(?:<!--\s*)?<%s>[^<]*</%s>(?:\s*-->)?' % (name, name), '<%s>%s</%s>' % (name, value, name), text, count=1)
    if n != 1:
        sys.exit("no element '%s' in the configuration that 'config init' wrote" % name)
open(path, 'w', encoding='utf-8').write(text)
P
}

# change_appliances: both members, in the lab of the CA. The CA's provider knows one of them, the primary: where that one's
# keys are gone, the CA's are (HA failover of the client is not simulated).
change_appliances() {
    local a
    program "$W/luna" "exec '$LAB' exec '$DIR' '$CHANGE_TOP/tests/lab/luna/luna'"
    program "$W/hsmupgrade" "exec '$LAB' exec '$DIR' '$NATIVE/bin/hsmupgrade'"
    program "$W/agent-ca01" "exec wine '$PROGRAM'" # the driver is in the lab's namespace already
    program "$W/active" "for a in $MEMBERS; do
    ! '$CHANGE_TOP/tests/lab/luna/luna' get '$W'/\$a partitions | grep -q '\"active\": false' || exit 1
done; true"
    LUNA=$W/luna HSMUPGRADE=$W/hsmupgrade
    for a in $MEMBERS; do
        local signer=()
        [ "$a" != hsmb ] || signer=(signer.command
            "$CHANGE_TOP/tests/lab/luna/labhsm-signer $CRLAGENT_BUILD/bin/lab/labhsm $DIR/hsm/control")
        appliance "$a" 7.2 "${signer[@]}"
    done
    "$LUNA" package "$W/lunasa_update-7.7.0-317.spkg" --size 2M
}

# change_plan WINDOW: from now on for that long (as date(1) says it); both members, the agent, activation with the black key
change_plan() {
    PLAN_START=$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)
    PLAN_END=$(date -u -d "+$1" +%Y-%m-%dT%H:%M:%SZ)
    PLAN_ATTESTED=$(date -u +%Y-%m-%d)
    PLAN_AGENTS=ca01 PLAN_ACTIVATION=black-key PLAN_CHECK="<check timeout=\"5s\"><arg>$W/active</arg></check>"
    PLAN_TIMEOUTS=$(timeouts agent=120s activation=90s)
    # shellcheck disable=SC2086
    plan $MEMBERS
}

# The person at the PEDs: presents a key when one is asked for, the black one when the driver says so. $1 is called with what
# was done. Every wait is bounded; who waits in vain ends.
person_at_ped() {
    local tell=$1 a n end
    for a in $MEMBERS; do
        for n in 1 2; do
            "$LUNA" ped "$W/$a" present blue --wait 180 > /dev/null || return 1
            $tell "$a" "$([ $n = 1 ] && echo "the SO presents the BLUE key and enters the PIN" || echo "the SO presents the BLUE key again")"
        done
        end=$((SECONDS + 180))
        until grep -q "\[$a\].*BLACK key" "$W/out"; do
            [ $SECONDS -lt $end ] || return 1
            sleep 0.1
        done
        "$LUNA" ped "$W/$a" present black > /dev/null || return 1
        $tell "$a" "the Crypto Officer presents the BLACK key: partitions active"
    done
}
