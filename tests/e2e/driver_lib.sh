# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of hsmupgrade: a lab appliance in a network namespace, a plan for it, and the person at the PED.
# A test sources this file; everything it starts ends with it.
set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${CRLAGENT_BUILD:=$TOP/build/native}"
HSMUPGRADE=${HSMUPGRADE:-$CRLAGENT_BUILD/bin/hsmupgrade}
LUNA=$TOP/tests/lab/luna/luna
export PYTHONDONTWRITEBYTECODE=1 ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}

# Servers listen on loopback of a namespace of their own.
if [ -z "${DRIVER_NS:-}" ]; then
    DRIVER_NS=1 exec unshare -n bash -c 'ip link set lo up; exec bash "$@"' - "$0" "$@"
fi

# Time-outs of a plan: generous, because a busy machine is slow. A case that is about a time-out has PLAN_TIMEOUTS.
PATIENT='connect="60s" command="60s" ped="100s" update="60s" firmware="60s" boot="60s" settle="20s" poll="1s" agent="60s" activation="30s"'
# timeouts NAME=SECONDS...: the patient ones, some of them shorter
timeouts() {
    local one text=$PATIENT
    for one in "$@"; do text=$(sed "s/${one%=*}=\"[^\"]*\"/${one%=*}=\"${one#*=}\"/" <<< "$text"); done
    echo "$text"
}

W=$(mktemp -d "${TMPDIR:-/tmp}/hsmupgrade.XXXXXX")
APPLIANCES=()
cleanup() {
    local a
    for a in "${APPLIANCES[@]}"; do
        "$LUNA" down "$W/$a" > /dev/null 2>&1 || true
    done
    [ -n "${KEEP:-}" ] && echo "kept: $W" || rm -rf "$W"
}
trap cleanup EXIT

fail() {
    echo "FAILED: $*" >&2
    tail -40 "$W/out" >&2 2> /dev/null || true
    exit 1
}

# appliance NAME [PROFILE] [--set ...]: starts one; its facts are in PORT_NAME, FP_NAME
appliance() {
    local name=$1 profile=${2:-7.2}
    shift $(($# > 1 ? 2 : 1))
    local said
    said=$("$LUNA" up "$W/$name" --profile "$profile" --name "$name" --scale 0.002 \
        --set times.shutdown 0.2 times.boot 0.4 times.hsm_start 0.2 times.hsm_reset 0.2 times.firmware 0.5 \
        times.step 0.02 times.silence 0.2 times.pedk 60 times.pedo 90 needs_reboot_patch no ped.auto blue "$@")
    APPLIANCES+=("$name")
    printf -v "PORT_$name" '%s' "$(awk '$1 == "port" {print $2}' <<< "$said")"
    printf -v "FP_$name" '%s' "$(awk '$1 == "fingerprint" {print $2}' <<< "$said")"
}

lab() { "$LUNA" set "$W/$1" "${@:2}"; }
# From the file itself: starting the lab program costs more than the look.
lab_get() { jq -r "if (.$2 | type) == \"string\" then .$2 else (.$2 | tojson) end" "$W/$1/state.json"; }

# package FILE [ARGS]: writes it and its code (FILE.auth)
package() {
    local file=$1
    shift
    "$LUNA" package "$W/$file.spkg" "$@"
}

# An agent that writes down how it was called. agent-NAME.dry, .pre and .post hold its exit codes; agent-NAME.says is a script
# that prints what it has to tell.
fake_agent() {
    cat > "$W/agent-$1" << EOF
#!/bin/bash
echo "\$*" >> "$W/agent-$1.log"
case "\$*" in *dry-run*) code=\$(cat "$W/agent-$1.dry" 2>/dev/null || echo 0) ;;
*pre-upgrade*) code=\$(cat "$W/agent-$1.pre" 2>/dev/null || echo 0) ;;
*) code=\$(cat "$W/agent-$1.post" 2>/dev/null || echo 0) ;; esac
[ ! -e "$W/agent-$1.says" ] || . "$W/agent-$1.says"
echo "{\"agent\":\"$1\",\"exit\":\$code}"
exit \$code
EOF
    chmod 755 "$W/agent-$1"
}

# utc WHEN: a time for the window, as date(1) understands it
utc() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }

