#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Least privilege: install under the service's own account, doctor, grant, revoke. The CA's access list is a real
# registry value; the SCM of Wine keeps no access lists, which grant must notice and say.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"
key='HKLM\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration\Lab Issuing CA'
security() { win reg.exe query "$key" /v Security | sed -n 's/.*REG_BINARY *//p'; }
line() { json ".lines[] | select(.id == \"$1\") | .state"; }

# Owner and group Administrators; Administrators Manage CA and officer, Authenticated Users enroll.
ba=01020000000000052000000020020000
au=01010000000000050B000000
former="0100048014000000240000000000000034000000${ba}${ba}0200340002000000000018000301"
former="${former}0000${ba}0000140000020000${au}"

# Made while the lab comes up; the last step needs them.
export CRLAGENT_THIRDPARTY=${CRLAGENT_THIRDPARTY:-${CRLAGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/crlagent}/thirdparty-$(
    "$TOP/win32/thirdparty/build.sh" --key)}
{
    "$TOP/installer/build.sh" --bin "$CRLAGENT_BUILD/bin" --out "$T/old" &&
        "$TOP/installer/build.sh" --bin "$CRLAGENT_BUILD/bin" --out "$T/new" --version 99.0.0
} > "$T/packages.log" 2>&1 &
packages=$!

step "a lab; the service under its own account"
lab_up --no-ad
win reg.exe add "$key" /v Security /t REG_BINARY /d "$former" /f > /dev/null
expect "former value" "$(security)" "$former"
agent_install
expect_match "account" "$(win reg.exe query 'HKLM\SYSTEM\CurrentControlSet\Services\crlagent' /v ObjectName)" 'NT SERVICE\\crlagent'

step "doctor: what is there, what is missing, what to type"
expect_out 2 doctor --json
expect "account" "$(json .account)" 'NT SERVICE\crlagent'
expect "exit code in JSON" "$(json .exitCode)" 2
for id in ca interface-flags com-class certutil folder.data folder.state folder.secrets folder.reserve event-source pipe role-separation; do
    expect "$id" "$(line $id)" ok
done
expect "Manage CA" "$(line manage-ca)" missing
expect "its command" "$(json '.lines[] | select(.id == "manage-ca") | .fix')" "crlagent grant --ca"
expect "service" "$(line service.CertSvc)" missing
expect_match "roles of the caller" "$(json '.lines[] | select(.id == "roles") | .text')" 'with Manage CA'
expect_out 2 doctor
expect_match "text" "$OUT" 'missing +manage-ca .*> crlagent grant --ca'

step "what somebody planted in ProgramData is refused, not used: a link, another's folder, another's file"
# Wine takes a link of its host for one, and another user of its host for a stranger.
refused() { # WHAT TEXT
    expect_rc 23 agent start
    eventually 10 "$1: the service has ended" test "$(win labadm.exe query crlagent | jq -r .state)" = 1
    expect_rc 23 timeout 20 "$LAB" wine "$L" "$PROGRAM" service --console
    expect_match "$1" "$OUT" "$2"
}
expect_rc 0 agent stop
mv "$DATA/state" "$T/elsewhere"
ln -s "$T/elsewhere" "$DATA/state"
refused "link" "state' is a link to somewhere else"
rm "$DATA/state"
mv "$T/elsewhere" "$DATA/state"
chown 65534 "$DATA/state"
refused "another's folder" "state' belongs to"
chown 0 "$DATA/state"
chown 65534 "$DATA/state/state.db"
refused "another's store" "state.db' belongs to"
chown 0 "$DATA/state/state.db"
chown 65534 "$DATA/config/crlagent.xml"
refused "another's configuration" "crlagent.xml' belongs to"
chown 0 "$DATA/config/crlagent.xml"
chmod o+w "$DATA/config/crlagent.xml"
refused "a configuration that all may write" "crlagent.xml' can be written by"
chmod o-w "$DATA/config/crlagent.xml"
expect_rc 0 agent start

step "grant --ca: nothing with --dry-run, once, not twice"
expect_out 0 grant --ca --dry-run
expect "dry run" "$OUT" "ca Lab Issuing CA: would be given"
expect "unchanged" "$(security)" "$former"
expect_out 0 grant --ca
expect_match "given" "$OUT" 'given; the former access list is kept'
expect_match "when it counts" "$OUT" 'restart it'
given=$(security)
[ -e "$DATA/grants.in-force" ] || fail "setup would not know that rights are granted"
[ "$given" != "$former" ] || fail "the value was not changed"
expect_out 0 grant --ca
expect_match "again" "$OUT" 'given before'
expect "still" "$(security)" "$given"
expect_out 2 doctor --json
expect "Manage CA now" "$(line manage-ca)" ok
expect_rc 23 agent grant --ca --account S-1-5-21-1-2-3-1001
expect_match "another account" "$OUT" 'take those back first: crlagent revoke'
expect_rc 20 agent grant
expect_rc 20 agent grant --ca --account NOBODY-HAS-THIS-NAME

