#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The package as an administrator meets it, under Wine's Windows Installer: install, repair, upgrade, refused downgrade,
# refused during a maintenance, removal, removal with data; the whole registry and all files compared before and after.
# Then the portable zip, checksums, list of libraries, and a test signature.
# Delayed start and ACLs are tables that Wine ignores, and its sc.exe sets neither recovery actions nor start types: their
# rows are looked at here, their effect is for tests/windows/verify.ps1.
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CRLAGENT_BUILD:-$top/build/mingw}
work=$(mktemp -d "${TMPDIR:-/tmp}/msi.XXXXXX")
export WINEPREFIX=$work/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
c=$WINEPREFIX/drive_c
passed=0 failed=0

finish() {
    wineserver -k 2> /dev/null
    wineserver -w 2> /dev/null
    rm -rf "$work"
}
trap finish EXIT

check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" > "$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$name"
        head -40 "$work/out" | sed 's/^/    /'
    fi
}

no() { ! "$@"; }
# The program cannot be stopped by a wine time-out inside the test, so every call is bounded from outside.
msi() { timeout 120 wine msiexec "$@" /qn; }
win() { printf 'Z:%s' "${1//\//\\}"; }
reg() { timeout 60 wine reg query "$1" /v "$2" 2> /dev/null | tr -d '\r' | sed -n "s/^ *$2  *REG_[A-Z_]*  *//p"; }
reg_is() { [ "$(reg "$1" "$2")" = "$3" ] || { echo "$1 $2: '$(reg "$1" "$2")', expected '$3'"; return 1; }; }
rows() { msiinfo export "$1" "$2" | tr -d '\r'; }

service='HKLM\SYSTEM\CurrentControlSet\Services\crlagent'
software='HKLM\SOFTWARE\crlagent'
program="$c/Program Files/crlagent"
data=$c/ProgramData/crlagent

# What a machine is: each file with size and time of change, each folder, each key of the registry and each value in it.
snapshot() {
    local hive
    (cd "$c" && find . -type d -printf '%p/\n' -o -printf '%p %s %T@\n') | not_of_setup | sort
    for hive in HKLM HKU; do
        timeout 60 wine reg export $hive "$(win "$work/$hive.reg")" /y > "$work/export" 2>&1 || { cat "$work/export"; return 1; }
        registry_lines "$work/$hive.reg"
    done | not_of_setup | sort
}

# Left out, and nothing below them unless it is said:
#  - what Wine's Windows Installer never removes: its folder, and these keys, when they are empty
#  - what Wine notes, with all below it, when a program asks for a screen and there is none
#  - the number of services that Wine has started so far
not_of_setup() {
    local software='HKEY_LOCAL_MACHINE\\Software' control='HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Control'
    local installer="$software\\\\Microsoft\\\\Windows\\\\CurrentVersion\\\\Installer"
    grep -vxE -e '\./windows/Installer/' \
        -e "$software"'\\Classes\\Installer(\\Features|\\Products|\\UpgradeCodes)?' \
        -e "$installer"'\\UpgradeCodes' -e "$installer"'\\UserData(\\S-1-5-18(\\Components|\\Products)?)?' \
        -e "$control"'\\Video\\\{.*' -e "$control"'\\ServiceCurrent	@=.*'
}

# One line per key, and per value with its key before it.
registry_lines() {
    python3 - "$1" <<'EOF2'
import sys
key = ""
for line in open(sys.argv[1], encoding="utf-16").read().replace("\\\n  ", "").splitlines()[1:]:
    if line.startswith("["):
        key = line.strip("[]")
        print(key)
    elif line:
        print(f"{key}\t{line}")
EOF2
}
same_machine() { snapshot > "$work/now" && diff "$work/before" "$work/now"; }

packages() {
    "$top/installer/build.sh" --bin "$build/bin" --out "$work/a" > /dev/null &&
        "$top/installer/build.sh" --bin "$build/bin" --out "$work/b" > /dev/null &&
        "$top/installer/build.sh" --bin "$build/bin" --out "$work/new" --version 99.0.0 > /dev/null
}

