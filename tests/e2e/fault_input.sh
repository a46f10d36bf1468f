#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Wrong input: command lines, configurations, pipe clients that do not behave. Each ends with a clear error, and the service
# goes on.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA with the agent"
lab_up --no-ad
agent_install
cp "$CRLAGENT_BUILD/bin/pipe_abuse.exe" "$CRLAGENT_BUILD/bin/pipe_false.exe" "$PROGRAM_DIR/"
abuse() { win 'C:\Program Files\crlagent\pipe_abuse.exe' "$@"; }
alive() { expect_rc 0 agent status --json; }

step "command lines: unknown verb, unknown option, missing and wrong values"
expect_rc 20 agent
expect_rc 20 agent frobnicate
expect_match "names the verb" "$OUT" "frobnicate"
expect_rc 20 agent hook pre-upgrade --chnage X --window 4h
expect_match "names the nearest" "$OUT" "--change"
expect_rc 20 agent hook pre-upgrade --window 4h
expect_match "what is missing" "$OUT" "--change is required"
expect_rc 20 agent hook pre-upgrade --change X --window 4
expect_rc 20 agent hook pre-upgrade --change X --window 99w
expect_rc 20 agent hook pre-upgrade --change "$(printf 'x%.0s' {1..65})" --window 4h
expect_rc 20 agent hook post-upgrade --change X --token 3
expect_rc 20 agent hook post-upgrade --change NEVER-SEEN --json
expect_rc 0 agent hook pre-upgrade --help
expect_match "help" "$OUT" "--window DURATION"
alive

step "configuration: broken, unknown element, hostile, huge; the installed one is not touched"
bad() { # NAME EXPECTED-WORDS < XML
    cat > "$L/prefix/drive_c/lab/$1.xml"
    expect_rc 23 agent config test --config "C:\\lab\\$1.xml"
    expect_match "$1" "$OUT" "$2"
}
bad broken 'broken.xml:2' <<< $'<crlagent>\n<ca></crlagent>'
bad unknown 'unknown.xml:1.*colour.*Allowed here' <<< '<crlagent><colour>red</colour></crlagent>'
bad value 'stop-timeout.*90s' <<< '<crlagent><ca><stop-timeout>soon</stop-timeout></ca></crlagent>'
bad bomb 'DOCTYPE' <<< '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><crlagent>&b;</crlagent>'
bad outside 'DOCTYPE' <<< '<!DOCTYPE a SYSTEM "http://127.0.1.1/x.dtd"><crlagent/>'
{ echo '<crlagent><!--'; head -c 2000000 /dev/zero | tr '\0' 'x'; echo '--></crlagent>'; } | bad huge '1048576'
head -c 4096 /dev/urandom | bad noise 'noise.xml'
expect_rc 23 agent config init
expect_match "config init keeps a file" "$OUT" "force"
expect_rc 0 agent config test

step "pipe: garbage, half a message, 100 MB, forged requests"
expect_rc 0 abuse garbage
expect_rc 0 abuse half
expect_rc 0 abuse huge
expect_rc 0 abuse frame '{"version":1,"type":"request","verb":"status","sudo":true}'
expect_match "unknown field" "$OUT" "sudo"
expect_rc 0 abuse frame '{"version":9,"type":"request","verb":"status"}'
expect_match "version" "$OUT" "version 9"
expect_rc 0 abuse frame '{"version":1,"type":"request","verb":"format-disk"}'
expect_match "verb" "$OUT" "format-disk"
expect_rc 0 abuse frame '{"version":1,"type":"request","verb":"pre-upgrade","change":"X","window":99999999}'
expect_match "window" "$OUT" "window"
alive

step "pipe: 64 clients that say nothing, and after them everybody is served again"
expect_rc 0 abuse many 64
expect "clients that fit" "$OUT" 64
eventually 15 "status after the crowd" agent status --json
calls=()
for i in {1..8}; do agent status --json > "$T/status.$i" 2>&1 & calls+=($!); done
for i in "${calls[@]}"; do wait "$i" || fail "one of eight callers at once was not served: $(cat "$T"/status.*)"; done

# hooks CHANGE: a whole maintenance; milliseconds in $took
hooks() {
    local began
    began=$(date +%s%3N)
    expect_rc 0 agent hook pre-upgrade --change "$1" --window 1h --reserve 10m --json
    expect_match "paused" "$OUT" '"outcome": *"done"'
    expect_rc 0 agent hook post-upgrade --change "$1" --json
    expect_match "back" "$OUT" '"outcome": *"done"'
    took=$(($(date +%s%3N) - began))
}

step "a whole maintenance, alone and while 64 hostile clients come again and again: the same answers"
hooks CHG-ALONE
alone=$took
"$LAB" wine "$L" 'C:\Program Files\crlagent\pipe_abuse.exe' storm 64 90 > "$T/storm" 2>&1 &
storm=$!
eventually 30 "the storm has begun" grep -q begun "$T/storm"
hooks CHG-STORM
alive
expect_rc 0 abuse calm
wait $storm || fail "the storm: $(cat "$T/storm")"
clients=$(tail -1 "$T/storm" | tr -d '\r' | cut -d' ' -f1)
[ "$clients" -ge 64 ] || fail "the storm had only $clients clients"
printf 'a maintenance: %s ms alone, %s ms under 64 hostile clients at a time (%s connections)\n' "$alone" "$took" "$clients"

step "a silent client is cut after its time, and does not keep the service from stopping"
abuse silent > "$T/silent" &
silent=$!
expect_rc 0 agent stop
wait $silent || true
expect "the client's connection" "$(cat "$T/silent")" closed

step "a service whose configuration is wrong says so and does not start"
echo '<crlagent><nonsense/></crlagent>' > "$DATA/config/crlagent.xml"
expect_rc 23 agent start
expect_rc 22 agent status

# What any user can do while the agent does not run: his answer would take the HSM from a running CA.
taken() { # WHAT TEXT: the name of the pipe is taken, and nobody is told "paused"
    "$LAB" wine "$L" 'C:\Program Files\crlagent\pipe_false.exe' 60 > "$T/false" 2>&1 &
    local false=$!
    eventually 20 "$1: the name is taken" grep -q taken "$T/false"
    expect_rc 22 agent hook pre-upgrade --change X1 --window 1h --json
    expect_match "$1" "$OUT" "$2"
    [[ $OUT != *'"done"'* ]] || fail "$1: the false service was believed: $OUT"
    [ -z "${3:-}" ] || "$3"
    expect_rc 0 win 'C:\Program Files\crlagent\pipe_false.exe' end
    wait $false || fail "$1: $(cat "$T/false")"
}
step "a false service takes the pipe's name while the agent is installed and does not run: it is not even opened"
not_started() { # the true one cannot share the name
    agent_config
    expect_rc 23 agent start
}
taken "installed, stopped" "does not run.*nothing was sent" not_started
expect "what the false service got" "$(tail -1 "$T/false" | tr -d '\r')" "connections 0 bytes 0"

step "the same where the SCM says nothing of the service: the owner of the pipe is not one who may be it"
expect_rc 0 agent uninstall
taken "not installed" "made by.*Nothing was sent"
expect_match "what the false service got" "$(tail -1 "$T/false")" "connections 1 bytes 0"

step "there a console of an administrator is believed: its pipe belongs to Administrators"
"$LAB" wine "$L" "$PROGRAM" service --console > "$T/console" 2>&1 &
console=$!
eventually 20 "status of the console" agent status --json
kill $console
passed