step "revoke: the same bytes; again: nothing"
expect_out 0 revoke --dry-run
expect "dry run" "$(security)" "$given"
expect_out 0 revoke
expect_match "restored" "$OUT" 'the former access list is back'
expect "former bytes" "$(security)" "$former"
[ ! -e "$DATA/grants.in-force" ] || fail "setup would think that rights are still granted"
expect_out 0 revoke
expect "again" "$OUT" "nothing was granted: nothing to take back"
expect "former bytes" "$(security)" "$former"

step "changed by somebody in between: only our entry goes"
expect_out 0 grant --ca
other=$(security)
win reg.exe add "$key" /v Security /t REG_BINARY /d "${other/180003010000/180001010000}" /f > /dev/null
expect_out 0 revoke
expect_match "entry" "$OUT" 'our entry alone was removed'
expect_match "the other's change stays" "$(security)" '180001010000'
win reg.exe add "$key" /v Security /t REG_BINARY /d "$former" /f > /dev/null

step "roles that are separated; a wrong descriptor; services whose access list does not change"
win reg.exe add "$key" /v RoleSeparationEnabled /t REG_DWORD /d 1 /f > /dev/null
expect_rc 23 agent grant --ca --account S-1-5-32-544
expect_match "two roles" "$OUT" 'separates roles'
win reg.exe add "$key" /v Security /t REG_BINARY /d "${former:0:60}" /f > /dev/null
expect_rc 23 agent grant --ca
expect_match "cut descriptor" "$OUT" 'security descriptor'
expect "left alone" "$(security)" "${former:0:60}"
expect_rc 23 agent grant --services
expect_match "not kept" "$OUT" 'service CertSvc: the system accepted the new access list, but another one is there now'
expect_out 0 revoke
expect_match "nothing" "$OUT" 'nothing to take back'

step "uninstall says which rights are left"
win reg.exe add "$key" /v Security /t REG_BINARY /d "$former" /f > /dev/null
win reg.exe add "$key" /v RoleSeparationEnabled /t REG_DWORD /d 0 /f > /dev/null
expect_out 0 grant --ca
expect_rc 0 agent uninstall
expect_match "what is left" "$OUT" "rights given by 'crlagent grant' are still in force"
expect_out 0 revoke
expect "former bytes" "$(security)" "$former"

# Setup while the service holds a CA paused: the service's own marker, not one that a test has made.
setup() { # LOG WORDS...: exit code of msiexec
    local rc=0
    win msiexec.exe "${@:2}" /qn STARTSERVICE=1 '/l*v' "Z:${T//\//\\}\\$1" > /dev/null || rc=$?
    echo $rc
}
version() { win reg.exe query 'HKLM\SOFTWARE\crlagent' /v Version | sed -n 's/.*REG_SZ *//p'; }
package() { ls "$T/$1"/*.msi | sed 's|/|\\|g; s|^|Z:|'; }
held() { # still held, by the same service, by the same version
    expect "$1: still paused" "$(agent_out status --json | jq -r .maintenance.state)" paused
    expect "$1: the CA stays down" "$(certsvc .state)" 1
    expect "$1: the service was not touched" "$(win labadm.exe query crlagent | jq -r .pid)" "$pid"
    expect "$1: version" "$(version)" "$old_version"
}

step "setup: a pause through the service blocks upgrade and removal; resumed, both go through"
wait $packages || fail "the packages were not built: $(cat "$T/packages.log")"
PROOF=4s agent_config
expect "install" "$(setup install.log /i "$(package old)")" 0
eventually 60 "service answers" agent status --json
old_version=$(version) pid=$(win labadm.exe query crlagent | jq -r .pid)
expect_out 0 hook pre-upgrade --change P-SETUP --window 30m --reserve 10m --json
[ -e "$DATA/maintenance.open" ] || fail "the service made no marker"
expect "upgrade" "$(setup upgrade.log /i "$(package new)")" 67
held "upgrade refused"
expect "removal" "$(setup removal.log /x "$(package old)")" 67
held "removal refused"
# Wine's log names the property that decides, not the text that Windows shows for it.
for log in upgrade removal; do
    expect_match "$log: refused for the marker" "$(tr -d '\0' < "$T/$log.log" | tr -d '\r')" \
        'MAINTENANCE = .*maintenance\.open'
done
expect_match "what setup says" "$(msiinfo export "$(echo "$T"/new/*.msi)" LaunchCondition | grep 'NOT MAINTENANCE')" \
    "A maintenance holds this CA. Finish it with 'crlagent resume'"
expect_out 0 hook post-upgrade --change P-SETUP --json
[ ! -e "$DATA/maintenance.open" ] || fail "the marker is still there"
expect "upgrade" "$(setup upgrade.log /i "$(package new)")" 0
expect "version" "$(version)" 99.0.0
eventually 60 "service answers" agent status --json
expect_out 0 history --json
expect "the history is there" "$(json '.maintenances[0].change')" P-SETUP
expect "removal" "$(setup removal.log /x "$(package new)")" 0
eventually 60 "the program is gone" test ! -e "$PROGRAM_DIR/crlagent.exe"
passed