built_files() {
    local zip=$1
    check "two builds, the same bytes" diff "$work/a/SHA256SUMS" "$work/b/SHA256SUMS"
    check "checksums" sh -c "cd '$work/a' && sha256sum -c SHA256SUMS"
    check "zip holds the programs" sh -c "unzip -l '$zip' | grep -q crlagent.exe && unzip -l '$zip' | grep -q hsmupgrade.exe"
    check "program in the zip runs" sh -c "cd '$work' && unzip -q '$zip' && timeout 60 wine crlagent-*/crlagent.exe version"
    check "manifests carry the hash" grep -qi "$(sha256sum "$old" | cut -d' ' -f1)" "$work"/a/manifests/winget/crlagent.crlagent.installer.yaml
    check "manifests are complete" no grep -rq '@[A-Z_]*@' "$work/a/manifests"
    check "list of libraries names each one" libraries_listed "$work"/a/*.cdx.json
    check "recovery actions" grep -q 'sc.exe" failure crlagent reset= 86400 actions= restart/60000/restart/60000/restart/60000' \
        <(rows "$old" CustomAction)
    check "setup finds its markers where a user may look" markers_known
    check "three privileges for whoever is not LocalSystem" privileges_as_installed
    check "every folder that the program makes: folder, access list, purge" places_known
    for f in crlagent hsmupgrade; do
        check "$f.exe: version resource and manifest" resources "$work"/crlagent-*/$f.exe $f
        check "$f.exe: the installer knows its version" grep -q "^$f.exe.*[[:space:]]$version.0[[:space:]]1033" <(rows "$old" File)
    done
}

# The list is that of 'crlagent install', and does not reach a service that stays LocalSystem.
privileges_as_installed() {
    local want
    want=$(grep -A1 'needed_privileges\[\] = ' "$top/agent/verb_install.c" | grep -o 'Se[A-Za-z]*Privilege' | paste -sd' ')
    [ "$(rows "$old" MsiServiceConfig | grep '^Privileges' | cut -f5 | sed 's/\[~\]/ /g')" = "$want" ] &&
        rows "$old" Component | grep -q '^AgentPrivileges.*LocalSystem'
}

# The folders of win32/places.c, with the access lists that place_sddl() gives them there.
places_known() {
    python3 - "$top/win32/places.c" "$(rows "$old" Directory)" "$(rows "$old" CreateFolder)" "$(rows "$old" MsiLockPermissionsEx)" \
        "$(rows "$old" RemoveFile)" "$(rows "$old" CustomAction)" <<'EOF2'
import hashlib, re, struct, sys
source = open(sys.argv[1]).read()
directory, create, lock, remove, action = ([r.split("\t") for r in t.splitlines()[3:]] for t in sys.argv[2:])
found = re.findall(r'\[PLACE_(\w+)\] = "\\\\crlagent(?:\\\\(\w+))?"', source)
assert len(found) >= 8, found
sid = "S-1-5-80-" + "-".join(map(str, struct.unpack("<5I", hashlib.sha1("CRLAGENT".encode("utf-16le")).digest())))
for place, name in found:
    row = [d for d in directory if d[0].startswith("DATA") and d[2].split("|")[-1] == (name or "crlagent")]
    assert row, f"no folder for {place}"
    key = row[0][0]
    assert any(c[0] == key for c in create), f"{key} is not made by setup"
    sddl = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
    sddl += "" if place == "GRANTS" else f"(A;OICI;0x1301bf;;;{sid})"
    sddl += {"REPORTS": "(A;OICI;0x1200a9;;;BU)", "DATA": "(A;OINP;0x1200a9;;;BU)"}.get(place, "")
    assert [key, "CreateFolder", sddl] in [l[1:4] for l in lock], f"access list of {key}: {sddl}"
    purge = [a[2] for a in action if a[3] == f"[{key}]" and a[2].startswith("PURGE")]
    assert purge, f"PURGE does not know {key}"
    kinds = {r[2] for r in remove if r[3] == purge[0]}
    assert {"*", ""} <= kinds, f"PURGE leaves files or the folder of {key}: {kinds}"
EOF2
}

# Each file that the programs leave for setup (agent/marker.c) is looked for, directly in the folder that users may list.
markers_known() {
    python3 - "$top/agent/marker.c" "$(rows "$old" Signature)" "$(rows "$old" DrLocator)" "$(rows "$old" AppSearch)" "$(rows "$old" CustomAction)" <<'EOF2'
import re, sys
names = set(re.findall(r'\[MARKER_\w+\] =\s*\{"([^"]+)"', open(sys.argv[1]).read()))
signature, locator, search, action = ([r.split("\t") for r in t.splitlines()[3:]] for t in sys.argv[2:])
assert len(names) == 3 and names == {s[1] for s in signature}, (names, signature)
assert {s[0] for s in signature} == {l[0] for l in locator} and {s[0] for s in signature} <= {a[1] for a in search}
assert all(l[2] == "[CommonAppDataFolder]crlagent" for l in locator), locator
assert any(a[0] == "AMaintenanceHoldsThisCA" and '"[DATAFOLDER]maintenance.open"' in a[3] for a in action)
EOF2
}