# plan APPLIANCE...: writes $W/plan.xml; PLAN_* variables change parts of it
plan() {
    local a port fp n=$# i=0 role
    {
        echo '<?xml version="1.0" encoding="UTF-8"?>'
        echo '<hsmplan xmlns="urn:crlagent:hsmplan:1">'
        echo "<change id=\"${PLAN_CHANGE:-CHG1}\"/>"
        echo "<window start=\"${PLAN_START:-$(utc -1day)}\" end=\"${PLAN_END:-$(utc +9days)}\" reserve=\"${PLAN_RESERVE:-1h}\"/>"
        echo "<target ${PLAN_TARGET:-software=\"7.7.0-317\" firmware=\"7.7.0\" ped=\"2.9.0\"}/>"
        [ -z "${PLAN_VIA:-}" ] || echo "$PLAN_VIA"
        echo "<package file=\"$W/${PLAN_PACKAGE:-lunasa_update-7.7.0-317}.spkg\" sha256=\"${PLAN_SHA:-$(sha256sum "$W/${PLAN_PACKAGE:-lunasa_update-7.7.0-317}.spkg" | cut -d' ' -f1)}\" authcode=\"prompt\" ${PLAN_PACKAGE_EXTRA:-}/>"
        [ -z "${PLAN_PATCH:-}" ] || echo "<reboot-patch file=\"$W/$PLAN_PATCH.spkg\" sha256=\"$(sha256sum "$W/$PLAN_PATCH.spkg" | cut -d' ' -f1)\" authcode=\"prompt\"/>"
        echo '<appliances>'
        for a in "$@"; do
            i=$((i + 1))
            port=PORT_$a fp=FP_$a role=single
            [ "$n" = 1 ] || role=$([ $i = "$n" ] && echo primary || echo secondary)
            echo "<appliance name=\"$a\" role=\"$role\" ${PLAN_CONSOLE:+console=\"$PLAN_CONSOLE\"}>"
            [ -n "${PLAN_NO_SSH:-}" ] || echo "<ssh host=\"127.0.0.1\" port=\"${!port}\" fingerprint=\"${!fp}\" algorithms=\"${PLAN_ALGORITHMS:-legacy}\" ${PLAN_SSH_EXTRA:-}/>"
            [ "${PLAN_CONSOLE:-}" != serial ] || echo "<serial device=\"$W/$a/serial\"/>"
            echo '</appliance>'
        done
        echo '</appliances>'
        if [ -n "${PLAN_AGENTS:-}" ]; then
            echo '<agents>'
            for a in $PLAN_AGENTS; do echo "<agent name=\"$a\"><arg>$W/agent-$a</arg></agent>"; done
            echo '</agents>'
        fi
        echo "<activation by=\"${PLAN_ACTIVATION:-none}\">${PLAN_CHECK:-}</activation>"
        [ -z "${PLAN_HA_CHECK:-}" ] || echo "<ha-check><arg>$PLAN_HA_CHECK</arg></ha-check>"
        echo "<timeouts ${PLAN_TIMEOUTS:-$PATIENT}/>"
        echo '<attestations>'
        for a in backup-restored dr-plan ha ups local-ped teams-told access-path \
            ${PLAN_ATTESTS-stc-admin-off audit-log reboot-patch}; do
            echo "<attest what=\"$a\" by=\"A. Tester\" date=\"${PLAN_ATTESTED:-2020-01-01}\"/>"
        done
        echo '</attestations></hsmplan>'
    } > "$W/plan.xml"
}

