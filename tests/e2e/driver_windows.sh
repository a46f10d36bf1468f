#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hsmupgrade.exe under Wine against the lab appliance: the whole change, with today's algorithms.
: "${CRLAGENT_BUILD:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/mingw}"
. "$(dirname "${BASH_SOURCE[0]}")/driver_lib.sh"
# Wine's server makes the sockets: it must live in our network namespace, so the prefix is ours too.
export WINEPREFIX=$W/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
HSMUPGRADE=$W/hsmupgrade
printf '#!/bin/bash\nexec wine "%s/bin/hsmupgrade.exe" "$@"\n' "$CRLAGENT_BUILD" > "$HSMUPGRADE"
chmod 755 "$HSMUPGRADE"
trap 'wineserver -k || true; cleanup' EXIT
mkdir "$WINEPREFIX"
wineserver -p300 > /dev/null 2>&1
wineboot -i > /dev/null 2>&1

# An agent as a Windows command line: cmd.exe with a batch file that tells and answers like crlagent.
DOS="Z:${W//\//\\}"
printf '%s\r\n' '@echo off' 'echo 20:15:01Z  preparing  probing four locations 1>&2' \
    'if "%2"=="post-upgrade" (type '"$DOS\\closed.json"') else type '"$DOS\\paused.json" > "$W/agent.cmd"
BY=$(date -u -d '+9 hours' +%Y-%m-%dT%H:%M:%SZ)
echo "{\"outcome\": \"done\", \"state\": \"paused\", \"maintenance\": {\"resume-by\": \"$BY\"}}" > "$W/paused.json"
echo '{"outcome": "done", "state": "closed", "comparison": {"down-seconds": 65}}' > "$W/closed.json"
windows_plan() {
    PLAN_AGENTS=ca1 PLAN_ALGORITHMS=modern plan hsm1
    sed -i -e 's#<package file="/#<package file="Z:/#' \
        -e "s#<arg>$W/agent-ca1</arg>#<arg>C:\\\\windows\\\\system32\\\\cmd.exe</arg><arg>/c</arg><arg>${DOS//\\/\\\\}\\\\agent.cmd</arg>#" "$W/plan.xml"
}

appliance hsm1
package lunasa_update-7.7.0-317
windows_plan
hu 0 check --no-agents
said 'software 7.2.0-220, firmware 7.0.3'

# Ctrl-C while the SO login waits for its key: that command ends, nothing more is begun, and nothing reached the appliance.
"$LUNA" ped "$W/hsm1" auto none
background run
wait_said "\\[agent:ca1\\] preparing  probing four locations"
wait_said "\\[agent:ca1\\] pre-upgrade: done: paused; resume by $BY"
wait_said 'PRESENT THE'
kill -INT "$DRIVER_PID" # Wine makes a Ctrl-C event of it
wait_said 'stopping at the next safe point'
"$LUNA" ped "$W/hsm1" present blue --wait 60
ended 24
said 'update: not begun'
! grep -q interrupted "$W/hsm1/lunalogs" || fail "a Ctrl-C reached the appliance"
"$LUNA" ped "$W/hsm1" auto blue

hu 0 resume
said 'post-upgrade: done: closed; the CA was away for 1m 05s'
versions hsm1 7.7.0-317 7.7.0
no_secrets
hu 0 run
said 'is done already'
cp "$W/plan.xml" "$W/plan.good"
sed -i 's/SHA256:......../SHA256:AAAAAAAA/' "$W/plan.xml"
hu 2 check --no-agents
said 'shows the host key SHA256:'

# The same appliance over a COM port: Wine maps it to the lab's serial line.
ln -s "$W/hsm1/serial" "$WINEPREFIX/dosdevices/com3"
PLAN_CONSOLE=serial windows_plan
sed -i 's#device="[^"]*"#device="\\\\.\\COM3"#' "$W/plan.xml"
hu 0 check --no-agents
said 'software 7.7.0-317, firmware 7.7.0'
echo "passed: windows"