# resources FILE NAME: what the file's properties show, and a manifest that asks for no elevation
resources() {
    python3 - "$1" "$2" "$version" <<'EOF2'
import sys
data = open(sys.argv[1], "rb").read()
for key, value in (("OriginalFilename", sys.argv[2] + ".exe"), ("FileVersion", sys.argv[3]), ("ProductName", "crlagent")):
    at = data.find(key.encode("utf-16le") + b"\0\0")
    assert at > 0 and value.encode("utf-16le") + b"\0\0" in data[at:at + 120], (key, value)
for word in (b'level="asInvoker"', b"longPathAware", b"supportedOS"):
    assert word in data, word
EOF2
}

libraries_listed() {
    python3 - "$1" "$CRLAGENT_THIRDPARTY/sources.txt" <<'EOF2'
import json, sys
bom = json.load(open(sys.argv[1]))
have = {(c["name"], c["version"]) for c in bom["components"]}
want = {tuple(line.split()[:2]) for line in open(sys.argv[2])}
missing = {w for w in want if w not in have and w[0] != "cmocka"}
assert bom["bomFormat"] == "CycloneDX" and not missing, missing
assert any(name == "mingw-w64" for name, _ in have)
EOF2
}

install() {
    check "install" msi /i "$(win "$old")" "$@" '/l*v' "$(win "$work/log")"
    check "service account: its own" reg_is "$service" ObjectName 'NT SERVICE\crlagent'
    check "its privileges are trimmed" reg_is "$software" PrivilegesTrimmed 0x1
    check "service starts by itself" reg_is "$service" Start 0x2
    check "event source" reg_is 'HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\crlagent' EventMessageFile \
        'C:\Program Files\crlagent\crlagent.exe'
    check "data folders" test -d "$data/state" -a -d "$data/config" -a -d "$data/reports"
    check "driver" test -e "$program/hsmupgrade.exe"
    check "module" test -e "$c/Program Files/WindowsPowerShell/Modules/CrlAgent/CrlAgent.psd1"
    check "installed program runs" timeout 60 wine "$program/crlagent.exe" version
}

repair_and_upgrade() {
    echo '<mine/>' > "$data/config/crlagent.xml"
    echo state > "$data/state/keep.db"
    rm "$program/LICENSE.txt"
    check "repair" msi /i "$(win "$old")" REINSTALL=ALL REINSTALLMODE=omus
    check "repaired" test -e "$program/LICENSE.txt"
    check "repair does not start it" no running
    check "repair keeps the configuration" grep -q '<mine/>' "$data/config/crlagent.xml"
    touch "$data/maintenance.open"
    check "no upgrade in a maintenance" no msi /i "$(win "$new")" "$@"
    check "no removal in a maintenance" no msi /x "$(win "$old")"
    check "nor one by a double click" no timeout 120 wine msiexec /x "$(win "$old")" /qr
    check "nothing happened" reg_is "$software" Version "$version"
    check "the message says what to do" grep -q 'crlagent abort' <(rows "$new" LaunchCondition)
    unseen
    rm "$data/maintenance.open"
    # It was never started, so neither a repair nor an upgrade starts it.
    check "upgrade of a stopped one" msi /i "$(win "$new")"
    check "stays stopped" no running
    check "new version" reg_is "$software" Version 99.0.0
    check "one product" [ "$(timeout 60 wine uninstaller --list | grep -c crlagent)" = 1 ]
    check "upgrade keeps the configuration" grep -q '<mine/>' "$data/config/crlagent.xml"
    check "upgrade keeps the state" grep -q state "$data/state/keep.db"
    check "upgrade keeps the account" reg_is "$service" ObjectName 'NT SERVICE\crlagent'
    check "downgrade refused" no msi /i "$(win "$old")" "$@"
    check "still the new one" reg_is "$software" Version 99.0.0
}