# secrets: the lines for --secrets-stdin; CODE overrides the authorization code
secrets() {
    local a
    for a in "${APPLIANCES[@]}"; do echo "password:$a=$(cat "$W/$a/password")"; done
    [ -z "${PLAN_VIA:-}" ] || for a in "$W"/*.auth; do
        a=$(basename "$a" .auth)
        echo "authcode:$a.spkg=$(cat "$W/$a.auth")"
    done
    echo "authcode=${CODE:-$(cat "$W/${PLAN_PACKAGE:-lunasa_update-7.7.0-317}.auth")}"
    [ -z "${PLAN_PATCH:-}" ] || echo "authcode:patch=$(cat "$W/$PLAN_PATCH.auth")"
    echo
}

# hu EXPECTED-EXIT VERB ARGS...: runs hsmupgrade; its output is in $W/out and appended to $W/all
hu() {
    local want=$1 verb=$2 code=0 state=(--state "$W/state")
    shift 2
    [ "$verb" != watch ] || state=() # it keeps none
    secrets | timeout 240 "$HSMUPGRADE" "$verb" "${state[@]}" --secrets-stdin "$@" \
        "$W/plan.xml" > "$W/out" 2>&1 || code=$?
    cat "$W/out" >> "$W/all"
    [ "$code" = "$want" ] || fail "$verb: expected exit $want, got $code"
}

said() { grep -qE -- "$1" "$W/out" || fail "expected in the output: $1"; }
not_said() { ! grep -qE -- "$1" "$W/out" || fail "not expected in the output: $1"; }
versions() { # NAME SOFTWARE FIRMWARE
    [ "$(lab_get "$1" sw)" = "$2" ] || fail "$1: software $(lab_get "$1" sw), expected $2"
    [ "$(lab_get "$1" hsm.fw)" = "$3" ] || fail "$1: firmware $(lab_get "$1" hsm.fw), expected $3"
}
# How often a command reached the appliance.
typed() { # NAME COUNT COMMAND
    local n
    n=$(grep -cE "Command: $3" "$W/$1/lunalogs" || true)
    [ "$n" = "$2" ] || fail "$1: '$3' was typed $n times, expected $2"
}
# How often the driver typed a command, whatever became of it.
tried() { # COUNT COMMAND
    local n
    n=$(grep -c "typing: $2" "$W/state/CHG1.transcript" || true)
    [ "$n" = "$1" ] || fail "'$2' was typed $n times, expected $1"
}
# How often an agent was asked to put its CA out of use.
paused_times() { # AGENT COUNT
    local n
    n=$(grep pre-upgrade "$W/agent-$1.log" | grep -vc dry-run || true)
    [ "$n" = "$2" ] || fail "$1 was asked to pause $n times, expected $2"
}
# until that agent itself has begun with its hook, not only its caller
wait_asked() { # AGENT HOOK
    local end=$((SECONDS + 60))
    until grep -v dry-run "$W/agent-$1.log" 2> /dev/null | grep -q "$2"; do
        [ $SECONDS -lt $end ] || fail "$1 was not called"
        sleep 0.1
    done
}
# No secret may stand in anything that was written, nor in what status says of it. driver.sh looks after every case.
no_secrets() {
    local a s
    [ ! -d "$W/state" ] || for s in "" --json; do
        "$HSMUPGRADE" status --state "$W/state" $s "$W/plan.xml" >> "$W/all" 2>&1 || true
    done
    for s in $(cat "$W"/*.auth 2> /dev/null) $(for a in "${APPLIANCES[@]}"; do cat "$W/$a/password"; done) ${CODE:-}; do
        ! grep -rqF -- "$s" "$W/state" "$W/all" 2> /dev/null ||
            fail "a secret was written: $(grep -rlF -- "$s" "$W/state" "$W/all")"
    done
}
# background VERB ARGS...: starts a run that is going to be killed; DRIVER_PID
background() {
    local verb=$1
    shift
    "$HSMUPGRADE" "$verb" --state "$W/state" --secrets-stdin "$@" "$W/plan.xml" \
        < <(secrets) > "$W/out" 2>&1 &
    DRIVER_PID=$!
}
# wait_said TEXT: until it stands in the output of the background run
wait_said() {
    local end=$((SECONDS + 60))
    until grep -qE -- "$1" "$W/out"; do
        [ $SECONDS -lt $end ] || fail "not said within 60 s: $1"
        sleep 0.05
    done
}
# wait_typed TEXT: until the transcript has it, and a moment longer
wait_typed() {
    local end=$((SECONDS + 60))
    until grep -q "$1" "$W/state/CHG1.transcript"; do
        [ $SECONDS -lt $end ] || fail "not in the transcript: $1"
        sleep 0.05
    done
    sleep 0.2
}
# ended EXIT: the background run ends by itself, with that code
ended() {
    local code=0
    wait "$DRIVER_PID" || code=$?
    cat "$W/out" >> "$W/all"
    [ "$code" = "$1" ] || fail "the interrupted run: expected exit $1, got $code"
}
# finished STEP: does the journal have this step of hsm1 as done?
finished() {
    "$HSMUPGRADE" status --state "$W/state" --json "$W/plan.xml" 2> /dev/null |
        jq -e --arg step "$1" '.steps[]? | select(.owner == "hsm1" and .step == $step and .state == "done")' > /dev/null
}
# until_down NAME: until its port is closed
until_down() {
    local end=$((SECONDS + 60)) port=PORT_$1
    while (exec 3<> "/dev/tcp/127.0.0.1/${!port}") 2> /dev/null; do
        [ $SECONDS -lt $end ] || fail "$1 does not go down"
        sleep 0.1
    done
}
# until_up NAME: until the appliance's shell and its HSM answer again
until_up() {
    local end=$((SECONDS + 60))
    until "$LUNA" talk "$W/$1" 'hsm show' 2> /dev/null | grep -q 'login attempts left'; do
        [ $SECONDS -lt $end ] || fail "$1 does not come up"
        sleep 0.2
    done
}
kill_driver() {
    kill -KILL "$DRIVER_PID" 2> /dev/null || true
    wait "$DRIVER_PID" 2> /dev/null || true
    cat "$W/out" >> "$W/all"
}
