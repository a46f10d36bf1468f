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
wineboot -i > /dev/null 2>&1

appliance hsm1
package lunasa_update-7.7.0-317
PLAN_ALGORITHMS=modern plan hsm1
sed -i 's#<package file="/#<package file="Z:/#' "$W/plan.xml"
hu 1 check --no-agents
said 'software 7.2.0-220, firmware 7.0.3'
hu 0 run
versions hsm1 7.7.0-317 7.7.0
no_secrets
hu 0 run
said 'is done already'
cp "$W/plan.xml" "$W/plan.good"
sed -i 's/SHA256:......../SHA256:AAAAAAAA/' "$W/plan.xml"
hu 2 check --no-agents
said 'shows the host key SHA256:'
echo "passed: windows"