# The search has not seen the marker (it ran before the pause began, say): setup refuses all the same, before it touches
# anything. Windows Installer takes the sequence of an installed product from its own copy of the package. Wine runs
# deferred actions after everything else, so here the action is made an immediate one; its order is what the tables say.
unseen() {
    local own f
    own=$(echo "$c"/windows/Installer/*.msi)
    cp "$new" "$work/unseen.msi"
    cp "$own" "$work/copy.msi"
    for f in "$work/unseen.msi" "$own"; do
        msibuild "$f" -q "DELETE FROM \`InstallExecuteSequence\` WHERE \`Action\` = 'LaunchConditions'"
        msibuild "$f" -q "UPDATE \`CustomAction\` SET \`Type\` = 34 WHERE \`Action\` = 'AMaintenanceHoldsThisCA'"
    done
    check "the second look: deferred, as SYSTEM, before anything is touched" grep -q '^AMaintenanceHoldsThisCA	3106	' <(rows "$old" CustomAction)
    check "its place" awk -F'\t' '{ at[$1] = $3 } END { exit !(at["AMaintenanceHoldsThisCA"] < at["ProcessComponents"] && at["AMaintenanceHoldsThisCA"] > at["InstallInitialize"]) }' \
        <(rows "$old" InstallExecuteSequence)
    check "no removal in a maintenance that began meanwhile" no msi /x "$(win "$old")" '/l*v' "$(win "$work/unseen.log")"
    check "it is the second look that refuses" grep -aq 'AMaintenanceHoldsThisCA' <(tr -d '\0' < "$work/unseen.log")
    check "no upgrade either" no msi /i "$(win "$work/unseen.msi")"
    check "all is in its place" test -e "$program/crlagent.exe" -a -e "$program/LICENSE.txt"
    check "the service too" reg_is "$service" Start 0x2
    check "and the version" reg_is "$software" Version "$version"
    cp "$work/copy.msi" "$own"
}

# A record of 'crlagent grant' is there: setup says so, and nothing of it is lost.
remove() {
    echo record > "$data/grants/service-CertSvc.txt"
    touch "$data/grants.in-force"
    check "removal with PURGE refused while rights are granted" no msi /x "$(win "$new")" PURGE=1
    check "still there" reg_is "$software" Version 99.0.0
    check "the message says what to do" grep -q 'crlagent revoke' <(rows "$new" LaunchCondition)
    check "removal" msi /x "$(win "$new")" '/l*v' "$(win "$work/removal.log")"
    check "its log says what stays in force" grep -aq 'crlagent revoke' <(tr -d '\0' < "$work/removal.log")
    check "the former access lists are kept" grep -q record "$data/grants/service-CertSvc.txt"
    check "programs gone" no test -e "$program"
    check "service gone" no timeout 60 wine reg query "$service"
    check "data kept" grep -q state "$data/state/keep.db"
    check "the comparison sees what is there" no same_machine
    rm -rf "$data"
    check "the machine as before" same_machine
}

properties_and_purge() {
    local bad
    for bad in 'A;B' 'A,B' '#1' 'A[B' 'A*'; do
        check "OPERATORS=$bad refused" no msi /i "$(win "$old")" STARTSERVICE=0 "OPERATORS=$bad"
    done
    check "nothing was installed" no test -e "$program"
    check "own properties" msi /i "$(win "$old")" STARTSERVICE=0 ADDLOCAL=Agent SERVICEACCOUNT=LocalSystem \
        'CONFIGFILE=D:\pki\crlagent.xml' 'OPERATORS=LAB\PKI operators (Bonn)'
    check "account chosen" reg_is "$service" ObjectName LocalSystem
    check "LocalSystem keeps its privileges" reg_is "$software" PrivilegesTrimmed ''
    check "operators chosen" reg_is "$software" Operators 'LAB\PKI operators (Bonn)'
    check "configuration file chosen" grep -q 'service --config "D:\\pki\\crlagent.xml"' <(reg "$service" ImagePath)
    check "feature left out" no test -e "$program/hsmupgrade.exe"
    timeout 60 wine reg add "$service" /v Start /t REG_DWORD /d 4 /f > /dev/null 2>&1
    check "repair of a disabled one" msi /i "$(win "$old")" REINSTALL=ALL REINSTALLMODE=omus
    check "is not started" no running
    timeout 60 wine reg add "$service" /v Start /t REG_DWORD /d 4 /f > /dev/null 2>&1
    check "upgrade of a disabled one, which remembers" msi /i "$(win "$new")" '/l*v' "$(win "$work/disabled.log")"
    check "is not started either" no running
    check "its start type is set back" grep -aq 'KeepDisabled' <(tr -d '\0' < "$work/disabled.log")
    check "account remembered" reg_is "$service" ObjectName LocalSystem
    check "operators remembered" reg_is "$software" Operators 'LAB\PKI operators (Bonn)'
    check "configuration file remembered" grep -q 'D:\\pki\\crlagent.xml' <(reg "$service" ImagePath)
    echo state > "$data/state/state.db"
    echo '<crlagent/>' > "$data/config/crlagent.xml"
    check "removal with PURGE" msi /x "$(win "$new")" PURGE=1
    check "data gone" no test -e "$data"
    check "the machine as before, all of it" same_machine
}

# The service itself, started by setup, kept running over an upgrade, stopped by removal.
started() {
    mkdir -p "$data"
    check "install and start" msi /i "$(win "$old")" OPERATORS=S-1-5-32-545
    check "running" running
    check "operators as setup was told" operators_line 'ok.*S-1-5-32-545'
    timeout 60 wine reg add "$software" /v Operators /d NOBODY-HAS-THIS-NAME /f > /dev/null 2>&1
    check "a group that does not exist" operators_line 'missing.*NOBODY-HAS-THIS-NAME'
    timeout 60 wine "$program/crlagent.exe" stop > /dev/null 2>&1
    check "the service does not start with it" no timeout 60 wine "$program/crlagent.exe" start
    timeout 60 wine reg add "$software" /v Operators /d S-1-5-32-545 /f > /dev/null 2>&1
    check "and starts with one that does" timeout 60 wine "$program/crlagent.exe" start
    check "the service answers" sh -c "timeout 60 wine '$program/crlagent.exe' status --json > '$work/status.json'; [ -s '$work/status.json' ]"
    timeout 60 wine reg add "$service" /v Start /t REG_DWORD /d 3 /f > /dev/null 2>&1
    check "repair of a running one that was set to manual" msi /i "$(win "$old")" REINSTALL=ALL REINSTALLMODE=omus
    check "running again" running
    timeout 60 wine reg add "$service" /v Start /t REG_DWORD /d 3 /f > /dev/null 2>&1
    check "upgrade of such a one" msi /i "$(win "$new")" '/l*v' "$(win "$work/manual.log")"
    check "running again, by the new version" running
    check "its start type is set back" grep -aq 'KeepManual' <(tr -d '\0' < "$work/manual.log")
    # Without PURGE: Wine's setup does not wait for the end of a service that it stops, which still has its files open.
    check "removal of a running one" msi /x "$(win "$new")"
    check "stopped and gone" no running
    rm -rf "$data"
    check "the machine as before, after a running service" same_machine
}
operators_line() { timeout 60 wine "$program/crlagent.exe" doctor | tr -d '\r' | grep ' operators ' | grep -q "$1"; }
running() { timeout 60 wine sc.exe query crlagent | grep -q 'RUNNING'; }

sign() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj "/CN=crlagent test signing" \
        -addext extendedKeyUsage=codeSigning 2> /dev/null
    local f
    for f in "$old" "$work"/crlagent-*/crlagent.exe; do
        check "sign $(basename "$f")" osslsigncode sign -certs "$work/cert.pem" -key "$work/key.pem" -n crlagent -h sha256 \
            -in "$f" -out "$work/signed.${f##*.}"
        check "signature verifies" osslsigncode verify -CAfile "$work/cert.pem" -in "$work/signed.${f##*.}"
        printf 'x' | dd of="$work/signed.${f##*.}" bs=1 seek=4096 conv=notrunc 2> /dev/null
        check "a changed file does not" no osslsigncode verify -CAfile "$work/cert.pem" -in "$work/signed.${f##*.}"
    done
}

if [ -z "${CRLAGENT_THIRDPARTY:-}" ]; then
    CRLAGENT_THIRDPARTY=${CRLAGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/crlagent}/thirdparty-$("$top/win32/thirdparty/build.sh" --key)
    export CRLAGENT_THIRDPARTY
fi
version=$(sed -n 's/^project(crlagent VERSION \([0-9.]*\).*/\1/p' "$top/CMakeLists.txt")
check "packages build" packages
old=$work/a/crlagent-$version-x64.msi new=$work/new/crlagent-99.0.0-x64.msi
[ "$failed" = 0 ] || exit 1
wineboot -i > /dev/null 2>&1
wineserver -w
wineserver -p300
# What every Windows has: Wine removes parents that become empty.
mkdir -p "$c/Program Files/WindowsPowerShell/Modules"
timeout 60 wine reg add 'HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\Other' /f > /dev/null 2>&1
built_files "$work/a/crlagent-$version-x64.zip"
snapshot > "$work/before"
install STARTSERVICE=0
repair_and_upgrade STARTSERVICE=0
remove
properties_and_purge
started
sign
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
